"""governor status on documents that the functions really write."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from governor.cli.main import main
from governor.cli.standing import age
from governor.errors import AccessError
from tests.support.desk import KEY, Desk
from tests.support.world import two_teams
from tests.unit.cli.conftest import Governor

BROKEN = two_teams().replace("fairShareWeight", "fairShareWieght", 1)
THREE = two_teams(1, 1, extra="  - {name: vision, quota: [{instanceType: ml.g5.8xlarge, count: 1}]}")


def held(desk: Desk) -> str:
    """A team was dropped; the fingerprint of the plan."""
    desk.applied(THREE)
    run = desk.applied(two_teams(1, 1)).run
    assert run is not None
    assert run.verdict == "Held"
    return run.fingerprint


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_nothing_yet(governor: Governor, capsys: pytest.CaptureFixture[str]) -> None:
    assert governor("status") == 0
    assert "No policy has been received yet" in capsys.readouterr().out


def test_an_applied_file_is_one_line_and_all_is_well(
    governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.applied()

    assert governor("status") == 0
    out = capsys.readouterr().out
    line = next(line for line in out.splitlines() if line.startswith("Applied"))
    assert line.split()[:5] == ["Applied", "ml-research", "ml-research.yaml", "v1", "2026-11-24T12:00:00Z"]
    assert "1 file: 1 Applied" in out
    assert "→" not in out


def test_held_is_3_and_says_how_to_approve(governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    fingerprint = held(desk)

    assert governor("status") == 3
    overview = capsys.readouterr().out
    assert governor("status", "ml-research") == 3
    full = capsys.readouterr().out
    for out in (overview, full):
        assert f"→ to let this plan through: governor approve ml-research {fingerprint}" in out
    assert "held: removes team vision" in full
    assert "1. - delete team vision" in full


def test_a_rejected_version_is_1_marked_and_told_at_its_place(
    governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.applied()
    desk.drop(BROKEN)

    assert governor("status") == 1
    overview = capsys.readouterr().out
    assert "v1 ≠ v2" in overview
    assert "the newest version of 1 file is not in force (≠)" in overview
    assert governor("status", "ml-research") == 1
    full = capsys.readouterr().out
    assert f"{KEY}:6:70: error: " in full
    assert "an earlier version: v1" in full
    assert "governor rollback ml-research" in full


@pytest.mark.parametrize("called", ["ml-research", KEY, "ml-research.yaml", "ARN", "ID"])
def test_a_cluster_goes_by_many_names(
    governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str], called: str
) -> None:
    desk.applied()
    arn = desk.world.arn
    assert governor("status", {"ARN": arn, "ID": arn.rpartition("/")[2]}.get(called, called)) == 0
    assert "Applied  ml-research" in capsys.readouterr().out


def test_an_unknown_cluster_names_the_nearest(
    governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.applied()
    assert governor("status", "ml-reserch") == 1
    assert "did you mean 'ml-research'?" in capsys.readouterr().err


def test_a_second_file_is_told_which_one_governs(
    governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.applied()
    desk.drop(two_teams(1, 1), "policies/other.yaml")

    assert governor("status") == 1
    assert f"put its teams into {KEY}, or delete one of the two files" in capsys.readouterr().out
    assert governor("status", desk.world.arn) == 1
    out = capsys.readouterr().out
    assert out.index("Applied  ml-research") < out.index("Rejected")


def test_uploads_that_nothing_was_made_of_are_shown(
    governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.applied()
    desk.policies.upload("policies/new.yaml", two_teams())
    desk.now.advance(seconds=5)
    desk.policies.upload(KEY, two_teams(1, 1))

    assert governor("status") == 0
    out = capsys.readouterr().out
    assert "newer upload" in next(line for line in out.splitlines() if line.startswith("Applied"))
    assert "not looked at" in next(line for line in out.splitlines() if line.startswith("new "))
    assert "1 not looked at yet" in out
    governor("status", "--json")
    assert [item["key"] for item in document(capsys)["notLookedAt"]] == [KEY, "policies/new.yaml"]


def test_who_may_not_list_the_policies_sees_the_rest(
    governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.applied()

    def refuse(operation: str, key: str) -> None:
        raise AccessError("no")

    desk.policies.before = refuse
    assert governor("status") == 0
    assert "allow s3:ListBucket" in capsys.readouterr().out


def test_a_damaged_document_is_told_and_hides_no_other(
    governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.applied()
    desk.records.upload("status/policies/bad.yaml.json", "{")

    assert governor("status") == 1
    out = capsys.readouterr().out
    assert "cannot be read: policies/bad.yaml" in out
    assert "1 unreadable" in out
    assert "Applied" in out


def test_the_cluster_that_a_file_has_left_stays_in_sight(
    governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.applied()
    desk.world.direct.add_cluster(
        name="ml-other", instanceGroups=[{"name": "gpu", "instanceType": "ml.g5.8xlarge", "count": 4}]
    )
    desk.applied(two_teams().replace("ml-research", "ml-other"))
    desk.now.advance(minutes=11)
    desk.resync()
    desk.work()

    assert governor("status") == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("Applied") and "ml-other" in line for line in lines)
    assert any(line.startswith("Released") and "ml-research.yaml (left)" in line for line in lines)


def test_a_deleted_file_says_how_to_keep_the_policy(
    governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.applied()
    desk.remove()
    assert governor("status", "ml-research") == 0
    out = capsys.readouterr().out
    assert out.startswith("Waiting  ml-research")
    assert "→ to keep the policy: upload the file again, or governor rollback ml-research" in out


def test_the_history_is_as_long_as_asked_for(
    governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    for count in (1, 2, 1, 2):
        desk.applied(two_teams(count, 1))
        desk.now.advance(minutes=1)
    governor("status", "ml-research", "--history", "3", "--json")
    numbers = [entry["number"] for entry in document(capsys)["files"][0]["history"]]
    assert numbers == [4, 3, 2]
    governor("status", "ml-research", "--history", "0")
    assert "History" not in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["status", "--history", "-1"])


def test_json_tells_what_the_table_tells(governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    fingerprint = held(desk)
    assert governor("status", "--json") == 3
    (file,) = document(capsys)["files"]
    assert (file["verdict"], file["fingerprint"], file["newestIsInForce"]) == ("Held", fingerprint, True)


def test_hundreds_are_read_side_by_side_and_only_the_first_are_told_in_full(
    governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(200):
        desk.drop(BROKEN.replace("ml-research", f"ml-{number:03}"), f"policies/{number:03}.yaml")
    desk.records.calls.clear()

    assert governor("status") == 1
    out = capsys.readouterr().out
    assert "200 files: 200 Rejected" in out
    assert "… and 190 more: governor status CLUSTER tells one in full" in out
    assert len(desk.records.calls) == 201


def test_what_a_file_says_does_no_harm_to_a_terminal(
    governor: Governor, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.drop(two_teams(), "policies/\x1b[31mred.yaml")
    desk.work()
    for arguments in ([], ["ml-research"]):
        governor("status", *arguments)
        assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (99, "99 s"), (100, "1 min"), (7200, "2 h"), (200_000, "2 days"), (-5, "0 s")]
)
def test_ages(seconds: int, words: str) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert age(now - timedelta(seconds=seconds), now) == words
