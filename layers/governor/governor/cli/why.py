"""governor why: why a job waits, and who preempted it, from what Kueue says in its cluster."""

import argparse
import json
from datetime import UTC, datetime
from typing import Any

import msgspec

from governor.aws.account import Account
from governor.aws.kubernetes import Clusters
from governor.aws.session import Aws
from governor.aws.workloads import Surveyed, Workloads
from governor.cli.screen import make_console
from governor.cli.show_why import show_why
from governor.errors import NotFoundError, PermanentError
from governor.kueue.explaining import TEAMS, Brief, Explanation, Job, Subject, Wanted, brief, explain
from governor.kueue.times import in_utc
from governor.policy.names import in_another_region
from governor.policy.wording import clipped, counted, listed, nearest, printable
from governor.quota import Cluster
from governor.records.parallel import side_by_side

DESCRIPTION = """\
Says in words why a job of a team waits: what is missing and who uses it, who preempted it and by what right, who is
before it in line, and what one can do. Reads what Kueue has written into the cluster, with your own credentials.
Only reads.

JOB is the job's name, KIND/NAME, TEAM/NAME, NAMESPACE/NAME, or the name of its Workload. Whoever may read one
namespace only says which (--team or --namespace), and sees less of the others.

exit status: 0 the answer was given, whatever it is, 1 it could not be"""

MAX_NAMED = 10
"""Jobs, clusters and queues that an error names."""
MOST_ASKED = 50
"""Clusters that are looked at to find the one that EKS orchestrates."""
QUEUE_NAME = "kueue.x-k8s.io/queue-name"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument(
        "job", metavar="JOB", type=_job, help="name of the job, with its kind or team before it if need be"
    )
    parser.add_argument(
        "--cluster", metavar="CLUSTER", help="name or ARN of a HyperPod cluster; else the only one there is"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--team", metavar="TEAM", type=_name, help="the team whose job it is")
    where.add_argument("-n", "--namespace", metavar="NAMESPACE", type=_name, help="the namespace that the job is in")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of text")


def _job(text: str) -> str:
    parts = text.split("/")
    if len(parts) > 2 or not all(parts):
        raise argparse.ArgumentTypeError(f"'{clipped(text)}' is no name of a job, KIND/NAME or TEAM/NAME")
    return text


def _name(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("a name is not empty")
    return text


def run(arguments: argparse.Namespace) -> int:
    """Look and print; the exit status."""
    aws = Aws()
    cluster = the_cluster(Account(aws), arguments.cluster)
    clusters = Clusters(aws)
    explanation = answer(Workloads(lambda: clusters.connect(cluster.eks_name)), wanted_of(arguments), cluster.name)
    if arguments.json:
        print(json.dumps(document(explanation, cluster.name), indent=2))
    else:
        show_why(make_console(), explanation, cluster.name, datetime.now(UTC))
    return 0


def wanted_of(arguments: argparse.Namespace) -> Wanted:
    """What is looked for; a namespace of a team before the name says where as well."""
    before = arguments.job.rpartition("/")[0]
    namespace = f"{TEAMS}{arguments.team}" if arguments.team else arguments.namespace or ""
    return Wanted(arguments.job, namespace or (before if before.startswith(TEAMS) else ""))


def the_cluster(account: Account, given: str | None) -> Cluster:
    """The cluster that is meant. PermanentError where none is given and there is not exactly one on EKS."""
    clusters = account.governance.clusters
    if given:
        if elsewhere := in_another_region(given, account.region):
            raise PermanentError(elsewhere)
        found = clusters.describe(given)
        if not found.eks_name:
            raise PermanentError(f"cluster {found.name} is not orchestrated by EKS: there is no Kueue in it")
        return found
    names = sorted(clusters.names())
    if len(names) > MOST_ASKED:
        raise PermanentError(f"which of {len(names)} clusters? say --cluster, e.g. {', '.join(names[:MAX_NAMED])}")
    on_eks = [each for _, each in side_by_side(names, clusters.describe) if each.eks_name]
    if len(on_eks) == 1:
        return on_eks[0]
    if on_eks:
        raise PermanentError(f"which cluster? say --cluster {listed(_some([each.name for each in on_eks]))}")
    raise NotFoundError(f"there is no HyperPod cluster on EKS in Region {account.region}")


def answer(workloads: Workloads, wanted: Wanted, cluster: str) -> Explanation:
    """What is to be said. NotFoundError without such a job, PermanentError where several are meant."""
    surveyed = workloads.survey(wanted)
    subject = the_one(surveyed, wanted, cluster)
    events, unseen = workloads.events(subject)
    unread = (*surveyed.unseen, unseen) if unseen else surveyed.unseen
    return explain(subject, surveyed.others, surveyed.queues, events, unread)


def the_one(surveyed: Surveyed, wanted: Wanted, cluster: str) -> Subject:
    """The only one that is meant: the newest of several is not simply taken."""
    if surveyed.number == 1:
        return surveyed.meant[0]
    if surveyed.number == 0:
        raise NotFoundError(_not_found(surveyed, wanted, cluster))
    found = sorted((brief(each) for each in surveyed.meant), key=lambda each: (each.namespace, each.since, each.name))
    lines = "".join(f"\n  {_told(each)}" for each in found[:MAX_NAMED])
    more = f"\n  and {surveyed.number - MAX_NAMED} more" if surveyed.number > MAX_NAMED else ""
    raise PermanentError(
        f"'{clipped(wanted.text)}' is {surveyed.number} workloads; say which, by NAMESPACE/WORKLOAD:{lines}{more}"
    )


def _told(found: Brief) -> str:
    job = f"{found.kind or 'job'} {found.job}, " if found.job else ""
    return printable(f"{found.namespace}/{found.name}  ({job}{found.phase.value}, in line since {in_utc(found.since)})")


def _not_found(surveyed: Surveyed, wanted: Wanted, cluster: str) -> str:
    namespace = surveyed.namespace or wanted.namespace
    there = [each for each in surveyed.others if namespace in ("", each.namespace)]
    where = f"namespace {printable(namespace)} of cluster {cluster}" if namespace else f"cluster {cluster}"
    told = (
        f"Kueue knows no job '{clipped(wanted.text)}' in {where}, among {counted(len(there), 'workload')}; a job "
        f"without the label {QUEUE_NAME} is not Kueue's, and one that was deleted is gone here too"
    )
    elsewhere = next((each for each in surveyed.others if wanted.name in (each.job, each.name)), None)
    if elsewhere is not None:
        return f"{told}; there is one in namespace {printable(elsewhere.namespace)}"
    near = _near(wanted, there)
    if near is not None:
        told += f"; did you mean '{printable(Job.of(near).owner)}/{printable(near.job or near.name)}'?"
    return told


def _near(wanted: Wanted, there: list[Brief]) -> Brief | None:
    by_name = {name: each for each in there for name in (each.name, each.job) if name}
    found = nearest(wanted.name, by_name)
    return by_name.get(found) if found is not None else None


def _some(names: list[str]) -> list[str]:
    return [*names[:MAX_NAMED], f"{len(names) - MAX_NAMED} more"] if len(names) > MAX_NAMED else names


def document(explanation: Explanation, cluster: str) -> dict[str, Any]:
    """All of it, for programs; times in UTC as text, null where none is told."""
    found: dict[str, Any] = msgspec.to_builtins(explanation)
    timed = [found, *found["events"], *([found["preemption"]] if found["preemption"] else [])]
    for part in timed:
        for name in ("at", "since", "created"):
            if name in part:
                part[name] = in_utc(part[name]) if part[name] else None
    return {"cluster": cluster, **found}
