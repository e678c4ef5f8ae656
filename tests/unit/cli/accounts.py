"""An account with HyperPod clusters and nothing else."""

from governor.errors import NotFoundError
from governor.plan import Quota
from governor.quota import Cluster

REGION = "us-west-2"


class Account:
    """HyperPod clusters by name, and whether EKS is below each."""

    region = REGION

    def __init__(self, **clusters: bool) -> None:
        self._clusters = clusters
        self.governance = self
        self.clusters = self
        self.quotas = self

    def names(self) -> list[str]:
        return list(self._clusters)

    def describe(self, name: str) -> Cluster:
        if name not in self._clusters:
            raise NotFoundError(f"cluster '{name}' does not exist")
        eks = f"arn:aws:eks:{REGION}:123456789012:cluster/{name}-eks" if self._clusters[name] else ""
        return Cluster(f"arn:{name}", name, "InService", "eks" if eks else "slurm", eks_arn=eks)

    def list(self, cluster_arn: str) -> tuple[Quota, ...]:
        assert cluster_arn.removeprefix("arn:") in self._clusters
        return ()
