"""Recorded scenarios of a real Kueue: their format, and what to tell the model for each step.

A scenario is a line of JSON: teams with quotas in one cohort, steps, and the state that Kueue settled in after each.
Amounts are in cores, GiB and devices.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from governor.kueue.admission import State
from governor.kueue.admission.events import FAIR_SHARING, Delete, Event, Finish, SetClusterQueue, Submit
from governor.kueue.objects import (
    ClusterQueue,
    FlavorQuotas,
    LocalQueue,
    PodSet,
    Preemption,
    Quota,
    ResourceFlavor,
    ResourceGroup,
    Workload,
)

COHORT = "hyperpod"
INSTANCE_TYPE = "node.kubernetes.io/instance-type"
UNITS = {"cpu": 1000, "memory": 2**30, "nvidia.com/gpu": 1}
Number = int | float
Limits = tuple[Number, Number | None, Number | None]


class UnknownOperationError(Exception):
    """A step does something that cannot be told to the model."""


class FlavorQuota(msgspec.Struct, frozen=True):
    """A team's quota of a flavor: by resource nominal quota, borrowing limit, lending limit."""

    flavor: str
    resources: Mapping[str, Limits]
    count: int = 0


class Team(msgspec.Struct, frozen=True):
    """A team at the start."""

    name: str
    weight: Number
    preempt_team_tasks: str
    quotas: tuple[FlavorQuota, ...]


class JobFacts(msgspec.Struct, frozen=True):
    """When a job was created, and where its UID stands among the others'."""

    created_s: int
    uid_rank: int


class Queued(msgspec.Struct, frozen=True):
    """What Kueue said of a team's queue; usage is total and borrowed by flavor and resource."""

    usage: Mapping[str, Mapping[str, tuple[Number, Number]]]
    pending: int
    reserving: int
    admitted: int
    weighted_share: int | None = None
    weighted_share_stale: bool = False


class JobAfter(msgspec.Struct, frozen=True):
    """What became of a job."""

    state: str
    flavor: str | None = None
    conditions: Mapping[str, tuple[str, str, str]] = {}


class After(msgspec.Struct, frozen=True):
    """The state after a step."""

    cluster_queues: Mapping[str, Queued]
    jobs: Mapping[str, JobAfter]
    preempted: tuple[Mapping[str, str], ...] = ()


class Step(msgspec.Struct, frozen=True):
    """What was done, and what came of it; a step that never settled has no ``after``."""

    do: Mapping[str, Any]
    after: After | None = None


class Scenario(msgspec.Struct, frozen=True):
    """One recorded scenario."""

    id: str
    fair_sharing: bool
    flavors: tuple[str, ...]
    teams: tuple[Team, ...]
    priority_classes: Mapping[str, int]
    jobs: Mapping[str, JobFacts]
    steps: tuple[Step, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """The kinds of scenario that it belongs to."""
        weights = [team.weight for team in self.teams] + [
            step.do["weight"] for step in self.steps if "weight" in step.do
        ]
        kinds = {
            "fair": self.fair_sharing,
            "classical": not self.fair_sharing,
            "two flavors": len(self.flavors) > 1,
            "weight 0": 0 in weights,
            "quota changes": any(step.do["op"] == "set_quota" for step in self.steps),
        }
        return tuple(name for name, holds in kinds.items() if holds)


def read(path: Path) -> Iterator[Scenario]:
    """The scenarios of a file, one after the other. Raises OSError, ValueError that names the line."""
    decoder = msgspec.json.Decoder(Scenario)
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    yield decoder.decode(line)
                except msgspec.MsgspecError as error:
                    raise ValueError(f"{path.name} line {number} is no scenario: {error}") from error


def uid_of(facts: JobFacts) -> str:
    """Of a workload: in the order of the recorded ones."""
    return f"{facts.uid_rank:06d}"


def job_uid_of(job: str) -> str:
    return f"uid-of-{job}"


def namespace_of(team: str) -> str:
    return f"hyperpod-ns-{team}"


def queue_of(team: str) -> str:
    return f"hyperpod-ns-{team}-clusterqueue"


@dataclass(slots=True)
class Script:
    """Turns the steps of a scenario into events, and remembers what the teams have by now."""

    scenario: Scenario
    queues: dict[str, ClusterQueue]
    teams_of_jobs: dict[str, str]

    @classmethod
    def of(cls, scenario: Scenario) -> "Script":
        return cls(scenario, {team.name: _cluster_queue(team) for team in scenario.teams}, {})

    def start(self) -> State:
        """The cluster before the first step."""
        return State(
            strategies=FAIR_SHARING if self.scenario.fair_sharing else (),
            flavors={name: ResourceFlavor(name, {INSTANCE_TYPE: name}) for name in self.scenario.flavors},
            cluster_queues={queue.name: queue for queue in self.queues.values()},
            local_queues={
                (namespace_of(team), f"{namespace_of(team)}-localqueue"): LocalQueue(
                    namespace_of(team), f"{namespace_of(team)}-localqueue", queue_of(team)
                )
                for team in self.queues
            },
        )

    def key(self, job: str) -> tuple[str, str]:
        """The workload of a job; of nobody's if it was never submitted."""
        return namespace_of(self.teams_of_jobs.get(job, "")), job

    def told(self, message: str) -> str:
        """A recorded message with the UIDs that the model was given."""
        for job, facts in self.scenario.jobs.items():
            message = message.replace(f"{{workload of {job}}}", uid_of(facts))
            message = message.replace(f"{{job of {job}}}", job_uid_of(job))
        return message

    def event(self, do: Mapping[str, Any]) -> Event:
        """What a step does."""
        try:
            return self._event(do)
        except (KeyError, TypeError, ValueError) as error:
            raise UnknownOperationError(f"the model cannot be told: {type(error).__name__}: {error}") from error

    def _event(self, do: Mapping[str, Any]) -> Event:
        match do["op"]:
            case "submit":
                self.teams_of_jobs[do["job"]] = do["team"]
                return Submit(self._workload(do))
            case "finish":
                return Finish((namespace_of(self.teams_of_jobs[do["job"]]), do["job"]))
            case "delete":
                return Delete((namespace_of(self.teams_of_jobs[do["job"]]), do["job"]))
            case "set_quota":
                return self._changed(do["team"], quotas=msgspec.convert(do["quotas"], tuple[FlavorQuota, ...]))
            case "set_weight":
                return self._changed(do["team"], weight=do["weight"])
            case other:
                raise UnknownOperationError(f"nobody knows the operation {other!r}")

    def _changed(
        self, team: str, *, quotas: tuple[FlavorQuota, ...] | None = None, weight: Number | None = None
    ) -> SetClusterQueue:
        queue = self.queues[team]
        self.queues[team] = ClusterQueue(
            name=queue.name,
            cohort=queue.cohort,
            resource_groups=queue.resource_groups if quotas is None else _groups(quotas),
            weight=queue.weight if weight is None else thousandths(weight),
            preemption=queue.preemption,
        )
        return SetClusterQueue(self.queues[team])

    def _workload(self, do: Mapping[str, Any]) -> Workload:
        facts = self.scenario.jobs[do["job"]]
        requests = {"cpu": do["cpu"], "memory": do["memory"], **({"nvidia.com/gpu": do["gpu"]} if do["gpu"] else {})}
        priority_class = f"{do['priority']}-priority" if do["priority"] else ""
        pod_set = PodSet(
            "main",
            do["pods"],
            {resource: whole(amount, resource) for resource, amount in requests.items()},
            {INSTANCE_TYPE: do["instance_type"]} if do["instance_type"] else {},
        )
        return Workload(
            namespace=namespace_of(do["team"]),
            name=do["job"],
            uid=uid_of(facts),
            queue=f"{namespace_of(do['team'])}-localqueue",
            pod_sets=(pod_set,),
            priority=self.scenario.priority_classes[priority_class] if priority_class else 0,
            priority_class=priority_class,
            created=facts.created_s,
            owner=do["job"],
            owner_uid=job_uid_of(do["job"]),
        )


def _cluster_queue(team: Team) -> ClusterQueue:
    return ClusterQueue(
        name=queue_of(team.name),
        cohort=COHORT,
        resource_groups=_groups(team.quotas),
        weight=thousandths(team.weight),
        preemption=Preemption(team.preempt_team_tasks, "Any", "Never"),
    )


def _groups(quotas: tuple[FlavorQuota, ...]) -> tuple[ResourceGroup, ...]:
    flavors = tuple(
        FlavorQuotas(each.flavor, {resource: _quota(resource, limits) for resource, limits in each.resources.items()})
        for each in quotas
    )
    return (ResourceGroup(("cpu", "memory", "nvidia.com/gpu"), flavors),)


def _quota(resource: str, limits: Limits) -> Quota:
    nominal, borrowing, lending = limits
    return Quota(
        whole(nominal, resource),
        None if borrowing is None else whole(borrowing, resource),
        None if lending is None else whole(lending, resource),
    )


def thousandths(weight: Number) -> int:
    """A fair-share weight as the model has it."""
    return round(weight * 1000)


def whole(amount: Number, resource: str) -> int:
    """In the unit that Kueue counts in."""
    counted = amount * UNITS[resource]
    if counted != int(counted):
        raise ValueError(f"{amount} of {resource} is no whole number of Kueue's units")
    return int(counted)
