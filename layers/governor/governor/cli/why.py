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
from governor.cli.looking import looking
from governor.cli.screen import make_console
from governor.cli.show_why import show_why
from governor.cli.teams import Place, Teams
from governor.cli.which import the_cluster
from governor.errors import NotFoundError, PermanentError
from governor.kueue.explaining import TEAMS, Brief, Explanation, Job, Phase, Subject, Wanted, brief, explain
from governor.kueue.times import in_utc
from governor.policy.wording import clipped, counted, nearest, printable

DESCRIPTION = """\
Says in words why a job of a team waits: what is missing and who uses it, who preempted it and by what right, who is
before it in line, and what one can do. Reads what Kueue has written into the cluster, with your own credentials.
Only reads.

JOB is the job's name, KIND/NAME, TEAM/NAME, NAMESPACE/NAME, or the name of its Workload; a team goes by the name that
'governor usage' shows. Whoever may read one namespace only says which (--team or --namespace), and sees less of the
others.

exit status: 0 the answer was given, whatever it is, 1 it could not be"""

MAX_NAMED = 10
"""Jobs that an error names."""
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
    account = Account(aws)
    with looking():
        cluster = the_cluster(account, arguments.cluster)
        clusters = Clusters(aws)
        workloads = Workloads(lambda: clusters.connect(cluster.eks_name))
        teams = Teams(workloads.governed, lambda: account.governance.quotas.list(cluster.arn))
        explanation = answer(workloads, arguments.job, place_of(arguments, teams), cluster.name, teams)
    if arguments.json:
        print(json.dumps(document(explanation, cluster.name), indent=2))
    else:
        show_why(make_console(), explanation, cluster.name, datetime.now(UTC))
    return 0


def place_of(arguments: argparse.Namespace, teams: Teams) -> Place:
    """Where to look, "" for everywhere; a namespace of a team before the job's name says where as well."""
    if arguments.team:
        return teams.place(arguments.team)
    before = arguments.job.rpartition("/")[0]
    return Place(arguments.namespace or (before if before.startswith(TEAMS) else ""))


def answer(workloads: Workloads, job: str, place: Place, cluster: str, teams: Teams) -> Explanation:
    """What is to be said. NotFoundError without such a job, PermanentError where several are meant."""
    wanted = Wanted(job, place.namespace)
    surveyed = workloads.survey(wanted)
    if not surveyed.number and wanted.before and not wanted.namespace and (namespace := teams.known(wanted.before)):
        wanted = Wanted(wanted.name, namespace)
        surveyed = workloads.survey(wanted)
    subject = the_one(surveyed, wanted, cluster, place.unseen)
    events, unseen = workloads.events(subject)
    unread = tuple(filter(None, (place.unseen, *surveyed.unseen, unseen)))
    return explain(subject, surveyed.others, surveyed.queues, events, unread)


def the_one(surveyed: Surveyed, wanted: Wanted, cluster: str, unseen: str = "") -> Subject:
    """The only one that is meant: the newest of several is not simply taken. ``unseen`` is why it may be elsewhere."""
    if surveyed.number == 1:
        return surveyed.meant[0]
    if surveyed.number == 0:
        told = _not_found(surveyed, wanted, cluster)
        raise NotFoundError(f"{told}; could not look at {unseen}" if unseen else told)
    found = sorted(surveyed.meant, key=lambda each: (each.workload.namespace, brief(each).since, each.workload.name))
    lines = "".join(f"\n  {_told(each)}" for each in found[:MAX_NAMED])
    more = f"\n  and {surveyed.number - MAX_NAMED} more" if surveyed.number > MAX_NAMED else ""
    raise PermanentError(
        f"'{clipped(wanted.text)}' is {surveyed.number} workloads; say which, by NAMESPACE/WORKLOAD:{lines}{more}"
    )


_STANDS = {Phase.HOLDING: "has its quota", Phase.INACTIVE: "is switched off", Phase.ENDED: "has ended"}
"""Of those that do not wait in line."""


def _told(subject: Subject) -> str:
    found = brief(subject)
    job = f"{found.kind or 'job'} {found.job}, " if found.job else ""
    if found.phase is Phase.WAITING:
        stands = f"in line since {in_utc(found.since)}"
    else:
        stands = f"{_STANDS[found.phase]}, submitted {in_utc(subject.workload.created)}"
    return printable(f"{found.namespace}/{found.name}  ({job}{stands})")


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
        what = f"{elsewhere.kind or 'job'} {elsewhere.job}" if elsewhere.job else f"workload {elsewhere.name}"
        return f"{told}; there is {printable(what)} in namespace {printable(elsewhere.namespace)}"
    near = _near(wanted, there)
    if near is not None:
        told += f"; did you mean '{printable(Job.of(near).owner)}/{printable(near.job or near.name)}'?"
    return told


def _near(wanted: Wanted, there: list[Brief]) -> Brief | None:
    by_name = {name: each for each in there for name in (each.name, each.job) if name}
    found = nearest(wanted.name, by_name)
    return by_name.get(found) if found is not None else None


def document(explanation: Explanation, cluster: str) -> dict[str, Any]:
    """All of it, for programs; times in UTC as text, null where none is told."""
    found: dict[str, Any] = msgspec.to_builtins(explanation)
    timed = [found, *found["events"], *([found["preemption"]] if found["preemption"] else [])]
    for part in timed:
        for name in ("at", "since", "created"):
            if name in part:
                part[name] = in_utc(part[name]) if part[name] else None
    return {"cluster": cluster, **found}
