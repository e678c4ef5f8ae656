"""The admission model: workloads through a full cluster until all have run, over the rate of a real Kueue."""

import gc
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.figure import Figure, Target, number
from benchmarks.samples import interleaved
from governor.kueue.admission import Kind, State, after
from governor.kueue.admission.events import FAIR_SHARING, Finish, Submit
from governor.kueue.objects import (
    ClusterQueue,
    FlavorQuotas,
    LocalQueue,
    PodSet,
    Preemption,
    Quota,
    ResourceFlavor,
    ResourceGroup,
    Workload,
)

_QUEUES = 100
_SIZES = (1_000, 2_000, 5_000, 10_000)
_MOST = _SIZES[-1]
_GPUS = 8
_KUEUE = 45
"""Admissions a second of a real Kueue 0.19.2, the better of what was measured on two cores (32 to 45)."""
_CLASSES = ((0.7, 50, 1, 1), (0.2, 100, 1, 2), (0.1, 200, 2, 2))
"""How often, priority, pods, GPUs of a pod."""
_ANYTHING = tuple((1.0, priority, pods, gpus) for priority in (0, 50, 100) for pods in (1, 2) for gpus in (1, 2, 4))


@dataclass(frozen=True, slots=True)
class _Way:
    """How quota is shared, what workloads there are, and how many."""

    strategies: tuple[str, ...]
    classes: tuple[tuple[float, int, int, int], ...] = _CLASSES
    sizes: tuple[int, ...] = _SIZES


_WAYS = {
    "fair": _Way(FAIR_SHARING),
    "classical": _Way(()),
    "fair, 18 kinds": _Way(FAIR_SHARING, _ANYTHING, _SIZES[:2]),
}
_NEAR_LINEAR = 1.15
"""The power of the number of workloads that the time may grow with."""
_MUST_BE_FAST = ("fair", "classical")


def measure(*, quick: bool) -> Sequence[Figure]:
    """One figure: fair sharing and classical preemption, as the number of workloads grows."""
    rounds = 1 if quick else 5
    counted: dict[tuple[str, int], tuple[int, int]] = {}
    cases = {
        (name, size): partial(_through, way, size, counted, (name, size))
        for name, way in _WAYS.items()
        for size in way.sizes
    }
    taken = interleaved(rounds, {f"{way} {size}": case for (way, size), case in cases.items()})
    rows, targets = [], []
    for way, size in cases:
        sample = taken[f"{way} {size}"]
        admissions, preemptions = counted[way, size]
        rate = admissions / sample.median
        growth = sample.over(taken[f"{way} {_SIZES[0]}"]).median
        values = (sample.low, sample.median, sample.high)
        row = [way, f"{size:,}", *(number(value) for value in values), f"{admissions:,}", f"{preemptions:,}"]
        rows.append([*row, f"{rate:,.0f}", number(growth)])
        if size == _MOST and way in _MUST_BE_FAST:
            told = f"{way}, Kueue's {_KUEUE} admissions a second over the model's rate"
            targets.append(Target(told, _KUEUE / rate, 0.05))
            limit = (_MOST / _SIZES[0]) ** _NEAR_LINEAR
            targets.append(Target(f"{way}, {_MOST:,} workloads over {_SIZES[0]:,}", growth, limit))
    header = ["", "workloads", "min", "median", "max", "admissions", "preemptions", "a second", f"over {_SIZES[0]:,}"]
    notes = [
        f"{rounds} interleaved rounds. {_QUEUES} queues of one cohort, {_GPUS} GPUs each, borrow limit 50 %; three "
        "classes of workloads, the largest with the highest priority, or 18 kinds at random, of which each queue tries "
        "one after the other while all want what the others have. All are submitted at once; then "
        "all that run finish, and those that wait are tried, until nobody is left. The rate of the real Kueue "
        "was recorded on another machine."
    ]
    return [Figure("admission: workloads through the model, CPU seconds", header, rows, targets, notes)]


def _through(way: _Way, size: int, counted: dict[tuple[str, int], tuple[int, int]], name: tuple[str, int]) -> float:
    """CPU seconds until all have run."""
    state = _cluster(way.strategies)
    submitted = [Submit(each) for each in _workloads(size, way.classes)]
    kinds: list[Kind] = []
    gc.collect()
    began = time.process_time()
    outcome = after(state, submitted, 0)
    while True:
        kinds += [each.kind for each in outcome.decisions]
        running = [each.key for each in outcome.state.workloads.values() if each.admission and not each.is_("Finished")]
        if not running:
            break
        outcome = after(outcome.state, [Finish(key) for key in running], outcome.at)
    spent = time.process_time() - began
    left = sum(not each.is_("Finished") for each in outcome.state.workloads.values())
    if left:
        raise ValueError(f"{left} of {size} workloads never ran")
    counted[name] = kinds.count(Kind.ADMITTED), kinds.count(Kind.PREEMPTED)
    return spent


def _cluster(strategies: tuple[str, ...]) -> State:
    amounts = {"cpu": _GPUS * 16_000, "memory": _GPUS * 64 * 2**30, "nvidia.com/gpu": _GPUS}
    quotas = FlavorQuotas("ml.g5.8xlarge", {name: Quota(amount, amount // 2) for name, amount in amounts.items()})
    groups = (ResourceGroup(tuple(amounts), (quotas,)),)
    names = [f"team-{place:03}" for place in range(_QUEUES)]
    return State(
        strategies=strategies,
        flavors={"ml.g5.8xlarge": ResourceFlavor("ml.g5.8xlarge")},
        cluster_queues={
            name: ClusterQueue(
                name,
                "hyperpod",
                groups,
                weight=1000 * (1 + place % 3),
                preemption=Preemption("LowerPriority", "Any", "Never"),
            )
            for place, name in enumerate(names)
        },
        local_queues={(name, name): LocalQueue(name, name, name) for name in names},
    )


def _workloads(size: int, classes: Sequence[tuple[float, int, int, int]]) -> list[Workload]:
    chance = random.Random(size)
    made = []
    for place in range(size):
        team = f"team-{chance.randrange(_QUEUES):03}"
        _, priority, pods, gpus = chance.choices(classes, [each[0] for each in classes])[0]
        requests = {"cpu": gpus * 8_000, "memory": gpus * 32 * 2**30, "nvidia.com/gpu": gpus}
        pod_set = PodSet("main", pods, requests)
        uid = f"{chance.getrandbits(64):016x}"
        made.append(Workload(team, f"job-{place}", uid, team, (pod_set,), priority=priority, created=place))
    return made
