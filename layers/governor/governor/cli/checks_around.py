"""Checks of what a deployment stands in: the caller, the clock, the clusters that the files name, their add-on."""

from collections.abc import Iterator

from governor.addon.issues import MOVING, state_in_words
from governor.addon.versions import ADDON
from governor.aws.inspection import NotAllowedError
from governor.aws.service_model import service_limits
from governor.checks import PolicyFile
from governor.cli.checkup import Check, Finding, Patient, ok, problem, warning
from governor.errors import AccessError, GovernorError, NotFoundError
from governor.policy import Bounds
from governor.policy.names import is_cluster_arn
from governor.policy.wording import counted, nearest, printable
from governor.records.names import POLICIES, is_policy
from governor.records.parallel import side_by_side

MAX_SKEW = 60.0
"""Seconds. AWS refuses signatures that are five minutes off; a minute is worth a word."""


def caller(patient: Patient) -> Iterator[Finding]:
    """Credentials are good."""
    found = patient.surroundings.caller()
    yield ok("credentials", f"{found.arn} in {found.region}")
    if found.skew is None:
        return
    if abs(found.skew) > MAX_SKEW:
        way = "ahead of" if found.skew > 0 else "behind"
        yield warning("clock", f"this machine is {abs(found.skew):.0f} s {way} AWS", "set the clock, or start NTP")
    else:
        yield ok("clock", "agrees with AWS's")


def clusters(patient: Patient) -> Iterator[Finding]:
    """SageMaker answers, and each file names a cluster that is there."""
    names = patient.surroundings.clusters()
    yield ok("SageMaker", f"answers: {counted(len(names), 'HyperPod cluster')}")
    for cluster, keys in sorted(named_clusters(patient).items()):
        name = cluster.rpartition("/")[2]
        if cluster in names or is_cluster_arn(cluster):
            continue
        near = nearest(name, names)
        hint = f"did you mean '{near}'?" if near else "mend the name, make the cluster, or delete the file"
        yield problem(", ".join(keys), f"names cluster '{printable(cluster)}', which does not exist", hint)


def named_clusters(patient: Patient) -> dict[str, list[str]]:
    """The clusters that the files name, and which files do."""
    if patient.buckets is None:
        raise patient.refused or NotFoundError("the bucket of policies is not known")
    policies = patient.buckets.policies
    try:
        keys = [item.key for item in policies.listed(POLICIES) if is_policy(item.key)]
    except AccessError as error:
        raise NotAllowedError("s3:ListBucket", str(error)) from error

    def read(key: str) -> str:
        try:
            stored = policies.get(key, Bounds().size + 1)
        except AccessError as error:
            raise NotAllowedError("s3:GetObject", str(error)) from error
        return PolicyFile(key, stored.data).parse(service_limits()).text("cluster") if stored else ""

    found: dict[str, list[str]] = {}
    for key, cluster in side_by_side(keys, read):
        if cluster:  # a file without one is Rejected, as 'governor status' says
            found.setdefault(cluster, []).append(printable(key))
    return found


def addons(patient: Patient) -> Iterator[Finding]:
    """Each cluster can be described, and has the add-on that makes quotas into something."""
    for _, found in side_by_side(sorted(named_clusters(patient)), lambda cluster: _addon(patient, cluster)):
        if found is not None:
            yield found


def _addon(patient: Patient, cluster: str) -> Finding | None:
    about = f"cluster {printable(cluster.rpartition('/')[2])}"
    install = f"aws eks create-addon --addon-name {ADDON} --cluster-name "
    try:
        eks = patient.surroundings.eks_cluster(cluster)
    except NotFoundError:
        return problem(about, "does not exist", "make it, or delete its file") if is_cluster_arn(cluster) else None
    except NotAllowedError as error:
        return Finding("could not look", about, f"takes {error.action}", "", error.action)
    except GovernorError as error:
        return Finding("could not look", about, str(error))
    if not eks:
        return problem(about, "is not orchestrated by EKS: task governance needs EKS", "delete its file")
    try:
        addon = patient.surroundings.addon(eks)
    except NotFoundError:
        return problem(about, f"EKS cluster {eks} has not the add-on {ADDON}", install + eks)
    except NotAllowedError as error:
        return Finding("could not look", about, f"takes {error.action} to see its add-on", "", error.action)
    except GovernorError as error:
        return Finding("could not look", about, str(error))
    if addon.status in MOVING:
        return warning(about, state_in_words(addon), "wait until it is ACTIVE")
    if addon.status != "ACTIVE" or addon.issues:
        return problem(about, state_in_words(addon), f"governor addon {printable(cluster.rpartition('/')[2])}")
    return ok(about, f"has the add-on {addon.version}, {addon.status}")


FIRST = (Check("credentials", caller),)
AROUND_CHECKS = (Check("SageMaker", clusters), Check("add-ons", addons))
