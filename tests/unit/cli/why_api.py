"""A Kubernetes API that answers with what was recorded of a real one, and with what a test puts beside it."""

import copy
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from governor.aws.kubernetes import Kubernetes
from governor.aws.kubernetes.transport import Answer
from governor.aws.workloads import Workloads
from governor.cli import why
from governor.cli.teams import Place, Teams
from governor.errors import GovernorError
from governor.kueue.explaining import Explanation
from governor.plan import Quota
from tests.unit.kueue.explaining_worlds import VERSIONS
from tests.unit.kueue.recordings import DATA

MANAGED, QUOTA_ID = "sagemaker.amazonaws.com/sagemaker-managed-queue", "sagemaker.amazonaws.com/quota-allocation-id"
TEAM_A = "hyperpod-ns-team-a"
_PATH = re.compile(r"/apis?/(?:kueue\.x-k8s\.io/)?(v1\w*)/(?:namespaces/([^/]+)/)?([a-z]+)")


class RecordedApi:
    """One recorded state; ``asked`` are the paths so far. What is in ``refused`` is forbidden: a plural, with
    "namespace/" before it in one namespace, without in all."""

    def __init__(self, release: str = "0.19.2", state: str = "2-reclaim") -> None:
        self._base, self.version = f"{release}/{state}", VERSIONS[release]
        self.asked: list[str] = []
        self.refused: set[str] = set()
        self.items = {plural: self._recorded(plural) for plural in ("workloads", "localqueues", "clusterqueues")}
        self.items["namespaces"] = [
            namespace("hyperpod-ns-team-a", **{MANAGED: "true", QUOTA_ID: "id-a"}),
            namespace("hyperpod-ns-team-b", **{MANAGED: "true", QUOTA_ID: "id-b"}),
            namespace("default"),
        ]
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
        version, within, plural = found.groups()
        if (f"namespace/{plural}" if within else plural) in self.refused:
            message = f'{plural} is forbidden: User "me" cannot list resource "{plural}"'
            return _json(403, {"kind": "Status", "reason": "Forbidden", "message": message})
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        if plural == "events":
            uid = query["fieldSelector"].removeprefix("involvedObject.uid=")
            items = [each for each in self.events if each["involvedObject"]["uid"] == uid]
        elif plural == "namespaces":
            assert query["labelSelector"] == f"{MANAGED}=true"
            items = [each for each in self.items[plural] if each["metadata"]["labels"].get(MANAGED) == "true"]
        else:
            assert version == self.version
            items = self.items[plural]
        if within:
            items = [each for each in items if each["metadata"]["namespace"] == within]
        return _page(items, int(query["limit"]), int(query.get("continue", "0")))


def namespace(name: str, **labels: str) -> dict[str, Any]:
    """A namespace with these labels."""
    return {"metadata": {"name": name, "labels": labels}}


def _page(items: list[dict[str, Any]], limit: int, start: int) -> Answer:
    more = {"continue": str(start + limit)} if start + limit < len(items) else {}
    return _json(200, {"metadata": more, "items": items[start : start + limit]})


def _json(status: int, document: Any) -> Answer:
    return Answer(status, "application/json", json.dumps(document).encode())


def answer(api: RecordedApi, text: str, namespace: str = "", team: str = "", **named: str) -> Explanation:
    """In a namespace or of a team; ``named`` are teams by the ids of their compute quotas."""
    workloads = Workloads(lambda: api.kubernetes)
    quotas = [Quota(id_.replace("_", "-"), "quota", name, "Created", 1) for id_, name in named.items()]
    teams = Teams(workloads.governed, lambda: quotas)
    place = teams.place(team) if team else Place(namespace)
    return why.answer(workloads, text, place, "ml-research", teams)


def refusal(api: RecordedApi, text: str, namespace: str = "", **members: str) -> GovernorError:
    """Why there is no answer."""
    with pytest.raises(GovernorError) as error:
        answer(api, text, namespace, **members)
    return error.value
