"""DescribeInstanceTypes as a real EC2 client reads it."""

import pytest
from botocore.exceptions import ClientError

from local.hyperpod.client import ControlPlane


@pytest.mark.parametrize(
    ("instance_type", "vcpus", "memory_gib", "gpus"),
    [
        ("g4dn.xlarge", 4, 16, 1),
        ("g4dn.12xlarge", 48, 192, 4),
        ("c6g.4xlarge", 16, 32, 0),
        ("m6a.2xlarge", 8, 32, 0),
    ],
)
def test_sizes(plane: ControlPlane, instance_type: str, vcpus: int, memory_gib: int, gpus: int) -> None:
    client = plane.ec2_client()
    (shown,) = client.describe_instance_types(InstanceTypes=[instance_type])["InstanceTypes"]  # type: ignore[list-item]
    assert shown["InstanceType"] == instance_type
    assert shown["VCpuInfo"]["DefaultVCpus"] == vcpus
    assert shown["MemoryInfo"]["SizeInMiB"] == memory_gib * 1024
    assert sum(gpu["Count"] for gpu in shown.get("GpuInfo", {}).get("Gpus", [])) == gpus


def test_several_and_all(plane: ControlPlane) -> None:
    client = plane.ec2_client()
    two = client.describe_instance_types(InstanceTypes=["g4dn.xlarge", "c6g.4xlarge"])["InstanceTypes"]
    assert [each["InstanceType"] for each in two] == ["g4dn.xlarge", "c6g.4xlarge"]
    pages = client.get_paginator("describe_instance_types").paginate()
    assert sum(len(page["InstanceTypes"]) for page in pages) == 4


def test_an_unknown_type(plane: ControlPlane) -> None:
    with pytest.raises(ClientError) as raised:
        plane.ec2_client().describe_instance_types(InstanceTypes=["g4dn.xlarge", "p5.48xlarge"])
    assert raised.value.response["Error"] == {
        "Code": "InvalidInstanceType",
        "Message": "The following supplied instance types do not exist: [p5.48xlarge]",
    }
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_ec2_out_of_reach(plane: ControlPlane) -> None:
    plane.settings(ec2_available=False)
    with pytest.raises(ClientError, match="UnauthorizedOperation") as raised:
        plane.ec2_client("intruder").describe_instance_types()
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    (call,) = plane.calls("DescribeInstanceTypes")
    assert (call["access_key"], call["error_code"]) == ("intruder", "UnauthorizedOperation")


def test_nothing_else_of_ec2(plane: ControlPlane) -> None:
    client = plane.ec2_client()
    with pytest.raises(ClientError, match="InvalidAction"):
        client.describe_vpcs()
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        client.describe_instance_types(Filters=[{"Name": "bare-metal", "Values": ["true"]}])
