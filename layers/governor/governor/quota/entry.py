"""One entry of a compute allocation: an amount of one instance type."""

import msgspec


class Partition(msgspec.Struct, frozen=True, omit_defaults=True):
    """A number of MIG partitions of one profile, e.g. 4 × ``mig-1g.10gb``."""

    type: str
    count: int

    @property
    def slices(self) -> int:
        """GPU slices of one partition: the leading number of the profile (``mig-3g.40gb`` has 3 of 7)."""
        digits = self.type.removeprefix("mig-").partition("g.")[0]
        return int(digits) if digits.isdecimal() else 0


class QuotaEntry(
    msgspec.Struct,
    frozen=True,
    omit_defaults=True,
    rename={
        "instance_type": "instanceType",
        "v_cpu": "vCpu",
        "memory_in_gib": "memoryInGiB",
        "partition": "acceleratorPartition",
    },
):
    """What one team is given of one instance type, as declared or as the service reports it.

    Units: whole instances, whole accelerators, vCPUs, GiB of memory. None means "not said": the service
    fills it in (facts 0.2; ``fill_in`` holds the rule).
    """

    instance_type: str
    count: int | None = None
    accelerators: int | None = None
    v_cpu: float | None = None
    memory_in_gib: float | None = None
    partition: Partition | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What makes two entries the same one: the instance type and, for partitions, the MIG profile."""
        return self.instance_type, self.partition.type if self.partition else ""

    @property
    def is_empty(self) -> bool:
        """True when the entry names an instance type and no amount at all."""
        return (
            self.count is None
            and self.accelerators is None
            and self.v_cpu is None
            and self.memory_in_gib is None
            and self.partition is None
        )

    @property
    def gives_nothing(self) -> bool:
        """True when no amount of the entry is above 0."""
        partitions = self.partition.count if self.partition else 0
        return not (self.count or self.accelerators or self.v_cpu or self.memory_in_gib or partitions)
