"""Whatever a server does on the wire ends in an answer or in an error that says what to do, within the time."""

import gzip
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest
import trustme

from governor.aws.kubernetes.transport import Limits, Target, Transport
from governor.errors import PermanentError, UnreachableError
from tests.unit.aws.kubernetes.conftest import TOKEN, Server, Waits, hangs_up, pem, says, transport_to

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def test_an_answer_is_read_over_a_connection_that_is_kept(server: Server, transport: Transport) -> None:
    server.answers = [says({"a": 1})]
    first, second = transport.get("/version"), transport.get("/api?limit=2")

    assert (first.status, first.kind, first.body) == (200, "application/json", b'{"a": 1}')
    assert second.body == first.body
    assert server.connections == 1
    head = server.heads[1].splitlines()
    assert head[0] == "GET /api?limit=2 HTTP/1.1"
    assert f"Authorization: Bearer {TOKEN}" in head
    assert any(line.startswith("User-Agent: hyperpod-governor/") for line in head)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_a_second_time(server: Server, transport: Transport, waits: Waits, status: int) -> None:
    server.answers = [says({}, status, Retry_After="2"), says({"a": 1})]
    assert transport.get("/").status == 200
    assert waits.seconds == [2.0]


def test_and_not_a_third_time(server: Server, transport: Transport, waits: Waits) -> None:
    server.answers = [says({}, 503)]
    assert transport.get("/").status == 503
    assert len(server.heads) == 2
    assert len(waits.seconds) == 1


def test_a_server_that_wants_us_to_wait_long_is_not_waited_for(
    server: Server, transport: Transport, waits: Waits
) -> None:
    server.answers = [says({}, 429, Retry_After="60")]
    answer = transport.get("/")
    assert (answer.status, answer.retry_after) == (429, 60.0)
    assert (len(server.heads), waits.seconds) == (1, [])


@pytest.mark.parametrize("header", ["", "-1", "1.5", "Tue, 24 Nov 2026 12:00:00 GMT", "9" * 400])
def test_a_retry_after_that_is_no_number_of_seconds_counts_for_none(
    server: Server, transport: Transport, header: str
) -> None:
    server.answers = [says({}, 404, Retry_After=header)]
    assert transport.get("/").retry_after is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410])
def test_an_answer_that_refuses_is_final(server: Server, transport: Transport, status: int) -> None:
    server.answers = [says({}, status)]
    assert transport.get("/").status == status
    assert len(server.heads) == 1


def test_a_redirect_is_not_followed_with_the_token(server: Server, transport: Transport) -> None:
    server.answers = [says({}, 302, Location="https://127.0.0.1:1/elsewhere")]
    assert transport.get("/").status == 302
    assert len(server.heads) == 1


def test_a_dropped_connection_is_made_anew_once(server: Server, transport: Transport) -> None:
    server.answers = [hangs_up, says({"a": 1})]
    assert transport.get("/").status == 200
    server.answers = [hangs_up]
    heads = len(server.heads)
    with pytest.raises(UnreachableError, match=r"research \(127.0.0.1:\d+\) cannot be reached: the connection broke"):
        transport.get("/")
    assert len(server.heads) == heads + 2


def test_a_body_that_ends_early_is_no_answer(server: Server, transport: Transport) -> None:
    def short(sock: ssl.SSLSocket) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        hangs_up(sock)

    server.answers = [short]
    with pytest.raises(UnreachableError, match="before the answer was whole"):
        transport.get("/")


def test_a_refused_connection_says_what_to_look_at(authority: trustme.CA, waits: Waits) -> None:
    server = Server(authority)
    server.close()
    transport = transport_to(server, pem(authority), waits, hint="look at the security group")
    with pytest.raises(UnreachableError, match="the connection is refused; look at the security group"):
        transport.get("/")
    assert len(waits.seconds) == 1


def test_a_name_that_nobody_knows(authority: trustme.CA, waits: Waits, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    target = Target("research", "https://gone.example", pem(authority))
    with pytest.raises(UnreachableError, match=r"research \(gone.example\) cannot be reached: its name cannot be"):
        Transport(target, lambda: TOKEN, sleep=waits).get("/")


def test_a_certificate_of_another_authority_is_not_trusted(server: Server, waits: Waits) -> None:
    transport = transport_to(server, pem(trustme.CA()), waits)
    with pytest.raises(UnreachableError, match=r"cannot be trusted: its certificate is not the cluster's \(.*NO_PROXY"):
        transport.get("/")
    assert waits.seconds == []
    assert server.heads == []  # the token was not shown


def test_a_certificate_for_another_host_is_not_trusted(authority: trustme.CA, waits: Waits) -> None:
    server = Server(authority, host="another.example")
    try:
        with pytest.raises(UnreachableError, match="its certificate is not the cluster's"):
            transport_to(server, pem(authority), waits).get("/")
    finally:
        server.close()


def test_what_is_no_tls_is_not_trusted(authority: trustme.CA, waits: Waits) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def plain() -> None:
            sock, _ = listener.accept()
            with sock:
                sock.recv(100)
                sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=plain, daemon=True).start()
        target = Target("research", f"https://127.0.0.1:{listener.getsockname()[1]}", pem(authority))
        with pytest.raises(UnreachableError, match="TLS failed"):
            Transport(target, lambda: TOKEN, sleep=waits).get("/")


def test_silence_ends(server: Server, authority: trustme.CA, waits: Waits) -> None:
    server.answers = [lambda sock: (server.done.wait(30), None)[1]]
    transport = transport_to(server, pem(authority), waits, Limits(connect=2.0, read=0.3, total=20.0))
    with pytest.raises(UnreachableError, match=r"did not answer in time \(2 s to connect, 0.3 s to answer\)"):
        transport.get("/")
    assert len(server.heads) == 1


def _drips(server: Server, start: bytes) -> None:
    def drip(sock: ssl.SSLSocket) -> None:
        sock.sendall(start)
        while not server.done.wait(0.05):
            sock.sendall(b"x")

    server.answers = [drip]


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9",
    ],
    ids=["head", "body", "chunk"],
)
def test_a_server_that_drips_ends_with_the_time_of_the_call(
    server: Server, authority: trustme.CA, waits: Waits, start: bytes
) -> None:
    """Each byte is in time for the socket; without a limit on the whole this test would not end."""
    _drips(server, start)
    transport = transport_to(server, pem(authority), waits, Limits(connect=2.0, read=2.0, total=0.6))
    with pytest.raises(UnreachableError, match=r"did not finish its answer within 0.6 s"):
        transport.get("/")


def test_too_much_is_not_read(server: Server, authority: trustme.CA, waits: Waits) -> None:
    server.answers = [says(b"x" * (3 << 20))]
    transport = transport_to(server, pem(authority), waits, Limits(size=1 << 20))
    with pytest.raises(PermanentError, match="research answers with more than 1 MiB at once"):
        transport.get("/")


def test_nor_when_it_comes_compressed(server: Server, authority: trustme.CA, waits: Waits) -> None:
    server.answers = [says(gzip.compress(b"x" * (8 << 20)), Content_Encoding="gzip")]
    transport = transport_to(server, pem(authority), waits, Limits(size=1 << 20))
    with pytest.raises(PermanentError, match="more than 1 MiB"):
        transport.get("/")


def test_a_long_refusal_is_cut(server: Server, transport: Transport) -> None:
    server.answers = [says(b"x" * (3 << 20), 403)]
    assert len(transport.get("/").body) == 1 << 16
    server.answers = [says({"a": 1})]
    assert transport.get("/").status == 200


def test_the_proxy_of_the_environment_is_used_and_no_proxy_passes_it(
    server: Server, authority: trustme.CA, waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:hidden@127.0.0.1:{port}")
    server.answers = [says({"a": 1})]
    with pytest.raises(UnreachableError, match="the proxy of HTTPS_PROXY does not answer") as refused:
        transport_to(server, pem(authority), waits).get("/")
    assert "hidden" not in str(refused.value)

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert transport_to(server, pem(authority), waits).get("/").status == 200


def test_a_proxy_that_refuses_is_told_from_the_cluster(
    server: Server, authority: trustme.CA, waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            for _ in range(2):
                sock, _address = listener.accept()
                with sock:
                    sock.recv(4096)
                    sock.sendall(b"HTTP/1.1 403 Blocked by policy\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=refuse, daemon=True).start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(UnreachableError, match=r"the proxy of HTTPS_PROXY refuses \(403 Blocked by policy\)"):
            transport_to(server, pem(authority), waits).get("/")


def test_a_proxy_that_the_client_cannot_speak_to(
    server: Server, authority: trustme.CA, waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://127.0.0.1:70")
    with pytest.raises(PermanentError, match="set HTTPS_PROXY to http://HOST:PORT"):
        transport_to(server, pem(authority), waits).get("/")


def test_after_a_long_pause_a_new_connection_is_made(
    server: Server, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers = [says({"a": 1})]
    transport.get("/")
    real = time.monotonic
    monkeypatch.setattr("governor.aws.kubernetes.transport.time.monotonic", lambda: real() + 3600)
    # the deadline is set on the same clock, so an hour is an hour for both
    transport.get("/")
    assert server.connections == 2


def test_the_official_client_is_imported_only_by_a_call() -> None:
    code = "import governor.aws.kubernetes, sys; sys.exit('kubernetes' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
