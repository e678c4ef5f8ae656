"""Lambda workers: their interpreter, their files, and their end."""

import contextlib
import hashlib
import os
import signal
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.aws.runner.faults import KILL_WORKER, Subject, delay_of, error_among, faults
from local.aws.runner.patching import Function, around
from local.aws.runner.settings import RunnerSettings
from local.aws.runner.tenancy import our_account

WORKER_SCRIPT = Path(__file__).with_name("worker.py")


def use_clean_interpreter(settings: RunnerSettings) -> None:
    """Handlers run on an interpreter that has nothing installed, and see their own code and layers alone.

    MiniStack runs them on its own interpreter, whose boto3 would hide one missing from the layer, and imports
    botocore before the handler, which no measurement of a cold start should contain. The launcher's variables for
    workers, the endpoint of the HyperPod control plane above all, reach them through this process' environment.
    """
    os.environ.update(settings.worker_environment)
    script = WORKER_SCRIPT.read_text()

    @around(lambda_runtime, "_detect_runtime_binary")
    def clean(detect: Function) -> Function:
        def detected(runtime: str) -> Any:
            return (settings.worker_python, script) if runtime.startswith("python") else detect(runtime)

        return detected

    _report_errors_by_type()


def _report_errors_by_type() -> None:
    """A failure as AWS reports it, in a worker that lives on; MiniStack calls every error Runtime.HandlerError."""
    last = threading.local()

    @around(lambda_runtime.Worker, "invoke")
    def remember(invoke: Function) -> Function:
        def invoked(worker: Any, *args: Any, **details: Any) -> Any:
            last.response = invoke(worker, *args, **details)
            return last.response

        return invoked

    @around(lambda_svc, "_execute_function_warm")
    def tell(execute: Function) -> Function:
        def executed(*args: Any, **details: Any) -> Any:
            last.response = {}
            result = execute(*args, **details)
            failure = last.response.get("failure")
            return {**result, "body": failure, "error": True} if failure else result

        return executed


def unpack_once(settings: RunnerSettings) -> None:
    """Workers of one function share one unpacked copy of its code and layers, to which they write no compiled files.

    MiniStack unpacks every artefact for every worker, which on two cores is most of a cold start. On AWS the place is
    read-only, and compiled files that are valid by the time of their source are not valid any more.
    """
    cache = Path(tempfile.mkdtemp(prefix="unpacked-", dir=settings.temporary))
    lock = threading.Lock()

    class SharedZipFile(zipfile.ZipFile):
        def extractall(self, path: Any = None, *_: Any) -> None:
            assert self.filename is not None
            place = cache / hashlib.sha256(Path(self.filename).read_bytes()).hexdigest()
            with lock:
                if not place.exists():
                    partial = place.with_suffix(".partial")
                    super().extractall(partial)
                    partial.rename(place)
            target = Path(path)
            target.rmdir()
            target.symlink_to(place, target_is_directory=True)

    class Names:
        """The names that MiniStack uses of the module `zipfile`."""

        ZipFile = SharedZipFile
        BadZipFile = zipfile.BadZipFile
        # MiniStack's name for it; the module has no such thing.
        LargeFileError = zipfile.LargeZipFile

    lambda_runtime.zipfile = Names


def add_worker_faults(_: RunnerSettings) -> None:
    """Service `lambda`, operation `Invoke`: a worker ends, by SIGKILL, `delay` seconds into its handler."""

    @around(lambda_runtime.Worker, "invoke")
    def disturb(invoke: Function) -> Function:
        def invoked(worker: Any, *args: Any, **details: Any) -> Any:
            rules = faults.take(Subject("lambda", "Invoke", function=worker.func_name))
            error = error_among(rules, "before")
            if error is not None:
                return {"status": "error", "error": error.message, "log": ""}
            time.sleep(delay_of(rules, "before"))
            for rule in rules:
                if rule.action == KILL_WORKER:
                    threading.Timer(rule.delay, _kill, [worker]).start()
            return invoke(worker, *args, **details)

        return invoked


def credentials_of(function: str) -> dict[str, str]:
    """The variables with the session that the function's workers have of its role."""
    with our_account():
        found: dict[str, str] = lambda_runtime.execution_credentials(lambda_svc._functions[function]["config"])
    return found


def processes_of(function: str) -> list[int]:
    """The process ids of the function's workers."""
    return [worker._proc.pid for worker in _workers_of(function) if worker._proc is not None]


def _workers_of(function: str) -> list[Any]:
    with lambda_runtime._lock:
        pools = [pool for key, pool in lambda_runtime._workers.items() if key.split(":")[2] == function]
        return [worker for pool in pools for worker in pool]


def kill_workers(function: str) -> int:
    """SIGKILL to every worker of the function that is in the middle of a handler; how many there were."""
    busy = [worker for worker in _workers_of(function) if worker.in_use and worker._proc is not None]
    for worker in busy:
        _kill(worker)
    return len(busy)


def _kill(worker: Any) -> None:
    process = worker._proc
    if process is not None and worker.in_use:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
