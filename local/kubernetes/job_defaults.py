"""What the API server adds to a Job: defaults of the job and its pods, and the labels that tell its pods. Pure."""

from collections.abc import Mapping
from typing import Any

from local.kubernetes.errors import JsonObject

JOB_NAME = "batch.kubernetes.io/job-name"
CONTROLLER_UID = "batch.kubernetes.io/controller-uid"
OLD_LABELS: Mapping[str, str] = {JOB_NAME: "job-name", CONTROLLER_UID: "controller-uid"}
"""The names that the labels had before, which pods still get too."""
_JOB: Mapping[str, Any] = {
    "backoffLimit": 6,
    "completionMode": "NonIndexed",
    "manualSelector": False,
    "podReplacementPolicy": "TerminatingOrFailed",
    "suspend": False,
}
_POD: Mapping[str, Any] = {
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    "terminationGracePeriodSeconds": 30,
}
_CONTAINER: Mapping[str, Any] = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}


def with_job_defaults(job: JsonObject) -> JsonObject:
    """A Job, which has its name and uid, as the API server keeps it; the original stays as it is."""
    spec = job.get("spec")
    if not isinstance(spec, dict):
        return job
    filled = {**_JOB, **spec}
    if "parallelism" not in filled:
        filled["parallelism"] = 1
        filled.setdefault("completions", 1)
    uid, name = job["metadata"]["uid"], job["metadata"]["name"]
    if not filled["manualSelector"]:
        del filled["manualSelector"]
        filled["selector"] = {"matchLabels": {CONTROLLER_UID: uid}}
    template = filled.get("template")
    if isinstance(template, dict):
        filled["template"] = _template(template, {JOB_NAME: name, CONTROLLER_UID: uid})
    return {**job, "spec": filled}


def _template(template: Mapping[str, Any], labels: Mapping[str, str]) -> JsonObject:
    metadata = template.get("metadata") or {}
    told = {**labels, **{OLD_LABELS[name]: value for name, value in labels.items()}}
    filled = {**template, "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), **told}}}
    spec = template.get("spec")
    if isinstance(spec, dict):
        filled["spec"] = {**_POD, **spec}
        for kind in ("initContainers", "containers"):
            if isinstance(spec.get(kind), list):
                filled["spec"][kind] = [_container(each) for each in spec[kind]]
    return filled


def _container(container: Any) -> Any:
    if not isinstance(container, dict):
        return container
    image = str(container.get("image", ""))
    tag = image.rpartition("/")[2].partition(":")[2]
    policy = "Always" if tag in ("", "latest") and "@" not in image else "IfNotPresent"
    return {**_CONTAINER, "imagePullPolicy": policy, **container}
