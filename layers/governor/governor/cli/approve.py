"""governor approve: lets exactly the plan through that is held, and waits for what becomes of it."""

import argparse
import json

from rich.console import Console
from rich.text import Text

from governor.cli import deployment, lookup, waiting
from governor.cli.screen import make_console
from governor.cli.show_status import show_planned
from governor.cli.waiting import Seen
from governor.errors import PermanentError
from governor.policy.wording import printable
from governor.records.documents import InForce, Run
from governor.records.names import approval_key
from governor.records.store import JSON, Documents

DESCRIPTION = f"""\
Approves the plan that is held for a cluster, by the fingerprint that 'governor status CLUSTER' shows, and waits for
the verdict. Refused when another plan is held by now. What it writes is an object under approvals/ in the bucket
of policies; who may write there may approve.

{deployment.WHERE}

{waiting.EXIT_WORDS}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("cluster", metavar="CLUSTER", help="name or ARN of the cluster")
    parser.add_argument("fingerprint", metavar="FINGERPRINT", help="of the held plan")
    deployment.add_arguments(parser)
    waiting.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Approve and wait; the exit status."""
    console = make_console()
    buckets = deployment.open_buckets(arguments)
    documents = buckets.records
    force = lookup.governed(documents, arguments.cluster)
    held = lookup.latest_run(documents, force.cluster_arn)
    fingerprint = arguments.fingerprint.strip()
    if _is_given_already(force, held, fingerprint):
        console.print(f"The plan {fingerprint} is approved already.")
        since = force.generation - 1
    else:
        run = _held(documents, force, held, fingerprint)
        _show(console, force, run)
        data = json.dumps({"fingerprint": fingerprint}).encode()
        buckets.policies.replace(approval_key(force.cluster_arn), data, JSON)
        console.print(f"Approved: {fingerprint}.")
        since = force.generation

    def look() -> Seen | None:
        latest = lookup.latest_run(documents, force.cluster_arn)
        if latest is None or latest.generation <= since:
            return None
        return Seen(latest.verdict, latest.reason, latest.verdict != "InProgress")

    return waiting.wait_for(console, look, arguments.wait, f"governor status {force.cluster_name}")


def _is_given_already(force: InForce, run: Run | None, fingerprint: str) -> bool:
    """True when the approval was taken over and nothing has asked for another since."""
    if force.approve != fingerprint:
        return False
    return run is None or run.generation < force.generation or run.verdict != "Held" or not run.settled


def _held(documents: Documents, force: InForce, run: Run | None, fingerprint: str) -> Run:
    """The held run that is approved; PermanentError says what is held instead."""
    name = force.cluster_name
    if run is None or run.generation < force.generation:
        raise PermanentError(
            f"nothing is held for {name} yet: version {force.origin.version} of {printable(force.origin.key)} waits "
            f"for its run; see 'governor status {name}'"
        )
    if run.verdict != "Held":
        latest = f"{run.verdict} ({printable(run.reason)})"
        was = _was(documents, force, fingerprint)
        raise PermanentError(f"nothing is held for {name}: its latest run is {latest}{was}")
    if run.fingerprint != fingerprint:
        raise PermanentError(
            f"the plan that is held for {name} is {run.fingerprint} ({printable(', '.join(run.held))}), not "
            f"{printable(fingerprint)}{_was(documents, force, fingerprint)}; look at it: governor status {name}; "
            f"then: governor approve {name} {run.fingerprint}"
        )
    return run


def _was(documents: Documents, force: InForce, fingerprint: str) -> str:
    """What the history says of a fingerprint that is not the one that is held."""
    for entry in lookup.entries(documents, force.cluster_arn, 100):
        if entry.fingerprint == fingerprint:
            return f"; that plan was {entry.verdict} on {entry.updated:%Y-%m-%d %H:%M:%S} UTC and has changed since"
    return "; no plan of this fingerprint is in the history"


def _show(console: Console, force: InForce, run: Run) -> None:
    line = Text("Cluster ")
    line.append(force.cluster_name, "bold")
    line.append(f"  {printable(force.origin.key)}, version {force.origin.version}")
    console.print(line, soft_wrap=True)
    show_planned(console, run)
    console.print()
