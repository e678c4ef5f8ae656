"""Shrink before grow: the order in which quota moves from team to team.

At no moment may the teams together be guaranteed more of anything than the largest of what they were
guaranteed before, what they will be, and what the cluster has.
"""

from collections.abc import Callable
from fractions import Fraction

import msgspec

from governor.plan.plan import Step
from governor.quota import Amounts, Catalogue, Dimension, QuotaEntry, add, fill_in, total

NOTHING = Fraction(0)


def _split(step: Step) -> tuple[dict[Dimension, Fraction], dict[Dimension, Fraction]]:
    """How much a step takes away and how much it adds, both as positive amounts."""
    delta = add(step.amounts_after, step.amounts_before, -1)
    return (
        {dimension: -value for dimension, value in delta.items() if value < 0},
        {dimension: value for dimension, value in delta.items() if value > 0},
    )


def ordered(
    steps: list[Step],
    before: Amounts,
    capacity: Amounts,
    lower: Callable[[Step], Step | None],
) -> list[Step]:
    """The steps in an order, and with the prerequisites, that keep the sum within its bound.

    Steps that only take come first. A step that adds waits for every step that takes the same instance
    type, unless all additions fit at once; a transition that is under way, or an update that failed, counts
    as one that takes. A step that does both is split in two when others wait for what it takes and its own
    addition has to wait; ``lower`` gives its first half, the smaller of before and after.
    """
    moves = [(step, *_split(step)) for step in steps]
    grown = total(grows for _, _, grows in moves)
    shrunk = total(shrinks for _, shrinks, _ in moves)
    after = add(add(before, grown), shrunk, -1)
    unsettled = {kind for step in steps if step.settle_first or step.unsure for kind in _kinds(step)}
    tight = {
        dimension[0]
        for dimension, value in grown.items()
        if before.get(dimension, NOTHING) + value
        > max(before.get(dimension, NOTHING), after.get(dimension, NOTHING), capacity.get(dimension, NOTHING))
        or dimension[0] in unsettled
    }
    adders: dict[str, set[str]] = {kind: set() for kind in tight}
    for step, _, grows in moves:
        for kind in {kind for kind, _ in grows} & tight:
            adders[kind].add(step.key)
    first: list[Step] = []
    later: list[tuple[Step, set[str]]] = []
    takers: dict[str, list[str]] = {}
    for step, shrinks, grows in moves:
        if step.settle_first:
            # Only waited for; what comes of it is planned anew. Until then what it has is not to be given away.
            first.append(step)
            for kind in _kinds(step):
                takers.setdefault(kind, []).append(step.key)
            continue
        # Only what another step waits for counts as taken: nobody need give back for itself.
        takes = (_kinds(step) if step.unsure else {kind for kind, _ in shrinks}) & tight
        takes = {kind for kind in takes if adders[kind] - {step.key}}
        adds = {kind for kind, _ in grows} & tight
        if takes and adds:
            half = lower(step)
            if half is not None:
                first.append(half)
                later.append((_second_half(step, half), adds))
                for kind in takes:
                    takers.setdefault(kind, []).append(half.key)
                continue
        if adds:
            later.append((step, adds))
        else:
            first.append(step)
            for kind in takes:
                takers.setdefault(kind, []).append(step.key)
    return first + [_after(step, adds, takers) for step, adds in later]


def _kinds(step: Step) -> set[str]:
    return {kind for kind, _ in [*step.amounts_before, *step.amounts_after]}


def _after(step: Step, adds: set[str], takers: dict[str, list[str]]) -> Step:
    others = [key for kind in sorted(adds) for key in takers.get(kind, ()) if key != step.key]
    return msgspec.structs.replace(step, needs=tuple(dict.fromkeys([*step.needs, *others])))


def _second_half(step: Step, half: Step) -> Step:
    return msgspec.structs.replace(
        step, key=f"{step.key}/grow", needs=(*step.needs, half.key), amounts_before=half.amounts_after
    )


def smaller_entries(
    before: tuple[QuotaEntry, ...], after: tuple[QuotaEntry, ...], instances: Catalogue
) -> tuple[QuotaEntry, ...] | None:
    """Per instance type the smaller of two amounts, or None where somebody would have to guess.

    Whole instances stay whole instances; anything else is said in explicit accelerators, vCPU and memory,
    so that no fill-in of the service can exceed either side.
    """
    there = {entry.key: entry for entry in before}
    smaller = []
    for entry in after:
        old = there.get(entry.key)
        if old is None:
            continue
        if old.count is not None and entry == QuotaEntry(entry.instance_type, entry.count):
            smaller.append(QuotaEntry(entry.instance_type, min(old.count, entry.count or 0)))
            continue
        instance = instances.get(entry.instance_type)
        if instance is None:
            return None
        left, right = fill_in(old, instance), fill_in(entry, instance)
        smaller.append(
            QuotaEntry(
                entry.instance_type,
                accelerators=min(left.accelerators or 0, right.accelerators or 0),
                v_cpu=min(left.v_cpu or 0.0, right.v_cpu or 0.0),
                memory_in_gib=min(left.memory_in_gib or 0.0, right.memory_in_gib or 0.0),
                partition=min(
                    (side.partition for side in (left, right) if side.partition),
                    key=lambda partition: partition.count,
                    default=None,
                ),
            )
        )
    return tuple(smaller)
