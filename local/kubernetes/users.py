"""Who asks: a token that is known here, or that an authentication webhook knows; nobody without a token.

The webhook is asked as kube-apiserver asks one (`--authentication-token-webhook-config-file`), and asked every time, so
that a change behind it shows at once.
"""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from local.kubernetes.errors import UnauthorizedError

ANSWER_SECONDS = 30
AUTHENTICATED = "system:authenticated"
MASTERS = "system:masters"


@dataclass(frozen=True, slots=True)
class User:
    name: str
    groups: tuple[str, ...] = ()

    @property
    def is_master(self) -> bool:
        """Whether nothing is forbidden."""
        return MASTERS in self.groups


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


def authenticated(name: str, groups: tuple[str, ...] = ()) -> User:
    """A user with the group that all who have shown who they are belong to."""
    return User(name, tuple(dict.fromkeys([*groups, AUTHENTICATED])))


class Authenticator:
    """`webhook` is the URL of a TokenReview webhook, or None."""

    def __init__(self, tokens: Mapping[str, User], webhook: str | None) -> None:
        self._tokens = dict(tokens)
        self._webhook = webhook

    def user(self, authorization: str | None) -> User:
        """The user of a request with this Authorization header. Raises UnauthorizedError for an unknown token."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return ANONYMOUS
        found = self._tokens.get(token.strip()) or self._reviewed(token.strip())
        if found is None:
            raise UnauthorizedError
        return found

    def _reviewed(self, token: str) -> User | None:
        """As with the real one, a webhook that cannot be asked knows nobody."""
        if self._webhook is None:
            return None
        try:
            status = _review(self._webhook, token).get("status") or {}
        except (OSError, http.client.HTTPException, ValueError):
            return None
        if not status.get("authenticated"):
            return None
        user = status.get("user") or {}
        return authenticated(str(user.get("username", "")), tuple(user.get("groups") or ()))


def _review(url: str, token: str) -> dict[str, Any]:
    address = urlsplit(url)
    question = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    connection = http.client.HTTPConnection(address.netloc, timeout=ANSWER_SECONDS)
    try:
        path = f"{address.path}?{address.query}" if address.query else address.path
        connection.request("POST", path, json.dumps(question), {"Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return answer if isinstance(answer, dict) else {}
