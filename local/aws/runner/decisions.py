"""Every decision about what a role may do, written down with the context it was made in, to be made again.

A test asks afterwards which permissions were used, and whether a request would have been denied without one of them.
"""

import dataclasses
import itertools
import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from ministack.core import iam_evaluator

from local.aws.runner.patching import Function, around
from local.aws.runner.settings import RunnerSettings


@dataclass(frozen=True, slots=True)
class Decision:
    """`keys` are the condition keys that the role's statements asked for, with the values they found."""

    number: int
    principal: str
    role: str
    action: str
    resource: str
    allowed: bool
    keys: Mapping[str, Any]
    context: Any

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.number,
            "principal": self.principal,
            "role": self.role,
            "action": self.action,
            "resource": self.resource,
            "allowed": self.allowed,
            "keys": dict(self.keys),
            "context": dict(self.context.service_context),
        }


class Record:
    """The different decisions so far, in the order they were first made, each with how often it was."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._decisions: dict[str, Decision] = {}
        self._counts: Counter[str] = Counter()

    def add(self, context: Any, allowed: bool, keys: Mapping[str, Any]) -> None:
        parts = context.principal_arn, context.action, context.resource_arn, allowed, context.service_context, keys
        name = repr(parts)
        with self._lock:
            self._counts[name] += 1
            if name not in self._decisions:
                self._decisions[name] = Decision(
                    number=next(self._numbers),
                    principal=context.principal_arn,
                    role=iam_evaluator._role_name_from_assumed_arn(context.principal_arn),
                    action=context.action,
                    resource=context.resource_arn,
                    allowed=allowed,
                    keys=keys,
                    context=context,
                )

    def shown(self) -> list[dict[str, Any]]:
        with self._lock:
            return [{**each.shown(), "count": self._counts[name]} for name, each in self._decisions.items()]

    def forget(self) -> None:
        with self._lock:
            self._decisions.clear()
            self._counts.clear()

    def find(self, number: int) -> Decision:
        with self._lock:
            for each in self._decisions.values():
                if each.number == number:
                    return each
        raise KeyError(f"There is no decision {number}.")


record = Record()


@dataclass(frozen=True, slots=True)
class Seen:
    """What an evaluation looked at: contexts in the order they were judged, condition keys with their values."""

    contexts: list[Any]
    keys: dict[str, Any]


_seen: ContextVar[Seen | None] = ContextVar("seen", default=None)


@contextmanager
def watched() -> Iterator[Seen]:
    """What the evaluations within the context look at."""
    seen = Seen([], {})
    token = _seen.set(seen)
    try:
        yield seen
    finally:
        _seen.reset(token)


def record_decisions(_: RunnerSettings) -> None:
    """MiniStack decides and forgets."""

    @around(iam_evaluator, "_resolve_condition_key")
    def note_key(resolve: Function) -> Function:
        def resolved(key: str, context: Any) -> Any:
            value = resolve(key, context)
            seen = _seen.get()
            if seen is not None:
                seen.keys[key] = value
            return value

        return resolved

    @around(iam_evaluator, "evaluate")
    def note_context(evaluate: Function) -> Function:
        def evaluated(context: Any, *policies: Any) -> Any:
            seen = _seen.get()
            if seen is not None:
                seen.contexts.append(context)
            return evaluate(context, *policies)

        return evaluated

    @around(iam_evaluator, "enforce")
    def note_decision(enforce: Function) -> Function:
        def enforced(*args: Any, **details: Any) -> Any:
            with watched() as seen:
                denied = enforce(*args, **details)
            # Root is asked about nothing, and an unknown caller is refused before anything is.
            if seen.contexts:
                record.add(seen.contexts[0], denied is None, seen.keys)
            return denied

        return enforced


def decide_again(number: int, policies: list[Any], changes: Mapping[str, Any]) -> str:
    """What a recorded request would come to under these identity policies: Allow, Deny or ImplicitDeny.

    `changes` replaces fields of its context, `{"secure_transport": False}` for instance. Resource policies, such as
    a bucket's, take part as they stand now.
    """
    context = dataclasses.replace(record.find(number).context, **changes)
    parsed = [iam_evaluator.parse_policy_document(json.loads(json.dumps(each))) for each in policies]
    result = iam_evaluator.evaluate(context, parsed)
    service = context.action.split(":")[0]
    found = iam_evaluator._resource_policy(service, context.resource_arn)
    if found is not None:
        required = service in iam_evaluator._POLICY_REQUIRED
        result = iam_evaluator.combine_resource_policy(result, context, *found, required=required)
    return str(result.decision)
