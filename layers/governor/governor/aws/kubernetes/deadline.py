"""A limit on a whole call: a server that sends a byte now and then keeps every timeout of a socket from ever ending."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Any

import urllib3
from urllib3.connection import HTTPSConnection


class Deadline:
    """Seconds for everything inside ``with``: when they have passed, the connection in use is shut down."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._find: Callable[[], Any] = lambda: None
        self._passed = False

    def __enter__(self) -> "Deadline":
        self._before = _current.set(self)
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        _current.reset(self._before)
        with self._lock:  # whoever uses the connection next is not cut
            self._find = lambda: None

    @property
    def passed(self) -> bool:
        """True once the time is over: what was read since is not to be trusted."""
        return self._passed

    @property
    def left(self) -> float:
        """Seconds that are left, 0 or more."""
        return max(0.0, self._ends - time.monotonic())

    def watch(self, find: Callable[[], Any]) -> None:
        """Shut down the socket that is found when the time is over; TimeoutError when it is already."""
        with self._lock:
            if self._passed:
                raise TimeoutError("the time for the whole call is over")
            self._find = find

    def _cut(self) -> None:
        with self._lock:
            self._passed = True
            sock = self._find()
            # Past the TLS layer, whose own shutdown is not made for a second thread; who reads finds the end.
            with contextlib.suppress(OSError, TypeError):  # none yet, or closed already
                socket.socket.shutdown(getattr(sock, "socket", sock), socket.SHUT_RDWR)


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


class _Connection(HTTPSConnection):
    """Tells the deadline of the call which socket it is on."""

    def connect(self) -> None:
        """Names, sockets, proxies and TLS."""
        _watch(lambda: self.sock)
        super().connect()

    def getresponse(self) -> Any:
        """The head of the answer; where its body has no end but that of the connection, ``sock`` is None afterwards."""
        sock = self.sock
        _watch(lambda: sock)
        return super().getresponse()


def _watch(find: Callable[[], Any]) -> None:
    deadline = _current.get()
    if deadline is not None:
        deadline.watch(find)


class WatchedPool(urllib3.HTTPSConnectionPool):
    """Connections that end with the deadline of the call that uses them."""

    ConnectionCls = _Connection
