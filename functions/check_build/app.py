"""Fails a deployment whose layers were built for another runtime or architecture, and says what to run instead.

CloudFormation invokes it before any other function of the stack is changed. Only the standard library: it has to run
where the layers do not fit.
"""

import json
import sys
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

NAMES = ("dependencies", "governor")


def handler(event: dict[str, Any], _context: object) -> None:
    """Answer CloudFormation; a deletion always succeeds. The answer's URL is a secret and is not logged."""
    reason = "" if event["RequestType"] == "Delete" else wrong(event["ResourceProperties"], sys.path)
    print(json.dumps({"request": event["RequestType"], "reason": reason or "as built"}))
    answer = {
        "Status": "FAILED" if reason else "SUCCESS",
        "Reason": reason or "The layers are built for this runtime and architecture.",
        "PhysicalResourceId": event.get("PhysicalResourceId", "build-check"),
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    # S3 signs the URL for an empty content type.
    request = urllib.request.Request(  # noqa: S310 - CloudFormation's own https URL
        event["ResponseURL"], data=json.dumps(answer).encode(), method="PUT", headers={"Content-Type": ""}
    )
    with urllib.request.urlopen(request, timeout=20):  # noqa: S310
        pass


def wrong(wanted: dict[str, Any], path: Iterable[str]) -> str:
    """Why the layers, which are somewhere on the path, do not fit; "" when they do."""
    places = [Path(place) for place in path]
    runtime, architecture = wanted.get("Runtime", ""), wanted.get("Architecture", "")
    build = f"GOVERNOR_RUNTIME={runtime} GOVERNOR_ARCHITECTURE={architecture} sam build"
    for name in NAMES:
        record = next((each for place in places if (each := place / f"{name}-build.json").is_file()), None)
        try:
            built = json.loads(record.read_text()) if record else None
        except ValueError:
            built = None
        if not isinstance(built, dict):
            return f"The layer {name} has no record of its build; run: {build}"
        if (built.get("runtime"), built.get("architecture")) != (runtime, architecture):
            return (
                f"The layer {name} was built for {built.get('runtime')} on {built.get('architecture')} and is being "
                f"deployed as {runtime} on {architecture}; run: {build} - or deploy with Runtime="
                f"{built.get('runtime')} Architecture={built.get('architecture')}"
            )
    return ""
