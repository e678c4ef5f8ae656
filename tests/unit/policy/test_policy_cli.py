"""``governor validate`` and ``governor schema``, called as the shell calls them."""

import io
import json
import sys
from pathlib import Path

import pytest

from governor.aws.service_model import service_limits
from governor.cli.main import main
from governor.policy.schema import policy_schema

Capture = pytest.CaptureFixture[str]

SOUND = """\
version: 1
cluster: {cluster}
teams:
  - {{name: a, fairShareWeight: 50, quota: [{{instanceType: ml.g5.8xlarge, count: 2}}]}}
  - {{name: b, fairShareWeight: 50, quota: [{{instanceType: ml.g5.8xlarge, count: 2}}]}}
"""
WARNS = "version: 1\ncluster: c\nteams: []\n"
BROKEN = "version: 1\ncluster: c\nteams: []\nteam: []\n"
WARNING = "fewer-than-two-teams"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")


def _stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_a_sound_file_says_nothing_on_standard_output(folder: Path, capsys: Capture) -> None:
    _write(folder, good=SOUND.format(cluster="c"))
    assert main(["validate", "good.yaml"]) == 0
    assert capsys.readouterr() == ("", "1 file: 0 errors, 0 warnings\n")


def test_errors_are_one_a_line_at_their_place(folder: Path, capsys: Capture) -> None:
    _write(folder, bad=BROKEN + "zzz: 1\n")
    assert main(["validate", "bad.yaml"]) == 1
    out, err = capsys.readouterr()
    first, second = out.splitlines()
    assert first.startswith("bad.yaml:4:1: error: policy: the key 'team' is unknown (did you mean 'teams'?)")
    assert second.startswith("bad.yaml:5:1: error: policy: the key 'zzz' is unknown; ")
    assert err == "1 file: 2 errors, 0 warnings\n"


def test_a_warning_does_not_fail(folder: Path, capsys: Capture) -> None:
    _write(folder, warns=WARNS)
    assert main(["validate", "warns.yaml"]) == 0
    assert capsys.readouterr().out.startswith("warns.yaml:3:8: warning: the policy has no team")


def test_long_messages_are_never_wrapped(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    _write(folder, bad=BROKEN)
    main(["validate", "bad.yaml"])
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_several_files_are_all_judged(folder: Path, capsys: Capture) -> None:
    _write(folder, good=SOUND.format(cluster="a"), bad=BROKEN, warns=WARNS)
    assert main(["validate", "good.yaml", "bad.yaml", "warns.yaml"]) == 1
    out, err = capsys.readouterr()
    assert [line.split(":")[0] for line in out.splitlines()] == ["bad.yaml", "warns.yaml"]
    assert err == "3 files: 1 error, 1 warning\n"


def test_one_file_governs_one_cluster(folder: Path, capsys: Capture) -> None:
    _write(folder, one=SOUND.format(cluster="same"), two=SOUND.format(cluster="same"))
    assert main(["validate", "one.yaml", "two.yaml"]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("two.yaml:2:10: error: cluster 'same' is governed by one.yaml already")


def test_the_same_file_twice_is_one_file(folder: Path) -> None:
    _write(folder, one=SOUND.format(cluster="same"))
    assert main(["validate", "one.yaml", "one.yaml"]) == 0


def test_standard_input(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    _stdin(monkeypatch, BROKEN.encode())
    assert main(["validate", "-"]) == 1
    assert capsys.readouterr().out.startswith("<stdin>:4:1: error: ")
    _stdin(monkeypatch, json.dumps({"version": 1, "cluster": "c", "teams": [], "😀": 1}).encode())
    assert main(["validate", "-"]) == 1
    assert "the key '😀' is unknown" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_a_message_and_the_others_are_judged(folder: Path, capsys: Capture) -> None:
    _write(folder, warns=WARNS)
    assert main(["validate", "missing.yaml", ".", "no\0name.yaml", "warns.yaml"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "missing.yaml:1:1: error: missing.yaml cannot be read: No such file or directory"
    assert lines[1] == ".:1:1: error: . cannot be read: Is a directory"
    assert lines[2].startswith("no\\x00name.yaml:1:1: error: no\\x00name.yaml cannot be read: ")
    assert lines[3].startswith("warns.yaml:3:8: warning: ")


def test_a_file_larger_than_a_policy_is_not_read_to_its_end(folder: Path, capsys: Capture) -> None:
    with (folder / "large.yaml").open("wb") as file:
        file.truncate(1 << 40)
    assert main(["validate", "large.yaml"]) == 1
    assert "large.yaml:1:1: error: the file has more than 1,048,576 bytes" in capsys.readouterr().out


def test_json(folder: Path, capsys: Capture) -> None:
    _write(folder, bad=BROKEN, warns=WARNS)
    assert main(["validate", "--format", "json", "bad.yaml", "warns.yaml", "missing.yaml"]) == 1
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert err == ""
    assert document["valid"] is False
    assert document["files"] == ["bad.yaml", "warns.yaml", "missing.yaml"]
    assert [(item["path"], item["code"], item["severity"]) for item in document["messages"]] == [
        ("bad.yaml", "unknown-key", "error"),
        ("warns.yaml", WARNING, "warning"),
        ("missing.yaml", "unreadable", "error"),
    ]
    assert set(document["messages"][0]) == {"path", "line", "column", "severity", "code", "text"}
    assert main(["validate", "--format", "json", "warns.yaml"]) == 0
    assert json.loads(capsys.readouterr().out)["valid"] is True


def test_github(folder: Path, capsys: Capture) -> None:
    _write(folder, warns=WARNS, **{"a,b:c%d": BROKEN.replace("team:", "'50%: a, b':")})
    assert main(["validate", "--format", "github", "a,b:c%d.yaml", "warns.yaml"]) == 1
    bad, warns = capsys.readouterr().out.splitlines()
    assert bad.startswith("::error file=a%2Cb%3Ac%25d.yaml,line=4,col=1,title=governor unknown-key::policy: ")
    assert "the key '50%25: a, b' is unknown" in bad
    assert warns.startswith(f"::warning file=warns.yaml,line=3,col=8,title=governor {WARNING}::the policy has no team")


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_nothing_of_a_file_or_its_name_reaches_a_terminal_raw(folder: Path, capsys: Capture, form: str) -> None:
    name = "\x1b]0;owned\x07\n::error ::fake.yaml"
    (folder / name).write_text('version: 1\ncluster: "\\e[2J"\nteams: []\n"\\r\\n::error ::fake": 1\n', "utf-8")
    assert main(["validate", "--format", form, name, f"missing{name}", "\udcff"]) == 1
    out, err = capsys.readouterr()
    for text in (out, err):
        assert all(char == "\n" or char.isprintable() for char in text)
    assert "::error ::fake" not in [line[:14] for line in out.splitlines()]


def test_the_schema_is_printed_as_it_is(capsys: Capture) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == policy_schema(service_limits())


def test_wrong_calls_end_with_1_and_help_with_0(capsys: Capture) -> None:
    for arguments in (["validate"], ["validate", "--format", "xml", "a.yaml"], ["schema", "extra"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 1
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["validate", "--help"])
    assert ended.value.code == 0
    assert "exit status: 0 no error (warnings allowed), 1 errors" in capsys.readouterr().out
