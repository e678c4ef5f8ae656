"""One Kubernetes cluster: its objects, who may reach them, and the port where they are served."""

import dataclasses
import secrets
import socket
import threading
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from local.hyperpod.clock import Clock
from local.kubernetes.api import Api
from local.kubernetes.beginnings import beginnings
from local.kubernetes.certificates import Certificates
from local.kubernetes.errors import JsonObject
from local.kubernetes.exchange import Exchange
from local.kubernetes.faults import AnyRule, Closed, SelfSigned
from local.kubernetes.handler import handler_of
from local.kubernetes.job_checks import JobChecks
from local.kubernetes.listening import HOST, Listener, reserved
from local.kubernetes.objects import Objects
from local.kubernetes.reachable import Reachable
from local.kubernetes.users import MASTERS, Authenticator, User, authenticated
from local.kueue.controller import Controller
from local.kueue.webhooks import Webhooks

DEFAULT_VERSION = "1.33"
CONTROL_PLANE = "hyperpod-control-plane"


class Cluster(Reachable):
    """Serves from its making until `close`. `objects` is the way past HTTP, authorization and faults.

    `kueue` admits workloads where Kueue is installed; `kueue.settled()` waits until it has nothing to do.
    """

    def __init__(
        self,
        name: str,
        certificates: Certificates,
        clock: Clock,
        *,
        version: str = DEFAULT_VERSION,
        webhook: str | None = None,
        tokens: Mapping[str, User] | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.webhook = webhook
        self.objects = Objects(clock)
        for manifest in beginnings():
            self.objects.load(manifest)
        self.objects.admission.plugins = (JobChecks(), Webhooks(self.objects.store))
        self.kueue = Controller(self.objects, clock)
        place = reserved(0)
        self._address = f"{HOST}:{place.getsockname()[1]}"
        super().__init__(f"https://{self._address}", certificates.authority, secrets.token_urlsafe(32))
        known = {token: authenticated(user.name, user.groups) for token, user in (tokens or {}).items()}
        known[self.admin_token] = authenticated("kubernetes-admin", (MASTERS,))
        self._control_plane_token = secrets.token_urlsafe(32)
        known[self._control_plane_token] = authenticated(CONTROL_PLANE, (MASTERS,))
        api = Api(self.objects, Authenticator(known, webhook), version, self._address)
        self._exchange = Exchange(api, self.objects.store, clock.now, self._control_plane_token)
        self._certificates = certificates
        self._listening = threading.Lock()
        self._listener: Listener | None = None
        self._place: socket.socket | None = place
        self._listen()

    def load(self, manifests: Iterable[JsonObject]) -> None:
        """Put objects and lists of objects, in this order, as they are; see `Objects.load`."""
        for manifest in manifests:
            self.objects.load(manifest)

    def fault(self, kind: str, **details: Any) -> None:
        """`cluster.fault("status", code=503, resource="nodes", times=2)`. Raises msgspec.ValidationError."""
        self.add_faults([msgspec.convert({"kind": kind, **details}, AnyRule)])

    def fault_control_plane(self, kind: str, **details: Any) -> None:
        """The same for the requests of the HyperPod control plane, which all other rules of requests spare."""
        with self.objects.store.lock:
            self._exchange.control_plane_faults.add(msgspec.convert({"kind": kind, **details}, AnyRule))

    def add_faults(self, rules: Iterable[AnyRule]) -> None:
        with self.objects.store.lock:
            for rule in rules:
                self._exchange.faults.add(rule)
        self._follow_rules()

    def faults(self) -> list[dict[str, Any]]:
        """The rules not yet spent, each with the number of requests it has met."""
        with self.objects.store.lock:
            return self._exchange.faults.listed() + self._exchange.control_plane_faults.listed()

    def clear_faults(self) -> None:
        with self.objects.store.lock:
            self._exchange.faults.clear()
            self._exchange.control_plane_faults.clear()
        self._follow_rules()

    def requests(self) -> list[dict[str, Any]]:
        """The requests so far, as `exchange.Handled` has them, without those of the HyperPod control plane."""
        with self.objects.store.lock:
            return [dataclasses.asdict(each) for each in self._exchange.handled]

    def forget_requests(self) -> None:
        with self.objects.store.lock:
            self._exchange.handled.clear()

    def described(self) -> dict[str, Any]:
        """What a client needs to know."""
        return {
            "name": self.name,
            "version": self.version,
            "endpoint": self.endpoint,
            "certificateAuthority": self.certificate_authority,
            "adminToken": self.admin_token,
            "controlPlaneToken": self._control_plane_token,
        }

    def close(self) -> None:
        """Close the port; requests that wait end, and so does Kueue's controller."""
        self.kueue.close()
        self.objects.store.close()
        with self._listening:
            self._stop_listening()
            if self._place is not None:
                self._place.close()
                self._place = None

    def _follow_rules(self) -> None:
        """Have the listener as the rules want it."""
        with self._listening:
            with self.objects.store.lock:
                closed, foreign = self._exchange.faults.has(Closed), self._exchange.faults.has(SelfSigned)
            if closed:
                self._stop_listening()
                return
            self._listen()
            context = self._certificates.foreign if foreign else self._certificates.context
            if self._listener is not None and self._listener.context is not context:
                self._listener.context = context
                self._listener.drop_connections()

    def _listen(self) -> None:
        if self._place is not None:
            self._listener = Listener(self._place, handler_of(self._exchange), self._certificates.context)
            self._place = None

    def _stop_listening(self) -> None:
        if self._listener is not None:
            port = self._listener.server_port
            self._listener.stop()
            self._listener = None
            self._place = reserved(port)
