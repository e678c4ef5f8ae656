"""Lost, doubled, late and disordered events, writers that race, and invocations that are killed anywhere."""

from collections.abc import Callable, Mapping

import msgspec
import pytest

from governor.apply.slices import MAX_SLICES, Invocation
from governor.errors import ConflictError, TransientError
from governor.records.ports import Stored
from governor.records.queue import CARRY_ON, Message
from tests.support.buckets import MemoryBucket
from tests.support.desk import KEY, Desk
from tests.support.world import World, two_teams


class _KilledError(BaseException):
    """As SIGKILL: nothing of the program handles it."""


def _documents_agree(desk: Desk, key: str = KEY) -> None:
    """The readable document is of the same revision as the other, and the verdict was told."""
    status = desk.status(key)
    readable = desk.records.get(f"status/{key}.md")
    assert readable is not None
    assert readable.metadata["revision"] == str(status.revision)
    assert f"revision {status.revision} " in readable.data.decode()
    assert status.announced == status.verdict_id


def test_thirty_uploads_in_a_burst_with_their_events_in_any_order_end_in_the_last_one() -> None:
    desk = Desk()
    for number in range(30):
        desk.policies.upload(KEY, two_teams() + f"# {number}\n" + ("x" if number % 3 == 1 else ""))
    for _ in range(30):
        desk.receive()
    desk.work()

    newest = desk.policies.versions(KEY)[-1]
    assert desk.status().newest.origin.version == newest.version
    assert desk.status().verdict == "Applied"
    assert [entry["generation"] for entry in desk.history()] == [1]
    _documents_agree(desk)


def test_a_doubled_event_changes_nothing_and_asks_for_nothing() -> None:
    desk = Desk()
    desk.applied()
    before = desk.status()
    puts = [call for call in desk.records.calls if call[0] == "put"]

    desk.receive()
    desk.queue.forget()
    desk.receive()

    assert desk.status() == before
    assert [call for call in desk.records.calls if call[0] == "put"] == puts
    assert desk.queue.messages == []


def test_a_doubled_message_is_done_with_at_once() -> None:
    desk = Desk()
    desk.drop(two_teams())
    message = desk.queue.messages[0]
    desk.work()
    calls = desk.world.calls()

    assert desk.handle(message) is None
    assert desk.world.calls() == calls
    assert len(desk.history()) == 1


def test_a_reader_of_an_old_version_never_puts_it_over_a_newer_one() -> None:
    desk = Desk()
    desk.policies.upload(KEY, two_teams(1, 1))
    reads: list[str] = []

    def interfere(operation: str, key: str) -> None:
        """Between reading the file and putting it in force, a newer version comes, with its event."""
        if (operation, key) == ("head", KEY) and not reads:
            reads.append(key)
            desk.policies.upload(KEY, two_teams(2, 2))
            desk.receive()

    desk.policies.before = interfere
    desk.receive()
    desk.work()

    assert desk.force().origin.version == "v2"
    assert desk.status().newest.origin.version == "v2"
    assert desk.world.counts() == {"team-a": 2, "team-b": 2}


@pytest.mark.parametrize("late", range(12))
def test_whenever_a_newer_and_broken_version_comes_the_good_one_before_is_applied_or_never_was(late: int) -> None:
    desk = Desk()
    desk.policies.upload(KEY, two_teams())
    count = [0]

    def interfere(_operation: str, _key: str) -> None:
        count[0] += 1
        if count[0] == late:
            desk.policies.upload(KEY, "version: 1\n")
            desk.receive()

    desk.policies.before = desk.records.before = interfere
    desk.receive()
    desk.policies.before = desk.records.before = lambda _operation, _key: None
    desk.receive()
    desk.work()

    status = desk.status()
    broken_came = count[0] >= late > 0
    assert status.verdict == ("Rejected" if broken_came else "Applied")
    in_force = desk.records.keys("clusters/")
    if in_force:  # then it is applied, and shown beside the broken one
        assert status.in_force is not None
        assert desk.world.counts() == {"team-a": 2, "team-b": 2}
    _documents_agree(desk)


def test_two_files_for_one_cluster_that_come_at_the_same_moment_have_one_owner() -> None:
    desk = Desk()
    other = "policies/other.yaml"
    desk.policies.upload(KEY, two_teams())
    desk.policies.upload(other, two_teams(1, 1))
    came: list[str] = []

    def interfere(operation: str, key: str) -> None:
        if operation == "put" and key.endswith("in-force.json") and not came:
            came.append(key)
            desk.receive(other)

    desk.records.before = interfere
    desk.receive()

    assert desk.force().owner == other
    assert desk.status().verdict == "Rejected"
    assert f"governed by {other}" in desk.status().reason


def test_a_lost_answer_to_a_write_is_no_conflict() -> None:
    desk = Desk()
    lost: list[str] = []

    def lose(bucket: MemoryBucket) -> Callable[[str, str], None]:
        def after(operation: str, key: str) -> None:
            if operation == "put" and key not in lost:  # the SDK sends again what had no answer: 412
                lost.append(key)
                raise ConflictError("at least one of the preconditions did not hold")

        return after

    desk.records.after = lose(desk.records)
    desk.applied()

    assert desk.status().verdict == "Applied"
    assert desk.force().generation == 1
    assert len(desk.history()) == 1
    assert len(lost) >= 5
    _documents_agree(desk)


def test_a_file_older_than_the_deployment_and_one_whose_event_got_lost_are_found_by_the_resync() -> None:
    desk = Desk()
    desk.policies.upload(KEY, two_teams(1, 1))
    done = desk.resync()
    assert done.received == (KEY,)
    desk.work()
    assert desk.world.counts() == {"team-a": 1, "team-b": 1}

    desk.now.advance(minutes=5)
    desk.policies.upload(KEY, two_teams(2, 2))
    desk.resync()
    desk.work()
    assert desk.world.counts() == {"team-a": 2, "team-b": 2}
    assert desk.resync().received == ()


def test_a_deletion_whose_event_got_lost_is_found_by_the_resync() -> None:
    desk = Desk()
    desk.applied()
    desk.policies.delete(KEY)

    desk.resync()
    assert desk.status().verdict == "Waiting"
    assert desk.force().state == "Leaving"


def test_a_lost_message_is_sent_again_by_the_resync_and_not_before_it_can_be_lost() -> None:
    desk = Desk()
    desk.drop(two_teams())
    desk.queue.messages.clear()

    assert desk.resync().enqueued == ()
    desk.now.advance(minutes=5)
    assert desk.resync().enqueued == ("ml-research",)
    desk.work()

    assert desk.status().verdict == "Applied"
    assert desk.resync().enqueued == ()


def test_a_message_that_was_dead_lettered_is_no_end() -> None:
    desk = Desk(max_receives=3)
    desk.drop(two_teams())
    desk.world.direct.fault("ListComputeQuotas", "throttle", times=3)
    assert desk.work() == [None]
    status = desk.status()
    assert status.verdict == "Failed"
    assert "given up after 3 tries" in status.reason
    assert [each.verdict for each in desk.told.notifications] == ["Failed"]

    desk.now.advance(minutes=5)
    assert desk.resync().enqueued == ("ml-research",)
    desk.work()

    assert desk.status().verdict == "Applied"
    assert desk.world.counts() == {"team-a": 2, "team-b": 2}


def test_a_transient_failure_comes_again_after_its_delay_and_is_shown_as_in_progress() -> None:
    desk = Desk()
    desk.drop(two_teams())
    desk.world.direct.fault("DescribeCluster", "throttle", times=1)
    body = desk.queue.messages.pop()

    with pytest.raises(TransientError) as raised:
        desk.slices().handle(msgspec.json.decode(body, type=Message), Invocation(200.0, 1))
    assert raised.value.retry_after == 20.0
    status = desk.status()
    assert status.verdict == "InProgress"
    assert status.run is not None
    assert status.run.retry_at is not None

    desk.handle(body)
    assert desk.status().verdict == "Applied"
    assert [entry["verdict"] for entry in desk.history()] == ["Applied"]


def test_more_slices_than_receives_end_in_applied() -> None:
    desk = Desk(World(transition_seconds=100), max_receives=2)
    desk.drop(two_teams())

    runs = desk.work(seconds=20.0)

    assert len(runs) > desk.max_receives + 3
    assert [run.verdict if run else None for run in runs[:-1]] == ["InProgress"] * (len(runs) - 1)
    assert desk.status().verdict == "Applied"
    assert len({run.id for run in runs if run}) == 1
    (entry,) = desk.history()
    assert entry["verdict"] == "Applied"
    assert entry["slices"] == len(runs)
    created = [step["name"] for step in entry["steps"] if step["action"] == "create"]
    assert sorted(created) == ["team-a-quota", "team-b-quota"]


def test_a_cluster_that_is_stuck_rests_after_many_slices_and_is_looked_at_by_the_resync() -> None:
    desk = Desk()
    desk.drop(two_teams())
    desk.world.direct.fault("CreateComputeQuota", "stuck", times=1)

    runs = desk.work(seconds=1.0)

    assert len(runs) == MAX_SLICES
    assert desk.status().verdict == "InProgress"
    assert desk.status().run is not None
    assert desk.queue.messages == []
    desk.now.advance(minutes=5)
    assert desk.resync().enqueued == ("ml-research",)


def test_a_second_chain_of_messages_ends_the_first() -> None:
    desk = Desk(World(transition_seconds=1000))
    desk.drop(two_teams())
    desk.work(seconds=1.0, most=2)
    (following,) = desk.queue.messages
    assert CARRY_ON in following

    desk.drop(two_teams(1, 1))
    desk.work(seconds=1.0, most=2)

    assert desk.handle(following, 1.0) is None
    history = desk.history()
    assert [entry["verdict"] for entry in history] == ["InProgress"]
    assert "generation 2 came" in history[0]["reason"]


def test_an_older_run_that_ends_late_leaves_the_documents_of_a_newer_one_alone() -> None:
    desk = Desk()
    desk.drop(two_teams(1, 1))
    first = desk.queue.messages.pop()
    desk.drop(two_teams(2, 2))
    second = desk.queue.messages.pop()
    ran: list[bool] = []

    def overtake(operation: str, key: str) -> None:
        """The first run has done its work and is about to write it down; the second runs and ends before."""
        if operation == "get" and key.endswith("run.json") and desk.world.writes() and not ran:
            ran.append(True)
            desk.handle(second)

    desk.records.before = overtake
    desk.handle(first)
    desk.records.before = lambda _operation, _key: None

    status = desk.status()
    assert ran
    assert status.run is not None
    assert status.run.number == 2
    assert status.in_force is not None
    assert status.in_force.version == "v2"


def _play(desk: Desk, killed_at: int) -> bool:
    """A file, its change and its deletion; one invocation is killed at an operation. True when it was."""
    count, killed = [0], [False]

    def step(_operation: str = "", _key: str = "") -> None:
        count[0] += 1
        if count[0] == killed_at:
            killed[0] = True
            raise _KilledError

    def again(action: Callable[[], object]) -> None:
        """Lambda invokes again; a message comes again."""
        try:
            action()
        except _KilledError:
            desk.now.advance(minutes=1)
            action()

    desk.records.before = desk.records.after = desk.policies.before = step
    for text in (two_teams(1, 1), two_teams(2, 2)):
        desk.policies.upload(KEY, text)
        again(desk.receive)
        while desk.queue.messages:
            body = desk.queue.messages[0]
            again(lambda body=body: desk.handle(body))  # type: ignore[misc]
            desk.queue.messages.remove(body)
    desk.policies.delete(KEY)
    again(desk.receive)
    desk.now.advance(minutes=11)
    again(desk.resync)
    while desk.queue.messages:
        body = desk.queue.messages[0]
        again(lambda body=body: desk.handle(body))  # type: ignore[misc]
        desk.queue.messages.remove(body)
    desk.records.before = desk.records.after = desk.policies.before = lambda _operation, _key: None
    return killed[0]


def test_killed_at_any_operation_on_a_bucket_the_same_end_is_reached_and_told() -> None:
    points = 0
    while True:
        desk = Desk()
        if not _play(desk, points + 1):
            break
        points += 1
        desk.now.advance(minutes=20)
        desk.resync()
        desk.work()
        assert desk.status().verdict == "Released", points
        assert desk.force().state == "Released", points
        assert desk.world.counts() == {"team-a": 2, "team-b": 2}, points
        assert desk.told.verdicts[-1] == "Released", points
        ends = [entry["verdict"] for entry in desk.history()]
        assert ends[0] == "Applied", points
        assert ends[-1] == "Released", points
        _documents_agree(desk)
    assert points > 100


def test_a_bucket_whose_versioning_was_suspended_calls_every_version_null_and_each_is_received() -> None:
    desk = Desk()
    plain = desk.policies.upload

    def without_versions(key: str, data: bytes | str, metadata: Mapping[str, str] | None = None) -> Stored:
        plain(key, data, metadata)
        return desk.policies.rename_newest(key, "null")

    desk.policies.upload = without_versions  # type: ignore[method-assign]
    desk.applied(two_teams(1, 1))
    desk.applied(two_teams(2, 2))

    assert desk.status().verdict == "Applied"
    assert desk.world.counts() == {"team-a": 2, "team-b": 2}


def test_a_message_that_was_to_come_again_and_did_not_is_missed_after_its_time() -> None:
    desk = Desk()
    desk.drop(two_teams())
    desk.world.direct.fault("DescribeCluster", "throttle", times=1)
    message = msgspec.json.decode(desk.queue.messages.pop(), type=Message)
    with pytest.raises(TransientError):
        desk.slices().handle(message, Invocation(200.0, 1))

    desk.now.advance(seconds=60)
    assert desk.resync().enqueued == ()
    desk.now.advance(minutes=4)
    assert desk.resync().enqueued == ("ml-research",)
    desk.work()
    assert desk.status().verdict == "Applied"
