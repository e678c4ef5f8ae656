"""What is said of usage in words: who is over quota, what could come back, promises, queues, who waits, ages."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

from msgspec import structs

from governor.cli.usage_rows import Picture, amount_of, name_of, plain_of, rows
from governor.policy.wording import counted, printable
from governor.usage import Capacity, ClusterUsage, QueueUsage
from governor.usage.capacity import promises_too_much
from governor.usage.measures import governing_resources
from governor.usage.model import State

MOST_NAMED = 3
"""Borrowers, or teams, that a sentence names."""


def lasting(seconds: int) -> str:
    """How long, such as 45 s, 12 min, 2 h 5 min or 3 d 4 h; what is in the future has just begun."""
    minutes, second = divmod(max(0, seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if not minutes:
        return f"{second} s"
    if not hours:
        return f"{minute} min"
    large, small = (f"{days} d", f"{hour} h") if days else (f"{hour} h", f"{minute} min")
    return large if small.startswith("0 ") else f"{large} {small}"


def oldest(queue: QueueUsage, usage: ClusterUsage) -> str:
    """For how long the workload waits that waits longest; "" where none does, "?" where it is not known."""
    if not queue.pending:
        return ""
    return "?" if queue.oldest_waiting is None else lasting(usage.at - queue.oldest_waiting)


def share(queue: QueueUsage) -> str:
    """The weighted share as Kueue has it."""
    if queue.share_unlimited:
        return "∞"
    return "–" if queue.weighted_share is None else str(queue.weighted_share)


def clock(at: int) -> str:
    """A time for a person, in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def over_quota_words(usage: ClusterUsage) -> Iterator[str]:
    """Whose quota was cut below what runs; of other resources than the measured ones only where it is them alone."""
    for queue in usage.queues:
        over = [each for each in queue.resources if each.over_quota]
        telling = [each for each in governing_resources(queue) if each.over_quota] or over
        if telling:
            by = ", ".join(
                f"{amount_of(each.resource, each.over_quota)} in {printable(each.flavor)}" for each in telling
            )
            yield (
                f"{name_of(queue)} is over its quota by {by}: "
                "its quota, its borrow limit or what others leave idle was cut while the work ran"
            )


def reclaim_words(usage: ClusterUsage) -> Iterator[str]:
    """Who waits below the guarantee, and what could come back from whom."""
    found: defaultdict[tuple[str, str, str], list[tuple[str, int]]] = defaultdict(list)
    for each in usage.reclaimable:
        found[each.team, each.flavor, each.resource].append((each.borrower, each.amount))
    for (team, flavor, resource), parts in found.items():
        amount = amount_of(resource, sum(amount for _, amount in parts))
        where = f"{amount} in {printable(flavor)} could come back"
        yield f"{printable(team)} waits below its guarantee; {where}{_from(resource, parts)}"


def _from(resource: str, parts: list[tuple[str, int]]) -> str:
    """From whom; the largest of many, and how much the others are."""
    if len(parts) == 1:
        return f" from {printable(parts[0][0])}"
    first = sorted(parts, key=lambda part: -part[1])[: MOST_NAMED if len(parts) > MOST_NAMED + 1 else None]
    told = [f"{plain_of(resource, amount)} from {printable(name)}" for name, amount in first]
    if len(first) < len(parts):
        rest = sum(amount for _, amount in parts) - sum(amount for _, amount in first)
        told.append(f"{plain_of(resource, rest)} from {len(parts) - len(first)} others")
    return f": {', '.join(told)}"


def broken_promises(usage: ClusterUsage) -> list[Capacity]:
    """Of what the quotas promise too much, as the alarm judges it."""
    by_flavor: defaultdict[str, list[Capacity]] = defaultdict(list)
    for each in usage.capacity or ():
        by_flavor[each.flavor].append(each)
    return [
        each
        for there in by_flavor.values()
        for each in there
        if each.above
        and promises_too_much(other if other is each else structs.replace(other, above=0) for other in there)
    ]


def promise_words(usage: ClusterUsage) -> Iterator[str]:
    """Where quotas promise what nodes do not have, a sentence for each flavor."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for each in broken_promises(usage):
        found[each.flavor].append(_against(each))
    for flavor, promises in found.items():
        yield f"quotas promise more of {printable(flavor)} than its ready nodes have: {'; '.join(promises)}"


def vcpu_words(usage: ClusterUsage) -> Iterator[str]:
    """Where vCPU is above what nodes with accelerators have: no broken promise."""
    broken = {(each.flavor, each.resource) for each in broken_promises(usage)}
    for each in usage.capacity or ():
        if each.above and (each.flavor, each.resource) not in broken:
            yield (
                f"of {printable(each.flavor)} quotas promise {_against(each)}; not judged beside accelerators, since "
                "nodes with one thread per core have half the vCPU that quotas count"
            )


def _against(each: Capacity) -> str:
    promised = amount_of(each.resource, each.promised)
    there, above = (plain_of(each.resource, amount) for amount in (each.promised - each.above, each.above))
    return f"{promised} against {there}, {above} above"


def state_words(usage: ClusterUsage, state: State) -> Iterator[str]:
    """Queues that are stopped, or inactive."""
    for queue in usage.queues:
        if queue.state == state:
            why = f": {printable(queue.reason)}" if queue.reason else ""
            yield f"the queue of {name_of(queue)} is {queue.state}{why}"


def lost_words(usage: ClusterUsage) -> Iterator[str]:
    """Governed namespaces whose queue is missed."""
    for namespace in usage.lost:
        yield f"namespace {printable(namespace)} has no queue"


def deleting_words(usage: ClusterUsage) -> Iterator[str]:
    """Queues on their way out."""
    for queue in usage.deleting:
        yield f"{printable(queue)} is being deleted: it goes with its last workload, its figures are kept no longer"


def room_words(usage: ClusterUsage) -> Iterator[str]:
    """Teams that wait although they could take something, all in one sentence."""
    found = [row for row in rows(usage) if row.waits_beside_room]
    if not found:
        return
    named = [f"{row.name} ({row.amount(row.sum.headroom)})" for row in found[:MOST_NAMED]]
    if len(found) > MOST_NAMED:
        named.append(f"{len(found) - MOST_NAMED} more")
    waits = "waits" if len(found) == 1 else "wait"
    yield f"{counted(len(found), 'team')} {waits} although there is room: {', '.join(named)}"


def cohort_words(usage: ClusterUsage) -> Iterator[str]:
    """What cohorts have of their own, and lend of it."""
    for cohort in usage.cohorts:
        for each in cohort.resources:
            if each.guaranteed:
                has = f"{amount_of(each.resource, each.guaranteed)} in {printable(each.flavor)}"
                lends = f"{plain_of(each.resource, each.lent)} of it" if each.lent else "nothing of it"
                yield f"cohort {printable(cohort.name)} has {has} of its own, and lends {lends}"


def unknown_words(picture: Picture) -> Iterator[str]:
    """What could not be told."""
    if not picture.usage.oldest_known:
        yield "there are too many workloads to list: how long the oldest waits is not known"
    yield from map(printable, picture.notes)
