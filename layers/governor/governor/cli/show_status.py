"""How the standing of files looks on the screen: all in a table, one in full."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from governor.cli.lookup import About, Everything
from governor.cli.screen import print_diagnostics
from governor.cli.show import VERDICT_STYLES, show_changes
from governor.cli.standing import (
    URGENT,
    age,
    cluster_of,
    file_name,
    in_force_is_older,
    next_steps,
    short,
    uploader,
)
from governor.plan import Change
from governor.policy.wording import counted, printable
from governor.records.documents import Foreign, Origin, Run, Status, StepDone
from governor.records.names import cluster_id
from governor.records.ports import Listed

MAX_TOLD = 10
"""Files in need of somebody that are told in full below the table."""
MAX_STEPS = 50
"""Steps of a run that are shown; the JSON document has all."""
MAX_MESSAGES = 50

NARROW = 130
"""Columns of a terminal below which names are cut sooner."""
MAX_COLUMN = 60

_COLUMNS = ("verdict", "cluster", "file", "version", "since", "reason")
_GAP = "  "
_STEP_MARKS = {"create": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red"), "wait": ("…", "cyan")}
_STATE_STYLES = {"done": "green", "failed": "bold red", "skipped": "red", "conflict": "magenta"}
_LOOK = ("Held", "Rejected", "Failed")


def show_everything(console: Console, found: Everything, now: datetime) -> None:
    """One line per file, the ones that need somebody on top and told in full below."""
    statuses = sorted(found.statuses, key=lambda item: (URGENT.index(item.verdict), item.cluster_name, item.key))
    unseen = found.unseen()
    if not statuses and not unseen and not found.unread:
        console.print("No policy has been received yet. Put one into the bucket under policies/, or: governor doctor")
        return
    names = {status.cluster_arn: status.cluster_name for status in statuses if status.cluster_name}
    rows = []
    waiting = {item.key: item for item in unseen}
    for status in statuses:
        waiting_upload = waiting.pop(status.key, None)
        rows.append(_row(console, status, names, now, newer=waiting_upload is not None))
    rows += [_unseen_row(console, listed, now) for listed in waiting.values()]
    _print_rows(console, rows)
    _show_unread(console, found)
    _show_needy(console, [status for status in statuses if status.verdict in _LOOK], names, now)
    console.print()
    console.print(_summary(statuses, len(waiting), len(found.unread)))
    if found.uploads is None:
        console.print(Text("Uploads that nothing was made of yet cannot be seen: allow s3:ListBucket.", "dim"))


def _print_rows(console: Console, rows: list[tuple[Text, ...]]) -> None:
    """Columns as wide as they have to be, the last one cut to what is left of the line."""
    narrow = console.width < NARROW
    most = {"cluster": 18 if narrow else 32, "file": 24 if narrow else 48}
    rows = [tuple(Text(name, "dim") for name in _COLUMNS), *rows]
    widths = [
        min(max(row[position].cell_len for row in rows), most.get(name, MAX_COLUMN))
        for position, name in enumerate(_COLUMNS[:-1])
    ]
    left = console.width - sum(widths) - len(_GAP) * len(widths)
    for row in rows:
        line = Text()
        for cell, width in zip(row, widths, strict=False):
            cell.truncate(width, overflow="ellipsis", pad=True)
            line.append_text(cell).append(_GAP)
        if left >= len(_COLUMNS[-1]):
            row[-1].truncate(left, overflow="ellipsis")
            line.append_text(row[-1])
        line.rstrip()
        console.print(line, soft_wrap=True)


def _row(console: Console, status: Status, names: Mapping[str, str], now: datetime, *, newer: bool) -> tuple[Text, ...]:
    quiet = "dim" if status.verdict == "Released" else ""
    version = Text("newer upload", "cyan") if newer else _version(status)
    return (
        Text(status.verdict, VERDICT_STYLES[status.verdict]),
        Text(_cluster(status, names), quiet),
        Text(file_name(printable(status.key)), quiet),
        version,
        _since(console, status.updated, now),
        Text(printable(status.reason), "dim" if status.verdict not in _LOOK else ""),
    )


def _unseen_row(console: Console, listed: Listed, now: datetime) -> tuple[Text, ...]:
    return (
        Text("new", "cyan"),
        Text("?", "dim"),
        Text(file_name(printable(listed.key))),
        Text("not looked at", "cyan"),
        _since(console, listed.modified, now),
        Text("looked at within five minutes, or governor doctor says why not", "dim"),
    )


def _version(status: Status) -> Text:
    """The version in force; where it is not the newest one, both, and a mark."""
    newest = short(status.newest.origin.version)
    if status.newest.answer == "Deleted":
        return Text("deleted", "dim" if status.verdict == "Released" else "yellow")
    if not in_force_is_older(status):
        return Text(short(status.in_force.version) if status.in_force else newest, "dim")
    line = Text(short(status.in_force.version) if status.in_force else "none")
    line.append(f" ≠ {newest}", "bold yellow")
    return line


def _cluster(status: Status, names: Mapping[str, str]) -> str:
    arn = status.cluster_arn or status.newest.cluster_arn
    return status.cluster_name or names.get(arn, "") or (cluster_id(arn) if arn else "?")


def _since(console: Console, then: datetime, now: datetime) -> Text:
    return Text(age(then, now) if console.is_terminal else f"{then:%Y-%m-%dT%H:%M:%SZ}", "dim")


def _show_unread(console: Console, found: Everything) -> None:
    for item in found.unread:
        console.print(Text(f"cannot be read: {printable(item.key)}: {printable(item.reason)}", "bold red"))


def _show_needy(console: Console, needy: list[Status], names: Mapping[str, str], now: datetime) -> None:
    for status in needy[:MAX_TOLD]:
        console.print()
        head = Text(status.verdict, VERDICT_STYLES[status.verdict])
        head.append(f"  {_cluster(status, names)}", "bold")
        head.append(f"  {printable(status.key)}")
        console.print(head, soft_wrap=True)
        reason = Text(printable(status.reason))
        if console.is_terminal:
            console.print(Padding(reason, (0, 0, 0, 2)))
        else:
            console.print(Text("  ").append_text(reason), soft_wrap=True)
        show_next_steps(console, next_steps(status, status.run, now), indent="  ")
    if len(needy) > MAX_TOLD:
        console.print()
        console.print(f"… and {len(needy) - MAX_TOLD} more: governor status CLUSTER tells one in full")


def show_next_steps(console: Console, steps: Iterable[str], indent: str = "") -> None:
    """What a person can do; never wrapped, so that it can be copied."""
    for step in steps:
        console.print(Text(f"{indent}→ {step}", "cyan"), soft_wrap=True)


def _summary(statuses: list[Status], new: int, unread: int) -> Text:
    counts = Counter[str](status.verdict for status in statuses)
    line = Text(f"{counted(len(statuses) + new + unread, 'file')}: ")
    parts = [(f"{counts[verdict]} {verdict}", VERDICT_STYLES[verdict]) for verdict in URGENT if counts[verdict]]
    parts += [(f"{new} not looked at yet", "cyan")] if new else []
    parts += [(f"{unread} unreadable", "bold red")] if unread else []
    for position, (words, style) in enumerate(parts):
        line.append(", " if position else "").append(words, style)
    older = sum(in_force_is_older(status) for status in statuses)
    if older:
        line.append(f"; the newest version of {counted(older, 'file')} is not in force (≠)", "yellow")
    return line


def show_about(console: Console, it: About, now: datetime) -> None:
    """One file in full."""
    status, run = it.status, it.run
    head = Text(status.verdict, VERDICT_STYLES[status.verdict])
    head.append(f"  {cluster_of(status) or 'cluster not known'}", "bold")
    head.append(f"  {printable(status.key)}")
    console.print(head, soft_wrap=True)
    console.print(Text(printable(status.reason)), soft_wrap=not console.is_terminal)
    console.print()
    _pairs(console, _facts(it, now))
    if status.newest.diagnostics:
        _heading(console, "Messages about the newest version")
        print_diagnostics(console, printable(status.key), status.newest.diagnostics[:MAX_MESSAGES])
        _more(console, len(status.newest.diagnostics), MAX_MESSAGES)
    if run is not None:
        _show_run(console, run, status, now)
    if it.history:
        _heading(console, "History, the newest first")
        _show_history(console, it.history)
    steps = next_steps(status, run, now)
    if steps:
        _heading(console, "What to do")
        show_next_steps(console, steps)


def _facts(it: About, now: datetime) -> list[tuple[str, Text]]:
    status, newest = it.status, it.status.newest
    uploaded = Text(f"{newest.answer.lower()}; {_origin(newest.origin, now)}")
    facts = [("cluster", Text(status.cluster_arn or newest.cluster_arn)), ("newest version", uploaded)]
    if status.in_force is None:
        facts.append(("in force", Text("no version of this file", "yellow")))
    elif in_force_is_older(status):
        facts.append(("in force", Text(f"an earlier version: {_origin(status.in_force, now)}", "bold yellow")))
    else:
        facts.append(("in force", Text("the newest version" if newest.answer != "Deleted" else "the last version")))
    if it.force is not None and status.in_force is not None:
        facts.append(("if it is deleted", Text(f"onDelete: {it.force.on_delete}")))
    if status.state not in (None, "InForce"):
        facts.append(("state", Text(str(status.state), "yellow")))
    facts.append(("since", Text(f"{status.updated:%Y-%m-%d %H:%M:%S} UTC, {age(status.updated, now)} ago")))
    return facts


def _origin(origin: Origin, now: datetime) -> str:
    parts = [origin.version or "no version"]
    if origin.modified is not None:
        parts.append(f"{origin.modified:%Y-%m-%d %H:%M:%S} UTC, {age(origin.modified, now)} ago")
    by = uploader(origin)
    return ", ".join([*parts, by] if by else parts)


def _show_run(console: Console, run: Run, status: Status, now: datetime) -> None:
    _heading(console, f"Latest run: number {run.number}")
    calls = ", ".join(f"{count} × {printable(name)}" for name, count in sorted(run.calls.items()))
    verdict = Text(run.verdict, VERDICT_STYLES[run.verdict])
    verdict.append(f": {printable(run.reason)}", "default")
    took = (
        f"{run.began:%Y-%m-%d %H:%M:%S} UTC, last heard of {age(run.updated, now)} ago, {counted(run.slices, 'slice')}"
    )
    approved = ""
    if run.approved:
        approved = f"{printable(run.approved)} {uploader(run.approved_by) if run.approved_by else ''}".rstrip()
    rows = [
        ("verdict", verdict),
        ("version", Text(run.origin.version)),
        ("began", Text(took)),
        ("why", Text(printable(run.why))),
        ("plan", Text(run.fingerprint)),
        ("approved", Text(approved)),
        ("calls", Text(calls)),
        ("requests", Text(", ".join(run.requests[-5:]))),
    ]
    _pairs(console, rows)
    for warning in run.warnings:
        console.print(Text(f"warning: {printable(warning)}", "yellow"), soft_wrap=True)
    if run.verdict in ("Held", "Rejected") and run.planned:
        show_planned(console, run)
    if run.steps:
        console.print()
        console.print(Text("What it did", "bold"))
        _show_steps(console, run.steps)
    for change in run.foreign:
        _show_foreign(console, change)
    if run.unmanaged:
        console.print(Text(f"Not in the policy and left alone: {printable(', '.join(run.unmanaged))}.", "dim"))
    left = tuple(item for item in run.diagnostics if item not in status.newest.diagnostics)
    if left:
        _heading(console, "Messages of the run")
        print_diagnostics(console, printable(run.origin.key), left[:MAX_MESSAGES])
        _more(console, len(left), MAX_MESSAGES)


def show_planned(console: Console, run: Run) -> None:
    """What a held run would do, and which of it is held."""
    console.print()
    line = Text("What it would do", "bold")
    if run.held:
        line.append(f"; held: {printable(', '.join(run.held))}", "bold yellow")
    console.print(line, soft_wrap=True)
    _show_steps(console, run.planned)


def _show_steps(console: Console, steps: tuple[StepDone, ...]) -> None:
    for position, step in enumerate(steps[:MAX_STEPS], 1):
        mark, style = _STEP_MARKS.get(step.action, ("·", "default"))
        line = Text(f"{position:3}. ")
        line.append(f"{mark} {step.action} {printable(step.title)}", style)
        line.append(f"  {printable(step.name)}")
        if step.state:
            line.append(f"  {step.state}", _STATE_STYLES.get(step.state, "yellow"))
        if step.detail:
            line.append(f"  ({printable(step.detail)})", "dim")
        console.print(line, soft_wrap=True)
        show_changes(console, _harmless(step.changes))
    _more(console, len(steps), MAX_STEPS)


def _harmless(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """What a file or another person says ends up on a terminal."""
    return tuple(
        msgspec.structs.replace(
            each, what=printable(each.what), before=printable(each.before), after=printable(each.after)
        )
        for each in changes
    )


def _show_foreign(console: Console, change: Foreign) -> None:
    by = f" by {printable(change.by)}" if change.by else ""
    console.print(Text(f"Changed by somebody else: {printable(change.title)}{by}", "magenta"), soft_wrap=True)
    show_changes(console, _harmless(change.changes))


def _show_history(console: Console, runs: Iterable[Run]) -> None:
    _print_folded(
        console,
        [
            (
                Text(f"{run.updated:%Y-%m-%d %H:%M:%S}"),
                Text(f"#{run.number}", "dim"),
                Text(run.verdict, VERDICT_STYLES[run.verdict]),
                Text(short(run.origin.version), "dim"),
                Text(printable(run.reason), "dim"),
            )
            for run in runs
        ],
    )


def _pairs(console: Console, rows: Iterable[tuple[str, Text]]) -> None:
    _print_folded(console, [(Text(f"{name:<16}", "dim"), value) for name, value in rows if value.plain])


def _print_folded(console: Console, rows: list[tuple[Text, ...]]) -> None:
    """Columns, the last of them folded under itself on a terminal and whole elsewhere."""
    if console.is_terminal:
        table = Table.grid(padding=(0, 2, 0, 0))
        for _ in rows[0][:-1]:
            table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for row in rows:
            table.add_row(*row)
        console.print(table)
        return
    widths = [max(row[position].cell_len for row in rows) for position in range(len(rows[0]) - 1)]
    for row in rows:
        line = Text()
        for cell, width in zip(row, widths, strict=False):
            cell.truncate(width, pad=True)
            line.append_text(cell).append(_GAP)
        console.print(line.append_text(row[-1]), soft_wrap=True)


def _heading(console: Console, words: str) -> None:
    console.print()
    console.print(Text(words, "bold"))


def _more(console: Console, count: int, shown: int) -> None:
    if count > shown:
        console.print(Text(f"… and {count - shown} more, all in --json", "dim"))
