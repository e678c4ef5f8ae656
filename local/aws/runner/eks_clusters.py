"""Clusters as EKS has them: with a Kubernetes behind each, an authentication mode, and updates of both."""

import logging
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from ministack.services import eks

from local.addon.objects import KubernetesError
from local.aws.runner.addon_versions import DEFAULT_KUBERNETES, KUBERNETES
from local.aws.runner.eks_kubernetes import make_cluster, remove_cluster
from local.aws.runner.eks_routes import (
    EksCall,
    EksError,
    Json,
    answered,
    cluster_record,
    invalid_parameter,
    invalid_request,
    route,
    serve,
)
from local.aws.runner.eks_transitions import transitions
from local.aws.runner.eks_updates import Update, refuse_second, updates
from local.aws.runner.patching import Function, around
from local.aws.runner.settings import RunnerSettings

logger = logging.getLogger("governor")
_one_update = threading.Lock()

CONFIG_MAP, BOTH, API = "CONFIG_MAP", "API_AND_CONFIG_MAP", "API"
STEPS = {(CONFIG_MAP, BOTH), (BOTH, API)}
"""There is no way back, and none past API_AND_CONFIG_MAP (EKS user guide, "Set up access entries")."""
ENDPOINT_ACCESS = ("endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs")
UPDATABLE = ("accessConfig", "resourcesVpcConfig")


def put_kubernetes_behind(settings: RunnerSettings) -> None:
    """MiniStack's clusters have an endpoint at which nothing listens, no certificate authority, no default
    authentication mode and no way to change either; versions of Kubernetes are not told."""

    @around(eks, "_create_cluster")
    def with_kubernetes(create: Function) -> Function:
        return lambda body, creator=None: _create(settings, create, body, creator)

    @around(eks, "_delete_cluster")
    def with_all_it_has(delete: Function) -> Function:
        def deleted(name: str) -> Any:
            cluster = eks._clusters.get(name)
            answer = delete(name)
            if cluster is not None and answer[0] == 200:
                _forget(settings, cluster)
            return answer

        return deleted

    serve(
        route("POST", "/clusters/{cluster}/update-config", lambda call: _update(settings, call)),
        route("GET", "/cluster-versions", _versions),
    )


def _create(settings: RunnerSettings, create: Function, body: Json, creator: str | None) -> Any:
    access = {"bootstrapClusterCreatorAdminPermissions": True, "authenticationMode": CONFIG_MAP}
    body = {"version": DEFAULT_KUBERNETES, **body, "accessConfig": {**access, **(body.get("accessConfig") or {})}}
    try:
        _refuse_wrong(body)
    except EksError as error:
        return error.answer()
    answer = create(body, creator)
    if answer[0] != 200:
        return answer
    # MiniStack's thread is about to mark its own record ACTIVE; nobody looks at that one any more.
    record: Json = {**eks._clusters[body["name"]], "status": "CREATING", "health": {"issues": []}}
    record["certificateAuthority"] = {}
    del record["endpoint"]
    eks._clusters[body["name"]] = record
    created = answered(lambda: {"cluster": eks._sanitize(record)})
    transitions.begin((record["arn"], ""), settings.cluster_seconds, lambda: _become_active(settings, record))
    return created


def _refuse_wrong(body: Json) -> None:
    if body["version"] not in KUBERNETES:
        raise invalid_parameter("unsupported Kubernetes version")
    access = body["accessConfig"]
    if access["authenticationMode"] == CONFIG_MAP and not access["bootstrapClusterCreatorAdminPermissions"]:
        told = "bootstrapClusterCreatorAdminPermissions must be true if cluster authentication mode is set to"
        raise invalid_parameter(f"{told} {CONFIG_MAP}")


def _become_active(settings: RunnerSettings, record: Json) -> None:
    if settings.kubernetes:
        try:
            endpoint, authority = make_cluster(settings.kubernetes, record)
        except KubernetesError:
            logger.exception("There is no Kubernetes for %s.", record["name"])
            record["status"] = "FAILED"
            return
        record.update(endpoint=endpoint, certificateAuthority={"data": authority})
    # Who may come in is in place before anybody can see the cluster ACTIVE and come.
    eks._schedule_access_policy_reconcile(record["name"])
    record["status"] = "ACTIVE"


def _forget(settings: RunnerSettings, cluster: Json) -> None:
    transitions.forget(cluster["arn"])
    updates.forget(cluster["arn"])
    for key in [each for each in eks._addons if each.startswith(f"{cluster['name']}/")]:
        addon = eks._addons.pop(key)
        eks._tags.pop(addon["addonArn"], None)
    if settings.kubernetes:
        remove_cluster(settings.kubernetes, cluster)


def _update(settings: RunnerSettings, call: EksCall) -> Json:
    cluster = cluster_record(call.cluster)
    token = call.body.get("clientRequestToken", "")
    earlier = updates.with_token(cluster["arn"], "", token)
    if earlier is not None:
        return {"update": earlier.shown()}
    asked = [name for name in UPDATABLE if call.body.get(name)]
    if len(asked) != 1:
        raise invalid_parameter("The type for cluster update was not provided or more than one was.")
    kind, wanted, parameters = (_access if asked == ["accessConfig"] else _network)(cluster, call.body[asked[0]])
    with _one_update:
        refuse_second(cluster, kind)
        if cluster["status"] != "ACTIVE":
            raise invalid_request(f"Cluster {call.cluster} is not ACTIVE.", clusterName=call.cluster)
        update = updates.begin(Update(cluster["arn"], "", kind, parameters, token))
        cluster["status"] = "UPDATING"
    begun = update.shown()

    def end() -> None:
        cluster[asked[0]] = wanted
        cluster["status"] = "ACTIVE"
        updates.end(update)

    transitions.begin((cluster["arn"], ""), settings.cluster_seconds, end)
    return {"update": begun}


Change = tuple[str, Json, Mapping[str, str]]


def _access(cluster: Json, asked: Json) -> Change:
    present, wanted = cluster["accessConfig"], asked.get("authenticationMode", "")
    if (present["authenticationMode"], wanted) not in STEPS:
        told = f"Unsupported authentication mode update from {present['authenticationMode']} to {wanted}"
        raise invalid_parameter(told, clusterName=cluster["name"])
    return "AccessConfigUpdate", {**present, "authenticationMode": wanted}, {"AuthenticationMode": wanted}


def _network(cluster: Json, asked: Json) -> Change:
    """Who may reach the endpoint. It is told and nothing more: everything here is on loopback."""
    present: Json = cluster["resourcesVpcConfig"]
    wanted: Json = {**present, **{name: asked[name] for name in ENDPOINT_ACCESS if name in asked}}
    if not wanted["endpointPublicAccess"] and not wanted["endpointPrivateAccess"]:
        raise invalid_parameter("Private and public endpoint access cannot be false", clusterName=cluster["name"])
    if wanted == present:
        raise invalid_parameter("Cluster is already at the desired configuration", clusterName=cluster["name"])
    return "EndpointAccessUpdate", wanted, dict(_told(wanted))


def _told(wanted: Json) -> Iterator[tuple[str, str]]:
    for name in ENDPOINT_ACCESS:
        value = wanted[name]
        text = "[" + ", ".join(value) + "]" if isinstance(value, list) else str(value).lower()
        yield name[0].upper() + name[1:], text


def _versions(call: EksCall) -> Json:
    """Only what does not age: no dates."""
    wanted = call.query.get("clusterVersions") or list(KUBERNETES)
    only_default = call.asked("defaultOnly") == "true"
    found = [
        {
            "clusterVersion": version,
            "clusterType": "eks",
            "defaultPlatformVersion": "eks.1",
            "defaultVersion": version == DEFAULT_KUBERNETES,
            "status": "standard-support",
            "versionStatus": "STANDARD_SUPPORT",
        }
        for version in reversed(KUBERNETES)
        if version in wanted and (version == DEFAULT_KUBERNETES or not only_default)
    ]
    page, token = call.page(found)
    return {"clusterVersions": page, **token}
