"""The check that the functions get into the Kubernetes APIs of the governed clusters, as far as EKS knows."""

from collections.abc import Iterator
from datetime import timedelta

from governor.addon.report import Report
from governor.aws.inspection import NotAllowedError
from governor.aws.kubernetes.access import CONFIG_MAP_ONLY, VIEW_ALL, AccessEntries
from governor.aws.kubernetes.answers import GROUP
from governor.cli.checks_around import named_clusters
from governor.cli.checkup import Check, Finding, Patient, ok, problem, warning
from governor.cli.connect import READERS, reader_arns
from governor.errors import GovernorError, NotFoundError
from governor.policy.wording import printable
from governor.records.documents import AddonSeen
from governor.records.names import is_addon
from governor.records.parallel import side_by_side

FORGOTTEN = timedelta(hours=3)
"""verify_addon looks every hour; that it does not is another check's business."""
_ABOUT, _READS = "Kubernetes access", "Kubernetes reads"


def kubernetes_checks(entries: AccessEntries) -> tuple[Check, ...]:
    """Access entries, which EKS tells; and what lies in the cluster itself, which only a read of it shows."""
    return (Check(_ABOUT, lambda patient: access(patient, entries)), Check(_READS, reads))


def reads(patient: Patient) -> Iterator[Finding]:
    """What verify_addon could see of each cluster when it looked last."""
    keys = [key for key in patient.cluster_keys if is_addon(key)]
    for _, seen in side_by_side(keys, lambda key: patient.load(key, AddonSeen)):
        if seen is not None and patient.now - seen.at < FORGOTTEN:  # nobody looks at a cluster that was released
            yield _seen(seen.report, f"{seen.at:%Y-%m-%d %H:%M} UTC")


def _seen(report: Report, at: str) -> Finding:
    about, name = f"{_READS}: {printable(report.cluster)}", printable(report.eks_cluster or report.cluster)
    nodes = [check.reason for check in report.checks if check.name == "nodes ready" and check.verdict == "unknown"]
    if not nodes and "not seen" not in (report.controller, report.webhook):
        return ok(about, f"were answered at {at}")
    remedy = f"governor connect {name}, apply what it prints; verify_addon looks again within the hour"
    return problem(about, f"were not all answered at {at}: {nodes[0] if nodes else report.summary}", remedy)


def access(patient: Patient, entries: AccessEntries) -> Iterator[Finding]:
    """Each cluster that a file names lets each role in that reads its Kubernetes API."""
    principals = reader_arns(patient.resources, patient.surroundings.caller().arn)
    if not principals:
        yield warning(
            _ABOUT, f"the stack has no {' and no '.join(READERS)}", "deploy the newest version of the template"
        )
        return
    clusters = sorted(named_clusters(patient))
    for _, found in side_by_side(clusters, lambda cluster: _cluster(patient, entries, cluster, principals)):
        yield from found


def _cluster(patient: Patient, entries: AccessEntries, cluster: str, principals: list[str]) -> list[Finding]:
    about = f"{_ABOUT}: {printable(cluster.rpartition('/')[2])}"
    try:
        eks = patient.surroundings.eks_cluster(cluster)
    except NotFoundError:
        return []  # the check of clusters says it
    except NotAllowedError as error:
        return [_unseen(about, error)]
    except GovernorError as error:
        return [Finding("could not look", about, str(error))]
    if not eks:
        return []  # the check of add-ons says it
    try:
        if entries.authentication_mode(eks) != CONFIG_MAP_ONLY:
            return [_role(entries, about, eks, principal) for principal in principals]
    except NotFoundError:
        return [problem(about, f"EKS cluster {eks} does not exist", "make it, or delete the file of the cluster")]
    except NotAllowedError as error:
        return [_unseen(about, error)]
    except GovernorError as error:
        return [Finding("could not look", about, str(error))]
    remedy = f"aws eks update-cluster-config --name {eks} --access-config authenticationMode=API_AND_CONFIG_MAP"
    return [problem(about, f"EKS cluster {eks} takes no access entries: authentication mode {CONFIG_MAP_ONLY}", remedy)]


def _unseen(about: str, error: NotAllowedError) -> Finding:
    return Finding("could not look", about, f"takes {error.action}", "", error.action)


def _role(entries: AccessEntries, about: str, eks: str, principal: str) -> Finding:
    name, make = principal.rpartition("/")[2], f"governor connect {eks} --make --role {principal}"
    try:
        entry = entries.find(eks, principal)
    except NotFoundError:
        return problem(about, f"EKS cluster {eks} has no access entry for {name}: its Kubernetes is not read", make)
    if entry.is_ours:
        return ok(about, f"{name} is in the group {GROUP} of EKS cluster {eks}")
    if entries.sees_everything(eks, principal):
        return warning(
            about,
            f"{name} reads everything of EKS cluster {eks}, its Secrets too, by {VIEW_ALL}",
            f"{make}; apply the roles that 'governor connect {eks}' prints; then take the policy away",
        )
    return problem(about, f"the access entry of {name} on EKS cluster {eks} lacks the group {GROUP}", make)
