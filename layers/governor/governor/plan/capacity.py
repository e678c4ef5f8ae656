"""What the quotas of a cluster guarantee together, before a plan and after it."""

from collections.abc import Iterable
from fractions import Fraction

from governor.plan.plan import Step
from governor.plan.state import Live
from governor.quota import Amounts, Dimension, add, amounts_of, total


def guaranteed(live: Live) -> dict[Dimension, Fraction]:
    """What all quotas of the cluster guarantee together, whoever made them.

    A disabled allocation counts too: what the service takes away then is not documented (assumption).
    """
    return total(
        amounts_of(entry, live.instances.get(entry.instance_type)) for quota in live.quotas for entry in quota.entries
    )


def guaranteed_after(before: Amounts, steps: Iterable[Step]) -> dict[Dimension, Fraction]:
    """What they guarantee once the steps are done."""
    steps = tuple(steps)
    return add(
        add(before, total(step.amounts_after for step in steps)), total(step.amounts_before for step in steps), -1
    )
