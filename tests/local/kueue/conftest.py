"""A cluster with Kueue and the recorded queues, whose clock a test moves."""

from collections.abc import Iterator

import pytest

from local.hyperpod.clock import ManualClock
from local.kubernetes.cluster import Cluster
from local.kubernetes.server import KubernetesServer
from tests.local.kueue.worlds import install, make_recorded_world


@pytest.fixture
def clock() -> ManualClock:
    """2026-11-24T03:57:03Z, when the recording began."""
    return ManualClock(1_795_492_623.0)


@pytest.fixture
def server(clock: ManualClock) -> Iterator[KubernetesServer]:
    with KubernetesServer(clock=clock) as server:
        yield server


@pytest.fixture
def empty(server: KubernetesServer) -> Cluster:
    """With Kueue, and no queues."""
    cluster = server.add_cluster("research")
    install(cluster)
    return cluster


@pytest.fixture
def cluster(empty: Cluster) -> Cluster:
    """With the two teams' queues of the recording: 4 GPUs each, 4 more may be borrowed."""
    make_recorded_world(empty)
    empty.kueue.settled()
    return empty
