"""A policy file together with the cluster that it governs: what plan and apply begin with."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from governor.apply import FileRecords, Opened, Unfit, open_policy, read_live
from governor.aws.account import Account
from governor.aws.sagemaker import Governance
from governor.aws.service_model import service_limits
from governor.cli.files import read_file
from governor.plan import Live, Plan, Rules, plan
from governor.policy import Diagnostic
from governor.quota import Cluster
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
    """A file with errors."""

    path: str
    diagnostics: tuple[Diagnostic, ...]


class Governed(msgspec.Struct, frozen=True):
    """A good file, the cluster that it governs, and what is needed to plan and to apply."""

    path: str
    opened: Opened
    api: Governance
    records: FileRecords
    settings: Settings

    @property
    def cluster(self) -> Cluster:
        """The cluster as it was when the file was read."""
        return self.opened.cluster

    @property
    def rules(self) -> Rules:
        """The guard rails in force."""
        return Rules(self.settings.max_teams_removed, self.settings.overcommit)

    def read(self) -> Live:
        """The live state of now."""
        return read_live(self.api, self.cluster, self.opened.desired, self.opened.instances)

    def plan(self, live: Live) -> Plan:
        """What it takes from there to what the file wants."""
        return plan(self.opened.desired, live, self.records.load(live.cluster.arn), self.rules)


def open_governed(arguments: argparse.Namespace) -> Governed | Broken:
    """Read the file and find its cluster."""
    settings = settings_of(arguments)
    file = read_file(arguments.file)
    account = Account()
    opened = open_policy(file, service_limits(), account)
    if isinstance(opened, Unfit):
        return Broken(file.path, opened.diagnostics)
    return Governed(file.path, _noted(opened), account.governance, FileRecords(settings.state_dir), settings)


def _noted(opened: Opened) -> Opened:
    """A block that these commands do not act on is said to be left out, at its line."""
    if not opened.addon:
        return opened
    at = opened.parsed.position("addon")
    text = (
        f"the add-on is installed and updated by a deployment only, not by this command: 'governor addon "
        f"{opened.cluster.name}' shows whether it is ready"
    )
    note = Diagnostic("warning", "addon-by-deployment", at.line, at.column, text)
    noted = tuple(sorted((*opened.parsed.diagnostics, note), key=lambda item: (item.line, item.column)))
    return msgspec.structs.replace(opened, parsed=msgspec.structs.replace(opened.parsed, diagnostics=noted))
