"""governor plan: what applying a policy would change, in governance words, without changing anything."""

import argparse
import json

from governor.cli.cluster import Broken, open_governed
from governor.cli.cluster import add_arguments as add_cluster_arguments
from governor.cli.documents import plan_document, refused_document
from governor.cli.screen import make_console, print_diagnostics
from governor.cli.show import show_capacity, show_cluster, show_hold, show_plan
from governor.policy import has_errors

DESCRIPTION = """\
Compares the policy with the cluster and with what was applied last, and shows the steps in their order,
with before and after. Only reads.

exit status: 0 no change, 2 changes, 1 error (as terraform plan -detailed-exitcode)"""

NO_CHANGE, ERROR, CHANGES = 0, 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    add_cluster_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Plan and print; the exit status."""
    console = make_console()
    governed = open_governed(arguments)
    if isinstance(governed, Broken):
        if arguments.json:
            print(json.dumps(refused_document(governed.path, governed.diagnostics), indent=2))
        else:
            print_diagnostics(console, governed.path, governed.diagnostics)
        return ERROR
    live = governed.read()
    made = governed.plan(live)
    diagnostics = governed.opened.diagnostics(made)
    if arguments.json:
        print(json.dumps(plan_document(made, governed.path, diagnostics), indent=2))
    else:
        print_diagnostics(console, governed.path, diagnostics)
        show_cluster(console, governed.cluster)
        show_plan(console, made)
        show_capacity(console, live, made)
        show_hold(console, made, governed.path)
    if has_errors(diagnostics) or made.blocked:
        return ERROR
    return CHANGES if made.steps else NO_CHANGE
