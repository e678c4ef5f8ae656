"""What a Kubernetes API server does, held against the local one or, by `make test-cluster`, against a real one."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.conftest import CRDS, Make, Widgets
from tests.conformance.target import Target

KUEUE = "/apis/kueue.x-k8s.io"
HELD = "conformance.example.com/held"


def _names(document: dict[str, Any]) -> list[str]:
    return [item["metadata"]["name"] for item in document["items"]]


# Discovery


def test_version_and_groups(target: Target) -> None:
    version = target.call("GET", "/version").json
    assert version["major"] == "1"
    assert re.fullmatch(r"\d+\+?", version["minor"])
    assert re.match(rf"v1\.{version['minor'].rstrip('+')}\.\d+", version["gitVersion"])
    assert target.call("GET", "/api").json["versions"] == ["v1"]
    groups = {group["name"]: group for group in target.call("GET", "/apis").json["groups"]}
    assert groups["kueue.x-k8s.io"]["preferredVersion"] == groups["kueue.x-k8s.io"]["versions"][0]
    one = target.call("GET", KUEUE).json
    assert one["kind"] == "APIGroup"
    assert one["versions"] == groups["kueue.x-k8s.io"]["versions"]


def test_what_kueue_brings(target: Target) -> None:
    version = target.call("GET", KUEUE).json["preferredVersion"]["groupVersion"]
    document = target.call("GET", f"/apis/{version}").json
    assert (document["kind"], document["groupVersion"]) == ("APIResourceList", version)
    entries = {entry["name"]: entry for entry in document["resources"]}
    shown = {name: (entries[name]["kind"], entries[name]["namespaced"]) for name in ("clusterqueues", "localqueues")}
    assert shown == {"clusterqueues": ("ClusterQueue", False), "localqueues": ("LocalQueue", True)}
    assert set(entries["clusterqueues/status"]["verbs"]) == {"get", "patch", "update"}
    assert {"get", "list", "watch"} <= set(entries["workloads"]["verbs"])


@pytest.mark.parametrize(
    ("document", "resource", "namespaced"),
    [
        ("/api/v1", "nodes", False),
        ("/api/v1", "namespaces", False),
        ("/api/v1", "pods/status", True),
        ("/apis/apps/v1", "deployments", True),
        ("/apis/discovery.k8s.io/v1", "endpointslices", True),
        ("/apis/coordination.k8s.io/v1", "leases", True),
        ("/apis/batch/v1", "jobs", True),
        ("/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", False),
        ("/apis/rbac.authorization.k8s.io/v1", "rolebindings", True),
    ],
)
def test_what_is_built_in(target: Target, document: str, resource: str, namespaced: bool) -> None:
    entries = {entry["name"]: entry for entry in target.call("GET", document).json["resources"]}
    assert entries[resource]["namespaced"] is namespaced
    assert {"get", "patch", "update"} <= set(entries[resource]["verbs"])


def test_a_definition_is_established(target: Target, widgets: Widgets) -> None:
    definition = target.call("GET", f"{CRDS}/{widgets.named}").json
    assert definition["status"]["storedVersions"] == ["v1"]
    assert {each["type"]: each["status"] for each in definition["status"]["conditions"]}["Established"] == "True"
    assert definition["spec"]["names"] | {"categories": None} == {
        "kind": "Widget",
        "listKind": "WidgetList",
        "plural": "widgets",
        "singular": "widget",
        "shortNames": ["wd"],
        "categories": None,
    }
    group = target.call("GET", f"/apis/{widgets.group}").json
    assert [each["version"] for each in group["versions"]] == ["v1", "v1beta1"]


# Objects


def test_a_new_object(target: Target, widgets: Widgets, make: Make) -> None:
    made = make("a", {"team": "x"}, spec={"size": 1}, status={"ready": True})
    metadata = made["metadata"]
    assert (made["apiVersion"], made["kind"], made["spec"]) == (f"{widgets.group}/v1", "Widget", {"size": 1})
    assert "status" not in made
    assert (metadata["name"], metadata["namespace"], metadata["generation"]) == ("a", widgets.namespace, 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", metadata["creationTimestamp"])
    assert re.fullmatch(r"[0-9a-f-]{36}", metadata["uid"])
    assert int(metadata["resourceVersion"]) > 0
    assert target.call("GET", f"{widgets.path()}/a").json == made


def test_a_generated_name(target: Target, widgets: Widgets) -> None:
    body = {"apiVersion": f"{widgets.group}/v1", "kind": "Widget", "metadata": {"generateName": "made-"}}
    assert re.fullmatch(r"made-[a-z0-9]{5}", target.call("POST", widgets.path(), body).json["metadata"]["name"])


def test_one_object_in_two_versions(target: Target, widgets: Widgets, make: Make) -> None:
    made = make("a", spec={"size": 1})
    old = target.call("GET", f"{widgets.path('v1beta1')}/a").json
    assert old["apiVersion"] == f"{widgets.group}/v1beta1"
    assert (old["metadata"]["uid"], old["spec"]) == (made["metadata"]["uid"], made["spec"])
    listed = target.call("GET", widgets.path("v1beta1")).json
    assert (listed["apiVersion"], listed["items"][0]["apiVersion"]) == (old["apiVersion"], old["apiVersion"])


def test_a_list_of_a_custom_resource(target: Target, widgets: Widgets, make: Make) -> None:
    made = [make(name) for name in ("b", "a")]
    listed = target.call("GET", widgets.path()).json
    assert (listed["kind"], listed["apiVersion"]) == ("WidgetList", f"{widgets.group}/v1")
    assert listed["items"] == made[::-1]
    assert int(listed["metadata"]["resourceVersion"]) >= int(made[-1]["metadata"]["resourceVersion"])
    assert not listed["metadata"].get("continue")


def test_a_list_of_a_built_in_resource(target: Target, namespace: str) -> None:
    listed = target.call("GET", f"/api/v1/namespaces?fieldSelector=metadata.name%3D{namespace}").json
    assert (listed["kind"], listed["apiVersion"]) == ("NamespaceList", "v1")
    (item,) = listed["items"]
    assert "kind" not in item
    assert item["metadata"]["labels"]["kubernetes.io/metadata.name"] == namespace
    assert item["status"]["phase"] == "Active"


def test_lists_over_all_namespaces(target: Target, widgets: Widgets, make: Make) -> None:
    make("a")
    everywhere = f"/apis/{widgets.group}/v1/widgets"
    assert _names(target.call("GET", everywhere).json) == ["a"]
    elsewhere = widgets.path().replace(widgets.namespace, "default")
    assert _names(target.call("GET", elsewhere).json) == []


def test_pages(target: Target, widgets: Widgets, make: Make) -> None:
    for name in "abcde":
        make(name)
    pages = list(_pages(target, f"{widgets.path()}?limit=2"))
    assert [_names(page) for page in pages] == [["a", "b"], ["c", "d"], ["e"]]
    assert [page["metadata"].get("remainingItemCount") for page in pages] == [3, 1, None]
    assert len({page["metadata"]["resourceVersion"] for page in pages}) == 1


def test_pages_show_one_state(target: Target, widgets: Widgets, make: Make) -> None:
    for name in "ace":
        make(name)
    pages = _pages(target, f"{widgets.path()}?limit=1")
    seen = _names(next(pages))
    make("b")
    target.call("DELETE", f"{widgets.path()}/c")
    target.call("PATCH", f"{widgets.path()}/e", {"spec": {"size": 2}})
    rest = [item for page in pages for item in page["items"]]
    assert seen + [item["metadata"]["name"] for item in rest] == ["a", "c", "e"]
    assert "spec" not in rest[-1]


def _pages(target: Target, path: str) -> Iterator[dict[str, Any]]:
    token = ""
    while True:
        page = target.call("GET", f"{path}&continue={token}").json
        yield page
        token = page["metadata"].get("continue", "")
        if not token:
            return


def test_a_continue_token_that_is_none(target: Target, widgets: Widgets) -> None:
    reply = target.call("GET", f"{widgets.path()}?limit=1&continue=bogus")
    told = "invalid continue token: continue key is not valid: illegal base64 data at input byte 4"
    assert (reply.status, reply.json["reason"], reply.json["message"]) == (400, "BadRequest", told)


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("team%3Dx", ["a"]),
        ("team!%3Dx", ["b", "c"]),
        ("team", ["a", "b"]),
        ("!team", ["c"]),
        ("team+in+(x,y),size%3Dl", ["b"]),
        ("team+notin+(x)", ["b", "c"]),
    ],
)
def test_label_selectors(target: Target, widgets: Widgets, make: Make, selector: str, names: list[str]) -> None:
    make("a", {"team": "x", "size": "s"})
    make("b", {"team": "y", "size": "l"})
    make("c")
    assert _names(target.call("GET", f"{widgets.path()}?labelSelector={selector}").json) == names


def test_field_selectors(target: Target, widgets: Widgets, make: Make) -> None:
    make("a")
    make("b")
    found = target.call("GET", f"{widgets.path()}?fieldSelector=metadata.name!%3Da").json
    assert _names(found) == ["b"]
    reply = target.call("GET", f"{widgets.path()}?fieldSelector=spec.size%3D1")
    assert (reply.status, reply.json["message"]) == (400, "field label not supported: spec.size")


# Writing


def test_replacing_counts_generations(target: Target, widgets: Widgets, make: Make) -> None:
    made = make("a", spec={"size": 1})
    labelled = {**made, "metadata": {**made["metadata"], "labels": {"team": "x"}}}
    first = target.call("PUT", f"{widgets.path()}/a", labelled).json
    second = target.call("PUT", f"{widgets.path()}/a", {**first, "spec": {"size": 2}}).json
    assert [each["metadata"]["generation"] for each in (made, first, second)] == [1, 1, 2]
    assert second["metadata"]["uid"] == made["metadata"]["uid"]
    same = target.call("PUT", f"{widgets.path()}/a", second).json
    assert same["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


def test_a_stale_replacement(target: Target, widgets: Widgets, make: Make) -> None:
    made = make("a", spec={"size": 1})
    target.call("PATCH", f"{widgets.path()}/a", {"spec": {"size": 2}})
    reply = target.call("PUT", f"{widgets.path()}/a", {**made, "spec": {"size": 3}})
    assert reply.status == 409
    assert reply.json == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f'Operation cannot be fulfilled on {widgets.named} "a": the object has been modified; please apply'
        " your changes to the latest version and try again",
        "reason": "Conflict",
        "details": {"name": "a", "group": widgets.group, "kind": "widgets"},
        "code": 409,
    }


def test_a_replacement_without_a_version(target: Target, widgets: Widgets, make: Make) -> None:
    made = make("a")
    body = {"apiVersion": made["apiVersion"], "kind": "Widget", "metadata": {"name": "a"}}
    reply = target.call("PUT", f"{widgets.path()}/a", body)
    assert (reply.status, reply.json["reason"]) == (422, "Invalid")
    assert reply.json["message"].endswith("must be specified for an update")


def test_merge_patches(target: Target, widgets: Widgets, make: Make) -> None:
    make("a", {"team": "x"}, spec={"size": 1, "kept": {"deep": [1, 2]}, "gone": True})
    patch = {"metadata": {"labels": {"tier": "y"}}, "spec": {"size": None, "kept": {"deep": [3]}, "gone": None}}
    patched = target.call("PATCH", f"{widgets.path()}/a", patch).json
    assert (patched["spec"], patched["metadata"]["labels"]) == ({"kept": {"deep": [3]}}, {"team": "x", "tier": "y"})
    assert patched["metadata"]["generation"] == 2
    stale = {"metadata": {"resourceVersion": "1"}, "spec": {"size": 4}}
    assert target.call("PATCH", f"{widgets.path()}/a", stale).status == 409
    assert target.call("PATCH", f"{widgets.path()}/b", {"spec": {}}).status == 404


def test_a_patch_of_a_kind_that_is_none(target: Target, widgets: Widgets, make: Make) -> None:
    make("a")
    reply = target.call("PATCH", f"{widgets.path()}/a", {}, headers={"Content-Type": "text/plain"})
    assert (reply.status, reply.json["reason"]) == (415, "UnsupportedMediaType")


def test_status_and_the_rest_are_apart(target: Target, widgets: Widgets, make: Make) -> None:
    path = f"{widgets.path()}/a"
    make("a", spec={"size": 1})
    set_ = target.call("PATCH", f"{path}/status", {"spec": {"size": 9}, "status": {"ready": 1}}).json
    assert (set_["spec"], set_["status"], set_["metadata"]["generation"]) == ({"size": 1}, {"ready": 1}, 1)
    replaced = target.call("PUT", path, {**set_, "spec": {"size": 2}, "status": {"ready": 9}}).json
    assert (replaced["spec"], replaced["status"]) == ({"size": 2}, {"ready": 1})
    again = target.call("PUT", f"{path}/status", {**replaced, "spec": {"size": 9}, "status": {"ready": 2}}).json
    assert (again["spec"], again["status"]) == ({"size": 2}, {"ready": 2})
    assert target.call("GET", f"{path}/status").json == again


# Deleting


def test_an_object_without_finalizers(target: Target, widgets: Widgets, make: Make) -> None:
    made = make("a")
    deleted = target.call("DELETE", f"{widgets.path()}/a")
    assert (deleted.status, deleted.json["status"]) == (200, "Success")
    assert deleted.json["details"] == {
        "name": "a",
        "group": widgets.group,
        "kind": "widgets",
        "uid": made["metadata"]["uid"],
    }
    assert target.call("GET", f"{widgets.path()}/a").status == 404
    assert target.call("DELETE", f"{widgets.path()}/a").status == 404


def test_an_object_with_a_finalizer(target: Target, widgets: Widgets, make: Make) -> None:
    path = f"{widgets.path()}/a"
    body = {"metadata": {"name": "a", "finalizers": [HELD]}}
    make("a", **body)
    ending = target.call("DELETE", path)
    assert (ending.status, ending.json["kind"]) == (200, "Widget")
    metadata = ending.json["metadata"]
    assert metadata["deletionTimestamp"].endswith("Z")
    assert (metadata["deletionGracePeriodSeconds"], metadata["generation"]) == (0, 2)
    assert target.call("GET", path).json["metadata"]["deletionTimestamp"] == metadata["deletionTimestamp"]
    target.call("PATCH", path, {"metadata": {"finalizers": None}})
    assert target.call("GET", path).status == 404


def test_a_deletion_of_another_object(target: Target, widgets: Widgets, make: Make) -> None:
    made = make("a")
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": "another"}}
    reply = target.call("DELETE", f"{widgets.path()}/a", options)
    assert (reply.status, reply.json["reason"]) == (409, "Conflict")
    assert f"UID in precondition: another, UID in object meta: {made['metadata']['uid']}" in reply.json["message"]


def test_a_collection(target: Target, widgets: Widgets, make: Make) -> None:
    for name, team in (("a", "x"), ("b", "x"), ("c", "y")):
        make(name, {"team": team})
    assert target.call("DELETE", f"{widgets.path()}?labelSelector=team%3Dx").status == 200
    assert _names(target.call("GET", widgets.path()).json) == ["c"]


def test_a_namespace_and_what_it_holds(target: Target, mark: str) -> None:
    path = f"/api/v1/namespaces/governor-conformance-{mark}-brief"
    target.call("POST", "/api/v1/namespaces", {"metadata": {"name": path.rpartition("/")[2]}})
    target.call("POST", f"{path}/configmaps", {"metadata": {"name": "c"}})
    ending = target.call("DELETE", path)
    assert (ending.status, ending.json["kind"]) == (200, "Namespace")
    if not _has_namespace_controller(target):
        pytest.skip("the cluster runs no namespace controller, so no namespace ends")
    target.until("GET", path, lambda reply: reply.status == 404)
    assert target.call("GET", f"{path}/configmaps/c").status == 404


def _has_namespace_controller(target: Target) -> bool:
    """The local server ends namespaces itself; elsewhere the controller manager holds a lease."""
    lease = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager"
    return target.is_local or target.call("GET", lease).status == 200


# Changes


def test_a_watch(target: Target, widgets: Widgets, make: Make) -> None:
    began = target.call("GET", widgets.path()).json["metadata"]["resourceVersion"]
    make("a")
    target.call("PATCH", f"{widgets.path()}/a", {"spec": {"size": 2}})
    target.call("DELETE", f"{widgets.path()}/a")
    reply = target.call("GET", f"{widgets.path()}?watch=true&resourceVersion={began}&timeoutSeconds=1")
    events = [event for event in map(_event, reply.text.splitlines()) if event[0] != "BOOKMARK"]
    assert events == [("ADDED", "Widget", "a"), ("MODIFIED", "Widget", "a"), ("DELETED", "Widget", "a")]


def _event(line: str) -> tuple[str, str, str]:
    event = json.loads(line)
    return event["type"], event["object"]["kind"], event["object"]["metadata"].get("name", "")
