"""Messages to the one writer: which cluster to look at, and why. What to do is never in a message."""

from datetime import datetime
from typing import Protocol

import msgspec

from governor.records.documents import Run, Standing
from governor.records.names import cluster_id

RESYNC = "resync"
CARRY_ON = "carry on"
ADDON = "the add-on"


class Message(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """``chain`` is empty in a message that begins a run, and names the run that a message carries on."""

    cluster_arn: str
    generation: int
    why: str
    chain: str = ""
    slice: int = 1


class Queue(Protocol):
    """A FIFO queue."""

    def send(self, group: str, deduplication: str, body: str) -> None:
        """Send; a second message with the same deduplication id within five minutes is dropped by the queue."""
        ...


def enqueue(queue: Queue, force: Standing, why: str, now: datetime | None = None) -> None:
    """Ask for a run. The same generation is asked for once; with ``now``, once in five minutes."""
    again = f"-{int(now.timestamp()) // 300}" if now else ""
    identity = cluster_id(force.cluster_arn)
    send(queue, Message(force.cluster_arn, force.generation, why), f"{identity}-{force.generation}{again}")


def look_at_addon(queue: Queue, force: Standing, now: datetime) -> None:
    """Ask for a run although nothing about the policy is new: generation 0 is never out of date."""
    deduplication = f"{cluster_id(force.cluster_arn)}-addon-{int(now.timestamp()) // 300}"
    send(queue, Message(force.cluster_arn, 0, ADDON), deduplication)


def carry_on(queue: Queue, run: Run) -> None:
    """Ask for the next slice of a run. Its own deduplication id: the queue remembers ids for five minutes."""
    following = Message(run.cluster_arn, run.generation, CARRY_ON, run.chain, run.slices + 1)
    send(queue, following, f"{run.chain}-{following.slice}")


def send(queue: Queue, message: Message, deduplication: str) -> None:
    """One group per cluster: the queue lets one message of a group be worked on at a time."""
    queue.send(message.cluster_arn, deduplication, msgspec.json.encode(message).decode())
