"""The Kubernetes APIs of EKS clusters: where each is comes from EKS, and is looked up again when it fails."""

import base64
import binascii
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from governor.aws.failures import mapped
from governor.aws.kubernetes.client import Kubernetes
from governor.aws.kubernetes.token import Tokens
from governor.aws.kubernetes.transport import LIMITS, Limits, Target, Transport
from governor.aws.session import Aws
from governor.errors import PermanentError, TransientError

KEPT = 300.0
"""Seconds that an endpoint is believed to be the cluster's: one made anew under the same name has another."""


class _Connection(msgspec.Struct, frozen=True):
    kubernetes: Kubernetes
    since: float


class Clusters:
    """The clusters of the account and Region. Nothing is called before ``connect``, and then DescribeCluster only."""

    def __init__(self, aws: Aws, limits: Limits = LIMITS, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._aws, self._limits, self._clock = aws, limits, clock
        self._kept: dict[str, _Connection] = {}
        self._tokens: Tokens | None = None
        self._lock = threading.Lock()

    def connect(self, eks_cluster: str) -> Kubernetes:
        """The API of an EKS cluster by its name.

        NotFoundError without such a cluster, AccessError where eks:DescribeCluster is not allowed, TransientError
        while it is being created. Whether the cluster lets us in is only known when something is read.
        """
        kept = self._kept.get(eks_cluster)
        if kept is None or self._clock() - kept.since > KEPT:
            kept = self._kept[eks_cluster] = _Connection(self._new(eks_cluster), self._clock())
        return kept.kubernetes

    def forget(self, eks_cluster: str) -> None:
        """Look the cluster up, and sign, anew the next time."""
        self._kept.pop(eks_cluster, None)
        if self._tokens is not None:
            self._tokens.forget(eks_cluster)

    def _new(self, name: str) -> Kubernetes:
        with mapped(f"eks:DescribeCluster {name}"):
            with self._lock:  # a session makes one client at a time
                eks = self._aws.eks
                if self._tokens is None:
                    self._tokens = Tokens(self._aws.session, eks.meta.region_name)
                tokens = self._tokens
            found = eks.describe_cluster(name=name)["cluster"]
        transport = Transport(target_of(name, found), lambda: tokens.token(name).value, self._limits)
        return Kubernetes(name, transport, lambda: self.forget(name))


def target_of(name: str, described: dict[str, Any]) -> Target:
    """Where a cluster is, from EKS's description of it."""
    endpoint = described.get("endpoint") or ""
    if not endpoint:
        status = described.get("status", "of no known status")
        if status in ("CREATING", "PENDING"):
            raise TransientError(f"EKS cluster {name} is {status}: it has no endpoint yet", 60.0)
        raise PermanentError(f"EKS cluster {name} is {status}: it has no endpoint")
    if not endpoint.startswith("https://"):
        raise PermanentError(f"EKS cluster {name}: its endpoint {endpoint} is not https")
    return Target(
        name, endpoint.rstrip("/"), _authority(name, described), _hint(described.get("resourcesVpcConfig", {}))
    )


def _authority(name: str, described: dict[str, Any]) -> str:
    try:
        text = base64.b64decode(described.get("certificateAuthority", {}).get("data", ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    if "BEGIN CERTIFICATE" not in text:
        raise PermanentError(f"EKS cluster {name} names no certificate authority: its API could not be trusted")
    return text


def _hint(network: dict[str, Any]) -> str:
    """What to look at first when the endpoint cannot be reached from here."""
    if not network.get("endpointPublicAccess", True):
        return (
            "its endpoint is private: functions reach it from subnets of its VPC only (parameters SubnetIds and "
            "SecurityGroupIds of the stack), and its security group has to let them in on port 443"
        )
    allowed = network.get("publicAccessCidrs", [])
    if allowed and not {"0.0.0.0/0", "::/0"} & set(allowed):
        return (
            f"its public endpoint lets in {', '.join(map(str, allowed[:5]))} only (publicAccessCidrs): add the address "
            "that we come from, or put the functions into its VPC (parameters SubnetIds and SecurityGroupIds)"
        )
    return "check the way out to it on port 443: route, security group, HTTPS_PROXY and NO_PROXY"
