"""Settings from the environment, read once and checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from governor.errors import PermanentError

MAX_CONCURRENCY = 32


class Settings(msgspec.Struct, frozen=True):
    """How the owner of a deployment wants it to behave.

    ``concurrency`` is low by default: how the service takes parallel writes is not documented.
    """

    max_teams_removed: int = 0
    overcommit: Literal["error", "warning"] = "error"
    concurrency: int = 2
    state_dir: Path = Path()


def settings_from(environment: Mapping[str, str]) -> Settings:
    """The settings; PermanentError names the variable, what it holds and what it may hold."""
    overcommit = environment.get("GOVERNOR_OVERCOMMIT", "error")
    if overcommit not in ("error", "warning"):
        raise PermanentError(f"GOVERNOR_OVERCOMMIT is '{overcommit}'; write error or warning")
    return Settings(
        max_teams_removed=_number(environment, "GOVERNOR_MAX_TEAMS_REMOVED", 0, 0, 10_000),
        overcommit="warning" if overcommit == "warning" else "error",
        concurrency=_number(environment, "GOVERNOR_CONCURRENCY", 2, 1, MAX_CONCURRENCY),
        state_dir=_state_dir(environment),
    )


class FunctionSettings(msgspec.Struct, frozen=True):
    """What the template tells a function, beside the guard rails."""

    policies_bucket: str
    records_bucket: str
    queue_url: str
    topic_arn: str
    grace_seconds: int
    slice_seconds: int
    max_receives: int


def function_settings_from(environment: Mapping[str, str]) -> FunctionSettings:
    """The settings of a function; PermanentError names the variable that is missing."""
    return FunctionSettings(
        policies_bucket=_given(environment, "GOVERNOR_POLICIES_BUCKET"),
        records_bucket=_given(environment, "GOVERNOR_RECORDS_BUCKET"),
        queue_url=_given(environment, "GOVERNOR_QUEUE_URL"),
        topic_arn=_given(environment, "GOVERNOR_TOPIC_ARN"),
        grace_seconds=_number(environment, "GOVERNOR_GRACE_SECONDS", 600, 0, 86_400),
        slice_seconds=_number(environment, "GOVERNOR_SLICE_SECONDS", 210, 1, 840),
        max_receives=_number(environment, "GOVERNOR_MAX_RECEIVES", 5, 1, 1000),
    )


class AddonSettings(msgspec.Struct, frozen=True):
    """How the owner of a deployment wants the add-on to be treated. ``stack`` is a tag of what is installed."""

    may_change: bool = False
    resolve_conflicts: Literal["NONE", "OVERWRITE", "PRESERVE"] = "NONE"
    kubernetes_checks: Literal["Required", "WhenReachable"] = "WhenReachable"
    stack: str = ""


def addon_settings_from(environment: Mapping[str, str]) -> AddonSettings:
    """The settings; PermanentError names the variable, what it holds and what it may hold."""
    install = _one_of(environment, "GOVERNOR_ADDON_INSTALL", ("VerifyOnly", "Install"))
    resolve = _one_of(environment, "GOVERNOR_ADDON_RESOLVE_CONFLICTS", ("NONE", "OVERWRITE", "PRESERVE"))
    checks = _one_of(environment, "GOVERNOR_KUBERNETES_CHECKS", ("WhenReachable", "Required"))
    return msgspec.convert(
        {
            "may_change": install == "Install",
            "resolve_conflicts": resolve,
            "kubernetes_checks": checks,
            "stack": environment.get("GOVERNOR_STACK", ""),
        },
        AddonSettings,
    )


class UsageSettings(msgspec.Struct, frozen=True):
    """Where metrics of usage go, and how many of them there are."""

    namespace: str
    detail: Literal["Team", "Flavor"] = "Team"


def usage_settings_from(environment: Mapping[str, str]) -> UsageSettings:
    """The settings; PermanentError names the variable, what it holds and what it may hold."""
    detail = _one_of(environment, "GOVERNOR_METRICS_DETAIL", ("Team", "Flavor"))
    return UsageSettings(_given(environment, "GOVERNOR_METRICS_NAMESPACE"), "Flavor" if detail == "Flavor" else "Team")


class NotifySettings(msgspec.Struct, frozen=True):
    """Which alarms are about usage (``Kind=name`` with commas between), and where the dashboard is."""

    alarms: str
    dashboard: str = ""


def notify_settings_from(environment: Mapping[str, str]) -> NotifySettings:
    """The settings; PermanentError names the variable that is missing."""
    return NotifySettings(_given(environment, "GOVERNOR_USAGE_ALARMS"), environment.get("GOVERNOR_DASHBOARD", ""))


def _one_of(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """The first choice is the default."""
    value = environment.get(name) or choices[0]
    if value not in choices:
        raise PermanentError(f"{name} is '{value}'; write {' or '.join(choices)}")
    return value


def _given(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise PermanentError(f"{name} is not set; the template sets it: deploy the stack again")
    return value


def _number(environment: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = environment.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdecimal() or not least <= int(text) <= most:
        raise PermanentError(f"{name} is '{text}'; write a whole number from {least} to {most}")
    return int(text)


def _state_dir(environment: Mapping[str, str]) -> Path:
    explicit = environment.get("GOVERNOR_STATE_DIR")
    if explicit:
        return Path(explicit)
    base = environment.get("XDG_STATE_HOME")
    home = Path(base) if base else Path(environment.get("HOME") or "~").expanduser() / ".local" / "state"
    return home / "hyperpod-governor"
