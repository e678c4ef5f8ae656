"""One file: read its newest version, give a bad one its verdict, put a good one in force.

An event only hints that something changed. What counts is the newest version of the object, so lost, doubled and
late events, and events about versions that are gone, all come to the same.
"""

import contextlib
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from governor.apply import Account, Opened, Unfit, open_policy, read_live
from governor.checks import PolicyFile
from governor.errors import AccessError, ConflictError, GovernorError, NotFoundError, PermanentError, TransientError
from governor.plan import Record, plan
from governor.plan import Rules as PlanRules
from governor.policy import Bounds, Diagnostic, Limits
from governor.policy.wording import counted
from governor.quota import Cluster
from governor.records.documents import Answer, Evaluation, InForce, LastApplied, Origin, Run, Standing, Status
from governor.records.names import applied_key, cluster_id, cluster_id_of_approval, in_force_key, run_key
from governor.records.ports import Objects, Stored
from governor.records.queue import Queue, enqueue
from governor.records.statuses import Statuses
from governor.records.store import Documents

APPROVE = "governor-approve"
"""The object metadata that approves a plan by its fingerprint."""
MAX_TRIES = 5
QUEUED = "accepted; applied when its turn comes"


class Hint(msgspec.Struct, frozen=True):
    """What an event tells beside the key: who did it, as far as S3 knows."""

    account: str = ""
    address: str = ""


class Rules(msgspec.Struct, frozen=True):
    """How the owner of the deployment wants files to be received."""

    plan: PlanRules = PlanRules()
    grace: timedelta = timedelta(minutes=10)


class _OwnedError(Exception):
    """Another file governs the cluster."""

    def __init__(self, owner: str) -> None:
        super().__init__(owner)
        self.owner = owner


class _UntrustedError(Exception):
    """The document of the policy in force cannot be used: not the file's fault."""


class _Refusal(msgspec.Struct, frozen=True):
    answer: Answer
    reason: str
    diagnostics: tuple[Diagnostic, ...] = ()
    owner: str = ""
    cluster: Cluster | None = None


class _Fit(msgspec.Struct, frozen=True):
    opened: Opened
    diagnostics: tuple[Diagnostic, ...]


class Receiver:
    """Receives files of one bucket. ``request`` names the invocation in every document."""

    def __init__(
        self,
        policies: Objects,
        documents: Documents,
        statuses: Statuses,
        account: Account,
        queue: Queue,
        limits: Callable[[], Limits],
        rules: Rules,
        now: Callable[[], datetime],
        request: str = "",
    ) -> None:
        self.policies, self.documents, self.statuses = policies, documents, statuses
        self.queue, self.rules, self.now = queue, rules, now
        self._account, self._limits, self._request = account, limits, request

    def receive(self, key: str, hint: Hint | None = None, *, again: bool = False) -> Status | None:
        """Look at a file and say what is made of it; ``again`` although its newest version was looked at.

        TransientError when it has to be tried again.
        """
        for _ in range(MAX_TRIES):
            try:
                return self._receive(key, hint or Hint(), again=again)
            except ConflictError:
                continue  # another version came in between
        raise TransientError(f"{key} is being changed all the time", 30.0)

    def _receive(self, key: str, hint: Hint, *, again: bool) -> Status | None:
        status = self.statuses.load(key)
        try:
            stored = self.policies.get(key, Bounds().size + 1)
        except PermanentError as error:
            return self._unreadable(key, hint, error)
        if stored is None:
            return self._deleted(key, status, hint)
        origin = _origin(key, stored, hint)
        looked_at = status is not None and _is_same(status.newest.origin, origin) and not again
        if status is not None and looked_at and self._is_answered(status):
            self.statuses.mend(key)
            return status
        read = self._read(key, stored)
        if isinstance(read, _Fit):
            try:
                return self._accept(key, stored, origin, read, status)
            except _OwnedError as error:
                read = _Refusal(
                    "Rejected",
                    f"the cluster is governed by {error.owner}, and one file governs one cluster: put all teams into "
                    "that file, or delete it; this file is looked at again when that one goes",
                    read.diagnostics,
                    error.owner,
                    read.opened.cluster,
                )
            except _UntrustedError as error:
                read = _Refusal("Waiting", f"{error}; looked at again every few minutes", read.diagnostics)
        evaluation = self._evaluation(origin, read.answer, read.reason, read.diagnostics, read.owner, read.cluster)
        return self._told(evaluation, self._come_back(status, key))

    def _unreadable(self, key: str, hint: Hint, error: PermanentError) -> Status | None:
        """S3 has the file and does not hand it over: another key of KMS, an archive, a permission."""
        try:
            there = self.policies.head(key)
        except PermanentError:
            there = None
        origin = _origin(key, there, hint) if there else Origin(key, account=hint.account, address=hint.address)
        reason = f"the file cannot be read: {error}; looked at again every few minutes"
        return self.statuses.evaluated(self._evaluation(origin, "Waiting", reason), None, lambda: True)

    def _come_back(self, status: Status | None, key: str) -> InForce | None:
        """A file that was deleted is there again, though its newest version is not good: no grace period runs on."""
        if status is None or status.state != "Leaving":
            return None

        def change(there: InForce | None) -> InForce | None:
            if there is None or there.state != "Leaving" or there.origin.key != key:
                return None
            return there.changed_to(self.now(), state="InForce", leaving_since=None)

        force = self.documents.update(in_force_key(cluster_id(status.cluster_arn)), InForce, change)
        return force if force is not None and force.owner == key else None

    def next_generation(self, cluster_arn: str, there: Standing | None) -> int:
        """Above all that there was, also when an earlier version of a document was put back."""
        kept = self.documents.load(run_key(cluster_id(cluster_arn)), Run)
        return max(there.generation if there else 0, kept.document.generation if kept else 0) + 1

    def _told(self, evaluation: Evaluation, force: InForce | None) -> Status | None:
        """Write a verdict down; ConflictError when another version has come meanwhile."""

        def is_newest() -> bool:
            newest = self.policies.head(evaluation.origin.key)
            return newest is None if not evaluation.origin.version else _is_version(newest, evaluation.origin)

        told = self.statuses.evaluated(evaluation, force, is_newest)
        if not is_newest():
            raise ConflictError(f"{evaluation.origin.key} has changed meanwhile")
        return told

    def _is_answered(self, status: Status) -> bool:
        """True when nothing is to be decided anew about the version that has been looked at."""
        newest = status.newest
        if newest.answer == "Rejected":
            return not newest.owner
        if newest.answer != "Accepted":
            return False
        force = self.in_force(newest.cluster_arn)
        if force is None or force.state != "InForce" or not _is_same(force.origin, newest.origin):
            return False
        if not self.has_run(force):
            enqueue(self.queue, force, "the file was received again")  # its first message may have got lost
        return True

    def in_force(self, cluster_arn: str) -> InForce | None:
        """The policy in force for a cluster."""
        kept = self.documents.load(in_force_key(cluster_id(cluster_arn)), InForce)
        return kept.document if kept else None

    def has_run(self, force: InForce) -> bool:
        """True when a run for this generation has begun."""
        kept = self.documents.load(run_key(cluster_id(force.cluster_arn)), Run)
        return kept is not None and kept.document.generation >= force.generation

    def _read(self, key: str, stored: Stored) -> _Fit | _Refusal:
        """The file, its cluster, and whether the plan that it leads to would be refused."""
        file = PolicyFile(key, stored.data)
        try:
            opened = open_policy(file, self._limits(), self._account)
        except (NotFoundError, AccessError) as error:
            return _Refusal("Waiting", f"{error}; looked at again every few minutes")
        except PermanentError as error:
            return _Refusal("Rejected", str(error))
        if isinstance(opened, Unfit):
            return _Refusal("Rejected", _first_error(opened.diagnostics), opened.diagnostics)
        try:
            live = read_live(self._account.governance, opened.cluster, opened.desired, opened.instances)
            made = plan(opened.desired, live, self._record(opened.cluster.arn), self.rules.plan)
        except PermanentError as error:  # not the file's fault
            return _Refusal("Waiting", f"{error}; looked at again every few minutes")
        diagnostics = opened.diagnostics(made)
        if made.refusals:
            return _Refusal("Rejected", _first_error(diagnostics), diagnostics, cluster=opened.cluster)
        return _Fit(opened, diagnostics)

    def _record(self, cluster_arn: str) -> Record | None:
        kept = self.documents.load(applied_key(cluster_id(cluster_arn)), LastApplied)
        return kept.document.record if kept else None

    def _accept(self, key: str, stored: Stored, origin: Origin, fit: _Fit, status: Status | None) -> Status | None:
        opened = fit.opened
        assert opened.parsed.policy is not None
        cluster, policy = opened.cluster, opened.parsed.policy
        before: list[InForce | None] = []

        def change(there: InForce | None) -> InForce | None:
            before.append(there)
            self._let_in(key, origin, there)
            if there is not None and there.state == "InForce" and _is_same(there.origin, origin):
                return None
            approve = stored.metadata.get(APPROVE, "").strip()
            return InForce(
                revision=there.revision + 1 if there else 1,
                cluster_arn=cluster.arn,
                cluster_name=cluster.name,
                generation=self.next_generation(cluster.arn, there),
                state="InForce",
                origin=origin,
                text=stored.data.decode(),
                on_delete=policy.on_delete,
                changed=self.now(),
                approve=approve,
                approved_by=origin if approve else None,
                approval=there.approval if there else None,
            )

        try:
            force = self.documents.update(in_force_key(cluster_id(cluster.arn)), InForce, change)
        except PermanentError as error:
            raise _UntrustedError(str(error)) from error
        assert force is not None
        evaluation = self._evaluation(origin, "Accepted", QUEUED, fit.diagnostics, cluster=cluster)
        try:
            told = self._told(evaluation, force)
        finally:  # also when another version has come: this one is in force until that one is found good
            enqueue(self.queue, force, "a new version" if before[-1] else "a new policy")
        earlier = before[-1]
        if earlier is not None and earlier.owner not in (None, key):
            self.statuses.let_go(earlier.origin.key, cluster.arn, f"{key} governs the cluster now")
        if status is not None and status.cluster_arn not in ("", cluster.arn):
            self.leave(status.cluster_arn, key)
        return told

    def _let_in(self, key: str, origin: Origin, there: InForce | None) -> None:
        """Raises ConflictError when the version is no longer the newest, and _OwnedError.

        This is asked after the policy in force was read and before it is written conditionally: so no late reader
        of an old version ever puts it over a newer one.
        """
        newest = self.policies.head(key)
        if not _is_version(newest, origin):
            raise ConflictError(f"{key} has changed meanwhile")
        if (
            there is not None
            and there.state == "InForce"
            and there.origin.key != key
            and self.policies.head(there.origin.key) is not None
        ):
            raise _OwnedError(there.origin.key)

    def _deleted(self, key: str, status: Status | None, hint: Hint) -> Status | None:
        """A file is gone: what it governs stays in force for the grace period."""
        if status is None:
            return None  # never seen; should it govern something, the resync finds out
        origin = Origin(key, account=hint.account, address=hint.address)
        force = self.leave(status.cluster_arn, key) if status.cluster_arn else None
        if force is None and status.newest.answer == "Deleted" and status.state not in (None, "Released"):
            there = self.in_force(status.cluster_arn)
            if there is not None and there.owner not in (None, key):
                return self.statuses.let_go(key, status.cluster_arn, f"{there.owner} governs the cluster now")
        if status.newest.answer == "Deleted" and (force is None or status.state == force.state):
            self.statuses.mend(key)
            told: Status | None = status
        else:
            reason = self._farewell(force) if force else "the file was deleted; it governed no cluster"
            told = self._told(self._evaluation(origin, "Deleted", reason), force)
        if force is not None:
            self.revisit(key)
            return self.statuses.load(key)
        return told

    def _farewell(self, force: InForce) -> str:
        what = {
            "Retain": "its teams and its cluster policy stay as they are and are nobody's",
            "Remove": "its teams and its cluster policy are deleted, after an approval",
        }[force.on_delete]
        due = (force.leaving_since or self.now()) + self.rules.grace
        return (
            f"the file was deleted; soon after {due:%Y-%m-%d %H:%M:%S} UTC {what} (onDelete: {force.on_delete}), "
            "unless a file for this cluster is uploaded before"
        )

    def leave(self, cluster_arn: str, key: str) -> InForce | None:
        """Begin the grace period, if the file governs the cluster; the policy in force then, None if it does not."""

        def change(there: InForce | None) -> InForce | None:
            if there is None or there.state != "InForce" or there.origin.key != key:
                return None
            return there.changed_to(self.now(), state="Leaving", leaving_since=self.now())

        force = self.documents.update(in_force_key(cluster_id(cluster_arn)), InForce, change)
        return force if force is not None and force.owner == key else None

    def revisit(self, owner: str) -> None:
        """Look again at the files that were refused because this one governed their cluster."""
        for key, glance in list(self.statuses.glances(self.statuses.known())):
            if glance is not None and glance.newest.owner == owner:
                with contextlib.suppress(GovernorError):  # the resync looks at it again; others get their turn
                    self.receive(key)

    def approve(self, key: str, hint: Hint | None = None) -> InForce | None:
        """Take over an approval that somebody put beside the policies. Raises PermanentError for one without sense."""
        stored = self.policies.get(key, 4096)
        if stored is None:
            return None
        fingerprint = _fingerprint(key, stored.data)
        origin = _origin(key, stored, hint or Hint())
        news: list[bool] = []

        def change(there: InForce | None) -> InForce | None:
            given = there.approval if there else None
            news.append(False)
            if there is None or there.state == "Released" or (given and _is_same(given, origin)):
                return None
            if given is not None and given.modified and origin.modified and given.modified > origin.modified:
                return None
            news[-1] = True
            return there.changed_to(
                self.now(),
                approve=fingerprint,
                approved_by=origin,
                approval=origin,
                generation=self.next_generation(there.cluster_arn, there),
            )

        force = self.documents.update(in_force_key(cluster_id_of_approval(key)), InForce, change)
        if force is not None and force.approval is not None and (news[-1] or not self.has_run(force)):
            self.statuses.changed(force)
            enqueue(self.queue, force, "an approval")
        return force

    def _evaluation(
        self,
        origin: Origin,
        answer: Answer,
        reason: str,
        diagnostics: tuple[Diagnostic, ...] = (),
        owner: str = "",
        cluster: Cluster | None = None,
    ) -> Evaluation:
        return Evaluation(
            id=uuid.uuid4().hex,
            answer=answer,
            reason=reason,
            origin=origin,
            at=self.now(),
            cluster_arn=cluster.arn if cluster else "",
            cluster_name=cluster.name if cluster else "",
            diagnostics=diagnostics,
            owner=owner,
            request=self._request,
        )


def _is_same(one: Origin, other: Origin) -> bool:
    """The same upload. The version would do, but a bucket whose versioning was suspended calls all of them null."""
    return (one.key, one.version, one.etag, one.modified) == (other.key, other.version, other.etag, other.modified)


def _is_version(stored: Stored | None, origin: Origin) -> bool:
    return stored is not None and (stored.version, stored.etag) == (origin.version, origin.etag)


def _origin(key: str, stored: Stored, hint: Hint) -> Origin:
    return Origin(key, stored.version, stored.etag, stored.modified, hint.account, hint.address)


def _first_error(diagnostics: tuple[Diagnostic, ...]) -> str:
    errors = [item for item in diagnostics if item.severity == "error"]
    first = errors[0]
    more = f"{counted(len(errors), 'error')}, the first at " if len(errors) > 1 else "line "
    return f"{more}{first.line}:{first.column}: {first.text}"


def _fingerprint(key: str, data: bytes) -> str:
    try:
        fingerprint = msgspec.json.decode(data, type=_Approval).fingerprint.strip()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PermanentError(f"{key} is not an approval ({error}); write one with 'governor approve'") from error
    if not (fingerprint.isascii() and fingerprint.isalnum() and len(fingerprint) <= 64):
        raise PermanentError(f"{key} names no fingerprint; write one with 'governor approve'")
    return fingerprint


class _Approval(msgspec.Struct):
    fingerprint: str
