"""Asynchronous invocations wait in a queue, as on AWS."""

import threading
from collections import defaultdict
from contextvars import ContextVar
from typing import Any

from ministack.services import lambda_svc

from local.aws.runner.patching import Function, around
from local.aws.runner.settings import RunnerSettings

_waits: ContextVar[bool] = ContextVar("waits", default=False)


def queue_asynchronous_invocations(settings: RunnerSettings) -> None:
    """Events are worked off by a few workers per function; MiniStack starts one for each event that waits.

    A burst of three hundred uploads would be three hundred processes on a small machine.
    """
    rooms: defaultdict[str, threading.BoundedSemaphore] = defaultdict(
        lambda: threading.BoundedSemaphore(settings.concurrency)
    )

    @around(lambda_svc, "invoke_async_with_retry")
    def mark(invoke: Function) -> Function:
        def invoked(*args: Any) -> None:
            # The thread that invokes copies this context.
            token = _waits.set(True)
            try:
                invoke(*args)
            finally:
                _waits.reset(token)

        return invoked

    @around(lambda_svc, "_execute_function")
    def wait(execute: Function) -> Function:
        def executed(function: dict[str, Any], event: Any) -> Any:
            if not _waits.get():
                return execute(function, event)
            config = function.get("config") or function
            token = _waits.set(False)
            try:
                with rooms[config["FunctionName"]]:
                    return execute(function, event)
            finally:
                _waits.reset(token)

        return executed
