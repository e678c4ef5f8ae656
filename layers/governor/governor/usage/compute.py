"""From what was read of a cluster to who uses, borrows, lends and waits."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import cast

from governor.kueue.objects import UNLIMITED_SHARE
from governor.usage.capacity import capacities
from governor.usage.lending import account, headrooms
from governor.usage.model import ClusterUsage, CohortUsage, QueueUsage, ResourceUsage, State, TeamUsage
from governor.usage.reclaiming import reclaimable
from governor.usage.seen import Doors, Fund, Kind, Lender, Queue, Seen, Selector, Waiting
from governor.usage.wire import IDLE_QUEUES

NAMESPACE = "hyperpod-ns-"
"""What the namespace of a team begins with (facts 1f); used for its name where nothing better is known."""
CLUSTER_QUEUE = "-clusterqueue"
"""What the name of a team's queue ends with, behind its namespace (facts 1f); used only to choose among several."""
_Place = tuple[str, str, str]
"""Cohort (or, of a queue without one, the queue), flavor, resource."""


def usage_of(
    seen: Seen,
    cluster: str,
    at: int,
    names: Mapping[str, str] | None = None,
    waiting: Iterable[Waiting] | None = (),
) -> ClusterUsage:
    """The usage of one cluster as of ``at``.

    ``names`` are the teams' by the id of their compute quota; a team that is not among them is called after its
    namespace. ``waiting`` are the workloads that wait; None where there were too many to list.
    """
    queues = [queue for queue in seen.queues if not queue.deleting]
    resources, cohorts = _accounts(queues, seen.lenders)
    teams_of, lost = _teams(seen.doors, {queue.name for queue in seen.queues})
    oldest, asked = _oldest(waiting or (), seen.doors)
    teams, pool, others = [], [], []
    for queue in queues:
        doors = teams_of.get(queue.name)
        found = resources[queue.name]
        if queue.name.startswith(IDLE_QUEUES):
            pool.append(_queue(queue, found, oldest.get(queue.name)))
        elif doors is None:
            others.append(_queue(queue, found, oldest.get(queue.name)))
        else:
            teams.append(_team(queue, found, oldest.get(queue.name), doors, seen.doors.governed, names or {}))
    named = _distinct(teams)
    return ClusterUsage(
        cluster=cluster,
        at=at,
        teams=tuple(named),
        pool=tuple(pool),
        others=tuple(others),
        cohorts=cohorts,
        deleting=tuple(queue.name for queue in seen.queues if queue.deleting),
        lost=lost,
        reclaimable=reclaimable(named, (*pool, *others), _open_to(asked, seen.kinds)),
        capacity=None if seen.machines is None else capacities(seen.machines, seen.kinds, named, pool, others),
        oldest_known=waiting is not None,
    )


def _accounts(
    queues: list[Queue], lenders: tuple[Lender, ...]
) -> tuple[dict[str, tuple[ResourceUsage, ...]], tuple[CohortUsage, ...]]:
    """By queue what it uses, in the order of its funds; and what cohorts lend of their own."""
    members: defaultdict[_Place, list[tuple[Queue, Fund]]] = defaultdict(list)
    for queue in queues:
        pool = _pool(queue)
        for fund in queue.funds:
            members[pool, fund.flavor, fund.resource].append((queue, fund))
    parents = {lender.name for lender in lenders if lender.parent} | {lender.parent for lender in lenders}
    owns = {(lender.name, fund.flavor, fund.resource): fund.nominal for lender in lenders for fund in lender.funds}
    shares: dict[_Place, Iterator[tuple[int, int, int, int]]] = {}
    lent_by: dict[_Place, int] = {}
    for place, there in members.items():
        funds = [fund for _, fund in there]
        own = owns.get(place, 0)
        done = account(funds, [bool(queue.cohort) for queue, _ in there], own, has_parent=place[0] in parents)
        rooms = headrooms(funds, own)
        lent_by[place] = done.lent_by_cohort
        shares[place] = zip(done.borrowed, done.over_quota, done.lent, rooms, strict=True)
    by_queue = {queue.name: _resources(queue, shares) for queue in queues}  # in the order of the members
    return by_queue, tuple(_cohort(lender, lent_by) for lender in lenders)


def _pool(queue: Queue) -> str:
    return queue.cohort or f"\0{queue.name}"


def _resources(queue: Queue, shares: Mapping[_Place, Iterator[tuple[int, int, int, int]]]) -> tuple[ResourceUsage, ...]:
    pool, found = _pool(queue), []
    for fund in queue.funds:
        borrowed, over_quota, lent, room = next(shares[pool, fund.flavor, fund.resource])
        found.append(
            ResourceUsage(
                fund.flavor,
                fund.resource,
                fund.nominal,
                fund.used,
                fund.reserved,
                borrowed,
                over_quota,
                lent,
                fund.borrowing_limit if queue.cohort else 0,
                room if queue.state == "active" else 0,
            )
        )
    return tuple(found)


def _cohort(lender: Lender, lent: Mapping[_Place, int]) -> CohortUsage:
    return CohortUsage(
        lender.name,
        lender.parent,
        tuple(
            ResourceUsage(
                fund.flavor,
                fund.resource,
                fund.nominal,
                0,
                0,
                lent=lent.get((lender.name, fund.flavor, fund.resource), 0),
            )
            for fund in lender.funds
        ),
    )


def _teams(doors: Doors, queues: set[str]) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """By queue the governed namespaces that are at home there, and the governed namespaces that lead nowhere.

    A namespace is at home in one queue, though somebody in it may make a LocalQueue for that of another team: in the
    one that is named after it, as the service does, else in the first by name.
    """
    leads_to: defaultdict[str, set[str]] = defaultdict(set)
    for namespace, _, queue, _ in doors.local_queues:
        if namespace in doors.governed and queue in queues:
            leads_to[namespace].add(queue)
    found: dict[str, list[str]] = {}
    for namespace, reached in leads_to.items():
        own = f"{namespace}{CLUSTER_QUEUE}"
        found.setdefault(own if own in reached else min(reached), []).append(namespace)
    return found, tuple(sorted(set(doors.governed) - set(leads_to)))


def _oldest(waiting: Iterable[Waiting], doors: Doors) -> tuple[dict[str, int], dict[str, set[Selector]]]:
    """By queue, since when the workload waits that waits longest, and which nodes those that wait ask for."""
    queues = {(namespace, name): queue for namespace, name, queue, _ in doors.local_queues}
    found: dict[str, int] = {}
    asked: dict[str, set[Selector]] = {}
    for each in waiting:
        queue = queues.get((each.namespace, each.local_queue))
        if queue is not None:
            found[queue] = min(each.since, found.get(queue, each.since))
            asked.setdefault(queue, set()).update(each.selectors)
    return found, asked


def _open_to(asked: Mapping[str, set[Selector]], kinds: Iterable[Kind]) -> Callable[[str, str], bool]:
    """Whether something that waits in a queue could go to nodes of a flavor; what is not known could."""
    labels = {kind.name: kind.labels for kind in kinds}

    def is_open(queue: str, flavor: str) -> bool:
        selectors, known = asked.get(queue), labels.get(flavor)
        if not selectors or known is None:
            return True
        return any(all(known.get(key, value) == value for key, value in each) for each in selectors)

    return is_open


def _queue(queue: Queue, resources: tuple[ResourceUsage, ...], oldest: int | None) -> QueueUsage:
    share, unlimited = _share(queue)
    return QueueUsage(
        queue.name,
        queue.cohort,
        cast(State, queue.state),
        queue.reason,
        queue.pending,
        queue.admitted,
        resources,
        oldest if queue.pending else None,
        queue.weight,
        share,
        unlimited,
    )


def _team(
    queue: Queue,
    resources: tuple[ResourceUsage, ...],
    oldest: int | None,
    namespaces: list[str],
    quotas: Mapping[str, str],
    names: Mapping[str, str],
) -> TeamUsage:
    share, unlimited = _share(queue)
    namespace = min(namespaces)
    quota = quotas[namespace]
    return TeamUsage(
        name=names.get(quota) or namespace.removeprefix(NAMESPACE) or namespace,
        namespaces=tuple(sorted(namespaces)),
        quota_id=quota,
        cluster_queue=queue.name,
        cohort=queue.cohort,
        state=cast(State, queue.state),
        reason=queue.reason,
        pending=queue.pending,
        admitted=queue.admitted,
        resources=resources,
        oldest_waiting=oldest if queue.pending else None,
        weight=queue.weight,
        weighted_share=share,
        share_unlimited=unlimited,
    )


def _share(queue: Queue) -> tuple[int | None, bool]:
    unlimited = queue.weighted_share is not None and queue.weighted_share >= UNLIMITED_SHARE
    return (None if unlimited else queue.weighted_share), unlimited


def _distinct(teams: list[TeamUsage]) -> list[TeamUsage]:
    """By name; two queues of one name are told apart by their queues' names, since figures go by the name."""
    seen: dict[str, int] = {}
    for team in teams:
        seen[team.name] = seen.get(team.name, 0) + 1
    if len(seen) == len(teams):
        return sorted(teams, key=lambda team: team.name)
    renamed = [team if seen[team.name] == 1 else _renamed(team) for team in teams]
    return sorted(renamed, key=lambda team: team.name)


def _renamed(team: TeamUsage) -> TeamUsage:
    members = {name: getattr(team, name) for name in team.__struct_fields__}
    return TeamUsage(**{**members, "name": f"{team.name} ({team.cluster_queue})"})
