"""What the admission model decided, in the order it did."""

from dataclasses import dataclass
from enum import Enum

from governor.kueue.objects import WorkloadKey


class Kind(Enum):
    """What was done to a workload. The values are the reasons of Kueue's own events where it has one."""

    RESERVED = "QuotaReserved"
    ADMITTED = "Admitted"
    PENDING = "Pending"
    PREEMPTED = "Preempted"
    EVICTED = "Evicted"
    REQUEUED = "Requeued"
    FINISHED = "Finished"
    NOT_FOLLOWED = "NotFollowed"
    """The model does not know what Kueue would do; ``message`` says why."""
    UNSETTLED = "Unsettled"
    """Kueue would preempt and admit the same workloads again and again; the model stopped after a bounded time."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision about a workload. ``reason`` and ``message`` are Kueue's.

    ``by`` is who preempts, of PREEMPTED.
    """

    kind: Kind
    workload: WorkloadKey
    reason: str
    message: str
    by: WorkloadKey | None = None
