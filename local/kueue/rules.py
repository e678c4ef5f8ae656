"""The rules in Kueue's definitions that go beyond single members (CEL in the original). Pure.

In the words of v1beta2. A rule that looks at an object's past gets it as it was; a new one has none.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local.kubernetes.errors import Cause, JsonObject
from local.kueue.untrusted import is_true

Rule = Callable[[JsonObject, JsonObject | None], Iterator[Cause]]


def broken(kind: str, new: JsonObject, old: JsonObject | None) -> list[Cause]:
    """The rules of a kind that an object breaks, whose members are all right by themselves."""
    return [cause for rule in _RULES.get(kind, ()) for cause in rule(new, old)]


def reserves_quota(workload: Mapping[str, Any] | None) -> bool:
    """Whether quota is reserved for a workload by its conditions."""
    return is_true(workload, "QuotaReserved")


def is_finished(workload: Mapping[str, Any] | None) -> bool:
    """Whether a workload has ended by its conditions."""
    return is_true(workload, "Finished")


def _limits_need_a_cohort(new: JsonObject, _: JsonObject | None) -> Iterator[Cause]:
    spec = new.get("spec") or {}
    resources = [
        resource
        for group in spec.get("resourceGroups") or ()
        for flavor in group["flavors"]
        for resource in flavor["resources"]
    ]
    if "cohortName" not in spec and any("borrowingLimit" in each for each in resources):
        yield _broken("spec", "object", "borrowingLimit must be nil when cohort is empty")


def _flavors_cover_all(new: JsonObject, _: JsonObject | None) -> Iterator[Cause]:
    for place, group in enumerate((new.get("spec") or {}).get("resourceGroups") or ()):
        covered = len(group["coveredResources"])
        if any(len(flavor["resources"]) != covered for flavor in group["flavors"]):
            told = "flavors must have the same number of resources as the coveredResources"
            yield _broken(f"spec.resourceGroups[{place}]", "object", told)


def _borrowing_preemptors_reclaim(new: JsonObject, _: JsonObject | None) -> Iterator[Cause]:
    preemption = (new.get("spec") or {}).get("preemption") or {}
    borrowing = (preemption.get("borrowWithinCohort") or {}).get("policy", "Never")
    if preemption.get("reclaimWithinCohort") == "Never" and borrowing != "Never":
        told = "reclaimWithinCohort=Never and borrowWithinCohort.Policy!=Never"
        yield _broken("spec.preemption", "object", told)


def _preference_tries_everything(new: JsonObject, _: JsonObject | None) -> Iterator[Cause]:
    fungibility = (new.get("spec") or {}).get("flavorFungibility") or {}
    tries = [fungibility.get(name) for name in ("whenCanBorrow", "whenCanPreempt")]
    if "preference" in fungibility and tries != ["TryNextFlavor", "TryNextFlavor"]:
        told = "preference can only be set when both whenCanBorrow and whenCanPreempt are TryNextFlavor"
        yield _broken("spec.flavorFungibility", "object", told)


def _cluster_queue_stays(new: JsonObject, old: JsonObject | None) -> Iterator[Cause]:
    before, after = (((each or {}).get("spec") or {}).get("clusterQueue") for each in (old, new))
    if before is not None and after is not None and before != after:
        yield _broken("spec.clusterQueue", "string", "field is immutable")


def _topology_needs_labels(new: JsonObject, _: JsonObject | None) -> Iterator[Cause]:
    spec = new.get("spec") or {}
    if "topologyName" in spec and not spec.get("nodeLabels"):
        yield _broken("spec", "object", "at least one nodeLabel is required when topology is set")


def _parts_of_pod_sets(new: JsonObject, _: JsonObject | None) -> Iterator[Cause]:
    for place, pod_set in enumerate((new.get("spec") or {}).get("podSets") or ()):
        if pod_set.get("minCount", 0) > pod_set.get("count", 1):
            told = "minCount should be positive and less or equal to count"
            yield _broken(f"spec.podSets[{place}]", "object", told)


def _a_class_has_a_priority(new: JsonObject, _: JsonObject | None) -> Iterator[Cause]:
    spec = new.get("spec") or {}
    if "priorityClassRef" in spec and "priority" not in spec:
        yield _broken("spec", "object", "priority should not be nil when priorityClassRef is set")


def _what_quota_was_reserved_for_stays(new: JsonObject, old: JsonObject | None) -> Iterator[Cause]:
    if old is None or not reserves_quota(old):
        return
    before, after = old.get("spec") or {}, new.get("spec") or {}
    had, has = before.get("priorityClassRef"), after.get("priorityClassRef")
    if (had is None) != (has is None):
        yield _broken("", "object", "priorityClassRef is immutable while workload quota reserved")
    elif had is not None and has is not None:
        for name in ("group", "kind"):
            if had.get(name) != has.get(name):
                yield _broken("", "object", f"priorityClassRef.{name} is immutable while workload quota reserved")
    if reserves_quota(new) and before.get("queueName") != after.get("queueName"):
        yield _broken("", "object", "queueName is immutable while workload quota reserved")


def _broken(path: str, of_type: str, told: str) -> Cause:
    return Cause(path or "<nil>", f'Invalid value: "{of_type}": {told}')


_RULES: Mapping[str, tuple[Rule, ...]] = {
    "ClusterQueue": (
        _limits_need_a_cohort,
        _flavors_cover_all,
        _borrowing_preemptors_reclaim,
        _preference_tries_everything,
    ),
    "LocalQueue": (_cluster_queue_stays,),
    "Cohort": (_flavors_cover_all,),
    "ResourceFlavor": (_topology_needs_labels,),
    "Workload": (_parts_of_pod_sets, _a_class_has_a_priority, _what_quota_was_reserved_for_stays),
}
