"""`python -m local.aws.runner SETTINGS`: MiniStack with the additions, until standard input closes."""

import asyncio
import os
import shutil
import signal
import socket
import sys
import threading
from importlib.metadata import version
from pathlib import Path

from local.aws.runner.settings import ACCOUNT, ADMIN_KEY, ADMIN_SECRET, MINISTACK_VERSION, REGION, RunnerSettings

HOST = "127.0.0.1"


def main() -> None:
    settings = RunnerSettings.read(Path(sys.argv[1]))
    threading.Thread(target=_end_with_the_parent, args=(settings.temporary,), daemon=True).start()
    found = version("ministack")
    if found != MINISTACK_VERSION:
        sys.exit(f"MiniStack {found} is installed, and the additions were written for {MINISTACK_VERSION}.")
    listener = socket.create_server((HOST, 0), backlog=512)
    port = listener.getsockname()[1]
    _set_environment(settings, port)

    # MiniStack reads its environment while it is imported.
    from local.aws.runner.additions import apply
    from local.aws.runner.admin import with_admin

    apply(settings)
    print(f"listening http://{HOST}:{port}", flush=True)
    asyncio.run(_serve(with_admin(settings), listener))


def _set_environment(settings: RunnerSettings, port: int) -> None:
    """Workers inherit the environment of this process, so what they should not see is taken out of it."""
    os.environ.pop("PYTHONPATH", None)
    os.environ.update(
        GATEWAY_PORT=str(port),
        BIND_HOST=HOST,
        MINISTACK_HOST=HOST,
        MINISTACK_ACCOUNT_ID=ACCOUNT,
        MINISTACK_REGION=REGION,
        AUTH="true",
        AWS_ACCESS_KEY_ID=ADMIN_KEY,
        AWS_SECRET_ACCESS_KEY=ADMIN_SECRET,
        LAMBDA_EXECUTOR="local",
        # AWS waits one minute before the first retry of an asynchronous invocation and two before the second.
        LAMBDA_ASYNC_RETRY_BASE_SECONDS=str(settings.seconds_per_minute),
        LAMBDA_ASYNC_RETRY_MAX_SECONDS=str(2 * settings.seconds_per_minute),
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        DOCKER_HOST=f"unix://{settings.temporary}/no-docker",
    )


async def _serve(app: object, listener: socket.socket) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    config.accesslog = None
    config.graceful_timeout = 0
    config.shutdown_timeout = 1
    await serve(app, config)


def _end_with_the_parent(temporary: str) -> None:
    """End this process, its workers and its files once the launcher has closed the pipe or died.

    By SIGKILL to the whole process group: nothing here is worth saving, and a worker in the middle of a handler
    would not notice anything gentler.
    """
    while os.read(0, 4096):
        pass
    shutil.rmtree(temporary, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
