"""Prints the S3 event, and fails when the object's name says so."""

import json
from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    print(json.dumps({"received": event["detail"]}))
    if "fail" in event["detail"]["object"]["key"]:
        raise ValueError("told to fail")
    return {}
