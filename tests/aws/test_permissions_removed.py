"""What a person sees when a role really lacks an action: the truth that the re-evaluation of requests is held against.

Each test takes one action out of one statement of the deployed role, does the shortest thing that needs it, looks where
a person would look, and gives the action back; mostly it then looks whether all is well again without another upload.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.aws.launcher import wait_for
from local.deployment import Deployment
from tests.aws.iam_scenarios import TWO, stumble, with_unknown_type
from tests.aws.iam_support import Roles, denied_in, received, take
from tests.support.place import Place

RECEIVE, APPLY = "ReceivePolicyRole", "ApplyPolicyRole"
CHANGES = "PolicyChangesQueueUrl"


@pytest.fixture(scope="module")
def roles(deployment: Deployment) -> Roles:
    """The deployed roles."""
    return Roles.of(deployment)


@pytest.fixture(autouse=True)
def given_back(roles: Roles) -> Iterator[None]:
    """No test leaves a role without something."""
    yield
    roles.assert_whole()


def _is_announced(place: Place) -> bool:
    """True when the world has been told the verdict that the document has."""
    status = place.deployment.status(place.key)
    return status is not None and bool(status["verdictId"] == status["announced"])


def _logged(place: Place, roles: Roles, role: str, action: str, *parts: str) -> str:
    """A line about the denied action in the log of the function that has the role, once it is there."""
    found = wait_for(lambda: [line for line in roles.lines(role, *parts) if denied_in(line, action)], 15)
    return found[0]


# ── receive_policy ──────────────────────────────────────────────────────────────────────────────────────────────────
def test_receive_without_listing_policies_takes_a_deleted_file_for_a_refusal(
    deployment: Deployment, roles: Roles, place: Place
) -> None:
    """S3 says 404 of a key that is gone only to those who may list the bucket: to others it says 403."""
    place.upload(place.policy())
    with roles.without(RECEIVE, "ListPolicies", "s3:ListBucket"):
        deployment.aws.client("s3").delete_object(Bucket=deployment.policies, Key=place.key)
        refused = received(deployment, place.key)
        assert refused["verdict"] == "Waiting"
        assert denied_in(refused["reason"], "s3:ListBucket")
        with pytest.raises(RuntimeError, match=r"ListObjectsV2.*s3:ListBucket"):
            deployment.resync()
    assert received(deployment, place.key)["verdict"] == "Waiting"


def test_receive_without_the_approvals_hears_of_none(deployment: Deployment, roles: Roles, place: Place) -> None:
    key = f"approvals/{place.arn.rpartition('/')[2]}.json"
    place.upload(place.policy())
    with roles.without(RECEIVE, "ReadPolicies", "s3:GetObject"):
        deployment.upload(key, json.dumps({"fingerprint": "0123456789ab"}))
        assert denied_in(received(deployment, key)["errorMessage"], "s3:GetObject")
        assert key in deployment.resync()["failed"]
    assert received(deployment, key)["approves"] == place.arn


def test_receive_without_publishing_writes_the_verdict_and_tells_nobody_until_it_may(
    deployment: Deployment, roles: Roles, place: Place
) -> None:
    with roles.without(RECEIVE, "TellPeople", "sns:Publish"):
        place.upload("version: 1\n", "Rejected")
        assert denied_in(received(deployment, place.key)["errorMessage"], "sns:Publish")
        assert place.key in deployment.resync()["failed"]
        assert not _is_announced(place)
    deployment.resync()
    assert _is_announced(place)


def test_receive_without_sending_messages_tells_the_failure_destination_which_file(
    deployment: Deployment, roles: Roles, place: Place
) -> None:
    with roles.without(RECEIVE, "AskForRuns", "sqs:SendMessage"):
        deployment.upload(place.key, place.policy())
        body = wait_for(lambda: take(deployment, deployment.outputs["FailedInvocationsQueueUrl"], place.key), 40, 0.1)
        assert place.guaranteed() == {}
    told: dict[str, Any] = json.loads(body)
    assert told["requestPayload"]["detail"]["object"]["key"] == place.key
    assert denied_in(told["responsePayload"]["errorMessage"], "sqs:SendMessage")
    status = deployment.status(place.key)
    assert status is not None
    assert (status["verdict"], status["newest"]["answer"]) == ("InProgress", "Accepted")
    assert place.upload(place.policy())["verdict"] == "Applied"


def test_receive_without_describing_clusters_waits_and_says_why(
    deployment: Deployment, roles: Roles, place: Place
) -> None:
    with roles.without(RECEIVE, "ReadCluster", "sagemaker:DescribeCluster"):
        status = place.upload(place.policy())
        assert status["verdict"] == "Waiting"
        assert denied_in(status["reason"], "sagemaker:DescribeCluster")
    deployment.resync()
    assert deployment.wait(place.key, verdict="Applied")["reason"].startswith("2 changes made")


def test_receive_without_listing_clusters_suggests_no_name(roles: Roles, place: Place) -> None:
    text = place.policy().replace(place.name, f"{place.name}x")
    with roles.without(RECEIVE, "ReadGovernance", "sagemaker:ListClusters"):
        status = place.upload(text, "Waiting")
        assert "does not exist" in status["reason"]
        assert "did you mean" not in status["reason"]
    assert "did you mean" in place.upload(text, "Waiting")["reason"]


def test_receive_without_ec2_says_of_a_file_what_it_cannot_check(roles: Roles, place: Place) -> None:
    text = with_unknown_type(place)
    with roles.without(RECEIVE, "InstanceTypes", "ec2:DescribeInstanceTypes"):
        assert "type-not-checkable" in _codes(place.upload(text)["newest"])
    assert "type-not-checkable" not in _codes(place.upload(text)["newest"])


# ── apply_policy ────────────────────────────────────────────────────────────────────────────────────────────────────
def test_apply_without_ec2_says_in_its_run_what_it_cannot_check(roles: Roles, place: Place) -> None:
    text = with_unknown_type(place)
    with roles.without(APPLY, "InstanceTypes", "ec2:DescribeInstanceTypes"):
        status = place.upload(text)
        assert "type-not-checkable" in _codes(status["run"])
        assert "type-not-checkable" not in _codes(status["newest"])
    assert "type-not-checkable" not in _codes(place.upload(text)["run"])


def test_apply_without_updating_quotas_fails_and_says_why(roles: Roles, place: Place) -> None:
    place.upload(place.policy(teams=TWO))
    with roles.without(APPLY, "GovernQuotas", "sagemaker:UpdateComputeQuota"):
        status = place.upload(place.policy())
        assert status["verdict"] == "Failed"
        assert denied_in(status["reason"], "sagemaker:UpdateComputeQuota")
        assert place.guaranteed() == TWO
    assert place.upload(place.policy())["verdict"] == "Applied"


def test_apply_without_writing_history_has_not_ended(deployment: Deployment, roles: Roles, place: Place) -> None:
    with roles.without(APPLY, "AppendHistory", "s3:PutObject"):
        deployment.upload(place.key, place.policy())
        assert "/history/" in _logged(place, roles, APPLY, "s3:PutObject", place.arn, "cannot be handled")
        status = deployment.status(place.key)
        assert status is not None
        assert status["verdict"] == "InProgress"
    assert deployment.wait(place.key)["verdict"] == "Applied"
    assert [entry["verdict"] for entry in deployment.history(place.arn)] == ["Applied"]


def test_apply_without_listing_records_ends_in_the_dead_letter_queue(
    deployment: Deployment, roles: Roles, place: Place
) -> None:
    """S3 says 403 of a run that has not begun, and not that it is not there."""

    def given_up() -> str | None:  # each try is a second after the one before
        return take(deployment, deployment.outputs["PolicyChangesDeadLettersQueueUrl"], place.arn)

    with roles.without(APPLY, "ListRecords", "s3:ListBucket"):
        deployment.upload(place.key, place.policy())
        assert json.loads(wait_for(given_up, 40))["clusterArn"] == place.arn
        assert "/run.json" in _logged(place, roles, APPLY, "s3:ListBucket", place.arn, "cannot be handled")
        assert place.guaranteed() == {}
    status = place.upload(place.policy())
    assert status["verdict"] in ("Applied", "Unchanged"), status


def test_apply_without_putting_events_does_its_work_and_tells_it_when_it_may(
    deployment: Deployment, roles: Roles, place: Place
) -> None:
    with roles.without(APPLY, "TellEvents", "events:PutEvents"):
        deployment.upload(place.key, place.policy())
        _logged(place, roles, APPLY, "events:PutEvents", place.arn, "cannot be handled")
        status = deployment.status(place.key)
        assert status is not None
        assert status["verdict"] == "Applied"
        assert not _is_announced(place)
    wait_for(lambda: _is_announced(place), 15)
    assert len(deployment.history(place.arn)) == 1


def test_apply_without_publishing_holds_and_tells_nobody_until_it_may(
    deployment: Deployment, roles: Roles, place: Place
) -> None:
    place.upload(place.policy(teams=TWO))
    with roles.without(APPLY, "TellPeople", "sns:Publish"):
        place.upload(place.policy(teams={"team-a": 1}), "Held")
        _logged(place, roles, APPLY, "sns:Publish", place.arn, "cannot be handled")
        assert not _is_announced(place)
    wait_for(lambda: _is_announced(place), 15)


def _waiting(deployment: Deployment, name: str) -> int:
    asked = deployment.aws.client("sqs").get_queue_attributes(
        QueueUrl=deployment.outputs[CHANGES], AttributeNames=[name]
    )
    return int(asked["Attributes"][name])


def test_apply_without_giving_a_message_back_sees_it_again_only_after_the_visibility_timeout(
    deployment: Deployment, roles: Roles, place: Place
) -> None:
    stumble(place)
    with roles.without(APPLY, "TakeMessages", "sqs:ChangeMessageVisibility"):
        version = deployment.upload(place.key, place.policy())
        _logged(place, roles, APPLY, "sqs:ChangeMessageVisibility", place.arn, "only after the queue's visibility")
        assert _waiting(deployment, "ApproximateNumberOfMessagesNotVisible") >= 1
        deployment.aws.release_messages(deployment.outputs[CHANGES])  # six minutes later
        assert deployment.wait(place.key, version)["verdict"] == "Applied"


def test_apply_without_receiving_messages_leaves_them_in_the_queue(
    deployment: Deployment, roles: Roles, place: Place
) -> None:
    """Lambda polls in the function's name: the queue fills, which the alarm on the oldest message tells."""
    with roles.without(APPLY, "TakeMessages", "sqs:ReceiveMessage"):
        version = deployment.upload(place.key, place.policy())
        status = wait_for(lambda: deployment.status(place.key), 15)
        assert (status["verdict"], status["reason"]) == ("InProgress", "accepted; applied when its turn comes")
        wait_for(lambda: _waiting(deployment, "ApproximateNumberOfMessages") >= 1, 10)
    assert deployment.wait(place.key, version)["verdict"] == "Applied"


def test_apply_without_the_log_works_and_says_nothing(deployment: Deployment, roles: Roles, place: Place) -> None:
    with roles.without(APPLY, "Logs", "logs:PutLogEvents") as denied:
        assert place.upload(place.policy())["verdict"] == "Applied"
        wait_for(denied, 10)  # what was printed is written down after the handler has ended
        assert roles.lines(APPLY, place.arn) == []
    place.upload(place.policy())
    assert wait_for(lambda: roles.lines(APPLY, place.arn, "Unchanged"), 10)


def _codes(part: dict[str, Any]) -> set[str]:
    """The codes of the messages in a part of a status document."""
    return {each["code"] for each in part.get("diagnostics", ())}
