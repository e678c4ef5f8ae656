"""A Kubernetes API to hold against the tests, by a thin client that hides nothing: the local one, or a real one."""

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import urllib3
from kubernetes import client, config

from local.kubernetes.server import KubernetesServer
from tests.local.kueue.worlds import install

WAIT_SECONDS = 60.0
MERGE_PATCH = "application/merge-patch+json"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True, slots=True)
class Target:
    """`pool` shows the client certificate, if that is who we are; `bare` shows none."""

    url: str
    pool: urllib3.PoolManager
    bare: urllib3.PoolManager
    authorization: Mapping[str, str]
    is_local: bool = False

    def call(self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None) -> Reply:
        """One request as ourselves; a body that is no text is sent as JSON."""
        content = MERGE_PATCH if method == "PATCH" else "application/json"
        sent = {**self.authorization, "Accept": "application/json", "Content-Type": content, **(headers or {})}
        data = body if isinstance(body, str | None) else json.dumps(body)
        answer = self.pool.request(method, f"{self.url}{path}", body=data, headers=sent)
        return Reply(answer.status, answer.data.decode())

    def call_as_nobody(self, method: str, path: str, headers: Mapping[str, str]) -> Reply:
        """One request with these headers alone."""
        answer = self.bare.request(method, f"{self.url}{path}", headers=dict(headers))
        return Reply(answer.status, answer.data.decode())

    def until(
        self,
        method: str,
        path: str,
        wanted: Callable[[Reply], bool],
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Ask until the answer is as wanted: a real server has caches and controllers."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not wanted(reply := self.call(method, path, headers=headers)):
            assert time.monotonic() < deadline, f"{method} {path}: {reply}"
            time.sleep(0.05)
        return reply


@contextmanager
def local_target() -> Iterator[Target]:
    with KubernetesServer() as server:
        cluster = server.add_cluster("conformance")
        install(cluster)
        trusting = ssl.create_default_context(cadata=cluster.certificate_pem)
        with _pool(trusting) as pool:
            yield Target(
                cluster.endpoint, pool, pool, {"Authorization": f"Bearer {cluster.admin_token}"}, is_local=True
            )


@contextmanager
def real_target(kubeconfig: str) -> Iterator[Target]:
    """The cluster of the current context of a kubeconfig file."""
    known = client.Configuration()
    config.load_kube_config(kubeconfig, client_configuration=known)  # type: ignore[no-untyped-call]
    ours, bare = (ssl.create_default_context(cafile=known.ssl_ca_cert) for _ in range(2))
    if known.cert_file:
        ours.load_cert_chain(known.cert_file, known.key_file)
    token = known.get_api_key_with_prefix("BearerToken")
    with _pool(ours) as pool, _pool(bare) as nobodys:
        yield Target(known.host, pool, nobodys, {"Authorization": token} if token else {})


def _pool(context: ssl.SSLContext) -> urllib3.PoolManager:
    return urllib3.PoolManager(ssl_context=context, retries=False, timeout=WAIT_SECONDS)
