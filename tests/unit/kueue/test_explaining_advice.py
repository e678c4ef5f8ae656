"""What one can do about everything that is in a workload's way."""

from typing import Any

import pytest

from governor.kueue.explaining import Check, Queues, Subject
from governor.kueue.explaining.messages import Kind, Obstacle
from governor.kueue.explaining.remarks import remark
from governor.kueue.explaining.rooms import Scene
from governor.kueue.objects import Condition, FlavorUsage, Preemption, QueueStatus, Workload
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


def remedies(workload: Workload, *others: Any, given: Queues) -> tuple[str, ...]:
    (reason,) = why(workload, *others, given=given).reasons
    return reason.remedies


def test_its_own_teams_jobs_leave_too_little_of_what_it_may_have() -> None:
    workload = waits("x", short(1), pods=2, priority=50)
    holding = [held_by("strong", 2, priority=90), held_by("equal", 1, priority=50), held_by("weak", 2, priority=1)]
    assert remedies(workload, *holding, given=queues(queue(used=5))) == (
        "wait until jobs of a end: they leave only 1 of the 6 nvidia.com/gpu that it may have",
        "or ask for no more than 1 nvidia.com/gpu, which was free when Kueue tried last",
        "or give it a priority class above 50: then jobs of a that are less important make room",
        "or a larger quota or a higher borrow limit in the policy",
    )
    never = queue(used=5, preemption=Preemption("Never", "Any"))
    assert not any("priority" in each for each in remedies(workload, *holding, given=queues(never)))


@pytest.mark.parametrize("used", [6, 7])
def test_its_own_teams_jobs_hold_all_that_it_may_have(used: int) -> None:
    (first, *_) = remedies(waits("x", short(1)), given=queues(queue(used=used)))
    assert first == "wait until jobs of a end: they hold all that it may have"


def test_what_fits_its_queues_limit_exactly_waits_for_others() -> None:
    workload = waits("x", short(1), pods=2)
    assert remedies(workload, given=queues(queue(used=4)))[0].startswith("wait until others of the cohort end")
    assert remedies(workload, given=queues(queue(used=5)))[0].startswith("wait until jobs of a end")


def test_others_hold_what_it_would_borrow() -> None:
    told = remedies(waits("x", short(1), pods=3), given=queues(queue(nominal=2, borrowing=4)))
    assert told == (
        "wait until others of the cohort end, or ask the team that uses it",
        "or ask for no more than 2 nvidia.com/gpu: that is a's own, taken back from those who borrow it",
        "or give a a larger quota in the policy, as what is borrowed is never certain",
    )
    assert _own_of_three("LowerPriority")[1] == (
        "or ask for no more than 2 nvidia.com/gpu: that is a's own, taken back from those who borrow it for jobs less "
        "important than this one"
    )
    assert _own_of_three("Never")[1] == "or ask for no more than 2 nvidia.com/gpu, which was free when Kueue tried last"
    all_borrowed = remedies(waits("x", short(1), pods=3), given=queues(queue(nominal=0, borrowing=None)))
    assert all_borrowed[1] == "or ask for no more than 2 nvidia.com/gpu, which was free when Kueue tried last"


def _own_of_three(reclaim: str) -> tuple[str, ...]:
    """Where one of three is missing, and two are the team's own."""
    borrows = queue(nominal=2, borrowing=4, preemption=Preemption("LowerPriority", reclaim))
    return remedies(waits("x", short(1), pods=3), given=queues(borrows))


def test_its_own_quota_is_lent() -> None:
    workload = waits("x", short(2), pods=2)
    (back,) = remedies(workload, given=queues(queue(used=2)))  # which fits exactly
    assert back == "all of it is a's own: it is taken back from those who borrow it; wait for their jobs to stop"
    (some,) = remedies(workload, given=queues(queue(preemption=Preemption("LowerPriority", "LowerPriority"))))
    assert some == (
        "all of it is a's own: it is taken back from those who borrow it for jobs less important than this one; wait "
        "for their jobs to stop"
    )
    (lent,) = remedies(workload, given=queues(queue(preemption=Preemption("LowerPriority", "Never"))))
    assert lent == "all of it is a's own, lent to others and not taken back by force: ask them, or wait"


def test_without_a_cohort_there_is_nobody_to_borrow_from() -> None:
    (reason,) = why(waits("x", short(1), pods=2), given=queues(queue(cohort="", used=3))).reasons
    assert reason.facts == ("a has 4 nvidia.com/gpu of its own there; its jobs hold 3 now",)
    assert reason.remedies[0] == (
        "wait until jobs of a end: they leave only 1 of the 4 nvidia.com/gpu that it may have"
    )


def test_without_the_queue_the_advice_is_general() -> None:
    (reason,) = why(waits("x", short(1))).reasons
    assert (reason.words, reason.facts) == ("1 more nvidia.com/gpu has to become free", ())
    assert reason.remedies == (
        "wait: it is tried again whenever something ends",
        "or ask for less, or a larger quota or a higher borrow limit in the policy",
    )


def test_a_borrow_limit_in_the_words_of_older_releases() -> None:
    message = f"couldn't assign flavors to pod set main: borrowing limit for {GPU} in flavor {FLAVOR} exceeded"
    (told,) = why(waits("x", message)).reasons
    assert told.words == "a would borrow more nvidia.com/gpu than it may"
    assert told.remedies == (
        "wait until jobs of a end: they leave too little of what it may have",
        "or a larger quota or a higher borrow limit in the policy",
    )
    (known,) = why(waits("x", message), given=queues(queue(used=6, borrowing=0, status=_used(6)))).reasons
    assert known.facts == ("a has 4 nvidia.com/gpu of its own there and may not borrow; its jobs hold 6 now",)


def _used(number: int) -> QueueStatus:
    return QueueStatus(used={FLAVOR: {GPU: FlavorUsage(number)}})


def test_what_can_never_be_admitted_says_so() -> None:
    message = "couldn't assign flavors to pod set main: "
    too_much = f"insufficient quota for {GPU} in flavor {FLAVOR}, request > maximum capacity (9 > 6)"
    found = why(waits("x", message + too_much, pods=9))
    assert found.words == "waits for quota, and cannot be admitted as it is"
    (reason,) = found.reasons
    assert (
        reason.words
        == "it asks for 9 nvidia.com/gpu, and a can have 6 nvidia.com/gpu there at most, with all it may borrow"
    )
    assert reason.remedies[0] == "waiting does not help: ask for less, or for another instance type"
    silent = f"insufficient quota for {GPU} in flavor {FLAVOR} in ClusterQueue"
    (reason,) = why(waits("x", message + silent)).reasons
    assert reason.words == "it asks for more nvidia.com/gpu than a can ever have there"


def test_pods_that_ask_for_other_nodes_are_told_which() -> None:
    message = f"couldn't assign flavors to pod set main: flavor {FLAVOR} doesn't match node affinity"
    selected = waits("x", message, selects={"node.kubernetes.io/instance-type": "ml.p5.48xlarge"})
    (reason,) = why(selected, given=queues(queue())).reasons
    assert reason.words == "its pods ask for other nodes: node.kubernetes.io/instance-type=ml.p5.48xlarge"
    assert f"quota of ({FLAVOR})" in reason.remedies[0]
    assert why(waits("x", message)).reasons[0].words == "its pods ask for other nodes by their node affinity"


def test_a_pod_set_that_can_never_be_had_is_not_set_aside_for_another_that_can() -> None:
    message = (
        f"couldn't assign flavors to pod set main: insufficient unused quota for {GPU} in flavor {FLAVOR}, 1 more "
        f"needed; couldn't assign flavors to pod set worker: flavor {FLAVOR} not found"
    )
    found = why(waits("x", message))
    assert [(each.pod_set, each.kind, each.aside) for each in found.reasons] == [
        ("main", "unusedQuota", False),
        ("worker", "flavorMissing", False),
    ]
    assert found.words.endswith("cannot be admitted as it is")


@pytest.mark.parametrize("kind", Kind)
def test_there_are_words_for_everything(kind: Kind) -> None:
    told = remark(Obstacle(kind, "as Kueue said it"), Scene(Subject(made("x")), None))
    assert told.kind == kind.value
    assert told.said == "as Kueue said it"
    quota = ("unusedQuota", "borrowingLimit", "maximum", "affinity", "taint", "flavorMissing")
    if kind is Kind.OTHER or kind.value in quota:  # the latter are told by flavor
        assert told.words == "Kueue says: as Kueue said it"
    else:
        assert told.words
        assert "Kueue says: " not in told.words
        assert told.remedies


def test_an_unknown_text_is_shown_as_it_is() -> None:
    (reason,) = why(waits("x", "the moon is full, sorry")).reasons
    assert (reason.kind, reason.words) == ("other", "Kueue says: the moon is full, sorry")


def test_a_missing_queue_names_those_that_are_there() -> None:
    workload = waits("x", "LocalQueue hyperpod-ns-a-localqeue doesn't exist")
    (reason,) = why(workload, given=queues(queue("a"))).reasons
    assert reason.words == "its queue hyperpod-ns-a-localqeue is not there in namespace hyperpod-ns-a"
    assert reason.remedies == ("set its label kueue.x-k8s.io/queue-name to hyperpod-ns-a-localqueue",)
    (none,) = why(workload, given=queues(queue("b"))).reasons
    assert "does its team have a compute allocation?" in none.remedies[0]
    (unread,) = why(workload).reasons
    assert "hyperpod-ns-a-localqueue" in unread.remedies[0]


@pytest.mark.parametrize(
    ("active", "words"),
    [
        (Condition("Active", "False", "Stopped", "Can't admit new workloads: is stopped."), "it is stopped"),
        (
            Condition("Active", "False", "FlavorNotFound", "Can't admit new workloads: references missing f."),
            "Can't admit new workloads: references missing f.",
        ),
    ],
)
def test_why_a_cluster_queue_takes_nothing(active: Condition, words: str) -> None:
    given = queues(queue(status=QueueStatus(conditions=(active,))))
    (reason,) = why(waits("x", "ClusterQueue hyperpod-ns-a-clusterqueue is inactive"), given=given).reasons
    assert reason.words == f"its ClusterQueue hyperpod-ns-a-clusterqueue takes nothing: {words}"


def test_one_that_was_switched_off_says_by_what_and_how_to_switch_it_on() -> None:
    message = "The workload is deactivated due to exceeding the maximum number of re-queuing retries"
    (reason,) = why(evicted("DeactivatedDueToRequeuingLimitExceeded", message, active=False)).reasons
    assert reason.words.endswith("(spec.active is false): exceeding the maximum number of re-queuing retries")
    assert "kubectl patch workload job-x-1 -n hyperpod-ns-a --type merge" in reason.remedies[0]


def test_admission_checks_that_hold_it() -> None:
    checks = (Check("budget", "Pending", "asking"), Check("image", "Ready"), Check("audit", "Retry"))
    found = why(made("x", QUOTA, holds={GPU: 1}), checks=checks)
    assert [each.words for each in found.reasons] == [
        "the admission check budget is Pending: asking",
        "the admission check audit is Retry",
    ]
    (unnamed,) = why(made("x", QUOTA, holds={GPU: 1})).reasons
    assert unnamed.words == "its admission checks are not ready: Kueue does not say which"


def test_pods_that_do_not_run_say_where_to_look() -> None:
    usual = "the usual causes are nodes that are full or not Ready, and images that cannot be pulled"
    waits_for_pods = made("x", QUOTA, ADMITTED, condition("PodsReady", "False", "WaitForStart", ""), holds={GPU: 1})
    assert remedies(waits_for_pods, given=Queues()) == (
        f"see what they wait for: kubectl get pods -n hyperpod-ns-a; {usual}",
    )
    late = evicted("PodsReadyTimeout", "Exceeded the PodsReady timeout a/x")
    assert remedies(late, given=Queues())[0] == f"see why: kubectl get events -n hyperpod-ns-a; {usual}"


def test_when_it_is_tried_again_after_its_pods_were_late() -> None:
    (reason,) = why(evicted("PodsReadyTimeout", "Exceeded the PodsReady timeout a/x"), retry_at=CREATED).reasons
    assert reason.remedies[1] == (
        "it is tried again by itself, not before 2026-11-24T03:46:40Z; each time after a longer pause"
    )
