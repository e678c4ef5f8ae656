"""What to say of everything that is in the way and is not about quota, each with what one can do about it."""

from collections.abc import Callable, Mapping

from governor.kueue.explaining.answer import Reason
from governor.kueue.explaining.messages import Kind, Obstacle
from governor.kueue.explaining.rooms import Scene
from governor.kueue.explaining.seen import team_of
from governor.kueue.times import in_utc

Words = tuple[str, tuple[str, ...]]
"""What is so, and what one can do."""
QUEUE_NAME = "kueue.x-k8s.io/queue-name"
_ENABLED = "is the team's compute allocation disabled? 'activationState: Enabled' in the policy lets its jobs run again"
_ALONE = "wait: it is tried again by itself"
_USUAL = "the usual causes are nodes that are full or not Ready, and images that cannot be pulled"


def remark(obstacle: Obstacle, scene: Scene) -> Reason:
    """The words for one thing; what nobody has words for is told as Kueue wrote it."""
    tell = _TELLING.get(obstacle.kind)
    words, remedies = tell(obstacle, scene) if tell is not None else _SAYING.get(obstacle.kind, ("", ()))
    return Reason(
        kind=obstacle.kind.value,
        words=words or f"Kueue says: {obstacle.said}",
        pod_set=obstacle.pod_set,
        flavor=obstacle.flavor,
        remedies=remedies,
        said=obstacle.said,
    )


def _no_local_queue(obstacle: Obstacle, scene: Scene) -> Words:
    workload = scene.subject.workload
    words = f"its queue {obstacle.name or workload.queue} is not there in namespace {workload.namespace}"
    if scene.doors:
        return words, (f"set its label {QUEUE_NAME} to {' or '.join(scene.doors[:10])}",)
    if scene.doors is not None:
        return words, ("the namespace has no queue at all: does its team have a compute allocation?",)
    team = team_of(workload.namespace)
    called = f"a team's queue is called hyperpod-ns-{team or 'TEAM'}-localqueue"
    return words, (f"set its label {QUEUE_NAME} to a queue of its namespace; {called}",)


def _local_queue_stopped(obstacle: Obstacle, scene: Scene) -> Words:
    return f"its queue {obstacle.name or scene.subject.workload.queue} takes nothing: it is stopped", (_ENABLED,)


def _no_cluster_queue(obstacle: Obstacle, scene: Scene) -> Words:
    words = f"its queue leads to the ClusterQueue {obstacle.name}, which is not there"
    return words, (f"does {scene.who} have a compute allocation? 'governor plan' shows what the policy would make",)


def _cluster_queue_stopped(obstacle: Obstacle, scene: Scene) -> Words:
    called = obstacle.name or (scene.queue.name if scene.queue else "")
    words = f"its ClusterQueue {called} takes nothing".replace("  ", " ")
    active = (
        next((each for each in scene.queue.status.conditions if each.type == "Active"), None) if scene.queue else None
    )
    if active is None or active.status == "True":
        return f"{words}: it is stopped, or lacks something", (_ENABLED,)
    if active.reason == "Stopped":
        return f"{words}: it is stopped", (_ENABLED,)
    return f"{words}: {active.message or active.reason}", (
        "an administrator's matter: 'governor addon' and 'plan' tell more",
    )


def _deactivated(obstacle: Obstacle, scene: Scene) -> Words:
    workload = scene.subject.workload
    _, _, cause = obstacle.said.partition(" due to ")
    command = f"kubectl patch workload {workload.name} -n {workload.namespace} --type merge"
    return (
        "somebody or something has switched it off (spec.active is false)" + (f": {cause}" if cause else ""),
        (f"""switch it on again: {command} -p '{{"spec":{{"active":true}}}}'""",),
    )


def _preempting(obstacle: Obstacle, _: Scene) -> Words:
    number = obstacle.amount
    jobs = "1 other job is" if number == "1" else f"{number} other jobs are"
    return f"{jobs} being preempted for it", ("wait until they have stopped: then it has its quota",)


def _pods_not_ready(obstacle: Obstacle, scene: Scene) -> Words:
    words = f"it has its quota, but its pods do not all run: {obstacle.said or 'not all are ready'}"
    namespace = scene.subject.workload.namespace
    return words, (f"see what they wait for: kubectl get pods -n {namespace}; {_USUAL}",)


def _timeout(_: Obstacle, scene: Scene) -> Words:
    retry_at = scene.subject.retry_at
    again = f"it is tried again by itself, not before {in_utc(retry_at)}" if retry_at else "it is tried again by itself"
    words = "its pods were not all ready in time, so its quota was taken away again"
    return words, (
        f"see why: kubectl get events -n {scene.subject.workload.namespace}; {_USUAL}",
        f"{again}; each time after a longer pause",
    )


def _check(obstacle: Obstacle, _: Scene) -> Words:
    if not obstacle.name:
        return f"its admission checks are not ready: {obstacle.said or 'Kueue does not say which'}", (_ALONE,)
    told = f": {obstacle.said}" if obstacle.said else ""
    words = f"the admission check {obstacle.name} is {obstacle.amount or 'not ready'}{told}"
    return words, ("wait for it, or ask whoever runs this check",)


def _invalid(obstacle: Obstacle, _: Scene) -> Words:
    return f"what its pods ask for is not allowed: {obstacle.said}", ("correct the job's requests and limits",)


def _uncovered(obstacle: Obstacle, scene: Scene) -> Words:
    words = f"{scene.who} has no quota of {obstacle.resource} at all"
    return words, (f"ask for no {obstacle.resource}, or add it to the team's quota in the policy",)


def _topology(obstacle: Obstacle, _: Scene) -> Words:
    words = f"there is quota, but its pods find no place on the nodes: {obstacle.said}"
    return words, (
        "fewer or smaller pods, or wait until nodes become free; nodes that are not Ready or cordoned do not count",
    )


def _waiting_anew(_: Obstacle, scene: Scene) -> Words:
    if scene.subject.workload.is_("Evicted"):
        return "Kueue has put it back in line and not told yet what it lacks", (_ALONE,)
    return "Kueue has not looked at it yet", (
        "wait a moment; if it stays so, is Kueue's controller at work? 'governor addon' tells",
    )


_TELLING: Mapping[Kind, Callable[[Obstacle, Scene], Words]] = {
    Kind.LOCAL_QUEUE_MISSING: _no_local_queue,
    Kind.LOCAL_QUEUE_STOPPED: _local_queue_stopped,
    Kind.CLUSTER_QUEUE_MISSING: _no_cluster_queue,
    Kind.CLUSTER_QUEUE_STOPPED: _cluster_queue_stopped,
    Kind.DEACTIVATED: _deactivated,
    Kind.PREEMPTING: _preempting,
    Kind.PODS_NOT_READY: _pods_not_ready,
    Kind.PODS_READY_TIMEOUT: _timeout,
    Kind.CHECK_NOT_READY: _check,
    Kind.INVALID_REQUEST: _invalid,
    Kind.RESOURCE_UNCOVERED: _uncovered,
    Kind.TOPOLOGY: _topology,
    Kind.NOT_LOOKED_AT: _waiting_anew,
}
_SAYING: Mapping[Kind, Words] = {
    Kind.NAMESPACE: (
        "its ClusterQueue takes no jobs of this namespace",
        ("use the queue of the namespace's own team, or submit it in another namespace",),
    ),
    Kind.PREEMPTION_FAILED: ("other jobs had to make room for it, and could not be made to", (_ALONE,)),
    Kind.OVERLAPPING: ("another job waits for the same jobs to make room", (_ALONE,)),
    Kind.OVERTAKEN: ("another job took the room in the same moment", (_ALONE,)),
    Kind.PODS_READY_FIRST: (
        "all jobs that were admitted before must first have their pods ready (gang scheduling)",
        ("wait for their pods; kubectl get pods shows those that are stuck",),
    ),
    Kind.CHECK_FAILED: ("an admission check has failed", ("ask whoever runs the check; events below may tell which",)),
    Kind.NODE_FAILED: ("a node of it failed, and there was no other for its pods", (_ALONE,)),
    Kind.PREEMPTED: ("its job is being stopped to make room for another one", ("wait: then it stands in line again",)),
}
