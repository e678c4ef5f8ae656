"""The server around the operations: protocol, callers, the call log, many clients at once, start and end."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.hyperpod.client import ROOT, ControlPlane
from local.hyperpod.clock import ManualClock

SCOPE = "AWS4-HMAC-SHA256 Credential=admin/20260101/us-west-2/sagemaker/aws4_request"


def _post(plane: ControlPlane, headers: dict[str, str], text: str = "{}") -> tuple[int, dict[str, Any], str | None]:
    connection = http.client.HTTPConnection(plane.url.removeprefix("http://"))
    try:
        connection.request("POST", "/", text, {"Content-Type": "application/x-amz-json-1.1", **headers})
        response = connection.getresponse()
        return response.status, json.loads(response.read()), response.headers["x-amzn-RequestId"]
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("headers", "text", "code"),
    [
        ({"Authorization": SCOPE, "X-Amz-Target": "SageMaker.CreateCluster"}, "{}", "UnknownOperationException"),
        ({"Authorization": SCOPE}, "{}", "UnknownOperationException"),
        ({"X-Amz-Target": "SageMaker.ListClusters"}, "{}", "MissingAuthenticationTokenException"),
        ({"Authorization": SCOPE, "X-Amz-Target": "SageMaker.ListClusters"}, "{", "SerializationException"),
    ],
)
def test_requests_that_reach_no_operation(plane: ControlPlane, headers: dict[str, str], text: str, code: str) -> None:
    status, answer, request_id = _post(plane, headers, text)
    assert (status, answer["__type"]) == (400, code)
    assert answer["Message"]
    assert request_id
    assert plane.calls() == []


def test_answers_carry_a_request_id(plane: ControlPlane) -> None:
    client = plane.boto3_client()
    ids = {client.list_clusters()["ResponseMetadata"]["RequestId"] for _ in range(3)}
    assert len(ids) == 3
    _, answer, request_id = _post(
        plane,
        {"Authorization": SCOPE, "X-Amz-Target": "SageMaker.DescribeCluster"},
        '{"ClusterName": "nowhere"}',
    )
    assert answer == {"__type": "ResourceNotFound", "Message": "Cluster nowhere does not exist."}
    assert request_id


def test_one_connection_serves_many_calls(plane: ControlPlane) -> None:
    headers = {"X-Amz-Target": "SageMaker.ListClusters", "Authorization": SCOPE}
    connection = http.client.HTTPConnection(plane.url.removeprefix("http://"))
    ports = set()
    for _ in range(3):
        connection.request("POST", "/", "{}", headers)
        ports.add(connection.sock.getsockname()[1])
        assert json.loads(connection.getresponse().read()) == {"ClusterSummaries": []}
    connection.close()
    assert len(ports) == 1


def test_callers_are_who_their_access_key_says(plane: ControlPlane) -> None:
    arn = plane.add_cluster("ml-research")
    made = plane.boto3_client("governor").create_compute_quota(
        Name="q", ClusterArn=arn, ComputeQuotaConfig={}, ComputeQuotaTarget={"TeamName": "vision"}
    )
    console = plane.boto3_client("console-user")
    console.update_compute_quota(ComputeQuotaId=made["ComputeQuotaId"], TargetVersion=1, Description="by hand")
    shown = console.describe_compute_quota(ComputeQuotaId=made["ComputeQuotaId"])
    assert shown["CreatedBy"]["IamIdentity"]["Arn"] == "arn:aws:iam::123456789012:user/governor"
    assert shown["LastModifiedBy"]["IamIdentity"]["Arn"] == "arn:aws:iam::123456789012:user/console-user"


def test_the_call_log(plane: ControlPlane) -> None:
    arn = plane.add_cluster("ml-research")
    client = plane.boto3_client("governor")
    made = client.create_compute_quota(
        Name="q", ClusterArn=arn, ComputeQuotaConfig={}, ComputeQuotaTarget={"TeamName": "vision"}
    )
    client.describe_compute_quota(ComputeQuotaId=made["ComputeQuotaId"])
    with pytest.raises(client.exceptions.ConflictException):
        client.update_compute_quota(ComputeQuotaId=made["ComputeQuotaId"], TargetVersion=9)
    log = plane.admin("GET", "calls")
    assert (log["reads"], log["writes"]) == (1, 2)
    assert [
        (call["operation"], call["access_key"], call["status"], call["error_code"], call["name"])
        for call in log["calls"]
    ] == [
        ("CreateComputeQuota", "governor", 200, None, "q"),
        ("DescribeComputeQuota", "governor", 200, None, "q"),
        ("UpdateComputeQuota", "governor", 400, "ConflictException", "q"),
    ]
    assert {call["resource_id"] for call in log["calls"]} == {made["ComputeQuotaId"]}
    assert abs(log["calls"][0]["time"] - time.time()) < 60
    assert plane.calls("UpdateComputeQuota")[0]["request"]["TargetVersion"] == 9
    assert plane.writes() == 2
    plane.forget_calls()
    assert plane.calls() == []


def test_sixteen_clients_at_once(plane: ControlPlane) -> None:
    """Side by side they wait for the latency together, and each creation happens exactly once."""
    arn = plane.add_cluster("ml-research")
    plane.settings(latency_seconds=0.05)
    client = plane.boto3_client()

    def create(number: int) -> str:
        team = f"team-{number}"
        return client.create_compute_quota(
            Name=team, ClusterArn=arn, ComputeQuotaConfig={}, ComputeQuotaTarget={"TeamName": team}
        )["ComputeQuotaId"]

    before = time.perf_counter()
    with ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(create, range(64)))
    assert time.perf_counter() - before < 64 * 0.05 / 2
    assert len(set(ids)) == 64
    assert len(client.list_compute_quotas(MaxResults=100)["ComputeQuotaSummaries"]) == 64


def test_of_sixteen_that_want_one_name_one_gets_it(plane: ControlPlane) -> None:
    arn = plane.add_cluster("ml-research")
    body = {"Name": "q", "ClusterArn": arn, "ComputeQuotaConfig": {}, "ComputeQuotaTarget": {"TeamName": "vision"}}
    start = threading.Barrier(16)

    def create(_: int) -> str | None:
        start.wait()
        return plane.raw("CreateComputeQuota", body)[1].get("__type")

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(create, range(16)))
    assert outcomes.count(None) == 1
    assert outcomes.count("ConflictException") == 15


def test_a_clock_that_the_test_moves() -> None:
    clock = ManualClock()
    with ControlPlane.start_thread({"transition_seconds": 60}, clock) as plane:
        policy = {"Name": "p", "ClusterArn": plane.add_cluster("ml-research"), "SchedulerConfig": {}}
        policy_id = plane.raw("CreateClusterSchedulerConfig", policy)[1]["ClusterSchedulerConfigId"]
        client = plane.boto3_client()
        seen = []
        for _ in range(2):
            shown = client.describe_cluster_scheduler_config(ClusterSchedulerConfigId=policy_id)
            seen.append(shown["Status"])
            clock.advance(60)
        assert seen == ["Creating", "Created"]


def test_reset_forgets_everything(plane: ControlPlane) -> None:
    plane.add_cluster("ml-research")
    plane.settings(latency_seconds=0.01)
    plane.fault("ListClusters", "slow", seconds=0)
    plane.raw("ListClusters", {"Colour": "green"})
    plane.reset()
    assert plane.boto3_client().list_clusters()["ClusterSummaries"] == []
    assert plane.faults() == []
    assert plane.violations() == []
    assert len(plane.calls()) == 1
    assert plane.settings()["latency_seconds"] == 0
    assert plane.settings()["transition_seconds"] == 0, "as it was started with"


def test_health_and_what_admin_refuses(plane: ControlPlane) -> None:
    assert plane.admin("GET", "health")["status"] == "ok"
    for method, path, body, complaint in (
        ("POST", "settings", {"colour": "green"}, "colour"),
        ("POST", "settings", {"latency_seconds": "long"}, "latency_seconds"),
        ("POST", "settings", {"default_page_size": 0}, "default_page_size"),
        ("POST", "faults", {"action": "throttle", "times": 0}, "times"),
        ("GET", "nothing", None, "There is no GET /_admin/nothing"),
        ("POST", "resources/000000000000/status", {"status": "Created"}, "000000000000"),
        ("POST", "resources/000000000000/status", {"status": "Perfect"}, "Perfect is none of"),
        ("DELETE", "clusters/nowhere", None, "nowhere"),
    ):
        with pytest.raises(ValueError, match=complaint):
            plane.admin(method, path, body)


def test_env_points_a_default_client_here(plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    plane.add_cluster("ml-research")
    for name, value in plane.env("someone").items():
        monkeypatch.setenv(name, value)
    client = boto3.session.Session().client("sagemaker")
    assert client.list_clusters()["ClusterSummaries"][0]["ClusterName"] == "ml-research"
    assert plane.calls()[0]["access_key"] == "someone"


def test_a_process_of_its_own() -> None:
    with ControlPlane.start_process({"transition_seconds": 0}) as plane:
        plane.add_cluster("ml-research", {"ml.g5.8xlarge": 1})
        assert plane.boto3_client().list_clusters()["ClusterSummaries"][0]["ClusterName"] == "ml-research"
        assert plane.settings()["transition_seconds"] == 0
    with pytest.raises(ConnectionRefusedError):
        plane.admin("GET", "health")


@contextmanager
def _process(*options: str) -> Iterator[tuple[subprocess.Popen[str], ControlPlane]]:
    """`python -m local.hyperpod` from outside, ended if the test did not end it."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "governor")])
    with subprocess.Popen(
        [sys.executable, "-m", "local.hyperpod", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            word, _, url = process.stdout.readline().strip().partition(" ")
            assert word in ("ready", "")
            yield process, ControlPlane(url)
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_on_a_signal_though_connections_are_open_and_calls_wait(number: signal.Signals) -> None:
    with _process() as (process, plane):
        plane.fault("ListClusters", "slow", seconds=60)
        connection = http.client.HTTPConnection(plane.url.removeprefix("http://"))
        connection.request("POST", "/", "{}", {"X-Amz-Target": "SageMaker.ListClusters", "Authorization": SCOPE})
        # The fault is spent once the call has begun to wait.
        while plane.faults():
            time.sleep(0.01)
        process.send_signal(number)
        assert process.wait(5) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
        connection.close()


def test_it_ends_with_its_standard_input() -> None:
    with _process("--until-stdin-closes") as (process, plane):
        assert plane.admin("GET", "health")["status"] == "ok"
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(5) == 0


def test_it_begins_with_a_state(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    cluster = {"name": "ml-research", "instanceGroups": [{"name": "a", "instanceType": "ml.m5.large", "count": 1}]}
    rule = {"action": "throttle", "operation": "DescribeCluster"}
    state.write_text(json.dumps({"settings": {"transition_seconds": 3}, "clusters": [cluster], "faults": [rule]}))
    with _process("--state", str(state)) as (_, plane):
        assert plane.raw("ListClusters", {})[1]["ClusterSummaries"][0]["ClusterName"] == "ml-research"
        assert plane.settings()["transition_seconds"] == 3
        assert plane.raw("DescribeCluster", {"ClusterName": "ml-research"})[1]["__type"] == "ThrottlingException"
    state.write_text(json.dumps({"clusters": [{"nom": "ml-research"}]}))
    with _process("--state", str(state)) as (process, _):
        assert process.wait(5) == 2
        assert process.stderr is not None
        assert "clusters: " in process.stderr.read()
