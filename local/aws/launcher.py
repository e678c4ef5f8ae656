"""Starts the local AWS and talks to it: for tests, benchmarks and the demo.

with LocalAws() as aws:
    outputs = aws.build_and_deploy(Path("."), {"OperatorEmail": "me@example.com"})
    aws.client("s3").put_object(Bucket=outputs["PolicyBucket"], Key="policies/team.yaml", Body=b"…")
"""

import functools
import http.client
import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from local.aws.addon_controls import AddonControls
from local.aws.process import LocalAwsError, last_lines, ministack
from local.aws.runner.settings import ADMIN_KEY, ADMIN_SECRET, REGION, RunnerSettings
from local.aws.sam import Progress, Sam
from local.aws.temporary import temporary_directory
from local.aws.tools import tools
from local.hyperpod.client import ControlPlane
from local.kubernetes.client import KubernetesApi

ANSWER_SECONDS = 60
STACK = "governor"


class LocalAws(AddonControls):
    """A fresh local AWS, HyperPod control plane and Kubernetes API for as long as the context lasts.

    `plane_settings` are the control plane's, `worker_environment` goes to every Lambda worker, `without` leaves
    additions out by name, `seconds_per_minute` shortens the periods of alarms and the delays between retries,
    `concurrency` is how many of its events a function handles at once, and `cluster_seconds` and `addon_seconds` are
    how long EKS takes to make or change a cluster or an add-on: 0 has it done when the call is answered. `kubeconfig`
    names a cluster with a real Kueue, where the control plane then keeps namespaces and queues, of one HyperPod cluster
    at a time.
    """

    def __init__(
        self,
        *,
        plane_settings: Mapping[str, Any] | None = None,
        worker_environment: Mapping[str, str] | None = None,
        without: Iterable[str] = (),
        seconds_per_minute: float = 60.0,
        concurrency: int = 8,
        cluster_seconds: float = 0.0,
        addon_seconds: float = 0.0,
        kubeconfig: Path | str | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._plane_settings = dict(plane_settings or {})
        self._worker_environment = dict(worker_environment or {})
        self._without = tuple(without)
        self.seconds_per_minute = seconds_per_minute
        self._concurrency = concurrency
        self._eks_seconds = {"cluster_seconds": cluster_seconds, "addon_seconds": addon_seconds}
        self.kubeconfig = None if kubeconfig is None else str(Path(kubeconfig).resolve())
        self._progress = progress
        self._exits = ExitStack()
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._keys = {"AWS_ACCESS_KEY_ID": ADMIN_KEY, "AWS_SECRET_ACCESS_KEY": ADMIN_SECRET}

    def __enter__(self) -> Self:
        with ExitStack() as exits:
            self._tools = tools(self._progress or _silently)
            self.directory = exits.enter_context(temporary_directory("local-aws-"))
            exits.callback(self._close_clients)
            self.plane = exits.enter_context(ControlPlane.start_process())
            self.kubernetes = exits.enter_context(KubernetesApi.start_process())
            settings = RunnerSettings(
                temporary=str(self.directory),
                worker_python=str(self._tools.worker_python),
                worker_environment={**self._plane_endpoints(), **self._worker_environment},
                without=self._without,
                seconds_per_minute=self.seconds_per_minute,
                concurrency=self._concurrency,
                kubernetes=self.kubernetes.url,
                plane=self.plane.url,
                **self._eks_seconds,
            )
            self.url = exits.enter_context(ministack(self._tools.ministack_python, settings))
            self.plane.settings(
                authorize=f"{self.url}/_governor/authorize",
                **{"kubernetes": self.kubernetes.url, "kubeconfig": self.kubeconfig, **self._plane_settings},
            )
            self._exits = exits.pop_all()
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Exception):
            error.add_note(f"The end of MiniStack's log:\n{last_lines(self.directory / 'ministack.log')}")
        self._exits.close()

    def env(self) -> dict[str, str]:
        """The variables that point another process' `aws`, boto3 or `sam` here, as the account's administrator."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            **self._plane_endpoints(),
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            **self._keys,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    def client(self, service: str, function: str | None = None) -> Any:
        """A boto3 client: the administrator's, or one with the session that a function's workers have.

        One attempt per call, so that a test sees every error.
        """
        wanted = (service, function)
        if wanted not in self._clients:
            keys = self._keys if function is None else self.admin("POST", "credentials", {"function": function})
            self._clients[wanted] = _session().client(
                service,
                endpoint_url=self.plane.url if service in ("sagemaker", "ec2") else self.url,
                region_name=REGION,
                aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
                aws_session_token=keys.get("AWS_SESSION_TOKEN"),
                config=Config(retries={"mode": "standard", "total_max_attempts": 1}, max_pool_connections=32),
            )
        return self._clients[wanted]

    def build_and_deploy(
        self, directory: Path, parameters: Mapping[str, str] | None = None, stack: str = STACK
    ) -> dict[str, str]:
        """`sam build` and `sam deploy` of the template in a directory; the outputs of the stack."""
        built = self.sam.build(directory.resolve(), self.directory / "built" / stack, parameters or {})
        return self.deploy(built, parameters, stack)

    def deploy(self, built: Path, parameters: Mapping[str, str] | None = None, stack: str = STACK) -> dict[str, str]:
        """`sam deploy` of a directory that holds a built template; the outputs of the stack.

        Raises LocalAwsError with what SAM said and the reason of every resource that failed.
        """
        try:
            self.sam.deploy(built, stack, parameters or {})
        except LocalAwsError as error:
            raise LocalAwsError(f"{error}\n{self._failures(stack)}") from None
        return self.outputs(stack)

    @functools.cached_property
    def sam(self) -> Sam:
        home = self.directory / "home"
        home.mkdir()
        return Sam(self._tools.sam, home, self.env(), self._progress)

    def outputs(self, stack: str = STACK) -> dict[str, str]:
        described = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}

    def physical_id(self, logical_id: str, stack: str = STACK) -> str:
        """The name that CloudFormation gave a resource of the template."""
        found = self.client("cloudformation").describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
        name: str = found["StackResourceDetail"]["PhysicalResourceId"]
        return name

    def logs(self, function: str) -> str:
        """All that the function's workers have printed, oldest first."""
        text: str = self.admin("POST", "logs", {"function": function})["text"]
        return text

    def decisions(self, role: str | None = None) -> list[dict[str, Any]]:
        """What roles asked for and got so far: id, principal, role, action, resource, allowed, keys, context."""
        decided = self.admin("GET", "decisions")["decisions"]
        return [each for each in decided if role in (None, each["role"])]

    def forget_decisions(self) -> None:
        self.admin("DELETE", "decisions")

    def decide_again(self, decision: int, policies: Iterable[Mapping[str, Any]], **changes: Any) -> str:
        """What a recorded request would come to under other identity policies: Allow, Deny or ImplicitDeny."""
        body = {"id": decision, "policies": list(policies), "changes": changes}
        answer: str = self.admin("POST", "evaluate", body)["decision"]
        return answer

    def may(self, function: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> bool:
        """Would the function's role be allowed this? `context` has condition keys: {"aws:ViaAWSService": "true"}."""
        body = {"function": function, "action": action, "resource": resource, "context": dict(context or {})}
        allowed: bool = self.admin("POST", "may", body)["allowed"]
        return allowed

    def workers(self, function: str) -> list[int]:
        """The process ids of the function's workers."""
        processes: list[int] = self.admin("POST", "workers", {"function": function})["processes"]
        return processes

    def fault(self, service: str, operation: str, action: str = "error", **details: Any) -> None:
        """Have calls go wrong: `aws.fault("s3", "PutObject", code="SlowDown", status=503, times=2)`.

        `local.aws.runner.faults.Rule` has all the details; see README.md beside this file.
        """
        self.admin("POST", "faults", {"service": service, "operation": operation, "action": action, **details})

    def faults(self) -> list[dict[str, Any]]:
        """The rules not yet spent."""
        listed: list[dict[str, Any]] = self.admin("GET", "faults")["faults"]
        return listed

    def clear_faults(self) -> None:
        self.admin("DELETE", "faults")

    def release_messages(self, queue_url: str) -> int:
        """Make the messages in flight visible, as if their visibility timeout had ended; how many there were."""
        released: int = self.admin("POST", "queues/release", {"queue": queue_url})["released"]
        return released

    def evaluate_alarms(self) -> None:
        """Look at queues and alarms now, rather than within the second."""
        self.admin("POST", "alarms")

    def kill_workers(self, function: str) -> int:
        """SIGKILL to the function's workers that are handling something now; how many there were."""
        killed: int = self.admin("POST", "workers/kill", {"function": function})["killed"]
        return killed

    def ministack_log(self) -> str:
        return last_lines(self.directory / "ministack.log", count=1_000_000)

    def admin(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Call the runner's admin endpoint. Raises ValueError with its message when it refuses."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=ANSWER_SECONDS)
        try:
            connection.request(method, f"/_governor/{path}", None if body is None else json.dumps(body))
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read() or b"{}")
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise ValueError(answer["error"])
        return answer

    def _failures(self, stack: str) -> str:
        """Why resources of a stack failed, newest first, as far as there is a stack."""
        client = self.client("cloudformation")
        try:
            events = client.describe_stack_events(StackName=stack)["StackEvents"]
        except client.exceptions.ClientError:
            return ""
        failed = [each for each in events if each["ResourceStatus"].endswith("_FAILED")]
        return "\n".join(f"{each['LogicalResourceId']}: {each.get('ResourceStatusReason', '')}" for each in failed)

    def _plane_endpoints(self) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL_SAGEMAKER": self.plane.url, "AWS_ENDPOINT_URL_EC2": self.plane.url}

    def _close_clients(self) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()


T = TypeVar("T")


def wait_for(look: Callable[[], T | None], seconds: float = 30.0, every: float = 0.05) -> T:
    """What `look` returns once that is true. Raises TimeoutError when it never is."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"It did not come true within {seconds:g} s; last seen: {found!r}")
        time.sleep(every)


@functools.cache
def _session() -> boto3.session.Session:
    """One session for all clients of the process: it keeps the service models it has read."""
    return boto3.session.Session()


def _silently(_: str) -> None:
    """Progress that nobody asked for."""
