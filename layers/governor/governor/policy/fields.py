"""The policy format, version 1: every key, what it means, and what it may hold.

Reading, JSON Schema and the policy reference in docs/ all come from these tables.
"""

from governor.policy import names
from governor.policy.alarms import ALARMS
from governor.policy.kinds import Choice, Exactly, Number, Text, Word
from governor.policy.model import Addon, ClusterPolicy, Policy, PriorityClass
from governor.policy.naming import ENTITY_NAME, Title, kubernetes_name
from governor.policy.sections import Field, ListOf, Section, Unique, text_at
from governor.policy.teams import TEAM

_PRIORITY_CLASS = Section(
    "a mapping with name and weight",
    (
        Field(
            "name",
            "name",
            kubernetes_name(
                names.MAX_PRIORITY_CLASS_NAME,
                "tasks refer to it as '<name>-priority', a Kubernetes label of at most 63",
            ),
            "Name of the class; tasks name it with '-priority' behind.",
            "name: training",
            required=True,
        ),
        Field(
            "weight",
            "weight",
            Number("a weight", "PriorityWeight", whole=True),
            "Rank of the class: the highest weight goes first.",
            "weight: 75",
            required=True,
        ),
    ),
    PriorityClass,
    Title("priority class", "name"),
    unique=(
        Unique(
            "duplicate-priority-class", "the class", "name", lambda node: text_at(node, "name"), "remove or rename one"
        ),
    ),
)

_CLUSTER_POLICY = Section(
    "a mapping with priorityClasses, fairShare and idleResourceSharing",
    (
        Field(
            "priorityClasses",
            "priority_classes",
            ListOf("a list of priority classes", _PRIORITY_CLASS, "PriorityClassList"),
            "Classes of tasks by rank. Left out or empty: first come, first served.",
            "priorityClasses: [{name: training, weight: 75}]",
        ),
        Field(
            "fairShare",
            "fair_share",
            Choice("FairShare"),
            "Enabled: idle compute is shared by the teams' fair-share weights. Disabled: first come, first served.",
            "fairShare: Enabled",
        ),
        Field(
            "idleResourceSharing",
            "idle_resource_sharing",
            Choice("IdleResourceSharing"),
            "Enabled: compute that no team's quota covers may be borrowed too.",
            "idleResourceSharing: Disabled",
        ),
        Field(
            "name",
            "name",
            ENTITY_NAME,
            "Name of the cluster policy in SageMaker, to adopt one that exists. Default: cluster-policy.",
            "name: cluster-policy",
        ),
    ),
    ClusterPolicy,
    lambda _node, _index: "clusterPolicy",
)


_ADDON = Section(
    "a mapping with version",
    (
        Field(
            "version",
            "version",
            Text(
                "'default' or a version",
                accepts=names.is_addon_version,
                form=(
                    "'default' or a version of the add-on in full, such as v1.6.1-eksbuild.1; "
                    "'governor addon CLUSTER' shows those that EKS offers"
                ),
                pattern=r"^(default|v[0-9]{1,4}(\.[0-9]{1,4}){2}-eksbuild\.[0-9]{1,4})$",
                mended=names.mended_addon_version,
            ),
            "default: the version that EKS installs by default at the time of the installation, and no update after "
            "that. A version in full: this one is installed, and an older one is updated to it.",
            "version: default",
            required=True,
        ),
    ),
    Addon,
    lambda _node, _index: "addon",
    fewest=1,
)

POLICY = Section(
    "a mapping with version, cluster and teams",
    (
        Field("version", "version", Exactly(1), "Version of this format.", "version: 1", required=True),
        Field(
            "cluster",
            "cluster",
            Text(
                "the name or ARN of a HyperPod cluster",
                accepts=lambda text: (len(text) <= 63 and names.is_entity_name(text)) or names.is_cluster_arn(text),
                form=(
                    "the name (letters, digits, inner hyphens, at most 63) or ARN of a HyperPod cluster; write one "
                    "that 'aws sagemaker list-clusters' shows"
                ),
                pattern=(
                    "^(arn:aws[-a-z]*:sagemaker:[-a-z0-9]*:[0-9]{12}:cluster/[a-z0-9]{12}"
                    "|(?=.{1,63}$)[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?)$"
                ),
                longest=256,
            ),
            "Name or ARN of the HyperPod cluster, in the account and Region of the caller.",
            "cluster: ml-research",
            required=True,
        ),
        Field(
            "onDelete",
            "on_delete",
            Word("Retain", "Remove"),
            "What deleting this file from the bucket means for what it owns. Retain, the default: all stays as it is "
            "and is nobody's. Remove: its teams and its cluster policy are deleted, after an approval.",
            "onDelete: Retain",
        ),
        Field(
            "addon",
            "addon",
            _ADDON,
            "The task governance add-on of the cluster's EKS. Left out: the add-on is looked at, and never changed. "
            "It is installed and updated only where the stack allows it as well (AddonInstall=Install).",
            "addon: {version: default}",
        ),
        Field(
            "clusterPolicy",
            "cluster_policy",
            _CLUSTER_POLICY,
            "The cluster policy. Left out: the cluster policy is not managed by this file.",
            "clusterPolicy: {fairShare: Enabled}",
        ),
        Field(
            "alarms",
            "alarms",
            ALARMS,
            "The alarms on every team without a block of its own, and on teams that the file does not name. Left out "
            "or null: none.",
            "alarms: {borrowing: {percent: 50}}",
        ),
        Field(
            "teams",
            "teams",
            ListOf("a list of teams", TEAM),
            "The teams and their compute allocations. A team that is taken out is deleted, after an approval.",
            "teams: [{name: vision, quota: [{instanceType: ml.g5.8xlarge, count: 2}]}]",
            required=True,
        ),
    ),
    Policy,
    lambda _node, _index: "policy",
    upcoming=("drift",),
)
