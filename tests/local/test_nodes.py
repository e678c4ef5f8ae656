"""Instances as nodes: what they have, and how they are labelled."""

import pytest

from local.nodes import node, nodes_of


def test_the_labels_of_hyperpod() -> None:
    first, second, other = nodes_of("research", {"ml.g5.8xlarge": 2, "ml.c5.2xlarge": 1})
    assert first["metadata"]["labels"] == {
        "sagemaker.amazonaws.com/cluster-name": "research",
        "sagemaker.amazonaws.com/node-health-status": "Schedulable",
        "sagemaker.amazonaws.com/deep-health-check-status": "Passed",
        "sagemaker.amazonaws.com/instance-group-name": "group-1",
        "sagemaker.amazonaws.com/compute-type": "hyperpod",
        "node.kubernetes.io/instance-type": "ml.g5.8xlarge",
    }
    assert second["metadata"]["name"] != first["metadata"]["name"]
    assert other["metadata"]["labels"]["sagemaker.amazonaws.com/instance-group-name"] == "group-2"


@pytest.mark.parametrize(
    ("instance_type", "capacity"),
    [
        (
            "ml.g5.8xlarge",
            {"cpu": "32", "memory": "131072Mi", "pods": "110", "nvidia.com/gpu": "1", "vpc.amazonaws.com/efa": "1"},
        ),
        (
            "ml.trn1.32xlarge",
            {
                "cpu": "128",
                "memory": "524288Mi",
                "pods": "110",
                "aws.amazon.com/neurondevice": "16",
                "vpc.amazonaws.com/efa": "8",
            },
        ),
        ("ml.c5.2xlarge", {"cpu": "8", "memory": "16384Mi", "pods": "110"}),
    ],
)
def test_what_an_instance_has(instance_type: str, capacity: dict[str, str]) -> None:
    status = node("one", "research", instance_type)["status"]
    assert status["capacity"] == capacity
    devices = {name: amount for name, amount in capacity.items() if name not in ("cpu", "memory")}
    assert {name: status["allocatable"][name] for name in devices} == devices
    assert _number(status["allocatable"]["cpu"], "m") < int(capacity["cpu"]) * 1000
    assert _number(status["allocatable"]["memory"], "Mi") < _number(capacity["memory"], "Mi")


def _number(text: str, unit: str) -> int:
    assert text.endswith(unit)
    return int(text.removesuffix(unit))


@pytest.mark.parametrize(("instance_type", "allocatable"), [("ml.g5.xlarge", "3920m"), ("ml.c5.2xlarge", "7910m")])
def test_what_a_node_keeps_for_itself(instance_type: str, allocatable: str) -> None:
    """80 thousandths of four cores, 2.5 more of each beyond."""
    assert node("one", "research", instance_type)["status"]["allocatable"]["cpu"] == allocatable


def test_a_type_that_nobody_knows_and_a_node_that_is_lost() -> None:
    found = node("one", "research", "ml.new.xlarge", ready=False)
    assert "capacity" not in found["status"]
    assert found["status"]["conditions"][0]["status"] == "False"
