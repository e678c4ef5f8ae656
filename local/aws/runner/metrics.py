"""Metrics that AWS makes and MiniStack does not: from log lines, from queues, from every kind of invocation."""

import time
from typing import Any

from ministack.services import cloudwatch, lambda_svc, sqs

from local.aws.runner.embedded_metrics import embedded
from local.aws.runner.patching import Function, around
from local.aws.runner.settings import RunnerSettings


def read_metrics_from_logs(_: RunnerSettings) -> None:
    """A log line in CloudWatch's embedded metric format becomes the metrics it describes."""

    @around(lambda_svc, "_emit_lambda_logs")
    def read(emit: Function) -> Function:
        def emitted(function: Any, request: str, text: str, *args: Any, **details: Any) -> None:
            emit(function, request, text, *args, **details)
            for line in text.splitlines():
                for namespace, name, value, unit, dimensions in embedded(line):
                    cloudwatch.record_metric(namespace, name, value, unit, dimensions)

        return emitted


def count_invocations(_: RunnerSettings) -> None:
    """AWS/Lambda counts every invocation; MiniStack counts those of the API alone, no retries, queues and events."""

    @around(lambda_svc, "_execute_function_dispatch")
    def count(execute: Function) -> Function:
        def executed(function: Any, config: dict[str, Any], *args: Any) -> Any:
            began = time.time()
            result = execute(function, config, *args)
            failed = bool(result.get("error"))
            dimensions = {"FunctionName": config["FunctionName"]}
            for name, value, unit in (
                ("Invocations", 1, "Count"),
                ("Errors", int(failed), "Count"),
                ("Duration", 1000 * (time.time() - began), "Milliseconds"),
            ):
                cloudwatch.record_metric("AWS/Lambda", name, value, unit, dimensions)
            return result

        return executed

    @around(lambda_svc, "_emit_lambda_metrics")
    def throttles_only(_: Function) -> Function:
        def emitted(function: str, duration_ms: float, error: bool, throttle: bool) -> None:  # noqa: ARG001
            dimensions = {"FunctionName": function}
            cloudwatch.record_metric("AWS/Lambda", "Throttles", int(throttle), "Count", dimensions)

        return emitted


def sample_queues(minutes_per_second: float) -> None:
    """AWS/SQS metrics of every queue, as it stands now. An age is given as if minutes had their real length."""
    now = time.time()
    for queue in list(sqs._queues.values()):
        sqs._refresh_counts(queue)
        dimensions = {"QueueName": queue["name"]}
        ages = [now - message.get("enqueued_at", message["sent_at"]) for message in queue["messages"]]
        attributes = queue["attributes"]
        for name, value, unit in (
            ("ApproximateNumberOfMessagesVisible", attributes["ApproximateNumberOfMessages"], "Count"),
            ("ApproximateNumberOfMessagesNotVisible", attributes["ApproximateNumberOfMessagesNotVisible"], "Count"),
            ("ApproximateAgeOfOldestMessage", 60 * minutes_per_second * max(ages, default=0), "Seconds"),
        ):
            cloudwatch.record_metric("AWS/SQS", name, float(value), unit, dimensions)
