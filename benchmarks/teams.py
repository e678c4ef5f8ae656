"""Policies of many teams, as text, as typed data and as the live state that they lead to."""

import functools

from governor.aws.service_model import service_limits
from governor.plan import Live, LiveClusterPolicy, Quota
from governor.policy import DEFAULT_CLUSTER_POLICY_NAME, Bounds, Policy, Team, parse_policy
from governor.quota import Cluster, InstanceGroup, bundled_instances, fill_in

CLUSTER = "ml-research"
ARN = "arn:aws:sagemaker:us-west-2:123456789012:cluster/benchmark000"
INSTANCES = {"ml.g5.8xlarge": 6000, "ml.p5.48xlarge": 6000}
"""The cluster's instance groups: room for what 1,000 teams are promised."""
BOUNDS = Bounds(size=1 << 24, nodes=10_000_000)
"""Bounds beyond the product's own, for files that it would refuse as too large."""

_HEAD = f"""\
version: 1
cluster: {CLUSTER}
clusterPolicy:
  priorityClasses:
    - {{name: inference, weight: 90}}
    - {{name: experimentation, weight: 80}}
    - {{name: training, weight: 70}}
    - {{name: fine-tuning, weight: 50}}
  fairShare: Enabled
teams:
"""


def policy_text(teams: int) -> bytes:
    """A policy file as people write it, about 300 bytes a team."""
    return (_HEAD + "".join(_team_text(number) for number in range(1, teams + 1))).encode()


def _team_text(number: int) -> str:
    return f"""\
  - name: research-{number:05}
    fairShareWeight: {number % 100 + 1}
    quota:
      - {{instanceType: ml.g5.8xlarge, count: {number % 4 + 1}}}
      - {{instanceType: ml.p5.48xlarge, accelerators: {number % 4 + 1}, vCpu: 24, memoryInGiB: 256}}
    sharing: {{strategy: LendAndBorrow, borrowLimit: {number % 9 * 10 + 20}}}
    preemptTeamTasks: LowerPriority
    activation: Enabled
"""


@functools.cache
def policy(teams: int) -> Policy:
    """The same, read."""
    parsed = parse_policy(policy_text(teams), service_limits(), bounds=BOUNDS)
    if parsed.policy is None:
        raise ValueError(f"the benchmark's own policy is refused: {parsed.diagnostics[0].text}")
    return parsed.policy


def live_after(policy: Policy) -> Live:
    """The state in which the service is after the policy was applied, with its fill-ins, newest quota first."""
    declared = policy.cluster_policy
    return Live(
        cluster=Cluster(
            ARN,
            CLUSTER,
            "InService",
            "eks",
            tuple(InstanceGroup(kind, kind, 10 * count) for kind, count in INSTANCES.items()),
        ),
        quotas=tuple(_quota(number, team) for number, team in reversed(list(enumerate(policy.teams)))),
        cluster_policies=()
        if declared is None
        else (
            LiveClusterPolicy(
                "policy00",
                declared.name or DEFAULT_CLUSTER_POLICY_NAME,
                "Created",
                1,
                declared.priority_classes,
                declared.fair_share,
                declared.idle_resource_sharing,
            ),
        ),
        instances=bundled_instances(),
    )


def _quota(number: int, team: Team) -> Quota:
    instances = bundled_instances()
    return Quota(
        id=f"quota{number:07}",
        name=team.effective_quota_name,
        team=team.name,
        status="Created",
        version=1,
        entries=tuple(fill_in(entry, instances[entry.instance_type]) for entry in team.quota),
        sharing=team.sharing,
        preempt_team_tasks=team.preempt_team_tasks,
        fair_share_weight=team.fair_share_weight,
        activation=team.activation,
    )
