"""governor why: which job, what it prints and what it refuses, on recorded answers of a real Kueue."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from governor.aws.workloads import WORKLOADS_AT_ONCE
from governor.cli import looking, why
from governor.cli.main import main
from governor.cli.teams import Place, Teams
from governor.errors import AccessError, ForbiddenError, NotFoundError, PermanentError
from governor.kueue.explaining import State
from governor.kueue.explaining.messages import Kind
from governor.plan import Quota
from tests.unit.cli.accounts import Account
from tests.unit.cli.why_api import TEAM_A, RecordedApi, answer, refusal

# Which job.


@pytest.mark.parametrize("text", ["train-3", "job/train-3", "team-a/train-3", f"{TEAM_A}/train-3", "job-train-3-ca337"])
def test_a_job_by_any_of_its_names(text: str) -> None:
    assert answer(RecordedApi(), text).job.workload == "job-train-3-ca337"


def test_an_unknown_job_says_where_was_looked_and_what_is_near() -> None:
    error = refusal(RecordedApi(), "trian-big")
    assert isinstance(error, NotFoundError)
    assert str(error) == (
        "Kueue knows no job 'trian-big' in cluster ml-research, among 6 workloads; a job without the label "
        "kueue.x-k8s.io/queue-name is not Kueue's, and one that was deleted is gone here too; "
        "did you mean 'team-a/train-big'?"
    )
    assert "did you mean" not in str(refusal(RecordedApi(), "something-else-entirely"))


def test_a_job_of_another_team_is_pointed_to() -> None:
    said = str(refusal(RecordedApi(), "b-train", TEAM_A))
    assert f"in namespace {TEAM_A} of cluster ml-research, among 5 workloads" in said
    assert said.endswith("there is Job b-train in namespace hyperpod-ns-team-b")


def test_a_job_of_another_kind_is_pointed_to_by_its_kind() -> None:
    api = RecordedApi()
    assert str(refusal(api, "Pod/cpu-prep")).endswith(f"there is Job cpu-prep in namespace {TEAM_A}")
    api.workload("cpu-prep")["metadata"].update(name="alone", ownerReferences=[])
    assert str(refusal(api, "pod/alone")).endswith(f"there is workload alone in namespace {TEAM_A}")


def test_several_jobs_of_a_name_are_told_apart_and_the_newest_is_not_simply_taken() -> None:
    api = RecordedApi()
    api.add("train-3", "hyperpod-ns-team-b", name="job-train-3-bbbbb", uid="u1")
    error = refusal(api, "train-3")
    assert isinstance(error, PermanentError)
    assert str(error) == (
        "'train-3' is 2 workloads; say which, by NAMESPACE/WORKLOAD:\n"
        "  hyperpod-ns-team-a/job-train-3-ca337  (Job train-3, in line since 2026-11-24T03:57:07Z)\n"
        "  hyperpod-ns-team-b/job-train-3-bbbbb  (Job train-3, in line since 2026-11-24T03:57:07Z)"
    )
    assert answer(api, "hyperpod-ns-team-b/job-train-3-bbbbb").job.uid == "u1"
    assert answer(api, "train-3", TEAM_A).job.workload == "job-train-3-ca337"


def test_several_of_which_none_waits_are_told_apart_by_where_they_stand() -> None:
    api = RecordedApi()
    api.add("train-1", name="off", uid="u1")["spec"]["active"] = False
    del api.items["workloads"][-1]["status"]["admission"]
    finished = {
        "type": "Finished",
        "status": "True",
        "reason": "Succeeded",
        "lastTransitionTime": "2026-11-24T04:00:00Z",
    }
    api.add("train-1", name="over", uid="u2")["status"]["conditions"].append(finished)
    said = str(refusal(api, "train-1")).splitlines()[1:]
    assert [line.split("(")[1] for line in sorted(said)] == [
        "Job train-1, has its quota, submitted 2026-11-24T03:57:06Z)",
        "Job train-1, is switched off, submitted 2026-11-24T03:57:06Z)",
        "Job train-1, has ended, submitted 2026-11-24T03:57:06Z)",
    ]


def test_of_very_many_only_some_are_named() -> None:
    api = RecordedApi()
    for number in range(40):
        api.add("train-3", name=f"job-train-3-{number:05}", uid=f"u{number}")
    said = str(refusal(api, "train-3"))
    assert said.startswith("'train-3' is 41 workloads; say which")
    assert said.endswith("and 31 more")
    assert said.count("\n") == 11


# What is read.


@pytest.mark.parametrize("release", ["0.12.10", "0.19.2"])
def test_events_of_the_workload_and_of_its_job_in_their_order(release: str) -> None:
    went = ["CreatedWorkload", "QuotaReserved", "Admitted", "Started", "EvictedDueToPreempted", "Preempted", "Stopped"]
    found = answer(RecordedApi(release), "train-3").events
    told = [each.reason for each in found]
    assert told[: len(went)] == went
    assert set(told[len(went) :]) == {"Pending"}
    assert {each.about for each in found} == {"Job", "Workload"}
    assert [each.at for each in found] == sorted(each.at for each in found)
    assert found[0].at > 1_795_492_000


def test_other_events_of_the_job_are_not_kueues() -> None:
    api = RecordedApi()
    event = next(each for each in api.events if each["reason"] == "Stopped")
    api.events.append({**event, "reason": "Suspended", "reportingComponent": "job-controller"})
    assert "Suspended" not in [each.reason for each in answer(api, "train-3").events]


def test_how_often_an_event_came_in_either_form() -> None:
    api = RecordedApi()
    first, second = (each for each in api.events if each["involvedObject"]["name"] == "job-train-big-288c3")
    first["series"] = {"count": 7, "lastObservedTime": "2026-11-24T05:00:00.000000Z"}
    second.update(count=4, lastTimestamp="2026-11-24T04:00:00Z", eventTime=None)
    found = [(each.count, each.at) for each in answer(api, "train-big").events if each.count > 1]
    assert found == [(4, 1_795_492_800), (7, 1_795_496_400)]


def test_lists_are_read_by_pages_whatever_comes_first() -> None:
    api = RecordedApi()
    for number in range(250):
        api.add("train-1", name=f"w{number}", uid=f"u{number}")
    assert answer(api, "b-train").job.name == "b-train"
    pages = [path for path in api.asked if "/workloads?" in path]
    assert len(pages) == -(-256 // WORKLOADS_AT_ONCE)
    assert all(f"limit={WORKLOADS_AT_ONCE}" in path for path in pages)


def test_what_scheduling_does_not_need_is_read_too() -> None:
    api = RecordedApi()
    status = api.workload("train-3")["status"]
    assert status["schedulingStats"]["evictions"] == [{"count": 1, "reason": "Preempted", "underlyingCause": ""}]
    status["schedulingStats"]["evictions"] = [{"count": 4, "reason": "Preempted"}, {"count": 9, "reason": "Other"}]
    preemption = answer(api, "train-3").preemption
    assert preemption is not None
    assert preemption.times == 4
    held = api.workload("b-train")["status"]
    held["conditions"] = [each for each in held["conditions"] if each["type"] == "QuotaReserved"]
    held["admissionChecks"] = [{"name": "budget", "state": "Pending", "message": "asking", "lastTransitionTime": ""}]
    (reason,) = answer(api, "b-train").reasons
    assert reason.words == "the admission check budget is Pending: asking"


def test_a_workload_that_cannot_be_read_does_not_hide_the_others() -> None:
    api = RecordedApi()
    api.add("train-1", name="odd")["spec"]["podSets"] = "none"
    found = answer(api, "train-3")
    (unseen,) = found.unseen
    assert unseen.startswith(f"1 workload: Workload {TEAM_A}/odd cannot be read: spec.podSets")


@pytest.mark.parametrize(
    "odd", [{"schedulingStats": "many"}, {"requeueState": {"requeueAt": "soon"}}, {"admissionChecks": [{"state": 1}]}]
)
def test_what_is_odd_about_a_workload_and_decides_nothing_is_left_out(odd: dict[str, Any]) -> None:
    api = RecordedApi()
    api.workload("train-3")["status"].update(odd)
    found = answer(api, "train-3")
    assert (found.job.name, found.unseen) == ("train-3", ())
    assert found.preemption is not None
    assert found.preemption.times == 0


def test_an_event_without_a_time_that_can_be_read_comes_first() -> None:
    api = RecordedApi()
    event = next(each for each in api.events if each["involvedObject"]["name"] == "b-train")
    api.events.append({**event, "reason": "Timeless", "eventTime": "yesterday"})
    found = answer(api, "b-train").events
    assert (found[0].reason, found[0].at) == ("Timeless", 0)


# Who may see less.


def test_who_may_read_one_namespace_only_says_which_and_is_told_what_is_missing() -> None:
    api = RecordedApi()
    api.refused = {"workloads", "localqueues", "clusterqueues"}
    error = refusal(api, "train-3")
    assert isinstance(error, ForbiddenError)
    assert str(error).endswith("Who may read one namespace only says which: --team or --namespace")

    found = answer(api, "train-3", TEAM_A)
    assert found.preemption is not None
    assert (found.preemption.by, found.preemption.by_uid) == (None, "db02b25e-68f8-499e-962a-bdead6745d14")
    assert found.cluster_queue == "hyperpod-ns-team-a-clusterqueue"
    assert found.line is not None
    assert found.users is not None
    assert (found.line.waiting, found.users.number, found.cohort) == (2, 3, "")
    assert [each.split(":")[0] for each in found.unseen] == [
        "workloads of other namespaces",
        "ClusterQueues, and so who else is in the cohort",
    ]


def test_without_events_and_queues_there_is_an_answer_still() -> None:
    api = RecordedApi()
    api.refused = {"localqueues", "clusterqueues", "namespace/events"}
    found = answer(api, "train-3")
    assert found.reasons[0].words == "2 more nvidia.com/gpu have to become free"
    assert (found.line, found.users, found.events) == (None, None, ())
    assert [each.split(":")[0] for each in found.unseen] == [
        "LocalQueues",
        "ClusterQueues, and so who else is in the cohort",
        "events",
    ]


def test_who_may_not_even_read_that_is_refused() -> None:
    api = RecordedApi()
    api.refused = {"workloads", "namespace/workloads"}
    assert isinstance(refusal(api, "train-3", TEAM_A), AccessError)


# The command.

Governor = Callable[..., int]


@pytest.fixture
def api() -> RecordedApi:
    return RecordedApi()


@pytest.fixture
def governor(api: RecordedApi, monkeypatch: pytest.MonkeyPatch) -> Governor:
    """The command line on an account with one cluster, which is the recorded one."""

    class Clusters:
        def __init__(self, aws: object) -> None:
            assert aws is None

        def connect(self, name: str) -> Any:
            assert name == "research-eks"
            return api.kubernetes

    monkeypatch.setattr(why, "Aws", lambda: None)
    monkeypatch.setattr(why, "Account", lambda _: Account(research=True))
    monkeypatch.setattr(looking, "make_console", lambda *, stderr: Console(file=sys.stderr, force_terminal=stderr))
    monkeypatch.setattr(why, "Clusters", Clusters)
    return lambda *arguments: main(["why", *arguments])


def test_the_answer_in_words(governor: Governor, capsys: pytest.CaptureFixture[str]) -> None:
    assert governor("train-3") == 0
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert lines[:3] == [
        "… Job train-3 of team-a was preempted and waits again (since 2026-11-24T03:57:09Z)",
        "  ✗ ml.g5.8xlarge: 2 more nvidia.com/gpu have to become free",
        "    team-a has 4 nvidia.com/gpu of its own there and may borrow 4 more; its jobs hold 4 now",
    ]
    assert (
        "  by Job b-train of team-b (priority 80): team-b took back quota of its own, which team-a had borrowed"
        in lines
    )
    assert (
        "  asks for   2 pods × 1 nvidia.com/gpu, 16 cpu, 64Gi memory; in all 2 nvidia.com/gpu, 32 cpu, 128Gi memory"
        in lines
    )
    assert "  queue      hyperpod-ns-team-a-localqueue → hyperpod-ns-team-a-clusterqueue (cohort hyperpod)" in lines
    assert "  it is tried first of 2 that wait in its queue" in lines
    assert "  team-a/train-1   priority 80  2 nvidia.com/gpu, 32 cpu, 128Gi memory of ml.g5.8xlarge" in lines
    assert "  team-b  1 job  4 nvidia.com/gpu, 64 cpu, 256Gi memory of ml.g5.8xlarge" in lines
    assert "\x1b" not in text


def test_something_moves_beside_the_output_while_the_cluster_is_read(
    governor: Governor, capsys: pytest.CaptureFixture[str]
) -> None:
    assert governor("train-3", "--json") == 0
    shown = capsys.readouterr()
    assert "reading the cluster" in shown.err
    assert json.loads(shown.out)["state"] == "preempted"


def test_the_answer_for_programs(governor: Governor, capsys: pytest.CaptureFixture[str]) -> None:
    assert governor("train-3", "--team", "team-a", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {
        "cluster",
        "job",
        "queue",
        "clusterQueue",
        "cohort",
        "priority",
        "priorityClass",
        "podSets",
        "total",
        "created",
        "state",
        "since",
        "words",
        "reasons",
        "preemption",
        "line",
        "users",
        "neighbours",
        "moreNeighbours",
        "events",
        "unseen",
    }
    assert (document["state"], document["since"]) == ("preempted", "2026-11-24T03:57:09Z")
    assert document["preemption"]["by"]["name"] == "b-train"
    assert document["preemption"]["at"] == "2026-11-24T03:57:09Z"
    assert document["reasons"][0]["kind"] == "unusedQuota"
    assert document["users"]["first"][0]["holds"]["ml.g5.8xlarge"]["memory"] == "128Gi"
    assert document["events"][0]["at"] == "2026-11-24T03:57:07Z"


def test_what_cannot_be_answered_ends_with_1_and_one_line(
    governor: Governor, api: RecordedApi, capsys: pytest.CaptureFixture[str]
) -> None:
    assert governor("nobody", "--json") == 1
    shown = capsys.readouterr()
    assert "\ngovernor: error: Kueue knows no job 'nobody'" in shown.err.replace("\x1b[2K", "\n")
    assert json.loads(shown.out)["verdict"] == "Failed"
    api.refused = {"workloads"}
    assert governor("train-3") == 1
    assert "not allowed (403)" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["a/b/c"], ["/a"], ["a", "--team", ""], ["a", "--team", "t", "-n", "n"]])
def test_a_wrong_call(governor: Governor, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        governor(*arguments)
    assert ended.value.code == 1
    assert "usage: governor why" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("job", "options", "namespace"),
    [
        ("a", {}, ""),
        ("a", {"team": "t"}, "of-t"),
        ("a", {"namespace": "n"}, "n"),
        ("hyperpod-ns-t/a", {}, "hyperpod-ns-t"),
        ("job/a", {}, ""),
    ],
)
def test_where_to_look(job: str, options: dict[str, str], namespace: str) -> None:
    arguments = argparse.Namespace(**{"job": job, "team": None, "namespace": None, **options})
    assert why.place_of(arguments, Teams(lambda: {"of-t": "1"}, lambda: [Quota("1", "q", "t", "", 1)])) == Place(
        namespace
    )


def test_the_documents_name_every_kind_of_reason_and_every_state() -> None:
    text = (Path(__file__).parents[3] / "docs" / "commands.md").read_text()
    section = text.partition("## governor why JOB")[2].partition("\n## ")[0].replace("\n", " ")
    kinds = section.partition("`kind` of a reason: ")[2].rstrip(". ").split(", ")
    assert kinds == [each.value for each in Kind]
    states = section.partition("| `state`, `since`, `created`, `words` | ")[2].partition(";")[0].replace(" or ", ", ")
    assert states.split(", ") == [each.value for each in State]
