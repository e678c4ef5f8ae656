"""Applying a policy: reading the live state, walking the plan, remembering what is ours."""

from governor.apply.opening import Opened, Unfit, open_policy
from governor.apply.outcome import APPROVED, Event, ForeignChange, Outcome, Progress, StepResult, Verdict
from governor.apply.ports import Account, Clock, GovernanceApi, InstanceTypesApi, Records, SystemClock
from governor.apply.reading import read_instances, read_live, types_of
from governor.apply.store import FileRecords
from governor.apply.writer import Writer, WriterSettings

__all__ = [
    "APPROVED",
    "Account",
    "Clock",
    "Event",
    "FileRecords",
    "ForeignChange",
    "GovernanceApi",
    "InstanceTypesApi",
    "Opened",
    "Outcome",
    "Progress",
    "Records",
    "StepResult",
    "SystemClock",
    "Unfit",
    "Verdict",
    "Writer",
    "WriterSettings",
    "open_policy",
    "read_instances",
    "read_live",
    "types_of",
]
