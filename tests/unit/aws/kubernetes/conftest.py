"""A server that answers as a test says, byte by byte if need be: TLS on loopback, the only socket that is allowed."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme

from governor.aws.kubernetes.transport import Limits, Target, Transport

Talk = Callable[[ssl.SSLSocket], None]
TOKEN = "k8s-aws-v1.c2VjcmV0"
QUICK = Limits(connect=2.0, read=2.0, total=5.0)


@pytest.fixture(autouse=True)
def no_socket() -> None:
    """Loopback is allowed, by the mark ``allow_hosts`` of each file."""


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person's own proxy plays no part."""
    for name in ("https_proxy", "http_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


def pem(authority: trustme.CA) -> str:
    return authority.cert_pem.bytes().decode()


class Server:
    """Takes connections one after the other and lets ``talk`` have them. ``heads`` are the requests so far."""

    def __init__(self, authority: trustme.CA, host: str = "127.0.0.1") -> None:
        self.heads: list[str] = []
        self.connections = 0
        self.answers: list[Talk] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host).configure_cert(self._context)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self.done = threading.Event()
        self._start(self._accept)

    def _start(self, target: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.done.is_set():
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(plain)
            self._start(self._serve, plain)

    def _serve(self, plain: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            contextlib.closing(plain),
            self._context.wrap_socket(plain, server_side=True) as sock,
        ):
            self._open.append(sock)
            while (head := _head(sock)) and self.answers:
                self.heads.append(head)
                talk = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                talk(sock)

    def close(self) -> None:
        self.done.set()
        for each in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)


def _head(sock: ssl.SSLSocket) -> str:
    got = b""
    while b"\r\n\r\n" not in got:
        part = sock.recv(4096)
        if not part:
            return ""
        got += part
    return got.decode()


def says(body: object, status: int = 200, kind: str = "application/json", **headers: str) -> Talk:
    """An answer with its length; a body that is no text is written as JSON."""
    data = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Said", f"Content-Type: {kind}", f"Content-Length: {len(data)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return lambda sock: sock.sendall("\r\n".join([*lines, "", ""]).encode() + data)


def hangs_up(sock: ssl.SSLSocket) -> None:
    """The connection ends without an answer."""
    socket.socket.shutdown(sock, socket.SHUT_RDWR)


@pytest.fixture
def server(authority: trustme.CA) -> Iterator[Server]:
    server = Server(authority)
    yield server
    server.close()


class Waits:
    """The seconds that somebody would have waited."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def transport(server: Server, authority: trustme.CA, waits: Waits) -> Transport:
    return transport_to(server, pem(authority), waits)


def transport_to(server: Server, certificates: str, waits: Waits, limits: Limits = QUICK, hint: str = "") -> Transport:
    target = Target("research", server.url, certificates, hint)
    return Transport(target, lambda: TOKEN, limits, sleep=waits)
