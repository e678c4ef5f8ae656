"""apply_policy: one message of the FIFO queue is one slice of work for one cluster."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from governor.apply.slices import Invocation, Slices, SliceSettings
from governor.aws.service_model import service_limits
from governor.errors import GovernorError, PermanentError, TransientError
from governor.functions.parts import Parts, now
from governor.observability import logger
from governor.policy.names import is_cluster_arn
from governor.records.queue import Message

MARGIN = 60.0
"""Seconds before the function's end at which a slice stops: for the calls that are under way, and for writing down."""
HOPELESS_SECONDS = 1.0
"""A message that can never be handled is soon in the dead-letter queue and out of the way of others."""
UNEXPECTED_SECONDS = 30.0


def apply(
    parts: Parts, event: Mapping[str, Any], seconds_left: Callable[[], float], request: str
) -> dict[str, list[dict[str, str]]]:
    """Handle a batch; the messages that have to come again, as the event source mapping wants them."""
    failures: list[dict[str, str]] = []
    for record in event["Records"]:
        if failures:  # the order within a group must not be broken
            failures.append({"itemIdentifier": record["messageId"]})
            continue
        again = _handle(parts, record, seconds_left, request)
        if again is not None:
            failures.append({"itemIdentifier": record["messageId"]})
            _show_again(parts, record, again)
    return {"batchItemFailures": failures}


def _handle(parts: Parts, record: Mapping[str, Any], seconds_left: Callable[[], float], request: str) -> float | None:
    """Seconds after which the message is to come again; None when it is done with."""
    message: Message | None = None
    receives = int(record.get("attributes", {}).get("ApproximateReceiveCount", "1"))
    try:
        message = _message(record)
        logger.append_keys(cluster=message.cluster_arn)
        seconds = min(float(parts.settings.slice_seconds), seconds_left() - MARGIN)
        run = _slices(parts).handle(message, Invocation(seconds, receives, request))
    except TransientError as error:
        logger.warning("comes again in %.0f s: %s", error.retry_after, error)
        return error.retry_after
    except GovernorError as error:
        logger.error("cannot be handled: %s", error)
        _give_up(parts, message, receives, str(error), request)
        return HOPELESS_SECONDS
    except Exception:  # noqa: BLE001 - whatever it is, the message must not be lost
        logger.exception("an error of this program; the message comes again")
        _give_up(parts, message, receives, "an error of this program; the log of apply_policy has it", request)
        return UNEXPECTED_SECONDS
    if run is None:
        logger.info("nothing to do any more: %s", message.why)
    else:
        logger.info("%s: %s", run.verdict, run.reason, extra={"run": run.id, "slice": run.slices})
    return None


def _give_up(parts: Parts, message: Message | None, receives: int, reason: str, request: str) -> None:
    """Before the message goes to the dead-letter queue, the file says so."""
    if message is None or receives < parts.settings.max_receives:
        return
    try:
        _slices(parts).give_up(message, reason, request)
    except GovernorError as error:
        logger.warning("the file's status cannot be written: %s", error)


def _message(record: Mapping[str, Any]) -> Message:
    try:
        message = msgspec.json.decode(record["body"], type=Message)
    except (msgspec.DecodeError, KeyError) as error:
        raise PermanentError(f"a message that is not ours: {error}") from error
    if not is_cluster_arn(message.cluster_arn):
        raise PermanentError(f"a message about '{message.cluster_arn[:200]}', which is no HyperPod cluster")
    return message


def _slices(parts: Parts) -> Slices:
    settings = SliceSettings(parts.rules, parts.rails.concurrency, parts.settings.max_receives)
    return Slices(
        parts.documents,
        parts.statuses,
        parts.account,
        parts.gate,
        parts.queue,
        service_limits,
        settings,
        parts.clock,
        now,
        lambda: parts.aws.calls,
    )


def _show_again(parts: Parts, record: Mapping[str, Any], seconds: float) -> None:
    """Without this the message would be out of sight until the queue's visibility timeout is over."""
    try:
        parts.queue.show_again(record["receiptHandle"], seconds)
    except (GovernorError, KeyError) as error:
        logger.warning("the message comes again only after the queue's visibility timeout: %s", error)
