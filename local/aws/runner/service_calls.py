"""A ring around every service that MiniStack answers for, and the faults in it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id
from ministack.core.router import extract_region

from local.aws.runner.faults import Rule, Subject, delay_of, error_among, faults, kills, role_and_function
from local.aws.runner.settings import RunnerSettings
from local.aws.runner.workers import kill_workers

Answer = tuple[int, dict[str, str], Any]
Handler = Callable[..., Awaitable[Answer]]
GoOn = Callable[[], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Call:
    """A call as the wire brought it, and what it is about. `action` is IAM's name: s3:PutObject."""

    service: str
    action: str
    resource: str
    caller: str
    headers: dict[str, str]
    query: dict[str, Any]

    @property
    def subject(self) -> Subject:
        namespace, _, operation = self.action.partition(":")
        role, function = role_and_function(self.caller)
        return Subject(namespace, operation, self.resource, role, function)


def add_faults(_: RunnerSettings) -> None:
    """MiniStack has no fault injection."""
    around_services(_with_faults)


async def _with_faults(call: Call, go_on: GoOn) -> Answer:
    subject = call.subject
    # A handler at work is picked where it works; the API call Invoke is not the same thing.
    rules = [] if subject.service == "lambda" and subject.operation == "InvokeFunction" else faults.take(subject)
    if not rules:
        return await go_on()
    await asyncio.sleep(delay_of(rules, "before"))
    if kills(rules, "before"):
        kill_workers(subject.function)
    error = error_among(rules, "before")
    if error is not None:
        return _error_answer(call, error)
    answer = await go_on()
    await asyncio.sleep(delay_of(rules, "after"))
    if kills(rules, "after"):
        kill_workers(subject.function)
    error = error_among(rules, "after")
    return answer if error is None else _error_answer(call, error)


def _error_answer(call: Call, rule: Rule) -> Answer:
    _, headers, body = iam_actions.access_denied_response(
        call.service, call.action, "", "fault", error_code=rule.code, message=rule.message, headers=call.headers
    )
    return rule.status, headers, body


def around_services(answer: Callable[[Call, GoOn], Awaitable[Answer]], only: tuple[str, ...] = ()) -> None:
    """Have calls answered by `answer`, which is given the call and the way on to MiniStack's own answer."""
    for service, handler in list(app.SERVICE_HANDLERS.items()):
        if not only or service in only:
            app.SERVICE_HANDLERS[service] = _surrounded(service, handler, answer)


def _surrounded(service: str, handler: Handler, answer: Callable[[Call, GoOn], Awaitable[Answer]]) -> Handler:
    async def handled(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Answer:
        parameters = app._routing_params(method, path, headers, body, query)
        action = iam_actions.extract_iam_action(service, method, path, headers, body, parameters)
        if action is None:
            return await handler(method, path, headers, body, query)
        resource = iam_actions.extract_resource_arn(
            service, method, path, headers, body, parameters, extract_region(headers), get_account_id()
        )
        caller = iam_evaluator.request_caller_arn(headers, query)
        call = Call(service, action, resource, caller, headers, query)
        return await answer(call, lambda: handler(method, path, headers, body, query))

    return handled
