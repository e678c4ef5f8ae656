"""What a status comes to in words: its age, what to do next, whether its newest version is the one in force."""

from datetime import datetime, timedelta

from governor.cli.lookup import is_left_behind
from governor.records.documents import Origin, Run, Status
from governor.records.names import POLICIES

UNHEARD = timedelta(minutes=15)
"""After so long without a word a run is lost, and the resync should have taken it up."""
SHORT = 8
"""Characters of a version id that are told apart by eye."""

EXIT_STATUS = {"Rejected": 1, "Failed": 1, "Held": 3}
URGENT = ("Failed", "Rejected", "Held", "Waiting", "InProgress", "Applied", "Unchanged", "Released")


def worst(verdicts: list[str]) -> int:
    """The exit status for all of them."""
    statuses = {EXIT_STATUS.get(verdict, 0) for verdict in verdicts}
    return 1 if 1 in statuses else 3 if 3 in statuses else 0


def age(then: datetime, now: datetime) -> str:
    """E.g. "3 h"; never more than seven characters."""
    seconds = max(0, int((now - then).total_seconds()))
    if seconds < 100:
        return f"{seconds} s"
    if seconds < 100 * 60:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 48 * 3600 else f"{seconds // 86400} days"


def short(version: str) -> str:
    """The beginning of a version id, which rollback takes as well."""
    return version[:SHORT]


def file_name(key: str) -> str:
    """A file as it is shown in a list; one that stands for a cluster that it has left says so."""
    name = key.removeprefix(POLICIES)
    return f"{name.partition('@')[0]} (left)" if is_left_behind(key) else name


def in_force_is_older(status: Status) -> bool:
    """True when an earlier version than the newest is in force, or the newest is not in force."""
    if is_left_behind(status.key) or status.newest.answer == "Deleted":
        return False
    return status.in_force is None or status.in_force.version != status.newest.origin.version


def cluster_of(status: Status) -> str:
    """What the cluster is called where a command is to be typed."""
    return status.cluster_name or status.cluster_arn or status.newest.cluster_arn


def uploader(origin: Origin) -> str:
    """Who put a version there, as far as S3 tells."""
    return " ".join(
        part
        for part in (
            f"by account {origin.account}" if origin.account else "",
            f"from {origin.address}" if origin.address else "",
        )
        if part
    )


def next_steps(status: Status, run: Run | None, now: datetime) -> list[str]:
    """What a person can do about it; nothing where nothing is to be done."""
    name = cluster_of(status)
    if status.verdict == "Held" and run is not None:
        return [
            f"to let this plan through: governor approve {name} {run.fingerprint}",
            f"if it is not wanted: upload another version, or governor rollback {name}",
        ]
    if status.verdict == "Rejected":
        return _after_rejection(status, name)
    if status.verdict == "Failed":
        return _after_failure(status, run)
    if status.verdict == "Waiting" and status.state == "Leaving":
        return [f"to keep the policy: upload the file again, or governor rollback {name}"]
    its_turn = status.state in ("InForce", "Releasing")
    if status.verdict == "Waiting" and run is not None and run.verdict == "Waiting" and its_turn:
        return [
            "do what the reason says; then it goes on by itself within five minutes",
            f"all about the add-on: governor addon {name}",
        ]
    if status.verdict == "Waiting":
        return ["nothing: it is looked at again every five minutes"]
    if status.verdict == "InProgress":
        return _at_work(status, run, now)
    return []


def _after_rejection(status: Status, name: str) -> list[str]:
    if status.newest.owner:
        return [f"put its teams into {status.newest.owner}, or delete one of the two files"]
    if status.in_force is None:
        return ["mend the file and upload it again; nothing of it is in force"]
    if not in_force_is_older(status):
        return ["mend the file and upload it again; what was applied before stays as it is"]
    return [
        "mend the file and upload it again; the earlier version stays in force meanwhile",
        f"or put that version back as the newest: governor rollback {name}",
    ]


def _after_failure(status: Status, run: Run | None) -> list[str]:
    if run is not None and run.resting:
        return ["remove the cause; it is tried again every five minutes by itself"]
    return [f"remove the cause, then upload {status.key.partition('@')[0]} again: the same content is enough"]


def _at_work(status: Status, run: Run | None, now: datetime) -> list[str]:
    heard = run.updated if run is not None and run.generation == status.generation else status.updated
    if now - heard > UNHEARD:
        return [f"nothing was heard of it for {age(heard, now)}: governor doctor says why"]
    if run is not None and run.retry_at is not None and run.retry_at > now:
        return [f"nothing: it goes on by itself at {run.retry_at:%H:%M:%S} UTC"]
    return ["nothing: it goes on by itself"]
