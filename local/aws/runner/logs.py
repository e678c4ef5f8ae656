"""What workers have printed."""

from ministack.services import cloudwatch_logs, lambda_svc

from local.aws.runner.tenancy import our_account


def printed_by(function: str) -> str:
    """All lines of the function's log group, oldest first, in one piece: every invocation has a stream of its own."""
    with our_account():
        config = lambda_svc._functions[function]["config"]
        name = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{function}"
        streams = list((cloudwatch_logs._log_groups.get(name) or {"streams": {}})["streams"].values())
    events = [event for stream in streams for event in list(stream["events"])]
    return "\n".join(event["message"] for event in sorted(events, key=lambda each: int(each["timestamp"])))
