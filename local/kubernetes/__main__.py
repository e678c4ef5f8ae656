"""`python -m local.kubernetes`: the local Kubernetes API as a process of its own."""

import argparse
import os
import signal
import sys
import threading

from local.kubernetes.server import KubernetesServer


def main() -> int:
    options = _options()
    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    with KubernetesServer(options.port) as server:
        if options.until_stdin_closes:
            threading.Thread(target=_wait_for_end_of_input, args=(end,), daemon=True).start()
        print(f"ready {server.url}", flush=True)
        end.wait()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.kubernetes", description=__doc__)
    parser.add_argument(
        "--port", type=int, default=0, help="port of the admin endpoint on 127.0.0.1; 0 picks a free one"
    )
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="end when standard input does, as with a dead parent"
    )
    return parser.parse_args()


def _wait_for_end_of_input(end: threading.Event) -> None:
    # Not sys.stdin: a thread blocked in its buffer would hold a lock the interpreter needs to exit.
    while os.read(0, 4096):
        pass
    end.set()


if __name__ == "__main__":
    sys.exit(main())
