"""What people are told of an incident: which team, how much, since when, what to do, where to look."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import msgspec

from governor.kueue.quantities import shown
from governor.notify.transition import Transition
from governor.policy.wording import printable
from governor.records.usages import UsageSeen
from governor.usage import ClusterUsage, TeamUsage
from governor.usage.alarming import Borrowing
from governor.usage.measures import PER_VCPU, Measure, measure_of

MOST_LINES = 10
"""Of a list in a message; what is beyond is counted."""
STALE = timedelta(minutes=5)
"""After which usage that was read says nothing of now."""
MOST_CHARACTERS = 100
"""Of a subject: what SNS takes for an e-mail."""


class Told(msgspec.Struct, frozen=True):
    """A message; the subject is a line of at most 100 ASCII characters."""

    subject: str
    text: str


class Place(msgspec.Struct, frozen=True):
    """Where to look and what to change: the policy's file, the record of usage, the dashboard."""

    file: str
    record: str
    dashboard: str = ""


def words_of(transition: Transition, began: datetime, seen: UsageSeen | None, place: Place) -> Told:
    """The message about one change of state."""
    over = transition.state == "OK"
    blind = over and transition.kind != "CouldNotRead" and _is_blind(transition, seen)
    match transition.kind:
        case "OverBorrowing":
            headline, body = _borrowing(transition, seen, place)
        case "Starved":
            headline, body = _starved(transition, seen)
        case "QuotaAboveCapacity":
            headline, body = _above(transition, seen, place)
        case "CouldNotRead":
            headline, body = _unread(transition, seen)
    if blind:
        reason = seen.trouble if seen is not None and seen.trouble else "no usage of it has come for some minutes"
        headline = f"Not known any more: {headline}"
        lines = [
            f"The alarm about {transition.team or transition.cluster} went quiet because the usage of cluster "
            f"{transition.cluster} cannot be read: {reason}.",
            f"What it was about began {_time(began)}; whether it is over is not known. It rings again, if it is not, "
            "once the usage can be read.",
        ]
    elif over:
        headline = f"Over: {headline}"
        length = _length((transition.at - began).total_seconds())
        lines = [
            f"This is over: {_sentence(transition)}",
            f"It lasted from {_time(began)} to {_time(transition.at)}{length}.",
        ]
    else:
        lines = [*body, "", f"Since {_time(began)}."]
    lines += ["", *_where(transition, place)]
    # Names come from clusters and files; no line of the message is theirs to begin.
    return Told(_subject(headline), "\n".join(map(printable, [headline, "", *lines])) + "\n")


def _is_blind(transition: Transition, seen: UsageSeen | None) -> bool:
    """Whether the alarm is quiet because nothing is known: figures that do not come breach nothing."""
    return seen is None or bool(seen.trouble) or transition.at - seen.at > STALE


def _sentence(transition: Transition) -> str:
    cluster, team = transition.cluster, transition.team
    return {
        "OverBorrowing": f"team {team} of cluster {cluster} no longer borrows more than its policy lets pass.",
        "Starved": f"team {team} of cluster {cluster} no longer waits below its guarantee while others borrow.",
        "QuotaAboveCapacity": f"the quotas of cluster {cluster} no longer promise more than its nodes have.",
        "CouldNotRead": f"the usage of cluster {cluster} can be read again.",
    }[transition.kind]


def _borrowing(transition: Transition, seen: UsageSeen | None, place: Place) -> tuple[str, list[str]]:
    team, cluster = transition.team, transition.cluster
    headline = f"{team} lives on borrowed compute on {cluster}"
    found = next((each for each in seen.borrowing if each.team == team), None) if seen is not None else None
    if found is None or seen is None or seen.usage is None:
        body = [f"Team {team} of cluster {cluster} borrows more than its policy lets pass; how much is not on record."]
    else:
        body = [
            f"Team {team} of cluster {cluster} borrows {_amount(found.measure, found.borrowed)}, "
            f"{_share(found)}; its policy alarms from {found.limit} % on.",
            *_listed("It borrows from", _lenders(seen.usage, team)),
            *_waiting(seen.usage, team),
        ]
    return headline, [
        *body,
        "",
        "What to do: nothing, if this is what idle compute is for: Kueue takes it back when its owner needs it. "
        f"Otherwise give the team more quota or a lower sharing.borrowLimit in {place.file}, or raise "
        "alarms.borrowing.percent, or be quiet for a while with alarms.borrowing.muteUntil.",
    ]


def _share(found: Borrowing) -> str:
    if not found.guaranteed:
        return "and nothing is guaranteed to it"
    return f"{found.percent:g} % of the {_amount(found.measure, found.guaranteed)} that it is guaranteed"


def _lenders(usage: ClusterUsage, team: str) -> Iterator[str]:
    """Whose quota may be what the team uses: Kueue does not say whose it is."""
    borrower = next((each for each in usage.teams if each.name == team), None)
    borrowed = {(each.flavor, each.resource) for each in borrower.resources if each.borrowed} if borrower else set()
    for queue in usage.queues:
        if borrower is None or queue.cohort != borrower.cohort or queue.cluster_queue == borrower.cluster_queue:
            continue
        for each in queue.resources:
            if each.lent and (each.flavor, each.resource) in borrowed and measure_of(each.resource) is not None:
                name = queue.name if isinstance(queue, TeamUsage) else queue.cluster_queue
                yield f"{name} lends {shown(each.resource, each.lent)} {each.resource} in {each.flavor}"


def _waiting(usage: ClusterUsage, team: str) -> Iterator[str]:
    waiting = [
        f"{each.team} waits below its guarantee and could have {shown(each.resource, each.amount)} {each.resource} back"
        for each in usage.reclaimable
        if each.borrower == team
    ]
    return _listed("Who waits for it", waiting) if waiting else iter(["Nobody waits for it below a guarantee."])


def _starved(transition: Transition, seen: UsageSeen | None) -> tuple[str, list[str]]:
    team, cluster = transition.team, transition.cluster
    usage = None if seen is None else seen.usage
    pairs = [each for each in usage.reclaimable if each.team == team] if usage is not None else []
    own = next((each for each in usage.teams if each.name == team), None) if usage is not None else None
    waits = f"{own.pending} of its workloads wait" if own is not None else "workloads of it wait"
    return f"{team} waits while others borrow on {cluster}", [
        f"Team {team} of cluster {cluster} has less than it is guaranteed and {waits}, while others borrow.",
        *_listed(
            "What could come back",
            (
                f"{shown(each.resource, each.amount)} {each.resource} in {each.flavor} from {each.borrower}"
                for each in pairs
            ),
        ),
        "",
        f"What to do: governor why JOB --cluster {cluster} --team {team} says what the oldest job waits for. Kueue "
        "takes borrowed quota back by itself unless preemption is off, or the job asks for more than is guaranteed.",
    ]


def _above(transition: Transition, seen: UsageSeen | None, place: Place) -> tuple[str, list[str]]:
    cluster = transition.cluster
    usage = None if seen is None else seen.usage
    rows = [each for each in usage.capacity or () if each.above] if usage is not None else []
    return f"quotas promise more than {cluster} has", [
        f"The quotas of cluster {cluster} promise more than its nodes have that are ready and not cordoned.",
        *_listed(
            "Too much",
            (
                f"{shown(each.resource, each.promised)} {each.resource} in {each.flavor} promised, "
                f"{shown(each.resource, each.above)} more than there is"
                for each in rows
            ),
        ),
        "",
        "What to do: see whether nodes are gone or not ready (kubectl get nodes), wait for their replacement, or lower "
        f"the quotas in {place.file}. Until then jobs may be admitted whose pods find no place.",
    ]


def _unread(transition: Transition, seen: UsageSeen | None) -> tuple[str, list[str]]:
    cluster = transition.cluster
    if seen is not None and not seen.trouble and seen.unread:
        return f"not all of {cluster} can be read", [
            f"The usage of cluster {cluster} is published, but not all could be read: {seen.unread}.",
            "",
            "What to do: what it says; governor status shows the policy in force.",
        ]
    reason = seen.trouble if seen is not None and seen.trouble else "the log of publish_metrics says why"
    return f"usage of {cluster} cannot be read", [
        f"The usage of cluster {cluster} cannot be read, so that no metric of it is published and no alarm of its "
        f"teams can ring: {reason}.",
        "",
        f"What to do: governor doctor; often governor connect {cluster} is missing, or what it prints was not applied.",
    ]


def _where(transition: Transition, place: Place) -> Iterator[str]:
    yield f"Where to look: governor usage {transition.cluster}"
    yield f"  record: {place.record}"
    if place.dashboard:
        yield f"  dashboard: {place.dashboard}"


def _listed(title: str, items: Iterable[str]) -> Iterator[str]:
    found = list(items)
    if not found:
        return
    yield f"{title}:"
    yield from (f"  - {item}" for item in found[:MOST_LINES])
    if len(found) > MOST_LINES:
        yield f"  - and {len(found) - MOST_LINES} more"


def _amount(measure: Measure, amount: int) -> str:
    unit = {"Accelerators": "accelerator", "AcceleratorPartitions": "accelerator partition", "VCpus": "vCPU"}[measure]
    number = amount / PER_VCPU if measure == "VCpus" else amount
    return f"{number:.10g} {unit}{'' if number == 1 else 's'}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _length(seconds: float) -> str:
    minutes = int(seconds) // 60
    if minutes < 1:
        return ""
    return f", {minutes // 60} h {minutes % 60} min" if minutes >= 60 else f", {minutes} min"


def _subject(headline: str) -> str:
    text = f"HyperPod Governor: {headline}"
    plain = "".join(char if " " <= char <= "~" else "?" for char in text)
    return plain if len(plain) <= MOST_CHARACTERS else f"{plain[: MOST_CHARACTERS - 3]}..."
