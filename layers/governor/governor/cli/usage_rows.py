"""What a table of usage is made of: queues by what they are measured by, who needs attention first, and units."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from governor.kueue.quantities import shown
from governor.policy.wording import printable
from governor.usage import Capacity, ClusterUsage, QueueUsage, ResourceUsage, TeamUsage
from governor.usage.measures import PER_VCPU, Measure, Sum, governing, governing_resources, measure_of, sums
from governor.usage.wire import IDLE_QUEUES

Kind = Literal["team", "pool", "other"]
Standing = Literal[
    "over quota", "starved", "inactive", "stopped", "borrowing", "waiting", "lending", "working", "idle", "no quota"
]
ATTENTION: tuple[Standing, ...] = ("over quota", "starved", "inactive", "stopped")
"""Who needs somebody, and comes first."""
_ORDER: tuple[Standing, ...] = (*ATTENTION, "borrowing")
"""All others go by their names."""
_BYTES = (("Mi", 2**20, 2**30), ("Gi", 2**30, 2**43), ("Ti", 2**40, 2**53), ("Pi", 2**50, 2**63))
"""Units of rounded bytes, and below how many bytes each is taken; beyond that the last."""
MOST_EXACT = 7
"""Characters of a figure in bytes; longer ones are rounded, and marked."""
_QUEUE = "-clusterqueue"


class Picture(msgspec.Struct, frozen=True):
    """What is shown: the usage, where it was read, and what could not be read beside it."""

    usage: ClusterUsage
    source: str = ""
    notes: tuple[str, ...] = ()


class Row(msgspec.Struct, frozen=True):
    """A queue by what it is measured by; amounts of ``sum`` are written by ``plain`` and ``unit``."""

    name: str
    kind: Kind
    queue: QueueUsage
    sum: Sum
    unit: str
    standing: Standing
    starved: bool = False

    @property
    def own(self) -> int:
        """What of the guarantee its owner uses."""
        return own(self.sum)

    @property
    def needs_attention(self) -> bool:
        """Whether somebody should look."""
        return self.standing in ATTENTION

    @property
    def waits_beside_room(self) -> bool:
        """Whether workloads wait although something could be taken: for more than that, or for something else."""
        return bool(self.queue.pending and self.sum.headroom and not self.starved)

    def plain(self, amount: int) -> str:
        """An amount without its unit."""
        return plain(self.sum.measure, amount)

    def amount(self, amount: int) -> str:
        """An amount with its unit."""
        figure = self.plain(amount)
        return f"{figure} {self.unit.removesuffix('s') if figure == '1' else self.unit}"


class Total(msgspec.Struct, frozen=True):
    """One measure over all queues. ``pool`` is what of the guarantee is that of idle compute, no team's; the rest is
    what nodes have, None where they were not read."""

    unit: str
    sum: Sum
    pool: int = 0
    present: int | None = None
    allocatable: int | None = None
    unused: int | None = None


def rows(usage: ClusterUsage) -> list[Row]:
    """The teams, those that need somebody first, then by name."""
    starved = {each.team for each in usage.reclaimable}
    found = [_row(team, "team", team.name, starved=team.name in starved) for team in usage.teams]
    return sorted(found, key=lambda row: (_urgency(row), row.name))


def other_rows(usage: ClusterUsage) -> list[Row]:
    """The pool of idle compute, and the queues that no governed namespace leads to."""
    return [
        *(_row(queue, "pool", _pool(queue.cluster_queue)) for queue in usage.pool),
        *(_row(queue, "other", queue.cluster_queue) for queue in usage.others),
    ]


def _pool(queue: str) -> str:
    return f"idle pool {queue.removeprefix(IDLE_QUEUES).removesuffix(_QUEUE).strip('-')}".rstrip()


def _urgency(row: Row) -> int:
    return _ORDER.index(row.standing) if row.standing in _ORDER else len(_ORDER)


def _row(queue: QueueUsage, kind: Kind, name: str, *, starved: bool = False) -> Row:
    found = governing(queue)
    return Row(printable(name), kind, queue, found, unit_of(queue), _standing(queue, found, starved), starved)


def _standing(queue: QueueUsage, found: Sum, starved: bool) -> Standing:
    """Over quota counts in any resource: it always means that something was cut. The rest is of the measure."""
    if any(each.over_quota for each in queue.resources):
        return "over quota"
    if starved:
        return "starved"
    if queue.state != "active":
        return queue.state
    if found.borrowed:
        return "borrowing"
    if queue.pending:
        return "waiting"
    if found.lent:
        return "lending"
    if found.used:
        return "working"
    return "no quota" if found.is_nothing else "idle"


def own(found: Sum) -> int:
    """What of a guarantee its owner uses."""
    return found.used - found.borrowed - found.over_quota


def worth_showing(queue: QueueUsage) -> list[ResourceUsage]:
    """What of a queue's resources is anything: HyperPod lists all kinds of accelerators for every instance type."""
    return [each for each in queue.resources if each.guaranteed or each.used or each.reserved or each.headroom]


def borrow_limit(queue: QueueUsage) -> int | None:
    """How much of what it is measured by a queue may borrow in all; None without a limit."""
    limits = [each.borrow_limit for each in governing_resources(queue)]
    return None if None in limits else sum(limit for limit in limits if limit is not None)


def unit_of(queue: QueueUsage) -> str:
    """What the amounts of a queue's measure count."""
    resources = governing_resources(queue)
    return _unit(governing(queue).measure, {each.resource for each in resources if each.guaranteed or each.used})


def _unit(measure: Measure, resources: Iterable[str]) -> str:
    if measure == "VCpus":
        return "vCPU"
    if measure == "AcceleratorPartitions":
        return "partitions"
    return "GPUs" if all(each.endswith("/gpu") for each in resources) else "accelerators"


def plain(measure: Measure, amount: int) -> str:
    """An amount of a measure, exactly: 1500 thousandths of a vCPU are 1.5."""
    if measure != "VCpus":
        return str(amount)
    whole, rest = divmod(amount, PER_VCPU)
    return f"{whole}.{rest:03}".rstrip("0") if rest else str(whole)


def plain_of(resource: str, amount: int) -> str:
    """An amount of a resource without its name, such as 1.5 (vCPU) or 64Gi; see ``rounded``."""
    return plain("VCpus", amount) if resource == "cpu" else rounded(resource, amount)


def rounded(resource: str, amount: int) -> str:
    """A quantity as Kubernetes writes it: exactly, but for bytes that make no short figure, which are marked."""
    exact = shown(resource, amount)
    if unit_of_resource(resource) != "bytes" or len(exact) <= MOST_EXACT:
        return exact
    suffix, size, _ = next((each for each in _BYTES if amount < each[2]), _BYTES[-1])
    return f"≈{amount / size:.1f}{suffix}"


def amount_of(resource: str, amount: int) -> str:
    """An amount of a resource with its name, such as 1.5 vCPU, 64Gi memory or 2 nvidia.com/gpu; see ``plain_of``."""
    return f"{plain_of(resource, amount)} {'vCPU' if resource == 'cpu' else printable(resource)}"


def unit_of_resource(resource: str) -> str:
    """What an amount of a resource counts, where it is written as a whole number."""
    if resource == "cpu":
        return "millicores"
    in_bytes = resource in ("memory", "ephemeral-storage") or resource.startswith("hugepages-")
    return "bytes" if in_bytes else "count"


def totals(usage: ClusterUsage) -> list[Total]:
    """Of each measure that a queue is measured by, in the order of accelerators, partitions, vCPU."""
    resources = [each for queue in usage.queues for each in queue.resources]
    names = {each.resource for each in resources if each.guaranteed or each.used}
    measures = {governing(queue).measure for queue in usage.queues if not governing(queue).is_nothing}
    pool = sums(each for queue in usage.pool for each in queue.resources)
    nodes = _of_nodes(usage.capacity)
    return [
        Total(
            _unit(measure, (each for each in names if measure_of(each) == measure)),
            found,
            pool[measure].guaranteed,
            *(each[measure].guaranteed for each in nodes),
        )
        for measure, found in sums(resources).items()
        if measure in measures
    ]


def _of_nodes(capacity: tuple[Capacity, ...] | None) -> list[dict[Measure, Sum]]:
    """What is present, allocatable and unused, by measure; [] where nodes were not read."""
    if capacity is None:
        return []
    return [
        sums(ResourceUsage(each.flavor, each.resource, getattr(each, name), 0, 0) for each in capacity)
        for name in ("present", "allocatable", "idle")
    ]


def name_of(queue: QueueUsage) -> str:
    """The team's name, or the queue's."""
    return printable(queue.name if isinstance(queue, TeamUsage) else queue.cluster_queue)
