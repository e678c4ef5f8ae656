"""A control plane called in the same thread, without HTTP, on a clock that is moved by hand.

For tests of its rules: nothing waits, and a minute passes in no time.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from local.hyperpod.clock import ManualClock
from local.hyperpod.clusters import ClusterSpec
from local.hyperpod.errors import ApiError
from local.hyperpod.faults import AnyRule
from local.hyperpod.lifecycle import Phase
from local.hyperpod.request import Caller, JsonObject
from local.hyperpod.service import Service
from local.hyperpod.settings import Settings

REGION = "us-west-2"


class Direct:
    def __init__(self, settings: Mapping[str, Any] | None = None) -> None:
        self.clock = ManualClock()
        self.service = Service(self.clock, Settings().changed(dict(settings or {})))

    def call(self, operation: str, *, user: str = "admin", region: str = REGION, **body: Any) -> JsonObject:
        """The answer's members. Raises ApiError for an error answer."""
        answer = self.service.call(operation, body, Caller(user, region))
        shown = answer.body or {}
        if answer.status != 200:
            raise ApiError(shown["__type"], shown["Message"], answer.status)
        return shown

    def add_cluster(self, name: str = "ml-research", **spec: Any) -> str:
        """A new cluster's ARN; `spec` as in `POST /_admin/clusters`."""
        cluster = msgspec.convert({"name": name, **spec}, ClusterSpec)
        return self.service.state.clusters.add(cluster, self.clock.now()).arn

    def create_quota(self, cluster_arn: str, team: str = "vision", **members: Any) -> str:
        """A new compute quota's id: two instances for the team, unless `members` say otherwise."""
        body = {
            "Name": f"{team}-quota",
            "ClusterArn": cluster_arn,
            "ComputeQuotaConfig": {"ComputeQuotaResources": [{"InstanceType": "ml.g5.8xlarge", "Count": 2}]},
            "ComputeQuotaTarget": {"TeamName": team},
        }
        quota_id: str = self.call("CreateComputeQuota", **{**body, **members})["ComputeQuotaId"]
        return quota_id

    def create_policy(self, cluster_arn: str, name: str = "policy", **members: Any) -> str:
        """A new cluster policy's id, with one priority class unless `members` say otherwise."""
        body = {
            "Name": name,
            "ClusterArn": cluster_arn,
            "SchedulerConfig": {"PriorityClasses": [{"Name": "training", "Weight": 75}]},
        }
        answer = self.call("CreateClusterSchedulerConfig", **{**body, **members})
        policy_id: str = answer["ClusterSchedulerConfigId"]
        return policy_id

    def fault(self, operation: str, action: str, **details: Any) -> None:
        rule: AnyRule = msgspec.convert({"operation": operation, "action": action, **details}, AnyRule)
        self.service.faults.add(rule)

    def settings(self, **changes: Any) -> None:
        self.service.settings = self.service.settings.changed(changes)

    def force_status(self, resource_id: str, status: str, reason: str | None = None) -> None:
        self.service.state.force_status(resource_id, Phase(self.clock.now(), status, reason))

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
