"""The dominant resource share of a queue: how much of what others could lend it has borrowed (KEP-1714).

Kueue compares shares as double-precision numbers. So does this, or ties would fall differently; amounts stay whole.
"""

import math
from dataclasses import dataclass

from governor.kueue.admission.supply import FlavorResource, Needs, Queue
from governor.kueue.objects import UNLIMITED_SHARE

Rank = tuple[int, float]
"""Shares in order: whoever borrows with a weight of 0 comes after all others."""

LOWEST: Rank = (0, -1.0)


@dataclass(frozen=True, slots=True)
class Share:
    """A queue's share. ``borrowed_in`` are the flavors and resources of which it has more than its nominal quota."""

    rank: Rank
    borrowed_in: tuple[FlavorResource, ...] = ()

    @property
    def is_unlimited(self) -> bool:
        """Whether it borrows with a weight of 0."""
        return self.rank[0] == 1

    def borrows_in(self, needs: Needs) -> bool:
        """Whether it borrows something of what is needed."""
        return any(needs.get(place, 0) > 0 for place in self.borrowed_in)


_NONE = Share((0, 0.0))


def share_of(queue: Queue) -> Share:
    """The share of what the queue uses now."""
    if not queue.spec.cohort:
        return _NONE
    borrowed: dict[str, int] = {}
    places = []
    used = queue.used
    for place, quota in queue.quotas.items():
        above = used.get(place, 0) - quota.nominal
        if above > 0:
            borrowed[place[1]] = borrowed.get(place[1], 0) + above
            places.append(place)
    if not places:
        return _NONE
    lendable = queue.pool.lendable
    ratio = max(
        (above * 1000.0 / lendable[resource] for resource, above in borrowed.items() if lendable.get(resource, 0) > 0),
        default=0.0,
    )
    if ratio == 0.0:
        return Share((0, 0.0), tuple(places))
    weight = queue.spec.weight / 1000
    return Share((1, ratio) if weight == 0 else (0, ratio / weight), tuple(places))


def weighted_share(queue: Queue) -> int:
    """The share as Kueue's status shows it: in thousandths, rounded up, 2^63-1 for a borrower of weight 0."""
    share = share_of(queue)
    return UNLIMITED_SHARE if share.is_unlimited else math.ceil(share.rank[1])
