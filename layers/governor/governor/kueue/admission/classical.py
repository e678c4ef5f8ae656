"""Preemption without fair sharing (KEP-83, KEP-1337): quota is reclaimed, and priority decides within a queue."""

import heapq
from collections.abc import Iterable

from governor.kueue.admission.jobs import Holding
from governor.kueue.admission.preemption import (
    IN_QUEUE,
    RECLAMATION,
    WHILE_BORROWING,
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
from governor.kueue.admission.standings import Standings
from governor.kueue.admission.supply import Queue


def classical_targets(contest: Contest, standings: Standings) -> list[Target]:
    """Who must go; [] if no choice makes room. The standings are those of the contest's pool as it is."""
    own = candidates(contest, contest.queue, contest.queue.spec.preemption.within_cluster_queue)
    if held_back(contest, own):
        return []
    entitled = _is_entitled(contest)
    others = _others(contest, standings)
    for borrowing in _attempts(contest, has_others=bool(others), entitled=entitled):
        found = _choose(contest, own, others, borrowing=borrowing, entitled=entitled)
        if found:
            return found
    return []


def _others(contest: Contest, standings: Standings) -> list[tuple[Queue, Holding]]:
    """The candidates of other queues."""
    queue = contest.queue
    policy, workload = queue.spec.preemption.reclaim_within_cohort, contest.waiting.workload
    if not queue.spec.cohort or policy == "Never":
        return []
    everyone = standings.everyone(contest.contested)
    return [each for each in everyone if each[0] is not queue and allowed(policy, workload, each[1])]


def _may_borrow_over(contest: Contest, holding: Holding) -> bool:
    """Whether the preemptor may borrow once this one is gone."""
    preemption = contest.queue.spec.preemption
    most = preemption.max_priority_threshold
    return (
        preemption.borrow_within_cohort != "Never"
        and holding.priority < contest.waiting.workload.priority
        and (most is None or holding.priority <= most)
    )


def _is_entitled(contest: Contest) -> bool:
    """Whether everything it needs is within the nominal quota."""
    return not any(contest.queue.borrows_with(place, amount) for place, amount in contest.needs.items())


def _attempts(contest: Contest, *, has_others: bool, entitled: bool) -> tuple[bool, ...]:
    """With borrowing or without, in the order they are tried."""
    queue = contest.queue
    forbidden = queue.spec.preemption.borrow_within_cohort == "Never"
    below = all(queue.used.get(place, 0) < queue.nominal(place) for place in contest.contested)
    if not has_others or (forbidden and not below):
        return (True,)
    if forbidden and not entitled:
        return False, True
    return True, False


def _in_turn(
    queue: Queue, own: Iterable[Holding], others: Iterable[tuple[Queue, Holding]]
) -> Iterable[tuple[Queue, Holding]]:
    """Those that are leaving first, and of both kinds those of other queues first."""
    mine = [(queue, each) for each in own]
    return heapq.merge(others, mine, key=lambda entry: order_in(queue, entry[1]))


def _choose(
    contest: Contest,
    own: Iterable[Holding],
    others: Iterable[tuple[Queue, Holding]],
    *,
    borrowing: bool,
    entitled: bool,
) -> list[Target]:
    gone: list[Target] = []
    for queue, holding in _in_turn(contest.queue, own, others):
        reason = IN_QUEUE
        if queue is not contest.queue:
            over = not entitled and _may_borrow_over(contest, holding)
            if (borrowing and not entitled and not over) or not queue.borrows_any(contest.contested):
                continue
            reason = WHILE_BORROWING if over else RECLAMATION
        target = Target(holding, queue, reason)
        take(target)
        gone.append(target)
        if contest.fits(borrowing=borrowing):
            kept = fewest(contest, gone, borrowing=borrowing)
            restore(kept)
            return kept
    restore(gone)
    return []
