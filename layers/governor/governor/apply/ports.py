"""What applying a policy needs from the world, each behind one small interface."""

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from governor.plan import ClusterPolicyRequest, LiveClusterPolicy, Quota, QuotaRequest, Record
from governor.quota import Cluster, Instance

Live_co = TypeVar("Live_co", covariant=True)
Request_contra = TypeVar("Request_contra", contravariant=True)


class ResourceApi(Protocol[Live_co, Request_contra]):
    """One kind of resource: compute quotas or cluster policies."""

    def list(self, cluster_arn: str) -> tuple[Live_co, ...]:
        """All of a cluster but the deleted ones."""
        ...

    def describe(self, resource_id: str, /) -> Live_co:
        """One, in full; NotFoundError."""
        ...

    def create(self, cluster_arn: str, request: Request_contra) -> str:
        """Start a creation and return the id; ConflictError when the name is taken."""
        ...

    def update(self, resource_id: str, version: int, request: Request_contra, /) -> int:
        """Start an update and return the new version; ConflictError when ``version`` is not current."""
        ...

    def delete(self, resource_id: str, /) -> None:
        """Start a deletion; NotFoundError."""
        ...


class ClustersApi(Protocol):
    """HyperPod clusters."""

    def describe(self, name: str) -> Cluster:
        """A cluster by name or ARN; NotFoundError."""
        ...


class GovernanceApi(Protocol):
    """The governance of HyperPod clusters."""

    @property
    def clusters(self) -> ClustersApi:
        """HyperPod clusters."""
        ...

    @property
    def quotas(self) -> ResourceApi[Quota, QuotaRequest]:
        """Compute quotas."""
        ...

    @property
    def cluster_policies(self) -> ResourceApi[LiveClusterPolicy, ClusterPolicyRequest]:
        """Cluster policies."""
        ...


class InstanceTypesApi(Protocol):
    """Resources of instance types beyond the bundled table."""

    def describe(self, types: Iterable[str]) -> dict[str, Instance]:
        """Those that somebody answers for."""
        ...


class Account(Protocol):
    """HyperPod governance in one account and Region."""

    @property
    def governance(self) -> GovernanceApi:
        """Clusters, compute quotas and cluster policies."""
        ...

    @property
    def instance_types(self) -> InstanceTypesApi:
        """Resources of instance types beyond the bundled table."""
        ...

    @property
    def region(self) -> str:
        """The Region that is called."""
        ...


class Records(Protocol):
    """Where the last applied policy is kept, by the cluster's ARN."""

    def writing(self, cluster_arn: str) -> AbstractContextManager[None]:
        """Keeps every other writer of this cluster out; TransientError when one is at work."""
        ...

    def load(self, cluster_arn: str) -> Record | None:
        """The record, or None where nothing was ever applied."""
        ...

    def save(self, record: Record) -> None:
        """Replace the record as a whole or not at all."""
        ...


class Clock(Protocol):
    """Time, so that tests need not wait."""

    def monotonic(self) -> float:
        """Seconds that only grow."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's own time."""

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
