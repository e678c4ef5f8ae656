"""Preemption with fair sharing (KEP-1714): those go first whose queue has the highest share."""

import heapq
from collections.abc import Callable, Sequence

from governor.kueue.admission.jobs import Holding
from governor.kueue.admission.preemption import (
    FAIR,
    IN_QUEUE,
    RECLAMATION,
    Contest,
    Target,
    allowed,
    candidates,
    fewest,
    held_back,
    order_in,
    restore,
    take,
)
from governor.kueue.admission.shares import LOWEST, Rank, share_of
from governor.kueue.admission.standings import Standing, Standings, rank_without
from governor.kueue.admission.supply import Queue

Strategy = Callable[[Rank, Rank, Rank], bool]
"""Gets the rank of the preemptor's queue with the workload, and of the other queue before and after one goes.

The lower the rank after is, the less it lets go; none goes where the preemptor's rank is above the one before.
"""

STRATEGIES: dict[str, Strategy] = {
    "LessThanOrEqualToFinalShare": lambda preemptor, _, after: preemptor <= after,
    "LessThanInitialShare": lambda preemptor, before, _: preemptor < before,
}

CONFIGURABLE = ((), *((name,) for name in STRATEGIES), tuple(STRATEGIES))
"""What Kueue's configuration takes; () is no fair sharing."""


def fair_targets(contest: Contest, strategies: Sequence[str], standings: Standings) -> list[Target]:
    """Who must go; [] if no choice makes room. Of two strategies the second is tried where the first is not enough.

    The standings are those of the contest's pool as it is.
    """
    own = candidates(contest, contest.queue, contest.queue.spec.preemption.within_cluster_queue)
    if held_back(contest, own):
        return []
    attempt = _Attempt(contest, standings, own)
    contest.queue.use(contest.needs)
    fits = attempt.first(STRATEGIES[strategies[0]])
    if not fits and len(strategies) > 1:
        fits = attempt.second(STRATEGIES[strategies[1]])
    contest.queue.release(contest.needs)
    targets = fewest(contest, attempt.targets, borrowing=True) if fits else attempt.targets
    restore(targets)
    return targets if fits else []


class _Row:
    """The candidates of a queue that are left, and the queue's rank."""

    __slots__ = ("_holdings", "_next", "queue", "rank")

    def __init__(self, queue: Queue, rank: Rank, holdings: list[Holding]) -> None:
        self.queue = queue
        self.rank = rank
        self._holdings = holdings
        self._next = 0

    def __bool__(self) -> bool:
        return self._next < len(self._holdings)

    @property
    def first(self) -> Holding:
        return self._holdings[self._next]

    def pop(self) -> Holding:
        self._next += 1
        return self._holdings[self._next - 1]

    def append(self, holding: Holding) -> None:
        """At the end; not to a row of standings."""
        self._holdings.append(holding)


class _Attempt:
    """The choice of targets. The needs of the preemptor count as used from its first step on."""

    def __init__(self, contest: Contest, standings: Standings, own: list[Holding]) -> None:
        self._contest = contest
        self._own = own
        self._standings = standings
        self._ranked: Sequence[Standing] = ()
        if contest.queue.spec.preemption.reclaim_within_cohort != "Never":
            self._ranked = standings.ranked(contest.contested)
        self._rank: Rank = LOWEST
        self._touched: set[str] = set()
        self._spared: dict[str, _Row] = {}
        self.targets: list[Target] = []

    def first(self, strategy: Strategy) -> bool:
        """Whether those that go by the strategy make room. A queue that stays within its nominal quota reclaims it
        whatever the shares are."""
        queue = self._contest.queue
        self._rank = share_of(queue).rank
        entitled = not queue.borrows_any(self._contest.contested)
        if self._is_out_of_reach(entitled=entitled):
            return False
        for row in self._offenders(strategy, entitled=entitled):
            if row.queue is queue or entitled:
                if self._take(row, IN_QUEUE if row.queue is queue else RECLAMATION):
                    return True
            elif self._rank > row.rank:
                # All others have smaller shares still, so that neither strategy lets one of them go.
                return False
            elif self._take_by(strategy, row):
                return True
        return False

    def second(self, strategy: Strategy) -> bool:
        """Whether those that the first strategy spared make room; at most one of each queue goes."""
        heap = _Heap(self._contest.queue)
        for row in self._spared.values():
            # What has gone of a queue since it was spared has made its share smaller.
            row.rank = share_of(row.queue).rank if row.queue.name in self._touched else row.rank
            heap.push(row)
        while (spared := heap.pop()) is not None and self._rank <= spared.rank:
            if strategy(self._rank, spared.rank, spared.rank) and self._take(spared, FAIR):
                return True
        return False

    def _is_out_of_reach(self, *, entitled: bool) -> bool:
        """Whether there would not be room even if all went that may: worked out quickly, and not for all cases.

        Without own candidates the preemptor's share stays, and of queues with a smaller one nobody goes.
        """
        contest, queue = self._contest, self._contest.queue
        least = None if entitled or self._own else self._rank
        for place, amount in contest.needs.items():
            missing = queue.pool.used.get(place, 0) - queue.pool.total.get(place, 0)
            # Nothing of what is overdrawn fits, and what a queue keeps for itself is in no pool.
            if missing <= 0 or amount == 0 or queue.kept(place) or not queue.spec.cohort:
                continue
            missing -= sum(each.needs.get(place, 0) for each in self._own)
            if missing > 0 and (not self._ranked or missing > self._standings.held(contest.contested, place, least)):
                return True
        return False

    def _offenders(self, strategy: Strategy, *, entitled: bool) -> "_Offenders":
        contest, queue = self._contest, self._contest.queue
        policy, workload = queue.spec.preemption.reclaim_within_cohort, contest.waiting.workload

        def open_row(standing: Standing) -> _Row | None:
            rank, other, holdings = standing
            if policy != "Any":
                holdings = [each for each in holdings if allowed(policy, workload, each)]
            if other is queue or not holdings:
                return None
            row = _Row(other, rank, holdings)
            if entitled or self._rank >= rank or strategy(self._rank, rank, self._standings.best_after(other)):
                return row
            self._spared[other.name] = row
            return None

        return _Offenders(_Row(queue, self._rank, self._own), self._ranked, open_row)

    def _take_by(self, strategy: Strategy, row: _Row) -> bool:
        queue = row.queue
        while row:
            holding = row.first
            untouched = queue.name not in self._touched
            after = self._standings.after(queue, holding) if untouched else rank_without(queue, holding)
            if strategy(self._rank, row.rank, after):
                return self._take(row, FAIR)
            self._spared.setdefault(queue.name, _Row(queue, row.rank, [])).append(row.pop())
        return False

    def _take(self, row: _Row, reason: str) -> bool:
        """Have the first of a row gone; whether there is room now."""
        target = Target(row.pop(), row.queue, reason)
        take(target)
        self.targets.append(target)
        self._touched.add(row.queue.name)
        row.rank = share_of(row.queue).rank
        queue, needs = self._contest.queue, self._contest.needs
        if row.queue is queue:
            self._rank = row.rank
        queue.release(needs)
        fits = self._contest.fits(borrowing=True)
        queue.use(needs)
        return fits


class _Heap:
    """Rows, the one whose queue has the highest share on top; of equals the one whose candidate goes first."""

    def __init__(self, preemptor: Queue) -> None:
        self._preemptor = preemptor
        self._entries: list[tuple[Rank, tuple[bool, bool, int, int, str], _Row]] = []

    def push(self, row: _Row) -> None:
        heapq.heappush(self._entries, (_negative(row.rank), order_in(self._preemptor, row.first), row))

    def pop(self) -> _Row | None:
        return heapq.heappop(self._entries)[2] if self._entries else None

    def is_topped_by(self, rank: Rank) -> bool:
        """Whether a row of this rank would be among the highest."""
        return not self._entries or _negative(rank) <= self._entries[0][0]


class _Offenders:
    """Rows of candidates, each time the one whose queue has the highest share at that moment.

    Whoever gets one must take from it, or want no further one. Of the others only those are looked at that must be.
    """

    def __init__(self, own: _Row, ranked: Sequence[Standing], open_row: Callable[[Standing], _Row | None]) -> None:
        self._own = own
        self._ranked = ranked
        self._open_row = open_row
        self._place = 0
        self._heap = _Heap(own.queue)
        self._last: _Row | None = own

    def __iter__(self) -> "_Offenders":
        return self

    def __next__(self) -> _Row:
        last = self._last
        if last and (last is self._own or share_of(last.queue).borrowed_in):
            self._heap.push(last)
        while self._place < len(self._ranked) and self._heap.is_topped_by(self._ranked[self._place][0]):
            row = self._open_row(self._ranked[self._place])
            self._place += 1
            if row is not None:
                self._heap.push(row)
        self._last = self._heap.pop()
        if self._last is None:
            raise StopIteration
        return self._last


def _negative(rank: Rank) -> Rank:
    return -rank[0], -rank[1]
