"""What Kueue writes into a condition when a workload cannot be admitted, taken apart.

The texts are those recorded of Kueue 0.12 and 0.19, those of the add-on's older releases, and those of what no
recording has (topologies, gang scheduling, limits), from Kueue's documentation and sources. What is none of them is
kept as it was written.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum


class Kind(Enum):
    """What is in a workload's way."""

    UNUSED_QUOTA = "unusedQuota"
    """There is room for it, which is taken."""
    BORROWING_LIMIT = "borrowingLimit"
    MAXIMUM = "maximum"
    """There is no room for it, taken or not."""
    AFFINITY = "affinity"
    TAINT = "taint"
    FLAVOR_MISSING = "flavorMissing"
    RESOURCE_UNCOVERED = "resourceUncovered"
    TOPOLOGY = "topology"
    LOCAL_QUEUE_MISSING = "localQueueMissing"
    LOCAL_QUEUE_STOPPED = "localQueueStopped"
    CLUSTER_QUEUE_MISSING = "clusterQueueMissing"
    CLUSTER_QUEUE_STOPPED = "clusterQueueStopped"
    NAMESPACE = "namespace"
    DEACTIVATED = "deactivated"
    PREEMPTING = "preempting"
    PREEMPTION_FAILED = "preemptionFailed"
    OVERLAPPING = "overlapping"
    OVERTAKEN = "overtaken"
    PODS_READY_FIRST = "podsReadyFirst"
    PODS_NOT_READY = "podsNotReady"
    PODS_READY_TIMEOUT = "podsReadyTimeout"
    CHECK_NOT_READY = "checkNotReady"
    CHECK_FAILED = "checkFailed"
    INVALID_REQUEST = "invalidRequest"
    NODE_FAILED = "nodeFailed"
    NOT_LOOKED_AT = "notLookedAt"
    PREEMPTED = "preempted"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that Kueue says. ``said`` are its words; the other members are what they name, "" for what they do not.

    Amounts are as Kueue writes them: ``amount`` is what is missing, ``request`` what is asked for, ``most`` what can be
    had. ``name`` is that of a queue or a check.
    """

    kind: Kind
    said: str
    pod_set: str = ""
    flavor: str = ""
    resource: str = ""
    amount: str = ""
    request: str = ""
    most: str = ""
    name: str = ""


_ASSIGN = "couldn't assign flavors to pod set "
_PENDING = re.compile(
    r"\. (Pending the preemption of ([0-9]+) workload\(s\)|Preempting [0-9]+ workload\(s\) failed.*)$"
)
_WHOLE = tuple(
    (re.compile(pattern, re.DOTALL), kind)
    for pattern, kind in (
        (r"LocalQueue (?P<name>\S+) doesn't exist", Kind.LOCAL_QUEUE_MISSING),
        (r"LocalQueue (?P<name>\S+) is (?:inactive|stopped)|The LocalQueue is stopped", Kind.LOCAL_QUEUE_STOPPED),
        (r"ClusterQueue (?P<name>\S+) (?:doesn't exist|not found)", Kind.CLUSTER_QUEUE_MISSING),
        (r"ClusterQueue (?P<name>\S+) is (?:inactive|stopped)|The ClusterQueue is stopped", Kind.CLUSTER_QUEUE_STOPPED),
        (r"[Ww]orkload namespace doesn't match ClusterQueue selector", Kind.NAMESPACE),
        (r"The workload is deactivated.*", Kind.DEACTIVATED),
        (r"Preempted to accommodate a workload .*", Kind.PREEMPTED),
        (r"Workload has overlapping preemption targets with another workload.*", Kind.OVERLAPPING),
        (r"Workload no longer fits after processing another workload", Kind.OVERTAKEN),
        (r"waiting for all admitted workloads to be in PodsReady condition", Kind.PODS_READY_FIRST),
        (r"Exceeded the PodsReady timeout.*", Kind.PODS_READY_TIMEOUT),
        (r"The workload has failed admission checks|At least one admission check is false", Kind.CHECK_FAILED),
        (r"resources validation failed.*|resources didn't satisfy LimitRange.*", Kind.INVALID_REQUEST),
        (r"Workload was evicted as there was no replacement for .*", Kind.NODE_FAILED),
    )
)
_QUOTA = re.compile(r"insufficient quota for (?P<resource>\S+) in flavor (?P<flavor>\S+?)(?: in ClusterQueue)?")
_UNUSED = re.compile(r"insufficient unused quota(?: in cohort)? for (?P<resource>\S+) in flavor (?P<flavor>\S+)")
_NEEDED = re.compile(r"(?P<amount>\S+) more needed")
_CAPACITIES = (
    re.compile(r"request > maximum capacity \((?P<request>\S+) > (?P<most>\S+)\)"),
    re.compile(
        r"previously considered podsets requests \(\S+\) \+ current podset request \((?P<request>\S+)\) > "
        r"maximum capacity \((?P<most>\S+)\)"
    ),
)
_SINGLE = (
    (re.compile(r"borrowing limit for (?P<resource>\S+) in flavor (?P<flavor>\S+) exceeded"), Kind.BORROWING_LIMIT),
    (re.compile(r"flavor (?P<flavor>\S+) doesn't match node affinity"), Kind.AFFINITY),
    (re.compile(r"untolerated taint \{(?P<name>.*)\} in flavor (?P<flavor>\S+)"), Kind.TAINT),
    (re.compile(r"flavor (?P<flavor>\S+) not found"), Kind.FLAVOR_MISSING),
    (re.compile(r"resource (?P<resource>\S+) unavailable in ClusterQueue"), Kind.RESOURCE_UNCOVERED),
    (re.compile(r'Flavor "(?P<flavor>[^"]+)" .*'), Kind.TOPOLOGY),
    (re.compile(r'topology ".*'), Kind.TOPOLOGY),
)


def obstacles(message: str) -> tuple[Obstacle, ...]:
    """Everything that a message says, in its order; () for an empty one."""
    message = message.strip()
    for pattern, kind in _WHOLE:
        found = pattern.fullmatch(message)
        if found is not None:
            return (Obstacle(kind, message, **_named(found)),)
    if not message.startswith(_ASSIGN):
        return (Obstacle(Kind.OTHER, message),) if message else ()
    pending = _PENDING.search(message)
    body = message[: pending.start()] if pending else message
    found_ones = [each for part in body.split(f"; {_ASSIGN}") for each in _of_pod_set(part.removeprefix(_ASSIGN))]
    if pending is not None:
        kind = Kind.PREEMPTING if pending[2] else Kind.PREEMPTION_FAILED
        found_ones.append(Obstacle(kind, pending[1], amount=pending[2] or ""))
    return tuple(found_ones)


def _of_pod_set(part: str) -> Iterator[Obstacle]:
    """``main: reason, reason``: commas stand between reasons and within them."""
    pod_set, _, text = part.partition(": ")
    pieces = text.split(", ")
    position, last = 0, Obstacle(Kind.OTHER, "", pod_set)
    while position < len(pieces):
        found, taken = _reason(pieces[position], pieces[position + 1] if position + 1 < len(pieces) else "")
        position += taken
        if found.kind is Kind.OTHER and last.kind in (Kind.OTHER, Kind.TOPOLOGY):
            last = replace(last, said=f"{last.said}, {found.said}" if last.said else found.said)
            continue
        if last.said:
            yield last
        last = replace(found, pod_set=pod_set)
    if last.said:
        yield last


def _reason(piece: str, following: str) -> tuple[Obstacle, int]:
    """A reason, and of how many pieces it is made."""
    quota = _QUOTA.fullmatch(piece)
    if quota is not None:
        capacity = next((found for each in _CAPACITIES if (found := each.fullmatch(following))), None)
        return _joined(Kind.MAXIMUM, quota, capacity)
    unused = _UNUSED.fullmatch(piece)
    if unused is not None:
        return _joined(Kind.UNUSED_QUOTA, unused, _NEEDED.fullmatch(following))
    for pattern, kind in _SINGLE:
        found = pattern.fullmatch(piece)
        if found is not None:
            return Obstacle(kind, piece, **_named(found)), 1
    return Obstacle(Kind.OTHER, piece), 1


def _joined(kind: Kind, first: re.Match[str], second: re.Match[str] | None) -> tuple[Obstacle, int]:
    if second is None:
        return Obstacle(kind, first[0], **_named(first)), 1
    return Obstacle(kind, f"{first[0]}, {second[0]}", **_named(first), **_named(second)), 2


def _named(found: re.Match[str]) -> dict[str, str]:
    return {name: value or "" for name, value in found.groupdict().items()}
