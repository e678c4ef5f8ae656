"""Usage of a cluster read as the product reads it, wherever the control plane keeps the cluster's queues."""

import json
import time

from governor.aws.kubernetes.client import Kubernetes
from governor.aws.kubernetes.transport import Answer
from governor.aws.usage import UsageReader
from governor.usage import ClusterUsage, ResourceUsage, usage_of
from local.addon.connection import Connection, KubernetesError, trusting
from local.deployment import Deployment
from local.hyperpod.kubernetes import connection_of


class _Getter:
    """Answers of a connection in the form in which the product's own transport has them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, path: str) -> Answer:
        try:
            return Answer(200, "application/json", json.dumps(self._connection.ask("GET", path)).encode())
        except KubernetesError as error:
            return Answer(error.status, "application/json", str(error).partition(": ")[2].encode())


def usage_in(deployment: Deployment, cluster: str) -> ClusterUsage:
    """What the cluster's own Kueue says now: of the local Kubernetes, or of the one of a kubeconfig."""
    kubeconfig = deployment.aws.kubeconfig
    if kubeconfig is not None:
        connection = connection_of(str(kubeconfig))
    else:
        there = deployment.aws.kubernetes.cluster(cluster)
        connection = Connection(there.endpoint, trusting(there.certificate_authority), there.admin_token)
    try:
        found = UsageReader(Kubernetes(cluster, _Getter(connection))).read(nodes=False)
    finally:
        connection.close()
    return usage_of(found.seen, cluster, int(time.time()), None, found.waiting)


def of(found: ClusterUsage, team: str, flavor: str, resource: str) -> ResourceUsage:
    """One resource of a team."""
    (one,) = [each for each in found.teams if each.name == team]
    (row,) = [each for each in one.resources if (each.flavor, each.resource) == (flavor, resource)]
    return row
