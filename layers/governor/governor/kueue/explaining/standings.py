"""Who is before a workload in line, who uses its queue's quota, and who uses that of the rest of the cohort."""

import heapq
from collections.abc import Iterable, Mapping

from governor.kueue.explaining.answer import Job, Line, Neighbour, Rival, Users, all_written, written
from governor.kueue.explaining.seen import Brief, Phase, Queues, team_of
from governor.kueue.objects import Amounts, ClusterQueue, Usage

MOST_AHEAD = 5
MOST_USERS = 10
MOST_NEIGHBOURS = 10


def line(own: Brief, cluster_queue: str, others: Iterable[Brief], queues: Queues) -> Line | None:
    """The line that a workload waits in; None for one that does not wait, or whose ClusterQueue is not known."""
    if own.phase is not Phase.WAITING or not cluster_queue:
        return None
    waiting = [
        each
        for each in others
        if each.phase is Phase.WAITING and each.uid != own.uid and queue_of(each, queues) == cluster_queue
    ]
    ahead = [each for each in waiting if each.order < own.order]
    queue = queues.cluster.get(cluster_queue)
    return Line(
        ahead=len(ahead),
        waiting=len(waiting) + 1,
        first=tuple(_rival(each) for each in heapq.nsmallest(MOST_AHEAD, ahead, key=lambda each: each.order)),
        strict=queue is not None and queue.queueing_strategy == "StrictFIFO",
    )


def queue_of(other: Brief, queues: Queues) -> str:
    """The ClusterQueue that a workload has quota of, or waits in; "" where its LocalQueue is not known."""
    local = queues.local.get((other.namespace, other.queue))
    return other.cluster_queue or (local.cluster_queue if local is not None else "")


def users(cluster_queue: str, others: Iterable[Brief]) -> Users | None:
    """Who holds quota of a ClusterQueue, the most important first; None where it is not known."""
    if not cluster_queue:
        return None
    holding = [each for each in others if each.phase is Phase.HOLDING and each.cluster_queue == cluster_queue]
    first = heapq.nsmallest(MOST_USERS, holding, key=lambda each: each.order)
    return Users(len(holding), tuple(_rival(each) for each in first), all_written(_sum(each.holds for each in holding)))


def neighbours(cluster_queue: str, others: Iterable[Brief], queues: Queues) -> tuple[tuple[Neighbour, ...], int]:
    """The other ClusterQueues of the cohort that quota is held of, borrowers first; and how many are left out."""
    own = queues.cluster.get(cluster_queue)
    if own is None or not own.cohort:
        return (), 0
    members = {name: each for name, each in queues.cluster.items() if each.cohort == own.cohort and name != own.name}
    holding: dict[str, list[Brief]] = {}
    for each in others:
        if each.phase is Phase.HOLDING and each.cluster_queue in members:
            holding.setdefault(each.cluster_queue, []).append(each)
    found = [_neighbour(members[name], briefs) for name, briefs in holding.items()]
    found.sort(key=lambda each: (not each.borrowed, each.cluster_queue))
    return tuple(found[:MOST_NEIGHBOURS]), max(0, len(found) - MOST_NEIGHBOURS)


def _neighbour(queue: ClusterQueue, briefs: list[Brief]) -> Neighbour:
    total = _sum(each.holds for each in briefs)
    borrowed = {
        flavor: written({resource: used.borrowed for resource, used in each.items()})
        for flavor, each in reserved(queue).items()
    }
    return Neighbour(
        cluster_queue=queue.name,
        team=team_of(queue.name).removesuffix("-clusterqueue"),
        number=len(briefs),
        total=all_written(total),
        borrowed={flavor: each for flavor, each in borrowed.items() if each},
    )


def reserved(queue: ClusterQueue) -> Usage:
    """What is taken of a queue's quota, as its status tells."""
    return queue.status.reserved or queue.status.used


def _rival(other: Brief) -> Rival:
    return Rival(Job.of(other), other.priority, all_written(other.holds))


def _sum(holdings: Iterable[Mapping[str, Amounts]]) -> dict[str, dict[str, int]]:
    total: dict[str, dict[str, int]] = {}
    for holds in holdings:
        for flavor, amounts in holds.items():
            sums = total.setdefault(flavor, {})
            for resource, amount in amounts.items():
                sums[resource] = sums.get(resource, 0) + amount
    return total
