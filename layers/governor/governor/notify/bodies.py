"""What is said of each kind of incident while it is so: how much, who else, what to do."""

from collections.abc import Iterable, Iterator
from typing import assert_never

import msgspec

from governor.kueue.quantities import shown
from governor.notify.evidence import Known, rows_above
from governor.notify.phrases import listed, quantity
from governor.notify.transition import Transition
from governor.policy.wording import counted
from governor.usage import ClusterUsage, TeamUsage
from governor.usage.alarming import Borrowing
from governor.usage.measures import measure_of, sums


class Body(msgspec.Struct, frozen=True):
    """``lines`` say how it is, ``action`` what to do. ``figures``: whether any of the record are in it."""

    headline: str
    lines: tuple[str, ...]
    action: str
    figures: bool = False


def body_of(transition: Transition, known: Known, file: str, meanwhile: int = 0) -> Body:
    """``file`` has the policy; ``meanwhile`` so many incidents of the cluster are open."""
    match transition.kind:
        case "OverBorrowing":
            return _borrowing(transition, known, file)
        case "Starved":
            return _starved(transition, known.usage)
        case "QuotaAboveCapacity":
            return _above(transition.cluster, known.usage, file)
        case "CouldNotRead":
            return _unread(transition.cluster, known, meanwhile)
    assert_never(transition.kind)


def is_over(transition: Transition, known: Known, as_of: str) -> str:
    """The sentence that says so."""
    cluster, team = transition.cluster, transition.team
    match transition.kind:
        case "OverBorrowing":
            sentence = f"team {team} of cluster {cluster} no longer borrows more than its policy lets pass"
            left = _above_guarantee(known.usage, team)
            if not left:
                return f"{sentence}."
            return f"{sentence}: no lender covers it any more; it still holds {left} above its guarantee{as_of}."
        case "Starved":
            return f"team {team} of cluster {cluster} no longer waits below its guarantee while others borrow."
        case "QuotaAboveCapacity":
            return f"the quotas of cluster {cluster} no longer promise more than its nodes have."
        case "CouldNotRead":
            return f"the usage of cluster {cluster} can be read again."
    assert_never(transition.kind)


def _above_guarantee(usage: ClusterUsage | None, team: str) -> str:
    """What a team holds that is neither its own nor borrowed, of all that it is measured by."""
    own = _team(usage, team)
    found = sums(own.resources).values() if own is not None else ()
    return " and ".join(quantity(each.measure, each.over_quota) for each in found if each.over_quota)


def _borrowing(transition: Transition, known: Known, file: str) -> Body:
    team, cluster = transition.team, transition.cluster
    entries = known.seen.borrowing if known.seen is not None else ()
    found = next((each for each in entries if each.team == team and each.over), None)
    if found is None or known.usage is None:
        lines = [f"Team {team} of cluster {cluster} borrows more than its policy lets pass; how much is not on record."]
    else:
        lines = [
            f"Team {team} of cluster {cluster} borrows {quantity(found.measure, found.borrowed)}, "
            f"{_share(found)}; its policy alarms from {found.limit} % on.",
            *listed("It borrows from", _lenders(known.usage, team)),
            *_waiting(known.usage, team),
        ]
    return Body(
        f"{team} lives on borrowed compute on {cluster}",
        tuple(lines),
        "nothing, if this is what idle compute is for: Kueue takes it back when its owner needs it. "
        f"Otherwise give the team more quota or a lower sharing.borrowLimit in {file}, or raise "
        "alarms.borrowing.percent, or be quiet for a while with alarms.borrowing.muteUntil.",
        figures=len(lines) > 1,
    )


def _share(found: Borrowing) -> str:
    if not found.guaranteed:
        return "and nothing is guaranteed to it"
    return f"{found.percent:g} % of the {quantity(found.measure, found.guaranteed)} that it is guaranteed"


def _lenders(usage: ClusterUsage, team: str) -> Iterator[str]:
    """Whose quota may be what the team uses: Kueue does not say whose it is."""
    borrower = _team(usage, team)
    borrowed = {(each.flavor, each.resource) for each in borrower.resources if each.borrowed} if borrower else set()
    for queue in usage.queues:
        if borrower is None or queue.cohort != borrower.cohort or queue.cluster_queue == borrower.cluster_queue:
            continue
        for each in queue.resources:
            if each.lent and (each.flavor, each.resource) in borrowed and measure_of(each.resource) is not None:
                name = queue.name if isinstance(queue, TeamUsage) else queue.cluster_queue
                yield f"{name} lends {shown(each.resource, each.lent)} {each.resource} in {each.flavor}"


def _waiting(usage: ClusterUsage, team: str) -> Iterable[str]:
    waiting = [
        f"{each.team} waits below its guarantee and could have {shown(each.resource, each.amount)} {each.resource} back"
        for each in usage.reclaimable
        if each.borrower == team
    ]
    return listed("Who waits for it", waiting) if waiting else ("Nobody waits for it below a guarantee.",)


def _starved(transition: Transition, usage: ClusterUsage | None) -> Body:
    team, cluster = transition.team, transition.cluster
    pairs = [each for each in usage.reclaimable if each.team == team] if usage is not None else []
    own = _team(usage, team)
    waits = f"{counted(own.pending, 'workload')} of it waiting" if own is not None else "workloads waiting"
    back = (
        f"{shown(each.resource, each.amount)} {each.resource} in {each.flavor} from {each.borrower}" for each in pairs
    )
    return Body(
        f"{team} waits while others borrow on {cluster}",
        (
            f"Team {team} of cluster {cluster} has less than it is guaranteed and {waits}, while others borrow.",
            *listed("What could come back", back),
        ),
        f"governor why JOB --cluster {cluster} --team {team} says what the oldest job waits for. Kueue "
        "takes borrowed quota back by itself unless preemption is off, or the job asks for more than is guaranteed.",
        figures=own is not None,
    )


def _above(cluster: str, usage: ClusterUsage | None, file: str) -> Body:
    rows = [
        f"{shown(each.resource, each.promised)} {each.resource} in {each.flavor} promised, "
        f"{shown(each.resource, each.above)} more than there is"
        for each in rows_above((usage.capacity if usage is not None else None) or ())
    ]
    return Body(
        f"quotas promise more than {cluster} has",
        (
            f"The quotas of cluster {cluster} promise more than its nodes have that are ready and not cordoned.",
            *listed("Too much", rows),
        ),
        "see whether nodes are gone or not ready (kubectl get nodes), wait for their replacement, or lower "
        f"the quotas in {file}. Until then jobs may be admitted whose pods find no place.",
        figures=bool(rows),
    )


def _unread(cluster: str, known: Known, meanwhile: int) -> Body:
    seen, alarms = known.seen, known.alarms
    still = (
        (
            f"{counted(meanwhile, 'incident')} of the cluster {'is' if meanwhile == 1 else 'are'} open meanwhile: "
            "nothing is told of what cannot be seen.",
        )
        if meanwhile
        else ()
    )
    if seen is not None and not seen.trouble and seen.unread:
        return Body(
            f"not all of {cluster} can be read",
            (f"The usage of cluster {cluster} is published, but not all could be read: {seen.unread}.", *still),
            "what it says; governor status shows the policy in force.",
        )
    reason = alarms.trouble if alarms is not None and alarms.trouble else "the log of publish_metrics says why"
    if seen is not None and seen.trouble:
        reason = seen.trouble
    return Body(
        f"usage of {cluster} cannot be read",
        (
            f"The usage of cluster {cluster} cannot be read, so that no metric of it is published and no alarm of its "
            f"teams can ring: {reason}.",
            *still,
        ),
        f"governor doctor; often governor connect {cluster} is missing, or what it prints was not applied.",
    )


def _team(usage: ClusterUsage | None, name: str) -> TeamUsage | None:
    return next((each for each in usage.teams if each.name == name), None) if usage is not None else None
