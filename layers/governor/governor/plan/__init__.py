"""Planning: from desired, live and last applied to ordered steps, without a call."""

from governor.plan.capacity import guaranteed, guaranteed_after
from governor.plan.compare import ClusterPolicyRequest, QuotaRequest
from governor.plan.plan import Blocked, Plan, Step, Unmanaged
from governor.plan.planner import Rules, plan
from governor.plan.record import (
    ABSENT,
    NOTHING_DESIRED,
    Approved,
    Begun,
    Desired,
    Owned,
    Record,
    desired_by,
)
from governor.plan.state import (
    BEYOND_REPAIR,
    IN_FLIGHT,
    NEVER_CREATED,
    STEADY,
    Live,
    LiveClusterPolicy,
    Quota,
)
from governor.plan.words import Change, changed, cluster_policy_words, number, quota_words

__all__ = [
    "ABSENT",
    "BEYOND_REPAIR",
    "IN_FLIGHT",
    "NEVER_CREATED",
    "NOTHING_DESIRED",
    "STEADY",
    "Approved",
    "Begun",
    "Blocked",
    "Change",
    "ClusterPolicyRequest",
    "Desired",
    "Live",
    "LiveClusterPolicy",
    "Owned",
    "Plan",
    "Quota",
    "QuotaRequest",
    "Record",
    "Rules",
    "Step",
    "Unmanaged",
    "changed",
    "cluster_policy_words",
    "desired_by",
    "guaranteed",
    "guaranteed_after",
    "number",
    "plan",
    "quota_words",
]
