"""How an add-on looks on the screen."""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from governor.addon.checks import Check
from governor.addon.report import Report, Told
from governor.policy.wording import printable
from governor.records.documents import AddonSeen

_MARKS = {"pass": ("✓", "green"), "fail": ("✗", "bold red"), "unknown": ("?", "magenta")}
_HEALTH = {
    True: ("✓ healthy", "bold green"),
    False: ("✗ not healthy", "bold red"),
    None: ("? not seen", "bold magenta"),
}
_WIDTH = 18


def show_addon(console: Console, report: Report, last: AddonSeen | None, unread: str) -> None:
    """The verdict first, then the facts, then every check."""
    _line(console, Text(_headline(report), "bold"))
    console.print()
    word, style = _HEALTH[report.healthy]
    _line(console, Text.assemble((word, style), f": {printable(report.summary)}"))
    _remedy(console, report.remedy)
    console.print()
    for name, value in _facts(report):
        _line(console, Text.assemble((f"  {name:<{_WIDTH}}", "dim"), printable(value)))
    if report.issues:
        console.print()
        _line(console, Text("health issues", "bold"))
        for issue in report.issues:
            _issue(console, issue)
    console.print()
    _line(console, Text("what an installation or an update has to pass", "bold"))
    for check in report.checks:
        _check(console, check)
    console.print()
    _line(console, Text(_last(last, unread), "dim"))


def _headline(report: Report) -> str:
    below = f" (EKS cluster {report.eks_cluster}" if report.eks_cluster else ""
    kubernetes = f", Kubernetes {report.kubernetes_version}" if report.kubernetes_version else ""
    return printable(f"The add-on of {report.cluster}{below}{kubernetes}{')' if below else ''}")


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    yield "installed", {True: "yes", False: "no", None: "could not look"}[report.installed]
    if report.version:
        kueue = f"Kueue {report.kueue_version}" if report.kueue_version else "its Kueue is not documented"
        yield "version", f"{report.version} ({kueue})"
    if report.status:
        yield "status", report.status
    if report.controller:
        yield "controller", report.controller
    if report.webhook:
        yield "webhook", report.webhook
    yield "the file asks for", report.wanted or "nothing (no addon block, or no policy in force)"
    if report.default_version:
        yield "EKS's default", report.default_version
    if report.newest_version:
        yield "newest", report.newest_version + _upgrade(report)
    if report.upgrade is not None and report.upgrade.remedy:
        yield "", f"→ {report.upgrade.remedy}"


def _upgrade(report: Report) -> str:
    upgrade = report.upgrade
    if upgrade is None:
        return ""
    if upgrade.to == report.version:
        return ", which is installed"
    if upgrade.verdict == "pass":
        return ", one plain update away"
    word = {"fail": "not one plain update away", "unknown": "whether it is one plain update away cannot be said"}
    return f", {word[upgrade.verdict]}: {upgrade.reason}"


def _issue(console: Console, issue: Told) -> None:
    about = f" ({', '.join(issue.resources)})" if issue.resources else ""
    _line(console, Text.assemble(("  ✗ ", "bold red"), printable(f"{issue.code or 'error'}: {issue.message}{about}")))
    if issue.means:
        _line(console, Text(f"    it means that {printable(issue.means)}"))
    _remedy(console, issue.remedy, "    ")


def _check(console: Console, check: Check) -> None:
    mark, style = _MARKS[check.verdict]
    could_not = "could not look: " if check.verdict == "unknown" else ""
    line = Text.assemble((f"  {mark} ", style), f"{check.name:<{_WIDTH + 3}}", could_not + printable(check.reason))
    _line(console, line)
    _remedy(console, check.remedy, " " * (_WIDTH + 7))


def _remedy(console: Console, remedy: str, indent: str = "  ") -> None:
    if remedy:
        _line(console, Text(f"{indent}→ {printable(remedy)}", "cyan"))


def _last(last: AddonSeen | None, unread: str) -> str:
    if unread:
        return printable(f"What the deployment knows could not be read: {unread}")
    if last is None:
        return "verify_addon has not looked at this cluster yet."
    at, since = f"{last.at:%Y-%m-%d %H:%M} UTC", f"{last.since:%Y-%m-%d %H:%M} UTC"
    return printable(f"verify_addon saw at {at}, unchanged since {since}: {last.state}")


def _line(console: Console, line: Text) -> None:
    console.print(line, soft_wrap=True)
