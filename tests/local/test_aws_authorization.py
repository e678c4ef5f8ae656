"""The control plane asks an identity service before it answers, where it is told of one."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.hyperpod.authorization import LINKED_ROLE, LINKED_ROLE_ARN, LINKED_ROLE_POLICY, Need, needs_of
from local.hyperpod.client import ControlPlane

ROLE = "arn:aws:sts::123456789012:assumed-role/apply/governor"
QUOTA_RESOURCES = {"ComputeQuotaResources": [{"InstanceType": "ml.g5.8xlarge", "Count": 1}]}


class Identity(HTTPServer):
    """Allows what `denied` does not name, and writes the questions down."""

    def __init__(self) -> None:
        self.denied: set[str] = set()
        self.questions: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), Answer)


class Answer(BaseHTTPRequestHandler):
    server: Identity

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.questions.append(question)
        allowed = question["action"] not in self.server.denied
        body = json.dumps({"allowed": allowed, "principal": ROLE, "reason": "" if allowed else "not for you"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Quiet."""


@pytest.fixture
def identity(plane: ControlPlane) -> Iterator[Identity]:
    with Identity() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
        thread.start()
        plane.settings(authorize=f"http://127.0.0.1:{server.server_port}/authorize")
        yield server
        server.shutdown()
        thread.join()


def test_the_callers_own_arn_is_written_down(plane: ControlPlane, identity: Identity) -> None:
    arn = plane.add_cluster("ml-research", {"ml.g5.8xlarge": 4})
    client = plane.boto3_client("ASIAWORKER")
    quota = client.create_compute_quota(
        Name="vision",
        ClusterArn=arn,
        ComputeQuotaConfig=QUOTA_RESOURCES,  # type: ignore[arg-type]
        ComputeQuotaTarget={"TeamName": "vision"},
        Tags=[{"Key": "team", "Value": "vision"}],
    )["ComputeQuotaId"]
    described = client.describe_compute_quota(ComputeQuotaId=quota)
    assert described["CreatedBy"]["IamIdentity"]["Arn"] == ROLE
    prefix = "arn:aws:sagemaker:us-west-2:123456789012:compute-quota"
    of_sagemaker = [each for each in identity.questions if each["action"].startswith("sagemaker:")]
    assert [(each["action"], each["resource"], each["context"]) for each in of_sagemaker] == [
        ("sagemaker:CreateComputeQuota", f"{prefix}/*", {}),
        ("sagemaker:AddTags", f"{prefix}/*", {}),
        ("sagemaker:DescribeComputeQuota", f"{prefix}/{quota}", {}),
    ]
    assert {(each["access_key"], each["region"]) for each in identity.questions} == {("ASIAWORKER", "us-west-2")}


def test_a_refusal_changes_nothing_and_spends_no_fault(plane: ControlPlane, identity: Identity) -> None:
    plane.add_cluster("ml-research")
    plane.fault("DescribeCluster", "throttle")
    identity.denied = {"sagemaker:DescribeCluster"}
    with pytest.raises(ClientError) as refusal:
        plane.boto3_client().describe_cluster(ClusterName="ml-research")
    assert refusal.value.response["Error"] == {"Code": "AccessDeniedException", "Message": "not for you"}
    assert len(plane.faults()) == 1
    assert plane.calls()[-1]["error_code"] == "AccessDeniedException"


def test_ec2_refuses_in_its_own_words(plane: ControlPlane, identity: Identity) -> None:
    plane.ec2_client().describe_instance_types(InstanceTypes=["g4dn.xlarge"])
    identity.denied = {"ec2:DescribeInstanceTypes"}
    with pytest.raises(ClientError) as refusal:
        plane.ec2_client().describe_instance_types(InstanceTypes=["g4dn.xlarge"])
    assert refusal.value.response["Error"]["Code"] == "UnauthorizedOperation"


# ── what SageMaker asks of EKS in the caller's name ─────────────────────────────────────────────────────────────────
EKS = "arn:aws:eks:us-west-2:123456789012"
CLUSTER, ENTRY = f"{EKS}:cluster/eks-research", f"{EKS}:access-entry/eks-research/role/123456789012/{LINKED_ROLE}/*"
BY_SERVICE = {"aws:ViaAWSService": "true"}
ABOUT_ENTRY = {**BY_SERVICE, "eks:clusterName": "eks-research", "eks:principalArn": LINKED_ROLE_ARN}
ABOUT_POLICY = {**ABOUT_ENTRY, "eks:policyArn": LINKED_ROLE_POLICY, "eks:accessScope": "cluster"}
LOOKING = [
    ("eks:DescribeCluster", CLUSTER, BY_SERVICE),
    ("eks:DescribeAccessEntry", ENTRY, ABOUT_ENTRY),
    ("eks:ListAssociatedAccessPolicies", ENTRY, ABOUT_ENTRY),
]
ASSOCIATES = ("eks:AssociateAccessPolicy", ENTRY, ABOUT_POLICY)
DISASSOCIATES = ("eks:DisassociateAccessPolicy", ENTRY, ABOUT_POLICY)


class Writer:
    """A person who makes, changes and deletes a quota and a cluster policy, and what each of that is asked about."""

    def __init__(self, plane: ControlPlane, identity: Identity, cluster: str) -> None:
        self._client, self._identity, self._cluster = plane.boto3_client(), identity, cluster
        self._ids: dict[str, str] = {}

    def write(self, operation: str) -> None:
        client, config = self._client, {"PriorityClasses": [{"Name": "training", "Weight": 50}]}
        new = {"Name": "vision", "ClusterArn": self._cluster}
        if operation == "CreateComputeQuota":
            self._ids["quota"] = client.create_compute_quota(
                **new,  # type: ignore[arg-type]
                ComputeQuotaConfig=QUOTA_RESOURCES,  # type: ignore[arg-type]
                ComputeQuotaTarget={"TeamName": "vision"},
            )["ComputeQuotaId"]
        elif operation == "UpdateComputeQuota":
            client.update_compute_quota(ComputeQuotaId=self._ids["quota"], TargetVersion=1, ActivationState="Disabled")
        elif operation == "DeleteComputeQuota":
            client.delete_compute_quota(ComputeQuotaId=self._ids["quota"])
        elif operation == "CreateClusterSchedulerConfig":
            self._ids["policy"] = client.create_cluster_scheduler_config(
                **new,  # type: ignore[arg-type]
                SchedulerConfig=config,  # type: ignore[arg-type]
            )["ClusterSchedulerConfigId"]
        elif operation == "UpdateClusterSchedulerConfig":
            client.update_cluster_scheduler_config(
                ClusterSchedulerConfigId=self._ids["policy"],
                TargetVersion=1,
                SchedulerConfig=config,  # type: ignore[arg-type]
            )
        else:
            client.delete_cluster_scheduler_config(ClusterSchedulerConfigId=self._ids["policy"])

    def asked(self, operation: str) -> list[tuple[str, str, dict[str, str]]]:
        """What the call was asked about EKS."""
        self._identity.questions.clear()
        self.write(operation)
        return [
            (each["action"], each["resource"], each["context"])
            for each in self._identity.questions
            if each["action"].startswith("eks:")
        ]


@pytest.fixture
def writer(plane: ControlPlane, identity: Identity) -> Writer:
    plane.settings(transition_seconds=0)
    return Writer(plane, identity, plane.add_cluster("ml-research", eksClusterName="eks-research"))


@pytest.mark.parametrize("kind", ["ComputeQuota", "ClusterSchedulerConfig"])
def test_sagemaker_asks_eks_in_the_callers_name(writer: Writer, kind: str) -> None:
    assert writer.asked(f"Create{kind}") == [*LOOKING, ASSOCIATES]
    assert writer.asked(f"Update{kind}") == [*LOOKING, ASSOCIATES, DISASSOCIATES]
    assert writer.asked(f"Delete{kind}") == [*LOOKING, DISASSOCIATES]


def test_a_refusal_of_eks_is_the_calls_own_and_nothing_is_changed(
    plane: ControlPlane, identity: Identity, writer: Writer
) -> None:
    identity.denied = {"eks:AssociateAccessPolicy"}
    with pytest.raises(ClientError) as refusal:
        writer.write("CreateComputeQuota")
    assert refusal.value.response["Error"] == {"Code": "AccessDeniedException", "Message": "not for you"}
    assert plane.boto3_client().list_compute_quotas()["ComputeQuotaSummaries"] == []
    identity.denied = {"eks:DisassociateAccessPolicy"}
    writer.write("CreateComputeQuota")
    with pytest.raises(ClientError):
        writer.write("DeleteComputeQuota")
    assert len(plane.boto3_client().list_compute_quotas()["ComputeQuotaSummaries"]) == 1


def test_without_eks_there_is_nothing_to_ask(plane: ControlPlane, identity: Identity) -> None:
    writer = Writer(plane, identity, plane.add_cluster("old", orchestrator="slurm"))
    with pytest.raises(ClientError, match="Slurm"):
        writer.asked("CreateComputeQuota")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        plane.boto3_client().delete_compute_quota(ComputeQuotaId="abcdefghijkl")
    assert {each["action"].partition(":")[0] for each in identity.questions} == {"sagemaker"}


# ── which resource ──────────────────────────────────────────────────────────────────────────────────────────────────
PREFIX = "arn:aws:sagemaker:eu-west-1:123456789012"


@pytest.mark.parametrize(
    ("operation", "body", "resource"),
    [
        ("ListClusters", {}, "*"),
        ("ListComputeQuotas", {"ClusterArn": "c"}, "*"),
        ("DescribeCluster", {"ClusterName": "ml"}, "arn of ml"),
        ("ListClusterNodes", {"ClusterName": "ml"}, "arn of ml"),
        ("DeleteComputeQuota", {"ComputeQuotaId": "q1"}, f"{PREFIX}:compute-quota/q1"),
        ("CreateClusterSchedulerConfig", {}, f"{PREFIX}:cluster-scheduler-config/*"),
        ("UpdateClusterSchedulerConfig", {"ClusterSchedulerConfigId": "s1"}, f"{PREFIX}:cluster-scheduler-config/s1"),
        ("ListTags", {"ResourceArn": "some arn"}, "some arn"),
    ],
)
def test_what_a_call_takes(operation: str, body: dict[str, str], resource: str) -> None:
    needs = needs_of(operation, body, "eu-west-1", lambda name: f"arn of {name}")
    assert needs == [Need(f"sagemaker:{operation}", resource)]
