"""Teams that wait below their guarantee while others of their cohort borrow."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from governor.usage.lending import in_proportion
from governor.usage.measures import governing_resources
from governor.usage.model import QueueUsage, Reclaimable, ResourceUsage, TeamUsage

MOST_BORROWERS = 10
"""That are named for one resource of a team: with a thousand teams, all pairs would be too many to read or keep."""


def reclaimable(
    teams: Sequence[TeamUsage],
    rest: Iterable[QueueUsage],
    is_open: Callable[[str, str], bool] = lambda _queue, _flavor: True,
) -> tuple[Reclaimable, ...]:
    """Who could take what back from whom, of the resources that a team is measured by.

    A team takes back no more than it lacks of its guarantee and is not free to take anyway, in proportion to what each
    of the others borrows, the ten that borrow most. Teams that are stopped do not starve: nobody lets them work.
    ``is_open`` says whether what waits in a queue could go to nodes of a flavor at all.
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
        if is_open(team.cluster_queue, each.flavor)
        for found in _from(team, each, borrowers.get((team.cohort, each.flavor, each.resource), []))
    )


def _lacking(team: TeamUsage) -> Iterable[ResourceUsage]:
    return (each for each in governing_resources(team) if _lacks(each) > 0)


def _lacks(each: ResourceUsage) -> int:
    """What of the guarantee is neither held nor free. Who waits although enough is free waits for something else."""
    return each.guaranteed - each.reserved - each.headroom


def _from(team: TeamUsage, lacks: ResourceUsage, borrowers: list[tuple[str, int]]) -> Iterable[Reclaimable]:
    others = [(name, amount) for name, amount in borrowers if name != team.name]
    others = sorted(others, key=lambda each: (-each[1], each[0]))[:MOST_BORROWERS]
    amounts = in_proportion(_lacks(lacks), [amount for _, amount in others])
    for (name, _), amount in zip(others, amounts, strict=True):
        if amount:
            yield Reclaimable(team.name, name, lacks.flavor, lacks.resource, amount)
