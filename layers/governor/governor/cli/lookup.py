"""Reading what the functions have written down: every file, one cluster, its history. Side by side: it is waiting."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from governor.cli.deployment import Buckets
from governor.errors import AccessError, GovernorError, NotFoundError, PermanentError
from governor.policy.wording import nearest, printable
from governor.records.documents import InForce, Origin, Run, State, Status
from governor.records.names import (
    CLUSTERS,
    HISTORY,
    POLICIES,
    STATUS,
    cluster_id,
    cluster_id_of_in_force,
    in_force_key,
    is_policy,
    key_of_status,
    run_key,
    status_key,
)
from governor.records.parallel import PARALLEL, side_by_side
from governor.records.ports import Listed
from governor.records.store import Documents

MAX_NAMED = 10
"""Candidates that an error tells."""

_STATES: tuple[State, ...] = ("InForce", "Leaving", "Releasing", "Released")
"""Of two clusters that go by the same name, the one that comes first here is meant."""


class Unread(msgspec.Struct, frozen=True):
    """A document that could not be read, and why."""

    key: str
    reason: str


class Everything(msgspec.Struct, frozen=True):
    """All files. ``uploads`` are the files as they lie in the bucket of policies; None when the caller may not look."""

    statuses: tuple[Status, ...]
    uploads: Mapping[str, Listed] | None = None
    unread: tuple[Unread, ...] = ()

    def unseen(self) -> tuple[Listed, ...]:
        """Uploads that nothing has been made of yet."""
        known = {status.key: status.newest.origin for status in self.statuses}
        uploads = sorted((self.uploads or {}).items())
        return tuple(item for key, item in uploads if key not in known or not _is_same(known[key], item))


def _is_same(origin: Origin, item: Listed) -> bool:
    """A list tells the time of an upload more exactly than a read does, in some stores; a second is enough."""
    modified = origin.modified.replace(microsecond=0) if origin.modified else None
    return (origin.etag, modified) == (item.etag, item.modified.replace(microsecond=0))


class About(msgspec.Struct, frozen=True):
    """Everything about one file: its status, and of the cluster that it governs the policy in force, the latest run
    and the newest entries of its history."""

    status: Status
    force: InForce | None = None
    run: Run | None = None
    history: tuple[Run, ...] = ()


def everything(buckets: Buckets) -> Everything:
    """All files; a document that cannot be read is told and does not hide the others."""
    found = (key_of_status(item.key) for item in buckets.records.objects.listed(STATUS))
    keys = [key for key in found if key is not None]

    def read(key: str) -> Status | Unread | None:
        try:
            kept = buckets.records.load(status_key(key), Status)
        except GovernorError as error:
            return Unread(key, str(error))
        return kept.document if kept else None

    read_ones = [each for _, each in side_by_side(keys, read)]
    return Everything(
        tuple(each for each in read_ones if isinstance(each, Status)),
        _uploads(buckets),
        tuple(each for each in read_ones if isinstance(each, Unread)),
    )


def _uploads(buckets: Buckets) -> dict[str, Listed] | None:
    try:
        return {item.key: item for item in buckets.policies.listed(POLICIES) if is_policy(item.key)}
    except AccessError:
        return None


def is_left_behind(key: str) -> bool:
    """True for the status of a cluster that a file has left for another one."""
    return not is_policy(key)


def about(buckets: Buckets, wanted: str, history: int) -> list[About]:
    """Everything about a cluster (name or ARN) or a file; NotFoundError names what is there instead."""
    statuses = everything(buckets).statuses
    chosen = [status for status in statuses if _is_meant(status, wanted)]
    if not chosen:
        names = {status.cluster_name for status in statuses} | {status.key for status in statuses}
        raise NotFoundError(f"nothing is known of '{printable(wanted)}'; {_instead(wanted, names)}")
    return [_about(buckets.records, status, history) for status in sorted(chosen, key=_owners_first)]


def _is_meant(status: Status, wanted: str) -> bool:
    arns = (status.cluster_arn, status.newest.cluster_arn)
    return wanted in (status.cluster_name, *arns, status.key, status.key.removeprefix(POLICIES)) or any(
        arn and wanted == cluster_id(arn) for arn in arns
    )


def _owners_first(status: Status) -> tuple[bool, bool, str]:
    return status.in_force is None, is_left_behind(status.key), status.key


def _about(documents: Documents, status: Status, history: int) -> About:
    arn = status.cluster_arn
    if not arn:
        return About(status)
    force, run = in_force_of(documents, arn), latest_run(documents, arn)
    if force is None or force.origin.key != status.key.partition("@")[0]:
        run = status.run  # the cluster is another file's: its latest run says nothing about this one
    return About(status, force, run, tuple(entries(documents, arn, history)))


def in_force_of(documents: Documents, cluster_arn: str) -> InForce | None:
    """The policy in force for a cluster."""
    kept = documents.load(in_force_key(cluster_id(cluster_arn)), InForce)
    return kept.document if kept else None


def latest_run(documents: Documents, cluster_arn: str) -> Run | None:
    """The latest run for a cluster."""
    kept = documents.load(run_key(cluster_id(cluster_arn)), Run)
    return kept.document if kept else None


def status_of(documents: Documents, key: str) -> Status | None:
    """Where a file stands."""
    kept = documents.load(status_key(key), Status)
    return kept.document if kept else None


def entries(documents: Documents, cluster_arn: str, most: int | None = None) -> Iterator[Run]:
    """A cluster's history, the newest first; read in handfuls, so that who has seen enough may stop."""
    prefix = f"{HISTORY}{cluster_id(cluster_arn)}/"
    keys = sorted((item.key for item in documents.objects.listed(prefix)), reverse=True)[:most]
    for start in range(0, len(keys), PARALLEL):
        for _, kept in side_by_side(keys[start : start + PARALLEL], lambda key: documents.load(key, Run)):
            if kept is not None:
                yield kept.document


def governed(documents: Documents, wanted: str) -> InForce:
    """The policy in force for a cluster by its name, its ARN, or the file that governs it.

    NotFoundError names what is there instead; PermanentError where a name is not enough.
    """
    identities = [cluster_id_of_in_force(item.key) for item in documents.objects.listed(CLUSTERS)]
    keys = [in_force_key(identity) for identity in identities if identity is not None]
    loaded = (kept for _, kept in side_by_side(keys, lambda key: documents.load(key, InForce)))
    forces = [kept.document for kept in loaded if kept is not None]
    meant = [force for force in forces if _governs(force, wanted)]
    if not meant:
        names = {force.cluster_name for force in forces}
        raise NotFoundError(f"no file governs the cluster '{printable(wanted)}'; {_instead(wanted, names)}")
    best = min(_STATES.index(force.state) for force in meant)
    alive = [force for force in meant if _STATES.index(force.state) == best]
    if len(alive) > 1:
        arns = ", ".join(sorted(force.cluster_arn for force in alive))
        raise PermanentError(f"'{printable(wanted)}' stands for several clusters; give the ARN of one: {arns}")
    return alive[0]


def _governs(force: InForce, wanted: str) -> bool:
    key = force.origin.key
    return wanted in (
        force.cluster_name,
        force.cluster_arn,
        cluster_id(force.cluster_arn),
        key,
        key.removeprefix(POLICIES),
    )


def _instead(wanted: str, names: Iterable[str]) -> str:
    there = sorted(name for name in names if name)
    near = nearest(wanted, there)
    if near:
        return f"did you mean '{near}'?"
    if not there:
        return "nothing has been received yet: upload a policy, or see what 'governor doctor' says"
    more = f" and {len(there) - MAX_NAMED} more" if len(there) > MAX_NAMED else ""
    return f"there are {', '.join(there[:MAX_NAMED])}{more}"
