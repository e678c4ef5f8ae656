"""A cluster of a test's own on the deployed product, and a file for it."""

import itertools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from local.aws.launcher import LocalAws
from local.deployment import Deployment
from local.hyperpod.client import ControlPlane

TWO_EACH: Mapping[str, int] = MappingProxyType({"team-a": 2, "team-b": 2})
_numbers = itertools.count(1)


class Place:
    """A cluster, the key of a file for it, and the words to say about them."""

    def __init__(self, deployment: Deployment, count: int = 4) -> None:
        self.deployment = deployment
        self.name = f"cluster-{next(_numbers)}"
        self.key = f"policies/{self.name}.yaml"
        self.arn = deployment.add_cluster(self.name, {"ml.g5.8xlarge": count})

    @property
    def plane(self) -> ControlPlane:
        """The HyperPod control plane."""
        return self.deployment.aws.plane

    @property
    def aws(self) -> LocalAws:
        """The local AWS."""
        return self.deployment.aws

    def policy(self, extra: str = "", teams: Mapping[str, int] = TWO_EACH) -> str:
        """A policy with so many instances per team."""
        lines = "".join(
            f"  - {{name: {team}, quota: [{{instanceType: ml.g5.8xlarge, count: {count}}}]}}\n"
            for team, count in teams.items()
        )
        return f"version: 1\ncluster: {self.name}\n{extra}teams:\n{lines}"

    def upload(self, text: str, verdict: str | None = None, **metadata: str) -> dict[str, Any]:
        """Upload and wait for the answer."""
        version = self.deployment.upload(self.key, text, **metadata)
        return self.deployment.wait(self.key, version, verdict)

    def guaranteed(self) -> dict[str, int]:
        """Instances per team, as the API answers."""
        client = self.plane.boto3_client("looker")
        listed = client.list_compute_quotas(ClusterArn=self.arn, MaxResults=100)["ComputeQuotaSummaries"]
        return {
            quota["ComputeQuotaTarget"]["TeamName"]: sum(
                entry.get("Count", 0) for entry in quota["ComputeQuotaConfig"].get("ComputeQuotaResources", ())
            )
            for quota in listed
            if quota["Status"] != "Deleted"
        }
