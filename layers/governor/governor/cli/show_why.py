"""How the answer of ``governor why`` looks on the screen: state and reason first, then who, then the details."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text

from governor.cli.standing import age
from governor.kueue.explaining import Explanation, Job, State, spoken
from governor.kueue.explaining.answer import Line, Neighbour, PodSet, Preemption, Reason, Told, Users
from governor.policy.wording import counted, printable

_STYLES = {
    State.RUNNING: ("✓", "bold green"),
    State.FINISHED: ("✓", "green"),
    State.ADMITTED: ("✓", "green"),
    State.HELD: ("…", "bold yellow"),
    State.WAITING: ("…", "bold yellow"),
    State.PREEMPTED: ("…", "bold yellow"),
    State.EVICTED: ("…", "bold yellow"),
}
_TROUBLE = ("✗", "bold red")
_WIDTH = 11
MOST_REASONS = 10
MOST_NAME = 40
MOST_CHARACTERS = 200
"""Of an event at a terminal; elsewhere it is whole."""


def show_why(console: Console, found: Explanation, cluster: str, now: datetime) -> None:
    """All that is known of one workload."""
    _headline(console, found, now)
    if found.state is State.ADMITTED and not found.reasons:  # Kueue up to 0.12 says nothing of pods
        pods = f"kubectl get pods -n {found.job.namespace}"
        _put(console, "    → ", f"Kueue's part is done; if its pods do not run: {pods}", "cyan")
    for reason in found.reasons[:MOST_REASONS]:
        _reason(console, reason, several=len(found.pod_sets) > 1)
    if len(found.reasons) > MOST_REASONS:
        _put(console, "  ", f"and {len(found.reasons) - MOST_REASONS} more of the kind; --json has all", "dim")
    if found.preemption is not None:
        _preemption(console, found.preemption, now)
    _facts(console, found, cluster, now)
    if found.line is not None:
        _line(console, found.line)
    if found.users is not None:
        _users(console, found, found.users)
    if found.events:
        _title(console, "what Kueue has told last")
        for event in found.events:
            _event(console, event, now)
    for unseen in found.unseen:
        console.print()
        _put(console, "? ", f"could not look at {unseen}", "magenta")


def _headline(console: Console, found: Explanation, now: datetime) -> None:
    mark, style = _STYLES.get(found.state, _TROUBLE)
    if found.state is State.ADMITTED and found.reasons:
        mark, style = _STYLES[State.HELD]
    job = found.job
    kind = f"{job.kind} " if job.kind else ""
    told = f"{kind}{job.name} of {job.owner} {found.words}"
    since = f" ({_since(console, found, now)})" if found.since else ""
    _put(console, f"{mark} ", f"{told}{since}", style)


def _reason(console: Console, reason: Reason, *, several: bool) -> None:
    of_pods = f"pods {reason.pod_set}: " if several and reason.pod_set else ""
    flavor = f"{reason.flavor}: " if reason.flavor else ""
    mark, style = ("· ", "dim") if reason.aside else ("✗ ", "")
    _put(console, f"  {mark}", f"{of_pods}{flavor}{reason.words}", style)
    for fact in reason.facts:
        _put(console, "    ", fact, "dim")
    for remedy in reason.remedies:
        _put(console, "    → ", remedy, "cyan")


def _preemption(console: Console, found: Preemption, now: datetime) -> None:
    times = f" ({found.times} times so far)" if found.times > 1 else ""
    at = f" {_time(console, found.at, now)}" if found.at else ""
    _title(console, f"{'was preempted before' if found.over else 'preempted'}{at}{times}")
    _put(console, "  by ", f"{_by(found)}: {found.words}")
    if found.remedy and not found.over:
        _put(console, "    → ", found.remedy, "cyan")


def _by(found: Preemption) -> str:
    if found.by is not None:
        return f"{found.by.kind or 'job'} {found.by.name} of {found.by.owner} (priority {found.by_priority})"
    known = [
        f"workload UID {found.by_uid}" if found.by_uid else "",
        f"job UID {found.by_job_uid}" if found.by_job_uid else "",
    ]
    queue = f" of queue {found.by_cluster_queue}" if found.by_cluster_queue else ""
    return f"a job{queue} that is gone, or not to be seen ({', '.join(filter(None, known)) or 'no UID is told'})"


def _facts(console: Console, found: Explanation, cluster: str, now: datetime) -> None:
    _title(console, "the job")
    queue = " → ".join(filter(None, (found.queue or "none", found.cluster_queue)))
    named = f" ({found.priority_class})" if found.priority_class else ""
    facts = {
        "cluster": cluster,
        "namespace": found.job.namespace,
        "queue": f"{queue} (cohort {found.cohort})" if found.cohort else queue,
        "priority": f"{found.priority}{named}",
        "asks for": _asked(found.pod_sets, found.total),
        "workload": f"{found.job.workload}, submitted {_time(console, found.created, now)}",
    }
    for name, value in facts.items():
        _put(console, Text(f"  {name:<{_WIDTH}}", "dim"), value)


def _asked(pod_sets: Iterable[PodSet], total: Mapping[str, str]) -> str:
    """E.g. "4 pods × 1 nvidia.com/gpu, 16 cpu; in all 4 nvidia.com/gpu, 64 cpu"."""
    listed = list(pod_sets)
    parts = [
        f"{f'{each.name}: ' if len(listed) > 1 else ''}{counted(each.count, 'pod')} × {spoken(each.requests)}"
        for each in listed
    ]
    one = len(listed) == 1 and listed[0].count == 1
    return "; ".join(parts) if one else f"{'; '.join(parts)}; in all {spoken(total)}"


def _line(console: Console, found: Line) -> None:
    _title(console, "in line")
    if not found.ahead:
        one = "it is the only one that waits in its queue"
        _put(
            console, "  ", f"it is tried first of {found.waiting} that wait in its queue" if found.waiting > 1 else one
        )
        return
    are = "1 is" if found.ahead == 1 else f"{found.ahead} are"
    rule = "nobody is admitted before them" if found.strict else "more important, or as important and older"
    _put(console, "  ", f"of {found.waiting} that wait in its queue {are} tried before it: {rule}")
    for rival in found.first:
        _put(console, "    ", f"{_name(rival.job)}  priority {rival.priority}")
    if found.ahead > len(found.first):
        _put(console, "    ", f"and {found.ahead - len(found.first)} more", "dim")


def _users(console: Console, found: Explanation, users: Users) -> None:
    _title(console, f"who uses the quota of {found.cluster_queue}")
    if not users.number:
        _put(console, "  ", "nobody")
    rows = [(_name(each.job), f"priority {each.priority}", _holds(each.holds)) for each in users.first]
    _rows(console, rows)
    if users.number > len(users.first):
        _put(console, "  ", f"and {users.number - len(users.first)} more; in all {_holds(users.total)}", "dim")
    if found.neighbours:
        _title(console, f"the other queues of cohort {found.cohort}")
        _rows(console, [_neighbour(each) for each in found.neighbours])
    if found.more_neighbours:
        _put(console, "  ", f"and {found.more_neighbours} more queues", "dim")


def _neighbour(found: Neighbour) -> tuple[str, str, str]:
    borrowed = f", borrowed of it {_holds(found.borrowed)}" if found.borrowed else ""
    return found.team or found.cluster_queue, counted(found.number, "job"), f"{_holds(found.total)}{borrowed}"


def _event(console: Console, found: Told, now: datetime) -> None:
    often = f" (×{found.count})" if found.count > 1 else ""
    at = _time(console, found.at, now, ago="") if found.at else "?"
    message = found.message
    if console.is_terminal and len(message) > MOST_CHARACTERS:
        message = f"{message[:MOST_CHARACTERS]}…"
    style = "yellow" if found.type == "Warning" else ""
    _put(console, Text(f"  {at:<7}  ", "dim"), f"{found.reason}{often}: {message}", style)


def _name(job: Job) -> str:
    return f"{job.name}" if not job.owner else f"{job.owner}/{job.name}"


def _holds(holds: Mapping[str, Mapping[str, str]]) -> str:
    parts = [f"{spoken(amounts)}{f' of {flavor}' if flavor else ''}" for flavor, amounts in holds.items()]
    return "; ".join(parts) or "nothing"


def _rows(console: Console, rows: list[tuple[str, str, str]]) -> None:
    """Three columns, the last one below the others where a terminal is too narrow for all."""
    widths = [min(max((len(row[column]) for row in rows), default=0), MOST_NAME) for column in (0, 1)]
    narrow = console.is_terminal and sum(widths) + 6 > console.width * 3 // 5
    for first, second, last in rows:
        if narrow:
            _put(console, "  ", f"{first}  {second}")
            _put(console, "      ", last)
        else:
            _put(console, f"  {printable(first):<{widths[0]}}  {printable(second):<{widths[1]}}  ", last)


def _time(console: Console, at: int, now: datetime, ago: str = " ago") -> str:
    """An age for a person at a terminal, the time itself in a pipe."""
    then = datetime.fromtimestamp(at, UTC)
    return f"{age(then, now)}{ago}" if console.is_terminal else f"{then:%Y-%m-%dT%H:%M:%SZ}"


def _since(console: Console, found: Explanation, now: datetime) -> str:
    if found.state is State.FINISHED or not console.is_terminal:
        return f"{'' if console.is_terminal else 'since '}{_time(console, found.since, now)}"
    return f"for {_time(console, found.since, now, ago='')}"


def _title(console: Console, title: str) -> None:
    console.print()
    _put(console, "", title, "bold")


def _put(console: Console, lead: str | Text, body: str, style: str = "") -> None:
    """A line; where it is too long for a terminal, the rest of it stands below its beginning. In a pipe it is whole."""
    lead = lead if isinstance(lead, Text) else Text(lead, style)
    text = Text(printable(body), style)
    if not console.is_terminal:
        console.print(lead + text, soft_wrap=True)
        return
    room = max(20, console.width - lead.cell_len)
    for position, part in enumerate(text.wrap(console, room)):
        console.print((lead if position == 0 else Text(" " * lead.cell_len)) + part, soft_wrap=True)
