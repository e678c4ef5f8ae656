"""Brings a cluster's Kubernetes to the expected objects, and takes away what is no longer expected.

Every object that this writes has a label with the id of the HyperPod cluster, and an annotation with a digest of what
was written. An object is written again when it is of the resource that was changed, when something else is expected of
it than was written last, or when it is missing. What somebody else has changed in it stays until then: that SageMaker
would undo it at once is not known.

An object that cannot be written keeps no other from being written: whom it concerns is told.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from local.addon.connection import Connection, KubernetesError
from local.hyperpod.kueue_objects import NAMESPACE_LABELS, Apis, Expected, ObjectKey

CLUSTER_LABEL = "hyperpod-governor.local/hyperpod-cluster"
WRITTEN = "hyperpod-governor.local/written"
ORIGIN = "hyperpod-governor.local/origin"
_PLURALS: Mapping[str, str] = MappingProxyType(
    {
        "Namespace": "namespaces",
        "ResourceFlavor": "resourceflavors",
        "Cohort": "cohorts",
        "WorkloadPriorityClass": "workloadpriorityclasses",
        "ClusterQueue": "clusterqueues",
        "LocalQueue": "localqueues",
    }
)
"""In the order in which they are made; they go the other way round."""
_ATTEMPTS = 5
Json = dict[str, Any]


class EndingError(Exception):
    """An object of the wanted name is on its way out: somebody still holds it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an object is not as expected, and the ids of the resources that need it; none where it should be gone."""

    error: KubernetesError | EndingError
    concerns: frozenset[str]


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose objects these are. Those of clusters that are not among the `living` are left over, and go too."""

    cluster: str
    living: Collection[str]

    def owns(self, obj: Mapping[str, Any]) -> bool:
        label = obj["metadata"]["labels"][CLUSTER_LABEL]
        return label == self.cluster or label not in self.living


class Keeper:
    """Writes through one connection."""

    def __init__(self, connection: Connection, apis: Apis) -> None:
        self._connection = connection
        self._apis = apis

    def keep(self, expected: Iterable[Expected], owner: Owner, changed: Collection[str]) -> list[Failure]:
        """Have these objects and no others of the owner. Of resources with a `changed` id all are written.

        Returns what could not be done. Raises KubernetesError where what is there cannot be listed, or nobody answers.
        """
        wanted = {each.key: each for each in expected}
        present = {key: obj for key, obj in self._present().items() if owner.owns(obj)}
        failures = []
        for key in self._outgoing(present, wanted):
            error = _error_of(partial(self._take_away, key))
            if error is not None:
                origin = present[key]["metadata"].get("annotations", {}).get(ORIGIN)
                failures.append(Failure(error, frozenset([origin] if origin else ())))
        for key, each in wanted.items():
            manifest = _marked(each, owner.cluster)
            found = present.get(key)
            if found is None or (each.origin and each.origin in changed) or _differs(found, manifest):
                error = _error_of(partial(self._put, key, manifest))
                if error is not None:
                    failures.append(Failure(error, _concerned(each, wanted.values())))
        return failures

    def _present(self) -> dict[ObjectKey, Json]:
        found = {}
        for kind in _PLURALS:
            for obj in self._connection.ask("GET", f"{self._collection(kind)}?labelSelector={CLUSTER_LABEL}")["items"]:
                metadata = obj["metadata"]
                found[kind, metadata.get("namespace", ""), metadata["name"]] = obj
        return found

    @staticmethod
    def _outgoing(present: Iterable[ObjectKey], wanted: Collection[ObjectKey]) -> list[ObjectKey]:
        order = list(_PLURALS)
        return sorted(
            (key for key in present if key not in wanted), key=lambda key: (-order.index(key[0]), key[1], key[2])
        )

    def _take_away(self, key: ObjectKey) -> None:
        """Delete an object; a namespace stays, with what is in it, and is governed no longer."""
        kind, _, _ = key
        if kind == "Namespace":
            self._release(key)
            return
        try:
            self._connection.ask("DELETE", self._path(key), {"propagationPolicy": "Background"})
        except KubernetesError as error:
            if error.status != 404:
                raise

    def _release(self, key: ObjectKey) -> None:
        found = self._get(key)
        if found is not None:
            labels = dict.fromkeys((*NAMESPACE_LABELS, CLUSTER_LABEL))
            change = {"labels": labels, "annotations": {WRITTEN: None, ORIGIN: None}}
            self._connection.ask("PATCH", self._path(key), {"metadata": change})

    def _put(self, key: ObjectKey, manifest: Json) -> None:
        """Make an object, or write our members into the one that is there."""
        for _ in range(_ATTEMPTS):
            found = self._get(key)
            if found is not None and found["metadata"].get("deletionTimestamp"):
                raise EndingError(f"{key[0]} {key[2]} is being deleted and something still holds it.")
            try:
                if found is None:
                    self._connection.ask("POST", self._collection(key[0], key[1]), manifest)
                else:
                    self._connection.ask("PUT", self._path(key), _merged(found, manifest))
            except KubernetesError as error:
                # Somebody else was quicker: made it, changed it, or took it away.
                if error.status != 409 and not (error.status == 404 and found is not None):
                    raise
                last = error
            else:
                return
        raise last

    def _get(self, key: ObjectKey) -> Json | None:
        try:
            found: Json = self._connection.ask("GET", self._path(key))
        except KubernetesError as error:
            if error.status == 404:
                return None
            raise
        return found

    def _path(self, key: ObjectKey) -> str:
        kind, namespace, name = key
        return f"{self._collection(kind, namespace)}/{name}"

    def _collection(self, kind: str, namespace: str = "") -> str:
        if kind == "Namespace":
            return "/api/v1/namespaces"
        version = self._apis.cohorts if kind == "Cohort" else self._apis.version
        within = f"/namespaces/{namespace}" if namespace else ""
        return f"/apis/kueue.x-k8s.io/{version}{within}/{_PLURALS[kind]}"


def _error_of(write: Callable[[], None]) -> KubernetesError | EndingError | None:
    """What has kept one object from being written. Raises KubernetesError where nobody answers: the next would wait."""
    try:
        write()
    except EndingError as error:
        return error
    except KubernetesError as error:
        if not error.status:
            raise
        return error
    return None


def _concerned(failed: Expected, wanted: Iterable[Expected]) -> frozenset[str]:
    """Whose object it is. Flavors and the cohort are those of all whose queues name them."""
    if failed.origin:
        return frozenset([failed.origin])
    kind, _, name = failed.key
    queues = (each for each in wanted if each.key[0] == "ClusterQueue")
    return frozenset(each.origin for each in queues if kind == "Cohort" or name in _flavors(each.manifest["spec"]))


def _flavors(spec: Mapping[str, Any]) -> set[str]:
    return {flavor["name"] for group in spec.get("resourceGroups", ()) for flavor in group["flavors"]}


def _marked(expected: Expected, cluster: str) -> Json:
    manifest = expected.manifest
    digest = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:16]
    metadata = manifest["metadata"]
    labels = {**metadata.get("labels", {}), CLUSTER_LABEL: cluster}
    annotations = {WRITTEN: digest, **({ORIGIN: expected.origin} if expected.origin else {})}
    return {**manifest, "metadata": {**metadata, "labels": labels, "annotations": annotations}}


def _differs(found: Mapping[str, Any], manifest: Mapping[str, Any]) -> bool:
    """Whether it was written by another plan than this, or belongs to another cluster."""
    was, wanted = found["metadata"], manifest["metadata"]
    same = was.get("annotations", {}).get(WRITTEN) == wanted["annotations"][WRITTEN]
    return not same or was["labels"][CLUSTER_LABEL] != wanted["labels"][CLUSTER_LABEL]


def _merged(found: Mapping[str, Any], manifest: Mapping[str, Any]) -> Json:
    """The object with our members, in its own resourceVersion; members that we do not write stay."""
    metadata = dict(found["metadata"])
    for part in ("labels", "annotations"):
        metadata[part] = {**metadata.get(part, {}), **manifest["metadata"].get(part, {})}
    spec = {"spec": {**found.get("spec", {}), **manifest["spec"]}} if "spec" in manifest else {}
    return {**found, **manifest, "metadata": metadata, **spec}
