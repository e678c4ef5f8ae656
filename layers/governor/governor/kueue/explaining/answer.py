"""What is said about a workload: the words for a person, and the same in members for a program.

Times are seconds since 1970, 0 where none is told. Amounts are as Kueue writes them: 3, 7500m, 96Gi. Names and messages
are as they were found: whoever prints them makes them harmless.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Self

import msgspec

from governor.kueue.explaining.seen import Brief, team_of
from governor.kueue.objects import Amounts
from governor.kueue.quantities import shown

Written = Mapping[str, str]
"""Amounts by resource."""


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """Members are named as in Python, and camelCase in JSON."""


class State(Enum):
    """Where a workload stands."""

    WAITING = "waiting"
    PREEMPTED = "preempted"
    """And waiting again."""
    EVICTED = "evicted"
    """For another reason, and waiting again."""
    LEAVING = "leaving"
    """Evicted, and its job has not stopped yet."""
    STOPPED = "stopped"
    """Its queue takes nothing."""
    QUEUE_MISSING = "queueMissing"
    DEACTIVATED = "deactivated"
    HELD = "held"
    """It has quota, and admission checks are not ready."""
    ADMITTED = "admitted"
    RUNNING = "running"
    FINISHED = "finished"


class Job(_Part, frozen=True):
    """A workload by the names that people know. ``name`` is its job's, or its own where no job is told."""

    namespace: str
    kind: str
    name: str
    workload: str
    uid: str
    team: str

    @classmethod
    def of(cls, brief: Brief) -> Self:
        """By what is kept of it."""
        team = team_of(brief.namespace)
        return cls(brief.namespace, brief.kind, brief.job or brief.name, brief.name, brief.uid, team)

    @property
    def owner(self) -> str:
        """The team, or the namespace where it is no team's."""
        return self.team or self.namespace


class PodSet(_Part, frozen=True):
    """Equal pods; ``requests`` are those of one."""

    name: str
    count: int
    requests: Written


class Reason(_Part, frozen=True):
    """Why it does not run. ``flavor`` and ``pod_set`` are "" where it is about all; ``said`` are Kueue's own words.

    ``kind`` is one of ``messages.Kind``; ``aside`` marks what is true but not what it waits for.
    """

    kind: str
    words: str
    flavor: str = ""
    pod_set: str = ""
    facts: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    said: str = ""
    aside: bool = False


class Preemption(_Part, frozen=True):
    """The latest preemption. ``by`` is None where the other workload is gone; ``over`` once quota is had again.

    ``times`` is how often in all, 0 where that is not counted.
    """

    reason: str
    words: str
    at: int
    over: bool
    times: int
    by: Job | None
    by_uid: str
    by_job_uid: str
    by_priority: int | None
    by_cluster_queue: str
    remedy: str


class Rival(_Part, frozen=True):
    """Another workload, and by flavor what it holds."""

    job: Job
    priority: int
    holds: Mapping[str, Written] = {}


class Line(_Part, frozen=True):
    """Who is tried before it, of those that wait in the same ClusterQueue: some of them, and how many in all.

    ``strict``: nobody is admitted before one that stands before him.
    """

    ahead: int
    waiting: int
    first: tuple[Rival, ...]
    strict: bool


class Users(_Part, frozen=True):
    """Who holds quota of a ClusterQueue: some of them, and how many in all with how much."""

    number: int
    first: tuple[Rival, ...]
    total: Mapping[str, Written]


class Neighbour(_Part, frozen=True):
    """Another ClusterQueue of the cohort: how many workloads hold quota of it, how much, and what of it is borrowed."""

    cluster_queue: str
    team: str
    number: int
    total: Mapping[str, Written]
    borrowed: Mapping[str, Written]


class Told(_Part, frozen=True):
    """Events of Kueue that say the same; ``at`` is the last of them."""

    at: int
    count: int
    reason: str
    message: str
    about: str
    type: str


class Explanation(_Part, frozen=True):
    """All about one workload. ``unseen`` is what could not be looked at, and why."""

    job: Job
    queue: str
    cluster_queue: str
    cohort: str
    priority: int
    priority_class: str
    pod_sets: tuple[PodSet, ...]
    total: Written
    created: int
    state: State
    since: int
    words: str
    reasons: tuple[Reason, ...]
    preemption: Preemption | None
    line: Line | None
    users: Users | None
    neighbours: tuple[Neighbour, ...]
    more_neighbours: int
    events: tuple[Told, ...]
    unseen: tuple[str, ...] = ()


_FIRST, _LAST = ("nvidia.com/gpu",), ("cpu", "memory", "ephemeral-storage")


def written(amounts: Amounts) -> dict[str, str]:
    """Amounts that are not 0, devices first: they are what people wait for."""
    return {resource: shown(resource, amounts[resource]) for resource in sorted(amounts, key=rank) if amounts[resource]}


def rank(resource: str) -> tuple[int, str]:
    """The order in which resources are told."""
    return (0 if resource in _FIRST else 2 + _LAST.index(resource) if resource in _LAST else 1), resource


def all_written(amounts: Mapping[str, Amounts]) -> dict[str, dict[str, str]]:
    """Amounts by flavor, without those that come to nothing."""
    found = {flavor: written(each) for flavor, each in sorted(amounts.items())}
    return {flavor: each for flavor, each in found.items() if each}


def spoken(amounts: Written) -> str:
    """E.g. "3 nvidia.com/gpu, 24 cpu, 96Gi memory"."""
    return ", ".join(f"{amount} {resource}" for resource, amount in amounts.items()) or "nothing"
