"""The writer: brings a cluster to what a policy says, and says truthfully how far it got."""

import contextlib
import threading
from collections import Counter
from collections.abc import Callable

import msgspec

from governor.apply.deadline import Deadline
from governor.apply.executor import Executor
from governor.apply.foreign import changed_meanwhile, changed_since_last_apply
from governor.apply.lifecycle import GONE
from governor.apply.outcome import APPROVED, Event, ForeignChange, Outcome, Progress, StepResult, Verdict
from governor.apply.ports import Clock, GovernanceApi, Records
from governor.apply.reading import read_live
from governor.errors import GovernorError, TransientError
from governor.plan import Desired, Live, Plan, Record, Rules, Step, plan
from governor.plan.memory import applied, intended, is_approved, learned
from governor.policy.wording import counted
from governor.quota import Catalogue, Cluster

MAX_CONFLICTS = 5
"""Plans per run that may meet somebody else's change before the run gives up."""
MAX_REPAIRS = 2
"""Further tries per run for a resource that ends in a failed state."""
MAX_ROUNDS = 50
STALE_READS = 10
"""Seconds that a list may stay behind what this run has already seen."""


class WriterSettings(msgspec.Struct, frozen=True):
    """How the writer works; ``deadline`` in seconds from the start of a run, None for no limit."""

    rules: Rules = Rules()
    concurrency: int = 2
    deadline: float | None = None


class Writer:
    """One writer per cluster at a time, held by the records' lock."""

    def __init__(
        self,
        api: GovernanceApi,
        records: Records,
        clock: Clock,
        settings: WriterSettings | None = None,
        progress: Progress | None = None,
        before_changes: Callable[[], None] | None = None,
    ) -> None:
        """``before_changes`` is called once, when a plan is about to be walked; what it raises ends the run."""
        self._api, self._records, self._clock = api, records, clock
        self._before_changes = before_changes
        self._settings = settings or WriterSettings()
        self._lock = threading.Lock()
        self._listener = progress

    def apply(
        self, desired: Desired, cluster: Cluster, instances: Catalogue, fingerprint: str | None = None
    ) -> Outcome:
        """Converge. ``fingerprint`` approves exactly the plan that has it.

        Raises GovernorError only before the first write; after that every end is an Outcome.
        """
        with self._records.writing(cluster.arn):
            record = self._records.load(cluster.arn) or Record(cluster.arn, cluster.name)
            deadline = Deadline(self._clock, self._settings.deadline)
            return _Run(self, desired, cluster, instances, record, deadline, fingerprint).converge()

    def tell(self, event: Event) -> None:
        """Progress to whoever listens, one event at a time although steps run side by side."""
        if self._listener is not None:
            with self._lock:
                self._listener(event)


class _Run:
    """One run: plan, walk, learn, and again while something moved."""

    def __init__(
        self,
        writer: Writer,
        desired: Desired,
        cluster: Cluster,
        instances: Catalogue,
        record: Record,
        deadline: Deadline,
        fingerprint: str | None,
    ) -> None:
        self._writer = writer
        self._api = writer._api
        self._desired, self._cluster, self._instances = desired, cluster, instances
        self._record = self._stored = record
        self._deadline, self._fingerprint = deadline, fingerprint
        settings = writer._settings
        self._rules = settings.rules
        self._executor = Executor(self._api, writer._clock, deadline, settings.concurrency, writer.tell)
        self._results: list[StepResult] = []
        self._foreign: list[ForeignChange] = []
        self._seen: dict[str, int | None] = {}  # id to the version this run has seen, None for deleted
        self._plan: Plan | None = None
        self._conflicts = 0
        self._repairs: Counter[str] = Counter()

    def converge(self) -> Outcome:
        """Plan and walk until nothing is left, or nothing helps."""
        try:
            return self._converge()
        except GovernorError as error:
            if self._plan is None or not self._results:
                raise  # nothing was begun: the error is the whole story
            retry_after = error.retry_after if isinstance(error, TransientError) else None
            if retry_after is None:
                self._record = msgspec.structs.replace(self._record, approved=None)
            with contextlib.suppress(GovernorError):
                self._save(self._record)
            reason = f"stopped by an error after {counted(len(self._results), 'step')}: {error}"
            return Outcome("Failed", reason, self._plan, tuple(self._results), tuple(self._foreign), retry_after)

    def _converge(self) -> Outcome:
        before: tuple[Live, list[StepResult]] | None = None
        for _ in range(MAX_ROUNDS):
            live = self._read()
            current = self._plan = plan(self._desired, live, self._record, self._rules)
            self._notice(before, live, current)
            approved = is_approved(current, self._record, self._fingerprint)
            detail = APPROVED if current.held and approved else ""
            self._writer.tell(Event("planned", self._cluster.name, detail, plan=current))
            ended = self._stop_before(current, approved=approved)
            if ended is not None:
                return ended
            if not current.steps:
                return self._finish(current, live, [])
            if before is None and self._writer._before_changes is not None:
                self._writer._before_changes()
            earlier = self._record
            self._save(intended(earlier, current))
            round_results = self._executor.walk(current)
            self._results += round_results
            self._learn(earlier, round_results)
            ended = self._judge(current, live, round_results)
            if ended is not None:
                return ended
            before = (live, round_results)
        return self._end(
            "Failed", current, f"gave up after {MAX_ROUNDS} plans: something keeps changing the cluster", 60
        )

    def _read(self) -> Live:
        """The live state, not older than what this run has already done: lists are eventually consistent."""
        for _ in range(STALE_READS):
            live = read_live(self._api, self._cluster, self._desired, self._instances)
            if not self._is_stale(live) or self._deadline.passed:
                break
            self._deadline.sleep(1.0)
        return live

    def _is_stale(self, live: Live) -> bool:
        there = {quota.id: (quota.version, quota.status) for quota in live.quotas}
        there.update({policy.id: (policy.version, policy.status) for policy in live.cluster_policies})
        return any(_is_behind(there.get(resource_id), version) for resource_id, version in self._seen.items())

    def _notice(self, before: tuple[Live, list[StepResult]] | None, live: Live, current: Plan) -> None:
        """What somebody else changed: since the last apply, or between two plans of this run."""
        if before is None:
            found = changed_since_last_apply(self._api, current)
        else:
            found, done = changed_meanwhile(self._api, before[0], live, before[1])
            self._results += [
                StepResult(step, "done", "found done: its answer got lost, or somebody did the same", step.id)
                for step in done
            ]
        for change in found:
            self._foreign.append(change)
            self._writer.tell(Event("foreign", change.title, change.by, foreign=change))

    def _stop_before(self, current: Plan, *, approved: bool) -> Outcome | None:
        if current.refusals:
            return self._end("Rejected", current, "; ".join(finding.text for finding in current.refusals))
        if not approved:
            reason = f"waits for an approval: {', '.join(current.held)}"
            if self._fingerprint:
                reason += (
                    f"; {self._fingerprint} approves another plan, or the cluster has changed since: "
                    f"this plan is {current.fingerprint}"
                )
            return self._end("Held", current, reason)
        if self._deadline.passed and current.steps:
            return self._end("InProgress", current, "stopped at the deadline before the next step")
        return None

    def _learn(self, earlier: Record, results: list[StepResult]) -> None:
        for result in results:
            if result.state in ("done", "moved") and result.id:
                self._seen[result.id] = None if result.status in GONE else result.version
        never_created = [
            result.step
            for result in results
            if result.step.action == "create" and not result.id and not result.transient
            if result.state in ("skipped", "not started", "failed")
        ]
        deleted = [result.step for result in results if result.state == "done" and result.step.action == "delete"]
        self._record = learned(earlier, self._record, _created(results), deleted, never_created)

    def _judge(self, current: Plan, live: Live, results: list[StepResult]) -> Outcome | None:
        """The end of the run, or None when another round can help."""
        states = Counter(result.state for result in results)
        if states["waiting"] or (states["not started"] and self._deadline.passed):
            return self._end("InProgress", current, self._where(results))
        failed = [result for result in results if result.state == "failed"]
        hopeless = [result for result in failed if not self._can_be_repaired(result)]
        if hopeless:
            transient = all(result.transient for result in hopeless)
            reasons = "; ".join(f"{result.step.title}: {result.detail}" for result in hopeless)
            return self._end("Failed", current, reasons, 30 if transient else None)
        if states["conflict"]:
            self._conflicts += 1
            if self._conflicts >= MAX_CONFLICTS:
                details = "; ".join(result.detail for result in results if result.state == "conflict")
                return self._end("Failed", current, f"{MAX_CONFLICTS} plans met somebody else's change: {details}", 30)
            self._deadline.sleep(min(2.0 ** (self._conflicts - 1), 8.0))
        if states["conflict"] or states["moved"] or failed:
            return None
        return self._finish(current, live, results)

    def _can_be_repaired(self, result: StepResult) -> bool:
        """A failed state can be mended by the next plan, a bounded number of times; a refused call cannot."""
        if not result.status:
            return False
        self._repairs[result.step.name] += 1
        return self._repairs[result.step.name] <= MAX_REPAIRS

    def _where(self, results: list[StepResult]) -> str:
        done = sum(result.state == "done" for result in results)
        waiting = [f"{result.step.title} is {result.detail}" for result in results if result.state == "waiting"]
        left = [result.step.title for result in results if result.state in ("not started", "skipped")]
        parts = [f"stopped at the deadline with {done} of {counted(len(results), 'step')} done", *waiting]
        if left:
            parts.append(f"not begun: {', '.join(left)}")
        return "; ".join(parts)

    def _finish(self, current: Plan, live: Live, results: list[StepResult]) -> Outcome:
        if current.blocked:
            reasons = "; ".join(f"{blocked.title}: {blocked.reason}" for blocked in current.blocked)
            return self._end("Failed", current, reasons)
        self._save(applied(self._record, self._desired, live, _created(results)))
        writes = sum(result.state == "done" and result.step.action != "wait" for result in self._results)
        if not writes:
            return self._end("Unchanged", current, "the cluster is as the policy says")
        return self._end("Applied", current, f"{counted(writes, 'change')} made; the cluster is as the policy says")

    def _save(self, record: Record) -> None:
        self._record = record
        if record != self._stored:
            self._writer._records.save(record)
            self._stored = record

    def _end(self, verdict: Verdict, current: Plan, reason: str, retry_after: float | None = None) -> Outcome:
        if verdict != "InProgress" and retry_after is None:  # an approval is for carrying on, not for another day
            self._record = msgspec.structs.replace(self._record, approved=None)
        self._save(self._record)
        return Outcome(verdict, reason, current, tuple(self._results), tuple(self._foreign), retry_after)


def _is_behind(listed: tuple[int, str] | None, seen: int | None) -> bool:
    """True when a list shows less than what was seen: ``seen`` is a steady version, None for deleted."""
    if seen is None or listed is None:
        return (seen is None) != (listed is None)
    version, status = listed
    return version < seen or (version == seen and status in ("Creating", "Updating"))


def _created(results: list[StepResult]) -> list[tuple[Step, str]]:
    return [(result.step, result.id) for result in results if result.step.action == "create" and result.id]
