"""What has to be true before the add-on is installed or updated (user guide, "Setup for task governance"; facts 1a).

Every check says pass, fail or unknown, why, and what to do. What nobody could look at does not pass.
"""

from governor.addon.checks import Check, failed, passed, unknown
from governor.addon.seen import Addon, Controller, Crd, EksCluster, Missing, Node, Seen, Unknown
from governor.addon.upgrade import upgrade_path
from governor.addon.versions import ADDON, OLDEST_KUBERNETES, crashes, kubernetes_of, version_of
from governor.policy.wording import counted, nearest

NAMESPACE = "kueue-system"
_AUTHENTICATION = ("API", "API_AND_CONFIG_MAP")
_NAMED = 5
"""Things that a reason names before it counts the rest."""


def preflight(seen: Seen, version: str) -> tuple[Check, ...]:
    """The checks for installing a version, or for updating to it where the add-on is there; "" asks about none."""
    present = isinstance(seen.addon, Addon)
    return (
        _cluster(seen),
        _authentication(seen),
        _kubernetes_version(seen),
        _offered(seen, version),
        _crash(seen, version),
        *((_upgrade(seen.addon, version, seen),) if isinstance(seen.addon, Addon) else (_other_kueue(seen),)),
        _instances(seen),
        _nodes(seen, before="the update" if present else "the installation"),
    )


def _cluster(seen: Seen) -> Check:
    name, cluster = "cluster", seen.cluster
    if isinstance(cluster, Unknown):
        return unknown(name, cluster)
    if isinstance(cluster, Missing):
        return failed(name, cluster.reason, "mend the name in the file, or make the cluster")
    if cluster.orchestrator != "eks":
        return failed(
            name,
            f"{cluster.name} is orchestrated by Slurm, and task governance needs EKS",
            "govern a cluster that is orchestrated by EKS; this one cannot be changed into one",
        )
    if isinstance(seen.eks, Missing):
        return failed(name, seen.eks.reason, "the EKS cluster below the HyperPod cluster is gone: make both anew")
    if isinstance(seen.eks, Unknown):
        return unknown(name, seen.eks)
    if cluster.status in ("Deleting", "Failed") or seen.eks.status in ("DELETING", "FAILED"):
        return failed(
            name,
            f"{cluster.name} is {cluster.status}, and its EKS cluster {seen.eks.name} is {seen.eks.status}",
            "wait until it is gone and delete its file, or mend the cluster",
        )
    if seen.eks.status not in ("ACTIVE", "UPDATING"):
        return failed(name, f"the EKS cluster {seen.eks.name} is {seen.eks.status}", "wait until it is ACTIVE")
    return passed(name, f"{cluster.name} runs on the EKS cluster {seen.eks.name}")


def _authentication(seen: Seen) -> Check:
    name = "authentication mode"
    if not isinstance(seen.eks, EksCluster):
        return unknown(name, _no_eks(seen))
    mode = seen.eks.authentication_mode
    if mode in _AUTHENTICATION:
        return passed(name, mode)
    return failed(
        name,
        f"{mode or 'CONFIG_MAP'}, and HyperPod works with API and API_AND_CONFIG_MAP only",
        f"aws eks update-cluster-config --name {seen.eks.name} "
        "--access-config authenticationMode=API_AND_CONFIG_MAP (there is no way back)",
    )


def _kubernetes_version(seen: Seen) -> Check:
    name = "Kubernetes version"
    if not isinstance(seen.eks, EksCluster):
        return unknown(name, _no_eks(seen))
    found = kubernetes_of(seen.eks.version)
    if found is None:
        return unknown(name, Unknown(f"EKS says '{seen.eks.version}', which is no version of Kubernetes"))
    oldest = ".".join(map(str, OLDEST_KUBERNETES))
    if found < OLDEST_KUBERNETES:
        return failed(
            name,
            f"{seen.eks.version}, and task governance needs {oldest} or newer",
            f"update the cluster one minor version at a time: aws eks update-cluster-version --name {seen.eks.name}",
        )
    return passed(name, seen.eks.version)


def _offered(seen: Seen, version: str) -> Check:
    name = "add-on version"
    if isinstance(seen.offered, Unknown):
        return unknown(name, seen.offered)
    names = [each.version for each in seen.offered]
    kubernetes = seen.eks.version if isinstance(seen.eks, EksCluster) else ""
    if not names:
        return failed(
            name,
            f"EKS offers no version of {ADDON} for Kubernetes {kubernetes} in this Region",
            "see in the user guide of HyperPod which Regions and Kubernetes versions have task governance",
        )
    if not version:
        return failed(name, "EKS names no default version", f"name one in the policy's addon block: {names[0]}")
    if version not in names:
        near = nearest(version, names)
        hint = f"did you mean {near}? " if near else ""
        return failed(
            name,
            f"EKS does not offer {version} for Kubernetes {kubernetes}",
            f"{hint}it offers {_some(names)}",
        )
    return passed(name, f"{version} is offered for Kubernetes {kubernetes}")


def _crash(seen: Seen, version: str) -> Check:
    name = "known faults"
    if not isinstance(seen.eks, EksCluster):
        return unknown(name, _no_eks(seen))
    if crashes(version, seen.eks.version):
        return failed(
            name,
            f"the controller of {version} restarts for ever on Kubernetes {seen.eks.version}",
            "take v1.6.1-eksbuild.1 or newer, which mends it",
        )
    return passed(name, f"none known of {version or 'the add-on'} on Kubernetes {seen.eks.version}")


def _other_kueue(seen: Seen) -> Check:
    """A Kueue while EKS knows no add-on is somebody else's: it is named, and never touched."""
    name = "other Kueue"
    if isinstance(seen.addon, Unknown):
        return unknown(name, seen.addon)
    controllers, crds = seen.kubernetes.controllers, seen.kubernetes.crds
    found = [
        *([] if isinstance(controllers, Unknown) else map(_deployment, controllers)),
        *([] if isinstance(crds, Unknown) else _definitions(crds)),
    ]
    if found:
        return failed(
            name,
            f"the cluster has a Kueue that is not the add-on's: {'; '.join(found)}",
            "uninstall it the way it was installed (helm uninstall, kubectl delete) or, where it is what a deleted "
            "add-on left behind, delete its custom resource definitions (kubectl delete crd); their objects go with "
            "them: save those you need before",
        )
    for looked in (controllers, crds):
        if isinstance(looked, Unknown):
            return unknown(name, looked)
    return passed(name, "none")


def _upgrade(addon: Addon, version: str, seen: Seen) -> Check:
    name = "upgrade path"
    if not version_of(version):
        return failed(name, f"'{version}' is no version of the add-on", "write one such as v1.6.1-eksbuild.1")
    path = upgrade_path(addon.version, version, seen.kubernetes.crds)
    return Check(name, path.verdict, path.reason, path.remedy)


def _instances(seen: Seen) -> Check:
    name = "HyperPod nodes"
    if isinstance(seen.cluster, Unknown):
        return unknown(name, seen.cluster)
    if isinstance(seen.cluster, Missing):
        return unknown(name, Unknown(seen.cluster.reason))
    if not seen.cluster.running:
        return failed(
            name,
            f"no instance of {seen.cluster.name} runs, and the add-on needs a node to run on",
            "wait until the first instance group has an instance, or give one a target count above 0",
        )
    return passed(name, counted(seen.cluster.running, "instance"))


def _nodes(seen: Seen, before: str) -> Check:
    name = "nodes ready"
    nodes = seen.kubernetes.nodes
    if isinstance(nodes, Unknown):
        return unknown(name, nodes)
    if not any(node.hyperpod for node in nodes):
        return failed(
            name,
            f"none of the {counted(len(nodes), 'node')} of Kubernetes is an instance of the HyperPod cluster",
            "wait until an instance has joined; if none does, look at its instance group's events",
        )
    bad = [node for node in nodes if not node.ready]
    if bad:
        return failed(
            name,
            f"{len(bad)} of {counted(len(nodes), 'node')} not Ready: {_some([_node(node) for node in bad])}",
            f"AWS asks for all nodes Ready before {before}: wait for them, have them repaired, or delete them",
        )
    return passed(name, f"{counted(len(nodes), 'node')}, all Ready")


def _no_eks(seen: Seen) -> Unknown:
    if isinstance(seen.eks, Unknown):
        return seen.eks
    return Unknown(seen.eks.reason if isinstance(seen.eks, Missing) else "")


def _deployment(controller: Controller) -> str:
    image = f" ({controller.image})" if controller.image else ""
    return f"deployment kueue-controller-manager in namespace {controller.namespace}{image}"


def _definitions(crds: tuple[Crd, ...]) -> list[str]:
    return [f"custom resource definitions {_some([crd.name for crd in crds])}"] if crds else []


def _node(node: Node) -> str:
    return f"{node.name} ({node.reason})" if node.reason else node.name


def _some(items: list[str]) -> str:
    more = len(items) - _NAMED
    return ", ".join(items[:_NAMED]) + (f" and {more} more" if more > 0 else "")
