"""Whatever is given to be read: it is read, or refused in one line that says where and what, and never the whole."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governor.errors import PermanentError
from governor.kueue import reading
from governor.kueue.reading import ReadingError
from tests.unit.kueue.recordings import READERS, objects

NAMED = {"metadata": {"name": "q", "namespace": "team"}}
RECORDED = objects("0.19.2/5-cohort-borrow.v1beta?.*.list.json") + objects("0.12.10/2-reclaim.v1beta1.*.list.json")
QUANTITY_LIKE = st.sampled_from(["-1", "1e999", "-9Ei", "0.0000000001", "", "1x", "+Inf", "9" * 64])
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**31, -(2**31) - 1, 2**63, -1, 10**70])
    | st.floats()
    | st.text(max_size=5)
    | QUANTITY_LIKE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with a key of it."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


@st.composite
def spoiled(draw: st.DrawFn) -> dict[str, Any]:
    """A recorded object in which something else stands in some places, or nothing."""
    manifest: dict[str, Any] = deepcopy(draw(st.sampled_from(RECORDED)))
    manifest["metadata"].pop("managedFields", None)
    for _ in range(draw(st.integers(1, 3))):
        container, key = draw(st.sampled_from(list(_places(manifest))))
        if draw(st.booleans()) and key in (container if isinstance(container, dict) else range(len(container))):
            del container[key]
        elif isinstance(container, dict) or key < len(container):
            container[key] = draw(JUNK)
    return manifest


def _try(reader: Any, source: Any) -> None:
    told = "read"
    try:
        reader(source)
    except ReadingError as refused:
        told = str(refused)
    assert len(told) < 400
    assert told.isprintable()


@given(spoiled())
def test_a_spoiled_object_is_read_or_refused(manifest: dict[str, Any]) -> None:
    for reader in READERS.values():
        _try(reader, manifest)
        _try(reader, json.dumps(manifest))


@given(st.binary(max_size=30) | st.text(max_size=30) | JUNK | st.dictionaries(st.integers() | st.none(), JUNK))
def test_anything_is_read_or_refused(source: Any) -> None:
    for reader in READERS.values():
        _try(reader, source)
        _try(lambda each, reader=reader: reading.page(each, reader), source)


@given(st.text(), st.text())
def test_any_name_can_be_told(namespace: str, name: str) -> None:
    for reader in READERS.values():
        _try(reader, {"metadata": {"name": name, "namespace": namespace}, "spec": 1, "value": ""})


def test_junk_may_be_deep() -> None:
    for text in (b"[" * 100_000, b'{"spec":' * 100_000, b'{"metadata":{"name":"a"},"x":' + b"[" * 100_000):
        with pytest.raises(ReadingError):
            reading.cluster_queue(text)


def test_pod_sets_may_be_many() -> None:
    spec = {"podSets": [{"name": f"p{number}", "count": 2**31 - 1} for number in range(10_000)]}
    assert len(reading.workload({**NAMED, "spec": spec}).pod_sets) == 10_000


@pytest.mark.parametrize(
    ("reader", "source", "told"),
    [
        ("Workload", b"{", "A Workload cannot be read: Input data was truncated"),
        ("Workload", None, "A Workload cannot be read: expected `object`, got `null`"),
        ("Workload", b'{"metadata":{"name":"\xff"}}', "A Workload cannot be read: it is not UTF-8"),
        ("Workload", {"metadata": {"name": "w"}}, "missing required field `namespace`"),
        ("Cohort", {"metadata": {"name": 5}}, "A Cohort cannot be read: metadata.name: expected `str`, got `int`"),
        ("Cohort", {"metadata": {"name": ""}}, "A Cohort cannot be read: metadata.name: expected `str` of length >= 1"),
        ("Cohort", {**NAMED, "kind": "Pod", "apiVersion": "v1"}, "Cohort team/q cannot be read: expected Cohort of"),
        ("Cohort", {**NAMED, "apiVersion": "kueue.x-k8s.io/v1"}, "expected one of v1alpha1, v1beta1, v1beta2, got v1"),
        ("ClusterQueue", {**NAMED, "spec": {"cohort": 1}}, "ClusterQueue team/q cannot be read: spec.cohort: expected"),
        (
            "ClusterQueue",
            {**NAMED, "spec": {"fairSharing": {"weight": "-1"}}},
            "spec.fairSharing.weight: expected 0 or more, got -1",
        ),
        (
            "Workload",
            {**NAMED, "spec": {"podSets": [{"count": 2**31}]}},
            "Workload team/q cannot be read: spec.podSets[0].count: expected `int` <= 2147483647",
        ),
        ("Workload", {**NAMED, "spec": {"podSets": [{"count": -1}]}}, "spec.podSets[0].count: expected `int` >= 0"),
        ("Workload", {**NAMED, "spec": {"priority": "high"}}, "spec.priority: expected `int | null`, got `str`"),
        (
            "Workload",
            {**NAMED, "spec": {"podSets": [{"template": {"spec": {"overhead": {"cpu": "much"}}}}]}},
            "spec.podSets[0].template.spec.overhead[...]: 'much' is no quantity, such as 4, 1500m or 64Gi",
        ),
        (
            "Workload",
            {"metadata": {"name": "w", "namespace": "t", "creationTimestamp": "yesterday"}},
            "Workload t/w cannot be read: metadata.creationTimestamp: expected a time such as 2026-11-24T03:51:21Z",
        ),
        (
            "WorkloadPriorityClass",
            NAMED,
            "WorkloadPriorityClass team/q cannot be read: object missing required field `value`",
        ),
    ],
)
def test_a_refusal_says_which_object_which_member_and_what_was_found(reader: str, source: Any, told: str) -> None:
    with pytest.raises(ReadingError) as refused:
        READERS[reader](source)
    assert told in str(refused.value)
    assert isinstance(refused.value, PermanentError)


@pytest.mark.parametrize("member", ["nominalQuota", "borrowingLimit", "lendingLimit"])
def test_no_quota_is_negative(member: str) -> None:
    quota = {"name": "cpu", "nominalQuota": "1", member: "-1m"}
    groups = [{"flavors": [{"name": "f", "resources": [quota]}]}]
    with pytest.raises(ReadingError, match=f"{member}: expected 0 or more, got -1m"):
        reading.cluster_queue({**NAMED, "spec": {"resourceGroups": groups}})


def test_a_list_tells_which_of_its_objects_is_wrong() -> None:
    items = [NAMED, {"metadata": {"name": "w2", "namespace": "team"}, "spec": {"podSets": 1}}]
    for source in ({"items": items}, json.dumps({"items": items})):
        with pytest.raises(ReadingError, match=r"^Workload team/w2 cannot be read: spec.podSets: expected"):
            reading.page(source, reading.workload)
    with pytest.raises(ReadingError, match=r"^A list cannot be read: object missing required field `items`"):
        reading.page(NAMED, reading.workload)
