"""How the queues of a pool stand at the beginning of a cycle: worked out once, for all searches of the cycle."""

import bisect
import itertools

from governor.kueue.admission.jobs import Holding
from governor.kueue.admission.shares import LOWEST, Rank, share_of
from governor.kueue.admission.supply import FlavorResource, Pool, Queue

Standing = tuple[Rank, Queue, list[Holding]]
"""A queue's rank, and its workloads that use what is contested, who goes first in front; not to be changed."""


class Standings:
    """The standings of one pool. All that is asked for by what is contested is of queues that borrow of it.

    Of a queue that is not active nobody is made to go: Kueue leaves it out of what it schedules with.
    """

    __slots__ = ("_afters", "_best", "_everyone", "_held", "_pool", "_ranked")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._ranked: dict[frozenset[FlavorResource], list[Standing]] = {}
        self._everyone: dict[frozenset[FlavorResource], list[tuple[Queue, Holding]]] = {}
        self._held: dict[tuple[frozenset[FlavorResource], FlavorResource], tuple[list[Rank], list[int]]] = {}
        self._afters: dict[str, dict[int, Rank]] = {}
        self._best: dict[str, Rank] = {}

    def ranked(self, contested: frozenset[FlavorResource]) -> list[Standing]:
        """The queues with candidates, the highest share first."""
        found = self._ranked.get(contested)
        if found is None:
            found = [
                (share_of(queue).rank, queue, row)
                for queue in self._pool.queues.values()
                if queue.active
                and queue.borrows_any(contested)
                and (row := [each for each in queue.ordered() if not contested.isdisjoint(each.needs)])
            ]
            found.sort(key=lambda standing: standing[0], reverse=True)
            self._ranked[contested] = found
        return found

    def held(self, contested: frozenset[FlavorResource], place: FlavorResource, least: Rank | None) -> int:
        """How much of a place the candidates hold, of queues whose rank is at least that."""
        found = self._held.get((contested, place))
        if found is None:
            ranked = self.ranked(contested)
            amounts = [sum(each.needs.get(place, 0) for each in row) for _, _, row in reversed(ranked)]
            ranks = [rank for rank, _, _ in reversed(ranked)]
            # Entry k sums up all but the k lowest.
            found = ranks, [*itertools.accumulate(reversed(amounts), initial=0)][::-1]
            self._held[contested, place] = found
        ranks, sums = found
        return sums[0 if least is None else bisect.bisect_left(ranks, least)]

    def everyone(self, contested: frozenset[FlavorResource]) -> list[tuple[Queue, Holding]]:
        """The candidates of all queues, who goes first in front."""
        found = self._everyone.get(contested)
        if found is None:
            found = [(queue, holding) for _, queue, row in self.ranked(contested) for holding in row]
            found.sort(key=lambda entry: entry[1].order())
            self._everyone[contested] = found
        return found

    def after(self, queue: Queue, holding: Holding) -> Rank:
        """The rank of a queue once one of its workloads is gone, and no other."""
        return self._afters_of(queue)[id(holding)]

    def best_after(self, queue: Queue) -> Rank:
        """The highest of these ranks."""
        if queue.name not in self._best:
            self._best[queue.name] = max(self._afters_of(queue).values(), default=LOWEST)
        return self._best[queue.name]

    def _afters_of(self, queue: Queue) -> dict[int, Rank]:
        afters = self._afters.get(queue.name)
        if afters is None:
            afters = self._afters[queue.name] = {id(each): rank_without(queue, each) for each in queue.ordered()}
        return afters


def rank_without(queue: Queue, holding: Holding) -> Rank:
    """The rank of a queue as it is, once a workload is gone."""
    queue.release(holding.needs)
    rank = share_of(queue).rank
    queue.use(holding.needs)
    return rank
