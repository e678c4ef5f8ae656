"""A cluster as a customer has it: EKS below, HyperPod's instances as its nodes, and the functions let in."""

import json
from collections.abc import Iterable, Mapping

import yaml

from governor.addon.versions import ADDON
from governor.aws.kubernetes import roles
from governor.aws.kubernetes.answers import GROUP
from local.aws.launcher import LocalAws
from local.nodes import node, nodes_of

ADDON_VERSION = "v1.6.1-eksbuild.1"
KUBERNETES_VERSION = "1.33"

__all__ = ["ADDON_VERSION", "KUBERNETES_VERSION", "install_addon", "let_in", "make_cluster", "node", "nodes_of"]


def make_cluster(
    aws: LocalAws,
    name: str,
    groups: Mapping[str, int],
    *,
    version: str = KUBERNETES_VERSION,
    mode: str = "API_AND_CONFIG_MAP",
) -> str:
    """A HyperPod cluster with so many instances by type, on an EKS cluster of the same name, without the add-on; its
    ARN."""
    eks, iam = aws.client("eks"), aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName=f"eks-{name}", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    eks.create_cluster(
        name=name,
        roleArn=role,
        resourcesVpcConfig={"subnetIds": []},
        version=version,
        accessConfig={"authenticationMode": mode},
    )
    arn = aws.plane.add_cluster(name, groups)
    aws.kubernetes.cluster(name).load(nodes_of(name, groups))
    return arn


def install_addon(aws: LocalAws, name: str, version: str = ADDON_VERSION) -> None:
    """As a person does it with the AWS CLI."""
    aws.client("eks").create_addon(clusterName=name, addonName=ADDON, addonVersion=version)


def let_in(aws: LocalAws, name: str, role_arns: Iterable[str]) -> None:
    """What ``governor connect --make`` and then kubectl do: access entries, and the role of Kubernetes."""
    for role in role_arns:
        aws.client("eks").create_access_entry(clusterName=name, principalArn=role, kubernetesGroups=[GROUP])
    aws.kubernetes.cluster(name).load(yaml.safe_load_all(roles()))
