"""Somebody else writes at the same time: read again, plan again, a bounded number of times."""

import pytest

from governor.apply import Event
from governor.apply.writer import MAX_CONFLICTS
from governor.plan import Change
from tests.support.world import World, two_teams


def test_the_fourth_attempt_succeeds_and_the_new_plan_shows_the_foreign_change(world: World) -> None:
    world.apply(two_teams())
    for turn, weight in enumerate((41, 42, 43)):
        world.direct.fault(
            "UpdateComputeQuota",
            "bump_version",
            changes={"ComputeQuotaTarget": {"FairShareWeight": weight}},
            match={"team": "team-a"},
            after=turn,
        )

    outcome = world.apply(two_teams(1, 2))

    updates = [call for call in world.direct.service.journal.calls if call.operation == "UpdateComputeQuota"]
    assert outcome.verdict == "Applied"
    assert [call.error_code for call in updates] == ["ConflictException"] * 3 + [None]
    assert [change.changes[0] for change in outcome.foreign] == [
        Change("fair-share weight", "10", "41"),
        Change("fair-share weight", "41", "42"),
        Change("fair-share weight", "42", "43"),
    ]
    assert all(change.by.startswith("arn:aws:iam::") for change in outcome.foreign)
    last_plan = [event.plan for event in world.events if event.kind == "planned"][-1]
    assert last_plan is not None
    assert Change("fair-share weight", "43", "10") in last_plan.steps[0].changes
    assert world.quotas()["team-a"]["ComputeQuotaTarget"]["FairShareWeight"] == 10
    assert world.counts()["team-a"] == 1


def test_endless_conflicts_end_failed_and_say_so(world: World) -> None:
    world.apply(two_teams())
    world.direct.fault("UpdateComputeQuota", "conflict", times=None)

    outcome = world.apply(two_teams(1, 2))

    assert outcome.verdict == "Failed"
    assert f"{MAX_CONFLICTS} plans met somebody else's change" in outcome.reason
    assert world.calls().count("UpdateComputeQuota") == MAX_CONFLICTS


def test_somebody_who_creates_the_same_quota_first_has_it_adopted(world: World) -> None:
    raced = False

    def race(event: Event) -> None:
        nonlocal raced
        if event.kind == "started" and event.title == "team team-a" and not raced:
            raced = True
            world.direct.create_quota(world.arn, "team-a", Name="team-a-quota")

    outcome = world.apply(two_teams(), listener=race)

    assert outcome.verdict == "Applied"
    assert outcome.foreign[0].title == "team team-a"
    assert len(world.quotas()) == 2
    assert world.quotas()["team-a"]["ComputeQuotaTarget"]["FairShareWeight"] == 10


def test_somebody_who_deletes_under_the_update_has_it_created_again(world: World) -> None:
    world.apply(two_teams())
    deleted = False

    def race(event: Event) -> None:
        nonlocal deleted
        if event.kind == "started" and event.title == "team team-a" and not deleted:
            deleted = True
            world.direct.call(
                "DeleteComputeQuota", user="console", ComputeQuotaId=world.quotas()["team-a"]["ComputeQuotaId"]
            )
            world.direct.advance(60)

    outcome = world.apply(two_teams(1, 2), listener=race)

    assert outcome.verdict == "Applied"
    assert world.counts() == {"team-a": 1, "team-b": 2}


def test_an_answer_that_got_lost_is_not_taken_for_somebody_elses_change(world: World) -> None:
    world.apply(two_teams())
    quota = world.quotas()["team-a"]
    lost = False

    def lose_the_answer(event: Event) -> None:
        # The same update, applied once before the writer's own call: as if the SDK had sent it twice.
        nonlocal lost
        if event.kind == "started" and not lost:
            lost = True
            world.direct.call(
                "UpdateComputeQuota",
                user="governor",
                ComputeQuotaId=quota["ComputeQuotaId"],
                TargetVersion=quota["ComputeQuotaVersion"],
                ComputeQuotaConfig={"ComputeQuotaResources": [{"InstanceType": "ml.g5.8xlarge", "Count": 1}]},
                ComputeQuotaTarget={"TeamName": "team-a", "FairShareWeight": 10},
            )
            world.direct.advance(60)

    outcome = world.apply(two_teams(1, 2), listener=lose_the_answer)

    assert outcome.verdict == "Applied"
    assert outcome.foreign == ()
    assert world.counts()["team-a"] == 1


def test_an_update_by_somebody_right_after_ours_is_noticed(world: World) -> None:
    world.apply(two_teams())
    struck = False

    def strike(event: Event) -> None:
        nonlocal struck
        if event.kind == "status" and event.detail == "Updating" and not struck:
            struck = True
            world.direct.advance(60)
            world.console_edit("team-a", ComputeQuotaTarget={"TeamName": "team-a", "FairShareWeight": 66})

    outcome = world.apply(two_teams(1, 2), listener=strike)

    assert outcome.verdict == "Applied"
    assert world.quotas()["team-a"]["ComputeQuotaTarget"]["FairShareWeight"] == 10


@pytest.mark.parametrize("concurrency", [1, 4])
def test_at_no_moment_is_more_promised_than_before_after_or_there_is(world: World, concurrency: int) -> None:
    world.apply(two_teams(3, 1))
    most = 0

    def look(event: Event) -> None:
        nonlocal most
        most = max(most, sum(world.counts().values()))

    for a, b in ((1, 3), (4, 0), (0, 4), (2, 2)):
        assert world.apply(two_teams(a, b), listener=look, concurrency=concurrency).verdict == "Applied"
        assert world.counts() == {"team-a": a, "team-b": b}
    assert most == 4
