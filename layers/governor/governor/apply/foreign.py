"""Other people's changes: found by comparing, and attributed by asking who came last."""

from collections.abc import Iterator, Sequence

from governor.apply.outcome import ForeignChange, StepResult
from governor.apply.ports import GovernanceApi
from governor.errors import GovernorError
from governor.plan import Change, Live, Plan, QuotaRequest, Step, changed, cluster_policy_words, quota_words
from governor.plan.words import NOT_SET


def changed_since_last_apply(api: GovernanceApi, current: Plan) -> tuple[ForeignChange, ...]:
    """What the plan takes back because somebody changed it after the policy was applied; one Describe each."""
    return tuple(
        ForeignChange(
            step.title,
            tuple(Change(change.what, change.after, change.before) for change in step.changes),
            _who(api, step),
        )
        for step in current.steps
        if step.drifted and step.changes
    )


def changed_meanwhile(
    api: GovernanceApi, before: Live, after: Live, results: Sequence[StepResult]
) -> tuple[ForeignChange, ...]:
    """What somebody changed between two readings under the steps that met a conflict."""
    return tuple(_meanwhile(api, before, after, results))


def _meanwhile(api: GovernanceApi, before: Live, after: Live, results: Sequence[StepResult]) -> Iterator[ForeignChange]:
    old_words, _ = _told(before)
    new_words, new_ids = _told(after)
    for result in results:
        step = result.step
        key = (step.resource, step.name)
        if result.state != "conflict":
            continue
        old, new = old_words.get(key), new_words.get(key)
        if new is None:
            if old is not None:
                yield ForeignChange(step.title, (Change(step.resource, "there", "deleted"),))
        elif old is None:
            if not _is_as_asked(step, new, after):
                yield ForeignChange(step.title, changed({}, new), _who(api, step, new_ids[key]))
        else:
            changes = changed(old, new)
            if changes and not _is_as_asked(step, new, after):
                yield ForeignChange(step.title, changes, _who(api, step, new_ids[key]))


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
    """True when the resource is what this step asked for: the call succeeded and only its answer got lost."""
    if isinstance(step.request, QuotaRequest):
        asked = quota_words(step.request, live.instances)
    elif step.request is not None:
        asked = cluster_policy_words(step.request)
    else:
        return False
    return all(change.before == NOT_SET for change in changed(asked, now))


def _who(api: GovernanceApi, step: Step, resource_id: str = "") -> str:
    try:
        if step.resource == "compute quota":
            return api.quotas.describe(resource_id or step.id).modified_by or ""
        return api.cluster_policies.describe(resource_id or step.id).modified_by or ""
    except GovernorError:
        return ""  # who it was is worth a question, not a failure
