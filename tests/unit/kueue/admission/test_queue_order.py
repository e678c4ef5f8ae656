"""Who is tried first, in one queue and among several, and who is not tried at all."""

from dataclasses import replace

import pytest

from governor.kueue.admission import Kind, State, after
from governor.kueue.admission.events import (
    Delete,
    Event,
    Finish,
    SetActive,
    SetClusterQueue,
    SetPriority,
    SetQueue,
    Submit,
)
from governor.kueue.objects import ClusterQueue, FlavorQuotas, LocalQueue, PodSet, Preemption, Quota, Workload
from tests.support.kueue_worlds import (
    GPU,
    admitted,
    cluster,
    cluster_queue,
    decided,
    flavor_quotas,
    forgetful,
    in_turn,
    then,
    told,
    workload,
)

NOBODY = Preemption()


def devices(nominal: int, borrow: int | None = None) -> FlavorQuotas:
    return flavor_quotas("only", gpu=Quota(nominal, borrow))


def single(nominal: int, strategy: str = "BestEffortFIFO") -> State:
    return cluster(cluster_queue("a", devices(nominal), preemption=NOBODY, queueing_strategy=strategy))


def together(state: State, *workloads: Workload, at: int = 100) -> list[str]:
    """The names of those that get in when all are submitted at once, in order."""
    outcome = after(state, [Submit(each) for each in workloads], at)
    return [each.workload[1] for each in outcome.decisions if each.kind is Kind.ADMITTED]


def test_the_highest_priority_goes_first_then_the_oldest_then_the_lowest_uid() -> None:
    waiting = [
        workload("a", "young", gpu=1, created=2),
        replace(workload("a", "x", gpu=1, created=1), uid="second"),
        replace(workload("a", "y", gpu=1, created=1), uid="first"),
        workload("a", "urgent", gpu=1, created=3, priority=1),
    ]
    assert together(single(4), *waiting) == ["urgent", "y", "x", "young"]
    assert together(single(4), *reversed(waiting)) == ["urgent", "y", "x", "young"]


def test_a_small_one_passes_one_that_does_not_fit() -> None:
    assert together(single(2), workload("a", "big", gpu=3), workload("a", "small", gpu=1, created=1)) == ["small"]


def test_in_a_strict_queue_nobody_passes_the_first() -> None:
    strict = single(2, "StrictFIFO")
    assert together(strict, workload("a", "big", gpu=3), workload("a", "small", gpu=1, created=1)) == []


@pytest.mark.parametrize(
    "event",
    [
        Delete(("a", "big")),
        Finish(("a", "big")),
        SetActive(("a", "big"), active=False),
        SetQueue(("a", "big"), "elsewhere"),
        SetPriority(("a", "small"), 1),
    ],
)
def test_a_strict_queue_goes_on_when_another_is_first(event: Event) -> None:
    state = single(2, "StrictFIFO")
    state = in_turn(state, workload("a", "big", gpu=3), workload("a", "small", gpu=1, created=1))
    assert admitted(then(state, event, at=100).state) == {"small"}


def test_in_a_strict_queue_too_a_higher_priority_comes_first() -> None:
    state = in_turn(single(2, "StrictFIFO"), workload("a", "big", gpu=3))
    assert together(state, workload("a", "urgent", gpu=1, priority=1, created=1)) == ["urgent"]


def test_a_strict_queue_goes_on_when_its_first_fits() -> None:
    state = single(3, "StrictFIFO")
    waiting = [workload("a", "big", gpu=3, created=1), workload("a", "small", gpu=1, created=2)]
    state = in_turn(state, workload("a", "running", gpu=1), *waiting)
    assert admitted(state) == {"running"}
    state = then(state, Finish(("a", "running")), at=100).state
    assert admitted(state) == {"big"}


def test_a_queue_that_is_strict_no_longer_lets_the_small_one_pass() -> None:
    state = single(2, "StrictFIFO")
    state = in_turn(state, workload("a", "big", gpu=3), workload("a", "small", gpu=1, created=1))
    relaxed = cluster_queue("a", devices(2), preemption=NOBODY)
    assert admitted(then(state, SetClusterQueue(relaxed), at=100).state) == {"small"}


def test_equals_are_refused_together_and_only_the_first_is_told() -> None:
    outcome = after(single(0), [Submit(workload("a", name, gpu=1)) for name in ("w0", "w1", "w2")], 0)
    assert decided(outcome) == [("Pending", "w0")]
    later = then(outcome.state, Submit(workload("a", "w3", gpu=1)), at=10)
    assert later.decisions == ()
    assert "QuotaReserved" not in later.state.workloads["a", "w3"].conditions


@pytest.mark.parametrize(
    "other",
    [
        workload("a", "other", gpu=1, priority=1),
        workload("a", "other", gpu=2),
        workload("a", "other", gpu=1, pods=2),
        workload("a", "other", gpu=1, kind="only"),
    ],
)
def test_whoever_is_not_alike_is_looked_at(other: Workload) -> None:
    state = in_turn(single(0), workload("a", "first", gpu=1))
    assert decided(then(state, Submit(other), at=10)) == [("Pending", "other")]


def test_equals_are_tried_again_one_after_the_other_once_there_is_room() -> None:
    state = in_turn(single(2), workload("a", "running", gpu=2))
    state = in_turn(state, *(workload("a", f"w{number}", gpu=1, created=number) for number in (3, 1, 2)))
    assert admitted(state) == {"running"}
    outcome = then(state, Finish(("a", "running")), at=100)
    assert [each.workload[1] for each in outcome.decisions if each.kind is Kind.ADMITTED] == ["w1", "w2"]


def test_what_was_refused_is_tried_again_a_second_after_something_became_free() -> None:
    state = in_turn(single(1), workload("a", "running", gpu=1), workload("a", "waits", gpu=1, created=1))
    outcome = then(state, Finish(("a", "running")), at=100)
    assert outcome.at == 101
    assert outcome.state.workloads["a", "waits"].conditions["Admitted"].at == 101


def test_a_higher_priority_moves_a_waiting_workload_to_the_front() -> None:
    state = in_turn(single(1), workload("a", "running", gpu=1))
    state = in_turn(state, workload("a", "old", gpu=1), workload("a", "new", gpu=1, created=1))
    outcome = then(state, SetPriority(("a", "new"), 5, "urgent"), Finish(("a", "running")), at=100)
    assert admitted(outcome.state) == {"new"}
    assert outcome.state.workloads["a", "new"].priority_class == "urgent"


def test_a_lower_priority_of_one_that_runs_makes_it_a_victim() -> None:
    state = cluster(cluster_queue("a", devices(1), preemption=Preemption("LowerPriority")))
    state = in_turn(state, workload("a", "running", gpu=1, priority=1), workload("a", "waits", gpu=1, priority=1))
    assert admitted(state) == {"running"}
    outcome = then(state, SetPriority(("a", "running"), 0), at=100)
    assert ("Preempted", "running") in decided(outcome)
    assert admitted(outcome.state) == {"waits"}


def test_a_higher_priority_of_one_that_runs_protects_it() -> None:
    state = cluster(cluster_queue("a", devices(1), preemption=Preemption("LowerPriority")))
    state = then(in_turn(state, workload("a", "running", gpu=1)), SetPriority(("a", "running"), 1), at=100).state
    assert admitted(then(state, Submit(workload("a", "waits", gpu=1, priority=1)), at=110).state) == {"running"}


def test_another_priority_changes_who_goes_first() -> None:
    state = cluster(cluster_queue("a", devices(2), preemption=Preemption("LowerPriority")))
    state = in_turn(state, *(workload("a", name, gpu=1, priority=1) for name in ("old", "new")))
    state = then(state, Submit(workload("a", "waits", gpu=1, priority=1)), at=100).state
    state = then(state, SetPriority(("a", "new"), 2), Submit(workload("a", "urgent", gpu=1, priority=3)), at=110).state
    assert admitted(state) == {"new", "urgent"}


def test_a_priority_that_stays_as_it_is_changes_nothing() -> None:
    state = in_turn(single(0), workload("a", "waits", gpu=1))
    assert then(state, SetPriority(("a", "waits"), 0), at=10).decisions == ()


def two_queues(*, strategies: tuple[str, ...], a: int = 2, b: int = 2) -> State:
    queues = [cluster_queue(name, devices(own), preemption=NOBODY) for name, own in (("a", a), ("b", b))]
    return cluster(*queues, cluster_queue("c", devices(2), preemption=NOBODY), strategies=strategies)


def test_among_queues_who_need_not_borrow_goes_first() -> None:
    borrows = workload("a", "borrows", gpu=5, priority=9)
    assert together(two_queues(strategies=()), borrows, workload("b", "own", gpu=2, created=9)) == ["own"]


def test_among_queues_priority_decides_then_age() -> None:
    state = two_queues(strategies=(), a=0, b=0)
    old, young = workload("a", "old", gpu=2), workload("b", "young", gpu=2, created=1)
    assert together(state, young, old) == ["old"]
    assert together(state, old, workload("b", "urgent", gpu=2, created=1, priority=1)) == ["urgent"]


def test_with_fair_sharing_the_queue_with_the_smaller_share_goes_first() -> None:
    state = in_turn(cluster(*two_queues(strategies=(), a=1, b=0).cluster_queues.values()), workload("a", "a0", gpu=1))
    big, small = workload("a", "big", gpu=2, priority=9), workload("b", "small", gpu=1, created=9)
    assert together(state, big, small) == ["small"]
    assert together(forgetful(state, strategies=()), big, small) == ["big"]


def weighed(name: str, weight: int) -> ClusterQueue:
    return cluster_queue(name, devices(0), weight=weight, preemption=NOBODY)


def test_with_fair_sharing_weight_counts_against_size() -> None:
    lender = cluster_queue("c", devices(4), preemption=NOBODY)
    big, small = workload("a", "big", gpu=3), workload("b", "small", gpu=2, created=1)
    assert together(cluster(weighed("a", 2000), weighed("b", 1000), lender), big, small) == ["big"]
    assert together(cluster(weighed("a", 1000), weighed("b", 1000), lender), big, small) == ["small"]


def test_with_fair_sharing_a_queue_of_weight_0_comes_last() -> None:
    lender = cluster_queue("c", devices(4), preemption=NOBODY)
    small, big = workload("a", "small", gpu=1, priority=9), workload("b", "big", gpu=4, created=1)
    assert together(cluster(weighed("a", 0), weighed("b", 1), lender), small, big) == ["big"]


def test_with_fair_sharing_who_need_not_borrow_what_it_asks_for_goes_first() -> None:
    """Queue a has borrowed most of the cores, and asks for devices of its own."""
    poor = cluster_queue("b", flavor_quotas("only", gpu=Quota(0), cpu=Quota(0)), preemption=NOBODY)
    rich = cluster_queue("a", flavor_quotas("only", gpu=Quota(2), cpu=Quota(0)), preemption=NOBODY)
    lender = cluster_queue("c", flavor_quotas("only", gpu=Quota(1), cpu=Quota(9)), preemption=NOBODY)
    state = in_turn(cluster(rich, poor, lender), workload("a", "cores", cpu=8))
    borrows, own = workload("b", "borrows", gpu=2), workload("a", "own", gpu=2, created=9)
    assert together(state, borrows, own) == ["own"]


def test_a_preemptor_that_waits_for_its_victims_is_tried_before_all_others() -> None:
    """It is given what its victims leave, though somebody with a higher priority has come in between."""
    state = cluster(cluster_queue("a", devices(2), preemption=Preemption("LowerPriority")))
    state = in_turn(state, workload("a", "victim", gpu=2))
    preemptor = workload("a", "preemptor", gpu=2, priority=1, created=1)
    state = forgetful(state, workloads={**state.workloads, preemptor.key: preemptor}, first={"a": preemptor.key})
    outcome = then(state, Submit(workload("a", "higher", gpu=2, priority=1)), at=100)
    preempted = next(each for each in outcome.decisions if each.kind is Kind.PREEMPTED)
    assert preempted.by == preemptor.key
    assert admitted(outcome.state) == {"preemptor"}


def test_two_doors_lead_into_one_line() -> None:
    state = single(1)
    state = forgetful(state, local_queues={**state.local_queues, ("b", "b"): LocalQueue("b", "b", "a")})
    second = Workload("b", "second", "uid-second", "b", (PodSet("main", 1, {GPU: 1}),), created=1)
    assert together(state, second, workload("a", "first", gpu=1)) == ["first"]
    assert told(then(state, Submit(second)).state, second.key)[0] == "True"
