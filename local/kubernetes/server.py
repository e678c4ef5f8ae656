"""Any number of clusters, and the admin endpoint where they are made.

with KubernetesServer() as server:
    cluster = server.add_cluster("research")
    cluster.call("GET", "/api/v1/nodes")
"""

import threading
from collections.abc import Mapping
from typing import Self

from local.hyperpod.clock import Clock, SystemClock
from local.kubernetes.admin import Admin, admin_handler
from local.kubernetes.certificates import Certificates
from local.kubernetes.cluster import DEFAULT_VERSION, Cluster
from local.kubernetes.listening import HOST, Listener, reserved
from local.kubernetes.users import User


class KubernetesServer:
    """Serves within a `with`. Threads may make and remove clusters."""

    def __init__(self, port: int = 0, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._certificates = Certificates()
        self._clusters: dict[str, Cluster] = {}
        self._lock = threading.Lock()
        self._listener = Listener(reserved(port), admin_handler(Admin(self)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.stop()
        with self._lock:
            clusters = list(self._clusters.values())
            self._clusters.clear()
        for cluster in clusters:
            cluster.close()

    @property
    def url(self) -> str:
        """The admin endpoint."""
        return f"http://{HOST}:{self._listener.server_port}"

    def add_cluster(
        self,
        name: str,
        *,
        version: str = DEFAULT_VERSION,
        webhook: str | None = None,
        tokens: Mapping[str, User] | None = None,
    ) -> Cluster:
        """Make a cluster, with the namespaces and roles that every cluster has. Raises ValueError for a name in use.

        `webhook` is the URL of a TokenReview webhook; `tokens` are known without one.
        """
        with self._lock:
            if name in self._clusters:
                raise ValueError(f"there is a cluster {name} already")
            cluster = Cluster(name, self._certificates, self._clock, version=version, webhook=webhook, tokens=tokens)
            self._clusters[name] = cluster
            return cluster

    def clusters(self) -> list[Cluster]:
        with self._lock:
            return list(self._clusters.values())

    def cluster(self, name: str) -> Cluster:
        """Raises LookupError where there is none of the name."""
        with self._lock:
            if name not in self._clusters:
                raise LookupError(f"there is no cluster {name}")
            return self._clusters[name]

    def remove_cluster(self, name: str) -> None:
        """Close a cluster and forget it. Raises LookupError."""
        cluster = self.cluster(name)
        with self._lock:
            self._clusters.pop(name, None)
        cluster.close()
