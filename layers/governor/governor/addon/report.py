"""What is told of an add-on: one document for a program, a person and an alarm."""

import msgspec

from governor.addon.checks import Check
from governor.addon.intent import DEFAULT, asked_for, target_of
from governor.addon.issues import CODES, causes_of, remedy_for, state_in_short
from governor.addon.preflight import NAMESPACE, preflight
from governor.addon.readiness import Readiness, by_eks, by_kubernetes
from governor.addon.seen import Addon, Controller, EksCluster, Issue, Kubernetes, Missing, Seen, Unknown
from governor.addon.upgrade import upgrade_path
from governor.addon.versions import ADDON, kueue_of, version_of
from governor.quota import Cluster


class Told(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A health issue, explained."""

    code: str
    message: str
    resources: tuple[str, ...] = ()
    means: str = ""
    remedy: str = ""


class Upgrade(msgspec.Struct, frozen=True, rename="camel"):
    """Whether the newest version is one plain update away: pass, fail or unknown."""

    to: str
    verdict: str
    reason: str
    remedy: str = ""


class Report(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """``installed`` and ``healthy`` are None where nobody could look. ``wanted`` is the policy's version, "" without
    an addon block; ``drifted``: the installed version is not the wanted one, or older than EKS's default where the
    policy names none."""

    cluster: str
    cluster_arn: str
    eks_cluster: str
    kubernetes_version: str
    installed: bool | None
    healthy: bool | None
    summary: str
    remedy: str
    status: str
    version: str
    kueue_version: str
    wanted: str
    drifted: bool
    default_version: str
    newest_version: str
    upgrade: Upgrade | None
    controller: str
    webhook: str
    issues: tuple[Told, ...]
    checks: tuple[Check, ...]

    @property
    def state(self) -> str:
        """What an event is about: another text when the state is another one."""
        codes = ",".join(sorted({issue.code for issue in self.issues}))
        known = {True: "healthy", False: "not healthy", None: "not seen"}
        installed = {True: self.status, False: "not installed", None: "unknown"}[self.installed]
        drifted = "drifted" if self.drifted else ""
        return " ".join(part for part in (installed, self.version, known[self.healthy], codes, drifted) if part)


def report_of(seen: Seen, wanted: str = "", asked: str = "") -> Report:
    """The report on one look. ``asked`` is the name that the cluster was asked for by, should it not exist."""
    addon = seen.addon if isinstance(seen.addon, Addon) else None
    eks = seen.eks if isinstance(seen.eks, EksCluster) else None
    cluster = seen.cluster if isinstance(seen.cluster, Cluster) else None
    offered = () if isinstance(seen.offered, Unknown) else seen.offered
    health = _health(seen)
    newest = offered[0].version if offered else ""
    return Report(
        cluster=cluster.name if cluster else asked,
        cluster_arn=cluster.arn if cluster else "",
        eks_cluster=cluster.eks_name if cluster else "",
        kubernetes_version=eks.version if eks else "",
        installed=None if isinstance(seen.addon, Unknown) and not _is_certain(seen) else addon is not None,
        healthy=health.healthy,
        summary=health.summary,
        remedy=health.remedy,
        status=addon.status if addon else "",
        version=addon.version if addon else "",
        kueue_version=kueue_of(addon.version) if addon else "",
        wanted=wanted,
        drifted=addon is not None and _drifted(addon, wanted, seen),
        default_version=seen.default_version,
        newest_version=newest,
        upgrade=_upgrade(addon, newest, seen) if addon and newest else None,
        controller=_controller(seen.kubernetes) if addon else "",
        webhook=_webhook(seen.kubernetes) if addon else "",
        issues=_issues(addon) if addon else (),
        checks=_checks(seen, wanted),
    )


class _Health(msgspec.Struct, frozen=True):
    healthy: bool | None
    summary: str
    remedy: str = ""


def _is_certain(seen: Seen) -> bool:
    """True where there cannot be an add-on: no EKS cluster."""
    if isinstance(seen.cluster, Cluster):
        return not seen.cluster.eks_name or isinstance(seen.eks, Missing)
    return isinstance(seen.cluster, Missing)


def _health(seen: Seen) -> _Health:
    first = preflight(seen, "")[0]
    if first.verdict == "fail" and not isinstance(seen.addon, Addon):
        return _Health(False, first.reason, first.remedy)
    if isinstance(seen.addon, Unknown):
        reason = first if first.verdict == "unknown" else None
        return _Health(None, f"could not look: {reason.reason if reason else seen.addon.reason}", seen.addon.remedy)
    if isinstance(seen.addon, Missing):
        name = seen.cluster.eks_name if isinstance(seen.cluster, Cluster) else ""
        install = f"aws eks create-addon --addon-name {ADDON} --cluster-name {name}"
        return _Health(False, seen.addon.reason, f"{install}, or let the stack do it (AddonInstall=Install)")
    name = seen.eks.name if isinstance(seen.eks, EksCluster) else ""
    return _health_of(seen.addon, seen.kubernetes, name)


def _health_of(addon: Addon, kubernetes: Kubernetes, eks_cluster: str) -> _Health:
    if by_eks(addon).state != "ready":
        return _Health(False, state_in_short(addon), remedy_for(addon, eks_cluster))
    inside = readiness_inside(kubernetes)
    if inside.state == "not ready":
        return _Health(False, f"the add-on {addon.version} is ACTIVE and not ready: {inside.reason}", inside.remedy)
    if addon.issues:
        return _Health(
            False, f"{state_in_short(addon)}, with health issues", "do what each of its health issues asks for"
        )
    if inside.state == "unknown":
        return _Health(None, f"ACTIVE, says EKS; could not look inside: {inside.reason}", inside.remedy)
    return _Health(True, f"the add-on {addon.version} is ACTIVE, its controller and its webhook are ready")


def readiness_inside(kubernetes: Kubernetes) -> Readiness:
    """What Kubernetes says of controller and webhook."""
    return by_kubernetes(controller_of(kubernetes), kubernetes.webhook)


def controller_of(kubernetes: Kubernetes) -> Controller | Unknown | None:
    """The add-on's own controller."""
    found = kubernetes.controllers
    if isinstance(found, Unknown):
        return found
    return next((each for each in found if each.namespace == NAMESPACE), None)


def _controller(kubernetes: Kubernetes) -> str:
    found = controller_of(kubernetes)
    if isinstance(found, Unknown):
        return "not seen"
    if found is None:
        return "not there"
    words = f"{found.available} of {found.desired} available"
    return words if found.ready else f"{words}{f' ({found.reason})' if found.reason else ''}, not ready"


def _webhook(kubernetes: Kubernetes) -> str:
    if isinstance(kubernetes.webhook, Unknown):
        return "not seen"
    return f"{kubernetes.webhook} ready" if kubernetes.webhook else "no ready endpoint"


def _issues(addon: Addon) -> tuple[Told, ...]:
    return tuple(_told(issue) for issue in causes_of(addon))


def _told(issue: Issue) -> Told:
    meaning = CODES.get(issue.code)
    words = (meaning.means, meaning.remedy) if meaning else ("", "")
    return Told(issue.code, issue.message, issue.resources, *words)


def _drifted(addon: Addon, wanted: str, seen: Seen) -> bool:
    if wanted not in ("", DEFAULT):
        return addon.version != wanted
    installed, default = version_of(addon.version), version_of(seen.default_version)
    return installed is not None and default is not None and installed < default


def _upgrade(addon: Addon, newest: str, seen: Seen) -> Upgrade:
    path = upgrade_path(addon.version, newest, seen.kubernetes.crds)
    return Upgrade(newest, path.verdict, path.reason, path.remedy)


def _checks(seen: Seen, wanted: str) -> tuple[Check, ...]:
    """The preflight of what the policy asks for; where it asks for nothing, of what is installed or would be."""
    if isinstance(seen.addon, Addon) and asked_for(seen.addon, wanted) == "nothing":
        return preflight(seen, seen.addon.version)
    return preflight(seen, target_of(wanted, seen))
