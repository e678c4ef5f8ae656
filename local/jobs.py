"""Submits jobs of teams and follows what Kueue says of them, through the Kubernetes API alone.

jobs = Jobs.of(aws, "ml-research")
jobs.submit("team-a", "training-1", pods=3, requests={"nvidia.com/gpu": "1"}, priority="training")
jobs.wait("team-a", "training-1", "Admitted")

A job that ends is said to: no pod runs, here or in a real Kueue without kubelets, and nothing waits for one.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from local.addon.connection import Connection, KubernetesError, trusting
from local.aws.launcher import LocalAws, wait_for
from local.hyperpod.kubernetes import connection_of
from local.hyperpod.kueue_objects import cluster_queue_of, local_queue_of, namespace_of, priority_class_of
from local.kubernetes.reachable import Reachable

IMAGE = "example.invalid/training:1"
QUEUE_NAME = "kueue.x-k8s.io/queue-name"
PRIORITY_CLASS = "kueue.x-k8s.io/priority-class"
JOB_UID = "kueue.x-k8s.io/job-uid"
WAIT_SECONDS = 30.0
Json = dict[str, Any]


class Jobs:
    """As whoever the connection stands for: the administrator, or a user of a team. Leaving takes all jobs away."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._submitted: list[tuple[str, str]] = []
        self._version = ""

    @classmethod
    def of(cls, aws: LocalAws, cluster: str) -> Self:
        """Where the control plane keeps the cluster's queues: its own Kubernetes, or that of a kubeconfig."""
        if aws.kubeconfig is not None:
            return cls(connection_of(aws.kubeconfig))
        return cls.of_cluster(aws.kubernetes.cluster(cluster))

    @classmethod
    def of_cluster(cls, cluster: Reachable, token: str | None = None) -> Self:
        """A local cluster, as its administrator or as whoever has the token."""
        trusted = trusting(cluster.certificate_authority)
        return cls(Connection(cluster.endpoint, trusted, cluster.admin_token if token is None else token))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for team, name in reversed(self._submitted):
            self.delete(team, name)
        self._connection.close()

    def submit(
        self,
        team: str,
        name: str,
        *,
        pods: int = 1,
        requests: Mapping[str, str],
        priority: str = "",
        instance_type: str = "",
    ) -> Json:
        """A suspended Job in the team's queue; `requests` are of one pod, `priority` a class of the cluster policy.

        Raises KubernetesError.
        """
        labels = {QUEUE_NAME: local_queue_of(team)}
        if priority:
            labels[PRIORITY_CLASS] = priority_class_of(priority)
        # Kubernetes takes devices only where they are limited to what is asked for.
        limits = {resource: amount for resource, amount in requests.items() if "/" in resource}
        container = {"name": "main", "image": IMAGE, "resources": {"requests": dict(requests), "limits": limits}}
        pod: Json = {"restartPolicy": "Never", "containers": [container]}
        if instance_type:
            pod["nodeSelector"] = {"node.kubernetes.io/instance-type": instance_type}
        manifest = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name, "namespace": namespace_of(team), "labels": labels},
            "spec": {"suspend": True, "parallelism": pods, "completions": pods, "template": {"spec": pod}},
        }
        made: Json = self._connection.ask("POST", _jobs(team), manifest)
        self._submitted.append((team, name))
        return made

    def finish(self, team: str, name: str) -> None:
        """Say that the job is complete, as the job controller would."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        job = self._connection.ask("GET", f"{_jobs(team)}/{name}")
        status = {
            "startTime": job.get("status", {}).get("startTime") or now,
            "completionTime": now,
            "succeeded": job["spec"].get("completions", 1),
            "conditions": [
                {"type": each, "status": "True", "reason": "CompletionsReached", "lastTransitionTime": now}
                for each in ("SuccessCriteriaMet", "Complete")
            ],
        }
        self._connection.ask("PATCH", f"{_jobs(team)}/{name}/status", {"status": status})

    def delete(self, team: str, name: str) -> None:
        """Delete the job, if it is there, and its workload, which nobody else might take away."""
        path = f"{_jobs(team)}/{name}"
        workload = self.workload(team, name)
        for each in (path, *([self._workloads(team, workload["metadata"]["name"])] if workload else ())):
            try:
                self._connection.ask("DELETE", each, {"propagationPolicy": "Background"})
            except KubernetesError as error:
                if error.status != 404:
                    raise
        self._submitted = [known for known in self._submitted if known != (team, name)]

    def is_suspended(self, team: str, name: str) -> bool:
        suspended: bool = self._connection.ask("GET", f"{_jobs(team)}/{name}")["spec"].get("suspend", False)
        return suspended

    def workload(self, team: str, name: str) -> Json | None:
        """The Workload that Kueue has made of the job; None before, and where the job is gone."""
        try:
            uid = self._connection.ask("GET", f"{_jobs(team)}/{name}")["metadata"]["uid"]
        except KubernetesError as error:
            if error.status == 404:
                return None
            raise
        found: list[Json] = self._connection.ask(
            "GET", f"{self._workloads(team)}?labelSelector={quote(JOB_UID)}={quote(uid)}"
        )["items"]
        return found[0] if found else None

    def conditions(self, team: str, name: str) -> dict[str, Json]:
        """The conditions of the job's workload by type; none before there is one."""
        workload = self.workload(team, name) or {}
        return {each["type"]: each for each in workload.get("status", {}).get("conditions", ())}

    def wait(
        self,
        team: str,
        name: str,
        condition: str,
        status: str = "True",
        reason: str = "",
        seconds: float = WAIT_SECONDS,
    ) -> Json:
        """The condition of the job's workload, once it is so. Raises TimeoutError with those that it has."""

        def look() -> Json | None:
            found = self.conditions(team, name).get(condition)
            as_wanted = found is not None and found["status"] == status and reason in ("", found.get("reason", ""))
            return found if as_wanted else None

        try:
            return wait_for(look, seconds)
        except TimeoutError as error:
            error.add_note(f"{team}/{name} should be {condition}={status} {reason}: {self.conditions(team, name)}")
            raise

    def usage(self, team: str) -> dict[tuple[str, str], tuple[str, str]]:
        """What the team's ClusterQueue says that is used: total and borrowed by flavor and resource."""
        queue = self._connection.ask("GET", f"{self._kueue()}/clusterqueues/{cluster_queue_of(team)}")
        return {
            (flavor["name"], each["name"]): (str(each["total"]), str(each.get("borrowed", "0")))
            for flavor in queue.get("status", {}).get("flavorsUsage", ())
            for each in flavor["resources"]
        }

    def wait_for_usage(
        self, team: str, flavor: str, wanted: Mapping[str, tuple[str, str]], seconds: float = WAIT_SECONDS
    ) -> None:
        """Wait until the queue says these totals and borrowed amounts by resource. Raises TimeoutError."""
        keys: Iterable[str] = wanted

        def look() -> bool:
            usage = self.usage(team)
            return all(usage.get((flavor, each)) == wanted[each] for each in keys)

        try:
            wait_for(look, seconds)
        except TimeoutError as error:
            error.add_note(f"{team} should use {dict(wanted)} of {flavor}: {self.usage(team)}")
            raise

    def _workloads(self, team: str, name: str = "") -> str:
        return f"{self._kueue()}/namespaces/{namespace_of(team)}/workloads" + (f"/{name}" if name else "")

    def _kueue(self) -> str:
        if not self._version:
            versions = [each["version"] for each in self._connection.ask("GET", "/apis/kueue.x-k8s.io")["versions"]]
            self._version = "v1beta2" if "v1beta2" in versions else "v1beta1"
        return f"/apis/kueue.x-k8s.io/{self._version}"


def _jobs(team: str) -> str:
    return f"/apis/batch/v1/namespaces/{namespace_of(team)}/jobs"
