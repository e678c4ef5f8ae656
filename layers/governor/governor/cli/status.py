"""governor status: where every file and every cluster stands, from what the functions wrote down."""

import argparse
import json
from datetime import UTC, datetime
from typing import Any

import msgspec

from governor.cli import deployment, lookup
from governor.cli.lookup import About, Everything
from governor.cli.screen import make_console
from governor.cli.show_status import show_about, show_everything
from governor.cli.standing import in_force_is_older, next_steps, worst
from governor.records.documents import Status

DESCRIPTION = f"""\
Without CLUSTER one line per policy file, those that need somebody on top. '≠' marks a file whose newest version
is not in force: left of it is the version in force, right of it the newest. With CLUSTER everything about it: what
was made of the newest version, the latest run with its plan and its steps, the history, and what to do next.
Only reads the records.

{deployment.WHERE}

exit status: 0 all is well or on its way (Applied, Unchanged, Released, InProgress, Waiting), 3 something is Held,
1 something is Rejected or Failed, or cannot be read"""

DEFAULT_HISTORY = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument(
        "cluster", metavar="CLUSTER", nargs="?", help="name or ARN of a cluster, or a policy file's key"
    )
    deployment.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of text")
    parser.add_argument(
        "--history",
        type=_natural,
        default=DEFAULT_HISTORY,
        metavar="N",
        help=f"entries of a cluster's history (default {DEFAULT_HISTORY})",
    )


def _natural(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 6:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 0 up")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Look and print; the exit status."""
    buckets = deployment.open_buckets(arguments)
    now = datetime.now(UTC)
    if arguments.cluster is None:
        found = lookup.everything(buckets)
        if arguments.json:
            print(json.dumps(everything_document(found, now), indent=2))
        else:
            show_everything(make_console(), found, now)
        return 1 if found.unread else worst([status.verdict for status in found.statuses])
    ones = lookup.about(buckets, arguments.cluster, arguments.history)
    if arguments.json:
        print(json.dumps({"files": [about_document(it, now) for it in ones]}, indent=2))
    else:
        console = make_console()
        for position, it in enumerate(ones):
            if position:
                console.print()
                console.rule(style="dim")
            show_about(console, it, now)
    return worst([it.status.verdict for it in ones])


def everything_document(found: Everything, now: datetime) -> dict[str, Any]:
    """All files, for programs."""
    unseen = found.unseen()
    return {
        "files": [_brief(status, now) for status in found.statuses],
        "notLookedAt": [{"key": item.key, "modified": item.modified.isoformat()} for item in unseen],
        "unreadable": [{"key": item.key, "reason": item.reason} for item in found.unread],
    }


def _brief(status: Status, now: datetime) -> dict[str, Any]:
    run = status.run if status.run is not None and status.run.generation == status.generation else None
    return {
        "key": status.key,
        "verdict": status.verdict,
        "reason": status.reason,
        "cluster": status.cluster_name,
        "clusterArn": status.cluster_arn or status.newest.cluster_arn,
        "since": status.updated.isoformat(),
        "newest": msgspec.to_builtins(status.newest.origin),
        "inForce": msgspec.to_builtins(status.in_force),
        "newestIsInForce": not in_force_is_older(status),
        "leftBehind": lookup.is_left_behind(status.key),
        "fingerprint": run.fingerprint if run else "",
        "next": next_steps(status, run, now),
    }


def about_document(it: About, now: datetime) -> dict[str, Any]:
    """One file in full, as it is written down."""
    return {
        "status": msgspec.to_builtins(it.status),
        "inForce": msgspec.to_builtins(it.force),
        "run": msgspec.to_builtins(it.run),
        "history": [msgspec.to_builtins(entry) for entry in it.history],
        "next": next_steps(it.status, it.run, now),
    }
