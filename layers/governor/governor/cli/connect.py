"""governor connect: how the functions get into a cluster's Kubernetes API, to be pasted, or made as far as AWS goes."""

import argparse
import json
import os
import re
import shlex
from collections.abc import Mapping

import msgspec
from rich.console import Console

from governor.aws.clients import Clients
from governor.aws.inspection import NotAllowedError
from governor.aws.kubernetes.access import CONFIG_MAP_ONLY, STANDARD, VIEW_ALL, AccessEntries, Granted
from governor.aws.kubernetes.answers import GROUP
from governor.aws.kubernetes.reads import roles
from governor.aws.session import Aws
from governor.aws.stack import Resource, Stacks
from governor.aws.surroundings import Surroundings
from governor.cli import deployment
from governor.cli.screen import make_console
from governor.errors import GovernorError, NotFoundError, PermanentError
from governor.policy.wording import printable

DESCRIPTION = f"""\
Lets the functions that look into a cluster read its Kubernetes API: an access entry in EKS for each function's role,
in the group '{GROUP}', and roles of Kubernetes that allow this group to read exactly what is read. Prints both, to
be pasted into a shell. --make makes the access entries; what is in the cluster itself is left to you, as this
product changes nothing there.

Simpler, and wider: associate the access policy {VIEW_ALL} with the entries instead of applying
the roles. It lets them read everything in the cluster, its Secrets too.

CLUSTER is a HyperPod cluster by name or ARN, or an EKS cluster by name or ARN.
The roles are those of the deployment, or of --role.

{deployment.WHERE}

exit status: 0 printed, or made, 1 refused or failed"""

READERS = ("VerifyAddonRole", "ApplyPolicyRole", "PublishMetricsRole")
"""The roles in the template whose functions read Kubernetes."""
_ROLE = re.compile(r"arn:aws[-a-z]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,576}")
_EKS = re.compile(r"arn:aws[-a-z]*:eks:[-a-z0-9]+:[0-9]{12}:cluster/([0-9A-Za-z][A-Za-z0-9_-]{0,99})")


class Access(msgspec.Struct, frozen=True, rename="camel"):
    """What one role needs, and what has become of it: "" where nothing was asked for."""

    role: str
    command: str
    made: Granted | str = ""


class Connection(msgspec.Struct, frozen=True, rename="camel"):
    """How the functions get into one cluster."""

    eks_cluster: str
    authentication_mode: str
    access: tuple[Access, ...]
    roles: str
    warnings: tuple[str, ...] = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("cluster", metavar="CLUSTER", help="name or ARN of a HyperPod cluster, or of an EKS cluster")
    parser.add_argument("--make", action="store_true", help="create or update the access entries in EKS")
    parser.add_argument(
        "--role", metavar="ARN", action="append", type=_role, help="let this role in instead of the deployment's; again"
    )
    deployment.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of text")


def _role(text: str) -> str:
    if ":sts:" in text and ":assumed-role/" in text:
        raise argparse.ArgumentTypeError("a session is no role: give arn:aws:iam::ACCOUNT:role/NAME")
    if not _ROLE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"'{printable(text[:100])}' is not the ARN of a role")
    return text


def run(arguments: argparse.Namespace) -> int:
    """Print, and make if asked to; the exit status."""
    connection = connect(Clients(Aws()), arguments, os.environ)
    if arguments.json:
        print(json.dumps(msgspec.to_builtins(connection), indent=2))
    else:
        show(make_console(), connection)
    return 0


def connect(clients: Clients, arguments: argparse.Namespace, environment: Mapping[str, str]) -> Connection:
    """What it takes for the cluster and the roles that are meant; makes the access entries with ``make``."""
    surroundings, entries = Surroundings(clients), AccessEntries(clients.eks)
    cluster, mode = _eks_cluster(surroundings, entries, arguments.cluster)
    principals = arguments.role or _readers(clients, surroundings, arguments.stack, environment)
    access, warnings = list[Access](), list[str]()
    if mode == CONFIG_MAP_ONLY:
        warnings.append(
            f"EKS cluster {cluster} has no access entries, as its authentication mode is {mode}: switch first, which "
            "cannot be undone: aws eks update-cluster-config "
            f"--name {cluster} --access-config authenticationMode=API_AND_CONFIG_MAP"
        )
    if arguments.make and warnings:
        raise PermanentError(warnings[0])
    for principal in principals:
        made = entries.grant(cluster, principal) if arguments.make else ""
        access.append(Access(principal, command(cluster, principal), made))
    return Connection(cluster, mode, tuple(access), roles(), tuple(warnings))


def _eks_cluster(surroundings: Surroundings, entries: AccessEntries, given: str) -> tuple[str, str]:
    """The name of the EKS cluster that is meant, and how it authenticates."""
    named = _EKS.fullmatch(given)
    if named is not None:
        return named[1], entries.authentication_mode(named[1])
    try:
        name = surroundings.eks_cluster(given)
    except (NotFoundError, NotAllowedError) as error:
        try:
            return given, entries.authentication_mode(given)
        except GovernorError:
            raise error from None
    if not name:
        raise PermanentError(f"cluster {printable(given)} is not orchestrated by EKS: it has no Kubernetes API")
    return name, entries.authentication_mode(name)


def _readers(
    clients: Clients, surroundings: Surroundings, stack: str | None, environment: Mapping[str, str]
) -> list[str]:
    """The roles of the deployment's functions that read Kubernetes."""
    stacks, name = Stacks(clients.cloudformation), deployment.stack_name(stack, environment)
    deployment.find_stack(stacks, name)
    found = reader_arns({each.logical: each for each in stacks.resources(name)}, surroundings.caller().arn)
    if not found:
        raise NotFoundError(f"the stack '{name}' has no {' and no '.join(READERS)}; give --role ARN")
    return found


def reader_arns(resources: Mapping[str, Resource], caller: str) -> list[str]:
    """The ARNs of those roles, of the same account and partition as the caller's."""
    partition, account = caller.split(":")[1], caller.split(":")[4]
    return [
        f"arn:{partition}:iam::{account}:role/{resources[logical].physical}"
        for logical in READERS
        if logical in resources and resources[logical].physical
    ]


def command(cluster: str, principal: str) -> str:
    """The command that makes an access entry."""
    words = ["aws", "eks", "create-access-entry", "--cluster-name", cluster, "--principal-arn", principal]
    return shlex.join([*words, "--type", STANDARD, "--kubernetes-groups", GROUP])


def show(console: Console, connection: Connection) -> None:
    """Text that can be pasted into a shell as it is."""
    for each in connection.warnings:
        console.print(f"# WARNING: {each}", style="bold yellow", soft_wrap=True)
    console.print("# 1. Access entries in EKS, one per role", style="bold", soft_wrap=True)
    for access in connection.access:
        if access.made:
            console.print(f"# {access.made}: {access.role}", style="green", soft_wrap=True)
        else:
            console.print(access.command, soft_wrap=True)
    console.print("\n# 2. What their group may read, in the cluster itself", style="bold", soft_wrap=True)
    console.print(shlex.join(["aws", "eks", "update-kubeconfig", "--name", connection.eks_cluster]), soft_wrap=True)
    console.print(f"kubectl apply -f - <<'END'\n{connection.roles}END", soft_wrap=True)
