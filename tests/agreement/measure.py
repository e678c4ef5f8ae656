"""How far the admission model agrees with recorded scenarios: every job's state and every queue's usage, step by step.

A step is compared with the model going on from its own earlier steps, so that one disagreement can bring others.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from governor.kueue.admission import Kind, Outcome, State, after, cluster_queue_status
from governor.kueue.objects import Workload
from tests.agreement.recorded import After, Scenario, Script, Step, UnknownOperationError, queue_of, whole

CLASSES = ("fair", "classical", "two flavors", "weight 0", "quota changes")


@dataclass(slots=True)
class Tally:
    """How many of how many."""

    agreed: int = 0
    all: int = 0

    def count(self, agrees: bool) -> None:
        self.agreed += agrees
        self.all += 1

    def __str__(self) -> str:
        if not self.all:
            return "0 of 0 agree"
        hundredths = 10_000 * self.agreed // self.all
        return f"{self.agreed} of {self.all} agree ({hundredths // 100}.{hundredths % 100:02} %)"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Where the model and Kueue differ: the first step of a scenario where they do, and in what."""

    scenario: str
    step: int
    do: str
    differences: tuple[str, ...]

    def __str__(self) -> str:
        head = f"{self.scenario} step {self.step}: {self.do}"
        return "\n".join([head, *(f"    {each}" for each in self.differences)])


@dataclass(slots=True)
class Report:
    """What was measured."""

    steps: Tally = field(default_factory=Tally)
    scenarios: Tally = field(default_factory=Tally)
    steps_of: dict[str, Tally] = field(default_factory=lambda: {name: Tally() for name in CLASSES})
    scenarios_of: dict[str, Tally] = field(default_factory=lambda: {name: Tally() for name in CLASSES})
    texts: Tally = field(default_factory=Tally)
    preemptions: Tally = field(default_factory=Tally)
    shares: Tally = field(default_factory=Tally)
    unsettled: Tally = field(default_factory=Tally)
    disagreements: list[Disagreement] = field(default_factory=list)

    def unknown(self, scenario: Scenario, number: int, told: str) -> None:
        """The rest of a scenario cannot be played: none of its steps agrees."""
        steps = [step for step in scenario.steps[number:] if step.after is not None]
        for tally in (self.steps, *(self.steps_of[name] for name in scenario.classes)):
            tally.all += len(steps)
        self.disagreements.append(Disagreement(scenario.id, number, str(dict(scenario.steps[number].do)), (told,)))


def measure(scenarios: Iterable[Scenario]) -> Report:
    """Run the model through scenarios."""
    report = Report()
    for scenario in scenarios:
        _run(scenario, report)
    return report


def _run(scenario: Scenario, report: Report) -> None:
    agrees = _agrees(scenario, report)
    report.scenarios.count(agrees)
    for name in scenario.classes:
        report.scenarios_of[name].count(agrees)


def _agrees(scenario: Scenario, report: Report) -> bool:
    """Whether the model agrees with all of a scenario; its steps are counted on the way."""
    try:
        script = Script.of(scenario)
    except (TypeError, ValueError) as error:
        report.unknown(scenario, 0, f"the model cannot be told: {error}")
        return False
    state, at = script.start(), 0
    agrees = True
    for number, step in enumerate(scenario.steps):
        try:
            outcome = after(state, [script.event(step.do)], at)
        except UnknownOperationError as error:
            report.unknown(scenario, number, str(error))
            return False
        state, at = outcome.state, outcome.at + 1
        if step.after is None:
            looped = any(each.kind is Kind.UNSETTLED for each in outcome.decisions)
            report.unsettled.count(looped)
            differences = [] if looped else ["Kueue did not come to rest, the model did"]
        else:
            differences = _differences(script, state, step.after)
            report.steps.count(not differences)
            for name in scenario.classes:
                report.steps_of[name].count(not differences)
            _compare_more(script, outcome, step, report)
        if differences and agrees:
            report.disagreements.append(Disagreement(scenario.id, number, str(dict(step.do)), tuple(differences)))
        agrees = agrees and not differences
    return agrees


def _differences(script: Script, state: State, wanted: After) -> list[str]:
    found = []
    for job, expected in wanted.jobs.items():
        workload = state.workloads.get(script.key(job))
        have = (None, None) if workload is None else (state_of(workload), _flavor(workload))
        if have != (expected.state, expected.flavor):
            found.append(f"{job}: Kueue {expected.state} {expected.flavor}, model {have[0]} {have[1]}")
    there = {script.key(job) for job in wanted.jobs}
    found += [f"{key[1]}: Kueue has it no more, model does" for key in state.workloads if key not in there]
    for team, queued in wanted.cluster_queues.items():
        status = cluster_queue_status(state, queue_of(team))
        usage = {
            flavor: {resource: (each.total, each.borrowed) for resource, each in resources.items()}
            for flavor, resources in status.used.items()
        }
        recorded = {
            flavor: {resource: tuple(whole(each, resource) for each in pair) for resource, pair in resources.items()}
            for flavor, resources in queued.usage.items()
        }
        if usage != recorded:
            found.append(f"{team}: Kueue uses {_brief(recorded)}, model {_brief(usage)}")
        counts = (status.pending, status.reserving, status.admitted)
        if counts != (queued.pending, queued.reserving, queued.admitted):
            found.append(
                f"{team}: Kueue counts {queued.pending} pending, {queued.reserving} reserving, {queued.admitted} "
                f"admitted, model {counts}"
            )
    return found


def _brief(usage: object) -> str:
    return str(usage).replace("nvidia.com/", "")


def _compare_more(script: Script, outcome: Outcome, step: Step, report: Report) -> None:
    """Preemptions, shares and texts: what is not part of the agreement, and tells of the model all the same."""
    state, wanted = outcome.state, step.after
    assert wanted is not None
    preempted = Counter(
        (each.workload[1], each.by[1], each.reason)
        for each in outcome.decisions
        if each.kind is Kind.PREEMPTED and each.by is not None
    )
    recorded = Counter((each["job"], each["by"], each["reason"]) for each in wanted.preempted)
    report.preemptions.count(preempted == recorded)
    for team, queued in wanted.cluster_queues.items():
        if queued.weighted_share is not None and not queued.weighted_share_stale:
            report.shares.count(cluster_queue_status(state, queue_of(team)).weighted_share == queued.weighted_share)
    for job, expected in wanted.jobs.items():
        workload = state.workloads.get(script.key(job))
        if workload is None or state_of(workload) != expected.state:
            continue
        for kind, (status, reason, message) in expected.conditions.items():
            if kind == "QuotaReserved" and status == "False" and step.do["op"] in ("set_quota", "set_weight"):
                # Kueue repeats itself in all but these.
                continue
            have = workload.conditions.get(kind)
            told = (status, reason, script.told(message))
            report.texts.count(have is not None and (have.status, have.reason, have.message) == told)


def state_of(workload: Workload) -> str:
    """A job's state in the words of the scenarios."""
    if workload.is_("Finished"):
        return "Finished"
    if workload.admission is not None:
        return "Admitted"
    return "EvictedPending" if workload.is_("Evicted") else "Pending"


def _flavor(workload: Workload) -> str | None:
    if workload.admission is None:
        return None
    flavors = {flavor for each in workload.admission.pod_sets for flavor in each.flavors.values()}
    return "+".join(sorted(flavors))
