"""Why a workload does not run, in words, each with what one can do about it."""

from collections.abc import Callable, Iterable, Iterator

from governor.kueue.explaining import remarks
from governor.kueue.explaining.answer import Reason, rank
from governor.kueue.explaining.messages import Kind, Obstacle
from governor.kueue.explaining.rooms import Room, Scene, room, weaker_than

_NOW = (Kind.UNUSED_QUOTA, Kind.BORROWING_LIMIT)
"""What passes when others end."""
_NEVER = (Kind.MAXIMUM, Kind.AFFINITY, Kind.TAINT, Kind.FLAVOR_MISSING)
"""What does not, in that flavor."""
MORE = "a larger quota or a higher borrow limit in the policy"


def reasons(hindered: Iterable[Obstacle], scene: Scene) -> tuple[Reason, ...]:
    """What to say of everything that is in the way: what it waits for first, what else is true of it last."""
    by_flavor: dict[tuple[str, str], list[Obstacle]] = {}
    others = []
    for each in hindered:
        if each.kind in (*_NOW, *_NEVER):
            by_flavor.setdefault((each.pod_set, each.flavor), []).append(each)
        else:
            others.append(each)
    open_ones = {pod_set for (pod_set, _), found in by_flavor.items() if not _is_never(found)}
    told = [
        _of_flavor(found, scene, aside=_is_never(found) and pod_set in open_ones)
        for (pod_set, _), found in by_flavor.items()
    ]
    told += [remarks.remark(each, scene) for each in others]
    return tuple(sorted(told, key=lambda each: each.aside))


def is_hopeless(reason: Reason) -> bool:
    """Whether it stays in the way, whoever ends."""
    lasting = (*_NEVER, Kind.RESOURCE_UNCOVERED, Kind.INVALID_REQUEST, Kind.NAMESPACE)
    return not reason.aside and reason.kind in {each.value for each in lasting}


def _is_never(found: list[Obstacle]) -> bool:
    return any(each.kind in _NEVER for each in found)


def _of_flavor(found: list[Obstacle], scene: Scene, *, aside: bool) -> Reason:
    """What is said of one flavor: where it can never be had, that is all that matters of it."""
    never = [each for each in found if each.kind in _NEVER]
    said = ", ".join(each.said for each in found)
    first = (never or found)[0]
    tell: Callable[[list[Obstacle], Scene], Reason] = _never if never else _now
    told = tell(never or found, scene)
    return Reason(
        kind=first.kind.value,
        words=told.words,
        flavor=first.flavor,
        pod_set=first.pod_set,
        facts=told.facts,
        remedies=() if aside else told.remedies,
        said=said,
        aside=aside,
    )


def _never(found: list[Obstacle], scene: Scene) -> Reason:
    first = found[0]
    match first.kind:
        case Kind.MAXIMUM:
            return _beyond([each for each in found if each.kind is Kind.MAXIMUM], scene)
        case Kind.AFFINITY:
            return Reason("", f"its pods ask for other nodes{_selected(first, scene)}", remedies=(_types(scene),))
        case Kind.TAINT:
            taint = first.name.replace(" <nil>", "").strip()
            words = f"its nodes have a taint that the pods do not tolerate: {taint}"
            return Reason("", words, remedies=("give the job's pods a toleration for it",))
        case _:
            words = f"the queue of {scene.who} has quota of it, and Kueue has no such ResourceFlavor"
            return Reason("", words, remedies=("an administrator's matter: is the cluster policy in force?",))


def _beyond(found: list[Obstacle], scene: Scene) -> Reason:
    """More than there can ever be. Older releases do not say how much that is."""
    found.sort(key=lambda each: rank(each.resource))
    parts = []
    if some := [each for each in found if each.most not in ("", "0")]:
        asked = " and ".join(f"{each.request} {each.resource}" for each in some)
        most = " and ".join(f"{each.most} {each.resource}" for each in some)
        parts.append(f"it asks for {asked}, and {scene.who} can have {most} there at most, with all it may borrow")
    if none := [f"{each.request} {each.resource}" for each in found if each.most == "0"]:
        parts.append(f"it asks for {' and '.join(none)}, of which {scene.who} can have nothing there")
    if silent := [each.resource for each in found if not each.most]:
        parts.append(f"it asks for more {' and '.join(silent)} than {scene.who} can ever have there")
    remedies = ("waiting does not help: ask for less, or for another instance type", f"or {MORE}")
    return Reason("", "; ".join(parts), remedies=remedies)


def _selected(obstacle: Obstacle, scene: Scene) -> str:
    """What its pods select, as far as it is said by a node selector."""
    for each in scene.subject.workload.pod_sets:
        if each.name == obstacle.pod_set and each.node_selector:
            return f": {', '.join(f'{key}={value}' for key, value in sorted(each.node_selector.items()))}"
    return " by their node affinity"


def _types(scene: Scene) -> str:
    names = [flavor.name for group in scene.queue.resource_groups for flavor in group.flavors] if scene.queue else []
    there = f" ({', '.join(names[:10])})" if names else ""
    return f"let them run on an instance type that {scene.who} has quota of{there}, or give it quota of the other"


def _now(found: list[Obstacle], scene: Scene) -> Reason:
    """What is missing at the moment, and whose doing that is."""
    found.sort(key=lambda each: rank(each.resource))
    missing = [f"{each.amount} more {each.resource}" if each.amount else each.resource for each in found]
    last = found[-1]
    one = len(found) == 1 and last.amount in ("1", "")
    if first_limit := next((each for each in found if each.kind is Kind.BORROWING_LIMIT), None):
        words = f"{scene.who} would borrow more {first_limit.resource} than it may"
    else:
        words = f"{' and '.join(missing)} {'has' if one else 'have'} to become free"
    rooms = [each for part in found if (each := room(scene, part))]
    facts = tuple(each.told(scene.who) for each in rooms)
    if first_limit and not rooms:
        return Reason("", words, remedies=tuple(_own_limit(scene, None)))
    return Reason("", words, facts=facts, remedies=tuple(_remedies(rooms, scene)))


def _remedies(rooms: list[Room], scene: Scene) -> Iterator[str]:
    """Of the room that is the hardest to come by: what the queue itself has used up comes before what others hold."""
    if own := next((each for each in rooms if each.is_own_limit), None):
        yield from _own_limit(scene, own)
        return
    if not rooms or not all(each.is_others for each in rooms):
        yield "wait: it is tried again whenever something ends"
        yield from _above(scene)
        yield f"or ask for less, or {MORE}"
        return
    if all(each.is_own_quota for each in rooms):
        yield from _lent(scene)
        return
    yield "wait until others of the cohort end, or ask the team that uses it"
    borrowing = next(each for each in rooms if not each.is_own_quota)
    if (free := borrowing.free_of_own()) and (takes := _taken_back(scene)):
        yield f"or ask for no more than {free}: that is {scene.who}'s own, taken back from {takes}"
    elif free := borrowing.free():
        yield f"or ask for no more than {free}, which was free when Kueue tried last"
    yield f"or give {scene.who} a larger quota in the policy, as what is borrowed is never certain"


def _own_limit(scene: Scene, own: Room | None) -> Iterator[str]:
    """Where its own queue is in the way; None where that is known and the queue is not."""
    if own is None:
        left = "leave too little of what"
    else:
        left = f"leave only {own.left()} that" if own.left() else "hold all that"
    yield f"wait until jobs of {scene.who} end: they {left} it may have"
    if own and (free := own.free()):
        yield f"or ask for no more than {free}, which was free when Kueue tried last"
    yield from _above(scene)
    yield f"or {MORE}"


def _above(scene: Scene) -> Iterator[str]:
    weakest = weaker_than(scene)
    if weakest is not None:
        yield f"or give it a priority class above {weakest}: then jobs of {scene.who} that are less important make room"


def _lent(scene: Scene) -> Iterator[str]:
    takes = _taken_back(scene)
    if not takes:
        yield f"all of it is {scene.who}'s own, lent to others and not taken back by force: ask them, or wait"
        return
    yield f"all of it is {scene.who}'s own: it is taken back from {takes}; wait for their jobs to stop"


def _taken_back(scene: Scene) -> str:
    """From whom the queue takes back what it has lent (Kueue: reclaimWithinCohort); "" for nobody."""
    match scene.queue.preemption.reclaim_within_cohort if scene.queue else "":
        case "Any":
            return "those who borrow it"
        case "LowerPriority":
            return "those who borrow it for jobs less important than this one"
        case _:
            return ""
