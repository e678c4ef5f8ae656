"""Fault rules: what goes wrong, for which requests, how often.

A rule meets requests of a verb, about a resource, below a path, each of them any by default. `times` None goes on for
ever. Of the rules that meet a request, latency and hang act together with the first other one.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec

from local.kubernetes.rbac import Act
from local.kubernetes.request import Request
from local.kubernetes.resources import BUILT_IN_GROUPS

Seconds = Annotated[float, msgspec.Meta(ge=0)]


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    verb: str = "*"
    resource: str = "*"
    path: str = ""
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None


class StatusFault(Rule, frozen=True, tag="status"):
    """A refusal with a Status; `retry_after` in seconds goes into the header and the details."""

    code: Literal[400, 401, 403, 404, 405, 406, 409, 410, 413, 415, 422, 429, 500, 503, 504]
    message: str = "a fault was asked for"
    retry_after: Annotated[int, msgspec.Meta(ge=0)] | None = None


class Hang(Rule, frozen=True, tag="hang"):
    """So many seconds pass before the request is handled; None is for ever."""

    seconds: Seconds | None = None


class Latency(Rule, frozen=True, tag="latency"):
    """So many milliseconds pass before the request is handled."""

    milliseconds: Seconds


class Drop(Rule, frozen=True, tag="drop"):
    """The connection closes: instead of the answer, or in the middle of its body."""

    when: Literal["before", "during"] = "before"


class NotJson(Rule, frozen=True, tag="not-json"):
    """200 and a page of HTML, as of a proxy that wants somebody to log in."""


class Truncated(Rule, frozen=True, tag="truncated"):
    """Half of the body, as if that were all of it."""


class GroupGone(Rule, frozen=True, tag="group-gone"):
    """Resources of groups that definitions make are 404, though discovery still tells of them."""


class ExpiredContinue(Rule, frozen=True, tag="expired-continue"):
    """A list that goes on with a token is 410."""


class SelfSigned(Rule, frozen=True, tag="self-signed"):
    """The listener shows a certificate of another authority, to everybody."""


class Closed(Rule, frozen=True, tag="closed"):
    """The listener is closed: connections are refused."""


AnyRule = StatusFault | Hang | Latency | Drop | NotJson | Truncated | GroupGone | ExpiredContinue | SelfSigned | Closed
OF_LISTENER = (SelfSigned, Closed)


@dataclass(slots=True)
class _Standing:
    rule: AnyRule
    met: int = 0

    @property
    def spent(self) -> bool:
        return self.rule.times is not None and self.met >= self.rule.times


@dataclass(slots=True)
class Faults:
    """The rules in force, with how often each has been met."""

    _standing: list[_Standing] = field(default_factory=list)

    def add(self, rule: AnyRule) -> None:
        self._standing.append(_Standing(rule))

    def clear(self) -> None:
        self._standing.clear()

    def listed(self) -> list[dict[str, Any]]:
        """The rules that are not spent, each with the number of requests it has met."""
        return [{"rule": msgspec.to_builtins(standing.rule), "met": standing.met} for standing in self._standing]

    def has(self, kind: type[Rule]) -> bool:
        return any(isinstance(standing.rule, kind) for standing in self._standing)

    def take(self, request: Request, act: Act) -> list[AnyRule]:
        """The rules that act on this request, each with one turn used."""
        acting: list[AnyRule] = []
        for standing in self._standing:
            if not _meets(standing.rule, request, act):
                continue
            standing.met += 1
            acting.append(standing.rule)
            if not isinstance(standing.rule, Hang | Latency):
                break
        self._standing = [standing for standing in self._standing if not standing.spent]
        return acting


def _meets(rule: AnyRule, request: Request, act: Act) -> bool:
    if isinstance(rule, OF_LISTENER):
        return False
    if isinstance(rule, GroupGone) and (not act.plural or act.group in BUILT_IN_GROUPS):
        return False
    if isinstance(rule, ExpiredContinue) and not request.query.get("continue"):
        return False
    return (
        rule.verb in ("*", act.verb)
        and rule.resource in ("*", act.plural, act.full_resource)
        and request.path.startswith(rule.path)
    )
