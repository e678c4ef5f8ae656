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
