"""Everything that the functions do on the deployed stack, and the record of what their roles asked for meanwhile."""

import functools
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from local.aws.launcher import wait_for
from local.deployment import Deployment
from tests.aws.iam_addon_scenarios import ADDON_SCENARIOS
from tests.aws.iam_support import Roles, take
from tests.aws.iam_usage_scenarios import USAGE_SCENARIOS
from tests.support.place import Place

THREE = {"team-a": 1, "team-b": 1, "vision": 1}
TWO = {"team-a": 1, "team-b": 1}
CLUSTER_POLICY = "clusterPolicy: {{fairShare: Enabled, priorityClasses: [{{name: training, weight: {}}}]}}\n"
CLIENTS = ("s3", "sqs", "lambda", "cloudformation", "iam", "events", "sns", "eks")


@dataclass(frozen=True, slots=True)
class Played:
    """What the stack's roles asked for while the scenarios were played."""

    allowed: tuple[dict[str, Any], ...]
    denied: tuple[dict[str, Any], ...]

    def asked(self, role: str, action: str) -> list[dict[str, Any]]:
        """The requests of a role, by its deployed name, for an action."""
        return [each for each in self.allowed if (each["role"], each["action"]) == (role, action)]


def created_and_updated(place: Place) -> None:
    """Quotas with a description and a cluster policy: made, read in full, changed."""
    first = place.policy(CLUSTER_POLICY.format(75), TWO).replace("team-a,", "team-a, description: vision models,")
    assert place.upload(first)["verdict"] == "Applied"
    second = first.replace("weight: 75", "weight: 50").replace("count: 1", "count: 2")
    assert place.upload(second)["verdict"] == "Applied"
    assert place.upload(second)["verdict"] == "Unchanged"


def held_and_approved(place: Place) -> None:
    """A team is taken out, and that is approved by an object beside the policies."""
    place.upload(place.policy(teams=THREE))
    held = place.upload(place.policy(teams=TWO), "Held")
    approve(place, held["run"]["fingerprint"])
    place.deployment.wait(place.key, verdict="Applied")
    assert place.guaranteed() == TWO


def rejected(place: Place) -> None:
    """A file with an error."""
    place.upload("version: 1\n", "Rejected")


def renamed(place: Place) -> None:
    """A file is uploaded under another name, then the old one deleted: the cluster stays as it is."""
    text = place.policy()
    place.upload(text)
    version = place.deployment.upload(f"policies/{place.name}/renamed.yaml", text)
    place.deployment.wait(f"policies/{place.name}/renamed.yaml", version, "Rejected")
    place.deployment.delete(place.key)
    place.deployment.wait(f"policies/{place.name}/renamed.yaml", version, "Unchanged")


def deleted_and_retained(place: Place) -> None:
    """The file is deleted, and what it governed is nobody's."""
    place.upload(place.policy())
    place.deployment.delete(place.key)
    after_grace(place, "Released")
    assert place.guaranteed() == {"team-a": 2, "team-b": 2}


def deleted_and_removed(place: Place) -> None:
    """The file is deleted, and what it governed as well."""
    place.upload(place.policy("onDelete: Remove\n" + CLUSTER_POLICY.format(75)))
    place.deployment.delete(place.key)
    approve(place, after_grace(place, "Held")["run"]["fingerprint"])
    place.deployment.wait(place.key, verdict="Released")
    assert place.guaranteed() == {}


def unknown_cluster(place: Place) -> None:
    """The cluster's name has a letter too many."""
    status = place.upload(place.policy().replace(place.name, f"{place.name}x"), "Waiting")
    assert f"did you mean '{place.name}'" in status["reason"]


def instance_type_of_ec2(place: Place) -> None:
    """An instance type that no table of ours has."""
    assert place.upload(with_unknown_type(place))["verdict"] == "Applied"


def transient_failure(place: Place) -> None:
    """A call goes wrong, and the message comes again."""
    stumble(place)
    assert place.upload(place.policy())["verdict"] == "Applied"


def slices(place: Place) -> None:
    """More to do than a slice has time for."""
    place.plane.fault("CreateComputeQuota", "slow", seconds=2.2, match={"team": "slow"})
    status = place.upload(place.policy(teams={"slow": 1, "other": 1}))
    assert status["verdict"] == "Applied"
    assert status["run"]["slices"] > 1


def event_of_another_bucket(place: Place) -> None:
    """An invocation fails three times and is told to the failure destination."""
    event = {"detail": {"bucket": {"name": place.name}, "object": {"key": "policies/a.yaml"}}}
    place.aws.client("lambda").invoke(
        FunctionName=place.deployment.function("ReceivePolicyFunction"),
        InvocationType="Event",
        Payload=json.dumps(event).encode(),
    )
    url = place.deployment.outputs["FailedInvocationsQueueUrl"]
    wait_for(lambda: take(place.deployment, url, place.name), 40, 0.1)


def build_checked(place: Place) -> None:
    """CloudFormation asks check_build, which answers to the URL that it is given, and the log is written down."""
    function = place.deployment.function("CheckBuildFunction")
    where = {"Bucket": place.deployment.records, "Key": f"answers/{place.name}"}
    event = {
        "RequestType": "Delete",
        "ResponseURL": place.aws.client("s3").generate_presigned_url("put_object", Params=where),
        "StackId": place.deployment.stack,
        "RequestId": place.name,
        "LogicalResourceId": "BuildCheck",
    }
    before = place.aws.logs(function).count("as built")
    answer = place.aws.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    assert "FunctionError" not in answer, answer["Payload"].read()
    answered = place.deployment.document(where["Key"])
    assert answered is not None
    assert answered["Status"] == "SUCCESS"
    wait_for(lambda: place.aws.logs(function).count("as built") > before, 10)


SCENARIOS: tuple[Callable[[Place], None], ...] = (
    event_of_another_bucket,  # the longest wait first
    *ADDON_SCENARIOS,
    *USAGE_SCENARIOS,
    transient_failure,
    deleted_and_removed,
    deleted_and_retained,
    slices,
    created_and_updated,
    held_and_approved,
    renamed,
    instance_type_of_ec2,
    rejected,
    unknown_cluster,
    build_checked,
)


def approve(place: Place, fingerprint: str) -> None:
    """Approve a plan as `governor approve` does."""
    key = f"approvals/{place.arn.rpartition('/')[2]}.json"
    place.deployment.upload(key, json.dumps({"fingerprint": fingerprint}))


def after_grace(place: Place, verdict: str) -> dict[str, Any]:
    """The status once the grace period of a deleted file is over and the tick has come."""

    def look() -> dict[str, Any] | None:
        place.deployment.resync()
        status = place.deployment.status(place.key)
        return status if status and status["verdict"] == verdict else None

    return wait_for(look, 30, 0.1)


def with_unknown_type(place: Place) -> str:
    """A policy for a cluster of instances that only EC2 knows."""
    name = f"{place.name}-t4"
    place.arn = place.deployment.add_cluster(name, {"ml.g4dn.12xlarge": 4})
    text = place.policy().replace(place.name, name).replace("ml.g5.8xlarge", "ml.g4dn.12xlarge")
    return text.replace("count: 2", "accelerators: 8")


def stumble(place: Place) -> None:
    """One read of apply_policy for this cluster fails, with a status that the SDK does not try again by itself."""
    place.aws.fault(
        "s3",
        "GetObject",
        code="InsufficientStorage",
        status=507,
        resource=f"{place.arn.rpartition('/')[2]}/in-force.json",
        function=place.deployment.function("ApplyPolicyFunction"),
    )


@functools.cache
def played(deployment: Deployment) -> Played:
    """Play all scenarios side by side, once."""
    for client in CLIENTS:  # making one is not for several threads at a time
        deployment.aws.client(client)
    roles = Roles.of(deployment).names
    before = {each["id"]: each["count"] for each in _decisions(deployment, roles)}
    try:
        _play(deployment)
    except Exception as error:
        denied = {
            f"{each['role']} {each['action']} {each['resource']}"
            for each in _new(deployment, roles, before, allowed=False)
        }
        error.add_note("denied meanwhile: " + ("; ".join(sorted(denied)) or "nothing"))
        raise
    return Played(_new(deployment, roles, before, allowed=True), _new(deployment, roles, before, allowed=False))


def _play(deployment: Deployment) -> None:
    places = [Place(deployment) for _ in SCENARIOS]
    with ThreadPoolExecutor(len(SCENARIOS)) as pool:
        for ended in [pool.submit(scenario, place) for scenario, place in zip(SCENARIOS, places, strict=True)]:
            ended.result()
    deployment.resync()


def _new(
    deployment: Deployment, roles: Mapping[str, str], before: Mapping[int, int], allowed: bool
) -> tuple[dict[str, Any], ...]:
    """What was decided since then."""
    return tuple(
        each
        for each in _decisions(deployment, roles)
        if each["allowed"] == allowed and each["count"] > before.get(each["id"], 0)
    )


def _decisions(deployment: Deployment, roles: Mapping[str, str]) -> list[dict[str, Any]]:
    names = set(roles.values())
    return [each for each in deployment.aws.decisions() if each["role"] in names]
