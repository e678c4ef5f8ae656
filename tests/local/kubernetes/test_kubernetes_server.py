"""The server around the clusters: its process, its admin endpoint, many clients at once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import urllib3

from local.kubernetes.client import ROOT, KubernetesApi
from local.kubernetes.server import KubernetesServer
from local.kubernetes.users import User
from tests.local.kubernetes.recorded import definitions, recorded

NAMESPACES = "/api/v1/namespaces"
QUEUES = "/apis/kueue.x-k8s.io/v1beta2/clusterqueues"


@pytest.fixture(scope="module")
def kubernetes() -> Iterator[KubernetesApi]:
    with KubernetesApi.start_process() as kubernetes:
        yield kubernetes


def test_a_cluster_in_another_process(kubernetes: KubernetesApi) -> None:
    cluster = kubernetes.add_cluster("one", version="1.34", tokens={"T": User("reader", ("readers",))})
    assert cluster.call("GET", "/version").json["minor"] == "34"
    assert cluster.call("GET", "/apis", token="T").status == 200
    cluster.load([*definitions(), recorded("1-borrow.v1beta2.clusterqueues.list.json")])
    assert len(cluster.call("GET", QUEUES).json["items"]) == 2
    assert [request["user"] for request in cluster.requests()] == ["kubernetes-admin", "reader", "kubernetes-admin"]
    cluster.forget_requests()
    assert cluster.requests() == []
    kubernetes.remove_cluster("one")
    with pytest.raises(urllib3.exceptions.NewConnectionError):
        cluster.call("GET", "/version")


def test_faults_in_another_process(kubernetes: KubernetesApi) -> None:
    cluster = kubernetes.add_cluster("faulty")
    cluster.fault("status", code=503, resource="namespaces", times=2)
    assert cluster.call("GET", NAMESPACES).status == 503
    assert [(fault["rule"]["kind"], fault["met"]) for fault in cluster.faults()] == [("status", 1)]
    cluster.clear_faults()
    assert cluster.call("GET", NAMESPACES).status == 200
    with pytest.raises(ValueError, match="Invalid value 'nothing'"):
        cluster.fault("nothing")


def test_clusters_know_nothing_of_each_other(kubernetes: KubernetesApi) -> None:
    one, two = kubernetes.add_cluster("first"), kubernetes.add_cluster("second")
    one.call("POST", NAMESPACES, {"metadata": {"name": "only-here"}})
    assert two.call("GET", f"{NAMESPACES}/only-here").status == 404
    assert two.call("GET", NAMESPACES, token=one.admin_token).status == 401
    assert {"first", "second"} <= {cluster.name for cluster in kubernetes.clusters()}
    assert kubernetes.cluster("second").endpoint == two.endpoint


def test_what_the_admin_endpoint_refuses(kubernetes: KubernetesApi) -> None:
    kubernetes.add_cluster("taken")
    with pytest.raises(ValueError, match="there is a cluster taken already"):
        kubernetes.add_cluster("taken")
    for method, path in (
        ("GET", "nothing"),
        ("PUT", "clusters"),
        ("DELETE", "clusters/none"),
        ("GET", "clusters/none/faults"),
    ):
        with pytest.raises((ValueError, LookupError)):
            kubernetes.admin(method, path)
    with pytest.raises(ValueError, match="missing required field `name`"):
        kubernetes.admin("POST", "clusters", {})
    with pytest.raises(LookupError):
        kubernetes.cluster("none")
    assert kubernetes.admin("GET", "health") == {"status": "ok"}


def test_a_made_cluster_is_described_as_eks_needs_it(kubernetes: KubernetesApi) -> None:
    made = kubernetes.admin("POST", "clusters", {"name": "raw", "version": "1.33", "webhook": None, "tokens": {}})
    assert made["endpoint"].startswith("https://127.0.0.1:")
    assert {"endpoint", "certificateAuthority", "adminToken"} <= set(made)


def _process() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "local.kubernetes", "--until-stdin-closes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(ROOT),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    )


@pytest.mark.parametrize("end", ["SIGTERM", "SIGINT", "input"])
def test_the_process_ends_when_told_to(end: str) -> None:
    with _process() as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stderr is not None
        url = process.stdout.readline().removeprefix("ready ").strip()
        cluster = KubernetesApi(url).add_cluster("c")
        assert cluster.call("GET", NAMESPACES).status == 200
        if end == "input":
            process.stdin.close()
        else:
            process.send_signal(getattr(signal, end))
        assert process.wait(30) == 0
        assert process.stderr.read() == ""


def test_many_clients_at_once() -> None:
    with KubernetesServer() as server:
        cluster = server.add_cluster("c")
        path = "/api/v1/namespaces/default/configmaps"

        def make(number: int) -> int:
            return cluster.call("POST", path, {"metadata": {"name": f"c-{number % 20}"}}).status

        with ThreadPoolExecutor(16) as pool:
            statuses = list(pool.map(make, range(40)))
        assert sorted(statuses) == [201] * 20 + [409] * 20
        items = cluster.call("GET", path).json["items"]
    assert len(items) == 20
    assert len({item["metadata"]["resourceVersion"] for item in items}) == 20


def test_a_port_that_is_taken() -> None:
    with KubernetesServer() as server:
        taken = int(server.url.rpartition(":")[2])
        with pytest.raises(OSError, match="Address already in use"):
            KubernetesServer(taken)
