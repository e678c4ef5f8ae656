"""What is wrong is refused: by the definitions' schemas and rules with 422, by Kueue's webhooks with 403."""

from copy import deepcopy
from typing import Any

import pytest

from local.kubernetes.cluster import Cluster
from tests.local.kubernetes.recorded import recorded
from tests.local.kueue import worlds
from tests.local.kueue.worlds import GPU, KUEUE, TEAMS, jobs, set_controller, submit, workload_of

A, B = TEAMS
QUEUES = f"{KUEUE}/v1beta2/clusterqueues"
WORKLOADS = f"{KUEUE}/v1beta2/namespaces/{A}/workloads"
NEGATIVE = "must be greater than or equal to 0"


def queue(**spec: Any) -> dict[str, Any]:
    """A ClusterQueue that is all right but for what is given."""
    resources = [{"name": "cpu", "nominalQuota": "4"}]
    groups = [{"coveredResources": ["cpu"], "flavors": [{"name": "f", "resources": resources}]}]
    return {"metadata": {"name": "new"}, "spec": {"cohortName": "hyperpod", "resourceGroups": groups, **spec}}


def group(*resources: dict[str, Any], covered: tuple[str, ...] = ("cpu",)) -> list[dict[str, Any]]:
    return [{"coveredResources": list(covered), "flavors": [{"name": "f", "resources": list(resources)}]}]


def workload(requests: Any, **spec: Any) -> dict[str, Any]:
    pods = {"containers": [{"name": "c", "resources": {"requests": requests}}]}
    pod_sets = [{"name": "main", "count": 1, "template": {"spec": pods}}]
    return {"metadata": {"name": "new"}, "spec": {"queueName": f"{A}-localqueue", "podSets": pod_sets, **spec}}


def test_as_recorded_by_the_schema(cluster: Cluster) -> None:
    body = {"metadata": {"name": "BAD_name"}, "spec": {"queueingStrategy": "Nope"}}
    reply = cluster.call("POST", QUEUES, body)
    assert (reply.status, reply.json) == (422, recorded("error.422.invalid-clusterqueue.json"))


def test_as_recorded_by_the_webhook(cluster: Cluster) -> None:
    names = ("nvidia.com/gpu", "memory", "cpu")
    resources = [{"name": name, "nominalQuota": "1"} for name in names]
    body = queue(resourceGroups=group(*resources, covered=("cpu", "memory", "nvidia.com/gpu")))
    reply = cluster.call("POST", QUEUES, body)
    assert (reply.status, reply.json) == (403, recorded("error.403.webhook-denied-clusterqueue.json"))


def test_defaults(cluster: Cluster) -> None:
    made = cluster.call("POST", QUEUES, queue(fairSharing={})).json
    spec = {name: value for name, value in made["spec"].items() if name not in ("resourceGroups", "cohortName")}
    assert spec == {
        "fairSharing": {"weight": "1"},
        "flavorFungibility": {"whenCanBorrow": "MayStopSearch", "whenCanPreempt": "TryNextFlavor"},
        "preemption": {
            "borrowWithinCohort": {"policy": "Never"},
            "reclaimWithinCohort": "Never",
            "withinClusterQueue": "Never",
        },
        "queueingStrategy": "BestEffortFIFO",
        "stopPolicy": "None",
    }
    assert made["metadata"]["finalizers"] == ["kueue.x-k8s.io/resource-in-use"]


def test_quantities_of_a_new_queue_are_written_canonically(cluster: Cluster) -> None:
    quota = {"name": "cpu", "nominalQuota": "4000m", "borrowingLimit": 1500, "lendingLimit": "0.5"}
    made = cluster.call("POST", QUEUES, queue(resourceGroups=group(quota))).json
    (resource,) = made["spec"]["resourceGroups"][0]["flavors"][0]["resources"]
    assert resource == {"name": "cpu", "nominalQuota": "4", "borrowingLimit": "1500", "lendingLimit": "500m"}


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        (
            {"stopPolicy": "Later"},
            "spec.stopPolicy",
            'Unsupported value: "Later": supported values: "None", "Hold", "HoldAndDrain"',
        ),
        ({"cohortName": "Not A Name"}, "spec.cohortName", "spec.cohortName in body should match"),
        ({"cohortName": "c" * 254}, "spec.cohortName", "Too long: may not be more than 253 bytes"),
        ({"resourceGroups": {}}, "spec.resourceGroups", "must be of type array"),
        ({"resourceGroups": [{}]}, "spec.resourceGroups[0].flavors", "Required value"),
        ({"resourceGroups": group() * 17}, "spec.resourceGroups", "Too many: 17: must have at most 16 items"),
        (
            {"resourceGroups": group({"name": "cpu", "nominalQuota": "1"}, {"name": "cpu", "nominalQuota": "2"})},
            "spec.resourceGroups[0].flavors[0].resources[1]",
            'Duplicate value: {"name":"cpu"}',
        ),
        (
            {"resourceGroups": group({"name": "cpu", "nominalQuota": "1"}, covered=("cpu", "memory"))},
            "spec.resourceGroups[0]",
            "flavors must have the same number of resources as the coveredResources",
        ),
        (
            {"preemption": {"borrowWithinCohort": {"policy": "LowerPriority"}}},
            "spec.preemption",
            "reclaimWithinCohort=Never and borrowWithinCohort.Policy!=Never",
        ),
        (
            {"flavorFungibility": {"preference": "PreemptionOverBorrowing"}},
            "spec.flavorFungibility",
            "preference can only be set when both whenCanBorrow and whenCanPreempt are TryNextFlavor",
        ),
    ],
)
def test_queues_that_the_definition_does_not_allow(
    cluster: Cluster, spec: dict[str, Any], field: str, message: str
) -> None:
    reply = cluster.call("POST", QUEUES, queue(**spec))
    assert reply.status == 422, reply.text
    assert any(each["field"] == field and message in each["message"] for each in reply.json["details"]["causes"])


def test_a_limit_needs_a_cohort(cluster: Cluster) -> None:
    body = queue(resourceGroups=group({"name": "cpu", "nominalQuota": "1", "borrowingLimit": "1"}))
    del body["spec"]["cohortName"]
    reply = cluster.call("POST", QUEUES, body)
    assert (reply.status, reply.json["message"]) == (
        422,
        'ClusterQueue.kueue.x-k8s.io "new" is invalid: spec: Invalid value: "object": '
        "borrowingLimit must be nil when cohort is empty",
    )


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (
            {"resourceGroups": group({"name": "cpu", "nominalQuota": "-4"})},
            f'spec.resourceGroups[0].flavors[0].resources[0].nominalQuota: Invalid value: "-4": {NEGATIVE}',
        ),
        (
            {"resourceGroups": group({"name": "cpu", "nominalQuota": "1", "borrowingLimit": "-1"})},
            f'spec.resourceGroups[0].flavors[0].resources[0].borrowingLimit: Invalid value: "-1": {NEGATIVE}',
        ),
        (
            {"resourceGroups": group({"name": "cpu", "nominalQuota": "1", "lendingLimit": "2"})},
            'spec.resourceGroups[0].flavors[0].resources[0].lendingLimit: Invalid value: "2": '
            "must be less than or equal to the nominalQuota",
        ),
        ({"fairSharing": {"weight": "-1"}}, f'spec.fairSharing: Invalid value: "-1": {NEGATIVE}'),
    ],
)
def test_queues_that_the_webhook_denies(cluster: Cluster, spec: dict[str, Any], told: str) -> None:
    reply = cluster.call("POST", QUEUES, queue(**spec))
    denied = 'admission webhook "vclusterqueue.kb.io" denied the request: '
    assert (reply.status, reply.json["message"]) == (403, denied + told)
    assert cluster.call("GET", f"{QUEUES}/new").status == 404


@pytest.mark.parametrize("amount", ["lots", "", "1" * 70, True, None])
def test_a_quota_that_is_no_quantity(cluster: Cluster, amount: Any) -> None:
    """The webhook that sees a new queue first cannot read it; of a queue that is there the schema sees the change."""
    groups = group({"name": "cpu", "nominalQuota": amount})
    reply = cluster.call("POST", QUEUES, queue(resourceGroups=groups))
    told = 'admission webhook "mclusterqueue.kb.io" denied the request: quantities must match the regular expression'
    assert (reply.status, reply.json["message"].startswith(told)) == (400, True)
    reply = cluster.call("PATCH", f"{QUEUES}/{A}-clusterqueue", {"spec": {"resourceGroups": groups}})
    field = "spec.resourceGroups[0].flavors[0].resources[0].nominalQuota"
    assert amount == "1" * 70 or (reply.status, reply.json["details"]["causes"][0]["field"]) == (422, field)


def test_an_absurd_quota_is_the_most_that_there_is(cluster: Cluster) -> None:
    quota = {"name": "cpu", "nominalQuota": "9" * 30}
    made = cluster.call("POST", QUEUES, queue(resourceGroups=group(quota)))
    assert made.status == 201
    cluster.kueue.settled()
    assert cluster.call("GET", f"{QUEUES}/new").json["status"]["pendingWorkloads"] == 0


def test_a_change_is_looked_at_like_a_new_queue(cluster: Cluster) -> None:
    path = f"{QUEUES}/{A}-clusterqueue"
    before = cluster.call("GET", path).json
    bad = deepcopy(before["spec"]["resourceGroups"])
    bad[0]["flavors"][0]["resources"][0]["nominalQuota"] = "-1"
    assert cluster.call("PATCH", path, {"spec": {"resourceGroups": bad}}).status == 403
    assert cluster.call("PATCH", path, {"spec": {"stopPolicy": "Nope"}}).status == 422
    assert cluster.call("GET", path).json["spec"] == before["spec"]


def test_a_replacement_without_defaults_is_no_change(cluster: Cluster) -> None:
    path = f"{QUEUES}/{A}-clusterqueue"
    before = cluster.call("GET", path).json
    spec = {name: value for name, value in before["spec"].items() if name != "stopPolicy"}
    after = cluster.call("PUT", path, {**before, "spec": spec}).json
    assert (after["spec"], after["metadata"]["generation"]) == (before["spec"], 1)


def test_a_local_queue_stays_with_its_queue(cluster: Cluster) -> None:
    path = f"{KUEUE}/v1beta2/namespaces/{A}/localqueues/{A}-localqueue"
    reply = cluster.call("PATCH", path, {"spec": {"clusterQueue": "other"}})
    (cause,) = reply.json["details"]["causes"]
    told = (cause["field"], cause["message"])
    assert (reply.status, told) == (422, ("spec.clusterQueue", 'Invalid value: "string": field is immutable'))


def test_what_an_admitted_workload_keeps(cluster: Cluster) -> None:
    submit(cluster, A, "train")
    made = workload_of(cluster, A, "train")
    assert made is not None
    path = f"{WORKLOADS}/{made['metadata']['name']}"
    reply = cluster.call("PATCH", path, {"spec": {"queueName": "other"}})
    assert (reply.status, "queueName is immutable while workload quota reserved" in reply.text) == (422, True)
    reply = cluster.call("PATCH", path, {"spec": {"podSets": [{**made["spec"]["podSets"][0], "count": 7}]}})
    assert (reply.status, "field is immutable" in reply.text) == (403, True)
    old = path.replace("v1beta2", "v1beta1")
    assert cluster.call("PATCH", old, {"spec": {"priorityClassSource": ""}}).status == 422
    assert cluster.call("PATCH", path, {"spec": {"priority": 1}}).status == 200


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (workload({"cpu": "-1"}), 403, NEGATIVE),
        (workload({"pods": "1"}), 403, "the key is reserved for internal kueue use"),
        (workload({"cpu": "1"}, podSets=[]), 422, "spec.podSets in body should have at least 1 items"),
        (workload({"cpu": "1"}, podSets=[{"count": -1, "template": {}}]), 422, "greater than or equal to 0"),
        (workload({"cpu": "1"}, podSets=[{"count": True, "template": {}}]), 422, "must be of type integer"),
        (workload({"cpu": "1"}, podSets=[{"count": 2**31, "template": {}}]), 422, "less than or equal to 2147483647"),
        (workload({"cpu": "1"}, podSets=[{"template": "x"}]), 422, "spec.podSets[0].template in body must be of type"),
        (workload({"cpu": "1"}, podSets=[{"template": {"spec": "x"}}]), 422, "template.spec in body must be of type"),
        (workload({"cpu": "1"}, podSets=[{"template": {"spec": {"containers": [None]}}}]), 422, "containers[0] in"),
        (workload("x"), 422, "resources.requests in body must be of type object"),
        (workload({"cpu": "1"}, podSets=[{"minCount": 2, "template": {}}]), 422, "minCount should be positive"),
        (
            workload({"cpu": "1"}, priorityClassRef={"group": "a", "kind": "b", "name": "c"}),
            422,
            'supported values: "kueue.x-k8s.io", "scheduling.k8s.io"',
        ),
    ],
)
def test_workloads_that_are_refused(cluster: Cluster, body: dict[str, Any], status: int, told: str) -> None:
    reply = cluster.call("POST", WORKLOADS, body)
    assert (reply.status, told in reply.json["message"]) == (status, True), reply.text


def test_a_workload_of_nothing_is_taken(cluster: Cluster) -> None:
    assert cluster.call("POST", WORKLOADS, {"metadata": {"name": "new"}, "spec": {}}).status == 201
    cluster.kueue.settled()


def test_a_priority_is_an_int32(cluster: Cluster) -> None:
    path = f"{KUEUE}/v1beta2/workloadpriorityclasses/training-priority"
    for value in (2**31, -(2**31) - 1):
        reply = cluster.call("PATCH", path, {"value": value})
        assert (reply.status, reply.json["details"]["causes"][0]["field"]) == (422, "value")
    assert cluster.call("PATCH", path, {"value": -(2**31)}).status == 200


@pytest.mark.parametrize("requests", [{"cpu": "lots"}, {"cpu": "1" * 70}, {"cpu": None}])
def test_requests_of_a_workload_that_are_no_quantities(cluster: Cluster, requests: dict[str, Any]) -> None:
    """They are taken, as the schema here says nothing of pods, and never admitted."""
    assert cluster.call("POST", WORKLOADS, workload(requests)).status == 201
    cluster.kueue.settled()
    assert "admission" not in cluster.call("GET", f"{WORKLOADS}/new").json.get("status", {})


# A webhook that is not there


def failed(webhook: str, path: str) -> str:
    return (
        f'Internal error occurred: failed calling webhook "{webhook}.kb.io": failed to call webhook: Post '
        f'"https://kueue-webhook-service.kueue-system.svc:443/{path}?timeout=10s": '
        'no endpoints available for service "kueue-webhook-service"'
    )


def test_a_webhook_that_is_not_there_fails_what_it_is_asked_about(cluster: Cluster) -> None:
    set_controller(cluster, available=False, webhook=False)
    reply = cluster.call("POST", QUEUES, queue())
    told = failed("mclusterqueue", "mutate-kueue-x-k8s-io-v1beta2-clusterqueue")
    assert (reply.status, reply.json["message"], reply.json["reason"]) == (500, told, "InternalError")
    assert reply.json["details"]["causes"] == [{"message": told.removeprefix("Internal error occurred: ")}]
    reply = cluster.call("PATCH", f"{QUEUES}/{A}-clusterqueue", {"spec": {"stopPolicy": "Hold"}})
    told = failed("vclusterqueue", "validate-kueue-x-k8s-io-v1beta2-clusterqueue")
    assert (reply.status, reply.json["message"]) == (500, told)
    reply = cluster.call("POST", jobs(A), worlds.job("train", GPU, labels={}))
    assert (reply.status, reply.json["message"]) == (500, failed("mjob", "mutate-batch-v1-job"))
    # Jobs of the system, and what Kueue has no webhook for.
    assert cluster.call("POST", jobs("kube-system"), worlds.job("clean", {}, labels={})).status == 201
    made = {"metadata": {"name": "low"}, "value": 1}
    assert cluster.call("POST", f"{KUEUE}/v1beta2/workloadpriorityclasses", made).status == 201
    assert cluster.call("DELETE", f"{QUEUES}/{A}-clusterqueue").status == 200
