"""What a table of usage is made of: who comes first, in which unit, exactly; and what is said in words."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governor.cli import usage_rows as rows
from governor.cli import usage_words as words
from governor.cli.usage_matters import CALM, Kind, matters
from governor.usage import ClusterUsage, Reclaimable, ResourceUsage
from governor.usage.measures import Measure, governing, governing_resources
from governor.usage.model import Capacity
from governor.usage.seen import Fund, Queue
from tests.unit.cli import usages
from tests.unit.cli.usages import AT, C5, G5, GPU, MIG, NEURON, POOL, TRN, g5, queue, team

CORES = "aws.amazon.com/neuroncore"


def standings(usage: ClusterUsage) -> list[tuple[str, str]]:
    return [(row.name, row.standing) for row in rows.rows(usage)]


def test_who_needs_somebody_comes_first_then_names() -> None:
    found = usages.usage(
        (
            queue("z-idle", g5(4, gpus_only=True), cohort="alone"),
            queue("w-lends", g5(4, gpus_only=True)),
            queue("a-works", g5(4, 4, gpus_only=True)),
            queue("m-stopped", g5(4, gpus_only=True), state="stopped", reason="stopPolicy Hold"),
            queue("l-inactive", g5(4, gpus_only=True), state="inactive", reason="FlavorNotFound"),
            queue("c-borrows", g5(4, 6, gpus_only=True)),
            queue("b-borrows", g5(4, 5, gpus_only=True), cohort="tight"),
            queue("y-over", (Fund(TRN, NEURON, 4, 6, 6, 0, 0),), cohort="other"),
            queue("n-starves", g5(4, 2, gpus_only=True), pending=1, cohort="tight"),
            queue("k-waits", g5(4, 4, gpus_only=True), pending=1),
            queue("j-nothing", g5(0, gpus_only=True)),
        )
    )
    assert [row.name for row in rows.rows(found) if row.needs_attention] == [
        "y-over",
        "n-starves",
        "l-inactive",
        "m-stopped",
    ]
    assert standings(found) == [
        ("y-over", "over quota"),
        ("n-starves", "starved"),
        ("l-inactive", "inactive"),
        ("m-stopped", "stopped"),
        ("b-borrows", "borrowing"),
        ("c-borrows", "borrowing"),
        ("a-works", "working"),
        ("j-nothing", "no quota"),
        ("k-waits", "waiting"),
        ("w-lends", "lending"),
        ("z-idle", "idle"),
    ]


def test_over_quota_counts_in_any_resource_borrowing_in_the_measured_one() -> None:
    of_memory = ResourceUsage(G5, "memory", 10, 12, 12, over_quota=2)
    borrowed_vcpu = ResourceUsage(G5, "cpu", 1000, 1500, 1500, borrowed=500)
    gpus = ResourceUsage(G5, GPU, 4, 2, 2)
    found = ClusterUsage("c", AT, (team("a", (gpus, of_memory)), team("b", (gpus, borrowed_vcpu))))
    assert standings(found) == [("a", "over quota"), ("b", "working")]


def test_units() -> None:
    def unit(*resources: ResourceUsage) -> str:
        return rows.unit_of(team("t", resources))

    def amount(resource: str) -> ResourceUsage:
        return ResourceUsage(G5, resource, 2, 1, 1)

    assert unit(amount(GPU)) == "GPUs"
    assert unit(amount("amd.com/gpu"), amount("cpu")) == "GPUs"
    assert unit(amount(NEURON)) == "accelerators"
    assert unit(amount(NEURON), amount(GPU)) == "accelerators"
    assert unit(amount(GPU), ResourceUsage(G5, NEURON, 0, 0, 0)) == "GPUs"
    assert unit(amount(MIG)) == "partitions"
    assert unit(amount("cpu")) == "vCPU"
    assert unit() == "vCPU"


@pytest.mark.parametrize(
    ("measure", "amount", "text"),
    [
        ("VCpus", 1500, "1.5"),
        ("VCpus", 1, "0.001"),
        ("VCpus", 250, "0.25"),
        ("VCpus", 100_000, "100"),
        ("VCpus", 0, "0"),
        ("VCpus", 2**63 - 1, "9223372036854775.807"),
        ("Accelerators", 10, "10"),
        ("Accelerators", 2**63 - 1, "9223372036854775807"),
    ],
)
def test_amounts_are_exact(measure: Measure, amount: int, text: str) -> None:
    assert rows.plain(measure, amount) == text


@pytest.mark.parametrize(
    ("resource", "amount", "text"),
    [
        ("cpu", 1500, "1.5 vCPU"),
        ("memory", 64 * 2**30, "64Gi memory"),
        ("memory", 28_040_207_363, "≈26.1Gi memory"),
        ("memory", 1_000_001, "1000001 memory"),
        ("memory", 2**30 - 1, "≈1024.0Mi memory"),
        ("memory", 10_000_001, "≈9.5Mi memory"),
        ("memory", 1_234_567 * 2**30, "≈1205.6Ti memory"),
        ("memory", 2**63 - 1, "≈8192.0Pi memory"),
        ("memory", 9_999 * 2**40, "9999Ti memory"),
        (GPU, 2**63 - 1, "9223372036854775807 nvidia.com/gpu"),
        (GPU, 2, "2 nvidia.com/gpu"),
        ("odd\x1b/thing", 1, "1 odd\\x1b/thing"),
    ],
)
def test_amounts_of_resources(resource: str, amount: int, text: str) -> None:
    assert rows.amount_of(resource, amount) == text


_RESOURCES = st.builds(
    ResourceUsage,
    st.sampled_from(["f", "g"]),
    st.sampled_from([GPU, NEURON, CORES, MIG, "cpu", "memory", "vpc.amazonaws.com/efa"]),
    st.integers(0, 9),
    st.integers(0, 9),
    st.just(0),
)


@given(st.lists(_RESOURCES, max_size=8))
def test_the_measured_resources_are_those_that_the_sum_is_of(resources: list[ResourceUsage]) -> None:
    found = team("t", tuple(resources))
    assert sum(each.guaranteed for each in governing_resources(found)) == governing(found).guaranteed
    assert sum(each.used for each in governing_resources(found)) == governing(found).used


def test_a_borrow_limit_is_summed_up_and_none_if_any_is_none() -> None:
    limited, more = (ResourceUsage(flavor, GPU, 1, 0, 0, borrow_limit=3) for flavor in ("f", "g"))
    unlimited = ResourceUsage("h", GPU, 1, 0, 0)
    beside = ResourceUsage("f", "cpu", 1, 0, 0)
    assert rows.borrow_limit(team("t", (limited, more, beside))) == 6
    assert rows.borrow_limit(team("t", (limited, unlimited))) is None


def test_totals_are_of_all_queues_and_name_the_pools_part() -> None:
    found = usages.usage(
        (queue("a", g5(4, 5)), Queue(POOL, "research", (Fund(G5, GPU, 6, 0, 0, 0),))),
        machines=usages.g5_nodes(9, cordoned=1),
    )
    (total,) = rows.totals(found)
    assert (total.unit, total.sum.guaranteed, total.pool) == ("GPUs", 10, 6)
    assert (total.present, total.allocatable, total.unused) == (9, 8, 3)
    (row,) = rows.other_rows(found)
    assert (row.name, row.kind, row.standing) == ("idle pool", "pool", "lending")


def test_totals_without_nodes_say_nothing_of_them() -> None:
    (total,) = rows.totals(usages.usage((queue("a", g5(4, 4)),)))
    assert (total.present, total.allocatable, total.unused) == (None, None, None)
    assert rows.totals(ClusterUsage("c", AT, ())) == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (86_400, "1 d"),
        (90_061, "1 d 1 h"),
        (10**10, "115740 d 17 h"),
    ],
)
def test_ages(seconds: int, text: str) -> None:
    assert words.lasting(seconds) == text


def test_the_oldest_that_waits() -> None:
    found = ClusterUsage("c", AT, ())
    assert words.oldest(team("t"), found) == ""
    assert words.oldest(team("t", pending=1), found) == "?"
    assert words.oldest(team("t", pending=1, oldest_waiting=AT - 90), found) == "1 min"


def test_shares() -> None:
    assert words.share(team("t", weighted_share=12)) == "12"
    assert words.share(team("t")) == "–"
    assert words.share(team("t", share_unlimited=True)) == "∞"


def test_what_could_come_back_is_said_of_the_largest_of_many() -> None:
    one = Reclaimable("vision", "nlp", G5, GPU, 2)
    assert list(words.reclaim_words(ClusterUsage("c", AT, (), reclaimable=(one,)))) == [
        "vision waits below its guarantee; 2 nvidia.com/gpu in ml.g5.8xlarge could come back from nlp"
    ]
    many = tuple(Reclaimable("vision", f"team-{index}", G5, GPU, index) for index in range(1, 7))
    (sentence,) = words.reclaim_words(ClusterUsage("c", AT, (), reclaimable=many))
    assert sentence == (
        "vision waits below its guarantee; 21 nvidia.com/gpu in ml.g5.8xlarge could come back: "
        "6 from team-6, 5 from team-5, 4 from team-4, 6 from 3 others"
    )


def test_over_quota_names_what_is_measured_and_else_what_it_is() -> None:
    gpus, memory = ResourceUsage(G5, GPU, 2, 4, 4, over_quota=2), ResourceUsage(G5, "memory", 0, 9, 9, over_quota=9)
    calm = ResourceUsage(G5, GPU, 2, 2, 2)
    found = ClusterUsage("c", AT, (team("a", (gpus, memory)), team("b", (calm, memory))))
    first, second = words.over_quota_words(found)
    assert first.startswith("a is over its quota by 2 nvidia.com/gpu in ml.g5.8xlarge: its quota, its borrow limit")
    assert second.startswith("b is over its quota by 9 memory in ml.g5.8xlarge: ")


def test_promises_above_what_is_there_are_said_by_flavor_and_against_what() -> None:
    capacity = (
        Capacity(C5, "cpu", 8000, 6500, 5000, 0, 2000),
        Capacity(G5, MIG, 8, 6, 5, 0, 1),
        Capacity(G5, GPU, 8, 6, 5, 0, 3),
        Capacity(TRN, NEURON, 8, 8, 8, 0, 0),
    )
    assert list(words.promise_words(ClusterUsage("c", AT, (), capacity=capacity))) == [
        "quotas promise more of ml.c5.2xlarge than its ready nodes have: 8 vCPU against 6, 2 above",
        "quotas promise more of ml.g5.8xlarge than its ready nodes have: 8 nvidia.com/mig-1g.10gb against 7, 1 above; "
        "8 nvidia.com/gpu against 5, 3 above",
    ]
    assert list(words.vcpu_words(ClusterUsage("c", AT, (), capacity=capacity))) == []


def test_vcpu_beside_accelerators_is_no_broken_promise_but_told() -> None:
    capacity = (Capacity(G5, "cpu", 8000, 4000, 3500, 0, 4000), Capacity(G5, GPU, 8, 8, 8, 0, 0))
    found = ClusterUsage("c", AT, (), capacity=capacity)
    assert list(words.promise_words(found)) == []
    (sentence,) = words.vcpu_words(found)
    assert sentence.startswith("of ml.g5.8xlarge quotas promise 8 vCPU against 4, 4 above; not judged")
    assert [matter.kind for matter in matters(rows.Picture(found))] == ["good to know"]


def test_queues_that_are_stopped_deleted_or_missed_are_named() -> None:
    found = ClusterUsage(
        "c",
        AT,
        (team("a", state="stopped", reason="stopPolicy Hold"), team("b", state="inactive")),
        deleting=("old\x07-queue",),
        lost=("ns-1", "ns-2"),
    )
    assert list(words.state_words(found, "stopped")) == ["the queue of a is stopped: stopPolicy Hold"]
    assert list(words.state_words(found, "inactive")) == ["the queue of b is inactive"]
    (deleting,) = words.deleting_words(found)
    assert deleting.startswith("old\\x07-queue is being deleted")
    assert list(words.lost_words(found)) == ["namespace ns-1 has no queue", "namespace ns-2 has no queue"]


def test_who_waits_although_there_is_room_is_pointed_out() -> None:
    free = ResourceUsage(G5, GPU, 4, 2, 2, headroom=2)
    full = ResourceUsage(G5, GPU, 4, 4, 4)
    starving = Reclaimable("e", "b", G5, GPU, 1)
    waits = tuple(team(name, (free,), pending=1) for name in "acde")
    calm = (team("b", (full,), pending=1), team("f", (free,)))
    found = ClusterUsage("c", AT, (*waits, *calm), reclaimable=(starving,))
    assert list(words.room_words(found)) == [
        "3 teams wait although there is room: a (2 GPUs), c (2 GPUs), d (2 GPUs)",
    ]
    found = ClusterUsage("c", AT, (*waits, team("g", (ResourceUsage(G5, GPU, 1, 0, 0, headroom=1),), pending=1)))
    assert list(words.room_words(found)) == [
        "5 teams wait although there is room: a (2 GPUs), c (2 GPUs), d (2 GPUs), 2 more",
    ]
    found = ClusterUsage("c", AT, (waits[0], *calm))
    assert list(words.room_words(found)) == ["1 team waits although there is room: a (2 GPUs)"]
    assert list(words.room_words(ClusterUsage("c", AT, calm))) == []


def test_every_kind_that_needs_somebody_says_what_to_do() -> None:
    picture = rows.Picture(usages.sixty_teams(), notes=("nodes: forbidden",))
    inactive = rows.Picture(ClusterUsage("c", AT, (team("b", state="inactive"),)))
    found = {matter.kind: matter.action for matter in (*matters(picture), *matters(inactive))}
    assert set(found) == set(get_args(Kind))
    assert {kind for kind, action in found.items() if not action} == set(CALM)
    assert "governor status ml-research" in found["over quota"]
    for kind in ("starved", "waits beside room"):
        assert found[kind].startswith("governor why JOB --cluster ml-research says")
    assert "kubectl get nodes" in found["promises"]
    assert "activation" in found["stopped"]
    assert "governor doctor" in found["no queue"]


def test_what_is_anything_is_worth_showing() -> None:
    """HyperPod lists every kind of accelerator; that of which something could be taken is not among the nothings."""
    nothing, free = ResourceUsage(G5, NEURON, 0, 0, 0), ResourceUsage(G5, GPU, 0, 0, 0, headroom=3)
    others = (ResourceUsage(G5, "cpu", 1, 0, 0), ResourceUsage(G5, MIG, 0, 1, 0), ResourceUsage(G5, CORES, 0, 0, 1))
    assert rows.worth_showing(team("t", (nothing, free, *others))) == [free, *others]


def test_what_cohorts_have_themselves_is_said() -> None:
    assert list(words.cohort_words(usages.sixty_teams())) == [
        "cohort research has 2 nvidia.com/gpu in ml.g5.8xlarge of its own, and lends 1 of it"
    ]


def test_what_could_not_be_told_is_said() -> None:
    picture = rows.Picture(ClusterUsage("c", AT, (), oldest_known=False), notes=("nodes: forbidden\x1b",))
    assert list(words.unknown_words(picture)) == [
        "there are too many workloads to list: how long the oldest waits is not known",
        "nodes: forbidden\\x1b",
    ]
