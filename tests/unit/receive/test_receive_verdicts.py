"""Every verdict, from a file to its documents."""

import pytest

from governor.receive import Rules
from tests.support.desk import KEY, Desk
from tests.support.world import two_teams

BROKEN = two_teams().replace("fairShareWeight", "fairShareWieght", 1)
CLUSTER_POLICY = "clusterPolicy: {fairShare: Enabled}"


def test_a_new_file_is_accepted_applied_and_answered() -> None:
    desk = Desk()

    status = desk.drop(two_teams())
    assert (status.verdict, status.newest.answer) == ("InProgress", "Accepted")
    desk.work()

    status = desk.status()
    assert status.verdict == "Applied"
    assert status.reason == "2 changes made; the cluster is as the policy says"
    assert status.in_force == status.newest.origin
    assert (status.newest.origin.account, status.newest.origin.address) == ("123456789012", "10.1.2.3")
    assert desk.world.counts() == {"team-a": 2, "team-b": 2}
    assert desk.told.verdicts == ["InProgress", "Applied"]
    assert desk.told.notifications == []


def test_the_same_file_again_is_unchanged_and_costs_no_write() -> None:
    desk = Desk()
    desk.applied()
    before = desk.world.writes()

    status = desk.applied()

    assert status.verdict == "Unchanged"
    assert desk.world.writes() == before
    assert [entry["verdict"] for entry in desk.history()] == ["Applied", "Unchanged"]


def test_a_bad_file_is_rejected_at_once_with_line_and_column_and_leaves_the_policy_in_force() -> None:
    desk = Desk()
    good = desk.applied()

    status = desk.drop(BROKEN)

    assert status.verdict == "Rejected"
    assert status.reason.startswith("line 6:70: ")
    assert "did you mean 'fairShareWeight'" in status.reason
    assert status.in_force == good.newest.origin
    assert status.run is not None
    assert status.run.verdict == "Applied"
    assert desk.force().origin == good.newest.origin
    assert desk.queue.messages == []
    assert [each.verdict for each in desk.told.notifications] == ["Rejected"]
    readable = desk.records.text(f"status/{KEY}.md")
    assert f"{KEY}:6:70: error: " in readable
    assert "an earlier version" in readable


def test_a_file_that_exceeds_the_cluster_is_rejected_when_it_comes_and_leaves_the_policy_in_force() -> None:
    desk = Desk()
    desk.applied()

    status = desk.drop(two_teams(3, 2))

    assert status.verdict == "Rejected"
    assert "ml.g5.8xlarge" in status.reason
    assert desk.force().generation == 1
    assert desk.world.counts() == {"team-a": 2, "team-b": 2}


def test_a_dropped_team_is_held_and_the_approval_beside_the_policies_lets_it_go() -> None:
    desk = Desk()
    desk.applied(two_teams(1, 1, extra="  - {name: vision, quota: [{instanceType: ml.g5.8xlarge, count: 1}]}"))

    held = desk.applied(two_teams(1, 1))
    assert held.verdict == "Held"
    assert held.run is not None
    assert f"governor approve ml-research {held.run.fingerprint}" in desk.records.text(f"status/{KEY}.md")
    assert [each.verdict for each in desk.told.notifications] == ["Held"]
    assert "vision" in desk.world.counts()

    key = f"approvals/{desk.world.arn.rpartition('/')[2]}.json"
    desk.policies.upload(key, f'{{"fingerprint": "{held.run.fingerprint}"}}')
    desk.receiver().approve(key)
    assert desk.status().verdict == "InProgress"
    desk.work()

    status = desk.status()
    assert status.verdict == "Applied"
    assert status.run is not None
    assert status.run.approved == held.run.fingerprint
    assert status.run.approved_by is not None
    assert status.run.approved_by.key == key
    assert desk.world.counts() == {"team-a": 1, "team-b": 1}


def test_a_held_plan_is_approved_by_the_metadata_of_a_new_version() -> None:
    desk = Desk()
    desk.applied(two_teams(1, 1, extra="  - {name: vision, quota: [{instanceType: ml.g5.8xlarge, count: 1}]}"))
    held = desk.applied(two_teams(1, 1))
    assert held.run is not None

    desk.drop(two_teams(1, 1), governor_approve=held.run.fingerprint)
    desk.work()

    assert desk.status().verdict == "Applied"
    assert desk.world.counts() == {"team-a": 1, "team-b": 1}


def test_an_approval_of_another_plan_approves_nothing() -> None:
    desk = Desk()
    desk.applied(two_teams(1, 1, extra="  - {name: vision, quota: [{instanceType: ml.g5.8xlarge, count: 1}]}"))
    desk.applied(two_teams(1, 1))

    desk.drop(two_teams(1, 1), governor_approve="0123456789ab")
    desk.work()

    assert desk.status().verdict == "Held"
    assert "0123456789ab approves another plan" in desk.status().reason
    assert "vision" in desk.world.counts()


def test_an_approval_is_taken_over_once_and_a_later_version_needs_its_own() -> None:
    desk = Desk()
    three = two_teams(1, 1, extra="  - {name: vision, quota: [{instanceType: ml.g5.8xlarge, count: 1}]}")
    desk.applied(three)
    held = desk.applied(two_teams(1, 1))
    assert held.run is not None
    key = f"approvals/{desk.world.arn.rpartition('/')[2]}.json"
    desk.policies.upload(key, f'{{"fingerprint": "{held.run.fingerprint}"}}')
    desk.receiver().approve(key)
    desk.work()

    desk.applied(three)
    desk.queue.forget()
    desk.applied(two_teams(1, 1))
    desk.now.advance(hours=1)
    desk.resync()
    desk.work()

    assert desk.status().verdict == "Held"
    assert "vision" in desk.world.counts()


@pytest.mark.parametrize("content", [b"no json", b"{}", b'{"fingerprint": "no such!"}', b"\xff", b'{"fingerprint": 7}'])
def test_an_approval_without_sense_is_refused_and_changes_nothing(content: bytes) -> None:
    from governor.errors import PermanentError

    desk = Desk()
    desk.applied()
    key = f"approvals/{desk.world.arn.rpartition('/')[2]}.json"
    desk.policies.upload(key, content)

    with pytest.raises(PermanentError, match="governor approve"):
        desk.receiver().approve(key)
    assert desk.force().generation == 1


def test_a_file_for_a_cluster_that_does_not_exist_waits_and_is_applied_when_it_comes() -> None:
    desk = Desk()
    text = two_teams().replace("ml-research", "ml-later")

    status = desk.drop(text)
    assert status.verdict == "Waiting"
    assert "cluster 'ml-later' does not exist" in status.reason
    assert [each.verdict for each in desk.told.notifications] == ["Waiting"]
    desk.resync()
    assert len(desk.told.notifications) == 1

    arn = desk.world.direct.add_cluster(
        name="ml-later", instanceGroups=[{"name": "gpu", "instanceType": "ml.g5.8xlarge", "count": 4}]
    )
    desk.resync()
    desk.work()

    assert desk.status().verdict == "Applied"
    assert desk.status().cluster_arn == arn


def test_a_second_file_for_a_cluster_is_refused_naming_the_owner_and_takes_over_when_it_goes() -> None:
    desk = Desk()
    desk.applied()

    second = desk.drop(two_teams(1, 1), "policies/second.yml")
    assert second.verdict == "Rejected"
    assert f"governed by {KEY}" in second.reason

    first = desk.remove()
    assert first is not None
    assert first.verdict == "Released"
    assert "policies/second.yml governs the cluster now" in first.reason
    desk.work()

    assert desk.status("policies/second.yml").verdict == "Applied"
    assert desk.world.counts() == {"team-a": 1, "team-b": 1}


def test_a_name_and_an_arn_of_one_cluster_meet() -> None:
    desk = Desk()
    desk.applied()

    status = desk.drop(two_teams().replace("ml-research", desk.world.arn), "policies/by-arn.json.yaml")

    assert status.verdict == "Rejected"
    assert f"governed by {KEY}" in status.reason


def test_deleting_a_file_waits_for_the_grace_period_and_then_lets_go() -> None:
    desk = Desk()
    desk.applied()

    status = desk.remove()
    assert status is not None
    assert status.verdict == "Waiting"
    assert "soon after 2026-11-24 12:10:00 UTC" in status.reason
    desk.now.advance(minutes=9)
    desk.resync()
    assert desk.status().verdict == "Waiting"
    desk.now.advance(minutes=2)
    desk.resync()
    desk.work()

    assert desk.status().verdict == "Released"
    assert "2 resources stay and are nobody's" in desk.status().reason
    assert desk.world.counts() == {"team-a": 2, "team-b": 2}
    assert desk.force().owner is None


def test_after_letting_go_a_new_file_deletes_nothing_that_is_nobodys() -> None:
    desk = Desk()
    desk.applied()
    desk.remove()
    desk.now.advance(minutes=11)
    desk.resync()
    desk.work()

    only_a = (
        "version: 1\ncluster: ml-research\nteams: [{name: team-a, quota: [{instanceType: ml.g5.8xlarge, count: 2}]}]\n"
    )
    status = desk.applied(only_a)

    assert status.verdict in ("Applied", "Unchanged")
    assert desk.world.counts() == {"team-a": 2, "team-b": 2}


def test_on_delete_remove_deletes_what_the_file_owned_after_an_approval() -> None:
    desk = Desk()
    text = two_teams(cluster_policy=CLUSTER_POLICY).replace("teams:", "onDelete: Remove\nteams:")
    desk.applied(text)
    desk.world.direct.call(
        "CreateComputeQuota",
        Name="of-others",
        ClusterArn=desk.world.arn,
        ComputeQuotaConfig={"ComputeQuotaResources": [{"InstanceType": "ml.g5.8xlarge", "Count": 0}]},
        ComputeQuotaTarget={"TeamName": "others"},
    )
    desk.world.direct.advance(60)

    desk.remove()
    desk.now.advance(minutes=11)
    desk.resync()
    desk.work()
    held = desk.status()
    assert held.verdict == "Held"
    assert held.run is not None
    assert set(desk.world.counts()) == {"team-a", "team-b", "others"}

    key = f"approvals/{desk.world.arn.rpartition('/')[2]}.json"
    desk.policies.upload(key, f'{{"fingerprint": "{held.run.fingerprint}"}}')
    desk.receiver().approve(key)
    desk.work()

    assert desk.status().verdict == "Released"
    assert "3 resources deleted" in desk.status().reason
    assert set(desk.world.counts()) == {"others"}


@pytest.mark.parametrize("order", ["upload first", "delete first"])
def test_renaming_a_file_deletes_nothing(order: str) -> None:
    desk = Desk()
    text = two_teams().replace("teams:", "onDelete: Remove\nteams:")
    desk.applied(text)
    writes = desk.world.writes()

    if order == "upload first":
        assert desk.drop(text, "policies/renamed.yaml").verdict == "Rejected"
        desk.remove()
    else:
        desk.remove()
        desk.drop(text, "policies/renamed.yaml")
    desk.work()
    desk.now.advance(hours=1)
    desk.resync()
    desk.work()

    assert desk.world.writes() == writes
    assert desk.status("policies/renamed.yaml").verdict == "Unchanged"
    assert desk.status().verdict == "Released"


def test_a_file_that_comes_back_in_the_grace_period_goes_on_as_if_nothing_had_been() -> None:
    desk = Desk()
    desk.applied()
    desk.remove()

    desk.policies.drop_newest(KEY)  # somebody removed the delete marker
    status = desk.receive()
    assert status is not None
    desk.work()

    assert desk.status().verdict == "Unchanged"
    desk.now.advance(hours=1)
    desk.resync()
    desk.work()
    assert desk.force().state == "InForce"


def test_a_file_that_turns_to_another_cluster_lets_go_of_the_first_as_a_deleted_one_does() -> None:
    desk = Desk()
    desk.applied()
    desk.world.direct.add_cluster(
        name="ml-other", instanceGroups=[{"name": "gpu", "instanceType": "ml.g5.8xlarge", "count": 4}]
    )

    desk.drop(two_teams().replace("ml-research", "ml-other"))
    desk.work()
    assert desk.status().cluster_name == "ml-other"
    assert desk.status().verdict == "Applied"
    assert desk.force().state == "Leaving"

    desk.now.advance(minutes=11)
    desk.resync()
    desk.work()
    assert desk.force().state == "Released"
    assert desk.status().cluster_name == "ml-other"
    left = desk.status(f"{KEY}@{desk.world.arn.rpartition('/')[2]}")
    assert left.verdict == "Released"
    assert desk.world.counts() == {"team-a": 2, "team-b": 2}


def test_a_console_user_is_named_in_the_status() -> None:
    desk = Desk()
    desk.applied()
    desk.world.console_edit("team-b", ComputeQuotaTarget={"TeamName": "team-b", "FairShareWeight": 5})

    status = desk.applied(two_teams() + "# again\n")

    assert status.verdict == "Applied"
    assert status.run is not None
    assert "console-user" in status.run.foreign[0].by
    assert "console-user" in desk.records.text(f"status/{KEY}.md")


def test_a_grace_period_of_nothing_still_lets_a_rename_pass() -> None:
    from datetime import timedelta

    desk = Desk(rules=Rules(grace=timedelta(0)))
    desk.applied()
    desk.remove()
    assert desk.force().state == "Leaving"
    desk.drop(two_teams(), "policies/renamed.yaml")
    desk.resync()
    desk.work()
    assert desk.status("policies/renamed.yaml").verdict == "Unchanged"
