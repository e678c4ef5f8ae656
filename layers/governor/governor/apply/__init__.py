"""Applying a policy: reading the live state, walking the plan, remembering what is ours."""

from governor.apply.outcome import APPROVED, Event, ForeignChange, Outcome, Progress, StepResult, Verdict
from governor.apply.ports import Clock, GovernanceApi, InstanceTypesApi, Records, SystemClock
from governor.apply.reading import read_instances, read_live, types_of
from governor.apply.store import FileRecords
from governor.apply.writer import Writer, WriterSettings

__all__ = [
    "APPROVED",
    "Clock",
    "Event",
    "FileRecords",
    "ForeignChange",
    "GovernanceApi",
    "InstanceTypesApi",
    "Outcome",
    "Progress",
    "Records",
    "StepResult",
    "SystemClock",
    "Verdict",
    "Writer",
    "WriterSettings",
    "read_instances",
    "read_live",
    "types_of",
]
