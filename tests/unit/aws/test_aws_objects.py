"""S3's answers to conditional writes are three different things, as botocore's model has them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

from governor.aws.announcer import Announcer
from governor.aws.objects import Bucket
from governor.aws.queue import ChangeQueue
from governor.errors import AccessError, ConflictError, TransientError
from governor.records.announcing import Announcement

TIME = datetime(2026, 11, 24, tzinfo=UTC)


def _client(service: str) -> Any:
    return boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-west-2").client(service)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Bucket, Stubber]]:
    """A bucket whose answers are given by the test."""
    monkeypatch.setattr("governor.aws.objects.time.sleep", lambda _seconds: None)
    client = _client("s3")
    with Stubber(client) as stubber:
        yield Bucket(client, "records"), stubber
        stubber.assert_no_pending_responses()


def _put(stubber: Stubber, **condition: str) -> dict[str, Any]:
    return {"Bucket": "records", "Key": "k", "Body": b"x", "ContentType": "text/plain", "Metadata": {}, **condition}


def test_nothing_must_be_there(bucket: tuple[Bucket, Stubber]) -> None:
    it, stubber = bucket
    stubber.add_response("put_object", {"ETag": '"e"'}, _put(stubber, IfNoneMatch="*"))
    assert it.put("k", b"x", "text/plain", None) == '"e"'


@pytest.mark.parametrize(("code", "status"), [("PreconditionFailed", 412), ("NoSuchKey", 404)])
def test_something_else_is_there_or_nothing_any_more(bucket: tuple[Bucket, Stubber], code: str, status: int) -> None:
    it, stubber = bucket
    stubber.add_client_error("put_object", code, http_status_code=status, expected_params=_put(stubber, IfMatch='"e"'))
    with pytest.raises(ConflictError):
        it.put("k", b"x", "text/plain", '"e"')


def test_others_are_just_writing(bucket: tuple[Bucket, Stubber]) -> None:
    it, stubber = bucket
    stubber.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409)
    stubber.add_response("put_object", {"ETag": '"e"'}, _put(stubber, IfMatch='"d"'))
    assert it.put("k", b"x", "text/plain", '"d"') == '"e"'
    for _ in range(3):
        stubber.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409)
    with pytest.raises(TransientError, match="other writers are at work"):
        it.put("k", b"x", "text/plain", '"d"')


def test_a_missing_bucket_is_no_missing_key(bucket: tuple[Bucket, Stubber]) -> None:
    it, stubber = bucket
    stubber.add_client_error("get_object", "NoSuchBucket", "the bucket does not exist", http_status_code=404)
    with pytest.raises(Exception, match="NoSuchBucket"):
        it.get("k")
    stubber.add_client_error("put_object", "NoSuchBucket", "the bucket does not exist", http_status_code=404)
    with pytest.raises(Exception, match="NoSuchBucket"):
        it.put("k", b"x", "text/plain", '"e"')


def test_reading(bucket: tuple[Bucket, Stubber]) -> None:
    it, stubber = bucket
    for code in ("NoSuchKey", "404"):
        stubber.add_client_error("get_object" if code != "404" else "head_object", code, http_status_code=404)
    assert it.get("k") is None
    assert it.head("k") is None
    answer = {
        "Body": StreamingBody(BytesIO(b"0123456789"), 10),
        "ETag": '"e"',
        "LastModified": TIME,
        "VersionId": "v1",
        "Metadata": {"governor-approve": "f"},
        "ContentLength": 10,
    }
    stubber.add_response("get_object", answer, {"Bucket": "records", "Key": "k"})
    stored = it.get("k", 4)
    assert stored is not None
    assert (stored.data, stored.version, stored.size, stored.metadata["governor-approve"]) == (b"0123", "v1", 10, "f")
    stubber.add_client_error("get_object", "AccessDenied", http_status_code=403)
    with pytest.raises(AccessError, match="GetObject s3://records/k"):
        it.get("k")


def test_lists_are_read_page_by_page(bucket: tuple[Bucket, Stubber]) -> None:
    it, stubber = bucket
    item = {"ETag": '"e"', "LastModified": TIME, "Size": 1}
    first = {"Contents": [{"Key": "a", **item}], "IsTruncated": True, "NextContinuationToken": "t"}
    stubber.add_response("list_objects_v2", first, {"Bucket": "records", "Prefix": "p"})
    again = {"Bucket": "records", "Prefix": "p", "ContinuationToken": "t"}
    stubber.add_response("list_objects_v2", {"Contents": [{"Key": "b", **item}], "IsTruncated": False}, again)
    assert [listed.key for listed in it.listed("p")] == ["a", "b"]


def test_a_message_has_its_group_and_its_own_deduplication_id() -> None:
    client = _client("sqs")
    with Stubber(client) as stubber:
        expected = {"QueueUrl": "u/q", "MessageBody": "b", "MessageGroupId": "g", "MessageDeduplicationId": "d"}
        stubber.add_response("send_message", {"MessageId": "m"}, expected)
        ChangeQueue(client, "u/q").send("g", "d", "b")
        shown = {"QueueUrl": "u/q", "ReceiptHandle": "h", "VisibilityTimeout": 43200}
        stubber.add_response("change_message_visibility", {}, shown)
        ChangeQueue(client, "u/q").show_again("h", 1e9)
        stubber.assert_no_pending_responses()


def test_an_event_that_was_not_taken_is_a_failure_although_the_call_succeeded() -> None:
    events, sns, counted = _client("events"), _client("sns"), list[str]()
    told = Announcement("policies/a.yaml", "Held", "w" * 30_000, "c", "arn", "v", 1, "r", "f", "s", "m")
    announcer = Announcer(lambda: events, lambda: sns, "topic", "records", counted.append)
    with Stubber(events) as stubber, Stubber(sns) as topic:
        topic.add_response("publish", {"MessageId": "m"}, {"TopicArn": "topic", "Subject": ANY, "Message": ANY})
        refused = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "slow"}]}
        stubber.add_response("put_events", refused)
        with pytest.raises(TransientError, match="ThrottlingException: slow"):
            announcer.announce(told, notify=True)
        stubber.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]})
        announcer.announce(told, notify=False)
    assert counted == ["Held"]
