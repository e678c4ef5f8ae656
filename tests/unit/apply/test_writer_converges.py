"""The writer brings a cluster to what the policy says, and does nothing when it is there."""

from governor.apply import Event
from governor.plan import NOTHING_DESIRED, Change
from tests.support.world import World, two_teams

CLUSTER_POLICY = """
clusterPolicy:
  priorityClasses: [{name: inference, weight: 90}, {name: training, weight: 70}]
  fairShare: Enabled
"""


def test_a_first_apply_creates_and_the_second_calls_nothing_that_writes(world: World) -> None:
    text = two_teams(cluster_policy=CLUSTER_POLICY)

    first = world.apply(text)
    written = world.writes()
    second = world.apply(text)

    assert (first.verdict, second.verdict) == ("Applied", "Unchanged")
    assert sorted(written) == ["CreateClusterSchedulerConfig", "CreateComputeQuota", "CreateComputeQuota"]
    assert world.writes() == written
    assert world.counts() == {"team-a": 2, "team-b": 2}
    assert all(quota["Status"] == "Created" for quota in world.quotas().values())


def test_an_unchanged_run_lists_and_describes_no_quota(world: World) -> None:
    world.apply(two_teams())
    before = len(world.calls())

    world.apply(two_teams())

    assert world.calls()[before:] == ["DescribeCluster", "ListComputeQuotas", "ListClusterSchedulerConfigs"]


def test_a_declared_description_costs_one_describe(world: World) -> None:
    text = two_teams(extra="  - {name: team-c, quota: [], description: Research}\n")
    world.apply(text)
    before = len(world.calls())

    outcome = world.apply(text)

    assert outcome.verdict == "Unchanged"
    assert world.calls()[before:].count("DescribeComputeQuota") == 1


def test_a_changed_description_alone_is_sent(world: World) -> None:
    world.apply(two_teams(extra="  - {name: team-c, quota: [], description: Old}\n"))

    outcome = world.apply(two_teams(extra="  - {name: team-c, quota: [], description: New}\n"))

    assert outcome.verdict == "Applied"
    assert world.quotas()["team-c"]["Description"] == "New"
    assert [change for result in outcome.results for change in result.step.changes] == [
        Change("description", "Old", "New")
    ]


def test_what_shrinks_is_steady_before_what_grows_is_called(world: World) -> None:
    world.apply(two_teams(3, 1))

    outcome = world.apply(two_teams(1, 3), concurrency=4)

    assert outcome.verdict == "Applied"
    assert [result.step.team for result in outcome.results] == ["team-a", "team-b"]
    calls = world.calls()
    last_updates = [place for place, name in enumerate(calls) if name == "UpdateComputeQuota"]
    assert calls[last_updates[0] : last_updates[1]].count("DescribeComputeQuota") >= 2
    assert world.counts() == {"team-a": 1, "team-b": 3}


def test_an_update_keeps_what_the_policy_does_not_declare(world: World) -> None:
    world.apply(two_teams())
    world.console_edit(
        "team-a",
        ComputeQuotaConfig={
            "ComputeQuotaResources": [{"InstanceType": "ml.g5.8xlarge", "Count": 2}],
            "ResourceSharingConfig": {"Strategy": "LendAndBorrow", "BorrowLimit": 200},
            "PreemptTeamTasks": "Never",
        },
        ComputeQuotaTarget={"TeamName": "team-a", "FairShareWeight": 10},
    )

    outcome = world.apply(two_teams(1, 2))

    config = world.quotas()["team-a"]["ComputeQuotaConfig"]
    assert outcome.verdict == "Applied"
    assert config["ResourceSharingConfig"]["BorrowLimit"] == 200
    assert config["PreemptTeamTasks"] == "Never"
    assert world.counts()["team-a"] == 1


def test_amounts_that_are_no_longer_declared_are_filled_in_again_once(world: World) -> None:
    entry = "{instanceType: ml.g5.8xlarge, accelerators: 1, vCpu: 8}"
    extra = "  - {name: team-c, quota: [%s], fairShareWeight: 1}\n"
    world.apply(two_teams(1, 1, extra=extra % entry))
    assert world.quotas()["team-c"]["ComputeQuotaConfig"]["ComputeQuotaResources"][0]["VCpu"] == 8

    text = two_teams(1, 1, extra=extra % "{instanceType: ml.g5.8xlarge, accelerators: 1}")
    outcomes = [world.apply(text).verdict for _ in range(2)]

    assert outcomes == ["Applied", "Unchanged"]
    assert world.quotas()["team-c"]["ComputeQuotaConfig"]["ComputeQuotaResources"][0]["VCpu"] == 32


def test_a_console_users_change_is_seen_attributed_and_taken_back(world: World) -> None:
    world.apply(two_teams())
    world.console_edit("team-b", ComputeQuotaTarget={"TeamName": "team-b", "FairShareWeight": 99})

    outcome = world.apply(two_teams())

    assert outcome.verdict == "Applied"
    assert [(change.title, change.by, change.changes) for change in outcome.foreign] == [
        (
            "team team-b",
            "arn:aws:iam::123456789012:user/console-user",
            (Change("fair-share weight", "10", "99"),),
        )
    ]
    assert world.quotas()["team-b"]["ComputeQuotaTarget"]["FairShareWeight"] == 10


def test_an_own_transition_under_way_is_waited_for_without_a_write(world: World) -> None:
    world.apply(two_teams())
    world.console_edit("team-a", settle=False, ActivationState="Enabled")
    before = len(world.writes())

    outcome = world.apply(two_teams())

    assert outcome.verdict == "Unchanged"
    assert len(world.writes()) == before
    assert world.quotas()["team-a"]["Status"] == "Updated"


def test_a_transition_under_way_ends_before_the_update_is_planned(world: World) -> None:
    world.apply(two_teams())
    world.console_edit("team-a", settle=False, ComputeQuotaTarget={"TeamName": "team-a", "FairShareWeight": 3})

    outcome = world.apply(two_teams())

    assert outcome.verdict == "Applied"
    assert [result.state for result in outcome.results] == ["moved", "done"]
    assert world.calls().count("UpdateComputeQuota") == 2
    assert world.quotas()["team-a"]["ComputeQuotaTarget"]["FairShareWeight"] == 10


def test_a_quota_that_somebody_is_deleting_is_created_again_when_it_is_gone(world: World) -> None:
    world.apply(two_teams())
    old = world.quotas()["team-a"]["ComputeQuotaId"]
    world.direct.call("DeleteComputeQuota", user="console-user", ComputeQuotaId=old)

    outcome = world.apply(two_teams())

    assert outcome.verdict == "Applied"
    assert world.quotas()["team-a"]["ComputeQuotaId"] != old
    assert world.calls().count("DeleteComputeQuota") == 1


def test_the_cluster_policy_is_changed_in_place(world: World) -> None:
    world.apply(two_teams(cluster_policy=CLUSTER_POLICY))

    outcome = world.apply(two_teams(cluster_policy=CLUSTER_POLICY.replace("weight: 70", "weight: 95")))

    assert outcome.verdict == "Applied"
    assert [change for result in outcome.results for change in result.step.changes] == [
        Change("order of priorities", "inference 90 > training 70", "training 95 > inference 90")
    ]


def test_leaving_the_cluster_policy_out_leaves_it_alone(world: World) -> None:
    world.apply(two_teams(cluster_policy=CLUSTER_POLICY))

    outcome = world.apply(two_teams())

    assert outcome.verdict == "Unchanged"
    assert len(world.direct.call("ListClusterSchedulerConfigs")["ClusterSchedulerConfigSummaries"]) == 1
    assert [item.resource for item in outcome.plan.unmanaged] == ["cluster policy"]


def test_a_removed_policy_deletes_all_that_is_its_own_and_nothing_else(world: World) -> None:
    world.direct.create_quota(world.arn, "foreign")
    world.direct.advance(60)
    world.apply(two_teams(1, 1, cluster_policy=CLUSTER_POLICY))
    held = world.apply(NOTHING_DESIRED, max_teams_removed=10)

    removed = world.apply(NOTHING_DESIRED, max_teams_removed=10, approve=held.plan.fingerprint)

    assert held.verdict == "Held"
    assert "deletes the cluster policy" in held.plan.held
    assert removed.verdict == "Applied"
    assert set(world.quotas()) == {"foreign"}


def test_a_cluster_made_again_under_the_same_name_inherits_nothing(world: World) -> None:
    world.apply(two_teams())
    world.direct.service.state.clusters.remove("us-west-2", "ml-research")
    world.arn = world.direct.add_cluster(instanceGroups=[{"name": "gpu", "instanceType": "ml.g5.8xlarge", "count": 4}])
    world.direct.create_quota(world.arn, "team-b", Name="team-b-quota")
    world.direct.advance(60)

    outcome = world.apply("version: 1\ncluster: ml-research\nteams: []\n")

    assert outcome.verdict == "Unchanged"
    assert set(world.quotas()) == {"team-b"}


def test_running_out_of_time_says_where_and_the_next_run_carries_on(world: World) -> None:
    stopped = world.apply(two_teams(), deadline=15)
    carried_on = world.apply(two_teams())

    assert stopped.verdict == "InProgress"
    assert "1 of 2 steps done" in stopped.reason
    assert "team team-b is still Creating" in stopped.reason
    assert carried_on.verdict == "Unchanged"
    assert world.calls().count("CreateComputeQuota") == 2


def test_no_time_at_all_calls_nothing_that_writes(world: World) -> None:
    outcome = world.apply(two_teams(), deadline=0)

    assert outcome.verdict == "InProgress"
    assert world.writes() == []


def test_teams_that_swap_types_in_a_full_cluster_meet_no_conflict_of_their_own_making(world: World) -> None:
    world.direct.add_cluster(
        "two-types",
        instanceGroups=[
            {"name": "a", "instanceType": "ml.g5.8xlarge", "count": 2},
            {"name": "b", "instanceType": "ml.g6.8xlarge", "count": 2},
        ],
    )
    text = """
version: 1
cluster: two-types
teams:
  - {name: team-a, quota: [{instanceType: ml.g5.8xlarge, count: %s}, {instanceType: ml.g6.8xlarge, count: %s}]}
  - {name: team-b, quota: [{instanceType: ml.g5.8xlarge, count: %s}, {instanceType: ml.g6.8xlarge, count: %s}]}
"""
    world.name = "two-types"
    world.apply(text % (2, 0, 0, 2))

    outcome = world.apply(text % (0, 2, 2, 0))

    assert outcome.verdict == "Applied"
    assert [result.state for result in outcome.results] == ["done"] * 4
    assert outcome.foreign == ()


def test_a_quota_that_somebody_deleted_is_said_to_be_deleted_and_made_again(world: World) -> None:
    world.apply(two_teams())
    world.direct.call("DeleteComputeQuota", user="console", ComputeQuotaId=world.quotas()["team-a"]["ComputeQuotaId"])
    world.direct.advance(60)

    outcome = world.apply(two_teams())

    assert outcome.verdict == "Applied"
    assert [(change.title, change.changes) for change in outcome.foreign] == [
        ("team team-a", (Change("compute quota", "there", "deleted"),))
    ]


def test_a_quota_that_somebody_made_again_as_it_was_is_ours_from_then_on(world: World) -> None:
    text = two_teams().replace(", fairShareWeight: 10", "")
    world.apply(text)
    world.direct.call("DeleteComputeQuota", user="console", ComputeQuotaId=world.quotas()["team-b"]["ComputeQuotaId"])
    world.direct.advance(60)
    world.direct.create_quota(world.arn, "team-b", Name="team-b-quota")
    world.direct.advance(60)
    assert world.apply(text).verdict == "Unchanged"

    held = world.apply(text.replace("  - {name: team-b", "  # - {name: team-b"))

    assert held.plan.held == ("removes team team-b",)


def test_a_cluster_policy_changed_at_the_console_is_attributed(world: World) -> None:
    text = two_teams(cluster_policy=CLUSTER_POLICY)
    world.apply(text)
    (summary,) = world.direct.call("ListClusterSchedulerConfigs")["ClusterSchedulerConfigSummaries"]
    world.direct.call(
        "UpdateClusterSchedulerConfig",
        user="console",
        ClusterSchedulerConfigId=summary["ClusterSchedulerConfigId"],
        TargetVersion=1,
        SchedulerConfig={"FairShare": "Disabled"},
    )
    world.direct.advance(60)

    outcome = world.apply(text)

    assert outcome.verdict == "Applied"
    assert [(change.title, change.by.rpartition("/")[2]) for change in outcome.foreign] == [
        ("cluster policy", "console")
    ]


def test_somebody_who_updates_a_quota_right_after_it_was_made_is_noticed(world: World) -> None:
    struck = False

    def strike(event: Event) -> None:
        nonlocal struck
        if event.kind == "status" and event.detail == "Creating" and not struck:
            struck = True
            world.direct.advance(60)
            world.console_edit(
                "team-a",
                ComputeQuotaConfig={"ComputeQuotaResources": [{"InstanceType": "ml.g5.8xlarge", "Count": 4}]},
            )

    outcome = world.apply(two_teams(), listener=strike)

    assert outcome.verdict == "Applied"
    assert world.counts() == {"team-a": 2, "team-b": 2}
