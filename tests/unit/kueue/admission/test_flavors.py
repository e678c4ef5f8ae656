"""Which flavors a workload gets, and what keeps it out of one."""

import pytest

from governor.kueue.admission import State
from governor.kueue.admission.events import Submit
from governor.kueue.objects import (
    ClusterQueue,
    PodSet,
    Quota,
    Requirement,
    ResourceFlavor,
    ResourceGroup,
    Selector,
    Taint,
    Toleration,
    Workload,
)
from tests.support.kueue_worlds import (
    GPU,
    admitted,
    cluster,
    cluster_queue,
    flavor_quotas,
    flavors_of,
    forgetful,
    in_turn,
    then,
    told,
    workload,
)

JOB = ("a", "job")


def two_flavors(first: int, second: int) -> ClusterQueue:
    """Queue a, of two flavors."""
    return cluster_queue("a", flavor_quotas("first", gpu=Quota(first)), flavor_quotas("second", gpu=Quota(second)))


def submitted(state: State, *pod_sets: PodSet, queue: str = "a") -> State:
    """The state with the job of these pod sets, alone."""
    return then(state, Submit(Workload(queue, "job", "uid-job", queue, pod_sets))).state


def test_the_first_flavor_with_room_is_taken() -> None:
    assert flavors_of(in_turn(cluster(two_flavors(4, 4)), workload("a", "job", gpu=4)), JOB) == {GPU: "first"}
    assert flavors_of(in_turn(cluster(two_flavors(3, 4)), workload("a", "job", gpu=4)), JOB) == {GPU: "second"}


def grouped() -> ClusterQueue:
    """Processors from one group, devices from another."""
    return ClusterQueue(
        "a",
        resource_groups=(
            ResourceGroup(("cpu",), (flavor_quotas("spot", cpu=Quota(2)), flavor_quotas("owned", cpu=Quota(8)))),
            ResourceGroup((GPU,), (flavor_quotas("big", gpu=Quota(4)),)),
        ),
    )


def test_each_resource_group_has_a_flavor_of_its_own() -> None:
    assert flavors_of(submitted(cluster(grouped()), PodSet("main", 1, {"cpu": 3, GPU: 4})), JOB) == {
        "cpu": "owned",
        GPU: "big",
    }


def test_all_groups_must_have_room() -> None:
    state = submitted(cluster(grouped()), PodSet("main", 1, {"cpu": 1, GPU: 5}))
    assert told(state, JOB)[2] == (
        f"couldn't assign flavors to pod set main: insufficient quota for {GPU} in flavor big, previously considered "
        "podsets requests (0) + current podset request (5) > maximum capacity (4)"
    )


def test_resources_of_a_group_come_from_one_flavor() -> None:
    queue = cluster_queue(
        "a", flavor_quotas("thin", cpu=Quota(9), gpu=Quota(1)), flavor_quotas("fat", cpu=Quota(3), gpu=Quota(4))
    )
    state = in_turn(cluster(queue), workload("a", "job", cpu=3, gpu=2))
    assert flavors_of(state, JOB) == {"cpu": "fat", GPU: "fat"}
    assert admitted(in_turn(cluster(queue), workload("a", "job", cpu=4, gpu=2))) == set()


def test_pod_sets_of_a_workload_share_the_quota() -> None:
    state = cluster(cluster_queue("a", flavor_quotas("only", gpu=Quota(4))))
    fits = submitted(state, PodSet("driver", 1, {GPU: 1}), PodSet("workers", 3, {GPU: 1}))
    admission = fits.workloads[JOB].admission
    assert admission is not None
    assert [each.usage for each in admission.pod_sets] == [{GPU: 1}, {GPU: 3}]
    too_many = submitted(state, PodSet("driver", 1, {GPU: 1}), PodSet("workers", 4, {GPU: 1}))
    assert told(too_many, JOB) == (
        "False",
        "Pending",
        f"couldn't assign flavors to pod set workers: insufficient quota for {GPU} in flavor only, previously "
        "considered podsets requests (1) + current podset request (4) > maximum capacity (4)",
    )


def test_pod_sets_may_have_different_flavors() -> None:
    state = submitted(cluster(two_flavors(2, 4)), PodSet("driver", 1, {GPU: 2}), PodSet("workers", 2, {GPU: 2}))
    admission = state.workloads[JOB].admission
    assert admission is not None
    assert [each.flavors for each in admission.pod_sets] == [{GPU: "first"}, {GPU: "second"}]


def test_what_nobody_covers_keeps_a_workload_out() -> None:
    state = submitted(cluster(two_flavors(4, 4)), PodSet("main", 1, {GPU: 1, "memory": 1}))
    told_now = told(state, JOB)[2]
    assert told_now == "couldn't assign flavors to pod set main: resource memory unavailable in ClusterQueue"


def test_nothing_of_what_nobody_covers_keeps_nobody_out() -> None:
    state = submitted(cluster(two_flavors(4, 4)), PodSet("main", 1, {GPU: 1, "memory": 0}))
    assert flavors_of(state, JOB) == {GPU: "first"}


def test_pods_are_counted_where_a_queue_covers_them() -> None:
    quotas = flavor_quotas("only", gpu=Quota(9), pods=Quota(2))
    state = cluster(cluster_queue("a", quotas))
    assert admitted(submitted(state, PodSet("main", 2, {GPU: 1}))) == {"job"}
    assert admitted(submitted(state, PodSet("main", 3, {GPU: 1}))) == set()


def with_flavor(flavor: ResourceFlavor) -> State:
    """Two flavors, of which the first is this."""
    state = cluster(two_flavors(4, 4))
    return forgetful(state, flavors={**state.flavors, "first": flavor})


@pytest.mark.parametrize("effect", ["NoSchedule", "NoExecute"])
def test_a_taint_keeps_pods_off_that_do_not_tolerate_it(effect: str) -> None:
    state = with_flavor(ResourceFlavor("first", taints=(Taint("spot", effect, "yes"),)))
    assert flavors_of(submitted(state, PodSet("main", 1, {GPU: 1})), JOB) == {GPU: "second"}
    state = submitted(state, PodSet("main", 1, {GPU: 5}))
    assert f"untolerated taint {{spot yes {effect} <nil>}} in flavor first" in told(state, JOB)[2]


def test_a_taint_that_only_asks_keeps_nobody_off() -> None:
    state = with_flavor(ResourceFlavor("first", taints=(Taint("spot", "PreferNoSchedule"),)))
    assert flavors_of(submitted(state, PodSet("main", 1, {GPU: 1})), JOB) == {GPU: "first"}


@pytest.mark.parametrize(
    ("toleration", "tolerates"),
    [
        (Toleration("spot", "Equal", "yes", "NoSchedule"), True),
        (Toleration("spot", "Equal", "yes"), True),
        (Toleration("spot", "Exists"), True),
        (Toleration(operator="Exists"), True),
        (Toleration("spot", "Equal", "no"), False),
        (Toleration("other", "Exists"), False),
        (Toleration("spot", "Exists", effect="NoExecute"), False),
    ],
)
def test_what_tolerates_a_taint(toleration: Toleration, tolerates: bool) -> None:
    tainted = ResourceFlavor("first", taints=(Taint("spot", "NoSchedule", "yes"),))
    of_the_pods = submitted(with_flavor(tainted), PodSet("main", 1, {GPU: 1}, tolerations=(toleration,)))
    assert (flavors_of(of_the_pods, JOB) == {GPU: "first"}) is tolerates
    added = ResourceFlavor("first", taints=tainted.taints, tolerations=(toleration,))
    of_the_flavor = submitted(with_flavor(added), PodSet("main", 1, {GPU: 1}))
    assert (flavors_of(of_the_flavor, JOB) == {GPU: "first"}) is tolerates


def test_a_node_selector_chooses_the_flavor() -> None:
    state = submitted(cluster(two_flavors(4, 4)), PodSet("main", 1, {GPU: 1}, {"kind": "second"}))
    assert flavors_of(state, JOB) == {GPU: "second"}


def test_a_label_that_the_flavor_does_not_have_is_not_compared() -> None:
    state = submitted(cluster(two_flavors(4, 4)), PodSet("main", 1, {GPU: 1}, {"disk": "fast"}))
    assert flavors_of(state, JOB) == {GPU: "first"}


def test_a_node_selector_that_no_flavor_matches() -> None:
    state = submitted(cluster(two_flavors(4, 4)), PodSet("main", 1, {GPU: 1}, {"kind": "third"}))
    assert told(state, JOB)[2] == (
        "couldn't assign flavors to pod set main: flavor first doesn't match node affinity, "
        "flavor second doesn't match node affinity"
    )


def term(*requirements: Requirement) -> Selector:
    return Selector(requirements)


@pytest.mark.parametrize(
    ("affinity", "flavor"),
    [
        ((term(Requirement("kind", "In", ("second", "third"))),), "second"),
        ((term(Requirement("kind", "NotIn", ("first",))),), "second"),
        ((term(Requirement("kind", "Exists")),), "first"),
        ((term(Requirement("kind", "DoesNotExist")),), None),
        ((term(Requirement("kind", "In", ("third",))), term(Requirement("kind", "In", ("second",)))), "second"),
        ((term(Requirement("kind", "In", ("third",))), term(Requirement("disk", "Exists"))), "first"),
        ((term(Requirement("kind", "In", ("second",)), Requirement("disk", "Exists")),), "second"),
    ],
)
def test_of_a_required_affinity_one_term_must_hold(affinity: tuple[Selector, ...], flavor: str | None) -> None:
    state = submitted(cluster(two_flavors(4, 4)), PodSet("main", 1, {GPU: 1}, affinity=affinity))
    assert flavors_of(state, JOB) == ({GPU: flavor} if flavor else {})
