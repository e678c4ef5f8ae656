"""The service's fill-in and exact amounts (facts 1d)."""

from fractions import Fraction

import pytest

from governor.plan.adoption import least
from governor.quota import (
    Instance,
    InstanceGroup,
    Partition,
    QuotaEntry,
    add,
    amounts_of,
    bundled_instances,
    capacity_of,
    exact,
    fill_in,
    total,
)

G5 = "ml.g5.12xlarge"  # 4 GPUs, 48 vCPU, 192 GiB
M5 = "ml.m5.xlarge"  # no accelerator, 4 vCPU, 16 GiB
P4 = "ml.p4d.24xlarge"  # 8 GPUs, 96 vCPU, 1152 GiB


@pytest.mark.parametrize(
    ("entry", "accelerators", "v_cpu", "memory"),
    [
        (QuotaEntry(G5, count=2), 8, 96, 384),
        (QuotaEntry(M5, count=4), 0, 16, 64),
        (QuotaEntry(G5, accelerators=2), 2, 24, 96),
        (QuotaEntry(G5, accelerators=1, v_cpu=40), 1, 40, 48),
        (QuotaEntry(G5, accelerators=1, memory_in_gib=10), 1, 12, 10),
        (QuotaEntry(G5, v_cpu=12), 0, 12, 48),
        (QuotaEntry(G5, memory_in_gib=48), 0, 12, 48),
        (QuotaEntry(G5, v_cpu=12, memory_in_gib=7), 0, 12, 7),
        (QuotaEntry(G5, accelerators=0), 0, 0, 0),
        (QuotaEntry(P4, partition=Partition("mig-1g.5gb", 7)), 0, 12, 144),
        (QuotaEntry(P4, partition=Partition("mig-1g.5gb", 1)), 0, 1, 20),
        (QuotaEntry(P4, partition=Partition("mig-3g.20gb", 2), v_cpu=5), 0, 5, 123),
        (QuotaEntry(G5, count=1, v_cpu=10), 4, 10, 192),
    ],
)
def test_what_the_service_adds(entry: QuotaEntry, accelerators: int, v_cpu: float, memory: float) -> None:
    filled = fill_in(entry, bundled_instances()[entry.instance_type])

    assert (filled.accelerators, filled.v_cpu, filled.memory_in_gib) == (accelerators, v_cpu, memory)
    assert fill_in(filled, bundled_instances()[entry.instance_type]) == filled


def test_the_least_that_is_declared_is_completed_to_the_same() -> None:
    instances = bundled_instances()
    for declared in (
        QuotaEntry(G5, count=2),
        QuotaEntry(G5, accelerators=3),
        QuotaEntry(P4, partition=Partition("mig-2g.10gb", 3)),
        QuotaEntry(G5, v_cpu=12.0),
        QuotaEntry(M5, memory_in_gib=8.0),
    ):
        filled = fill_in(declared, instances[declared.instance_type])
        again = fill_in(least(filled, instances), instances[declared.instance_type])
        assert again == filled


def test_an_entry_of_a_type_that_nobody_knows_counts_what_it_says() -> None:
    assert amounts_of(QuotaEntry("ml.new.xlarge", count=2), None) == {("ml.new.xlarge", "instances"): 2}
    assert amounts_of(QuotaEntry("ml.new.xlarge", accelerators=1, v_cpu=0.1), None) == {
        ("ml.new.xlarge", "accelerators"): 1,
        ("ml.new.xlarge", "vCPU"): Fraction(1, 10),
    }


def test_sums_are_exact_where_floats_are_not() -> None:
    tenth = amounts_of(QuotaEntry(G5, v_cpu=0.1, memory_in_gib=0.0), bundled_instances()[G5])

    assert total([tenth] * 10)[G5, "vCPU"] == 1
    assert exact(0.1) * 3 == exact(0.3)
    assert add(tenth, tenth, -1) == {}


def test_partitions_take_their_share_of_a_gpu() -> None:
    sevenths = amounts_of(QuotaEntry(P4, partition=Partition("mig-3g.20gb", 2)), bundled_instances()[P4])

    assert sevenths[P4, "accelerators"] == Fraction(6, 7)
    assert Partition("strange", 1).slices == 0


def test_capacity_counts_targets_of_fixed_groups_and_marks_the_elastic_ones() -> None:
    groups = (
        InstanceGroup("a", G5, 2),
        InstanceGroup("b", G5, 1, "autoscaled"),
        InstanceGroup("c", "ml.new.xlarge", 3, "flexible"),
    )

    capacity = capacity_of(groups, bundled_instances())

    assert capacity.amounts[G5, "accelerators"] == 12
    assert capacity.amounts["ml.new.xlarge", "instances"] == 3
    assert capacity.elastic == {G5, "ml.new.xlarge"}
    assert capacity.unknown == {"ml.new.xlarge"}


def test_the_bundled_table_is_whole() -> None:
    table = bundled_instances()

    assert len(table) == 122
    assert table["ml.trn2.48xlarge"] == Instance("ml.trn2.48xlarge", "aws.amazon.com/neurondevice", 16, 192, 2048.0)
    assert all(each.vcpus > 0 and each.memory_gib > 0 for each in table.values())
    assert {each.accelerator_kind for each in table.values() if each.accelerators} == {
        "nvidia.com/gpu",
        "aws.amazon.com/neurondevice",
    }
