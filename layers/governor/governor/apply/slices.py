"""One message: a slice of a run that converges a cluster to the policy in force, and what is written down of it."""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from governor.apply.addon_change import ClosedError
from governor.apply.addon_gate import Gate, Passage
from governor.apply.opening import Opened, Unfit, open_policy
from governor.apply.outcome import Outcome
from governor.apply.ports import Account, Clock
from governor.apply.telling import (
    MAX_REQUESTS_KEPT,
    MAX_STEPS_KEPT,
    brought_to_its_end,
    did_move,
    did_something,
    is_addon_done,
    of_plan,
    step_done,
    what_was_removed,
    with_addon,
    with_request,
)
from governor.apply.writer import Writer, WriterSettings
from governor.checks import PolicyFile
from governor.errors import ConflictError, GovernorError, NotFoundError, TransientError
from governor.plan import NOTHING_DESIRED, Record, Rules
from governor.policy import Limits
from governor.quota import bundled_instances
from governor.records.applied import BucketRecords
from governor.records.documents import Foreign, InForce, Run, Verdict
from governor.records.names import cluster_id, history_key, in_force_key, run_key
from governor.records.queue import RESYNC, Message, Queue, carry_on
from governor.records.statuses import Statuses
from governor.records.store import Documents

MAX_SLICES = 20
"""Slices that follow one another at once; a transition that takes longer is looked at by the resync."""


class SliceSettings(msgspec.Struct, frozen=True):
    """How the owner of the deployment wants runs to be; ``max_receives`` is the queue's own."""

    rules: Rules = Rules()
    concurrency: int = 2
    max_receives: int = 5


class Invocation(msgspec.Struct, frozen=True):
    """What a function knows of its call: seconds to work, how often the message was received, the request's id."""

    seconds: float
    receives: int = 1
    request: str = ""


class _End(msgspec.Struct, frozen=True):
    """How a slice ended, before it is written down."""

    verdict: Verdict
    reason: str
    outcome: Outcome | None = None
    opened: Opened | None = None
    retry_after: float | None = None
    passage: Passage | None = None


class Slices:
    """The only writer. ``calls`` are the calls of AWS that the process has made so far, by operation."""

    def __init__(
        self,
        documents: Documents,
        statuses: Statuses,
        account: Account,
        gate: Gate,
        queue: Queue,
        limits: Callable[[], Limits],
        settings: SliceSettings,
        clock: Clock,
        now: Callable[[], datetime],
        calls: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        self._documents, self._statuses, self._account, self._gate = documents, statuses, account, gate
        self._queue, self._limits, self._settings = queue, limits, settings
        self._clock, self._now, self._calls = clock, now, calls

    def handle(self, message: Message, invocation: Invocation) -> Run | None:
        """Work on a message; None where there is nothing to do any more.

        Raises TransientError when the same message is to come again, after ``retry_after`` seconds: nothing was lost,
        and what has happened so far is written down.
        """
        ends = self._clock.monotonic() + invocation.seconds
        kept = self._documents.load(in_force_key(cluster_id(message.cluster_arn)), InForce)
        force = kept.document if kept else None
        if force is None:
            return None
        run = self._begin(message, force, invocation)
        if run is None:
            self._mend(force)
            return None
        before = dict(self._calls())
        end = self._work(run, force, ends)
        run = self._ended(run, end, self._calls_since(before))
        return self._conclude(message, run, force, end, invocation)

    def _begin(self, message: Message, force: InForce, invocation: Invocation) -> Run | None:
        """A new run, or the next slice of the one that the message carries on; None for a message out of date."""
        now = self._now()

        def change(there: Run | None) -> Run | None:
            if message.chain:
                if there is None or there.settled or there.chain != message.chain or there.slices > message.slice:
                    return None
                if there.generation == force.generation:
                    return msgspec.structs.replace(
                        there,
                        verdict="InProgress",
                        slices=message.slice,
                        updated=now,
                        resting=False,
                        retry_at=None,
                        requests=with_request(there.requests, invocation.request),
                    )
            elif there is not None and there.settled and there.generation >= message.generation > 0:
                return None
            if force.state == "Released" and (there is None or there.settled):
                return None
            same = there is not None and not there.settled and there.generation == force.generation
            if there is not None and not there.settled and not same:
                reason = f"generation {force.generation} came ({force.origin.key}) before this run had ended"
                self._write_history(msgspec.structs.replace(there, reason=reason, updated=now))
            waited = there is not None and same and (there.patient or there.slices >= MAX_SLICES)
            return Run(
                cluster_arn=force.cluster_arn,
                cluster_name=force.cluster_name,
                number=there.number + 1 if there else 1,
                id=uuid.uuid4().hex[:16],
                chain=uuid.uuid4().hex[:16],
                generation=force.generation,
                origin=force.origin,
                verdict="InProgress",
                reason="at work",
                began=there.began if there is not None and same else now,
                updated=now,
                patient=waited,
                why=message.why,
                approved=force.approve,
                approved_by=force.approved_by,
                requests=with_request(there.requests if there is not None and same else (), invocation.request),
                takes_over=(*there.takes_over, there.id)[-MAX_REQUESTS_KEPT:] if there is not None and same else (),
                steps=there.steps if there is not None and same else (),
                foreign=there.foreign if there is not None and same else (),
                calls=there.calls if there is not None and same else {},
            )

        began: list[bool] = []

        def noted(there: Run | None) -> Run | None:
            wanted = change(there)
            began.append(wanted is not None)
            return wanted

        run = self._documents.update(run_key(cluster_id(force.cluster_arn)), Run, noted)
        return run if began[-1] else None

    def give_up(self, message: Message, reason: str, request: str) -> None:
        """Say of a message that will not come again that it could not be handled."""
        kept = self._documents.load(in_force_key(cluster_id(message.cluster_arn)), InForce)
        if kept is not None and kept.document.state != "Released":
            self._statuses.gave_up(kept.document, f"given up until the resync takes it up: {reason}", request)

    def _mend(self, force: InForce) -> None:
        """The run has ended, and its invocation perhaps before the file's status said so."""
        kept = self._documents.load(run_key(cluster_id(force.cluster_arn)), Run)
        if kept is not None and kept.document.settled and kept.document.generation == force.generation:
            self._statuses.ran(kept.document, force)

    def _work(self, run: Run, force: InForce, ends: float) -> _End:
        """Converge; every error becomes an end."""
        try:
            if force.state == "Released":
                return _End("Released", "the file was deleted; the run that did what it asks for was cut short")
            if force.state == "Releasing" and force.on_delete == "Retain":
                return self._disown(run, force)
            if force.state == "Releasing":
                return self._remove(run, force, ends)
            return self._converge(run, force, ends)
        except TransientError as error:
            return _End("InProgress", str(error), retry_after=error.retry_after)
        except ConflictError as error:
            return _End("InProgress", str(error), retry_after=5.0)
        except GovernorError as error:
            return _End("Failed", str(error))

    def _converge(self, run: Run, force: InForce, ends: float) -> _End:
        file = PolicyFile(force.origin.key, force.text.encode())
        try:
            opened = open_policy(file, self._limits(), self._account, force.cluster_arn)
        except NotFoundError as error:
            return _End("Waiting", f"{error}; the policy stays in force in case it comes back")
        if isinstance(opened, Unfit):  # this release knows less, or the cluster lost an instance type
            first = next(item for item in opened.diagnostics if item.severity == "error")
            return _End("Rejected", f"line {first.line}:{first.column}: {first.text}")
        passage = self._gate.passage(opened.cluster, run, ends)
        records = BucketRecords(self._documents, run.id)
        try:
            passage.prepare(opened.addon)
            writer = self._writer(records, ends, passage.check)
            outcome = writer.apply(opened.desired, opened.cluster, opened.instances, force.approve or None)
        except ClosedError as error:
            return _End("Waiting", str(error), opened=opened, passage=passage)
        except GovernorError as error:
            return self._stopped(error, opened, passage)
        if outcome.verdict == "Unchanged" and (
            records.begun_before == outcome.plan.digest
            or records.written_before in (run.id, *run.takes_over)
            or any(is_addon_done(brought_to_its_end(step, passage)) for step in (*run.steps, *passage.steps))
        ):
            reason = "what was begun before is done; the cluster is as the policy says"
            return _End("Applied", with_addon(reason, passage), outcome, opened, passage=passage)
        reason = with_addon(outcome.reason, passage)
        return _End(outcome.verdict, reason, outcome, opened, outcome.retry_after, passage)

    def _stopped(self, error: GovernorError, opened: Opened, passage: Passage) -> _End:
        """An error after the add-on may have been touched: what was done is told with it."""
        if isinstance(error, TransientError):
            return _End("InProgress", str(error), opened=opened, retry_after=error.retry_after, passage=passage)
        if isinstance(error, ConflictError):
            return _End("InProgress", str(error), opened=opened, retry_after=5.0, passage=passage)
        return _End("Failed", str(error), opened=opened, passage=passage)

    def _remove(self, run: Run, force: InForce, ends: float) -> _End:
        """What the file owned is deleted, and nothing else."""
        try:
            cluster = self._account.governance.clusters.describe(force.cluster_arn)
        except NotFoundError:
            return _End("Released", "the cluster no longer exists")
        passage = self._gate.passage(cluster, run, ends)
        writer = self._writer(BucketRecords(self._documents, run.id), ends, passage.check_removal)
        try:
            outcome = writer.apply(NOTHING_DESIRED, cluster, bundled_instances(), force.approve or None)
        except ClosedError as error:
            return _End("Waiting", f"the file was deleted (onDelete: Remove), but {error}", passage=passage)
        if outcome.verdict in ("Applied", "Unchanged"):
            reason = f"the file was deleted (onDelete: Remove): {what_was_removed(outcome)}"
            return _End("Released", reason, outcome, passage=passage)
        return _End(outcome.verdict, outcome.reason, outcome, retry_after=outcome.retry_after, passage=passage)

    def _disown(self, run: Run, force: InForce) -> _End:
        """What the file owned stays as it is, and is nobody's."""
        records = BucketRecords(self._documents, run.id)
        record = records.load(force.cluster_arn)
        if record is not None:
            records.save(Record(force.cluster_arn, force.cluster_name))
        owned = len(record.quotas) + len(record.cluster_policies) if record else 0
        return _End("Released", f"the file was deleted (onDelete: Retain): {owned} resources stay and are nobody's")

    def _writer(self, records: BucketRecords, ends: float, before_changes: Callable[[], None]) -> Writer:
        """``ends`` is on the clock: what was read before the writer begins took of the slice's time."""
        seconds = max(ends - self._clock.monotonic(), 0.0)
        settings = WriterSettings(self._settings.rules, self._settings.concurrency, seconds)
        return Writer(self._account.governance, records, self._clock, settings, before_changes=before_changes)

    def _calls_since(self, before: Mapping[str, int]) -> dict[str, int]:
        made = {name: count - before.get(name, 0) for name, count in self._calls().items()}
        return {name: count for name, count in made.items() if count}

    def _ended(self, run: Run, end: _End, calls: Mapping[str, int]) -> Run:
        outcome, plan = end.outcome, end.outcome.plan if end.outcome else None
        kept = tuple(brought_to_its_end(step, end.passage) for step in run.steps)
        earlier = tuple(step for step in kept if did_something(step))
        begun = end.passage.steps if end.passage else ()
        done = tuple(step_done(result) for result in outcome.results) if outcome else ()
        steps = (*(earlier if outcome else kept), *begun, *done)
        foreign = (
            (*run.foreign, *(Foreign(each.title, each.by, each.changes) for each in outcome.foreign))
            if outcome
            else run.foreign
        )
        together = dict(run.calls)
        for name, count in calls.items():
            together[name] = together.get(name, 0) + count
        return msgspec.structs.replace(
            run,
            verdict=end.verdict,
            reason=end.reason,
            updated=self._now(),
            steps=steps[:MAX_STEPS_KEPT],
            foreign=foreign,
            calls=together,
            diagnostics=end.opened.diagnostics(plan) if end.opened else (),
            warnings=tuple(dict.fromkeys((*run.warnings, *(end.passage.warnings if end.passage else ())))),
            **(of_plan(plan) if plan else {}),
        )

    def _conclude(self, message: Message, run: Run, force: InForce, end: _End, invocation: Invocation) -> Run:
        """Write down how the slice ended and see to it that it goes on."""
        again: float | None = None
        if end.retry_after is not None:
            if message.why == RESYNC:
                run = msgspec.structs.replace(run, resting=True)
            elif invocation.receives >= self._settings.max_receives:
                reason = f"given up after {invocation.receives} tries, until the resync takes it up: {end.reason}"
                run = msgspec.structs.replace(run, verdict="Failed", reason=reason, resting=True)
                again = end.retry_after
            else:
                again = end.retry_after
                retry_at = self._now() + timedelta(seconds=again)
                run = msgspec.structs.replace(run, verdict="InProgress", retry_at=retry_at)
        elif run.verdict == "InProgress":
            moved = end.outcome is not None and any(did_move(result) for result in end.outcome.results)
            patient = run.patient and not moved
            run = msgspec.structs.replace(run, patient=patient, resting=patient or run.slices >= MAX_SLICES)
        elif run.verdict == "Waiting":
            run = msgspec.structs.replace(run, resting=True)
        else:
            run = msgspec.structs.replace(run, settled=True)
        try:
            self._write_down(run, force)
        finally:  # what cannot be told is no reason to stop working
            if run.verdict == "InProgress" and not run.resting and again is None:
                carry_on(self._queue, run)
        if again is not None:
            raise TransientError(end.reason, again)
        return run

    def _write_down(self, run: Run, force: InForce) -> None:
        """History, the run, the file's status; an older run leaves a newer one's documents alone."""

        def change(there: Run | None) -> Run | None:
            return run if there is not None and there.id == run.id and there.slices <= run.slices else None

        key = run_key(cluster_id(run.cluster_arn))
        if run.settled:
            self._write_history(run)
            if run.verdict == "Released":
                force = self._release(force)
        there = self._documents.update(key, Run, change)
        if there is None or there.id != run.id:
            return
        self._statuses.ran(there, force)

    def _write_history(self, run: Run) -> None:
        """One entry per run; written again only where its answer got lost."""
        self._documents.append(history_key(cluster_id(run.cluster_arn), run.began, run.number, run.id), run)

    def _release(self, force: InForce) -> InForce:
        def change(there: InForce | None) -> InForce | None:
            if there is None or there.generation != force.generation:
                return None  # a file has come back meanwhile
            return there.changed_to(self._now(), state="Released", text="", approve="", approved_by=None)

        released = self._documents.update(in_force_key(cluster_id(force.cluster_arn)), InForce, change)
        return released if released is not None and released.generation == force.generation else force
