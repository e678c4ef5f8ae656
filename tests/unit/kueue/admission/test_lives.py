"""A workload from its submission to its end: what happens to it, in what order, and what its conditions say."""

import pytest

from governor.kueue.admission import Decision, Kind, State, after, cluster_queue_status
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
from governor.kueue.objects import Admission, Condition, LocalQueue, PodSetAssignment, Preemption, Quota
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

JOB, OTHER = ("a", "job"), ("a", "other")


def single() -> State:
    """A queue of two devices, in which a higher priority takes from a lower one."""
    return cluster(cluster_queue("a", flavor_quotas("only", gpu=Quota(2)), preemption=Preemption("LowerPriority")))


def running() -> State:
    return in_turn(single(), workload("a", "job", gpu=2))


def at(state: State, condition: str) -> int:
    return state.workloads[JOB].conditions[condition].at


def test_an_admitted_workload_has_its_flavors_and_usage() -> None:
    state = in_turn(single(), workload("a", "job", pods=2, gpu=1))
    assert state.workloads[JOB].admission == Admission("a", (PodSetAssignment("main", 2, {GPU: "only"}, {GPU: 2}),))


def test_an_admission_is_two_decisions_and_two_conditions() -> None:
    outcome = then(single(), Submit(workload("a", "job", gpu=2)), at=7)
    assert outcome.decisions == (
        Decision(Kind.RESERVED, JOB, "QuotaReserved", "Quota reserved in ClusterQueue a"),
        Decision(Kind.ADMITTED, JOB, "Admitted", "The workload is admitted"),
    )
    assert dict(outcome.state.workloads[JOB].conditions) == {
        "QuotaReserved": Condition("QuotaReserved", "True", "QuotaReserved", "Quota reserved in ClusterQueue a", 7),
        "Admitted": Condition("Admitted", "True", "Admitted", "The workload is admitted", 7),
    }


def test_a_refusal_says_what_is_missing() -> None:
    outcome = then(running(), Submit(workload("a", "other", gpu=1)), at=100)
    message = (
        f"couldn't assign flavors to pod set main: insufficient unused quota for {GPU} in flavor only, 1 more needed"
    )
    assert outcome.decisions == (Decision(Kind.PENDING, OTHER, "Pending", message),)
    assert told(outcome.state, OTHER) == ("False", "Pending", message)


def test_cores_are_shown_as_kueue_shows_them() -> None:
    state = cluster(cluster_queue("a", flavor_quotas("only", cpu=Quota(1500))))
    state = in_turn(state, workload("a", "job", cpu=2000))
    assert told(state, JOB)[2].endswith("(0) + current podset request (2) > maximum capacity (1500m)")


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    state = then(running(), Submit(workload("a", "other", gpu=2)), at=100).state
    cut = cluster_queue("a", flavor_quotas("only", gpu=Quota(1)), preemption=Preemption("LowerPriority"))
    later = then(state, SetClusterQueue(cut), at=200).state
    before, now = (each.workloads[OTHER].conditions["QuotaReserved"] for each in (state, later))
    assert before.message != now.message
    assert before.at == now.at == 100


def test_a_preemption_in_order() -> None:
    outcome = then(running(), Submit(workload("a", "other", gpu=2, priority=1)), at=100)
    message = (
        "Preempted to accommodate a workload (UID: uid-other, JobUID: UNKNOWN) due to prioritization in the "
        "ClusterQueue; preemptor path: /all/a; preemptee path: /all/a"
    )
    assert outcome.decisions[0] == Decision(Kind.PREEMPTED, JOB, "InClusterQueue", message, by=OTHER)
    assert decided(outcome)[1:5] == [
        ("Pending", "other"),
        ("Requeued", "job"),
        ("QuotaReserved", "other"),
        ("Admitted", "other"),
    ]
    assert told(outcome.state, JOB, "Evicted") == ("True", "Preempted", message)
    assert told(outcome.state, JOB, "Preempted") == ("True", "InClusterQueue", message)
    assert told(outcome.state, JOB, "Admitted") == ("False", "NoReservation", "The workload has no reservation")
    assert told(outcome.state, JOB, "Requeued") == ("True", "Preempted", message)
    assert told(outcome.state, JOB)[:2] == ("False", "Pending")


def test_the_path_of_a_queue_outside_any_cohort_is_its_name() -> None:
    state = cluster(
        cluster_queue("a", flavor_quotas("only", gpu=Quota(2)), cohort="", preemption=Preemption("LowerPriority"))
    )
    state = in_turn(state, workload("a", "job", gpu=2), workload("a", "other", gpu=2, priority=1))
    assert told(state, JOB, "Preempted")[2].endswith("; preemptor path: /a; preemptee path: /a")


def test_a_second_admission_tells_the_preemption_as_one_of_the_past() -> None:
    state = then(running(), Submit(workload("a", "other", gpu=2, priority=1)), at=100).state
    before = told(state, JOB, "Preempted")[2]
    outcome = then(state, Finish(OTHER), at=200)
    past = ("False", "QuotaReserved", f"Previously: {before}")
    assert told(outcome.state, JOB, "Evicted") == told(outcome.state, JOB, "Preempted") == past
    assert told(outcome.state, JOB, "Requeued")[0] == "True"
    assert at(outcome.state, "Evicted") == at(outcome.state, "QuotaReserved") == outcome.at == 201


def test_the_past_is_told_once() -> None:
    state = then(running(), Submit(workload("a", "other", gpu=2, priority=1)), at=100).state
    state = then(state, Finish(OTHER), at=200).state
    state = then(state, Submit(workload("a", "third", gpu=2, priority=1)), at=300).state
    before = told(state, JOB, "Preempted")[2]
    assert "uid-third" in before
    assert told(then(state, Finish(("a", "third")), at=400).state, JOB, "Preempted")[2] == f"Previously: {before}"


def test_a_past_that_was_told_stays_as_it_is_when_something_else_happens() -> None:
    state = then(running(), Submit(workload("a", "other", gpu=2, priority=1)), at=100).state
    state = then(state, Finish(OTHER), at=200).state
    past = told(state, JOB, "Preempted")
    state = then(state, SetActive(JOB, active=False), at=300).state
    state = then(state, SetActive(JOB, active=True), at=400).state
    assert told(state, JOB, "Preempted") == past
    assert told(state, JOB, "Evicted")[2] == "Previously: The workload is deactivated"


@pytest.mark.parametrize("end", [Finish(JOB), Delete(JOB)])
def test_one_that_ends_while_it_is_evicted_does_not_wait_again(end: Event) -> None:
    outcome = then(running(), SetActive(JOB, active=False), end, at=100)
    assert Kind.REQUEUED not in {each.kind for each in outcome.decisions}
    assert cluster_queue_status(outcome.state, "a").admitted == 0


@pytest.mark.parametrize(("succeeded", "reason"), [(True, "Succeeded"), (False, "Failed")])
def test_a_finished_workload_keeps_its_admission_and_uses_nothing(succeeded: bool, reason: str) -> None:
    outcome = then(running(), Finish(JOB, "It ended", succeeded), at=100)
    assert outcome.decisions == (Decision(Kind.FINISHED, JOB, reason, "It ended"),)
    assert told(outcome.state, JOB, "Finished") == ("True", reason, "It ended")
    assert told(outcome.state, JOB)[0] == "True"
    assert outcome.state.workloads[JOB].admission is not None
    assert admitted(then(outcome.state, Submit(workload("a", "other", gpu=2)), at=200).state) == {"other"}


def test_one_that_waits_may_finish_too() -> None:
    state = in_turn(running(), workload("a", "other", gpu=2))
    state = then(state, Finish(OTHER), at=100).state
    assert admitted(then(state, Finish(JOB), at=200).state) == set()


@pytest.mark.parametrize("key", [JOB, OTHER])
def test_a_deleted_workload_leaves_nothing_behind(key: tuple[str, str]) -> None:
    state = in_turn(running(), workload("a", "other", gpu=2))
    state = then(state, Delete(key), at=100).state
    (left,) = state.workloads
    assert left != key
    assert admitted(state) == {left[1]}


@pytest.mark.parametrize(
    "event",
    [
        Finish(("a", "x")),
        Delete(("a", "x")),
        SetPriority(("a", "x"), 1),
        SetActive(("a", "x"), active=False),
        SetQueue(("a", "x"), "a"),
        Submit(workload("a", "job", gpu=1, priority=9)),
        SetQueue(JOB, "elsewhere"),
        SetActive(JOB, active=True),
    ],
)
def test_what_is_not_there_or_there_already_changes_nothing(event: Event) -> None:
    state = running()
    outcome = then(state, event, at=100)
    assert (outcome.decisions, outcome.at) == ((), 100)
    assert outcome.state == forgetful(state, now=100)


@pytest.mark.parametrize("event", [Finish(JOB), SetActive(JOB, active=False), SetActive(JOB, active=True)])
def test_what_is_finished_stays_so(event: Event) -> None:
    finished = then(running(), Finish(JOB), at=100).state
    outcome = then(finished, event, at=200)
    assert (outcome.decisions, outcome.state.workloads) == ((), finished.workloads)


def test_a_deactivated_workload_gives_up_its_quota_and_does_not_wait() -> None:
    state = in_turn(running(), workload("a", "other", gpu=2))
    outcome = then(state, SetActive(JOB, active=False), at=100)
    why = ("Deactivated", "The workload is deactivated")
    assert outcome.decisions[0] == Decision(Kind.EVICTED, JOB, *why)
    assert admitted(outcome.state) == {"other"}
    assert told(outcome.state, JOB, "Evicted") == ("True", *why)
    assert told(outcome.state, JOB, "Requeued") == ("False", *why)
    assert told(outcome.state, JOB) == ("False", "Pending", "The workload is deactivated")
    assert admitted(then(outcome.state, Finish(OTHER), at=200).state) == set()


def test_a_reactivated_workload_waits_and_gets_in() -> None:
    state = then(running(), SetActive(JOB, active=False), at=100).state
    state = then(state, SetActive(JOB, active=True), at=200).state
    assert admitted(state) == {"job"}
    assert told(state, JOB, "Requeued") == ("True", "Reactivated", "The workload was reactivated")
    assert told(state, JOB, "Evicted") == ("False", "QuotaReserved", "Previously: The workload is deactivated")


def test_one_that_waits_can_be_deactivated() -> None:
    state = in_turn(running(), workload("a", "other", gpu=2))
    state = then(state, SetActive(OTHER, active=False), at=100).state
    assert told(state, OTHER, "Evicted") == ("True", "Deactivated", "The workload is deactivated")
    state = then(state, Finish(JOB), at=200).state
    assert admitted(state) == set()
    assert admitted(then(state, SetActive(OTHER, active=True), at=300).state) == {"other"}


def test_one_that_is_submitted_deactivated_does_not_get_in() -> None:
    state = single()
    job = workload("a", "job", gpu=2)
    state = then(state, Submit(job), SetActive(JOB, active=False)).state
    assert admitted(state) == set()


def test_a_workload_that_waits_moves_to_another_queue() -> None:
    state = cluster(*(cluster_queue(name, flavor_quotas("only", gpu=Quota(2)), cohort="") for name in ("a", "b")))
    state = forgetful(state, local_queues={**state.local_queues, ("a", "b"): LocalQueue("a", "b", "b")})
    state = in_turn(state, workload("a", "job", gpu=2), workload("a", "other", gpu=2))
    state = then(state, SetQueue(OTHER, "b"), at=100).state
    admission = state.workloads[OTHER].admission
    assert admission is not None
    assert admission.cluster_queue == "b"


def test_a_workload_that_moves_to_nowhere_is_told() -> None:
    state = in_turn(running(), workload("a", "other", gpu=2))
    state = then(state, SetQueue(OTHER, "gone"), at=100).state
    assert told(state, OTHER) == ("False", "Inadmissible", "LocalQueue gone doesn't exist")


@pytest.mark.parametrize(("seconds", "at"), [(1, 101), (0, 100)])
def test_what_was_refused_is_tried_again_after_kueues_second_or_at_once(seconds: int, at: int) -> None:
    state = in_turn(running(), workload("a", "other", gpu=2))
    outcome = after(state, [Finish(JOB)], 100, retry_seconds=seconds)
    reserved = outcome.state.workloads[OTHER].conditions["QuotaReserved"]
    assert (reserved.status, reserved.at, outcome.at, outcome.state.now) == ("True", at, at, at)
