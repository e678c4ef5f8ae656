"""What a transition of an add-on does in Kubernetes, and how it ends by that."""

from local.addon import writer
from local.addon.objects import KubernetesError
from local.addon.releases import crashes, kueue_of
from local.aws.runner.addon_versions import TASK_GOVERNANCE
from local.aws.runner.eks_addon_orders import Issue, Outcome
from local.aws.runner.eks_kubernetes import objects_of
from local.aws.runner.eks_routes import Json

ACTIVE = Outcome("ACTIVE")
CONFLICTS = "_conflicts"
"""How an add-on's record remembers what it was told to do about conflicts."""
TOO_FEW = Issue(
    "InsufficientNumberOfReplicas",
    "The add-on is unhealthy because it doesn't have the desired number of replicas.",
)


def install(cluster: Json, record: Json, version: str, operation: str) -> Outcome:
    """Have Kubernetes hold what this version installs. Only task governance installs anything here."""
    objects = objects_of(cluster)
    if objects is None or record["addonName"] != TASK_GOVERNANCE:
        return ACTIVE
    healthy = not crashes(version, cluster["version"])
    failed = f"{operation.upper()}_FAILED"
    try:
        writer.apply(objects, kueue_of(version), overwrite=record[CONFLICTS] == "OVERWRITE", healthy=healthy)
    except writer.RefusedError as error:
        return Outcome(failed, (Issue(error.code, str(error)),))
    except KubernetesError as error:
        return Outcome(failed, (_unreachable(error),))
    return ACTIVE if healthy else Outcome("DEGRADED", (TOO_FEW,))


def remove(cluster: Json, record: Json, preserve: bool) -> Outcome | None:
    """Have Kubernetes hold it no longer; None when that is done."""
    objects = objects_of(cluster)
    if objects is None or record["addonName"] != TASK_GOVERNANCE:
        return None
    try:
        writer.remove(objects, preserve=preserve)
    except KubernetesError as error:
        return Outcome("DELETE_FAILED", (_unreachable(error),))
    return None


def _unreachable(error: KubernetesError) -> Issue:
    return Issue("ClusterUnreachable", f"The cluster could not be reached: {error}")
