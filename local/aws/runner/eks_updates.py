"""Updates of clusters and add-ons: begun, ended, listed and described."""

import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.aws.runner.eks_routes import EksCall, Json, cluster_record, in_use, not_found, route, serve
from local.aws.runner.settings import RunnerSettings

IN_PROGRESS, SUCCESSFUL, FAILED = "InProgress", "Successful", "Failed"
ERROR_CODES = (
    "AccessDenied",
    "ClusterUnreachable",
    "InsufficientNumberOfReplicas",
    "ConfigurationConflict",
    "AdmissionRequestDenied",
    "UnsupportedAddonModification",
    "K8sResourceNotFound",
)
"""Of an add-on's health issues, those that an update's errors can have as well (EKS API reference)."""


@dataclass(slots=True)
class Update:
    """`cluster` is its ARN; `addon` is empty for an update of the cluster itself."""

    cluster: str
    addon: str
    kind: str
    parameters: Mapping[str, str]
    token: str = ""
    status: str = IN_PROGRESS
    errors: tuple[Json, ...] = ()
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))
    created: float = field(default_factory=lambda: round(time.time(), 3))

    def shown(self) -> Json:
        return {
            "id": self.identifier,
            "status": self.status,
            "type": self.kind,
            "params": [{"type": name, "value": value} for name, value in self.parameters.items()],
            "createdAt": self.created,
            "errors": list(self.errors),
        }


class Updates:
    """All updates, the newest last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._updates: list[Update] = []

    def begin(self, update: Update) -> Update:
        with self._lock:
            self._updates.append(update)
        return update

    def of(self, cluster: str, addon: str) -> list[Update]:
        """The newest first."""
        with self._lock:
            return [each for each in reversed(self._updates) if (each.cluster, each.addon) == (cluster, addon)]

    def with_token(self, cluster: str, addon: str, token: str) -> Update | None:
        """The update that the same request has begun before."""
        return next((each for each in self.of(cluster, addon) if token and each.token == token), None)

    def end(self, update: Update, issues: Iterable[Mapping[str, Any]] = ()) -> None:
        """Successful without issues, and failed with the errors that they come to otherwise."""
        update.errors = tuple(map(_error, issues))
        update.status = FAILED if update.errors else SUCCESSFUL

    def forget(self, cluster: str) -> None:
        with self._lock:
            self._updates = [each for each in self._updates if each.cluster != cluster]


updates = Updates()


def refuse_second(cluster: Json, kind: str) -> None:
    """A cluster is updated by one update at a time."""
    running = next((each for each in updates.of(cluster["arn"], "") if each.status == IN_PROGRESS), None)
    if running is not None:
        name = cluster["name"]
        told = f"Cannot {kind} because cluster {name} currently has update {running.identifier} in progress"
        raise in_use(told, clusterName=name)


def tell_of_updates(_: RunnerSettings) -> None:
    """DescribeUpdate and ListUpdates, which MiniStack lacks."""
    serve(
        route("GET", "/clusters/{cluster}/updates", _list),
        route("GET", "/clusters/{cluster}/updates/{update}", _describe),
    )


def _list(call: EksCall) -> Json:
    """Those of an add-on where one is named, and otherwise those of the cluster itself."""
    found = updates.of(cluster_record(call.cluster)["arn"], call.asked("addonName"))
    identifiers, token = call.page([each.identifier for each in found])
    return {"updateIds": identifiers, **token}


def _describe(call: EksCall) -> Json:
    wanted = call.names["update"]
    for each in updates.of(cluster_record(call.cluster)["arn"], call.asked("addonName")):
        if each.identifier == wanted:
            return {"update": each.shown()}
    raise not_found(f"No update found for ID: {wanted}", clusterName=call.cluster)


def _error(issue: Mapping[str, Any]) -> Json:
    code = issue["code"] if issue["code"] in ERROR_CODES else "Unknown"
    return {"errorCode": code, "errorMessage": issue["message"], "resourceIds": list(issue.get("resourceIds", ()))}
