"""governor approve: exactly the plan that is held, nothing else, and what becomes of it."""

import pytest

from governor.errors import TransientError
from tests.support.desk import Desk
from tests.support.world import two_teams
from tests.unit.cli.conftest import Between, Governor

EXTRA = "  - {{name: {0}, quota: [{{instanceType: ml.g5.8xlarge, count: 1}}]}}\n"
THREE = two_teams(1, 1, extra=EXTRA.format("vision"))
FOUR = two_teams(1, 1, extra=EXTRA.format("vision") + EXTRA.format("speech"))


@pytest.fixture
def fingerprint(desk: Desk, between: Between) -> str:
    """A plan that is held; the functions take an approval up between two looks."""
    desk.applied(THREE)
    run = desk.applied(two_teams(1, 1)).run
    assert run is not None
    between.happens = lambda: (desk.receiver().approve(approval(desk)), desk.work())
    return run.fingerprint


def approval(desk: Desk) -> str:
    return f"approvals/{desk.world.arn.rpartition('/')[2]}.json"


def test_the_held_plan_is_shown_approved_and_waited_for(
    governor: Governor, desk: Desk, fingerprint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert governor("approve", "ml-research", fingerprint) == 0

    out = capsys.readouterr().out
    assert "What it would do; held: removes team vision" in out
    assert f"Approved: {fingerprint}." in out
    assert out.splitlines()[-1].startswith("Applied: ")
    assert "vision" not in desk.world.counts()
    assert desk.policies.json(approval(desk)) == {"fingerprint": fingerprint}


def test_the_arn_does_as_well_as_the_name(governor: Governor, desk: Desk, fingerprint: str) -> None:
    assert governor("approve", desk.world.arn, fingerprint) == 0


def test_the_same_fingerprint_again_is_no_error_and_writes_nothing(
    governor: Governor, desk: Desk, fingerprint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    governor("approve", "ml-research", fingerprint)
    assert governor("approve", "ml-research", fingerprint) == 0
    assert "is approved already" in capsys.readouterr().out
    assert len(desk.policies.versions(approval(desk))) == 1


def test_before_it_was_taken_over_it_may_be_given_again(governor: Governor, desk: Desk, fingerprint: str) -> None:
    assert governor("approve", "ml-research", fingerprint, "--no-wait") == 4
    assert governor("approve", "ml-research", fingerprint) == 0
    assert len(desk.policies.versions(approval(desk))) == 2


def test_another_fingerprint_is_refused_and_told_which_is_held(
    governor: Governor, desk: Desk, fingerprint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert governor("approve", "ml-research", "0123456789ab") == 1
    said = capsys.readouterr().err
    assert f"the plan that is held for ml-research is {fingerprint} (removes team vision), not 0123456789ab" in said
    assert "no plan of this fingerprint is in the history" in said
    assert desk.policies.keys("approvals/") == []


def test_a_plan_that_has_changed_since_is_told_to_have_changed(
    governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.applied(FOUR)
    old = desk.applied(THREE).run
    new = desk.applied(two_teams(1, 1)).run
    assert old is not None
    assert new is not None
    assert governor("approve", "ml-research", old.fingerprint) == 1
    said = capsys.readouterr().err
    assert "that plan was Held on 2026-11-24" in said
    assert "has changed since" in said
    assert f"governor approve ml-research {new.fingerprint}" in said
    assert desk.policies.keys("approvals/") == []


def test_nothing_is_held(governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.applied()
    assert governor("approve", "ml-research", "0123456789ab") == 1
    assert "nothing is held for ml-research: its latest run is Applied" in capsys.readouterr().err
    desk.drop(two_teams(1, 1))
    assert governor("approve", "ml-research", "0123456789ab") == 1
    assert "nothing is held for ml-research yet: version v2" in capsys.readouterr().err
    assert governor("approve", "nobody", "0123456789ab") == 1
    assert "no file governs the cluster 'nobody'" in capsys.readouterr().err
    assert desk.policies.keys("approvals/") == []


def test_a_name_that_two_clusters_had_asks_for_the_arn_unless_one_is_gone(
    governor: Governor, desk: Desk, fingerprint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    second = f"{desk.world.arn[:-3]}zzz"
    text = desk.records.text(f"clusters/{desk.world.arn.rpartition('/')[2]}/in-force.json")
    key = f"clusters/{second.rpartition('/')[2]}/in-force.json"
    desk.records.upload(key, text.replace(desk.world.arn, second))
    assert governor("approve", "ml-research", fingerprint) == 1
    said = capsys.readouterr().err
    assert desk.world.arn in said
    assert second in said
    desk.records.upload(key, text.replace(desk.world.arn, second).replace('"InForce"', '"Released"'))
    assert governor("approve", "ml-research", fingerprint) == 0


def test_no_verdict_in_time_is_4_and_says_what_to_type(
    governor: Governor, between: Between, fingerprint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    between.happens = lambda: None
    assert governor("approve", "ml-research", fingerprint, "--wait", "10") == 4
    assert "No verdict yet" in (out := capsys.readouterr().out)
    assert "governor status ml-research" in out
    assert between.seconds == 10


def test_a_look_that_fails_is_not_the_end_of_waiting(
    governor: Governor, desk: Desk, between: Between, fingerprint: str
) -> None:
    work, fails = between.happens, [TransientError("slow down")] * 2

    def happens() -> None:
        if fails:
            error = fails.pop()

            def refuse(operation: str, key: str) -> None:
                desk.records.before = lambda _operation, _key: None
                raise error

            desk.records.before = refuse
            return
        work()

    between.happens = happens
    assert governor("approve", "ml-research", fingerprint) == 0
    assert fails == []


def test_an_approval_that_comes_to_nothing_because_the_plan_changed_is_held_again(
    governor: Governor, desk: Desk, between: Between, fingerprint: str
) -> None:
    work = between.happens

    def happens() -> None:
        if not desk.policies.keys("policies/other"):
            desk.policies.upload("policies/other", "x")
            desk.world.console_edit("team-a", Description="somebody else")
        work()

    between.happens = happens
    assert governor("approve", "ml-research", fingerprint) == 3
    assert "vision" in desk.world.counts()
