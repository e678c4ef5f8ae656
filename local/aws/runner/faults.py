"""What goes wrong on demand: a rule picks calls and says what happens to them.

Every service call that MiniStack answers can be picked, a handler at work (service `lambda`, operation `Invoke`), a
call to the HyperPod control plane (`sagemaker`; its own faults do more), and an event on its way through EventBridge
(`events`, `Deliver`).
"""

import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

ERROR, DELAY, KILL_WORKER, DROP, DUPLICATE = "error", "delay", "kill_worker", "drop", "duplicate"
ANY = "*"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a rule can be about. `function` is the Lambda function that calls, if one does."""

    service: str
    operation: str
    resource: str = ""
    role: str = ""
    function: str = ""


@dataclass(slots=True)
class Rule:
    """Skips `after` matching calls, then acts on `times` of them; None for always.

    `when` says on which side of the call's effect an error, a delay or a kill comes; `resource` is a part of the ARN.
    """

    service: str
    operation: str
    action: str = ERROR
    times: int | None = 1
    after: int = 0
    when: str = "before"
    code: str = "InternalError"
    status: int = 500
    message: str = "A fault that a test asked for."
    delay: float = 0.0
    resource: str = ""
    role: str = ""
    function: str = ""

    def __post_init__(self) -> None:
        allowed = _allowed(self.service)
        if self.action not in allowed:
            raise ValueError(f"{self.action} is none of {', '.join(allowed)}, which {self.service} can have.")
        if self.when not in ("before", "after"):
            raise ValueError("when is `before` or `after`.")

    @property
    def ends_call(self) -> bool:
        return self.action in (ERROR, DROP)

    def about(self, subject: Subject) -> bool:
        return (
            self.service == subject.service
            and self.operation in (ANY, subject.operation)
            and self.resource in subject.resource
            and self.role in ("", subject.role)
            and self.function in ("", subject.function)
        )


class Faults:
    """The rules not yet spent, in the order they were added."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []

    def add(self, rule: Rule) -> None:
        with self._lock:
            self._rules.append(rule)

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def listed(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(rule) for rule in self._rules]

    def take(self, subject: Subject) -> list[Rule]:
        """The rules that act on this call; they are one call nearer to being spent.

        One that answers the call by itself, or loses it, keeps those behind it from acting.
        """
        acting: list[Rule] = []
        with self._lock:
            for rule in self._rules:
                if not rule.about(subject) or any(each.ends_call for each in acting):
                    continue
                if rule.after > 0:
                    rule.after -= 1
                    continue
                acting.append(rule)
                if rule.times is not None:
                    rule.times -= 1
            self._rules = [rule for rule in self._rules if rule.times != 0]
        return acting


faults = Faults()


def role_and_function(caller: str) -> tuple[str, str]:
    """Of a function's session, `…:assumed-role/ROLE/FUNCTION`; empty for everybody else."""
    parts = caller.split(":", 5)[-1].split("/")
    return (parts[1], parts[2]) if parts[0] == "assumed-role" and len(parts) > 2 else ("", "")


def error_among(rules: Iterable[Rule], when: str) -> Rule | None:
    return next((rule for rule in rules if rule.action == ERROR and rule.when == when), None)


def delay_of(rules: Iterable[Rule], when: str) -> float:
    return sum(rule.delay for rule in rules if rule.action == DELAY and rule.when == when)


def kills(rules: Iterable[Rule], when: str) -> bool:
    return any(rule.action == KILL_WORKER and rule.when == when for rule in rules)


def _allowed(service: str) -> tuple[str, ...]:
    if service == "events":
        return ERROR, DELAY, KILL_WORKER, DROP, DUPLICATE
    if service in ("lambda", "sagemaker"):
        return ERROR, KILL_WORKER, DELAY
    return ERROR, DELAY, KILL_WORKER
