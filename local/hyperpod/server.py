"""HTTP on loopback: SageMaker's JSON protocol, EC2's query protocol and the admin endpoint on one port."""

import contextlib
import json
import socket
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local.hyperpod import contract
from local.hyperpod.admin import PREFIX, Admin
from local.hyperpod.ec2 import error_document, is_ec2_call
from local.hyperpod.errors import ApiError
from local.hyperpod.request import Caller, JsonObject, caller_of
from local.hyperpod.service import Service

TARGET = "SageMaker."
JSON_TYPE = "application/x-amz-json-1.1"
XML_TYPE = "text/xml;charset=UTF-8"
ANONYMOUS = Caller(access_key="", region="us-west-2")


class Server(ThreadingHTTPServer):
    """One thread per connection; closing the server closes every connection and waits for its thread."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, service: Service, port: int = 0) -> None:
        # The contract is read now, not within the first call.
        contract.service_model()
        self.service = service
        self.admin = Admin(service)
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._connections_lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        self.service.close()
        with self._connections_lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error; everything else is printed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Buffered, so that head and body of an answer leave in one packet.
    wbufsize = -1

    def do_POST(self) -> None:
        if self.path.startswith(PREFIX):
            self._admin()
        elif is_ec2_call(self.headers.get("Content-Type", "")):
            self._ec2()
        else:
            self._sagemaker()

    def do_GET(self) -> None:
        self._admin()

    def do_PATCH(self) -> None:
        self._admin()

    def do_DELETE(self) -> None:
        self._admin()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """The call log of the admin endpoint replaces lines on standard error."""

    def _sagemaker(self) -> None:
        text = self._body()
        caller = caller_of(self.headers.get("Authorization"))
        operation = self.headers.get("X-Amz-Target", "").removeprefix(TARGET)
        if operation not in self.server.service.state.operations:
            self._refuse("UnknownOperationException", f"Unknown operation: {operation or '(none)'}")
        elif caller is None:
            self._refuse("MissingAuthenticationTokenException", "Missing Authentication Token")
        else:
            try:
                body = json.loads(text)
            except ValueError as error:
                self._refuse("SerializationException", str(error))
                return
            answer = self.server.service.call(operation, body, caller)
            if answer.dropped:
                self.close_connection = True
            else:
                self._send_json(answer.status, answer.body)

    def _refuse(self, code: str, message: str) -> None:
        self._send_json(400, {"__type": code, "Message": message})

    def _ec2(self) -> None:
        form = self._body().decode()
        caller = caller_of(self.headers.get("Authorization")) or ANONYMOUS
        try:
            self._send(200, self.server.service.call_ec2(form, caller).encode(), XML_TYPE)
        except ApiError as error:
            self._send(error.http_status, error_document(error).encode(), XML_TYPE)

    def _admin(self) -> None:
        text = self._body()
        url = urlsplit(self.path)
        region = parse_qs(url.query).get("region", [None])[0]
        try:
            body = json.loads(text) if text else {}
        except ValueError as error:
            self._send_json(400, {"error": str(error)})
            return
        self._send_json(*self.server.admin.answer(self.command, url.path, body, region))

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _send_json(self, status: int, body: JsonObject | None) -> None:
        self._send(status, b"" if body is None else json.dumps(body).encode(), JSON_TYPE)

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
