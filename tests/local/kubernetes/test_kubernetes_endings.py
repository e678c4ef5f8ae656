"""How objects end, and what namespaces and definitions do with what they hold, without HTTP."""

from typing import Any

import pytest

from local.hyperpod.clock import ManualClock
from local.kubernetes.endings import Preconditions
from local.kubernetes.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    MethodNotAllowedError,
    NotFoundError,
    UnknownPathError,
)
from local.kubernetes.listing import ListOptions
from local.kubernetes.objects import Objects
from tests.local.kubernetes.places import (
    CONFIG_MAPS,
    CRDS,
    HELD,
    LOCAL_QUEUES,
    NAMESPACES,
    OLD_QUEUES,
    QUEUES,
    named,
    names,
)
from tests.local.kubernetes.recorded import definitions


def test_an_object_without_finalizers_goes_at_once(objects: Objects) -> None:
    objects.create(QUEUES, named("q"))
    assert objects.delete(QUEUES, "q").gone
    with pytest.raises(NotFoundError):
        objects.get(QUEUES, "q")
    with pytest.raises(NotFoundError):
        objects.delete(QUEUES, "q")


def test_an_object_goes_with_its_last_finalizer(objects: Objects, clock: ManualClock) -> None:
    objects.create(QUEUES, {"metadata": {"name": "q", "finalizers": [HELD, "example.com/too"]}})
    clock.advance(60)
    deletion = objects.delete(QUEUES, "q")
    assert not deletion.gone
    metadata = deletion.object["metadata"]
    assert (metadata["deletionTimestamp"], metadata["deletionGracePeriodSeconds"]) == ("2027-01-15T08:01:00Z", 0)
    assert metadata["generation"] == 2
    clock.advance(60)
    assert objects.delete(QUEUES, "q").object == deletion.object
    objects.patch(QUEUES, "q", {"metadata": {"finalizers": [HELD]}})
    assert names(objects, QUEUES) == ["q"]
    objects.patch(QUEUES, "q", {"metadata": {"finalizers": None}})
    assert names(objects, QUEUES) == []


def test_a_deletion_may_be_of_one_state_only(objects: Objects) -> None:
    made = objects.create(QUEUES, named("q"))["metadata"]
    with pytest.raises(ConflictError, match="UID in precondition: another"):
        objects.delete(QUEUES, "q", conditions=Preconditions(uid="another"))
    with pytest.raises(ConflictError, match="ResourceVersion in precondition: 1,"):
        objects.delete(QUEUES, "q", conditions=Preconditions(version="1"))
    assert objects.delete(QUEUES, "q", conditions=Preconditions(made["uid"], made["resourceVersion"])).gone


def test_a_collection_is_deleted_by_its_labels(objects: Objects) -> None:
    for name, team in (("a", "x"), ("b", "x"), ("c", "y")):
        objects.create(QUEUES, {"metadata": {"name": name, "labels": {"team": team}}})
    went = objects.delete_collection(QUEUES, ListOptions(labels="team=x"))
    assert [item["metadata"]["name"] for item in went.items] == ["a", "b"]
    assert names(objects, QUEUES) == ["c"]


def test_a_namespace_takes_what_it_holds_with_it(objects: Objects) -> None:
    objects.create(NAMESPACES, named("team-a"))
    objects.create(CONFIG_MAPS, named("c"), "team-a")
    objects.create(LOCAL_QUEUES, named("l"), "team-a")
    objects.create(CONFIG_MAPS, named("c"), "default")
    assert objects.delete(NAMESPACES, "team-a").gone
    assert (names(objects, LOCAL_QUEUES), names(objects, CONFIG_MAPS)) == ([], ["c"])
    assert "team-a" not in names(objects, NAMESPACES)


def test_a_namespace_waits_for_what_is_held_in_it(objects: Objects) -> None:
    objects.create(NAMESPACES, named("team-a"))
    objects.create(LOCAL_QUEUES, {"metadata": {"name": "l", "finalizers": [HELD]}}, "team-a")
    ending = objects.delete(NAMESPACES, "team-a")
    assert (ending.gone, ending.object["status"]) == (False, {"phase": "Terminating"})
    with pytest.raises(ForbiddenError, match="unable to create new content in namespace team-a because it is being"):
        objects.create(CONFIG_MAPS, named("c"), "team-a")
    objects.patch(LOCAL_QUEUES, "l", {"metadata": {"finalizers": None}}, "team-a")
    assert "team-a" not in names(objects, NAMESPACES)


def test_a_definition_takes_its_objects_with_it(objects: Objects) -> None:
    objects.create(QUEUES, named("q"))
    definition = objects.get(CRDS, "clusterqueues.kueue.x-k8s.io")
    assert objects.delete(CRDS, "clusterqueues.kueue.x-k8s.io").gone
    with pytest.raises(UnknownPathError):
        objects.list(QUEUES)
    objects.create(CRDS, definition)
    assert names(objects, QUEUES) == []


def test_a_definition_waits_for_objects_that_are_held(objects: Objects) -> None:
    objects.create(QUEUES, {"metadata": {"name": "q", "finalizers": [HELD]}})
    assert not objects.delete(CRDS, "clusterqueues.kueue.x-k8s.io").gone
    with pytest.raises(MethodNotAllowedError, match="while custom resource definition is terminating"):
        objects.create(QUEUES, named("r"))
    objects.patch(QUEUES, "q", {"metadata": {"finalizers": []}})
    with pytest.raises(NotFoundError):
        objects.get(CRDS, "clusterqueues.kueue.x-k8s.io")


def test_a_definition_is_established_and_knows_what_it_stores(objects: Objects) -> None:
    status = objects.get(CRDS, "clusterqueues.kueue.x-k8s.io")["status"]
    assert status["storedVersions"] == ["v1beta2"]
    assert {each["type"]: each["status"] for each in status["conditions"]} == {
        "NamesAccepted": "True",
        "Established": "True",
    }
    assert status["acceptedNames"]["singular"] == "clusterqueue"


def test_stored_versions_are_kept_until_they_are_taken_away(objects: Objects) -> None:
    name = "clusterqueues.kueue.x-k8s.io"
    objects.patch_status(CRDS, name, {"status": {"storedVersions": ["v1beta1", "v1beta2"]}})
    newest = [objects.get(CRDS, name)["spec"]["versions"][1]]
    lost = r"status.storedVersions\[0\]: Invalid value: \"v1beta1\": missing from spec.versions"
    with pytest.raises(InvalidError, match=lost):
        objects.patch(CRDS, name, {"spec": {"versions": newest}})
    objects.patch_status(CRDS, name, {"status": {"storedVersions": ["v1beta2"]}})
    objects.patch(CRDS, name, {"spec": {"versions": newest}})
    with pytest.raises(UnknownPathError):
        objects.list(OLD_QUEUES)


def test_a_new_storage_version_is_a_stored_version(objects: Objects) -> None:
    name = "clusterqueues.kueue.x-k8s.io"
    objects.create(QUEUES, named("q"))
    versions = [{**each, "storage": each["name"] == "v1beta1"} for each in objects.get(CRDS, name)["spec"]["versions"]]
    changed = objects.patch(CRDS, name, {"spec": {"versions": versions}})
    assert changed["status"]["storedVersions"] == ["v1beta2", "v1beta1"]
    assert objects.get(QUEUES, "q")["apiVersion"] == "kueue.x-k8s.io/v1beta2"
    assert objects.get(OLD_QUEUES, "q")["apiVersion"] == "kueue.x-k8s.io/v1beta1"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"scope": "Global"}, "spec.scope: Unsupported value"),
        ({"group": "example.com"}, "metadata.name: Invalid value"),
        ({"versions": []}, "exactly one version marked as storage version"),
        ({"group": ""}, "spec.group: Required value"),
    ],
)
def test_definitions_that_cannot_be(objects: Objects, change: dict[str, Any], complaint: str) -> None:
    definition = definitions()[0]
    objects.delete(CRDS, definition["metadata"]["name"])
    with pytest.raises(InvalidError, match=complaint):
        objects.create(CRDS, {**definition, "spec": {**definition["spec"], **change}})
