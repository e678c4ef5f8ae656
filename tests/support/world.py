"""A cluster on a control plane without sockets, and a writer for it: what tests of applying begin with."""

from collections.abc import Callable
from typing import Any

import msgspec

from governor.apply import Event, Outcome, Writer, WriterSettings, read_live
from governor.aws.service_model import service_limits
from governor.plan import Desired, Plan, Rules, desired_by, plan
from governor.policy import Policy, parse_policy
from governor.quota import Catalogue, bundled_instances
from local.hyperpod.clusters import ClusterChange
from local.hyperpod.direct import Direct
from tests.support.direct_client import DirectClock, governance
from tests.support.records import MemoryRecords


def policy_of(text: str) -> Policy:
    """A policy from YAML that must be right."""
    parsed = parse_policy(text.encode(), service_limits())
    assert parsed.policy is not None, parsed.diagnostics
    return parsed.policy


def two_teams(a: int = 2, b: int = 2, *, extra: str = "", cluster_policy: str = "") -> str:
    """A policy for two teams with so many instances each."""
    return f"""
version: 1
cluster: ml-research
{cluster_policy}
teams:
  - {{name: team-a, quota: [{{instanceType: ml.g5.8xlarge, count: {a}}}], fairShareWeight: 10}}
  - {{name: team-b, quota: [{{instanceType: ml.g5.8xlarge, count: {b}}}], fairShareWeight: 10}}
{extra}
"""


class World:
    """One cluster, its records, and everything that was told while applying."""

    def __init__(self, count: int = 4, **settings: Any) -> None:
        self.direct = Direct({"transition_seconds": 10, "default_page_size": 100, **settings})
        self.name = "ml-research"
        self.arn = self.direct.add_cluster(
            instanceGroups=[{"name": "gpu", "instanceType": "ml.g5.8xlarge", "count": count}]
        )
        self.api = governance(self.direct)
        self.records = MemoryRecords()
        self.clock = DirectClock(self.direct)
        self.instances: Catalogue = bundled_instances()
        self.events: list[Event] = []

    def desired(self, text: str) -> Desired:
        """What a policy text wants."""
        return desired_by(policy_of(text))

    def plan(self, text: str, **rules: Any) -> Plan:
        """A plan from now."""
        desired = self.desired(text)
        live = read_live(self.api, self.api.clusters.describe(self.name), desired, self.instances)
        return plan(desired, live, self.records.load(self.arn), Rules(**rules))

    def apply(
        self,
        text: str | Desired,
        *,
        approve: str | None = None,
        deadline: float | None = None,
        concurrency: int = 1,
        listener: Callable[[Event], None] | None = None,
        **rules: Any,
    ) -> Outcome:
        """Apply a policy text."""
        desired = self.desired(text) if isinstance(text, str) else text

        def listen(event: Event) -> None:
            self.events.append(event)
            if listener is not None:
                listener(event)

        settings = WriterSettings(Rules(**rules), concurrency, deadline)
        writer = Writer(self.api, self.records, self.clock, settings, listen)
        cluster = self.api.clusters.describe(self.name)
        return writer.apply(desired, cluster, self.instances, approve)

    def resize(self, count: int) -> None:
        """The cluster's instance group gets another number of nodes."""
        change = msgspec.convert({"instanceGroups": [{"name": "gpu", "count": count}]}, ClusterChange)
        self.direct.service.state.clusters.change("us-west-2", "ml-research", change)

    def calls(self, *operations: str) -> list[str]:
        """The operations called so far, all or those named."""
        made = [call.operation for call in self.direct.service.journal.calls]
        return [name for name in made if not operations or name in operations]

    def writes(self) -> list[str]:
        """The calls so far that change something."""
        return [name for name in self.calls() if name.startswith(("Create", "Update", "Delete"))]

    def quotas(self) -> dict[str, dict[str, Any]]:
        """What DescribeComputeQuota now says, by team; deleted ones left out."""
        listed = self.direct.call("ListComputeQuotas", ClusterArn=self.arn, MaxResults=100)["ComputeQuotaSummaries"]
        return {
            item["ComputeQuotaTarget"]["TeamName"]: self.direct.call(
                "DescribeComputeQuota", ComputeQuotaId=item["ComputeQuotaId"]
            )
            for item in listed
            if item["Status"] != "Deleted"
        }

    def counts(self) -> dict[str, int]:
        """Instances per team."""
        return {
            team: sum(entry.get("Count", 0) for entry in quota["ComputeQuotaConfig"]["ComputeQuotaResources"])
            for team, quota in self.quotas().items()
        }

    def console_edit(self, team: str, *, settle: bool = True, **members: Any) -> None:
        """A person at the console changes a quota."""
        quota = self.quotas()[team]
        self.direct.call(
            "UpdateComputeQuota",
            user="console-user",
            ComputeQuotaId=quota["ComputeQuotaId"],
            TargetVersion=quota["ComputeQuotaVersion"],
            **members,
        )
        if settle:
            self.direct.advance(60)
