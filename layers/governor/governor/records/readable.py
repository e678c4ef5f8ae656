"""A status document as Markdown, for the person who uploaded the file."""

from governor.plan import Change
from governor.policy import Diagnostic
from governor.records.documents import Foreign, Origin, Run, Status, StepDone

_MARKS = {
    "Applied": "✅",
    "Unchanged": "✅",
    "InProgress": "⏳",
    "Waiting": "⏳",
    "Held": "✋",
    "Rejected": "❌",
    "Failed": "❌",
    "Released": "👋",
}
MAX_LINES = 500
"""Messages or steps that are written out; the JSON document has all."""


def readable(status: Status) -> str:
    """The document; plain text to read in any pager as well."""
    newest = status.newest
    lines = [
        f"# {_MARKS[status.verdict]} {status.verdict}: {_code(status.key)}",
        "",
        _line(status.reason),
        "",
        *_table(
            ("cluster", f"{_line(status.cluster_name)} ({status.cluster_arn})" if status.cluster_arn else "not known"),
            ("newest version", "deleted" if newest.answer == "Deleted" else _version(newest.origin)),
            ("in force", _in_force(status)),
            ("uploaded", _uploaded(newest.origin)),
            ("written", f"{status.updated:%Y-%m-%d %H:%M:%S} UTC, revision {status.revision}"),
        ),
    ]
    if newest.diagnostics:
        lines += ["", "## Messages about the newest version", "", *_messages(status.key, newest.diagnostics)]
    if status.run is not None and status.run.cluster_arn == status.cluster_arn:
        lines += _run(status.key, status.run, shown=newest.diagnostics)
    return "\n".join(lines) + "\n"


def _run(key: str, run: Run, shown: tuple[Diagnostic, ...]) -> list[str]:
    lines = [
        "",
        f"## Run {run.number}: {run.verdict}",
        "",
        _line(run.reason),
        "",
        *_table(
            ("version", _version(run.origin)),
            ("began", f"{run.began:%Y-%m-%d %H:%M:%S} UTC"),
            ("last heard of", f"{run.updated:%Y-%m-%d %H:%M:%S} UTC, slice {run.slices}"),
            ("plan", run.fingerprint or "none"),
            ("approval", _approval(run)),
            ("requests", ", ".join(run.requests)),
        ),
    ]
    for warning in run.warnings:
        lines += ["", f"⚠ {_line(warning)}"]
    if run.verdict == "Held":
        lines += [
            "",
            f"Held until somebody approves: {_line(', '.join(run.held))}. If the plan is what you want:",
            "",
            f"    governor approve {run.cluster_name} {run.fingerprint}",
            "",
            f"or upload the same file again with the object metadata `governor-approve: {run.fingerprint}`.",
        ]
    if run.verdict in ("Held", "Rejected") and run.planned:
        lines += ["", "### What it would do", "", *_steps(run.planned)]
    if run.steps:
        lines += ["", "### What it did", "", *_steps(run.steps)]
    for change in run.foreign:
        lines += _foreign(change)
    if run.unmanaged:
        lines += ["", f"Not in the policy and left alone: {_line(', '.join(run.unmanaged))}."]
    left = [item for item in run.diagnostics if item not in shown]
    if left:
        lines += ["", "### Messages", "", *_messages(key, tuple(left))]
    return lines


def _foreign(change: Foreign) -> list[str]:
    by = f" by {_code(change.by)}" if change.by else ""
    return ["", f"Changed by somebody else: {_line(change.title)}{by}", "", *_changes(change.changes, "")]


def _steps(steps: tuple[StepDone, ...]) -> list[str]:
    lines = []
    for position, step in enumerate(steps[:MAX_LINES], 1):
        state = f": {step.state}" if step.state else ""
        detail = f" ({_line(step.detail)})" if step.detail else ""
        lines.append(f"{position}. {step.action} {_line(step.title)} {_code(step.name)}{state}{detail}")
        lines += _changes(step.changes, "   ")
    if len(steps) > MAX_LINES:
        lines.append(f"\n… and {len(steps) - MAX_LINES} more, all in the JSON document.")
    return lines


def _changes(changes: tuple[Change, ...], indent: str) -> list[str]:
    return [
        f"{indent}- {_line(change.what)}: {_line(' → '.join(part for part in (change.before, change.after) if part))}"
        for change in changes
    ]


def _messages(key: str, diagnostics: tuple[Diagnostic, ...]) -> list[str]:
    lines = [
        f"    {_bare(key)}:{item.line}:{item.column}: {item.severity}: {_bare(item.text)}"
        for item in diagnostics[:MAX_LINES]
    ]
    if len(diagnostics) > MAX_LINES:
        lines.append(f"    … and {len(diagnostics) - MAX_LINES} more, all in the JSON document")
    return lines


def _table(*rows: tuple[str, str]) -> list[str]:
    return [
        "| | |",
        "|---|---|",
        *(f"| {name} | {value.replace('|', chr(92) + '|')} |" for name, value in rows if value),
    ]


def _version(origin: Origin) -> str:
    when = f", {origin.modified:%Y-%m-%d %H:%M:%S} UTC" if origin.modified else ""
    return f"{_code(origin.version or 'none')}{when}"


def _in_force(status: Status) -> str:
    if status.in_force is None:
        return "no version of this file"
    if status.in_force.version == status.newest.origin.version:
        return "the newest version"
    return f"{_version(status.in_force)}, an earlier version"


def _uploaded(origin: Origin) -> str:
    parts = [
        f"by account {origin.account}" if origin.account else "",
        f"from {origin.address}" if origin.address else "",
    ]
    return " ".join(part for part in parts if part)


def _approval(run: Run) -> str:
    by = _uploaded(run.approved_by) if run.approved_by else ""
    return f"of plan {_bare(run.approved)} {by}".rstrip() if run.approved else ""


def _bare(text: str) -> str:
    """One line without control characters: what a file says ends up in somebody's terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def _line(text: str) -> str:
    """Text of others inside Markdown: no line of its own, no markup."""
    return "".join(f"\\{char}" if char in "\\`*_<[]#" else char for char in _bare(text))


def _code(text: str) -> str:
    return f"`{_bare(text).replace('`', chr(39))}`"
