"""plan() in memory: nothing to do for 1,000 and 10,000 teams, and 1,000 teams that all change."""

import gc
import time
from collections.abc import Callable, Sequence

import msgspec

from benchmarks.figure import Figure, number
from benchmarks.samples import Sample, interleaved
from benchmarks.teams import live_after, policy
from governor.plan import Desired, Live, Plan, Record, desired_by, plan
from governor.plan.memory import applied
from governor.policy import Policy, Team
from governor.quota import InstanceGroup, QuotaEntry

_TEAMS = 1_000
_MANY = 10_000


def measure(*, quick: bool) -> Sequence[Figure]:
    """One figure: all cases in turn, the largest ones in fewer rounds."""
    unchanged, many = f"unchanged, {_TEAMS:,} teams", f"unchanged, {_MANY:,} teams"
    new, gone = f"new, {_TEAMS:,} teams", f"removed, {_TEAMS:,} teams"
    weights, moves = f"other weight, {_TEAMS:,} teams", f"quota moves, {_TEAMS:,} teams"
    small, large = policy(_TEAMS), policy(_MANY)
    cases = {
        unchanged: _case(small, small, steps=0),
        many: _case(large, large, steps=0),
        new: _case(msgspec.structs.replace(small, teams=()), small, steps=_TEAMS),
        gone: _case(small, msgspec.structs.replace(small, teams=()), steps=_TEAMS),
        weights: _case(small, _with_other_weights(small), steps=_TEAMS),
        moves: _full(_case(small, _with_moves(small), steps=_TEAMS)),
    }
    rounds = 2 if quick else 7
    taken = interleaved(rounds, cases)
    return [
        Figure(
            "plan: from desired, live and last applied to steps, in memory, CPU ms",
            ["", "min", "median", "max", "over unchanged"],
            [_row(name, sample, taken[unchanged]) for name, sample in taken.items()],
            notes=[
                f"{rounds} interleaved rounds. 'Quota moves': every other team gives one instance to its neighbour in "
                "a cluster without any to spare, so each of the 500 that grow waits for each of the 500 that shrink. "
                f"In proportion, {_MANY:,} teams would cost {_MANY // _TEAMS} times as much as {_TEAMS:,}."
            ],
        )
    ]


class _Case:
    """A question to plan() and how many steps the answer must have."""

    def __init__(self, desired: Desired, live: Live, record: Record, steps: int) -> None:
        self.desired, self.live, self.record, self.steps = desired, live, record, steps

    def __call__(self) -> float:
        """CPU seconds of one plan."""
        gc.collect()
        began = time.process_time()
        made = plan(self.desired, self.live, self.record)
        spent = time.process_time() - began
        self._check(made)
        return spent

    def _check(self, made: Plan) -> None:
        if len(made.steps) != self.steps or made.refusals:
            raise ValueError(f"{len(made.steps)} steps instead of {self.steps}; refusals: {made.refusals[:1]}")


def _case(before: Policy, after: Policy, *, steps: int) -> _Case:
    live = live_after(before)
    record = applied(Record(live.cluster.arn, live.cluster.name), desired_by(before), live, ())
    return _Case(desired_by(after), live, record, steps)


def _full(case: _Case) -> _Case:
    """The same case in a cluster that has what the quotas promise, and no more."""
    counts: dict[str, int] = {}
    for quota in case.live.quotas:
        for entry in quota.entries:
            counts[entry.instance_type] = counts.get(entry.instance_type, 0) + (entry.count or 0)
    groups = tuple(InstanceGroup(kind, kind, count) for kind, count in counts.items())
    cluster = msgspec.structs.replace(case.live.cluster, groups=groups)
    return _Case(case.desired, msgspec.structs.replace(case.live, cluster=cluster), case.record, case.steps)


def _with_other_weights(before: Policy) -> Policy:
    return _changed(before, lambda _, team: msgspec.structs.replace(team, fair_share_weight=0))


def _with_moves(before: Policy) -> Policy:
    def moved(index: int, team: Team) -> Team:
        first, *rest = team.quota
        count = (first.count or 0) + (1 if index % 2 else -1)
        return msgspec.structs.replace(team, quota=(QuotaEntry(first.instance_type, count), *rest))

    return _changed(before, moved)


def _changed(before: Policy, change: Callable[[int, Team], Team]) -> Policy:
    teams = tuple(change(index, team) for index, team in enumerate(before.teams))
    return msgspec.structs.replace(before, teams=teams)


def _row(name: str, sample: Sample, base: Sample) -> list[str]:
    ms = sample.scaled(1000)
    return [name, number(ms.low), number(ms.median), number(ms.high), number(sample.over(base).median)]
