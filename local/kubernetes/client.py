"""Starts a local Kubernetes API and talks to its admin endpoint: for tests, the local AWS and the demo.

with KubernetesApi.start_process() as kubernetes:
    cluster = kubernetes.add_cluster("research")
    cluster.call("GET", "/api/v1/nodes")
"""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from local.kubernetes.reachable import Reachable
from local.kubernetes.users import User

ROOT = Path(__file__).parents[2]
START_SECONDS = 30
DEFAULT_VERSION = "1.33"


class KubernetesApi:
    """A running local Kubernetes API with its admin endpoint at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url

    @classmethod
    @contextmanager
    def start_process(cls, port: int = 0) -> Iterator[Self]:
        """A process of its own, which ends with this one whatever happens to it."""
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        with subprocess.Popen(
            [sys.executable, "-m", "local.kubernetes", "--until-stdin-closes", "--port", str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            word, _, url = process.stdout.readline().strip().partition(" ")
            if word != "ready":
                raise RuntimeError(f"The Kubernetes API did not start; exit code {process.wait(START_SECONDS)}.")
            try:
                yield cls(url)
            finally:
                process.stdin.close()
                process.wait(START_SECONDS)

    def add_cluster(
        self,
        name: str,
        *,
        version: str = DEFAULT_VERSION,
        webhook: str | None = None,
        tokens: Mapping[str, User] | None = None,
    ) -> "RemoteCluster":
        """Make a cluster. `webhook` is the URL of a TokenReview webhook; `tokens` are known without one."""
        users = {token: {"username": user.name, "groups": list(user.groups)} for token, user in (tokens or {}).items()}
        spec = {"name": name, "version": version, "webhook": webhook, "tokens": users}
        return RemoteCluster(self, self.admin("POST", "clusters", spec))

    def clusters(self) -> "list[RemoteCluster]":
        return [RemoteCluster(self, each) for each in self.admin("GET", "clusters")["clusters"]]

    def cluster(self, name: str) -> "RemoteCluster":
        """Raises LookupError where there is none of the name."""
        for each in self.clusters():
            if each.name == name:
                return each
        raise LookupError(f"there is no cluster {name}")

    def remove_cluster(self, name: str) -> None:
        self.admin("DELETE", f"clusters/{quote(name, safe='')}")

    def admin(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Call the admin endpoint. Raises ValueError with its message when it refuses."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=START_SECONDS)
        try:
            connection.request(method, f"/_admin/{path}", None if body is None else json.dumps(body))
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise ValueError(answer["error"])
        return answer


class RemoteCluster(Reachable):
    """A cluster of a Kubernetes API in another process; everything as with `cluster.Cluster`, but for `objects`."""

    def __init__(self, api: KubernetesApi, described: Mapping[str, str]) -> None:
        super().__init__(described["endpoint"], described["certificateAuthority"], described["adminToken"])
        self.name = described["name"]
        self.version = described["version"]
        self._api = api
        self._path = f"clusters/{quote(self.name, safe='')}"

    def load(self, manifests: Iterable[Mapping[str, Any]]) -> None:
        """Put objects and lists of objects, in this order, as they are: with status, uid, times and finalizers."""
        self._api.admin("POST", f"{self._path}/objects", list(manifests))

    def fault(self, kind: str, **details: Any) -> None:
        """`cluster.fault("status", code=503, resource="nodes", times=2)`"""
        self._api.admin("POST", f"{self._path}/faults", {"kind": kind, **details})

    def faults(self) -> list[dict[str, Any]]:
        """The rules not yet spent, each with the number of requests it has met."""
        listed: list[dict[str, Any]] = self._api.admin("GET", f"{self._path}/faults")["faults"]
        return listed

    def clear_faults(self) -> None:
        self._api.admin("DELETE", f"{self._path}/faults")

    def requests(self) -> list[dict[str, Any]]:
        """The requests so far, as `exchange.Handled` has them."""
        listed: list[dict[str, Any]] = self._api.admin("GET", f"{self._path}/requests")["requests"]
        return listed

    def forget_requests(self) -> None:
        self._api.admin("DELETE", f"{self._path}/requests")
