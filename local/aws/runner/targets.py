"""EventBridge targets: permission, retries of asynchronous invocations, and the rule's dead-letter queue."""

import contextlib
import hashlib
import json
import logging
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import cloudwatch, eventbridge, lambda_svc, sqs

from local.aws.runner.faults import Subject, error_among, faults
from local.aws.runner.patching import Function, around
from local.aws.runner.principals import key_lets_in, lets_in
from local.aws.runner.settings import RunnerSettings

logger = logging.getLogger("governor")

EVENTS = "events.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A target that is being delivered to, and the rule it belongs to."""

    target: dict[str, Any]
    rule: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a delivery failed, in the codes that the dead-letter queue shows."""

    code: str
    message: str


_delivery: ContextVar[Delivery] = ContextVar("delivery")


def deliver_as_aws_does(_: RunnerSettings) -> None:
    """A target needs a policy that lets the rule reach it; what cannot be delivered goes to the rule's queue.

    MiniStack asks no policy, knows no dead-letter queue of a rule, and invokes a function once, without the retries
    and the failure destination of an asynchronous invocation.
    """

    @around(eventbridge, "_invoke_target")
    def remember(invoke: Function) -> Function:
        def invoked(target: dict[str, Any], event: Any, rule: dict[str, Any], *view: Any) -> None:
            token = _delivery.set(Delivery(target, rule))
            try:
                invoke(target, event, rule, *view)
            finally:
                _delivery.reset(token)

        return invoked

    @around(eventbridge, "_dispatch_to_lambda")
    def to_lambda(_: Function) -> Function:
        def dispatched(arn: str, payload: str) -> None:
            function, config, _name = lambda_svc._get_func_record_for_ref(arn)
            failure = _asked_for() or _refusal_of_function(arn, function)
            if failure is not None:
                _give_up(payload, failure)
                return
            record = lambda_svc._execution_record_for_config(function, config)
            lambda_svc.invoke_async_with_retry(record, json.loads(payload))

        return dispatched

    @around(eventbridge, "_dispatch_to_sqs")
    def to_sqs(dispatch: Function) -> Function:
        def dispatched(spec: Any, payload: str, *parameters: Any) -> None:
            failure = _asked_for() or _refusal_of_queue(str(spec))
            if failure is not None:
                _give_up(payload, failure)
            else:
                dispatch(spec, payload, *parameters)

        return dispatched


def _asked_for() -> Failure | None:
    """The failure that a fault rule asks for: service `events`, operation `InvokeTarget`."""
    arn = _delivery.get().target["Arn"]
    rule = error_among(faults.take(Subject("events", "InvokeTarget", arn)), "before")
    return Failure(rule.code, rule.message) if rule else None


def _refusal_of_function(arn: str, function: dict[str, Any] | None) -> Failure | None:
    if not function:
        return Failure("RESOURCE_NOT_FOUND", f"Function not found: {arn}")
    allowed = lets_in(function["policy"], EVENTS, "lambda:InvokeFunction", arn, _rule_arn())
    return None if allowed else Failure("NO_PERMISSIONS", f"{EVENTS} may not invoke {arn}")


def _refusal_of_queue(arn: str) -> Failure | None:
    queue = sqs._queue_by_arn(arn)
    if queue is None:
        return Failure("RESOURCE_NOT_FOUND", f"Queue not found: {arn}")
    attributes = queue["attributes"]
    allowed = lets_in(attributes.get("Policy") or "", EVENTS, "sqs:SendMessage", arn, _rule_arn()) and key_lets_in(
        attributes.get("KmsMasterKeyId"), EVENTS, _rule_arn()
    )
    return None if allowed else Failure("NO_PERMISSIONS", f"{EVENTS} may not send to {arn}")


def _rule_arn() -> str:
    arn: str = _delivery.get().rule["Arn"]
    return arn


def _give_up(payload: str, failure: Failure) -> None:
    delivery = _delivery.get()
    dimensions = {"RuleName": delivery.rule["Name"]}
    cloudwatch.record_metric("AWS/Events", "FailedInvocations", 1, "Count", dimensions)
    arn = (delivery.target.get("DeadLetterConfig") or {}).get("Arn", "")
    logger.warning("%s: %s: %s", delivery.rule["Name"], failure.code, failure.message)
    if not arn or _refusal_of_queue(arn) is not None:
        cloudwatch.record_metric("AWS/Events", "InvocationsFailedToBeSentToDlq", 1, "Count", dimensions)
        return
    cloudwatch.record_metric("AWS/Events", "InvocationsSentToDlq", 1, "Count", dimensions)
    attributes = {
        "RULE_ARN": delivery.rule["Arn"],
        "TARGET_ARN": delivery.target["Arn"],
        "ERROR_CODE": failure.code,
        "ERROR_MESSAGE": failure.message,
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
        "RETRY_ATTEMPTS": "0",
    }
    _send(arn, payload, attributes)


def _send(queue_arn: str, body: str, attributes: dict[str, str]) -> None:
    values = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    message = {
        "id": new_uuid(),
        "body": body,
        "md5_body": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "sent_at": time.time(),
        "message_attributes": values,
    }
    with contextlib.suppress(TypeError):
        message["md5_attrs"] = sqs._md5_msg_attrs(values)
    sqs._ensure_msg_fields(message)
    queue = sqs._queue_by_arn(queue_arn)
    queue["messages"].append(message)
