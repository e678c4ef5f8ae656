"""GET over the official client's connections: bounded in time and size, tried a second time where that is safe."""

import contextlib
import importlib
import io
import re
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol, cast

import msgspec
import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

import governor
from governor.aws.kubernetes.deadline import Deadline, WatchedPool
from governor.aws.kubernetes.quoting import quoted
from governor.errors import PermanentError, UnreachableError

_CHUNK = 1 << 16
_PAUSE = 0.2
"""Seconds before the second try, where the server names none."""
_IDLE = 60.0
"""Seconds. A function is frozen between invocations: what was connected before is likely dead, without a word."""
_NOT_JSON = 1 << 16
"""Bytes that are read of an answer that refuses."""


class Limits(msgspec.Struct, frozen=True):
    """Seconds and bytes. ``retry_after`` is how long a server may ask us to wait within one call."""

    connect: float = 3.0
    read: float = 10.0
    total: float = 20.0
    size: int = 32 << 20
    retry_after: float = 3.0


LIMITS = Limits()


class Target(msgspec.Struct, frozen=True):
    """Where a cluster's API is: the name it goes by in messages, its URL, its authority's certificates (PEM), and
    what to look at when it cannot be reached."""

    name: str
    url: str
    authority: str
    hint: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What was answered. ``kind`` is the content type; ``retry_after`` are seconds, None where none are told."""

    status: int
    kind: str
    body: bytes
    retry_after: float | None = None


class _Rest(Protocol):
    """What is used of the official client; its own annotations stop half-way."""

    pool_manager: urllib3.PoolManager

    def request(self, method: str, url: str, headers: dict[str, str], *, _request_timeout: tuple[float, float]) -> Any:
        """An answer whose body was not read yet, as ``response``."""
        ...


class _BrokenError(UnreachableError):
    """The connection failed before an answer came: a new one may do."""


class Transport:
    """Connections to one cluster's API; made when first used, and then the official client is imported."""

    def __init__(
        self,
        target: Target,
        token: Callable[[], str],
        limits: Limits = LIMITS,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.target, self._token, self._limits, self._sleep = target, token, limits, sleep
        self._rest: _Rest | None = None
        self._used = time.monotonic()

    def get(self, path: str) -> Answer:
        """One answer of any status to a path with its query. UnreachableError; PermanentError when it is too big."""
        token = self._token()
        with Deadline(self._limits.total) as deadline:
            answer = self._first(path, token, deadline)
            if isinstance(answer, Answer):
                return answer
            self._sleep(answer)
            return self._once(path, token, deadline)

    def _first(self, path: str, token: str, deadline: Deadline) -> Answer | float:
        """An answer, or the seconds to wait for a second try."""
        try:
            answer = self._once(path, token, deadline)
        except _BrokenError:
            if deadline.left <= _PAUSE:
                raise
            return _PAUSE
        if answer.status != 429 and answer.status < 500:
            return answer
        pause = _PAUSE if answer.retry_after is None else answer.retry_after
        return pause if pause <= self._limits.retry_after and pause < deadline.left else answer

    def _once(self, path: str, token: str, deadline: Deadline) -> Answer:
        headers = {"Accept": "application/json", "User-Agent": _USER_AGENT, "Authorization": f"Bearer {token}"}
        timeouts = (self._limits.connect, self._limits.read)
        with self._mapped(deadline):
            got = self._connected().request("GET", self.target.url + path, headers, _request_timeout=timeouts)
            response: urllib3.BaseHTTPResponse = got.response
            with contextlib.closing(response):
                body = self._body(response, deadline)
        self._used = time.monotonic()
        return Answer(
            response.status,
            response.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
            body,
            _seconds(response.headers.get("Retry-After", "")),
        )

    def _body(self, response: urllib3.BaseHTTPResponse, deadline: Deadline) -> bytes:
        good = response.status == 200
        most, body, size = self._limits.size if good else _NOT_JSON, io.BytesIO(), 0
        while part := response.read1(_CHUNK):
            size += body.write(part)
            if size > most and good:
                raise PermanentError(f"{self.target.name} answers with more than {most >> 20} MiB at once")
            if size > most:
                break
        if deadline.passed:
            raise TimeoutError
        if size <= most:
            response.release_conn()  # all of it was read: the connection can be used again
        return body.getvalue() if size <= most else body.getvalue()[:most]

    def _connected(self) -> _Rest:
        if self._rest is None:
            self._rest = self._connect()
        elif time.monotonic() - self._used > _IDLE:
            self._rest.pool_manager.clear()
        return self._rest

    def _connect(self) -> _Rest:
        # By name, at this moment: the package is large, and its types would have all of it checked with ours.
        configuration = importlib.import_module("kubernetes.client.configuration").Configuration(
            host=self.target.url,
            ca_cert_data=self.target.authority,
            retries=False,  # ours are safer: at most one, and within the deadline
            connection_pool_maxsize=8,
        )
        try:
            rest = cast(_Rest, importlib.import_module("kubernetes.client.rest").RESTClientObject(configuration))
        except (ImportError, ValueError, HTTPError) as error:
            raise PermanentError(
                "the proxy that the environment names for https cannot be used: set HTTPS_PROXY to http://HOST:PORT"
            ) from error
        rest.pool_manager.pool_classes_by_scheme = {"https": WatchedPool, "http": urllib3.HTTPConnectionPool}
        return rest

    @contextlib.contextmanager
    def _mapped(self, deadline: Deadline) -> Iterator[None]:
        refused = importlib.import_module("kubernetes.client.exceptions").ApiException
        try:
            yield
        except (HTTPError, OSError) as error:
            raise self._failure(error, deadline) from error
        except refused as error:  # the client's own wrapping of a TLS failure
            cause = error.__context__
            raise self._failure(cause if isinstance(cause, Exception) else error, deadline) from error

    def _failure(self, error: Exception, deadline: Deadline) -> UnreachableError:
        host, limits = self.target.url.removeprefix("https://"), self._limits
        at = f"the Kubernetes API of {self.target.name} ({host})"
        if deadline.passed:
            return UnreachableError(f"{at} did not finish its answer within {limits.total:g} s", 10.0)
        if (tls := _tls(error)) is not None:
            return UnreachableError(f"{at} cannot be trusted: {tls}; {_TLS_HINT}", 30.0)
        if isinstance(error, ReadTimeoutError):
            return UnreachableError(
                f"{at} did not answer in time ({limits.connect:g} s to connect, {limits.read:g} s to answer)", 10.0
            )
        words, hint = _cause(error, limits), self.target.hint
        return _BrokenError(f"{at} cannot be reached: {words}" + (f"; {hint}" if hint else ""), 10.0)


_USER_AGENT = f"hyperpod-governor/{governor.__version__}"
_TUNNEL = re.compile(r"Tunnel connection failed: ([^'\"]*)")
_TLS_HINT = (
    "something between here and the cluster may answer in its place, e.g. a proxy that looks into TLS: let this host "
    "pass it unopened (NO_PROXY)"
)


def _tls(error: BaseException) -> str | None:
    """Why TLS failed; None where it is not TLS that did."""
    if not isinstance(error, SSLError):
        return None
    cause = error.args[0] if error.args else None
    if isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return None  # hung up
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not the cluster's ({quoted(cause.verify_message)})"
    reason = cause.reason if isinstance(cause, ssl.SSLError) else ""
    return f"TLS failed ({quoted(str(reason or cause or 'no reason told'))})"


def _cause(error: Exception, limits: Limits) -> str:
    refused = _TUNNEL.search(str(error))
    if refused is not None:
        return f"the proxy of HTTPS_PROXY refuses ({quoted(refused[1])})"
    if isinstance(error, ProxyError):
        return "the proxy of HTTPS_PROXY does not answer"
    if isinstance(error, NameResolutionError):
        return "its name cannot be resolved"
    if isinstance(error, NewConnectionError):
        return "the connection is refused" if "refused" in str(error) else "no connection can be made"
    if isinstance(error, ConnectTimeoutError | TimeoutError):
        return f"no connection within {limits.connect:g} s"
    return "the connection broke before the answer was whole"


def _seconds(header: str) -> float | None:
    """Retry-After in seconds; the other form, a date, is nothing that an API server sends."""
    return float(header) if header.isascii() and header.isdecimal() and len(header) < 6 else None
