"""governor connect: what it prints can be pasted, what it makes is made once, and nothing else is changed."""

import json
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from governor.aws.clients import Clients
from governor.aws.inspection import NotAllowedError
from governor.aws.kubernetes.access import AccessEntries
from governor.aws.kubernetes.answers import GROUP
from governor.aws.kubernetes.reads import roles
from governor.cli import connect
from governor.cli.main import main
from governor.errors import NotFoundError, PermanentError
from tests.support.access_entries import Eks, error

ACCOUNT = "123456789012"
VERIFY = f"arn:aws:iam::{ACCOUNT}:role/stack-VerifyAddonRole-1A"
APPLY = f"arn:aws:iam::{ACCOUNT}:role/stack-ApplyPolicyRole-2B"
EKS_ARN = f"arn:aws:eks:us-west-2:{ACCOUNT}:cluster/eks-research"


class Sagemaker:
    """One HyperPod cluster on EKS, one on Slurm."""

    def describe_cluster(self, **given: Any) -> dict[str, Any]:
        if given["ClusterName"] == "ml-research":
            return {"Orchestrator": {"Eks": {"ClusterArn": EKS_ARN}}}
        if given["ClusterName"] == "slurm":
            return {}
        raise error("DescribeCluster", "ResourceNotFound", "Cluster not found")


class Sts:
    class meta:  # noqa: N801 - the SDK's own name
        region_name = "us-west-2"

    def get_caller_identity(self) -> dict[str, Any]:
        return {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/alice", "ResponseMetadata": {}}


class Cloudformation:
    def __init__(self, *logical: str) -> None:
        self.logical = logical

    class meta:  # noqa: N801 - the SDK's own name
        region_name = "us-west-2"

    def describe_stacks(self, StackName: str = "") -> dict[str, Any]:  # noqa: N803
        if StackName != "stack":
            raise error("DescribeStacks", "ValidationError", f"Stack with id {StackName} does not exist")
        return {"Stacks": [{"StackName": StackName, "StackStatus": "CREATE_COMPLETE", "CreationTime": None}]}

    def get_paginator(self, name: str) -> "Cloudformation":
        self.operation = name
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        ends = {"VerifyAddonRole": "1A", "ApplyPolicyRole": "2B"}
        yield {
            "Stacks": [],
            "StackResourceSummaries": [
                {
                    "LogicalResourceId": each,
                    "ResourceType": "AWS::IAM::Role",
                    "PhysicalResourceId": f"stack-{each}-{ends.get(each, '')}",
                }
                for each in self.logical
            ],
        }


@pytest.fixture
def eks() -> Eks:
    return Eks()


@pytest.fixture(autouse=True)
def world(eks: Eks, monkeypatch: pytest.MonkeyPatch) -> Cloudformation:
    """All clients of AWS that the command makes."""
    stacks = Cloudformation("VerifyAddonRole", "ApplyPolicyRole", "ReceivePolicyRole")

    class Aws:
        sagemaker = Sagemaker()

    def clients(_aws: object) -> Clients:
        made = Clients(Aws())  # type: ignore[arg-type]
        vars(made).update(eks=eks, sts=Sts(), cloudformation=stacks)
        return made

    monkeypatch.setattr(connect, "Clients", clients)
    monkeypatch.setattr(connect, "Aws", Aws)
    monkeypatch.setenv("GOVERNOR_STACK", "stack")
    return stacks


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_what_it_prints_can_be_pasted_and_changes_nothing(eks: Eks, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["connect", "ml-research"]) == 0
    out = printed(capsys)
    commands = [shlex.split(line) for line in out.splitlines() if line.startswith("aws eks create-")]
    for role, words in zip((VERIFY, APPLY), commands, strict=True):
        options = dict(zip(words[3::2], words[4::2], strict=True))
        assert words[:3] == ["aws", "eks", "create-access-entry"]
        assert options == {
            "--cluster-name": "eks-research",
            "--principal-arn": role,
            "--type": "STANDARD",
            "--kubernetes-groups": GROUP,
        }
    document = out.partition("kubectl apply -f - <<'END'\n")[2].removesuffix("END\n")
    assert list(yaml.safe_load_all(document)) == list(yaml.safe_load_all(roles()))
    other = [line for line in out.partition("kubectl")[0].splitlines() if line and not line.startswith(("#", "aws "))]
    assert other == []
    assert eks.changes == []


@pytest.mark.parametrize("given", ["ml-research", "eks-research", EKS_ARN])
def test_a_cluster_goes_by_any_of_its_names(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["connect", given, "--json"]) == 0
    assert json.loads(printed(capsys))["eksCluster"] == "eks-research"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("slurm", "is not orchestrated by EKS"),
        ("nothing", "cluster nothing does not exist"),
        ("../x", "does not exist"),
    ],
)
def test_what_is_no_cluster(given: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["connect", given]) == 1
    assert says in capsys.readouterr().err


def test_making_is_done_once(eks: Eks, capsys: pytest.CaptureFixture[str]) -> None:
    eks.entries[APPLY] = {"type": "STANDARD", "kubernetesGroups": ["auditors"]}
    assert main(["connect", "ml-research", "--make"]) == 0
    out = printed(capsys)
    assert f"# created: {VERIFY}" in out
    assert f"# updated: {APPLY}" in out
    assert eks.entries[VERIFY] == {"type": "STANDARD", "kubernetesGroups": [GROUP]}
    assert eks.entries[APPLY]["kubernetesGroups"] == ["auditors", GROUP]
    assert "kubectl apply -f - <<'END'" in out

    changes = list(eks.changes)
    assert main(["connect", "ml-research", "--make", "--json"]) == 0
    assert [each["made"] for each in json.loads(printed(capsys))["access"]] == ["there already", "there already"]
    assert eks.changes == changes


def test_the_entry_of_a_node_is_left_alone(eks: Eks, capsys: pytest.CaptureFixture[str]) -> None:
    eks.entries[VERIFY] = {"type": "EC2_LINUX", "kubernetesGroups": ["system:nodes"]}
    assert main(["connect", "ml-research", "--make"]) == 1
    assert "is of type EC2_LINUX" in capsys.readouterr().err
    assert eks.changes == []


def test_without_access_entries_it_warns_and_makes_none(eks: Eks, capsys: pytest.CaptureFixture[str]) -> None:
    eks.mode = "CONFIG_MAP"
    assert main(["connect", "ml-research"]) == 0
    assert "# WARNING: EKS cluster eks-research has no access entries" in printed(capsys)
    assert main(["connect", "ml-research", "--make"]) == 1
    assert "authenticationMode=API_AND_CONFIG_MAP" in capsys.readouterr().err
    assert eks.changes == []


def test_given_roles_are_let_in_instead_of_the_deployments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GOVERNOR_STACK", "no-such-stack")
    role = "arn:aws-us-gov:iam::123456789012:role/path/mine"
    assert main(["connect", "ml-research", "--role", role, "--role", VERIFY, "--json"]) == 0
    assert [each["role"] for each in json.loads(printed(capsys))["access"]] == [role, VERIFY]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("arn:aws:sts::123456789012:assumed-role/mine/session", "a session is no role"),
        ("mine", "'mine' is not the ARN of a role"),
        (VERIFY + "; rm -rf /", "is not the ARN of a role"),
        (VERIFY + "\n", "is not the ARN of a role"),
    ],
)
def test_what_is_no_role(given: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["connect", "ml-research", "--role", given])
    assert ended.value.code == 1
    assert says in capsys.readouterr().err


def test_a_stack_that_does_not_read_kubernetes(world: Cloudformation, capsys: pytest.CaptureFixture[str]) -> None:
    world.logical = ("ReceivePolicyRole",)
    assert main(["connect", "ml-research"]) == 1
    assert "has no VerifyAddonRole and no ApplyPolicyRole" in capsys.readouterr().err
    world.logical = ("ApplyPolicyRole",)
    assert main(["connect", "ml-research", "--json"]) == 0
    assert [each["role"] for each in json.loads(printed(capsys))["access"]] == [APPLY]


def test_the_help_says_what_the_other_way_costs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["connect", "--help"])
    out = " ".join(printed(capsys).split())
    assert "AmazonEKSAdminViewPolicy" in out
    assert "its Secrets too" in out


@pytest.mark.parametrize("operation", ["DescribeAccessEntry", "CreateAccessEntry", "UpdateAccessEntry"])
def test_a_missing_permission_is_named(eks: Eks, operation: str) -> None:
    eks.denied = operation
    if operation == "UpdateAccessEntry":
        eks.entries[VERIFY] = {"type": "STANDARD"}
    with pytest.raises(NotAllowedError) as caught:
        AccessEntries(eks).grant("eks-research", VERIFY)
    assert caught.value.action == f"eks:{operation}"


def test_what_eks_does_not_know(eks: Eks) -> None:
    with pytest.raises(NotFoundError, match=f"an access entry for {VERIFY} on EKS cluster eks-research"):
        AccessEntries(eks).find("eks-research", VERIFY)
    eks.entries[VERIFY] = {"type": "EC2_LINUX"}
    with pytest.raises(PermanentError, match="EC2_LINUX"):
        AccessEntries(eks).grant("eks-research", VERIFY)
