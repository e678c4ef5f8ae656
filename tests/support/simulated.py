"""The service as a pure function: what a step makes of the live state, fill-ins included."""

import itertools

import msgspec

from governor.plan import Live, LiveClusterPolicy, Quota, QuotaRequest, Step
from governor.plan.compare import ClusterPolicyRequest
from governor.policy import Sharing
from governor.quota import QuotaEntry, fill_in

_ids = itertools.count(1)


def performed(live: Live, step: Step) -> Live:
    """The live state once a step is done and steady."""
    if step.action == "wait":
        return live
    if step.resource == "cluster policy":
        kept = tuple(policy for policy in live.cluster_policies if policy.id != step.id)
        if step.action == "delete":
            return msgspec.structs.replace(live, cluster_policies=kept)
        assert isinstance(step.request, ClusterPolicyRequest)
        return msgspec.structs.replace(live, cluster_policies=(*kept, _policy(step, step.request)))
    others = tuple(quota for quota in live.quotas if quota.id != step.id)
    if step.action == "delete":
        return msgspec.structs.replace(live, quotas=others)
    assert isinstance(step.request, QuotaRequest)
    return msgspec.structs.replace(live, quotas=(*others, _quota(live, step, step.request)))


def _policy(step: Step, request: ClusterPolicyRequest) -> LiveClusterPolicy:
    return LiveClusterPolicy(
        id=step.id or f"policy-{next(_ids)}",
        name=request.name,
        status="Updated" if step.id else "Created",
        version=step.version + 1,
        priority_classes=tuple(reversed(request.priority_classes)),
        fair_share=request.fair_share or "Enabled",
        idle_resource_sharing=request.idle_resource_sharing or "Disabled",
    )


def _quota(live: Live, step: Step, request: QuotaRequest) -> Quota:
    old = next((quota for quota in live.quotas if quota.id == step.id), None)
    sharing = request.sharing or Sharing("LendAndBorrow")
    if sharing.strategy == "LendAndBorrow" and sharing.borrow_limit is None:
        sharing = msgspec.structs.replace(sharing, borrow_limit=50)
    return Quota(
        id=step.id or f"quota-{next(_ids)}",
        name=request.name,
        team=request.team,
        status="Updated" if step.id else "Created",
        version=step.version + 1,
        entries=tuple(_filled(live, entry) for entry in reversed(request.entries)),
        sharing=sharing,
        preempt_team_tasks=request.preempt_team_tasks or "LowerPriority",
        fair_share_weight=request.fair_share_weight or 0,
        activation=request.activation or "Enabled",
        description=request.description or (old.description if old else None),
    )


def _filled(live: Live, entry: QuotaEntry) -> QuotaEntry:
    instance = live.instances.get(entry.instance_type)
    return fill_in(entry, instance) if instance is not None else entry
