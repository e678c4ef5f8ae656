"""Where things lie in the two buckets."""

from datetime import datetime
from urllib.parse import quote

POLICIES = "policies/"
APPROVALS = "approvals/"
STATUS = "status/"
CLUSTERS = "clusters/"
HISTORY = "history/"

_POLICY_ENDINGS = (".yaml", ".yml", ".json")
_IN_FORCE = "/in-force.json"


def is_policy(key: str) -> bool:
    """True for a key that holds a policy; everything else under the prefix is nobody's business.

    A key of more than 1,000 bytes is none: its status document could not be written, S3 takes 1,024.
    """
    return key.startswith(POLICIES) and key.endswith(_POLICY_ENDINGS) and len(key.encode()) <= 1000


def is_approval(key: str) -> bool:
    """True for a key that holds an approval."""
    return key.startswith(APPROVALS) and key.endswith(".json")


def approval_key(cluster_arn: str) -> str:
    """Where the approval of a plan for a cluster is put."""
    return f"{APPROVALS}{cluster_id(cluster_arn)}.json"


def cluster_id_of_approval(key: str) -> str:
    """The cluster that an approval is about."""
    return key.removeprefix(APPROVALS).removesuffix(".json")


def cluster_id(cluster_arn: str) -> str:
    """The last part of the ARN: unique in an account and Region, and another one when a cluster is made anew."""
    return cluster_arn.rpartition("/")[2]


def status_key(key: str) -> str:
    """The status document of a file, for programs."""
    return f"{STATUS}{key}.json"


def readable_key(key: str) -> str:
    """The status document of a file, for people."""
    return f"{STATUS}{key}.md"


def left_behind_key(key: str, cluster_arn: str) -> str:
    """Stands for a file in the status of a cluster that the file has left for another one."""
    return f"{key}@{cluster_id(cluster_arn)}"


def key_of_status(key: str) -> str | None:
    """The file that a status document is about; None for any other object."""
    if key.startswith(STATUS) and key.endswith(".json"):
        return key.removeprefix(STATUS).removesuffix(".json")
    return None


def in_force_key(identity: str) -> str:
    """The policy in force for a cluster, by the cluster's id."""
    return f"{CLUSTERS}{identity}{_IN_FORCE}"


def cluster_id_of_in_force(key: str) -> str | None:
    """The cluster's id; None for any other object, such as an incident of a team that is called in-force."""
    if key.startswith(CLUSTERS) and key.endswith(_IN_FORCE) and _is_of_a_cluster(key):
        return key.removeprefix(CLUSTERS).removesuffix(_IN_FORCE)
    return None


def run_key(identity: str) -> str:
    """The latest run for a cluster."""
    return f"{CLUSTERS}{identity}/run.json"


def addon_key(identity: str) -> str:
    """What was last seen of a cluster's add-on."""
    return f"{CLUSTERS}{identity}/addon.json"


def is_addon(key: str) -> bool:
    """True for a key that holds what was last seen of an add-on."""
    return key.startswith(CLUSTERS) and key.endswith("/addon.json") and _is_of_a_cluster(key)


def addon_change_key(identity: str) -> str:
    """The last change of a cluster's add-on that was begun here."""
    return f"{CLUSTERS}{identity}/addon-change.json"


def usage_key(identity: str) -> str:
    """The newest usage of a cluster."""
    return f"{CLUSTERS}{identity}/usage.json"


def incidents_prefix(identity: str) -> str:
    """Where what people were told of the alarms about a cluster's usage lies."""
    return f"{CLUSTERS}{identity}/incidents/"


def incident_key(identity: str, kind: str, team: str) -> str:
    """What people were told of one alarm about a team, or about the cluster (team ""); a name may hold anything."""
    return f"{incidents_prefix(identity)}{kind}/{quote(team, safe='') or 'cluster'}.json"


def applied_key(identity: str) -> str:
    """The last applied policy of a cluster and what it owns."""
    return f"{CLUSTERS}{identity}/applied.json"


def history_key(identity: str, began: datetime, number: int, run_id: str) -> str:
    """One entry of a cluster's history; in the order of time."""
    return f"{HISTORY}{identity}/{began:%Y%m%dT%H%M%SZ}-{number:06d}-{run_id}.json"


def _is_of_a_cluster(key: str) -> bool:
    """Whether a key lies right below the cluster's id."""
    return key.count("/") == 2
