"""What is said of workloads that a real Kueue has had, old and new: numbers and names as the recordings have them."""

import pytest

from governor.kueue.explaining import State
from tests.unit.kueue.explaining_worlds import Recorded


@pytest.mark.parametrize(
    ("release", "right", "words", "uid"),
    [
        (
            "0.12.10",
            "InCohortFairSharing",
            "team-b had less than its fair share of what can be borrowed, and team-a had more",
            "2c3e3213-d2ca-4819-a28b-f76f0ad4ad56",
        ),
        (
            "0.19.2",
            "InCohortReclamation",
            "team-b took back quota of its own, which team-a had borrowed",
            "db02b25e-68f8-499e-962a-bdead6745d14",
        ),
    ],
)
def test_a_preempted_job_names_who_did_it_and_what_is_missing(release: str, right: str, words: str, uid: str) -> None:
    found = Recorded(release, "2-reclaim").why("train-3")
    assert (found.state, found.job.team, found.job.kind) == (State.PREEMPTED, "team-a", "Job")
    assert (found.priority, found.priority_class) == (80, "training-priority")
    assert [(each.count, each.requests) for each in found.pod_sets] == [
        (2, {"nvidia.com/gpu": "1", "cpu": "16", "memory": "64Gi"})
    ]
    assert found.total == {"nvidia.com/gpu": "2", "cpu": "32", "memory": "128Gi"}

    preemption = found.preemption
    assert preemption is not None
    assert preemption.by is not None
    assert (preemption.by.team, preemption.by.name, preemption.by_priority) == ("team-b", "b-train", 80)
    assert (preemption.reason, preemption.words, preemption.by_uid) == (right, words, uid)
    assert not preemption.over

    first, second = found.reasons
    assert (first.kind, first.flavor) == ("unusedQuota", "ml.g5.8xlarge")
    assert first.words == "2 more nvidia.com/gpu have to become free"
    assert first.facts == ("team-a has 4 nvidia.com/gpu of its own there and may borrow 4 more; its jobs hold 4 now",)
    assert first.remedies[0] == "wait until others of the cohort end, or ask the team that uses it"
    assert (second.flavor, second.aside, second.remedies) == ("ml.c5.2xlarge", True, ())


@pytest.mark.parametrize("release", ["0.12.10", "0.19.2"])
def test_a_job_within_its_teams_quota_is_not_called_safe(release: str) -> None:
    """It asks for 2 of the team's 4, which others of the team had: it was preempted all the same."""
    preemption = Recorded(release, "2-reclaim").why("train-3").preemption
    assert preemption is not None
    assert preemption.remedy == (
        "borrowed quota can be taken back at any time; a job is safe from that only while all jobs of team-a together "
        "hold no more than its own quota"
    )


@pytest.mark.parametrize("release", ["0.12.10", "0.19.2"])
def test_what_its_team_leaves_is_told_the_same_in_every_line(release: str) -> None:
    reason = Recorded(release, "1-borrow").why("train-big").reasons[0]
    assert reason.facts == ("team-a has 4 nvidia.com/gpu of its own there and may borrow 4 more; its jobs hold 6 now",)
    assert reason.remedies[:2] == (
        "wait until jobs of team-a end: they leave only 2 of the 8 nvidia.com/gpu that it may have",
        "or ask for no more than 2 nvidia.com/gpu, which was free when Kueue tried last",
    )


def test_the_words_for_what_can_never_be_had_are_those_of_each_release() -> None:
    old, new = (Recorded(each, "2-reclaim").why("train-big").reasons[1] for each in ("0.12.10", "0.19.2"))
    assert (
        old.words == "it asks for 256Gi memory, and team-a can have 64Gi memory there at most, with all it may borrow"
    )
    assert new.words == (
        "it asks for 64 cpu and 256Gi memory, and team-a can have 32 cpu and 64Gi memory there at most, with all it "
        "may borrow; it asks for 4 nvidia.com/gpu, of which team-a can have nothing there"
    )


@pytest.mark.parametrize("release", ["0.12.10", "0.19.2"])
def test_who_is_before_it_and_who_uses_the_quota(release: str) -> None:
    found = Recorded(release, "2-reclaim").why("train-big")
    assert found.line is not None
    assert found.users is not None
    assert (found.line.ahead, found.line.waiting) == (1, 2)
    assert [each.job.name for each in found.line.first] == ["train-3"]
    assert [(each.job.name, each.priority) for each in found.users.first] == [
        ("train-1", 80),
        ("train-2", 80),
        ("cpu-prep", 50),
    ]
    assert found.users.first[0].holds == {"ml.g5.8xlarge": {"nvidia.com/gpu": "2", "cpu": "32", "memory": "128Gi"}}
    assert found.users.total == {"ml.g5.8xlarge": {"nvidia.com/gpu": "4", "cpu": "68", "memory": "264Gi"}}
    (neighbour,) = found.neighbours
    assert (neighbour.team, neighbour.number, neighbour.borrowed) == ("team-b", 1, {})
    assert neighbour.total["ml.g5.8xlarge"]["nvidia.com/gpu"] == "4"


@pytest.mark.parametrize("release", ["0.12.10", "0.19.2"])
def test_a_queue_that_is_stopped(release: str) -> None:
    found = Recorded(release, "4-held").why("b-held")
    assert (found.state, found.words) == (State.STOPPED, "waits: its queue is stopped")
    (reason,) = found.reasons
    assert reason.words == "its ClusterQueue hyperpod-ns-team-b-clusterqueue takes nothing: it is stopped"
    assert "activationState: Enabled" in reason.remedies[0]
    assert reason.said == "ClusterQueue hyperpod-ns-team-b-clusterqueue is inactive"


@pytest.mark.parametrize("release", ["0.12.10", "0.19.2"])
def test_a_finished_one_and_one_that_was_preempted_before(release: str) -> None:
    recorded = Recorded(release, "3-finished")
    finished, again = recorded.why("train-1"), recorded.why("train-3")
    assert (finished.state, finished.words, finished.reasons) == (State.FINISHED, "is finished (Succeeded)", ())
    assert finished.users is None
    assert again.state is State.ADMITTED
    assert again.preemption is not None
    assert (again.preemption.over, again.preemption.by is None) == (True, False)
    assert again.preemption.at < again.since


def test_its_own_teams_jobs_are_in_the_way() -> None:
    found = Recorded("0.19.2", "5-cohort-borrow").why("w3")
    (first, _) = found.reasons
    assert (found.state, found.job.kind, found.job.name) == (State.WAITING, "", "w3")
    assert first.facts == ("team-a has 2 nvidia.com/gpu of its own there and may borrow 2 more; its jobs hold 4 now",)
    assert first.remedies == (
        "wait until jobs of team-a end: they hold all that it may have",
        "or give it a priority class above 50: then jobs of team-a that are less important make room",
        "or a larger quota or a higher borrow limit in the policy",
    )


def test_one_that_has_its_quota_and_no_pods_says_so() -> None:
    """Kueue 0.12 says nothing of pods unless it is told to wait for them."""
    old, new = (Recorded(each, "1-borrow").why("train-1") for each in ("0.12.10", "0.19.2"))
    assert (old.state, old.reasons) == (State.ADMITTED, ())
    assert [each.kind for each in new.reasons] == ["podsNotReady"]
    assert new.state is State.ADMITTED
