"""The policy format, version 1: every key, what it means, and what it may hold.

Reading, JSON Schema and the policy reference in docs/ all come from these tables.
"""

from governor.policy import names
from governor.policy.kinds import Choice, Exactly, InstanceType, Number, Text, Word
from governor.policy.model import Addon, ClusterPolicy, Policy, PriorityClass, Sharing, Team
from governor.policy.nodes import Mapping, Node, Scalar
from governor.policy.reading import Reading, Scope
from governor.policy.sections import Field, ListOf, Section, Unique, text_at
from governor.policy.wording import shown
from governor.quota import Partition, QuotaEntry

_HYPHENATED = "lower-case letters, digits and inner hyphens"


def _titled(word: str, key: str) -> "_Title":
    return _Title(word, key)


class _Title:
    """Names an object by one of its own values, or by its place in the list."""

    def __init__(self, word: str, key: str) -> None:
        self._word, self._key = word, key

    def __call__(self, node: Node, index: int) -> str:
        name = node.get(self._key) if isinstance(node, Mapping) else None
        if isinstance(name, Scalar) and name.text:
            return f"{self._word} {shown(name.text)}"
        return f"{self._word} number {index + 1}"


def _lowered(text: str) -> str:
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in text.lower()).split())


def _hyphenated(text: str) -> str:
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in text).split())


_ENTITY_NAME = Text(
    "a name of letters, digits and inner hyphens",
    accepts=names.is_entity_name,
    form="a name of letters, digits and inner hyphens",
    pattern="^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$",
    shape="EntityName",
    mended=_hyphenated,
)


def _kubernetes_name(longest: int, because: str) -> Text:
    return Text(
        f"a name of {_HYPHENATED}",
        accepts=names.is_kubernetes_name,
        form=f"a name of {_HYPHENATED}",
        pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        longest=longest,
        because=because,
        mended=_lowered,
    )


def _entry_identity(node: Mapping) -> str:
    profile = text_at(node, "acceleratorPartition", "type")
    return " ".join(part for part in (text_at(node, "instanceType"), profile) if part)


def _quota_name(node: Mapping) -> str:
    name = text_at(node, "name")
    return text_at(node, "quotaName") or (f"{name}-quota" if name else "")


def _check_entry(entry: QuotaEntry, node: Mapping, scope: Scope, reading: Reading) -> None:
    if entry.is_empty:
        reading.refuse(
            "empty-quota",
            node.at,
            scope,
            "the entry names an instance type and no amount; write count, accelerators, vCpu, memoryInGiB or "
            "acceleratorPartition, or remove the entry",
        )
    instance = reading.instances.get(entry.instance_type)
    if instance is None or instance.accelerators:
        return
    for key, what, amount in (
        ("accelerators", "accelerators", entry.accelerators),
        ("acceleratorPartition", "count of acceleratorPartition", entry.partition and entry.partition.count),
    ):
        if amount:
            value = node.get(key)
            reading.refuse(
                "no-accelerators",
                value.at if value is not None else node.at,
                scope,
                f"{what} is {amount}, but {entry.instance_type} has no accelerator; write count or vCpu instead, "
                "or another instance type",
            )


_PARTITION = Section(
    "a mapping with type and count",
    (
        Field(
            "type",
            "type",
            Choice("MIGProfileType"),
            "MIG profile of the partitions. Which profiles exist depends on the instance type.",
            "type: mig-1g.10gb",
            required=True,
        ),
        Field(
            "count",
            "count",
            Number("a number of partitions", "AcceleratorPartitionConfigCountInteger", whole=True),
            "Number of partitions.",
            "count: 4",
            required=True,
        ),
    ),
    Partition,
    lambda _node, _index: "acceleratorPartition",
)


def _entries(title: _Title) -> Section:
    return Section(
        "a mapping with instanceType and an amount",
        (
            Field(
                "instanceType",
                "instance_type",
                InstanceType(),
                "Instance type of an instance group of the cluster.",
                "instanceType: ml.g5.8xlarge",
                required=True,
            ),
            Field(
                "count",
                "count",
                Number("a number of instances", "InstanceCount", whole=True),
                "Whole instances.",
                "count: 2",
            ),
            Field(
                "accelerators",
                "accelerators",
                Number("a number of accelerators", "AcceleratorsAmount", whole=True),
                "Accelerators: GPUs, or Neuron devices. Given alone, the service adds vCPU and memory in proportion.",
                "accelerators: 4",
            ),
            Field(
                "vCpu",
                "v_cpu",
                Number("a number of vCPUs", "VCpuAmount", whole=False),
                "Nominal vCPUs. Given alone, the service adds memory in proportion and no accelerator.",
                "vCpu: 96",
            ),
            Field(
                "memoryInGiB",
                "memory_in_gib",
                Number("a number of GiB", "MemoryInGiBAmount", whole=False),
                "Memory in GiB. Given alone, the service adds vCPU in proportion and no accelerator.",
                "memoryInGiB: 1024",
            ),
            Field(
                "acceleratorPartition",
                "partition",
                _PARTITION,
                "MIG partitions instead of whole accelerators.",
                "acceleratorPartition: {type: mig-1g.10gb, count: 4}",
            ),
        ),
        QuotaEntry,
        title,
        fewest=2,
        unique=(
            Unique(
                "duplicate-entry",
                "an entry for",
                "instanceType",
                _entry_identity,
                "add the amounts up in one entry",
            ),
        ),
        checks=(_check_entry,),
    )


_QUOTA_ENTRY = _entries(_titled("quota", "instanceType"))
_BORROW_ENTRY = _entries(_titled("absoluteBorrowLimits", "instanceType"))

_PRIORITY_CLASS = Section(
    "a mapping with name and weight",
    (
        Field(
            "name",
            "name",
            _kubernetes_name(
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
    _titled("priority class", "name"),
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
            _ENTITY_NAME,
            "Name of the cluster policy in SageMaker, to adopt one that exists. Default: cluster-policy.",
            "name: cluster-policy",
        ),
    ),
    ClusterPolicy,
    lambda _node, _index: "clusterPolicy",
)

_SHARING = Section(
    "a mapping with strategy",
    (
        Field(
            "strategy",
            "strategy",
            Choice("ResourceSharingStrategy"),
            "LendAndBorrow: lends idle compute and borrows. Lend: only lends. DontLend: neither lends nor borrows.",
            "strategy: LendAndBorrow",
            required=True,
        ),
        Field(
            "borrowLimit",
            "borrow_limit",
            Number("a percentage", "BorrowLimit", whole=True),
            "How much the team may borrow, in percent of its own guaranteed quota. The service's default is 50.",
            "borrowLimit: 50",
        ),
        Field(
            "absoluteBorrowLimits",
            "absolute_borrow_limits",
            ListOf("a list of amounts", _BORROW_ENTRY, "AbsoluteBorrowLimitResourceList"),
            "The most the team may borrow of an instance type, whatever the percentage allows.",
            "absoluteBorrowLimits: [{instanceType: ml.g5.8xlarge, accelerators: 1}]",
        ),
    ),
    Sharing,
    lambda _node, _index: "sharing",
)

_TEAM = Section(
    "a mapping with name and quota",
    (
        Field(
            "name",
            "name",
            _kubernetes_name(
                names.MAX_TEAM_NAME, "its queue 'hyperpod-ns-<team>-localqueue' must fit a Kubernetes label of 63"
            ),
            "Name of the team; its namespace is 'hyperpod-ns-<name>'.",
            "name: vision",
            required=True,
        ),
        Field(
            "quota",
            "quota",
            ListOf("a list of amounts by instance type", _QUOTA_ENTRY, "ComputeQuotaResourceConfigList"),
            "What the team is guaranteed, by instance type.",
            "quota: [{instanceType: ml.g5.8xlarge, count: 2}]",
            required=True,
        ),
        Field(
            "fairShareWeight",
            "fair_share_weight",
            Number("a weight", "FairShareWeight", whole=True),
            "Weight in sharing idle compute: the higher, the larger the share; 0 is always served last.",
            "fairShareWeight: 60",
        ),
        Field(
            "sharing",
            "sharing",
            _SHARING,
            "How the team lends and borrows. The service's default is LendAndBorrow with a limit of 50 percent.",
            "sharing: {strategy: LendAndBorrow, borrowLimit: 50}",
        ),
        Field(
            "preemptTeamTasks",
            "preempt_team_tasks",
            Choice("PreemptTeamTasks"),
            "Whether a task of the team may preempt the team's own tasks of lower priority.",
            "preemptTeamTasks: LowerPriority",
        ),
        Field(
            "activation",
            "activation",
            Choice("ActivationState"),
            "Disabled switches the allocation off without deleting it.",
            "activation: Enabled",
        ),
        Field(
            "quotaName",
            "quota_name",
            _ENTITY_NAME,
            "Name of the compute quota in SageMaker, to adopt one that exists. Default: <team>-quota.",
            "quotaName: vision-quota",
        ),
        Field(
            "description",
            "description",
            Text(
                "a text",
                accepts=names.is_description,
                form="free of line breaks, tabs and other control characters",
                pattern=r"^[^\u0000-\u001f\u007f-\u009f]*$",
                shape="EntityDescription",
                mended=names.mended_description,
            ),
            "Description of the compute quota. Comparing it costs one more call for this team.",
            "description: Vision research",
        ),
    ),
    Team,
    _titled("team", "name"),
    unique=(
        Unique("duplicate-team", "the team", "name", lambda node: text_at(node, "name"), "write one block per team"),
        Unique(
            "duplicate-quota-name",
            "the quota name",
            "quotaName",
            _quota_name,
            "a quota belongs to one team: write another quotaName (left out, it is <team>-quota)",
        ),
    ),
    upcoming=("alarms",),
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
            "teams",
            "teams",
            ListOf("a list of teams", _TEAM),
            "The teams and their compute allocations. A team that is taken out is deleted, after an approval.",
            "teams: [{name: vision, quota: [{instanceType: ml.g5.8xlarge, count: 2}]}]",
            required=True,
        ),
    ),
    Policy,
    lambda _node, _index: "policy",
    upcoming=("alarms", "drift"),
)
