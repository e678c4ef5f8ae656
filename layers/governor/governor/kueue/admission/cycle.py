"""One scheduling cycle: the first of every queue is looked at, and what can be done at once is done.

Rules: Kueue's documentation, "Preemption" and "Fair sharing" (order of admission), KEP-1714, and what the recorded
scenarios show of the order in which things happen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from governor.kueue.admission.classical import classical_targets
from governor.kueue.admission.fair import fair_targets
from governor.kueue.admission.flavors import Assignment, Finder, Grade, Mode
from governor.kueue.admission.jobs import Waiting
from governor.kueue.admission.preemption import Contest, Target, restore, take
from governor.kueue.admission.shares import share_of
from governor.kueue.admission.standings import Standings
from governor.kueue.admission.supply import FlavorResource, Pool, Queue
from governor.kueue.objects import ResourceFlavor, WorkloadKey

OVERLAPS = "Workload has overlapping preemption targets with another workload"
NO_LONGER_FITS = "Workload no longer fits after processing another workload"


class Verdict(Enum):
    """What a cycle comes to for one workload."""

    ADMIT = "admit"
    PREEMPT = "preempt"
    """Its targets must go; it is tried again."""
    AGAIN = "again"
    """Somebody else came first; it is tried again."""
    PARK = "park"
    """It is not tried again before something changes."""


@dataclass(slots=True)
class Nominee:
    """A workload in a cycle: what was found for it, and at last the verdict with its message."""

    queue: Queue
    waiting: Waiting
    assignment: Assignment
    targets: list[Target]
    verdict: Verdict = Verdict.PARK
    message: str = ""


@dataclass(frozen=True, slots=True)
class Cycle:
    """``number`` counts the cycles; ``strategies`` are those of fair sharing, () without."""

    number: int
    strategies: tuple[str, ...]
    flavors: Mapping[str, ResourceFlavor]
    _standings: dict[Pool, Standings] = field(default_factory=dict)
    _foreseen: dict[tuple[str, FlavorResource, int], list[Target]] = field(default_factory=dict)

    def run(self, heads: Iterable[tuple[Queue, Waiting]]) -> list[Nominee]:
        """Decide about the heads, in the order in which that is to be carried out. Usage stays as it was."""
        finder = Finder(self.flavors, bool(self.strategies), self._foresee, self.number)
        nominees = [self._nominate(finder, queue, waiting) for queue, waiting in heads]
        nominees.sort(key=self._fair_order if self.strategies else _classical_order)
        gone: dict[WorkloadKey, Target] = {}
        reserved = []
        for nominee in nominees:
            if self._decide(nominee, gone):
                nominee.queue.use(nominee.assignment.needs)
                reserved.append(nominee)
        for nominee in reserved:
            nominee.queue.release(nominee.assignment.needs)
        return nominees

    def _nominate(self, finder: Finder, queue: Queue, waiting: Waiting) -> Nominee:
        scan = waiting.scan
        # A search goes on where it was left a cycle ago; later only if nothing has become free since, or the flavors
        # before may fit by now (Kueue 0.19, FlavorFungibilityPreserveScanProgress).
        if scan is not None and self.number - scan.cycle > 1 and queue.freed > scan.freed:
            waiting.scan = None
        assignment = finder.assign(queue, waiting)
        targets: list[Target] = []
        if assignment.mode not in (Mode.NO_FIT, Mode.FIT):
            contest = Contest(queue, waiting, assignment.needs, assignment.contested)
            foreseen = self._foreseen_for(contest)
            targets = self._targets(contest) if foreseen is None else foreseen
        waiting.scan = assignment.scan
        return Nominee(queue, waiting, assignment, targets, message=assignment.message)

    def _targets(self, contest: Contest) -> list[Target]:
        """Usage is as it was when the cycle began, whenever this is called."""
        pool = contest.queue.pool
        standings = self._standings.get(pool)
        if standings is None:
            standings = self._standings[pool] = Standings(pool)
        if self.strategies:
            return fair_targets(contest, self.strategies, standings)
        return classical_targets(contest, standings)

    def _foreseen_for(self, contest: Contest) -> list[Target] | None:
        """The targets that were found for the one place that is contested, if what else is needed changes nothing.

        It does not where it fits and is not borrowed: then neither shares nor room depend on it.
        """
        queue = contest.queue
        if len(contest.contested) > 1:
            return None
        for place, amount in contest.needs.items():
            if place not in contest.contested and (
                queue.borrows_with(place, amount) or amount > queue.available(place)
            ):
                return None
        (place,) = contest.contested
        return self._foreseen.get((queue.name, place, contest.needs[place]))

    def _foresee(self, queue: Queue, waiting: Waiting, place: FlavorResource, amount: int) -> Grade:
        targets = self._targets(Contest(queue, waiting, {place: amount}, frozenset({place})))
        self._foreseen[queue.name, place, amount] = targets
        for target in targets:
            take(target)
        borrows = int(bool(queue.spec.cohort) and queue.borrows_with(place, amount))
        restore(targets)
        if not targets:
            return Mode.NO_CANDIDATES, borrows
        return (Mode.PREEMPT if any(target.queue is queue for target in targets) else Mode.RECLAIM), borrows

    @staticmethod
    def _decide(nominee: Nominee, gone: dict[WorkloadKey, Target]) -> bool:
        """Give the verdict; whether the nominee's needs are to count as used for those after it."""
        queue, assignment, mode = nominee.queue, nominee.assignment, nominee.assignment.mode
        if mode is Mode.NO_FIT:
            return False
        if mode is not Mode.FIT and not nominee.targets:
            # A queue that cannot reclaim what it lent has it kept free, which Any always can.
            return queue.spec.preemption.reclaim_within_cohort != "Any" and _reserve(nominee)
        if any(target.holding.key in gone for target in nominee.targets):
            nominee.verdict, nominee.message = Verdict.AGAIN, OVERLAPS
            return False
        away = list(gone.values()) + nominee.targets
        for target in away:
            take(target)
        fits = queue.fits(assignment.needs)
        restore(away)
        if not fits:
            nominee.verdict, nominee.message = Verdict.AGAIN, NO_LONGER_FITS
            return False
        gone.update((target.holding.key, target) for target in nominee.targets)
        nominee.verdict = Verdict.PREEMPT if nominee.targets else Verdict.ADMIT
        if nominee.targets:
            nominee.message += f". Pending the preemption of {len(nominee.targets)} workload(s)"
            nominee.waiting.scan = None
        return True

    @staticmethod
    def _fair_order(nominee: Nominee) -> tuple[bool, tuple[int, float], int, int, str]:
        queue, needs, workload = nominee.queue, nominee.assignment.needs, nominee.waiting.workload
        queue.use(needs)
        share = share_of(queue)
        queue.release(needs)
        return share.borrows_in(needs), share.rank, -workload.priority, workload.created, workload.uid


def _classical_order(nominee: Nominee) -> tuple[int, int, int, str]:
    workload = nominee.waiting.workload
    return nominee.assignment.borrows, -workload.priority, workload.created, workload.uid


def _reserve(nominee: Nominee) -> bool:
    """Cut the needs to what the queue may still use by its own quota and its borrowing limit."""
    queue, assignment = nominee.queue, nominee.assignment
    for place, amount in assignment.needs.items():
        quota = queue.quotas[place]
        most = quota.borrowing_limit if assignment.borrows else 0
        if most is not None:
            assignment.needs[place] = max(0, min(amount, quota.nominal + most - queue.used.get(place, 0)))
    return True
