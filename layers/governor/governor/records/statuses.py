"""Status documents: written for programs and for people, and told to EventBridge, a metric and SNS."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import msgspec

from governor.errors import ConflictError, GovernorError, TransientError
from governor.records.announcing import Announcements, announcement_of, gist, worth_a_notification
from governor.records.documents import Answer, Evaluation, Glance, InForce, Run, Status, Verdict
from governor.records.names import STATUS, key_of_status, left_behind_key, readable_key, status_key
from governor.records.parallel import side_by_side
from governor.records.readable import readable
from governor.records.store import MAX_TRIES, Documents

_REVISION = "revision"
_ALL_IS_WELL = ("Applied", "Unchanged", "Released")
"""After one of these the same trouble is news again."""


class Statuses:
    """The status documents of all files."""

    def __init__(self, documents: Documents, announcements: Announcements, now: Callable[[], datetime]) -> None:
        self._documents, self._announcements, self._now = documents, announcements, now

    def load(self, key: str) -> Status | None:
        """Where a file stands."""
        found: list[Status | None] = []

        def look(there: Status | None) -> Status | None:
            found.append(there)
            return None

        self._documents.update(status_key(key), Status, look, derived=True)
        return found[-1]

    def known(self) -> Iterator[str]:
        """The files that have a status document."""
        for listed in self._documents.objects.listed(STATUS):
            key = key_of_status(listed.key)
            if key is not None:
                yield key

    def glances(self, keys: Iterable[str]) -> Iterator[tuple[str, Glance | None]]:
        """What a pass over all files has to know of each, read side by side; None where nothing is to be had."""

        def glance(key: str) -> Glance | None:
            try:
                kept = self._documents.load(status_key(key), Glance)
            except GovernorError:
                return None  # it is looked at again, and then said
            return kept.document if kept else None

        yield from side_by_side(keys, glance)

    def evaluated(self, evaluation: Evaluation, force: InForce | None, is_newest: Callable[[], bool]) -> Status | None:
        """A version of a file has been looked at; ``force`` is the policy in force for its cluster, where this file
        is its owner. ``is_newest`` is asked after the document was read and before it is written conditionally: what
        was made of an old version never takes the place of what was made of a newer one.
        """
        key = evaluation.origin.key

        def change(there: Status | None) -> Status | None:
            newest = is_newest()
            if there is not None and force is None and newest and _says_the_same(there.newest, evaluation):
                return None  # told already
            if there is None:
                base = self._first(key, evaluation)
            elif newest:
                base = msgspec.structs.replace(there, newest=evaluation)
            elif force is None:
                return None
            else:
                base = there
            if force is not None:
                base = _with_force(base, force)
            elif newest and evaluation.answer == "Deleted":
                base = msgspec.structs.replace(base, in_force=None, state=None)
            return self._told(base)

        return self._finish(key, self._documents.update(status_key(key), Status, change, derived=True))

    def changed(self, force: InForce) -> Status | None:
        """The policy in force has changed without its file: an approval came, or a grace period is over."""
        key = force.origin.key

        def change(there: Status | None) -> Status | None:
            return None if there is None or _elsewhere(there, force) else self._told(_with_force(there, force))

        return self._finish(key, self._documents.update(status_key(key), Status, change, derived=True))

    def ran(self, run: Run, force: InForce) -> Status | None:
        """A run has come to a verdict, or goes on. An older run never takes the place of a newer one.

        Where the file governs another cluster by now, the cluster that it left has a document of its own.
        """
        key = force.origin.key
        there = self.load(key)
        if there is not None and _elsewhere(there, force):
            key = left_behind_key(key, force.cluster_arn)

        def change(there: Status | None) -> Status | None:
            if there is None:
                there = self._first(key, _assumed(force, run))
            if there.run is not None and _is_older(run, there.run):
                return None
            if there.run is not None and (there.run.id, there.run.write) == (run.id, run.write):
                return None
            return self._told(msgspec.structs.replace(_with_force(there, force), run=run))

        return self._finish(key, self._documents.update(status_key(key), Status, change, derived=True))

    def let_go(self, key: str, cluster_arn: str, reason: str) -> Status | None:
        """Another file governs the cluster that this one, deleted by now, governed."""

        def change(there: Status | None) -> Status | None:
            if there is None or there.cluster_arn != cluster_arn or there.newest.answer != "Deleted":
                return None
            newest = msgspec.structs.replace(there.newest, reason=reason)
            return self._told(msgspec.structs.replace(there, newest=newest, in_force=None, state=None))

        return self._finish(key, self._documents.update(status_key(key), Status, change, derived=True))

    def mend(self, key: str) -> None:
        """What a writer that was killed may have left undone: the readable document, the announcement."""
        self._finish(key, self.load(key))

    def _first(self, key: str, evaluation: Evaluation) -> Status:
        """A status where there is none. Should it have got lost, it goes on where the readable document is."""
        readable_one = self._documents.objects.head(readable_key(key))
        return Status(
            key=key,
            revision=_revision(readable_one.metadata) if readable_one else 0,
            verdict="InProgress",
            reason="",
            verdict_id="",
            updated=self._now(),
            newest=evaluation,
        )

    def gave_up(self, force: InForce, reason: str, request: str) -> None:
        """A message was tried for the last time and could not be handled: the file has failed, for now."""
        there = self.load(force.origin.key)
        now = self._now()
        run = Run(
            cluster_arn=force.cluster_arn,
            cluster_name=force.cluster_name,
            number=there.run.number if there is not None and there.run is not None else 0,
            id=uuid.uuid4().hex[:16],
            chain="",
            generation=force.generation,
            origin=force.origin,
            verdict="Failed",
            reason=reason,
            began=now,
            updated=now,
            resting=True,
            slices=1_000_000,  # after whatever the run itself may have said
            requests=(request,) if request else (),
        )
        self.ran(run, force)

    def _told(self, status: Status) -> Status:
        verdict, reason, verdict_id = _summary(status)
        return msgspec.structs.replace(
            status,
            verdict=verdict,
            reason=reason,
            verdict_id=verdict_id,
            revision=status.revision + 1,
            updated=self._now(),
        )

    def _finish(self, key: str, status: Status | None) -> Status | None:
        if status is None:
            return None
        self._write_readable(status)
        if status.verdict_id == status.announced:
            return status
        topic = f"{status.verdict} {status.generation} {status.newest.origin.version} {gist(status.reason)}"
        notify = worth_a_notification(status.verdict) and status.notified != topic
        self._announcements.announce(announcement_of(status), notify=notify)

        def mark(there: Status | None) -> Status | None:
            if there is None or there.verdict_id != status.verdict_id:
                return None
            told = topic if notify else "" if status.verdict in _ALL_IS_WELL else there.notified
            return msgspec.structs.replace(there, announced=status.verdict_id, notified=told)

        return self._documents.update(status_key(key), Status, mark, derived=True)

    def _write_readable(self, status: Status) -> None:
        """After the JSON document, and only over an earlier revision."""
        key = readable_key(status.key)
        data = readable(status).encode()
        for _ in range(MAX_TRIES):
            there = self._documents.objects.head(key)
            if there is not None and _revision(there.metadata) >= status.revision:
                return
            try:
                self._documents.objects.put(
                    key,
                    data,
                    "text/markdown; charset=utf-8",
                    there.etag if there else None,
                    {_REVISION: str(status.revision)},
                )
            except ConflictError:
                continue
            return
        raise TransientError(f"the document {key} is being changed by others all the time", 10.0)


def _revision(metadata: object) -> int:
    text = metadata.get(_REVISION, "") if isinstance(metadata, dict) else ""
    return int(text) if text.isdecimal() else 0


def _says_the_same(there: Evaluation, evaluation: Evaluation) -> bool:
    """True when only the time and the request differ: what stays as it is is told once."""
    same = msgspec.structs.replace(evaluation, id=there.id, at=there.at, request=there.request, origin=there.origin)
    uploads = [(each.key, each.version, each.etag, each.modified) for each in (there.origin, evaluation.origin)]
    return same == there and uploads[0] == uploads[1]


def _assumed(force: InForce, run: Run) -> Evaluation:
    """What must have been said of a file whose status document is not there."""
    answer: Answer = "Accepted" if force.state == "InForce" else "Deleted"
    return Evaluation(
        id=run.id, answer=answer, reason="", origin=force.origin, at=run.began, cluster_arn=force.cluster_arn
    )


def _with_force(status: Status, force: InForce) -> Status:
    if status.cluster_arn == force.cluster_arn and status.force_revision > force.revision:
        return status  # what is there was read later
    released = force.state == "Released"
    return msgspec.structs.replace(
        status,
        cluster_arn=force.cluster_arn,
        cluster_name=force.cluster_name,
        in_force=None if released else force.origin,
        state=force.state,
        generation=force.generation,
        force_revision=force.revision,
    )


def _elsewhere(status: Status, force: InForce) -> bool:
    """True when the file governs, or waits for, another cluster by now."""
    return bool(status.cluster_arn) and status.cluster_arn != force.cluster_arn


def _is_older(run: Run, there: Run) -> bool:
    def age(one: Run) -> tuple[int, int, int]:
        return one.generation, one.number, one.slices

    return run.cluster_arn == there.cluster_arn and age(run) < age(there)


def _summary(status: Status) -> tuple[Verdict, str, str]:
    """The one word that counts for the newest version, why, and which of the two sides said it."""
    newest, run = status.newest, status.run
    if newest.answer == "Rejected":
        return "Rejected", newest.reason, newest.id
    if newest.answer == "Waiting" or status.state == "Leaving":
        return "Waiting", newest.reason, newest.id
    if status.state is None and newest.answer == "Deleted":
        return "Released", newest.reason, newest.id
    if run is not None and run.cluster_arn == status.cluster_arn and run.generation == status.generation:
        return run.verdict, run.reason, f"{run.id}/{run.slices}/{run.verdict}"
    return "InProgress", newest.reason, f"{newest.id}/{status.generation}"
