"""Calls to EKS that are answered here rather than by MiniStack, and the errors that they can end with."""

import functools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ministack.services import eks

from local.aws.runner.patching import Function, around

Json = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]

PAGE = 100


class EksError(Exception):
    """An error as EKS answers it; `names` are the members beside the message: clusterName, addonName."""

    def __init__(self, status: int, code: str, message: str, **names: str) -> None:
        super().__init__(message)
        self.status, self.code, self.names = status, code, names

    def answer(self) -> Answer:
        body = {"__type": self.code, **self.names, "message": str(self)}
        headers = {"Content-Type": "application/json", "x-amzn-errortype": self.code}
        return self.status, headers, json.dumps(body).encode()


def invalid_parameter(message: str, **names: str) -> EksError:
    return EksError(400, "InvalidParameterException", message, **names)


def invalid_request(message: str, **names: str) -> EksError:
    return EksError(400, "InvalidRequestException", message, **names)


def not_found(message: str, **names: str) -> EksError:
    return EksError(404, "ResourceNotFoundException", message, **names)


def in_use(message: str, **names: str) -> EksError:
    return EksError(409, "ResourceInUseException", message, **names)


@dataclass(frozen=True, slots=True)
class EksCall:
    """A call: names out of the path, the body, and the query with all values of each key."""

    names: Mapping[str, str]
    body: Json
    query: Mapping[str, list[str]]

    @property
    def cluster(self) -> str:
        return self.names["cluster"]

    @property
    def addon(self) -> str:
        return self.names["addon"]

    def asked(self, name: str) -> str:
        """The value in the query; empty where there is none."""
        return next(iter(self.query.get(name, [])), "")

    def page(self, items: list[Any]) -> tuple[list[Any], Json]:
        """The part of a list that is asked for, and the token of the next part, if there is one."""
        token, size = self.asked("nextToken"), self.asked("maxResults")
        if (token and not token.isdecimal()) or (size and not (size.isdecimal() and 1 <= int(size) <= PAGE)):
            raise invalid_parameter("maxResults or nextToken is not valid.")
        first = int(token or 0)
        last = first + int(size or PAGE)
        return items[first:last], {"nextToken": str(last)} if last < len(items) else {}


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: re.Pattern[str]
    answer: Callable[[EksCall], Json]


def route(method: str, path: str, answer: Callable[[EksCall], Json]) -> Route:
    """`path` is as in AWS's reference: `/clusters/{cluster}/addons/{addon}`."""
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
    return Route(method, re.compile(pattern), answer)


def serve(*routes: Route) -> None:
    """Answer these calls before MiniStack sees them."""

    @around(eks, "_handle_request_sync")
    def first(handle: Function) -> Function:
        def handled(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
            for each in routes:
                found = each.path.fullmatch(path) if each.method == method else None
                if found:
                    return answered(functools.partial(_answer, each, found, body, query))
            return handle(method, path, headers, body, query)

        return handled


def answered(answer: Callable[[], Json]) -> Answer:
    """An answer, or the error that it ends with."""
    try:
        return 200, {"Content-Type": "application/json"}, json.dumps(answer()).encode()
    except EksError as error:
        return error.answer()


def _answer(route: Route, found: re.Match[str], body: bytes, query: dict[str, Any]) -> Json:
    return route.answer(_call(found, body, query))


def cluster_record(name: str) -> Json:
    """MiniStack's record of a cluster."""
    found: Json | None = eks._clusters.get(name)
    if found is None:
        raise not_found(f"No cluster found for name: {name}.", clusterName=name)
    return found


def _call(found: re.Match[str], body: bytes, query: dict[str, Any]) -> EksCall:
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise EksError(400, "SerializationException", "The body is no JSON object.")
    values = {name: value if isinstance(value, list) else [value] for name, value in query.items()}
    return EksCall(found.groupdict(), parsed, values)
