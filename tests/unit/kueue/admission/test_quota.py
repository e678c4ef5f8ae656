"""How much a queue may use: its own, what others lend, what the cohort adds, and what a cut leaves."""

import pytest

from governor.kueue.admission import State, after, cluster_queue_status
from governor.kueue.admission.events import Finish, RemoveCohort, SetClusterQueue, SetCohort, Submit
from governor.kueue.objects import ClusterQueue, Cohort, Preemption, Quota, ResourceGroup
from tests.support.kueue_worlds import (
    GPU,
    admitted,
    cluster,
    cluster_queue,
    decided,
    flavor_quotas,
    in_turn,
    then,
    told,
    workload,
)

GENTLE = Preemption()
"""Nobody is preempted."""


def queue(
    name: str,
    nominal: int,
    *,
    borrow: int | None = None,
    lend: int | None = None,
    cohort: str = "all",
    preemption: Preemption = GENTLE,
) -> ClusterQueue:
    quotas = flavor_quotas("only", gpu=Quota(nominal, borrow, lend))
    return cluster_queue(name, quotas, cohort=cohort, preemption=preemption)


def most(state: State, name: str) -> int:
    """How many devices a queue gets, one after the other."""
    for number in range(50):
        state = then(state, Submit(workload(name, f"w{number}", gpu=1, created=number))).state
    return len([each for each in admitted(state) if each.startswith("w")])


@pytest.mark.parametrize(("lend", "gets"), [(None, 9), (0, 4), (2, 6), (5, 9), (8, 9)])
def test_a_lending_limit_is_what_others_get_at_most(lend: int | None, gets: int) -> None:
    assert most(cluster(queue("a", 4), queue("b", 5, lend=lend)), "a") == gets


@pytest.mark.parametrize("lend", [None, 0, 2, 5])
def test_a_lending_limit_takes_nothing_from_its_own_queue(lend: int | None) -> None:
    assert most(cluster(queue("a", 4), queue("b", 5, lend=lend)), "b") == 9


def test_what_a_queue_uses_is_first_taken_from_what_it_never_lends() -> None:
    state = in_turn(cluster(queue("a", 0), queue("b", 5, lend=3)), workload("b", "own", gpu=2))
    assert most(state, "a") == 3


def test_what_a_queue_uses_beyond_that_is_not_there_to_lend() -> None:
    state = in_turn(cluster(queue("a", 0), queue("b", 5, lend=3)), workload("b", "own", gpu=4))
    assert most(state, "a") == 1


def test_what_a_queue_gives_back_is_lent_again() -> None:
    state = in_turn(cluster(queue("a", 0), queue("b", 5, lend=3)), workload("b", "own", gpu=4))
    state = in_turn(state, *(workload("a", f"w{number}", gpu=1, created=number) for number in range(4)))
    assert admitted(state) == {"own", "w0"}
    outcome = then(state, Finish(("b", "own")), at=100)
    assert admitted(outcome.state) == {"w0", "w1", "w2"}


def test_two_borrowers_share_what_is_lent() -> None:
    state = cluster(queue("a", 0), queue("b", 5, lend=3), queue("c", 0))
    state = in_turn(state, workload("c", "first", gpu=2))
    assert most(state, "a") == 1


@pytest.mark.parametrize(("borrow", "gets"), [(0, 4), (1, 5), (9, 9), (None, 9)])
def test_a_borrowing_limit_is_what_a_queue_has_above_its_own(borrow: int | None, gets: int) -> None:
    assert most(cluster(queue("a", 4, borrow=borrow), queue("b", 5)), "a") == gets


def test_limits_hold_together_in_a_queue_that_has_both() -> None:
    state = cluster(queue("a", 4, borrow=3, lend=1), queue("b", 5))
    assert most(state, "a") == 7
    assert most(state, "b") == 6


def test_a_queue_outside_any_cohort_has_its_own_and_nothing_else() -> None:
    state = cluster(queue("a", 4, cohort=""), queue("b", 5, cohort=""))
    assert most(state, "a") == 4
    assert most(state, "b") == 5


def test_cohorts_do_not_lend_to_each_other() -> None:
    assert most(cluster(queue("a", 4, cohort="one"), queue("b", 5, cohort="two")), "a") == 4


def test_a_queue_that_joins_the_cohort_lends_to_it() -> None:
    state = cluster(queue("a", 4), queue("b", 5, cohort=""))
    state = in_turn(state, workload("a", "big", gpu=6))
    assert admitted(state) == set()
    state = then(state, SetClusterQueue(queue("b", 5)), at=100).state
    assert admitted(state) == {"big"}


def test_a_queue_that_leaves_the_cohort_takes_its_quota_along() -> None:
    state = then(cluster(queue("a", 4), queue("b", 5)), SetClusterQueue(queue("b", 5, cohort="two"))).state
    assert most(state, "a") == 4


def own_quota(nominal: int) -> Cohort:
    return Cohort("all", resource_groups=(ResourceGroup((GPU,), (flavor_quotas("only", gpu=Quota(nominal)),)),))


def test_a_cohort_adds_quota_of_its_own_for_all() -> None:
    state = then(cluster(queue("a", 4), queue("b", 5)), SetCohort(own_quota(3))).state
    assert most(state, "a") == 12


def test_quota_of_a_cohort_is_borrowed_within_the_limit() -> None:
    state = then(cluster(queue("a", 4, borrow=1)), SetCohort(own_quota(3))).state
    assert most(state, "a") == 5
    assert most(then(cluster(queue("a", 4, borrow=0)), SetCohort(own_quota(3))).state, "a") == 4


def test_who_waits_gets_in_when_the_cohort_gets_quota() -> None:
    state = in_turn(cluster(queue("a", 4)), workload("a", "big", gpu=6))
    assert admitted(state) == set()
    assert admitted(then(state, SetCohort(own_quota(2)), at=100).state) == {"big"}


def test_a_cohort_that_is_gone_has_no_quota_and_keeps_its_queues_together() -> None:
    state = then(cluster(queue("a", 4), queue("b", 5)), SetCohort(own_quota(3)), RemoveCohort("all")).state
    assert most(state, "a") == 9


def test_a_cut_takes_nothing_from_who_is_admitted() -> None:
    state = in_turn(cluster(queue("a", 4)), *(workload("a", f"w{number}", gpu=2) for number in range(2)))
    outcome = then(state, SetClusterQueue(queue("a", 1)), at=100)
    assert outcome.decisions == ()
    assert admitted(outcome.state) == {"w0", "w1"}
    usage = cluster_queue_status(outcome.state, "a").used["only"][GPU]
    assert (usage.total, usage.borrowed) == (4, 3)


def test_after_a_cut_nobody_gets_in_before_usage_is_below_the_quota_again() -> None:
    state = in_turn(cluster(queue("a", 4)), *(workload("a", f"w{number}", gpu=2) for number in range(2)))
    state = then(state, SetClusterQueue(queue("a", 3)), Submit(workload("a", "small", gpu=1, created=9)), at=100).state
    assert admitted(state) == {"w0", "w1"}
    state = then(state, Finish(("a", "w0")), at=110).state
    assert admitted(state) == {"w1", "small"}


def test_a_cut_of_one_queue_leaves_less_to_borrow_for_another() -> None:
    state = in_turn(cluster(queue("a", 4), queue("b", 5)), workload("b", "own", gpu=5))
    state = then(state, SetClusterQueue(queue("b", 2)), at=100).state
    assert most(state, "a") == 1


def test_after_a_cut_the_owner_of_the_quota_reclaims_it() -> None:
    taking = Preemption(reclaim_within_cohort="Any")
    state = in_turn(cluster(queue("a", 4), queue("b", 4, preemption=taking)), workload("a", "own", gpu=4))
    outcome = then(state, SetClusterQueue(queue("a", 0)), Submit(workload("b", "fits", gpu=4)), at=100)
    assert ("Preempted", "own") in decided(outcome)
    assert admitted(outcome.state) == {"fits"}


def test_more_quota_lets_in_who_waits() -> None:
    state = in_turn(cluster(queue("a", 1)), workload("a", "big", gpu=3))
    assert told(state, ("a", "big"))[2].endswith("> maximum capacity (1)")
    outcome = then(state, SetClusterQueue(queue("a", 3)), at=100)
    assert decided(outcome) == [("QuotaReserved", "big"), ("Admitted", "big")]
    assert outcome.state.workloads["a", "big"].conditions["QuotaReserved"].at == outcome.at == 101


def test_a_higher_borrowing_limit_lets_in_who_waits() -> None:
    state = in_turn(cluster(queue("a", 1, borrow=0), queue("b", 5)), workload("a", "big", gpu=3))
    outcome = then(state, SetClusterQueue(queue("a", 1, borrow=2)), at=100)
    assert admitted(outcome.state) == {"big"}


def test_a_queue_that_is_set_as_it_is_changes_nothing() -> None:
    state = in_turn(cluster(queue("a", 1)), workload("a", "big", gpu=3))
    outcome = after(state, [SetClusterQueue(queue("a", 1))], 100)
    assert (outcome.decisions, outcome.at) == ((), 100)


def test_a_borrowing_limit_counts_from_the_quota_that_is_never_lent_too() -> None:
    """Seven devices at most, of which two are used."""
    state = in_turn(cluster(queue("a", 4, borrow=3, lend=1), queue("b", 5)), workload("a", "own", gpu=2))
    assert admitted(in_turn(state, workload("a", "fits", gpu=5))) == {"own", "fits"}
    state = in_turn(state, workload("a", "too-big", gpu=6))
    assert admitted(state) == {"own"}
    assert told(state, ("a", "too-big"))[2].endswith(
        f"insufficient unused quota for {GPU} in flavor only, 1 more needed"
    )


@pytest.mark.parametrize(("borrow", "lend", "most_ever"), [(3, 1, 7), (None, 1, 9), (0, None, 4), (9, None, 9)])
def test_what_a_queue_can_never_have_is_told_with_the_most_it_can(
    borrow: int | None, lend: int | None, most_ever: int
) -> None:
    state = cluster(queue("a", 4, borrow=borrow, lend=lend), queue("b", 5))
    state = in_turn(state, workload("a", "huge", gpu=10))
    assert told(state, ("a", "huge"))[2].endswith(f"current podset request (10) > maximum capacity ({most_ever})")


NO_LONGER_FITS = "Workload no longer fits after processing another workload"


def first_told(owner: ClusterQueue, *, head: int, other: int, lent: int = 2) -> str:
    """What a borrower is told first that comes together with the head of a queue, which must wait for its own."""
    state = in_turn(cluster(owner, queue("b", lent), strategies=()), workload("a", "own", gpu=3))
    together = [Submit(workload("a", "head", gpu=head)), Submit(workload("b", "other", gpu=other, created=1))]
    outcome = after(state, together, 100)
    assert admitted(outcome.state) == {"own", "other"}
    return next(each.message for each in outcome.decisions if each.workload == ("b", "other"))


@pytest.mark.parametrize(("reclaim", "keeps"), [("Never", True), ("LowerPriority", True), ("Any", False)])
def test_a_queue_that_cannot_always_reclaim_keeps_room_for_its_head_in_a_cycle(reclaim: str, keeps: bool) -> None:
    """Who comes after it must not borrow what it needs; in the next cycle the head is parked."""
    owner = queue("a", 4, preemption=Preemption(reclaim_within_cohort=reclaim))
    assert (first_told(owner, head=4, other=3) == NO_LONGER_FITS) is keeps


def test_no_more_is_kept_for_a_head_than_its_queue_has_left() -> None:
    assert first_told(queue("a", 4), head=4, other=2) == "Quota reserved in ClusterQueue b"


@pytest.mark.parametrize(("borrow", "keeps"), [(None, True), (1, True), (0, False)])
def test_for_a_head_that_borrows_room_is_kept_up_to_the_limit(borrow: int | None, keeps: bool) -> None:
    """Two devices are left: the head may have one of its queue's, and one more if it may borrow."""
    preemption = Preemption("LowerPriority", "LowerPriority", "LowerPriority")
    owner = queue("a", 4, borrow=borrow, preemption=preemption)
    assert (first_told(owner, head=5, other=2, lent=1) == NO_LONGER_FITS) is keeps
