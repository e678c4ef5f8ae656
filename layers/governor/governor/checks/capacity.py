"""Checks of a policy against the cluster: promised against present, nominal against usable."""

from collections.abc import Iterator
from fractions import Fraction

from governor.policy import Finding, Severity, Team
from governor.policy.wording import shown
from governor.quota import Amounts, Catalogue, Cluster, InstanceGroup, QuotaEntry, amounts_of, capacity_of, fill_in

_ORDER = ("instances", "accelerators", "vCPU", "memoryInGiB")
_UNITS = {"instances": "instances", "accelerators": "accelerators", "vCPU": "vCPU", "memoryInGiB": "GiB of memory"}
NOTHING = Fraction(0)


def check_cluster(cluster: Cluster) -> list[Finding]:
    """Whether the cluster can be governed at all."""
    if cluster.orchestrator != "eks":
        return [
            Finding(
                "error",
                "not-eks",
                ("cluster",),
                f"cluster '{cluster.name}' is orchestrated by {cluster.orchestrator.title()}; task governance needs "
                "Amazon EKS: name a cluster with EKS",
            )
        ]
    if cluster.status in ("Deleting", "Creating"):
        return [
            Finding(
                "error",
                "cluster-not-ready",
                ("cluster",),
                f"cluster '{cluster.name}' is {cluster.status}; "
                + (
                    "wait until it is InService"
                    if cluster.status == "Creating"
                    else "remove the policy file once it is gone"
                ),
            )
        ]
    if cluster.status not in ("InService", "Updating", "SystemUpdating"):
        return [
            Finding(
                "warning",
                "cluster-unwell",
                ("cluster",),
                f"cluster '{cluster.name}' is {cluster.status}; quotas can be changed, but look at the cluster first",
            )
        ]
    return []


def check_capacity(
    teams: tuple[Team, ...],
    cluster: Cluster,
    instances: Catalogue,
    before: Amounts,
    after: Amounts,
    overcommit: Severity,
) -> list[Finding]:
    """Everything about amounts. Only a plan that makes an over-commitment larger is an error."""
    return [
        *_overcommitted(teams, cluster, instances, before, after, overcommit),
        *_uncheckable(teams, instances),
        *_half_the_threads(teams, cluster, instances),
    ]


def _overcommitted(
    teams: tuple[Team, ...],
    cluster: Cluster,
    instances: Catalogue,
    before: Amounts,
    after: Amounts,
    overcommit: Severity,
) -> Iterator[Finding]:
    capacity = capacity_of(cluster.groups, instances)
    reported: set[str] = set()
    for dimension in sorted(after, key=lambda dimension: (dimension[0], _ORDER.index(dimension[1]))):
        kind, resource = dimension
        if kind in reported or (kind not in instances and resource != "instances"):
            continue
        there = capacity.amounts.get(dimension, NOTHING)
        excess, was = after[dimension] - there, before.get(dimension, NOTHING) - there
        if excess <= 0:
            continue
        reported.add(kind)
        path = _place(teams, kind)
        present = any(group.instance_type == kind for group in cluster.groups)
        unit = _UNITS[resource]
        has = f"has {_number(there)}" if present else "has no instance group of this type"
        text = (
            f"the teams together would be guaranteed {_number(after[dimension])} {unit} of {kind}, "
            f"but the cluster {has}"
        )
        if excess <= max(was, NOTHING):
            yield Finding(
                "warning",
                "over-committed",
                path,
                f"{text}: {_number(excess)} too many (before this change: {_number(was)}); lower a quota or add nodes",
            )
        elif kind in capacity.elastic:
            yield Finding(
                "warning",
                "over-committed-elastic",
                path,
                f"{text} now; its groups scale by themselves or choose among types, so this may come true or not: "
                "check their limits",
            )
        else:
            yield Finding(
                overcommit,
                "over-committed",
                path,
                f"{text}: {_number(excess)} too many (before this change: {_number(max(was, NOTHING))}); "
                + (
                    "lower a quota, add nodes, or allow it with --overcommit warning (GOVERNOR_OVERCOMMIT=warning)"
                    if overcommit == "error"
                    else "lower a quota or add nodes"
                ),
            )


def _place(teams: tuple[Team, ...], kind: str) -> tuple[str | int, ...]:
    """The last quota entry of the type: the one that tips the sum when read from the top."""
    for index in range(len(teams) - 1, -1, -1):
        for position, entry in enumerate(teams[index].quota):
            if entry.instance_type == kind:
                return ("teams", index, "quota", position)
    return ("teams",)


def _uncheckable(teams: tuple[Team, ...], instances: Catalogue) -> Iterator[Finding]:
    told: set[str] = set()
    for index, team in enumerate(teams):
        for position, entry in enumerate(team.quota):
            if entry.instance_type not in instances and entry.instance_type not in told:
                told.add(entry.instance_type)
                yield Finding(
                    "warning",
                    "type-not-checkable",
                    ("teams", index, "quota", position, "instanceType"),
                    f"nobody here knows what {shown(entry.instance_type)} has: it is not in the bundled table and EC2 "
                    "did not answer, so only whole instances are checked against the cluster; "
                    "allow ec2:DescribeInstanceTypes to have the rest checked",
                )


def _half_the_threads(teams: tuple[Team, ...], cluster: Cluster, instances: Catalogue) -> Iterator[Finding]:
    """Quota counts nominal vCPU; with one thread per core the nodes have half of it (facts 0.4)."""
    single: dict[str, InstanceGroup] = {}
    double: set[str] = set()
    for group in cluster.groups:
        if group.threads_per_core == 1:
            single.setdefault(group.instance_type, group)
        else:
            double.add(group.instance_type)
    for index, team in enumerate(teams):
        for position, entry in enumerate(team.quota):
            group_of_type = single.get(entry.instance_type)
            instance = instances.get(entry.instance_type)
            if group_of_type is None or entry.instance_type in double or instance is None:
                continue
            vcpus = fill_in(entry, instance).v_cpu or 0
            real = instance.vcpus // instance.threads_per_core
            amounts = amounts_of(entry, instance)
            share = amounts.get((entry.instance_type, "accelerators"))
            nodes = share / instance.accelerators if share and instance.accelerators else None
            usable = float(nodes * real) if nodes is not None else vcpus * real / instance.vcpus
            if vcpus > usable:
                yield Finding(
                    "warning",
                    "vcpu-not-allocatable",
                    ("teams", index, "quota", position),
                    f"team {shown(team.name)}: quota counts {vcpus:g} vCPU of {entry.instance_type}, but group "
                    f"'{group_of_type.name}' runs one thread per core, so that share of its nodes offers {usable:g}: "
                    "tasks that ask for more can be admitted and never start; "
                    f"write {_instead(entry, usable, share)}",
                )


def _instead(entry: QuotaEntry, usable: float, accelerators: Fraction | None) -> str:
    if entry.count is None:
        return f"vCpu: {usable:g} or less"
    given = f"accelerators: {_number(accelerators)} and " if accelerators else ""
    return f"{given}vCpu: {usable:g} instead of count"


def _number(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.4g}"
