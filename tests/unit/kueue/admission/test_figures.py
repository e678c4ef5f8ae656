"""The statuses of queues and cohorts: counts, usage, what is borrowed, weighted shares, and whether a queue is open."""

import pytest

from governor.kueue.admission import State, cluster_queue_status, cohort_share, local_queue_status
from governor.kueue.admission.events import (
    Finish,
    RemoveClusterQueue,
    RemoveFlavor,
    SetActive,
    SetClusterQueue,
    SetCohort,
    SetLocalQueue,
    Submit,
)
from governor.kueue.objects import UNLIMITED_SHARE, Cohort, Condition, FlavorUsage, LocalQueue, Quota, ResourceGroup
from tests.support.kueue_worlds import GPU, cluster, cluster_queue, flavor_quotas, forgetful, in_turn, then, workload

READY = Condition("Active", "True", "Ready", "Can admit new workloads")


def pair() -> State:
    """Queue a has four devices in two flavors and borrows two more from b."""
    first, second = flavor_quotas("first", gpu=Quota(3), cpu=Quota(8)), flavor_quotas("second", gpu=Quota(1))
    lends = flavor_quotas("first", gpu=Quota(4), cpu=Quota(8))
    return cluster(cluster_queue("a", first, second), cluster_queue("b", lends))


def test_a_queue_that_nobody_uses_shows_every_flavor_and_resource() -> None:
    status = cluster_queue_status(pair(), "a")
    nothing = {"first": {GPU: FlavorUsage(0), "cpu": FlavorUsage(0)}, "second": {GPU: FlavorUsage(0)}}
    assert (status.pending, status.reserving, status.admitted) == (0, 0, 0)
    assert status.used == status.reserved == nothing
    assert status.weighted_share == 0
    assert status.conditions == (READY,)


def test_usage_is_shown_with_what_is_borrowed() -> None:
    state = in_turn(pair(), workload("a", "big", gpu=5, cpu=9), workload("a", "waits", gpu=9))
    status = cluster_queue_status(state, "a")
    assert (status.pending, status.reserving, status.admitted) == (1, 1, 1)
    assert status.used == status.reserved
    assert status.used == {
        "first": {GPU: FlavorUsage(5, 2), "cpu": FlavorUsage(9, 1)},
        "second": {GPU: FlavorUsage(0)},
    }
    assert cluster_queue_status(state, "b").used["first"][GPU] == FlavorUsage(0)


def test_a_finished_workload_is_in_no_figure() -> None:
    state = then(in_turn(pair(), workload("a", "big", gpu=5)), Finish(("a", "big")), at=100).state
    status = cluster_queue_status(state, "a")
    assert (status.pending, status.reserving, status.admitted) == (0, 0, 0)
    assert status.used["first"][GPU] == FlavorUsage(0)


def test_a_queue_outside_any_cohort_borrows_nothing_even_above_its_quota() -> None:
    alone = cluster_queue("a", flavor_quotas("only", gpu=Quota(4)), cohort="")
    state = in_turn(cluster(alone), workload("a", "job", gpu=4))
    cut = cluster_queue("a", flavor_quotas("only", gpu=Quota(1)), cohort="")
    status = cluster_queue_status(then(state, SetClusterQueue(cut), at=100).state, "a")
    assert status.used["only"][GPU] == FlavorUsage(4)
    assert status.weighted_share == 0


@pytest.mark.parametrize(
    ("devices", "weight", "share"),
    [(3, 1000, 0), (4, 1000, 125), (6, 1000, 375), (6, 3000, 125), (5, 3000, 84), (4, 0, UNLIMITED_SHARE), (3, 0, 0)],
)
def test_the_weighted_share_is_of_what_can_be_lent(devices: int, weight: int, share: int) -> None:
    """Eight devices can be lent: three of a itself, five of b. Thousandths, divided by the weight, rounded up."""
    borrower = cluster_queue("a", flavor_quotas("only", gpu=Quota(3)), weight=weight)
    lender = cluster_queue("b", flavor_quotas("only", gpu=Quota(9, None, 5)))
    state = in_turn(cluster(borrower, lender), workload("a", "job", gpu=devices))
    assert cluster_queue_status(state, "a").weighted_share == share


def test_the_share_is_that_of_the_dominant_resource_over_all_flavors() -> None:
    """Borrowed are 1 + 1 of 12 devices, and 5 of 40 cores: the devices are more."""
    quotas = [flavor_quotas(name, gpu=Quota(0), cpu=Quota(0)) for name in ("f", "g")]
    lends = [flavor_quotas(name, gpu=Quota(6), cpu=Quota(20)) for name in ("f", "g")]
    state = cluster(cluster_queue("a", *quotas), cluster_queue("b", *lends))
    state = in_turn(state, workload("a", "f", gpu=1, cpu=5, kind="f"), workload("a", "g", gpu=1, kind="g"))
    assert cluster_queue_status(state, "a").weighted_share == 167


def test_quota_of_the_cohort_can_be_lent_too() -> None:
    own = Cohort("all", resource_groups=(ResourceGroup((GPU,), (flavor_quotas("only", gpu=Quota(4)),)),))
    state = then(cluster(cluster_queue("a", flavor_quotas("only", gpu=Quota(4)))), SetCohort(own)).state
    state = in_turn(state, workload("a", "job", gpu=5))
    assert cluster_queue_status(state, "a").weighted_share == 125


def test_without_fair_sharing_nobody_has_a_share() -> None:
    state = forgetful(pair(), strategies=())
    assert cluster_queue_status(state, "a").weighted_share is None
    assert cohort_share(state, "all") is None


def test_a_cohort_without_a_parent_has_a_share_of_0() -> None:
    state = then(pair(), SetCohort(Cohort("all"))).state
    assert cohort_share(state, "all") == 0
    assert cohort_share(then(state, SetCohort(Cohort("all", "root")), at=10).state, "all") is None


def shared() -> State:
    """Two doors to one queue, a workload through each, and one that waits."""
    state = cluster(cluster_queue("a", flavor_quotas("only", gpu=Quota(3)), cohort=""))
    state = forgetful(state, local_queues={**state.local_queues, ("b", "b"): LocalQueue("b", "b", "a")})
    state = in_turn(state, workload("a", "one", gpu=1), workload("b", "two", gpu=2))
    return in_turn(state, workload("b", "waits", gpu=1))


def test_a_local_queue_shows_what_came_through_it() -> None:
    of_a, of_b = (local_queue_status(shared(), name, name) for name in "ab")
    assert (of_a.pending, of_a.reserving, of_a.admitted) == (0, 1, 1)
    assert (of_b.pending, of_b.reserving, of_b.admitted) == (1, 1, 1)
    assert of_a.used == of_a.reserved == {"only": {GPU: FlavorUsage(1)}}
    assert of_b.used == of_b.reserved == {"only": {GPU: FlavorUsage(2)}}
    assert of_a.weighted_share is None


def test_a_local_queue_has_nothing_borrowed() -> None:
    state = in_turn(pair(), workload("a", "big", gpu=5))
    assert local_queue_status(state, "a", "a").used["first"][GPU] == FlavorUsage(5)


def test_who_waits_in_a_shut_queue_is_pending_and_who_is_not_active_too() -> None:
    state = then(shared(), SetClusterQueue(cluster_queue("a", flavor_quotas("only", gpu=Quota(3)), stop_policy="Hold")))
    assert cluster_queue_status(state.state, "a").pending == 1
    assert local_queue_status(state.state, "b", "b").pending == 1


@pytest.mark.parametrize(
    ("stop", "flavor", "condition"),
    [
        ("None", True, READY),
        ("Hold", True, Condition("Active", "False", "Stopped", "Can't admit new workloads: is stopped.")),
        ("HoldAndDrain", True, Condition("Active", "False", "Stopped", "Can't admit new workloads: is stopped.")),
        (
            "None",
            False,
            Condition(
                "Active",
                "False",
                "FlavorNotFound",
                "Can't admit new workloads: references missing ResourceFlavor(s): only.",
            ),
        ),
        (
            "Hold",
            False,
            Condition(
                "Active",
                "False",
                "Stopped",
                "Can't admit new workloads: is stopped, references missing ResourceFlavor(s): only.",
            ),
        ),
    ],
)
def test_whether_a_cluster_queue_is_open(stop: str, flavor: bool, condition: Condition) -> None:
    state = cluster(cluster_queue("a", flavor_quotas("only", gpu=Quota(1)), stop_policy=stop))
    state = state if flavor else then(state, RemoveFlavor("only")).state
    assert cluster_queue_status(state, "a").conditions == (condition,)


def test_all_missing_flavors_are_named_in_order() -> None:
    state = then(pair(), RemoveFlavor("second"), RemoveFlavor("first")).state
    (condition,) = cluster_queue_status(state, "a").conditions
    assert condition.message.endswith("references missing ResourceFlavor(s): first,second.")


def closed(reason: str, message: str = "Can't submit new workloads to clusterQueue") -> Condition:
    return Condition("Active", "False", reason, message)


def test_whether_a_local_queue_is_open() -> None:
    state = shared()
    (ready,) = local_queue_status(state, "a", "a").conditions
    assert ready == Condition("Active", "True", "Ready", "Can submit new workloads to localQueue")
    held = then(state, SetLocalQueue(LocalQueue("a", "a", "a", "Hold")), at=100).state
    assert local_queue_status(held, "a", "a").conditions == (closed("Stopped", "LocalQueue is stopped"),)
    assert local_queue_status(held, "b", "b").conditions == (ready,)


def test_a_local_queue_of_a_shut_queue_or_of_none_is_shut() -> None:
    state = shared()
    without_flavor = then(state, RemoveFlavor("only"), at=100).state
    assert local_queue_status(without_flavor, "b", "b").conditions == (closed("ClusterQueueIsInactive"),)
    lost = then(state, SetLocalQueue(LocalQueue("b", "b", "nowhere")), at=100).state
    assert local_queue_status(lost, "b", "b").conditions == (closed("ClusterQueueDoesNotExist"),)
    lost_and_held = then(state, SetLocalQueue(LocalQueue("b", "b", "nowhere", "Hold")), at=100).state
    assert local_queue_status(lost_and_held, "b", "b").conditions == (closed("Stopped", "LocalQueue is stopped"),)
    gone = then(cluster(cluster_queue("a", flavor_quotas("only", gpu=Quota(3)))), RemoveClusterQueue("a")).state
    assert local_queue_status(gone, "a", "a").conditions == (closed("ClusterQueueDoesNotExist"),)


def test_what_is_not_there_has_no_status() -> None:
    with pytest.raises(KeyError):
        cluster_queue_status(pair(), "x")
    with pytest.raises(KeyError):
        local_queue_status(pair(), "a", "x")


def test_looking_at_a_status_changes_nothing() -> None:
    state = in_turn(pair(), workload("a", "big", gpu=5))
    copy = forgetful(state)
    assert cluster_queue_status(state, "a") == cluster_queue_status(state, "a") == cluster_queue_status(copy, "a")
    assert local_queue_status(state, "a", "a") == local_queue_status(copy, "a", "a")
    assert state == copy


def test_one_that_is_not_active_is_no_longer_admitted() -> None:
    state = then(shared(), SetActive(("a", "one"), active=False), Submit(workload("a", "more", gpu=9)), at=100).state
    status = local_queue_status(state, "a", "a")
    assert (status.reserving, status.admitted) == (0, 0)
