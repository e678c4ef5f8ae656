"""A cluster's usage of any size, and what is published of it: for tests about metrics, alarms and money."""

from collections.abc import Iterable, Iterator

from governor.observability import publish
from governor.usage import Capacity, ClusterUsage, ResourceUsage, TeamUsage
from governor.usage.alarming import Borrowing
from governor.usage.figures import Batch, Detail, batches, heartbeat, readable

NAMESPACE = "HyperPod/TaskGovernance"
CLUSTER = "ml-research"
GPU, PARTITION = "nvidia.com/gpu", "nvidia.com/mig-1g.10gb"
FLAVORS = ("ml.g5.12xlarge", "ml.p5.48xlarge")
RESOURCES = ("cpu", "memory", GPU, "vpc.amazonaws.com/efa", "nvidia.com/mig-2g.20gb")
Metric = tuple[str, frozenset[tuple[str, str]]]
"""What CloudWatch tells metrics of a namespace apart by: the name and the dimensions."""


def team(name: str, resources: Iterable[str] = RESOURCES, flavors: Iterable[str] = FLAVORS) -> TeamUsage:
    """A team of which every figure is known."""
    return TeamUsage(
        cluster_queue=f"hyperpod-ns-{name}-clusterqueue",
        cohort="shared-pool",
        state="active",
        reason="",
        pending=3,
        admitted=12,
        resources=tuple(
            ResourceUsage(flavor, resource, 64, 48, 48, lent=8, borrow_limit=32, headroom=16)
            for flavor in flavors
            for resource in resources
        ),
        oldest_waiting=1_700_000_000,
        weighted_share=125,
        name=name,
        namespaces=(f"hyperpod-ns-{name}",),
        quota_id="a1b2c3d4e5f6",
    )


def cluster(teams: Iterable[TeamUsage]) -> ClusterUsage:
    """A cluster of which every figure is known."""
    capacity = tuple(Capacity(flavor, GPU, 64, 64, 64, 16, 0) for flavor in FLAVORS)
    return ClusterUsage(CLUSTER, 1_700_003_600, tuple(teams), capacity=capacity)


def of_teams(number: int) -> ClusterUsage:
    """A cluster with so many teams, each with every flavor and resource."""
    return cluster(team(f"team-{index:04}") for index in range(number))


def published(usage: ClusterUsage, detail: Detail) -> Iterator[Batch]:
    """All that a run publishes of one cluster whose teams all have an alarm, and of the stack."""
    alarms = [Borrowing(each.name, "Accelerators", 0, 64, 0.0, 50, over=False) for each in usage.teams]
    yield readable(usage.cluster, sound=True)
    yield from batches(usage, alarms, detail)
    yield heartbeat(1)


def of_every_kind() -> Iterator[Batch]:
    """What can be published: of teams and clusters that are measured by accelerators, partitions, and vCPU."""
    for resources in ((GPU, "memory"), (PARTITION,), ("cpu",)):
        yield from published(cluster([team("vision", resources)]), "Flavor")


def metrics(found: Iterable[Batch]) -> set[Metric]:
    """Each is paid for once, however often it is published."""
    return {(figure.name, frozenset(batch.dimensions.items())) for batch in found for figure in batch.figures}


def print_all(found: Iterable[Batch]) -> None:
    """As the function does: to standard output, which is its log."""
    for batch in found:
        publish(NAMESPACE, batch.dimensions, ((each.name, each.value, each.unit) for each in batch.figures), "")
