"""What a policy in force says of alarms; it is read again only when it is another one."""

from collections.abc import Callable

import msgspec

from governor.checks import PolicyFile
from governor.policy import Limits, borrowing_alarms, default_borrowing_alarm, readable_alarms
from governor.records.documents import InForce
from governor.usage.alarming import Rules


class Declared(msgspec.Struct, frozen=True):
    """``trouble`` says why not all is known of the alarms."""

    rules: Rules = Rules()
    trouble: str = ""


class Declarations:
    """The policies in force of all clusters. A process serves many runs, and a policy seldom changes."""

    def __init__(self, limits: Callable[[], Limits]) -> None:
        self._limits = limits
        self._kept: dict[str, tuple[str, Declared]] = {}

    def of(self, force: InForce) -> Declared:
        """What the policy says of alarms."""
        kept = self._kept.get(force.cluster_arn)
        if kept is None or kept[0] != force.text:
            kept = self._kept[force.cluster_arn] = (force.text, self._read(force))
        return kept[1]

    def _read(self, force: InForce) -> Declared:
        parsed = PolicyFile(force.origin.key, force.text.encode()).parse(self._limits())
        if parsed.policy is None:
            why = f"this release cannot read the policy in force ({force.origin.key}), so alarms may be missing"
            return Declared(Rules(*readable_alarms(parsed.root)), f"{why}: upload it anew")
        return Declared(Rules(borrowing_alarms(parsed.policy), default_borrowing_alarm(parsed.policy)))
