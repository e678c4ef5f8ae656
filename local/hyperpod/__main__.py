"""`python -m local.hyperpod`: the control plane as a process of its own."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec

from local.hyperpod.clock import SystemClock
from local.hyperpod.server import Server
from local.hyperpod.service import Service
from local.hyperpod.settings import Settings


def main() -> int:
    options = _options()
    start: dict[str, Any] = msgspec.json.decode(options.state.read_bytes()) if options.state else {}
    service = Service(SystemClock(), Settings().changed(start.get("settings", {})))
    server = Server(service, options.port)
    for path, bodies in (("clusters", start.get("clusters", [])), ("faults", start.get("faults", []))):
        for body in bodies:
            status, answer = server.admin.answer("POST", f"/_admin/{path}", body, None)
            if status != 200:
                server.server_close()
                print(f"{options.state}: {path}: {answer['error']}", file=sys.stderr)
                return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    if options.until_stdin_closes:
        threading.Thread(target=_shut_down_at_end_of_input, args=(server,), daemon=True).start()
    print(f"ready {server.url}", flush=True)
    with server:
        server.serve_forever()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.hyperpod", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 picks a free one")
    parser.add_argument("--state", type=Path, help="JSON file with the settings, clusters and faults to begin with")
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="end when standard input does, as with a dead parent"
    )
    return parser.parse_args()


def _shut_down_at_end_of_input(server: Server) -> None:
    # Not sys.stdin: a thread blocked in its buffer would hold a lock the interpreter needs to exit.
    while os.read(0, 4096):
        pass
    server.shutdown()


if __name__ == "__main__":
    sys.exit(main())
