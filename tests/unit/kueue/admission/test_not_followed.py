"""Where the model does not know what Kueue would do it says so, once, and leaves the workload where it is."""

from dataclasses import replace

import pytest

from governor.kueue.admission import Decision, Kind, State, after
from governor.kueue.admission.events import (
    Delete,
    Event,
    Finish,
    RemoveCohort,
    SetClusterQueue,
    SetCohort,
    SetPriority,
    SetQueue,
    Submit,
)
from governor.kueue.objects import ClusterQueue, Cohort, LocalQueue, PodSet, Quota, ResourceFlavor, Workload
from tests.support.kueue_worlds import (
    GPU,
    admitted,
    cluster,
    cluster_queue,
    decided,
    flavor_quotas,
    forgetful,
    then,
    workload,
)

JOB = ("a", "job")
ORDINARY = Submit(workload("a", "job", gpu=1, created=1))
CHECKS = "ClusterQueue a has admission checks, which the model does not follow"
PARENT = "cohort all has a parent, which the model does not follow"
MIN_COUNT = "pod set main may be admitted in part, which the model does not follow"
TOPOLOGY = "pod set main asks for a topology, which the model does not follow"


def queue(*checks: str) -> ClusterQueue:
    return cluster_queue("a", flavor_quotas("only", gpu=Quota(4)), admission_checks=checks)


def with_parent() -> State:
    return then(cluster(queue()), SetCohort(Cohort("all", "root"))).state


def of(pod_set: PodSet) -> Submit:
    return Submit(Workload("a", "job", "uid-job", "a", (pod_set,)))


CASES = [
    (cluster(queue("budget")), ORDINARY, CHECKS),
    (with_parent(), ORDINARY, PARENT),
    (cluster(queue()), of(PodSet("main", 2, {GPU: 1}, min_count=1)), MIN_COUNT),
    (cluster(queue()), of(PodSet("main", 2, {GPU: 1}, topology=True)), TOPOLOGY),
]


@pytest.mark.parametrize(("state", "submit", "why"), CASES)
def test_what_is_not_followed_is_said(state: State, submit: Submit, why: str) -> None:
    outcome = after(state, [submit], 0)
    assert outcome.decisions == (Decision(Kind.NOT_FOLLOWED, JOB, "NotFollowed", why),)
    assert outcome.state.not_followed == {JOB: why}
    assert dict(outcome.state.workloads[JOB].conditions) == {}


@pytest.mark.parametrize(("state", "submit", "why"), CASES)
def test_it_is_said_once(state: State, submit: Submit, why: str) -> None:
    said = after(state, [submit], 0).state
    for copy in (said, forgetful(said)):
        later = after(copy, [Submit(workload("a", "other", gpu=1)), Delete(("a", "other"))], 10)
        assert [each for each in later.decisions if each.workload == JOB] == []
        assert later.state.not_followed == {JOB: why}


@pytest.mark.parametrize(("state", "submit", "why"), CASES)
@pytest.mark.parametrize("event", [Finish(JOB), Delete(JOB)])
def test_it_is_forgotten_when_the_workload_ends(state: State, submit: Submit, why: str, event: Event) -> None:
    said = after(state, [submit], 0).state
    assert said.not_followed == {JOB: why}
    assert then(said, event, at=10).state.not_followed == {}


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (cluster(queue("budget")), SetClusterQueue(queue())),
        (with_parent(), RemoveCohort("all")),
        (with_parent(), SetCohort(Cohort("all"))),
    ],
)
def test_what_is_followed_after_all_gets_in(state: State, event: Event) -> None:
    said = after(state, [ORDINARY], 0).state
    outcome = then(said, event, at=10)
    assert (admitted(outcome.state), outcome.state.not_followed) == ({"job"}, {})


@pytest.mark.parametrize(
    ("event", "why"), [(SetClusterQueue(queue("budget")), CHECKS), (SetCohort(Cohort("all", "root")), PARENT)]
)
def test_what_comes_later_is_said_of_who_waits_and_leaves_who_runs_alone(event: Event, why: str) -> None:
    state = then(cluster(queue()), Submit(workload("a", "runs", gpu=4)), ORDINARY).state
    outcome = then(state, event, at=10)
    assert (admitted(outcome.state), outcome.state.not_followed) == ({"runs"}, {JOB: why})
    assert admitted(then(outcome.state, Finish(("a", "runs")), at=20).state) == set()


def test_one_that_moves_to_a_queue_that_is_followed_gets_in() -> None:
    state = cluster(queue("budget"), cluster_queue("b", flavor_quotas("only", gpu=Quota(4)), cohort="other"))
    state = forgetful(state, local_queues={**state.local_queues, ("a", "b"): LocalQueue("a", "b", "b")})
    said = after(state, [ORDINARY], 0).state
    outcome = then(said, SetQueue(JOB, "b"), at=10)
    assert (admitted(outcome.state), outcome.state.not_followed) == ({"job"}, {})


def test_others_go_on() -> None:
    outcome = after(cluster(queue()), [CASES[2][1], Submit(workload("a", "other", gpu=4, created=9))], 0)
    assert admitted(outcome.state) == {"other"}


def test_quota_of_a_flavor_with_a_topology_is_followed_and_its_nodes_are_not() -> None:
    state = forgetful(cluster(queue()), flavors={"only": ResourceFlavor("only", topology="racks")})
    outcome = after(state, [ORDINARY], 0)
    told = "flavor only has a topology: whether its nodes have room for the pods is not followed"
    assert decided(outcome) == [("QuotaReserved", "job"), ("Admitted", "job"), ("NotFollowed", "job")]
    assert outcome.state.not_followed == {JOB: told}
    assert then(outcome.state, SetPriority(JOB, 1), at=10).decisions == ()
    assert then(outcome.state, Finish(JOB), at=10).state.not_followed == {}


def test_a_shut_queue_says_why_it_is_shut_and_not_what_is_not_followed() -> None:
    state = cluster(replace(queue("budget"), stop_policy="Hold"))
    outcome = after(state, [ORDINARY], 0)
    assert decided(outcome) == [("Pending", "job")]
    assert outcome.state.not_followed == {}
