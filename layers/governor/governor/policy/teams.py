"""What a policy says of a team: its compute allocation, how it shares, and the rules within one entry."""

from governor.policy import names
from governor.policy.alarms import ALARMS
from governor.policy.kinds import Choice, InstanceType, Number, Text
from governor.policy.model import Sharing, Team
from governor.policy.naming import ENTITY_NAME, Title, kubernetes_name
from governor.policy.nodes import Mapping
from governor.policy.reading import Reading, Scope
from governor.policy.sections import Field, ListOf, Section, Unique, text_at
from governor.quota import Partition, QuotaEntry


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


def _entries(title: Title) -> Section:
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


_QUOTA_ENTRY = _entries(Title("quota", "instanceType"))
_BORROW_ENTRY = _entries(Title("absoluteBorrowLimits", "instanceType"))


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

TEAM = Section(
    "a mapping with name and quota",
    (
        Field(
            "name",
            "name",
            kubernetes_name(
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
            ENTITY_NAME,
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
        Field(
            "alarms",
            "alarms",
            ALARMS,
            "The alarms on this team, instead of those of the file. null: none. They change nothing in SageMaker.",
            "alarms: {borrowing: {percent: 80}}",
        ),
    ),
    Team,
    Title("team", "name"),
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
)
