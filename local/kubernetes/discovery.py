"""What is served, as clients ask for it: /version, /api, /apis and below. Plain documents, not the aggregated ones."""

import base64
import hashlib
import re
from collections.abc import Iterable

from local.kubernetes.errors import JsonObject
from local.kubernetes.resources import STATUS_VERBS, Resource, api_version

_VERSION = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")
_RANKS = {"alpha": 0, "beta": 1, None: 2}


def version(kubernetes: str) -> JsonObject:
    """`kubernetes` is a version such as 1.33."""
    major, _, minor = kubernetes.partition(".")
    return {
        "major": major,
        "minor": minor,
        "gitVersion": f"v{kubernetes}.0-eks-local",
        "gitCommit": "0" * 40,
        "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z",
        "goVersion": "go0",
        "compiler": "gc",
        "platform": "linux/amd64",
    }


def core_versions(address: str) -> JsonObject:
    """The document at /api."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def groups(resources: Iterable[Resource]) -> JsonObject:
    """The document at /apis."""
    versions: dict[str, set[str]] = {}
    for resource in resources:
        if resource.group:
            versions.setdefault(resource.group, set()).update(resource.versions)
    return {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [_group(*each) for each in versions.items() if each[1]],
    }


def group(resources: Iterable[Resource], name: str) -> JsonObject | None:
    """The document at /apis/GROUP; None where there is no such group."""
    versions = {version for resource in resources if resource.group == name for version in resource.versions}
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)} if versions else None


def resource_list(resources: Iterable[Resource], name: str, version: str) -> JsonObject | None:
    """The document at /apis/GROUP/VERSION; None where there is no such version."""
    served = [resource for resource in resources if resource.group == name and version in resource.versions]
    if not served:
        return None
    return {
        "kind": "APIResourceList",
        **({"apiVersion": "v1"} if name else {}),
        "groupVersion": api_version(name, version),
        "resources": [entry for resource in served for entry in _entries(resource, version)],
    }


def _group(name: str, versions: set[str]) -> JsonObject:
    ordered = [
        {"groupVersion": api_version(name, version), "version": version}
        for version in sorted(versions, key=_rank, reverse=True)
    ]
    return {"name": name, "versions": ordered, "preferredVersion": ordered[0]}


def _rank(version: str) -> tuple[int, int, int, str]:
    """Stable versions before beta before alpha, newer before older, what is no version last."""
    found = _VERSION.fullmatch(version)
    if found is None:
        return (-1, 0, 0, version)
    return (_RANKS[found[2]], int(found[1]), int(found[3] or 0), version)


def _entries(resource: Resource, version: str) -> Iterable[JsonObject]:
    yield {
        "name": resource.plural,
        "singularName": resource.singular or resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
        **({"shortNames": list(resource.short_names)} if resource.short_names else {}),
        **({"categories": list(resource.categories)} if resource.categories else {}),
        **({"storageVersionHash": _storage_hash(resource)} if resource.stored else {}),
    }
    if version in resource.with_status:
        yield {
            "name": f"{resource.plural}/status",
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": list(STATUS_VERBS),
        }


def _storage_hash(resource: Resource) -> str:
    text = f"{resource.group}/{resource.storage}/{resource.kind}"
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:8]).decode()
