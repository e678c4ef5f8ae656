"""A Kubernetes API for each test, in this process: a cluster as it begins, one with Kueue, objects without a server."""

from collections.abc import Iterator

import pytest

from local.hyperpod.clock import ManualClock
from local.kubernetes.beginnings import beginnings
from local.kubernetes.cluster import Cluster
from local.kubernetes.objects import Objects
from local.kubernetes.server import KubernetesServer
from tests.local.kubernetes.recorded import definitions


@pytest.fixture
def server() -> Iterator[KubernetesServer]:
    with KubernetesServer() as server:
        yield server


@pytest.fixture
def cluster(server: KubernetesServer) -> Cluster:
    return server.add_cluster("plain")


@pytest.fixture
def kueue(server: KubernetesServer) -> Cluster:
    """With the definitions of Kueue 0.19.2."""
    cluster = server.add_cluster("kueue")
    cluster.load(definitions())
    return cluster


@pytest.fixture
def clock() -> ManualClock:
    """2027-01-15T08:00:00Z"""
    return ManualClock(1_800_000_000.0)


@pytest.fixture
def objects(clock: ManualClock) -> Objects:
    """Those of a cluster with Kueue's definitions, without a server."""
    objects = Objects(clock)
    for manifest in [*beginnings(), *definitions()]:
        objects.load(manifest)
    return objects
