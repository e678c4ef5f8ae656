"""Cluster policies (ClusterSchedulerConfig): the five operations on how a cluster's tasks are prioritised."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.hyperpod.clusters import Clusters
from local.hyperpod.errors import conflict, validation
from local.hyperpod.fill_in import reordered
from local.hyperpod.lifecycle import Kind
from local.hyperpod.merge import merged
from local.hyperpod.request import JsonObject, Request
from local.hyperpod.store import Store, View, to_milliseconds
from local.hyperpod.tags import Tags

KIND = Kind(segment="cluster-scheduler-config", noun="Cluster scheduler config")

AT_REST = frozenset({"Created", "Updated", "Deleted"})


@dataclass(frozen=True, slots=True)
class Policy:
    """What a cluster policy holds. `sent` is the config without the defaults the service adds."""

    sent: JsonObject
    config: JsonObject
    description: str | None


class ClusterSchedulerConfigs:
    def __init__(self, clusters: Clusters, tags: Tags) -> None:
        self.store: Store[Policy] = Store(KIND)
        self._clusters = clusters
        self._tags = tags

    def create(self, request: Request) -> JsonObject:
        body = request.body
        cluster = self._clusters.of_arn(body["ClusterArn"], request)
        if cluster.spec.orchestrator == "slurm":
            raise validation("Cluster policies need a cluster that Amazon EKS orchestrates; this one has Slurm.")
        tags = self._tags.checked(body.get("Tags", []))
        policy = Policy(
            sent=body["SchedulerConfig"],
            config=_with_defaults(body["SchedulerConfig"]),
            description=body.get("Description"),
        )
        claim = ("name", body["Name"])
        taken = conflict(f"A cluster scheduler config named {body['Name']} exists in the cluster.")
        limit = request.settings.max_scheduler_configs_per_cluster
        created = self.store.create(request, policy, [(claim, taken)], limit)
        self._tags.begin(created.arn, tags)
        return {"ClusterSchedulerConfigArn": created.arn, "ClusterSchedulerConfigId": created.id}

    def update(self, request: Request) -> JsonObject:
        found = self.store.to_update(request, request.body["ClusterSchedulerConfigId"])
        revised = self.store.revise(request, found, _revised(found.content, request.body))
        return {
            "ClusterSchedulerConfigArn": revised.arn,
            "ClusterSchedulerConfigVersion": revised.revisions[-1].version,
        }

    def update_unasked(self, request: Request, changes: Mapping[str, Any]) -> None:
        """Another user's update of the same policy: the changes laid over what it holds, no version asked."""
        found = self.store.open_to_others(request, request.body["ClusterSchedulerConfigId"])
        if found is not None:
            body = merged({"SchedulerConfig": found.content.sent}, changes)
            self.store.revise(request, found, _revised(found.content, body))

    def describe(self, request: Request) -> JsonObject:
        body = request.body
        version = body.get("ClusterSchedulerConfigVersion")
        view = self.store.view(request, body["ClusterSchedulerConfigId"], version)
        policy, status = view.revision.content, view.phase.status
        answer = _summary(view) | {
            "SchedulerConfig": _config(view, request),
            "CreatedBy": {"IamIdentity": {"Arn": view.resource.created_by}},
            "LastModifiedBy": {"IamIdentity": {"Arn": view.revision.by}},
        }
        if policy.description is not None:
            answer["Description"] = policy.description
        if status not in AT_REST:
            answer["StatusDetails"] = dict.fromkeys(policy.config, status)
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
            },
        )
        answer: JsonObject = {"ClusterSchedulerConfigSummaries": [_summary(view) for view in views]}
        return answer if token is None else answer | {"NextToken": token}

    def delete(self, request: Request) -> JsonObject:
        self.store.remove(request, request.body["ClusterSchedulerConfigId"])
        return {}


def _with_defaults(config: JsonObject) -> JsonObject:
    return {"PriorityClasses": [], "FairShare": "Enabled", "IdleResourceSharing": "Disabled", **config}


def _revised(held: Policy, body: Mapping[str, Any]) -> Policy:
    """What the policy holds after an update: a member that was sent replaces the old one as a whole."""
    if "SchedulerConfig" in body:
        config = body["SchedulerConfig"]
        held = replace(held, sent=config, config=_with_defaults(config))
    return replace(held, description=body.get("Description", held.description))


def _config(view: View[Policy], request: Request) -> JsonObject:
    """The config with its priority classes in the order of the `shuffle_lists` setting."""
    config = view.revision.content.config
    if request.settings.shuffle_lists is None:
        return config
    seed = f"{request.settings.shuffle_lists}/{view.resource.id}/{view.revision.version}"
    return config | {"PriorityClasses": reordered(config["PriorityClasses"], seed)}


def _summary(view: View[Policy]) -> JsonObject:
    return {
        "ClusterSchedulerConfigArn": view.resource.arn,
        "ClusterSchedulerConfigId": view.resource.id,
        "ClusterSchedulerConfigVersion": view.revision.version,
        "Name": view.resource.name,
        "CreationTime": view.resource.created_at,
        "LastModifiedTime": to_milliseconds(view.revision.at),
        "Status": view.phase.status,
        "ClusterArn": view.resource.cluster_arn,
    }
