"""Documents: damage is said, another release's are left alone, and what is told is told twice rather than never."""

import json
import re

import msgspec
import pytest

from governor.errors import ConflictError, PermanentError, TransientError
from governor.plan import Record
from governor.records.announcing import Announcement, message_of, subject_of
from governor.records.applied import BucketRecords
from governor.records.documents import InForce
from governor.records.names import applied_key, in_force_key, is_policy
from governor.records.readable import readable
from governor.records.store import MAX_TRIES, Documents
from tests.support.buckets import MemoryBucket, WallClock
from tests.support.desk import KEY, Desk
from tests.support.world import two_teams

ARN = "arn:aws:sagemaker:us-west-2:123456789012:cluster/0123456789ab"


def _documents() -> tuple[MemoryBucket, Documents]:
    bucket = MemoryBucket(WallClock())
    return bucket, Documents(bucket, lambda _seconds: None)


@pytest.mark.parametrize(
    ("key", "is_one"),
    [
        ("policies/a.yaml", True),
        ("policies/team x/b.yml", True),
        ("policies/c.json", True),
        ("policies/README.md", False),
        ("policies/", False),
        ("approvals/a.json", False),
        ("other/a.yaml", False),
        ("policies/a.yaml@0123456789ab", False),
    ],
)
def test_what_is_a_policy(key: str, is_one: bool) -> None:
    assert is_policy(key) is is_one


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (b"", "is damaged"),
        (b"\xff\xfe", "is damaged"),
        (b'{"format": 1}', "is damaged"),
        (b'{"format": 2}', "has format 2, this release knows 1"),
        (b"[]", "is damaged"),
    ],
)
def test_a_policy_in_force_that_cannot_be_understood_is_never_written_over(damage: bytes, says: str) -> None:
    desk = Desk()
    desk.applied()
    key = in_force_key(desk.world.arn.rpartition("/")[2])
    desk.records.upload(key, damage)

    status = desk.drop(two_teams(1, 1))

    assert status.verdict == "Waiting"
    assert says in status.reason
    there = desk.records.get(key)
    assert there is not None
    assert there.data == damage


def test_a_damaged_status_is_made_again() -> None:
    desk = Desk()
    desk.applied()
    desk.records.upload(f"status/{KEY}.json", b"{")
    assert desk.drop(two_teams(1, 1)).newest.answer == "Accepted"
    desk.work()
    assert desk.status().verdict == "Applied"


def test_a_damaged_last_applied_policy_stops_the_run_because_deleting_depends_on_it() -> None:
    desk = Desk()
    desk.applied()
    desk.records.upload(applied_key(desk.world.arn.rpartition("/")[2]), b"{")
    before = desk.world.writes()

    status = desk.drop(two_teams(1, 1))

    assert status.verdict == "Waiting"
    assert "is damaged" in status.reason
    assert desk.world.writes() == before


def test_the_record_of_another_cluster_is_not_taken() -> None:
    bucket, documents = _documents()
    BucketRecords(documents, "r1").save(Record(ARN, "ml-research"))
    other = ARN.replace(":cluster", "9:cluster")
    with pytest.raises(PermanentError, match="is about"):
        BucketRecords(documents, "r2").load(other)
    assert bucket.keys() == [applied_key("0123456789ab")]


def test_the_second_of_two_runs_to_write_a_record_is_refused() -> None:
    _, documents = _documents()
    first, second = BucketRecords(documents, "r1"), BucketRecords(documents, "r2")
    first.load(ARN)
    second.load(ARN)
    first.save(Record(ARN, "ml-research"))
    first.save(Record(ARN, "ml-research", recreated={"a": "b"}))

    with pytest.raises(TransientError, match="another run works on ml-research"):
        second.save(Record(ARN, "ml-research"))
    loaded = second.load(ARN)
    assert loaded is not None
    assert loaded.recreated == {"a": "b"}


def test_a_document_that_others_change_all_the_time_is_given_up_after_some_tries() -> None:
    desk = Desk()
    desk.applied()
    key = in_force_key(desk.world.arn.rpartition("/")[2])

    def race(operation: str, which: str) -> None:
        if (operation, which) == ("put", key):
            raise ConflictError("somebody was quicker")

    desk.records.before = race
    with pytest.raises(TransientError, match="is being changed by others all the time"):
        desk.documents.update(key, InForce, lambda there: there)
    assert desk.records.calls.count(("put", key)) >= MAX_TRIES


def test_what_could_not_be_told_is_told_by_the_next_who_looks() -> None:
    desk = Desk()
    desk.told.fails.append(TransientError("EventBridge throttles"))
    desk.policies.upload(KEY, "nonsense")
    with pytest.raises(TransientError):
        desk.receive()
    assert desk.told.announcements == []

    desk.resync()

    assert desk.told.verdicts == ["Rejected"]
    assert [each.verdict for each in desk.told.notifications] == ["Rejected"]
    desk.resync()
    assert desk.told.verdicts == ["Rejected"]


def test_people_hear_once_of_what_stays_the_same_and_again_when_it_changes() -> None:
    desk = Desk()
    missing = two_teams().replace("ml-research", "ml-later")
    desk.drop(missing)
    for _ in range(3):
        desk.now.advance(minutes=5)
        desk.resync()
    assert len(desk.told.notifications) == 1
    desk.drop(missing.replace("ml-later", "ml-even-later"))
    assert len(desk.told.notifications) == 2


def test_the_documents_are_json_for_programs_in_the_words_of_the_api() -> None:
    desk = Desk()
    desk.applied()
    document = desk.records.json(f"status/{KEY}.json")
    assert document["verdict"] == "Applied"
    assert document["clusterArn"] == desk.world.arn
    assert json.loads(json.dumps(document)) == document
    (entry,) = desk.history()
    assert entry["origin"]["account"] == "123456789012"
    assert entry["requests"] == ["request-1"]
    assert {step["action"] for step in entry["steps"]} == {"create"}


def test_a_hostile_file_writes_no_markup_and_no_control_character_into_the_readable_document() -> None:
    desk = Desk()
    hostile = 'version: 1\ncluster: ml-research\n"</td><script>alert(1)</script>\\e[31m|": x\nteams: []\n'
    key = "policies/`a`|<b>\x1b[31m.yaml"

    desk.drop(hostile, key)
    text = readable(desk.status(key))

    assert "\x1b" not in text
    for line in text.splitlines():
        if not line.startswith("    "):  # indented: shown as it is by Markdown
            without_code = re.sub(r"`[^`]*`", "", line)
            assert not re.search(r"(?<!\\)<", without_code), line


def test_a_subject_is_one_short_line_of_ascii_whatever_the_file_is_called() -> None:
    told = Announcement(f"policies/{'ä' * 200}\n.yaml", "Held", "why", "", ARN, "v", 1, "r", "f" * 12, "s", "m")
    subject = subject_of(told)
    assert len(subject) <= 100
    assert subject.isascii()
    assert subject.isprintable()
    assert "governor approve" in message_of(msgspec.structs.replace(told, cluster="ml-research"), "records")
