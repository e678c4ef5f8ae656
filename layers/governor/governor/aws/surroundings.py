"""What a deployment stands in: the caller, the clock, the clusters and their add-on. Reads only."""

import email.utils
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from governor.addon.seen import Addon
from governor.addon.versions import ADDON
from governor.aws.clients import Clients
from governor.aws.eks import EksApi
from governor.aws.inspection import looking
from governor.errors import NotFoundError


class Caller(msgspec.Struct, frozen=True):
    """Who asks. ``skew`` are the seconds that the local clock is ahead of AWS's; None where AWS told no time."""

    account: str
    arn: str
    region: str
    skew: float | None = None


def _now() -> datetime:
    return datetime.now(UTC)


class Surroundings:
    """What is around a deployment."""

    def __init__(self, clients: Clients, now: Callable[[], datetime] = _now) -> None:
        self._clients, self._now = clients, now

    def caller(self) -> Caller:
        """Who the caller is; takes no permission."""
        with looking("sts:GetCallerIdentity", ""):
            answer = self._clients.sts.get_caller_identity()
        date = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date", "")
        return Caller(answer["Account"], answer["Arn"], self._clients.sts.meta.region_name, _ahead(date, self._now()))

    def clusters(self) -> tuple[str, ...]:
        """The HyperPod clusters of the account and Region, by name."""
        with looking("sagemaker:ListClusters", ""):
            pages = self._clients.aws.sagemaker.get_paginator("list_clusters").paginate()
            return tuple(cluster["ClusterName"] for page in pages for cluster in page["ClusterSummaries"])

    def eks_cluster(self, cluster: str) -> str:
        """The name of the EKS cluster below a HyperPod cluster (name or ARN); "" where Slurm is."""
        with looking("sagemaker:DescribeCluster", f"cluster {cluster}"):
            answer = self._clients.aws.sagemaker.describe_cluster(ClusterName=cluster)
        return answer.get("Orchestrator", {}).get("Eks", {}).get("ClusterArn", "").rpartition("/")[2]

    def addon(self, eks_cluster: str) -> Addon:
        """The add-on of an EKS cluster; NotFoundError where it is not installed."""
        with looking("eks:DescribeAddon", f"the add-on {ADDON} of EKS cluster {eks_cluster}"):
            found = EksApi(lambda: self._clients.eks).addon(eks_cluster)
        if found is None:
            raise NotFoundError(f"the add-on {ADDON} of EKS cluster {eks_cluster} does not exist")
        return found


def _ahead(date: str, now: datetime) -> float | None:
    """Seconds that a clock is ahead of an HTTP date, which has no fraction: the middle of its second is meant."""
    try:
        told = email.utils.parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    return (now - told).total_seconds() - 0.5
