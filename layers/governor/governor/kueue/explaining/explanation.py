"""Puts an explanation together: one workload, all others of the cluster, the queues, and what Kueue has said of it."""

from collections.abc import Collection, Iterable

from governor.kueue.explaining import happenings, preemptions, standings, states
from governor.kueue.explaining.answer import Explanation, Job, PodSet, Reason, State, written
from governor.kueue.explaining.reasons import is_hopeless, reasons
from governor.kueue.explaining.rooms import Scene
from governor.kueue.explaining.seen import Brief, Event, Queues, Subject, brief, requested
from governor.kueue.objects import Workload

_IN_NEED = (State.WAITING, State.PREEMPTED, State.EVICTED)
"""For whom it matters who holds the quota."""


def explain(
    subject: Subject,
    others: Collection[Brief],
    queues: Queues,
    events: Iterable[Event] = (),
    unseen: tuple[str, ...] = (),
) -> Explanation:
    """All about one workload; ``others`` may hold it as well."""
    workload, own = subject.workload, brief(subject)
    rest = [each for each in others if each.uid != own.uid]
    hindered = states.hindrances(subject)
    name = standings.queue_of(own, queues) or next((each.name for each in hindered if _names_queue(each.said)), "")
    queue = queues.cluster.get(name)
    holding = tuple(each for each in rest if each.cluster_queue == name) if name else ()
    state, since = states.state_of(subject, hindered)
    told = reasons(hindered, Scene(subject, queue, holding, _doors(workload, queues)))
    nearby, left_out = standings.neighbours(name, rest, queues) if state in _IN_NEED else ((), 0)
    return Explanation(
        job=Job.of(own),
        queue=workload.queue,
        cluster_queue=name,
        cohort=queue.cohort if queue is not None else "",
        priority=workload.priority,
        priority_class=workload.priority_class,
        pod_sets=tuple(PodSet(each.name, each.count, written(each.requests)) for each in workload.pod_sets),
        total=written(_total(workload)),
        created=workload.created,
        state=state,
        since=since,
        words=_words(subject, state, told),
        reasons=told,
        preemption=preemptions.preemption(subject, rest),
        line=standings.line(own, name, rest, queues),
        users=standings.users(name, rest) if state in _IN_NEED else None,
        neighbours=nearby,
        more_neighbours=left_out,
        events=happenings.last(events),
        unseen=unseen,
    )


def _names_queue(said: str) -> bool:
    return said.startswith("ClusterQueue ")


def _doors(workload: Workload, queues: Queues) -> tuple[str, ...] | None:
    """The LocalQueues of its namespace; None where no LocalQueue could be read."""
    if not queues.local:
        return None
    return tuple(sorted(name for namespace, name in queues.local if namespace == workload.namespace))


def _total(workload: Workload) -> dict[str, int]:
    total: dict[str, int] = {}
    for _, amounts in requested(workload):
        for resource, amount in amounts.items():
            total[resource] = total.get(resource, 0) + amount
    return total


def _words(subject: Subject, state: State, told: Iterable[Reason]) -> str:
    if state in _IN_NEED and any(is_hopeless(each) for each in told):
        return f"{states.WORDS[state]}, and cannot be admitted as it is"
    if state is not State.FINISHED:
        return states.WORDS[state]
    ended = subject.workload.conditions["Finished"]
    outcome = f"{states.WORDS[state]} ({ended.reason})" if ended.reason else states.WORDS[state]
    return f"{outcome}: {ended.message}" if ended.message else outcome
