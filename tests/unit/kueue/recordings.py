"""The objects that a real API server with a real Kueue has answered, and who reads them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from governor.kueue import reading
from governor.kueue.reading import Source

DATA = Path(__file__).parents[2] / "data" / "kueue"
READERS: dict[str, Callable[[Source], Any]] = {
    "ClusterQueue": reading.cluster_queue,
    "Cohort": reading.cohort,
    "LocalQueue": reading.local_queue,
    "ResourceFlavor": reading.resource_flavor,
    "Workload": reading.workload,
    "WorkloadPriorityClass": reading.workload_priority_class,
}


def objects(pattern: str) -> list[dict[str, Any]]:
    """Every object in the files, of lists and alone."""
    documents = [json.loads(path.read_bytes()) for path in sorted(DATA.glob(pattern))]
    found = [item for document in documents for item in document.get("items", [document])]
    return [each for each in found if each.get("kind") in READERS]


def read(manifest: dict[str, Any]) -> Any:
    return READERS[manifest["kind"]](manifest)
