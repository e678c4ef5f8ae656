"""One HTTP request, and what it asks for: an act on a resource, or a path that is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from local.kubernetes.rbac import Act
from local.kubernetes.resources import GroupVersionResource

TRUE = frozenset({"1", "true", "True", "TRUE", "t", "T"})
_VERBS_OF_ONE = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "POST": "create"}
_VERBS_OF_MANY = {"GET": "list", "POST": "create", "DELETE": "deletecollection", "PUT": "update", "PATCH": "patch"}
_NAMESPACE_PARTS = frozenset({"status", "finalize"})


@dataclass(frozen=True, slots=True)
class Request:
    """`target` is path and query as sent; names of `headers` are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        """The last value of each parameter."""
        found = parse_qs(urlsplit(self.target).query, keep_blank_values=True)
        return {name: values[-1] for name, values in found.items()}


@dataclass(frozen=True, slots=True)
class Asked:
    """`place` is None for a path that belongs to no resource."""

    act: Act
    place: GroupVersionResource | None = None


def asked(request: Request) -> Asked:
    """What a request asks for, whether there is such a thing or not: kube-apiserver's reading of paths."""
    path, method = request.path, request.method
    nothing = Asked(Act(verb=method.lower(), path=path))
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"] and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return nothing
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        # namespaces/NAME is an object in the namespace that it is; its parts are not resources within it.
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in _NAMESPACE_PARTS:
            rest = rest[2:]
    plural, name, subresource = (*rest, "", "")[:3]
    query = request.query
    verb = (_VERBS_OF_ONE if name else _VERBS_OF_MANY).get(method, method.lower())
    if verb == "list" and query.get("watch") in TRUE:
        verb = "watch"
    if not name and verb in ("list", "watch", "deletecollection"):
        # A role for one name allows a list narrowed to it.
        name = _only_name(query.get("fieldSelector", ""))
    act = Act(verb, group, plural, "/".join([subresource, *rest[3:]]).rstrip("/"), namespace, name)
    return Asked(act, GroupVersionResource(group, version, plural))


def _only_name(fields: str) -> str:
    key, _, value = fields.partition("=")
    return value.lstrip("=") if key == "metadata.name" and "," not in value else ""
