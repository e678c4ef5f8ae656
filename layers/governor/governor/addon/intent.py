"""What a policy's ``addon`` block asks for, given what is installed."""

from typing import Literal

import msgspec

from governor.addon.seen import Addon, Missing, Seen

DEFAULT = "default"
"""The version that EKS installs by default when the add-on is installed; it never asks for an update."""
Intent = Literal["nothing", "install", "upgrade"]
_CAN_BE_UPDATED = frozenset({"ACTIVE", "DEGRADED", "UPDATE_FAILED"})


class Wanted(msgspec.Struct, frozen=True):
    """``version`` is "" without an addon block. ``may_change``: the stack's owner lets the add-on be changed."""

    version: str = ""
    may_change: bool = False


def asked_for(addon: Addon | Missing, version: str) -> Intent:
    """What it takes to get from what is installed to what the policy says, whoever may do it."""
    if not version:
        return "nothing"
    if isinstance(addon, Missing):
        return "install"
    if version == DEFAULT or addon.status not in _CAN_BE_UPDATED:
        return "nothing"
    if version == addon.version and addon.status != "UPDATE_FAILED":  # EKS may tell the version that it failed to reach
        return "nothing"
    return "upgrade"


def target_of(version: str, seen: Seen) -> str:
    """The version that is meant; "" where EKS names no default."""
    return seen.default_version if version in (DEFAULT, "") else version
