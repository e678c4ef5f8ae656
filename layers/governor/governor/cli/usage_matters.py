"""What needs somebody, kind by kind, and what to do about it: the same on a terminal, in a pipe and on the page."""

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from governor.cli import usage_words as words
from governor.cli.usage_rows import Picture
from governor.policy.wording import printable

MOST_TOLD = 10
"""Sentences of a kind for a person to read; the rest is counted."""
Kind = Literal[
    "over quota",
    "starved",
    "stopped",
    "inactive",
    "no queue",
    "being deleted",
    "promises",
    "waits beside room",
    "not known",
    "good to know",
]
CALM: tuple[Kind, ...] = ("being deleted", "good to know")
"""Where nobody has to look."""

_WHY = "governor why JOB --cluster {cluster}"
_ACTIONS: dict[Kind, str] = {
    "over quota": "compare the last change of the policy (governor status {cluster}), also of what lenders have; Kueue "
    "stops nothing for it: wait until the work ends, or stop jobs",
    "starved": f"{_WHY} says what a job waits for; Kueue takes back what is borrowed by itself, unless preemption is "
    "off or a job asks for more than is guaranteed",
    "stopped": "to let it work: activation Enabled in the policy, or take off the stopPolicy that somebody has set",
    "inactive": "Kueue admits nothing until what it names is there: governor addon {cluster}, or governor doctor",
    "no queue": "see whether the team's quota was made: governor status {cluster}, or governor doctor",
    "promises": "kubectl get nodes: wait for nodes that are not Ready, or lower the quotas; until then jobs may be "
    "admitted whose pods find no place",
    "waits beside room": f"{_WHY} says what a job waits for: often for more at once than is free, or for other nodes",
    "not known": "the rest is right; docs/permissions.md has what to allow, and governor doctor looks at it",
}


class Matter(msgspec.Struct, frozen=True):
    """Sentences of one kind, and what to do; "" where there is nothing to be done."""

    kind: Kind
    sentences: tuple[str, ...]
    action: str = ""

    @property
    def told(self) -> tuple[str, ...]:
        """As many as a person reads."""
        return self.sentences[:MOST_TOLD]

    @property
    def untold(self) -> int:
        """How many more there are."""
        return len(self.sentences) - len(self.told)


def matters(picture: Picture) -> Iterator[Matter]:
    """Those that there is something to say of, the most urgent first."""
    usage = picture.usage
    cluster = printable(usage.cluster)
    found: dict[Kind, Iterable[str]] = {
        "over quota": words.over_quota_words(usage),
        "starved": words.reclaim_words(usage),
        "inactive": words.state_words(usage, "inactive"),
        "stopped": words.state_words(usage, "stopped"),
        "no queue": words.lost_words(usage),
        "promises": words.promise_words(usage),
        "waits beside room": words.room_words(usage),
        "not known": words.unknown_words(picture),
        "being deleted": words.deleting_words(usage),
        "good to know": (*words.cohort_words(usage), *words.vcpu_words(usage)),
    }
    for kind, said in found.items():
        sentences = tuple(said)
        if sentences:
            yield Matter(kind, sentences, _ACTIONS.get(kind, "").format(cluster=cluster))
