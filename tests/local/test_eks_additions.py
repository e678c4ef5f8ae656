"""Every addition about EKS does what it is for, and MiniStack still needs it (see test_aws_additions.py)."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.aws.launcher import LocalAws
from tests.local.eks_support import ADDON, error, make_cluster
from tests.local.test_eks_permissions import arn, user

NAMES = ["eks-clusters", "eks-updates", "eks-addons", "eks-access", "eks-tags"]
PRINCIPAL = "arn:aws:iam::123456789012:role/somebody"

Probe = Callable[[LocalAws], Any]
PROBES: dict[str, tuple[Probe, Any]] = {}


@pytest.fixture(scope="module")
def complete() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture(scope="module")
def bare() -> Iterator[LocalAws]:
    with LocalAws(without=NAMES) as aws:
        yield aws


def probe(name: str, right: Any) -> Callable[[Probe], Probe]:
    def add(look: Probe) -> Probe:
        PROBES[name] = look, right
        return look

    return add


@pytest.mark.parametrize("name", NAMES)
def test_the_addition_works(complete: LocalAws, name: str) -> None:
    look, right = PROBES[name]
    assert look(complete) == right


@pytest.mark.parametrize("name", NAMES)
def test_ministack_still_needs_the_addition(bare: LocalAws, name: str) -> None:
    look, right = PROBES[name]
    assert look(bare) != right, f"MiniStack does this by itself now: remove the addition {name}."


@probe("eks-clusters", right=("CONFIG_MAP", True, ""))
def _(aws: LocalAws) -> Any:
    name, eks = make_cluster(aws, mode=None), aws.client("eks")
    cluster = eks.describe_cluster(name=name)["cluster"]
    mode = {"authenticationMode": "API_AND_CONFIG_MAP"}
    changed = error(lambda: eks.update_cluster_config(name=name, accessConfig=mode))[0]
    return cluster["accessConfig"].get("authenticationMode"), bool(cluster["certificateAuthority"]["data"]), changed


@probe("eks-updates", right=1)
def _(aws: LocalAws) -> Any:
    name, eks = make_cluster(aws), aws.client("eks")
    eks.create_addon(clusterName=name, addonName="coredns")
    eks.update_addon(clusterName=name, addonName="coredns")
    answer: dict[str, Any] = {}
    error(lambda: answer.update(eks.list_updates(name=name, addonName="coredns")))
    return len(answer.get("updateIds", []))


@probe("eks-addons", right=("InvalidParameterException", 8))
def _(aws: LocalAws) -> Any:
    name, eks = make_cluster(aws), aws.client("eks")
    answer: dict[str, Any] = {"addons": [{"addonVersions": []}]}
    error(lambda: answer.update(eks.describe_addon_versions(addonName=ADDON)))
    refused = error(lambda: eks.create_addon(clusterName=name, addonName="made-up"))
    return refused[0], len(answer["addons"][0]["addonVersions"])


@probe("eks-access", right=True)
def _(aws: LocalAws) -> Any:
    name = make_cluster(aws)
    entry = aws.client("eks").create_access_entry(clusterName=name, principalArn=PRINCIPAL)["accessEntry"]
    return "/role/123456789012/somebody/" in entry["accessEntryArn"]


@probe("eks-tags", right="AccessDeniedException")
def _(aws: LocalAws) -> Any:
    name = make_cluster(aws)
    client = user(aws, {"Action": "eks:CreateAddon", "Resource": arn("cluster/*")})
    return error(lambda: client.create_addon(clusterName=name, addonName="coredns", tags={"a": "b"}))[0]
