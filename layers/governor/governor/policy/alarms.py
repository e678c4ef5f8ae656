"""What a policy says of alarms: on a team that borrows more than its administrator wants to let pass."""

from collections.abc import Iterable, Mapping

import msgspec

from governor.policy.diagnostics import Diagnostics
from governor.policy.kinds import Number
from governor.policy.limits import Shape
from governor.policy.model import Alarms, BorrowingAlarm, Policy
from governor.policy.moments import Moment
from governor.policy.nodes import Mapping as MappingNode
from governor.policy.nodes import Node, Sequence
from governor.policy.reading import INVALID, Reading, Scope
from governor.policy.sections import Field, Section, text_at

_BORROWING = Section(
    "a mapping with percent",
    (
        Field(
            "percent",
            "percent",
            Number("a percentage", Shape(1, 10000), whole=True),
            "It goes off when the team has borrowed at least this share of its guaranteed accelerators (vCPU where the "
            "team has none). Nothing guaranteed counts as 100, whatever is borrowed.",
            "percent: 50",
            required=True,
        ),
        Field(
            "muteUntil",
            "mute_until",
            Moment(),
            "Until then it is mute: a day, which begins in UTC, or a time with its zone. A past one has no effect.",
            "muteUntil: 2027-01-31",
        ),
    ),
    BorrowingAlarm,
    lambda _node, _index: "borrowing",
    nullable=True,
)

ALARMS = Section(
    "a mapping with borrowing",
    (
        Field(
            "borrowing",
            "borrowing",
            _BORROWING,
            "The alarm on over-quota borrowing. null: none.",
            "borrowing: {percent: 50}",
            required=True,
        ),
    ),
    Alarms,
    lambda _node, _index: "alarms",
    nullable=True,
)

_Said = Alarms | msgspec.UnsetType | None


def borrowing_alarms(policy: Policy) -> Mapping[str, BorrowingAlarm | None]:
    """The alarm of every team of the policy; None for a team that has none, be it switched off or never on."""
    return _by_team(policy.alarms, ((team.name, team.alarms) for team in policy.teams))


def default_borrowing_alarm(policy: Policy) -> BorrowingAlarm | None:
    """The alarm of a team that the cluster has and the policy does not name."""
    return policy.alarms.borrowing if policy.alarms else None


def readable_alarms(root: Node | None) -> tuple[Mapping[str, BorrowingAlarm | None], BorrowingAlarm | None]:
    """The alarms by team, and the default, of a file that may have errors: what cannot be read counts as none."""
    if not isinstance(root, MappingNode):
        return {}, None
    said = _readable(root)
    default = said if isinstance(said, Alarms) else None
    teams = root.get("teams")
    items = teams.items if isinstance(teams, Sequence) else ()
    mappings = [item for item in items if isinstance(item, MappingNode)]
    named = ((name, _readable(team)) for team in mappings if (name := text_at(team, "name")))
    return _by_team(default, named), default.borrowing if default else None


def _by_team(default: Alarms | None, said: Iterable[tuple[str, _Said]]) -> Mapping[str, BorrowingAlarm | None]:
    effective = ((name, default if own is msgspec.UNSET else own) for name, own in said)
    return {name: alarms.borrowing if alarms else None for name, alarms in effective}


def _readable(holder: MappingNode) -> _Said:
    node = holder.get("alarms")
    if node is None:
        return msgspec.UNSET
    read = ALARMS.read(node, "alarms", Scope(ALARMS.title, node), Reading({}, {}, frozenset(), Diagnostics()))
    return None if read is INVALID else read
