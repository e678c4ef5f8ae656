"""The admission model does what the real Kueue did, in every recorded scenario."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from governor.kueue.admission import Decision, Kind, after
from tests.agreement.__main__ import SCENARIOS
from tests.agreement.measure import CLASSES, Report, measure
from tests.agreement.recorded import Scenario, Script, read
from tests.agreement.renamed import as_line, renamed

ROOT = Path(__file__).parents[2]
UNSETTLED = SCENARIOS.with_name("unsettled.jsonl")


@pytest.fixture(scope="module")
def scenarios() -> list[Scenario]:
    return list(read(SCENARIOS))


@pytest.fixture(scope="module")
def report(scenarios: list[Scenario]) -> Report:
    return measure(scenarios)


def test_every_step_of_every_scenario_agrees(report: Report) -> None:
    assert report.disagreements == []
    assert (report.steps.agreed, report.steps.all) == (2704, 2704)
    assert (report.scenarios.agreed, report.scenarios.all) == (237, 237)


def test_so_do_preemptions_shares_and_the_texts_of_conditions(report: Report) -> None:
    for tally in (report.preemptions, report.shares, report.texts):
        assert tally.agreed == tally.all > 2000


def test_every_class_is_among_them(report: Report) -> None:
    assert all(report.scenarios_of[name].all > 50 for name in CLASSES)


def test_names_do_not_matter(scenarios: list[Scenario], report: Report) -> None:
    copies = [renamed(scenario) for scenario in scenarios]
    assert not {team.name for copy in copies for team in copy.teams} & {t.name for s in scenarios for t in s.teams}
    again = measure(copies)
    assert (again.steps, again.scenarios, again.texts.all) == (report.steps, report.scenarios, report.texts.all)


def test_a_disagreement_is_seen_and_shown(scenarios: list[Scenario]) -> None:
    """Another outcome in the record is a disagreement: what measures can fail."""
    plain = msgspec.to_builtins(next(each for each in scenarios if each.id == "cl-5000"))
    plain["steps"][1]["after"]["jobs"]["j02"] = {"state": "Pending"}
    plain["steps"][3]["after"]["cluster_queues"]["team-c"]["usage"]["ml.g5.12xlarge"]["cpu"] = [136, 41]
    report = measure([msgspec.convert(plain, Scenario)])
    assert (report.steps.all - report.steps.agreed, report.scenarios.agreed) == (2, 0)
    assert "j02: Kueue Pending None, model Admitted ml.g5.12xlarge" in str(report.disagreements[0])


def test_a_step_that_nobody_knows_is_a_disagreement_and_no_end(scenarios: list[Scenario]) -> None:
    plain = msgspec.to_builtins(scenarios[0])
    plain["steps"][2]["do"] = {"op": "set_moon"}
    report = measure([msgspec.convert(plain, Scenario), scenarios[1]])
    steps = len(scenarios[0].steps) + len(scenarios[1].steps)
    assert (report.steps.agreed, report.steps.all) == (2 + len(scenarios[1].steps), steps)
    assert (report.scenarios.agreed, report.scenarios.all) == (1, 2)
    assert "set_moon" in str(report.disagreements[0])


@pytest.mark.parametrize("scenario", list(read(UNSETTLED)), ids=lambda scenario: scenario.id)
def test_where_kueue_does_not_come_to_rest_the_model_says_so(scenario: Scenario) -> None:
    decisions = _last_decisions(scenario)
    assert [each.kind for each in decisions].count(Kind.UNSETTLED) >= 1
    assert "again and again" in next(each.message for each in decisions if each.kind is Kind.UNSETTLED)


def _last_decisions(scenario: Scenario) -> tuple[Decision, ...]:
    script = Script.of(scenario)
    state, at = script.start(), 0
    decisions: tuple[Decision, ...] = ()
    for step in scenario.steps:
        outcome = after(state, [script.event(step.do)], at)
        state, at, decisions = outcome.state, outcome.at + 1, outcome.decisions
    return decisions


def test_make_kueue_agreement_prints_the_shares_of_a_file(scenarios: list[Scenario], tmp_path: Path) -> None:
    file = tmp_path / "other.jsonl"
    file.write_text("\n".join(as_line(each) for each in scenarios[:3]) + "\n")
    steps = sum(len(each.steps) for each in scenarios[:3])
    command = ["make", "--no-print-directory", "kueue-agreement", f"SCENARIOS={file}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[:2] == [f"steps: {steps} of {steps} agree (100.00 %)", "scenarios: 3 of 3 agree (100.00 %)"]


def test_a_file_that_cannot_be_read_is_told_in_one_line(tmp_path: Path) -> None:
    for content, told in ((None, "No such file"), ("{", "line 1"), ('{"id": 3}', "line 1")):
        file = tmp_path / "wrong.jsonl"
        if content is not None:
            file.write_text(content)
        command = [sys.executable, "-m", "tests.agreement", str(file)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1
        assert told in done.stderr
