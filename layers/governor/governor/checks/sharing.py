"""Warnings about a policy alone: what works, and probably not as its author expects."""

from collections.abc import Iterator
from fractions import Fraction

from governor.policy import Finding, Policy, Sharing, Team
from governor.policy.wording import counted, listed, shown
from governor.quota import Catalogue, QuotaEntry, fill_in

DEFAULT_SHARING = Sharing("LendAndBorrow", 50)
"""What the service does when nothing is said (API reference; facts 1d)."""
DOCUMENTED_BORROW_LIMITS = range(1, 501)


def check_policy(policy: Policy, instances: Catalogue) -> tuple[Finding, ...]:
    """All warnings about a policy that reads well, each with the path of what it is about."""
    return tuple(_findings(policy, instances))


def _findings(policy: Policy, instances: Catalogue) -> Iterator[Finding]:
    if len(policy.teams) < 2:
        count = "one team" if policy.teams else "no team"
        yield _warning(
            "fewer-than-two-teams",
            ("teams",),
            f"the policy has {count}; idle compute is borrowed from other teams, so borrowing needs at least two: "
            "add a team, or leave it if the cluster is not shared",
        )
    by_weight = policy.cluster_policy is None or policy.cluster_policy.fair_share != "Disabled"
    for index, team in enumerate(policy.teams):
        path = ("teams", index)
        yield from _check_guarantee(team, path)
        yield from _check_sharing(team, path, instances, by_weight=by_weight)


def _warning(code: str, path: tuple[str | int, ...], text: str) -> Finding:
    return Finding("warning", code, path, text)


def _check_guarantee(team: Team, path: tuple[str | int, ...]) -> Iterator[Finding]:
    if all(entry.gives_nothing for entry in team.quota):
        yield _warning(
            "guarantees-nothing",
            (*path, "quota"),
            f"team {shown(team.name)} is guaranteed nothing: its tasks run only on what others lend; "
            "give it an amount above 0 if that is not meant",
        )
    for position, entry in enumerate(team.quota):
        others = (entry.accelerators, entry.v_cpu, entry.memory_in_gib, entry.partition)
        if entry.count is not None and any(value is not None for value in others):
            yield _warning(
                "count-and-amounts",
                (*path, "quota", position),
                f"team {shown(team.name)}, quota {shown(entry.instance_type)}: count stands beside other amounts, and "
                "what the service makes of both is not documented; write either count or the amounts",
            )


def _check_sharing(
    team: Team, path: tuple[str | int, ...], instances: Catalogue, *, by_weight: bool
) -> Iterator[Finding]:
    sharing = team.sharing or DEFAULT_SHARING
    name = f"team {shown(team.name)}"
    if sharing.strategy != "LendAndBorrow":
        yield from _check_pointless_limits(sharing, path, name)
        return
    if by_weight and not team.fair_share_weight:
        found = "not set, so the service takes 0" if team.fair_share_weight is None else "0"
        yield _warning(
            "weight-zero",
            (*path, "name" if team.fair_share_weight is None else "fairShareWeight"),
            f"{name} may borrow, but its fairShareWeight is {found}: it is always served last when idle compute is "
            "shared; write a weight from 1 to 100, or strategy: Lend",
        )
    limit = 50 if sharing.borrow_limit is None else sharing.borrow_limit
    limit_path = (*path, "sharing", "borrowLimit")
    if limit not in DOCUMENTED_BORROW_LIMITS:
        yield _warning(
            "borrow-limit-disputed",
            limit_path,
            f"{name}: borrowLimit is {limit}; AWS's API reference allows 1 to 500, its user guide up to 10000: "
            "write 1 to 500 to be safe" + (", or strategy: Lend for no borrowing" if limit == 0 else ""),
        )
    yield from _check_whole_accelerators(team, limit, limit_path, instances)
    own_types = {entry.instance_type for entry in team.quota}
    for position, entry in enumerate(sharing.absolute_borrow_limits or ()):
        if entry.instance_type not in own_types:
            yield _warning(
                "borrow-limit-of-other-type",
                (*path, "sharing", "absoluteBorrowLimits", position, "instanceType"),
                f"{name}: absoluteBorrowLimits names {shown(entry.instance_type)}, which is not in the team's quota; "
                f"AWS documents limits for the types of the quota only: write {listed(sorted(own_types))}, "
                "or remove the entry",
            )


def _check_pointless_limits(sharing: Sharing, path: tuple[str | int, ...], name: str) -> Iterator[Finding]:
    for key, value in (("borrowLimit", sharing.borrow_limit), ("absoluteBorrowLimits", sharing.absolute_borrow_limits)):
        if value is not None:
            yield _warning(
                "limit-without-borrowing",
                (*path, "sharing", key),
                f"{name}: {key} is set, but strategy {sharing.strategy} never borrows, so the limit is not sent; "
                f"remove {key}, or write strategy: LendAndBorrow",
            )


def _check_whole_accelerators(
    team: Team, limit: int, path: tuple[str | int, ...], instances: Catalogue
) -> Iterator[Finding]:
    """Accelerators are borrowed whole, per instance type: half a GPU of each of two types is none."""
    absolute = team.sharing.absolute_borrow_limits if team.sharing else None
    if absolute:
        yield from _check_absolute_accelerators(team, absolute, (*path[:-1], "absoluteBorrowLimits"), instances)
        return
    guaranteed = dict(_devices(team, instances))
    if not guaranteed or limit == 0:
        return
    largest = max(guaranteed, key=lambda device: guaranteed[device])
    amount = guaranteed[largest]
    borrowable = amount * Fraction(limit, 100)
    if borrowable >= 1:
        return
    default = "" if team.sharing and team.sharing.borrow_limit is not None else " (the service's default)"
    yield _warning(
        "never-a-whole-accelerator",
        path,
        f"team {shown(team.name)} may borrow {limit} %{default} of {counted(amount, largest[0])} {largest[1]} = "
        f"{float(borrowable):.2g}, never a whole one; write borrowLimit: {-(-100 // amount)} or more",
    )


def _check_absolute_accelerators(
    team: Team, limits: tuple[QuotaEntry, ...], path: tuple[str | int, ...], instances: Catalogue
) -> Iterator[Finding]:
    """Absolute limits hold whatever the percentage says (API reference; facts 1d): 0 accelerators is none at all."""
    owned = {entry.instance_type for entry in team.quota if _accelerators(entry, instances)}
    for position, limit in enumerate(limits):
        whole = limit.accelerators if limit.count is None else limit.count
        if limit.instance_type in owned and whole == 0 and not limit.partition:
            yield _warning(
                "never-a-whole-accelerator",
                (*path, position),
                f"team {shown(team.name)} may borrow 0 accelerators of {limit.instance_type} by absoluteBorrowLimits, "
                "never a whole one; write accelerators: 1 or more, or strategy: Lend for no borrowing",
            )


def _accelerators(entry: QuotaEntry, instances: Catalogue) -> int:
    instance = instances.get(entry.instance_type)
    return (entry.accelerators if instance is None else fill_in(entry, instance).accelerators) or 0


def _devices(team: Team, instances: Catalogue) -> Iterator[tuple[tuple[str, str], int]]:
    """What a team is guaranteed that only goes whole: accelerators by instance type, MIG partitions by profile."""
    for entry in team.quota:
        accelerators = _accelerators(entry, instances)
        if accelerators:
            yield ("accelerator", f"of {entry.instance_type}"), accelerators
        if entry.partition and entry.partition.count:
            yield ("partition", f"{entry.partition.type} of {entry.instance_type}"), entry.partition.count
