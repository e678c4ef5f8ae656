"""governor rollback: which version it chooses, what it shows and refuses, and that it acts once."""

import pytest

from governor.cli.main import main
from tests.support.desk import KEY, Desk
from tests.support.world import two_teams
from tests.unit.cli.conftest import Between, Governor, PolicyBucket

BROKEN = two_teams().replace("fairShareWeight", "fairShareWieght", 1)
THREE = two_teams(1, 1, extra="  - {name: vision, quota: [{instanceType: ml.g5.8xlarge, count: 1}]}")


@pytest.fixture(autouse=True)
def functions_work(desk: Desk, between: Between) -> None:
    """The functions take up what was put back between two looks."""
    between.happens = lambda: (desk.receive(), desk.work())


def newest(desk: Desk, key: str = KEY) -> str:
    return desk.policies.text(key)


def test_back_to_the_last_one_that_was_applied(
    governor: Governor, desk: Desk, policies: PolicyBucket, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.applied(two_teams(1, 1))
    desk.applied(two_teams(2, 2))

    assert governor("rollback", "ml-research") == 0
    out = capsys.readouterr().out
    assert "v1, 2026-11-24 12:00:00 UTC, Applied" in out
    assert "v2, 2026-11-24 12:00:00 UTC, Applied, in force" in out
    assert "-  - {name: team-a, quota: [{instanceType: ml.g5.8xlarge, count: 2}], fairShareWeight: 10}" in out
    assert "+  - {name: team-a, quota: [{instanceType: ml.g5.8xlarge, count: 1}], fairShareWeight: 10}" in out
    assert "it is version v3 now" in out
    assert out.splitlines()[-1].startswith("Applied: ")
    assert desk.world.counts() == {"team-a": 1, "team-b": 1}
    assert policies.kinds == ["text/yaml"]


def test_what_failed_or_was_held_is_passed_over(governor: Governor, desk: Desk) -> None:
    desk.applied(THREE)
    desk.applied(two_teams(1, 1))  # held
    desk.applied(two_teams(1, 1) + "# the same, still held\n")
    assert governor("rollback", "ml-research") == 0
    assert newest(desk) == THREE
    assert desk.status().verdict == "Unchanged"


def test_the_same_content_is_no_version_to_go_back_to(governor: Governor, desk: Desk) -> None:
    desk.applied(two_teams(1, 1))
    desk.applied(two_teams(2, 2))
    desk.applied(two_teams(2, 2))
    assert governor("rollback", "ml-research") == 0
    assert newest(desk) == two_teams(1, 1)


def test_from_a_rejected_version_back_to_the_one_in_force(governor: Governor, desk: Desk) -> None:
    desk.applied(two_teams(1, 1))
    desk.applied(two_teams(2, 2))
    desk.drop(BROKEN)
    assert governor("rollback", "ml-research") == 0
    assert newest(desk) == two_teams(2, 2)
    assert desk.status().verdict == "Unchanged"


@pytest.mark.parametrize("released", [False, True])
def test_a_deleted_file_is_brought_back(
    governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str], released: bool
) -> None:
    desk.applied()
    desk.remove()
    if released:
        desk.now.advance(minutes=11)
        desk.resync()
        desk.work()
        assert desk.force().state == "Released"
    assert governor("rollback", "ml-research") == 0
    assert newest(desk) == two_teams()
    assert desk.status().verdict == "Unchanged"
    assert "newest          marker-1" in capsys.readouterr().out


def test_a_version_by_its_id_or_its_beginning(
    governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    for count in range(10):
        desk.applied(two_teams(count % 3 + 1, 1, extra=f"# {count}"))
    assert governor("rollback", "ml-research", "v1") == 0  # exactly, although v10 begins so, too
    assert newest(desk).endswith("# 0\n")
    capsys.readouterr()
    assert governor("rollback", "ml-research", "v") == 1
    said = capsys.readouterr().err
    assert "several versions begin with 'v'" in said
    assert "\n  v10  2026-11-24 12:00:00 UTC" in said
    assert governor("rollback", "ml-research", "x") == 1
    assert "no version begins with 'x'" in capsys.readouterr().err


def test_there_is_none_to_go_back_to(governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.drop(BROKEN)
    desk.applied()
    assert governor("rollback", "ml-research") == 1
    said = capsys.readouterr().err
    assert f"no earlier version of {KEY} was ever applied; name one: there are\n  v2" in said
    assert "never applied" in said
    assert governor("rollback", "nobody") == 1
    assert len(desk.policies.versions(KEY)) == 2


def test_a_version_with_errors_by_todays_rules_is_refused(
    governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.drop(BROKEN)
    desk.applied()
    assert governor("rollback", "ml-research", "v1") == 1
    out = capsys.readouterr().out
    assert f"{KEY}:6:70: error: " in out
    assert "Refused" in out
    assert len(desk.policies.versions(KEY)) == 2


def test_an_instance_type_that_only_the_cluster_may_know_is_left_to_the_functions(
    governor: Governor, desk: Desk
) -> None:
    desk.drop(two_teams().replace("ml.g5.8xlarge", "ml.g99.8xlarge"))
    desk.applied()
    assert governor("rollback", "ml-research", "v1") == 1
    assert desk.status().verdict == "Rejected"
    assert len(desk.policies.versions(KEY)) == 3


def test_a_dry_run_changes_nothing(governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.applied(two_teams(1, 1))
    desk.applied(two_teams(2, 2))
    assert governor("rollback", "ml-research", "--dry-run") == 0
    assert "Nothing was changed" in capsys.readouterr().out
    assert len(desk.policies.versions(KEY)) == 2


def test_the_newest_version_is_not_put_back(governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.applied()
    assert governor("rollback", "ml-research", "v1") == 0
    assert "there is nothing to put back" in capsys.readouterr().out
    assert len(desk.policies.versions(KEY)) == 1


def test_an_approval_is_not_carried_along(governor: Governor, desk: Desk) -> None:
    desk.applied(THREE)
    run = desk.applied(two_teams(1, 1)).run
    assert run is not None
    desk.drop(two_teams(1, 1), governor_approve=run.fingerprint)
    desk.work()
    assert desk.status().verdict == "Applied"
    desk.applied(THREE)

    assert governor("rollback", "ml-research") == 3
    assert desk.policies.versions(KEY)[-1].metadata == {}
    assert "vision" in desk.world.counts()


def test_who_comes_in_between_is_not_overwritten(
    governor: Governor, desk: Desk, policies: PolicyBucket, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.applied(two_teams(1, 1))
    desk.applied(two_teams(2, 2))
    policies.interfere = lambda: (desk.policies.upload(KEY, THREE), None)[1]
    assert governor("rollback", "ml-research") == 1
    assert "changed by somebody else just now" in capsys.readouterr().err
    assert newest(desk) == THREE


def test_a_file_that_was_never_in_force_goes_by_its_key(governor: Governor, desk: Desk, between: Between) -> None:
    key = "policies/other.yaml"
    desk.drop(two_teams(1, 1).replace("ml-research", "ml-nowhere"), key)
    desk.drop(BROKEN, key)
    between.happens = lambda: desk.receive(key)
    assert governor("rollback", "other.yaml", "v1") == 4
    assert desk.status(key).verdict == "Waiting"


def other_cluster(desk: Desk) -> str:
    """The file is rewritten for another cluster, which it now governs."""
    groups = [{"name": "gpu", "instanceType": "ml.g5.8xlarge", "count": 4}]
    desk.world.direct.add_cluster(name="ml-other", instanceGroups=groups)
    desk.applied()
    text = two_teams().replace("ml-research", "ml-other")
    desk.applied(text)
    return text


def test_a_cluster_that_its_file_has_just_left_is_taken_back(governor: Governor, desk: Desk) -> None:
    other_cluster(desk)
    assert governor("rollback", "ml-research") == 0
    assert newest(desk) == two_teams()
    assert desk.force().state == "InForce"


def test_the_file_of_another_cluster_is_left_to_it(
    governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    text = other_cluster(desk)
    desk.now.advance(minutes=11)
    desk.resync()
    desk.work()
    assert governor("rollback", "ml-research") == 1
    assert f"{KEY} governs ml-other by now" in capsys.readouterr().err
    assert newest(desk) == text


@pytest.mark.parametrize(("answer", "done"), [("y", True), ("n", False), ("", False)])
def test_on_a_terminal_it_asks(
    governor: Governor, desk: Desk, monkeypatch: pytest.MonkeyPatch, answer: str, done: bool
) -> None:
    desk.applied(two_teams(1, 1))
    desk.applied(two_teams(2, 2))
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("rich.console.Console.input", lambda _self, _prompt, markup: answer)
    assert governor("rollback", "ml-research") == (0 if done else 1)
    assert len(desk.policies.versions(KEY)) == (3 if done else 2)


def test_the_help_says_when_it_asks(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["rollback", "--help"])
    assert "Asks before it acts on a terminal, and does not ask elsewhere" in capsys.readouterr().out
