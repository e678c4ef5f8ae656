"""A Lambda worker: loads one handler from its own code and layers and answers one event after another.

MiniStack writes this file beside the unpacked function and runs it. Lines of JSON: first the function, answered by
whether it could be loaded, then one event after another, each answered by its result.
"""

import importlib
import json
import os
import sys
import time
import traceback
from typing import Any

# What a function finds in its environment on AWS, besides its own variables; the rest is MiniStack's own.
KEPT = ("AWS_", "LAMBDA_TASK_ROOT", "_X_AMZN_TRACE_ID", "LANG", "PATH", "TMPDIR", "TZ")


class Context:
    """The handler's second argument."""

    identity = None
    client_context = None

    def __init__(self, function: dict[str, Any], invocation: dict[str, Any]) -> None:
        self.function_name = function["function_name"]
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        self.memory_limit_in_mb = function["memory"]
        self.invoked_function_arn = invocation["invoked_function_arn"]
        self.aws_request_id = invocation["request_id"]
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", f"/aws/lambda/{self.function_name}")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "")
        self._deadline = time.monotonic() + invocation["timeout_ms"] / 1000

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def main() -> None:
    # On AWS the code and the layers lie on a read-only file system.
    sys.dont_write_bytecode = True
    answers, sys.stdout = sys.stdout, sys.stderr
    function = json.loads(sys.stdin.readline())
    layers = [each for each in os.environ.get("_LAMBDA_LAYERS_DIRS", "").split(os.pathsep) if each]
    _clean_environment(function["env"])
    _set_path(function["code_dir"], layers)
    try:
        handler = getattr(importlib.import_module(function["module"]), function["handler"])
    except BaseException as error:  # noqa: BLE001 - whatever it is, it goes to the log and ends the worker
        traceback.print_exc()
        _answer(answers, {"status": "error", "error": f"{type(error).__name__}: {error}"})
        return
    _answer(answers, {"status": "ready", "cold": True})
    for line in sys.stdin:
        message = json.loads(line)
        _answer(answers, _handled(handler, message["event"], Context(function, message["ctx"])))


def _handled(handler: Any, event: Any, context: Context) -> dict[str, Any]:
    """The answer, with the failure if there is one: MiniStack ends a worker that says `error`, AWS keeps it."""
    try:
        answer = {"status": "ok", "result": handler(event, context)}
        json.dumps(answer)
    except Exception as error:  # noqa: BLE001 - a failed invocation, as on AWS
        print(f"[ERROR] {traceback.format_exc()}")
        failure = {
            "errorMessage": str(error),
            "errorType": type(error).__name__,
            "requestId": context.aws_request_id,
            "stackTrace": traceback.format_tb(error.__traceback__),
        }
        return {"status": "ok", "result": None, "failure": failure}
    return answer


def _answer(stream: Any, answer: dict[str, Any]) -> None:
    stream.write(json.dumps(answer) + "\n")
    stream.flush()


def _clean_environment(own: dict[str, str]) -> None:
    for name in [name for name in os.environ if not name.startswith(KEPT)]:
        del os.environ[name]
    os.environ.update(own)


def _set_path(code: str, layers: list[str]) -> None:
    """In AWS's order: the function's code, then the layers, then the interpreter's own library."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    wanted = [f"{layer}/python{tail}" for layer in layers for tail in (f"/lib/{version}/site-packages", "")]
    # The first entry is the directory of this very file.
    sys.path[:] = [code, *filter(os.path.isdir, wanted), *sys.path[1:]]


if __name__ == "__main__":
    main()
