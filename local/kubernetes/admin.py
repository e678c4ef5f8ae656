"""The admin endpoint: makes clusters, loads objects, puts faults in, tells what was asked. Plain HTTP on loopback."""

import json
import re
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import msgspec

from local.kubernetes.cluster import DEFAULT_VERSION, Cluster
from local.kubernetes.errors import ApiError, JsonObject, UnknownPathError
from local.kubernetes.faults import AnyRule
from local.kubernetes.users import User

if TYPE_CHECKING:
    from local.kubernetes.server import KubernetesServer

PREFIX = "/_admin/"
_CLUSTER = "clusters/([^/]+)"


class TokenUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    username: str
    groups: tuple[str, ...] = ()


class ClusterSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    version: str = DEFAULT_VERSION
    webhook: str | None = None
    tokens: dict[str, TokenUser] = {}


class Admin:
    def __init__(self, server: "KubernetesServer") -> None:
        self._server = server
        self._routes: list[tuple[str, re.Pattern[str], Callable[[str, Any], JsonObject]]] = [
            (method, re.compile(path), handler)
            for method, path, handler in (
                ("GET", "health", lambda _, __: {"status": "ok"}),
                ("POST", "clusters", self._add_cluster),
                ("GET", "clusters", self._clusters),
                ("DELETE", _CLUSTER, self._remove_cluster),
                ("POST", f"{_CLUSTER}/objects", self._load),
                ("GET", f"{_CLUSTER}/requests", self._requests),
                ("DELETE", f"{_CLUSTER}/requests", self._forget_requests),
                ("GET", f"{_CLUSTER}/faults", self._faults),
                ("POST", f"{_CLUSTER}/faults", self._add_faults),
                ("DELETE", f"{_CLUSTER}/faults", self._clear_faults),
            )
        ]

    def answer(self, method: str, path: str, body: Any) -> tuple[int, JsonObject]:
        """Status and JSON of the answer to a request below /_admin/. Nothing is raised for a bad request."""
        for known_method, pattern, handler in self._routes:
            found = pattern.fullmatch(path.removeprefix(PREFIX))
            if found and known_method == method:
                try:
                    return 200, handler(found[1] if pattern.groups else "", body)
                except LookupError as error:
                    return 404, {"error": str(error)}
                except (ApiError, UnknownPathError, ValueError) as error:
                    return 400, {"error": str(error)}
        return 404, {"error": f"There is no {method} {path}."}

    def _cluster(self, name: str) -> Cluster:
        return self._server.cluster(name)

    def _add_cluster(self, _: str, body: Any) -> JsonObject:
        spec = msgspec.convert(body, ClusterSpec)
        tokens = {token: User(user.username, user.groups) for token, user in spec.tokens.items()}
        return self._server.add_cluster(
            spec.name, version=spec.version, webhook=spec.webhook, tokens=tokens
        ).described()

    def _clusters(self, _: str, __: Any) -> JsonObject:
        return {"clusters": [cluster.described() for cluster in self._server.clusters()]}

    def _remove_cluster(self, name: str, _: Any) -> JsonObject:
        self._server.remove_cluster(name)
        return {}

    def _load(self, name: str, body: Any) -> JsonObject:
        """One object, a list of Kubernetes', or several of either."""
        self._cluster(name).load(body if isinstance(body, list) else [body])
        return {}

    def _requests(self, name: str, _: Any) -> JsonObject:
        return {"requests": self._cluster(name).requests()}

    def _forget_requests(self, name: str, _: Any) -> JsonObject:
        self._cluster(name).forget_requests()
        return {}

    def _faults(self, name: str, _: Any) -> JsonObject:
        return {"faults": self._cluster(name).faults()}

    def _add_faults(self, name: str, body: Any) -> JsonObject:
        """One rule, or a list of them."""
        asked = body if isinstance(body, list) else [body]
        cluster = self._cluster(name)
        cluster.add_faults(msgspec.convert(asked, list[AnyRule]))
        return {"faults": cluster.faults()}

    def _clear_faults(self, name: str, _: Any) -> JsonObject:
        self._cluster(name).clear_faults()
        return {}


def admin_handler(admin: Admin) -> type[BaseHTTPRequestHandler]:
    """The class that the listener makes for each connection to the admin endpoint."""
    return type("BoundAdminHandler", (AdminHandler,), {"admin": admin})


class AdminHandler(BaseHTTPRequestHandler):
    admin: Admin
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            body = json.loads(text) if text else {}
        except ValueError as error:
            status, answer = 400, {"error": str(error)}
        else:
            status, answer = self.admin.answer(self.command, self.path, body)
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Nothing is written to standard error."""
