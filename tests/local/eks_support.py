"""Clusters of the local EKS for tests, and their Kubernetes as a principal with a token sees it."""

import base64
import functools
import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local.addon.objects import Objects
from local.aws.launcher import LocalAws
from local.aws.runner.settings import ADMIN_KEY, ADMIN_SECRET, REGION

ADDON = "amazon-sagemaker-hyperpod-taskgovernance"
ADMIN: Mapping[str, str] = {"AWS_ACCESS_KEY_ID": ADMIN_KEY, "AWS_SECRET_ACCESS_KEY": ADMIN_SECRET}
STS = f"sts.{REGION}.amazonaws.com"

_numbers = itertools.count(1)


def make_cluster(aws: LocalAws, version: str = "1.34", mode: str | None = "API", name: str = "") -> str:
    """A new EKS cluster; its name."""
    name = name or f"eks-{next(_numbers)}"
    access = {"accessConfig": {"authenticationMode": mode}} if mode else {}
    role = f"arn:aws:iam::123456789012:role/{_cluster_role(aws)}"
    aws.client("eks").create_cluster(
        name=name, roleArn=role, resourcesVpcConfig={"subnetIds": []}, version=version, **access
    )
    return name


@functools.cache
def _cluster_role(aws: LocalAws) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    name: str = aws.client("iam").create_role(RoleName="eks", AssumeRolePolicyDocument=document)["Role"]["RoleName"]
    return name


def token(keys: Mapping[str, str], cluster: str, host: str = STS) -> str:
    """A bearer token as `aws eks get-token` makes it."""
    url = f"https://{host}/?Action=GetCallerIdentity&Version=2011-06-15"
    request = AWSRequest("GET", url, headers={"x-k8s-aws-id": cluster})
    credentials = Credentials(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], keys.get("AWS_SESSION_TOKEN"))
    SigV4QueryAuth(credentials, "sts", REGION, expires=60).add_auth(request)
    return "k8s-aws-v1." + base64.urlsafe_b64encode(str(request.url).encode()).decode().rstrip("=")


def kubernetes(aws: LocalAws, cluster: str, bearer: str | None = None) -> Objects:
    """The objects of a cluster, as whoever has the token sees them; without one, as the cluster's creator does."""
    described = aws.client("eks").describe_cluster(name=cluster)["cluster"]
    authority = described["certificateAuthority"]["data"]
    return Objects(described["endpoint"], authority, token(ADMIN, cluster) if bearer is None else bearer)


def described(aws: LocalAws, cluster: str) -> dict[str, Any]:
    addon: dict[str, Any] = aws.client("eks").describe_addon(clusterName=cluster, addonName=ADDON)["addon"]
    return addon


def error(call: Callable[[], Any]) -> tuple[str, str]:
    """Code and message of the error that a call ends with; two empty ones when it is answered."""
    try:
        call()
    except ClientError as refused:
        return refused.response["Error"]["Code"], refused.response["Error"]["Message"]
    return "", ""
