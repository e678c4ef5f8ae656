"""A quota and a cluster policy in the words of governance, before and after."""

from collections.abc import Mapping
from fractions import Fraction

import msgspec

from governor.plan.compare import ClusterPolicyRequest, QuotaRequest
from governor.plan.state import LiveClusterPolicy, Quota
from governor.policy import Sharing
from governor.quota import Catalogue, QuotaEntry, amounts_of, exact, fill_in

NOT_SET = "the service's default"


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that changes; empty before a creation, empty after a deletion."""

    what: str
    before: str = ""
    after: str = ""


def quota_words(quota: Quota | QuotaRequest, instances: Catalogue) -> dict[str, str]:
    """What a compute quota means for its team."""
    sharing = quota.sharing
    words = {
        "guaranteed": _guaranteed(quota.entries, instances),
        "lends": _lends(sharing),
        "may borrow up to": _borrows(sharing, quota.entries, instances),
        "fair-share weight": NOT_SET if quota.fair_share_weight is None else str(quota.fair_share_weight),
        "preempts own tasks": {"LowerPriority": "of lower priority", "Never": "never", None: NOT_SET}.get(
            quota.preempt_team_tasks, str(quota.preempt_team_tasks)
        ),
        "allocation": {"Enabled": "active", "Disabled": "switched off", None: NOT_SET}.get(
            quota.activation, str(quota.activation)
        ),
    }
    if quota.description:
        words["description"] = quota.description
    return words


def cluster_policy_words(policy: LiveClusterPolicy | ClusterPolicyRequest) -> dict[str, str]:
    """What a cluster policy means for tasks."""
    classes = sorted(policy.priority_classes or (), key=lambda item: (-item.weight, item.name))
    order = " > ".join(f"{item.name} {item.weight}" for item in classes)
    return {
        "order of priorities": order or "first come, first served",
        "idle compute": {"Enabled": "by fair-share weight", "Disabled": "first come, first served", None: NOT_SET}.get(
            policy.fair_share, str(policy.fair_share)
        ),
        "compute beyond all quotas": {"Enabled": "may be borrowed", "Disabled": "stays idle", None: NOT_SET}.get(
            policy.idle_resource_sharing, str(policy.idle_resource_sharing)
        ),
    }


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    """What differs, in the order of the words; a value that only one side tells counts when the other is told."""
    keys = list(dict.fromkeys([*before, *after])) if before and after else list(before or after)
    return tuple(
        Change(key, before.get(key, ""), after.get(key, "")) for key in keys if before.get(key) != after.get(key)
    )


def _guaranteed(entries: tuple[QuotaEntry, ...], instances: Catalogue) -> str:
    parts = [_entry_words(entry, instances) for entry in sorted(entries, key=lambda entry: entry.key)]
    return ", ".join(parts) or "nothing"


def _entry_words(entry: QuotaEntry, instances: Catalogue) -> str:
    if entry.count is not None:
        return f"{entry.count} × {entry.instance_type}"
    instance = instances.get(entry.instance_type)
    if instance is not None:
        entry = fill_in(entry, instance)
    amounts = []
    if entry.accelerators:
        amounts.append(_accelerators(entry.accelerators))
    if entry.partition:
        amounts.append(f"{entry.partition.count} × {entry.partition.type}")
    if entry.v_cpu:
        amounts.append(f"{number(entry.v_cpu)} vCPU")
    if entry.memory_in_gib:
        amounts.append(f"{number(entry.memory_in_gib)} GiB")
    return f"{' + '.join(amounts) or 'nothing'} of {entry.instance_type}"


def _lends(sharing: Sharing | None) -> str:
    if sharing is None:
        return NOT_SET
    return "nothing" if sharing.strategy == "DontLend" else "what it leaves idle"


def _borrows(sharing: Sharing | None, entries: tuple[QuotaEntry, ...], instances: Catalogue) -> str:
    if sharing is None:
        return NOT_SET
    if sharing.strategy != "LendAndBorrow":
        return "nothing"
    percent = "the service's default (50 %)" if sharing.borrow_limit is None else f"{sharing.borrow_limit} %"
    share = Fraction(50 if sharing.borrow_limit is None else sharing.borrow_limit, 100)
    gpus = [
        (entry.instance_type, amounts.get((entry.instance_type, "accelerators"), Fraction(0)) * share)
        for entry in sorted(entries, key=lambda entry: entry.key)
        for amounts in [amounts_of(entry, instances.get(entry.instance_type))]
        if amounts.get((entry.instance_type, "accelerators"))
    ]
    worked_out = ", ".join(f"{_accelerators(amount)} of {kind}" for kind, amount in gpus)
    absolute = ", ".join(_entry_words(entry, instances) for entry in sharing.absolute_borrow_limits or ())
    text = f"{percent} of its quota" + (f" = {worked_out}" if worked_out else "")
    return f"{text}, at most {absolute}" if absolute else text


def _accelerators(amount: Fraction | int) -> str:
    return "1 accelerator" if amount == 1 else f"{number(float(amount))} accelerators"


def number(value: float) -> str:
    """A number without a needless fraction: 96, 1.5."""
    exactly = exact(float(f"{value:.6g}")) if abs(value) < 1e6 else exact(value)
    return str(exactly.numerator) if exactly.denominator == 1 else f"{float(exactly):g}"
