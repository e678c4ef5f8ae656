"""Does what the message says: waits, fails, prints a metric, imports something, ends."""

import importlib
import json
import os
import sys
import time
from typing import Any

import sample_layer  # type: ignore[import-not-found]
from sample_layer import aws


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    failed = []
    for record in event.get("Records", []):
        order = json.loads(record["body"])
        receives = record["attributes"]["ApproximateReceiveCount"]
        print(json.dumps({"order": order, "receives": receives, "at": time.time()}))
        if "visible_in" in order:
            aws.call("sqs", "ChangeMessageVisibility", _visibility(record, order["visible_in"]))
        if not _obey(order):
            failed.append({"itemIdentifier": record["messageId"]})
    if "import" in event:
        importlib.import_module(event["import"])
    return {
        "batchItemFailures": failed,
        "greeting": sample_layer.GREETING,
        "path": sys.path,
        "environment": dict(os.environ),
        "remaining": context.get_remaining_time_in_millis(),
    }


def _visibility(record: dict[str, Any], seconds: int) -> dict[str, Any]:
    return {
        "QueueUrl": os.environ["QUEUE_URL"],
        "ReceiptHandle": record["receiptHandle"],
        "VisibilityTimeout": seconds,
    }


def _obey(order: dict[str, Any]) -> bool:
    time.sleep(order.get("sleep", 0))
    if "emf" in order:
        print(json.dumps(order["emf"]))
    if "put" in order:
        aws.put_object(os.environ["BUCKET"], order["put"], b"x")
    if order.get("raise"):
        raise KeyError(order["raise"])
    print(json.dumps({"done": order}))
    return not order.get("fail", False)
