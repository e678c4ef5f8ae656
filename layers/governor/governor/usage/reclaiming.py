"""Teams that wait below their guarantee while others of their cohort borrow."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from governor.usage.lending import in_proportion
from governor.usage.measures import governing, measure_of
from governor.usage.model import QueueUsage, Reclaimable, ResourceUsage, TeamUsage


def reclaimable(teams: Sequence[TeamUsage], rest: Iterable[QueueUsage]) -> tuple[Reclaimable, ...]:
    """Who could take what back from whom, of the resources that a team is measured by.

    A team takes back no more than it lacks of its guarantee and is not free to take anyway, in proportion to what each
    of the others borrows. Teams that are stopped do not starve: nobody lets them work.
    """
    starved = [team for team in teams if team.pending and team.state == "active"]
    if not starved:
        return ()
    borrowers: defaultdict[tuple[str, str, str], list[tuple[str, int]]] = defaultdict(list)
    for queue in (*teams, *rest):
        if not queue.cohort:
            continue
        name = queue.name if isinstance(queue, TeamUsage) else queue.cluster_queue
        for each in queue.resources:
            if each.borrowed:
                borrowers[queue.cohort, each.flavor, each.resource].append((name, each.borrowed))
    return tuple(
        found
        for team in starved
        if team.cohort
        for each in _lacking(team)
        for found in _from(team, each, borrowers.get((team.cohort, each.flavor, each.resource), []))
    )


def _lacking(team: TeamUsage) -> Iterable[ResourceUsage]:
    measure = governing(team).measure
    return (each for each in team.resources if measure_of(each.resource) == measure and _lacks(each) > 0)


def _lacks(each: ResourceUsage) -> int:
    """What of the guarantee is neither held nor free. Who waits although enough is free waits for something else."""
    return each.guaranteed - each.reserved - each.headroom


def _from(team: TeamUsage, lacks: ResourceUsage, borrowers: list[tuple[str, int]]) -> Iterable[Reclaimable]:
    others = [(name, amount) for name, amount in borrowers if name != team.name]
    amounts = in_proportion(_lacks(lacks), [amount for _, amount in others])
    for (name, _), amount in zip(others, amounts, strict=True):
        if amount:
            yield Reclaimable(team.name, name, lacks.flavor, lacks.resource, amount)
