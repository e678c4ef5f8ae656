"""The search for victims takes shortcuts; a plain reading of KEP-1714 without any must choose the same ones.

The plain one works every share out anew each time, from amounts alone, and asks every queue each time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from governor.kueue.admission import State
from governor.kueue.admission.events import FAIR_SHARING
from governor.kueue.admission.fair import fair_targets
from governor.kueue.admission.jobs import Holding, Waiting, shape_of
from governor.kueue.admission.preemption import Contest
from governor.kueue.admission.standings import Standings
from governor.kueue.admission.world import World
from governor.kueue.objects import Admission, ClusterQueue, Condition, PodSetAssignment, Preemption, Quota, Workload
from tests.support.kueue_worlds import GPU, cluster, cluster_queue, flavor_quotas, forgetful, workload

ONLY_FINAL, ONLY_INITIAL = FAIR_SHARING[:1], FAIR_SHARING[1:]
FLAVORS = ("f0", "f1")
Place = tuple[str, str]
Share = tuple[bool, Fraction]
"""Whether it borrows with a weight of 0, and the share."""
Chosen = set[tuple[str, str]]
"""The names of those that must go, and why."""


@dataclass
class Plain:
    """The contest: who wants how much of what, and everybody's workloads as they are left."""

    specs: dict[str, ClusterQueue]
    left: dict[str, list[Holding]]
    preemptor: Workload
    needs: dict[Place, int]
    gone: list[tuple[Holding, str]] = field(default_factory=list)
    contested: frozenset[Place] = field(init=False)

    def __post_init__(self) -> None:
        short = [place for place, amount in self.needs.items() if amount > self.available(place)]
        self.contested = frozenset(short)

    @property
    def mine(self) -> ClusterQueue:
        return self.specs[self.preemptor.queue]

    def quota(self, name: str, place: Place) -> Quota:
        flavors = {each.name: each.resources for each in self.specs[name].resource_groups[0].flavors}
        return flavors[place[0]][place[1]]

    def places(self) -> list[Place]:
        return [(each.name, one) for each in self.mine.resource_groups[0].flavors for one in each.resources]

    def used(self, name: str, place: Place, *, wanted: bool = True) -> int:
        """With what the preemptor wants, unless that is to be left out."""
        more = self.needs.get(place, 0) if wanted and name == self.mine.name else 0
        return more + sum(each.needs.get(place, 0) for each in self.left[name])

    def kept(self, name: str, place: Place) -> int:
        quota = self.quota(name, place)
        return 0 if quota.lending_limit is None else max(0, quota.nominal - quota.lending_limit)

    def above(self, name: str, place: Place) -> int:
        return max(0, self.used(name, place) - self.quota(name, place).nominal)

    def lendable(self, place: Place) -> int:
        return sum(self.quota(name, place).nominal - self.kept(name, place) for name in self.specs)

    def borrows(self, name: str, places: Iterable[Place]) -> bool:
        return any(self.above(name, place) for place in places)

    def share(self, name: str) -> Share:
        borrowed = {one: sum(self.above(name, (each, one)) for each in FLAVORS) for one in (GPU, "cpu")}
        lendable = {one: sum(self.lendable((each, one)) for each in FLAVORS) for one in borrowed}
        ratio = max(Fraction(borrowed[one] * 1000, lendable[one]) if lendable[one] else Fraction(0) for one in borrowed)
        weight = Fraction(self.specs[name].weight, 1000)
        return (True, ratio) if ratio and not weight else (False, ratio / weight if weight else ratio)

    def fits(self) -> bool:
        return all(amount <= self.available(place) for place, amount in self.needs.items())

    def available(self, place: Place) -> int:
        """What the preemptor's queue can use: what is left in the cohort, within its borrowing limit."""
        me, quota = self.mine.name, self.quota(self.mine.name, place)
        used = {name: self.used(name, place, wanted=False) for name in self.specs}
        shared = self.lendable(place) - sum(max(0, used[name] - self.kept(name, place)) for name in self.specs)
        own = max(0, self.kept(me, place) - used[me])
        if quota.borrowing_limit is not None:
            shared = min(shared, quota.nominal + quota.borrowing_limit - own - used[me])
        return max(0, own + shared)

    def turn(self, holding: Holding) -> tuple[bool, bool, int, int, str]:
        """Who goes first."""
        mine = holding.queue == self.mine.name
        return not holding.leaving, mine, holding.priority, -holding.reserved, holding.uid

    def candidates(self, name: str) -> list[Holding]:
        policies = self.mine.preemption
        policy = policies.within_cluster_queue if name == self.mine.name else policies.reclaim_within_cohort
        if name != self.mine.name and not any(
            self.used(name, place, wanted=False) > self.quota(name, place).nominal for place in self.contested
        ):
            return []
        found = [
            each
            for each in self.left[name]
            if (policy == "Any" or (policy == "LowerPriority" and each.priority < self.preemptor.priority))
            and any(place in each.needs for place in self.contested)
        ]
        return sorted(found, key=self.turn)

    def take(self, holding: Holding, reason: str) -> bool:
        """Have one gone; whether that is enough."""
        self.left[holding.queue].remove(holding)
        self.gone.append((holding, reason))
        return self.fits()

    def bring_back(self) -> Chosen:
        """Whoever need not go comes back, the last chosen first, but for the one that made room."""
        for holding, reason in self.gone[-2::-1]:
            self.left[holding.queue].append(holding)
            if self.fits():
                self.gone.remove((holding, reason))
            else:
                self.left[holding.queue].remove(holding)
        return {(holding.key[1], reason) for holding, reason in self.gone}


def plainly(contest: Plain, strategies: Sequence[str]) -> Chosen:
    """Who must go, and why; nobody if no choice makes room."""
    rows = {name: row for name in contest.specs if (row := contest.candidates(name))}
    spared: dict[str, list[Holding]] = {}
    if first_rule(contest, rows, strategies[0], spared):
        return contest.bring_back()
    if len(strategies) > 1 and second_rule(contest, spared):
        return contest.bring_back()
    return set()


def highest(contest: Plain, rows: dict[str, list[Holding]]) -> str | None:
    """The queue that is asked next: of those that borrow, and the preemptor's own, the one with the highest share."""
    asked = [
        name
        for name, row in rows.items()
        if row and (name == contest.mine.name or contest.borrows(name, contest.places()))
    ]
    if not asked:
        return None
    most = max(contest.share(name) for name in asked)
    return min((name for name in asked if contest.share(name) == most), key=lambda name: contest.turn(rows[name][0]))


def first_rule(contest: Plain, rows: dict[str, list[Holding]], strategy: str, spared: dict[str, list[Holding]]) -> bool:
    entitled = not contest.borrows(contest.mine.name, contest.contested)
    while (name := highest(contest, rows)) is not None:
        row = rows[name]
        if name == contest.mine.name or entitled:
            if contest.take(row.pop(0), "InClusterQueue" if name == contest.mine.name else "InCohortReclamation"):
                return True
            continue
        while row:
            holding = row.pop(0)
            mine, before = contest.share(contest.mine.name), contest.share(name)
            contest.left[name].remove(holding)
            after = contest.share(name)
            contest.left[name].append(holding)
            if mine <= after if strategy == ONLY_FINAL[0] else mine < before:
                if contest.take(holding, "InCohortFairSharing"):
                    return True
                break
            spared.setdefault(name, []).append(holding)
    return False


def second_rule(contest: Plain, spared: dict[str, list[Holding]]) -> bool:
    """One workload a queue, while its share is above the preemptor's."""
    while (name := highest(contest, spared)) is not None:
        holding = spared.pop(name)[0]
        if contest.share(contest.mine.name) < contest.share(name) and contest.take(holding, "InCohortFairSharing"):
            return True
    return False


@st.composite
def _quotas(draw: st.DrawFn, least: int, most: int) -> Quota:
    """Mostly without limits, or nobody would borrow."""
    limits = st.sampled_from([None] * 8 + [0, 2])
    return Quota(draw(st.integers(least, most)), draw(limits), draw(limits))


@st.composite
def _running(draw: st.DrawFn, queue: str, number: int) -> Workload:
    """A workload that holds quota, or is about to leave it."""
    usage = {GPU: draw(st.integers(1, 3)), "cpu": draw(st.integers(0, 2))}
    flavors = dict.fromkeys(usage, draw(st.sampled_from(["f0", "f0", "f0", "f1"])))
    conditions = {"QuotaReserved": Condition("QuotaReserved", "True", at=draw(st.integers(1, 3)))}
    if draw(st.sampled_from([False, False, False, False, True])):
        conditions["Evicted"] = Condition("Evicted", "True", "Preempted")
    new = workload(queue, f"{queue}-{number}", priority=draw(st.integers(0, 2)))
    admission = Admission(queue, (PodSetAssignment("main", 1, flavors, usage),))
    return replace(new, admission=admission, conditions=conditions)


@st.composite
def cohorts(draw: st.DrawFn) -> State:
    """A cohort at work. Queue q0 has more quota than the others, who have borrowed from it."""
    reclaim = draw(st.sampled_from(["Any", "Any", "Any", "LowerPriority", "Never"]))
    preemption = Preemption(draw(st.sampled_from(["Never", "LowerPriority"])), reclaim)
    names = [f"q{number}" for number in range(draw(st.integers(2, 4)))]
    queues = [
        cluster_queue(
            name,
            flavor_quotas("f0", gpu=draw(_quotas(*range_)), cpu=draw(_quotas(*range_))),
            flavor_quotas("f1", gpu=draw(_quotas(0, 2)), cpu=Quota(1)),
            weight=draw(st.sampled_from([0, 500, 1000, 1000, 3000])),
            preemption=preemption,
        )
        for name, range_ in zip(names, ((4, 9), (0, 2), (0, 2), (0, 2)), strict=False)
    ]
    counts = [draw(st.integers(0, 2)), *(draw(st.integers(1, 4)) for _ in names[1:])]
    running = [draw(_running(name, each)) for name, count in zip(names, counts, strict=True) for each in range(count)]
    return forgetful(cluster(*queues), workloads={each.key: each for each in running})


@settings(max_examples=800)
@given(
    cohorts(),
    st.sampled_from(["q0", "q1", "q1"]),
    st.integers(0, 2),
    st.integers(1, 4),
    st.integers(0, 1),
    st.sampled_from([FAIR_SHARING, FAIR_SHARING, ONLY_FINAL, ONLY_INITIAL]),
)
def test_the_search_with_shortcuts_chooses_whom_the_plain_one_chooses(
    state: State, name: str, priority: int, devices: int, cores: int, strategies: tuple[str, ...]
) -> None:
    preemptor = workload(name, "preemptor", priority=priority)
    needs = {("f0", GPU): devices, ("f0", "cpu"): cores}
    world = World(state, 9)
    queue = world.queues[name]
    left = {name: list(each.holdings.values()) for name, each in world.queues.items()}
    plain = Plain(dict(state.cluster_queues), left, preemptor, needs)
    assume(plain.contested)
    before = _used(world)

    contest = Contest(queue, Waiting(preemptor, shape_of(preemptor)), needs, plain.contested)
    targets = fair_targets(contest, strategies, Standings(queue.pool))

    chosen = {(each.holding.key[1], each.reason) for each in targets}
    event(f"{len(chosen)} must go, for {sorted({reason for _, reason in chosen})}")
    assert sorted(chosen) == sorted(plainly(plain, strategies))
    assert len(chosen) == len(targets)
    assert _used(world) == before


def _used(world: World) -> dict[tuple[str, Place], int]:
    used = {(name, place): each for name, queue in world.queues.items() for place, each in queue.used.items()}
    return {place: amount for place, amount in used.items() if amount}
