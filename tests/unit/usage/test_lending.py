"""The account of who lends to whom, for funds of any kind, and against what the model of Kueue's admission does."""

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from governor.kueue.admission import State, cluster_queue_status
from governor.kueue.objects import Preemption
from governor.usage import ClusterUsage, usage_of
from governor.usage.lending import account, headrooms, in_proportion
from governor.usage.seen import Doors, Fund, Lender, Queue, Seen
from tests.support.kueue_worlds import admitted, cluster_queue, clusters, forgetful, histories, in_turn, play, workload

ANY_WEIGHT = st.sampled_from([0, 500, 1000, 3000])
amounts = st.integers(0, 9)
limits = st.none() | amounts


@st.composite
def funds(draw: st.DrawFn) -> Fund:
    used = draw(amounts)
    return Fund("f", "gpu", draw(amounts), used, used + draw(st.integers(0, 2)), draw(limits), draw(limits))


@given(st.lists(funds(), min_size=1, max_size=5), amounts, st.booleans())
def test_whatever_the_funds_the_account_is_even(members: list[Fund], own: int, has_parent: bool) -> None:
    done = account(members, [True] * len(members), own, has_parent=has_parent)
    lent = sum(done.lent) + done.lent_by_cohort
    assert lent == sum(done.borrowed) or (has_parent and lent < sum(done.borrowed))
    assert 0 <= done.lent_by_cohort <= own
    for fund, borrowed, over, given_away in zip(members, done.borrowed, done.over_quota, done.lent, strict=True):
        assert min(borrowed, over, given_away) >= 0
        assert fund.used == min(fund.used, fund.nominal) + borrowed + over
        assert fund.borrowing_limit is None or borrowed <= fund.borrowing_limit
        assert fund.lending_limit is None or given_away <= fund.lending_limit
        assert given_away <= max(0, fund.nominal - fund.used)


def test_a_queue_alone_is_over_its_quota_and_borrows_of_nobody() -> None:
    done = account([Fund("f", "gpu", 1, 3, 3)], [False], 0, has_parent=False)
    assert (done.borrowed, done.over_quota, done.lent) == ([0], [2], [0])


def test_after_a_cut_what_nobody_lends_is_over_quota() -> None:
    """A team of 4 that used all was cut to 1, while another has 1 idle: 1 of the 3 above is borrowed."""
    done = account([Fund("f", "gpu", 1, 4, 4), Fund("f", "gpu", 2, 1, 1)], [True, True], 0, has_parent=False)
    assert (done.borrowed, done.over_quota, done.lent) == ([1, 0], [2, 0], [0, 1])


def test_after_a_cut_of_the_borrow_limit_what_is_above_it_is_over_quota() -> None:
    done = account([Fund("f", "gpu", 1, 4, 4, 1), Fund("f", "gpu", 5, 0, 0)], [True, True], 0, has_parent=False)
    assert (done.borrowed, done.over_quota, done.lent) == ([1, 0], [2, 0], [0, 1])


def test_several_lend_in_proportion_to_what_they_leave_idle() -> None:
    members = [Fund("f", "gpu", 0, 4, 4), Fund("f", "gpu", 6, 0, 0), Fund("f", "gpu", 3, 1, 1)]
    assert account(members, [True] * 3, 0, has_parent=False).lent == [0, 3, 1]


@given(st.lists(amounts, min_size=1, max_size=6), st.data())
def test_shares_of_an_amount_are_near_their_exact_size(parts: list[int], data: st.DataObject) -> None:
    amount = data.draw(st.integers(0, sum(parts)))
    shares = in_proportion(amount, parts)
    assert sum(shares) == amount
    for share, part in zip(shares, parts, strict=True):
        assert abs(share * sum(parts) - amount * part) < max(1, sum(parts))
        assert share <= part


def read(state: State) -> Seen:
    """What an API server says of the state of the model."""
    queues = []
    for name, each in state.cluster_queues.items():
        status = cluster_queue_status(state, name)
        rows = []
        for group in each.resource_groups:
            for flavor in group.flavors:
                for resource, quota in flavor.resources.items():
                    used, held = status.used[flavor.name][resource], status.reserved[flavor.name][resource]
                    rows.append(
                        Fund(
                            flavor.name,
                            resource,
                            quota.nominal,
                            used.total,
                            held.total,
                            quota.borrowing_limit,
                            quota.lending_limit,
                        )
                    )
        queues.append(
            Queue(
                name,
                each.cohort,
                tuple(rows),
                "active" if each.stop_policy == "None" else "stopped",
                pending=status.pending,
                weighted_share=status.weighted_share,
            )
        )
    doors = Doors(
        dict.fromkeys(state.cluster_queues, ""), tuple((name, name, name, 0) for name in state.cluster_queues)
    )
    return Seen(tuple(queues), doors)


def made_of(state: State) -> ClusterUsage:
    return usage_of(read(state), "c", 0)


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_while_no_quota_is_cut_all_that_is_above_a_guarantee_is_borrowed(data: st.DataObject) -> None:
    state = data.draw(clusters(weights=ANY_WEIGHT))
    for outcome in play(state, data.draw(histories(state, changes=False))):
        found = made_of(outcome.state)
        sums: Counter[tuple[str, str, str]] = Counter()
        for team in found.teams:
            status = cluster_queue_status(outcome.state, team.cluster_queue)
            for each in team.resources:
                assert each.over_quota == 0
                assert each.borrowed == status.used[each.flavor][each.resource].borrowed
                sums[each.flavor, each.resource, "borrowed"] += each.borrowed
                sums[each.flavor, each.resource, "lent"] += each.lent
        for flavor, resource, _ in list(sums):
            assert sums[flavor, resource, "borrowed"] == sums[flavor, resource, "lent"]
        assert all(team.weighted_share is None or team.weighted_share < 2**63 - 1 for team in found.teams)


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_quotas_may_be_cut_and_the_account_is_even_all_the_same(data: st.DataObject) -> None:
    state = data.draw(clusters(weights=ANY_WEIGHT))
    for outcome in play(state, data.draw(histories(state, changes=True))):
        found = made_of(outcome.state)
        for place in {(each.flavor, each.resource) for team in found.teams for each in team.resources}:
            rows = [each for team in found.teams for each in team.resources if (each.flavor, each.resource) == place]
            assert sum(each.borrowed for each in rows) == sum(each.lent for each in rows)
            assert all(each.used == each.guaranteed_used + each.borrowed + each.over_quota for each in rows)


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_the_headroom_is_what_kueue_would_admit_without_preempting(data: st.DataObject) -> None:
    drawn = data.draw(clusters(weights=st.just(1000), fair=False))
    never = Preemption("Never", "Never", "Never")
    patient = {
        name: cluster_queue(name, *each.resource_groups[0].flavors, preemption=never)
        for name, each in drawn.cluster_queues.items()
    }
    state = forgetful(drawn, cluster_queues=patient)
    for outcome in play(state, data.draw(histories(state, changes=False))):
        state = outcome.state
    waiting = {key for key, each in state.workloads.items() if each.admission is None}
    state = forgetful(state, workloads={key: each for key, each in state.workloads.items() if key not in waiting})
    stopped = data.draw(st.sets(st.sampled_from(sorted(state.cluster_queues)), max_size=1))
    held = {
        name: replace(each, stop_policy="Hold") if name in stopped else each
        for name, each in state.cluster_queues.items()
    }
    state = forgetful(state, cluster_queues=held)
    name = data.draw(st.sampled_from(sorted(state.cluster_queues)))
    (team,) = [each for each in made_of(state).teams if each.cluster_queue == name]
    each = data.draw(st.sampled_from(team.resources))
    amount = {"gpu" if each.resource != "cpu" else "cpu": each.headroom}
    more = {key: value + 1 for key, value in amount.items()}
    if each.headroom and name not in stopped:
        assert "fits" in admitted(in_turn(state, workload(name, "fits", kind=each.flavor, created=99, **amount)))
    assert "is-too-much" not in admitted(
        in_turn(state, workload(name, "is-too-much", kind=each.flavor, created=99, **more))
    )


def test_a_cohort_adds_its_own_to_the_headroom() -> None:
    assert headrooms([Fund("f", "gpu", 2, 1, 1)], 3) == [4]
    seen = Seen((Queue("q", "all", (Fund("f", "gpu", 2, 4, 4),)),), Doors({"n": ""}, (("n", "l", "q", 0),)))
    with_own = Seen(seen.queues, seen.doors, (Lender("all", "", (Fund("f", "gpu", 3, 0, 0),)),))
    assert [usage_of(each, "c", 0).teams[0].resources[0].over_quota for each in (seen, with_own)] == [2, 0]
    assert usage_of(with_own, "c", 0).cohorts[0].resources[0].lent == 2


def test_a_queue_that_is_stopped_lends_as_before() -> None:
    seen = Seen(
        (
            Queue("q", "all", (Fund("f", "gpu", 2, 0, 0),), "stopped"),
            Queue("r", "all", (Fund("f", "gpu", 2, 3, 3),)),
        ),
        Doors({"n": "", "m": ""}, (("n", "l", "q", 0), ("m", "l", "r", 0))),
    )
    rows = {each.cluster_queue: each.resources[0] for each in usage_of(seen, "c", 0).teams}
    assert (rows["r"].borrowed, rows["r"].headroom, rows["q"].lent, rows["q"].headroom) == (1, 1, 1, 0)
