"""The ways to read a cluster that are compared, each in a process of its own: `python -m benchmarks.ways WAY`.

A small cluster is read to warm up, so that all is imported, and then the one that is asked for; what the second reading
cost is printed. Nothing is kept from the one to the other but the code: each makes its own connection.
"""

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from benchmarks.fleet import GROUP, VERSION
from benchmarks.processes import ROOT
from benchmarks.serving import Place

if TYPE_CHECKING:
    from governor.aws.kubernetes import Kubernetes
    from governor.aws.kubernetes.transport import Transport
    from governor.usage import ClusterUsage
    from governor.usage.figures import Detail

Way = Callable[[Place], Callable[[], int]]
"""Prepares a reading, which tells how many objects it has seen."""
PAGE = 500
_MOST = 100_000
_AT = 1_795_500_000
_SMALL = 8
_PLURALS = ("clusterqueues", "localqueues", "cohorts", "resourceflavors")
_GOVERNED = "sagemaker.amazonaws.com/sagemaker-managed-queue=true"


class _Page(msgspec.Struct, frozen=True):
    metadata: dict[str, Any]


class Spent(msgspec.Struct, frozen=True):
    """What a reading cost; ``grown_mib`` is the peak of memory over what the process had before."""

    objects: int
    cpu_seconds: float
    grown_mib: float


def spent(way: str, server: Place, teams: int, workloads: int = 0) -> Spent:
    """What it costs to read a cluster of that size in a fresh process."""
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.ways", way, str(teams), str(workloads)],
        env={**os.environ, "POWERTOOLS_SERVICE_NAME": "governor"},
        input=msgspec.json.encode(server),
        stdout=subprocess.PIPE,
        cwd=ROOT,
        check=True,
    )
    return msgspec.json.decode(answer.stdout, type=Spent)


def _queues(place: Place) -> Callable[[], int]:
    """ClusterQueues and nothing else, as usage needs them."""
    from governor.aws.kubernetes.resources import CLUSTER_QUEUES
    from governor.usage.wire import queue_of

    return lambda: len([queue_of(each) for each in _kubernetes(place).pages(CLUSTER_QUEUES, at_most=_MOST)])


def _queues_usage(place: Place) -> Callable[[], int]:
    """ClusterQueues, and the usage that is made of them; every queue has a governed namespace that leads to it."""
    from governor.aws.kubernetes.resources import CLUSTER_QUEUES
    from governor.usage import Seen, usage_of
    from governor.usage.seen import Doors
    from governor.usage.wire import queue_of

    def reading() -> int:
        queues = tuple(queue_of(each) for each in _kubernetes(place).pages(CLUSTER_QUEUES, at_most=_MOST))
        doors = Doors({each.name: "" for each in queues}, tuple((each.name, "queue", each.name, 0) for each in queues))
        return len(usage_of(Seen(queues, doors), "bench", _AT).teams)

    return reading


def _usage(place: Place) -> Callable[[], int]:
    return lambda: len(_usage_of(place).teams)


def _figures(detail: "Detail") -> Way:
    """Usage, and its metrics as the function writes them, into nothing."""

    def way(place: Place) -> Callable[[], int]:
        from governor.observability import publish
        from governor.usage.figures import batches

        def reading() -> int:
            usage = _usage_of(place)
            with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
                for batch in batches(usage, (), detail):
                    figures = ((each.name, each.value, each.unit) for each in batch.figures)
                    publish("HyperPod/TaskGovernance", batch.dimensions, figures, "")
            return len(usage.teams)

        return reading

    return way


def _usage_of(place: Place) -> "ClusterUsage":
    from governor.aws.usage import UsageReader
    from governor.usage import usage_of

    reading = UsageReader(_kubernetes(place)).read()
    return usage_of(reading.seen, "bench", _AT, None, reading.waiting)


def _oldest(place: Place) -> Callable[[], int]:
    """By local queue the workload that waits longest."""
    from governor.aws.usage import UsageReader

    def reading() -> int:
        waiting = UsageReader(_kubernetes(place)).read(nodes=False).waiting
        return len(waiting or ())

    return reading


def _kubernetes(place: Place) -> "Kubernetes":
    from governor.aws.kubernetes import Kubernetes

    return Kubernetes("bench", _transport(place))


def _transport(place: Place) -> "Transport":
    from governor.aws.kubernetes.transport import Limits, Target, Transport

    return Transport(Target("bench", place.url, place.authority), lambda: "token", Limits(read=60.0, total=60.0))


def _json_loads(place: Place) -> Callable[[], int]:
    """The same pages of workloads, read before."""
    bodies = list(_bodies(place))
    return lambda: sum(len(json.loads(body)["items"]) for body in bodies)


def _json_reading(place: Place) -> Callable[[], int]:
    """The same pages of workloads, read over the same connection."""
    return lambda: sum(len(json.loads(body)["items"]) for body in _bodies(place))


def _bodies(place: Place) -> Iterator[bytes]:
    transport, continued = _transport(place), ""
    while True:
        body = transport.get(f"/apis/{GROUP}/{VERSION}/workloads?limit={PAGE}{continued}").body
        yield body
        following = msgspec.json.decode(body, type=_Page).metadata.get("continue")
        if not following:
            return
        continued = f"&continue={following}"


def _client_queues(place: Place) -> Callable[[], int]:
    def reading() -> int:
        with _client(place) as client:
            return _custom_objects(client, "clusterqueues")

    return reading


def _client_lists(place: Place) -> Callable[[], int]:
    """All that a run reads: Kueue's objects as dictionaries, the others as the client's models."""

    def reading() -> int:
        with _client(place) as client:
            queues, *_ = [_custom_objects(client, plural) for plural in _PLURALS]
            _nodes_and_namespaces(client)
        return queues

    return reading


def _custom_objects(client: Any, plural: str) -> int:
    import kubernetes.client

    api: Any = kubernetes.client.CustomObjectsApi(client)
    count, continuation = 0, None
    while True:
        page = api.list_cluster_custom_object(GROUP, VERSION, plural, limit=PAGE, _continue=continuation)
        count += len(page["items"])
        continuation = page["metadata"].get("continue")
        if not continuation:
            return count


def _nodes_and_namespaces(client: Any) -> None:
    import kubernetes.client

    core: Any = kubernetes.client.CoreV1Api(client)
    core.list_node(limit=PAGE)
    continuation = None
    while True:
        page = core.list_namespace(limit=PAGE, label_selector=_GOVERNED, _continue=continuation)
        continuation = page.metadata._continue
        if not continuation:
            return


@contextlib.contextmanager
def _client(place: Place) -> Iterator[Any]:
    import kubernetes.client

    with tempfile.NamedTemporaryFile("w", suffix=".pem") as authority:
        authority.write(place.authority)
        authority.flush()
        configuration = kubernetes.client.Configuration(host=place.url, api_key={"authorization": "Bearer token"})
        configuration.ssl_ca_cert = authority.name
        yield kubernetes.client.ApiClient(configuration)


WAYS: dict[str, Way] = {
    "queues": _queues,
    "queues, usage": _queues_usage,
    "usage": _usage,
    "figures": _figures("Team"),
    "figures by flavor": _figures("Flavor"),
    "client, ClusterQueues": _client_queues,
    "client, all lists": _client_lists,
    "oldest": _oldest,
    "json.loads": _json_loads,
    "json.loads, read": _json_reading,
}


def _main(way: str, teams: str, workloads: str) -> None:
    server = msgspec.json.decode(sys.stdin.buffer.read(), type=Place)
    WAYS[way](server.of(_SMALL, _SMALL if int(workloads) else 0))()
    reading = WAYS[way](server.of(int(teams), int(workloads)))
    before, began = _memory("VmRSS"), time.process_time()
    objects = reading()
    cpu = time.process_time() - began
    print(msgspec.json.encode(Spent(objects, cpu, _memory("VmHWM") - before)).decode())


def _memory(name: str) -> float:
    """MiB now (VmRSS) or at the peak (VmHWM); the peak for both where the system does not tell."""
    status = Path("/proc/self/status")
    if status.exists():
        found = next(line for line in status.read_text().splitlines() if line.startswith(name))
        return int(found.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes on macOS


if __name__ == "__main__":
    _main(*sys.argv[1:])
