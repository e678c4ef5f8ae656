"""Servers on loopback that end at once: a thread for each connection, every connection known, TLS with a context."""

import contextlib
import socket
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOST = "127.0.0.1"
HANDSHAKE_SECONDS = 30.0
POLL_SECONDS = 0.02


def reserved(port: int) -> socket.socket:
    """A socket that holds a port (0: a free one) and refuses connections until somebody listens on it."""
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind((HOST, port))
    except OSError:
        held.close()
        raise
    return held


class Listener(ThreadingHTTPServer):
    """Serves from its making until `stop`, in threads of its own. `context` may be replaced while it runs."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(
        self, place: socket.socket, handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None = None
    ) -> None:
        super().__init__((HOST, 0), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = place
        self.server_address = place.getsockname()
        self.server_name, self.server_port = HOST, place.getsockname()[1]
        self.context = context
        self.closing = threading.Event()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.server_activate()
        # Polling decides how long a stop takes; half a second, the default, would be paid by every test.
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": POLL_SECONDS})
        self._thread.start()

    def stop(self) -> None:
        """Close the port and every connection, and wait for their threads."""
        self.closing.set()
        self.shutdown()
        self._thread.join()
        self.drop_connections()
        self.server_close()

    def drop_connections(self) -> None:
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    # Not the method of a TLS socket, which is not for use from another thread.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def get_request(self) -> tuple[Any, Any]:
        plain, address = super().get_request()
        if self.context is None:
            return plain, address
        # The handshake is for the thread of the connection: here, one slow client would hold up all others.
        return self.context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False), address

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def finish_request(self, request: Any, client_address: Any) -> None:
        if isinstance(request, ssl.SSLSocket):
            request.settimeout(HANDSHAKE_SECONDS)
            request.do_handshake()
            request.settimeout(None)
        super().finish_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or that does not trust us, is no error; everything else is printed."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)
