"""Of several flavors, which one is taken: whether to borrow, to preempt or to look further (KEP-582)."""

from typing import Any

import pytest

from governor.kueue.admission import Kind, after
from governor.kueue.admission.events import Submit
from governor.kueue.objects import ClusterQueue, FlavorFungibility, Preemption, Quota
from tests.support.kueue_worlds import (
    GPU,
    admitted,
    cluster,
    cluster_queue,
    flavor_quotas,
    flavors_of,
    in_turn,
    workload,
)

JOB = ("a", "job")


def two_flavors(first: int, second: int, *, name: str = "a", **more: Any) -> ClusterQueue:
    """A queue that may borrow in both."""
    return cluster_queue(
        name, flavor_quotas("first", gpu=Quota(first)), flavor_quotas("second", gpu=Quota(second)), **more
    )


def lender(first: int, second: int) -> ClusterQueue:
    return two_flavors(first, second, name="b")


def test_a_queue_borrows_in_the_first_flavor_before_it_looks_at_the_second() -> None:
    state = in_turn(cluster(two_flavors(2, 4), lender(2, 0)), workload("a", "job", gpu=4))
    assert flavors_of(state, JOB) == {GPU: "first"}


def test_when_can_borrow_try_next_flavor_looks_for_own_quota_first() -> None:
    queue = two_flavors(2, 4, fungibility=FlavorFungibility("TryNextFlavor"))
    state = in_turn(cluster(queue, lender(2, 0)), workload("a", "job", gpu=4))
    assert flavors_of(state, JOB) == {GPU: "second"}


def test_when_can_borrow_try_next_flavor_still_borrows_where_nothing_else_is_left() -> None:
    queue = two_flavors(2, 2, fungibility=FlavorFungibility("TryNextFlavor"))
    state = in_turn(cluster(queue, lender(2, 2)), workload("a", "job", gpu=4))
    assert flavors_of(state, JOB) == {GPU: "first"}


@pytest.mark.parametrize(
    ("when_can_preempt", "flavor", "left"),
    [("TryNextFlavor", "second", {"low", "job"}), ("MayStopSearch", "first", {"job"})],
)
def test_when_can_preempt_says_whether_a_free_flavor_is_better_than_preempting(
    when_can_preempt: str, flavor: str, left: set[str]
) -> None:
    queue = two_flavors(2, 2, fungibility=FlavorFungibility("MayStopSearch", when_can_preempt), cohort="")
    low = workload("a", "low", gpu=2, kind="first")
    state = in_turn(cluster(queue), low, workload("a", "job", gpu=2, priority=1))
    assert flavors_of(state, JOB) == {GPU: flavor}
    assert admitted(state) == left


@pytest.mark.parametrize(
    ("preference", "flavor", "left"),
    [
        ("", "second", {"low", "job"}),
        ("BorrowingOverPreemption", "second", {"low", "job"}),
        ("PreemptionOverBorrowing", "first", {"job"}),
    ],
)
def test_the_preference_decides_between_preempting_and_borrowing(preference: str, flavor: str, left: set[str]) -> None:
    fungibility = FlavorFungibility("TryNextFlavor", "TryNextFlavor", preference)
    state = cluster(two_flavors(2, 0, fungibility=fungibility), lender(0, 2), strategies=())
    state = in_turn(state, workload("a", "low", gpu=2, kind="first"), workload("a", "job", gpu=2, priority=1))
    assert flavors_of(state, JOB) == {GPU: flavor}
    assert admitted(state) == left


def test_a_flavor_where_nobody_may_go_is_worse_than_one_where_somebody_may() -> None:
    state = in_turn(
        cluster(two_flavors(2, 2, cohort="")),
        workload("a", "equal", gpu=2, priority=1, kind="first"),
        workload("a", "low", gpu=2, kind="second"),
        workload("a", "job", gpu=2, priority=1),
    )
    assert flavors_of(state, JOB) == {GPU: "second"}
    assert admitted(state) == {"equal", "job"}


def test_reclaiming_is_preferred_to_preempting_in_the_own_queue() -> None:
    state = cluster(two_flavors(2, 2), cluster_queue("b", flavor_quotas("second", gpu=Quota(0))))
    state = in_turn(
        state,
        workload("a", "low", gpu=2, kind="first"),
        workload("b", "borrower", gpu=2),
        workload("a", "job", gpu=2, priority=1),
    )
    assert flavors_of(state, JOB) == {GPU: "second"}
    assert admitted(state) == {"low", "job"}


def test_a_preference_makes_nothing_better_of_a_flavor_where_nobody_may_go() -> None:
    """The queue's own quota is lent out and it may not reclaim it: borrowing is all that is left."""
    fungibility = FlavorFungibility("TryNextFlavor", "TryNextFlavor", "PreemptionOverBorrowing")
    owner = two_flavors(2, 0, fungibility=fungibility, preemption=Preemption())
    state = in_turn(cluster(owner, lender(0, 2)), workload("b", "borrower", gpu=2, kind="first"))
    assert flavors_of(in_turn(state, workload("a", "job", gpu=2)), JOB) == {GPU: "second"}


def test_who_came_second_for_a_victim_goes_on_with_the_next_flavor() -> None:
    """Both would have the same one go in the first flavor; whoever is told to try again has looked at that one."""
    stops = FlavorFungibility("MayStopSearch", "MayStopSearch")
    taking = Preemption(reclaim_within_cohort="Any")
    queues = [two_flavors(2, 2, name=name, fungibility=stops, preemption=taking) for name in ("a", "b")]
    state = cluster(*queues, two_flavors(0, 0, name="c"), strategies=())
    state = in_turn(state, workload("c", "victim", gpu=4, kind="first"))
    jobs = [workload("a", "early", gpu=2), workload("b", "late", gpu=2, created=1)]
    outcome = after(state, [Submit(each) for each in jobs], 100)
    assert [each.by for each in outcome.decisions if each.kind is Kind.PREEMPTED] == [("a", "early")]
    assert flavors_of(outcome.state, ("a", "early")) == {GPU: "first"}
    assert flavors_of(outcome.state, ("b", "late")) == {GPU: "second"}
