"""Lists: what selectors choose, and pages that show one state whatever happens meanwhile."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.hyperpod.clock import ManualClock
from local.kubernetes.beginnings import beginnings
from local.kubernetes.errors import BadRequestError, ExpiredError
from local.kubernetes.listing import ListOptions
from local.kubernetes.objects import Objects
from local.kubernetes.resources import GroupVersionResource
from local.kubernetes.selectors import label_tests

MAPS = GroupVersionResource("", "v1", "configmaps")
PODS = GroupVersionResource("", "v1", "pods")


def _objects() -> Objects:
    objects = Objects(ManualClock())
    for manifest in beginnings():
        objects.load(manifest)
    return objects


def _map(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}}


def _names(items: list[dict[str, Any]]) -> list[str]:
    return [item["metadata"]["name"] for item in items]


@pytest.mark.parametrize(
    ("selector", "chosen"),
    [
        ("", ["a", "b", "c"]),
        ("team=x", ["a"]),
        ("team==x", ["a"]),
        ("team!=x", ["b", "c"]),
        ("team", ["a", "b"]),
        ("!team", ["c"]),
        ("team in (x,y)", ["a", "b"]),
        ("team in (x, z),env=prod", ["a"]),
        ("team notin (x)", ["b", "c"]),
        ("team=", []),
        ("env=prod,team=y", []),
        (" team = x , env == prod", ["a"]),
        ("kubernetes.io/name=web", ["b"]),
    ],
)
def test_label_selectors(selector: str, chosen: list[str]) -> None:
    objects = _objects()
    objects.create(MAPS, _map("a", team="x", env="prod"), "default")
    objects.create(MAPS, _map("b", team="y", **{"kubernetes.io/name": "web"}), "default")
    objects.create(MAPS, _map("c"), "default")
    assert _names(objects.list(MAPS, ListOptions(labels=selector)).items) == chosen


@pytest.mark.parametrize("text", ["=x", "a=b=c", "a in x", "a in (x", "a,,b", "a b", "!", "-a"])
def test_label_selectors_that_cannot_be_read(text: str) -> None:
    with pytest.raises(BadRequestError, match="unable to parse requirement"):
        label_tests(text)


@given(st.text(alphabet="abc./-_=!,() in", max_size=30))
def test_a_label_selector_is_read_or_refused(text: str) -> None:
    try:
        tests = label_tests(text)
    except BadRequestError:
        return
    assert all(test({"a": "b"}) in (True, False) for test in tests)


@pytest.mark.parametrize(
    ("fields", "chosen"),
    [
        ("metadata.name=a", ["a"]),
        ("metadata.name!=a", ["b", "c"]),
        ("metadata.namespace=default", ["a", "b"]),
        ("metadata.namespace=default,metadata.name=c", []),
        ("spec.nodeName=n1", ["b"]),
        ("status.phase=Pending", ["a", "b", "c"]),
    ],
)
def test_field_selectors(fields: str, chosen: list[str]) -> None:
    objects = _objects()
    objects.create(PODS, {**_map("a"), "spec": {}}, "default")
    objects.create(PODS, {**_map("b"), "spec": {"nodeName": "n1"}}, "default")
    objects.create(PODS, {**_map("c"), "spec": {}}, "kube-system")
    assert _names(objects.list(PODS, ListOptions(fields=fields)).items) == chosen


def test_fields_that_cannot_be_selected() -> None:
    with pytest.raises(BadRequestError, match=r"field label not supported: spec\.unknown"):
        _objects().list(MAPS, ListOptions(fields="spec.unknown=1"))
    with pytest.raises(BadRequestError, match="invalid selector"):
        _objects().list(MAPS, ListOptions(fields="metadata.name"))


def test_lists_are_in_the_order_of_namespace_and_name() -> None:
    objects = _objects()
    for namespace, name in (("kube-system", "a"), ("default", "b"), ("default", "a")):
        objects.create(MAPS, _map(name), namespace)
    found = objects.list(MAPS).items
    assert [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in found] == [
        ("default", "a"),
        ("default", "b"),
        ("kube-system", "a"),
    ]
    assert _names(objects.list(MAPS, ListOptions("default")).items) == ["a", "b"]


def test_how_many_remain_is_told_unless_somebody_selects() -> None:
    objects = _objects()
    for name in "abc":
        objects.create(MAPS, _map(name, team="x"), "default")
    assert objects.list(MAPS, ListOptions(limit=1)).remaining == 2
    selected = objects.list(MAPS, ListOptions(limit=1, labels="team=x"))
    assert (selected.remaining, bool(selected.continued)) == (None, True)


def test_a_limit_that_is_just_enough_leaves_nothing() -> None:
    objects = _objects()
    objects.create(MAPS, _map("a"), "default")
    page = objects.list(MAPS, ListOptions(limit=1))
    assert (page.continued, page.remaining) == ("", None)


_names_of_maps = st.sampled_from("abcdefgh")
_writes = st.lists(st.tuples(st.sampled_from(["put", "delete"]), _names_of_maps, st.sampled_from("xy")), max_size=12)


@given(
    before=_writes,
    between=st.lists(_writes, max_size=5),
    limit=st.integers(1, 4),
    labels=st.sampled_from(["", "team=x"]),
)
def test_pages_show_the_state_that_the_first_one_saw(
    before: list[tuple[str, str, str]], between: list[list[tuple[str, str, str]]], limit: int, labels: str
) -> None:
    objects = _objects()
    _write(objects, before)
    whole = objects.list(MAPS, ListOptions(labels=labels))
    page = objects.list(MAPS, ListOptions(limit=limit, labels=labels))
    seen = page.items
    for writes in [*between, *[[] for _ in range(8)]]:
        _write(objects, writes)
        if not page.continued:
            break
        page = objects.list(MAPS, ListOptions(limit=limit, labels=labels, continued=page.continued))
        assert page.version == whole.version
        seen += page.items
    assert not page.continued
    assert seen == whole.items


def _write(objects: Objects, writes: list[tuple[str, str, str]]) -> None:
    there = set(_names(objects.list(MAPS).items))
    for what, name, team in writes:
        if what == "delete" and name in there:
            objects.delete(MAPS, name, "default")
            there.discard(name)
        elif what == "put" and name in there:
            objects.patch(MAPS, name, {"metadata": {"labels": {"team": team}}}, "default")
        elif what == "put":
            objects.create(MAPS, _map(name, team=team), "default")
            there.add(name)


@pytest.mark.parametrize(
    "token", ["bogus", "!", "eyJ2IjoieCJ9", "bnVsbA", "W10", "eyJ2IjoieCIsInJ2IjoxLCJzdGFydCI6IiJ9"]
)
def test_tokens_that_this_server_did_not_give(token: str) -> None:
    with pytest.raises(BadRequestError, match="invalid continue token: continue key is not valid"):
        _objects().list(MAPS, ListOptions(continued=token))


@given(st.text(max_size=40))
def test_any_text_for_a_token_is_refused(token: str) -> None:
    with pytest.raises((BadRequestError, ExpiredError)):
        _objects().list(MAPS, ListOptions(continued=token or "?"))
