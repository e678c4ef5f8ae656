"""The product on the local AWS, built and deployed once; each test has a cluster and a file of its own."""

import os
from collections.abc import Iterator

import pytest

from local.deployment import Deployment, deployed
from tests.support.place import Place

KUBECONFIG = os.environ.get("GOVERNOR_TEST_KUBECONFIG")
"""Of a cluster with a real Kueue, which the tests that take ``stage`` are then played in."""


@pytest.fixture(scope="session")
def deployment() -> Iterator[Deployment]:
    """One stack for all tests; minutes of alarms and retries pass in two seconds, slices are short."""
    with deployed(
        {
            "SliceSeconds": "2",
            "AddonInstall": "Install",
            "PublishUsage": "Disabled",  # a test says when, and not every minute for all that the others left behind
        },
        plane_settings={"transition_seconds": 0.2, "default_page_size": 100},
        seconds_per_minute=2.0,
    ) as running:
        yield running


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """The stack of all tests, or one of its own, whose queues a real Kueue has and loses with it."""
    if KUBECONFIG is None:
        yield request.getfixturevalue("deployment")
        return
    with deployed({"AddonInstall": "Install"}, kubeconfig=KUBECONFIG) as running:
        yield running


@pytest.fixture
def place(deployment: Deployment) -> Place:
    """A cluster of the test's own."""
    return Place(deployment)


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test's faults end with it, and no request broke the service's contract."""
    yield
    if "deployment" in request.fixturenames:
        running: Deployment = request.getfixturevalue("deployment")
        running.aws.clear_faults()
        running.aws.plane.clear_faults()
        assert running.aws.plane.violations() == []
