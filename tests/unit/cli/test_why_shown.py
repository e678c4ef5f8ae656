"""How the answer of governor why looks: safe whatever names and messages hold, whole in a pipe, folded on a screen."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from governor.cli.screen import make_console
from governor.cli.show_why import show_why
from governor.kueue.explaining import Event, Explanation, Queues, Subject, brief, explain
from governor.kueue.objects import Workload
from tests.unit.kueue.explaining_worlds import CREATED, GPU, condition, held_by, queue, queues, short, waiting, workload

NOW = datetime.fromtimestamp(CREATED + 200, UTC)


def explained(
    found: Workload, *others: Any, events: tuple[Event, ...] = (), given: Queues | None = None
) -> Explanation:
    return explain(Subject(found, "Job"), others, given or queues(queue()), events)


def shown(explanation: Explanation, capsys: pytest.CaptureFixture[str]) -> str:
    show_why(make_console(), explanation, "ml", NOW)
    return capsys.readouterr().out


def on_a_terminal(explanation: Explanation, width: int) -> str:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, color_system=None, width=width, markup=False, highlight=False)
    show_why(console, explanation, "ml", NOW)
    return stream.getvalue()


def test_names_and_messages_are_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "[red]x[/red]\x1b[31m\r\n:smile:"
    event = Event(CREATED, evil, evil)
    text = shown(explained(waiting(evil, evil), held_by(evil, 1), events=(event,)), capsys)
    assert "\x1b" not in text
    assert "\r" not in text
    assert text.count("[red]x[/red]\\x1b[31m\\r\\n:smile:") >= 5
    assert "Kueue says: [red]x[/red]" in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_on_a_screen_no_line_is_longer_than_it(width: int) -> None:
    events = tuple(Event(CREATED + number, "Pending", f"{number} {short(1)} " + "so " * 200) for number in range(3))
    holding = [held_by(f"a-job-with-a-long-name-{number}", 2) for number in range(12)]
    text = on_a_terminal(explained(waiting("train", short(1), pods=9), *holding, events=events), width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "… Job train of a waits for quota (for 3 min)" in text
    assert "submitted 3 min ago" in text
    assert "and 2 more; in all 24 nvidia.com/gpu of ml.g5.8xlarge" in text


def test_in_a_pipe_lines_are_whole_and_times_written_out(capsys: pytest.CaptureFixture[str]) -> None:
    message = short(1) + " and so on" * 60
    text = shown(explained(waiting("train", short(1)), events=(Event(CREATED, "Pending", message, count=3),)), capsys)
    assert f"  2026-11-24T03:46:40Z  Pending (×3): {message}" in text.splitlines()
    assert "waits for quota (since 2026-11-24T03:46:40Z)" in text


def test_who_is_before_it(capsys: pytest.CaptureFixture[str]) -> None:
    ahead = [brief(Subject(workload(f"w{number}", priority=7))) for number in range(7)]
    lines = shown(explained(waiting("train", short(1)), *ahead), capsys).splitlines()
    at = lines.index("in line")
    assert lines[at + 1 : at + 3] == [
        "  of 8 that wait in its queue 7 are tried before it: more important, or as important and older",
        "    a/w0  priority 7",
    ]
    assert lines[at + 7] == "    and 2 more"
    strict = queues(queue(queueing_strategy="StrictFIFO"))
    text = shown(explain(Subject(waiting("train", short(1))), ahead[:1], strict), capsys)
    assert "of 2 that wait in its queue 1 is tried before it: nobody is admitted before them" in text
    assert "it is the only one that waits in its queue" in shown(explained(waiting("train", short(1))), capsys)


def test_a_preemptor_that_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    message = (
        "Preempted to accommodate a workload (UID: u-1, JobUID: u-2) due to reclamation within the cohort; preemptor "
        "path: /hyperpod/hyperpod-ns-b-clusterqueue; preemptee path: /hyperpod/x"
    )
    told = (
        condition("QuotaReserved", "False", "Pending", short(1)),
        condition("Preempted", "True", "InCohortReclamation", message),
    )
    lines = shown(explained(workload("train", *told)), capsys).splitlines()
    assert "preempted 2026-11-24T03:46:40Z" in lines
    gone = (
        "  by a job of queue hyperpod-ns-b-clusterqueue that is gone, or not to be seen (workload UID u-1, job UID u-2)"
    )
    assert f"{gone}: b took back quota of its own, which a had borrowed" in lines


def test_very_many_reasons_are_only_begun(capsys: pytest.CaptureFixture[str]) -> None:
    reasons = ", ".join(f"flavor f{number:02} not found" for number in range(30))
    text = shown(explained(waiting("train", f"couldn't assign flavors to pod set main: {reasons}")), capsys)
    assert text.count("Kueue has no such ResourceFlavor") == 10
    assert "  and 20 more of the kind; --json has all" in text


def test_what_could_not_be_looked_at_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    found = explain(Subject(waiting("train", short(1))), (), Queues(), unseen=("events: ml: not allowed",))
    assert "? could not look at events: ml: not allowed" in shown(found, capsys).splitlines()


def test_the_rest_of_the_cohort_is_not_said_to_borrow(capsys: pytest.CaptureFixture[str]) -> None:
    given = queues(queue(), queue("b", used=3))
    text = shown(explained(waiting("train", short(1)), held_by("own", 3, team="b"), given=given), capsys)
    assert "\nthe other queues of cohort hyperpod\n  b  1 job  3 nvidia.com/gpu of ml.g5.8xlarge\n" in text


def test_one_that_is_admitted_says_where_to_look_next(capsys: pytest.CaptureFixture[str]) -> None:
    """Kueue up to 0.12 tells nothing of pods; where it does, that is told instead."""
    quota, admitted = condition("QuotaReserved", "True", "QuotaReserved"), condition("Admitted", "True", "Admitted")
    lines = shown(explained(workload("train", quota, admitted, holds={GPU: 1})), capsys).splitlines()
    assert lines[0] == "✓ Job train of a is admitted (since 2026-11-24T03:46:40Z)"
    assert lines[1] == "    → Kueue's part is done; if its pods do not run: kubectl get pods -n hyperpod-ns-a"
    unready = condition("PodsReady", "False", "WaitForStart", "Not all pods are ready")
    text = shown(explained(workload("train", quota, admitted, unready, holds={GPU: 1})), capsys)
    assert text.startswith("… Job train of a is admitted")
    assert "Kueue's part is done" not in text


def test_one_that_runs_and_one_that_was_preempted_before(capsys: pytest.CaptureFixture[str]) -> None:
    before = (
        "Previously: Preempted to accommodate a workload (UID: u-1, JobUID: u-2) due to Fair Sharing within the cohort"
    )
    runs = workload(
        "train",
        condition("QuotaReserved", "True", "QuotaReserved"),
        condition("Admitted", "True", "Admitted"),
        condition("PodsReady", "True", "Started"),
        condition("Requeued", "True", "Preempted"),
        condition("Preempted", "False", "QuotaReserved", before),
        holds={GPU: 1},
    )
    lines = shown(explained(runs), capsys).splitlines()
    assert lines[0] == "✓ Job train of a runs (since 2026-11-24T03:46:40Z)"
    assert "was preempted before 2026-11-24T03:46:40Z" in lines
    assert not any(line.lstrip().startswith("→") for line in lines)
