"""Where the Kubernetes of a HyperPod cluster is: behind its EKS cluster, or where a kubeconfig says."""

import json
import ssl
import threading
from dataclasses import dataclass

import urllib3

from local.addon.connection import Connection, KubernetesError, trusting
from local.hyperpod.settings import Settings

ANSWER_SECONDS = 10
LOCAL_ANSWER_SECONDS = 2
"""An endpoint that hangs does so because a test wants it to."""


@dataclass(frozen=True, slots=True)
class Reached:
    """`is_local` is the stand-in, where the add-on's own controller can be looked at."""

    connection: Connection
    is_local: bool


class Directory:
    """Keeps one connection to each cluster that was asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool = urllib3.PoolManager(timeout=ANSWER_SECONDS, retries=False)
        self._connections: dict[tuple[str, ...], Connection] = {}

    def find(self, settings: Settings, eks_arn: str) -> Reached | None:
        """None where there is no Kubernetes, or it is not known here. Raises KubernetesError."""
        if settings.kubeconfig is not None:
            key: tuple[str, ...] = (settings.kubeconfig,)
            with self._lock:
                if key not in self._connections:
                    self._connections[key] = connection_of(settings.kubeconfig)
                return Reached(self._connections[key], is_local=False)
        return self._local(settings.kubernetes, eks_arn.rpartition("/")[2]) if settings.kubernetes else None

    def close(self) -> None:
        with self._lock:
            for connection in self._connections.values():
                connection.close()
            self._connections.clear()
        self._pool.clear()

    def _local(self, url: str, name: str) -> Reached | None:
        for each in self._clusters(url):
            if each["name"] == name:
                key = each["endpoint"], each["controlPlaneToken"]
                with self._lock:
                    if key not in self._connections:
                        trusted = trusting(each["certificateAuthority"])
                        self._connections[key] = Connection(
                            each["endpoint"], trusted, each["controlPlaneToken"], LOCAL_ANSWER_SECONDS
                        )
                    return Reached(self._connections[key], is_local=True)
        return None

    def _clusters(self, url: str) -> list[dict[str, str]]:
        try:
            answer = self._pool.request("GET", f"{url}/_admin/clusters")
        except urllib3.exceptions.HTTPError as error:
            raise KubernetesError(0, str(error)) from error
        found: list[dict[str, str]] = json.loads(answer.data)["clusters"]
        return found


def connection_of(kubeconfig: str) -> Connection:
    """As the user of the current context of a kubeconfig file."""
    # Only a real cluster takes this library.
    from kubernetes import client, config

    known = client.Configuration()
    config.load_kube_config(kubeconfig, client_configuration=known)  # type: ignore[no-untyped-call]
    trusted = ssl.create_default_context(cafile=known.ssl_ca_cert)
    if not known.verify_ssl:
        trusted.check_hostname = False
        trusted.verify_mode = ssl.CERT_NONE
    if known.cert_file:
        trusted.load_cert_chain(known.cert_file, known.key_file)
    scheme, _, token = (known.get_api_key_with_prefix("BearerToken") or "").partition(" ")
    return Connection(known.host, trusted, token or scheme)
