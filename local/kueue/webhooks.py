"""Kueue as the API server asks it about what is written: its definitions' schemas and rules, and its webhooks.

The schemas hold where the definitions are, the webhooks where their service is. Kueue has none for LocalQueues and
priority classes. Those for jobs look at all namespaces but two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from governor.kueue.quantities import QuantityError, canonical
from local.kubernetes.admission import Plugin
from local.kubernetes.errors import ApiError, BadRequestError, Cause, ForbiddenError, JsonObject
from local.kubernetes.job_checks import NO_QUANTITY
from local.kubernetes.resources import Resource
from local.kubernetes.schema import UNCHECKED_RULES, blocks_rules, defaulted, problems
from local.kubernetes.store import Store
from local.kueue import reviews
from local.kueue.conversion import converted
from local.kueue.names import (
    CLUSTER_QUEUES,
    COHORTS,
    FLAVORS,
    GROUP,
    HUB,
    IN_USE,
    JOBS,
    QUEUE_NAME,
    SERVICE,
    SYSTEM_NAMESPACE,
    UNMANAGED_NAMESPACES,
    WORKLOADS,
)
from local.kueue.presence import presence
from local.kueue.rules import broken
from local.kueue.schemas import schema_of


@dataclass(frozen=True, slots=True)
class _Webhooks:
    """The webhooks of a resource: `mutates` new objects, if it has such a one, and reviews those written."""

    kind: str
    review: reviews.Review
    mutates: bool = True

    @property
    def path(self) -> str:
        return self.kind.lower()


_QUANTITIES = frozenset({"nominalQuota", "borrowingLimit", "lendingLimit", "weight"})
_WEBHOOKS: Mapping[object, _Webhooks] = {
    CLUSTER_QUEUES: _Webhooks("ClusterQueue", reviews.cluster_queue),
    COHORTS: _Webhooks("Cohort", reviews.cohort, mutates=False),
    FLAVORS: _Webhooks("ResourceFlavor", reviews.nothing),
    WORKLOADS: _Webhooks("Workload", reviews.workload),
    JOBS: _Webhooks("Job", reviews.job),
}


class Webhooks(Plugin):
    """A plugin of the objects of one cluster."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def prepared(self, resource: Resource, new: JsonObject, old: JsonObject | None, /) -> JsonObject:
        """With the defaults of the schema and, for a new object, what Kueue adds: its finalizer, or suspension."""
        if resource.group == GROUP:
            schema = schema_of(resource.kind, _version(new), resource.versions)
            new = defaulted(new, schema) if schema else new
        webhooks = self._webhooks(resource, new)
        if webhooks is None or not webhooks.mutates or old is not None:
            return new
        self._call(resource, webhooks, "m", "mutate")
        return _mutated(resource, new)

    def causes(self, resource: Resource, new: JsonObject, old: JsonObject | None, /) -> list[Cause]:
        if resource.group != GROUP:
            return []
        schema = schema_of(resource.kind, _version(new), resource.versions)
        causes = list(problems(new, schema)) if schema else []
        if any(map(blocks_rules, causes)):
            return [*causes, UNCHECKED_RULES]
        if causes:
            return causes
        return broken(resource.kind, converted(new, HUB), converted(old, HUB) if old else None)

    def review(self, resource: Resource, new: JsonObject, old: JsonObject | None, /) -> None:
        webhooks = self._webhooks(resource, new)
        if webhooks is None:
            return
        self._call(resource, webhooks, "v", "validate")
        if resource.group == GROUP:
            new, old = converted(new, HUB), converted(old, HUB) if old else None
        found = list(webhooks.review(new, old))
        if found:
            text = found[0] if len(found) == 1 else f"[{', '.join(found)}]"
            raise ForbiddenError(f'admission webhook "v{webhooks.path}.kb.io" denied the request: {text}')

    def _webhooks(self, resource: Resource, obj: JsonObject) -> _Webhooks | None:
        """Those that are asked about an object."""
        webhooks = _WEBHOOKS.get(resource.key)
        if webhooks is None or not presence(self._store).registered:
            return None
        unmanaged = resource.key == JOBS and obj["metadata"].get("namespace") in UNMANAGED_NAMESPACES
        return None if unmanaged else webhooks

    def _call(self, resource: Resource, webhooks: _Webhooks, prefix: str, verb: str) -> None:
        """Raises ApiError where nobody answers."""
        if presence(self._store).answers:
            return
        group = resource.group.replace(".", "-")
        path = f"{verb}-{group}-{resource.storage}-{webhooks.path}"
        told = (
            f'failed calling webhook "{prefix}{webhooks.path}.kb.io": failed to call webhook: Post '
            f'"https://{SERVICE}.{SYSTEM_NAMESPACE}.svc:443/{path}?timeout=10s": '
            f'no endpoints available for service "{SERVICE}"'
        )
        raise ApiError(f"Internal error occurred: {told}", {"causes": [{"message": told}]})


def _version(obj: JsonObject) -> str:
    return str(obj["apiVersion"]).rpartition("/")[2]


def _mutated(resource: Resource, new: JsonObject) -> JsonObject:
    metadata = new["metadata"]
    if resource.key == JOBS:
        spec = new.get("spec")
        named = QUEUE_NAME in (metadata.get("labels") or {})
        return {**new, "spec": {**spec, "suspend": True}} if named and isinstance(spec, dict) else new
    if resource.key == WORKLOADS:
        return new
    if resource.key == CLUSTER_QUEUES and isinstance(new.get("spec"), dict):
        new = {**new, "spec": _canonical(new["spec"])}
    finalizers = metadata.get("finalizers") or []
    if IN_USE in finalizers:
        return new
    return {**new, "metadata": {**metadata, "finalizers": [*finalizers, IN_USE]}}


def _canonical(value: Any, name: str = "") -> Any:
    """A new queue's quantities as Kueue's own types write them. Raises BadRequestError for what is none."""
    if isinstance(value, dict):
        return {name: _canonical(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_canonical(each) for each in value]
    if name not in _QUANTITIES:
        return value
    try:
        return canonical(str(value))
    except QuantityError:
        told = f'admission webhook "mclusterqueue.kb.io" denied the request: {NO_QUANTITY}'
        raise BadRequestError(told) from None
