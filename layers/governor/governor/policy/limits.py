"""The service's own limits: enums, ranges and lengths of its API, as data that somebody passes in."""

from collections.abc import Mapping

import msgspec


class Shape(msgspec.Struct, frozen=True):
    """What the service's model says of one shape; None where it says nothing."""

    minimum: int | None = None
    maximum: int | None = None
    values: tuple[str, ...] = ()

    def allows(self, number: float) -> bool:
        """True when a number lies in the range."""
        return (self.minimum is None or number >= self.minimum) and (self.maximum is None or number <= self.maximum)


Limits = Mapping[str, Shape]

SHAPES = (
    "ActivationState",
    "AbsoluteBorrowLimitResourceList",
    "AcceleratorPartitionConfigCountInteger",
    "AcceleratorsAmount",
    "BorrowLimit",
    "ClusterInstanceType",
    "ComputeQuotaResourceConfigList",
    "EntityDescription",
    "EntityName",
    "FairShare",
    "FairShareWeight",
    "IdleResourceSharing",
    "InstanceCount",
    "MIGProfileType",
    "MemoryInGiBAmount",
    "PreemptTeamTasks",
    "PriorityClassList",
    "PriorityWeight",
    "ResourceSharingStrategy",
    "VCpuAmount",
)
"""The shapes whose limits a policy is held against; the rest of the model is not needed."""
