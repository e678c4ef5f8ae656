"""What a run did and how it ended, as data for a person, a record and a program."""

from collections.abc import Callable
from typing import Literal

import msgspec

from governor.plan import Change, Plan, Step

Verdict = Literal["Applied", "Unchanged", "InProgress", "Held", "Rejected", "Failed"]

State = Literal["done", "failed", "conflict", "moved", "waiting", "skipped", "not started"]


class StepResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one step ended. ``waiting``: the deadline came while the service was still at it."""

    step: Step
    state: State
    detail: str = ""
    id: str = ""
    version: int = 0
    status: str = ""
    transient: bool = False


class ForeignChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """What somebody else changed while this run was at work."""

    title: str
    changes: tuple[Change, ...]
    by: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """The end of a run. ``results`` are the steps of all rounds in the order they ended."""

    verdict: Verdict
    reason: str
    plan: Plan
    results: tuple[StepResult, ...] = ()
    foreign: tuple[ForeignChange, ...] = ()
    retry_after: float | None = None


class Event(msgspec.Struct, frozen=True):
    """Progress while a run is at work; ``seconds`` since the step began."""

    kind: Literal["planned", "started", "status", "ended", "foreign"]
    title: str
    detail: str = ""
    step: Step | None = None
    plan: Plan | None = None
    foreign: ForeignChange | None = None
    seconds: float = 0.0
    state: State | None = None


APPROVED = "approved"
"""The detail of a "planned" event whose plan would be held if nobody had approved it."""

Progress = Callable[[Event], None]
