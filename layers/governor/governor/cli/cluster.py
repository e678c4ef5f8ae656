"""A policy file together with the cluster that it governs: what plan and apply begin with."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from governor.apply import FileRecords, read_instances, read_live, types_of
from governor.aws.ec2 import InstanceTypes
from governor.aws.sagemaker import Governance
from governor.aws.session import Aws
from governor.cli.files import placed, read_file
from governor.errors import PermanentError
from governor.plan import Desired, Live, Plan, Rules, desired_by, plan
from governor.policy import Diagnostic, Parsed
from governor.policy.names import is_cluster_arn, region_of
from governor.quota import Catalogue, Cluster, bundled_instances
from governor.settings import MAX_CONCURRENCY, Settings, settings_from


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments that plan and apply share."""
    parser.add_argument("file", metavar="FILE", help="policy file, YAML or JSON; '-' is standard input")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of text")
    rails = parser.add_argument_group("guard rails")
    rails.add_argument(
        "--max-teams-removed",
        type=_natural,
        metavar="N",
        help="teams a plan may remove without an approval (default 0; GOVERNOR_MAX_TEAMS_REMOVED)",
    )
    rails.add_argument(
        "--overcommit",
        choices=("error", "warning"),
        help="whether promising more than the cluster has is refused (default error; GOVERNOR_OVERCOMMIT)",
    )
    rails.add_argument(
        "--state-dir",
        metavar="DIR",
        help="where the last applied policies are kept (GOVERNOR_STATE_DIR; default ~/.local/state/hyperpod-governor)",
    )


def _natural(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 6:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 0 up")
    return int(text)


def concurrency(text: str) -> int:
    """A number of steps side by side."""
    number = _natural(text)
    if not 1 <= number <= MAX_CONCURRENCY:
        raise argparse.ArgumentTypeError(f"{number} is not from 1 to {MAX_CONCURRENCY}")
    return number


def settings_of(arguments: argparse.Namespace, environment: Mapping[str, str] | None = None) -> Settings:
    """The environment's settings, with the command line's over them."""
    settings = settings_from(os.environ if environment is None else environment)
    given = {
        name: value
        for name in ("max_teams_removed", "overcommit", "concurrency")
        if (value := getattr(arguments, name, None)) is not None
    }
    if getattr(arguments, "state_dir", None):
        given["state_dir"] = Path(arguments.state_dir)
    return msgspec.structs.replace(settings, **given)


class Broken(msgspec.Struct, frozen=True):
    """A file with errors: nothing was called but, for an instance type that only the cluster may know, the cluster."""

    path: str
    diagnostics: tuple[Diagnostic, ...]


class Governed(msgspec.Struct, frozen=True):
    """A good file, the cluster that it governs, and what is needed to plan and to apply."""

    path: str
    parsed: Parsed
    desired: Desired
    cluster: Cluster
    instances: Catalogue
    api: Governance
    records: FileRecords
    settings: Settings

    @property
    def rules(self) -> Rules:
        """The guard rails in force."""
        return Rules(self.settings.max_teams_removed, self.settings.overcommit)

    def read(self) -> Live:
        """The live state of now."""
        return read_live(self.api, self.cluster, self.desired, self.instances)

    def plan(self, live: Live) -> Plan:
        """What it takes from there to what the file wants."""
        return plan(self.desired, live, self.records.load(live.cluster.arn), self.rules)

    def diagnostics(self, made: Plan | None = None) -> tuple[Diagnostic, ...]:
        """Messages of the file, and of the plan at their places in the file."""
        items = [*self.parsed.diagnostics, *(self.planned(made) if made is not None else ())]
        return tuple(sorted(items, key=lambda item: (item.line, item.column)))

    def planned(self, made: Plan) -> list[Diagnostic]:
        """Messages of a plan at their places in the file."""
        return placed(self.parsed, made.findings)


def open_governed(arguments: argparse.Namespace) -> Governed | Broken:
    """Read the file; if all it lacks is an instance type, ask the cluster before refusing it."""
    settings = settings_of(arguments)
    file = read_file(arguments.file)
    parsed = file.parse()
    if any(item.severity == "error" and item.code != "unknown-instance-type" for item in parsed.diagnostics):
        return Broken(file.path, parsed.diagnostics)
    name = parsed.text("cluster")
    aws = Aws()
    region = aws.sagemaker.meta.region_name
    if is_cluster_arn(name) and region_of(name) != region:
        raise PermanentError(
            f"{file.path}: the cluster is in Region {region_of(name)}, the credentials are used in {region}; "
            f"set AWS_REGION={region_of(name)}"
        )
    api = Governance(aws.sagemaker)
    cluster = api.clusters.describe(name)
    present = frozenset(group.instance_type for group in cluster.groups)
    if parsed.policy is None:
        parsed = file.parse(present)
    if parsed.policy is None:
        return Broken(file.path, parsed.diagnostics)
    desired = desired_by(parsed.policy)
    instances = read_instances(types_of(desired, cluster), InstanceTypes(lambda: aws.ec2))
    if instances is not bundled_instances():  # EC2 knew more: accelerators and borrow limits can be checked now
        parsed = file.parse(present, instances)
        if parsed.policy is None:
            return Broken(file.path, parsed.diagnostics)
    records = FileRecords(settings.state_dir)
    return Governed(file.path, parsed, desired, cluster, instances, api, records, settings)
