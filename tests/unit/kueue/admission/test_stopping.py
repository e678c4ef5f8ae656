"""What keeps whole queues shut, and what happens to their workloads then and afterwards."""

import pytest

from governor.kueue.admission import State, after, cluster_queue_status
from governor.kueue.admission.events import (
    Event,
    RemoveClusterQueue,
    RemoveFlavor,
    RemoveLocalQueue,
    RemoveNamespace,
    SetClusterQueue,
    SetFlavor,
    SetLocalQueue,
    SetNamespace,
    Submit,
)
from governor.kueue.objects import ClusterQueue, LocalQueue, Quota, Requirement, ResourceFlavor, Selector
from tests.support.kueue_worlds import (
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

EVERYONE = Selector()
RUNS, WAITS = ("a", "runs"), ("a", "waits")


def queue(stop: str = "None", *, name: str = "a", namespaces: Selector | None = EVERYONE) -> ClusterQueue:
    quotas = flavor_quotas("only", gpu=Quota(2))
    return cluster_queue(name, quotas, cohort="", stop_policy=stop, namespaces=namespaces)


def door(stop: str = "None", *, to: str = "a") -> SetLocalQueue:
    return SetLocalQueue(LocalQueue("a", "a", to, stop))


def busy() -> State:
    """One workload runs, one waits for it to end."""
    return in_turn(cluster(queue()), workload("a", "runs", gpu=2), workload("a", "waits", gpu=2, created=1))


def inadmissible(why: str) -> tuple[str, str, str]:
    return "False", "Inadmissible", why


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (SetClusterQueue(queue("Hold")), "ClusterQueue a is inactive"),
        (door("Hold"), "LocalQueue a is inactive"),
        (RemoveLocalQueue("a", "a"), "LocalQueue a doesn't exist"),
        (door(to="nowhere"), "ClusterQueue nowhere doesn't exist"),
        (RemoveFlavor("only"), "ClusterQueue a is inactive"),
    ],
)
def test_a_shut_queue_leaves_who_runs_alone_and_says_why_the_others_wait(event: Event, why: str) -> None:
    state = then(busy(), event, at=100).state
    assert admitted(state) == {"runs"}
    assert told(state, WAITS) == inadmissible(why)
    late = then(state, Submit(workload("a", "late", gpu=0)), at=110).state
    assert told(late, ("a", "late")) == inadmissible(why)


@pytest.mark.parametrize(
    ("shut", "opened"),
    [
        (SetClusterQueue(queue("Hold")), SetClusterQueue(queue())),
        (SetClusterQueue(queue("HoldAndDrain")), SetClusterQueue(queue())),
        (door("Hold"), door()),
        (door("HoldAndDrain"), door()),
        (RemoveLocalQueue("a", "a"), door()),
        (door(to="nowhere"), door()),
        (RemoveFlavor("only"), SetFlavor(ResourceFlavor("only"))),
        (RemoveClusterQueue("a"), SetClusterQueue(queue())),
        (SetClusterQueue(queue(namespaces=None)), SetClusterQueue(queue())),
    ],
)
def test_who_came_while_a_queue_was_shut_gets_in_once_it_is_open(shut: Event, opened: Event) -> None:
    state = then(cluster(queue()), shut, Submit(workload("a", "waits", gpu=2))).state
    assert admitted(state) == set()
    assert admitted(then(state, opened, at=100).state) == {"waits"}


def test_hold_and_drain_evicts_who_runs() -> None:
    outcome = then(busy(), SetClusterQueue(queue("HoldAndDrain")), at=100)
    assert admitted(outcome.state) == set()
    evicted = ("True", "ClusterQueueStopped", "The ClusterQueue is stopped")
    assert told(outcome.state, RUNS, "Evicted") == evicted
    assert told(outcome.state, RUNS, "Requeued") == ("False", *evicted[1:])
    assert told(outcome.state, RUNS) == inadmissible("ClusterQueue a is inactive")
    assert ("Evicted", "runs") in decided(outcome)


def test_hold_after_hold_and_drain_and_the_other_way_round() -> None:
    held = then(busy(), SetClusterQueue(queue("Hold")), at=100).state
    assert admitted(then(held, SetClusterQueue(queue("HoldAndDrain")), at=110).state) == set()
    drained = then(busy(), SetClusterQueue(queue("HoldAndDrain")), at=100).state
    assert admitted(then(drained, SetClusterQueue(queue("Hold")), at=110).state) == set()


def test_after_hold_and_drain_the_oldest_gets_in_first_and_the_past_is_told() -> None:
    state = then(busy(), SetClusterQueue(queue("HoldAndDrain")), at=100).state
    state = then(state, SetClusterQueue(queue()), at=110).state
    assert admitted(state) == {"runs"}
    assert told(state, RUNS, "Evicted") == ("False", "QuotaReserved", "Previously: The ClusterQueue is stopped")


@pytest.mark.parametrize(
    ("stopped", "opened", "what"),
    [
        (SetClusterQueue(queue("HoldAndDrain")), SetClusterQueue(queue()), "ClusterQueue"),
        (door("HoldAndDrain"), door(), "LocalQueue"),
    ],
)
def test_who_was_drained_is_told_of_the_restart(stopped: Event, opened: Event, what: str) -> None:
    state = then(then(busy(), stopped, at=100).state, opened, at=110).state
    restarted = ("True", f"{what}Restarted", f"The {what} was restarted after being stopped")
    assert told(state, RUNS, "Requeued") == restarted


def test_who_was_not_drained_is_told_of_no_restart() -> None:
    state = then(then(busy(), SetClusterQueue(queue("Hold")), at=100).state, SetClusterQueue(queue()), at=110).state
    assert not any("Requeued" in each.conditions for each in state.workloads.values())


def test_who_is_found_running_in_a_drained_queue_is_evicted() -> None:
    """A state may be of a cluster that is in the middle of it."""
    doors = {("a", "a"): LocalQueue("a", "a", "a", "HoldAndDrain")}
    assert admitted(after(forgetful(busy(), local_queues=doors), [], 100).state) == set()
    queues = {"a": queue("HoldAndDrain")}
    assert admitted(after(forgetful(busy(), cluster_queues=queues), [], 100).state) == set()


def test_a_queue_that_is_removed_in_use_and_made_again_has_its_workloads_back() -> None:
    state = then(busy(), RemoveClusterQueue("a"), SetClusterQueue(queue()), at=100).state
    assert admitted(state) == {"runs"}
    assert cluster_queue_status(state, "a").admitted == 1


def test_hold_and_drain_of_a_local_queue_evicts_only_who_came_through_it() -> None:
    state = cluster(queue())
    state = forgetful(state, local_queues={**state.local_queues, ("b", "b"): LocalQueue("b", "b", "a")})
    state = in_turn(state, workload("a", "runs", gpu=1), workload("b", "other", gpu=1))
    state = then(state, door("HoldAndDrain"), at=100).state
    assert admitted(state) == {"other"}
    assert told(state, RUNS, "Evicted") == ("True", "LocalQueueStopped", "The LocalQueue is stopped")
    assert told(state, RUNS) == inadmissible("LocalQueue a is inactive")


def test_what_a_drained_queue_leaves_goes_to_its_cohort() -> None:
    quotas = flavor_quotas("only", gpu=Quota(2))
    state = cluster(cluster_queue("a", quotas), cluster_queue("b", flavor_quotas("only", gpu=Quota(0))))
    state = in_turn(state, workload("a", "runs", gpu=2), workload("b", "borrower", gpu=2))
    assert admitted(state) == {"runs"}
    stopped = SetClusterQueue(cluster_queue("a", quotas, stop_policy="HoldAndDrain"))
    assert admitted(then(state, stopped, at=100).state) == {"borrower"}


def test_a_door_that_leads_to_another_queue_takes_who_waits_along() -> None:
    state = in_turn(cluster(queue(), queue(name="b")), workload("a", "runs", gpu=2))
    state = in_turn(state, workload("a", "waits", gpu=2, created=1))
    state = then(state, door(to="b"), at=100).state
    admission = state.workloads[WAITS].admission
    assert admission is not None
    assert (admission.cluster_queue, admitted(state)) == ("b", {"runs", "waits"})


LABEL = Selector((Requirement("team", "In", ("red", "blue")),))
NOT_SELECTED = ("False", "Pending", "Workload namespace doesn't match ClusterQueue selector")


@pytest.mark.parametrize("labels", [{}, {"team": "green"}])
def test_a_namespace_that_the_queue_does_not_select_stays_out(labels: dict[str, str]) -> None:
    submit = Submit(workload("a", "waits", gpu=1))
    state = then(cluster(queue(namespaces=LABEL)), SetNamespace("a", labels), submit).state
    assert told(state, WAITS) == NOT_SELECTED
    assert admitted(then(state, SetNamespace("a", {"team": "blue"}), at=100).state) == {"waits"}


def test_a_label_that_is_gone_shuts_out_who_waits_and_evicts_nobody() -> None:
    state = then(cluster(queue(namespaces=LABEL)), SetNamespace("a", {"team": "red"})).state
    state = in_turn(state, workload("a", "runs", gpu=2), workload("a", "waits", gpu=2, created=1))
    state = then(state, SetNamespace("a", {}), at=100).state
    assert (admitted(state), told(state, WAITS)) == ({"runs"}, NOT_SELECTED)
    assert told(then(state, RemoveNamespace("a"), at=110).state, WAITS) == NOT_SELECTED


def test_a_queue_that_selects_by_name_knows_the_name_of_every_namespace() -> None:
    by_name = Selector((Requirement("kubernetes.io/metadata.name", "In", ("a",)),))
    assert admitted(in_turn(cluster(queue(namespaces=by_name)), workload("a", "waits", gpu=1))) == {"waits"}


def test_a_namespace_that_is_not_selected_does_not_block_a_strict_queue() -> None:
    strict = cluster_queue("a", flavor_quotas("only", gpu=Quota(2)), namespaces=LABEL, queueing_strategy="StrictFIFO")
    state = then(cluster(strict), SetNamespace("b", {"team": "red"})).state
    state = forgetful(state, local_queues={**state.local_queues, ("b", "b"): LocalQueue("b", "b", "a")})
    state = in_turn(state, workload("a", "waits", gpu=2, priority=9), workload("b", "selected", gpu=2))
    assert admitted(state) == {"selected"}


def test_a_flavor_that_is_gone_evicts_nobody_and_comes_back() -> None:
    state = then(busy(), RemoveFlavor("only"), at=100).state
    assert admitted(state) == {"runs"}
    again = then(state, SetFlavor(ResourceFlavor("only")), at=110).state
    assert told(again, WAITS)[1] == "Pending"


def test_a_flavor_that_gets_other_labels_lets_in_whom_it_matches_now() -> None:
    state = in_turn(cluster(queue()), workload("a", "waits", gpu=1, kind="fast"))
    assert admitted(state) == set()
    assert admitted(then(state, SetFlavor(ResourceFlavor("only", {"kind": "fast"})), at=100).state) == {"waits"}


@pytest.mark.parametrize(
    "event",
    [
        RemoveClusterQueue("x"),
        RemoveLocalQueue("a", "x"),
        RemoveFlavor("x"),
        RemoveNamespace("x"),
        SetClusterQueue(queue()),
        door(),
        SetFlavor(ResourceFlavor("only", {"kind": "only"})),
    ],
)
def test_what_changes_nothing_decides_nothing(event: Event) -> None:
    outcome = after(busy(), [event], 100)
    assert (outcome.decisions, outcome.at) == ((), 100)
