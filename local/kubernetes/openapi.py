"""As much of OpenAPI v3 as kubectl wants to see before it sends a manifest: that patches are validated by the server.

There are no schemas, and nothing is validated against any.
"""

from collections.abc import Iterable

from local.kubernetes.errors import JsonObject
from local.kubernetes.resources import Resource, api_version

_FIELD_VALIDATION = {"name": "fieldValidation", "in": "query", "schema": {"type": "string", "uniqueItems": True}}


def paths(resources: Iterable[Resource]) -> JsonObject:
    """The document at /openapi/v3: where there is one for each version of a group."""
    places = {_place(resource.group, version) for resource in resources for version in resource.versions}
    return {"paths": {place: {"serverRelativeURL": f"/openapi/v3/{place}"} for place in sorted(places)}}


def patches(resources: Iterable[Resource], group: str, version: str) -> JsonObject | None:
    """The document of one version of a group; None where it is not served."""
    served = [resource for resource in resources if resource.group == group and version in resource.versions]
    if not served:
        return None
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": version},
        "paths": {_path(resource, version): {"patch": _patch(resource, version)} for resource in served},
    }


def _place(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _path(resource: Resource, version: str) -> str:
    namespace = "/namespaces/{namespace}" if resource.namespaced else ""
    return f"/{_place(resource.group, version)}{namespace}/{resource.plural}/{{name}}"


def _patch(resource: Resource, version: str) -> JsonObject:
    return {
        "operationId": f"patch {api_version(resource.group, version)} {resource.kind}",
        "parameters": [_FIELD_VALIDATION],
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-group-version-kind": {"group": resource.group, "version": version, "kind": resource.kind},
    }
