"""Ctrl-C in the middle of a run: it ends soon, says that nothing is lost, and the next run carries on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from local.hyperpod.client import ControlPlane
from tests.support.world import two_teams


def _hear_interrupts() -> None:
    """A shell has its background jobs ignore them, and what a job starts inherits that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupt_ends_the_run_and_the_next_one_carries_on(plane: ControlPlane, tmp_path: Path) -> None:
    plane.settings(transition_seconds=2)
    policy = tmp_path / "policy.yaml"
    policy.write_text(two_teams())
    command = [str(Path(sys.executable).parent / "governor"), "apply", str(policy), "--concurrency", "1"]
    environment = {**os.environ, **plane.env("governor"), "GOVERNOR_STATE_DIR": str(tmp_path / "state")}
    with subprocess.Popen(
        command,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=_hear_interrupts,
    ) as process:
        while not plane.calls("CreateComputeQuota"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)

    carried_on = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=60, check=False)

    assert process.returncode == 130
    assert "interrupted; nothing is lost" in said
    assert "Traceback" not in said
    assert carried_on.returncode == 0, carried_on.stderr
    assert len(plane.boto3_client().list_compute_quotas()["ComputeQuotaSummaries"]) == 2
