"""Reading the nodes of a cluster: this package against the official client's own way, in processes of their own."""

import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from benchmarks.figure import Figure, Target, number
from benchmarks.processes import Cost, run
from benchmarks.samples import Sample, interleaved
from local.clusters import node
from local.kubernetes.client import KubernetesApi

_SIZES = (0, 1_000, 5_000)
_AT_ONCE = 250
_OURS = """
import base64, os
from governor.aws.kubernetes.client import Kubernetes
from governor.aws.kubernetes.resources import NODES, condition
from governor.aws.kubernetes.transport import Limits, Target, Transport
authority = base64.b64decode(os.environ["AUTHORITY"]).decode()
target = Target("bench", os.environ["ENDPOINT"], authority)
kubernetes = Kubernetes("bench", Transport(target, lambda: os.environ["TOKEN"], Limits(read=60.0, total=60.0)))
nodes = kubernetes.pages(NODES, at_most=10_000)
ready = sum(condition(node.status.conditions, "Ready").status == "True" for node in nodes)
assert ready == int(os.environ["NODES"]), ready
"""
_PEER = """
import base64, os, tempfile
import kubernetes.client
with tempfile.NamedTemporaryFile(suffix=".pem") as file:
    file.write(base64.b64decode(os.environ["AUTHORITY"]))
    file.flush()
    key = {"authorization": "Bearer " + os.environ["TOKEN"]}
    configuration = kubernetes.client.Configuration(host=os.environ["ENDPOINT"], api_key=key)
    configuration.ssl_ca_cert = file.name
    api = kubernetes.client.CoreV1Api(kubernetes.client.ApiClient(configuration))
    ready, continuation = 0, None
    while True:
        page = api.list_node(limit=500, _continue=continuation)
        conditions = [each for node in page.items for each in node.status.conditions]
        ready += sum(each.type == "Ready" and each.status == "True" for each in conditions)
        continuation = page.metadata._continue
        if not continuation:
            break
assert ready == int(os.environ["NODES"]), ready
"""
_WAYS = {"governor": _OURS, "kubernetes.client.CoreV1Api": _PEER}


def measure(*, quick: bool) -> Sequence[Figure]:
    """One figure: CPU and peak memory as the list grows; pages of 500, TLS, one process per reading."""
    rounds = 3 if quick else 7
    rows, targets = [], []
    with KubernetesApi.start_process() as kubernetes:
        cluster = kubernetes.add_cluster("bench")
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "ENDPOINT": cluster.endpoint,
            "AUTHORITY": cluster.certificate_authority,
            "TOKEN": cluster.admin_token,
        }
        made = 0
        for size in _SIZES:
            for start in range(made, size, _AT_ONCE):
                cluster.load([_node(number_) for number_ in range(start, min(start + _AT_ONCE, size))])
            made = size
            costs: dict[str, list[Cost]] = {name: [] for name in _WAYS}
            cpu = interleaved(
                rounds,
                {
                    name: partial(_once, code, {**environment, "NODES": str(size)}, costs[name])
                    for name, code in _WAYS.items()
                },
            )
            peer_cpu, peer_memory = cpu["kubernetes.client.CoreV1Api"], _memory(costs["kubernetes.client.CoreV1Api"])
            for name, sample in cpu.items():
                memory = _memory(costs[name])
                ms = sample.scaled(1000)
                ratios = (sample.over(peer_cpu).median, memory.over(peer_memory).median)
                values = (ms.low, ms.median, ms.high, ratios[0], memory.median, ratios[1])
                rows.append([f"{size:,}", name, *(number(value) for value in values)])
                if name == "governor" and size:
                    targets.append(Target(f"{size:,} nodes, CPU over the client's own", ratios[0], 0.5))
                    targets.append(Target(f"{size:,} nodes, memory over the client's own", ratios[1], 0.8))
    return [
        Figure(
            "nodes: CPU ms and peak MiB of a process that reads all nodes and counts those that are Ready",
            ["nodes", "", "min", "median", "max", "over the client's", "MiB", "over the client's"],
            rows,
            targets,
            [f"{rounds} interleaved rounds after one to warm up. A node has 7 KB, as with 50 images in its status."],
        )
    ]


def _node(position: int) -> dict[str, Any]:
    made = node(f"hyperpod-{position:05}", "bench", "ml.p5.48xlarge")
    images = [
        {"names": [f"registry.example/team/image-{each}@sha256:{each:064d}"], "sizeBytes": 10**9} for each in range(50)
    ]
    made["metadata"]["labels"].update({f"example.com/label-{each}": "value" for each in range(20)})
    made["status"].update({"images": images, "capacity": {"cpu": "192", "nvidia.com/gpu": "8", "memory": "2Ti"}})
    return made


def _once(code: str, environment: dict[str, str], costs: list[Cost]) -> float:
    costs.append(run([sys.executable, "-c", code], environment))
    return costs[-1].cpu_seconds


def _memory(costs: list[Cost]) -> Sample:
    return Sample(tuple(cost.peak_mib for cost in costs))
