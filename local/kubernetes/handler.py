"""HTTP of one cluster: requests in, deliveries out."""

import select
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler
from typing import Any

from local.kubernetes.answer import Answer, refusal_answer
from local.kubernetes.bodies import MOST_BYTES, too_large
from local.kubernetes.errors import BadRequestError
from local.kubernetes.exchange import Exchange
from local.kubernetes.listening import Listener
from local.kubernetes.request import Request

MOST_SKIPPED_BYTES = 16 * 1024 * 1024
PART_BYTES = 64 * 1024


def handler_of(exchange: Exchange) -> type[BaseHTTPRequestHandler]:
    """The class that a listener makes for each connection to a cluster."""
    return type("ClusterHandler", (Handler,), {"exchange": exchange})


class Handler(BaseHTTPRequestHandler):
    server: Listener
    exchange: Exchange
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Buffered, so that head and body of an answer leave in one packet.
    wbufsize = -1

    def do_GET(self) -> None:
        self._exchange()

    def do_POST(self) -> None:
        self._exchange()

    def do_PUT(self) -> None:
        self._exchange()

    def do_PATCH(self) -> None:
        self._exchange()

    def do_DELETE(self) -> None:
        self._exchange()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """The log of requests replaces lines on standard error."""

    def _exchange(self) -> None:
        body = self._body()
        if body is None:
            self.close_connection = True
            return
        delivery = self.exchange.deliver(
            Request(self.command, self.path, self._headers(), body), self.server.closing.wait
        )
        if delivery.answer is None:
            self.close_connection = True
        elif delivery.answer.lines is not None:
            self._stream(delivery.answer, delivery.answer.lines)
        elif delivery.cut:
            self._send(delivery.answer, delivery.answer.body[: len(delivery.answer.body) // 2])
            self.close_connection = True
        else:
            self._send(delivery.answer, delivery.answer.body)

    def _body(self) -> bytes | None:
        """The body; None after an answer to a request whose body is not read."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            refused = refusal_answer(BadRequestError("a body needs a Content-Length"))
        elif int(length) > MOST_BYTES:
            self._skip(int(length))
            refused = refusal_answer(too_large())
        else:
            return self.rfile.read(int(length))
        self._send(refused, refused.body)
        return None

    def _skip(self, length: int) -> None:
        """Who is still sending does not see an answer, so the body is taken, unless it is outrageous."""
        left = min(length, MOST_SKIPPED_BYTES)
        while left and (part := self.rfile.read(min(left, PART_BYTES))):
            left -= len(part)

    def _headers(self) -> dict[str, str]:
        """Names in lower case, values of repeated headers in one."""
        joined: dict[str, str] = {}
        for name, value in self.headers.items():
            key = name.lower()
            joined[key] = f"{joined[key]},{value}" if key in joined else value
        return joined

    def _send(self, answer: Answer, body: bytes) -> None:
        self._head(answer)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, answer: Answer, lines: Iterable[bytes]) -> None:
        self._head(answer)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in lines:
            if line:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            self.wfile.flush()
            if self.server.closing.is_set() or self._is_gone():
                self.close_connection = True
                return
        self.wfile.write(b"0\r\n\r\n")

    def _head(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Cache-Control", "no-cache, private")
        for name, value in answer.headers.items():
            self.send_header(name, value)

    def _is_gone(self) -> bool:
        """Who follows a stream says nothing more, so what comes is the end."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable)
