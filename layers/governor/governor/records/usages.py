"""What was last seen of a cluster's usage, and which incidents people were told of."""

from datetime import datetime
from typing import Literal

import msgspec

from governor.records.documents import Document
from governor.usage import ClusterUsage
from governor.usage.alarming import Borrowing


class UsageSeen(Document, frozen=True, kw_only=True, rename="camel"):
    """The newest usage of a cluster. ``borrowing`` judges the teams that have an alarm; ``unread`` says what was left
    out, and why. With ``trouble`` the cluster could not be read at ``at``, and ``usage`` is from before."""

    only_newest = True

    at: datetime
    cluster_arn: str
    cluster_name: str
    usage: ClusterUsage | None
    borrowing: tuple[Borrowing, ...] = ()
    unread: str = ""
    trouble: str = ""
    trouble_since: datetime | None = None


Kind = Literal["OverBorrowing", "Starved", "QuotaAboveCapacity", "CouldNotRead"]
"""The metric that an alarm of usage looks at."""


class Incident(msgspec.Struct, frozen=True, rename="camel"):
    """What an alarm last said of a team, or of the cluster (``team`` ""): its ``state`` since ``at``.

    ``told`` is False where people were not told: it was muted.
    """

    kind: Kind
    team: str
    state: Literal["ALARM", "OK"]
    at: datetime
    began: datetime
    told: bool


class Incidents(Document, frozen=True, kw_only=True, rename="camel"):
    """By kind and team, the last of each."""

    incidents: tuple[Incident, ...] = ()
