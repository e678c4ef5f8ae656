"""The checks room: where a warning begins, and where it must be silent."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governor.checks import Overcommit, check_capacity, check_cluster, check_policy
from governor.policy import ClusterPolicy, Finding, Policy, Severity, Sharing, Team
from governor.quota import Cluster, InstanceGroup, Partition, QuotaEntry, amounts_of, bundled_instances, total
from governor.quota.cluster import GroupKind
from tests.strategies import policies

KNOWN = bundled_instances()
G5, P5, M5 = "ml.g5.8xlarge", "ml.p5.48xlarge", "ml.m5.4xlarge"


def _codes(team: Team, cluster_policy: ClusterPolicy | None = None) -> list[str]:
    """The warnings about one team beside a sound one."""
    other = Team("other", (QuotaEntry(G5, count=2),), fair_share_weight=50)
    return [item.code for item in check_policy(Policy("c", (team, other), cluster_policy), KNOWN)]


def _team(*quota: QuotaEntry, weight: int | None = 50, sharing: Sharing | None = None) -> Team:
    return Team("a", quota or (QuotaEntry(G5, count=2),), fair_share_weight=weight, sharing=sharing)


def test_a_sound_team_is_not_warned_about() -> None:
    assert _codes(_team()) == []


@pytest.mark.parametrize(("limit", "warned"), [(0, True), (1, False), (500, False), (501, True), (10000, True)])
def test_borrow_limits_within_what_all_documents_allow_are_silent(limit: int, warned: bool) -> None:
    team = _team(QuotaEntry(P5, count=100), sharing=Sharing("LendAndBorrow", limit))
    assert ("borrow-limit-disputed" in _codes(team)) == warned


def test_a_weight_matters_only_to_a_team_that_borrows_where_weights_decide() -> None:
    assert _codes(_team(weight=None)) == ["weight-zero"]
    assert _codes(_team(weight=0)) == ["weight-zero"]
    assert _codes(_team(weight=1)) == []
    assert _codes(_team(weight=0, sharing=Sharing("Lend"))) == []
    assert _codes(_team(weight=0, sharing=Sharing("DontLend"))) == []
    assert _codes(_team(weight=0), ClusterPolicy(fair_share="Disabled")) == []
    assert _codes(_team(weight=0), ClusterPolicy(fair_share="Enabled")) == ["weight-zero"]


@pytest.mark.parametrize(
    ("quota", "limit", "warned"),
    [
        ((QuotaEntry(G5, count=1),), None, True),
        ((QuotaEntry(G5, count=1),), 99, True),
        ((QuotaEntry(G5, count=1),), 100, False),
        ((QuotaEntry(G5, count=2),), None, False),
        ((QuotaEntry(P5, accelerators=1), QuotaEntry(G5, count=1)), 50, True),  # half of each of two types is none
        ((QuotaEntry(P5, accelerators=1), QuotaEntry(G5, count=2)), 50, False),
        ((QuotaEntry(M5, count=1),), 1, False),  # no accelerator, so none to borrow
        ((QuotaEntry(P5, v_cpu=8.0),), 1, False),
        ((QuotaEntry(P5, partition=Partition("mig-1g.10gb", 2)),), 50, False),  # one whole partition
        ((QuotaEntry(P5, partition=Partition("mig-3g.40gb", 1)),), 50, True),
        ((QuotaEntry(P5, partition=Partition("mig-1g.10gb", 0)), QuotaEntry(M5, count=1)), 50, False),
        ((QuotaEntry("ml.p9.48xlarge", accelerators=1),), 50, True),  # nobody knows the type, and the file says 1
        ((QuotaEntry("ml.p9.48xlarge", count=1),), 50, False),
    ],
)
def test_accelerators_and_partitions_are_borrowed_whole(
    quota: tuple[QuotaEntry, ...], limit: int | None, warned: bool
) -> None:
    sharing = None if limit is None else Sharing("LendAndBorrow", limit)
    assert ("never-a-whole-accelerator" in _codes(_team(*quota, sharing=sharing))) == warned


def test_an_absolute_limit_speaks_for_itself() -> None:
    limits = (QuotaEntry(G5, accelerators=1),)
    assert _codes(_team(QuotaEntry(G5, count=1), sharing=Sharing("LendAndBorrow", 50, limits))) == []


@pytest.mark.parametrize(
    ("quota", "warned"),
    [
        ((), True),
        ((QuotaEntry(G5, count=0),), True),
        ((QuotaEntry(P5, partition=Partition("mig-1g.10gb", 0)),), True),
        ((QuotaEntry(G5, count=0), QuotaEntry(G5, v_cpu=0.5)), False),
        ((QuotaEntry(P5, partition=Partition("mig-1g.10gb", 1)),), False),
    ],
)
def test_a_guarantee_of_nothing(quota: tuple[QuotaEntry, ...], warned: bool) -> None:
    codes = _codes(Team("a", quota, sharing=Sharing("Lend")))
    assert ("guarantees-nothing" in codes) == warned


def test_limits_of_teams_that_borrow_are_not_pointless() -> None:
    limits = (QuotaEntry(G5, accelerators=1),)
    assert _codes(_team(sharing=Sharing("LendAndBorrow", 50, limits))) == []
    assert _codes(_team(sharing=Sharing("Lend", 50, limits))) == ["limit-without-borrowing"] * 2


@given(policies())
def test_findings_are_warnings_with_a_place_that_exists(policy: Policy) -> None:
    for item in check_policy(policy, KNOWN):
        assert item.severity == "warning"
        assert item.text.isprintable()
        assert item.path[0] == "teams"
        if len(item.path) > 1:
            assert item.path[1] in range(len(policy.teams))


def _cluster(count: int, *, kind: GroupKind = "fixed", threads: int | None = None, instance_type: str = G5) -> Cluster:
    group = InstanceGroup("workers", instance_type, count, kind, threads)
    return Cluster("arn", "c", "InService", "eks", (group,))


def _capacity(
    before: int, after: int, cluster: Cluster, overcommit: Severity = "error", instance_type: str = G5
) -> list[Finding]:
    """A change of one team's quota from so many instances to so many."""
    entries = [QuotaEntry(instance_type, count=number) for number in (before, after)]
    was, will_be = (total([amounts_of(entry, KNOWN.get(instance_type))]) for entry in entries)
    return check_capacity((Team("a", (entries[1],)),), cluster, KNOWN, was, will_be, Overcommit(overcommit))


@pytest.mark.parametrize(
    ("before", "after", "severities"),
    [
        (0, 4, []),
        (0, 5, ["error"]),
        (5, 5, ["warning"]),
        (6, 5, ["warning"]),
        (5, 6, ["error"]),
        (5, 4, []),
        (9, 0, []),
    ],
)
def test_only_a_change_that_makes_it_worse_is_an_error(before: int, after: int, severities: list[str]) -> None:
    assert [item.severity for item in _capacity(before, after, _cluster(4))] == severities


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_an_error_needs_an_increase_beyond_the_cluster(before: int, after: int, there: int) -> None:
    findings = _capacity(before, after, _cluster(there))
    assert any(item.severity == "error" for item in findings) == (after > max(before, there))
    assert bool(findings) == (after > there)


@pytest.mark.parametrize("kind", ["autoscaled", "flexible", "restricted"])
def test_a_group_that_may_grow_is_no_reason_to_refuse(kind: GroupKind) -> None:
    assert [(item.severity, item.code) for item in _capacity(0, 5, _cluster(4, kind=kind))] == [
        ("warning", "over-committed-elastic")
    ]


def test_a_setting_allows_over_commitment() -> None:
    assert [item.severity for item in _capacity(0, 5, _cluster(4), "warning")] == ["warning"]


def test_whole_instances_of_an_unknown_type_are_counted_and_nothing_is_guessed() -> None:
    unknown = "ml.g4dn.xlarge"
    assert unknown not in KNOWN
    fits = _capacity(0, 4, _cluster(4, instance_type=unknown), instance_type=unknown)
    assert [item.code for item in fits] == ["type-not-checkable"]
    too_many = _capacity(0, 5, _cluster(4, instance_type=unknown), instance_type=unknown)
    assert [item.code for item in too_many] == ["over-committed", "type-not-checkable"]
    entry = QuotaEntry(unknown, v_cpu=1e6)
    guessed = check_capacity(
        (Team("a", (entry,)),), _cluster(1, instance_type=unknown), KNOWN, {}, amounts_of(entry, None), Overcommit()
    )
    assert [item.code for item in guessed] == ["type-not-checkable"]


def test_one_thread_per_core_halves_what_nodes_offer() -> None:
    def codes(entry: QuotaEntry, *threads: int | None) -> list[str]:
        groups = tuple(InstanceGroup(f"g{n}", G5, 4, threads_per_core=each) for n, each in enumerate(threads))
        cluster = Cluster("arn", "c", "InService", "eks", groups)
        return [item.code for item in check_capacity((Team("a", (entry,)),), cluster, KNOWN, {}, {}, Overcommit())]

    assert codes(QuotaEntry(G5, count=1), 1) == ["vcpu-not-allocatable"]
    assert codes(QuotaEntry(G5, accelerators=1), 1) == ["vcpu-not-allocatable"]
    assert codes(QuotaEntry(G5, accelerators=1, v_cpu=16.0), 1) == []
    assert codes(QuotaEntry(G5, accelerators=1, v_cpu=16.5), 1) == ["vcpu-not-allocatable"]
    assert codes(QuotaEntry(G5, count=1), 2) == codes(QuotaEntry(G5, count=1), None) == []
    assert codes(QuotaEntry(G5, count=1), 1, 2) == []  # some nodes have them all


@pytest.mark.parametrize(
    ("status", "codes"),
    [
        ("InService", []),
        ("Updating", []),
        ("SystemUpdating", []),
        ("Creating", [("error", "cluster-not-ready")]),
        ("Deleting", [("error", "cluster-not-ready")]),
        ("Failed", [("warning", "cluster-unwell")]),
        ("RollingBack", [("warning", "cluster-unwell")]),
    ],
)
def test_the_state_of_the_cluster(status: str, codes: list[tuple[str, str]]) -> None:
    found = check_cluster(Cluster("arn", "c", status, "eks"))
    assert [(item.severity, item.code) for item in found] == codes
    assert [item.code for item in check_cluster(Cluster("arn", "c", status, "slurm"))] == ["not-eks"]


def test_partitions_count_as_the_share_of_a_gpu_that_they_take() -> None:
    entry = QuotaEntry(P5, partition=Partition("mig-3g.40gb", 7))
    assert amounts_of(entry, KNOWN[P5])[(P5, "accelerators")] == Fraction(3)


@given(st.integers(1, 7), st.integers(1, 99))
def test_the_borrow_limit_that_is_advised_is_the_lowest_that_helps(accelerators: int, limit: int) -> None:
    def found(percent: int) -> list[Finding]:
        team = _team(QuotaEntry(P5, accelerators=accelerators), sharing=Sharing("LendAndBorrow", percent))
        return list(check_policy(Policy("c", (team, _team())), KNOWN))

    for item in found(limit):
        if item.code == "never-a-whole-accelerator":
            advised = int(item.text.rpartition("borrowLimit: ")[2].split()[0])
            assert [each.code for each in found(advised)] == []
            assert "never-a-whole-accelerator" in [each.code for each in found(advised - 1)]
