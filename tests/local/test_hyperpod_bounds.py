"""Requests within the contract but out of bounds: refused in AWS's words, by checks that take no time."""

import re
import time
from typing import Any

import pytest

from local.hyperpod.constraints import failures_of
from local.hyperpod.contract import service_model
from local.hyperpod.direct import Direct
from local.hyperpod.errors import ApiError
from local.hyperpod.patterns import CHECKS


def _resources(**members: Any) -> dict[str, Any]:
    return {"ComputeQuotaResources": [{"InstanceType": "ml.g5.8xlarge", **members}]}


@pytest.mark.parametrize(
    ("members", "clause"),
    [
        (
            {"ComputeQuotaTarget": {"TeamName": "vision", "FairShareWeight": 101}},
            "Value '101' at 'computeQuotaTarget.fairShareWeight' failed to satisfy constraint: "
            "Member must have value less than or equal to 100",
        ),
        (
            {"ComputeQuotaTarget": {"TeamName": "vision", "FairShareWeight": -1}},
            "Value '-1' at 'computeQuotaTarget.fairShareWeight' failed to satisfy constraint: "
            "Member must have value greater than or equal to 0",
        ),
        (
            {"ComputeQuotaTarget": {"TeamName": "Vision"}},
            "Value 'Vision' at 'computeQuotaTarget.teamName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern",
        ),
        (
            {"ComputeQuotaConfig": {"PreemptTeamTasks": "Always"}},
            "Value 'Always' at 'computeQuotaConfig.preemptTeamTasks' failed to satisfy constraint: "
            "Member must satisfy enum value set: [Never, LowerPriority]",
        ),
        (
            {"ComputeQuotaConfig": {"ResourceSharingConfig": {"Strategy": "Lend", "BorrowLimit": 10001}}},
            "Value '10001' at 'computeQuotaConfig.resourceSharingConfig.borrowLimit'",
        ),
        (
            {"ComputeQuotaConfig": _resources(VCpu=1e8)},
            "Value '100000000.0' at 'computeQuotaConfig.computeQuotaResources.1.member.vCpu'",
        ),
        (
            {"ComputeQuotaConfig": {"ComputeQuotaResources": _resources()["ComputeQuotaResources"] * 16}},
            "Member must have length less than or equal to 15",
        ),
        ({"Name": "n" * 64}, "Value '" + "n" * 64 + "' at 'name' failed to satisfy constraint"),
        ({"Description": "d" * 1025}, "Member must have length less than or equal to 1024"),
        ({"ClusterArn": "arn:aws:sagemaker:us-west-2:123456789012:cluster/SHORT"}, "at 'clusterArn'"),
    ],
)
def test_refused_in_the_words_of_aws(direct: Direct, members: dict[str, Any], clause: str) -> None:
    arn = direct.add_cluster()
    with pytest.raises(ApiError, match=re.escape(clause)) as raised:
        direct.create_quota(arn, **members)
    assert (raised.value.code, raised.value.http_status) == ("ValidationException", 400)
    assert raised.value.message.startswith(("1 validation error detected: ", "2 validation errors detected: "))


def test_several_failures_are_counted_and_listed(direct: Direct) -> None:
    with pytest.raises(ApiError) as raised:
        direct.create_policy(
            direct.add_cluster(),
            SchedulerConfig={"PriorityClasses": [{"Name": "-x", "Weight": 200}], "FairShare": "Perhaps"},
        )
    assert raised.value.message.startswith("3 validation errors detected: Value '-x' at ")
    assert raised.value.message.count("; Value ") == 2


@pytest.mark.parametrize("size", [0, 101])
def test_page_sizes_out_of_bounds(direct: Direct, size: int) -> None:
    with pytest.raises(ApiError, match=f"Value '{size}' at 'maxResults'"):
        direct.call("ListComputeQuotas", MaxResults=size)


NAMES = ["a", "0", "a-b", "a--b", "ab", "a" * 40, "a" * 200, "A", "aB", "", "-", "-a", "a-", "a_b", "ä", "a b", "a\n"]


@pytest.mark.parametrize("shape_name", ["EntityName", "ClusterName", "ComputeQuotaTargetTeamName"])
@pytest.mark.parametrize("name", NAMES)
def test_names_are_judged_as_the_model_pattern_does(shape_name: str, name: str) -> None:
    # These few short names are harmless to the model's expressions.
    pattern = service_model().shape_for(shape_name).metadata["pattern"]
    assert CHECKS[shape_name](name) == bool(re.fullmatch(pattern, name))


def test_the_longest_entity_name_counts_no_hyphens() -> None:
    assert CHECKS["EntityName"]("a-" * 62 + "a")
    assert not CHECKS["EntityName"]("a-" * 63 + "a")


ARN = "arn:aws:sagemaker:us-west-2:123456789012:cluster/abcdefghij12"


@pytest.mark.parametrize(
    "arn",
    [
        ARN,
        ARN.replace("arn:aws:", "arn:aws-us-gov:"),
        ARN.replace("123456789012", "12345678901"),
        ARN.replace("cluster/", "cluster"),
        ARN.replace("cluster/", "compute-quota/"),
        ARN.replace("sagemaker", "eks"),
        ARN.replace("arn:aws", "arn:az"),
        ARN + "3",
        ARN.upper(),
        "arn:aws:sagemaker",
        "",
    ],
)
def test_arns_are_judged_as_the_model_pattern_does(arn: str) -> None:
    pattern = service_model().shape_for("ClusterArn").metadata["pattern"]
    assert CHECKS["ClusterArn"](arn) == bool(re.fullmatch(pattern, arn))


@pytest.mark.parametrize("shape_name", sorted(CHECKS))
def test_no_check_takes_long(shape_name: str) -> None:
    """The model's own pattern needs half a minute for 31 characters of this kind."""
    before = time.perf_counter()
    assert list(failures_of(service_model().shape_for(shape_name), "a" * 50_000 + "!"))
    assert time.perf_counter() - before < 0.5
