"""What is said of a workload: where it stands, who preempted it, who is before it; and which one is meant."""

from dataclasses import replace

import pytest

from governor.kueue.explaining import Event, State, Subject, Wanted, brief
from governor.kueue.explaining.happenings import last
from governor.kueue.objects import Workload
from tests.unit.kueue.explaining_worlds import (
    ADMITTED,
    CREATED,
    FLAVOR,
    GPU,
    QUOTA,
    condition,
    evicted,
    held_by,
    queue,
    queues,
    short,
    why,
)
from tests.unit.kueue.explaining_worlds import waiting as waits
from tests.unit.kueue.explaining_worlds import workload as made

PREEMPTED = (
    "Preempted to accommodate a workload (UID: uid-other, JobUID: job-uid-other) due to prioritization in the "
    "ClusterQueue; preemptor path: /hyperpod/hyperpod-ns-b-clusterqueue; preemptee path: /hyperpod/hyperpod-ns-a-x"
)


@pytest.mark.parametrize(
    ("workload", "state", "since"),
    [
        (made("x"), State.WAITING, 0),
        (waits("x", short(1)), State.WAITING, 0),
        (evicted("Preempted", PREEMPTED), State.PREEMPTED, 9),
        (evicted("PodsReadyTimeout", "Exceeded the PodsReady timeout a/x"), State.EVICTED, 9),
        (evicted("Preempted", PREEMPTED, holds={GPU: 1}), State.LEAVING, 9),
        (evicted("ClusterQueueStopped", "The ClusterQueue is stopped"), State.STOPPED, 9),
        (waits("x", "LocalQueue q is inactive"), State.STOPPED, 0),
        (waits("x", "LocalQueue q doesn't exist"), State.QUEUE_MISSING, 0),
        (waits("x", "ClusterQueue q doesn't exist"), State.QUEUE_MISSING, 0),
        (evicted("Deactivated", "The workload is deactivated", active=False), State.DEACTIVATED, 9),
        (made("x", QUOTA, holds={GPU: 1}), State.HELD, 5),
        (made("x", QUOTA, ADMITTED, holds={GPU: 1}), State.ADMITTED, 6),
        (
            made("x", QUOTA, ADMITTED, condition("PodsReady", "True", "Started", "", CREATED + 7), holds={GPU: 1}),
            State.RUNNING,
            7,
        ),
        (made("x", QUOTA, ADMITTED, condition("Finished", "True", "Failed", "", CREATED + 8)), State.FINISHED, 8),
    ],
    ids=lambda value: value.value if isinstance(value, State) else "",
)
def test_where_it_stands_and_since_when(workload: Workload, state: State, since: int) -> None:
    found = why(workload)
    assert (found.state, found.since) == (state, CREATED + since)
    assert found.words
    assert bool(found.reasons) == (state not in (State.ADMITTED, State.RUNNING, State.FINISHED))


def test_one_that_kueue_has_not_tried_again_says_so_and_who_did_it() -> None:
    found = why(evicted("Preempted", PREEMPTED))
    assert [each.kind for each in found.reasons] == ["notLookedAt"]
    assert found.reasons[0].words == "Kueue has put it back in line and not told yet what it lacks"
    assert found.preemption is not None


def test_a_preemptor_is_found_by_its_uid_or_by_that_of_its_job_and_named() -> None:
    other = replace(held_by("other", 2, team="b", priority=90), job="big-one")
    for known in (other, replace(other, uid="made-anew"), replace(other, job_uid="")):
        preemption = why(evicted("Preempted", PREEMPTED), held_by("another", 1), known).preemption
        assert preemption is not None
        assert preemption.by is not None
        assert (preemption.by.name, preemption.by.team, preemption.by_priority) == ("big-one", "b", 90)
        assert preemption.words == "in the same queue, the more important job goes first"


def test_a_preemptor_that_is_gone_is_told_by_its_uids_and_its_queue() -> None:
    preemption = why(evicted("Preempted", PREEMPTED), held_by("another", 1)).preemption
    assert preemption is not None
    assert preemption.by is None
    assert (preemption.by_uid, preemption.by_job_uid) == ("uid-other", "job-uid-other")
    assert preemption.by_cluster_queue == "hyperpod-ns-b-clusterqueue"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("InClusterQueue", "in the same queue, the more important job goes first"),
        ("InCohortReclamation", "b took back quota of its own, which a had borrowed"),
        ("InCohortFairSharing", "b had less than its fair share of what can be borrowed, and a had more"),
        ("InCohortReclaimWhileBorrowing", "b took back quota and borrows itself; this job was less important"),
        ("SomethingNew", "in the same queue, the more important job goes first"),  # as its message says
    ],
)
def test_by_what_right(reason: str, words: str) -> None:
    workload = waits("x", short(1))
    told = replace(workload, conditions={"Preempted": condition("Preempted", "True", reason, PREEMPTED)})
    preemption = why(told).preemption
    assert preemption is not None
    assert preemption.words == words


def test_without_a_team_it_is_the_queue_that_borrows() -> None:
    told = condition("Preempted", "True", "InCohortReclamation", PREEMPTED)
    preemption = why(replace(made("x", told), namespace="research")).preemption
    assert preemption is not None
    assert preemption.remedy.endswith(
        "only while all jobs of its queue together hold no more than the queue's own quota"
    )


def test_an_unknown_right_is_told_in_kueues_words() -> None:
    message = PREEMPTED.replace("prioritization in the ClusterQueue", "the weather")
    told = why(made("x", condition("Preempted", "True", "Weather", message))).preemption
    assert told is not None
    assert (told.reason, told.words) == ("Weather", "due to the weather")


@pytest.mark.parametrize("message", ["", "Preempted", "Preempted to accommodate a workload (UID: )"])
def test_a_preemption_that_tells_nothing_is_none(message: str) -> None:
    assert why(made("x", condition("Preempted", "True", "InClusterQueue", message))).preemption is None


def test_unknown_uids_name_nobody() -> None:
    message = PREEMPTED.replace("uid-other", "UNKNOWN").replace("job-UNKNOWN", "UNKNOWN")
    nameless = replace(held_by("other", 1), uid="", job_uid="")
    told = why(made("x", condition("Preempted", "True", "InClusterQueue", message)), nameless).preemption
    assert told is not None
    assert (told.by, told.by_uid, told.by_job_uid) == (None, "", "")


def test_who_is_tried_before_it() -> None:
    """By priority, then by age; one whose pods were late stands at the end; other queues have lines of their own."""
    late = made(
        "late",
        condition("Evicted", "True", "PodsReadyTimeout", "", CREATED + 50),
        created=CREATED - 90,
        priority=5,
    )
    others = [
        brief(Subject(each))
        for each in (
            made("above", priority=6, created=CREATED + 60),
            made("older", priority=5, created=CREATED - 1),
            made("younger", priority=5, created=CREATED + 1),
            made("below", priority=4, created=CREATED - 60),
            made("elsewhere", priority=9, team="b"),
            made("off", priority=9, active=False),
            made("ended", condition("Finished", "True", "Succeeded"), priority=9),
            late,
        )
    ]
    found = why(waits("x", short(1), priority=5), *others, given=queues(queue("a"), queue("b"))).line
    assert found is not None
    assert [(each.job.name, each.priority) for each in found.first] == [("above", 6), ("older", 5)]
    assert (found.ahead, found.waiting, found.strict) == (2, 6, False)


def test_long_lists_are_counted_and_only_begun() -> None:
    ahead = [brief(Subject(made(f"w{number:02}", priority=9))) for number in range(30)]
    holding = [held_by(f"h{number:02}", 2, priority=number) for number in range(30)]
    others = [held_by("n", 1, team=f"n{number:02}") for number in range(30)]
    many = queues(queue(), *(queue(f"n{number:02}") for number in range(30)))
    found = why(waits("x", short(1)), *ahead, *holding, *others, given=many)
    assert found.line is not None
    assert found.users is not None
    assert (found.line.ahead, len(found.line.first)) == (30, 5)
    assert (found.users.number, len(found.users.first)) == (30, 10)
    assert [each.priority for each in found.users.first] == list(range(29, 19, -1))
    assert found.users.total == {FLAVOR: {GPU: "60"}}
    assert (len(found.neighbours), found.more_neighbours) == (10, 20)


def test_a_strict_line() -> None:
    given = queues(queue(queueing_strategy="StrictFIFO"))
    line = why(waits("x", short(1)), given=given).line
    assert line is not None
    assert line.strict


def test_neighbours_that_borrow_come_first() -> None:
    given = queues(queue("a"), queue("b", used=3), queue("c", nominal=1, used=2), queue("d", cohort="other", used=1))
    holding = [held_by("1", 3, team="b"), held_by("2", 2, team="c"), held_by("3", 1, team="d")]
    found = why(waits("x", short(1)), *holding, given=given).neighbours
    assert [(each.team, each.borrowed) for each in found] == [("c", {FLAVOR: {GPU: "1"}}), ("b", {})]


# Which workload is meant.


@pytest.mark.parametrize(
    ("text", "namespace", "meant"),
    [
        ("train", "", True),
        ("job-train-1", "", True),
        ("job/train", "", True),
        ("Jobs/train", "", True),
        ("job.batch/train", "", True),
        ("workload/job-train-1", "", True),
        ("hyperpod-ns-a/train", "", True),
        ("hyperpod-ns-a/job-train-1", "", True),
        ("a/train", "", True),
        ("train", "hyperpod-ns-a", True),
        ("job/train", "hyperpod-ns-a", True),
        ("train", "hyperpod-ns-b", False),
        ("b/train", "", False),
        ("pytorchjob/train", "", False),
        ("job/job-train-1", "", False),
        ("workload/train", "", False),
        ("trai", "", False),
    ],
)
def test_by_which_names_it_goes(text: str, namespace: str, meant: bool) -> None:
    assert Wanted(text, namespace).means(brief(Subject(made("train"), "Job"))) is meant


# What Kueue has told.


def test_events_that_say_the_same_are_one_and_the_newest_is_last() -> None:
    events = [
        Event(5, "Pending", "waits", mark="b"),
        Event(9, "Admitted", "goes", mark="a"),
        Event(5, "Created", "made", about="Job", mark="a"),
        Event(7, "Pending", "waits", count=3),
    ]
    assert [(each.at, each.reason, each.count) for each in last(events)] == [
        (5, "Created", 1),
        (7, "Pending", 4),
        (9, "Admitted", 1),
    ]


def test_only_the_last_events_are_told() -> None:
    found = last(Event(number, "Pending", f"{number}") for number in range(500))
    assert [each.at for each in found] == list(range(490, 500))
