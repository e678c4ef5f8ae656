"""A Kubernetes API that has lists and nothing else, in a process of its own, so that its work is not measured.

`https://…/TEAMS/WORKLOADS` is a cluster of that size, see `fleet`; all are served at once, over TLS.
"""

import base64
import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import msgspec

from benchmarks.fleet import GROUP, VERSION, Fleet
from benchmarks.processes import ROOT
from local.kubernetes.certificates import Certificates
from local.kubernetes.listening import Listener, reserved

_PATH = re.compile(r"/(?P<teams>[0-9]+)/(?P<workloads>[0-9]+)/(?:.*/)?(?P<last>[a-z0-9.-]+)")
_GROUP = json.dumps({"kind": "APIGroup", "name": GROUP, "versions": [{"version": VERSION}]}).encode()


class Place(msgspec.Struct, frozen=True):
    """Where the lists are, and the certificate of who serves them (PEM)."""

    url: str
    authority: str

    def of(self, teams: int, workloads: int = 0) -> "Place":
        """A cluster of that size."""
        return Place(f"{self.url}/{teams}/{workloads}", self.authority)

    @classmethod
    @contextlib.contextmanager
    def served(cls) -> Iterator[Self]:
        """By a process that ends with this one."""
        with subprocess.Popen(
            [sys.executable, "-m", "benchmarks.serving"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                yield msgspec.json.decode(process.stdout.readline(), type=cls)
            finally:
                process.stdin.close()


class _Handler(BaseHTTPRequestHandler):
    server: Listener
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        body = _answer(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Nobody reads it."""


def _answer(target: str) -> bytes | None:
    split = urlsplit(target)
    found = _PATH.fullmatch(split.path)
    if found is None:
        return None
    if found["last"] == GROUP:
        return _GROUP
    query = parse_qs(split.query)
    fleet = Fleet(int(found["teams"]), int(found["workloads"]))
    start, limit = query.get("continue", ["0"]), query.get("limit", ["500"])
    try:
        return fleet.page(found["last"], int(start[0]), int(limit[0]))
    except KeyError:
        return None


def _main() -> None:
    certificates = Certificates()
    listener = Listener(reserved(0), _Handler, certificates.context)
    place = Place(f"https://127.0.0.1:{listener.server_port}", base64.b64decode(certificates.authority).decode())
    print(msgspec.json.encode(place).decode(), flush=True)
    while os.read(0, 4096):
        pass
    listener.stop()


if __name__ == "__main__":
    _main()
