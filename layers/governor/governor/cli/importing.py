"""governor import: a policy file from what a cluster has now."""

import argparse
import sys
from pathlib import Path

import msgspec

from governor.apply import read_instances, read_live, types_of
from governor.aws.ec2 import InstanceTypes
from governor.aws.sagemaker import Governance
from governor.aws.service_model import service_limits
from governor.aws.session import Aws
from governor.checks import PolicyFile
from governor.errors import NotFoundError, PermanentError
from governor.plan import Desired, Live, Quota, desired_by, plan
from governor.plan.adoption import policy_from
from governor.policy import ClusterPolicy, Parsed, Policy
from governor.policy.writing import policy_text

DESCRIPTION = """\
Writes a policy file that declares what the cluster has now: its cluster policy and every compute quota.
Planning that file gives no change, which is checked before it is written. Only reads from AWS.

exit status: 0 written, 1 error"""


STANDARD_OUTPUT = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("cluster", metavar="CLUSTER", help="name or ARN of a HyperPod cluster")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write to a file that does not exist yet ('-': standard output)"
    )
    parser.add_argument(
        "--descriptions", action="store_true", help="take the quotas' descriptions over too (one call per quota)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Import, prove it, write it."""
    aws = Aws()
    api = Governance(aws.sagemaker)
    cluster = api.clusters.describe(arguments.cluster)
    nothing = Desired((), ClusterPolicy())  # declares a cluster policy, so that the live one is read in full
    seen = read_live(api, cluster, nothing, {})
    kinds = {entry.instance_type for quota in seen.quotas for entry in quota.entries}
    instances = read_instances(kinds | types_of(nothing, cluster), InstanceTypes(lambda: aws.ec2))
    live = msgspec.structs.replace(seen, instances=instances)
    if arguments.descriptions:
        live = msgspec.structs.replace(live, quotas=tuple(_described(api, quota) for quota in live.quotas))
    policy, left_out = policy_from(live, arguments.cluster)
    policy = _readable(policy, live, left_out)
    text = policy_text(policy, [f"Imported from {cluster.arn}", *left_out])
    for line in left_out:
        print(f"governor: left out: {line}", file=sys.stderr)
    _prove(text, live)
    if arguments.output and arguments.output != STANDARD_OUTPUT:
        _write(Path(arguments.output), text)
    else:
        print(text, end="")
    return 0


def _described(api: Governance, quota: Quota) -> Quota:
    """The listed quota with its description, and nothing else of Describe: a plan compares what lists tell."""
    try:
        return msgspec.structs.replace(quota, description=api.quotas.describe(quota.id).description)
    except NotFoundError:
        return quota


def _readable(policy: Policy, live: Live, left_out: list[str]) -> Policy:
    """The policy without the teams that the format cannot say, such as one with an unknown instance type."""
    teams = []
    for team in policy.teams:
        parsed = _parsed(policy_text(Policy(policy.cluster, (team,))), live)
        if parsed.policy is None:
            first = next(item for item in parsed.diagnostics if item.severity == "error")
            left_out.append(f"quota '{team.effective_quota_name}' of team '{team.name}': {first.text}")
        else:
            teams.append(team)
    return msgspec.structs.replace(policy, teams=tuple(teams))


def _parsed(text: str, live: Live) -> Parsed:
    present = frozenset(group.instance_type for group in live.cluster.groups)
    return PolicyFile("<imported>", text.encode()).parse(service_limits(), present, live.instances)


def _prove(text: str, live: Live) -> None:
    """Planning the text must change nothing; what is in transition is waited for, and that is no change."""
    parsed = _parsed(text, live)
    if parsed.policy is None:
        first = next(item for item in parsed.diagnostics if item.severity == "error")
        raise PermanentError(f"what the cluster has cannot be written as a policy: {first.text}")
    changing = [step.title for step in plan(desired_by(parsed.policy), live, None).writes if step.changes]
    if changing:
        raise PermanentError(
            f"the imported policy would change {', '.join(changing)}: a mistake of governor, please report it"
        )


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise PermanentError(f"{path} exists; name another file, or move it away") from None
    except OSError as error:
        raise PermanentError(f"{path} cannot be written: {error.strerror or error}") from error
