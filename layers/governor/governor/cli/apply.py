"""governor apply: brings the cluster to what the policy says, with progress, and ends in a verdict."""

import argparse
import json

from governor.apply import Outcome, Progress, SystemClock, Writer, WriterSettings
from governor.cli import cluster
from governor.cli.documents import outcome_document, rejected_document
from governor.cli.progress import watching
from governor.cli.screen import make_console, print_diagnostics
from governor.cli.show import show_cluster, show_outcome

DESCRIPTION = """\
Plans and carries out the plan step by step; each step is waited for until the service says it is steady.
What would remove teams, replace a quota or delete the cluster policy is held until it is approved.
Run it again at any time: it converges, and an unchanged cluster costs no call that writes.

exit status: 0 applied or unchanged, 1 rejected or failed, 3 held for an approval, 4 stopped at --timeout"""

DEFAULT_TIMEOUT = 1800.0
"""Seconds: a transition that takes half an hour is stuck, and a CI job should hear of it."""

EXIT_STATUS = {"Applied": 0, "Unchanged": 0, "Rejected": 1, "Failed": 1, "Held": 3, "InProgress": 4}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    cluster.add_arguments(parser)
    parser.add_argument(
        "--approve",
        metavar="FINGERPRINT",
        help="approve a held plan by its fingerprint, as 'governor plan' shows it; others need no approval",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=DEFAULT_TIMEOUT,
        metavar="SECONDS",
        help=f"stop between steps after this time, to be carried on by another run (default {DEFAULT_TIMEOUT:.0f})",
    )
    parser.add_argument(
        "--concurrency",
        type=cluster.concurrency,
        metavar="N",
        help="independent steps side by side (default 2; GOVERNOR_CONCURRENCY)",
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 1e6:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds above 0")
    return seconds


def run(arguments: argparse.Namespace) -> int:
    """Apply, with progress on the screen; the exit status."""
    console = make_console(stderr=arguments.json)
    governed = cluster.open_governed(arguments)
    if isinstance(governed, cluster.Broken):
        if arguments.json:
            print(json.dumps(rejected_document(governed.path, governed.diagnostics), indent=2))
        else:
            print_diagnostics(console, governed.path, governed.diagnostics)
            console.print("Rejected: nothing was changed", style="bold red")
        return EXIT_STATUS["Rejected"]
    if not arguments.json:
        print_diagnostics(console, governed.path, governed.opened.parsed.diagnostics)
        show_cluster(console, governed.cluster)
    with watching(console) as progress:
        outcome = _apply(governed, arguments, progress)
    if arguments.json:
        diagnostics = governed.opened.diagnostics(outcome.plan)
        print(json.dumps(outcome_document(outcome, governed.path, diagnostics), indent=2))
    else:
        print_diagnostics(console, governed.path, governed.opened.planned(outcome.plan))
        show_outcome(console, outcome, governed.path)
    return EXIT_STATUS[outcome.verdict]


def _apply(governed: cluster.Governed, arguments: argparse.Namespace, progress: Progress) -> Outcome:
    settings = WriterSettings(governed.rules, governed.settings.concurrency, arguments.timeout)
    writer = Writer(governed.api, governed.records, SystemClock(), settings, progress)
    return writer.apply(governed.opened.desired, governed.cluster, governed.opened.instances, arguments.approve)
