"""One request from its arrival to what goes out: faults, the API, faults again, the log."""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from local.kubernetes.answer import Answer, refusal_answer, unknown_path
from local.kubernetes.api import Api
from local.kubernetes.errors import REASONS, ApiError
from local.kubernetes.faults import (
    AnyRule,
    Drop,
    ExpiredContinue,
    Faults,
    GroupGone,
    Hang,
    Latency,
    NotJson,
    StatusFault,
    Truncated,
)
from local.kubernetes.paging import continuation, expired
from local.kubernetes.request import Asked, Request, asked
from local.kubernetes.store import Store

REQUESTS_KEPT = 10_000
_log = logging.getLogger(__name__)
PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Sign in to continue</h1></body></html>\n"

Wait = Callable[[float | None], bool]
"""Waits so many seconds, or for ever; True when the server closes meanwhile."""


@dataclass(frozen=True, slots=True)
class Handled:
    """A request that was answered or, with status 0, was not; `user` is empty where nobody knows who asked."""

    time: float
    verb: str
    method: str
    path: str
    resource: str
    group: str
    namespace: str
    name: str
    user: str
    status: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """`answer` None: the connection closes without one. `cut`: it closes in the middle of the body."""

    answer: Answer | None
    cut: bool = False


class Exchange:
    """Answers requests and remembers them; `store.lock` guards faults and log too.

    Those with the token of the control plane are not remembered and have faults of their own: what a test asks for or
    counts is about its own requests.
    """

    def __init__(self, api: Api, store: Store, now: Callable[[], float], control_plane_token: str) -> None:
        self.faults = Faults()
        self.control_plane_faults = Faults()
        self.handled: deque[Handled] = deque(maxlen=REQUESTS_KEPT)
        self._api = api
        self._store = store
        self._now = now
        self._control_plane = f"Bearer {control_plane_token}"

    def deliver(self, request: Request, wait: Wait) -> Delivery:
        """What goes out for a request; `wait` is for requests that take their time."""
        wanted = asked(request)
        with self._store.lock:
            faults = self.control_plane_faults if self._is_control_plane(request) else self.faults
            rules = faults.take(request, wanted.act)
        began = self._now()
        if any(wait(_seconds(rule)) for rule in rules if isinstance(rule, Hang | Latency)):
            return self._logged(began, request, wanted, Delivery(None), "")
        last = rules[-1] if rules else None
        if isinstance(last, Drop) and last.when == "before":
            return self._logged(began, request, wanted, Delivery(None), "")
        instead = _instead(last, request)
        if instead is not None:
            return self._logged(began, request, wanted, Delivery(instead), "")
        answer, user = self._answer(request, wanted)
        if isinstance(last, Truncated):
            answer = replace(answer, body=answer.body[: len(answer.body) // 2])
        return self._logged(began, request, wanted, Delivery(answer, cut=isinstance(last, Drop)), user)

    def _is_control_plane(self, request: Request) -> bool:
        return request.headers.get("authorization") == self._control_plane

    def _answer(self, request: Request, wanted: Asked) -> tuple[Answer, str]:
        try:
            return self._api.answer(request, wanted)
        except Exception as failure:  # noqa: BLE001 - who asked gets an answer, whatever has happened
            _log.exception("%s %s has failed", request.method, request.target)
            return refusal_answer(ApiError(f"Internal error occurred: {type(failure).__name__}: {failure}")), ""

    def _logged(self, began: float, request: Request, wanted: Asked, delivery: Delivery, user: str) -> Delivery:
        if self._is_control_plane(request):
            return delivery
        act, answer = wanted.act, delivery.answer
        entry = Handled(
            time=began,
            verb=act.verb,
            method=request.method,
            path=request.target,
            resource=act.full_resource,
            group=act.group,
            namespace=act.namespace,
            name=act.name,
            user=user,
            status=answer.status if answer else 0,
        )
        with self._store.lock:
            self.handled.append(entry)
        return delivery


def _seconds(rule: Hang | Latency) -> float | None:
    return rule.milliseconds / 1000 if isinstance(rule, Latency) else rule.seconds


def _instead(rule: AnyRule | None, request: Request) -> Answer | None:
    """The answer of a rule that lets the API have no say."""
    if isinstance(rule, StatusFault):
        return refusal_answer(_AskedForError(rule))
    if isinstance(rule, NotJson):
        return Answer(200, PAGE, "text/html; charset=utf-8")
    if isinstance(rule, GroupGone):
        return unknown_path()
    if isinstance(rule, ExpiredContinue):
        return refusal_answer(expired(continuation(request.query["continue"])))
    return None


class _AskedForError(ApiError):
    def __init__(self, rule: StatusFault) -> None:
        details = None if rule.retry_after is None else {"retryAfterSeconds": rule.retry_after}
        self.code = rule.code
        super().__init__(rule.message, details, reason=REASONS[rule.code])
