"""Every sample event goes through the handler's own code; what no event is, is refused with a clear error."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from governor.aws.usage import Reading
from governor.errors import PermanentError, TransientError
from governor.functions.applying import HOPELESS_SECONDS, UNEXPECTED_SECONDS, apply
from governor.functions.notifying import notify
from governor.functions.parts import Parts
from governor.functions.publishing import UsageOfClusters, publish_usage
from governor.functions.receiving import receive
from governor.functions.verifying import verify
from governor.records.announcing import ADDON_DETAIL_TYPE, AddonNews, Announcement
from governor.settings import AddonSettings, FunctionSettings, NotifySettings, Settings, UsageSettings
from governor.usage.seen import Doors, Fund, Queue, Seen
from tests.support.desk import KEY, Desk
from tests.support.world import two_teams

EVENTS = Path(__file__).parents[3] / "events"
BUCKET = "hyperpod-governor-policies"
ALARM = "hyperpod-governor-OverBorrowingAlarm-1A2B3C4D5E6F"


class _Queue:
    """The desk's queue, and which messages were to be shown again."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.shown: list[tuple[str, float]] = []

    def send(self, group: str, deduplication: str, body: str) -> None:
        self._desk.queue.send(group, deduplication, body)

    def show_again(self, receipt: str, seconds: float) -> None:
        self.shown.append((receipt, seconds))


class _Aws:
    calls: dict[str, int] = {}  # noqa: RUF012 - a stand-in without state


class _News:
    def __init__(self) -> None:
        self.told: list[AddonNews] = []
        self.messages: list[tuple[str, str]] = []

    def announce_addon(self, news: AddonNews) -> None:
        self.told.append(news)

    def tell(self, subject: str, text: str) -> None:
        self.messages.append((subject, text))


class _Parts:
    """The functions' parts on a desk."""

    def __init__(self, desk: Desk) -> None:
        self.settings = FunctionSettings(BUCKET, "records", "queue", "topic", 600, 200, 5)
        self.rails = Settings()
        self.rules = desk.rules.plan
        self.policies, self.documents, self.statuses = desk.policies, desk.documents, desk.statuses
        self.account, self.queue, self.aws = desk.account, _Queue(desk), _Aws()
        self.clock = desk.world.clock
        self.looker, self.eks, self.announcer = desk.looker, desk.eks, _News()
        self.addon = AddonSettings()
        self.usage = UsageSettings("HyperPod/TaskGovernance")
        self.notifications = NotifySettings(f"OverBorrowing={ALARM}")
        self.gate = desk.gate


def _event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return found


def _receive(desk: Desk, event: dict[str, Any]) -> dict[str, Any]:
    return receive(cast("Parts", _Parts(desk)), event, lambda: 100.0, "r-1")


def _apply(parts: _Parts, *bodies: str, receives: int = 1) -> list[str]:
    (record,) = _event("policy-change")["Records"]
    attributes = {**record["attributes"], "ApproximateReceiveCount": str(receives)}
    records = [
        {**record, "body": body, "messageId": f"m-{number}", "receiptHandle": f"h-{number}", "attributes": attributes}
        for number, body in enumerate(bodies)
    ]
    answer = apply(cast("Parts", parts), {"Records": records}, lambda: 300.0, "r-2")
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_an_upload_and_a_deletion_are_received() -> None:
    desk = Desk()
    desk.policies.upload(KEY, two_teams())

    assert _receive(desk, _event("object-created"))["verdict"] == "InProgress"
    status = desk.status()
    assert (status.newest.origin.account, status.newest.origin.address) == ("123456789012", "203.0.113.9")
    assert status.newest.request == "r-1"

    desk.policies.delete(KEY)
    assert _receive(desk, _event("object-deleted"))["verdict"] == "Waiting"


def test_an_approval_is_received() -> None:
    desk = Desk()
    desk.applied()
    event = _event("approval-created")
    event["detail"]["object"]["key"] = f"approvals/{desk.world.arn.rpartition('/')[2]}.json"
    desk.policies.upload(event["detail"]["object"]["key"], '{"fingerprint": "448fdb0cbac1"}')

    assert _receive(desk, event)["approves"] == desk.world.arn
    assert desk.force().approve == "448fdb0cbac1"


def test_the_tick_is_a_resync() -> None:
    desk = Desk()
    desk.policies.upload(KEY, two_teams())
    assert _receive(desk, _event("resync"))["resync"]["received"] == (KEY,)


def test_an_object_that_is_no_policy_is_ignored() -> None:
    desk = Desk()
    event = _event("object-created")
    event["detail"]["object"]["key"] = "policies/README.md"
    assert _receive(desk, event) == {"key": "policies/README.md", "ignored": True}
    assert desk.records.keys() == []


@pytest.mark.parametrize(
    "event",
    [{}, {"detail": {}}, {"detail": {"bucket": {"name": BUCKET}, "object": {}}}, {"resync": "true"}, {"Records": []}],
)
def test_what_is_no_event_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(PermanentError, match="neither about an object nor a resync"):
        _receive(Desk(), event)


def test_an_event_of_another_bucket_is_refused() -> None:
    event = _event("object-created")
    event["detail"]["bucket"]["name"] = "somebody-elses"
    with pytest.raises(PermanentError, match="another bucket: somebody-elses"):
        _receive(Desk(), event)


def test_a_message_is_a_slice_of_work() -> None:
    desk = Desk()
    desk.drop(two_teams())
    parts = _Parts(desk)

    assert _apply(parts, desk.queue.messages.pop()) == []
    assert desk.status().verdict == "Applied"
    assert desk.status().run is not None
    assert desk.status().run.requests == ("r-2",)  # type: ignore[union-attr]


def test_the_sample_message_is_understood() -> None:
    desk = Desk()
    (record,) = _event("policy-change")["Records"]
    assert _apply(_Parts(desk), record["body"]) == []  # a cluster that nothing governs: nothing to do


@pytest.mark.parametrize(
    "body",
    ["", "no json", "{}", '{"clusterArn": "x", "generation": 1, "why": ""}', '{"clusterArn": 1}', "[]", "null"],
)
def test_a_message_that_can_never_be_handled_is_soon_out_of_the_way(body: str) -> None:
    parts = _Parts(Desk())
    assert _apply(parts, body) == ["m-0"]
    assert parts.queue.shown == [("h-0", HOPELESS_SECONDS)]


def test_a_transient_failure_comes_again_after_the_seconds_it_asks_for_and_those_behind_it_too() -> None:
    desk = Desk()
    desk.drop(two_teams())
    desk.world.direct.fault("DescribeCluster", "throttle")
    parts = _Parts(desk)
    body = desk.queue.messages.pop()

    assert _apply(parts, body, body) == ["m-0", "m-1"]
    assert parts.queue.shown == [("h-0", 20.0)]
    assert desk.status().verdict == "InProgress"


def test_an_error_of_the_program_loses_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    desk.drop(two_teams())
    parts = _Parts(desk)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("governor.apply.slices.open_policy", broken)
    assert _apply(parts, desk.queue.messages.pop()) == ["m-0"]
    assert parts.queue.shown == [("h-0", UNEXPECTED_SECONDS)]


def test_a_failure_to_show_a_message_again_is_no_reason_to_lose_it() -> None:
    desk = Desk()
    parts = _Parts(desk)

    def fails(receipt: str, seconds: float) -> None:
        raise TransientError("no")

    parts.queue.show_again = fails  # type: ignore[method-assign]
    assert _apply(parts, "no json") == ["m-0"]


def test_the_sample_verdict_has_the_members_that_are_sent() -> None:
    detail = _event("verdict")["detail"]
    sent = msgspec.convert(detail, Announcement, strict=True)
    assert msgspec.to_builtins(sent) == detail


def test_every_sample_event_is_used_here_or_in_the_tests_of_the_template() -> None:
    text = "".join(path.read_text() for path in Path(__file__).parents[1].rglob("test_*.py"))
    unused = [path.stem for path in EVENTS.glob("*.json") if f'"{path.stem}' not in text]
    assert unused == []


def test_the_hourly_look_is_taken_measured_and_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "HyperPodGovernor")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "governor")
    desk = Desk()
    desk.applied()
    parts = _Parts(desk)
    done = verify(cast("Parts", parts), _event("verify-addon"), lambda: 300.0)["verified"]
    assert (done["clusters"], done["changed"], done["failed"]) == (1, ("ml-research",), ())
    assert [news.healthy for news in parts.announcer.told] == [True]
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    (of_the_cluster,) = [each for each in printed if "cluster" in each]
    values = {name: of_the_cluster[name] for name in ("AddonInstalled", "AddonHealthy", "AddonVersionDrift")}
    assert values == {"AddonInstalled": [1.0], "AddonHealthy": [1.0], "AddonVersionDrift": [0.0]}
    assert of_the_cluster["cluster"] == "ml-research"


def test_an_event_that_asks_for_no_look_is_refused() -> None:
    with pytest.raises(PermanentError, match="does not ask for a look"):
        verify(cast("Parts", _Parts(Desk())), {"verify": "yes"}, lambda: 300.0)


def test_the_sample_of_a_change_of_state_has_the_members_that_are_sent() -> None:
    event = _event("addon-state-change")
    assert event["detail-type"] == ADDON_DETAIL_TYPE
    sent = msgspec.convert(event["detail"], AddonNews, strict=True)
    assert json.loads(msgspec.json.encode(sent)) == event["detail"]


class _Kueue:
    """What is read of a cluster in which one team borrows of another, or uses no more than is its own."""

    def __init__(self, borrowed: int = 1) -> None:
        self._used = (2 + borrowed, 0)

    def read(self, _cluster_arn: str, _time_left: object) -> Reading:
        names = ("vision", "language")
        namespaces = {f"hyperpod-ns-{name}": f"id-{name}" for name in names}
        queues = tuple(
            Queue(name, "shared", (Fund("g5", "nvidia.com/gpu", 2, used, used),))
            for name, used in zip(names, self._used, strict=True)
        )
        doors = Doors(namespaces, tuple((f"hyperpod-ns-{name}", "lq", name, 0) for name in names))
        return Reading(Seen(queues, doors), ())


def test_the_tick_of_every_minute_publishes_metrics_and_remembers_what_was_seen(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "governor")
    desk = Desk()
    desk.applied()
    parts, clusters = cast("Parts", _Parts(desk)), cast("UsageOfClusters", _Kueue())
    done = publish_usage(parts, clusters, _event("publish-metrics"), lambda: 60.0)["published"]
    assert done == {"clusters": ("ml-research",), "teams": 2, "unread": {}}

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert {line["_aws"]["CloudWatchMetrics"][0]["Namespace"] for line in lines} == {"HyperPod/TaskGovernance"}
    assert {line["service"] for line in lines} == {"governor"}
    teams = {line["team"]: (line["BorrowedAccelerators"], line["LentAccelerators"]) for line in lines if "team" in line}
    assert teams == {"vision": ([1.0], [0.0]), "language": ([0.0], [1.0])}
    assert [line["Clusters"] for line in lines if "Heartbeat" in line] == [[1.0]]
    assert desk.records.keys("clusters/")[-1].endswith("/usage.json")


def test_an_event_that_asks_for_no_metrics_is_refused() -> None:
    with pytest.raises(PermanentError, match="does not ask for metrics"):
        publish_usage(cast("Parts", _Parts(Desk())), cast("UsageOfClusters", _Kueue()), {"publish": 1}, lambda: 60.0)


def _rings(state: str, age: float) -> dict[str, Any]:
    """The alarm about borrowing, so many minutes ago: records of usage have the time of the clock."""
    event = _event("alarm-contributor-state-change")
    at = datetime.now(UTC) - timedelta(minutes=age)
    event["detail"]["state"] |= {"value": state, "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.000+0000"}
    return event


def test_a_change_of_an_alarm_is_told_once_and_once_more_when_it_is_quiet() -> None:
    desk = Desk()
    desk.applied()
    parts = _Parts(desk)
    ringing, over = (_rings(state, age) for state, age in (("ALARM", 2), ("OK", 1)))

    outcomes = [notify(cast("Parts", parts), event)["notified"]["outcome"] for event in (ringing, ringing, over)]
    assert outcomes == ["told", "repeated", "unseen"]  # publish_metrics has not run here

    calm = cast("UsageOfClusters", _Kueue(borrowed=0))
    publish_usage(cast("Parts", parts), calm, _event("publish-metrics"), lambda: 60.0)
    outcomes = [notify(cast("Parts", parts), event)["notified"]["outcome"] for event in (over, over)]
    assert outcomes == ["told", "repeated"]
    (began, ended) = [subject for subject, _ in parts.announcer.messages]
    assert began.startswith("HyperPod Governor: vision")
    assert ended.startswith("HyperPod Governor: Over: vision")


def test_a_state_of_an_alarm_that_says_nothing_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    parts = _Parts(Desk())
    odd = _event("alarm-contributor-state-change")
    odd["detail"]["state"]["value"] = "INSUFFICIENT_DATA"
    assert notify(cast("Parts", parts), odd) == {"notified": {"outcome": "nothing"}}
    assert "says nothing of a team" in caplog.text


@pytest.mark.parametrize(
    "changes",
    [
        {"detail": {}},
        {"detail-type": "CloudWatch Alarm State Change"},
        {"detail": {"alarmName": "another", "alarmContributor": {}, "state": {"value": "OK", "timestamp": ""}}},
    ],
)
def test_an_event_of_no_alarm_of_usage_is_refused(changes: dict[str, Any]) -> None:
    parts = _Parts(Desk())
    with pytest.raises(PermanentError):
        notify(cast("Parts", parts), {**_event("alarm-contributor-state-change"), **changes})
    assert parts.announcer.messages == []
