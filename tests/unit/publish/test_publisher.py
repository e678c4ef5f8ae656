"""The pass of every minute: published, written down, one broken cluster never silencing another."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from governor.aws.service_model import service_limits
from governor.aws.usage import Reading
from governor.errors import ForbiddenError, GovernorError, TransientError, UnreachableError
from governor.plan.record import Owned, Record
from governor.publish import Declarations, Published, Publisher
from governor.publish import publisher as publisher_module
from governor.records.documents import InForce, LastApplied, Origin
from governor.records.names import applied_key, in_force_key, usage_key
from governor.records.store import Documents
from governor.records.usages import UsageSeen
from governor.usage.figures import Batch
from governor.usage.seen import Doors, Fund, Queue, Seen
from tests.support.buckets import MemoryBucket, WallClock

POLICY = """\
version: 1
cluster: {name}
alarms: {{borrowing: {{percent: 50}}}}
teams:
  - {{name: a, quota: [{{instanceType: ml.g5.8xlarge, count: 2}}]}}
  - {{name: b, quota: [{{instanceType: ml.g5.8xlarge, count: 2}}], alarms: null}}
"""


def reading(used: int = 3, pending: int = 0) -> Reading:
    def queue(name: str, taken: int) -> Queue:
        return Queue(name, "c", (Fund("g5", "nvidia.com/gpu", 2, taken, taken),), pending=pending)

    doors = Doors(
        {"hyperpod-ns-a": "qa", "hyperpod-ns-b": "qb"},
        (("hyperpod-ns-a", "l", "cq-a", 0), ("hyperpod-ns-b", "l", "cq-b", 0)),
    )
    return Reading(Seen((queue("cq-a", used), queue("cq-b", 0)), doors), ())


Answer = Reading | GovernorError | Exception | Callable[[], Reading]


class Newsroom:
    """Governed clusters, what reading them gives, and what was published."""

    def __init__(self, **answers: Answer) -> None:
        self.now = WallClock()
        self.bucket = MemoryBucket(self.now)
        self.documents = Documents(self.bucket, pause=lambda _: None)
        self.answers = dict(answers)
        self.lines: list[tuple[Batch, str]] = []
        self.declarations = Declarations(service_limits)
        self.time_left: Callable[[], float] = lambda: 50.0
        self.unpublishable = "nobody"
        for name in answers:
            self.govern(name)

    def govern(self, name: str, text: str = POLICY, state: Any = "InForce", called: str = "") -> None:
        force = InForce(
            revision=1,
            cluster_arn=self.arn(name),
            cluster_name=called or name,
            generation=1,
            state=state,
            origin=Origin(f"policies/{name}.yaml"),
            changed=self.now(),
            text=text.format(name=name),
            on_delete="Retain",
        )
        self.bucket.upload(in_force_key(f"id-{name}"), msgspec.json.encode(force))

    def arn(self, name: str) -> str:
        return f"arn:aws:sagemaker:us-west-2:123456789012:cluster/id-{name}"

    def read(self, cluster_arn: str, _time_left: Callable[[], float]) -> Reading:
        answer = self.answers[cluster_arn.rpartition("/id-")[2]]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Reading) else answer()

    def publish(self, batch: Batch, reason: str = "") -> None:
        if batch.dimensions.get("team") == self.unpublishable:
            raise ValueError("no metric of this name")
        self.lines.append((batch, reason))

    def run(self) -> Published:
        self.lines.clear()
        return Publisher(
            self.documents,
            self,
            self,
            self.declarations.of,
            logging.getLogger("publish"),
            self.now,
            lambda: self.time_left(),
        ).run()

    def told(self, **dimensions: str) -> dict[str, float]:
        return {
            each.name: each.value
            for batch, _ in self.lines
            if dict(batch.dimensions) == dimensions
            for each in batch.figures
        }

    def seen(self, name: str) -> UsageSeen:
        kept = self.documents.load(usage_key(f"id-{name}"), UsageSeen)
        assert kept is not None
        return kept.document


def test_every_governed_cluster_is_published_and_written_down() -> None:
    room = Newsroom(one=reading(), two=reading(2))
    assert room.run() == Published(("one", "two"), 4, {})
    assert room.told(cluster="one", team="a")["OverBorrowing"] == 1
    assert room.told(cluster="two", team="a")["OverBorrowing"] == 0
    assert "OverBorrowing" not in room.told(cluster="one", team="b")
    assert room.told(cluster="one")["CouldNotRead"] == 0
    assert room.told() == {"Heartbeat": 1, "Clusters": 2}
    seen = room.seen("one")
    assert (seen.cluster_name, seen.at, seen.trouble) == ("one", room.now(), "")
    assert seen.usage is not None
    assert [(each.team, each.over) for each in seen.borrowing] == [("a", True)]


def test_without_clusters_the_heart_beats() -> None:
    room = Newsroom()
    room.govern("gone", state="Released")
    assert room.run() == Published()
    assert [dict(batch.dimensions) for batch, _ in room.lines] == [{}]


@pytest.mark.parametrize(
    "error",
    [
        ForbiddenError("cannot list clusterqueues", "list", "clusterqueues"),
        UnreachableError("half a list, then nothing"),
        TransientError("throttled"),
        ValueError("a bug"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_cluster_that_cannot_be_read_is_told_and_the_others_are_published(error: Exception) -> None:
    room = Newsroom(bad=error, good=reading())
    done = room.run()
    assert set(done.unread) == {"bad"}
    assert room.told(cluster="bad") == {"CouldNotRead": 1}
    assert not any(batch.dimensions.get("cluster") == "bad" and len(batch.figures) > 1 for batch, _ in room.lines)
    assert [reason for batch, reason in room.lines if reason] == [done.unread["bad"]]
    assert room.told(cluster="good", team="a")["UsedAccelerators"] == 3
    assert room.told()["Heartbeat"] == 1


def test_why_it_could_not_be_read_is_kept_beside_what_was_read_before() -> None:
    room = Newsroom(one=reading())
    room.run()
    before, room.answers["one"] = room.seen("one"), UnreachableError("no way to it")
    room.now.advance(minutes=1)
    first = room.now()
    room.run()
    room.now.advance(minutes=1)
    room.run()
    seen = room.seen("one")
    assert (seen.trouble, seen.trouble_since, seen.usage) == ("no way to it", first, before.usage)
    room.answers["one"] = reading()
    room.now.advance(minutes=1)
    room.run()
    assert (room.seen("one").trouble, room.seen("one").trouble_since) == ("", None)


def test_a_cluster_that_was_never_read_has_a_record_of_why() -> None:
    room = Newsroom(one=UnreachableError("no way to it"))
    room.run()
    assert (room.seen("one").usage, room.seen("one").trouble) == (None, "no way to it")


@contextmanager
def slow() -> Iterator[tuple[Callable[[], Reading], threading.Event]]:
    """A reading that does not end before the block does, and what tells that it began."""
    began, ended = threading.Event(), threading.Event()

    def wait() -> Reading:
        began.set()
        ended.wait(30)
        return reading()

    try:
        yield wait, began
    finally:
        ended.set()


def test_a_cluster_that_takes_too_long_holds_up_nobody() -> None:
    with slow() as (wait, began):
        room = Newsroom(good=reading(), slow=wait)
        room.time_left = lambda: 0.0 if began.wait(30) and room.told(cluster="good") else 5.0
        done = room.run()
    assert done.unread == {"slow": "it took too long to read"}
    assert room.told(cluster="slow") == {"CouldNotRead": 1}
    assert room.told(cluster="good")["CouldNotRead"] == 0


def test_slow_clusters_come_last_another_time_and_leave_their_reason() -> None:
    with slow() as (wait, began):
        room = Newsroom(good=reading(), slow=wait)
        room.time_left = lambda: 0.0 if began.wait(30) and room.told(cluster="good") else 5.0
        room.run()
        assert room.seen("slow").trouble == "it took too long to read"


def test_each_minute_another_cluster_is_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher_module, "PARALLEL", 1)
    room = Newsroom(one=reading(), two=reading(), three=reading())
    firsts = set()
    for minute in range(3):
        room.now.time = room.now.time.replace(minute=minute)
        asked: list[str] = []
        for name in ("one", "two", "three"):
            room.answers[name] = _noting(asked, name)
        room.run()
        firsts.add(asked[0])
    assert firsts == {"one", "two", "three"}


def _noting(asked: list[str], name: str) -> Callable[[], Reading]:
    def read() -> Reading:
        asked.append(name)
        return reading()

    return read


def test_of_a_cluster_made_anew_under_its_name_the_one_with_a_policy_in_force_is_published() -> None:
    room = Newsroom(new=reading())
    room.govern("new", called="ml")
    room.now.advance(minutes=1)
    room.govern("old", state="Leaving", called="ml")
    room.answers["old"] = UnreachableError("it is gone")
    assert room.run() == Published(("ml",), 2, {})
    assert room.told(cluster="ml")["CouldNotRead"] == 0


def test_a_damaged_policy_in_force_silences_nobody_else() -> None:
    room = Newsroom(good=reading())
    room.bucket.upload(in_force_key("id-bad"), b'{"format": 99}')
    done = room.run()
    assert set(done.unread) == {"id-bad"}
    assert room.told(cluster="id-bad") == {"CouldNotRead": 1}
    assert room.told(cluster="good")["CouldNotRead"] == 0


def test_what_cannot_be_published_silences_nobody_else() -> None:
    room = Newsroom(bad=reading(), good=reading())
    room.unpublishable = "a"
    done = room.run()
    assert set(done.unread) == {"bad", "good"}
    assert room.told(cluster="bad")["CouldNotRead"] == 1
    assert room.told()["Heartbeat"] == 1


def test_published_twice_says_the_same_twice() -> None:
    room = Newsroom(one=reading())
    room.run()
    first = list(room.lines)
    room.run()
    assert room.lines == first


def test_since_when_a_team_borrows_too_much_is_kept_from_run_to_run() -> None:
    room = Newsroom(one=reading())
    began = int(room.now().timestamp())
    for _ in range(3):
        room.run()
        room.now.advance(minutes=1)
    assert [each.since for each in room.seen("one").borrowing] == [began]


def test_a_run_that_is_late_does_not_overwrite_a_later_one() -> None:
    room = Newsroom(one=reading())
    room.run()
    later, room.now.time = room.seen("one"), room.now.time.replace(hour=11, minute=58)
    room.run()
    assert room.seen("one") == later
    room.now.time = room.now.time.replace(hour=9)
    room.run()  # a record from hours ahead was written by a clock that was wrong
    assert room.seen("one").at == room.now()


def test_a_record_that_cannot_be_written_does_not_keep_the_figures_back() -> None:
    room = Newsroom(one=reading())

    def refuse(operation: str, key: str) -> None:
        if operation == "put" and key.endswith("usage.json"):
            raise ForbiddenError("no PutObject", "put", "object")

    room.bucket.before = refuse
    assert room.run().unread == {}
    assert room.told(cluster="one", team="a")["OverBorrowing"] == 1


def test_a_damaged_record_is_written_anew() -> None:
    room = Newsroom(one=reading())
    room.bucket.upload(usage_key("id-one"), b"{")
    room.run()
    assert room.seen("one").usage is not None


def test_a_policy_in_force_that_cannot_be_read_any_more_is_told_and_the_usage_published() -> None:
    room = Newsroom(one=reading())
    room.govern("one", POLICY + "  - {{name: c, quota: [{{instanceType: ml.g5.8xlarge, cuont: 2}}]}}\n")
    done = room.run()
    assert "this release cannot read the policy in force" in done.unread["one"]
    assert room.told(cluster="one")["CouldNotRead"] == 1
    assert room.told(cluster="one", team="a")["OverBorrowing"] == 1


def test_another_policy_in_force_counts_from_the_next_run_on() -> None:
    room = Newsroom(one=reading())
    room.run()
    room.govern("one", POLICY.replace("percent: 50", "percent: 51"))
    room.run()
    assert room.told(cluster="one", team="a")["OverBorrowing"] == 0


def test_teams_are_called_as_the_policy_calls_them() -> None:
    room = Newsroom(one=reading())
    record = Record(room.arn("one"), "one", quotas=(Owned("any-quota", "vision", "qa"), Owned("new", "nlp", None)))
    room.bucket.upload(applied_key("id-one"), msgspec.json.encode(LastApplied(record=record)))
    room.run()
    assert room.told(cluster="one", team="vision")
    assert room.told(cluster="one", team="b")
    room.bucket.upload(applied_key("id-one"), b"{")
    room.run()
    assert room.told(cluster="one", team="a")
