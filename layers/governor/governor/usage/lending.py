"""Who lends to whom within a cohort: an account that Kueue does not keep.

Rules: Kueue's documentation, "Cohort semantics" and "Lending limit": a queue may use what others of its cohort leave
idle, up to its borrowing limit; of what a queue leaves idle no more than its lending limit goes to others.
"""

from collections.abc import Sequence

from governor.usage.seen import Fund


def account(funds: Sequence[Fund], joined: Sequence[bool], own: int, *, has_parent: bool) -> "Account":
    """The account of one flavor and resource: of the queues of a cohort, or of one queue alone (``joined`` False).

    ``own`` is what the cohort has itself. What is used above a guarantee is borrowed as far as the borrowing limit
    allows and idle quota covers it; the rest is over quota. Where several queues are above and not all is covered, each
    is covered in proportion; Kueue does not tell whose quota was cut. A parent may cover what nobody here does.
    """
    above = [fund.used - fund.nominal if fund.used > fund.nominal else 0 for fund in funds]
    if not any(above):  # as of most resources, most of the time
        nothing = [0] * len(funds)
        return Account(nothing, nothing, nothing, 0)
    claims = [
        min(over, over if fund.borrowing_limit is None else fund.borrowing_limit) if together else 0
        for fund, over, together in zip(funds, above, joined, strict=True)
    ]
    offers = [*(_lendable(fund) if together else 0 for fund, together in zip(funds, joined, strict=True)), own]
    claimed, offered = sum(claims), sum(offers)
    borrowed = claims if claimed <= offered or has_parent else in_proportion(offered, claims)
    lent = in_proportion(min(claimed, offered), offers)
    return Account(borrowed, [each - part for each, part in zip(above, borrowed, strict=True)], lent[:-1], lent[-1])


class Account:
    """By queue: what it borrows, what it has over its quota, what it lends; and what the cohort itself lends."""

    __slots__ = ("borrowed", "lent", "lent_by_cohort", "over_quota")

    def __init__(self, borrowed: list[int], over_quota: list[int], lent: list[int], lent_by_cohort: int) -> None:
        self.borrowed, self.over_quota, self.lent, self.lent_by_cohort = borrowed, over_quota, lent, lent_by_cohort


def _lendable(fund: Fund) -> int:
    idle = max(0, fund.nominal - fund.used)
    return idle if fund.lending_limit is None else min(idle, fund.lending_limit)


def in_proportion(amount: int, parts: Sequence[int]) -> list[int]:
    """An amount split in proportion to the parts, of which it is no more than the sum; what is left by rounding goes to
    the largest remainders, the first of equals. No share is above its part."""
    whole = sum(parts)
    if amount >= whole:
        return list(parts)
    if amount == 0:
        return [0] * len(parts)
    shares = [amount * part // whole for part in parts]
    left = amount - sum(shares)
    if left:
        order = sorted(range(len(parts)), key=lambda index: (-(amount * parts[index] % whole), index))
        for index in order[:left]:
            shares[index] += 1
    return shares


def headrooms(funds: Sequence[Fund], own: int) -> list[int]:
    """What each queue of a cohort could take now without preempting anybody: its own, and what the others leave.

    A queue that is stopped lends as before: what the recorded scenarios of Kueue do, held by a test against the model.
    """
    kept = [
        0 if fund.lending_limit is None or fund.lending_limit > fund.nominal else fund.nominal - fund.lending_limit
        for fund in funds
    ]
    held = [
        fund.reserved - keeps if fund.reserved > keeps else 0  # of what is not kept for itself
        for fund, keeps in zip(funds, kept, strict=True)
    ]
    free = own + sum(fund.nominal - keeps for fund, keeps in zip(funds, kept, strict=True)) - sum(held)
    return [_headroom(fund, keeps, holds, free) for fund, keeps, holds in zip(funds, kept, held, strict=True)]


def _headroom(fund: Fund, keeps: int, holds: int, free: int) -> int:
    if fund.borrowing_limit is not None:
        free = min(free, fund.nominal - keeps + fund.borrowing_limit - holds)
    if keeps > fund.reserved:
        free += keeps - fund.reserved
    return max(0, free)
