"""Plans of particular situations, by their steps."""

import msgspec
import pytest

from governor.plan import NOTHING_DESIRED, Change, Desired, Live, Plan, Quota, Record, Rules, plan
from governor.plan.memory import applied
from governor.policy import ClusterPolicy, Team
from governor.quota import Cluster, InstanceGroup, QuotaEntry, bundled_instances
from tests.support.simulated import performed

G5, G6, NEW = "ml.g5.8xlarge", "ml.g6.8xlarge", "ml.g4dn.xlarge"
WARN = Rules(max_teams_removed=10, overcommit="warning")


def cluster(**counts: int) -> Cluster:
    kinds = {"g5": G5, "g6": G6, "new": NEW}
    groups = tuple(InstanceGroup(name, kinds[name], count) for name, count in counts.items())
    return Cluster("arn", "ml-research", "InService", "eks", groups)


def team(name: str, **counts: int) -> Team:
    kinds = {"g5": G5, "g6": G6, "new": NEW}
    return Team(name, tuple(QuotaEntry(kinds[kind], count) for kind, count in counts.items()))


def started(place: Cluster, *teams: Team) -> tuple[Live, Record]:
    live, record = Live(place, (), (), bundled_instances()), Record(place.arn, place.name)
    desired = Desired(teams)
    for step in plan(desired, live, record, WARN).steps:
        live = performed(live, step)
    return live, applied(record, desired, live, ())


def told(made: Plan) -> list[tuple[str, tuple[str, ...]]]:
    return [(step.key, step.needs) for step in made.steps]


def test_two_teams_that_swap_types_in_a_full_cluster_each_give_before_they_take() -> None:
    live, record = started(cluster(g5=2, g6=2), team("a", g5=2), team("b", g6=2))

    made = plan(Desired((team("a", g6=2), team("b", g5=2))), live, record)

    assert told(made) == [
        ("team a/shrink", ()),
        ("team b/shrink", ()),
        ("team a/grow", ("team a/shrink", "team b/shrink")),
        ("team b/grow", ("team b/shrink", "team a/shrink")),
    ]
    assert made.steps[0].changes == (Change("guaranteed", "2 × ml.g5.8xlarge", "nothing"),)


def test_with_room_for_both_nothing_waits_and_nothing_is_split() -> None:
    live, record = started(cluster(g5=4, g6=4), team("a", g5=2), team("b", g6=2))

    made = plan(Desired((team("a", g6=2), team("b", g5=2))), live, record)

    assert told(made) == [("team a", ()), ("team b", ())]


def test_only_what_shrinks_in_the_same_type_is_waited_for() -> None:
    live, record = started(cluster(g5=2, g6=2), team("a", g5=2), team("b", g6=2), team("c"))

    made = plan(Desired((team("a", g5=1), team("b", g6=1), team("c", g5=1))), live, record)

    assert told(made) == [("team a", ()), ("team b", ()), ("team c", ("team a",))]


def test_a_transition_under_way_counts_as_one_that_takes() -> None:
    live, record = started(cluster(g5=4), team("a", g5=1), team("b", g5=1))
    live = msgspec.structs.replace(
        live,
        quotas=tuple(
            msgspec.structs.replace(quota, status="Updating") if quota.team == "a" else quota for quota in live.quotas
        ),
    )

    made = plan(Desired((team("a", g5=1), team("b", g5=2))), live, record)

    assert [(step.key, step.action, step.needs) for step in made.steps] == [
        ("team a", "wait", ()),
        ("team b", "update", ("team a",)),
    ]
    assert [step.key for step in made.writes] == ["team b"]


def test_instances_of_a_type_that_nobody_knows_are_moved_in_order_too() -> None:
    live, record = started(cluster(new=2), team("a", new=2), team("b"))

    made = plan(Desired((team("a"), team("b", new=2))), live, record)

    assert told(made) == [("team a", ()), ("team b", ("team a",))]


def test_a_removed_policy_takes_its_cluster_policy_along_and_is_held() -> None:
    place = cluster(g5=2)
    live, record = Live(place, (), (), bundled_instances()), Record(place.arn, place.name)
    desired = Desired((team("a", g5=1),), ClusterPolicy(fair_share="Enabled"))
    for step in plan(desired, live, record).steps:
        live = performed(live, step)
    record = applied(record, desired, live, ())

    made = plan(NOTHING_DESIRED, live, record)

    assert [(step.resource, step.action) for step in made.steps] == [
        ("cluster policy", "delete"),
        ("compute quota", "delete"),
    ]
    assert made.held == ("deletes the cluster policy", "removes team a")


def test_two_quota_names_that_change_places_are_replaced_once_each() -> None:
    live, record = started(
        cluster(g5=2), Team("a", (QuotaEntry(G5, 1),), "first"), Team("b", (QuotaEntry(G5, 1),), "second")
    )

    made = plan(
        Desired((Team("a", (QuotaEntry(G5, 1),), "second"), Team("b", (QuotaEntry(G5, 1),), "first"))), live, record
    )

    assert [(step.action, step.name) for step in made.steps] == [
        ("delete", "second"),
        ("delete", "first"),
        ("create", "second"),
        ("create", "first"),
    ]
    assert len(made.held) == 2


@pytest.mark.parametrize("status", ["Creating", "Updating", "Deleting"])
def test_a_team_that_goes_while_its_quota_is_in_transition_is_held_at_once(status: str) -> None:
    live, record = started(cluster(g5=2), team("a", g5=1), team("b", g5=1))
    live = msgspec.structs.replace(
        live,
        quotas=tuple(
            msgspec.structs.replace(quota, status=status) if quota.team == "b" else quota for quota in live.quotas
        ),
    )

    made = plan(Desired((team("a", g5=2),)), live, record)

    assert bool(made.held) == (status != "Deleting")
    assert made.steps[0].settle_first == status


def test_a_summary_without_a_version_or_content_is_no_reason_to_crash() -> None:
    bare = Quota("id", "a-quota", "a", "Created", 0)
    made = plan(Desired((team("a", g5=1),)), Live(cluster(g5=1), (bare,), (), bundled_instances()), None)

    assert [(step.action, step.id) for step in made.steps] == [("update", "id")]
    assert made.adopted == ("team a",)


def test_a_failed_update_of_the_only_team_that_grows_is_tried_again_in_one_step() -> None:
    live, record = started(cluster(g5=4), team("a", g5=1), team("b", g5=1))
    live = msgspec.structs.replace(
        live,
        quotas=tuple(
            msgspec.structs.replace(quota, status="UpdateFailed") if quota.team == "a" else quota
            for quota in live.quotas
        ),
    )

    alone = plan(Desired((team("a", g5=2), team("b", g5=1))), live, record)
    together = plan(Desired((team("a", g5=2), team("b", g5=2))), live, record)

    assert told(alone) == [("team a", ())]
    assert told(together) == [
        ("team a/shrink", ()),
        ("team a/grow", ("team a/shrink",)),
        ("team b", ("team a/shrink",)),
    ]


def test_a_team_that_moves_alone_from_type_to_type_moves_in_one_step() -> None:
    live, record = started(cluster(g5=2, g6=2), team("a", g5=2))

    assert told(plan(Desired((team("a", g6=2),)), live, record)) == [("team a", ())]
