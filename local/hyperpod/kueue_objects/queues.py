"""The objects of one team: namespace, LocalQueue and ClusterQueue.

A ClusterQueue always has the same members, so that one written again leaves nothing of an earlier one behind.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from governor.kueue.quantities import shown
from governor.plan import Quota
from local.hyperpod.kueue_objects.amounts import EFA, Amounts, by_flavor
from local.hyperpod.kueue_objects.conventions import GROUP, Apis, Conventions, Hardware
from local.hyperpod.kueue_objects.expected import Expected
from local.hyperpod.kueue_objects.names import cluster_queue_of, local_queue_of, namespace_of

QUEUE_LABEL = "sagemaker.amazonaws.com/sagemaker-managed-queue"
QUOTA_LABEL = "sagemaker.amazonaws.com/quota-allocation-id"
ACTIVATION_LABEL = "sagemaker.amazonaws.com/activate-quota"
NAMESPACE_LABELS = (QUEUE_LABEL, QUOTA_LABEL, ACTIVATION_LABEL)
BORROW_LIMIT = 50
"""In percent, where a quota that may borrow says nothing else (API reference, ResourceSharingConfig)."""

_QUOTAS = "spec.resourceGroups[].flavors[].resources"
_ALWAYS_ASSUMED = (
    "spec.preemption.reclaimWithinCohort",
    "spec.preemption.borrowWithinCohort",
    "spec.flavorFungibility",
    "spec.queueingStrategy",
    "spec.namespaceSelector",
    "spec.stopPolicy",
    "spec.resourceGroups[].coveredResources",
    f"{_QUOTAS}[{EFA}]",
)


def namespace(quota: Quota) -> Expected:
    activation = quota.activation or "Enabled"
    labels = {QUEUE_LABEL: "true", QUOTA_LABEL: quota.id, ACTIVATION_LABEL: activation}
    manifest = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": namespace_of(quota.team), "labels": labels},
    }
    return Expected(manifest, quota.id)


def local_queue(quota: Quota, apis: Apis) -> Expected:
    manifest = {
        "apiVersion": f"{GROUP}/{apis.version}",
        "kind": "LocalQueue",
        "metadata": {"name": local_queue_of(quota.team), "namespace": namespace_of(quota.team)},
        "spec": {"clusterQueue": cluster_queue_of(quota.team), "stopPolicy": "None"},
    }
    return Expected(manifest, quota.id, assumed=("spec.stopPolicy",))


def cluster_queue(
    quota: Quota, apis: Apis, hardware: Hardware, conventions: Conventions, *, weight: int | None
) -> Expected:
    """`weight` None is a queue like any other: Kueue's own default of 1."""
    disabled = quota.activation == "Disabled"
    strategy = quota.sharing.strategy if quota.sharing else "LendAndBorrow"
    spec = {
        cohort_member(apis): conventions.cohort,
        "fairSharing": {"weight": str(1 if weight is None else weight)},
        "flavorFungibility": _fungibility(apis, conventions),
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace_of(quota.team)}},
        "preemption": {
            "borrowWithinCohort": {"policy": conventions.borrow_within_cohort},
            "reclaimWithinCohort": conventions.reclaim_within_cohort,
            "withinClusterQueue": quota.preempt_team_tasks or "LowerPriority",
        },
        "queueingStrategy": conventions.queueing_strategy,
        "resourceGroups": _resource_groups(quota, hardware, conventions),
        "stopPolicy": conventions.disabled_stop_policy if disabled else "None",
    }
    assumed = [f"spec.{cohort_member(apis)}", *_ALWAYS_ASSUMED]
    if strategy != "LendAndBorrow":
        assumed += [f"{_QUOTAS}[].borrowingLimit", f"{_QUOTAS}[].lendingLimit"]
    elif quota.sharing and quota.sharing.absolute_borrow_limits:
        assumed.append(f"{_QUOTAS}[].borrowingLimit")
    if weight is None:
        assumed.append("spec.fairSharing")
    return Expected(queue_manifest(cluster_queue_of(quota.team), spec, apis), quota.id, tuple(assumed))


def queue_manifest(name: str, spec: Mapping[str, Any], apis: Apis) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/{apis.version}",
        "kind": "ClusterQueue",
        "metadata": {"name": name},
        "spec": dict(spec),
    }


def cohort_member(apis: Apis) -> str:
    """What v1beta2 calls cohortName was cohort before."""
    return "cohort" if apis.is_v1beta1 else "cohortName"


def covered_resources(flavors: Iterable[Amounts], conventions: Conventions) -> list[str]:
    """What every ClusterQueue covers, and what the entries of this one ask for besides. EFA nobody asks for."""
    asked = {resource for amounts in flavors for resource, amount in amounts.items() if amount and resource != EFA}
    return sorted({*conventions.covered, *asked})


def _fungibility(apis: Apis, conventions: Conventions) -> dict[str, str]:
    """v1beta1 of Kueue 0.12 knows MayStopSearch by its older names alone."""
    borrow, preempt = conventions.when_can_borrow, conventions.when_can_preempt
    if apis.is_v1beta1:
        borrow = "Borrow" if borrow == "MayStopSearch" else borrow
        preempt = "Preempt" if preempt == "MayStopSearch" else preempt
    return {"whenCanBorrow": borrow, "whenCanPreempt": preempt}


def _resource_groups(quota: Quota, hardware: Hardware, conventions: Conventions) -> list[dict[str, Any]]:
    nominal = by_flavor(quota.entries, hardware)
    if not nominal:
        return []
    limits = _borrowing_limits(quota, nominal, hardware)
    covered = covered_resources(nominal.values(), conventions)
    lending = {"lendingLimit": "0"} if quota.sharing and quota.sharing.strategy == "DontLend" else {}
    flavors = [
        {
            "name": flavor,
            "resources": [
                {
                    "name": resource,
                    "nominalQuota": shown(resource, amounts.get(resource, 0)),
                    "borrowingLimit": shown(resource, limits[flavor].get(resource, 0)),
                    **lending,
                }
                for resource in covered
            ],
        }
        for flavor, amounts in nominal.items()
    ]
    return [{"coveredResources": covered, "flavors": flavors}]


def _borrowing_limits(quota: Quota, nominal: Mapping[str, Amounts], hardware: Hardware) -> Mapping[str, Amounts]:
    """How much a team may borrow of each flavor: a share of its own quota, or what is said absolutely of the type.

    A team that does not lend does not borrow either (user guide, "Policies"), nor does one that only lends.
    """
    sharing = quota.sharing
    if sharing is not None and sharing.strategy != "LendAndBorrow":
        return {flavor: {} for flavor in nominal}
    percent = BORROW_LIMIT if sharing is None or sharing.borrow_limit is None else sharing.borrow_limit
    shares = {
        flavor: {resource: amount * percent // 100 for resource, amount in amounts.items()}
        for flavor, amounts in nominal.items()
    }
    return {**shares, **by_flavor((sharing and sharing.absolute_borrow_limits) or (), hardware)}
