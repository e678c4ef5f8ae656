"""Which queues are teams, who starves, what nodes have, and what is told of it all."""

from typing import Any

import msgspec
import pytest

from governor.kueue.reading import ReadingError
from governor.policy import BorrowingAlarm
from governor.usage import ClusterUsage, Reclaimable, Seen, usage_of
from governor.usage.alarming import Borrowing, Rules, judged
from governor.usage.figures import MOST_PER_TEAM, batches, heartbeat, readable
from governor.usage.measures import governing
from governor.usage.seen import Doors, Fund, Kind, Lender, Machine, Queue, Waiting
from governor.usage.wire import (
    ClusterQueueShape,
    LocalQueueShape,
    NamespaceShape,
    WorkloadShape,
    doors_of,
    queue_of,
    waiting_of,
)

GPU, CPU, NEURON, CORE, MIG = (
    "nvidia.com/gpu",
    "cpu",
    "aws.amazon.com/neurondevice",
    "aws.amazon.com/neuroncore",
    "nvidia.com/mig-1g.10gb",
)
UNLIMITED = 2**63 - 1


def fund(nominal: int, used: int = 0, resource: str = GPU, flavor: str = "g5", **more: Any) -> Fund:
    return Fund(flavor, resource, nominal, used, more.pop("reserved", used), **more)


def queue(name: str, *funds: Fund, **more: Any) -> Queue:
    return Queue(name, more.pop("cohort", "hyperpod"), funds, **more)


def seen(*queues: Queue, governed: bool = True, **more: Any) -> Seen:
    names = [each.name for each in queues if each.name.startswith("cq-")]
    namespaces = {f"hyperpod-ns-{name[3:]}": f"id-{name[3:]}" for name in names} if governed else {}
    doors = tuple((f"hyperpod-ns-{name[3:]}", "lq", name, 0) for name in names)
    return Seen(queues, Doors(namespaces, doors), **more)


def made(*queues: Queue, **more: Any) -> ClusterUsage:
    return usage_of(seen(*queues, **more), "ml", 1000)


def decoded(kind: Any, **members: Any) -> Any:
    return msgspec.convert(members, kind)


def test_teams_are_found_by_labels_and_queues_not_by_names() -> None:
    labels = {
        "sagemaker.amazonaws.com/sagemaker-managed-queue": "true",
        "sagemaker.amazonaws.com/quota-allocation-id": "q1",
    }
    namespaces = [
        decoded(NamespaceShape, metadata={"name": "anything", "labels": labels}),
        decoded(NamespaceShape, metadata={"name": "hyperpod-ns-fake", "labels": {}}),
        decoded(
            NamespaceShape, metadata={"name": "going", "labels": labels, "deletionTimestamp": "2026-11-24T00:00:00Z"}
        ),
        decoded(NamespaceShape, metadata={"name": "empty", "labels": labels}),
    ]
    local_queues = [
        decoded(LocalQueueShape, metadata={"name": "a", "namespace": namespace}, spec={"clusterQueue": name})
        for namespace, name in (("anything", "some-queue"), ("hyperpod-ns-fake", "other"), ("empty", "not-there"))
    ]
    doors = doors_of(namespaces, local_queues)
    found = usage_of(Seen((queue("some-queue"), queue("other")), doors), "ml", 0, {"q1": "vision"})
    assert [(each.name, each.namespaces, each.quota_id) for each in found.teams] == [("vision", ("anything",), "q1")]
    assert [each.cluster_queue for each in found.others] == ["other"]
    assert found.lost == ("empty",)


def test_the_pool_is_no_team_and_a_queue_on_its_way_out_is_counted_and_left_out() -> None:
    pool = queue("hyperpod-ns-idle-resource-sharing-cq-1", fund(3, 1))
    found = made(queue("cq-a", fund(2, 4)), pool, queue("cq-b", fund(9, 9), deleting=True))
    assert [each.cluster_queue for each in found.pool] == ["hyperpod-ns-idle-resource-sharing-cq-1"]
    assert ([each.name for each in found.teams], found.deleting, found.lost) == (["a"], ("cq-b",), ())
    assert (found.teams[0].resources[0].borrowed, found.pool[0].resources[0].lent) == (2, 2)


def test_two_queues_behind_namespaces_of_one_name_are_told_apart() -> None:
    doors = Doors({"n1": "q", "n2": "q"}, (("n1", "l", "one", 0), ("n2", "l", "two", 0)))
    found = usage_of(Seen((queue("one"), queue("two")), doors), "ml", 0, {"q": "vision"})
    assert [each.name for each in found.teams] == ["vision (one)", "vision (two)"]


def test_an_unlimited_share_is_no_figure() -> None:
    found = made(queue("cq-a", fund(0, 1), weighted_share=UNLIMITED, weight=0), queue("cq-b", fund(2)))
    assert (found.teams[0].weighted_share, found.teams[0].share_unlimited) == (None, True)
    values = [each.value for batch in batches(found, (), "Flavor") for each in batch.figures]
    assert max(values) < 2**53
    assert "WeightedShare" not in names(found, "a")


def names(found: ClusterUsage, team: str) -> set[str]:
    return {
        each.name
        for batch in batches(found, (), "Team")
        for each in batch.figures
        if batch.dimensions.get("team") == team
    }


def test_who_starves_and_who_could_give_back() -> None:
    found = made(
        queue("cq-a", fund(4, 1, reserved=2), pending=3),
        queue("cq-b", fund(1, 3)),
        queue("cq-c", fund(1, 2)),
        queue("cq-d", fund(4, 4), pending=9),
        queue("cq-e", fund(1, 9), cohort="elsewhere"),
    )
    assert found.reclaimable == (Reclaimable("a", "b", "g5", GPU, 1), Reclaimable("a", "c", "g5", GPU, 1))
    assert found.starved("a")
    assert not found.starved("d")


def test_of_many_borrowers_the_ten_largest_are_named() -> None:
    borrowers = [queue(f"cq-b{number:02}", fund(0, 1 + number % 4)) for number in range(40)]
    found = made(queue("cq-a", fund(100, 0), pending=1), *borrowers)
    assert len(found.reclaimable) == 10
    assert {each.amount for each in found.reclaimable} == {4}


@pytest.mark.parametrize(
    "more", [{"state": "stopped", "pending": 1}, {"pending": 0}, {"pending": 1, "cohort": ""}], ids=str
)
def test_who_does_not_starve(more: dict[str, Any]) -> None:
    assert made(queue("cq-a", fund(4, 1), **more), queue("cq-b", fund(1, 3))).reclaimable == ()


def test_promised_against_what_nodes_have() -> None:
    def node(name: str, *, usable: bool = True) -> Machine:
        has = {GPU: 8, CPU: 192_000, "memory": 100}
        return Machine(name, {"type": "g5"}, has, {**has, CPU: 190_000, GPU: 8 if usable else 0}, usable)

    queues = (queue("cq-a", fund(10, 3), fund(192_000, 0, CPU), fund(999, 0, "memory")), queue("cq-b", fund(2)))
    hardware = {
        "machines": (node("1"), node("2", usable=False)),
        "kinds": (Kind("g5", {"type": "g5"}), Kind("p5", {"type": "p5"})),
    }
    capacity = {each.resource: each for each in made(*queues, **hardware).capacity or ()}
    gpus = capacity[GPU]
    assert (gpus.promised, gpus.present, gpus.allocatable, gpus.idle, gpus.above) == (12, 16, 8, 5, 4)
    assert (capacity[CPU].allocatable, capacity[CPU].above) == (
        190_000,
        0,
    )  # what the system takes is no broken promise
    assert capacity["memory"].above == 0
    assert made(*queues).capacity is None


def test_vcpu_is_judged_only_where_there_are_no_accelerators() -> None:
    """One thread per core halves a node's vCPU, and a quota says the nominal ones."""

    def told(*funds: Fund) -> float:
        node = Machine("n", {}, {GPU: 8, CPU: 64_000}, {GPU: 8, CPU: 64_000}, usable=True)
        return figures(made(queue("cq-a", *funds), machines=(node,), kinds=(Kind("g5", {}),)), None)[
            "QuotaAboveCapacity"
        ]

    assert told(fund(8), fund(128_000, 0, CPU)) == 0
    assert told(fund(9), fund(128_000, 0, CPU)) == 1
    assert told(fund(128_000, 0, CPU)) == 1


def test_queues_of_others_promise_nothing_of_ours() -> None:
    other = queue("their-own", Fund("m5", CPU, 8_000, 4_000, 4_000), fund(4, 2), cohort="")
    node = Machine("n", {"type": "g5"}, {GPU: 8}, {GPU: 8}, usable=True)
    found = made(
        queue("cq-a", fund(8, 1)),
        other,
        machines=(node,),
        kinds=(Kind("g5", {"type": "g5"}), Kind("m5", {"type": "m5"})),
    )
    assert [(each.flavor, each.promised, each.idle, each.above) for each in found.capacity or ()] == [("g5", 8, 5, 0)]


def test_a_local_queue_for_the_queue_of_another_team_takes_nobodys_name() -> None:
    doors = Doors(
        {"hyperpod-ns-alpha": "qa", "hyperpod-ns-zeta": "qz"},
        (
            ("hyperpod-ns-alpha", "a", "hyperpod-ns-alpha-clusterqueue", 0),
            ("hyperpod-ns-alpha", "x", "hyperpod-ns-zeta-clusterqueue", 0),
            ("hyperpod-ns-zeta", "z", "hyperpod-ns-zeta-clusterqueue", 0),
        ),
    )
    queues = (queue("hyperpod-ns-zeta-clusterqueue"), queue("hyperpod-ns-alpha-clusterqueue"))
    found = usage_of(Seen(queues, doors), "ml", 0)
    assert [(each.name, each.namespaces) for each in found.teams] == [
        ("alpha", ("hyperpod-ns-alpha",)),
        ("zeta", ("hyperpod-ns-zeta",)),
    ]


def test_two_queues_of_a_team_have_the_teams_alarm() -> None:
    doors = Doors({"n1": "q", "n2": "q"}, (("n1", "l", "one", 0), ("n2", "l", "two", 0)))
    queues = (queue("one", fund(2, 3)), queue("two", fund(9)))
    teams = usage_of(Seen(queues, doors), "ml", 0, {"q": "vision"}).teams
    judgement = judged(teams, Rules({"vision": BorrowingAlarm(50)}), 10, {})
    assert [(each.team, each.over) for each in judgement] == [("vision (one)", True), ("vision (two)", False)]
    assert [each.declared for each in teams] == ["vision", "vision"]


def test_who_waits_for_other_nodes_does_not_starve() -> None:
    def starves(*selectors: tuple[tuple[str, str], ...]) -> bool:
        waiting = (Waiting("hyperpod-ns-a", "lq", 10, frozenset(selectors)),)
        queues = (queue("cq-a", fund(4, 0), fund(8, 8, flavor="p5"), pending=1), queue("cq-b", fund(0, 4)))
        kinds = (Kind("g5", {"type": "g5"}), Kind("p5", {"type": "p5"}))
        return usage_of(seen(*queues, machines=(), kinds=kinds), "ml", 0, None, waiting).starved("a")

    assert not starves((("type", "p5"),))
    assert starves((("type", "g5"),))
    assert starves((("type", "p5"),), ())
    assert starves((("zone", "a"),))


def test_too_many_kinds_of_nodes_that_are_asked_for_are_any() -> None:
    found = Waiting("n", "l", 5, frozenset({(("type", "p5"),)}))
    for number in range(20):
        found = found.with_another(Waiting("n", "l", 9, frozenset({(("zone", str(number)),)})))
    assert (found.since, () in found.selectors, len(found.selectors) < 20) == (5, True, True)


def test_a_cohort_with_a_child_may_borrow_from_there() -> None:
    queues = (queue("cq-a", fund(1, 9), cohort="root"),)
    found = usage_of(seen(*queues, lenders=(Lender("root"), Lender("child", "root"))), "ml", 0)
    assert (found.teams[0].resources[0].borrowed, found.teams[0].resources[0].over_quota) == (8, 0)


def test_idle_compute_promises_nothing() -> None:
    pool = queue("hyperpod-ns-idle-resource-sharing-cq", fund(8))
    node = Machine("n", {}, {GPU: 8}, {GPU: 8}, usable=True)
    found = made(queue("cq-a", fund(8)), pool, machines=(node,), kinds=(Kind("g5", {}),))
    assert [each.above for each in found.capacity or ()] == [0]


@pytest.mark.parametrize(
    ("funds", "measure", "guaranteed"),
    [
        ((fund(2), fund(64_000, 0, CPU)), "Accelerators", 2),
        ((fund(4, 0, NEURON), fund(8, 0, CORE)), "Accelerators", 4),
        ((fund(8, 0, CORE), fund(8_000, 0, CPU)), "Accelerators", 8),
        ((fund(0, 0, NEURON), fund(8, 2, CORE), fund(8_000, 0, CPU)), "Accelerators", 8),
        ((fund(4, 0, "aws.amazon.com/neuron"), fund(8, 0, CORE)), "Accelerators", 4),
        ((fund(0, 0), fund(7, 0, MIG), fund(8_000, 0, CPU)), "AcceleratorPartitions", 7),
        ((fund(1500, 500, CPU), fund(9, 9, "memory"), fund(0, 1)), "VCpus", 1500),
        ((fund(0, 0), fund(0, 4_000, CPU)), "Accelerators", 0),
        ((), "VCpus", 0),
    ],
)
def test_what_a_team_is_measured_by(funds: tuple[Fund, ...], measure: str, guaranteed: int) -> None:
    found = governing(made(queue("cq-a", *funds)).teams[0])
    assert (found.measure, found.guaranteed) == (measure, guaranteed)


def test_from_which_percentage_on_borrowing_is_too_much() -> None:
    def over(nominal: int, used: int, percent: int) -> tuple[bool, float]:
        found = made(queue("cq-a", fund(nominal, used)), queue("cq-b", fund(99)))
        (one,) = judged(found.teams[:1], Rules({}, BorrowingAlarm(percent)), 10, {})
        return one.over, one.percent

    assert over(2, 3, 50) == (True, 50.0)  # at least
    assert over(3, 4, 34) == (False, 33.3)
    assert over(3, 4, 33) == (True, 33.3)
    assert over(0, 1, 100) == (True, 100.0)  # nothing guaranteed counts as 100
    assert over(0, 1, 101) == (False, 100.0)
    assert over(0, 0, 1) == (False, 0.0)
    assert over(2, 2, 1) == (False, 0.0)


@pytest.mark.parametrize(
    ("funds", "percent"),
    [
        ((fund(96_000, 96_000, CPU), fund(0, 8)), 100.0),  # guaranteed vCPU alone, and lives on borrowed GPUs
        ((fund(8, 8), fund(0, 50, MIG)), 100.0),
        ((fund(8, 10), fund(4, 5, MIG)), 25.0),
        ((fund(8, 8), fund(4_000, 9_000, CPU)), 0.0),  # vCPU of a team with accelerators is not judged
        ((fund(4_000, 9_000, CPU), fund(0, 0)), 125.0),
    ],
)
def test_what_is_borrowed_most_of_is_judged(funds: tuple[Fund, ...], percent: float) -> None:
    lender = queue("cq-z", fund(99), fund(99, 0, MIG), fund(99_000, 0, CPU))
    (one, *_) = judged(made(queue("cq-a", *funds), lender).teams, Rules({"a": BorrowingAlarm(1)}), 10, {})
    assert one.percent == percent


def test_a_measure_does_not_change_with_what_runs() -> None:
    names_of = [
        names(made(queue("cq-a", fund(0, used), fund(8_000, 0, CPU)), queue("cq-z", fund(9))), "a") for used in (0, 3)
    ]
    assert names_of[0] == names_of[1]


def test_the_same_devices_are_counted_once() -> None:
    node = Machine("n", {}, {NEURON: 16, CORE: 32}, {NEURON: 16, CORE: 32}, usable=True)
    team = queue("cq-a", fund(16, 8, NEURON), fund(32, 16, CORE))
    told = figures(made(team, machines=(node,), kinds=(Kind("g5", {}),)), None)
    assert (told["GuaranteedAccelerators"], told["AllocatableAccelerators"], told["IdleAccelerators"]) == (16, 16, 8)


def test_what_is_over_quota_after_a_cut_is_not_borrowed() -> None:
    found = made(queue("cq-a", fund(1, 4)), queue("cq-b", fund(0)))
    assert judged(found.teams, Rules({}, BorrowingAlarm(1)), 10, {})[0].over is False
    assert {"OverQuotaAccelerators": 3.0}.items() <= figures(found, "a").items()


def figures(found: ClusterUsage, team: str | None, borrowing: tuple[Borrowing, ...] = ()) -> dict[str, float]:
    return {
        each.name: each.value
        for batch in batches(found, borrowing, "Team")
        if batch.dimensions.get("team") == team
        for each in batch.figures
    }


def test_each_team_has_its_own_alarm_the_default_or_none() -> None:
    found = made(
        queue("cq-a", fund(2, 3)), queue("cq-b", fund(2, 3)), queue("cq-c", fund(9)), queue("cq-d", fund(2, 3))
    )
    rules = Rules({"a": BorrowingAlarm(60), "b": None}, BorrowingAlarm(50))
    judgement = judged(found.teams, rules, 100, {})
    assert [(each.team, each.limit, each.over) for each in judgement] == [
        ("a", 60, False),
        ("c", 50, False),
        ("d", 50, True),
    ]
    assert [figures(found, name, judgement).get("OverBorrowing") for name in "abcd"] == [0, None, 0, 1]


def test_since_when_it_is_too_much() -> None:
    found = made(queue("cq-a", fund(2, 3)), queue("cq-c", fund(9)))
    rules = Rules({}, BorrowingAlarm(50))
    first = {each.team: each for each in judged(found.teams, rules, 100, {})}
    assert (first["a"].since, first["c"].since) == (100, 0)
    assert judged(found.teams, rules, 160, first)[0].since == 100
    calm = {each.team: each for each in judged(made(queue("cq-a", fund(2, 2))).teams, rules, 160, first)}
    assert judged(found.teams, rules, 220, calm)[0].since == 220
    assert judged(found.teams, rules, 50, first)[0].since == 50  # the clock was put back


def test_a_muted_alarm_judges_nothing_until_it_ends() -> None:
    found = made(queue("cq-a", fund(2, 3)), queue("cq-c", fund(9)))
    rules = Rules({"a": BorrowingAlarm(50, 200)})
    muted, loud = (judged(found.teams, rules, now, {})[0] for now in (199, 200))
    assert (muted.over, muted.muted, loud.over, loud.muted) == (False, True, True, False)


def test_a_team_has_at_most_ten_metrics_and_exact_values() -> None:
    found = made(
        queue("cq-a", fund(2, 3), fund(1500, 0, CPU), pending=2, admitted=1, weighted_share=7),
        queue("cq-b", fund(1500, 500, CPU)),
        queue("cq-c", fund(9)),
    )
    judgement = judged(found.teams, Rules({}, BorrowingAlarm(50)), 100, {})
    told = figures(usage_with_oldest(found), "a", judgement)
    assert told == {
        "GuaranteedAccelerators": 2,
        "UsedAccelerators": 3,
        "BorrowedAccelerators": 1,
        "LentAccelerators": 0,
        "OverQuotaAccelerators": 0,
        "PendingWorkloads": 2,
        "OldestPendingSeconds": 60,
        "WeightedShare": 7,
        "Starved": 0,
        "OverBorrowing": 1,
    }
    assert len(told) == MOST_PER_TEAM
    assert {"GuaranteedVCpus": 1.5, "UsedVCpus": 0.5}.items() <= figures(found, "b").items()


def usage_with_oldest(found: ClusterUsage) -> ClusterUsage:
    first = msgspec.structs.replace(found.teams[0], oldest_waiting=found.at - 60)
    return msgspec.structs.replace(found, teams=(first, *found.teams[1:]))


def test_the_age_of_the_oldest_is_told_only_where_it_is_known() -> None:
    doors = Doors({"n": "q"}, (("n", "l", "cq", 2),))
    waits = Seen((queue("cq", fund(1), pending=2),), doors)
    ages = [
        figures(usage_of(waits, "ml", 1000, {"q": "a"}, waiting), "a").get("OldestPendingSeconds")
        for waiting in ((Waiting("n", "l", 400), Waiting("n", "l", 900)), (Waiting("n", "l", 2000),), None, ())
    ]
    assert ages == [600, 0, None, None]  # one from the future has just come


def test_totals_of_a_cluster() -> None:
    node = Machine("n", {}, {GPU: 4}, {GPU: 4}, usable=True)
    found = made(
        queue("cq-a", fund(2, 5), pending=1),
        queue("cq-b", fund(4, 1), pending=1, state="active"),
        queue("cq-c", fund(1), state="stopped"),
        machines=(node,),
        kinds=(Kind("g5", {}),),
    )
    told = figures(found, None)
    assert told["GuaranteedAccelerators"] == 7
    assert (told["UsedAccelerators"], told["BorrowedAccelerators"], told["LentAccelerators"]) == (6, 3, 3)
    assert (told["AllocatableAccelerators"], told["IdleAccelerators"], told["QuotaAboveCapacity"]) == (4, 0, 1)
    assert (told["StarvedTeams"], told["PendingWorkloads"], told["Teams"], told["QueuesNotActive"]) == (1, 2, 3, 1)
    assert "QuotaAboveCapacity" not in figures(made(queue("cq-a", fund(2))), None)
    assert [each.figures[0].value for each in (readable("ml", sound=True), readable("ml", sound=False))] == [0, 1]
    assert dict(heartbeat(3).dimensions) == {}


def test_flavors_in_detail() -> None:
    found = made(queue("cq-a", fund(2, 1), fund(2**30, 2**20, "memory")))
    told = {
        (batch.dimensions["flavor"], batch.dimensions["resource"]): {
            each.name: (each.value, each.unit) for each in batch.figures
        }
        for batch in batches(found, (), "Flavor")
        if "flavor" in batch.dimensions
    }
    assert told["g5", GPU]["Guaranteed"] == (2, "Count")
    assert told["g5", "memory"]["Used"] == (2**20, "Bytes")


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        ({"conditions": [{"type": "Active", "status": "True", "reason": "Ready"}]}, "active", ""),
        (
            {"conditions": [{"type": "Active", "status": "False", "reason": "Gone", "message": "m"}]},
            "inactive",
            "Gone: m",
        ),
        ({}, "inactive", "Kueue has not looked at it yet"),
    ],
)
def test_the_state_of_a_queue(status: dict[str, Any], state: str, reason: str) -> None:
    found = queue_of(decoded(ClusterQueueShape, metadata={"name": "q"}, status=status))
    assert (found.state, found.reason) == (state, reason)


def test_what_is_used_of_a_quota_that_was_taken_away_is_over_quota() -> None:
    usage = [{"name": "g5", "resources": [{"name": GPU, "total": "2"}, {"name": CPU, "total": "0"}]}]
    found = queue_of(decoded(ClusterQueueShape, metadata={"name": "cq-a"}, status={"flavorsUsage": usage}))
    (gone,) = made(found).teams[0].resources
    assert (gone.resource, gone.guaranteed, gone.used, gone.over_quota, gone.borrowed) == (GPU, 0, 2, 2, 0)


def test_what_is_no_quantity_names_the_queue() -> None:
    bad = {"resourceGroups": [{"flavors": [{"name": "g5", "resources": [{"name": GPU, "nominalQuota": "two"}]}]}]}
    with pytest.raises(ReadingError, match="ClusterQueue q cannot be read: 'two' is no quantity"):
        queue_of(decoded(ClusterQueueShape, metadata={"name": "q"}, spec=bad))


@pytest.mark.parametrize("nothing", [{"spec": None, "status": None}, {"status": {"pendingWorkloads": None}}, {}])
def test_null_is_nothing(nothing: dict[str, Any]) -> None:
    assert queue_of(decoded(ClusterQueueShape, metadata={"name": "q"}, **nothing)).pending == 0
    local = decoded(LocalQueueShape, metadata={"name": "l", "namespace": "n"}, **nothing)
    assert (local.pending, local.cluster_queue) == (0, "")


def condition(kind: str, status: str, at: str) -> dict[str, str]:
    return {"type": kind, "status": status, "lastTransitionTime": at}


@pytest.mark.parametrize(
    ("spec", "conditions", "since"),
    [
        ({}, [], 1_767_225_600),
        ({"active": False}, [], None),
        ({}, [condition("QuotaReserved", "True", "2026-01-02T00:00:00Z")], None),
        ({}, [condition("QuotaReserved", "False", "2026-01-02T00:00:00Z")], 1_767_225_600),
        (
            {},
            [condition("QuotaReserved", "False", "2026-01-02T00:00:00Z"), condition("Evicted", "True", "")],
            1_767_312_000,
        ),
        ({}, [condition("Finished", "True", "2026-01-02T00:00:00Z")], None),
    ],
)
def test_which_workloads_wait_and_since_when(
    spec: dict[str, Any], conditions: list[dict[str, str]], since: int | None
) -> None:
    metadata = {"name": "w", "namespace": "n", "creationTimestamp": "2026-01-01T00:00:00Z"}
    shape = decoded(
        WorkloadShape, metadata=metadata, spec={"queueName": "l", **spec}, status={"conditions": conditions}
    )
    found = waiting_of(shape)
    assert (None if found is None else found.since) == since


def test_a_workload_without_a_time_is_not_passed_over() -> None:
    with pytest.raises(ReadingError, match="Workload n/w cannot be read"):
        waiting_of(decoded(WorkloadShape, metadata={"name": "w", "namespace": "n"}))
