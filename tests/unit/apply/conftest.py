"""A world per test, which fails when the API's contract was broken."""

from collections.abc import Iterator

import pytest

from tests.support.world import World


@pytest.fixture
def world() -> Iterator[World]:
    """Four ml.g5.8xlarge, transitions of ten seconds, no waiting."""
    world = World()
    yield world
    assert world.direct.service.journal.violations == []
