"""The quota of a cluster at work: pools and queues, kept in step with ClusterQueues, cohorts and flavors."""

from governor.kueue.admission.supply import Pool, Queue
from governor.kueue.objects import ClusterQueue, Cohort, ResourceFlavor


class Supplies:
    """``retry`` are the pools in which something may have become free."""

    def __init__(self) -> None:
        self.flavors: dict[str, ResourceFlavor] = {}
        self.cohorts: dict[str, Cohort] = {}
        self.specs: dict[str, ClusterQueue] = {}
        self.pools: dict[tuple[str, str], Pool] = {}
        self.queues: dict[str, Queue] = {}
        self.retry: dict[Pool, None] = {}

    def put_queue(self, spec: ClusterQueue) -> Queue:
        """Have a queue as it is specified now."""
        self.specs[spec.name] = spec
        queue = self.queues.get(spec.name)
        pool = self._pool(spec)
        if queue is None:
            queue = self.queues[spec.name] = Queue(spec, pool)
        elif queue.pool is not pool:
            self._leave_pool(queue)
            queue.pool = pool
        queue.change(spec)
        pool.queues[spec.name] = queue
        self.count(pool)
        return queue

    def remove_cluster_queue(self, name: str) -> None:
        """Have a queue gone, with its holdings: Kueue lets go of one only when nothing uses it."""
        self.specs.pop(name, None)
        queue = self.queues.pop(name, None)
        if queue is not None:
            self._leave_pool(queue)

    def missing_flavors(self, spec: ClusterQueue) -> list[str]:
        """The flavors that a queue names and nobody has made."""
        names = [flavor.name for group in spec.resource_groups for flavor in group.flavors]
        return [name for name in dict.fromkeys(names) if name not in self.flavors]

    def count(self, pool: Pool) -> None:
        """Count a pool anew, and try what waits in it again."""
        pool.count(self.cohorts.get(pool.cohort))
        for queue in pool.queues.values():
            queue.freed += 1
        self.retry[pool] = None

    def _pool(self, spec: ClusterQueue) -> Pool:
        place = (spec.cohort, "") if spec.cohort else ("", spec.name)
        pool = self.pools.get(place)
        if pool is None:
            pool = self.pools[place] = Pool(spec.cohort)
        return pool

    def _leave_pool(self, queue: Queue) -> None:
        pool = queue.pool
        pool.queues.pop(queue.name, None)
        self.count(pool)
        if not pool.queues:
            self.pools = {place: each for place, each in self.pools.items() if each is not pool}
            self.retry.pop(pool, None)
