"""The documents that are kept: per cluster the policy in force and the runs, per file its status."""

from datetime import datetime
from typing import Any, ClassVar, Literal

import msgspec

from governor.addon.report import Report
from governor.plan import Change, Record
from governor.policy import Diagnostic, OnDelete

FORMAT = 1

Verdict = Literal["Applied", "Unchanged", "InProgress", "Waiting", "Held", "Rejected", "Failed", "Released"]


class Origin(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A version of a file, and who put it there as far as S3 tells: an account and an address."""

    key: str
    version: str = ""
    etag: str = ""
    modified: datetime | None = None
    account: str = ""
    address: str = ""


class Document(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What every document begins with. ``write`` is another one with every write, so that a writer whose answer
    got lost knows its own work: equal bytes would have equal ETags."""

    only_newest: ClassVar[bool] = False
    """True for a document that is written so often that its earlier versions are not worth keeping."""

    format: int = FORMAT
    write: str = ""


State = Literal["InForce", "Leaving", "Releasing", "Released"]


class Standing(Document, frozen=True, kw_only=True, rename="camel"):
    """The policy in force for a cluster, without the policy: what a pass over all clusters has to know.

    ``revision`` grows with every write, ``generation`` with everything that asks for a run. ``state``: a deleted file
    is Leaving for a while, in which it or another file may take its place; Releasing is the work that its
    ``onDelete`` asks for; Released leaves the cluster free.
    """

    revision: int
    cluster_arn: str
    cluster_name: str
    generation: int
    state: State
    origin: Origin
    changed: datetime
    leaving_since: datetime | None = None

    @property
    def owner(self) -> str | None:
        """The key of the file that governs the cluster; None when it is free."""
        return None if self.state == "Released" else self.origin.key


class InForce(Standing, frozen=True, kw_only=True, rename="camel"):
    """The policy in force for a cluster.

    ``approve`` is the fingerprint of the plan that somebody approved for this generation, ``approved_by`` the upload
    that said so; ``approval`` is the last approval beside the policies that was taken over.
    """

    text: str
    on_delete: OnDelete
    approve: str = ""
    approved_by: Origin | None = None
    approval: Origin | None = None

    def changed_to(self, now: datetime, **members: Any) -> "InForce":
        """The next revision, with other members."""
        return msgspec.structs.replace(self, revision=self.revision + 1, changed=now, **members)


class StepDone(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One step of a run as it ended."""

    title: str
    name: str
    action: str
    state: str
    detail: str = ""
    id: str = ""
    version: int = 0
    changes: tuple[Change, ...] = ()


class Foreign(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What somebody else was seen to have changed."""

    title: str
    by: str = ""
    changes: tuple[Change, ...] = ()


class Run(Document, frozen=True, kw_only=True, rename="camel"):
    """One run for a cluster: from a message to a verdict, in as many slices as it takes.

    ``number`` grows with every run of the cluster. ``chain`` names the messages that may carry it on. ``settled``
    means that nothing more will happen by itself; ``resting`` that only the resync will take it up again,
    ``patient`` that it then works one slice only, because it has waited long for something that does not move.
    ``takes_over`` are the ids of runs for the same generation that were cut short.
    ``calls`` counts the calls of AWS by operation. ``warnings`` are about the cluster, not about a place in the file.
    """

    cluster_arn: str
    cluster_name: str
    number: int
    id: str
    chain: str
    generation: int
    origin: Origin
    verdict: Verdict
    reason: str
    began: datetime
    updated: datetime
    why: str = ""
    takes_over: tuple[str, ...] = ()
    settled: bool = False
    resting: bool = False
    patient: bool = False
    slices: int = 1
    fingerprint: str = ""
    held: tuple[str, ...] = ()
    approved: str = ""
    approved_by: Origin | None = None
    planned: tuple[StepDone, ...] = ()
    steps: tuple[StepDone, ...] = ()
    foreign: tuple[Foreign, ...] = ()
    unmanaged: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    calls: dict[str, int] = {}
    warnings: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()
    retry_at: datetime | None = None


class LastApplied(Document, frozen=True, kw_only=True, rename="camel"):
    """The last applied policy and what it owns."""

    run: str = ""
    record: Record


class AddonSeen(Document, frozen=True, kw_only=True, rename="camel"):
    """What was last seen of a cluster's add-on: ``at`` that time, in this ``state`` since ``since``.

    ``announced`` is the state that was last told to EventBridge, ``before`` the one before this one.
    """

    at: datetime
    since: datetime
    state: str
    before: str = ""
    announced: str = ""
    report: Report


class AddonChange(Document, frozen=True, kw_only=True, rename="camel"):
    """The last change of an add-on: what, for which upload, by which run. It is written before EKS is called, so that a
    run that is cut short has counted (``tries``), and after: ``begun``, or ``refused`` with what EKS said."""

    at: datetime
    origin: Origin
    action: Literal["install", "upgrade"]
    version: str
    run: str
    tries: int = 1
    begun: bool = False
    refused: str = ""


Answer = Literal["Accepted", "Rejected", "Waiting", "Deleted"]


class Evaluation(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What was made of the newest version of a file when it was received."""

    id: str
    answer: Answer
    reason: str
    origin: Origin
    at: datetime
    cluster_arn: str = ""
    cluster_name: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    owner: str = ""
    request: str = ""


class Look(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The part of an evaluation that says whether a file has to be looked at again."""

    answer: Answer
    origin: Origin
    at: datetime
    owner: str = ""


class Glance(Document, frozen=True, kw_only=True, rename="camel"):
    """The part of a status document that a pass over all files has to know."""

    verdict_id: str
    newest: Look
    state: State | None = None
    announced: str = ""


class Status(Document, frozen=True, kw_only=True, rename="camel"):
    """Where a file stands: the verdict, the newest version, the version in force, the latest run.

    ``revision`` grows with every write. ``verdict_id`` is another one for every verdict; ``announced`` is the last
    that was told to EventBridge, ``notified`` what people were last told by SNS.
    """

    key: str
    revision: int
    verdict: Verdict
    reason: str
    verdict_id: str
    updated: datetime
    newest: Evaluation
    cluster_arn: str = ""
    cluster_name: str = ""
    in_force: Origin | None = None
    state: State | None = None
    generation: int = 0
    force_revision: int = 0
    run: Run | None = None
    announced: str = ""
    notified: str = ""
