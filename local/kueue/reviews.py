"""What Kueue's webhooks have against an object, in their words; rules of Kueue 0.19.2. Pure.

Objects are in v1beta2 and have passed their schema.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from governor.kueue.quantities import QuantityError, parsed
from local.kubernetes.errors import JsonObject
from local.kueue.names import PRIORITY_CLASS, QUEUE_NAME
from local.kueue.rules import reserves_quota
from local.kueue.untrusted import member

Review = Callable[[JsonObject, JsonObject | None], Iterator[str]]
"""Gets the new object and the old one; tells what is wrong, path first."""

NEGATIVE = "must be greater than or equal to 0"
_NAME = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_LABELS = "metadata.labels"
_MOST_FLAVORS = 256
_MOST_COMBINATIONS = 512


def nothing(_: JsonObject, __: JsonObject | None) -> Iterator[str]:
    """A webhook that only adds."""
    yield from ()


def cluster_queue(new: JsonObject, _: JsonObject | None) -> Iterator[str]:
    """Of a ClusterQueue, written for the first time or again."""
    spec = new.get("spec") or {}
    yield from _resource_groups(spec, limited_by="" if spec.get("cohortName") else "cohort", bounds_lending=True)
    yield from _weight(spec)
    groups = spec.get("resourceGroups") or ()
    for members, what in (("flavors", "flavors"), ("coveredResources", "covered resources")):
        count = sum(len(group[members]) for group in groups)
        if count > _MOST_FLAVORS:
            told = f"total number of {what} across all resourceGroups must be ≤ {_MOST_FLAVORS}, got {count}"
            yield _invalid("spec.resourceGroups", count, told)
    for place, group in enumerate(groups):
        count = sum(len(flavor["resources"]) for flavor in group["flavors"])
        if count > _MOST_COMBINATIONS:
            told = (
                f"number of flavor-resource combinations in a resourceGroup must be ≤ {_MOST_COMBINATIONS}, got {count}"
            )
            yield _invalid(f"spec.resourceGroups[{place}]", count, told)


def cohort(new: JsonObject, _: JsonObject | None) -> Iterator[str]:
    """Of a Cohort."""
    spec = new.get("spec") or {}
    yield from _weight(spec)
    yield from _resource_groups(spec, limited_by="" if spec.get("parentName") else "parent", bounds_lending=False)


def workload(new: JsonObject, old: JsonObject | None) -> Iterator[str]:
    """Of a Workload."""
    pod_sets = member(new, "spec").get("podSets") or ()
    variable = sum("minCount" in each for each in pod_sets)
    for place, pod_set in enumerate(pod_sets):
        yield from _requests(pod_set["template"], f"spec.podSets[{place}].template.spec")
    if variable > 1:
        yield _invalid("spec.podSets", variable, "at most one podSet can use minCount")
    if old is not None and reserves_quota(old) and (member(old, "spec").get("podSets") or ()) != pod_sets:
        yield "spec.podSets: Invalid value: field is immutable"


def job(new: JsonObject, old: JsonObject | None) -> Iterator[str]:
    """Of a Job."""
    queue, priority_class = _label(new, QUEUE_NAME), _label(new, PRIORITY_CLASS)
    if queue and not re.fullmatch(_NAME, queue):
        yield _invalid(f"{_LABELS}[{QUEUE_NAME}]", queue, "a lowercase RFC 1123 subdomain is required")
    if old is None:
        return
    runs = not member(new, "spec").get("suspend", False)
    if runs and queue != _label(old, QUEUE_NAME):
        yield _invalid(f"{_LABELS}[{QUEUE_NAME}]", queue, "field is immutable")
    path, had = f"{_LABELS}[{PRIORITY_CLASS}]", _label(old, PRIORITY_CLASS)
    if had and not priority_class:
        yield _invalid(path, "", "WorkloadPriorityClass cannot be removed from a workload")
    elif runs and priority_class and not had:
        yield _invalid(path, priority_class, "WorkloadPriorityClass cannot be added to a non-suspended workload")


def _resource_groups(spec: Mapping[str, Any], *, limited_by: str, bounds_lending: bool) -> Iterator[str]:
    """`limited_by` is what a limit needs and the object lacks."""
    seen_resources: set[str] = set()
    seen_flavors: set[str] = set()
    for place, group in enumerate(spec.get("resourceGroups") or ()):
        path = f"spec.resourceGroups[{place}]"
        for number, name in enumerate(group["coveredResources"]):
            if name in seen_resources:
                yield f'{path}.coveredResources[{number}]: Duplicate value: "{name}"'
            seen_resources.add(name)
        for number, flavor in enumerate(group["flavors"]):
            below = f"{path}.flavors[{number}]"
            for index, (quota, covered) in enumerate(zip(flavor["resources"], group["coveredResources"], strict=False)):
                yield from _quota(quota, covered, f"{below}.resources[{index}]", limited_by, bounds_lending)
            if flavor["name"] in seen_flavors:
                yield f'{below}.name: Duplicate value: "{flavor["name"]}"'
            seen_flavors.add(flavor["name"])


def _quota(quota: Mapping[str, Any], covered: str, path: str, limited_by: str, bounds_lending: bool) -> Iterator[str]:
    if quota["name"] != covered:
        yield _invalid(f"{path}.name", quota["name"], "must match the name in coveredResources")
    yield from _negative(quota["nominalQuota"], f"{path}.nominalQuota")
    for name in ("borrowingLimit", "lendingLimit"):
        if name in quota:
            if limited_by:
                yield _invalid(f"{path}.{name}", str(quota[name]), f"must be nil when {limited_by} is empty")
            yield from _negative(quota[name], f"{path}.{name}")
    lending = quota.get("lendingLimit")
    if bounds_lending and lending is not None and _nano(lending) > _nano(quota["nominalQuota"]):
        told = "must be less than or equal to the nominalQuota"
        yield _invalid(f"{path}.lendingLimit", str(lending), told)


def _weight(spec: Mapping[str, Any]) -> Iterator[str]:
    weight = (spec.get("fairSharing") or {}).get("weight")
    if weight is not None:
        yield from _negative(weight, "spec.fairSharing")


def _requests(template: Mapping[str, Any], path: str) -> Iterator[str]:
    """Resources of containers: none is called pods, which Kueue counts itself, and none is negative."""
    spec = template.get("spec") or {}
    for kind in ("initContainers", "containers"):
        for place, container in enumerate(spec.get(kind) or ()):
            for part in ("requests", "limits"):
                amounts = (container.get("resources") or {}).get(part) or {}
                for name, amount in sorted(amounts.items()):
                    where = f"{path}.{kind}[{place}].resources.{part}[{name}]"
                    if name == "pods":
                        yield _invalid(where, name, "the key is reserved for internal kueue use")
                    yield from _negative(amount, where)


def _negative(amount: Any, path: str) -> Iterator[str]:
    if _nano(amount) < 0:
        yield _invalid(path, str(amount), NEGATIVE)


def _nano(amount: Any) -> int:
    """A quantity in its finest unit; 0 for what is none, which is nothing to compare."""
    try:
        return parsed(str(amount)).nano
    except QuantityError:
        return 0


def _invalid(path: str, value: object, told: str) -> str:
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    return f"{path}: Invalid value: {shown}: {told}"


def _label(obj: Mapping[str, Any], name: str) -> str:
    labels = obj["metadata"].get("labels") or {}
    return str(labels.get(name) or "")
