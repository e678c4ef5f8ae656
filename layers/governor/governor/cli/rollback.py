"""governor rollback: an earlier version of the file that governs a cluster becomes the newest again."""

import argparse
import difflib
import sys
from collections.abc import Iterator
from datetime import datetime

import msgspec
from rich.console import Console
from rich.text import Text

from governor.aws.service_model import service_limits
from governor.aws.versions import Content, Version, VersionedBucket
from governor.checks import PolicyFile
from governor.cli import deployment, lookup, waiting
from governor.cli.screen import make_console, print_diagnostics
from governor.cli.standing import short
from governor.cli.waiting import Seen
from governor.errors import NotFoundError, PermanentError
from governor.policy import Bounds, Diagnostic
from governor.policy.wording import printable
from governor.records.documents import InForce, Run
from governor.records.store import Documents

DESCRIPTION = f"""\
Puts an earlier version of the file that governs CLUSTER back as its newest version, and waits for the verdict.
Without VERSION: the version in force where the newest one is not (it was rejected, or the file was deleted);
otherwise the last other version that a run brought to Applied or Unchanged. Shows what changes in the file, checks
the version against today's rules, and refuses one with errors. An approval that the old version carried is not
carried along: what has to be approved is held again. Asks before it acts on a terminal, and does not ask elsewhere.

{deployment.WHERE}

{waiting.EXIT_WORDS}"""

MAX_CANDIDATES = 20
_ASK_THE_CLUSTER = "unknown-instance-type"
_DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("cluster", metavar="CLUSTER", help="name or ARN of the cluster, or the policy file's key")
    parser.add_argument("version", metavar="VERSION", nargs="?", help="version id, or the beginning of one")
    parser.add_argument("--dry-run", action="store_true", help="show what would be put back, and change nothing")
    deployment.add_arguments(parser)
    waiting.add_arguments(parser)


class _File(msgspec.Struct, frozen=True):
    """The file, its versions (the newest first), and what the records know of it."""

    key: str
    name: str
    versions: tuple[Version, ...]
    force: InForce | None
    runs: tuple[Run, ...]

    @property
    def newest(self) -> Version:
        return self.versions[0]

    @property
    def contents(self) -> list[Version]:
        """Versions that can be put back."""
        return [version for version in self.versions if not version.deleted]

    def verdict_of(self, version: str) -> str:
        """The verdict of the latest run for a version; "" where there is none."""
        return next((run.verdict for run in self.runs if run.origin.version == version), "")


def run(arguments: argparse.Namespace) -> int:
    """Show, check, put back, wait; the exit status."""
    console = make_console()
    buckets = deployment.open_buckets(arguments)
    file = _file(buckets, arguments.cluster)
    chosen = _named(file, arguments.version) if arguments.version else _last_good(file)
    content = buckets.policies.content(file.key, chosen.version, Bounds().size + 1)
    _show(console, file, chosen, _newest_text(buckets.policies, file), _text(content.data))
    if _is_there_already(file, chosen):
        console.print("The newest version has the same content: there is nothing to put back.")
        return 0
    if not _is_fit(console, file.key, content):
        console.print(Text("Refused: the old version has errors by today's rules.", "bold red"))
        return 1
    if arguments.dry_run:
        console.print("Nothing was changed (--dry-run).")
        return 0
    if not _agreed(console):
        console.print("Nothing was changed.")
        return 1
    newest = None if file.newest.deleted else file.newest.etag
    put = buckets.policies.put_back(file.key, chosen.version, content.kind, newest)
    console.print(Text(f"Put back; it is version {put} now."), soft_wrap=True)

    def look() -> Seen | None:
        return _seen(buckets.records, file.key, put)

    return waiting.wait_for(console, look, arguments.wait, f"governor status {file.name}")


def _seen(documents: Documents, key: str, version: str) -> Seen | None:
    status = lookup.status_of(documents, key)
    if status is None or status.newest.origin.version != version:
        return None
    return Seen(status.verdict, status.reason, status.verdict != "InProgress")


def _file(buckets: deployment.Buckets, wanted: str) -> _File:
    try:
        force: InForce | None = lookup.governed(buckets.records, wanted)
    except NotFoundError:
        # A file that never got into force has a status and no cluster of its own.
        force, key = None, _key_of(buckets, wanted)
    if force is not None:
        key = force.origin.key
        _stay_with(buckets.records, force)
    versions = tuple(buckets.policies.versions(key))
    if not versions:
        raise NotFoundError(f"the bucket has no version of {printable(key)}; upload the file")
    runs = tuple(_runs(buckets.records, force, key)) if force else ()
    return _File(key, force.cluster_name if force else key, versions, force, runs)


def _stay_with(documents: Documents, force: InForce) -> None:
    """PermanentError where the file has been let go and governs another cluster: that one would lose its policy."""
    status = lookup.status_of(documents, force.origin.key)
    if force.state != "Released" or status is None or status.in_force is None:
        return
    if status.cluster_arn != force.cluster_arn:
        raise PermanentError(
            f"{printable(force.origin.key)} governs {status.cluster_name} by now, and its versions for "
            f"{force.cluster_name} would take that away; upload a file of its own for {force.cluster_name}"
        )


def _key_of(buckets: deployment.Buckets, wanted: str) -> str:
    found = lookup.about(buckets, wanted, 0)
    return found[0].status.key.partition("@")[0]


def _runs(documents: Documents, force: InForce, key: str) -> Iterator[Run]:
    """The runs for the file, the newest first: the one that has not ended yet is not in the history."""
    latest = lookup.latest_run(documents, force.cluster_arn)
    if latest is not None and not latest.settled:
        yield latest
    for entry in lookup.entries(documents, force.cluster_arn):
        if entry.origin.key == key:
            yield entry


def _named(file: _File, wanted: str) -> Version:
    """The version of an id, or of the beginning of one."""
    exact = [version for version in file.contents if version.version == wanted]
    found = exact or [version for version in file.contents if version.version.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    words = "several versions begin" if found else "no version begins"
    raise PermanentError(
        f"{words} with '{printable(wanted)}' in {printable(file.key)}; {_candidates(file, found or file.contents)}"
    )


def _last_good(file: _File) -> Version:
    """The version to go back to when none is named."""
    by_id = {version.version: version for version in file.contents}
    in_force = file.force.origin.version if file.force is not None else ""
    if file.newest.version != in_force and in_force in by_id:
        return by_id[in_force]
    for entry in file.runs:
        version = by_id.get(entry.origin.version)
        if entry.verdict not in ("Applied", "Unchanged") or version is None:
            continue
        if version.version != in_force and version.etag != file.newest.etag:
            return version
    raise PermanentError(
        f"no earlier version of {printable(file.key)} was ever applied; name one: {_candidates(file, file.contents)}"
    )


def _candidates(file: _File, versions: list[Version]) -> str:
    if not versions:
        return "there is none"
    lines = []
    for version in versions[:MAX_CANDIDATES]:
        verdict = file.verdict_of(version.version) or "never applied"
        now = ", the newest" if version.version == file.newest.version else ""
        lines.append(f"\n  {version.version}  {_when(version.modified)}  {version.size} bytes  {verdict}{now}")
    more = f"\n  and {len(versions) - MAX_CANDIDATES} more" if len(versions) > MAX_CANDIDATES else ""
    return f"there are{''.join(lines)}{more}"


def _is_there_already(file: _File, chosen: Version) -> bool:
    return not file.newest.deleted and file.newest.etag == chosen.etag


def _newest_text(policies: VersionedBucket, file: _File) -> list[str]:
    if file.newest.deleted:
        return []
    return _text(policies.content(file.key, file.newest.version, Bounds().size + 1).data)


def _text(data: bytes) -> list[str]:
    return [printable(line) for line in data.decode(errors="replace").splitlines()]


def _show(console: Console, file: _File, chosen: Version, newest: list[str], old: list[str]) -> None:
    rows = (("file", file.key), ("newest", _of(file, file.newest)), ("to be put back", _of(file, chosen)))
    for name, value in rows:
        console.print(Text(f"{name:<16}", "dim").append(printable(value), "default"), soft_wrap=True)
    was = f"newest ({'deleted' if file.newest.deleted else short(file.newest.version)})"
    lines = list(difflib.unified_diff(newest, old, was, f"to be put back ({short(chosen.version)})", lineterm=""))
    if lines:
        console.print()
    for line in lines:
        console.print(Text(line, _DIFF_STYLES.get(line[:1], "")), soft_wrap=True)
    console.print()


def _of(file: _File, version: Version) -> str:
    said = "deleted" if version.deleted else file.verdict_of(version.version) or "never applied"
    in_force = ", in force" if file.force is not None and file.force.origin.version == version.version else ""
    return f"{version.version}, {_when(version.modified)}, {said}{in_force}"


def _when(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def _is_fit(console: Console, key: str, content: Content) -> bool:
    """True when today's rules let the version pass; an instance type that only its cluster may know is let pass."""
    parsed = PolicyFile(printable(key), content.data).parse(service_limits())
    print_diagnostics(console, printable(key), parsed.diagnostics)
    return not any(_is_refused(item) for item in parsed.diagnostics)


def _is_refused(item: Diagnostic) -> bool:
    return item.severity == "error" and item.code != _ASK_THE_CLUSTER


def _agreed(console: Console) -> bool:
    if not (console.is_terminal and sys.stdin.isatty()):
        return True
    try:
        answer = console.input("Put it back? [y/N] ", markup=False)
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes")
