"""What each event does to the world, before the scheduler runs."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from governor.kueue.admission import events, words
from governor.kueue.admission.decisions import Kind
from governor.kueue.admission.events import Event
from governor.kueue.admission.world import World
from governor.kueue.objects import QueueStatus, WorkloadKey


def carry_out(world: World, event: Event) -> None:
    """Carry an event out. One about an object that is not there does nothing: it is a thing of the past."""
    _HANDLERS[type(event)](world, event)


def _submit(world: World, event: events.Submit) -> None:
    if event.workload.key not in world.workloads:
        world.put(event.workload)


def _finish(world: World, event: events.Finish) -> None:
    workload = world.workloads.get(event.key)
    if workload is None or workload.is_(words.FINISHED):
        return
    _leave(world, event.key)
    reason = "Succeeded" if event.succeeded else "Failed"
    world.workloads[event.key] = words.with_end(world.workloads[event.key], reason, event.message, world.now)
    world.decide(Kind.FINISHED, event.key, reason, event.message)


def _delete(world: World, event: events.Delete) -> None:
    if event.key in world.workloads:
        _leave(world, event.key)
        del world.workloads[event.key]


def _leave(world: World, key: WorkloadKey) -> None:
    """Out of everything; what waits in its pool is tried again, also if it had no quota."""
    queue = world.queues.get(world.queue_name(world.workloads[key]))
    world.leave(key)
    world.not_followed.pop(key, None)
    world.leaving = [holding for holding in world.leaving if holding.key != key]
    if queue is not None:
        world.retry[queue.pool] = None


def _set_priority(world: World, event: events.SetPriority) -> None:
    workload = world.workloads.get(event.key)
    if workload is None or (workload.priority, workload.priority_class) == (event.priority, event.priority_class):
        return
    changed = replace(workload, priority=event.priority, priority_class=event.priority_class)
    if workload.admission is None and not workload.is_(words.FINISHED):
        world.leave(event.key)
        world.put(changed)
        return
    world.workloads[event.key] = changed
    queue = world.queues.get(workload.admission.cluster_queue) if workload.admission else None
    if queue is not None and event.key in queue.holdings:
        queue.holdings[event.key].priority = event.priority
        queue.reorder()
        world.retry[queue.pool] = None


def _set_active(world: World, event: events.SetActive) -> None:
    workload = world.workloads.get(event.key)
    if workload is None or workload.active is event.active or workload.is_(words.FINISHED):
        return
    workload = world.workloads[event.key] = replace(workload, active=event.active)
    if workload.admission is not None:
        queue = world.queues.get(workload.admission.cluster_queue)
        if not event.active and queue is not None and event.key in queue.holdings:
            world.evict(queue.holdings[event.key], "Deactivated", "The workload is deactivated")
        return
    world.leave(event.key)
    world.workloads[event.key] = (words.with_reactivation if event.active else words.with_deactivation)(
        workload, world.now
    )
    world.enqueue(event.key)


def _set_queue(world: World, event: events.SetQueue) -> None:
    workload = world.workloads.get(event.key)
    if workload is None or workload.admission is not None or workload.queue == event.queue:
        return
    world.leave(event.key)
    world.put(replace(workload, queue=event.queue))


def _set_cluster_queue(world: World, event: events.SetClusterQueue) -> None:
    spec = replace(event.queue, status=QueueStatus())
    if world.specs.get(spec.name) != spec:
        world.set_cluster_queue(spec)
        world.look_again()


def _remove_cluster_queue(world: World, event: events.RemoveClusterQueue) -> None:
    if event.name in world.specs:
        world.remove_cluster_queue(event.name)
        world.look_again()


def _set_local_queue(world: World, event: events.SetLocalQueue) -> None:
    queue = replace(event.queue, status=QueueStatus())
    world.local_queues[queue.namespace, queue.name] = queue
    world.drain_local_queue(queue)
    world.look_again()


def _remove_local_queue(world: World, event: events.RemoveLocalQueue) -> None:
    if world.local_queues.pop((event.namespace, event.name), None) is not None:
        world.look_again()


def _set_cohort(world: World, event: events.SetCohort) -> None:
    world.cohorts[event.cohort.name] = event.cohort
    _count(world, event.cohort.name)


def _remove_cohort(world: World, event: events.RemoveCohort) -> None:
    if world.cohorts.pop(event.name, None) is not None:
        _count(world, event.name)


def _count(world: World, cohort: str) -> None:
    pool = world.pools.get((cohort, ""))
    if pool is not None:
        world.count(pool)
        world.look_again()


def _set_flavor(world: World, event: events.SetFlavor) -> None:
    if world.flavors.get(event.flavor.name) != event.flavor:
        world.flavors[event.flavor.name] = event.flavor
        _look_at_users(world, event.flavor.name)


def _remove_flavor(world: World, event: events.RemoveFlavor) -> None:
    if world.flavors.pop(event.name, None) is not None:
        _look_at_users(world, event.name)


def _look_at_users(world: World, flavor: str) -> None:
    for queue in world.queues.values():
        if any(each.name == flavor for group in queue.spec.resource_groups for each in group.flavors):
            world.look_at(queue)
            world.retry[queue.pool] = None
    world.look_again()


def _set_namespace(world: World, event: events.SetNamespace) -> None:
    if world.namespaces.get(event.name) != event.labels:
        world.namespaces[event.name] = dict(event.labels)
        world.look_again()


def _remove_namespace(world: World, event: events.RemoveNamespace) -> None:
    if world.namespaces.pop(event.name, None) is not None:
        world.look_again()


def _set_fair_sharing(world: World, event: events.SetFairSharing) -> None:
    if world.strategies != event.strategies:
        world.share_by(event.strategies)
        world.retry.update(dict.fromkeys(world.pools.values()))


_HANDLERS: dict[type, Callable[[World, Any], None]] = {
    events.Submit: _submit,
    events.Finish: _finish,
    events.Delete: _delete,
    events.SetPriority: _set_priority,
    events.SetActive: _set_active,
    events.SetQueue: _set_queue,
    events.SetClusterQueue: _set_cluster_queue,
    events.RemoveClusterQueue: _remove_cluster_queue,
    events.SetLocalQueue: _set_local_queue,
    events.RemoveLocalQueue: _remove_local_queue,
    events.SetCohort: _set_cohort,
    events.RemoveCohort: _remove_cohort,
    events.SetFlavor: _set_flavor,
    events.RemoveFlavor: _remove_flavor,
    events.SetNamespace: _set_namespace,
    events.RemoveNamespace: _remove_namespace,
    events.SetFairSharing: _set_fair_sharing,
}
