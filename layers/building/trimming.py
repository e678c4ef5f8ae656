"""botocore's data cut to what the functions call: a cold start reads these files, and most of them are of others."""

import gzip
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

OPERATIONS: dict[str, tuple[str, ...]] = {
    "sagemaker": (
        "DescribeCluster",
        "ListClusters",
        "CreateComputeQuota",
        "DescribeComputeQuota",
        "UpdateComputeQuota",
        "DeleteComputeQuota",
        "ListComputeQuotas",
        "CreateClusterSchedulerConfig",
        "DescribeClusterSchedulerConfig",
        "UpdateClusterSchedulerConfig",
        "DeleteClusterSchedulerConfig",
        "ListClusterSchedulerConfigs",
    ),
    "ec2": ("DescribeInstanceTypes",),
    "s3": ("GetObject", "HeadObject", "PutObject", "ListObjectsV2", "HeadBucket"),  # the last to find a moved bucket
    "sqs": ("SendMessage", "ChangeMessageVisibility"),
    "sns": ("Publish",),
    "events": ("PutEvents",),
    "eks": (
        "DescribeCluster",
        "DescribeAddon",
        "DescribeAddonVersions",
        "CreateAddon",
        "UpdateAddon",
        "ListUpdates",
        "DescribeUpdate",
    ),
}
"""What the functions call, by service; a test compares it with the code."""
EXTRA_SHAPES: dict[str, tuple[str, ...]] = {"sagemaker": ("ClusterInstanceType", "MIGProfileType")}
"""Shapes that limits are read from; most of governor.policy.SHAPES are reached by the operations (a test)."""
Json = dict[str, Any]


def trim(data: Path) -> None:
    """Cut a botocore data directory in place."""
    for path in data.iterdir():
        if path.is_dir() and path.name not in OPERATIONS:
            shutil.rmtree(path)
    for service, operations in OPERATIONS.items():
        versions = sorted(path for path in (data / service).iterdir() if path.is_dir())
        for old in versions[:-1]:
            shutil.rmtree(old)
        _trim_service(versions[-1], operations, EXTRA_SHAPES.get(service, ()))
    endpoints = _read(data / "endpoints.json")
    for partition in endpoints["partitions"]:
        kept = {"api.sagemaker" if name == "sagemaker" else name for name in OPERATIONS}
        partition["services"] = {name: value for name, value in partition["services"].items() if name in kept}
    _write(data / "endpoints.json", endpoints)


def _trim_service(directory: Path, operations: Iterable[str], extra: Iterable[str]) -> None:
    model = trimmed_model(_read(_find(directory, "service-2")), operations, extra)
    rules = _read(_find(directory, "endpoint-rule-set-1"))
    pages = _read(directory / "paginators-1.json") if (directory / "paginators-1.json").exists() else {}
    extras = {path.name: _read(path) for path in directory.glob("*.sdk-extras.json")}
    shutil.rmtree(directory)
    directory.mkdir()
    _write(directory / "service-2.json", model)
    _write(directory / "endpoint-rule-set-1.json", rules)
    more = extras.get("paginators-1.sdk-extras.json", {}).get("merge", {}).get("pagination", {})
    paginated = {
        name: {**value, **more.get(name, {})}
        for name, value in pages.get("pagination", {}).items()
        if name in set(operations)
    }
    _write(directory / "paginators-1.json", {"pagination": paginated})
    if "service-2.sdk-extras.json" in extras:
        _write(directory / "service-2.sdk-extras.json", extras["service-2.sdk-extras.json"])


def trimmed_model(model: Json, operations: Iterable[str], extra: Iterable[str] = ()) -> Json:
    """A service's model with these operations and the shapes that they, or ``extra``, lead to; no documentation."""
    kept = {name: _without_words(model["operations"][name]) for name in operations}
    todo = [*_references(list(kept.values())), *(name for name in extra if name in model["shapes"])]
    shapes: Json = {}
    while todo:
        name = todo.pop()
        if name not in shapes:
            shapes[name] = _without_words(model["shapes"][name])
            todo += _references(shapes[name])
    rest = {key: value for key, value in model.items() if key not in ("operations", "shapes", "documentation")}
    return {**rest, "operations": kept, "shapes": dict(sorted(shapes.items()))}


def _references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [name for item in value for name in _references(item)]
    if not isinstance(value, dict):
        return []
    found = [value["shape"]] if isinstance(value.get("shape"), str) else []
    return found + [name for key, item in value.items() if key != "shape" for name in _references(item)]


def _without_words(value: Any) -> Any:
    """A member may be called documentation: only its text goes."""
    if isinstance(value, list):
        return [_without_words(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _without_words(item)
        for key, item in value.items()
        if not (key in ("documentation", "documentationUrl") and isinstance(item, str))
    }


def _find(directory: Path, stem: str) -> Path:
    plain = directory / f"{stem}.json"
    return plain if plain.exists() else directory / f"{stem}.json.gz"


def _read(path: Path) -> Json:
    data = path.read_bytes()
    found: Json = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    return found


def _write(path: Path, content: Json) -> None:
    path.write_text(json.dumps(content, separators=(",", ":")))
