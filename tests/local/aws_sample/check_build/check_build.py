"""A custom resource: refuses a stack whose build is not good."""

import json
import urllib.request
from typing import Any


def handler(event: dict[str, Any], context: Any) -> None:
    good = event["RequestType"] == "Delete" or event["ResourceProperties"]["Build"] == "good"
    print(json.dumps({"asked": event["RequestType"], "build": event["ResourceProperties"]["Build"]}))
    answer = {
        "Status": "SUCCESS" if good else "FAILED",
        "Reason": "The build is bad: build it again.",
        "PhysicalResourceId": "build",
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Checked": "yes"},
    }
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
    with urllib.request.urlopen(request, timeout=10):
        pass
