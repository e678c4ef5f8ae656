"""Usage for programs: exact whole numbers, harmless in a spreadsheet; a page that is never half written."""

import csv
import io
import json
import os
from pathlib import Path

import msgspec
import pytest

from governor.cli import usage_csv, usage_files
from governor.cli.usage_rows import Picture
from governor.cli.usage_watch import Failing
from governor.errors import PermanentError, UnreachableError
from governor.usage import ClusterUsage, ResourceUsage
from tests.unit.cli import usages
from tests.unit.cli.usages import AT, G5, GPU, team

THREE = Picture(usages.three_teams())


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def written(usage: ClusterUsage) -> list[dict[str, str]]:
    return read(usage_csv.heading() + usage_csv.lines(usage))


def test_a_line_for_each_team_flavor_and_resource_with_its_unit() -> None:
    found = written(THREE.usage)
    assert len(found) == 9
    first = next(each for each in found if each["team"] == "nlp" and each["resource"] == "cpu")
    assert first == {
        "cluster": "ml-research",
        "at": "2026-11-24T15:43:20Z",
        "kind": "team",
        "team": "nlp",
        "clusterQueue": "hyperpod-ns-nlp-clusterqueue",
        "cohort": "research",
        "state": "active",
        "flavor": "ml.g5.8xlarge",
        "resource": "cpu",
        "unit": "millicores",
        "guaranteed": "256000",
        "used": "366000",
        "reserved": "366000",
        "borrowed": "110000",
        "overQuota": "0",
        "lent": "0",
        "idle": "0",
        "borrowLimit": "256000",
        "headroom": "59000",
        "pending": "2",
        "admitted": "12",
        "oldestWaiting": "2026-11-24T15:42:46Z",
        "weight": "1000",
        "weightedShare": "142",
    }
    assert {(each["resource"], each["unit"]) for each in found} == {
        ("cpu", "millicores"),
        ("memory", "bytes"),
        (GPU, "count"),
    }


def test_all_queues_are_there_and_no_limit_is_empty() -> None:
    found = written(usages.sixty_teams())
    assert {each["kind"] for each in found} == {"team", "pool", "other"}
    scavengers = next(each for each in found if each["team"] == "scavengers")
    assert (scavengers["borrowLimit"], scavengers["weightedShare"]) == ("", "unlimited")
    neuron = next(each for each in found if each["team"] == "trainium")
    assert (neuron["borrowLimit"], neuron["weightedShare"]) == ("0", "")


def test_lines_end_as_the_standard_has_it() -> None:
    text = usage_csv.heading() + usage_csv.lines(THREE.usage)
    assert text.endswith("\r\n")
    assert text.replace("\r\n", "").count("\n") == 0


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "\t=1+1", "=cmd|' /C calc'!A0"])
def test_no_name_is_a_formula(name: str) -> None:
    evil = team(name, (ResourceUsage(name, name, 1, 0, 0),), cohort=name)
    (found,) = written(ClusterUsage(name, AT, (evil,)))
    for column in ("cluster", "team", "cohort", "flavor", "resource", "clusterQueue"):
        assert not found[column].lstrip().startswith(("=", "+", "-", "@"))


def test_quotes_commas_and_control_characters_stay_in_their_cell() -> None:
    (found,) = written(ClusterUsage("c", AT, (team('a,"b"\r\nc\x1b', (ResourceUsage(G5, GPU, 2**63 - 1, 0, 0),)),)))
    assert found["team"] == 'a,"b"\\r\\nc\\x1b'
    assert found["guaranteed"] == str(2**63 - 1)


def test_json_is_the_usage_itself(capsys: pytest.CaptureFixture[str]) -> None:
    usage_files.json_document().show(THREE)
    text = capsys.readouterr().out
    assert msgspec.json.decode(text, type=ClusterUsage) == THREE.usage
    (nlp, *_) = json.loads(text)["teams"]
    assert (nlp["clusterQueue"], nlp["resources"][0]["overQuota"]) == ("hyperpod-ns-nlp-clusterqueue", 0)


def test_what_could_not_be_told_is_in_the_document_and_said_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    blind = Picture(msgspec.structs.replace(THREE.usage, capacity=None), notes=("nodes are left out: <no>\x1b",))
    usage_files.json_document().show(blind)
    out, err = capsys.readouterr()
    assert json.loads(out)["notes"] == ["nodes are left out: <no>\x1b"]
    assert err == "governor: nodes are left out: <no>\\x1b\n"
    usage_files.json_document().show(THREE)
    out, err = capsys.readouterr()
    assert (json.loads(out)["notes"], err) == ([], "")


def test_what_could_not_be_told_is_said_once_and_again_when_it_comes_back(capsys: pytest.CaptureFixture[str]) -> None:
    blind = Picture(THREE.usage, notes=("nodes are left out",))
    place = usage_files.csv_lines()
    for picture in (blind, blind, THREE, blind):
        place.show(picture)
    out, err = capsys.readouterr()
    assert len(read(out)) == 4 * 9
    assert err == "governor: nodes are left out\n" * 2


def test_json_of_many_rounds_is_a_document_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    place = usage_files.json_lines()
    place.show(THREE)
    place.failed(Failing(UnreachableError("gone"), AT), AT + 5)
    place.show(THREE)
    out, err = capsys.readouterr()
    assert [json.loads(line)["cluster"] for line in out.splitlines()] == ["ml-research"] * 2
    assert err == "governor: cannot be read since 2026-11-24 15:43:20 UTC (5 s): gone\n"


def test_csv_of_many_rounds_names_its_columns_once(capsys: pytest.CaptureFixture[str]) -> None:
    place = usage_files.csv_lines()
    place.show(THREE)
    place.show(THREE)
    found = read(capsys.readouterr().out)
    assert len(found) == 18
    assert {each["cluster"] for each in found} == {"ml-research"}


def test_a_page_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "usage.html"
    target.write_text("old")
    with target.open() as reader:  # somebody has it open
        usage_files.Page(str(target)).show(THREE)
        assert reader.read() == "old"
    assert target.read_text().startswith("<!DOCTYPE html>")
    assert [each.name for each in tmp_path.iterdir()] == ["usage.html"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_a_page_keeps_the_mode_of_the_old_one(tmp_path: Path, mode: int) -> None:
    target = tmp_path / "usage.html"
    target.touch()
    target.chmod(mode)
    usage_files.write_page(str(target), "new")
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("new", mode)


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o027, 0o640)])
def test_a_new_page_follows_the_umask(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        usage_files.write_page(str(tmp_path / "usage.html"), "new")
    finally:
        os.umask(before)
    assert (tmp_path / "usage.html").stat().st_mode & 0o777 == mode


def test_a_page_that_cannot_be_refreshed_says_so_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "usage.html"
    place = usage_files.Page(str(target), 30)
    place.failed(Failing(UnreachableError("gone"), AT), AT)
    assert not target.exists()
    place.show(THREE)
    assert "could not be read" not in target.read_text()
    place.failed(Failing(UnreachableError("<gone>"), AT + 30), AT + 60)
    text = target.read_text()
    assert (
        '<p class="banner" role="status">Could not be read since 2026-11-24 15:43:50 UTC, '
        "these figures are of 2026-11-24 15:43:20 UTC: &lt;gone&gt;</p>"
    ) in text
    assert 'http-equiv="refresh" content="30"' in text
    assert "12 of 8 GPUs" in text
    place.ended(AT + 90)
    text = target.read_text()
    assert "No longer refreshed since 2026-11-24 15:44:50 UTC; could not be read since 2026-11-24 15:43:50 UTC" in text
    assert 'http-equiv="refresh"' not in text
    assert capsys.readouterr().err.count("governor: cannot be read since") == 2


def test_a_page_that_nobody_refreshes_any_more_says_so(tmp_path: Path) -> None:
    target = tmp_path / "usage.html"
    place = usage_files.Page(str(target), 30)
    place.ended(AT)
    assert not target.exists()
    place.show(THREE)
    place.failed(Failing(UnreachableError("gone"), AT), AT)
    place.show(THREE)
    place.ended(AT + 5)
    text = target.read_text()
    assert "No longer refreshed since 2026-11-24 15:43:25 UTC</p>" in text
    assert "could not be read" not in text
    assert 'http-equiv="refresh"' not in text


def test_a_full_disk_is_said_and_does_not_end_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "usage.html"
    place = usage_files.Page(str(target), 30)
    place.show(THREE)
    good = target.read_text()

    def full(self: Path, other: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(PermanentError):
            place.show(THREE)
        place.failed(Failing(PermanentError("full"), AT, "written"), AT)
        place.failed(Failing(UnreachableError("gone"), AT), AT)
        place.ended(AT)
    assert target.read_text() == good
    assert capsys.readouterr().err.splitlines() == [
        "governor: cannot be written since 2026-11-24 15:43:20 UTC (0 s): full",
        "governor: cannot be read since 2026-11-24 15:43:20 UTC (0 s): gone",
        *[f"governor: {target} cannot be written: No space left on device"] * 2,
    ]


def test_what_cannot_be_written_leaves_the_old_page_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "usage.html"
    target.write_text("old")

    def full(self: Path, other: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(PermanentError, match=r"usage\.html cannot be written: No space left"):
        usage_files.write_page(str(target), "new")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("usage.html", "old")]


def test_a_link_goes_on_leading_to_the_page(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "usage.html"
    link.symlink_to(tmp_path / "real" / "page.html")
    usage_files.write_page(str(link), "new")
    assert link.is_symlink()
    assert (tmp_path / "real" / "page.html").read_text() == "new"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "is no file"),
        ("no/such/folder.html", "cannot be written: No such"),
        ("a\0b", "cannot be written: embedded"),
    ],
)
def test_where_no_page_can_be(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(PermanentError, match=message):
        usage_files.write_page(str(tmp_path) + (f"/{name}" if name else ""), "new")


def test_a_page_may_go_to_standard_output(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    usage_files.Page("-").show(THREE)
    assert capsysbinary.readouterr().out.decode().endswith("</html>\n")
