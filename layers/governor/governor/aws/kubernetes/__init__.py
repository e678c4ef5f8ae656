"""Reading the Kubernetes APIs of EKS clusters, with the official client, which is imported when something is read."""

from governor.aws.kubernetes.client import Kubernetes, Version
from governor.aws.kubernetes.clusters import Clusters
from governor.aws.kubernetes.reads import READS, Read, roles
from governor.aws.kubernetes.transport import Limits

__all__ = ["READS", "Clusters", "Kubernetes", "Limits", "Read", "Version", "roles"]
