"""Reading policy files for the commands, with every message at its place."""

import sys
from pathlib import Path

import msgspec

from governor.aws.service_model import service_limits
from governor.checks import check_policy
from governor.errors import PermanentError
from governor.policy import Bounds, Diagnostic, Diagnostics, Finding, Parsed, parse_policy
from governor.policy.wording import printable
from governor.quota import Catalogue, bundled_instances

STANDARD_INPUT = "-"


class PolicyFile(msgspec.Struct, frozen=True):
    """A file as read; ``path`` is fit for a terminal, ``data`` is kept to read it again once the cluster's
    instance types are known."""

    path: str
    data: bytes

    @property
    def is_json(self) -> bool:
        """By its name, or because it starts like one: standard input has no name."""
        return self.path.endswith(".json") or self.data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")

    def parse(self, present_types: frozenset[str] = frozenset(), instances: Catalogue | None = None) -> Parsed:
        """The policy with errors and warnings, in the order of the file."""
        known = bundled_instances() if instances is None else instances
        parsed = parse_policy(
            self.data, service_limits(), json=self.is_json, present_types=present_types, instances=known
        )
        if parsed.policy is None:
            return parsed
        together = Diagnostics()
        for item in (*parsed.diagnostics, *placed(parsed, check_policy(parsed.policy, known))):
            together.add(item)
        return msgspec.structs.replace(parsed, diagnostics=together.listed())


def read_file(path: str) -> PolicyFile:
    """The bytes of a file or of standard input ('-'), no more than a policy may have and one."""
    most = Bounds().size + 1
    try:
        if path == STANDARD_INPUT:
            return PolicyFile("<stdin>", sys.stdin.buffer.read(most))
        with Path(path).open("rb") as file:
            return PolicyFile(printable(path), file.read(most))
    except (OSError, ValueError) as error:  # ValueError: NUL in the path
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PermanentError(f"{printable(path)} cannot be read: {reason}") from error


def placed(parsed: Parsed, findings: tuple[Finding, ...]) -> list[Diagnostic]:
    """Findings of checks at the lines and columns of the file."""
    diagnostics = []
    for finding in findings:
        at = parsed.position(*finding.path)
        diagnostics.append(Diagnostic(finding.severity, finding.code, at.line, at.column, finding.text))
    return diagnostics
