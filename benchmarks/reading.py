"""What it takes to know the live state of N quotas: calls, and time at 30 ms a call."""

import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.account import LATENCY_SECONDS, Account, open_account
from benchmarks.figure import Figure, Target, number
from benchmarks.samples import Sample
from benchmarks.teams import CLUSTER, policy
from governor.apply import read_live
from governor.plan import Desired, Plan, Record, desired_by, plan
from governor.plan.compare import cluster_policy_request, quota_request
from governor.plan.memory import applied
from governor.policy import DEFAULT_CLUSTER_POLICY_NAME
from governor.quota import bundled_instances

_PAGE = 100
_POLICY_CALLS = {"DescribeCluster": 1, "ListClusterSchedulerConfigs": 1, "DescribeClusterSchedulerConfig": 1}
_LIST, _DESCRIBE = "ListComputeQuotas", "DescribeComputeQuota"


def measure(*, quick: bool) -> Sequence[Figure]:
    """One figure: the quotas of one cluster grow from size to size."""
    rounds = 2 if quick else 5
    sizes = (0, 1, 100, 101, 1_000)
    rows, targets = [], []
    with open_account(transition_seconds=0) as account:
        whole = desired_by(policy(sizes[-1]))
        _make_cluster_policy(account, whole)
        made = 0
        for size in sizes:
            desired = Desired(whole.teams[:size], whole.cluster_policy)
            _make_quotas(account, desired, made)
            made = size
            account.calls()
            _read(account, desired)
            calls = account.calls()
            lists, describes = calls.pop(_LIST, 0), calls.pop(_DESCRIBE, 0)
            others = sum(calls.values())
            expected = max(1, math.ceil(size / _PAGE))
            targets.append(Target(f"calls about {size:,} unchanged quotas", lists + describes, expected))
            if calls != _POLICY_CALLS:
                targets.append(Target(f"other calls for {size:,} quotas", others, len(_POLICY_CALLS)))
            wall, cpu = _timed(account, desired, rounds)
            rows.append(
                [
                    f"{size:,}",
                    str(lists),
                    str(describes),
                    str(others),
                    *(number(value * 1000) for value in (wall.low, wall.median, wall.high, cpu.median)),
                ]
            )
    return [
        Figure(
            f"read: the live state and a plan without a step, ms at {LATENCY_SECONDS * 1000:.0f} ms a call",
            ["quotas", _LIST, _DESCRIBE, "other calls", "min", "median", "max", "CPU"],
            rows,
            targets,
            [
                f"{rounds} rounds each. The other calls are DescribeCluster, and List and Describe of the one cluster "
                "policy. No quota at all still takes one List call to know. CPU is that of the client's process, the "
                "control plane's own work is part of the time."
            ],
        )
    ]


def _make_cluster_policy(account: Account, desired: Desired) -> None:
    declared = desired.cluster_policy
    assert declared is not None
    assert declared != "Absent"
    request = cluster_policy_request(declared, DEFAULT_CLUSTER_POLICY_NAME, None)
    account.api.cluster_policies.create(account.cluster_arn, request)


def _make_quotas(account: Account, desired: Desired, start: int) -> None:
    account.plane.settings(latency_seconds=0)
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(
            lambda team: account.api.quotas.create(account.cluster_arn, quota_request(team, None)),
            desired.teams[start:],
        ):
            pass


def _read(account: Account, desired: Desired) -> Plan:
    """What `governor plan` does after it has read the file; the record says that all of it is ours."""
    instances = bundled_instances()
    cluster = account.api.clusters.describe(CLUSTER)
    live = read_live(account.api, cluster, desired, instances)
    record = applied(Record(cluster.arn, cluster.name), desired, live, ())
    made = plan(desired, live, record)
    if made.steps or made.unchanged != len(desired.teams) + 1:
        raise ValueError(f"{len(made.steps)} steps and {made.unchanged} unchanged of {len(desired.teams)} teams")
    return made


def _timed(account: Account, desired: Desired, rounds: int) -> tuple[Sample, Sample]:
    account.plane.settings(latency_seconds=LATENCY_SECONDS)
    wall, cpu = [], []
    for _ in range(rounds):
        began, spent = time.perf_counter(), time.process_time()
        _read(account, desired)
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - spent)
    return Sample(tuple(wall)), Sample(tuple(cpu))
