"""What Kueue's statuses say of queues and cohorts in a state.

Raises KeyError for what is not there.
"""

from collections.abc import Iterable

from governor.kueue.admission.shares import weighted_share
from governor.kueue.admission.state import State
from governor.kueue.admission.supply import Needs, Queue
from governor.kueue.admission.world import World
from governor.kueue.objects import Condition, FlavorUsage, QueueStatus, Usage, Workload


def cluster_queue_status(state: State, name: str) -> QueueStatus:
    """The status of a ClusterQueue."""
    world = _world_of(state)
    queue = world.queues[name]
    usage = _usage(queue, queue.used)
    return QueueStatus(
        pending=sum(1 for _ in world.waiting_in(name)),
        reserving=len(queue.holdings),
        admitted=len(queue.holdings),
        reserved=usage,
        used=usage,
        weighted_share=weighted_share(queue) if world.strategies else None,
        conditions=(_active(world, queue),),
    )


def local_queue_status(state: State, namespace: str, name: str) -> QueueStatus:
    """The status of a LocalQueue; its usage has nothing borrowed."""
    world = _world_of(state)
    local = world.local_queues[namespace, name]
    queue = world.queues.get(local.cluster_queue)

    def mine(workload: Workload) -> bool:
        return (workload.namespace, workload.queue) == (namespace, name)

    if queue is None:
        waiting = (world.workloads[key] for key in world.aside) if local.stop_policy == "None" else ()
        pending = sum(each.active and mine(each) for each in waiting)
        return QueueStatus(pending=pending, conditions=(_open(None, local.stop_policy),))
    holdings = [each for each in queue.holdings.values() if mine(world.workloads[each.key])]
    usage = _totals(queue, [each.needs for each in holdings])
    return QueueStatus(
        pending=sum(mine(workload) for workload in world.waiting_in(queue.name)),
        reserving=len(holdings),
        admitted=len(holdings),
        reserved=usage,
        used=usage,
        conditions=(_open(queue, local.stop_policy),),
    )


def cohort_share(state: State, name: str) -> int | None:
    """The weighted share of a cohort: 0 without a parent, and that of one with a parent is not followed (None)."""
    world = _world_of(state)
    cohort = world.cohorts.get(name)
    followed = bool(world.strategies) and (cohort is None or not cohort.parent)
    return 0 if followed else None


def _world_of(state: State) -> World:
    """The world that is kept, without going on from it."""
    kept = state.world()
    return World(state, 0) if kept is None else kept


def _usage(queue: Queue, used: Needs) -> Usage:
    return {
        flavor.name: {
            resource: FlavorUsage(
                used.get((flavor.name, resource), 0),
                max(0, used.get((flavor.name, resource), 0) - quota.nominal) if queue.spec.cohort else 0,
            )
            for resource, quota in flavor.resources.items()
        }
        for group in queue.spec.resource_groups
        for flavor in group.flavors
    }


def _totals(queue: Queue, all_needs: Iterable[Needs]) -> Usage:
    used: dict[tuple[str, str], int] = {}
    for needs in all_needs:
        for place, amount in needs.items():
            used[place] = used.get(place, 0) + amount
    return {
        flavor.name: {resource: FlavorUsage(used.get((flavor.name, resource), 0)) for resource in flavor.resources}
        for group in queue.spec.resource_groups
        for flavor in group.flavors
    }


def _active(world: World, queue: Queue) -> Condition:
    """Reasons and messages as recorded of Kueue 0.19."""
    missing = world.missing_flavors(queue.spec)
    told = []
    if queue.spec.stop_policy != "None":
        told.append(("Stopped", "is stopped"))
    if missing:
        told.append(("FlavorNotFound", f"references missing ResourceFlavor(s): {','.join(missing)}"))
    if not told:
        return Condition("Active", "True", "Ready", "Can admit new workloads")
    return Condition(
        "Active", "False", told[0][0], f"Can't admit new workloads: {', '.join(each for _, each in told)}."
    )


def _open(queue: Queue | None, stop_policy: str) -> Condition:
    if stop_policy != "None":
        return Condition("Active", "False", "Stopped", "LocalQueue is stopped")
    if queue is None:
        return _closed("ClusterQueueDoesNotExist")
    if not queue.active:
        return _closed("ClusterQueueIsInactive")
    return Condition("Active", "True", "Ready", "Can submit new workloads to localQueue")


def _closed(reason: str) -> Condition:
    return Condition("Active", "False", reason, "Can't submit new workloads to clusterQueue")
