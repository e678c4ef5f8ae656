"""What a Job is for Kueue, and what Kueue does to a Job: manifests in, manifests out. Pure.

Pods are imagined: a job that runs has as many active ones as it may, of which none is ever ready.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from governor.kueue.objects import Admission
from local.kubernetes.errors import JsonObject
from local.kubernetes.job_defaults import CONTROLLER_UID, JOB_NAME, OLD_LABELS
from local.kueue.names import IN_USE, JOB_UID, PRIORITY_CLASS, QUEUE_NAME
from local.kueue.untrusted import conditions, entries, member

POD_SET = "main"
_LONGEST_NAME = 253
_INDEX = "batch.kubernetes.io/job-completion-index"
_OF_ONE_JOB = (CONTROLLER_UID, OLD_LABELS[CONTROLLER_UID], OLD_LABELS[JOB_NAME])
"""Labels of pods that Kueue leaves out."""


def queue_of(job: Mapping[str, Any]) -> str:
    """The LocalQueue that a job names; "" for a job that is none of Kueue's business."""
    return str((job["metadata"].get("labels") or {}).get(QUEUE_NAME) or "")


def priority_class_of(job: Mapping[str, Any]) -> str:
    """The WorkloadPriorityClass that a job names, or ""."""
    return str((job["metadata"].get("labels") or {}).get(PRIORITY_CLASS) or "")


def is_suspended(job: Mapping[str, Any]) -> bool:
    """Whether a job must not have pods."""
    return bool(member(job, "spec").get("suspend", False))


def ended(job: Mapping[str, Any]) -> tuple[bool, str] | None:
    """Whether a job has succeeded, and its own message; None for one that goes on."""
    for condition in conditions(job):
        if condition["type"] in ("Complete", "Failed") and condition.get("status") == "True":
            return condition["type"] == "Complete", str(condition.get("message") or "")
    return None


def pods_of(job: Mapping[str, Any]) -> int:
    """How many pods a job has at once: its parallelism, but no more than it has to complete."""
    spec = member(job, "spec")
    parallelism, completions = spec.get("parallelism", 1), spec.get("completions")
    return int(parallelism if completions is None else min(parallelism, completions))


def pod_sets_of(job: Mapping[str, Any], *, indexed: bool) -> list[JsonObject]:
    """The pod set of a job; `indexed` tells Kueue by which label pods are numbered, which v1beta2 has."""
    template = member(member(job, "spec"), "template")
    metadata = member(template, "metadata")
    labels = {name: value for name, value in member(metadata, "labels").items() if name not in _OF_ONE_JOB}
    pod_set: JsonObject = {
        "name": POD_SET,
        "count": pods_of(job),
        "template": {"metadata": {**metadata, "labels": labels}, "spec": member(template, "spec")},
    }
    if indexed:
        pod_set["topologyRequest"] = {"podIndexLabel": _INDEX}
    return [pod_set]


def workload_of(job: Mapping[str, Any], priority: int, *, indexed: bool) -> JsonObject:
    """The Workload of a job, in v1beta2."""
    metadata = job["metadata"]
    owner = {
        "apiVersion": "batch/v1",
        "blockOwnerDeletion": True,
        "controller": True,
        "kind": "Job",
        "name": metadata["name"],
        "uid": metadata["uid"],
    }
    return {
        "kind": "Workload",
        "apiVersion": "kueue.x-k8s.io/v1beta2",
        "metadata": {
            "name": name_of(metadata["name"], metadata["uid"]),
            "namespace": metadata["namespace"],
            "labels": {JOB_UID: metadata["uid"]},
            "finalizers": [IN_USE],
            "ownerReferences": [owner],
        },
        "spec": {
            "active": True,
            "podSets": pod_sets_of(job, indexed=indexed),
            "priority": priority,
            "queueName": queue_of(job),
            **class_reference(priority_class_of(job)),
        },
    }


def class_reference(name: str) -> JsonObject:
    """How a workload refers to its priority class; nothing for one without."""
    if not name:
        return {}
    return {"priorityClassRef": {"group": "kueue.x-k8s.io", "kind": "WorkloadPriorityClass", "name": name}}


def name_of(job: str, uid: str) -> str:
    """`job-NAME-HASH`: the hash tells a job from another one of its name."""
    digest = hashlib.sha1(f"batch/Job\n{job}\n{uid}".encode(), usedforsecurity=False).hexdigest()[:5]
    return f"{f'job-{job}'[: _LONGEST_NAME - 6]}-{digest}"


def started(job: JsonObject, admission: Admission, flavors: Iterable[JsonObject]) -> JsonObject:
    """A job that runs where its flavors' nodes are: their labels and tolerations come to those of its pods."""
    spec = job["spec"]
    template = spec.get("template") or {}
    pod = dict(template.get("spec") or {})
    selector, tolerations = dict(pod.get("nodeSelector") or {}), list(pod.get("tolerations") or ())
    for flavor in flavors:
        given = flavor.get("spec") or {}
        selector |= given.get("nodeLabels") or {}
        tolerations += [each for each in given.get("tolerations") or () if each not in tolerations]
    pod |= {**({"nodeSelector": selector} if selector else {}), **({"tolerations": tolerations} if tolerations else {})}
    count = admission.pod_sets[0].count if admission.pod_sets else pods_of(job)
    parallelism = {"parallelism": count} if count != pods_of(job) else {}
    return {**job, "spec": {**spec, **parallelism, "suspend": False, "template": {**template, "spec": pod}}}


def stopped(job: JsonObject) -> JsonObject:
    """A job that is suspended."""
    return {**job, "spec": {**member(job, "spec"), "suspend": True}}


def restored(job: JsonObject, workload: Mapping[str, Any]) -> JsonObject:
    """A job that is suspended, with its pods as they were before it was started."""
    spec = job["spec"]
    template = member(spec, "template")
    pod = dict(member(template, "spec"))
    original = member(member(_pod_set_of(workload), "template"), "spec")
    for name in ("nodeSelector", "tolerations"):
        pod.pop(name, None)
        if name in original:
            pod[name] = original[name]
    return {**job, "spec": {**spec, "template": {**template, "spec": pod}}}


def has_other_pods(job: Mapping[str, Any], workload: Mapping[str, Any]) -> bool:
    """Whether a job has more or fewer pods than its workload has quota for.

    Nothing else of the pods of a job that runs can change, but for what Kueue itself adds when it starts it.
    """
    return pods_of(job) != _pod_set_of(workload).get("count")


def _pod_set_of(workload: Mapping[str, Any]) -> JsonObject:
    return next(iter(entries(member(workload, "spec"), "podSets")), {})


def imagined_status(job: Mapping[str, Any], now: str) -> JsonObject:
    """The status that a job controller would show of a job that runs, that is suspended, or that has ended."""
    status = {name: value for name, value in member(job, "status").items() if name not in ("active", "ready")}
    if ended(job) is not None:
        return status
    if "conditions" in status:
        status["conditions"] = conditions(job)
    suspended = is_suspended(job)
    others = [each for each in conditions(job) if each["type"] != "Suspended"]
    before = [each for each in conditions(job) if each["type"] == "Suspended"]
    wanted = "True" if suspended else "False"
    if suspended or before:
        if not before or before[0].get("status") != wanted:
            told = ("JobSuspended", "Job suspended") if suspended else ("JobResumed", "Job resumed")
            before = [{"type": "Suspended", "status": wanted, "reason": told[0], "message": told[1]}]
            before[0] |= {"lastProbeTime": now, "lastTransitionTime": now}
        status["conditions"] = [*others, *before]
    if suspended:
        status.pop("startTime", None)
    else:
        status.setdefault("startTime", now)
        status |= {"active": pods_of(job), "ready": 0}
    return status
