"""Clusters to look at: small worlds of queues, from which usage is made as it is of a real cluster."""

import random
from collections.abc import Mapping
from typing import Any

from governor.aws.usage import Reading
from governor.usage import ClusterUsage, ResourceUsage, Seen, TeamUsage, usage_of
from governor.usage.seen import Doors, Fund, Kind, Lender, Machine, Queue, Waiting

AT = 1_795_535_000
"""2026-11-24 15:43:20 UTC."""
G5, P5, TRN, C5 = "ml.g5.8xlarge", "ml.p5.48xlarge", "ml.trn1.32xlarge", "ml.c5.2xlarge"
GPU, NEURON, MIG = "nvidia.com/gpu", "aws.amazon.com/neurondevice", "nvidia.com/mig-1g.10gb"
GIB = 2**30
POOL = "hyperpod-ns-idle-resource-sharing-clusterqueue"


def g5(
    nominal: int,
    used: int = 0,
    limit: int | None = None,
    lending: int | None = None,
    gpus_only: bool = False,
    reserved: int | None = None,
) -> tuple[Fund, ...]:
    """Funds of so many instances with one GPU each, with vCPU and memory unless nobody cares."""
    held = used if reserved is None else reserved
    gpu = Fund(G5, GPU, nominal, used, held, limit, lending)
    if gpus_only:
        return (gpu,)
    cpu = [None if each is None else each * 32_000 for each in (limit, lending)]
    memory = [None if each is None else each * 128 * GIB for each in (limit, lending)]
    return (
        gpu,
        Fund(G5, "cpu", nominal * 32_000, used * 30_500, held * 30_500, *cpu),
        Fund(G5, "memory", nominal * 128 * GIB, used * 120 * GIB, held * 120 * GIB, *memory),
    )


def queue(name: str, funds: tuple[Fund, ...], pending: int = 0, share: int | None = 0, **more: object) -> Queue:
    """The queue of a team, in the cohort of all."""
    given = {"cohort": "research", "admitted": sum(fund.used for fund in funds[:1]), **more}
    return Queue(f"hyperpod-ns-{name}-clusterqueue", funds=funds, pending=pending, weighted_share=share, **given)  # type: ignore[arg-type]


def world(
    queues: tuple[Queue, ...],
    waiting: Mapping[str, int] | None = None,
    machines: tuple[Machine, ...] | None = None,
    lenders: tuple[Lender, ...] = (),
    lost: tuple[str, ...] = (),
    foreign: tuple[str, ...] = (),
) -> Reading:
    """What is read; ``waiting`` are seconds by team. Every queue is a team's but the pool's and ``foreign`` ones."""
    teams = [each.name for each in queues if each.name != POOL and each.name not in foreign]
    namespaces = {each.removesuffix("-clusterqueue"): each for each in teams}
    governed = {**{name: f"id-{name}" for name in namespaces}, **dict.fromkeys(lost, "")}
    doors = Doors(governed, tuple((name, "local", target, 0) for name, target in namespaces.items()))
    kinds = tuple(Kind(name, {"type": name}) for name in (G5, P5, TRN, C5))
    since = [Waiting(f"hyperpod-ns-{team}", "local", AT - seconds) for team, seconds in (waiting or {}).items()]
    return Reading(Seen(queues, doors, lenders, machines, kinds), tuple(since))


def usage_in(reading: Reading) -> ClusterUsage:
    """What is made of it; teams go by their namespaces."""
    return usage_of(reading.seen, "ml-research", AT, None, reading.waiting)


def usage(queues: tuple[Queue, ...], *more: Any, **named: Any) -> ClusterUsage:
    """Of a world, see there."""
    return usage_in(world(queues, *more, **named))


def machine(name: str, flavor: str, *, usable: bool = True, **amounts: int) -> Machine:
    """A node; what pods may have is a little less vCPU than there is."""
    capacity = {{"gpu": GPU, "neuron": NEURON}.get(what, what): amount for what, amount in amounts.items()}
    allocatable = {what: amount - 500 if what == "cpu" else amount for what, amount in capacity.items()}
    return Machine(name, {"type": flavor}, capacity, allocatable, usable)


def g5_nodes(count: int, cordoned: int = 0) -> tuple[Machine, ...]:
    """Nodes with one GPU each."""
    return tuple(
        machine(f"hyperpod-i-{index:04}", G5, usable=index >= cordoned, gpu=1, cpu=32_000, memory=124 * GIB)
        for index in range(count)
    )


def three_teams() -> ClusterUsage:
    """nlp borrows what speech lends and vision lacks."""
    return usage_in(three_read())


def three_read() -> Reading:
    """The same, as it is read."""
    return world(
        (
            queue("nlp", g5(8, 12, 8), share=142, pending=2),
            queue("speech", g5(8, 3, 4, 3)),
            queue("vision", g5(8, 6, 8), pending=4),
        ),
        {"nlp": 34, "vision": 7_500},
        g5_nodes(24, cordoned=1),
    )


def sixty_teams() -> ClusterUsage:
    """All that can be the matter at once, in two cohorts and four kinds of instances."""
    chance = random.Random(7)
    queues = []
    for index in range(57):
        name = f"{chance.choice(_TOPICS)}-{chance.choice(_KINDS)}-{index:02}"
        nominal = chance.choice((1, 2, 2, 4, 4, 8, 8, 16))
        used = max(0, nominal + chance.choice((-nominal, -nominal // 2, -nominal // 2, -1, 0, 0, 0, 0, 0, 1, 2)))
        pending = chance.choice((0, 1, 3, 12)) if used >= nominal else chance.choice((0, 0, 0, 0, 2))
        funds = g5(nominal, used, chance.choice((nominal, 2 * nominal, None)), chance.choice((None, nominal // 2)))
        queues.append(queue(name, funds, pending, share=chance.choice((12, 83, 250)) if used > nominal else 0))

    cut = Fund(P5, GPU, 8, 24, 24, 8, 0)
    weightless = queue("scavengers", g5(0, 3, None), share=2**63 - 1, weight=0)
    stopped = queue("on-leave", g5(4), pending=1, state="stopped", reason="stopPolicy Hold")
    rare = queue("trainium", (Fund(TRN, NEURON, 32, 16, 16, 0, 0),), cohort="neuron", share=None)
    queues += [queue("protein-folding", (cut,), pending=1), weightless, stopped, rare]
    queues += [
        queue("climate-model", g5(8, 2), pending=4, cohort="climate"),
        queue("climate-reanalysis", g5(8, 12, None), cohort="climate"),
        queue("climate-downscaling", g5(4, 5, None), cohort="climate"),
        queue("etl", (Fund(C5, "cpu", 24_000, 1_500, 1_500, 8_000, None),), share=0),
        Queue("batch-of-others", "", (Fund(C5, "cpu", 8_000, 4_000, 4_000),), pending=3),
        Queue(POOL, "research", (Fund(G5, GPU, 6, 0, 0, 0),)),
        queue("gone", g5(1), deleting=True),
    ]
    waiting = {
        each.name.removeprefix("hyperpod-ns-").removesuffix("-clusterqueue"): chance.randrange(20, 250_000)
        for each in queues
        if each.pending
    }
    machines = (
        *g5_nodes(290, cordoned=3),
        *(machine(f"p5-{index}", P5, gpu=8, cpu=192_000) for index in range(2)),
        *(machine(f"trn-{index}", TRN, neuron=16, cpu=128_000) for index in range(2)),
        *(machine(f"c5-{index}", C5, cpu=8_000) for index in range(4)),
    )
    own = Lender("research", "", (Fund(G5, GPU, 2, 0, 0),))
    return usage(tuple(queues), waiting, machines, (own,), ("hyperpod-ns-new-team",), ("batch-of-others",))


def team(name: str, resources: tuple[ResourceUsage, ...] = (), **more: object) -> TeamUsage:
    """A team by hand, for what no cluster should ever say."""
    given = {"cohort": "c", "state": "active", "reason": "", "pending": 0, "admitted": 0, **more}
    return TeamUsage(name=name, namespaces=(name,), cluster_queue=f"{name}-queue", resources=resources, **given)  # type: ignore[arg-type]


_TOPICS = ("vision", "speech", "nlp", "robotics", "ads-ranking", "search", "genomics", "weather", "fraud", "maps")
_KINDS = ("training", "eval", "research", "pretraining", "lab")
