"""The next state of a cluster: events are carried out, and the scheduler runs until it rests.

Kueue tries again what it has refused a second after something became free. So the time moves on by a second with each
such round; nothing else takes time here.
"""

from collections import Counter
from collections.abc import Container, Iterable

from governor.kueue.admission.carrying_out import carry_out
from governor.kueue.admission.cycle import Cycle, Nominee, Verdict
from governor.kueue.admission.decisions import Kind
from governor.kueue.admission.events import Event
from governor.kueue.admission.state import Outcome, State
from governor.kueue.admission.supply import Pool
from governor.kueue.admission.words import admission_of
from governor.kueue.admission.world import World
from governor.kueue.objects import WorkloadKey

RETRY_SECONDS = 1
"""Kueue gathers what it tries again for so long (release notes of 0.17, requeueing in batches)."""
MOST_PREEMPTIONS = 8
"""So often one and the same workload is preempted before the model says that Kueue would not come to rest."""


def after(state: State, events: Iterable[Event], at: int, retry_seconds: int = RETRY_SECONDS) -> Outcome:
    """What becomes of a cluster by events at a time, in seconds since 1970, once its scheduler rests.

    ``retry_seconds`` is how long Kueue waits before it tries again what it has refused; who runs beside a clock of its
    own says 0, so that no time is ahead of it. The state itself stays as it is. Going on from the state of the last
    outcome is quick; from any other, everything is built anew. Raises ValueError for strategies of fair sharing that
    Kueue does not take.
    """
    now = max(state.now, at)
    world = state.take_world() or World(state, now)
    world.now = now
    for event in events:
        carry_out(world, event)
    rests = _settle(world, retry_seconds)
    decisions, world.decisions = tuple(world.decisions), []
    return Outcome(world.picture(keep=rests), decisions, world.now)


def _settle(world: World, retry_seconds: int) -> bool:
    """Run the scheduler until it rests; False if it would not everywhere."""
    preempted: Counter[WorkloadKey] = Counter()
    restless: dict[Pool, None] = {}
    while True:
        while _run(world, preempted, restless):
            pass
        if world.leaving:
            world.finish_evictions()
        elif world.retry:
            world.now += retry_seconds
            _try_again(world)
        else:
            return not restless
        _stop_restless(world, preempted, restless)


def _stop_restless(world: World, preempted: Counter[WorkloadKey], restless: dict[Pool, None]) -> None:
    """Leave the pools alone whose workloads are preempted again and again."""
    for key in sorted(key for key, times in preempted.items() if times >= MOST_PREEMPTIONS):
        told = f"Kueue preempts and admits it again and again; stopped after {preempted.pop(key)} times"
        world.decide(Kind.UNSETTLED, key, "Unsettled", told)
        queue = world.queues.get(world.queue_name(world.workloads[key]))
        if queue is not None:
            restless[queue.pool] = None


def _run(world: World, preempted: Counter[WorkloadKey], restless: Container[Pool]) -> bool:
    """One cycle; whether it changed anything."""
    heads = [
        (queue, head)
        for name, queue in world.queues.items()
        if queue.active and queue.pool not in restless and (head := world.lines[name].head()) is not None
    ]
    if not heads:
        return False
    world.cycle += 1
    nominees = Cycle(world.cycle, world.strategies, world.flavors).run(heads)
    changes = [_apply(world, nominee, preempted) for nominee in nominees]
    return any(changes)


def _apply(world: World, nominee: Nominee, preempted: Counter[WorkloadKey]) -> bool:
    """Do what the cycle decided; whether that changed anything."""
    key, queue = nominee.waiting.key, nominee.queue
    line = world.lines[queue.name]
    match nominee.verdict:
        case Verdict.ADMIT:
            world.admit(key, admission_of(nominee.assignment, queue))
            return True
        case Verdict.PREEMPT:
            line.first = key
            news = [target for target in nominee.targets if not target.holding.leaving]
            for target in news:
                world.preempt(target.holding, target.reason, nominee.waiting, queue)
                preempted[target.holding.key] += 1
            if news:
                world.refuse(key, "Pending", nominee.message)
            return bool(news)
        case Verdict.AGAIN:
            world.refuse(key, "Pending", nominee.message)
            return False
        case Verdict.PARK:
            if nominee.waiting.scan is None or not nominee.waiting.scan.is_pending:
                line.park(nominee.waiting.shape)
            world.refuse(key, "Pending", nominee.message)
            return True


def _try_again(world: World) -> None:
    pools, world.retry = list(world.retry), {}
    for pool in pools:
        for name in pool.queues:
            world.lines[name].unpark()
