"""May this user do this? Role-based access control, read from the roles and bindings among the objects.

Roles are not aggregated, and who writes a role may grant more than they have: the real server allows that to few.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.kubernetes.errors import ForbiddenError, GroupResource, JsonObject, forbidden
from local.kubernetes.store import Store, key_of
from local.kubernetes.users import User

GROUP = "rbac.authorization.k8s.io"
_CLUSTER_BINDINGS = GroupResource(GROUP, "clusterrolebindings")
_BINDINGS = GroupResource(GROUP, "rolebindings")
_ROLES = {"ClusterRole": GroupResource(GROUP, "clusterroles"), "Role": GroupResource(GROUP, "roles")}
ANY = "*"


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody wants to do: to a resource, or to a path that is none (`path` is set then)."""

    verb: str
    group: str = ""
    plural: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        return f"{self.plural}/{self.subresource}" if self.subresource else self.plural


@dataclass(frozen=True, slots=True)
class Verdict:
    allowed: bool
    reason: str = ""


def judged(store: Store, user: User, act: Act) -> Verdict:
    """Whether a user may do something, with the words the real server has for the reason."""
    if user.is_master:
        return Verdict(allowed=True)
    missing: list[str] = []
    for binding, subject in _bindings_of(store, user, act.namespace):
        reference, within = binding["roleRef"], binding["metadata"].get("namespace", "")
        role = _role(store, reference, within)
        if role is None:
            kind = f"{reference['kind'].lower()}.{GROUP}"
            missing.append(f'{kind} "{reference["name"]}" not found')
        elif any(_covers(rule, act, within) for rule in role.get("rules") or ()):
            return Verdict(allowed=True, reason=_why(binding, reference, subject))
    return Verdict(allowed=False, reason=f"RBAC: {', '.join(missing)}" if missing else "")


def refusal(user: User, act: Act, verdict: Verdict) -> ForbiddenError:
    """The error for what is not allowed."""
    reason = f": {verdict.reason}" if verdict.reason else ""
    if act.path:
        return ForbiddenError(f'forbidden: User "{user.name}" cannot {act.verb} path "{act.path}"{reason}', {})
    where = f'in the namespace "{act.namespace}"' if act.namespace else "at the cluster scope"
    told = f'User "{user.name}" cannot {act.verb} resource "{act.full_resource}" in API group "{act.group}" {where}'
    return forbidden(GroupResource(act.group, act.plural), act.name, f"{told}{reason}")


def _bindings_of(store: Store, user: User, namespace: str) -> Iterator[tuple[JsonObject, JsonObject]]:
    """Bindings that hold for a user in a namespace, each with the subject that the user is."""
    bindings = store.listed(_CLUSTER_BINDINGS)
    if namespace:
        bindings += store.listed(_BINDINGS, namespace)
    for binding in bindings:
        within = binding["metadata"].get("namespace", "")
        for subject in binding.get("subjects") or ():
            if _is(subject, user, within):
                yield binding, subject
                break


def _is(subject: JsonObject, user: User, namespace: str) -> bool:
    kind, name = subject.get("kind"), subject.get("name", "")
    if kind == "User":
        return bool(name == user.name)
    if kind == "Group":
        return name in user.groups
    return user.name == f"system:serviceaccount:{subject.get('namespace') or namespace}:{name}"


def _role(store: Store, reference: JsonObject, namespace: str) -> JsonObject | None:
    within = namespace if reference["kind"] == "Role" else ""
    return store.get(_ROLES[reference["kind"]], key_of(within, reference["name"]))


def _covers(rule: JsonObject, act: Act, bound_in: str) -> bool:
    if not _has(rule, "verbs", act.verb):
        return False
    if act.path:
        # A path belongs to no namespace, so only cluster role bindings allow it.
        return not bound_in and any(_is_below(act.path, url) for url in rule.get("nonResourceURLs") or ())
    resources = (act.full_resource, f"{ANY}/{act.subresource}") if act.subresource else (act.plural,)
    names = rule.get("resourceNames") or ()
    return (
        _has(rule, "apiGroups", act.group)
        and any(_has(rule, "resources", each) for each in resources)
        and (not names or act.name in names)
    )


def _has(rule: JsonObject, member: str, value: str) -> bool:
    values: Any = rule.get(member) or ()
    return ANY in values or value in values


def _is_below(path: str, url: str) -> bool:
    return path.startswith(url.removesuffix(ANY)) if url.endswith(ANY) else path == url


def _why(binding: JsonObject, reference: JsonObject, subject: JsonObject) -> str:
    namespace = binding["metadata"].get("namespace")
    kind, name = (
        ("RoleBinding", f"{binding['metadata']['name']}/{namespace}") if namespace else ("ClusterRoleBinding", "")
    )
    name = name or binding["metadata"]["name"]
    who = f'{subject["kind"]} "{subject["name"]}"'
    return f'RBAC: allowed by {kind} "{name}" of {reference["kind"]} "{reference["name"]}" to {who}'
