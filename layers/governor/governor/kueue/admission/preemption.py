"""Who must go so that a workload can be admitted.

Rules: Kueue's documentation, "Preemption" and "Fair sharing", KEP-83, KEP-1337 and KEP-1714. Fair sharing and classical
preemption stand in modules of their own; this one says who is a candidate and in what order.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from governor.kueue.admission.jobs import Holding, Waiting
from governor.kueue.admission.supply import NOTHING, FlavorResource, Needs, Queue
from governor.kueue.objects import Workload

IN_QUEUE = "InClusterQueue"
RECLAMATION = "InCohortReclamation"
FAIR = "InCohortFairSharing"
WHILE_BORROWING = "InCohortReclaimWhileBorrowing"


@dataclass(frozen=True, slots=True)
class Target:
    """A workload that must go, of which queue, and why."""

    holding: Holding
    queue: Queue
    reason: str


@dataclass(frozen=True, slots=True)
class Contest:
    """Who wants room, how much, and in which flavors and resources somebody must go for it."""

    queue: Queue
    waiting: Waiting
    needs: Needs
    contested: frozenset[FlavorResource]

    def fits(self, *, borrowing: bool) -> bool:
        """Whether it fits as things are; without ``borrowing`` only within the nominal quota."""
        queue = self.queue
        return all(
            amount <= queue.available(place) and (borrowing or not queue.borrows_with(place, amount))
            for place, amount in self.needs.items()
        )


def candidates(contest: Contest, queue: Queue, policy: str) -> list[Holding]:
    """The workloads of a queue that may be made to go under a policy, who goes first in front."""
    if policy == "Never":
        return []
    contested, workload = contest.contested, contest.waiting.workload
    return [
        holding
        for holding in queue.ordered()
        if allowed(policy, workload, holding) and not contested.isdisjoint(holding.needs)
    ]


def allowed(policy: str, preemptor: Workload, other: Holding) -> bool:
    """Whether a policy lets a workload preempt another one."""
    if policy == "Any" or preemptor.priority > other.priority:
        return True
    newer = preemptor.priority == other.priority and preemptor.created < other.created
    return policy == "LowerOrNewerEqualPriority" and newer


def order_in(queue: Queue, holding: Holding) -> tuple[bool, bool, int, int, str]:
    """Who goes first, seen from a queue: who is leaving anyway, those of other queues, the lowest priority, the most
    recently admitted."""
    return not holding.leaving, holding.queue == queue.name, holding.priority, -holding.reserved, holding.uid


def held_back(contest: Contest, own: Iterable[Holding]) -> bool:
    """Whether the queue's own limits keep it from what it needs, whoever of other queues goes."""
    queue = contest.queue
    for place, amount in contest.needs.items():
        quota = queue.quotas.get(place, NOTHING)
        limit = quota.borrowing_limit if queue.spec.cohort else 0
        if limit is not None and amount > 0:
            above = queue.used.get(place, 0) + amount - quota.nominal - limit
            if above > 0 and above > sum(each.needs.get(place, 0) for each in own):
                return True
    return False


def take(target: Target) -> None:
    """Have it gone, to see how things would be."""
    target.queue.release(target.holding.needs)


def restore(targets: Iterable[Target]) -> None:
    """Have them back."""
    for target in targets:
        target.queue.use(target.holding.needs)


def fewest(contest: Contest, targets: list[Target], *, borrowing: bool) -> list[Target]:
    """Of targets that are gone, those that must be: each other one comes back, the last chosen first.

    The one that made room stays gone, as do those that are returned.
    """
    *others, last = targets
    spared = []
    for target in reversed(others):
        restore([target])
        if contest.fits(borrowing=borrowing):
            spared.append(target)
        else:
            take(target)
    return [target for target in others if target not in spared] + [last]
