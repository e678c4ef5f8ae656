"""Starts a control plane and talks to it: for tests, benchmarks and the demo.

with ControlPlane.start_thread({"transition_seconds": 0}) as plane:
    cluster_arn = plane.add_cluster("ml-research", {"ml.g5.8xlarge": 4})
    sagemaker = plane.boto3_client()
"""

import functools
import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore.config import Config

from local.hyperpod.clock import Clock, SystemClock
from local.hyperpod.server import Server
from local.hyperpod.service import Service
from local.hyperpod.settings import Settings

if TYPE_CHECKING:
    from types_boto3_ec2.client import EC2Client
    from types_boto3_sagemaker.client import SageMakerClient

ROOT = Path(__file__).parents[2]
REGION = "us-west-2"
START_SECONDS = 30


class ControlPlane:
    """A running control plane at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._address = url.removeprefix("http://")

    @classmethod
    @contextmanager
    def start_thread(cls, settings: Mapping[str, Any] | None = None, clock: Clock | None = None) -> Iterator[Self]:
        """A control plane in a thread of this process, optionally on a clock the test moves."""
        service = Service(clock or SystemClock(), Settings().changed(dict(settings or {})))
        with Server(service) as server:
            # Polling decides how long shutdown takes; half a second, the default, would be paid by every test.
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
            thread.start()
            try:
                yield cls(server.url)
            finally:
                server.shutdown()
                thread.join()

    @classmethod
    @contextmanager
    def start_process(cls, settings: Mapping[str, Any] | None = None) -> Iterator[Self]:
        """A control plane in a process of its own, which ends with this one whatever happens to it."""
        paths = [str(ROOT), str(ROOT / "layers" / "governor"), os.environ.get("PYTHONPATH", "")]
        with subprocess.Popen(
            [sys.executable, "-m", "local.hyperpod", "--until-stdin-closes"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            word, _, url = process.stdout.readline().strip().partition(" ")
            if word != "ready":
                raise RuntimeError(f"The control plane did not start; exit code {process.wait(START_SECONDS)}.")
            plane = cls(url)
            try:
                if settings:
                    plane.settings(**settings)
                yield plane
            finally:
                process.stdin.close()
                process.wait(START_SECONDS)

    def env(self, user: str = "admin") -> dict[str, str]:
        """The variables that point a process' AWS clients here."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": user,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def boto3_client(self, user: str = "admin", *, region: str = REGION, max_attempts: int = 1) -> "SageMakerClient":
        """A SageMaker client of this user; by default it retries nothing, so that a test sees every error."""
        client: SageMakerClient = _session().client("sagemaker", **self._client_options(user, region, max_attempts))
        return client

    def ec2_client(self, user: str = "admin") -> "EC2Client":
        client: EC2Client = _session().client("ec2", **self._client_options(user, REGION, 1))
        return client

    def add_cluster(self, name: str, instances: Mapping[str, int] | None = None, **spec: Any) -> str:
        """Make a cluster and return its ARN.

        `instances` is the short form, instance type to count, one group per type; everything else is as in
        `POST /_admin/clusters`: `plane.add_cluster("ml-research", orchestrator="slurm")`.
        """
        groups = [
            {"name": f"group-{number}", "instanceType": instance_type, "count": count}
            for number, (instance_type, count) in enumerate((instances or {}).items(), start=1)
        ]
        body = {"name": name, "instanceGroups": groups, **spec}
        arn: str = self.admin("POST", "clusters", body)["ClusterArn"]
        return arn

    def change_cluster(self, name: str, **change: Any) -> None:
        """`plane.change_cluster("ml-research", instanceGroups=[{"name": "group-1", "count": 2}])`"""
        self.admin("PATCH", f"clusters/{name}", change)

    def remove_cluster(self, name: str) -> None:
        self.admin("DELETE", f"clusters/{name}")

    def restore(self, name: str) -> None:
        """Have the cluster's Kubernetes objects made whole, as after an installation of the add-on."""
        self.admin("POST", f"clusters/{name}/restore")

    def waiting(self) -> list[str]:
        """ARNs of the clusters whose Kubernetes is not yet as it should be."""
        waiting: list[str] = self.admin("GET", "governing")["waiting"]
        return waiting

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Change settings; returns all of them."""
        return self.admin("POST", "settings", changes)

    def fault(self, operation: str, action: str, **details: Any) -> None:
        """`plane.fault("UpdateComputeQuota", "throttle", times=3, match={"team": "vision"})`"""
        self.admin("POST", "faults", {"operation": operation, "action": action, **details})

    def faults(self) -> list[dict[str, Any]]:
        """The rules not yet spent."""
        listed: list[dict[str, Any]] = self.admin("GET", "faults")["faults"]
        return listed

    def clear_faults(self) -> None:
        self.admin("DELETE", "faults")

    def force_status(self, resource_id: str, status: str, reason: str | None = None) -> None:
        self.admin("POST", f"resources/{resource_id}/status", {"status": status, "reason": reason})

    def calls(self, operation: str | None = None) -> list[dict[str, Any]]:
        """The calls answered so far, all or those of one operation."""
        calls = self.admin("GET", "calls")["calls"]
        return [call for call in calls if operation in (None, call["operation"])]

    def writes(self) -> int:
        """How many calls so far were no Describe and no List."""
        count: int = self.admin("GET", "calls")["writes"]
        return count

    def forget_calls(self) -> None:
        self.admin("DELETE", "calls")

    def violations(self) -> list[dict[str, Any]]:
        """Breaches of the contract so far."""
        held: list[dict[str, Any]] = self.admin("GET", "violations")["violations"]
        return held

    def take_violations(self) -> list[dict[str, Any]]:
        """Breaches of the contract so far, which are forgotten: for a test that expects them."""
        held: list[dict[str, Any]] = self.admin("DELETE", "violations")["violations"]
        return held

    def assert_no_violations(self) -> None:
        held = self.violations()
        lines = "\n".join(f"{each['operation']} {each['side']}: {each['message']}" for each in held)
        assert not held, f"the contract was broken {len(held)} times:\n{lines}"

    def reset(self) -> None:
        """Forget everything: clusters, resources, faults, calls, violations, changed settings."""
        self.admin("POST", "reset")

    def admin(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Call the admin endpoint. Raises ValueError with its message when it refuses."""
        status, answer = self._exchange(method, f"/_admin/{path}", {}, body)
        if status != 200:
            raise ValueError(answer["error"])
        return answer

    def raw(self, operation: str, body: Any, user: str = "admin") -> tuple[int, dict[str, Any]]:
        """Status and JSON of an operation called without boto3, which sends no request the model forbids."""
        scope = f"{user}/20260101/{REGION}/sagemaker/aws4_request"
        headers = {
            "X-Amz-Target": f"SageMaker.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        }
        return self._exchange("POST", "/", headers, body)

    def _exchange(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection(self._address, timeout=START_SECONDS)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, dict(headers))
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read() or b"{}")
        finally:
            connection.close()
        return response.status, answer

    def _client_options(self, user: str, region: str, max_attempts: int) -> dict[str, Any]:
        return {
            "endpoint_url": self.url,
            "region_name": region,
            "aws_access_key_id": user,
            "aws_secret_access_key": "local",
            "config": Config(
                retries={"mode": "standard", "total_max_attempts": max_attempts},
                max_pool_connections=32,
            ),
        }


@functools.cache
def _session() -> boto3.session.Session:
    """One session for all clients of the process: it keeps the service models it has read."""
    return boto3.session.Session()
