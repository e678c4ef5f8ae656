"""What a real API server with a real Kueue has answered, and how an answer of ours is compared with it."""

import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "data" / "kueue"
NEW, OLD = "0.19.2", "0.12.10"
_ITS_OWN = ("managedFields", "resourceVersion", "uid", "creationTimestamp")


def recorded(name: str, kueue: str = NEW) -> Any:
    return json.loads((DATA / kueue / name).read_text())


def recorded_lines(name: str) -> list[Any]:
    return [json.loads(line) for line in (DATA / NEW / name).read_text().splitlines()]


def definitions(kueue: str = NEW) -> list[dict[str, Any]]:
    """Kueue's custom resource definitions, made of the discovery documents of a server that had them."""
    versions: dict[str, list[str]] = {}
    entries: dict[str, dict[str, Any]] = {}
    with_status: set[str] = set()
    for path in sorted((DATA / kueue).glob("discovery.*.json")):
        document = json.loads(path.read_text())
        version = document["groupVersion"].partition("/")[2]
        for entry in document["resources"]:
            plural, _, part = entry["name"].partition("/")
            if part:
                with_status.add(plural)
            else:
                entries[plural] = entry
                versions.setdefault(plural, []).append(version)
    return [_definition(entry, versions[plural], plural in with_status) for plural, entry in entries.items()]


def _definition(entry: dict[str, Any], versions: list[str], with_status: bool) -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{entry['name']}.kueue.x-k8s.io"},
        "spec": {
            "group": "kueue.x-k8s.io",
            "names": {
                "kind": entry["kind"],
                "listKind": f"{entry['kind']}List",
                "plural": entry["name"],
                "singular": entry["singularName"],
                "shortNames": entry.get("shortNames", []),
            },
            "scope": "Namespaced" if entry["namespaced"] else "Cluster",
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": version == versions[-1],
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                    **({"subresources": {"status": {}}} if with_status else {}),
                }
                for version in versions
            ],
        },
    }


def comparable(value: Any) -> Any:
    """A value without what every server makes up for itself; a continue token shows whether there is one."""
    if isinstance(value, dict):
        shown = {name: comparable(each) for name, each in value.items() if name not in _ITS_OWN}
        if "continue" in shown:
            shown["continue"] = bool(shown["continue"])
        return shown
    if isinstance(value, list):
        return [comparable(each) for each in value]
    return value
