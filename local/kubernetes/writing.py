"""What the server makes of an object that somebody writes: its metadata, its status, its generation. Pure."""

import re
from datetime import UTC, datetime

from local.kubernetes.errors import Cause, JsonObject, conflict, invalid
from local.kubernetes.job_defaults import with_job_defaults
from local.kubernetes.resources import Resource

_FROM_WRITER = ("name", "generateName", "namespace", "labels", "annotations", "finalizers", "ownerReferences")
_FROM_SERVER = (
    "name",
    "generateName",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "resourceVersion",
)
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and"
    rf" end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_LABEL}(\.{_LABEL})*')"
).replace("\\.(", "\\\\.(")
_LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with"
    f" an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)


def timestamp(seconds: float) -> str:
    """RFC 3339 in whole seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def created(resource: Resource, obj: JsonObject, uid: str, now: str) -> JsonObject:
    """A new object as the server keeps it, in whatever version it came. Raises InvalidError for its name."""
    given = obj["metadata"]
    refuse_bad_name(resource, given.get("name", ""))
    metadata = {name: given[name] for name in _FROM_WRITER if given.get(name)}
    metadata |= {"creationTimestamp": now, "uid": uid}
    if resource.counts_generation:
        metadata["generation"] = 1
    kept = {**obj, "metadata": metadata}
    if _has_status(resource, obj) and not resource.status_at_creation:
        kept.pop("status", None)
    return _with_defaults(resource, kept)


def updated(resource: Resource, old: JsonObject, obj: JsonObject) -> JsonObject:
    """An object replaced through its main endpoint: everything but status and what the server itself decides.

    Raises ConflictError for a version or uid that is not the object's, InvalidError where a version is missing.
    """
    refuse_stale(resource, old, obj)
    given = obj["metadata"]
    metadata = {name: given[name] for name in _FROM_WRITER if given.get(name)}
    metadata = {name: value for name, value in metadata.items() if name not in _FROM_SERVER}
    metadata |= {name: old["metadata"][name] for name in _FROM_SERVER if name in old["metadata"]}
    new = {**obj, "metadata": metadata}
    if _has_status(resource, obj):
        new.pop("status", None)
        if "status" in old:
            new["status"] = old["status"]
    if resource.counts_generation and _content(resource, new) != _content(resource, old):
        metadata["generation"] = old["metadata"].get("generation", 0) + 1
    return new


def status_updated(resource: Resource, old: JsonObject, obj: JsonObject) -> JsonObject:
    """An object replaced through /status: nothing but its status. Raises as `updated` does."""
    refuse_stale(resource, old, obj)
    new = {name: value for name, value in old.items() if name != "status"}
    return {**new, "status": obj["status"]} if "status" in obj else new


def deleting(old: JsonObject, now: str) -> JsonObject:
    """An object that waits for its finalizers to be taken off."""
    metadata = {**old["metadata"], "deletionTimestamp": now, "deletionGracePeriodSeconds": 0}
    if "generation" in metadata:
        metadata["generation"] += 1
    return {**old, "metadata": metadata}


def is_ending(obj: JsonObject) -> bool:
    """Whether an object has been deleted and waits."""
    return "deletionTimestamp" in obj["metadata"]


def merge_patched(target: object, patch: object) -> object:
    """RFC 7386: null takes a member away, objects are merged, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patched(result.get(name), value)
    return result


def refuse_stale(resource: Resource, old: JsonObject, obj: JsonObject) -> None:
    """Raises ConflictError or InvalidError unless the object was written on top of the old one."""
    given, name = obj["metadata"], old["metadata"]["name"]
    uid = given.get("uid")
    if uid and uid != old["metadata"]["uid"]:
        told = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old['metadata']['uid']}"
        raise conflict(resource.key, name, told)
    version = given.get("resourceVersion")
    if version and version != old["metadata"]["resourceVersion"]:
        raise conflict(resource.key, name)
    if not version and not resource.unconditional_update:
        cause = Cause("metadata.resourceVersion", "Invalid value: 0: must be specified for an update")
        raise invalid(resource.group, resource.kind, name, [cause])


def refuse_bad_name(resource: Resource, name: str) -> None:
    """Raises InvalidError for a name that objects of this resource cannot have."""
    causes = name_causes(resource, name)
    if causes:
        raise invalid(resource.group, resource.kind, name, causes)


def name_causes(resource: Resource, name: str) -> list[Cause]:
    """What is wrong with a name for an object of this resource."""
    if not name:
        return [Cause("metadata.name", "Required value: name or generateName is required", "FieldValueRequired")]
    if resource.path_names:
        return [Cause("metadata.name", f'Invalid value: "{name}": may not contain a slash')] if "/" in name else []
    if resource.plural == "namespaces":
        return _name_causes(name, _LABEL, 63, _LABEL_RULE)
    return _name_causes(name, _SUBDOMAIN, 253, _SUBDOMAIN_RULE)


def _name_causes(name: str, pattern: str, longest: int, rule: str) -> list[Cause]:
    if len(name) > longest:
        return [Cause("metadata.name", f'Invalid value: "{name}": must be no more than {longest} characters')]
    if re.fullmatch(pattern, name):
        return []
    return [Cause("metadata.name", f'Invalid value: "{name}": {rule}')]


def _has_status(resource: Resource, obj: JsonObject) -> bool:
    return obj["apiVersion"].rpartition("/")[2] in resource.with_status


def _content(resource: Resource, obj: JsonObject) -> JsonObject:
    """What a new generation is counted for."""
    aside = {"metadata", "apiVersion"} | ({"status"} if resource.with_status else set())
    return {name: value for name, value in obj.items() if name not in aside}


def _with_defaults(resource: Resource, obj: JsonObject) -> JsonObject:
    """The few defaults of built-in resources that readers rely on."""
    if resource.custom:
        return obj
    if resource.plural == "namespaces":
        labels = {**obj["metadata"].get("labels", {}), "kubernetes.io/metadata.name": obj["metadata"]["name"]}
        metadata = {**obj["metadata"], "labels": labels}
        return {**obj, "metadata": metadata, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
    if resource.plural == "deployments":
        return {**obj, "spec": {"replicas": 1, **(obj.get("spec") or {})}, "status": {}}
    if resource.plural == "pods":
        return {**obj, "status": {"phase": "Pending"}}
    if resource.plural == "jobs":
        obj = with_job_defaults(obj)
    return {**obj, "status": obj.get("status", {})} if resource.with_status else obj
