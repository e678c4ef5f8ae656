"""Fair sharing: whose queue has the highest share lets go first, by each strategy, and with weights."""

import pytest

from governor.kueue.admission import Kind, Outcome, State, after
from governor.kueue.admission.events import FAIR_SHARING, Delete, SetClusterQueue, SetFairSharing, Submit
from governor.kueue.objects import ClusterQueue, Preemption, Quota
from tests.support.kueue_worlds import admitted, cluster, cluster_queue, flavor_quotas, in_turn, then, workload

ONLY_FINAL, ONLY_INITIAL = FAIR_SHARING[:1], FAIR_SHARING[1:]
FAIR = Preemption("LowerPriority", "Any")


def queue(name: str, nominal: int, *, weight: int = 1000, preemption: Preemption = FAIR) -> ClusterQueue:
    return cluster_queue(name, flavor_quotas("only", gpu=Quota(nominal)), weight=weight, preemption=preemption)


def lent(*borrowers: ClusterQueue, strategies: tuple[str, ...] = FAIR_SHARING) -> State:
    """A cohort in which a pool of twelve devices is there for everybody."""
    return cluster(*borrowers, queue("pool", 12), strategies=strategies)


def small(name: str, count: int, *, priority: int = 0) -> list[Submit]:
    """So many workloads of one device."""
    names = [f"{name}{number}" for number in range(count)]
    return [Submit(workload(name, each, gpu=1, priority=priority)) for each in names]


def asks(state: State, name: str, *, gpu: int, priority: int = 0) -> Outcome:
    return after(state, [Submit(workload(name, "preemptor", gpu=gpu, priority=priority, created=500))], 1000)


def preempted(outcome: Outcome) -> list[tuple[str, str]]:
    return [(each.workload[1], each.reason) for each in outcome.decisions if each.kind is Kind.PREEMPTED]


def share_of(state: State, name: str) -> int:
    """How many devices a queue has."""
    return sum(each.admission is not None for each in state.workloads.values() if each.namespace == name)


def test_who_has_less_takes_from_who_has_more_until_both_have_the_same() -> None:
    state = after(lent(queue("a", 0), queue("b", 0)), small("a", 12), 0).state
    state = after(state, small("b", 12), 100).state
    assert (share_of(state, "a"), share_of(state, "b")) == (6, 6)


def test_weights_divide_the_pool() -> None:
    state = after(lent(queue("a", 0, weight=1000), queue("b", 0, weight=3000)), small("a", 12), 0).state
    state = after(state, small("b", 12), 100).state
    assert (share_of(state, "a"), share_of(state, "b")) == (3, 9)


def test_a_change_of_weight_moves_the_division() -> None:
    state = after(lent(queue("a", 0), queue("b", 0)), small("a", 12) + small("b", 12), 0).state
    state = after(state, [SetClusterQueue(queue("b", 0, weight=2000))], 100).state
    assert (share_of(state, "a"), share_of(state, "b")) == (4, 8)


def test_the_queue_with_the_highest_share_lets_go() -> None:
    state = lent(queue("a", 0), queue("b", 0), queue("c", 0))
    state = after(state, small("a", 7) + small("b", 5), 0).state
    (name, reason), *others = preempted(asks(state, "c", gpu=1))
    assert (name[0], reason, others) == ("a", "InCohortFairSharing", [])


def test_within_a_queue_the_lowest_priority_goes() -> None:
    state = after(lent(queue("a", 0), queue("b", 0)), small("a", 11, priority=3), 0).state
    state = in_turn(state, workload("a", "low", gpu=1))
    assert preempted(asks(state, "b", gpu=1)) == [("low", "InCohortFairSharing")]


def test_priority_does_not_protect_from_fair_sharing() -> None:
    state = after(lent(queue("a", 0), queue("b", 0)), small("a", 12, priority=9), 0).state
    assert [reason for _, reason in preempted(asks(state, "b", gpu=1))] == ["InCohortFairSharing"]


def test_who_stays_within_its_quota_reclaims_whatever_the_shares_are() -> None:
    state = cluster(queue("a", 2), queue("b", 0))
    state = in_turn(state, workload("b", "borrower", gpu=2))
    assert preempted(asks(state, "a", gpu=2)) == [("borrower", "InCohortReclamation")]


def one_big(strategies: tuple[str, ...]) -> State:
    """Queue a has borrowed ten devices with one workload, b has two."""
    state = lent(queue("a", 0), queue("b", 0), strategies=strategies)
    return in_turn(state, workload("a", "big", gpu=10), workload("b", "own", gpu=2))


@pytest.mark.parametrize(("strategies", "goes"), [(ONLY_FINAL, False), (ONLY_INITIAL, True), (FAIR_SHARING, True)])
def test_only_the_initial_share_lets_one_go_that_takes_a_queue_below_the_preemptor(
    strategies: tuple[str, ...], goes: bool
) -> None:
    assert preempted(asks(one_big(strategies), "b", gpu=4)) == ([("big", "InCohortFairSharing")] if goes else [])


def two_of_a(strategies: tuple[str, ...]) -> State:
    """Queue a has borrowed ten devices with two workloads, of which the big one would go first; b has two."""
    state = lent(queue("a", 0, preemption=Preemption("Never", "Any")), queue("b", 0), strategies=strategies)
    state = in_turn(state, workload("a", "small", gpu=2, priority=1), workload("a", "big", gpu=8))
    return in_turn(state, workload("b", "own", gpu=2))


def test_the_final_share_is_tried_first_where_both_are_configured() -> None:
    """Without the small one queue a has no less than the preemptor's; without the big one it has."""
    assert preempted(asks(two_of_a(FAIR_SHARING), "b", gpu=2)) == [("small", "InCohortFairSharing")]


def test_with_the_initial_share_alone_the_first_in_turn_goes() -> None:
    assert preempted(asks(two_of_a(ONLY_INITIAL), "b", gpu=2)) == [("big", "InCohortFairSharing")]


def test_nobody_goes_for_one_whose_queue_would_have_more() -> None:
    state = after(lent(queue("a", 0), queue("b", 0)), small("a", 6) + small("b", 6), 0).state
    assert preempted(asks(state, "b", gpu=1)) == []


def test_a_queue_of_weight_0_lets_go_before_all_others() -> None:
    state = lent(queue("a", 0), queue("b", 0, weight=0), queue("c", 0))
    state = after(state, small("a", 10) + small("b", 2), 0).state
    assert preempted(asks(state, "c", gpu=1)) == [("b0", "InCohortFairSharing")]


def test_a_queue_of_weight_0_takes_from_nobody_with_a_weight() -> None:
    state = after(lent(queue("a", 0), queue("b", 0, weight=0)), small("a", 12), 0).state
    assert preempted(asks(state, "b", gpu=1)) == []


def test_a_queue_of_weight_0_borrows_what_is_idle() -> None:
    assert admitted(asks(lent(queue("b", 0, weight=0)), "b", gpu=12).state) == {"preemptor"}


def test_a_queue_that_may_not_reclaim_takes_nothing() -> None:
    timid = Preemption("LowerPriority", "Never")
    state = after(lent(queue("a", 0), queue("b", 0, preemption=timid)), small("a", 12), 0).state
    assert preempted(asks(state, "b", gpu=1)) == []


@pytest.mark.parametrize(("priority", "goes"), [(0, False), (1, True)])
def test_a_queue_that_may_reclaim_from_lower_priorities_takes_from_those(priority: int, goes: bool) -> None:
    picky = Preemption("LowerPriority", "LowerPriority")
    state = after(lent(queue("a", 0), queue("b", 0, preemption=picky)), small("a", 12), 0).state
    assert bool(preempted(asks(state, "b", gpu=1, priority=priority))) is goes


def test_in_the_own_queue_priority_decides() -> None:
    state = after(lent(queue("a", 0), queue("b", 0)), small("a", 6) + small("b", 6), 0).state
    ((name, reason),) = preempted(asks(state, "b", gpu=1, priority=1))
    assert (name[0], reason) == ("b", "InClusterQueue")


def test_the_dominant_resource_counts() -> None:
    """Queue a has most of the devices, b most of the cores, which are worth less here."""
    quotas = flavor_quotas("only", gpu=Quota(0), cpu=Quota(0))
    queues = [cluster_queue(name, quotas) for name in "abc"]
    pool = cluster_queue("pool", flavor_quotas("only", gpu=Quota(10), cpu=Quota(100)))
    state = in_turn(cluster(*queues, pool), workload("a", "devices", gpu=8), workload("b", "cores", gpu=2, cpu=70))
    assert preempted(asks(state, "c", gpu=1)) == [("devices", "InCohortFairSharing")]
    more = workload("b", "more", cpu=20, created=100)
    assert preempted(asks(in_turn(state, more), "c", gpu=1)) == [("cores", "InCohortFairSharing")]


def test_fair_sharing_that_is_switched_on_lets_the_poor_take() -> None:
    state = after(lent(queue("a", 0), queue("b", 0), strategies=()), small("a", 12) + small("b", 3), 0).state
    assert share_of(state, "b") == 3
    state = after(lent(queue("a", 0), queue("b", 0), strategies=()), small("a", 12), 0).state
    state = after(state, small("b", 3), 100).state
    assert share_of(state, "b") == 0
    assert share_of(then(state, SetFairSharing(FAIR_SHARING), at=200).state, "b") == 3


def test_fair_sharing_that_is_switched_off_leaves_everybody_what_they_have() -> None:
    state = after(lent(queue("a", 0), queue("b", 0)), small("a", 12), 0).state
    outcome = then(state, SetFairSharing(()), *small("b", 3), at=100)
    assert preempted(outcome) == []
    assert share_of(outcome.state, "a") == 12


def endless() -> Outcome:
    """Victims of queue a that need not borrow get in again before their preemptor of queue b, which must."""
    state = cluster(queue("a", 8), queue("b", 24, weight=10000))
    state = in_turn(state, workload("a", "four", gpu=4), workload("a", "eight", gpu=8, created=1))
    state = in_turn(state, workload("a", "one", gpu=1, priority=2), workload("b", "own", gpu=12, priority=1))
    assert admitted(state) == {"four", "eight", "one", "own"}
    return asks(state, "b", gpu=16, priority=1)


def test_a_preemption_that_would_go_on_for_ever_is_ended_and_said() -> None:
    outcome = endless()
    unsettled = [each for each in outcome.decisions if each.kind is Kind.UNSETTLED]
    assert {each.workload for each in unsettled} <= {("a", "four"), ("a", "eight")}
    assert {(each.reason, each.message) for each in unsettled} == {
        ("Unsettled", "Kueue preempts and admits it again and again; stopped after 8 times")
    }
    assert len(preempted(outcome)) < 40


def test_a_state_that_did_not_settle_can_be_gone_on_from() -> None:
    outcome = endless()
    ended = then(outcome.state, Delete(("b", "preemptor")), at=outcome.at + 10)
    assert admitted(ended.state) == {"four", "eight", "one", "own"}
    assert Kind.UNSETTLED not in {each.kind for each in ended.decisions}
