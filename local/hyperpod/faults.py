"""Faults on demand: rules that change what happens to the next calls they match.

A rule is put in with `POST /_admin/faults`. It skips the first `after` calls it matches, acts on the next
`times` (None means on every one) and is then spent. Rules act in the order they were put in; one that
answers the call itself ends the search, so that those behind it keep their turns.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import msgspec

TRANSITIONS = (
    "CreateComputeQuota",
    "UpdateComputeQuota",
    "DeleteComputeQuota",
    "CreateClusterSchedulerConfig",
    "UpdateClusterSchedulerConfig",
    "DeleteClusterSchedulerConfig",
)


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Substrings of the name, the team and the id of what a call is about; empty matches everything."""

    name: str = ""
    team: str = ""
    id: str = ""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="action"):
    operation: str = "*"
    match: Match = Match()
    times: Annotated[int, msgspec.Meta(ge=1)] | None = 1
    after: Annotated[int, msgspec.Meta(ge=0)] = 0

    concerns: ClassVar[tuple[str, ...]] = ("",)
    """Beginnings of the names of operations that the action can mean anything to."""


class Throttle(Rule, frozen=True, tag="throttle"):
    """ThrottlingException."""


class Fail(Rule, frozen=True, tag="fail"):
    """The transition that the call starts ends in this status."""

    status: Literal[
        "CreateFailed",
        "CreateRollbackFailed",
        "UpdateFailed",
        "UpdateRollbackFailed",
        "DeleteFailed",
        "DeleteRollbackFailed",
    ]
    reason: str = "A fault was asked for."

    concerns: ClassVar[tuple[str, ...]] = TRANSITIONS


class Error(Rule, frozen=True, tag="error"):
    """Any error answer."""

    code: str
    http_status: int = 400
    message: str = "A fault was asked for."


class Conflict(Rule, frozen=True, tag="conflict"):
    """ConflictException, with nothing changed."""


class BumpVersion(Rule, frozen=True, tag="bump_version"):
    """Somebody else's update comes first, with these changes laid over what the resource holds."""

    changes: dict[str, Any] = {}

    concerns: ClassVar[tuple[str, ...]] = ("Update",)


class Stuck(Rule, frozen=True, tag="stuck"):
    """The transition that the call starts never ends."""

    concerns: ClassVar[tuple[str, ...]] = TRANSITIONS


class Slow(Rule, frozen=True, tag="slow"):
    """So many seconds pass before the call is handled."""

    seconds: Annotated[float, msgspec.Meta(ge=0)]


class DropConnection(Rule, frozen=True, tag="drop_connection"):
    """No answer: the connection closes before the call was handled, or after."""

    when: Literal["before", "after"] = "before"


class DropMember(Rule, frozen=True, tag="drop_member"):
    """An answer without a member; a dotted path goes down into structures and lists."""

    member: str


class AddMember(Rule, frozen=True, tag="add_member"):
    """An answer with a member more."""

    member: str
    value: Any = "unexpected"


AnyRule = Throttle | Error | Conflict | BumpVersion | Stuck | Fail | Slow | DropConnection | DropMember | AddMember


def _answers_itself(rule: AnyRule) -> bool:
    return isinstance(rule, Throttle | Error | Conflict) or (isinstance(rule, DropConnection) and rule.when == "before")


@dataclass(slots=True)
class _Standing:
    rule: AnyRule
    met: int = 0

    @property
    def spent(self) -> bool:
        rule = self.rule
        return rule.times is not None and self.met >= rule.after + rule.times


@dataclass(slots=True)
class Faults:
    """The rules in force, with how often each has been met."""

    _standing: list[_Standing] = field(default_factory=list)

    def add(self, rule: AnyRule) -> None:
        self._standing.append(_Standing(rule))

    def clear(self) -> None:
        self._standing.clear()

    def listed(self) -> list[dict[str, Any]]:
        """The rules that are not spent, each with the number of calls it has met."""
        return [{"rule": msgspec.to_builtins(standing.rule), "met": standing.met} for standing in self._standing]

    def take(self, operation: str, subject: Mapping[str, str]) -> list[AnyRule]:
        """The rules that act on this call, each with one turn used."""
        acting: list[AnyRule] = []
        for standing in self._standing:
            rule = standing.rule
            if not _matches(rule, operation, subject):
                continue
            standing.met += 1
            if standing.met > rule.after:
                acting.append(rule)
                if _answers_itself(rule):
                    break
        self._standing = [standing for standing in self._standing if not standing.spent]
        return acting


def _matches(rule: AnyRule, operation: str, subject: Mapping[str, str]) -> bool:
    wanted = rule.match
    return (
        rule.operation in ("*", operation)
        and operation.startswith(rule.concerns)
        and wanted.name in subject.get("name", "")
        and wanted.team in subject.get("team", "")
        and wanted.id in subject.get("id", "")
    )
