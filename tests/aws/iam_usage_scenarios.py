"""What the functions do about usage: publish it, and tell people of an incident."""

import json
from collections.abc import Callable
from typing import Any

from local.aws.launcher import wait_for
from tests.aws.iam_support import take
from tests.support.place import Place


def usage_published(place: Place) -> None:
    """The tick of a minute, for a cluster that is governed."""
    place.upload(place.policy(), "Applied")
    assert place.name in place.deployment.publish_metrics()["clusters"]
    assert place.deployment.document(f"clusters/{place.arn.rpartition('/')[2]}/usage.json") is not None


def incident_told(place: Place) -> None:
    """An alarm of usage rings for a team."""
    place.upload(place.policy(), "Applied")
    assert tell(place, change(place))["outcome"] == "told"
    found = incident(place)
    assert found is not None
    assert (found["state"], found["told"]) == ("ALARM", True)


def event_that_is_no_tick(place: Place) -> None:
    """An invocation of publish_metrics fails and is told to the failure destination."""
    _fails(place, "PublishMetricsFunction")


def event_that_is_no_incident(place: Place) -> None:
    """An invocation of notify_usage fails three times and is told to the failure destination."""
    _fails(place, "NotifyUsageFunction")


USAGE_SCENARIOS: tuple[Callable[[Place], None], ...] = (
    event_that_is_no_incident,  # the longest wait first
    event_that_is_no_tick,
    usage_published,
    incident_told,
)


def change(place: Place, state: str = "ALARM", at: str = "2026-11-24T13:42:04.919+0000") -> dict[str, Any]:
    """What CloudWatch says when the alarm on borrowing has another state for team-a."""
    alarm = place.aws.physical_id("OverBorrowingAlarm", place.deployment.stack)
    attributes = {"cluster": place.name, "team": "team-a"}
    return {
        "detail-type": "CloudWatch Alarm Contributor State Change",
        "source": "aws.cloudwatch",
        "detail": {
            "alarmName": alarm,
            "alarmContributor": {"id": "6d442278dba546f6", "attributes": attributes},
            "state": {"value": state, "reason": "Threshold Crossed", "timestamp": at},
        },
    }


def tell(place: Place, event: dict[str, Any]) -> dict[str, Any]:
    """What notify_usage makes of the event. Raises RuntimeError where it fails."""
    answer = place.aws.client("lambda").invoke(
        FunctionName=place.deployment.function("NotifyUsageFunction"), Payload=json.dumps(event).encode()
    )
    payload: dict[str, Any] = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise RuntimeError(str(payload))
    notified: dict[str, Any] = payload["notified"]
    return notified


def incident(place: Place) -> dict[str, Any] | None:
    """What is written down of team-a's borrowing; None for nothing."""
    identity = place.arn.rpartition("/")[2]
    return place.deployment.document(f"clusters/{identity}/incidents/OverBorrowing/team-a.json")


def _fails(place: Place, function: str) -> None:
    place.aws.client("lambda").invoke(
        FunctionName=place.deployment.function(function),
        InvocationType="Event",
        Payload=json.dumps({"none of ours": place.name}).encode(),
    )
    wait_for(lambda: take(place.deployment, place.deployment.outputs["FailedInvocationsQueueUrl"], place.name), 40, 0.1)
