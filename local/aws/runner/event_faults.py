"""Faults of events on their way through EventBridge: lost, twice, late."""

import json
import time
from typing import Any

from ministack.services import eventbridge

from local.aws.runner.faults import DROP, DUPLICATE, Subject, delay_of, faults
from local.aws.runner.patching import Function, around
from local.aws.runner.settings import RunnerSettings


def add_event_faults(_: RunnerSettings) -> None:
    """Service `events`, operation `Deliver`; the resource is `bucket/key` of an S3 event, else the detail-type."""

    @around(eventbridge, "_dispatch_event")
    def disturb(dispatch: Function) -> Function:
        def dispatched(event: dict[str, Any], *view: Any) -> None:
            rules = faults.take(Subject("events", "Deliver", _resource(event)))
            time.sleep(delay_of(rules, "before"))
            if any(rule.action == DROP for rule in rules):
                return
            for _ in range(1 + sum(rule.action == DUPLICATE for rule in rules)):
                dispatch(event, *view)

        return dispatched


def _resource(event: dict[str, Any]) -> str:
    if event.get("Source") != "aws.s3":
        return str(event.get("DetailType", ""))
    detail = json.loads(event["Detail"])
    return f"{detail['bucket']['name']}/{detail['object']['key']}"
