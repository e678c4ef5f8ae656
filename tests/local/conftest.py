"""A control plane for each test, which fails when the contract was broken and the test did not expect it."""

from collections.abc import Iterator

import pytest

from local.hyperpod.client import ControlPlane
from local.hyperpod.direct import Direct


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
