"""Who uses, borrows, lends and waits: usage per team out of what Kueue says of its queues."""

from governor.usage.compute import usage_of
from governor.usage.model import (
    Capacity,
    ClusterUsage,
    CohortUsage,
    QueueUsage,
    Reclaimable,
    ResourceUsage,
    TeamUsage,
)
from governor.usage.seen import Seen

__all__ = [
    "Capacity",
    "ClusterUsage",
    "CohortUsage",
    "QueueUsage",
    "Reclaimable",
    "ResourceUsage",
    "Seen",
    "TeamUsage",
    "usage_of",
]
