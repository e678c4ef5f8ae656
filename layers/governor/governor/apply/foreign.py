"""Other people's changes: found by comparing, and attributed by asking who came last."""

from collections.abc import Sequence

from governor.apply.outcome import ForeignChange, StepResult
from governor.apply.ports import GovernanceApi
from governor.errors import GovernorError
from governor.plan import Change, Live, Plan, QuotaRequest, Step, changed, cluster_policy_words, quota_words
from governor.plan.words import NOT_SET

MAX_ATTRIBUTED = 20
"""Changes per plan whose author is asked for: it costs a Describe each."""


def changed_since_last_apply(api: GovernanceApi, current: Plan) -> tuple[ForeignChange, ...]:
    """What the plan takes back because somebody changed it after the policy was applied; one Describe each."""
    drifted = [step for step in current.steps if step.drifted and step.changes]
    return tuple(
        ForeignChange(
            step.title,
            _undone(step),
            _who(api, step) if step.id and position < MAX_ATTRIBUTED else "",
        )
        for position, step in enumerate(drifted)
    )


def _undone(step: Step) -> tuple[Change, ...]:
    """What somebody did, which this step takes back."""
    if step.action == "create":
        return (Change(step.resource, "there", "deleted"),)
    return tuple(Change(change.what, change.after, change.before) for change in step.changes)


def changed_meanwhile(
    api: GovernanceApi, before: Live, after: Live, results: Sequence[StepResult]
) -> tuple[tuple[ForeignChange, ...], tuple[Step, ...]]:
    """What somebody changed between two readings under the steps that met a conflict.

    The second part are steps that turn out to be done: the call succeeded, its answer got lost, and the SDK's
    second try met the first one's effect.
    """
    changes: list[ForeignChange] = []
    done: list[Step] = []
    old_words, _ = _told(before)
    new_words, new_ids = _told(after)
    for result in results:
        step = result.step
        if result.state != "conflict":
            continue
        key = (step.resource, step.name)
        old, new = old_words.get(key, {}), new_words.get(key, {})
        if _is_as_asked(step, new, after):
            done.append(step)
        elif not new and old:
            changes.append(ForeignChange(step.title, (Change(step.resource, "there", "deleted"),)))
        elif old != new:
            changes.append(ForeignChange(step.title, changed(old, new), _who(api, step, new_ids[key])))
    return tuple(changes), tuple(done)


_Key = tuple[str, str]


def _told(live: Live) -> tuple[dict[_Key, dict[str, str]], dict[_Key, str]]:
    words: dict[_Key, dict[str, str]] = {}
    ids: dict[_Key, str] = {}
    for quota in live.quotas:
        words["compute quota", quota.name] = quota_words(quota, live.instances)
        ids["compute quota", quota.name] = quota.id
    for policy in live.cluster_policies:
        words["cluster policy", policy.name] = cluster_policy_words(policy)
        ids["cluster policy", policy.name] = policy.id
    return words, ids


def _is_as_asked(step: Step, now: dict[str, str], live: Live) -> bool:
    """True when the resource is what this step asked for; a deletion under way counts as one that is done."""
    if step.action == "delete":
        there = {quota.id: quota.status for quota in live.quotas}
        there.update({policy.id: policy.status for policy in live.cluster_policies})
        return there.get(step.id, "Deleting") == "Deleting"
    if not now or step.request is None:
        return False
    if isinstance(step.request, QuotaRequest):
        asked = quota_words(step.request, live.instances)
    else:
        asked = cluster_policy_words(step.request)
    return all(change.before == NOT_SET for change in changed(asked, now))


def _who(api: GovernanceApi, step: Step, resource_id: str = "") -> str:
    try:
        if step.resource == "compute quota":
            return api.quotas.describe(resource_id or step.id).modified_by or ""
        return api.cluster_policies.describe(resource_id or step.id).modified_by or ""
    except GovernorError:
        return ""  # who it was is worth a question, not a failure
