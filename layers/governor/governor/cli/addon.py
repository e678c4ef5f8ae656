"""governor addon: the task governance add-on of a cluster, seen now."""

import argparse
import functools
import json
from typing import Any

import msgspec

from governor.addon.looking import Looker
from governor.addon.report import Report, report_of
from governor.aws.account import Account
from governor.aws.eks import EksApi
from governor.aws.kubernetes import Clusters
from governor.aws.kueue import Installations
from governor.aws.service_model import service_limits
from governor.aws.session import Aws
from governor.checks import PolicyFile
from governor.cli import deployment
from governor.cli.screen import make_console
from governor.cli.show_addon import show_addon
from governor.errors import GovernorError, PermanentError
from governor.policy.names import in_another_region
from governor.records.documents import AddonSeen, InForce
from governor.records.names import addon_key, cluster_id, in_force_key
from governor.records.store import Documents

DESCRIPTION = f"""\
Looks at the task governance add-on of a HyperPod cluster with your own credentials: installed or not, version and
the Kueue in it, status, what its health issues mean and what to do, default and newest version, whether the newest
is one plain update away, whether controller and webhook are ready, and every check that an installation or an update
has to pass. Only reads. What the policy in force asks for, and what verify_addon saw last, come from the deployment.

{deployment.WHERE}

exit status: 0 the add-on is installed and healthy, 1 it is not, or that could not be seen"""


class Known(msgspec.Struct, frozen=True):
    """What the deployment knows of the cluster; ``unread`` says why it knows nothing."""

    force: InForce | None = None
    last: AddonSeen | None = None
    unread: str = ""

    @property
    def wanted(self) -> str:
        """The version that the policy in force names; "" for none."""
        if self.force is None or self.force.state == "Released":
            return ""
        file = PolicyFile(self.force.origin.key, self.force.text.encode())
        return file.parse(service_limits()).text("addon", "version")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("cluster", metavar="CLUSTER", help="name or ARN of a HyperPod cluster")
    deployment.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of text")


def run(arguments: argparse.Namespace) -> int:
    """Look and print; the exit status."""
    aws = Aws()
    if elsewhere := in_another_region(arguments.cluster, Account(aws).region):
        raise PermanentError(elsewhere)
    clusters = functools.cache(lambda: Clusters(aws))
    looker = Looker(Account(aws).governance.clusters, EksApi(lambda: aws.eks), Installations(clusters))
    seen = looker.look(arguments.cluster)
    arn = report_of(seen, "", arguments.cluster).cluster_arn
    known = _known(arguments, arn) if arn else Known()
    report = report_of(seen, known.wanted, arguments.cluster)
    if arguments.json:
        print(json.dumps(document(report, known), indent=2))
    else:
        show_addon(make_console(), report, known.last, known.unread)
    return 0 if report.healthy else 1


def document(report: Report, known: Known) -> dict[str, Any]:
    """All of it, for programs."""
    return {
        **msgspec.to_builtins(report),
        "lastVerified": msgspec.to_builtins(known.last),
        "deployment": known.unread or "read",
    }


def _known(arguments: argparse.Namespace, cluster_arn: str) -> Known:
    """The add-on can be looked at without a deployment."""
    identity = cluster_id(cluster_arn)
    try:
        records: Documents = deployment.open_buckets(arguments).records
        force = records.load(in_force_key(identity), InForce)
        last = records.load(addon_key(identity), AddonSeen)
    except GovernorError as error:
        return Known(unread=str(error))
    return Known(force.document if force else None, last.document if last else None)
