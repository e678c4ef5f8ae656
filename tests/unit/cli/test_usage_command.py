"""``governor usage``: what a person types, and what becomes of it."""

import json
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from governor.aws.usage import Reading
from governor.cli.main import main
from governor.cli.usage import Names, Reader
from governor.errors import AccessError, ForbiddenError, GovernorError, UnreachableError
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


def test_watching_waits_for_what_may_pass(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    fake.reading = UnreachableError("no answer")
    assert main(["usage", "ml-research", "--watch", "--csv"]) == 0
    assert "cannot be read since 2026-11-24 15:43:20 UTC (0 s): no answer" in capsys.readouterr().err


def test_a_page_that_is_watched_is_looked_at_again(fake: Fake, tmp_path: Path) -> None:
    target = tmp_path / "a.html"
    assert main(["usage", "ml-research", "--watch", "30", "--html", str(target)]) == 0
    assert '<meta http-equiv="refresh" content="30"/>' in target.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--watch", "1"], "'1' is not a whole number of seconds from 2 to 3600"),
        (["--watch", "3601"], "from 2 to 3600"),
        (["--watch", "٣"], "is not a whole number"),
        (["--watch", "9" * 5000], "is not a whole number"),
        (["--json", "--csv"], "not allowed with argument"),
        (["--flavors", "--html", "x"], "not allowed with argument"),
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
