"""A control plane over HTTP per test, and the command line pointed at it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from governor.cli.main import main
from local.hyperpod.client import ControlPlane

Governor = Callable[..., int]


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    """Transitions of 50 ms; the test fails if the API's contract was broken."""
    with ControlPlane.start_thread({"transition_seconds": 0.05, "default_page_size": 100}) as plane:
        plane.add_cluster("ml-research", {"ml.g5.8xlarge": 4})
        yield plane
        plane.assert_no_violations()


@pytest.fixture
def governor(plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Governor:
    """The command line in this process, with the environment of a caller whose account is the control plane."""
    for name, value in {**plane.env("governor"), "GOVERNOR_STATE_DIR": str(tmp_path / "state")}.items():
        monkeypatch.setenv(name, value)
    for name in ("GOVERNOR_OVERCOMMIT", "GOVERNOR_MAX_TEAMS_REMOVED", "GOVERNOR_CONCURRENCY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("governor.apply.lifecycle.FIRST_LOOK", 0.02)

    def run(*arguments: str | Path) -> int:
        return main([str(argument) for argument in arguments])

    return run
