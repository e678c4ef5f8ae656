"""Who preempted a workload, and by what right: out of its condition's message, and the workloads that are there."""

import re
from collections.abc import Iterable

from governor.kueue.explaining.answer import Job, Preemption
from governor.kueue.explaining.seen import Brief, Subject, team_of
from governor.kueue.objects import Workload

_MESSAGE = re.compile(
    r"(?:Previously: )?Preempted to accommodate a workload "
    r"\(UID: (?P<uid>[^\s,)]+)(?:, JobUID: (?P<job_uid>[^\s,)]+))?\)"
    r"(?: due to (?P<due>[^;]*))?(?:; preemptor path: (?P<path>\S+?)(?:;|$))?.*",
    re.DOTALL,
)
_PAST = "Previously: "
_DUE_TO = {
    "prioritization in the ClusterQueue": "InClusterQueue",
    "reclamation within the cohort": "InCohortReclamation",
    "Fair Sharing within the cohort": "InCohortFairSharing",
    "reclamation within the cohort while borrowing": "InCohortReclaimWhileBorrowing",
}
_RIGHTS = {
    "InClusterQueue": "in the same queue, the more important job goes first",
    "InCohortReclamation": "{other} took back quota of its own, which {own} had borrowed",
    "InCohortFairSharing": "{other} had less than its fair share of what can be borrowed, and {own} had more",
    "InCohortReclaimWhileBorrowing": "{other} took back quota and borrows itself; this job was less important",
}
_WITHIN = ("InCohortReclamation", "InCohortFairSharing", "InCohortReclaimWhileBorrowing")


def preemption(subject: Subject, others: Iterable[Brief]) -> Preemption | None:
    """The latest preemption of a workload; None for one that never was, as far as its conditions tell."""
    workload = subject.workload
    condition = workload.conditions.get("Preempted") or workload.conditions.get("Evicted")
    found = _MESSAGE.fullmatch(condition.message) if condition is not None else None
    if condition is None or found is None:
        return None
    uid, job_uid = _known(found["uid"]), _known(found["job_uid"])
    by = next((each for each in others if _is(each, uid, job_uid)), None)
    reason = _reason(condition.reason, found["due"] or "")
    queue = (found["path"] or "").rpartition("/")[2]
    over = condition.message.startswith(_PAST)
    return Preemption(
        reason=reason,
        words=_words(reason, workload, by, queue, found["due"] or ""),
        at=_evicted_at(workload) if over else condition.at,
        over=over,
        times=subject.preemptions,
        by=None if by is None else Job.of(by),
        by_uid=uid,
        by_job_uid=job_uid,
        by_priority=None if by is None else by.priority,
        by_cluster_queue=queue or (by.cluster_queue if by is not None else ""),
        remedy=_remedy(reason, workload),
    )


def _known(uid: str | None) -> str:
    return "" if uid in (None, "UNKNOWN") else str(uid)


def _is(other: Brief, uid: str, job_uid: str) -> bool:
    return (bool(uid) and other.uid == uid) or (bool(job_uid) and other.job_uid == job_uid)


def _reason(reason: str, due: str) -> str:
    """Once quota is reserved again, the reason of the condition is that; its message keeps the old one."""
    return reason if reason in _RIGHTS else _DUE_TO.get(due.strip(), reason)


def _evicted_at(workload: Workload) -> int:
    """When it was put back in line, which an admission since does not change; 0 if that is not told."""
    requeued = workload.conditions.get("Requeued")
    return requeued.at if requeued is not None and requeued.reason == "Preempted" else 0


def _words(reason: str, workload: Workload, by: Brief | None, queue: str, due: str) -> str:
    if reason not in _RIGHTS:
        return f"due to {due}" if due else "Kueue does not say why"
    other = team_of(by.namespace) or by.namespace if by is not None else _team_of_queue(queue)
    return _RIGHTS[reason].format(other=other or "another team", own=team_of(workload.namespace) or "this one")


def _team_of_queue(queue: str) -> str:
    return team_of(queue).removesuffix("-clusterqueue") or queue


def _remedy(reason: str, workload: Workload) -> str:
    """What counts is what the queue uses in all: of jobs that together borrow, any may be the one that has to go."""
    if reason in _WITHIN:
        team = team_of(workload.namespace)
        those, own = (f"all jobs of {team}", "its") if team else ("all jobs of its queue", "the queue's")
        return (
            f"borrowed quota can be taken back at any time; a job is safe from that only while {those} together hold "
            f"no more than {own} own quota"
        )
    if reason == "InClusterQueue":
        return "a priority class as high as the other job's keeps it from being preempted so"
    return ""
