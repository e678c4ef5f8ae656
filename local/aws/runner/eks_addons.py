"""Add-ons as EKS has them: of a catalogue, on their way for a while, and with what they install in Kubernetes.

Error messages are AWS's own as far as reports of them were found; those with "assumed" beside them are not.
"""

import json
import threading
import time
import uuid
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import eks

from local.aws.runner import eks_addon_work as work
from local.aws.runner.addon_versions import Product, catalogue
from local.aws.runner.eks_addon_orders import CREATE, DELETE, UPDATE, Outcome, orders
from local.aws.runner.eks_kubernetes import tell_plane
from local.aws.runner.eks_routes import (
    EksCall,
    Json,
    cluster_record,
    in_use,
    invalid_parameter,
    invalid_request,
    not_found,
    route,
    serve,
)
from local.aws.runner.eks_transitions import transitions
from local.aws.runner.eks_updates import Update, updates
from local.aws.runner.settings import RunnerSettings

ON_ITS_WAY = ("CREATING", "UPDATING", "DELETING")
NOT_UPDATABLE = (*ON_ITS_WAY, "CREATE_FAILED", "DELETE_FAILED")
RESOLVING = ("OVERWRITE", "NONE", "PRESERVE")
REQUEST = "_request"
"""A record keeps to itself what begins with an underscore."""

_lock = threading.Lock()


def install_addons(settings: RunnerSettings) -> None:
    """MiniStack takes any name and version, marks it ACTIVE and installs nothing."""
    serve(
        route("POST", "/clusters/{cluster}/addons", lambda call: _create(settings, call)),
        route("GET", "/clusters/{cluster}/addons", _list),
        route("GET", "/clusters/{cluster}/addons/{addon}", _describe),
        route("DELETE", "/clusters/{cluster}/addons/{addon}", lambda call: _delete(settings, call)),
        route("POST", "/clusters/{cluster}/addons/{addon}/update", lambda call: _update(settings, call)),
        route("GET", "/addons/supported-versions", _versions),
        route("GET", "/addons/configuration-schemas", _configuration_schema),
    )


def find(cluster: str, addon: str) -> Json:
    """The record of an add-on."""
    found: Json | None = eks._addons.get(f"{cluster}/{addon}")
    if found is None:
        cluster_record(cluster)
        raise not_found(f"No addon: {addon} found in cluster: {cluster}", clusterName=cluster, addonName=addon)
    return found


def _create(settings: RunnerSettings, call: EksCall) -> Json:
    cluster, name = cluster_record(call.cluster), call.body.get("addonName", "")
    token = call.body.get("clientRequestToken", "")
    with _lock:
        present = eks._addons.get(f"{call.cluster}/{name}")
        if present is not None and token and present[REQUEST] == token:
            return {"addon": shown(present)}
        if present is not None:
            raise in_use("Addon already exists.", clusterName=call.cluster, addonName=name)
        if cluster["status"] not in ("ACTIVE", "UPDATING"):  # assumed, and so is its message
            raise invalid_request(f"Cluster {call.cluster} is not ACTIVE.", clusterName=call.cluster, addonName=name)
        version = _checked_version(cluster, name, call.body.get("addonVersion", ""))
        _check_rest(call, name)
        record = _record(call, name, version, token)
        eks._addons[f"{call.cluster}/{name}"] = record
    if record["tags"]:
        eks._tags[record["addonArn"]] = dict(record["tags"])
    created = {"addon": shown(record)}
    transitions.begin((cluster["arn"], name), settings.addon_seconds, lambda: _end_creation(settings, cluster, record))
    return created


def _record(call: EksCall, name: str, version: str, token: str) -> Json:
    now = round(time.time(), 3)
    place = f"{get_region()}:{get_account_id()}"
    return {
        "addonName": name,
        "clusterName": call.cluster,
        "status": "CREATING",
        "addonVersion": version,
        "health": {"issues": []},
        "addonArn": f"arn:aws:eks:{place}:addon/{call.cluster}/{name}/{uuid.uuid4()}",
        "createdAt": now,
        "modifiedAt": now,
        "tags": call.body.get("tags") or {},
        **{key: call.body[key] for key in ("serviceAccountRoleArn", "configurationValues") if call.body.get(key)},
        work.CONFLICTS: call.body.get("resolveConflicts", "NONE"),
        REQUEST: token,
    }


def shown(record: Json) -> Json:
    """A record as EKS answers it, with the tags that it has now."""
    public = {key: value for key, value in record.items() if not key.startswith("_")}
    return {**public, "tags": dict(eks._tags.get(record["addonArn"], {}))}


def _end_creation(settings: RunnerSettings, cluster: Json, record: Json) -> None:
    ordered = orders.take(record["clusterName"], record["addonName"], CREATE)
    outcome = ordered if ordered and ordered.failed else work.install(cluster, record, record["addonVersion"], CREATE)
    settle(record, ordered or outcome)
    if not outcome.failed:
        tell_plane(settings.plane, cluster)


def settle(record: Json, outcome: Outcome) -> None:
    """Leave the add-on in the status that a transition has ended in."""
    record["health"] = {"issues": [issue.shown() for issue in outcome.issues]}
    record["modifiedAt"] = round(time.time(), 3)
    record["status"] = outcome.status


def _update(settings: RunnerSettings, call: EksCall) -> Json:
    record, cluster = find(call.cluster, call.addon), cluster_record(call.cluster)
    token = call.body.get("clientRequestToken", "")
    with _lock:
        earlier = updates.with_token(cluster["arn"], call.addon, token)
        if earlier is not None:
            return {"update": earlier.shown()}
        if record["status"] in NOT_UPDATABLE:
            told = f"Addon {call.addon} cannot be updated as it is currently in {record['status']} state"
            raise in_use(told, clusterName=call.cluster, addonName=call.addon)
        asked = call.body.get("addonVersion", "")
        version = _checked_version(cluster, call.addon, asked) if asked else record["addonVersion"]
        _check_rest(call, call.addon)
        record[work.CONFLICTS] = call.body.get("resolveConflicts", "NONE")
        record["status"] = "UPDATING"
    parameters = {
        name: call.body[key]
        for key, name in (
            ("addonVersion", "AddonVersion"),
            ("serviceAccountRoleArn", "ServiceAccountRoleArn"),
            ("resolveConflicts", "ResolveConflicts"),
            ("configurationValues", "ConfigurationValues"),
        )
        if call.body.get(key)
    }
    update = updates.begin(Update(cluster["arn"], call.addon, "AddonUpdate", parameters, token))
    begun = update.shown()
    changes: Json = {
        key: call.body[key] for key in ("serviceAccountRoleArn", "configurationValues") if key in call.body
    }

    def end() -> None:
        outcome = _end_update(cluster, record, version)
        if not outcome.failed:
            record.update({**changes, "addonVersion": version})
        updates.end(update, [issue.shown() for issue in outcome.issues])
        settle(record, outcome)
        if not outcome.failed:
            tell_plane(settings.plane, cluster)

    transitions.begin((cluster["arn"], call.addon), settings.addon_seconds, end)
    return {"update": begun}


def _end_update(cluster: Json, record: Json, version: str) -> Outcome:
    """An update that fails leaves the version as it was (assumed)."""
    ordered = orders.take(record["clusterName"], record["addonName"], UPDATE)
    outcome = ordered if ordered and ordered.failed else work.install(cluster, record, version, UPDATE)
    return ordered or outcome


def _delete(settings: RunnerSettings, call: EksCall) -> Json:
    record, cluster = find(call.cluster, call.addon), cluster_record(call.cluster)
    preserve = call.asked("preserve") == "true"
    with _lock:
        if record["status"] in ON_ITS_WAY:  # assumed, and so is its message
            told = f"Addon {call.addon} cannot be deleted as it is currently in {record['status']} state"
            raise invalid_request(told, clusterName=call.cluster, addonName=call.addon)
        record["status"] = "DELETING"
    deleted = {"addon": shown(record)}

    def end() -> None:
        outcome = orders.take(call.cluster, call.addon, DELETE) or work.remove(cluster, record, preserve)
        if outcome is not None:
            settle(record, outcome)
            return
        eks._addons.pop(f"{call.cluster}/{call.addon}", None)
        eks._tags.pop(record["addonArn"], None)

    transitions.begin((cluster["arn"], call.addon), settings.addon_seconds, end)
    return deleted


def _describe(call: EksCall) -> Json:
    return {"addon": shown(find(call.cluster, call.addon))}


def _list(call: EksCall) -> Json:
    cluster_record(call.cluster)
    names = sorted(key.partition("/")[2] for key in eks._addons if key.startswith(f"{call.cluster}/"))
    page, token = call.page(names)
    return {"addons": page, **token}


def _versions(call: EksCall) -> Json:
    """A name that EKS does not know is answered with nothing."""
    kubernetes = call.asked("kubernetesVersion")
    products, token = call.page(catalogue.offered(call.asked("addonName"), kubernetes))
    return {"addons": [each.shown(kubernetes) for each in products], **token}


def _configuration_schema(call: EksCall) -> Json:
    name, version = call.asked("addonName"), call.asked("addonVersion")
    product = catalogue.find(name)
    if product is None or not product.knows(version):
        raise invalid_parameter("Addon version specified is not supported", addonName=name)
    return {"addonName": name, "addonVersion": version, "configurationSchema": product.schema}


def _checked_version(cluster: Json, name: str, version: str) -> str:
    """The version to install: the one that is asked for, or the default one."""
    product, kubernetes = catalogue.find(name), cluster["version"]
    names = {"clusterName": cluster["name"], "addonName": name}
    if version and (product is None or not product.knows(version)):
        raise invalid_parameter("Addon version specified is not supported", **names)
    offered = [offer.version for offer in product.offered(kubernetes)] if product else []
    found = version if version in offered else None
    if not version and product is not None:
        found = product.default_for(kubernetes)
    if found is None:
        raise invalid_parameter(f"Addon {name} specified is not supported in {kubernetes} kubernetes version", **names)
    return found


def _check_rest(call: EksCall, name: str) -> None:
    names = {"clusterName": call.cluster, "addonName": name}
    if call.body.get("resolveConflicts", "NONE") not in RESOLVING:
        raise invalid_parameter(f"Resolve conflicts is one of {', '.join(RESOLVING)}", **names)  # assumed
    product = catalogue.find(name)
    reason = _refused_configuration(product, call.body.get("configurationValues") or "{}") if product else ""
    if reason:
        told = "ConfigurationValue provided in request is not supported: Json schema validation failed with error"
        raise invalid_parameter(f"{told}: {reason}", **names)


def _refused_configuration(product: Product, text: str) -> str:
    try:
        values: Any = json.loads(text)
    except ValueError:
        return "[$: string found, object expected]"
    if not isinstance(values, dict):
        return f"[$: {type(values).__name__} found, object expected]"
    if product.configurable or not values:
        return ""
    told = "is not defined in the schema and the schema does not allow additional properties"
    return "[" + ", ".join(f"$.{name}: {told}" for name in values) + "]"
