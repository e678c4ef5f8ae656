"""A HyperPod cluster and what it has, by instance type and resource."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Literal

import msgspec

from governor.quota.amounts import Dimension, amounts_of, total
from governor.quota.entry import QuotaEntry
from governor.quota.instances import Catalogue

GroupKind = Literal["fixed", "autoscaled", "flexible", "restricted"]


class InstanceGroup(msgspec.Struct, frozen=True):
    """Instances of a cluster. ``count`` is the target of a fixed group, what runs now of any other."""

    name: str
    instance_type: str
    count: int
    kind: GroupKind = "fixed"
    threads_per_core: int | None = None


class Cluster(msgspec.Struct, frozen=True):
    """A HyperPod cluster; its ARN is its identity, a name can come back.

    ``running`` counts the instances of now, ``eks_arn`` is the EKS cluster below, "" where Slurm is.
    """

    arn: str
    name: str
    status: str
    orchestrator: str
    groups: tuple[InstanceGroup, ...] = ()
    running: int = 0
    eks_arn: str = ""

    @property
    def eks_name(self) -> str:
        """The name of the EKS cluster."""
        return self.eks_arn.rpartition("/")[2]


class Capacity(msgspec.Struct, frozen=True):
    """``amounts`` of what is there; types that are ``elastic`` may come to more, of ``unknown`` ones only
    whole instances are counted."""

    amounts: dict[Dimension, Fraction]
    elastic: frozenset[str]
    unknown: frozenset[str]


def capacity_of(groups: Iterable[InstanceGroup], instances: Catalogue) -> Capacity:
    """The sum of the instance groups, by target count of fixed groups (facts 10, last lines).

    Groups that scale by themselves, choose among types or are restricted do not tell what they will have:
    their types are elastic, and what they run now is counted.
    """
    groups = tuple(groups)
    return Capacity(
        amounts=total(
            amounts_of(QuotaEntry(group.instance_type, group.count), instances.get(group.instance_type))
            for group in groups
        ),
        elastic=frozenset(group.instance_type for group in groups if group.kind != "fixed"),
        unknown=frozenset(group.instance_type for group in groups if group.instance_type not in instances),
    )
