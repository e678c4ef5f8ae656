"""Checks of a policy against the cluster: promised against present, nominal against usable."""

from collections.abc import Iterator
from fractions import Fraction

import msgspec

from governor.policy import Finding, Severity, Team
from governor.policy.wording import shown
from governor.quota import (
    Amounts,
    Catalogue,
    Cluster,
    Dimension,
    InstanceGroup,
    QuotaEntry,
    amounts_of,
    capacity_of,
    fill_in,
)

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


class Overcommit(msgspec.Struct, frozen=True):
    """What is said of a plan that promises more than before: ``severity``, beyond what was ``let_in`` already."""

    severity: Severity = "error"
    let_in: Amounts = {}


def check_capacity(
    teams: tuple[Team, ...],
    cluster: Cluster,
    instances: Catalogue,
    before: Amounts,
    after: Amounts,
    overcommit: Overcommit,
) -> list[Finding]:
    """Everything about amounts. Only a plan that makes an over-commitment larger is an error."""
    return [
        *_overcommitted(teams, cluster, instances, before, after, overcommit),
        *_uncheckable(teams, instances),
        *_half_the_threads(teams, cluster, instances),
    ]


def excess_of(after: Amounts, cluster: Cluster, instances: Catalogue) -> dict[Dimension, Fraction]:
    """What is promised beyond the cluster; of types that nobody knows only whole instances are compared."""
    capacity = capacity_of(cluster.groups, instances)
    return {
        dimension: value - capacity.amounts.get(dimension, NOTHING)
        for dimension, value in after.items()
        if value > capacity.amounts.get(dimension, NOTHING) and _is_comparable(dimension, instances)
    }


def _is_comparable(dimension: Dimension, instances: Catalogue) -> bool:
    return dimension[0] in instances or dimension[1] == "instances"


def _overcommitted(
    teams: tuple[Team, ...],
    cluster: Cluster,
    instances: Catalogue,
    before: Amounts,
    after: Amounts,
    rules: Overcommit,
) -> Iterator[Finding]:
    """One message per instance type: about the first resource that gets worse, or the first that is exceeded."""
    had, will = excess_of(before, cluster, instances), excess_of(after, cluster, instances)
    chosen: dict[str, tuple[bool, Dimension]] = {}
    for dimension in sorted(will, key=lambda dimension: (dimension[0], _ORDER.index(dimension[1]))):
        let_in = max(had.get(dimension, NOTHING), rules.let_in.get(dimension, NOTHING))
        grows = will[dimension] > let_in
        if dimension[0] not in chosen or (grows and not chosen[dimension[0]][0]):
            chosen[dimension[0]] = (grows, dimension)
    capacity = capacity_of(cluster.groups, instances)
    for grows, dimension in chosen.values():
        kind, resource = dimension
        present = any(group.instance_type == kind for group in cluster.groups)
        has = (
            f"has {_number(capacity.amounts.get(dimension, NOTHING))}"
            if present
            else "has no instance group of this type"
        )
        text = (
            f"the teams together would be guaranteed {_number(after[dimension])} {_UNITS[resource]} of {kind}, "
            f"but the cluster {has}"
        )
        too_many = (
            f"{text}: {_number(will[dimension])} too many (before this change: {_number(had.get(dimension, NOTHING))})"
        )
        if grows and kind in capacity.elastic:
            yield Finding(
                "warning",
                "over-committed-elastic",
                _place(teams, kind),
                f"{text} now; its groups scale by themselves or choose among types, so this may come true or not: "
                "check their limits",
            )
        elif grows and rules.severity == "error":
            yield Finding(
                "error",
                "over-committed",
                _place(teams, kind),
                f"{too_many}; lower a quota, add nodes, or allow it with --overcommit warning "
                "(GOVERNOR_OVERCOMMIT=warning)",
            )
        else:
            yield Finding("warning", "over-committed", _place(teams, kind), f"{too_many}; lower a quota or add nodes")


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
