"""Who must go for whom without fair sharing: in the own queue, for what was lent, and while borrowing."""

import pytest

from governor.kueue.admission import Kind, Outcome, State, after
from governor.kueue.admission.events import FAIR_SHARING, Finish, Submit
from governor.kueue.objects import ClusterQueue, Preemption, Quota
from tests.support.kueue_worlds import (
    admitted,
    cluster,
    cluster_queue,
    flavor_quotas,
    in_turn,
    then,
    told,
    workload,
)

RECLAIMS = Preemption(reclaim_within_cohort="Any")
NOBODY = Preemption()


def queue(name: str, nominal: int, preemption: Preemption = NOBODY, *, cohort: str = "all") -> ClusterQueue:
    return cluster_queue(name, flavor_quotas("only", gpu=Quota(nominal)), preemption=preemption, cohort=cohort)


def classical(*queues: ClusterQueue) -> State:
    return cluster(*queues, strategies=())


def preempted(outcome: Outcome) -> list[tuple[str, str]]:
    """Who had to go and why, in order."""
    return [(each.workload[1], each.reason) for each in outcome.decisions if each.kind is Kind.PREEMPTED]


def asks(state: State, name: str, *, gpu: int, priority: int = 0, at: int = 1000, created: int = 500) -> Outcome:
    """What comes of the preemptor of queue ``name``."""
    return after(state, [Submit(workload(name, "preemptor", gpu=gpu, priority=priority, created=created))], at)


@pytest.mark.parametrize(
    ("policy", "priority", "created", "goes"),
    [
        ("Never", 2, 0, False),
        ("LowerPriority", 2, 0, True),
        ("LowerPriority", 1, 0, False),
        ("LowerOrNewerEqualPriority", 2, 500, True),
        ("LowerOrNewerEqualPriority", 1, 0, True),
        ("LowerOrNewerEqualPriority", 1, 500, False),
        ("LowerOrNewerEqualPriority", 1, 10, False),
        ("LowerOrNewerEqualPriority", 0, 0, False),
    ],
)
def test_whom_a_policy_lets_go_in_the_own_queue(policy: str, priority: int, created: int, goes: bool) -> None:
    state = classical(queue("a", 2, Preemption(policy), cohort=""))
    state = in_turn(state, workload("a", "running", gpu=2, priority=1, created=10))
    outcome = asks(state, "a", gpu=2, priority=priority, created=created)
    assert preempted(outcome) == ([("running", "InClusterQueue")] if goes else [])
    assert admitted(outcome.state) == ({"preemptor"} if goes else {"running"})


@pytest.mark.parametrize(
    ("policy", "priority", "goes"),
    [("Never", 9, False), ("LowerPriority", 0, False), ("LowerPriority", 2, True), ("Any", 0, True)],
)
def test_whom_a_policy_lets_go_in_the_cohort(policy: str, priority: int, goes: bool) -> None:
    state = classical(queue("a", 2, Preemption(reclaim_within_cohort=policy)), queue("b", 0))
    state = in_turn(state, workload("b", "borrower", gpu=2, priority=1))
    outcome = asks(state, "a", gpu=2, priority=priority)
    assert preempted(outcome) == ([("borrower", "InCohortReclamation")] if goes else [])


def test_nobody_is_reclaimed_from_who_does_not_borrow() -> None:
    state = in_turn(classical(queue("a", 2, RECLAIMS), queue("b", 2)), workload("b", "own", gpu=2))
    outcome = asks(state, "a", gpu=3)
    assert preempted(outcome) == []
    assert admitted(outcome.state) == {"own"}


def test_no_more_is_reclaimed_than_was_borrowed() -> None:
    state = classical(queue("a", 4, RECLAIMS), queue("b", 1))
    state = in_turn(state, *(workload("b", f"w{number}", gpu=1, created=number) for number in range(5)))
    outcome = asks(state, "a", gpu=4)
    assert len(preempted(outcome)) == 4
    assert admitted(outcome.state) == {"preemptor", "w0"}


def test_nobody_goes_if_that_would_not_be_enough() -> None:
    state = classical(queue("a", 4, Preemption("LowerPriority")))
    state = in_turn(state, workload("a", "low", gpu=2), workload("a", "equal", gpu=2, priority=1))
    outcome = asks(state, "a", gpu=4, priority=1)
    assert preempted(outcome) == []
    assert told(outcome.state, ("a", "preemptor"))[2] == (
        "couldn't assign flavors to pod set main: insufficient unused quota for nvidia.com/gpu in flavor only, "
        "4 more needed"
    )


def test_nobody_goes_for_one_that_fits_anyway() -> None:
    state = in_turn(classical(queue("a", 4, Preemption("LowerPriority"))), workload("a", "low", gpu=2))
    assert preempted(asks(state, "a", gpu=2, priority=1)) == []


def test_the_lowest_priority_goes_first() -> None:
    state = classical(queue("a", 3, Preemption("LowerPriority")))
    state = in_turn(
        state,
        workload("a", "middle", gpu=1, priority=5),
        workload("a", "lowest", gpu=1),
        workload("a", "high", gpu=1, priority=7),
    )
    assert preempted(asks(state, "a", gpu=1, priority=9)) == [("lowest", "InClusterQueue")]


def test_of_equals_the_most_recently_admitted_goes_first() -> None:
    state = classical(queue("a", 3, Preemption("LowerPriority")))
    state = in_turn(state, *(workload("a", name, gpu=1) for name in ("oldest", "middle", "youngest")))
    assert preempted(asks(state, "a", gpu=1, priority=9)) == [("youngest", "InClusterQueue")]


def test_of_those_admitted_at_once_the_lowest_uid_goes_first() -> None:
    state = classical(queue("a", 3, Preemption("LowerPriority")))
    state = after(state, [Submit(workload("a", name, gpu=1)) for name in ("c", "a", "b")], 0).state
    assert preempted(asks(state, "a", gpu=1, priority=9)) == [("a", "InClusterQueue")]


def test_those_of_other_queues_go_before_those_of_the_own_one() -> None:
    state = classical(queue("a", 2, Preemption("LowerPriority", "Any")), queue("b", 0))
    state = in_turn(state, workload("a", "own", gpu=1), workload("b", "borrower", gpu=1, priority=9))
    assert preempted(asks(state, "a", gpu=1, priority=5)) == [("borrower", "InCohortReclamation")]


def test_as_few_go_as_can_be() -> None:
    """The small one is chosen first, and is left alone once the big one alone makes room."""
    state = classical(queue("a", 4, Preemption("LowerPriority")))
    state = in_turn(state, workload("a", "big", gpu=3, priority=1), workload("a", "small", gpu=1))
    outcome = asks(state, "a", gpu=3, priority=9)
    assert preempted(outcome) == [("big", "InClusterQueue")]
    assert admitted(outcome.state) == {"small", "preemptor"}


def test_only_who_uses_what_is_short_goes() -> None:
    quotas = flavor_quotas("only", gpu=Quota(1), cpu=Quota(9))
    state = classical(cluster_queue("a", quotas, preemption=Preemption("LowerPriority")))
    state = in_turn(state, workload("a", "devices", gpu=1, priority=1), workload("a", "cores", cpu=4))
    assert preempted(asks(state, "a", gpu=1, priority=9)) == [("devices", "InClusterQueue")]


def test_a_victim_waits_again_and_comes_back_when_there_is_room() -> None:
    state = classical(queue("a", 2, RECLAIMS), queue("b", 1))
    state = in_turn(state, workload("b", "borrower", gpu=3))
    outcome = asks(state, "a", gpu=2)
    kinds = [each.kind for each in outcome.decisions if each.workload == ("b", "borrower")]
    assert kinds[:3] == [Kind.PREEMPTED, Kind.REQUEUED, Kind.PENDING]
    assert outcome.state.workloads["b", "borrower"].admission is None
    assert admitted(then(outcome.state, Finish(("a", "preemptor")), at=2000).state) == {"borrower"}


BORROWS = Preemption("LowerPriority", "Any", "LowerPriority")


def while_borrowing(preemption: Preemption, *, victim: int) -> State:
    """Queue a has one device of its own and wants two; b and c have what is left, and b borrows."""
    state = classical(queue("a", 1, preemption), queue("b", 1), queue("c", 2))
    state = in_turn(state, workload("b", "borrower", gpu=2, priority=victim), workload("c", "own", gpu=1))
    return in_turn(state, workload("c", "second", gpu=1))


def test_who_borrows_preempts_nobody_if_that_is_not_allowed() -> None:
    outcome = asks(while_borrowing(Preemption("LowerPriority", "Any"), victim=0), "a", gpu=2, priority=9)
    assert preempted(outcome) == []


def test_who_borrows_may_be_allowed_to_preempt_a_lower_priority() -> None:
    outcome = asks(while_borrowing(BORROWS, victim=0), "a", gpu=2, priority=9)
    assert preempted(outcome) == [("borrower", "InCohortReclaimWhileBorrowing")]
    assert admitted(outcome.state) == {"own", "second", "preemptor"}


@pytest.mark.parametrize("priority", [0, 5])
def test_who_borrows_preempts_no_equal_or_higher_priority(priority: int) -> None:
    assert preempted(asks(while_borrowing(BORROWS, victim=5), "a", gpu=2, priority=priority)) == []


@pytest.mark.parametrize(("threshold", "goes"), [(4, False), (5, True), (6, True)])
def test_a_threshold_protects_from_who_borrows(threshold: int, goes: bool) -> None:
    bounded = Preemption("LowerPriority", "Any", "LowerPriority", threshold)
    assert bool(preempted(asks(while_borrowing(bounded, victim=5), "a", gpu=2, priority=9))) is goes


def test_a_threshold_protects_from_nobody_who_does_not_borrow() -> None:
    bounded = Preemption("LowerPriority", "Any", "LowerPriority", 4)
    state = in_turn(classical(queue("a", 2, bounded), queue("b", 0)), workload("b", "borrower", gpu=2, priority=5))
    assert preempted(asks(state, "a", gpu=2, priority=9)) == [("borrower", "InCohortReclamation")]


def test_who_may_borrow_does_so_rather_than_let_its_own_go() -> None:
    state = classical(queue("a", 2, BORROWS), queue("b", 0), queue("c", 2))
    state = in_turn(state, workload("a", "own", gpu=1), workload("b", "low", gpu=2))
    state = in_turn(state, workload("b", "high", gpu=1, priority=9))
    assert preempted(asks(state, "a", gpu=2, priority=5)) == [("low", "InCohortReclaimWhileBorrowing")]


def test_a_queue_at_its_quota_has_only_its_own_go_and_borrows() -> None:
    """To do without borrowing it would need both of its own."""
    state = classical(queue("a", 2, Preemption("LowerPriority", "Any")), queue("b", 0), queue("c", 3))
    state = in_turn(state, workload("a", "low", gpu=1), workload("a", "middle", gpu=1, priority=1))
    state = in_turn(state, workload("b", "borrower", gpu=2))
    assert preempted(asks(state, "a", gpu=2, priority=5)) == [("low", "InClusterQueue")]


def test_from_a_queue_that_no_longer_borrows_nobody_else_is_taken() -> None:
    """The second one of b would be next, but the first has paid back all that b had borrowed."""
    state = classical(queue("a", 2, RECLAIMS), queue("b", 1), queue("c", 0))
    state = in_turn(state, workload("c", "old", gpu=1))
    state = in_turn(state, workload("b", "newer", gpu=1), workload("b", "newest", gpu=1), at=100)
    assert {name for name, _ in preempted(asks(state, "a", gpu=2))} == {"newest", "old"}


@pytest.mark.parametrize("strategies", [(), FAIR_SHARING])
def test_who_borrows_another_flavor_is_not_reclaimed_from_in_this_one(strategies: tuple[str, ...]) -> None:
    def both(name: str, first: int, second: int) -> ClusterQueue:
        quotas = flavor_quotas("first", gpu=Quota(first)), flavor_quotas("second", gpu=Quota(second))
        return cluster_queue(name, *quotas, preemption=Preemption("LowerPriority", "Any"))

    state = cluster(both("a", 2, 0), both("b", 2, 0), both("c", 0, 2), strategies=strategies)
    state = in_turn(state, workload("b", "own", gpu=2, kind="first"), workload("b", "borrows", gpu=2, kind="second"))
    state = in_turn(state, workload("a", "low", gpu=2, kind="first"))
    job = workload("a", "preemptor", gpu=2, priority=1, kind="first")
    assert preempted(after(state, [Submit(job)], 1000)) == [("low", "InClusterQueue")]


def test_two_preemptors_do_not_share_a_victim() -> None:
    """Both find the same one; the second is told so and tried again, and finds nobody left."""
    state = classical(queue("a", 2, RECLAIMS), queue("b", 2, RECLAIMS), queue("c", 0))
    state = in_turn(state, workload("c", "big", gpu=4))
    both = [Submit(workload(name, f"{name}-asks", gpu=2, created=number)) for number, name in enumerate("ab")]
    outcome = after(state, both, 100)
    assert [each.by for each in outcome.decisions if each.kind is Kind.PREEMPTED] == [("a", "a-asks")]
    assert any("overlapping preemption targets" in each.message for each in outcome.decisions)
    assert admitted(outcome.state) == {"a-asks", "b-asks"}


def test_who_preempts_is_told_how_many_it_waits_for() -> None:
    state = classical(queue("a", 2, RECLAIMS), queue("b", 0))
    state = in_turn(state, workload("b", "w0", gpu=1), workload("b", "w1", gpu=1))
    outcome = asks(state, "a", gpu=2)
    pending = next(each for each in outcome.decisions if each.kind is Kind.PENDING)
    assert pending.workload == ("a", "preemptor")
    assert pending.message.endswith("2 more needed. Pending the preemption of 2 workload(s)")
