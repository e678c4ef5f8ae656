"""Limits come from the service's model; names follow its patterns without ever running them on a long text."""

import itertools
import re
import sys
import time
import unicodedata

import botocore.loaders
import msgspec
import pytest

from governor.aws.service_model import service_limits
from governor.policy import SHAPES, Limits, Shape, names, parse_policy
from governor.policy.names import MAX_PRIORITY_CLASS_NAME, MAX_TEAM_NAME

SHORT = 5
ALPHABET = "-aZ0!\né_"
"""A hyphen, both cases, a digit, and what no name may hold: punctuation, a line break, a letter beyond ASCII."""
SECONDS = 2.0
"""Far more than the milliseconds that a linear check takes, far less than the 37 s of the service's own pattern on
31 characters. CPU time of this process, so that a busy machine does not fail the test."""


def _pattern(shape: str) -> str:
    model = botocore.loaders.create_loader().load_service_model("sagemaker", "service-2")
    return str(model["shapes"][shape]["pattern"])


def _short_texts() -> list[str]:
    return ["".join(each) for length in range(SHORT + 1) for each in itertools.product(ALPHABET, repeat=length)]


@pytest.mark.parametrize("shape", ["ComputeQuotaTargetTeamName", "ClusterSchedulerPriorityClassName"])
def test_kubernetes_names_are_those_of_the_service(shape: str) -> None:
    pattern = re.compile(_pattern(shape), re.ASCII)
    texts = _short_texts()
    assert len(texts) > 30_000
    assert [text for text in texts if names.is_kubernetes_name(text) != bool(pattern.fullmatch(text))] == []


@pytest.mark.parametrize("shape", ["EntityName", "ClusterName"])
def test_entity_names_are_those_of_the_service(shape: str) -> None:
    pattern = re.compile(_pattern(shape), re.ASCII)
    assert [text for text in _short_texts() if names.is_entity_name(text) != bool(pattern.fullmatch(text))] == []


def test_descriptions_are_made_of_the_categories_of_the_service() -> None:
    categories = re.findall(r"\\p\{(\w)\}", _pattern("EntityDescription"))
    assert _pattern("EntityDescription") == "[" + "".join(f"\\p{{{category}}}" for category in categories) + "]*"
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        assert names.is_description(char) == (unicodedata.category(char)[0] in categories)
    assert names.is_description("")
    assert not names.is_description("one\ntwo")


@pytest.mark.parametrize(
    ("arn", "region"),
    [
        ("arn:aws:sagemaker:us-west-2:123456789012:cluster/abcdefghij01", "us-west-2"),
        ("arn:aws-us-gov:sagemaker:us-gov-west-1:123456789012:cluster/abcdefghij01", "us-gov-west-1"),
        ("arn:aws:sagemaker:us-west-2:123456789012:cluster/abcdefghij01\n", ""),
        ("arn:aws:sagemaker:us-west-2:123456789012:cluster/ABCDEFGHIJ01", ""),
        ("arn:aws:sagemaker:us-west-2:12345678901:cluster/abcdefghij01", ""),
        ("arn:aws:eks:us-west-2:123456789012:cluster/abcdefghij01", ""),
    ],
)
def test_arns_are_those_of_the_service(arn: str, region: str) -> None:
    assert names.is_cluster_arn(arn) == bool(re.fullmatch(_pattern("ClusterArn"), arn)) == bool(region)
    assert names.region_of(arn) == region


@pytest.mark.parametrize(
    "text",
    [
        *("a" * 30 + "!", "a" * 31, "a-" * 500_000, "-" * 1_000_000, "a" * 1_000_000 + "!", "é" * 1_000_000),
        *("arn:aws" + "-a" * 500_000, "arn:aws:sagemaker:" + "-" * 1_000_000, "\n" * 1_000_000),
    ],
    ids=lambda text: f"{text[:8]!r} × {len(text)}",
)
def test_hostile_names_are_judged_in_no_time(text: str) -> None:
    begun = time.process_time()
    for check in (names.is_kubernetes_name, names.is_entity_name, names.is_description, names.is_cluster_arn):
        assert check(text) in (True, False)
    assert names.mended_description(text) is not None
    assert time.process_time() - begun < SECONDS


def test_the_longest_names_give_kubernetes_names_that_fit() -> None:
    assert len(f"hyperpod-ns-{'t' * MAX_TEAM_NAME}-localqueue") == 63
    assert len(f"{'c' * MAX_PRIORITY_CLASS_NAME}-priority") == 63
    assert _codes(f"teams: [{{name: {'t' * MAX_TEAM_NAME}, quota: []}}]") == []
    assert _codes(f"teams: [{{name: {'t' * (MAX_TEAM_NAME + 1)}, quota: []}}]") == ["too-long"]
    classes = "teams: []\nclusterPolicy: {{priorityClasses: [{{name: {}, weight: 1}}]}}"
    assert _codes(classes.format("c" * MAX_PRIORITY_CLASS_NAME)) == []
    assert _codes(classes.format("c" * (MAX_PRIORITY_CLASS_NAME + 1))) == ["too-long"]


def _codes(body: str, limits: Limits | None = None) -> list[str]:
    text = f"version: 1\ncluster: c\n{body}\n"
    return [item.code for item in parse_policy(text.encode(), limits or service_limits()).diagnostics]


def _with(shape: str, **changes: object) -> Limits:
    """The service's limits, as a newer botocore might have them."""
    limits = dict(service_limits())
    limits[shape] = msgspec.structs.replace(limits[shape], **changes)
    return limits


def test_every_shape_is_in_the_model_and_says_something() -> None:
    assert set(service_limits()) == set(SHAPES)
    assert [name for name, shape in service_limits().items() if shape == Shape()] == []


def test_a_newer_botocore_brings_instance_types_along() -> None:
    body = "teams: [{name: a, quota: [{instanceType: ml.p9.48xlarge, count: 1}]}]"
    known = service_limits()["ClusterInstanceType"].values
    assert _codes(body) == ["unknown-instance-type"]
    assert _codes(body, _with("ClusterInstanceType", values=(*known, "ml.p9.48xlarge"))) == []


@pytest.mark.parametrize(
    ("shape", "changes", "body", "code"),
    [
        ("FairShareWeight", {"maximum": 10}, "teams: [{name: a, quota: [], fairShareWeight: 11}]", "out-of-range"),
        ("PriorityWeight", {"minimum": 5}, "clusterPolicy: {priorityClasses: [{name: a, weight: 4}]}", "out-of-range"),
        ("BorrowLimit", {"maximum": 500}, "teams: [{name: a, quota: [], sharing: {strategy: Lend, borrowLimit: 501}}]",
         "out-of-range"),
        ("InstanceCount", {"maximum": 1}, "teams: [{name: a, quota: [{instanceType: ml.g5.8xlarge, count: 2}]}]",
         "out-of-range"),
        ("AcceleratorsAmount", {"maximum": 1},
         "teams: [{name: a, quota: [{instanceType: ml.g5.8xlarge, accelerators: 2}]}]", "out-of-range"),
        ("VCpuAmount", {"maximum": 1}, "teams: [{name: a, quota: [{instanceType: ml.g5.8xlarge, vCpu: 1.5}]}]",
         "out-of-range"),
        ("MemoryInGiBAmount", {"maximum": 1},
         "teams: [{name: a, quota: [{instanceType: ml.g5.8xlarge, memoryInGiB: 1.5}]}]", "out-of-range"),
        ("AcceleratorPartitionConfigCountInteger", {"maximum": 1}, "teams: [{name: a, quota: [{instanceType: "
         "ml.p5.48xlarge, acceleratorPartition: {type: mig-1g.10gb, count: 2}}]}]", "out-of-range"),
        ("MIGProfileType", {"values": ("mig-9g.1gb",)}, "teams: [{name: a, quota: [{instanceType: ml.p5.48xlarge, "
         "acceleratorPartition: {type: mig-1g.10gb, count: 2}}]}]", "bad-value"),
        ("FairShare", {"values": ("On", "Off")}, "clusterPolicy: {fairShare: Enabled}", "bad-value"),
        ("IdleResourceSharing", {"values": ("On",)}, "clusterPolicy: {idleResourceSharing: Enabled}", "bad-value"),
        ("PreemptTeamTasks", {"values": ("Never",)}, "teams: [{name: a, quota: [], preemptTeamTasks: LowerPriority}]",
         "bad-value"),
        ("ActivationState", {"values": ("On",)}, "teams: [{name: a, quota: [], activation: Enabled}]", "bad-value"),
        ("ResourceSharingStrategy", {"values": ("Lend",)}, "teams: [{name: a, quota: [], sharing: {strategy: "
         "DontLend}}]", "bad-value"),
        ("EntityName", {"maximum": 3}, "teams: [{name: a, quota: [], quotaName: abcd}]", "too-long"),
        ("EntityDescription", {"maximum": 3}, "teams: [{name: a, quota: [], description: abcd}]", "too-long"),
        ("ComputeQuotaResourceConfigList", {"maximum": 0},
         "teams: [{name: a, quota: [{instanceType: ml.g5.8xlarge, count: 1}]}]", "too-many"),
        ("AbsoluteBorrowLimitResourceList", {"maximum": 0}, "teams: [{name: a, quota: [], sharing: {strategy: "
         "LendAndBorrow, absoluteBorrowLimits: [{instanceType: ml.g5.8xlarge, count: 1}]}}]", "too-many"),
        ("PriorityClassList", {"maximum": 0}, "clusterPolicy: {priorityClasses: [{name: a, weight: 4}]}", "too-many"),
    ],
)  # fmt: skip
def test_a_narrower_model_is_followed(shape: str, changes: dict[str, object], body: str, code: str) -> None:
    body = body if "teams:" in body else f"teams: []\n{body}"
    assert _codes(body) == []
    assert _codes(body, _with(shape, **changes)) == [code]


def test_each_limit_of_the_model_is_held_against_a_policy() -> None:
    tested = {mark.args[1][index][0] for mark in test_a_narrower_model_is_followed.pytestmark  # type: ignore[attr-defined]
              for index in range(len(mark.args[1]))}  # fmt: skip
    assert tested | {"ClusterInstanceType"} == set(SHAPES)


def test_a_range_without_an_end_is_open() -> None:
    body = "teams: [{{name: a, quota: [], fairShareWeight: {}}}]"
    open_ended = _with("FairShareWeight", maximum=None)
    assert _codes(body.format(10**30), open_ended) == []
    assert _codes(body.format(-1), open_ended) == ["out-of-range"]
    assert _codes(body.format(".inf"), open_ended) == ["out-of-range"]
