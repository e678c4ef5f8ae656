"""Who may do what in Kubernetes: access entries as EKS names and guards them, and their access policies as RBAC."""

import re
import threading
import uuid
from collections import defaultdict
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import eks

from local.addon.objects import Objects
from local.aws.runner.eks_kubernetes import objects_of
from local.aws.runner.eks_routes import Json, invalid_request
from local.aws.runner.patching import Function, around
from local.aws.runner.settings import RunnerSettings

BINDINGS = ("ClusterRoleBinding", "RoleBinding")
ENTRIES = re.compile(r"/clusters/([^/]+)/access-entries(?:/.*)?")

_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
_namespaces: dict[str, list[str]] = {}


def grant_what_policies_say(_: RunnerSettings) -> None:
    """MiniStack writes access policies into a container of its own. Its entries' ARNs lack the principal, and it has
    entries in clusters of authentication mode CONFIG_MAP, where EKS refuses every call about them."""

    @around(eks, "_schedule_access_policy_reconcile")
    def at_once(_schedule: Function) -> Function:
        def scheduled(cluster: str, account: str | None = None, region: str | None = None) -> None:
            _reconcile(cluster, account or get_account_id(), region or get_region())

        return scheduled

    @around(eks, "_authenticate_token_review")
    def with_new_namespaces(authenticate: Function) -> Function:
        def authenticated(cluster: str, account: str, region: str, *review: Any) -> Any:
            if eks._has_namespace_access_policy(cluster, account, region):
                _follow_namespaces(cluster, account, region)
            return authenticate(cluster, account, region, *review)

        return authenticated

    @around(eks, "_access_entry_arn")
    def with_principal(_name: Function) -> Function:
        return lambda cluster, principal: f"{entry_prefix(cluster, principal)}/{uuid.uuid4()}"

    @around(eks, "_resolve_tag_resource_arn")
    def of_entries(resolve: Function) -> Function:
        def resolved(arn: str) -> Any:
            entries = (entry["accessEntryArn"] for entry in eks._access_entries.values())
            return (arn, None) if arn in entries else resolve(arn)

        return resolved

    @around(eks, "_handle_request_sync")
    def guarded(handle: Function) -> Function:
        def handled(method: str, path: str, *rest: Any) -> Any:
            found = ENTRIES.fullmatch(path)
            cluster = eks._clusters.get(found[1]) if found else None
            if cluster is not None and cluster["accessConfig"].get("authenticationMode") == "CONFIG_MAP":
                told = "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP]"
                return invalid_request(f"{told} to perform this operation.", clusterName=cluster["name"]).answer()
            return handle(method, path, *rest)

        return handled


def entry_prefix(cluster: str, principal: str) -> str:
    """The ARN of a principal's access entry up to what makes it unique (Service Authorization Reference)."""
    owner, _, resource = principal.partition(":iam::")[2].partition(":")
    kind, _, name = resource.partition("/")
    place = f"{get_region()}:{get_account_id()}"
    return f"arn:aws:eks:{place}:access-entry/{cluster}/{kind}/{owner}/{name.rpartition('/')[2] or kind}"


def _reconcile(name: str, account: str, region: str) -> None:
    """Make the roles and bindings in Kubernetes those that the policies come to."""
    cluster = eks._clusters.get_scoped(account, region, name)
    objects = objects_of(cluster) if cluster else None
    if objects is None:
        return
    with _locks[cluster["arn"]]:
        namespaces = _names(objects)
        wanted = eks._access_policy_rbac_objects(name, account, region, namespaces)
        for manifest in wanted:
            objects.put(manifest)
        kept = {(each["kind"], *_place(each)) for each in wanted}
        for kind in BINDINGS:
            for found in objects.all(kind, f"{eks._ACCESS_POLICY_BINDING_LABEL}=true"):
                if (kind, *_place(found)) not in kept:
                    objects.delete(kind, *_place(found))
        _namespaces[cluster["arn"]] = namespaces


def _follow_namespaces(name: str, account: str, region: str) -> None:
    """A policy for namespaces holds in those that are made later too; so each token is an occasion to look for them."""
    cluster = eks._clusters.get_scoped(account, region, name)
    objects = objects_of(cluster) if cluster else None
    if objects is not None and _names(objects) != _namespaces.get(cluster["arn"]):
        _reconcile(name, account, region)


def _names(objects: Objects) -> list[str]:
    return sorted(each["metadata"]["name"] for each in objects.all("Namespace"))


def _place(manifest: Json) -> tuple[str, str]:
    metadata = manifest["metadata"]
    return metadata["name"], metadata.get("namespace", "")
