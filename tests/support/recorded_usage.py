"""Usage of recorded clusters: what an API server with a real Kueue has answered, decoded as it is read."""

import json
from pathlib import Path
from typing import TypeVar

import msgspec

from governor.usage import ClusterUsage, ResourceUsage, Seen, TeamUsage, usage_of
from governor.usage.wire import (
    QUOTA_ID,
    ClusterQueueShape,
    CohortShape,
    LocalQueueShape,
    NamespaceShape,
    WorkloadShape,
    doors_of,
    lender_of,
    queue_of,
    waiting_of,
)

T = TypeVar("T")
DATA = Path(__file__).parents[1] / "data" / "kueue"


def _named(path: Path) -> tuple[str, str, str]:
    stage, version = path.name.split(".")[:2]
    return path.parent.name, stage, version


RECORDINGS = sorted(map(_named, DATA.glob("*/*.clusterqueues.list.json")))
"""Release of Kueue, stage, version of the API."""
G5, C5, GPU = "ml.g5.8xlarge", "ml.c5.2xlarge", "nvidia.com/gpu"
GIB = 2**30


def items(release: str, stage: str, version: str, plural: str, kind: type[T]) -> tuple[T, ...]:
    """A recorded list; () where none was recorded."""
    for each in (version, "v1alpha1"):
        path = DATA / release / f"{stage}.{each}.{plural}.list.json"
        if path.exists():
            listed = json.loads(path.read_bytes())["items"]
            return tuple(msgspec.json.decode(json.dumps(each), type=kind) for each in listed)
    return ()


def namespaces(queues: tuple[LocalQueueShape, ...]) -> tuple[NamespaceShape, ...]:
    """Governed namespaces of the recorded queues: Kueue alone was recorded, not the add-on's labels."""
    labels = {"sagemaker.amazonaws.com/sagemaker-managed-queue": "true"}
    names = sorted({each.metadata.namespace for each in queues})
    written = [{"metadata": {"name": name, "labels": {**labels, QUOTA_ID: f"q-{name}"}}} for name in names]
    return tuple(msgspec.json.decode(json.dumps(each), type=NamespaceShape) for each in written)


def usage(release: str, stage: str, version: str, at: int = 0) -> ClusterUsage:
    """What is made of one recording."""
    local_queues = items(release, stage, version, "localqueues", LocalQueueShape)
    seen = Seen(
        tuple(map(queue_of, items(release, stage, version, "clusterqueues", ClusterQueueShape))),
        doors_of(namespaces(local_queues), local_queues),
        tuple(map(lender_of, items(release, stage, version, "cohorts", CohortShape))),
    )
    waiting = filter(None, map(waiting_of, items(release, stage, version, "workloads", WorkloadShape)))
    return usage_of(seen, "recorded", at, None, waiting)


def team(found: ClusterUsage, name: str) -> TeamUsage:
    """A team by name."""
    (one,) = [each for each in found.teams if each.name == name]
    return one


def of(found: ClusterUsage, name: str, flavor: str, resource: str) -> ResourceUsage:
    """One resource of a team."""
    (one,) = [each for each in team(found, name).resources if (each.flavor, each.resource) == (flavor, resource)]
    return one
