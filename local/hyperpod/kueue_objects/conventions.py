"""What the objects depend on besides quotas and policy: Kueue's API, the hardware, and what nobody knows.

Whatever `Conventions` holds is written down nowhere. Objects that follow from it name those members as assumed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from governor.quota import Catalogue

GROUP = "kueue.x-k8s.io"


@dataclass(frozen=True, slots=True)
class Apis:
    """The API versions to write objects in; cohorts were v1alpha1 alone before Kueue 0.14."""

    version: str
    cohorts: str

    @property
    def is_v1beta1(self) -> bool:
        return self.version == "v1beta1"


@dataclass(frozen=True, slots=True)
class Hardware:
    """Instances by type, and how many EFA interfaces each has."""

    instances: Catalogue
    efa_interfaces: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Conventions:
    """How the service does what it does not tell.

    `covered` are the resources that every ClusterQueue covers, besides MIG partitions. `disabled_stop_policy` is that
    of the queue of a disabled quota. A ClusterQueue of idle compute has at most `idle_flavors` flavors.
    """

    cohort: str
    covered: tuple[str, ...]
    reclaim_within_cohort: str
    borrow_within_cohort: str
    when_can_borrow: str
    when_can_preempt: str
    queueing_strategy: str
    disabled_stop_policy: str
    idle_flavors: int
