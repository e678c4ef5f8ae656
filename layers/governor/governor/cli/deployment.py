"""Where the deployment is: its two buckets, by its stack or by the environment."""

import argparse
import os
from collections.abc import Callable, Mapping

import msgspec

from governor.aws.clients import Clients
from governor.aws.session import Aws
from governor.aws.stack import Stack, Stacks
from governor.aws.versions import VersionedBucket
from governor.errors import AccessError, GovernorError, NotFoundError, PermanentError
from governor.policy.wording import listed
from governor.records.store import Documents

DEFAULT_STACK = "hyperpod-governor"
POLICIES_OUTPUT, RECORDS_OUTPUT = "PoliciesBucketName", "RecordsBucketName"
POLICIES_VARIABLE, RECORDS_VARIABLE = "GOVERNOR_POLICIES_BUCKET", "GOVERNOR_RECORDS_BUCKET"

WHERE = f"""\
The deployment is the stack of --stack; without it, the buckets that {POLICIES_VARIABLE} and
{RECORDS_VARIABLE} name, for who may not look at stacks; without these, the stack of GOVERNOR_STACK,
or '{DEFAULT_STACK}'."""


class Buckets(msgspec.Struct, frozen=True):
    """The buckets of a deployment: policies as people put them, and what the functions write down."""

    policies: VersionedBucket
    records: Documents


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which deployment is meant."""
    parser.add_argument(
        "--stack",
        metavar="NAME",
        help=f"the stack of the deployment (default: GOVERNOR_STACK, else {DEFAULT_STACK})",
    )


def open_buckets(arguments: argparse.Namespace) -> Buckets:
    """The buckets of the deployment that is meant."""
    aws = Aws()
    policies, records = bucket_names(
        arguments.stack, os.environ, lambda name: find_stack(Stacks(Clients(aws).cloudformation), name)
    )
    return Buckets(VersionedBucket(aws.s3, policies), Documents(VersionedBucket(aws.s3, records)))


def bucket_names(stack: str | None, environment: Mapping[str, str], find: Callable[[str], Stack]) -> tuple[str, str]:
    """The names of the buckets of policies and of records."""
    policies = records = ""
    if stack is None:
        policies = environment.get(POLICIES_VARIABLE, "").strip()
        records = environment.get(RECORDS_VARIABLE, "").strip()
    if policies and records:
        return policies, records
    found = find(stack_name(stack, environment))
    return policies or _output(found, POLICIES_OUTPUT), records or _output(found, RECORDS_OUTPUT)


def stack_name(given: str | None, environment: Mapping[str, str]) -> str:
    """The name of the stack that is meant."""
    return given or environment.get("GOVERNOR_STACK", "").strip() or DEFAULT_STACK


def find_stack(stacks: Stacks, name: str) -> Stack:
    """The stack; where there is none, NotFoundError tells those that look like a deployment."""
    try:
        return stacks.describe(name)
    except NotFoundError as error:
        raise NotFoundError(f"{error}; {_instead(stacks)}") from error
    except AccessError as error:
        raise AccessError(
            f"{error}; or set {POLICIES_VARIABLE} and {RECORDS_VARIABLE} to the names of the buckets"
        ) from error


def _instead(stacks: Stacks) -> str:
    try:
        ours = [stack.name for stack in stacks.all() if {POLICIES_OUTPUT, RECORDS_OUTPUT} <= stack.outputs.keys()]
    except GovernorError:
        ours = []
    if ours:
        return f"give --stack {listed(sorted(ours))}"
    return "check AWS_REGION and AWS_PROFILE, or deploy it: sam build && sam deploy --guided"


def _output(stack: Stack, name: str) -> str:
    value = stack.outputs.get(name, "")
    if not value:
        raise PermanentError(
            f"the stack '{stack.name}' ({stack.status}) has no output {name}: it is no deployment of HyperPod "
            "Governor, or its deployment is not finished; give another --stack"
        )
    return value
