"""A control plane in a process of its own, as the only AWS that this process and its children can see."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from benchmarks.teams import CLUSTER, INSTANCES
from governor.aws.sagemaker import Governance
from governor.aws.session import Aws
from local.environment import forget_aws_accounts
from local.hyperpod.client import ControlPlane

LATENCY_SECONDS = 0.03


class Account:
    """A control plane with the benchmark's cluster, and the product's own client for it."""

    def __init__(self, plane: ControlPlane, **settings: Any) -> None:
        self.plane = plane
        self._settings = settings
        self.api = Governance(Aws().sagemaker)
        self.cluster_arn = ""
        self.empty()

    def empty(self) -> None:
        """A new cluster without quotas, and no call on the log."""
        self.plane.reset()
        self.cluster_arn = self.plane.add_cluster(CLUSTER, INSTANCES)
        self.plane.settings(**self._settings)
        self.plane.forget_calls()

    def calls(self) -> dict[str, int]:
        """How often each operation was called since the last question."""
        counted: dict[str, int] = {}
        for call in self.plane.calls():
            counted[call["operation"]] = counted.get(call["operation"], 0) + 1
        self.plane.forget_calls()
        return counted


@contextlib.contextmanager
def open_account(**settings: Any) -> Iterator[Account]:
    """Start a control plane with these settings; the environment points at it until it ends."""
    with ControlPlane.start_process() as plane, _environment(plane.env("governor")):
        yield Account(plane, **settings)
        plane.assert_no_violations()


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """The standard environment of AWS' tools, without anybody's own profile and configuration."""
    before = dict(os.environ)
    forget_aws_accounts()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
