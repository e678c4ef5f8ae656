"""governor validate: reads policy files and says what is wrong, without a call to AWS."""

import argparse
import json
import sys

from governor.aws.service_model import service_limits
from governor.checks import PolicyFile
from governor.cli.files import STANDARD_INPUT, read_file
from governor.cli.screen import make_console, print_diagnostics
from governor.errors import PermanentError
from governor.policy import Diagnostic, Parsed
from governor.policy.wording import counted, printable

DESCRIPTION = """\
Checks policy files: format, types, ranges, names, duplicates, and what the teams' settings mean together.
Calls nothing. What only the cluster can tell (capacity, existing quotas) is checked by 'governor plan'.

exit status: 0 no error (warnings allowed), 1 errors"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="policy file, YAML or JSON; '-' is standard input")
    parser.add_argument(
        "--format",
        choices=("text", "json", "github"),
        default="text",
        help="how to print messages: path:line:column (default), one JSON document, or GitHub annotations",
    )


def run(arguments: argparse.Namespace) -> int:
    """Validate and print; the exit status."""
    read: list[tuple[PolicyFile, Parsed]] = []
    messages: list[tuple[str, Diagnostic]] = []
    for path in arguments.files:
        try:
            file = read_file(path)
        except PermanentError as error:  # the other files get their verdict all the same
            messages.append((printable(path), Diagnostic("error", "unreadable", 1, 1, str(error))))
            continue
        parsed = file.parse(service_limits())
        read.append((file, parsed))
        messages += [(file.path, item) for item in parsed.diagnostics]
    messages += _governed_twice(read)
    errors = sum(item.severity == "error" for _, item in messages)
    if arguments.format == "json":
        print(json.dumps(_document(arguments.files, messages), indent=2))
    elif arguments.format == "github":
        for path, item in messages:
            print(_annotation(path, item))
    else:
        console = make_console()
        for path, item in messages:
            print_diagnostics(console, path, [item])
    if arguments.format == "text":
        warnings = len(messages) - errors
        print(
            f"{counted(len(arguments.files), 'file')}: {counted(errors, 'error')}, {counted(warnings, 'warning')}",
            file=sys.stderr,
        )
    return 1 if errors else 0


def _governed_twice(read: list[tuple[PolicyFile, Parsed]]) -> list[tuple[str, Diagnostic]]:
    """One file governs one cluster."""
    first: dict[str, str] = {}
    found = []
    for file, parsed in read:
        if parsed.policy is None:
            continue
        owner = first.setdefault(parsed.policy.cluster, file.path)
        if owner != file.path:
            at = parsed.position("cluster")
            text = f"cluster '{parsed.policy.cluster}' is governed by {owner} already; put all its teams into one file"
            found.append((file.path, Diagnostic("error", "governed-twice", at.line, at.column, text)))
    return found


def _document(paths: list[str], messages: list[tuple[str, Diagnostic]]) -> dict[str, object]:
    return {
        "valid": not any(item.severity == "error" for _, item in messages),
        "files": ["<stdin>" if path == STANDARD_INPUT else printable(path) for path in paths],
        "messages": [
            {
                "path": path,
                "line": item.line,
                "column": item.column,
                "severity": item.severity,
                "code": item.code,
                "text": item.text,
            }
            for path, item in messages
        ],
    }


def _annotation(path: str, item: Diagnostic) -> str:
    """GitHub's workflow command; the properties have a separator more to escape."""
    text = item.text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    file = path.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A").replace(":", "%3A").replace(",", "%2C")
    return f"::{item.severity} file={file},line={item.line},col={item.column},title=governor {item.code}::{text}"
