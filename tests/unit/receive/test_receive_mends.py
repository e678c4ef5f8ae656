"""What a hostile reader found: runs that mix generations, documents put back, grace periods, and files that starve."""

import json
import logging
from collections.abc import Callable

import msgspec
import pytest

from governor.apply.slices import MAX_SLICES, Invocation
from governor.errors import AccessError, ConflictError, PermanentError
from governor.receive import Receiver, Resync
from governor.records.documents import Status
from governor.records.names import is_policy
from governor.records.queue import CARRY_ON, Message
from governor.records.statuses import Statuses
from tests.support.desk import KEY, Desk
from tests.support.world import World, two_teams

THREE = two_teams(1, 1, extra="  - {name: vision, quota: [{instanceType: ml.g5.8xlarge, count: 1}]}")
FOUR = f"{THREE}\n  - {{name: zebra, quota: [{{instanceType: ml.g5.8xlarge, count: 1}}]}}"
OTHER = [{"name": "gpu", "instanceType": "ml.g5.8xlarge", "count": 4}]


def _later(desk: Desk, passes: int = 3) -> None:
    for _ in range(passes):
        desk.now.advance(minutes=20)
        desk.queue.forget()
        desk.resync()
        desk.work()


def _document(desk: Desk, name: str) -> str:
    return f"clusters/{desk.world.arn.rpartition('/')[2]}/{name}.json"


def _approve(desk: Desk, held: Status, version: str = "") -> None:
    assert held.run is not None
    key = f"approvals/{desk.world.arn.rpartition('/')[2]}.json"
    desk.policies.upload(key, json.dumps({"fingerprint": held.run.fingerprint}))
    if version:
        desk.policies.rename_newest(key, version)
    desk.receiver().approve(key)


def test_a_slice_that_carries_on_does_not_apply_a_newer_version_in_the_name_of_the_older() -> None:
    desk = Desk(World(transition_seconds=1000))
    desk.drop(two_teams(1, 1))
    desk.work(seconds=1.0, most=1)
    desk.world.direct.advance(2000)
    desk.drop(two_teams(2, 2))  # its message stands behind the slice that carries on
    assert [CARRY_ON in message for message in desk.queue.messages] == [True, False]

    desk.work(seconds=5000.0)

    told = [(entry["generation"], entry["origin"]["version"], entry["verdict"]) for entry in desk.history()]
    assert told == [(1, "v1", "InProgress"), (2, "v2", "Applied")]
    assert desk.status().verdict == "Applied"


def test_a_release_that_a_slice_of_an_older_run_meets_is_told() -> None:
    desk = Desk(World(transition_seconds=1000))
    desk.drop(two_teams(1, 1))
    desk.work(seconds=1.0, most=1)
    desk.remove()
    desk.now.advance(minutes=11)
    desk.resync()
    desk.work()
    _later(desk)
    assert desk.status().verdict == "Released"


def test_an_earlier_version_of_the_policy_in_force_put_back_converges_to_the_newest_file() -> None:
    desk = Desk()
    desk.applied(two_teams(1, 1))
    desk.applied(two_teams(2, 1))
    desk.records.upload(_document(desk, "in-force"), desk.records.versions(_document(desk, "in-force"))[0].data)
    _later(desk)
    assert desk.force().generation == 3
    assert desk.world.counts() == {"team-a": 2, "team-b": 1}

    desk.applied(two_teams(1, 2))
    assert desk.world.counts() == {"team-a": 1, "team-b": 2}
    assert desk.status().verdict == "Applied"


def test_an_earlier_version_of_the_run_put_back_does_not_hide_later_runs() -> None:
    desk = Desk()
    for number in range(3):
        desk.applied(two_teams() + f"# {number}\n")
    desk.records.upload(_document(desk, "run"), desk.records.versions(_document(desk, "run"))[1].data)
    desk.applied(two_teams(1, 1))
    assert desk.status().verdict == "Applied"


def test_a_damaged_run_is_named_and_a_status_made_anew_takes_the_readable_one_along() -> None:
    desk = Desk()
    desk.applied(two_teams(1, 1))
    desk.records.upload(f"status/{KEY}.json", b"{")
    desk.drop("version: 1\n")
    assert "Rejected" in desk.records.text(f"status/{KEY}.md")

    desk.records.upload(_document(desk, "run"), b"{")
    assert "run.json is damaged" in desk.drop(two_teams(2, 2)).reason


def test_an_approval_ends_with_a_run_that_failed_for_good() -> None:
    desk = Desk()
    desk.applied(FOUR)
    _approve(desk, desk.applied(two_teams(1, 1)))
    quotas = type(desk.world.api.quotas)
    listed, deleted, asked = quotas.list, quotas.delete, list[str]()

    def denied(self: object, arn: str) -> object:
        asked.append(arn)
        if len(asked) == 2:
            raise AccessError("ListComputeQuotas: denied")
        return listed(self, arn)  # type: ignore[arg-type]

    def somebody(self: object, quota: str) -> None:
        raise ConflictError("somebody else")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(quotas, "list", denied)
        patched.setattr(quotas, "delete", somebody)
        desk.work()
    assert desk.status().verdict == "Failed"
    assert quotas.delete is deleted

    assert desk.applied(two_teams(1, 1) + "# nobody approves this one\n").verdict == "Held"


def test_an_approval_outlasts_a_transient_failure_in_the_middle() -> None:
    desk = Desk()
    desk.applied(FOUR)
    held = desk.applied(two_teams(1, 1))
    zebra = desk.world.quotas()["zebra"]["ComputeQuotaId"]
    _approve(desk, held)
    desk.world.direct.fault("DeleteComputeQuota", "throttle", times=4, match={"id": zebra})
    desk.work()
    assert desk.status().verdict == "Applied"


def test_approvals_count_in_a_bucket_whose_versioning_was_suspended() -> None:
    desk = Desk()
    for number in range(2):
        desk.applied(THREE)
        held = desk.applied(two_teams(1, 1) + f"# {number}\n")
        desk.now.advance(minutes=30)
        desk.queue.forget()
        _approve(desk, held, "null")
        desk.work()
        assert desk.status().verdict == "Applied"


class _KilledError(BaseException):
    """As SIGKILL."""


def test_a_rename_that_is_killed_anywhere_leaves_the_old_file_released() -> None:
    renamed, point = "policies/renamed.yaml", 0
    while True:
        point += 1
        desk = Desk()
        desk.applied()
        desk.remove()
        desk.policies.upload(renamed, two_teams())
        count = [0]

        def step(_operation: str, _key: str, count: list[int] = count, point: int = point) -> None:
            count[0] += 1
            if count[0] == point:
                raise _KilledError

        desk.records.before = desk.records.after = desk.policies.before = step
        try:
            desk.receive(renamed)
        except _KilledError:
            desk.receive(renamed)
        desk.records.before = desk.records.after = desk.policies.before = lambda _operation, _key: None
        if count[0] < point:
            break
        desk.work()
        _later(desk)
        assert desk.status().verdict == "Released", point
        assert desk.status(renamed).verdict in ("Applied", "Unchanged"), point
    assert point > 20


def test_a_move_to_another_cluster_followed_by_a_broken_version_lets_go_of_the_first_all_the_same() -> None:
    desk = Desk()
    desk.applied()
    desk.world.direct.add_cluster(name="ml-other", instanceGroups=OTHER)
    came: list[str] = []

    def interfere(operation: str, key: str) -> None:
        if (operation, key) == ("put", f"status/{KEY}.json") and not came:
            came.append(key)
            desk.policies.upload(KEY, "version: 1\n")

    desk.records.before = interfere
    desk.policies.upload(KEY, two_teams().replace("ml-research", "ml-other"))
    desk.receive()
    desk.work()
    _later(desk)
    assert desk.force().state == "Released"


def test_every_deletion_has_a_grace_period_of_its_own() -> None:
    desk = Desk()
    desk.applied()
    desk.remove()
    desk.now.advance(minutes=5)
    desk.drop("version: 1\n")
    assert desk.force().state == "InForce"
    desk.now.advance(hours=2)
    desk.resync()
    desk.remove()
    desk.resync()
    assert desk.force().state == "Leaving"


def test_a_broken_file_whose_delete_marker_is_taken_away_ends_the_grace_period() -> None:
    desk = Desk()
    desk.applied()
    desk.drop("version: 1\n")
    desk.remove()
    assert desk.force().state == "Leaving"
    desk.policies.drop_newest(KEY)
    _later(desk)
    assert desk.force().state == "InForce"
    assert desk.status().verdict == "Rejected"


def test_a_broken_version_of_a_file_that_came_back_leaves_the_good_one_at_work() -> None:
    desk = Desk()
    desk.applied()
    desk.drop(two_teams(1, 1))
    desk.queue.messages.clear()
    desk.remove()
    desk.drop("version: 1\n")
    _later(desk)
    assert desk.world.counts() == {"team-a": 1, "team-b": 1}


def test_a_cluster_made_again_under_its_name_is_governed_when_its_policy_waited() -> None:
    desk = Desk()
    desk.drop(two_teams())
    desk.world.direct.service.state.remove_cluster("us-west-2", "ml-research")
    desk.work()
    assert desk.status().verdict == "Waiting"
    made = desk.world.direct.add_cluster(instanceGroups=OTHER)
    _later(desk, 5)
    assert desk.status().verdict == "Applied"
    assert desk.status().cluster_arn == made


def test_a_file_that_s3_does_not_hand_over_waits_and_says_why_and_stops_no_other() -> None:
    desk = Desk()
    desk.applied()
    desk.drop(two_teams(1, 1), "policies/a.yaml")
    desk.drop(two_teams(1, 1), "policies/z.yaml")

    def deny(operation: str, key: str) -> None:
        if (operation, key) == ("get", "policies/a.yaml"):
            raise AccessError("GetObject: AccessDenied: kms:Decrypt")

    desk.policies.before = deny
    desk.remove()
    assert desk.force().owner == "policies/z.yaml"
    _later(desk)
    assert desk.status("policies/a.yaml").verdict == "Waiting"
    assert "kms:Decrypt" in desk.status("policies/a.yaml").reason


def test_a_key_whose_status_could_not_be_written_is_no_policy() -> None:
    assert is_policy(f"policies/{'x' * 980}.yaml")
    assert not is_policy(f"policies/{'x' * 1005}.yaml")


def test_an_error_of_the_program_at_one_file_leaves_the_others_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    desk.policies.upload("policies/a.yaml", two_teams())
    desk.policies.upload("policies/b.yaml", "version: 1\n")
    receive = Receiver.receive

    def broken(self: Receiver, key: str, *rest: object, **more: bool) -> Status | None:
        if key == "policies/a.yaml":
            raise RecursionError
        return receive(self, key, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Receiver, "receive", broken)
    assert desk.resync().failed == ("policies/a.yaml",)
    assert desk.status("policies/b.yaml").verdict == "Rejected"


def test_no_cluster_starves_behind_files_that_wait_and_each_of_them_gets_its_turn() -> None:
    desk = Desk()
    desk.drop(two_teams())
    desk.queue.messages.clear()
    for number in range(30):
        desk.policies.upload(f"policies/w{number}.yaml", two_teams().replace("ml-research", f"ml-no-{number}"))
    enqueued: list[str] = []
    received: set[str] = set()
    for _ in range(20):
        desk.now.advance(minutes=5)
        desk.queue.forget()
        left = iter(range(20, -1000, -1))
        done = Resync(desk.receiver(), logging.getLogger("resync"), left.__next__).run()
        enqueued += done.enqueued
        received.update(done.received)
    assert enqueued
    assert len(received) == 30


def test_a_stuck_cluster_is_looked_at_for_one_slice_every_five_minutes() -> None:
    desk = Desk()
    desk.drop(two_teams())
    desk.world.direct.fault("CreateComputeQuota", "stuck", times=1)
    looks = [len(desk.work(seconds=1.0))]
    for _ in range(3):
        desk.now.advance(minutes=5)
        desk.queue.forget()
        desk.resync()
        looks.append(len(desk.work(seconds=1.0)))
    assert looks == [MAX_SLICES, 1, 1, 1]


def test_what_stays_as_it_is_is_told_once_and_written_once() -> None:
    desk = Desk()
    desk.applied()
    desk.drop(two_teams(1, 1), "policies/second.yml")
    desk.drop(two_teams().replace("ml-research", "ml-later"), "policies/later.yml")
    told, written = len(desk.told.verdicts), len(desk.records.versions("status/policies/second.yml.json"))
    for _ in range(12):
        desk.now.advance(minutes=5)
        desk.queue.forget()
        desk.resync()
        desk.work()
    assert len(desk.told.verdicts) == told
    assert len(desk.records.versions("status/policies/second.yml.json")) == written


def _history_is_written_only(desk: Desk) -> None:
    lost: list[str] = []

    def after(operation: str, key: str) -> None:
        if operation == "put" and key.startswith("history/") and not lost:
            lost.append(key)
            raise ConflictError("412: the SDK sent again what had no answer")

    def before(operation: str, key: str) -> None:
        if operation == "get" and key.startswith("history/"):
            raise AccessError("GetObject: AccessDenied")

    desk.records.after, desk.records.before = after, before


def test_history_is_appended_to_without_being_read() -> None:
    desk = Desk()
    desk.drop(two_teams())
    _history_is_written_only(desk)
    desk.work()
    assert desk.status().verdict == "Applied"
    assert len(desk.records.keys("history/")) == 1


def test_a_run_that_was_overtaken_is_in_the_history_also_when_the_next_one_was_killed() -> None:
    desk = Desk(World(transition_seconds=1000))
    desk.drop(two_teams(1, 1))
    desk.work(seconds=1.0, most=1)
    desk.queue.messages.clear()
    desk.drop(two_teams(2, 2))
    body = desk.queue.messages.pop()

    def kill(operation: str, key: str) -> None:
        if operation == "put" and key.endswith("run.json"):
            raise _KilledError

    desk.records.before = kill
    with pytest.raises(_KilledError):
        desk.handle(body, 5000.0)
    desk.records.before = lambda _operation, _key: None
    desk.world.direct.advance(2000)
    desk.handle(body, 5000.0)
    assert [entry["generation"] for entry in desk.history()] == [1, 2]


def test_who_cannot_be_told_stops_no_work() -> None:
    desk = Desk(World(transition_seconds=100))
    desk.drop(two_teams())

    class Down:
        def announce(self, announcement: object, *, notify: bool) -> None:
            raise PermanentError("PutEvents: AccessDenied")

    desk.statuses = Statuses(desk.documents, Down(), desk.now)
    message = msgspec.json.decode(desk.queue.messages.pop(), type=Message)
    with pytest.raises(PermanentError):
        desk.slices().handle(message, Invocation(20.0, 1))
    assert CARRY_ON in desk.queue.messages[0]


def test_what_is_read_before_the_writer_begins_takes_of_the_slices_time(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(World(transition_seconds=10_000))
    desk.drop(two_teams())
    clusters = type(desk.world.api.clusters)
    describe: Callable[..., object] = clusters.describe

    def slow(self: object, name: str) -> object:
        desk.world.clock.sleep(100)
        return describe(self, name)

    monkeypatch.setattr(clusters, "describe", slow)
    began = desk.world.clock.monotonic()
    desk.handle(desk.queue.messages.pop(), 210.0)
    assert desk.world.clock.monotonic() - began <= 215


def test_a_message_that_is_given_up_says_so_in_the_files_status() -> None:
    desk = Desk()
    desk.drop(two_teams())
    message = msgspec.json.decode(desk.queue.messages.pop(), type=Message)
    desk.slices().give_up(message, "an error of this program", "r-1")
    assert desk.status().verdict == "Failed"
    assert "given up until the resync takes it up: an error of this program" in desk.status().reason
    _later(desk)
    assert desk.status().verdict == "Applied"
