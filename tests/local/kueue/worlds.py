"""Clusters with Kueue in them, the world that was recorded, and the short way to submit jobs."""

import re
from collections.abc import Mapping
from typing import Any

from local.addon import controller
from local.addon.definitions import RESOURCES, definition
from local.addon.releases import kueue_of
from local.kubernetes.cluster import Cluster
from local.kubernetes.errors import JsonObject
from tests.local.kubernetes.recorded import comparable, recorded

NEWEST, OLD = "v1.6.1-eksbuild.1", "v1.3.2-eksbuild.1"
"""Versions of the add-on."""
KUEUE = "/apis/kueue.x-k8s.io"
TEAMS = ("hyperpod-ns-team-a", "hyperpod-ns-team-b")
PLURALS = ("cohorts", "resourceflavors", "workloadpriorityclasses", "clusterqueues", "localqueues")
QUEUE_NAME, PRIORITY_CLASS = "kueue.x-k8s.io/queue-name", "kueue.x-k8s.io/priority-class"
GPU = {"cpu": "16", "memory": "64Gi", "nvidia.com/gpu": "1"}
_UID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def install(cluster: Cluster, addon: str = NEWEST) -> None:
    """What the add-on writes, at once."""
    kueue = kueue_of(addon)
    cluster.load(definition(each, kueue) for each in RESOURCES)
    cluster.load([controller.namespace(), controller.configuration(kueue), controller.service()])
    set_controller(cluster, available=True, webhook=True)


def set_controller(cluster: Cluster, *, available: bool, webhook: bool) -> None:
    """Have the controller available or not, and its webhook ready or not."""
    manifest = controller.deployment(kueue_of(NEWEST))
    cluster.load([{**manifest, "status": controller.deployment_status(available, 1)}, controller.endpoints(webhook)])


def make(cluster: Cluster, manifest: JsonObject, plural: str) -> JsonObject:
    """Make an object as somebody who writes a manifest does: without status and metadata of the server."""
    metadata = {name: value for name, value in manifest["metadata"].items() if name in ("name", "namespace", "labels")}
    members = ("apiVersion", "kind", "spec", "value", "description")
    body = {name: manifest[name] for name in members if name in manifest} | {"metadata": metadata}
    within = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    reply = cluster.call("POST", f"/apis/{manifest['apiVersion']}{within}/{plural}", body)
    assert reply.status == 201, reply.text
    made: JsonObject = reply.json
    return made


def make_namespace(cluster: Cluster, name: str) -> None:
    assert cluster.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}}).status == 201


def make_recorded_world(cluster: Cluster, state: str = "0-idle") -> None:
    """The queues of a recorded state, with nothing in them."""
    for name in TEAMS:
        make_namespace(cluster, name)
    for plural in PLURALS:
        for item in recorded(f"{state}.v1beta2.{plural}.list.json")["items"]:
            make(cluster, item, plural)


def job(name: str, requests: Mapping[str, str], *, pods: int = 1, labels: Mapping[str, str]) -> JsonObject:
    """A Job as the recorded ones were submitted."""
    resources = {"requests": dict(requests), "limits": dict(requests)}
    container = {"name": "train", "image": "example.invalid/train:1", "resources": resources}
    pod = {"restartPolicy": "Never", "containers": [container]}
    spec = {"parallelism": pods, "completions": pods, "template": {"spec": pod}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "labels": dict(labels)}, "spec": spec}


def labels_of(team: str, priority: str = "") -> dict[str, str]:
    """Those of a job for a team's queue."""
    queue = {QUEUE_NAME: f"{team}-localqueue"}
    return queue | ({PRIORITY_CLASS: f"{priority}-priority"} if priority else {})


def submit(
    cluster: Cluster,
    team: str,
    name: str,
    requests: Mapping[str, str] = GPU,
    *,
    pods: int = 1,
    priority: str = "training",
) -> JsonObject:
    """Submit a job and wait until Kueue has nothing more to do."""
    body = job(name, requests, pods=pods, labels=labels_of(team, priority))
    reply = cluster.call("POST", jobs(team), body)
    assert reply.status == 201, reply.text
    cluster.kueue.settled()
    made: JsonObject = reply.json
    return made


def jobs(team: str) -> str:
    return f"/apis/batch/v1/namespaces/{team}/jobs"


def get_job(cluster: Cluster, team: str, name: str) -> JsonObject:
    found: JsonObject = cluster.call("GET", f"{jobs(team)}/{name}").json
    return found


def finish(cluster: Cluster, team: str, name: str, kind: str = "Complete", message: str = "") -> None:
    """Say that a job has ended, as the job controller does."""
    condition = {"type": kind, "status": "True", **({"message": message} if message else {})}
    reply = cluster.call("PATCH", f"{jobs(team)}/{name}/status", {"status": {"conditions": [condition]}})
    assert reply.status == 200, reply.text
    cluster.kueue.settled()


def workload_of(cluster: Cluster, team: str, name: str, version: str = "v1beta2") -> JsonObject | None:
    """The workload of a job."""
    items = cluster.call("GET", f"{KUEUE}/{version}/namespaces/{team}/workloads").json["items"]
    owned = [item for item in items if item["metadata"].get("ownerReferences", [{}])[0].get("name") == name]
    assert len(owned) < 2
    return owned[0] if owned else None


def conditions(workload: JsonObject | None) -> dict[str, tuple[str, str]]:
    """Status and reason of each condition."""
    assert workload is not None
    found = workload.get("status", {}).get("conditions", ())
    return {each["type"]: (each["status"], each["reason"]) for each in found}


def queue_status(cluster: Cluster, team: str) -> JsonObject:
    found: JsonObject = cluster.call("GET", f"{KUEUE}/v1beta2/clusterqueues/{team}-clusterqueue").json["status"]
    return found


def reasons(cluster: Cluster, team: str, name: str) -> list[str]:
    """The reasons of the events about an object, in order."""
    items = cluster.call("GET", f"/api/v1/namespaces/{team}/events?fieldSelector=involvedObject.name={name}").json
    found = sorted(items["items"], key=lambda item: int(item["metadata"]["resourceVersion"]))
    return [item["reason"] for item in found]


def as_recorded(document: JsonObject) -> dict[str, Any]:
    """The objects of a list by name, without what differs from run to run: UIDs, times, ends of names."""
    found = {}
    for item in document["items"]:
        same = _timeless(comparable(item))
        # The recorded list of Cohorts was asked for in v1beta1.
        del same["apiVersion"]
        if same["kind"] == "Workload" and "ownerReferences" in same["metadata"]:
            same["metadata"]["name"] = same["metadata"]["name"].rpartition("-")[0]
        found[same["metadata"]["name"]] = same
    return found


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(each) for name, each in value.items() if name != "lastTransitionTime"}
    if isinstance(value, list):
        entries = [_timeless(each) for each in value]
        conditions = all(isinstance(each, dict) and "type" in each for each in entries)
        return sorted(entries, key=lambda entry: str(entry["type"])) if conditions else entries
    return re.sub(_UID, "UID", value) if isinstance(value, str) else value
