"""What Kueue does with jobs, held against the local one or a real one: no pod has to run, and no kubelet to be there.

What is waited for are the conditions of workloads and the figures of queues. Objects are written in v1beta1, which all
versions of Kueue serve that the add-on has had.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from tests.conformance.target import Reply, Target

KUEUE = "/apis/kueue.x-k8s.io/v1beta1"
HERE_SECONDS = 15.0
"""So long a real cluster has to show that it has a Kueue at work, and not its definitions alone."""


@dataclass(frozen=True, slots=True)
class Teams:
    """Two teams with 2 GPUs each, which they lend to each other, and three priority classes."""

    target: Target
    mark: str

    def named(self, name: str) -> str:
        return f"{name}-{self.mark}"

    def make(self, path: str, kind: str, name: str, **rest: Any) -> Reply:
        version = "v1" if path.startswith("/api/") else path.removeprefix("/apis/").partition("/namespaces")[0]
        version = "/".join(version.split("/")[:2])
        body = {"apiVersion": version, "kind": kind, "metadata": {"name": name, **rest.pop("metadata", {})}, **rest}
        return self.target.call("POST", path, body)

    def namespace(self, team: str) -> str:
        return f"/namespaces/{self.named(team)}"

    def job_path(self, team: str, name: str = "") -> str:
        return f"/apis/batch/v1{self.namespace(team)}/jobs{f'/{name}' if name else ''}"

    def submit(self, team: str, name: str, gpus: int, priority: str = "low") -> None:
        labels = {
            "kueue.x-k8s.io/queue-name": self.named("queue"),
            "kueue.x-k8s.io/priority-class": self.named(priority),
        }
        amounts = {"nvidia.com/gpu": "1"}
        container = {"name": "c", "image": "example.invalid/c:1", "resources": {"requests": amounts, "limits": amounts}}
        spec = {
            "suspend": True,
            "parallelism": gpus,
            "completions": gpus,
            "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
        }
        reply = self.make(self.job_path(team), "Job", name, metadata={"labels": labels}, spec=spec)
        assert reply.status == 201, reply
        self.until(team, name, lambda found: "QuotaReserved" in found)

    def finish(self, team: str, name: str) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        job = self.target.call("GET", self.job_path(team, name)).json
        conditions = [
            {"type": each, "status": "True", "reason": "CompletionsReached", "lastTransitionTime": now}
            for each in ("SuccessCriteriaMet", "Complete")
        ]
        status = {
            "startTime": job.get("status", {}).get("startTime") or now,
            "completionTime": now,
            "succeeded": job["spec"]["completions"],
            "active": None,
            "ready": None,
            "conditions": conditions,
        }
        reply = self.target.call("PATCH", f"{self.job_path(team, name)}/status", {"status": status})
        assert reply.status == 200, reply

    def until(self, team: str, name: str, wanted: Callable[[dict[str, tuple[str, str]]], bool]) -> None:
        """Wait until the conditions of a job's workload are as wanted: status and reason by type."""
        uid = self.target.call("GET", self.job_path(team, name)).json["metadata"]["uid"]
        path = f"{KUEUE}{self.namespace(team)}/workloads?labelSelector={quote('kueue.x-k8s.io/job-uid')}={uid}"

        def fits(reply: Reply) -> bool:
            items = reply.json["items"]
            told = items[0].get("status", {}).get("conditions", ()) if items else ()
            return wanted({each["type"]: (each["status"], each["reason"]) for each in told})

        self.target.until("GET", path, fits)

    def until_admitted(self, team: str, name: str) -> None:
        self.until(team, name, lambda found: found.get("Admitted") == ("True", "Admitted"))
        self.target.until("GET", self.job_path(team, name), lambda reply: reply.json["spec"]["suspend"] is False)

    def until_used(self, team: str, total: str, borrowed: str) -> None:
        """Wait until a team's queue says so of its GPUs."""

        def fits(reply: Reply) -> bool:
            flavors = reply.json.get("status", {}).get("flavorsUsage") or [{"resources": [{}]}]
            (gpus,) = flavors[0]["resources"]
            return (gpus.get("total"), gpus.get("borrowed")) == (total, borrowed)

        self.target.until("GET", f"{KUEUE}/clusterqueues/{self.named(team)}", fits)


@pytest.fixture(scope="module")
def teams(target: Target, mark: str) -> Iterator[Teams]:
    teams = Teams(target, mark)
    try:
        _make(teams)
        if not _works(teams):
            assert not target.is_local, "the local Kueue is always at work"
            pytest.skip("this cluster has Kueue's definitions, and no Kueue at work")
        yield teams
    finally:
        _remove(teams)


@pytest.fixture(autouse=True)
def _no_jobs_left(teams: Teams) -> Iterator[None]:
    yield
    for team in ("a", "b"):
        _remove_jobs(teams, team)
        teams.until_used(team, "0", "0")


def _make(teams: Teams) -> None:
    flavor, cohort = teams.named("gpus"), teams.named("all")
    assert teams.make(f"{KUEUE}/resourceflavors", "ResourceFlavor", flavor, spec={}).status == 201
    for name, value in (("low", 10), ("high", 20)):
        reply = teams.make(f"{KUEUE}/workloadpriorityclasses", "WorkloadPriorityClass", teams.named(name), value=value)
        assert reply.status == 201, reply
    for team in ("a", "b"):
        namespace = teams.named(team)
        assert teams.make("/api/v1/namespaces", "Namespace", namespace).status == 201
        quota = [{"name": "nvidia.com/gpu", "nominalQuota": "2"}]
        spec = {
            "cohort": cohort,
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "preemption": {"reclaimWithinCohort": "Any", "withinClusterQueue": "LowerPriority"},
            "resourceGroups": [
                {"coveredResources": ["nvidia.com/gpu"], "flavors": [{"name": flavor, "resources": quota}]}
            ],
        }
        reply = teams.make(f"{KUEUE}/clusterqueues", "ClusterQueue", namespace, spec=spec)
        assert reply.status == 201, reply
        path = f"{KUEUE}{teams.namespace(team)}/localqueues"
        reply = teams.make(path, "LocalQueue", teams.named("queue"), spec={"clusterQueue": namespace})
        assert reply.status == 201, reply


def _works(teams: Teams) -> bool:
    deadline = time.monotonic() + HERE_SECONDS
    while time.monotonic() < deadline:
        queue = teams.target.call("GET", f"{KUEUE}/clusterqueues/{teams.named('a')}").json
        if queue.get("status", {}).get("conditions"):
            return True
        time.sleep(0.05)
    return False


def _remove_jobs(teams: Teams, team: str) -> None:
    """Jobs, and their workloads, which the garbage collector might not be there to take."""
    for path in (teams.job_path(team), f"{KUEUE}{teams.namespace(team)}/workloads"):
        reply = teams.target.call("GET", path)
        for item in reply.json["items"] if reply.status == 200 else ():
            teams.target.call("DELETE", f"{path}/{item['metadata']['name']}", {"propagationPolicy": "Background"})


def _remove(teams: Teams) -> None:
    for team in ("a", "b"):
        _remove_jobs(teams, team)
        teams.target.call("DELETE", f"{KUEUE}{teams.namespace(team)}/localqueues/{teams.named('queue')}")
        teams.target.call("DELETE", f"{KUEUE}/clusterqueues/{teams.named(team)}")
        teams.target.call("DELETE", f"/api/v1{teams.namespace(team)}")
    teams.target.call("DELETE", f"{KUEUE}/resourceflavors/{teams.named('gpus')}")
    for name in ("low", "high"):
        teams.target.call("DELETE", f"{KUEUE}/workloadpriorityclasses/{teams.named(name)}")


def test_borrowing_and_reclaiming(teams: Teams) -> None:
    teams.submit("a", "wide", gpus=3)
    teams.until_admitted("a", "wide")
    teams.until_used("a", "3", "1")
    teams.submit("b", "mine", gpus=2)
    teams.until_admitted("b", "mine")
    teams.until("a", "wide", lambda found: found.get("Preempted", ("", ""))[0] == "True")
    teams.until("a", "wide", lambda found: found.get("Evicted") == ("True", "Preempted"))
    teams.target.until("GET", teams.job_path("a", "wide"), lambda reply: reply.json["spec"]["suspend"] is True)
    teams.until_used("a", "0", "0")
    teams.finish("b", "mine")
    teams.until("b", "mine", lambda found: found.get("Finished") == ("True", "Succeeded"))
    teams.until_admitted("a", "wide")
    teams.until("a", "wide", lambda found: found.get("Evicted") == ("False", "QuotaReserved"))
    teams.until_used("a", "3", "1")


def test_a_higher_priority_of_the_same_team(teams: Teams) -> None:
    teams.submit("b", "all", gpus=2)
    teams.until_admitted("b", "all")
    teams.submit("a", "low", gpus=2)
    teams.until_admitted("a", "low")
    teams.submit("a", "high", gpus=2, priority="high")
    teams.until_admitted("a", "high")
    teams.until("a", "low", lambda found: found.get("Preempted") == ("True", "InClusterQueue"))
    teams.until("a", "low", lambda found: found.get("QuotaReserved", ("", ""))[0] == "False")


def test_more_than_there_is(teams: Teams) -> None:
    teams.submit("a", "huge", gpus=5)
    teams.until("a", "huge", lambda found: found["QuotaReserved"] == ("False", "Pending"))
    assert teams.target.call("GET", teams.job_path("a", "huge")).json["spec"]["suspend"] is True
    teams.target.until(
        "GET",
        f"{KUEUE}/clusterqueues/{teams.named('a')}",
        lambda reply: reply.json["status"]["pendingWorkloads"] == 1,
    )


def test_a_queue_on_hold_admits_nobody(teams: Teams) -> None:
    path = f"{KUEUE}/clusterqueues/{teams.named('a')}"
    assert teams.target.call("PATCH", path, {"spec": {"stopPolicy": "Hold"}}).status == 200
    try:
        teams.target.until("GET", path, lambda reply: reply.json["status"]["conditions"][0]["reason"] == "Stopped")
        teams.submit("a", "held", gpus=1)
        teams.until("a", "held", lambda found: found["QuotaReserved"] == ("False", "Inadmissible"))
    finally:
        teams.target.call("PATCH", path, {"spec": {"stopPolicy": "None"}})
    teams.until_admitted("a", "held")


def test_what_is_refused(teams: Teams) -> None:
    path = f"{KUEUE}{teams.namespace('a')}/localqueues/{teams.named('queue')}"
    reply = teams.target.call("PATCH", path, {"spec": {"clusterQueue": teams.named("b")}})
    assert (reply.status, "field is immutable" in reply.json["message"]) == (422, True)
    path = f"{KUEUE}/clusterqueues/{teams.named('a')}"
    groups = teams.target.call("GET", path).json["spec"]["resourceGroups"]
    groups[0]["flavors"][0]["resources"][0]["nominalQuota"] = "-1"
    reply = teams.target.call("PATCH", path, {"spec": {"resourceGroups": groups}})
    assert (reply.status, 'webhook "vclusterqueue.kb.io" denied the request' in reply.json["message"]) == (403, True)
    teams.submit("a", "runs", gpus=1)
    teams.until_admitted("a", "runs")
    other = {"metadata": {"labels": {"kueue.x-k8s.io/queue-name": "other"}}}
    reply = teams.target.call("PATCH", teams.job_path("a", "runs"), other)
    assert (reply.status, 'webhook "vjob.kb.io" denied the request' in reply.json["message"]) == (403, True)
