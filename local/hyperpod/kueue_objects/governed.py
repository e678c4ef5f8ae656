"""One cluster's quotas and policy in, all objects out."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from governor.kueue.quantities import shown
from governor.plan import LiveClusterPolicy, Quota
from governor.quota import QuotaEntry
from local.hyperpod.kueue_objects import queues
from local.hyperpod.kueue_objects.amounts import amounts_of, by_flavor
from local.hyperpod.kueue_objects.conventions import GROUP, Apis, Conventions, Hardware
from local.hyperpod.kueue_objects.expected import Expected
from local.hyperpod.kueue_objects.names import IDLE_QUEUE, priority_class_of

INSTANCE_TYPE = "node.kubernetes.io/instance-type"


@dataclass(frozen=True, slots=True)
class Governed:
    """What SageMaker knows of a cluster. `nodes` counts the instances that take pods, by type."""

    quotas: tuple[Quota, ...] = ()
    policy: LiveClusterPolicy | None = None
    nodes: Mapping[str, int] | None = None


def expected_objects(
    governed: Governed, apis: Apis, hardware: Hardware, conventions: Conventions
) -> tuple[Expected, ...]:
    """Everything that should be in Kubernetes, those first that others refer to.

    Without any quota and without a policy nothing is left but idle compute, where that is shared.
    """
    idle = list(_idle_queues(governed, apis, hardware, conventions))
    shares_fairly = governed.policy is None or governed.policy.fair_share != "Disabled"
    types = dict.fromkeys(
        [
            *(entry.instance_type for quota in governed.quotas for entry in quota.entries),
            *(flavor["name"] for each in idle for flavor in each.manifest["spec"]["resourceGroups"][0]["flavors"]),
        ]
    )
    found = [queues.namespace(quota) for quota in governed.quotas]
    found += [_flavor(each, apis) for each in types]
    if governed.quotas or idle:
        found.append(_cohort(apis, conventions))
    found += _priority_classes(governed.policy, apis)
    for quota in governed.quotas:
        weight = (quota.fair_share_weight or 0) if shares_fairly else None
        found.append(queues.cluster_queue(quota, apis, hardware, conventions, weight=weight))
    found += idle
    found += [queues.local_queue(quota, apis) for quota in governed.quotas]
    return tuple(found)


def _flavor(instance_type: str, apis: Apis) -> Expected:
    manifest = _manifest(f"{GROUP}/{apis.version}", "ResourceFlavor", instance_type)
    return Expected({**manifest, "spec": {"nodeLabels": {INSTANCE_TYPE: instance_type}}}, assumed=("spec.nodeLabels",))


def _cohort(apis: Apis, conventions: Conventions) -> Expected:
    manifest = _manifest(f"{GROUP}/{apis.cohorts}", "Cohort", conventions.cohort)
    return Expected({**manifest, "spec": {}}, assumed=("metadata.name",))


def _priority_classes(policy: LiveClusterPolicy | None, apis: Apis) -> list[Expected]:
    if policy is None:
        return []
    return [
        Expected(
            {
                **_manifest(f"{GROUP}/{apis.version}", "WorkloadPriorityClass", priority_class_of(each.name)),
                "value": each.weight,
            },
            policy.id,
        )
        for each in policy.priority_classes or ()
    ]


def _idle_queues(governed: Governed, apis: Apis, hardware: Hardware, conventions: Conventions) -> Iterator[Expected]:
    """The pool of what no team has, as queues that lend and take no jobs.

    The pool is the compute of the nodes less all quotas, and there are several queues where there are many flavors
    (user guide, "Policies"); everything else of these queues is assumed.
    """
    policy = governed.policy
    if policy is None or policy.idle_resource_sharing != "Enabled":
        return
    left = _unallocated(governed.quotas, governed.nodes or {}, hardware)
    for number, flavors in enumerate(_chunks(left.items(), conventions.idle_flavors), start=1):
        covered = queues.covered_resources([amounts for _, amounts in flavors], conventions)
        spec = {
            queues.cohort_member(apis): conventions.cohort,
            "preemption": {"reclaimWithinCohort": "Never", "withinClusterQueue": "Never"},
            "queueingStrategy": conventions.queueing_strategy,
            "resourceGroups": [
                {
                    "coveredResources": covered,
                    "flavors": [
                        {
                            "name": flavor,
                            "resources": [
                                {"name": each, "nominalQuota": shown(each, amounts.get(each, 0))} for each in covered
                            ],
                        }
                        for flavor, amounts in flavors
                    ],
                }
            ],
            "stopPolicy": "None",
        }
        manifest = queues.queue_manifest(f"{IDLE_QUEUE}-{number}", spec, apis)
        yield Expected(manifest, policy.id, assumed=("spec",))


def _unallocated(quotas: Iterable[Quota], nodes: Mapping[str, int], hardware: Hardware) -> dict[str, dict[str, int]]:
    """What is left of the nodes, by flavor; types of which nothing is left are left out."""
    given = by_flavor((entry for quota in quotas for entry in quota.entries), hardware)
    found = {}
    for instance_type in sorted(nodes):
        there = amounts_of(QuotaEntry(instance_type, count=nodes[instance_type]), hardware)
        taken = given.get(instance_type, {})
        left = {resource: max(0, amount - taken.get(resource, 0)) for resource, amount in there.items()}
        if any(left.values()):
            found[instance_type] = left
    return found


def _chunks(items: Iterable[tuple[str, Any]], size: int) -> Iterator[list[tuple[str, Any]]]:
    rest = iter(items)
    while chunk := list(itertools.islice(rest, size)):
        yield chunk


def _manifest(api_version: str, kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}
