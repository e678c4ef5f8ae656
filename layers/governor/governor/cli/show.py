"""How a plan and an outcome look on the screen."""

from fractions import Fraction

from rich.console import Console
from rich.table import Table
from rich.text import Text

from governor.apply import ForeignChange, Outcome
from governor.cli.screen import bar
from governor.plan import Change, Plan, Step, guaranteed, guaranteed_after, number
from governor.plan.state import Live
from governor.policy.wording import counted
from governor.quota import Catalogue, Cluster, capacity_of

_MARKS = {"create": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red"), "wait": ("…", "cyan")}
_VERBS = {"create": "create", "update": "change", "delete": "delete", "wait": "wait for"}
MAX_NEEDS_SHOWN = 8

VERDICT_STYLES = {
    "Applied": "bold green",
    "Unchanged": "green",
    "InProgress": "bold cyan",
    "Waiting": "cyan",
    "Held": "bold yellow",
    "Rejected": "bold red",
    "Failed": "bold red",
    "Released": "dim",
}


def show_cluster(console: Console, cluster: Cluster) -> None:
    """One line: which cluster this is about."""
    counts: dict[str, int] = {}
    for group in cluster.groups:
        counts[group.instance_type] = counts.get(group.instance_type, 0) + group.count
    groups = ", ".join(f"{count} × {kind}" for kind, count in sorted(counts.items())) or "no instances"
    line = Text("Cluster ")
    line.append(cluster.name, "bold")
    line.append(f" ({cluster.status}): {groups}")
    console.print(line)


def show_plan(console: Console, plan: Plan) -> None:
    """The steps with before and after, what they wait for, and what stands beside them."""
    console.print(_headline(plan))
    keys = {step.key: position for position, step in enumerate(plan.steps, 1)}
    for position, step in enumerate(plan.steps, 1):
        console.print()
        show_step(console, position, step, keys)
    if plan.adopted and plan.steps:
        console.print()
        console.print(Text(f"Adopted as they are found: {', '.join(plan.adopted)}.", "dim"))
    for blocked in plan.blocked:
        console.print(Text(f"Blocked: {blocked.title}: {blocked.reason}", "bold red"))
    if plan.unmanaged:
        names = ", ".join(f"{item.name}{f' (team {item.team})' if item.team else ''}" for item in plan.unmanaged)
        console.print()
        console.print(Text(f"Not in the policy and left alone: {names}.", "dim"))


def show_hold(console: Console, plan: Plan, path: str) -> None:
    """Why a plan waits for somebody, and what that person types; a refused one cannot be approved."""
    if plan.held and not plan.refusals:
        console.print()
        console.print(Text(f"Held until somebody approves: {', '.join(plan.held)}.", "bold yellow"))
        command = f"governor apply {path} --approve {plan.fingerprint}"
        console.print(Text(f"To approve exactly this plan: {command}", "yellow"), soft_wrap=True)


def _headline(plan: Plan) -> Text:
    if not plan.steps and plan.blocked:
        return Text(f"Nothing can be done; {counted(plan.unchanged, 'resource')} as the policy says.", "bold red")
    if not plan.steps:
        return Text(f"No change: {counted(plan.unchanged, 'resource')} as the policy says.", "green")
    counts = {action: sum(step.action == action for step in plan.steps) for action in _MARKS}
    parts = [f"{count} to {_VERBS[action]}" for action, count in counts.items() if count]
    return Text(f"Plan {plan.fingerprint}: {', '.join(parts)}; {plan.unchanged} unchanged.", "bold")


def show_step(console: Console, position: int, step: Step, keys: dict[str, int]) -> None:
    """One numbered step."""
    mark, style = _MARKS[step.action]
    head = Text(f"{position:3}. ")
    head.append(f"{mark} {_VERBS[step.action]} {step.title}", style)
    name = step.name if step.team else f"'{step.name}'"
    head.append(f"  {name}" if step.team else f" {name}")
    if step.settle_first:
        head.append(f"  (is {step.settle_first}; waited for first)", "cyan")
    if step.reason and step.reason != "new":
        head.append(f"  ({step.reason})", "dim")
    elif step.drifted:
        head.append("  (somebody changed it since the last apply)", "magenta")
    needs = [str(keys[need]) for need in step.needs if need in keys]
    if needs:
        told = ", ".join(needs) if len(needs) <= MAX_NEEDS_SHOWN else f"{len(needs)} steps that give back"
        head.append(f"  after {told}", "dim")
    console.print(head)
    show_changes(console, step.changes)


def show_changes(console: Console, changes: tuple[Change, ...]) -> None:
    """What, before → after; a line each, never wrapped."""
    width = max((len(change.what) for change in changes), default=0)
    for change in changes:
        line = Text(f"        {change.what.ljust(width)}  ")
        if change.before:
            line.append(change.before, "red")
        if change.before and change.after:
            line.append(" → ")
        if change.after:
            line.append(change.after, "green")
        console.print(line, soft_wrap=True)


def show_capacity(console: Console, live: Live, plan: Plan) -> None:
    """Promised against present, per instance type, with a bar that turns red beyond the cluster."""
    before = guaranteed(live)
    after = guaranteed_after(before, plan.steps)
    capacity = capacity_of(live.cluster.groups, live.instances).amounts
    rows = [
        (kind, resource, before.get((kind, resource), Fraction(0)), after.get((kind, resource), Fraction(0)), has)
        for (kind, resource), has in sorted(capacity.items())
        if resource == _main_resource(kind, live.instances)
    ]
    if not rows:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("instance type", "guaranteed", "of", "", ""):
        table.add_column(column)
    for kind, resource, was, is_, has in rows:
        promised = number(float(is_)) if was == is_ else f"{number(float(was))} → {number(float(is_))}"
        share = float(is_ / has) if has else (2.0 if is_ else 0.0)
        table.add_row(kind, promised, f"{number(float(has))} {resource}", bar(share), f"{share:.0%}")
    console.print()
    console.print(table)


def _main_resource(kind: str, instances: Catalogue) -> str:
    instance = instances.get(kind)
    if instance is None:
        return "instances"
    return "accelerators" if instance.accelerators else "vCPU"


def show_foreign(console: Console, change: ForeignChange) -> None:
    """Somebody else's change, as it was seen."""
    by = f" by {change.by}" if change.by else ""
    console.print(Text(f"Changed by somebody else: {change.title}{by}", "magenta"))
    show_changes(console, change.changes)


def show_outcome(console: Console, outcome: Outcome, path: str) -> None:
    """The verdict, its reason, and every step that did not end well."""
    if outcome.verdict == "Held":
        show_hold(console, outcome.plan, path)
    for result in outcome.results:
        if result.state in ("failed", "skipped", "waiting"):
            console.print(Text(f"  {result.state}: {result.step.title}: {result.detail}", "red"))
    line = Text(outcome.verdict, VERDICT_STYLES[outcome.verdict])
    # The refusals of a plan stand above, each at its place in the file.
    untouched = outcome.verdict == "Rejected" and not outcome.results
    line.append(": nothing was changed" if untouched else f": {outcome.reason}", "default")
    console.print(line, soft_wrap=True)
    if outcome.retry_after is not None:
        console.print(Text(f"Nothing is lost: run it again in about {outcome.retry_after:.0f} s.", "dim"))
