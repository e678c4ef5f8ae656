"""``governor usage``: what a person types, and what becomes of it."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from governor.aws.usage import Reading
from governor.cli.main import main
from governor.cli.usage import Names, Reader
from governor.errors import AccessError, ConflictError, ForbiddenError, GovernorError, UnreachableError
from governor.plan import Quota
from governor.quota import Cluster
from tests.unit.cli import usages

CLUSTER = Cluster(
    "arn:aws:sagemaker:eu-central-1:123456789012:cluster/abc", "ml-research", "InService", "Eks",
    eks_arn="arn:aws:eks:eu-central-1:123456789012:cluster/ml-eks",
)  # fmt: skip


class Stopped:
    """A clock that stands still; whoever waits is interrupted."""

    def now(self) -> int:
        return usages.AT

    def pause(self, seconds: float) -> None:
        raise KeyboardInterrupt


class Fake:
    """A cluster to read, and the account's quotas."""

    def __init__(self) -> None:
        self.reading: Reading | GovernorError = usages.three_read()
        self.quotas: list[Quota] | GovernorError = []
        self.listed = 0

    def read(self) -> Reading:
        if isinstance(self.reading, GovernorError):
            raise self.reading
        return self.reading

    def list(self) -> Iterable[Quota]:
        self.listed += 1
        if isinstance(self.quotas, GovernorError):
            raise self.quotas
        return self.quotas

    def reader(self) -> Reader:
        return Reader(CLUSTER, lambda: self, self.list, Stopped())


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    fake = Fake()
    monkeypatch.setattr("governor.cli.usage.open_reader", lambda _cluster: fake.reader())
    monkeypatch.setattr("governor.cli.usage.SystemClock", Stopped)
    return fake


def test_a_table(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["usage", "ml-research"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Usage of ml-research")
    assert "\nnlp " in out
    assert err == ""


def test_flavors_json_csv_and_a_page(fake: Fake, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["usage", "ml-research", "--flavors"]) == 0
    assert "91500m" in capsys.readouterr().out
    assert main(["usage", "ml-research", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["teams"]) == 3
    assert main(["usage", "ml-research", "--csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 10
    assert main(["usage", "ml-research", "--html", str(tmp_path / "a.html")]) == 0
    assert capsys.readouterr().out == ""
    assert "EKS cluster ml-eks of arn:aws:sagemaker" in (tmp_path / "a.html").read_text()


def test_teams_go_by_their_names_where_quotas_may_be_listed(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    fake.quotas = [Quota("id-hyperpod-ns-nlp", "q", "Natural Language", "Created", 1)]
    main(["usage", "ml-research"])
    out = capsys.readouterr().out
    assert "\nNatural Language " in out
    assert "go by their namespaces" not in out


def test_where_they_may_not_the_rest_is_shown(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    fake.quotas = AccessError("ListComputeQuotas is not allowed")
    assert main(["usage", "ml-research"]) == 0
    out = capsys.readouterr().out
    assert "\nnlp " in out
    assert "? the teams go by their namespaces: ListComputeQuotas is not allowed" in out


def test_what_was_left_out_is_said(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    reading = usages.three_read()
    seen = msgspec.structs.replace(reading.seen, machines=None)
    fake.reading = Reading(seen, None, "ml-eks: may not list nodes")
    assert main(["usage", "ml-research"]) == 0
    out = capsys.readouterr().out
    assert "? ml-eks: may not list nodes" in out
    assert "? there are too many workloads to list" in out
    assert "nodes have" not in out


def test_what_cannot_be_read_ends_with_one(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    fake.reading = ForbiddenError("ml-eks: may not list clusterqueues", "list", "clusterqueues")
    assert main(["usage", "ml-research"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "governor: error: ml-eks: may not list clusterqueues\n"
    assert main(["usage", "ml-research", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["reason"] == "ml-eks: may not list clusterqueues"


@pytest.mark.parametrize("form", [[], ["--flavors"], ["--json"], ["--csv"]])
def test_watching_ends_well(fake: Fake, capsys: pytest.CaptureFixture[str], form: list[str]) -> None:
    assert main(["usage", "ml-research", "--watch", "2", *form]) == 0
    out, err = capsys.readouterr()
    assert "nlp" in out
    assert err == ""


def test_a_pipe_that_is_to_be_coloured_gets_no_screen_of_its_own(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert main(["usage", "ml-research", "--watch"]) == 0
    out = capsys.readouterr().out
    assert "\x1b[1mUsage of ml-research" in out
    assert "\x1b[?" not in out


def test_watching_waits_for_what_may_pass(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    fake.reading = UnreachableError("no answer")
    assert main(["usage", "ml-research", "--watch", "--csv"]) == 0
    assert "cannot be read since 2026-11-24 15:43:20 UTC (0 s): no answer" in capsys.readouterr().err


def test_a_page_that_is_watched_is_looked_at_again(fake: Fake, tmp_path: Path) -> None:
    target = tmp_path / "a.html"
    assert main(["usage", "ml-research", "--watch", "30", "--html", str(target)]) == 0
    assert "No longer refreshed since 2026-11-24 15:43:20 UTC" in target.read_text()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_end_from_outside_has_the_status_of_its_signal(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int, status: int
) -> None:
    seen = []

    def pause(_clock: Stopped, _seconds: float) -> None:
        seen.append((tmp_path / "a.html").read_text())
        signal.raise_signal(number)

    monkeypatch.setattr(Stopped, "pause", pause)
    assert main(["usage", "ml-research", "--watch", "30", "--html", str(tmp_path / "a.html")]) == status
    assert '<meta http-equiv="refresh" content="30"/>' in seen[0]
    assert "No longer refreshed" in (tmp_path / "a.html").read_text()


_ON_A_TERMINAL = """
import sys
from governor.cli import usage
from governor.cli.main import main
from tests.unit.cli.test_usage_command import Fake
usage.open_reader = lambda _cluster: Fake().reader()
sys.exit(main(["usage", "ml-research", "--watch", "3600"]))
"""


def test_a_terminal_is_left_as_it_was_when_the_program_is_ended() -> None:
    master, slave = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm"}
    started = subprocess.Popen([sys.executable, "-c", _ON_A_TERMINAL], stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    try:
        text = _read_until(master, "Usage of ml-research")
        assert "\x1b[?1049h" in text
        assert "\x1b[?25l" in text
        started.send_signal(signal.SIGTERM)
        text = _read_until(master, None)
        assert started.wait(30) == 143
    finally:
        started.kill()
        started.wait()
        os.close(master)
    assert "\x1b[?1049l" in text
    assert "\x1b[?25h" in text
    assert "Usage of ml-research" in text.rpartition("\x1b[?1049l")[2]


def _read_until(terminal: int, wanted: str | None) -> str:
    """What a terminal shows until there is what is wanted, or else until its program has ended."""
    text = ""
    while wanted is None or wanted not in text:
        assert select.select([terminal], [], [], 60)[0], text
        try:
            found = os.read(terminal, 65536)
        except OSError:  # EIO: nobody has the other end open
            found = b""
        if not found:
            assert wanted is None, text
            break
        text += found.decode()
    return text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--watch", "1"], "'1' is not a whole number of seconds from 2 to 3600"),
        (["--watch", "3601"], "from 2 to 3600"),
        (["--watch", "٣"], "is not a whole number"),
        (["--watch", "9" * 5000], "is not a whole number"),
        (["--json", "--csv"], "not allowed with argument"),
        (["--flavors", "--html", "x"], "not allowed with argument"),
        (["--html", ""], "the name of a file is not empty"),
    ],
)
def test_wrong_calls(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["usage", "ml-research", *arguments])
    assert ended.value.code == 1
    assert message in capsys.readouterr().err


def test_a_cluster_behind_watch_is_told_where_it_belongs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["usage", "--watch", "ml-research"])
    assert "CLUSTER goes before --watch" in capsys.readouterr().err


def test_a_page_cannot_go_to_standard_output_again_and_again(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["usage", "ml-research", "--watch", "--html", "-"]) == 1
    assert "name a file" in capsys.readouterr().err


def test_quotas_are_listed_again_only_when_there_are_others() -> None:
    fake = Fake()
    fake.quotas = [Quota("q-1", "n", "vision", "Created", 1)]
    names = Names(fake.list)
    assert [names.of(["q-1", ""]), names.of(["q-1"]), names.of([])] == [{"q-1": "vision"}] * 3
    assert fake.listed == 1
    names.of(["q-1", "q-2"])
    names.of(["q-1", "q-2"])
    assert fake.listed == 2


def test_quotas_that_cannot_be_listed_are_not_asked_for_each_round() -> None:
    fake = Fake()
    fake.quotas = AccessError("no")
    names = Names(fake.list)
    assert names.of(["q-1"]) == names.of(["q-1"]) == {}
    assert (fake.listed, names.trouble) == (1, "no")


def test_what_may_pass_is_asked_again_and_names_stay_meanwhile() -> None:
    fake = Fake()
    fake.quotas = UnreachableError("throttled")
    names = Names(fake.list)
    assert (names.of(["q-1"]), names.trouble) == ({}, "throttled")
    fake.quotas = [Quota("q-1", "n", "vision", "Created", 1)]
    assert (names.of(["q-1"]), names.trouble) == ({"q-1": "vision"}, "")
    fake.quotas = ConflictError("busy")
    assert (names.of(["q-1", "q-2"]), names.trouble) == ({"q-1": "vision"}, "busy")
    fake.quotas = [Quota("q-2", "n", "nlp", "Created", 1)]
    assert (names.of(["q-1", "q-2"]), names.trouble) == ({"q-2": "nlp"}, "")
    assert fake.listed == 4


@pytest.mark.parametrize(
    ("given", "cluster"),
    [([], None), (["--json"], None), (["--json", "ml-research"], "ml-research"), (["a", "--watch"], "a")],
)
def test_a_cluster_need_not_be_named(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, given: list[str], cluster: str | None
) -> None:
    asked: list[str | None] = []

    def open_reader(name: str | None) -> Reader:
        asked.append(name)
        return fake.reader()

    monkeypatch.setattr("governor.cli.usage.open_reader", open_reader)
    assert main(["usage", *given]) == 0
    assert asked == [cluster]
