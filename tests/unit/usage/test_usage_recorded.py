"""Usage of recorded clusters: numbers written down by hand from what Kueue answered."""

import pytest

from tests.support.recorded_usage import C5, G5, GIB, GPU, RECORDINGS, of, team, usage

STAGES = {(release, stage) for release, stage, _ in RECORDINGS}
IDLE = {"team-a": 4, "team-b": 4}


def test_both_releases_and_versions_are_there() -> None:
    assert {(release, version) for release, _, version in RECORDINGS} == {
        ("0.12.10", "v1beta1"),
        ("0.19.2", "v1beta1"),
        ("0.19.2", "v1beta2"),
    }
    assert {stage for _, stage in STAGES} >= {"0-idle", "1-borrow", "2-reclaim", "3-finished", "4-held"}


def recordings(stage: str) -> list[tuple[str, str, str]]:
    return [each for each in RECORDINGS if each[1] == stage]


@pytest.mark.parametrize("recording", recordings("0-idle"))
def test_idle(recording: tuple[str, str, str]) -> None:
    found = usage(*recording)
    assert {each.name: of(found, each.name, G5, GPU).guaranteed for each in found.teams} == IDLE
    assert {each.namespaces for each in found.teams} == {("hyperpod-ns-team-a",), ("hyperpod-ns-team-b",)}
    assert all(each.used == each.lent == each.borrowed == 0 for queue in found.queues for each in queue.resources)
    assert [of(found, name, G5, GPU).headroom for name in IDLE] == [8, 8]  # its own 4 and as many of the other's
    assert of(found, "team-a", G5, "cpu").guaranteed == 128_000
    assert of(found, "team-a", G5, "memory").guaranteed == 512 * GIB
    assert of(found, "team-a", C5, "cpu").guaranteed == 16_000
    assert (found.pool, found.others, found.reclaimable, found.deleting, found.lost) == ((), (), (), (), ())


@pytest.mark.parametrize("recording", recordings("1-borrow"))
def test_team_a_borrows_two_gpus_that_team_b_leaves_idle(recording: tuple[str, str, str]) -> None:
    found = usage(*recording)
    borrower, lender = of(found, "team-a", G5, GPU), of(found, "team-b", G5, GPU)
    assert (borrower.used, borrower.guaranteed_used, borrower.borrowed, borrower.over_quota) == (6, 4, 2, 0)
    assert (lender.used, lender.lent, lender.idle, lender.headroom) == (0, 2, 2, 2)
    assert borrower.headroom == 2
    cpu, memory = of(found, "team-a", G5, "cpu"), of(found, "team-a", G5, "memory")
    assert (cpu.used, cpu.borrowed, cpu.idle) == (100_000, 0, 28_000)
    assert (memory.used, memory.borrowed) == (392 * GIB, 0)
    one = team(found, "team-a")
    assert (one.pending, one.admitted, one.state) == (1, 4, "active")
    assert one.weighted_share == (2 if recording[0] == "0.12.10" else 3)
    assert found.reclaimable == ()


@pytest.mark.parametrize("recording", [*recordings("2-reclaim"), *recordings("3-finished")])
def test_team_b_has_taken_back_what_was_lent(recording: tuple[str, str, str]) -> None:
    found = usage(*recording)
    for name in IDLE:
        gpus = of(found, name, G5, GPU)
        assert (gpus.used, gpus.borrowed, gpus.lent, gpus.headroom) == (4, 0, 0, 0)
    assert of(found, "team-a", G5, "cpu").used == 68_000
    assert of(found, "team-b", G5, "memory").used == 256 * GIB
    assert team(found, "team-a").pending == (2 if recording[1] == "2-reclaim" else 1)


@pytest.mark.parametrize("recording", recordings("4-held"))
def test_a_stopped_queue_and_one_that_nobody_governed_leads_to(recording: tuple[str, str, str]) -> None:
    found = usage(*recording)
    stopped = team(found, "team-b")
    assert (stopped.state, stopped.reason, stopped.pending, stopped.admitted) == ("stopped", "stopPolicy Hold", 1, 1)
    assert of(found, "team-b", G5, GPU).headroom == 0
    (other,) = found.others
    assert (other.cluster_queue, other.state) == ("hyperpod-ns-team-x-clusterqueue", "inactive")
    assert "ml.missing.xlarge" in other.reason


@pytest.mark.parametrize("recording", recordings("5-cohort-borrow"))
def test_a_cohort_lends_of_its_own_as_well(recording: tuple[str, str, str]) -> None:
    found = usage(*recording)
    (cohort,) = [each for each in found.cohorts if each.name == "hyperpod"]
    own = {each.resource: (each.guaranteed, each.lent) for each in cohort.resources if each.flavor == G5}
    assert own[GPU] == (2, 1)  # team-b leaves 2 idle and the cohort has 2: each lends half of what team-a borrows
    assert of(found, "team-b", G5, GPU).lent == 1
    assert of(found, "team-a", G5, GPU).borrowed == 2
    assert cohort.parent == "org"


@pytest.mark.parametrize("recording", [each for each in RECORDINGS if each[1] == "1-borrow"])
def test_the_oldest_that_waits(recording: tuple[str, str, str]) -> None:
    found = usage(*recording)
    began = {"0.12.10": 1_795_492_782, "0.19.2": 1_795_492_628}[recording[0]]  # creationTimestamp of the one that waits
    assert team(found, "team-a").oldest_waiting == began
    assert team(found, "team-b").oldest_waiting is None


@pytest.mark.parametrize(("release", "stage"), sorted(STAGES))
def test_both_versions_of_the_api_say_the_same(release: str, stage: str) -> None:
    versions = [version for found, each, version in RECORDINGS if (found, each) == (release, stage)]
    assert len({repr(usage(release, stage, version)) for version in versions}) == 1
