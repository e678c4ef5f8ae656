"""The bytes of a policy file to a checked policy: reading and the checks across teams, in one list of messages."""

import msgspec

from governor.checks.sharing import check_policy
from governor.policy import Diagnostic, Diagnostics, Finding, Limits, Parsed, parse_policy
from governor.quota import Catalogue, bundled_instances


class PolicyFile(msgspec.Struct, frozen=True):
    """A file as read; ``path`` is fit for a terminal, ``data`` is kept to read it again once the cluster's
    instance types are known."""

    path: str
    data: bytes

    @property
    def is_json(self) -> bool:
        """By its name, or because it starts like one: standard input has no name."""
        return self.path.endswith(".json") or self.data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")

    def parse(
        self, limits: Limits, present_types: frozenset[str] = frozenset(), instances: Catalogue | None = None
    ) -> Parsed:
        """The policy with errors and warnings, in the order of the file."""
        known = bundled_instances() if instances is None else instances
        parsed = parse_policy(self.data, limits, json=self.is_json, present_types=present_types, instances=known)
        if parsed.policy is None:
            return parsed
        together = Diagnostics()
        for item in (*parsed.diagnostics, *placed(parsed, check_policy(parsed.policy, known))):
            together.add(item)
        return msgspec.structs.replace(parsed, diagnostics=together.listed())


def placed(parsed: Parsed, findings: tuple[Finding, ...]) -> list[Diagnostic]:
    """Findings of checks at the lines and columns of the file."""
    diagnostics = []
    for finding in findings:
        at = parsed.position(*finding.path)
        diagnostics.append(Diagnostic(finding.severity, finding.code, at.line, at.column, finding.text))
    return diagnostics
