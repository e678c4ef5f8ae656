"""Once per incident, once when it is over, quiet while muted; and in words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from governor.aws.service_model import service_limits
from governor.errors import TransientError
from governor.notify import Notifier, Transition
from governor.policy import BorrowingAlarm
from governor.publish import Declarations
from governor.records.documents import InForce, Origin
from governor.records.names import in_force_key, incidents_key, usage_key
from governor.records.store import Documents
from governor.records.usages import Incidents, Kind, UsageSeen
from governor.usage import Seen, usage_of
from governor.usage.alarming import Rules, judged
from governor.usage.seen import Doors, Fund, Machine, Queue
from governor.usage.seen import Kind as Flavor
from tests.support.buckets import MemoryBucket, WallClock

ARN = "arn:aws:sagemaker:us-west-2:123456789012:cluster/id1"
BEGAN = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
POLICY = """\
version: 1
cluster: ml
alarms: {borrowing: {percent: 50%s}}
teams: [{name: vision, quota: [{instanceType: ml.g5.8xlarge, count: 2}]}]
"""


class Office:
    """A governed cluster, and the messages that people got."""

    def __init__(self) -> None:
        self.now = WallClock(BEGAN)
        self.bucket = MemoryBucket(self.now)
        self.documents = Documents(self.bucket, pause=lambda _: None)
        self.messages: list[tuple[str, str]] = []
        self.broken = False
        self.declarations = Declarations(service_limits)
        self.govern()

    def govern(self, mute: str = "", identity: str = "id1", state: Any = "InForce") -> None:
        force = InForce(
            revision=1,
            cluster_arn=ARN,
            cluster_name="ml",
            generation=1,
            state=state,
            origin=Origin("policies/ml.yaml"),
            changed=self.now(),
            text=POLICY % (f", muteUntil: {mute}" if mute else ""),
            on_delete="Retain",
        )
        self.bucket.upload(in_force_key(identity), msgspec.json.encode(force))

    def remember(self, **more: Any) -> None:
        """What publish_metrics saw last: vision borrows 1, of which nlp waits for 1."""
        queues = (
            Queue("cq-v", "c", (Fund("g5", "nvidia.com/gpu", 2, 3, 3),)),
            Queue("cq-n", "c", (Fund("g5", "nvidia.com/gpu", 2, 1, 1),), pending=4),
        )
        doors = Doors(
            {"hyperpod-ns-vision": "", "hyperpod-ns-nlp": ""},
            (("hyperpod-ns-vision", "l", "cq-v", 0), ("hyperpod-ns-nlp", "l", "cq-n", 0)),
        )
        machine = Machine("n", {}, {"nvidia.com/gpu": 3}, {"nvidia.com/gpu": 3}, usable=True)
        usage = usage_of(Seen(queues, doors, (), (machine,), (Flavor("g5", {}),)), "ml", int(BEGAN.timestamp()))
        since = int((BEGAN - timedelta(minutes=7)).timestamp())
        borrowing = judged(usage.teams, Rules({"vision": BorrowingAlarm(50)}), since, {})
        members: dict[str, Any] = {"usage": usage, "borrowing": borrowing, **more}
        seen = UsageSeen(at=self.now(), cluster_arn=ARN, cluster_name="ml", **members)
        self.bucket.upload(usage_key("id1"), msgspec.json.encode(seen))

    def tell(self, subject: str, text: str) -> None:
        if self.broken:
            raise TransientError("the topic is not there")
        self.messages.append((subject, text))

    def happens(
        self, state: Any, minutes: float = 0, kind: Kind = "OverBorrowing", team: str = "vision", cluster: str = "ml"
    ) -> str:
        at = BEGAN + timedelta(minutes=minutes)
        self.now.time = max(self.now.time, at)
        transition = Transition(
            kind, cluster, "" if kind in ("QuotaAboveCapacity", "CouldNotRead") else team, state, at
        )
        return self.handle(transition)

    def handle(self, transition: Transition) -> str:
        return (
            Notifier(
                self.documents,
                self,
                lambda force: self.declarations.of(force).rules,
                self.now,
                "records",
                "https://dash",
            )
            .handle(transition)
            .outcome
        )


def test_an_incident_is_told_once_and_once_when_it_is_over() -> None:
    office = Office()
    office.remember()
    told = [
        office.happens("ALARM"),
        office.happens("ALARM"),
        office.happens("ALARM", 1),
    ]
    office.now.advance(minutes=62)
    office.remember()
    told += [office.happens("OK", 63), office.happens("OK", 63)]
    assert told == ["told", "repeated", "repeated", "told", "repeated"]
    (subject, text), (over, after) = office.messages
    assert subject == "HyperPod Governor: vision lives on borrowed compute on ml"
    assert text.splitlines()[2:] == [
        "Team vision of cluster ml borrows 1 accelerator, 50 % of the 2 accelerators that it is guaranteed; its policy "
        "alarms from 50 % on.",
        "It borrows from:",
        "  - nlp lends 1 nvidia.com/gpu in g5",
        "Who waits for it:",
        "  - nlp waits below its guarantee and could have 1 nvidia.com/gpu back",
        "",
        "What to do: nothing, if this is what idle compute is for: Kueue takes it back when its owner needs it. "
        "Otherwise give the team more quota or a lower sharing.borrowLimit in policies/ml.yaml, or raise "
        "alarms.borrowing.percent, or be quiet for a while with alarms.borrowing.muteUntil.",
        "",
        "Since 2026-11-24 11:53 UTC.",
        "",
        "Where to look: governor usage ml",
        "  record: s3://records/clusters/id1/usage.json",
        "  dashboard: https://dash",
    ]
    assert over.startswith("HyperPod Governor: Over: vision")
    assert "It lasted from 2026-11-24 11:53 UTC to 2026-11-24 13:03 UTC, 1 h 10 min." in after


@pytest.mark.parametrize("trouble", ["the connection is refused", ""])
def test_an_alarm_that_is_quiet_because_nothing_can_be_read_is_not_said_to_be_over(trouble: str) -> None:
    office = Office()
    office.remember()
    office.happens("ALARM")
    if trouble:  # otherwise publish_metrics has written nothing for ten minutes
        office.now.advance(minutes=9)
        office.remember(trouble=trouble)
    assert office.happens("OK", 10) == "told"
    subject, text = office.messages[-1]
    assert subject == "HyperPod Governor: Not known any more: vision lives on borrowed compute on ml"
    assert "cannot be read: " + (trouble or "no usage of it has come for some minutes") in text
    assert "whether it is over is not known" in text
    assert "no longer borrows" not in text
    assert office.happens("ALARM", 20) == "told"


def test_a_mute_rule_of_cloudwatch_is_heeded() -> None:
    office = Office()
    transition = Transition("OverBorrowing", "ml", "vision", "ALARM", BEGAN, muted=True)
    assert office.handle(transition) == "muted"


def test_damaged_records_keep_nobody_from_being_told() -> None:
    office = Office()
    for key in (incidents_key("id1"), usage_key("id1")):
        office.bucket.upload(key, b"{")
    assert [office.happens("ALARM"), office.happens("ALARM")] == ["told", "repeated"]


def test_it_begins_again() -> None:
    office = Office()
    told = [office.happens("ALARM"), office.happens("OK", 1), office.happens("ALARM", 2), office.happens("OK", 3)]
    assert told == ["told"] * 4


def test_teams_and_kinds_are_incidents_of_their_own() -> None:
    office = Office()
    assert (
        office.happens("ALARM")
        == office.happens("ALARM", team="nlp")
        == office.happens("ALARM", kind="Starved")
        == "told"
    )
    kept = office.documents.load(incidents_key("id1"), Incidents)
    assert kept is not None
    assert {(each.kind, each.team) for each in kept.document.incidents} == {
        ("OverBorrowing", "vision"),
        ("OverBorrowing", "nlp"),
        ("Starved", "vision"),
    }


def test_what_comes_late_changes_nothing() -> None:
    office = Office()
    assert [office.happens("ALARM", 5), office.happens("OK", 9), office.happens("ALARM", 4)] == ["told", "told", "late"]
    assert office.happens("ALARM", 10) == "told"


def test_that_it_is_over_is_told_only_to_who_knows_that_it_began() -> None:
    office = Office()
    assert office.happens("OK") == "quiet"
    assert office.messages == []


def test_while_muted_nobody_is_told() -> None:
    office = Office()
    office.govern("2026-11-24T13:00:00Z")
    assert [office.happens("ALARM", 1), office.happens("OK", 2), office.happens("ALARM", 3)] == ["muted"] * 3
    assert office.happens("ALARM", kind="Starved") == "told"  # only borrowing is muted
    assert office.happens("OK", 61) == "quiet"
    assert office.happens("ALARM", 62) == "told"


def test_an_incident_that_goes_on_after_the_muting_is_told_with_the_next_event() -> None:
    office = Office()
    office.govern("2026-11-24T13:00:00Z")
    assert [office.happens("ALARM", 1), office.happens("ALARM", 61)] == ["muted", "told"]


def test_a_message_that_did_not_go_out_is_not_forgotten() -> None:
    office = Office()
    office.broken = True
    with pytest.raises(TransientError):
        office.happens("ALARM")
    office.broken = False
    assert office.happens("ALARM") == "told"


def test_a_cluster_that_is_not_governed_is_nobodys() -> None:
    office = Office()
    assert office.happens("ALARM", cluster="other") == "nobodys"
    office.govern(state="Released")
    assert office.happens("ALARM") == "nobodys"


def test_of_two_clusters_of_a_name_the_one_that_is_governed_now() -> None:
    office = Office()
    office.govern(state="Released")
    office.govern(identity="id2")
    assert office.happens("ALARM") == "told"
    assert office.bucket.keys("clusters/id2/") == ["clusters/id2/in-force.json", "clusters/id2/incidents.json"]


def test_incidents_long_over_are_forgotten() -> None:
    office = Office()
    office.happens("ALARM"), office.happens("OK", 1)
    office.happens("ALARM", 31 * 24 * 60, team="nlp")
    kept = office.documents.load(incidents_key("id1"), Incidents)
    assert kept is not None
    assert [each.team for each in kept.document.incidents] == ["nlp"]


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("Starved", "  - 1 nvidia.com/gpu in g5 from vision"),
        ("QuotaAboveCapacity", "  - 4 nvidia.com/gpu in g5 promised, 1 more than there is"),
        ("CouldNotRead", "any: the API is private."),
        ("OverBorrowing", "  - nlp lends 1 nvidia.com/gpu in g5"),
    ],
)
def test_what_is_told_of_each_kind(kind: Kind, line: str) -> None:
    office = Office()
    office.remember(trouble="the API is private", trouble_since=BEGAN - timedelta(minutes=30))
    assert office.happens("ALARM", kind=kind, team="nlp" if kind == "Starved" else "vision") == "told"
    ((subject, text),) = office.messages
    assert line in text or line.removeprefix("any: ") in text
    assert "What to do: " in text
    assert "Where to look: governor usage ml" in text
    assert "Since 2026-11-24 " in text
    assert len(subject) <= 100
    assert subject.isascii()


@pytest.mark.parametrize("kind", ["Starved", "QuotaAboveCapacity", "CouldNotRead", "OverBorrowing"])
def test_without_a_record_something_is_told_all_the_same(kind: Kind) -> None:
    office = Office()
    assert office.happens("ALARM", kind=kind) == office.happens("OK", 5, kind=kind) == "told"
    assert all("ml" in text for _, text in office.messages)


def test_names_begin_no_lines_and_fit_a_subject() -> None:
    office = Office()
    office.happens("ALARM", team="x\nSubject: evil\x1b[31m é" + "y" * 200)
    ((subject, text),) = office.messages
    assert len(subject) <= 100
    assert subject.isascii()
    assert "\x1b" not in text
    assert not any(line.startswith("Subject:") for line in text.splitlines())
