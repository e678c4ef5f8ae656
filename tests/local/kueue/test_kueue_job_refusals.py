"""Jobs that are refused: 400 for what cannot be read, 422 by the API server, 403 by Kueue's webhook."""

from typing import Any

import pytest

from local.kubernetes.cluster import Cluster
from local.kubernetes.job_types import JOB, mismatch
from tests.local.kueue import worlds
from tests.local.kueue.worlds import GPU, QUEUE_NAME, TEAMS, get_job, jobs, submit

A, _ = TEAMS
NEGATIVE = "must be greater than or equal to 0"


@pytest.mark.parametrize(
    ("requests", "status", "told"),
    [
        ({"cpu": "-1"}, 422, f'resources.requests[cpu]: Invalid value: "-1": {NEGATIVE}'),
        ({"cpu": "lots"}, 400, "quantities must match the regular expression"),
        ({"cpu": True}, 400, "quantities must match the regular expression"),
    ],
)
def test_jobs_that_are_refused(cluster: Cluster, requests: dict[str, Any], status: int, told: str) -> None:
    reply = cluster.call("POST", jobs(A), worlds.job("train", requests, labels=worlds.labels_of(A)))
    assert (reply.status, told in reply.json["message"]) == (status, True), reply.text


def test_a_job_with_impossible_pods(cluster: Cluster) -> None:
    body = worlds.job("train", GPU, labels=worlds.labels_of(A))
    body["spec"]["parallelism"] = -1
    reply = cluster.call("POST", jobs(A), body)
    told = f'Job.batch "train" is invalid: spec.parallelism: Invalid value: -1: {NEGATIVE}'
    assert (reply.status, reply.json["message"]) == (422, told)
    body["spec"]["parallelism"] = "two"
    assert cluster.call("POST", jobs(A), body).status == 400


def test_a_job_that_asks_for_more_than_there_can_be(cluster: Cluster) -> None:
    submit(cluster, A, "train", {"cpu": "9E"})
    assert get_job(cluster, A, "train")["spec"]["suspend"] is True


def test_a_running_job_stays_in_its_queue(cluster: Cluster) -> None:
    submit(cluster, A, "train")
    reply = cluster.call("PATCH", f"{jobs(A)}/train", {"metadata": {"labels": {QUEUE_NAME: "other"}}})
    told = f'metadata.labels[{QUEUE_NAME}]: Invalid value: "other": field is immutable'
    assert (reply.status, told in reply.json["message"]) == (403, True)
    reply = cluster.call("PATCH", f"{jobs(A)}/train", {"metadata": {"labels": {worlds.PRIORITY_CLASS: None}}})
    assert (reply.status, "cannot be removed from a workload" in reply.json["message"]) == (403, True)


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """A job with another value somewhere in it."""
    body = worlds.job("train", GPU, labels=worlds.labels_of(A))
    place: Any = body
    for each in path[:-1]:
        place = place[each]
    place[path[-1]] = value
    return body


TEMPLATE = ("spec", "template")
POD = (*TEMPLATE, "spec")
RESOURCES = (*POD, "containers", 0, "resources")


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("spec",), "x", "string into Go struct field Job.spec of type v1.JobSpec"),
        (("spec", "suspend"), "x", "string into Go struct field JobSpec.spec.suspend of type bool"),
        (
            ("spec", "parallelism"),
            2**31,
            "number 2147483648 into Go struct field JobSpec.spec.parallelism of type",
        ),
        (TEMPLATE, "x", "string into Go struct field JobSpec.spec.template of type v1.PodTemplateSpec"),
        ((*TEMPLATE, "metadata"), "x", "PodTemplateSpec.spec.template.metadata of type v1.ObjectMeta"),
        (
            (*TEMPLATE, "metadata"),
            {"labels": "abc"},
            "ObjectMeta.spec.template.metadata.labels of type map[string]",
        ),
        (
            (*TEMPLATE, "metadata"),
            {"labels": {"a": 1}},
            "number into Go struct field ObjectMeta.spec.template",
        ),
        (POD, "x", "PodTemplateSpec.spec.template.spec of type v1.PodSpec"),
        ((*POD, "containers"), {}, "object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Co"),
        (
            (*POD, "containers"),
            ["x"],
            "PodSpec.spec.template.spec.containers of type v1.Container",
        ),
        (
            (*POD, "initContainers"),
            [True],
            "PodSpec.spec.template.spec.initContainers of type v1.Container",
        ),
        ((*POD, "tolerations"), "x", "PodSpec.spec.template.spec.tolerations of type []v1.Toleration"),
        (RESOURCES, "x", "Container.spec.template.spec.containers.resources of type v1.ResourceRequirements"),
        ((*RESOURCES, "requests"), ["cpu"], "array into Go struct field ResourceRequirements.spec.template.spec.conta"),
    ],
)
def test_jobs_that_are_of_another_type(path: tuple[str | int, ...], value: Any, told: str) -> None:
    why = mismatch(changed(path, value), JOB)
    assert why.startswith("json: cannot unmarshal ")
    assert told in why


def test_a_job_that_is_of_another_type_cannot_be_read(cluster: Cluster) -> None:
    reply = cluster.call("POST", jobs(A), changed(TEMPLATE, "x"))
    why = "json: cannot unmarshal string into Go struct field JobSpec.spec.template of type v1.PodTemplateSpec"
    told = f'Job in version "v1" cannot be handled as a Job: {why}'
    assert (reply.status, reply.json["message"]) == (400, told)
    assert cluster.call("POST", jobs(A), worlds.job("train", GPU, labels={})).status == 201
    assert cluster.call("PATCH", f"{jobs(A)}/train", {"spec": {"template": {"metadata": "x"}}}).status == 400


def test_a_container_that_is_null_has_no_name(cluster: Cluster) -> None:
    reply = cluster.call("POST", jobs(A), changed((*POD, "containers"), [None]))
    fields = [cause["field"] for cause in reply.json["details"]["causes"]]
    assert (reply.status, fields[0]) == (422, "spec.template.spec.containers[0].name")


def test_what_is_null_is_as_if_it_were_not_there(cluster: Cluster) -> None:
    assert cluster.call("POST", jobs(A), changed(("spec", "parallelism"), None)).status == 201
    cluster.kueue.settled()
    job = get_job(cluster, A, "train")
    assert (job["spec"]["parallelism"], job["status"]["active"]) == (1, 1)
    assert cluster.call("PATCH", f"{jobs(A)}/train", {"spec": {"backoffLimit": None}}).status == 200
    assert get_job(cluster, A, "train")["spec"]["backoffLimit"] == 6


def test_the_pods_of_a_job_that_runs_stay(cluster: Cluster) -> None:
    submit(cluster, A, "train")
    job = get_job(cluster, A, "train")
    job["spec"]["template"]["spec"]["containers"][0]["image"] = "example.invalid/other:1"
    reply = cluster.call("PUT", f"{jobs(A)}/train", job)
    (cause,) = reply.json["details"]["causes"]
    assert (reply.status, cause["field"]) == (422, "spec.template")
    assert cause["message"].endswith("field is immutable")
