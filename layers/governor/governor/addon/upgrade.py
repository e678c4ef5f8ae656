"""Whether an update of the add-on from one version to another is a plain one.

From v1.3 to v1.5 or later it is not: the cluster stores some of Kueue's objects in versions that the new definitions do
not know, and the update ends UPDATE_FAILED (user guide, "Upgrade"; facts 1a).
"""

import msgspec

from governor.addon.checks import CheckVerdict
from governor.addon.seen import Crd, Unknown
from governor.addon.versions import UPGRADE_GUIDE, Version, is_documented_step, served_by, version_of

_PROCEDURE = (
    "upgrade in the console, or by hand: save all objects of Kueue, delete them, set the definitions' storedVersions, "
    f"update the add-on, put the objects back: {UPGRADE_GUIDE}"
)


class Path(msgspec.Struct, frozen=True):
    """The answer, why, and what to do where it is not yes."""

    verdict: CheckVerdict
    reason: str
    remedy: str = ""


def upgrade_path(present: str, wanted: str, crds: tuple[Crd, ...] | Unknown) -> Path:
    """May the add-on be updated from ``present`` to ``wanted`` without more ado?"""
    old, new = version_of(present), version_of(wanted)
    if old is None or new is None:
        odd = present if old is None else wanted
        return Path("unknown", f"'{odd}' is no version that can be compared", f"see {UPGRADE_GUIDE}")
    if old == new:
        return Path("pass", f"{present} is installed")
    if new < old:
        return Path(
            "fail",
            f"{wanted} is older than {present}, and nothing says that going back is safe",
            f"write {present} or a newer version; to go back, delete the add-on and install the older one by hand",
        )
    if is_documented_step(old, new):
        return Path("pass", f"from {present} to {wanted} is a plain update")
    return _across(old, new, crds)


def _across(old: Version, new: Version, crds: tuple[Crd, ...] | Unknown) -> Path:
    served = served_by(new)
    if served is None:
        return Path("pass", f"from {old} to {new} keeps the versions that objects are stored in")
    told = "" if not isinstance(crds, Unknown) else f"; the definitions in the way cannot be named: {crds.reason}"
    offending = () if isinstance(crds, Unknown) else tuple(crd for crd in crds if not served.issuperset(crd.stored))
    if offending:
        told = f"; in the way: {', '.join(map(_stored, offending))}"
    if old.line <= (1, 3) and new.line >= (1, 5):
        return Path("fail", f"from {old} to {new} a plain update fails{told}", _PROCEDURE)
    if offending:
        return Path(
            "fail",
            f"{new} does not know versions that objects are stored in{told}",
            _PROCEDURE,
        )
    if isinstance(crds, Unknown):
        return Path(
            "unknown", f"whether {new} knows the versions that objects are stored in: {crds.reason}", crds.remedy
        )
    return Path("pass", f"{new} knows all versions that objects are stored in")


def _stored(crd: Crd) -> str:
    return f"{crd.name} (stored as {', '.join(crd.stored)})"
