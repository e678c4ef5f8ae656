"""A file in a bucket and a written answer: every verdict through S3, EventBridge, SQS and the real handlers."""

import json
import re
from pathlib import Path

import pytest

from governor.records.announcing import DETAIL_TYPE, SOURCE
from local.aws.launcher import wait_for
from local.deployment import Deployment
from tests.support.place import Place

THREE = {"team-a": 1, "team-b": 1, "vision": 1}
TWO = {"team-a": 1, "team-b": 1}


def test_applied_then_unchanged_without_a_call_that_writes(place: Place) -> None:
    first = place.upload(place.policy())
    assert (first["verdict"], first["reason"]) == ("Applied", "2 changes made; the cluster is as the policy says")
    assert first["newest"]["origin"]["account"] == "123456789012"
    assert place.guaranteed() == {"team-a": 2, "team-b": 2}

    before = place.plane.writes()
    again = place.upload(place.policy())
    assert again["verdict"] == "Unchanged"
    assert place.plane.writes() == before

    history = place.deployment.history(place.arn)
    assert [entry["verdict"] for entry in history] == ["Applied", "Unchanged"]
    assert history[0]["calls"]["sagemaker:CreateComputeQuota"] == 2
    assert history[0]["requests"]
    assert history[0]["origin"] == first["newest"]["origin"]


def test_a_quota_is_recorded_as_changed_by_the_role_of_apply_policy(place: Place) -> None:
    place.upload(place.policy())
    (made,) = {
        quota["CreatedBy"]["IamIdentity"]["Arn"]
        for listed in place.plane.boto3_client("looker").list_compute_quotas(ClusterArn=place.arn)[
            "ComputeQuotaSummaries"
        ]
        for quota in [
            place.plane.boto3_client("looker").describe_compute_quota(ComputeQuotaId=listed["ComputeQuotaId"])
        ]
    }
    assert "assumed-role/governor-ApplyPolicyRole" in made


def test_held_and_approved_by_an_object_beside_the_policies(place: Place) -> None:
    place.upload(place.policy(teams=THREE))
    held = place.upload(place.policy(teams=TWO))
    assert held["verdict"] == "Held"
    assert "vision" in place.guaranteed()

    body = json.dumps({"fingerprint": held["run"]["fingerprint"]})
    place.deployment.upload(f"approvals/{place.arn.rpartition('/')[2]}.json", body)
    applied = place.deployment.wait(place.key, verdict="Applied")

    assert applied["run"]["approvedBy"]["key"].startswith("approvals/")
    assert place.guaranteed() == {"team-a": 1, "team-b": 1}


def test_held_and_approved_by_the_metadata_of_a_new_version(place: Place) -> None:
    place.upload(place.policy(teams=THREE))
    held = place.upload(place.policy(teams=TWO))

    applied = place.upload(place.policy(teams=TWO), governor_approve=held["run"]["fingerprint"])

    assert applied["verdict"] == "Applied"
    assert place.guaranteed() == {"team-a": 1, "team-b": 1}


def test_rejected_at_line_and_column_beside_the_version_in_force(place: Place) -> None:
    good = place.upload(place.policy())

    bad = place.upload(place.policy().replace("quota:", "qouta:", 1))

    assert bad["verdict"] == "Rejected"
    assert bad["inForce"] == good["newest"]["origin"]
    assert bad["run"]["verdict"] == "Applied"
    assert re.search(rf"{place.key}:4:\d+: error: .*did you mean 'quota'", place.deployment.readable(place.key))


def test_rejected_because_the_cluster_has_less(place: Place) -> None:
    status = place.upload(place.policy(teams={"team-a": 3, "team-b": 3}))
    assert status["verdict"] == "Rejected"
    assert status["inForce"] is None
    assert place.guaranteed() == {}


def test_waiting_for_a_cluster_that_comes_later(place: Place) -> None:
    text = place.policy().replace(place.name, f"{place.name}-later")
    waiting = place.upload(text)
    assert waiting["verdict"] == "Waiting"
    assert f"did you mean '{place.name}'" in waiting["reason"]

    place.deployment.add_cluster(f"{place.name}-later", {"ml.g5.8xlarge": 4})
    place.deployment.resync()
    assert place.deployment.wait(place.key, verdict="Applied")["clusterName"] == f"{place.name}-later"


def test_failed_with_the_reason_and_the_request_id_of_the_service(place: Place) -> None:
    place.plane.fault(
        "CreateComputeQuota", "error", code="ResourceLimitExceeded", message="no more quotas", match={"team": "team-b"}
    )
    status = place.upload(place.policy())
    assert status["verdict"] == "Failed"
    assert "ResourceLimitExceeded: no more quotas (request " in status["reason"]


def test_a_console_user_is_named(place: Place) -> None:
    place.upload(place.policy())
    console = place.plane.boto3_client("console-user")
    (quota,) = console.list_compute_quotas(ClusterArn=place.arn, NameContains="team-b")["ComputeQuotaSummaries"]
    console.update_compute_quota(
        ComputeQuotaId=quota["ComputeQuotaId"],
        TargetVersion=quota["ComputeQuotaVersion"],
        ComputeQuotaConfig={"ComputeQuotaResources": [{"InstanceType": "ml.g5.8xlarge", "Count": 1}]},
    )
    status = place.upload(place.policy())
    assert status["verdict"] == "Applied"
    assert [change["by"] for change in status["run"]["foreign"]] == ["arn:aws:iam::123456789012:user/console-user"]


def test_released_after_the_grace_period_and_nothing_is_deleted(place: Place) -> None:
    place.upload(place.policy())
    place.deployment.delete(place.key)
    place.deployment.wait(place.key, verdict="Waiting")

    def released() -> bool:
        place.deployment.resync()
        status = place.deployment.status(place.key)
        return status is not None and status["verdict"] == "Released"

    wait_for(released, 20, 0.3)
    assert place.guaranteed() == {"team-a": 2, "team-b": 2}


def test_on_delete_remove_is_held_and_then_removes(place: Place) -> None:
    place.upload(place.policy("onDelete: Remove\n"))
    place.deployment.delete(place.key)

    def held() -> str | None:
        place.deployment.resync()
        status = place.deployment.status(place.key)
        return status["run"]["fingerprint"] if status and status["verdict"] == "Held" else None

    fingerprint = wait_for(held, 20, 0.3)
    assert place.guaranteed() == {"team-a": 2, "team-b": 2}
    place.deployment.upload(f"approvals/{place.arn.rpartition('/')[2]}.json", json.dumps({"fingerprint": fingerprint}))
    place.deployment.wait(place.key, verdict="Released")
    assert place.guaranteed() == {}


@pytest.mark.parametrize("order", ["upload first", "delete first"])
def test_a_renamed_file_deletes_nothing(place: Place, order: str) -> None:
    text = place.policy("onDelete: Remove\n")
    place.upload(text)
    before = place.plane.writes()
    renamed = f"policies/renamed/{place.name}.yml"
    if order == "upload first":
        version = place.deployment.upload(renamed, text)
        place.deployment.wait(renamed, version, "Rejected")
        place.deployment.delete(place.key)
    else:
        place.deployment.delete(place.key)
        place.deployment.wait(place.key, verdict="Waiting")
        version = place.deployment.upload(renamed, text)
    place.deployment.wait(renamed, version, "Unchanged")
    place.deployment.wait(place.key, verdict="Released")
    place.deployment.resync()

    assert place.plane.writes() == before


def test_what_is_no_policy_is_ignored(place: Place) -> None:
    place.deployment.upload(f"policies/{place.name}.md", "# notes")
    place.upload(place.policy())
    assert place.deployment.status(f"policies/{place.name}.md") is None


def test_json_is_accepted(place: Place) -> None:
    policy = {
        "version": 1,
        "cluster": place.arn,
        "teams": [{"name": "team-a", "quota": [{"instanceType": "ml.g5.8xlarge", "count": 1}]}],
    }
    place.key = f"policies/{place.name}.json"
    assert place.upload(json.dumps(policy))["verdict"] == "Applied"


def test_every_verdict_is_an_event_a_metric_and_where_a_person_should_look_a_message(
    deployment: Deployment, place: Place
) -> None:
    sqs, events, sns = (deployment.aws.client(name) for name in ("sqs", "events", "sns"))
    url = sqs.create_queue(QueueName=f"heard-{place.name}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}
    )
    pattern = {"source": [SOURCE], "detail-type": [DETAIL_TYPE], "detail": {"file": [place.key]}}
    events.put_rule(Name=f"heard-{place.name}", EventPattern=json.dumps(pattern))
    events.put_targets(Rule=f"heard-{place.name}", Targets=[{"Id": "queue", "Arn": arn}])
    sns.subscribe(TopicArn=deployment.outputs["NotificationsTopicArn"], Protocol="sqs", Endpoint=arn)

    place.upload(place.policy(teams=THREE))
    place.upload(place.policy(teams=TWO), "Held")
    place.upload("version: 1\n", "Rejected")
    heard: list[str] = []
    told: list[str] = []

    def listen() -> bool:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ()):
            body = json.loads(message["Body"])
            if body.get("detail-type"):
                heard.append(body["detail"]["verdict"])
            elif place.key in body["Message"]:
                told.append(body["Subject"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return len(told) == 2 and "Rejected" in heard and "Held" in heard

    wait_for(listen, 15)
    assert heard.count("Applied") == 1
    assert sorted(told) == [
        f"HyperPod Governor: Held: {place.name}: {place.key}",
        f"HyperPod Governor: Rejected: {place.name}: {place.key}",
    ]

    def counted() -> bool:
        listed = deployment.aws.client("cloudwatch").list_metrics(Namespace="HyperPodGovernor")["Metrics"]
        names = {
            metric["MetricName"]
            for metric in listed
            if {"Name": "service", "Value": "governor"} in metric["Dimensions"]
        }
        return {"Applied", "Held", "Rejected"} <= names

    wait_for(counted, 10)


def test_the_examples_of_the_documentation_are_applied(place: Place) -> None:
    workshop = (Path(__file__).parents[2] / "policies" / "workshop.yaml").read_text()
    assert place.upload(workshop.replace("ml-research", place.name))["verdict"] == "Applied"
