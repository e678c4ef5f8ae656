"""How much quota there is, and for whom: queues, and the pool of quota that the queues of a cohort share.

Rules: Kueue's documentation, "Cohort" (borrowingLimit, lendingLimit), and KEP-79. A pool is flat: cohorts with a
parent are not followed.
"""

from collections.abc import Iterable, Mapping

from governor.kueue.admission.jobs import Holding
from governor.kueue.objects import ClusterQueue, Cohort, Quota, ResourceGroup, WorkloadKey

FlavorResource = tuple[str, str]
"""A flavor and a resource in it."""
Needs = Mapping[FlavorResource, int]

NOTHING = Quota(0)


class Pool:
    """Quota that queues share: a cohort's, or that of one queue outside any cohort.

    ``total`` is what all queues together may use of it: their nominal quota, as far as they lend it, and the cohort's
    own. ``lendable`` sums it up by resource.
    """

    __slots__ = ("cohort", "lendable", "parent", "queues", "total", "used")

    def __init__(self, cohort: str) -> None:
        self.cohort = cohort
        self.parent = ""
        self.queues: dict[str, Queue] = {}
        self.total: dict[FlavorResource, int] = {}
        self.used: dict[FlavorResource, int] = {}
        self.lendable: dict[str, int] = {}

    def count(self, own: Cohort | None) -> None:
        """Count anew what the queues and the cohort bring in, and what is used."""
        self.parent = own.parent if own else ""
        self.total = {place: quota.nominal for place, quota in quotas_of(own.resource_groups if own else ()).items()}
        self.used = {}
        for queue in self.queues.values():
            for place, quota in queue.quotas.items():
                self.total[place] = self.total.get(place, 0) + quota.nominal - queue.kept(place)
            for place, used in queue.used.items():
                self.used[place] = self.used.get(place, 0) + max(0, used - queue.kept(place))
        self.lendable = {}
        for (_, resource), amount in self.total.items():
            self.lendable[resource] = self.lendable.get(resource, 0) + amount


class Queue:
    """A ClusterQueue at work: its quota, what is used of it, and the workloads that hold it.

    ``freed`` counts the times that something may have become free for it.
    """

    __slots__ = ("_kept", "_ordered", "active", "freed", "holdings", "name", "pool", "quotas", "spec", "used")

    def __init__(self, spec: ClusterQueue, pool: Pool) -> None:
        self.name = spec.name
        self.pool = pool
        self.used: dict[FlavorResource, int] = {}
        self.holdings: dict[WorkloadKey, Holding] = {}
        self._ordered: list[Holding] | None = None
        self.active = False
        self.freed = 0
        self.change(spec)

    def change(self, spec: ClusterQueue) -> None:
        """Take over a new specification; the pool is to be counted anew."""
        self.spec = spec
        self.quotas = quotas_of(spec.resource_groups)
        self._kept = {
            place: max(0, quota.nominal - quota.lending_limit)
            for place, quota in self.quotas.items()
            if quota.lending_limit is not None and spec.cohort
        }

    def hold(self, holding: Holding) -> None:
        """Have a workload hold what it needs."""
        self.holdings[holding.key] = holding
        self._ordered = None
        self.use(holding.needs)

    def drop(self, key: WorkloadKey) -> Holding | None:
        """Have a workload hold nothing any more; what it was, if it held something."""
        holding = self.holdings.pop(key, None)
        if holding is not None:
            self._ordered = None
            self.release(holding.needs)
            self.freed += 1
        return holding

    def reorder(self) -> None:
        """A workload has changed in what ``ordered`` orders by."""
        self._ordered = None

    def ordered(self) -> list[Holding]:
        """Its holdings, who goes first in front."""
        if self._ordered is None:
            self._ordered = sorted(self.holdings.values(), key=Holding.order)
        return self._ordered

    def kept(self, place: FlavorResource) -> int:
        """What it never lends."""
        return self._kept.get(place, 0)

    def nominal(self, place: FlavorResource) -> int:
        """Its own quota."""
        return self.quotas.get(place, NOTHING).nominal

    def borrows_with(self, place: FlavorResource, more: int = 0) -> bool:
        """Whether it uses more than its nominal quota, or would with so much more."""
        return self.used.get(place, 0) + more > self.quotas.get(place, NOTHING).nominal

    def borrows_any(self, places: Iterable[FlavorResource]) -> bool:
        """Whether it uses more than its nominal quota of any of these."""
        used, quotas = self.used, self.quotas
        return any(used.get(place, 0) > quotas.get(place, NOTHING).nominal for place in places)

    def available(self, place: FlavorResource) -> int:
        """What it can still use without preempting anybody; 0 where more is used than there is."""
        quota = self.quotas.get(place, NOTHING)
        used = self.used.get(place, 0)
        if not self.spec.cohort:
            return max(0, quota.nominal - used)
        kept = self._kept.get(place, 0)
        shared = self.pool.total.get(place, 0) - self.pool.used.get(place, 0)
        if quota.borrowing_limit is not None:
            shared = min(shared, quota.nominal - kept - max(0, used - kept) + quota.borrowing_limit)
        return max(0, max(0, kept - used) + shared)

    def capacity(self, place: FlavorResource) -> int:
        """What it could use if nobody used anything."""
        quota = self.quotas.get(place, NOTHING)
        if not self.spec.cohort:
            return quota.nominal
        most = self._kept.get(place, 0) + self.pool.total.get(place, 0)
        return most if quota.borrowing_limit is None else min(most, quota.nominal + quota.borrowing_limit)

    def fits(self, needs: Needs) -> bool:
        """Whether all that is needed is available."""
        return all(amount <= self.available(place) for place, amount in needs.items())

    def use(self, needs: Needs) -> None:
        """Count needs as used; what the queue does not keep for itself, as used of the pool."""
        for place, amount in needs.items():
            used = self.used.get(place, 0)
            self.used[place] = used + amount
            outside = amount - max(0, self._kept.get(place, 0) - used)
            if outside > 0:
                self.pool.used[place] = self.pool.used.get(place, 0) + outside

    def release(self, needs: Needs) -> None:
        """Count needs as used no more: the reverse of ``use``."""
        for place, amount in needs.items():
            used = self.used.get(place, 0)
            self.used[place] = used - amount
            outside = min(amount, used - self._kept.get(place, 0))
            if outside > 0:
                self.pool.used[place] = self.pool.used.get(place, 0) - outside


def quotas_of(groups: Iterable[ResourceGroup]) -> dict[FlavorResource, Quota]:
    """The quotas by flavor and resource."""
    return {
        (flavor.name, resource): quota
        for group in groups
        for flavor in group.flavors
        for resource, quota in flavor.resources.items()
    }
