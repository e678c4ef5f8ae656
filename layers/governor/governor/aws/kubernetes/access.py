"""Access entries: which role of IAM an EKS cluster lets in, and as a member of which groups of Kubernetes."""

from typing import Any, Literal

import msgspec

from governor.aws.inspection import looking
from governor.aws.kubernetes.answers import GROUP
from governor.errors import NotFoundError, PermanentError

STANDARD = "STANDARD"
VIEW_ALL = "AmazonEKSAdminViewPolicy"
"""The access policy that lets one read everything in a cluster, Secrets included."""
CONFIG_MAP_ONLY = "CONFIG_MAP"

Granted = Literal["created", "updated", "there already"]


class AccessEntry(msgspec.Struct, frozen=True):
    """The entry of a role. ``kind`` other than STANDARD is for nodes, and takes no groups."""

    principal: str
    kind: str
    groups: tuple[str, ...] = ()

    @property
    def is_ours(self) -> bool:
        """True when the role is in our group."""
        return GROUP in self.groups


class AccessEntries:
    """Those of the account's clusters, by the client of EKS."""

    def __init__(self, eks: Any) -> None:
        self._eks = eks

    def authentication_mode(self, cluster: str) -> str:
        """API, API_AND_CONFIG_MAP or CONFIG_MAP; in the last, access entries do not exist."""
        with looking("eks:DescribeCluster", f"EKS cluster {cluster}"):
            found: str = (
                self._eks.describe_cluster(name=cluster)["cluster"]
                .get("accessConfig", {})
                .get("authenticationMode", "")
            )
        return found

    def find(self, cluster: str, principal: str) -> AccessEntry:
        """The entry of a role by its ARN; NotFoundError where the cluster has none."""
        with looking("eks:DescribeAccessEntry", f"an access entry for {principal} on EKS cluster {cluster}"):
            found = self._eks.describe_access_entry(clusterName=cluster, principalArn=principal)["accessEntry"]
        return AccessEntry(principal, found.get("type", STANDARD), tuple(found.get("kubernetesGroups", ())))

    def sees_everything(self, cluster: str, principal: str) -> bool:
        """True when the entry has the access policy that lets one read all of the cluster, for all of it."""
        with looking("eks:ListAssociatedAccessPolicies", f"the access policies of {principal} on {cluster}"):
            pages = self._eks.get_paginator("list_associated_access_policies").paginate(
                clusterName=cluster, principalArn=principal
            )
            policies = [each for page in pages for each in page.get("associatedAccessPolicies", ())]
        return any(
            each.get("policyArn", "").rpartition("/")[2] == VIEW_ALL
            and each.get("accessScope", {}).get("type") == "cluster"
            for each in policies
        )

    def grant(self, cluster: str, principal: str) -> Granted:
        """Have the role in our group, whatever other groups it is in. PermanentError for an entry of a node's role."""
        try:
            entry = self.find(cluster, principal)
        except NotFoundError:
            with looking("eks:CreateAccessEntry", f"EKS cluster {cluster}"):
                self._eks.create_access_entry(
                    clusterName=cluster, principalArn=principal, type=STANDARD, kubernetesGroups=[GROUP]
                )
            return "created"
        if entry.kind != STANDARD:
            raise PermanentError(
                f"the access entry of {principal} on {cluster} is of type {entry.kind}, as nodes have it: it takes no "
                "groups. A role of a function has to have one of type STANDARD; delete this entry if it is a mistake"
            )
        if entry.is_ours:
            return "there already"
        with looking("eks:UpdateAccessEntry", f"the access entry of {principal} on EKS cluster {cluster}"):
            self._eks.update_access_entry(
                clusterName=cluster, principalArn=principal, kubernetesGroups=[*entry.groups, GROUP]
            )
        return "updated"
