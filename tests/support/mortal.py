"""Runs ``governor`` in this process and kills it with SIGKILL at one point: ``mortal.py POINT governor-args…``.

Points are counted from 1: before and after each API call that writes, and before each time the record is
written. POINT 0 kills nowhere and prints how many points there were on standard error.
"""

import os
import signal
import sys
from typing import Any
from unittest import mock

import boto3

from governor.apply import FileRecords
from governor.aws.session import Aws
from governor.cli.main import main
from governor.plan import Record

_passed = 0


def _point(at: int) -> None:
    global _passed
    _passed += 1
    if _passed == at:
        os.kill(os.getpid(), signal.SIGKILL)


def _run(at: int, arguments: list[str]) -> int:
    session = boto3.Session()

    def before(event_name: str, **_: Any) -> None:
        if event_name.rpartition(".")[2].startswith(("Create", "Update", "Delete")):
            _point(at)

    session.events.register("before-send.sagemaker", before)
    session.events.register("after-call.sagemaker", before)  # the service has done it, nobody has heard yet

    class MortalRecords(FileRecords):
        def save(self, record: Record) -> None:
            _point(at)
            super().save(record)

    with (
        mock.patch("governor.aws.account.Aws", return_value=Aws(session)),
        mock.patch("governor.cli.cluster.FileRecords", MortalRecords),
    ):
        status = main(arguments)
    sys.stderr.write(f"points {_passed}\n")
    return status


if __name__ == "__main__":
    sys.exit(_run(int(sys.argv[1]), sys.argv[2:]))
