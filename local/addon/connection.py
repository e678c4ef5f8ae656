"""Requests to a Kubernetes API over HTTPS, in JSON."""

import base64
import json
import ssl
from typing import Any

import urllib3

from local.addon.definitions import Manifest

ANSWER_SECONDS = 10
MERGE_PATCH = "application/merge-patch+json"


class KubernetesError(RuntimeError):
    """The API answered with an error, or not at all (status 0)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}" if status else message)
        self.status = status


def trusting(certificate_authority: str) -> ssl.SSLContext:
    """Trusts this authority alone: PEM in base64, as DescribeCluster has it."""
    return ssl.create_default_context(cadata=base64.b64decode(certificate_authority).decode())


class Connection:
    """Safe to use from several threads. Without a token we are whoever the client certificate says."""

    def __init__(
        self, endpoint: str, trusted: ssl.SSLContext, token: str = "", answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._headers = {"Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        self._pool = urllib3.PoolManager(ssl_context=trusted, maxsize=4, timeout=answer_seconds, retries=False)

    def ask(self, method: str, path: str, body: Manifest | None = None) -> Any:
        """The answer's JSON. Raises KubernetesError."""
        content = MERGE_PATCH if method == "PATCH" else "application/json"
        headers = {**self._headers, **({"Content-Type": content} if body is not None else {})}
        text = json.dumps(body) if body is not None else None
        try:
            answer = self._pool.request(method, f"{self._endpoint}{path}", body=text, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise KubernetesError(0, f"{method} {path}: {error}") from error
        if answer.status >= 400:
            raise KubernetesError(answer.status, answer.data.decode(errors="replace"))
        try:
            return json.loads(answer.data)
        except ValueError as error:
            raise KubernetesError(0, f"{method} {path}: the answer is no JSON") from error

    def close(self) -> None:
        self._pool.clear()
