"""What goes wrong on demand, and that it stops."""

import json
import socket
import ssl
import threading
import time
from typing import Any

import msgspec
import pytest
import urllib3
from urllib3.exceptions import HTTPError, IncompleteRead, NewConnectionError, ProtocolError, ReadTimeoutError, SSLError

from local.kubernetes.cluster import Cluster
from local.kubernetes.server import KubernetesServer
from tests.local.kubernetes.recorded import recorded

NODES = "/api/v1/nodes"
QUEUES = "/apis/kueue.x-k8s.io/v1beta2/clusterqueues"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (429, "TooManyRequests"),
        (500, "InternalError"),
        (503, "ServiceUnavailable"),
        (403, "Forbidden"),
        (504, "Timeout"),
    ],
)
def test_refusals(cluster: Cluster, code: int, reason: str) -> None:
    cluster.fault("status", code=code, message="try later", retry_after=7, times=1)
    reply = cluster.call("GET", NODES)
    assert (reply.status, reply.headers["retry-after"]) == (code, "7")
    assert (reply.json["reason"], reply.json["message"], reply.json["code"]) == (reason, "try later", code)
    assert reply.json["details"] == {"retryAfterSeconds": 7}
    assert cluster.call("GET", NODES).status == 200


def test_a_rule_meets_what_it_says(cluster: Cluster) -> None:
    cluster.fault("status", code=500, verb="list", resource="nodes")
    cluster.fault("status", code=503, path="/apis/apps/")
    paths = [NODES, f"{NODES}/n", "/api/v1/pods", "/apis/apps/v1/deployments", "/apis/apps/v1", "/apis"]
    assert [cluster.call("GET", path).status for path in paths] == [500, 404, 200, 503, 503, 200]
    assert [each["met"] for each in cluster.faults()] == [1, 2]
    cluster.clear_faults()
    assert cluster.faults() == []
    assert cluster.call("GET", NODES).status == 200


@pytest.mark.parametrize(
    ("kind", "details"),
    [("nothing", {}), ("status", {}), ("status", {"code": 299}), ("hang", {"times": 0}), ("drop", {"unknown": 1})],
)
def test_rules_that_cannot_be(cluster: Cluster, kind: str, details: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        cluster.fault(kind, **details)
    assert cluster.faults() == []


def test_dropped_connections(cluster: Cluster) -> None:
    cluster.fault("drop", times=1)
    with pytest.raises(ProtocolError):
        cluster.call("GET", NODES)
    cluster.fault("drop", times=1, when="during")
    with pytest.raises((IncompleteRead, ProtocolError)):
        cluster.call("GET", NODES)
    assert cluster.call("GET", NODES).status == 200
    assert [each["status"] for each in cluster.requests()] == [0, 200, 200]


def test_pages_of_html_and_half_of_a_body(cluster: Cluster) -> None:
    cluster.fault("not-json", times=1)
    page = cluster.call("GET", NODES)
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.text.startswith("<!DOCTYPE html>")
    cluster.fault("truncated", times=1)
    half, whole = cluster.call("GET", NODES), cluster.call("GET", NODES)
    assert half.status == 200
    assert whole.text.startswith(half.text)
    with pytest.raises(json.JSONDecodeError):
        _ = half.json


def test_a_group_that_is_gone_since_discovery(kueue: Cluster) -> None:
    kueue.fault("group-gone")
    assert kueue.call("GET", "/apis/kueue.x-k8s.io/v1beta2").status == 200
    assert kueue.call("GET", QUEUES).text == "404 page not found\n"
    assert kueue.call("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles").status == 200


def test_a_list_that_cannot_go_on(cluster: Cluster) -> None:
    cluster.fault("expired-continue", times=1)
    first = cluster.call("GET", "/api/v1/namespaces?limit=2")
    assert first.status == 200
    again = f"/api/v1/namespaces?limit=2&continue={first.json['metadata']['continue']}"
    expired = cluster.call("GET", again)
    assert (expired.status, expired.json) == (410, recorded("error.410.continue-expired.json"))
    assert cluster.call("GET", again).status == 200


def test_another_authority(cluster: Cluster) -> None:
    cluster.fault("self-signed")
    with pytest.raises(SSLError):
        cluster.call("GET", NODES)
    with (
        urllib3.PoolManager(cert_reqs=ssl.CERT_NONE, retries=False) as trusting_anybody,
        pytest.warns(urllib3.exceptions.InsecureRequestWarning),
    ):
        assert trusting_anybody.request("GET", f"{cluster.endpoint}/healthz").data == b"ok"
    cluster.clear_faults()
    assert cluster.call("GET", NODES).status == 200


def test_another_authority_is_shown_to_those_who_are_connected_too(cluster: Cluster) -> None:
    trusting = ssl.create_default_context(cadata=cluster.certificate_pem)
    with urllib3.PoolManager(ssl_context=trusting, retries=False, maxsize=1) as pool:
        assert pool.request("GET", f"{cluster.endpoint}/healthz").status == 200
        cluster.fault("self-signed")
        with pytest.raises((SSLError, ProtocolError)):
            pool.request("GET", f"{cluster.endpoint}/healthz")


def test_a_closed_port(cluster: Cluster) -> None:
    cluster.fault("closed")
    with pytest.raises(NewConnectionError):
        cluster.call("GET", NODES)
    cluster.fault("status", code=500, times=1)
    with pytest.raises(NewConnectionError):
        cluster.call("GET", NODES)
    cluster.clear_faults()
    assert cluster.call("GET", NODES).status == 200


def test_latency_and_a_hang_that_ends_come_before_the_answer(cluster: Cluster) -> None:
    cluster.fault("latency", milliseconds=1, times=1)
    cluster.fault("hang", seconds=0.001, times=1)
    cluster.fault("status", code=503, times=1)
    assert [cluster.call("GET", NODES).status for _ in range(2)] == [503, 200]


def test_an_answer_that_never_comes(cluster: Cluster) -> None:
    cluster.fault("hang")
    trusting = ssl.create_default_context(cadata=cluster.certificate_pem)
    with (
        urllib3.PoolManager(ssl_context=trusting, retries=False, timeout=0.1) as pool,
        pytest.raises(ReadTimeoutError),
    ):
        pool.request("GET", f"{cluster.endpoint}/healthz")


def _when(condition: Any) -> None:
    """Wait until something is the case."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_whoever_waits_for_ever_does_not_keep_the_server() -> None:
    ended: list[BaseException] = []

    def ask(cluster: Cluster) -> None:
        try:
            cluster.call("GET", NODES)
        except HTTPError as error:
            ended.append(error)

    with KubernetesServer() as server:
        cluster = server.add_cluster("c")
        cluster.fault("hang")
        # One that has sent nothing, not even the beginning of a handshake.
        silent = socket.create_connection(("127.0.0.1", int(cluster.endpoint.rpartition(":")[2])))
        asking = threading.Thread(target=ask, args=(cluster,))
        asking.start()
        _when(lambda: cluster.faults()[0]["met"] == 1)
    asking.join(20)
    silent.close()
    assert not asking.is_alive()
    assert len(ended) == 1
