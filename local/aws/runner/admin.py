"""The endpoint below /_governor/: what the launcher and the control plane ask of this process."""

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.app import app

from local.aws.runner import alarms
from local.aws.runner.authorize import Question, authorize, authorize_call
from local.aws.runner.decisions import decide_again, record
from local.aws.runner.eks_admin import EKS_ROUTES
from local.aws.runner.faults import Rule, faults
from local.aws.runner.logs import printed_by
from local.aws.runner.mappings import release_messages
from local.aws.runner.settings import REGION, RunnerSettings
from local.aws.runner.workers import credentials_of, kill_workers, processes_of

PREFIX = "/_governor/"

Body = dict[str, Any]
Route = Callable[[Body], Body]
Asgi = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


def with_admin(settings: RunnerSettings) -> Asgi:
    """MiniStack's application behind the admin endpoint."""
    routes = {**ROUTES, "POST alarms": lambda _: _evaluate_alarms(settings)}

    async def gate(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await app(scope, receive, send)
            return
        body = await _read(receive)
        route = f"{scope['method']} {scope['path'].removeprefix(PREFIX)}"
        status, answer = await asyncio.to_thread(_answer, routes.get(route), route, json.loads(body or b"{}"))
        await _send(send, status, answer)

    return gate


def _answer(handler: Route | None, route: str, body: Body) -> tuple[int, Body]:
    if handler is None:
        return 404, {"error": f"There is no {route}."}
    try:
        return 200, handler(body)
    except (KeyError, TypeError, ValueError) as error:
        return 400, {"error": f"{type(error).__name__}: {error}"}


def _authorize(body: Body) -> Body:
    return dataclasses.asdict(authorize_call(Question(**body)))


def _may(body: Body) -> Body:
    """Would the function's role be allowed this? Asked of its policies as they stand, and written down."""
    key = credentials_of(body["function"])["AWS_ACCESS_KEY_ID"]
    question = Question(key, body["action"], body["resource"], REGION, body["context"])
    return {"allowed": authorize(question).allowed}


def _decisions(_: Body) -> Body:
    return {"decisions": record.shown()}


def _forget_decisions(_: Body) -> Body:
    record.forget()
    return {}


def _evaluate(body: Body) -> Body:
    return {"decision": decide_again(body["id"], body["policies"], body.get("changes", {}))}


def _evaluate_alarms(settings: RunnerSettings) -> Body:
    alarms.evaluate_now(settings)
    return {}


def _release_messages(body: Body) -> Body:
    return {"released": release_messages(body["queue"])}


def _faults(_: Body) -> Body:
    return {"faults": faults.listed()}


def _add_fault(body: Body) -> Body:
    faults.add(Rule(**body))
    return {}


def _clear_faults(_: Body) -> Body:
    faults.clear()
    return {}


def _workers(body: Body) -> Body:
    return {"processes": processes_of(body["function"])}


def _logs(body: Body) -> Body:
    return {"text": printed_by(body["function"])}


def _credentials(body: Body) -> Body:
    return credentials_of(body["function"])


def _kill_workers(body: Body) -> Body:
    return {"killed": kill_workers(body["function"])}


ROUTES: dict[str, Route] = {
    "POST authorize": _authorize,
    "GET decisions": _decisions,
    "DELETE decisions": _forget_decisions,
    "POST evaluate": _evaluate,
    "POST may": _may,
    "POST logs": _logs,
    "POST credentials": _credentials,
    "POST workers": _workers,
    "POST workers/kill": _kill_workers,
    "POST queues/release": _release_messages,
    "GET faults": _faults,
    "POST faults": _add_fault,
    "DELETE faults": _clear_faults,
    **EKS_ROUTES,
}


async def _read(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _send(send: Any, status: int, answer: Body) -> None:
    text = json.dumps(answer, default=str).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
