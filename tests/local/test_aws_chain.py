"""The local AWS as a whole: what the product's chain relies on, on a small stack deployed by the SAM CLI."""

import functools
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.launcher import LocalAws, wait_for
from local.aws.process import LocalAwsError
from tests.local.aws_sample.stack import RUNTIME, SAMPLE, STACK, Stack


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("built") / "sample"


@pytest.fixture(scope="module")
def stack(built: Path) -> Iterator[Stack]:
    with LocalAws(plane_settings={"transition_seconds": 0}) as aws:
        aws.sam.build(SAMPLE, built, RUNTIME)
        yield Stack(aws, aws.deploy(built, RUNTIME, STACK))
        aws.plane.assert_no_violations()


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_custom_resource_fails_the_stack_with_its_reason(stack: Stack, built: Path) -> None:
    assert stack.outputs["Checked"] == "yes"
    with pytest.raises(LocalAwsError, match="The build is bad: build it again"):
        stack.aws.deploy(built, {**RUNTIME, "Build": "bad"}, STACK)
    described = stack.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    assert described["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.aws.deploy(built, RUNTIME, STACK)["Checked"] == "yes"


def test_a_stack_that_goes_asks_its_custom_resource_once_more(stack: Stack, built: Path) -> None:
    stack.aws.deploy(built, RUNTIME, "short-lived")
    client = stack.client("cloudformation")
    group = f"/aws/lambda/{stack.aws.physical_id('CheckBuild', 'short-lived')}"
    client.delete_stack(StackName="short-lived")
    wait_for(lambda: status(stack, "short-lived") == "gone")
    messages = [each["message"] for each in stack.client("logs").filter_log_events(logGroupName=group)["events"]]
    assert [json.loads(each)["asked"] for each in messages if each.startswith('{"asked"')] == ["Create", "Delete"]


def status(stack: Stack, name: str) -> str:
    client = stack.client("cloudformation")
    try:
        found: str = client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    except client.exceptions.ClientError:
        return "gone"
    return found


def test_a_failed_message_comes_back_when_its_visibility_says(stack: Stack) -> None:
    """After ChangeMessageVisibility to one second, not after the queue's thirty, and not at once."""
    mark = uuid.uuid4().hex
    stack.order(fail=True, visible_in=1, mark=mark)
    wait_for(lambda: stack.said(f'"mark": "{mark}"') >= 2)
    lines = wait_for(lambda: two_orders(stack, mark), seconds=6)
    assert [each["receives"] for each in lines] == ["1", "2"]
    assert 0.9 <= lines[1]["at"] - lines[0]["at"] < 5


def two_orders(stack: Stack, mark: str) -> list[dict[str, Any]] | None:
    lines = stack.aws.logs(stack.outputs["Apply"]).splitlines()
    orders = [json.loads(line) for line in lines if line.startswith('{"order"') and mark in line]
    return orders[:2] if len(orders) >= 2 else None


def test_a_message_that_always_fails_ends_in_the_dead_letter_queue_and_others_go_on(stack: Stack) -> None:
    bad, good = uuid.uuid4().hex, uuid.uuid4().hex
    stack.order(fail=True, mark=bad)
    for times in range(1, 4):
        wait_for(functools.partial(has_failed, stack, bad, times))
        wait_for(lambda: stack.aws.release_messages(stack.outputs["Work"]))
    stack.order(mark=good)
    wait_for(lambda: stack.said(f'"done": {{"mark": "{good}"'))
    wait_for(lambda: bad in [json.loads(each["Body"])["mark"] for each in stack.messages("Dead")])


def has_failed(stack: Stack, mark: str, times: int) -> bool:
    return stack.said(f'"done": {{"fail": true, "mark": "{mark}"') == times


def test_a_deduplication_id_is_taken_once(stack: Stack) -> None:
    mark = uuid.uuid4().hex
    sqs = stack.client("sqs")
    message = {"QueueUrl": stack.outputs["Work"], "MessageGroupId": mark, "MessageDeduplicationId": mark}
    sent = [sqs.send_message(**message, MessageBody=json.dumps({"mark": mark, "n": each})) for each in range(2)]
    wait_for(lambda: stack.said(f'"done": {{"mark": "{mark}"'))
    assert len({each["MessageId"] for each in sent}) == 1
    assert stack.said(f'"done": {{"mark": "{mark}", "n": 1') == 0


def test_one_message_group_keeps_its_order(stack: Stack) -> None:
    mark = uuid.uuid4().hex
    for number in range(6):
        stack.order(group=mark, mark=mark, number=number, sleep=0.05)
    wait_for(lambda: stack.said(f'"done": {{"mark": "{mark}"') == 6)
    lines = stack.aws.logs(stack.outputs["Apply"]).splitlines()
    done = [json.loads(line)["done"]["number"] for line in lines if line.startswith('{"done"') and mark in line]
    assert done == list(range(6))


def test_the_control_plane_asks_about_the_caller(stack: Stack) -> None:
    cluster = stack.aws.plane.add_cluster("ml-research", {"ml.g5.8xlarge": 4})
    role = stack.aws.client("sagemaker", stack.outputs["Apply"])
    assert role.describe_cluster(ClusterName="ml-research")["ClusterArn"] == cluster
    quota = role.create_compute_quota(**quota_of(cluster))["ComputeQuotaId"]
    with pytest.raises(ClientError) as refusal:
        role.describe_compute_quota(ComputeQuotaId=quota)
    who = f"arn:aws:sts::123456789012:assumed-role/{stack.outputs['ApplyRole']}/{stack.outputs['Apply']}"
    resource = f"arn:aws:sagemaker:us-west-2:123456789012:compute-quota/{quota}"
    assert code_of(refusal) == "AccessDeniedException"
    assert refusal.value.response["Error"]["Message"].startswith(
        f"User: {who} is not authorized to perform: sagemaker:DescribeComputeQuota on resource: {resource}"
    )
    described = stack.client("sagemaker").describe_compute_quota(ComputeQuotaId=quota)
    assert described["CreatedBy"]["IamIdentity"]["Arn"] == who
    with pytest.raises(ClientError) as refusal:
        role.create_compute_quota(**{**quota_of(cluster), "Tags": [{"Key": "team", "Value": "vision"}]})
    assert "sagemaker:AddTags" in refusal.value.response["Error"]["Message"]
    with pytest.raises(ClientError) as refusal:
        stack.aws.client("ec2", stack.outputs["Apply"]).describe_instance_types(InstanceTypes=["g4dn.xlarge"])
    assert code_of(refusal) == "UnauthorizedOperation"
    assert stack.aws.plane.boto3_client("alice").list_clusters()["ClusterSummaries"]


def quota_of(cluster: str) -> dict[str, Any]:
    return {
        "Name": "vision",
        "ClusterArn": cluster,
        "ComputeQuotaConfig": {"ComputeQuotaResources": [{"InstanceType": "ml.g5.8xlarge", "Count": 1}]},
        "ComputeQuotaTarget": {"TeamName": "vision"},
    }


def test_a_decision_can_be_made_again_under_other_policies(stack: Stack) -> None:
    s3, files = stack.aws.client("s3", stack.outputs["Apply"]), stack.outputs["Files"]
    s3.put_object(Bucket=files, Key="records/decided", Body=b"x")
    made = [each for each in stack.aws.decisions(stack.outputs["ApplyRole"]) if each["resource"].endswith("/decided")]
    assert [(each["action"], each["allowed"]) for each in made] == [("s3:PutObject", True)]
    number = made[0]["id"]
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": f"arn:aws:s3:::{files}/*"}
    policy = {"Version": "2012-10-17", "Statement": [allow]}
    assert stack.aws.decide_again(number, [policy]) == "Allow"
    assert stack.aws.decide_again(number, []) == "ImplicitDeny"
    assert stack.aws.decide_again(number, [policy], secure_transport=False) == "Deny"


def test_a_role_can_be_asked_about_before_it_does_anything(stack: Stack) -> None:
    function, files = stack.outputs["Apply"], stack.outputs["Files"]
    assert stack.aws.may(function, "s3:PutObject", f"arn:aws:s3:::{files}/records/x")
    assert not stack.aws.may(function, "s3:PutObject", f"arn:aws:s3:::{files}/policies/x")
    assert stack.aws.may(function, "cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "Sample"})
    assert not stack.aws.may(function, "cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "Other"})


def test_a_worker_can_be_killed_at_one_of_its_calls(stack: Stack) -> None:
    """After PutObject has had its effect, for instance."""
    mark = uuid.uuid4().hex
    stack.aws.fault("s3", "PutObject", "kill_worker", when="after", function=stack.outputs["Apply"])
    stack.order(put=f"records/{mark}", mark=mark)
    key = {"Bucket": stack.outputs["Files"], "Key": f"records/{mark}"}
    wait_for(lambda: exists(stack, key))
    wait_for(lambda: "Worker process died" in stack.aws.logs(stack.outputs["Apply"]))
    assert stack.said(f'"done": {{"put": "records/{mark}"') == 0
    assert stack.aws.faults() == []
    stack.aws.release_messages(stack.outputs["Work"])
    wait_for(lambda: stack.said(f'"done": {{"put": "records/{mark}"'))


def exists(stack: Stack, key: dict[str, str]) -> bool:
    try:
        stack.client("s3").head_object(**key)
    except ClientError:
        return False
    return True


@pytest.mark.parametrize("service", ["s3", "sqs", "sns", "events", "logs", "cloudwatch", "kms", "lambda"])
def test_every_service_can_be_made_to_fail_in_its_own_words(stack: Stack, service: str) -> None:
    calls: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "s3": ("ListAllMyBuckets", lambda client: client.list_buckets()),
        "sqs": ("ListQueues", lambda client: client.list_queues()),
        "sns": ("ListTopics", lambda client: client.list_topics()),
        "events": ("ListRules", lambda client: client.list_rules()),
        "logs": ("DescribeLogGroups", lambda client: client.describe_log_groups()),
        "cloudwatch": ("DescribeAlarms", lambda client: client.describe_alarms()),
        "kms": ("ListKeys", lambda client: client.list_keys()),
        "lambda": ("ListFunctions", lambda client: client.list_functions()),
    }
    operation, call = calls[service]
    stack.aws.fault(service, operation, code="ThrottlingException", status=429)
    with pytest.raises(ClientError) as failure:
        call(stack.client(service))
    assert code_of(failure) == "ThrottlingException"
    assert failure.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    call(stack.client(service))


def test_a_fault_that_makes_no_sense_is_refused(stack: Stack) -> None:
    with pytest.raises(ValueError, match="none of"):
        stack.aws.fault("s3", "PutObject", "duplicate")
    with pytest.raises(ValueError, match="unexpected keyword"):
        stack.aws.fault("s3", "PutObject", wrong=True)


def test_conditional_writes_know_three_answers(stack: Stack) -> None:
    s3, where = stack.client("s3"), {"Bucket": stack.outputs["Files"], "Key": "records/conditional"}
    etag = s3.put_object(**where, Body=b"1", IfNoneMatch="*")["ETag"]
    assert status_of(lambda: s3.put_object(**where, Body=b"2", IfNoneMatch="*")) == 412
    assert status_of(lambda: s3.put_object(**where, Body=b"2", IfMatch='"other"')) == 412
    assert status_of(lambda: s3.put_object(**where, Body=b"2", IfMatch=etag)) == 200
    s3.delete_object(**where)
    assert status_of(lambda: s3.put_object(**where, Body=b"3", IfMatch=etag)) == 404
    with pytest.raises(ClientError) as gone:
        s3.get_object(**where)
    assert gone.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    assert status_of(lambda: s3.put_object(**where, Body=b"3", IfNoneMatch="*")) == 200


def status_of(call: Any) -> int:
    try:
        answer = call()
    except ClientError as error:
        answer = error.response
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])


def test_an_older_version_copied_over_itself_is_a_new_version_and_an_event(stack: Stack) -> None:
    s3, files, key = stack.client("s3"), stack.outputs["Files"], "policies/copied.yaml"
    first = s3.put_object(Bucket=files, Key=key, Body=b"1")["VersionId"]
    s3.put_object(Bucket=files, Key=key, Body=b"2")
    copied = s3.copy_object(
        Bucket=files,
        Key=key,
        CopySource={"Bucket": files, "Key": key, "VersionId": first},
        MetadataDirective="REPLACE",
        Metadata={"governor-approve": "abc"},
    )["VersionId"]
    newest = s3.get_object(Bucket=files, Key=key)
    assert (newest["Body"].read(), newest["Metadata"], newest["VersionId"]) == (
        b"1",
        {"governor-approve": "abc"},
        copied,
    )
    wait_for(lambda: len(stack.events(key)) == 3)
    events = sorted(stack.events(key), key=lambda each: each["object"]["sequencer"])
    assert [each["reason"] for each in events] == ["PutObject", "PutObject", "CopyObject"]
    assert events[2]["object"]["version-id"] == copied
    pages = list(s3.get_paginator("list_object_versions").paginate(Bucket=files, PaginationConfig={"PageSize": 2}))
    assert len(pages) > 1
    shown = [each for page in pages for each in page.get("Versions", []) if each["Key"] == key]
    assert shown[0]["VersionId"] == copied
