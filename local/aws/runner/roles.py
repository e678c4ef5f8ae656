"""What AWS does in a function's name, with the permissions of its role: MiniStack does it with none."""

import logging
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import kms, lambda_svc, sqs

from local.aws.runner.authorize import Question, authorize
from local.aws.runner.patching import Function, around
from local.aws.runner.settings import RunnerSettings

logger = logging.getLogger("governor")

POLLING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


def ask_roles(_: RunnerSettings) -> None:
    """A queue is polled, a log written and a failure destination reached only if the function's role may."""

    @around(lambda_svc, "_sqs_esm_concurrency")
    def poll(concurrency: Function) -> Function:
        def allowed(mapping: dict[str, Any], function: dict[str, Any], config: dict[str, Any], *queue: Any) -> int:
            source = mapping["EventSourceArn"]
            key = _key_arn(source)
            if not all(_may(config, action, source) for action in POLLING):
                return 0
            if key and not _may(config, "kms:Decrypt", key):
                return 0
            limit: int = concurrency(mapping, function, config, *queue)
            return limit

        return allowed

    @around(lambda_svc, "_emit_lambda_logs")
    def log(emit: Function) -> Function:
        def emitted(function: dict[str, Any], *args: Any, **details: Any) -> None:
            config = function.get("config") or function
            if all(_may(config, f"logs:{action}", _log_stream(config)) for action in _LOGGING):
                emit(function, *args, **details)

        return emitted

    @around(lambda_svc, "_route_async_failure")
    def report_failure(route: Function) -> Function:
        def routed(target: str, name: str, *args: Any) -> None:
            config = lambda_svc._functions[name]["config"]
            service = target.split(":")[2]
            action = {"sqs": "sqs:SendMessage", "sns": "sns:Publish", "lambda": "lambda:InvokeFunction"}[service]
            if _may(config, action, target):
                route(target, name, *args)

        return routed


_LOGGING = ("CreateLogStream", "PutLogEvents")


def _key_arn(queue_arn: str) -> str | None:
    """Of the key that the queue is encrypted with, if it is one of the account's own."""
    name = (sqs._queue_by_arn(queue_arn) or {"attributes": {}})["attributes"].get("KmsMasterKeyId") or ""
    key = None if name.startswith("alias/aws/") else kms._resolve_key(name)
    return key["Arn"] if key else None


def _log_stream(config: dict[str, Any]) -> str:
    """The log stream's ARN, as which both actions are checked; the stream's name does not matter."""
    prefix, _, name = config["FunctionArn"].partition(":function:")
    group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{name.split(':')[0]}"
    return f"{prefix.replace(':lambda:', ':logs:')}:log-group:{group}:log-stream:{config.get('Version', '$LATEST')}"


def _may(config: dict[str, Any], action: str, resource: str) -> bool:
    key = lambda_runtime.execution_credentials(config)["AWS_ACCESS_KEY_ID"]
    region = config["FunctionArn"].split(":")[3]
    verdict = authorize(Question(access_key=key, action=action, resource=resource, region=region))
    if not verdict.allowed:
        logger.warning("%s: %s", config["FunctionName"], verdict.reason)
    return verdict.allowed
