"""Kueue's objects in another version of its API: what v1beta2 calls otherwise than v1beta1 and v1alpha1.

Source: Kueue's API reference for both versions, and recorded answers in both. What only one version has stays as it is,
but for topology requests, whose constraints v1beta1 does not know.
"""

from collections.abc import Mapping
from typing import Any

from local.kubernetes.errors import JsonObject

NEW = "v1beta2"
_CLASS_REFERENCES: Mapping[str, tuple[str, str]] = {
    "kueue.x-k8s.io/workloadpriorityclass": ("kueue.x-k8s.io", "WorkloadPriorityClass"),
    "scheduling.k8s.io/priorityclass": ("scheduling.k8s.io", "PriorityClass"),
}
"""Group and kind of a priority class, by what v1beta1 calls its source."""
_SOURCES = {reference: source for source, reference in _CLASS_REFERENCES.items()}
_RENAMED: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "ClusterQueue": (("spec", "cohort", "cohortName"),),
    "LocalQueue": (("status", "flavorUsage", "flavorsUsage"),),
    "Workload": (("status", "accumulatedPastExexcutionTimeSeconds", "accumulatedPastExecutionTimeSeconds"),),
}
"""By kind: where, the member of v1beta1, and that of v1beta2."""


def converted(obj: JsonObject, wanted: str) -> JsonObject:
    """An object of Kueue in another apiVersion of its group; the original stays as it is."""
    version = wanted.rpartition("/")[2]
    old = str(obj.get("apiVersion", "")).rpartition("/")[2]
    kind = obj.get("kind", "")
    new = {**obj, "apiVersion": wanted}
    if old == version:
        return new
    if "v1alpha1" in (old, version) and kind == "Cohort":
        _rename(new, "spec", "parent", "parentName", forward=old == "v1alpha1")
    if NEW not in (old, version):
        return new
    forward = version == NEW
    for where, older, newer in _RENAMED.get(kind, ()):
        _rename(new, where, older, newer, forward=forward)
    if kind == "Workload" and isinstance(new.get("spec"), dict):
        new["spec"] = _with_class_reference(new["spec"]) if forward else _with_class_name(new["spec"])
    if kind == "ClusterQueue" and forward and isinstance(new.get("spec"), dict):
        new["spec"] = _without_old_words(new["spec"])
    return new


def _rename(obj: JsonObject, where: str, older: str, newer: str, *, forward: bool) -> None:
    """Give a member its other name, in a copy of what holds it."""
    source, target = (older, newer) if forward else (newer, older)
    holder = obj.get(where)
    if isinstance(holder, dict) and source in holder:
        obj[where] = {target if name == source else name: value for name, value in holder.items()}


def _with_class_reference(spec: Mapping[str, Any]) -> JsonObject:
    new = {name: value for name, value in spec.items() if name not in ("priorityClassName", "priorityClassSource")}
    reference = _CLASS_REFERENCES.get(spec.get("priorityClassSource", ""))
    if reference is not None:
        group, kind = reference
        new["priorityClassRef"] = {"group": group, "kind": kind, "name": spec.get("priorityClassName", "")}
    return new


def _with_class_name(spec: Mapping[str, Any]) -> JsonObject:
    new = {name: value for name, value in spec.items() if name != "priorityClassRef"}
    given = spec.get("priorityClassRef")
    if isinstance(given, dict):
        source = _SOURCES.get((given.get("group", ""), given.get("kind", "")))
        if source is not None:
            new |= {"priorityClassName": given.get("name", ""), "priorityClassSource": source}
    return new


def _without_old_words(spec: Mapping[str, Any]) -> JsonObject:
    """A ClusterQueue without the words that v1beta2 no longer takes."""
    new = dict(spec)
    fungibility = new.get("flavorFungibility")
    if isinstance(fungibility, dict):
        new["flavorFungibility"] = {
            name: "MayStopSearch" if value in ("Borrow", "Preempt") else value for name, value in fungibility.items()
        }
    checks = new.pop("admissionChecks", None)
    if checks:
        new["admissionChecksStrategy"] = {"admissionChecks": [{"name": name} for name in checks]}
    return new
