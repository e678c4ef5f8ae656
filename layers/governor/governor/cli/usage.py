"""governor usage: who uses, borrows, lends and waits in a cluster, as a table, a page or figures."""

import argparse
import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from governor.aws.account import Account
from governor.aws.kubernetes import Clusters
from governor.aws.session import Aws
from governor.aws.usage import Reading, UsageReader
from governor.cli import usage_files as files
from governor.cli.files import STANDARD_INPUT as STANDARD_OUTPUT
from governor.cli.looking import looking
from governor.cli.screen import make_console
from governor.cli.show_usage import Look, by_flavor, by_team
from governor.cli.usage_rows import Picture
from governor.cli.usage_signals import Ended, unwinding
from governor.cli.usage_watch import DEFAULT, LEAST, MOST, Clock, Lines, Place, SystemClock, has_screen, screen, watch
from governor.cli.which import the_cluster
from governor.errors import GovernorError, PermanentError
from governor.plan import Quota
from governor.policy.wording import clipped
from governor.quota import Cluster
from governor.usage import usage_of

DESCRIPTION = """\
Shows who uses the compute of a HyperPod cluster: what each team is guaranteed, uses, borrows and lends, what is over
its quota, who waits and for how long, what could be reclaimed from whom, and what quotas promise against what nodes
have. Reads what Kueue says in the cluster, with your own credentials. Only reads.

Where you may list compute quotas, teams go by their names, else by their namespaces; where you may list nodes, quotas
are compared with them. docs/usage.md says what each figure means.

exit status: 0 shown, 1 it could not be read or written; --watch: 143 and 129 after SIGTERM and SIGHUP"""


class Source(Protocol):
    """Where a cluster is read."""

    def read(self) -> Reading:
        """All of it, or the package's errors."""
        ...


class Reader:
    """One cluster, read as often as somebody looks."""

    def __init__(
        self, cluster: Cluster, connect: Callable[[], Source], quotas: Callable[[], Iterable[Quota]], times: Clock
    ) -> None:
        self._cluster, self._connect, self._times = cluster, connect, times
        self._names = Names(quotas)

    def read(self) -> Picture:
        """What is there now. Raises the package's errors."""
        reading = self._connect().read()
        names = self._names.of(reading.seen.doors.governed.values())
        usage = usage_of(reading.seen, self._cluster.name, self._times.now(), names, reading.waiting)
        without = f"the teams go by their namespaces: {self._names.trouble}" if self._names.trouble else ""
        notes = tuple(filter(None, (reading.unread, without)))
        return Picture(usage, f"EKS cluster {self._cluster.eks_name} of {self._cluster.arn}", notes)


class Names:
    """The teams' names by the ids of their quotas, read again only when there are others, or after what may pass.
    ``trouble`` says why there are none: that is no reason to show nothing."""

    def __init__(self, quotas: Callable[[], Iterable[Quota]]) -> None:
        self._quotas = quotas
        self._known: dict[str, str] = {}
        self._asked: frozenset[str] = frozenset()
        self.trouble = ""

    def of(self, ids: Iterable[str]) -> Mapping[str, str]:
        """All that are known; of these ids, those that exist."""
        wanted = frozenset(filter(None, ids))
        if not wanted <= self._asked:
            try:
                self._known = {quota.id: quota.team for quota in self._quotas()}
            except GovernorError as error:
                self.trouble = str(error)
                if not isinstance(error, PermanentError):
                    return self._known
            else:
                self.trouble = ""
            self._asked = wanted
        return self._known


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument(
        "cluster", metavar="CLUSTER", nargs="?", help="name or ARN of a HyperPod cluster; else the only one on EKS"
    )
    parser.add_argument(
        "--watch",
        nargs="?",
        type=_seconds,
        const=DEFAULT,
        metavar="SECONDS",
        help=f"look again every {DEFAULT} s, or as often as said ({LEAST} to {MOST}), until Ctrl-C",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--flavors", action="store_true", help="a line for each flavor and resource, in exact quantities")
    form.add_argument("--json", action="store_true", help="print one JSON document; with --watch one a line")
    form.add_argument("--csv", action="store_true", help="print comma-separated values, a line for each resource")
    form.add_argument("--html", metavar="FILE", type=_file, help="write a page with plots; '-' is standard output")


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not LEAST <= int(text[:9]) <= MOST:
        raise argparse.ArgumentTypeError(
            f"'{clipped(text)}' is not a whole number of seconds from {LEAST} to {MOST} (CLUSTER goes before --watch)"
        )
    return int(text)


def _file(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("the name of a file is not empty")
    return text


def run(arguments: argparse.Namespace) -> int:
    """Look and show; the exit status."""
    if not arguments.watch:
        reader = open_reader(arguments.cluster)
        with looking():
            picture = reader.read()
        once(arguments).show(picture)
        return 0
    if arguments.html == STANDARD_OUTPUT:
        raise PermanentError("--watch writes a page again and again: name a file")
    try:
        with unwinding():
            reader = open_reader(arguments.cluster)
            with watching(arguments) as place:
                watch(reader.read, place, arguments.watch, SystemClock())
    except Ended as ended:
        return ended.status
    return 0


def open_reader(cluster_name: str | None) -> Reader:
    """With the credentials of the environment. PermanentError where it is not said which of several is meant."""
    aws = Aws()
    account = Account(aws)
    with looking():
        cluster = the_cluster(account, cluster_name, say="")
    clusters = Clusters(aws)
    return Reader(
        cluster,
        lambda: UsageReader(clusters.connect(cluster.eks_name)),
        lambda: account.governance.quotas.list(cluster.arn),
        SystemClock(),
    )


def once(arguments: argparse.Namespace) -> Place:
    """Where the only picture goes."""
    if arguments.json:
        return files.json_document()
    if arguments.csv:
        return files.csv_lines()
    if arguments.html:
        return files.Page(arguments.html)
    return Lines(make_console(), _look(arguments))


@contextlib.contextmanager
def watching(arguments: argparse.Namespace) -> Iterator[Place]:
    """Where one picture after the other goes."""
    console = make_console()
    if arguments.json:
        yield files.json_lines()
    elif arguments.csv:
        yield files.csv_lines()
    elif arguments.html:
        yield files.Page(arguments.html, arguments.watch)
    elif has_screen(console):
        with screen(console, _look(arguments), arguments.watch) as place:
            yield place
    else:
        yield Lines(console, _look(arguments))


def _look(arguments: argparse.Namespace) -> Look:
    return by_flavor if arguments.flavors else by_team
