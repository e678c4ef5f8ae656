"""What holds for every plan: it ends where the policy says, by a way on which nothing is promised twice."""

from collections.abc import Iterable
from fractions import Fraction
from random import Random
from typing import TypeVar

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from governor.plan import (
    Desired,
    Live,
    LiveClusterPolicy,
    Owned,
    Plan,
    Quota,
    Record,
    Rules,
    Step,
    guaranteed,
    plan,
)
from governor.plan.adoption import policy_from
from governor.plan.memory import applied
from governor.policy import ClusterPolicy, PriorityClass, Sharing, Team
from governor.quota import Cluster, Dimension, InstanceGroup, Partition, QuotaEntry, bundled_instances, capacity_of
from tests.support.simulated import performed

INSTANCES = bundled_instances()
TYPES = ("ml.g5.8xlarge", "ml.g5.12xlarge", "ml.m5.large", "ml.g4dn.xlarge")  # the last is not in the table
ANYTHING = Rules(max_teams_removed=100, overcommit="warning")

Item = TypeVar("Item")

amounts = st.integers(0, 6)


def entries(kind: str) -> st.SearchStrategy[QuotaEntry]:
    by_count = st.builds(QuotaEntry, st.just(kind), count=amounts)
    by_vcpu = st.builds(QuotaEntry, st.just(kind), v_cpu=st.sampled_from([1.0, 2.5, 40.0]))
    by_memory = st.builds(QuotaEntry, st.just(kind), memory_in_gib=st.sampled_from([4.0, 100.0]))
    if kind in ("ml.m5.large", "ml.g4dn.xlarge"):
        return by_count
    by_accelerators = st.builds(
        QuotaEntry, st.just(kind), accelerators=amounts, v_cpu=st.none() | st.sampled_from([8.0, 64.0])
    )
    by_partition = st.builds(
        QuotaEntry, st.just(kind), partition=st.builds(Partition, st.just("mig-1g.5gb"), st.integers(1, 9))
    )
    return by_count | by_accelerators | by_partition | by_vcpu | by_memory


@st.composite
def quotas_of_types(draw: st.DrawFn) -> tuple[QuotaEntry, ...]:
    kinds = draw(st.lists(st.sampled_from(TYPES), unique=True, max_size=3))
    return tuple(draw(entries(kind)) for kind in kinds)


sharings = st.none() | st.builds(
    Sharing,
    st.sampled_from(["DontLend", "Lend", "LendAndBorrow"]),
    st.none() | st.sampled_from([0, 50, 500]),
    st.none() | quotas_of_types(),
)


@st.composite
def desireds(draw: st.DrawFn) -> Desired:
    names = draw(st.lists(st.sampled_from("abcde"), unique=True, max_size=5))
    teams = tuple(
        Team(
            name=name,
            quota=draw(quotas_of_types()),
            fair_share_weight=draw(st.none() | st.integers(0, 100)),
            sharing=draw(sharings),
            preempt_team_tasks=draw(st.none() | st.sampled_from(["Never", "LowerPriority"])),
            activation=draw(st.none() | st.sampled_from(["Enabled", "Disabled"])),
        )
        for name in names
    )
    classes = st.lists(
        st.builds(PriorityClass, st.sampled_from("xyz"), st.integers(0, 100)), unique_by=lambda item: item.name
    ).map(tuple)
    policy = draw(
        st.none()
        | st.builds(
            ClusterPolicy,
            classes,
            st.none() | st.sampled_from(["Enabled", "Disabled"]),
            st.none() | st.sampled_from(["Enabled", "Disabled"]),
        )
    )
    return Desired(teams, policy)


clusters = st.builds(
    lambda counts: Cluster(
        "arn:aws:sagemaker:us-west-2:123456789012:cluster/abcdefghijkl",
        "ml-research",
        "InService",
        "eks",
        tuple(InstanceGroup(f"g{n}", kind, count) for n, (kind, count) in enumerate(zip(TYPES, counts, strict=True))),
    ),
    st.tuples(*[st.integers(0, 12)] * len(TYPES)),
)


def run(live: Live, made: Plan) -> Live:
    for step in made.steps:
        live = performed(live, step)
    return live


def start(cluster: Cluster, desired: Desired) -> tuple[Live, Record]:
    """A cluster to which a policy was applied."""
    empty = Live(cluster, (), (), INSTANCES)
    record = Record(cluster.arn, cluster.name)
    live = run(empty, plan(desired, empty, record, ANYTHING))
    return live, applied(record, desired, live, ())


@given(clusters, desireds(), desireds())
def test_a_plan_leads_to_where_nothing_is_left_to_do(cluster: Cluster, first: Desired, second: Desired) -> None:
    live, record = start(cluster, first)
    assert plan(first, live, record, ANYTHING).steps == ()

    after = run(live, plan(second, live, record, ANYTHING))

    assert plan(second, after, applied(record, second, after, ()), ANYTHING).steps == ()


@given(clusters, desireds(), desireds(), st.randoms(use_true_random=False))
def test_the_order_of_teams_entries_and_quotas_does_not_matter(
    cluster: Cluster, first: Desired, second: Desired, random: Random
) -> None:
    live, record = start(cluster, first)
    made = plan(second, live, record, ANYTHING)

    def shuffled(items: Iterable[Item]) -> tuple[Item, ...]:
        copy = list(items)
        random.shuffle(copy)
        return tuple(copy)

    teams = [msgspec.structs.replace(team, quota=shuffled(team.quota)) for team in second.teams]
    other = Desired(shuffled(teams), second.cluster_policy)
    again = plan(other, msgspec.structs.replace(live, quotas=shuffled(live.quotas)), record, ANYTHING)

    assert other.digest == second.digest
    assert again.fingerprint == made.fingerprint
    assert [_without_order(step) for step in again.steps] == [_without_order(step) for step in made.steps]


def _without_order(step: Step) -> tuple[object, ...]:
    return (step.key, step.action, step.id, step.version, step.needs, step.held, step.changes, step.amounts_after)


def bound(live: Live, made: Plan) -> dict[Dimension, Fraction]:
    """The most that may ever be promised of each dimension."""
    before, after = guaranteed(live), guaranteed(run(live, made))
    capacity = capacity_of(live.cluster.groups, live.instances).amounts
    none = Fraction(0)
    return {
        dimension: max(before.get(dimension, none), after.get(dimension, none), capacity.get(dimension, none))
        for dimension in {*before, *after, *capacity}
    }


def assert_within(live: Live, limit: dict[Dimension, Fraction]) -> None:
    for dimension, value in guaranteed(live).items():
        assert value <= limit.get(dimension, Fraction(0)), dimension


@given(clusters, desireds(), desireds())
def test_at_every_prefix_of_the_steps_the_sum_is_within_its_bound(
    cluster: Cluster, first: Desired, second: Desired
) -> None:
    live, record = start(cluster, first)
    made = plan(second, live, record, ANYTHING)
    limit = bound(live, made)

    for step in made.steps:
        live = performed(live, step)
        assert_within(live, limit)


@given(clusters, desireds(), desireds(), st.data())
def test_so_it_is_in_every_order_that_the_prerequisites_allow_whatever_fails(
    cluster: Cluster, first: Desired, second: Desired, data: st.DataObject
) -> None:
    live, record = start(cluster, first)
    made = plan(second, live, record, ANYTHING)
    limit = bound(live, made)
    pending = {step.key: step for step in made.steps}
    done: set[str] = set()
    while ready := [step for step in pending.values() if set(step.needs) <= done]:
        step = data.draw(st.sampled_from(ready))
        del pending[step.key]
        if data.draw(st.booleans(), label=f"{step.key} succeeds"):
            live = performed(live, step)
            done.add(step.key)
            assert_within(live, limit)


@given(clusters, desireds(), desireds())
def test_prerequisites_come_earlier_and_end(cluster: Cluster, first: Desired, second: Desired) -> None:
    live, record = start(cluster, first)
    seen: set[str] = set()
    for step in plan(second, live, record, ANYTHING).steps:
        assert set(step.needs) <= seen
        assert step.key not in seen
        seen.add(step.key)


STATUSES = st.sampled_from(
    [
        "Created",
        "Updated",
        "Updating",
        "Deleting",
        "UpdateFailed",
        "CreateFailed",
        "UpdateRollbackFailed",
        "DeleteFailed",
    ]
)


@given(clusters, desireds(), desireds(), st.sets(st.sampled_from("abcde")), st.data())
def test_only_what_was_owned_is_ever_deleted_without_an_approval(
    cluster: Cluster, first: Desired, second: Desired, foreign: set[str], data: st.DataObject
) -> None:
    live, record = start(cluster, first)
    ours = tuple(owned for owned in record.quotas if owned.team not in foreign)
    record = msgspec.structs.replace(record, quotas=ours, cluster_policies=())
    quotas = tuple(msgspec.structs.replace(quota, status=data.draw(STATUSES)) for quota in live.quotas)
    live = msgspec.structs.replace(live, quotas=quotas)

    for known in (record, None):
        made = plan(second, live, known, ANYTHING)
        owned = {item.id for item in known.quotas} if known else set()
        deleted = {step.id for step in made.steps if step.action == "delete" and not step.held}
        assert deleted <= owned


@given(clusters, desireds())
def test_what_is_imported_plans_no_change(cluster: Cluster, desired: Desired) -> None:
    live, _ = start(cluster, desired)

    policy, left_out = policy_from(live, cluster.name)

    assert left_out == []
    assert plan(Desired(policy.teams, policy.cluster_policy), live, None, ANYTHING).steps == ()


@given(clusters, desireds(), desireds(), st.integers(0, 4), st.sampled_from(["version", "nodes", "quota"]))
def test_a_changed_world_changes_the_fingerprint(
    cluster: Cluster, first: Desired, second: Desired, which: int, what: str
) -> None:
    live, record = start(cluster, first)
    made = plan(second, live, record, ANYTHING)
    if what == "nodes":
        groups = list(cluster.groups)
        groups[which % 4] = msgspec.structs.replace(groups[which % 4], count=groups[which % 4].count + 1)
        other = msgspec.structs.replace(live, cluster=msgspec.structs.replace(cluster, groups=tuple(groups)))
    elif what == "quota" or not live.quotas:
        other = msgspec.structs.replace(live, quotas=(*live.quotas, Quota("new", "new", "new", "Created", 1)))
    else:
        quotas = list(live.quotas)
        touched = quotas[which % len(quotas)]
        quotas[which % len(quotas)] = msgspec.structs.replace(touched, version=touched.version + 1)
        other = msgspec.structs.replace(live, quotas=tuple(quotas))

    assert plan(second, other, record, ANYTHING).fingerprint != made.fingerprint
    assert plan(second, live, record, ANYTHING).fingerprint == made.fingerprint


@given(clusters, desireds(), st.sampled_from(["Created", "UpdateFailed", "CreateFailed", "Updating", "DeleteFailed"]))
def test_a_plan_is_held_exactly_when_it_removes_more_than_allowed(
    cluster: Cluster, first: Desired, status: str
) -> None:
    live, record = start(cluster, first)
    live = msgspec.structs.replace(
        live, quotas=tuple(msgspec.structs.replace(quota, status=status) for quota in live.quotas)
    )
    kept = Desired(first.teams[1:], first.cluster_policy)
    removed = first.teams[:1]

    made = plan(kept, live, record, Rules(overcommit="warning"))

    removals = [reason for reason in made.held if reason.startswith("removes team")]
    replaced = [reason for reason in made.held if reason.startswith("replaces")]
    assert removals == [f"removes team {team.name}" for team in removed]
    assert bool(replaced) == (status == "DeleteFailed" and bool(kept.teams))


def test_without_a_record_nothing_is_deleted_and_a_cluster_policy_out_of_the_file_is_left_alone() -> None:
    cluster = Cluster("arn", "c", "InService", "eks")
    live = Live(
        cluster,
        (Quota("q", "a-quota", "a", "Created", 1),),
        (LiveClusterPolicy("p", "cluster-policy", "Created", 1),),
        INSTANCES,
    )

    made = plan(Desired(()), live, Record("arn", "c", cluster_policies=(Owned("cluster-policy", id="p"),)))

    assert made.steps == ()
    assert [item.name for item in made.unmanaged] == ["cluster-policy", "a-quota"]
