"""Changes as they come: from a version, from what there is, by selector, and after the connection has ended."""

import contextlib
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import urllib3

from local.kubernetes.cluster import Cluster
from tests.local.kubernetes.recorded import comparable, recorded_lines

MAPS = "/api/v1/namespaces/default/configmaps"
WORKLOADS = "/apis/kueue.x-k8s.io/v1beta2/workloads"


@contextmanager
def _watched(cluster: Cluster, path: str) -> Iterator[Iterator[dict[str, Any]]]:
    trusting = ssl.create_default_context(cadata=cluster.certificate_pem)
    with urllib3.PoolManager(ssl_context=trusting, retries=False, timeout=20) as pool:
        url = f"{cluster.endpoint}{path}{'&' if '?' in path else '?'}watch=1"
        answer = pool.request(
            "GET", url, headers={"Authorization": f"Bearer {cluster.admin_token}"}, preload_content=False
        )
        assert answer.status == 200
        yield _events(answer)
        answer.close()


def _events(answer: urllib3.BaseHTTPResponse) -> Iterator[dict[str, Any]]:
    rest = b""
    for part in answer.stream(65536):
        *whole, rest = (rest + part).split(b"\n")
        yield from map(json.loads, whole)


def _shown(event: dict[str, Any]) -> tuple[str, str]:
    return event["type"], event["object"]["metadata"].get("name", "")


def _map(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}}


def test_from_a_version_on(cluster: Cluster) -> None:
    cluster.call("POST", MAPS, _map("before"))
    version = cluster.call("GET", MAPS).json["metadata"]["resourceVersion"]
    with _watched(cluster, f"{MAPS}?resourceVersion={version}") as events:
        cluster.call("POST", MAPS, _map("a"))
        cluster.call("POST", "/api/v1/namespaces/kube-system/configmaps", _map("elsewhere"))
        cluster.call("PATCH", f"{MAPS}/a", {"data": {"x": "y"}})
        cluster.call("DELETE", f"{MAPS}/a")
        seen = [next(events) for _ in range(3)]
    assert [_shown(event) for event in seen] == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    assert [event["object"]["kind"] for event in seen] == ["ConfigMap"] * 3
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in seen]
    assert versions == sorted(versions)


def test_from_what_there_is(cluster: Cluster) -> None:
    cluster.call("POST", MAPS, _map("a"))
    query = "sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan"
    with _watched(cluster, f"{MAPS}?{query}") as events:
        seen = [next(events), next(events)]
        cluster.call("POST", MAPS, _map("b"))
        seen.append(next(events))
    assert [_shown(event) for event in seen] == [("ADDED", "a"), ("BOOKMARK", ""), ("ADDED", "b")]
    assert seen[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_an_object_comes_and_goes_with_its_labels(cluster: Cluster) -> None:
    with _watched(cluster, f"{MAPS}?labelSelector=team%3Dx") as events:
        cluster.call("POST", MAPS, _map("a", team="y"))
        for team in ("x", "x", "y"):
            cluster.call("PATCH", f"{MAPS}/a", {"metadata": {"labels": {"team": team}}, "data": {"n": team}})
        cluster.call("PATCH", f"{MAPS}/a", {"metadata": {"labels": {"team": "x"}}})
        cluster.call("PATCH", f"{MAPS}/a", {"data": {"n": "last"}})
        seen = [_shown(next(events)) for _ in range(4)]
    assert seen == [("ADDED", "a"), ("DELETED", "a"), ("ADDED", "a"), ("MODIFIED", "a")]


def test_what_was_recorded_comes_out_as_it_was(kueue: Cluster) -> None:
    real = [event for event in recorded_lines("watch.v1beta2.workloads.jsonl") if event["type"] != "BOOKMARK"]
    with _watched(kueue, WORKLOADS) as events:
        kueue.load(event["object"] for event in real)
        seen = [next(events) for _ in real]
    assert [comparable(event) for event in seen] == [comparable(event) for event in real]


def test_the_time_is_over(cluster: Cluster) -> None:
    cluster.call("POST", MAPS, _map("a"))
    with _watched(cluster, f"{MAPS}?timeoutSeconds=1") as events:
        assert [_shown(event) for event in events] == [("ADDED", "a")]


def test_a_version_that_is_none(cluster: Cluster) -> None:
    assert cluster.call("GET", f"{MAPS}?watch=1&resourceVersion=x").status == 400
    assert cluster.call("GET", f"{MAPS}?watch=1&fieldSelector=nothing").status == 400


def test_the_thread_ends_with_the_client(cluster: Cluster) -> None:
    before = threading.active_count()
    with _watched(cluster, MAPS):
        assert threading.active_count() > before
    deadline = time.monotonic() + 20
    while threading.active_count() > before:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("end", ["close", "fault"])
def test_the_server_does_not_wait_for_those_who_watch(cluster: Cluster, end: str) -> None:
    with _watched(cluster, f"{MAPS}?timeoutSeconds=1000") as events:
        cluster.call("POST", MAPS, _map("a"))
        next(events)
        if end == "close":
            cluster.close()
        else:
            cluster.fault("closed")
        with contextlib.suppress(urllib3.exceptions.ProtocolError):
            assert list(events) == []
