"""Names: the service's patterns as checks that look at each character once.

The patterns in botocore's model are never run on input: the one of a team's name backtracks for half a
minute on thirty characters, and limits nothing. What really limits a name are the Kubernetes names that the
add-on derives from it (facts 1f).
"""

import re
import unicodedata

MAX_LABEL = 63
NAMESPACE_PREFIX = "hyperpod-ns-"
MAX_TEAM_NAME = MAX_LABEL - len(NAMESPACE_PREFIX) - len("-localqueue")
MAX_PRIORITY_CLASS_NAME = MAX_LABEL - len("-priority")

_KUBERNETES = re.compile(r"[-a-z0-9]+")
_ENTITY = re.compile(r"[-a-zA-Z0-9]+")
_CLUSTER_ARN = re.compile(r"arn:aws[-a-z]*:sagemaker:([-a-z0-9]*):([0-9]{12}):cluster/[a-z0-9]{12}")
_ADDON_VERSION = re.compile(r"v[0-9]{1,4}(\.[0-9]{1,4}){2}-eksbuild\.[0-9]{1,4}")
_PRINTABLE_CATEGORIES = frozenset("LMZSNP")


def is_kubernetes_name(text: str) -> bool:
    """Lower-case letters, digits and inner hyphens: team names and priority classes, of any length."""
    return _KUBERNETES.fullmatch(text) is not None and text[0] != "-" and text[-1] != "-"


def is_entity_name(text: str) -> bool:
    """Letters, digits and inner hyphens: names of quotas, cluster policies and clusters, of any length."""
    return _ENTITY.fullmatch(text) is not None and text[0] != "-" and text[-1] != "-"


def is_description(text: str) -> bool:
    """Letters, marks, separators, symbols, numbers and punctuation: no control character, so no line break."""
    return all(unicodedata.category(char)[0] in _PRINTABLE_CATEGORIES for char in text)


def mended_description(text: str) -> str:
    """The description without what it may not hold, white space folded."""
    kept = (char if unicodedata.category(char)[0] in _PRINTABLE_CATEGORIES else " " for char in text)
    return " ".join("".join(kept).split())


def is_cluster_arn(text: str) -> bool:
    """The ARN of a HyperPod cluster."""
    return len(text) <= 256 and _CLUSTER_ARN.fullmatch(text) is not None


def region_of(cluster_arn: str) -> str:
    """The Region in a HyperPod cluster's ARN."""
    found = _CLUSTER_ARN.fullmatch(cluster_arn)
    return found[1] if found else ""


def in_another_region(cluster: str, region: str) -> str:
    """What is wrong with a cluster that is named by an ARN of another Region than ``region``; "" if nothing is."""
    if not is_cluster_arn(cluster) or region_of(cluster) == region:
        return ""
    there = region_of(cluster)
    return f"the cluster is in Region {there}, the credentials are used in {region}; set AWS_REGION={there}"


def is_addon_version(text: str) -> bool:
    """``default``, or a version of an EKS add-on in full."""
    return text == "default" or _ADDON_VERSION.fullmatch(text) is not None


def mended_addon_version(text: str) -> str:
    """The version in full, where a ``v`` or the build is missing."""
    full = text if text.startswith("v") else f"v{text}"
    return full if "-" in full else f"{full}-eksbuild.1"
