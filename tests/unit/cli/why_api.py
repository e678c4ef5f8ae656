"""A Kubernetes API that answers with what was recorded of a real one, and with what a test puts beside it."""

import copy
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from governor.aws.kubernetes import Kubernetes
from governor.aws.kubernetes.transport import Answer
from tests.unit.kueue.explaining_worlds import VERSIONS
from tests.unit.kueue.recordings import DATA

_PATH = re.compile(r"/apis?/(?:kueue\.x-k8s\.io/)?(v1\w*)/(?:namespaces/([^/]+)/)?([a-z]+)")


class RecordedApi:
    """One recorded state; ``asked`` are the paths so far. What is in ``refused`` is forbidden: a plural, with
    "namespace/" before it in one namespace, without in all."""

    def __init__(self, release: str = "0.19.2", state: str = "2-reclaim") -> None:
        self._base, self.version = f"{release}/{state}", VERSIONS[release]
        self.asked: list[str] = []
        self.refused: set[str] = set()
        self.items = {plural: self._recorded(plural) for plural in ("workloads", "localqueues", "clusterqueues")}
        self.events = [
            event
            for path in sorted(DATA.glob(f"{self._base}.v1.events.*.list.json"))
            for event in json.loads(path.read_bytes())["items"]
        ]

    def _recorded(self, plural: str) -> list[dict[str, Any]]:
        path = DATA / f"{self._base}.{self.version}.{plural}.list.json"
        found: list[dict[str, Any]] = json.loads(path.read_bytes())["items"]
        return found

    @property
    def kubernetes(self) -> Kubernetes:
        """The connection that is used of it."""
        return Kubernetes("ml-eks", self)

    def workload(self, job: str) -> dict[str, Any]:
        """The workload of a job, to be changed."""
        found = (each for each in self.items["workloads"] if each["metadata"]["ownerReferences"][0]["name"] == job)
        return next(found)

    def add(self, job: str, namespace: str = "", **metadata: Any) -> dict[str, Any]:
        """Another workload like that of a job; its metadata with changes."""
        made = copy.deepcopy(self.workload(job))
        made["metadata"].update(metadata)
        if namespace:
            made["metadata"]["namespace"] = namespace
        self.items["workloads"].append(made)
        return made

    def get(self, path: str) -> Answer:
        self.asked.append(path)
        split = urlsplit(path)
        if split.path == "/apis/kueue.x-k8s.io":
            return _json(200, {"versions": [{"version": self.version}]})
        found = _PATH.fullmatch(split.path)
        assert found is not None, path
        version, namespace, plural = found.groups()
        if (f"namespace/{plural}" if namespace else plural) in self.refused:
            message = f'{plural} is forbidden: User "me" cannot list resource "{plural}"'
            return _json(403, {"kind": "Status", "reason": "Forbidden", "message": message})
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        if plural == "events":
            uid = query["fieldSelector"].removeprefix("involvedObject.uid=")
            items = [each for each in self.events if each["involvedObject"]["uid"] == uid]
        else:
            assert version == self.version
            items = self.items[plural]
        if namespace:
            items = [each for each in items if each["metadata"]["namespace"] == namespace]
        return _page(items, int(query["limit"]), int(query.get("continue", "0")))


def _page(items: list[dict[str, Any]], limit: int, start: int) -> Answer:
    more = {"continue": str(start + limit)} if start + limit < len(items) else {}
    return _json(200, {"metadata": more, "items": items[start : start + limit]})


def _json(status: int, document: Any) -> Answer:
    return Answer(status, "application/json", json.dumps(document).encode())
