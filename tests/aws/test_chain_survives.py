"""The chain when events are lost, doubled and late, workers die, clusters are stuck and messages make no sense."""

import json
import time
from typing import Any

import pytest

from local.aws.launcher import wait_for
from local.aws.process import LocalAwsError
from local.deployment import BUILD, Deployment
from tests.support.place import Place

ONE_EACH = {"team-a": 1, "team-b": 1}


def _in_queue(deployment: Deployment, output: str) -> list[dict[str, Any]]:
    """The messages of a queue, looked at without taking them."""
    url = deployment.outputs[output]
    answer = deployment.aws.client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0, AttributeNames=["All"]
    )
    messages: list[dict[str, Any]] = answer.get("Messages", [])
    return messages


def _empty(deployment: Deployment, output: str) -> None:
    client, url = deployment.aws.client("sqs"), deployment.outputs[output]
    while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def _alarm(deployment: Deployment, logical_id: str) -> str:
    deployment.aws.evaluate_alarms()
    name = deployment.aws.physical_id(logical_id)
    (alarm,) = deployment.aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    state: str = alarm["StateValue"]
    return state


def test_thirty_uploads_in_a_burst_end_in_the_last_one_and_none_is_lost(place: Place) -> None:
    for number in range(29):
        place.deployment.upload(place.key, place.policy(teams={"team-a": number % 3, "team-b": 1}))
    last = place.deployment.upload(place.key, place.policy())

    status = place.deployment.wait(place.key, last)

    assert status["verdict"] in ("Applied", "Unchanged")
    assert status["inForce"]["version"] == last
    assert place.guaranteed() == {"team-a": 2, "team-b": 2}
    assert _in_queue(place.deployment, "PolicyChangesDeadLettersQueueUrl") == []
    assert _in_queue(place.deployment, "FailedInvocationsQueueUrl") == []


def test_three_hundred_uploads_for_twenty_clusters_end_in_the_last_of_each(deployment: Deployment) -> None:
    places = [Place(deployment) for _ in range(20)]
    for number in range(14):
        for place in places:
            deployment.upload(place.key, place.policy(teams={"team-a": number % 3 + 1, "team-b": 1}))
    last = {place.key: deployment.upload(place.key, place.policy()) for place in places}

    for place in places:
        status = deployment.wait(place.key, last[place.key], seconds=90)
        assert status["verdict"] in ("Applied", "Unchanged")
        assert place.guaranteed() == {"team-a": 2, "team-b": 2}
    assert _in_queue(deployment, "PolicyChangesDeadLettersQueueUrl") == []
    assert _in_queue(deployment, "FailedInvocationsQueueUrl") == []


def test_a_stuck_cluster_delays_no_other(deployment: Deployment, place: Place) -> None:
    stuck, other = place, Place(deployment)
    stuck.plane.fault("CreateComputeQuota", "stuck", match={"name": "stuck-quota"})
    deployment.upload(stuck.key, stuck.policy(teams={"stuck": 1}))
    wait_for(lambda: stuck.guaranteed() == {"stuck": 1}, 20)

    began = time.monotonic()
    assert other.upload(other.policy())["verdict"] == "Applied"
    assert time.monotonic() - began < 30
    status = deployment.status(stuck.key)
    assert status is not None
    assert status["verdict"] == "InProgress"


def test_more_slices_than_receives_end_in_applied(place: Place) -> None:
    place.plane.settings(transition_seconds_by_operation={"CreateComputeQuota": 13})
    try:
        status = place.upload(place.policy(teams={"slow": 1}))
    finally:
        place.plane.settings(transition_seconds_by_operation={})

    assert status["verdict"] == "Applied"
    assert status["run"]["slices"] > 5  # the queue's maxReceiveCount
    (entry,) = place.deployment.history(place.arn)
    assert entry["slices"] == status["run"]["slices"]


def test_a_lost_event_is_only_a_delay(place: Place) -> None:
    place.aws.fault("events", "Deliver", "drop")
    version = place.deployment.upload(place.key, place.policy())
    wait_for(lambda: not place.aws.faults(), 10)
    assert place.deployment.status(place.key) is None

    place.deployment.resync()
    assert place.deployment.wait(place.key, version)["verdict"] == "Applied"


def test_a_doubled_event_is_applied_once(place: Place) -> None:
    place.aws.fault("events", "Deliver", "duplicate")
    status = place.upload(place.policy())
    assert status["verdict"] == "Applied"
    place.deployment.resync()
    assert [entry["verdict"] for entry in place.deployment.history(place.arn)] == ["Applied"]


def test_events_that_come_late_and_in_disorder_and_about_a_version_that_is_gone(place: Place) -> None:
    first = place.deployment.upload(place.key, place.policy(teams=ONE_EACH))
    place.deployment.wait(place.key, first)
    last = place.upload(place.policy())["newest"]["origin"]["version"]
    place.aws.client("s3").delete_object(Bucket=place.deployment.policies, Key=place.key, VersionId=first)
    event = {
        "detail-type": "Object Created",
        "detail": {
            "bucket": {"name": place.deployment.policies},
            "object": {"key": place.key, "version-id": first, "sequencer": "00"},
        },
    }
    answer = place.aws.client("lambda").invoke(
        FunctionName=place.deployment.function("ReceivePolicyFunction"), Payload=json.dumps(event).encode()
    )
    assert "FunctionError" not in answer

    status = place.deployment.wait(place.key, last)
    assert status["inForce"]["version"] == last
    assert place.guaranteed() == {"team-a": 2, "team-b": 2}


def test_a_worker_that_is_killed_in_the_middle_is_followed_by_another(place: Place) -> None:
    place.plane.settings(transition_seconds_by_operation={"CreateComputeQuota": 1.5})
    try:
        version = place.deployment.upload(place.key, place.policy())
        wait_for(lambda: place.guaranteed(), 20)
        assert place.aws.kill_workers(place.deployment.function("ApplyPolicyFunction")) >= 1
        # On AWS the message comes again when its visibility timeout has ended.
        place.aws.release_messages(place.deployment.outputs["PolicyChangesQueueUrl"])
        status = place.deployment.wait(place.key, version)
    finally:
        place.plane.settings(transition_seconds_by_operation={})

    assert status["verdict"] == "Applied"
    assert place.guaranteed() == {"team-a": 2, "team-b": 2}
    assert [entry["verdict"] for entry in place.deployment.history(place.arn)] == ["Applied"]


def test_receiving_is_tried_again_when_s3_stumbles(place: Place) -> None:
    place.aws.fault("s3", "PutObject", code="SlowDown", status=503, times=6, resource="in-force.json")
    status = place.upload(place.policy())
    assert status["verdict"] == "Applied"


def test_a_race_for_a_document_is_tried_again(place: Place) -> None:
    place.aws.fault(
        "s3", "PutObject", code="ConditionalRequestConflict", status=409, times=2, resource=f"status/{place.key}"
    )
    assert place.upload(place.policy())["verdict"] == "Applied"


def test_a_message_that_can_never_be_handled_is_dead_lettered_and_alarmed_and_others_go_on(place: Place) -> None:
    deployment = place.deployment
    wait_for(lambda: _alarm(deployment, "PolicyChangesDeadLettersAlarm") == "OK", 20, 0.3)
    deployment.aws.client("sqs").send_message(
        QueueUrl=deployment.outputs["PolicyChangesQueueUrl"],
        MessageBody="no message of ours",
        MessageGroupId="poison",
        MessageDeduplicationId=place.name,
    )
    assert place.upload(place.policy())["verdict"] == "Applied"

    wait_for(lambda: _in_queue(deployment, "PolicyChangesDeadLettersQueueUrl"), 30, 0.3)
    wait_for(lambda: _alarm(deployment, "PolicyChangesDeadLettersAlarm") == "ALARM", 20, 0.3)
    _empty(deployment, "PolicyChangesDeadLettersQueueUrl")
    wait_for(lambda: _alarm(deployment, "PolicyChangesDeadLettersAlarm") == "OK", 20, 0.3)


def test_a_change_that_was_dead_lettered_converges_without_another_upload(place: Place) -> None:
    deployment = place.deployment
    applied = f"clusters/{place.arn.rpartition('/')[2]}/applied.json"
    place.aws.fault("s3", "PutObject", code="SlowDown", status=503, times=None, resource=applied)
    version = deployment.upload(place.key, place.policy())

    released: set[str] = set()

    def given_up() -> dict[str, Any] | None:
        status = deployment.status(place.key)
        again = status["run"]["retryAt"] if status and status["run"] else None
        if again and again not in released:  # a try has ended: let the next one come now
            released.add(again)
            deployment.aws.release_messages(deployment.outputs["PolicyChangesQueueUrl"])
        return status if status and status["verdict"] == "Failed" else None

    failed = wait_for(given_up, 120, 0.3)
    assert "given up after 5 tries" in failed["reason"]
    place.aws.clear_faults()
    deployment.resync()

    assert deployment.wait(place.key, version, "Applied")["verdict"] == "Applied"
    _empty(deployment, "PolicyChangesDeadLettersQueueUrl")


def test_an_event_that_receive_policy_cannot_handle_ends_at_the_failure_destination_and_alarms(
    deployment: Deployment, place: Place
) -> None:
    event = {"detail": {"bucket": {"name": "somebody-elses"}, "object": {"key": "policies/a.yaml"}}}
    deployment.aws.client("lambda").invoke(
        FunctionName=deployment.function("ReceivePolicyFunction"),
        InvocationType="Event",
        Payload=json.dumps(event).encode(),
    )
    (message,) = wait_for(lambda: _in_queue(deployment, "FailedInvocationsQueueUrl"), 40, 0.3)
    body = json.loads(message["Body"])
    assert body["requestPayload"] == event
    assert body["requestContext"]["approximateInvokeCount"] == 3
    wait_for(lambda: _alarm(deployment, "FailedInvocationsAlarm") == "ALARM", 20, 0.3)
    _empty(deployment, "FailedInvocationsQueueUrl")


def test_deploying_another_runtime_than_was_built_fails_before_a_function_is_made(deployment: Deployment) -> None:
    other = next(each for each in ("python3.12", "python3.13") if each != BUILD["Runtime"])
    built = deployment.aws.directory / "built" / deployment.stack
    with pytest.raises(LocalAwsError) as failed:
        deployment.aws.deploy(built, {**BUILD, "Runtime": other}, "mismatch")

    said = str(failed.value)
    assert f"was built for {BUILD['Runtime']} on {BUILD['Architecture']} and is being deployed as {other}" in said
    names = [each["FunctionName"] for each in deployment.aws.client("lambda").list_functions()["Functions"]]
    assert not [name for name in names if name.startswith("mismatch-")]
