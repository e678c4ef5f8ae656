"""S3's EventBridge events as AWS documents them for a versioned bucket."""

import json
from contextvars import ContextVar
from typing import Any

from ministack.services import eventbridge, s3

from local.aws.runner.patching import Function, around
from local.aws.runner.settings import RunnerSettings

# The MD5 of nothing, which AWS gives as the ETag of what is deleted.
EMPTY = "d41d8cd98f00b204e9800998ecf8427e"

_version: ContextVar[str | None] = ContextVar("version", default=None)


def add_details(_: RunnerSettings) -> None:
    """`detail.object.version-id`, which MiniStack knows and leaves out.

    What is deleted has no size, and the ETag of nothing.
    """

    @around(s3, "_fire_s3_event")
    def remember_version(fire: Function) -> Function:
        def fired(*args: Any, version_id: str | None = None, **details: Any) -> None:
            token = _version.set(version_id)
            try:
                fire(*args, version_id=version_id, **details)
            finally:
                _version.reset(token)

        return fired

    @around(eventbridge, "_dispatch_event")
    def complete_event(dispatch: Function) -> Function:
        def dispatched(event: dict[str, Any], *args: Any) -> None:
            dispatch(_completed(event), *args)

        return dispatched


def _completed(event: dict[str, Any]) -> dict[str, Any]:
    if event.get("Source") != "aws.s3":
        return event
    detail = json.loads(event["Detail"])
    version = _version.get()
    if version:
        detail["object"]["version-id"] = version
    if event["DetailType"] == "Object Deleted":
        detail["object"].pop("size", None)
        detail["object"]["etag"] = EMPTY
    return {**event, "Detail": json.dumps(detail)}
