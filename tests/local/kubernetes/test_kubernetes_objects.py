"""What Kubernetes makes of objects that are written, replaced, patched and deleted, without HTTP."""

import re
from typing import Any

import pytest

from local.kubernetes.conversion import CONVERTERS
from local.kubernetes.errors import (
    ApiError,
    BadRequestError,
    ConflictError,
    InvalidError,
    NotFoundError,
    UnknownPathError,
)
from local.kubernetes.objects import Objects
from local.kubernetes.store import Change
from tests.local.kubernetes.places import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    LOCAL_QUEUES,
    NAMESPACES,
    NODES,
    OLD_QUEUES,
    QUEUES,
    named,
    names,
)


def test_what_the_server_adds_to_a_new_object(objects: Objects) -> None:
    made = objects.create(QUEUES, {"metadata": {"name": "q", "uid": "mine", "generation": 9}, "spec": {"a": 1}})
    metadata = made["metadata"]
    assert (made["apiVersion"], made["kind"]) == ("kueue.x-k8s.io/v1beta2", "ClusterQueue")
    assert (metadata["creationTimestamp"], metadata["generation"]) == ("2027-01-15T08:00:00Z", 1)
    assert metadata["uid"] != "mine"
    assert metadata["resourceVersion"] == str(objects.store.version)
    assert objects.get(QUEUES, "q") == made


def test_a_new_object_has_no_status_where_status_is_a_resource_of_its_own(objects: Objects) -> None:
    assert "status" not in objects.create(QUEUES, named("q", status={"pendingWorkloads": 1}))
    assert objects.create(NODES, named("n", status={"capacity": {"cpu": "4"}}))["status"] == {"capacity": {"cpu": "4"}}


def test_generated_names(objects: Objects) -> None:
    body = {"metadata": {"generateName": "job-"}}
    names = {objects.create(CONFIG_MAPS, body, "default")["metadata"]["name"] for _ in range(3)}
    assert len(names) == 3
    assert all(re.fullmatch(r"job-[a-z0-9]{5}", name) for name in names)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (named("q", apiVersion="kueue.x-k8s.io/v1beta1"), BadRequestError),
        (named("q", kind="Cohort"), BadRequestError),
        (named("a/b"), InvalidError),
        (named(""), InvalidError),
        ({}, InvalidError),
        (named("x" * 254), InvalidError),
    ],
)
def test_objects_that_cannot_be(objects: Objects, body: dict[str, Any], error: type[ApiError]) -> None:
    with pytest.raises(error):
        objects.create(QUEUES, body)
    assert names(objects, QUEUES) == []


def test_a_namespaced_object_needs_a_namespace_that_is_there(objects: Objects) -> None:
    with pytest.raises(NotFoundError, match=r'^namespaces "missing" not found$'):
        objects.create(CONFIG_MAPS, named("c"), "missing")
    with pytest.raises(BadRequestError, match="does not match the namespace sent"):
        objects.create(CONFIG_MAPS, {"metadata": {"name": "c", "namespace": "kube-system"}}, "default")


def test_a_spec_counts_a_generation_and_labels_do_not(objects: Objects) -> None:
    objects.create(QUEUES, named("q", spec={"a": 1}))
    labelled = objects.patch(QUEUES, "q", {"metadata": {"labels": {"team": "a"}}})
    assert (labelled["metadata"]["generation"], labelled["metadata"]["labels"]) == (1, {"team": "a"})
    changed = objects.patch(QUEUES, "q", {"spec": {"a": None, "b": 2}})
    assert (changed["metadata"]["generation"], changed["spec"]) == (2, {"b": 2})
    counted = objects.patch_status(QUEUES, "q", {"status": {"pendingWorkloads": 3}})
    assert (counted["metadata"]["generation"], counted["status"]) == (2, {"pendingWorkloads": 3})


def test_a_write_that_changes_nothing_is_no_change(objects: Objects) -> None:
    made = objects.create(QUEUES, named("q", spec={"a": 1}))
    assert objects.update(QUEUES, made) == made
    assert objects.patch(QUEUES, "q", {"spec": {"a": 1}}) == made


def test_status_and_the_rest_are_written_apart(objects: Objects) -> None:
    made = objects.create(QUEUES, named("q", spec={"a": 1}))
    both = {**made, "spec": {"a": 2}, "status": {"n": 1}}
    assert objects.update_status(QUEUES, both) | {"metadata": None} == {**both, "spec": {"a": 1}, "metadata": None}
    again = objects.get(QUEUES, "q")
    replaced = objects.update(QUEUES, {**again, "spec": {"a": 3}, "status": {"n": 9}})
    assert (replaced["spec"], replaced["status"]) == ({"a": 3}, {"n": 1})


def test_what_belongs_to_the_server_is_not_replaced(objects: Objects) -> None:
    made = objects.create(QUEUES, named("q"))
    metadata = {**made["metadata"], "creationTimestamp": "2000-01-01T00:00:00Z", "generation": 7, "labels": {"a": "b"}}
    replaced = objects.update(QUEUES, {**made, "metadata": metadata})
    assert {**replaced["metadata"], "resourceVersion": ""} == {
        **made["metadata"],
        "labels": {"a": "b"},
        "resourceVersion": "",
    }


def test_replacing_needs_the_version_that_is_there(objects: Objects) -> None:
    made = objects.create(QUEUES, named("q", spec={}))
    objects.patch(QUEUES, "q", {"spec": {"a": 1}})
    with pytest.raises(ConflictError, match="the object has been modified"):
        objects.update(QUEUES, {**made, "spec": {"a": 2}})
    with pytest.raises(ConflictError, match="the object has been modified"):
        objects.patch(QUEUES, "q", {"metadata": {"resourceVersion": made["metadata"]["resourceVersion"]}, "spec": {}})
    with pytest.raises(InvalidError, match="must be specified for an update"):
        objects.update(QUEUES, named("q", spec={"a": 2}))
    with pytest.raises(ConflictError, match="UID in precondition"):
        objects.patch(QUEUES, "q", {"metadata": {"uid": "another"}})
    assert objects.get(QUEUES, "q")["spec"] == {"a": 1}


def test_some_resources_are_replaced_without_a_version(objects: Objects) -> None:
    objects.create(CONFIG_MAPS, named("c", data={"a": "1"}), "default")
    assert objects.update(CONFIG_MAPS, named("c", data={"a": "2"}), "default")["data"] == {"a": "2"}


def test_a_deployment_has_one_replica_unless_it_says_otherwise(objects: Objects) -> None:
    made = objects.create(DEPLOYMENTS, named("d", spec={"selector": {}}), "default")
    assert (made["spec"]["replicas"], made["status"]) == (1, {})
    assert objects.create(DEPLOYMENTS, named("e", spec={"replicas": 0}), "default")["spec"]["replicas"] == 0


def test_what_is_returned_and_what_was_given_are_not_what_is_kept(objects: Objects) -> None:
    body = named("q", spec={"list": [1]})
    made = objects.create(QUEUES, body)
    body["spec"]["list"].append(2)
    made["spec"]["list"].append(3)
    objects.list(QUEUES).items[0]["spec"]["list"].append(4)
    assert objects.get(QUEUES, "q")["spec"] == {"list": [1]}


def test_a_converter_makes_more_of_a_version_than_its_name(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    renamed = {"kueue.x-k8s.io/v1beta1": ("cohortName", "cohort"), "kueue.x-k8s.io/v1beta2": ("cohort", "cohortName")}

    def convert(obj: dict[str, Any], wanted: str) -> dict[str, Any]:
        old, new = renamed[wanted]
        spec = {new if name == old else name: value for name, value in obj.get("spec", {}).items()}
        return {**obj, "apiVersion": wanted, "spec": spec}

    monkeypatch.setitem(CONVERTERS, "kueue.x-k8s.io", convert)
    objects.create(OLD_QUEUES, named("q", spec={"cohort": "research"}))
    assert objects.get(QUEUES, "q")["spec"] == {"cohortName": "research"}
    objects.patch(OLD_QUEUES, "q", {"spec": {"cohort": "another"}})
    assert objects.get(QUEUES, "q")["spec"] == {"cohortName": "another"}
    assert objects.get(OLD_QUEUES, "q")["metadata"]["generation"] == 2


def test_whoever_follows_changes_sees_them_in_order(objects: Objects) -> None:
    changes: list[Change] = []
    end = objects.subscribe(changes.append)
    objects.create(QUEUES, named("q"))
    objects.patch(QUEUES, "q", {"spec": {"a": 1}})
    objects.delete(QUEUES, "q")
    end()
    objects.create(QUEUES, named("r"))
    assert [(change.type, change.key) for change in changes] == [("ADDED", "q"), ("MODIFIED", "q"), ("DELETED", "q")]
    assert [change.version for change in changes] == sorted(change.version for change in changes)


def test_loading_keeps_everything_and_makes_the_namespace(objects: Objects) -> None:
    held = {
        "apiVersion": "kueue.x-k8s.io/v1beta2",
        "kind": "LocalQueue",
        "metadata": {"name": "l", "namespace": "new", "uid": "u-1", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "status": {"pendingWorkloads": 1},
    }
    objects.load(held)
    loaded = objects.get(LOCAL_QUEUES, "l", "new")
    assert (loaded["metadata"]["uid"], loaded["status"]) == ("u-1", {"pendingWorkloads": 1})
    assert loaded["metadata"]["creationTimestamp"] == "2026-01-01T00:00:00Z"
    assert "new" in names(objects, NAMESPACES)
    objects.load({**held, "status": {"pendingWorkloads": 2}})
    assert objects.get(LOCAL_QUEUES, "l", "new")["status"] == {"pendingWorkloads": 2}
    with pytest.raises(UnknownPathError):
        objects.load({"apiVersion": "v1", "kind": "Nothing", "metadata": {"name": "n"}})
