"""Custom resource definitions: what is served because of one, and what the server adds to one."""

from local.kubernetes.errors import ApiError, Cause, JsonObject, invalid
from local.kubernetes.resources import CUSTOM_VERBS, DEFINITIONS, Resource

ESTABLISHED = "Established"


def resource_of(definition: JsonObject) -> Resource:
    """The resource that a checked definition stands for."""
    spec = definition["spec"]
    names, versions = spec["names"], spec["versions"]
    return Resource(
        group=spec["group"],
        plural=names["plural"],
        kind=names["kind"],
        singular=names["singular"],
        namespaced=spec["scope"] == "Namespaced",
        versions=tuple(version["name"] for version in versions if version["served"]),
        storage=_storage(definition),
        with_status=frozenset(v["name"] for v in versions if "status" in v.get("subresources", {})),
        short_names=tuple(names.get("shortNames", ())),
        categories=tuple(names.get("categories", ())),
        verbs=CUSTOM_VERBS,
        custom=True,
        counts_generation=True,
        unconditional_update=False,
    )


def checked(definition: JsonObject) -> JsonObject:
    """The definition as written down: names and stored versions filled in. Raises ApiError for a useless one."""
    spec = definition.get("spec") or {}
    causes = list(_causes(definition["metadata"].get("name", ""), spec))
    if causes:
        raise _invalid(definition, causes)
    names = dict(spec["names"])
    names.setdefault("singular", names["kind"].lower())
    names.setdefault("listKind", f"{names['kind']}List")
    spec = {"conversion": {"strategy": "None"}, **spec, "names": names}
    status = _status({**definition, "spec": spec}, definition.get("status") or {})
    filled = {**definition, "spec": spec, "status": status}
    _refuse_lost_versions(filled)
    return filled


def _causes(name: str, spec: JsonObject) -> list[Cause]:
    causes = []
    names, versions = spec.get("names") or {}, spec.get("versions") or []
    for value, path in (
        (spec.get("group"), "spec.group"),
        (names.get("plural"), "spec.names.plural"),
        (names.get("kind"), "spec.names.kind"),
    ):
        if not value:
            causes.append(Cause(path, "Required value", "FieldValueRequired"))
    wanted = f"{names.get('plural')}.{spec.get('group')}"
    if not causes and name != wanted:
        told = 'must be spec.names.plural+"."+spec.group'
        causes.append(Cause("metadata.name", f'Invalid value: "{name}": {told}'))
    if spec.get("scope") not in ("Namespaced", "Cluster"):
        told = f'Unsupported value: "{spec.get("scope", "")}": supported values: "Cluster", "Namespaced"'
        causes.append(Cause("spec.scope", told, "FieldValueNotSupported"))
    if [version.get("storage") for version in versions].count(True) != 1:
        told = "Invalid value: must have exactly one version marked as storage version"
        causes.append(Cause("spec.versions", told))
    return causes


def _storage(definition: JsonObject) -> str:
    name: str = next(version["name"] for version in definition["spec"]["versions"] if version.get("storage"))
    return name


def _status(definition: JsonObject, given: JsonObject) -> JsonObject:
    """The status of a definition that is in force, which it is as soon as it is written."""
    names = definition["spec"]["names"]
    stored = given.get("storedVersions") or []
    since = definition["metadata"].get("creationTimestamp")
    conditions = given.get("conditions") or [
        _condition("NamesAccepted", "NoConflicts", "no conflicts found", since),
        _condition(ESTABLISHED, "InitialNamesAccepted", "the initial names have been accepted", since),
    ]
    return {
        "acceptedNames": names,
        "conditions": conditions,
        "storedVersions": list(dict.fromkeys([*stored, _storage(definition)])),
    }


def _condition(kind: str, reason: str, message: str, since: str | None) -> JsonObject:
    return {"lastTransitionTime": since, "message": message, "reason": reason, "status": "True", "type": kind}


def _refuse_lost_versions(definition: JsonObject) -> None:
    """A version that objects may be stored in must remain."""
    there = {version["name"] for version in definition["spec"]["versions"]}
    causes = [
        Cause(
            f"status.storedVersions[{place}]",
            f'Invalid value: "{stored}": missing from spec.versions; {stored} was previously a storage version, and'
            f" must remain in spec.versions until a storage migration ensures no data remains persisted in {stored}"
            f" and removes {stored} from status.storedVersions",
        )
        for place, stored in enumerate(definition["status"]["storedVersions"])
        if stored not in there
    ]
    if causes:
        raise _invalid(definition, causes)


def _invalid(definition: JsonObject, causes: list[Cause]) -> ApiError:
    return invalid(DEFINITIONS.group, DEFINITIONS.kind, definition["metadata"].get("name", ""), causes)
