"""What the writer does not do without somebody's approval, or at all."""

from governor.plan import Live, plan
from tests.support.world import World, two_teams


def test_dropping_a_team_is_held_and_changes_nothing_at_all(world: World) -> None:
    world.apply(two_teams())
    before = world.writes()

    outcome = world.apply("""
version: 1
cluster: ml-research
teams:
  - {name: team-a, quota: [{instanceType: ml.g5.8xlarge, count: 1}], fairShareWeight: 10}
""")

    assert outcome.verdict == "Held"
    assert "removes team team-b" in outcome.reason
    assert world.writes() == before
    assert world.counts() == {"team-a": 2, "team-b": 2}


ONE_TEAM = """
version: 1
cluster: ml-research
teams:
  - {name: team-a, quota: [{instanceType: ml.g5.8xlarge, count: 4}], fairShareWeight: 10}
"""


def test_an_approved_removal_is_carried_out(world: World) -> None:
    world.apply(two_teams())
    held = world.apply(ONE_TEAM)

    outcome = world.apply(ONE_TEAM, approve=held.plan.fingerprint)

    assert outcome.verdict == "Applied"
    assert world.counts() == {"team-a": 4}
    assert [result.step.action for result in outcome.results] == ["delete", "update"]


def test_a_changed_world_makes_an_approval_void(world: World) -> None:
    world.apply(two_teams())
    held = world.apply(ONE_TEAM)
    world.console_edit("team-b", ComputeQuotaTarget={"TeamName": "team-b", "FairShareWeight": 77})
    before = world.writes()

    outcome = world.apply(ONE_TEAM, approve=held.plan.fingerprint)

    assert outcome.verdict == "Held"
    assert f"{held.plan.fingerprint} approves another plan" in outcome.reason
    assert outcome.plan.fingerprint != held.plan.fingerprint
    assert world.writes() == before


def test_more_nodes_make_an_approval_void_too(world: World) -> None:
    world.apply(two_teams())
    held = world.apply(ONE_TEAM)
    world.resize(8)

    assert world.apply(ONE_TEAM, approve=held.plan.fingerprint).verdict == "Held"


def test_the_owner_may_allow_removals_up_to_a_number(world: World) -> None:
    world.apply(two_teams())

    assert world.apply(ONE_TEAM, max_teams_removed=1).verdict == "Applied"
    assert world.counts() == {"team-a": 4}


def test_an_emptied_file_is_held_whatever_number_is_allowed(world: World) -> None:
    world.apply(two_teams())

    outcome = world.apply("version: 1\ncluster: ml-research\nteams: []\n", max_teams_removed=100)

    assert outcome.verdict == "Held"
    assert outcome.plan.held == ("removes team team-a", "removes team team-b")


def test_an_approved_removal_that_was_cut_short_is_carried_on_without_asking_again(world: World) -> None:
    world.apply(two_teams())
    held = world.apply(ONE_TEAM)
    cut = world.apply(ONE_TEAM, approve=held.plan.fingerprint, deadline=5)

    outcome = world.apply(ONE_TEAM)

    assert (cut.verdict, outcome.verdict) == ("InProgress", "Applied")
    assert world.counts() == {"team-a": 4}


def test_an_old_approval_does_not_cover_another_policy(world: World) -> None:
    world.apply(two_teams(extra="  - {name: team-c, quota: [], fairShareWeight: 1}\n"))
    held = world.apply(two_teams())
    world.direct.fault("DeleteComputeQuota", "stuck", times=None)
    assert world.apply(two_teams(), approve=held.plan.fingerprint, deadline=30).verdict == "InProgress"

    assert world.apply(ONE_TEAM).verdict == "Held"


def test_renaming_a_quota_replaces_it_and_is_held(world: World) -> None:
    world.apply(two_teams())
    renamed = two_teams().replace("{name: team-a, ", "{name: team-a, quotaName: vision-2027, ")

    held = world.apply(renamed)
    outcome = world.apply(renamed, approve=held.plan.fingerprint)

    assert held.verdict == "Held"
    assert held.plan.held == ("replaces the quota 'team-a-quota' of team team-a",)
    assert outcome.verdict == "Applied"
    assert world.quotas()["team-a"]["Name"] == "vision-2027"
    assert len(world.quotas()) == 2


def test_a_team_with_a_foreign_quota_under_another_name_is_never_given_a_second_one(world: World) -> None:
    world.direct.create_quota(world.arn, "team-a", Name="made-at-the-console")
    world.direct.advance(60)
    before = world.writes()

    refused = world.apply(two_teams())
    adopted = world.apply(two_teams().replace("{name: team-a, ", "{name: team-a, quotaName: made-at-the-console, "))

    assert refused.verdict == "Rejected"
    assert "add 'quotaName: made-at-the-console'" in refused.reason
    assert refused.plan.refusals[0].path == ("teams", 0, "name")
    assert adopted.verdict == "Applied"
    assert world.quotas()["team-a"]["Name"] == "made-at-the-console"
    assert world.writes()[len(before) :].count("CreateComputeQuota") == 1


def test_a_cluster_policy_under_another_name_is_never_created_twice(world: World) -> None:
    world.direct.create_policy(world.arn, "made-at-the-console")
    world.direct.advance(60)
    text = two_teams(cluster_policy="clusterPolicy: {fairShare: Enabled}")

    refused = world.apply(text)

    assert refused.verdict == "Rejected"
    assert "add 'name: made-at-the-console' to clusterPolicy" in refused.reason
    assert "CreateComputeQuota" not in world.writes()


def test_a_quota_name_that_belongs_to_another_team_is_refused(world: World) -> None:
    world.direct.create_quota(world.arn, "someone", Name="team-a-quota")
    world.direct.advance(60)

    refused = world.apply(two_teams(1, 1))

    assert refused.verdict == "Rejected"
    assert "the quota name 'team-a-quota' that team 'team-a' would get belongs to team 'someone'" in refused.reason


def test_what_somebody_else_made_is_reported_and_left_alone(world: World) -> None:
    world.direct.create_quota(world.arn, "foreign")
    world.direct.advance(60)
    world.apply(two_teams(1, 1))

    outcome = world.apply("version: 1\ncluster: ml-research\nteams: []\n", max_teams_removed=5)

    assert [item.team for item in outcome.plan.unmanaged] == ["foreign"]
    assert [step.team for step in outcome.plan.steps] == ["team-a", "team-b"]


def test_a_quota_made_again_by_somebody_under_our_name_is_not_ours_to_delete(world: World) -> None:
    world.apply(two_teams())
    world.direct.call("DeleteComputeQuota", user="console", ComputeQuotaId=world.quotas()["team-b"]["ComputeQuotaId"])
    world.direct.advance(60)
    world.direct.create_quota(world.arn, "team-b", Name="team-b-quota")
    world.direct.advance(60)

    outcome = world.apply(ONE_TEAM.replace("count: 4", "count: 2"))

    assert outcome.verdict == "Unchanged"
    assert set(world.quotas()) == {"team-a", "team-b"}
    assert [item.team for item in outcome.plan.unmanaged] == ["team-b"]


def test_promising_more_than_the_cluster_has_is_refused(world: World) -> None:
    outcome = world.apply(two_teams(3, 2))

    assert outcome.verdict == "Rejected"
    assert "guaranteed 5 accelerators of ml.g5.8xlarge, but the cluster has 4: 1 too many" in outcome.reason
    assert world.writes() == []


def test_the_owner_may_allow_promising_more(world: World) -> None:
    outcome = world.apply(two_teams(3, 2), overcommit="warning")

    assert outcome.verdict == "Applied"
    assert [finding.code for finding in outcome.plan.findings] == ["over-committed"]


def test_an_over_commitment_that_shrinks_or_stays_is_only_a_warning(world: World) -> None:
    world.apply(two_teams(4, 4), overcommit="warning")

    smaller = world.apply(two_teams(4, 2))
    moved = world.apply(two_teams(2, 4))
    larger = world.apply(two_teams(2, 5))

    assert [outcome.verdict for outcome in (smaller, moved, larger)] == ["Applied", "Applied", "Rejected"]


def test_half_of_an_over_committed_move_is_carried_on_and_not_refused(world: World) -> None:
    world.apply(two_teams(5, 3), overcommit="warning")
    cut = world.apply(two_teams(3, 5), deadline=10)
    assert (cut.verdict, world.counts()) == ("InProgress", {"team-a": 3, "team-b": 3})

    assert world.apply(two_teams(3, 5)).verdict == "Applied"
    assert world.counts() == {"team-a": 3, "team-b": 5}


def test_a_slurm_cluster_is_refused() -> None:
    world = World()
    world.direct.add_cluster("slurm-cluster", orchestrator="slurm")
    desired = world.desired(two_teams())
    cluster = world.api.clusters.describe("slurm-cluster")
    made = plan(desired, Live(cluster, (), (), world.instances), None)

    assert [finding.code for finding in made.refusals if finding.path == ("cluster",)] == ["not-eks"]


def test_a_policy_begun_excuses_no_more_than_it_was_let_in_with(world: World) -> None:
    world.direct.fault("CreateComputeQuota", "error", code="AccessDeniedException", message="not you", times=2)
    assert world.apply(two_teams()).verdict == "Failed"
    world.resize(1)

    assert world.apply(two_teams()).verdict == "Rejected"


def test_a_resource_that_gets_worse_is_not_hidden_behind_one_that_stays(world: World) -> None:
    world.apply(two_teams(4, 4), overcommit="warning")
    text = two_teams(4, 4).replace("count: 4}", "accelerators: 4, vCpu: 5000, memoryInGiB: 1}", 1)

    outcome = world.apply(text)

    assert outcome.verdict == "Rejected"
    assert "5128 vCPU of ml.g5.8xlarge" in outcome.reason


def test_a_team_with_a_quota_of_its_own_takes_no_other_teams_name_without_giving_it_up(world: World) -> None:
    world.apply(two_teams().replace("{name: team-b, ", "{name: team-b, quotaName: shared, "))
    world.direct.call("DeleteComputeQuota", ComputeQuotaId=world.quotas()["team-a"]["ComputeQuotaId"])
    world.direct.advance(60)
    world.direct.create_quota(world.arn, "team-a", Name="made-at-the-console")
    world.direct.advance(60)
    before = world.writes()

    outcome = world.apply("""
version: 1
cluster: ml-research
teams:
  - {name: team-a, quotaName: shared, quota: [{instanceType: ml.g5.8xlarge, count: 2}]}
""")

    assert outcome.verdict == "Rejected"
    assert "already has the quota 'made-at-the-console'" in outcome.reason
    assert world.writes() == before
