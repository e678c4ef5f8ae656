"""Calls to a cluster by its endpoint: for tests, with nothing between them and what is on the wire."""

import base64
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3

MERGE_PATCH = "application/merge-patch+json"
ANSWER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """Names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Reachable:
    """`certificate_authority` is PEM in base64; nothing is forbidden to `admin_token`."""

    def __init__(self, endpoint: str, certificate_authority: str, admin_token: str) -> None:
        self.endpoint = endpoint
        self.certificate_authority = certificate_authority
        self.admin_token = admin_token

    @property
    def certificate_pem(self) -> str:
        return base64.b64decode(self.certificate_authority).decode()

    def kubeconfig(self) -> dict[str, Any]:
        """What kubectl needs to be the admin here; JSON of it is a kubeconfig file."""
        cluster = {"server": self.endpoint, "certificate-authority-data": self.certificate_authority}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "local",
            "contexts": [{"name": "local", "context": {"cluster": "local", "user": "admin"}}],
            "clusters": [{"name": "local", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": self.admin_token}}],
        }

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request over a connection of its own, as the admin unless a token is given; an empty one is none.

        A body that is no bytes is sent as JSON. Raises urllib3.exceptions.HTTPError where there is no answer.
        """
        used = self.admin_token if token is None else token
        sent = {"Authorization": f"Bearer {used}"} if used else {}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        if data is not None:
            sent["Content-Type"] = MERGE_PATCH if method == "PATCH" else "application/json"
        trusted = ssl.create_default_context(cadata=self.certificate_pem)
        with urllib3.PoolManager(ssl_context=trusted, retries=False, timeout=ANSWER_SECONDS) as pool:
            answer = pool.request(method, f"{self.endpoint}{path}", body=data, headers={**sent, **(headers or {})})
            return Reply(
                answer.status,
                {name.lower(): value for name, value in answer.headers.items()},
                answer.data.decode(),
            )
