"""What was last seen of a cluster's usage, and which incidents people were told of."""

from datetime import datetime
from typing import Literal

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


class Incident(Document, frozen=True, kw_only=True, rename="camel"):
    """The last incident of a team, or of the cluster (``team`` ""): open with ``state`` ALARM, over with OK, as of what
    the alarm said ``at``.

    ``told`` is False where people were not told that it is so. An open one is ``unseen`` since the alarm went quiet
    though nobody saw that it is over. ``rang`` has when such incidents began that people were told of, the newest last;
    those of the last hour.
    """

    kind: Kind
    team: str
    state: Literal["ALARM", "OK"]
    at: datetime
    began: datetime
    told: bool
    unseen: datetime | None = None
    rang: tuple[datetime, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether people think that it is so."""
        return self.state == "ALARM" and self.told
