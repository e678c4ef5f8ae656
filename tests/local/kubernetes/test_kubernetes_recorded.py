"""Answers are those that a real API server with Kueue has been recorded to give."""

import base64
import json
import re
from typing import Any

import pytest

from local.kubernetes.cluster import Cluster
from local.kubernetes.server import KubernetesServer
from local.kubernetes.users import User
from tests.local.kubernetes.recorded import NEW, OLD, comparable, definitions, recorded, recorded_lines

KUEUE = "/apis/kueue.x-k8s.io"
QUEUE = "hyperpod-ns-team-a-clusterqueue"


def _by_name(document: dict[str, Any]) -> dict[str, Any]:
    """A real server lists the resources of definitions in no order."""
    return {**document, "resources": sorted(document["resources"], key=lambda entry: str(entry["name"]))}


@pytest.mark.parametrize(("kueue", "version"), [(NEW, "v1beta1"), (NEW, "v1beta2"), (OLD, "v1beta1")])
def test_discovery(server: KubernetesServer, kueue: str, version: str) -> None:
    cluster = server.add_cluster("research")
    cluster.load(definitions(kueue))
    ours = cluster.call("GET", f"{KUEUE}/{version}").json
    assert _by_name(ours) == _by_name(recorded(f"discovery.kueue.{version}.json", kueue))


@pytest.mark.parametrize(
    ("state", "plural"),
    [
        ("1-borrow", "clusterqueues"),
        ("5-cohort-borrow", "cohorts"),
        ("1-borrow", "localqueues"),
        ("1-borrow", "resourceflavors"),
        ("1-borrow", "workloadpriorityclasses"),
        ("1-borrow", "workloads"),
    ],
)
def test_lists_of_custom_resources(kueue: Cluster, state: str, plural: str) -> None:
    real = recorded(f"{state}.v1beta2.{plural}.list.json")
    kueue.load([real])
    ours = kueue.call("GET", f"{KUEUE}/v1beta2/{plural}").json
    assert comparable(ours) == comparable(real)
    kept = [(item["metadata"]["uid"], item["metadata"]["creationTimestamp"]) for item in real["items"]]
    assert [(item["metadata"]["uid"], item["metadata"]["creationTimestamp"]) for item in ours["items"]] == kept


@pytest.mark.parametrize(("state", "plural"), [("5-cohort-borrow", "cohorts"), ("1-borrow", "resourceflavors")])
def test_the_same_objects_in_an_older_version(kueue: Cluster, state: str, plural: str) -> None:
    kueue.load([recorded(f"{state}.v1beta2.{plural}.list.json")])
    ours = kueue.call("GET", f"{KUEUE}/v1beta1/{plural}").json
    assert comparable(ours) == comparable(recorded(f"{state}.v1beta1.{plural}.list.json"))


def test_lists_of_an_older_kueue(server: KubernetesServer) -> None:
    cluster = server.add_cluster("old")
    real = recorded("1-borrow.v1beta1.clusterqueues.list.json", OLD)
    cluster.load([*definitions(OLD), real])
    assert comparable(cluster.call("GET", f"{KUEUE}/v1beta1/clusterqueues").json) == comparable(real)


def test_lists_of_built_in_resources(cluster: Cluster) -> None:
    real = recorded("1-borrow.v1.events.team-a.list.json")
    cluster.load([real])
    ours = cluster.call("GET", "/api/v1/namespaces/hyperpod-ns-team-a/events").json
    assert comparable(ours) == comparable(real)


def test_pages(kueue: Cluster) -> None:
    pages = [recorded(f"page{number}.v1beta1.workloads.limit2.json") for number in range(1, 5)]
    kueue.load(pages)
    token = ""
    for real in pages:
        ours = kueue.call("GET", f"{KUEUE}/v1beta1/workloads?limit=2&continue={token}").json
        assert comparable(ours) == comparable(real)
        token = ours["metadata"]["continue"]
        assert _start(token) == _start(real["metadata"]["continue"])
    assert token == ""


def _start(token: str) -> str:
    if not token:
        return ""
    start: str = json.loads(base64.urlsafe_b64decode(token + "=="))["start"]
    return start


def test_a_token_that_is_none(kueue: Cluster) -> None:
    reply = kueue.call("GET", f"{KUEUE}/v1beta1/workloads?limit=2&continue=bogus")
    assert (reply.status, reply.json) == (400, recorded("error.400.bad-continue.json"))


def test_no_known_token(kueue: Cluster) -> None:
    reply = kueue.call("GET", f"{KUEUE}/v1beta2/clusterqueues", token="nobody's")
    assert (reply.status, reply.json) == (401, recorded("error.401.json"))


def test_nobody(kueue: Cluster) -> None:
    reply = kueue.call("GET", f"{KUEUE}/v1beta2/clusterqueues", token="")
    assert (reply.status, reply.json) == (403, recorded("error.403.anonymous.json"))


def test_a_user_without_a_role(server: KubernetesServer) -> None:
    cluster = server.add_cluster("c", tokens={"T": User("arn:aws:iam::111122223333:role/hp-reader")})
    reply = cluster.call("GET", "/api/v1/pods", token="T")
    assert (reply.status, reply.json) == (403, recorded("error.403.rbac.json"))


def test_an_object_that_is_not_there(kueue: Cluster) -> None:
    reply = kueue.call("GET", f"{KUEUE}/v1beta2/clusterqueues/nope")
    assert (reply.status, reply.json) == (404, recorded("error.404.clusterqueue.json"))


def test_an_object_that_is_there_already(kueue: Cluster) -> None:
    flavor = {"metadata": {"name": "f1"}, "spec": {}}
    assert kueue.call("POST", f"{KUEUE}/v1beta2/resourceflavors", flavor).status == 201
    reply = kueue.call("POST", f"{KUEUE}/v1beta2/resourceflavors", flavor)
    assert (reply.status, reply.json) == (409, recorded("error.409.already-exists.json"))


def test_a_stale_replacement(kueue: Cluster) -> None:
    kueue.load([recorded("1-borrow.v1beta2.clusterqueues.list.json")])
    path = f"{KUEUE}/v1beta2/clusterqueues/{QUEUE}"
    queue = kueue.call("GET", path).json
    changed = {**queue, "spec": {**queue["spec"], "stopPolicy": "Hold"}}
    assert kueue.call("PUT", path, changed).status == 200
    reply = kueue.call("PUT", path, changed)
    assert (reply.status, reply.json) == (409, recorded("error.409.conflict.json"))


def test_a_token_whose_state_is_forgotten(cluster: Cluster) -> None:
    token = cluster.call("GET", "/api/v1/namespaces?limit=2").json["metadata"]["continue"]
    cluster.call("POST", "/api/v1/namespaces", {"metadata": {"name": "new"}})
    cluster.objects.store.compact()
    reply = cluster.call("GET", f"/api/v1/namespaces?limit=2&continue={token}")
    assert (reply.status, reply.json) == (410, recorded("error.410.continue-expired.json"))
    rest = cluster.call("GET", f"/api/v1/namespaces?continue={reply.json['metadata']['continue']}").json["items"]
    assert [item["metadata"]["name"] for item in rest] == ["kube-public", "kube-system", "new"]


def test_a_version_of_the_future(kueue: Cluster) -> None:
    now = int(kueue.call("GET", f"{KUEUE}/v1beta2/clusterqueues").json["metadata"]["resourceVersion"])
    reply = kueue.call("GET", f"{KUEUE}/v1beta2/clusterqueues?resourceVersion={now + 99994}")
    real = recorded("error.504.future-rv.json")
    assert (reply.status, reply.json["details"], reply.json["reason"]) == (504, real["details"], real["reason"])
    assert re.sub(r"\d+", "N", reply.json["message"]) == re.sub(r"\d+", "N", real["message"])
    assert reply.headers["retry-after"] == "1"


def test_a_name_that_is_none(kueue: Cluster) -> None:
    reply = kueue.call("POST", f"{KUEUE}/v1beta2/clusterqueues", {"metadata": {"name": "BAD_name"}})
    real = recorded("error.422.invalid-clusterqueue.json")
    cause = real["details"]["causes"][0]
    assert (reply.status, reply.json["reason"]) == (422, real["reason"])
    assert reply.json["details"] == {**real["details"], "causes": [cause]}
    assert reply.json["message"] == f"{real['message'].partition('[')[0]}{cause['field']}: {cause['message']}"


def test_a_watch_from_a_version_that_is_forgotten(kueue: Cluster) -> None:
    kueue.objects.store.compact()
    reply = kueue.call("GET", f"{KUEUE}/v1beta2/clusterqueues?watch=1&resourceVersion=1")
    (real,) = recorded_lines("error.410.watch-too-old.jsonl")
    ours = json.loads(reply.text)
    oldest = str(kueue.objects.store.version)
    assert ours["object"].pop("message") == real["object"].pop("message").replace("302", oldest)
    assert ours == real
