"""What Describe and List show beyond what was sent, and in which order."""

from typing import Any

import pytest

from local.hyperpod.direct import Direct

SENT = [
    {"InstanceType": "ml.g5.8xlarge", "Count": 2},
    {"InstanceType": "ml.p5.48xlarge", "Accelerators": 4},
    {"InstanceType": "ml.m5.xlarge", "VCpu": 2.0},
    {"InstanceType": "ml.c5.xlarge", "MemoryInGiB": 4.0},
]


def _shown(direct: Direct, quota_id: str) -> dict[str, Any]:
    config: dict[str, Any] = direct.call("DescribeComputeQuota", ComputeQuotaId=quota_id)["ComputeQuotaConfig"]
    return config


def _listed(direct: Direct) -> dict[str, Any]:
    (summary,) = direct.call("ListComputeQuotas")["ComputeQuotaSummaries"]
    config: dict[str, Any] = summary["ComputeQuotaConfig"]
    return config


@pytest.mark.parametrize(
    ("entry", "filled"),
    [
        (SENT[0], {"Accelerators": 2, "VCpu": 64.0, "MemoryInGiB": 256.0}),
        (SENT[1], {"Accelerators": 4, "VCpu": 96.0, "MemoryInGiB": 1024.0}),
        (SENT[2], {"Accelerators": 0, "VCpu": 2.0, "MemoryInGiB": 8.0}),
        (SENT[3], {"Accelerators": 0, "VCpu": 2.0, "MemoryInGiB": 4.0}),
        (
            {"InstanceType": "ml.p5.48xlarge", "Accelerators": 4, "VCpu": 10.0},
            {"Accelerators": 4, "VCpu": 10.0, "MemoryInGiB": 1024.0},
        ),
        (
            {"InstanceType": "ml.p4d.24xlarge", "AcceleratorPartition": {"Type": "mig-1g.5gb", "Count": 14}},
            {"Accelerators": 0, "VCpu": 24.0, "MemoryInGiB": 288.0},
        ),
        # Not in the bundled table: EC2 knows it.
        ({"InstanceType": "ml.g4dn.12xlarge", "Count": 1}, {"Accelerators": 4, "VCpu": 48.0, "MemoryInGiB": 192.0}),
        # In neither.
        ({"InstanceType": "ml.m8a.16xlarge", "Count": 1}, {}),
    ],
    ids=["count", "accelerators", "vcpu", "memory", "given", "partition", "ec2", "unknown"],
)
def test_ratios_fill_an_entry(direct: Direct, entry: dict[str, Any], filled: dict[str, Any]) -> None:
    config = {"ComputeQuotaResources": [entry]}
    quota_id = direct.create_quota(direct.add_cluster(), ComputeQuotaConfig=config)
    assert _shown(direct, quota_id)["ComputeQuotaResources"] == [{**entry, **filled}]


def test_defaults_of_a_quota(direct: Direct) -> None:
    quota_id = direct.create_quota(direct.add_cluster(), ComputeQuotaConfig={})
    shown = direct.call("DescribeComputeQuota", ComputeQuotaId=quota_id)
    assert shown["ComputeQuotaConfig"] == {
        "ResourceSharingConfig": {"Strategy": "LendAndBorrow", "BorrowLimit": 50},
        "PreemptTeamTasks": "LowerPriority",
    }
    assert shown["ComputeQuotaTarget"] == {"TeamName": "vision", "FairShareWeight": 0}
    assert shown["ActivationState"] == "Enabled"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"Strategy": "LendAndBorrow"}, {"Strategy": "LendAndBorrow", "BorrowLimit": 50}),
        (
            {"Strategy": "LendAndBorrow", "BorrowLimit": 0},
            {"Strategy": "LendAndBorrow", "BorrowLimit": 0},
        ),
        ({"Strategy": "Lend"}, {"Strategy": "Lend"}),
        ({"Strategy": "DontLend"}, {"Strategy": "DontLend"}),
        ({"Strategy": "Lend", "BorrowLimit": 20}, {"Strategy": "Lend", "BorrowLimit": 20}),
    ],
)
def test_the_borrow_limit_is_filled_where_borrowing_is_allowed(
    direct: Direct, sent: dict[str, Any], shown: dict[str, Any]
) -> None:
    quota_id = direct.create_quota(direct.add_cluster(), ComputeQuotaConfig={"ResourceSharingConfig": sent})
    assert _shown(direct, quota_id)["ResourceSharingConfig"] == shown


def test_absolute_borrow_limits_are_filled_by_the_same_rule(direct: Direct) -> None:
    sharing = {"Strategy": "LendAndBorrow", "AbsoluteBorrowLimits": [SENT[1]]}
    quota_id = direct.create_quota(direct.add_cluster(), ComputeQuotaConfig={"ResourceSharingConfig": sharing})
    (limit,) = _shown(direct, quota_id)["ResourceSharingConfig"]["AbsoluteBorrowLimits"]
    assert limit == {**SENT[1], "VCpu": 96.0, "MemoryInGiB": 1024.0}


def test_lists_fill_in_or_do_not(direct: Direct) -> None:
    sent = {"ComputeQuotaResources": SENT[:1]}
    quota_id = direct.create_quota(direct.add_cluster(), ComputeQuotaConfig=sent)
    assert _listed(direct) == _shown(direct, quota_id)
    direct.settings(list_fill_in=False)
    assert _listed(direct) == sent
    assert _shown(direct, quota_id) != sent


def test_defaults_of_a_policy(direct: Direct) -> None:
    policy_id = direct.create_policy(direct.add_cluster(), SchedulerConfig={})
    shown = direct.call("DescribeClusterSchedulerConfig", ClusterSchedulerConfigId=policy_id)
    assert shown["SchedulerConfig"] == {
        "PriorityClasses": [],
        "FairShare": "Enabled",
        "IdleResourceSharing": "Disabled",
    }


def test_shuffled_lists_hold_the_same_in_another_order(direct: Direct) -> None:
    arn = direct.add_cluster()
    classes = [{"Name": f"class-{number}", "Weight": number} for number in range(3)]
    sharing = {"Strategy": "LendAndBorrow", "AbsoluteBorrowLimits": SENT}
    config = {"ComputeQuotaResources": SENT, "ResourceSharingConfig": sharing}
    quota_id = direct.create_quota(arn, ComputeQuotaConfig=config)
    policy_id = direct.create_policy(arn, SchedulerConfig={"PriorityClasses": classes})

    def lists() -> list[list[dict[str, Any]]]:
        policy = direct.call("DescribeClusterSchedulerConfig", ClusterSchedulerConfigId=policy_id)
        quota = _shown(direct, quota_id)
        return [
            quota["ComputeQuotaResources"],
            quota["ResourceSharingConfig"]["AbsoluteBorrowLimits"],
            policy["SchedulerConfig"]["PriorityClasses"],
        ]

    in_order = lists()
    for seed in range(20):
        direct.settings(shuffle_lists=seed)
        shuffled = lists()
        assert shuffled == lists(), "the order depends on the seed alone"
        for before, after in zip(in_order, shuffled, strict=True):
            assert after != before
            assert sorted(after, key=str) == sorted(before, key=str)


def test_a_list_of_one_cannot_be_shuffled(direct: Direct) -> None:
    quota_id = direct.create_quota(direct.add_cluster(), ComputeQuotaConfig={"ComputeQuotaResources": SENT[:1]})
    in_order = _shown(direct, quota_id)
    direct.settings(shuffle_lists=1)
    assert _shown(direct, quota_id) == in_order
