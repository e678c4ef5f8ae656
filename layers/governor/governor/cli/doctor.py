"""governor doctor: looks at a deployment, changes nothing, and says what to mend."""

import argparse
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from rich.console import Console
from rich.text import Text

from governor.aws.clients import Clients
from governor.aws.inspection import Inspection, NotAllowedError
from governor.aws.kubernetes.access import AccessEntries
from governor.aws.session import Aws
from governor.aws.stack import Stack, Stacks
from governor.aws.surroundings import Surroundings
from governor.aws.versions import VersionedBucket
from governor.cli import deployment
from governor.cli.checks_around import AROUND_CHECKS, FIRST
from governor.cli.checks_kubernetes import kubernetes_checks
from governor.cli.checks_stack import STACK_CHECKS
from governor.cli.checks_usage import USAGE_CHECKS
from governor.cli.checkup import Check, Finding, Patient, examine
from governor.cli.screen import make_console
from governor.errors import AccessError, GovernorError
from governor.policy.wording import counted, printable
from governor.records.store import Documents

DESCRIPTION = f"""\
Looks at the parts of a deployment, the way of a file first: the stack, the buckets, rules, functions and queues, then
alarms, notifications, logs, what publishes usage and when it last did, and the clusters that the files name, with their
add-on and whether the functions get into their Kubernetes API. Only reads. Where a permission is missing it says which,
and looks at the rest.

{deployment.WHERE}

exit status: 0 all is well (warnings, and what could not be looked at, allowed), 1 problems"""

MAX_ABOUT = 36
"""Columns for what a finding is about; a longer name moves its line's text."""
_STYLES = {"ok": "green", "warning": "bold yellow", "problem": "bold red", "could not look": "magenta"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    deployment.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of text")


def run(arguments: argparse.Namespace) -> int:
    """Examine and print; the exit status."""
    console = make_console(stderr=arguments.json)
    with console.status("looking at the deployment"):
        findings = diagnose(arguments.stack, os.environ)
    if arguments.json:
        print(json.dumps(document(findings), indent=2))
    else:
        show(console, findings)
    return 1 if any(item.level == "problem" for item in findings) else 0


def diagnose(stack: str | None, environment: Mapping[str, str]) -> list[Finding]:
    """All findings about the deployment that is meant."""
    clients = Clients(Aws())
    surroundings = Surroundings(clients)
    try:
        surroundings.caller()
    except GovernorError as error:
        return [Finding("problem", "credentials", str(error), "nothing else can be looked at")]
    patient = admit(stack, environment, clients, surroundings)
    return findings_of(patient, kubernetes_checks(AccessEntries(clients.eks)))


def findings_of(patient: Patient, more: Sequence[Check] = ()) -> list[Finding]:
    """All findings, those of ``more`` last; where there is no deployment at all, nothing more is looked at."""
    first = [*examine(patient, (*FIRST, STACK_CHECKS[0]))]
    if patient.stack is None and patient.buckets is None:
        problem_ = Finding("problem", "deployment", "cannot be found, so nothing of it was looked at", "see above")
        return [*first, problem_]
    return [*first, *examine(patient, (*STACK_CHECKS[1:], *USAGE_CHECKS, *AROUND_CHECKS, *more))]


def admit(stack: str | None, environment: Mapping[str, str], clients: Clients, surroundings: Surroundings) -> Patient:
    """Find the stack and the buckets, as far as they can be found."""
    stacks = Stacks(clients.cloudformation)
    name = deployment.stack_name(stack, environment)
    found: Stack | None = None
    refused: GovernorError | None = None
    try:
        found = deployment.find_stack(stacks, name)
    except AccessError as error:
        refused = NotAllowedError("cloudformation:DescribeStacks", str(error))
    except GovernorError as error:
        refused = error
    buckets, names = None, ("", "")
    try:
        names = deployment.bucket_names(stack, environment, lambda _name: _given(found, refused))
        policies, records = (VersionedBucket(clients.aws.s3, each) for each in names)
        buckets = deployment.Buckets(policies, Documents(records))
    except GovernorError as error:
        refused = refused or error
    return Patient(
        Inspection(clients),
        surroundings,
        buckets,
        found,
        lambda: stacks.resources(name),
        datetime.now(UTC),
        refused,
        names,
    )


def _given(stack: Stack | None, refused: GovernorError | None) -> Stack:
    if stack is None:
        raise refused or AssertionError
    return stack


def show(console: Console, findings: list[Finding]) -> None:
    """One line per finding, with what to do under those that need something, and a last line of sums."""
    width = min(max((len(item.about) for item in findings), default=0), MAX_ABOUT)
    for item in findings:
        line = Text(f"{item.level:<14}  ", _STYLES[item.level])
        line.append(f"{printable(item.about):<{width}}  ", "bold" if item.level == "problem" else "default")
        line.append(printable(item.text), "dim" if item.level == "ok" else "default")
        console.print(line, soft_wrap=True)
        if item.remedy and item.level in ("problem", "warning"):
            console.print(Text(f"{'':<16}→ {printable(item.remedy)}", "cyan"), soft_wrap=True)
    console.print()
    console.print(_summary(findings), soft_wrap=True)


def _summary(findings: list[Finding]) -> Text:
    counts = Counter[str](item.level for item in findings)
    if not counts["problem"] and not counts["warning"]:
        line = Text("No problem found" if counts["could not look"] else "All is well", "bold green")
    else:
        line = Text(f"{counted(counts['problem'], 'problem')}, {counted(counts['warning'], 'warning')}")
        line.stylize("bold red" if counts["problem"] else "bold yellow")
    line.append(f"; {counts['ok']} ok", "default")
    if counts["could not look"]:
        permissions = sorted({item.permission for item in findings if item.permission})
        line.append(f"; {counts['could not look']} could not be looked at", "magenta")
        if permissions:
            line.append(f": allow {', '.join(permissions)}", "magenta")
    return line


def document(findings: list[Finding]) -> dict[str, object]:
    """All findings, for programs."""
    counts = Counter[str](item.level for item in findings)
    return {
        "problems": counts["problem"],
        "warnings": counts["warning"],
        "ok": counts["ok"],
        "notLookedAt": counts["could not look"],
        "findings": [msgspec.to_builtins(item) for item in findings],
    }
