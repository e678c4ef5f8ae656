"""receive_policy: an event about one object, or the tick of the resync."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from governor.aws.service_model import service_limits
from governor.errors import PermanentError
from governor.functions.parts import Parts, now
from governor.observability import logger
from governor.receive import Hint, Receiver, Resync, Rules
from governor.records.names import is_approval, is_policy

MARGIN = 15.0
"""Seconds before the function's end in which the resync begins nothing new."""


class _Object(msgspec.Struct):
    key: str


class _Bucket(msgspec.Struct):
    name: str


class _Detail(msgspec.Struct, rename={"address": "source-ip-address"}):
    bucket: _Bucket
    object: _Object
    requester: str = ""
    address: str = ""


class _Event(msgspec.Struct):
    detail: _Detail


def receive(parts: Parts, event: Mapping[str, Any], seconds_left: Callable[[], float], request: str) -> dict[str, Any]:
    """Handle an event; what became of it, for the log. PermanentError for an event that is none of ours."""
    rules = Rules(parts.rules, timedelta(seconds=parts.settings.grace_seconds))
    receiver = Receiver(
        parts.policies, parts.documents, parts.statuses, parts.account, parts.queue, service_limits, rules, now, request
    )
    if event.get("resync") is True:
        done = Resync(receiver, logger, lambda: seconds_left() - MARGIN).run()
        return {"resync": msgspec.to_builtins(done)}
    try:
        detail = msgspec.convert(event, _Event).detail
    except msgspec.ValidationError as error:
        raise PermanentError(f"an event that is neither about an object nor a resync: {error}") from error
    if detail.bucket.name != parts.settings.policies_bucket:
        raise PermanentError(f"an event about another bucket: {detail.bucket.name}")
    key, hint = detail.object.key, Hint(detail.requester, detail.address)
    if is_approval(key):
        force = receiver.approve(key, hint)
        return {"key": key, "approves": force.cluster_arn if force else None}
    if not is_policy(key):
        return {"key": key, "ignored": True}
    status = receiver.receive(key, hint)
    return {"key": key, "verdict": status.verdict if status else None, "reason": status.reason if status else ""}
