"""The lists of a cluster of any size as an API server writes them: recordings of Kueue 0.19.2 with more teams."""

import functools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.processes import ROOT

RECORDED = ROOT / "tests" / "data" / "kueue" / "0.19.2"
GROUP, VERSION = "kueue.x-k8s.io", "v1beta2"
_STAGE = "2-reclaim"
_NAME = re.compile(r"\bteam-[ab]\b")
_GPUS = (0, 2, 4, 6)
"""What teams use in turn, of 4 that each is guaranteed: the fourth borrows from the first."""
_WAITS = 1
"""The second of four waits below its guarantee."""
_GOVERNED = {
    "sagemaker.amazonaws.com/sagemaker-managed-queue": "true",
    "sagemaker.amazonaws.com/quota-allocation-id": "quota00{number:05}",
    "kubernetes.io/metadata.name": "hyperpod-ns-team-a",
}


@dataclass(frozen=True, slots=True)
class Fleet:
    """A cluster of one cohort, two flavors, and so many teams and workloads; without a workload nobody waits."""

    teams: int
    workloads: int = 0

    def page(self, plural: str, start: int, limit: int) -> bytes:
        """The objects from ``start`` on, ``limit`` of them at most; as ``continue`` stands where the next page starts.

        Raises KeyError for a resource that there is nothing of.
        """
        items, count = self._kinds()[plural]
        end = min(start + limit, count)
        written = ",".join(items(number) for number in range(start, end))
        metadata: dict[str, Any] = {"resourceVersion": "402"}
        if end < count:
            metadata |= {"continue": str(end), "remainingItemCount": count - end}
        version = "v1" if plural in ("namespaces", "nodes") else f"{GROUP}/{VERSION}"
        return f'{{"apiVersion":"{version}","items":[{written}],"kind":"List","metadata":{_text(metadata)}}}'.encode()

    def _kinds(self) -> dict[str, tuple[Callable[[int], str], int]]:
        """By resource what writes the object of a number, and how many there are."""
        return {
            "clusterqueues": (functools.partial(_queue, "clusterqueues", self.workloads > 0), self.teams),
            "localqueues": (functools.partial(_queue, "localqueues", self.workloads > 0), self.teams),
            "namespaces": (_namespace, self.teams),
            "cohorts": (lambda number: _text(_recorded("cohorts")[number]), 1),
            "resourceflavors": (lambda number: _text(_recorded("resourceflavors")[number]), 2),
            "nodes": (lambda _: "", 0),
            "workloads": (lambda number: _workload(number, number % self.teams), self.workloads),
        }


@functools.lru_cache(maxsize=8192)
def _queue(plural: str, waits: bool, number: int) -> str:
    """A ClusterQueue or LocalQueue; the same team uses the same in both."""
    made = json.loads(_called(_first(plural), number))
    gpus = _GPUS[number % len(_GPUS)]
    used = {"cpu": f"{gpus * 16}", "memory": f"{gpus * 60 + number % 32}Gi", "nvidia.com/gpu": f"{gpus}"}
    for name in ("flavorsUsage", "flavorsReservation"):
        for each in made["status"][name][0]["resources"]:
            each["total"] = used[each["name"]]
    made["status"]["pendingWorkloads"] = 3 if waits and number % len(_GPUS) == _WAITS else 0
    return _text(made)


@functools.cache
def _first(plural: str) -> str:
    return _text(_recorded(plural)[0])


def _namespace(number: int) -> str:
    """Of this, nothing was recorded: labels and who has written what, as of a namespace of HyperPod."""
    labels = {name: value.format(number=number) for name, value in _GOVERNED.items()}
    made = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "creationTimestamp": "2026-11-24T03:57:03Z",
            "labels": labels,
            "managedFields": [
                {
                    "apiVersion": "v1",
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:metadata": {"f:labels": {".": {}, **{f"f:{name}": {} for name in labels}}}},
                    "manager": "manager",
                    "operation": "Update",
                    "time": "2026-11-24T03:57:03Z",
                }
            ],
            "name": "hyperpod-ns-team-a",
            "resourceVersion": "301",
            "uid": "0f6c2f0e-5d2f-4f5e-9f3f-6f6f3c2f1a11",
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }
    return _called(_text(made), number)


def _workload(number: int, team: int) -> str:
    """Six were recorded, of which two wait; they come in turn, each with a name and a time of its own."""
    texts = _workload_texts()
    day, hour, minute = 1 + number // 1440 % 28, number // 60 % 24, number % 60
    stamped = texts[number % len(texts)].replace("2026-11-24T03:57:", f"2026-10-{day:02}T{hour:02}:{minute:02}:")
    return stamped.replace("@number", f"{number:06}").replace("@team", f"team-{team:05}")


@functools.cache
def _workload_texts() -> tuple[str, ...]:
    return tuple(_NAME.sub("@team", text) for text in _renamed())


def _renamed() -> Iterator[str]:
    for each in _recorded("workloads"):
        each["metadata"]["name"] += "-@number"
        yield _text(each)


def _called(text: str, number: int) -> str:
    return _NAME.sub(f"team-{number:05}", text)


def _recorded(plural: str) -> Any:
    return json.loads((RECORDED / f"{_STAGE}.{VERSION}.{plural}.list.json").read_bytes())["items"]


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
