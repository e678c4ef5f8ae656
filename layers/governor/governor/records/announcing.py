"""What the world is told of a verdict, and of an add-on whose state is another one."""

import re
from typing import Protocol

import msgspec

from governor.addon.report import Told
from governor.records.documents import AddonSeen, Status, Verdict
from governor.records.names import addon_key, cluster_id, readable_key, status_key

SOURCE = "hyperpod.governor"
DETAIL_TYPE = "HyperPod Governor Verdict"
ADDON_DETAIL_TYPE = "HyperPod Governor Add-on State Change"
_LOOK: frozenset[Verdict] = frozenset({"Held", "Rejected", "Failed", "Waiting"})


class Announcement(msgspec.Struct, frozen=True, rename="camel"):
    """The detail of the event, and what the notification is made of."""

    file: str
    verdict: Verdict
    reason: str
    cluster: str
    cluster_arn: str
    version: str
    generation: int
    run: str
    fingerprint: str
    status: str
    readable: str


_IDS = re.compile(r" ?\(request [^)]*\)|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MAX_ISSUES = 20
"""Health issues that are told in an event, and resources of each; the document has all."""
MAX_TEXT = 1000
"""Characters of an issue's message in an event."""


class AddonNews(msgspec.Struct, frozen=True, rename="camel"):
    """The detail of the event about an add-on: ``before`` and ``state`` say what changed, ``summary`` why it is so."""

    cluster: str
    cluster_arn: str
    eks_cluster: str
    state: str
    before: str
    installed: bool | None
    healthy: bool | None
    status: str
    version: str
    kueue_version: str
    drifted: bool
    summary: str
    remedy: str
    issues: tuple[Told, ...]
    document: str


def addon_news(seen: AddonSeen) -> AddonNews:
    """What is told of an add-on."""
    report = seen.report
    return AddonNews(
        cluster=report.cluster,
        cluster_arn=report.cluster_arn,
        eks_cluster=report.eks_cluster,
        state=seen.state,
        before=seen.before,
        installed=report.installed,
        healthy=report.healthy,
        status=report.status,
        version=report.version,
        kueue_version=report.kueue_version,
        drifted=report.drifted,
        summary=report.summary,
        remedy=report.remedy,
        issues=tuple(map(_short, report.issues[:MAX_ISSUES])),
        document=addon_key(cluster_id(report.cluster_arn)),
    )


def _short(issue: Told) -> Told:
    return msgspec.structs.replace(issue, message=issue.message[:MAX_TEXT], resources=issue.resources[:MAX_ISSUES])


class Announcements(Protocol):
    """Where verdicts are told."""

    def announce(self, announcement: Announcement, *, notify: bool) -> None:
        """One event and one metric; ``notify`` sends people a message too."""
        ...


def gist(reason: str) -> str:
    """A reason without the ids of requests, so that people are told once of the same thing."""
    return _IDS.sub("", reason)


def worth_a_notification(verdict: Verdict) -> bool:
    """True where a person should look."""
    return verdict in _LOOK


def announcement_of(status: Status) -> Announcement:
    """What is told of a status."""
    run = status.run if status.run is not None and status.run.generation == status.generation else None
    return Announcement(
        file=status.key,
        verdict=status.verdict,
        reason=status.reason,
        cluster=status.cluster_name,
        cluster_arn=status.cluster_arn,
        version=status.newest.origin.version,
        generation=status.generation,
        run=run.id if run else "",
        fingerprint=run.fingerprint if run else "",
        status=status_key(status.key),
        readable=readable_key(status.key),
    )


def subject_of(announcement: Announcement) -> str:
    """A line of at most 100 ASCII characters: what SNS takes for an e-mail."""
    text = f"HyperPod Governor: {announcement.verdict}: {announcement.cluster or 'no cluster'}: {announcement.file}"
    plain = "".join(char if " " <= char <= "~" else "?" for char in text)
    return plain if len(plain) <= 100 else f"{plain[:97]}..."


def message_of(announcement: Announcement, bucket: str) -> str:
    """The text of a notification: what happened, why, and what to do."""
    file, reason, document = (
        "".join(char if char.isprintable() else " " for char in text)  # a key may hold line breaks, and say anything
        for text in (announcement.file, announcement.reason, announcement.readable)
    )
    lines = [f"{announcement.verdict}: {file}", "", reason, ""]
    if announcement.cluster_arn:
        lines.append(f"Cluster {announcement.cluster} ({announcement.cluster_arn})")
    if announcement.verdict == "Held":
        lines.append(f"To approve this plan: governor approve {announcement.cluster} {announcement.fingerprint}")
    lines.append(f"All of it: s3://{bucket}/{document}")
    return "\n".join(lines) + "\n"
