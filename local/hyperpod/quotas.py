"""Compute quotas: the five operations on the allocation of a cluster's compute to a team."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.hyperpod.clusters import Clusters
from local.hyperpod.errors import conflict, validation
from local.hyperpod.fill_in import reordered, with_defaults
from local.hyperpod.lifecycle import Kind
from local.hyperpod.merge import merged
from local.hyperpod.request import JsonObject, Request
from local.hyperpod.store import Store, View, to_milliseconds
from local.hyperpod.tags import Tags

KIND = Kind(segment="compute-quota", noun="Compute quota")


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a quota holds. `sent` is the config as the caller wrote it, `config` as the service completed it."""

    sent: JsonObject
    config: JsonObject
    target: JsonObject
    activation: str
    description: str | None


class ComputeQuotas:
    def __init__(self, clusters: Clusters, tags: Tags) -> None:
        self.store: Store[Allocation] = Store(KIND)
        self._clusters = clusters
        self._tags = tags

    def create(self, request: Request) -> JsonObject:
        body = request.body
        cluster = self._clusters.of_arn(body["ClusterArn"], request)
        if cluster.spec.orchestrator == "slurm":
            raise validation("Compute quotas need a cluster that Amazon EKS orchestrates; this one has Slurm.")
        tags = self._tags.checked(body.get("Tags", []))
        team = body["ComputeQuotaTarget"]["TeamName"]
        allocation = Allocation(
            sent=body["ComputeQuotaConfig"],
            config=with_defaults(body["ComputeQuotaConfig"]),
            target={"FairShareWeight": 0, **body["ComputeQuotaTarget"]},
            activation=body.get("ActivationState", "Enabled"),
            description=body.get("Description"),
        )
        claims = [
            (("name", body["Name"]), conflict(f"A compute quota named {body['Name']} exists in the cluster.")),
            (("team", team), conflict(f"Team {team} has a compute quota in the cluster.")),
        ]
        limit = request.settings.max_compute_quotas_per_cluster
        quota = self.store.create(request, allocation, claims, limit)
        self._tags.begin(quota.arn, tags)
        return {"ComputeQuotaArn": quota.arn, "ComputeQuotaId": quota.id}

    def update(self, request: Request) -> JsonObject:
        quota = self.store.to_update(request, request.body["ComputeQuotaId"])
        revised = self.store.revise(request, quota, _revised(quota.content, request.body))
        return {"ComputeQuotaArn": revised.arn, "ComputeQuotaVersion": revised.revisions[-1].version}

    def update_unasked(self, request: Request, changes: Mapping[str, Any]) -> None:
        """Another user's update of the same quota: the changes laid over what it holds, no version asked."""
        quota = self.store.open_to_others(request, request.body["ComputeQuotaId"])
        if quota is not None:
            held = quota.content
            body = merged(
                {"ComputeQuotaConfig": held.sent, "ComputeQuotaTarget": held.target},
                changes,
            )
            self.store.revise(request, quota, _revised(held, body))

    def describe(self, request: Request) -> JsonObject:
        body = request.body
        view = self.store.view(request, body["ComputeQuotaId"], body.get("ComputeQuotaVersion"))
        quota, allocation = view.resource, view.revision.content
        answer = _summary(view, _config(view, request, allocation.config)) | {
            "CreatedBy": {"IamIdentity": {"Arn": quota.created_by}},
            "LastModifiedBy": {"IamIdentity": {"Arn": view.revision.by}},
        }
        if allocation.description is not None:
            answer["Description"] = allocation.description
        if view.phase.reason is not None:
            answer["FailureReason"] = view.phase.reason
        return answer

    def list(self, request: Request) -> JsonObject:
        views, token = self.store.listed(
            request,
            {
                "Name": lambda resource, _: resource.name,
                "CreationTime": lambda resource, _: resource.created_at,
                "Status": lambda _, phase: phase.status,
                "ClusterArn": lambda resource, _: resource.cluster_arn,
            },
        )
        answer: JsonObject = {"ComputeQuotaSummaries": [self._listed(view, request) for view in views]}
        return answer if token is None else answer | {"NextToken": token}

    def delete(self, request: Request) -> JsonObject:
        self.store.remove(request, request.body["ComputeQuotaId"])
        return {}

    def _listed(self, view: View[Allocation], request: Request) -> JsonObject:
        allocation = view.revision.content
        config = allocation.config if request.settings.list_fill_in else allocation.sent
        return _summary(view, _config(view, request, config))


def _revised(held: Allocation, body: Mapping[str, Any]) -> Allocation:
    """What the quota holds after an update: a member that was sent replaces the old one as a whole."""
    if "ComputeQuotaTarget" in body:
        target = {"FairShareWeight": 0, **body["ComputeQuotaTarget"]}
        if target["TeamName"] != held.target["TeamName"]:
            raise validation(f"TeamName cannot be changed from {held.target['TeamName']} to {target['TeamName']}.")
        held = replace(held, target=target)
    if "ComputeQuotaConfig" in body:
        config = body["ComputeQuotaConfig"]
        held = replace(held, sent=config, config=with_defaults(config))
    return replace(
        held,
        activation=body.get("ActivationState", held.activation),
        description=body.get("Description", held.description),
    )


def _config(view: View[Allocation], request: Request, config: JsonObject) -> JsonObject:
    """The config with its lists in the order of the `shuffle_lists` setting."""
    if request.settings.shuffle_lists is None:
        return config
    seed = f"{request.settings.shuffle_lists}/{view.resource.id}/{view.revision.version}"
    shown = dict(config)
    if "ComputeQuotaResources" in config:
        shown["ComputeQuotaResources"] = reordered(config["ComputeQuotaResources"], seed)
    sharing = config.get("ResourceSharingConfig", {})
    if "AbsoluteBorrowLimits" in sharing:
        limits = reordered(sharing["AbsoluteBorrowLimits"], seed)
        shown["ResourceSharingConfig"] = sharing | {"AbsoluteBorrowLimits": limits}
    return shown


def _summary(view: View[Allocation], config: JsonObject) -> JsonObject:
    quota, revision = view.resource, view.revision
    return {
        "ComputeQuotaArn": quota.arn,
        "ComputeQuotaId": quota.id,
        "Name": quota.name,
        "ComputeQuotaVersion": revision.version,
        "Status": view.phase.status,
        "ClusterArn": quota.cluster_arn,
        "ComputeQuotaConfig": config,
        "ComputeQuotaTarget": revision.content.target,
        "ActivationState": revision.content.activation,
        "CreationTime": quota.created_at,
        "LastModifiedTime": to_milliseconds(revision.at),
    }
