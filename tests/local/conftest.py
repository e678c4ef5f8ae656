"""A control plane for each test, which fails when the contract was broken and the test did not expect it."""

from collections.abc import Iterator

import pytest

from local.hyperpod.client import ControlPlane
from local.hyperpod.direct import Direct
from local.kubernetes.server import KubernetesServer
from tests.local.governed import World


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    """Over HTTP, with transitions that end at once."""
    with ControlPlane.start_thread({"transition_seconds": 0}) as plane:
        yield plane
        plane.assert_no_violations()


@pytest.fixture
def direct() -> Iterator[Direct]:
    """Without HTTP, on a clock that stands still, with transitions that take ten seconds."""
    direct = Direct({"transition_seconds": 10})
    yield direct
    assert direct.service.journal.violations == []


@pytest.fixture(scope="module")
def kubernetes_server() -> Iterator[KubernetesServer]:
    with KubernetesServer() as server:
        yield server


@pytest.fixture(scope="module")
def governing_plane(kubernetes_server: KubernetesServer) -> Iterator[ControlPlane]:
    """Over HTTP, with transitions that end once Kubernetes has their objects."""
    with ControlPlane.start_thread({"transition_seconds": 0, "kubernetes": kubernetes_server.url}) as plane:
        yield plane
        plane.assert_no_violations()


@pytest.fixture
def bare(kubernetes_server: KubernetesServer, governing_plane: ControlPlane) -> World:
    """A cluster with Kubernetes, without the add-on."""
    return World(kubernetes_server, governing_plane)


@pytest.fixture
def world(bare: World) -> World:
    """The same with the newest add-on."""
    bare.install()
    return bare
