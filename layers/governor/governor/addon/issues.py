"""What the statuses and the codes of health issues mean (EKS API reference; facts 7), and what to do about them."""

import msgspec

from governor.addon.seen import Addon, Issue
from governor.addon.versions import ADDON


class Meaning(msgspec.Struct, frozen=True):
    """In words, with a remedy."""

    means: str
    remedy: str


CODES = {
    "AccessDenied": Meaning(
        "EKS may not do in the cluster what the add-on needs",
        "see that no policy or admission webhook denies the service account eks:addon-manager, then try again",
    ),
    "InternalFailure": Meaning(
        "something failed within EKS", "wait some minutes; if it stays, update the add-on again or open a support case"
    ),
    "ClusterUnreachable": Meaning(
        "EKS cannot reach the cluster's API server or it does not answer",
        "look at the cluster's own health: aws eks describe-cluster",
    ),
    "InsufficientNumberOfReplicas": Meaning(
        "fewer pods of the add-on run than it needs",
        "see why with kubectl get pods -n kueue-system; nodes that are full, cordoned or not Ready are the usual cause",
    ),
    "ConfigurationConflict": Meaning(
        "objects in the cluster have fields that somebody else manages, such as another Kueue",
        "remove the other Kueue, or install with OVERWRITE if its objects may be taken over",
    ),
    "AdmissionRequestDenied": Meaning(
        "an admission webhook of the cluster refuses the add-on's objects",
        "the message names the webhook: exempt kueue-system from it, or mend it",
    ),
    "UnsupportedAddonModification": Meaning(
        "this change of the add-on is not supported", "choose another version, or delete and install the add-on anew"
    ),
    "K8sResourceNotFound": Meaning(
        "an object of the add-on is gone from the cluster",
        "update the add-on to the version it has, with OVERWRITE: that puts the object back",
    ),
    "AddonSubscriptionNeeded": Meaning("the add-on has to be subscribed to", "subscribe in AWS Marketplace"),
    "AddonPermissionFailure": Meaning(
        "the add-on's own role lacks permissions", "the message names them: add them to the add-on's role"
    ),
}
"""The codes of ``health.issues``; botocore's model has the same (a test)."""

STATUSES = {
    "CREATING": Meaning("is being installed", "wait"),
    "ACTIVE": Meaning("is installed", ""),
    "CREATE_FAILED": Meaning(
        "could not be installed",
        "mend the cause, then delete the add-on, with the custom resource definitions of kueue.x-k8s.io that it leaves "
        "behind, so that it can be installed anew",
    ),
    "UPDATING": Meaning("is being updated", "wait"),
    "DELETING": Meaning("is being deleted", "wait"),
    "DELETE_FAILED": Meaning("could not be deleted", "mend the cause, then delete it again"),
    "DEGRADED": Meaning("is installed and does not work as it should", "do what each of its health issues asks for"),
    "UPDATE_FAILED": Meaning("could not be updated", "mend the cause, then update it again"),
}
"""The statuses of an add-on; botocore's model has the same (a test)."""
MOVING = frozenset({"CREATING", "UPDATING", "DELETING"})
"""Statuses that end by themselves."""


_COMMANDS = {
    "CREATE_FAILED": "delete-addon",
    "DELETE_FAILED": "delete-addon",
    "UPDATE_FAILED": "update-addon --addon-version VERSION --resolve-conflicts OVERWRITE",
}


def remedy_for(addon: Addon, eks_cluster: str) -> str:
    """What to do about a status, with the command; "" where there is nothing to do."""
    meaning = STATUSES.get(addon.status)
    if meaning is None:
        return "look at it in the console of EKS: this release does not know the status"
    command, _, more = _COMMANDS.get(addon.status, "").partition(" ")
    if not command:
        return meaning.remedy
    named = f"aws eks {command} --cluster-name {eks_cluster} --addon-name {ADDON} {more}".rstrip()
    return f"{meaning.remedy}: {named}"


def explained(issue: Issue) -> str:
    """One issue: code, message, what it is about, what it means, what to do."""
    meaning = CODES.get(issue.code)
    about = f" ({', '.join(issue.resources[:5])}{', …' if len(issue.resources) > 5 else ''})" if issue.resources else ""
    words = f"; it means that {meaning.means}: {meaning.remedy}" if meaning else ""
    return f"{issue.code}: {issue.message}{about}{words}"


def causes_of(addon: Addon) -> tuple[Issue, ...]:
    """Its health issues and the errors of its last update, none twice."""
    return tuple(dict.fromkeys((*addon.issues, *addon.errors)))


def state_in_words(addon: Addon) -> str:
    """The status, and why in full."""
    causes = "; ".join(explained(issue) for issue in causes_of(addon))
    return f"{_status(addon)}. {causes}" if causes else _status(addon)


def state_in_short(addon: Addon) -> str:
    """The status, and the codes that say why."""
    codes = ", ".join(dict.fromkeys(issue.code or "error" for issue in causes_of(addon)))
    return f"{_status(addon)} ({codes})" if codes else _status(addon)


def _status(addon: Addon) -> str:
    meaning = STATUSES.get(addon.status)
    return f"the add-on {addon.version} is {addon.status}" + (f": it {meaning.means}" if meaning else "")
