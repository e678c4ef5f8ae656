"""What the world is told of a verdict."""

from typing import Protocol

import msgspec

from governor.records.documents import Status, Verdict
from governor.records.names import readable_key, status_key

SOURCE = "hyperpod.governor"
DETAIL_TYPE = "HyperPod Governor Verdict"
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


class Announcements(Protocol):
    """Where verdicts are told."""

    def announce(self, announcement: Announcement, *, notify: bool) -> None:
        """One event and one metric; ``notify`` sends people a message too."""
        ...


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
