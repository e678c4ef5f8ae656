"""Steps for the cluster policy, by its life cycle (facts 0.8 and 1e)."""

from typing import Literal

from governor.plan.compare import cluster_policy_differs, cluster_policy_request
from governor.plan.draft import Draft
from governor.plan.matching import match_cluster_policy
from governor.plan.plan import Step
from governor.plan.record import ABSENT
from governor.plan.state import BEYOND_REPAIR, IN_FLIGHT, NEVER_CREATED, LiveClusterPolicy
from governor.plan.words import changed, cluster_policy_words
from governor.policy import ClusterPolicy


def plan_cluster_policy(draft: Draft, wanted: ClusterPolicy | Literal["Absent"] | None) -> None:
    policies = draft.live.cluster_policies
    if wanted is None:
        return
    if wanted == ABSENT:
        for policy in policies:
            if draft.ownership.owns_cluster_policy(policy.name, policy.id):
                _delete_policy(draft, policy, "the policy that declared it was removed", "deletes the cluster policy")
        return
    match = match_cluster_policy(wanted, policies, draft.ownership)
    if match.finding is not None:
        draft.findings.append(match.finding)
        return
    live = match.live
    needs = tuple(
        _delete_policy(draft, policy, f"replaced by '{match.name}'", "replaces the cluster policy")
        for policy in match.replaces
    )
    if live is None:
        _create_policy(draft, wanted, match.name, needs, "new")
        return
    if live.status in NEVER_CREATED:
        if draft.may_recreate("cluster policy", live):
            ours = draft.ownership.owns_cluster_policy(live.name, live.id)
            held = "" if ours else f"replaces the cluster policy, which is {live.status}"
            key = _delete_policy(draft, live, f"{live.status}: {live.failure_reason or 'no reason given'}", held)
            _create_policy(draft, wanted, match.name, (key,), "deleted and created again", recreates=live.id)
        return
    if live.status in BEYOND_REPAIR or live.status == "Deleting":
        held = "replaces the cluster policy" if live.status in BEYOND_REPAIR else ""
        key = _delete_policy(draft, live, f"{live.status}: can only be deleted", held)
        _create_policy(draft, wanted, match.name, (key,), "deleted and created again")
        return
    if not draft.ownership.owns_cluster_policy(live.name, live.id):
        draft.adopted.append("cluster policy")
    last = draft.ownership.last_cluster_policy()
    request = cluster_policy_request(wanted, match.name, live)
    differs = cluster_policy_differs(wanted, live)
    if not differs and live.status != "UpdateFailed" and live.status not in IN_FLIGHT:
        draft.unchanged += 1
        return
    draft.steps.append(
        Step(
            "cluster policy",
            "update" if differs or live.status == "UpdateFailed" else "wait",
            "cluster policy",
            live.name,
            id=live.id,
            version=live.version,
            request=request,
            changes=changed(cluster_policy_words(live), cluster_policy_words(request)),
            reason="UpdateFailed: tried again" if live.status == "UpdateFailed" else "",
            settle_first=live.status if live.status in IN_FLIGHT else "",
            drifted=(differs and draft.can_tell_drift and last is not None and cluster_policy_differs(last, live)),
        )
    )


def _delete_policy(draft: Draft, policy: LiveClusterPolicy, reason: str, held: str) -> str:
    key = f"cluster policy/{policy.name}/delete"
    draft.steps.append(
        Step(
            key,
            "wait" if policy.status == "Deleting" else "delete",
            "cluster policy",
            policy.name,
            id=policy.id,
            version=policy.version,
            changes=changed(cluster_policy_words(policy), {}),
            reason=reason,
            settle_first=policy.status if policy.status in IN_FLIGHT else "",
            held=held,
        )
    )
    return key


def _create_policy(
    draft: Draft, wanted: ClusterPolicy, name: str, needs: tuple[str, ...], reason: str, *, recreates: str = ""
) -> None:
    request = cluster_policy_request(wanted, name, None)
    draft.steps.append(
        Step(
            "cluster policy",
            "create",
            "cluster policy",
            name,
            request=request,
            changes=changed({}, cluster_policy_words(request)),
            reason=reason,
            needs=needs,
            recreates=recreates,
        )
    )
