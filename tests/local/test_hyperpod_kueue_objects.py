"""The Kubernetes objects that follow from quotas and policy: against what was recorded, and by their rules."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from governor.plan import LiveClusterPolicy, Quota
from governor.policy import PriorityClass, Sharing
from governor.quota import Partition, QuotaEntry
from local.hyperpod.assumed import ASSUMED
from local.hyperpod.hardware import hardware
from local.hyperpod.kueue_objects import (
    IDLE_QUEUE,
    Apis,
    Conventions,
    Expected,
    Governed,
    cluster_queue_of,
    expected_objects,
    local_queue_of,
    namespace_of,
)
from tests.local.kubernetes.recorded import NEW, OLD, recorded

NEWEST, OLDEST = Apis("v1beta2", "v1beta2"), Apis("v1beta1", "v1alpha1")
AS_RECORDED = Conventions(
    **{name: getattr(ASSUMED, name) for name in ASSUMED.__slots__} | {"covered": ("cpu", "memory", "nvidia.com/gpu")}
)
"""The recorded queues cover three resources."""
GPU, EFA, NEURON = "nvidia.com/gpu", "vpc.amazonaws.com/efa", "aws.amazon.com/neurondevice"


def quota(team: str, *entries: QuotaEntry, sharing: Sharing | None = None, **more: Any) -> Quota:
    return Quota(
        id=f"id-of-{team}", name=f"{team}-quota", team=team, status="Created", version=1, entries=entries,
        sharing=sharing, **more,
    )  # fmt: skip


def policy(*classes: PriorityClass, **more: Any) -> LiveClusterPolicy:
    return LiveClusterPolicy(
        id="policy-id", name="policy", status="Created", version=1, priority_classes=classes, **more
    )


def objects(governed: Governed, apis: Apis = NEWEST, conventions: Conventions = ASSUMED) -> dict[str, Expected]:
    """By kind and name; no two have both in common."""
    found = expected_objects(governed, apis, hardware(), conventions)
    by_name = {f"{kind}/{name}": each for each in found for kind, _, name in [each.key]}
    assert len(by_name) == len(found)
    return by_name


def spec(governed: Governed, team: str, **how: Any) -> dict[str, Any]:
    found: dict[str, Any] = objects(governed, **how)[f"ClusterQueue/{cluster_queue_of(team)}"].manifest["spec"]
    return found


def figures(queue: dict[str, Any], member: str) -> dict[tuple[str, str], str]:
    """By flavor and resource."""
    return {
        (flavor["name"], each["name"]): each[member]
        for group in queue["resourceGroups"]
        for flavor in group["flavors"]
        for each in flavor["resources"]
        if member in each
    }


@pytest.mark.parametrize(
    ("kueue", "api", "apis", "kinds"),
    [
        (NEW, "v1beta2", NEWEST, ["ClusterQueue", "LocalQueue", "ResourceFlavor"]),
        (OLD, "v1beta1", OLDEST, ["ClusterQueue"]),
    ],
)
def test_the_recorded_world(kueue: str, api: str, apis: Apis, kinds: list[str]) -> None:
    entries = QuotaEntry("ml.g5.8xlarge", count=4), QuotaEntry("ml.c5.2xlarge", count=2)
    team = quota("team-a", *entries, sharing=Sharing("LendAndBorrow", 100), fair_share_weight=100)

    found = objects(Governed((team,)), apis, AS_RECORDED)

    for kind in kinds:
        items = recorded(f"1-borrow.{api}.{kind.lower()}s.list.json", kueue)["items"]
        theirs = {f"{kind}/{item['metadata']['name']}": _content(item) for item in items}
        ours = {name: _content(dict(each.manifest)) for name, each in found.items() if name.startswith(f"{kind}/")}
        assert ours
        assert ours == {name: theirs[name] for name in ours}


def _content(item: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": item["apiVersion"], "spec": item["spec"]}


def test_a_priority_class() -> None:
    """As recorded of Kueue: the value stands beside the metadata."""
    found = objects(Governed((), policy(PriorityClass("training", 80))))
    assert {name: dict(each.manifest) for name, each in found.items()} == {
        "WorkloadPriorityClass/training-priority": {
            "apiVersion": "kueue.x-k8s.io/v1beta2",
            "kind": "WorkloadPriorityClass",
            "metadata": {"name": "training-priority"},
            "value": 80,
        }
    }


def test_the_workshop_on_ml_g5_12xlarge() -> None:
    """2 instances, one for each team, who may borrow 100 %: 48 cores, 192Gi and 4 GPUs each."""
    one = QuotaEntry("ml.g5.12xlarge", count=1)
    queue = spec(Governed((quota("team-a", one, sharing=Sharing("LendAndBorrow", 100)),)), "team-a")
    wanted = {"cpu": "48", "memory": "192Gi", GPU: "4", NEURON: "0", EFA: "1"}
    assert figures(queue, "nominalQuota") == {("ml.g5.12xlarge", name): amount for name, amount in wanted.items()}
    assert figures(queue, "borrowingLimit") == figures(queue, "nominalQuota")
    assert queue["fairSharing"] == {"weight": "0"}


def test_the_names_and_labels_of_a_team() -> None:
    found = objects(Governed((quota("team-a", QuotaEntry("ml.g5.8xlarge", count=2)),)))
    assert found["Namespace/hyperpod-ns-team-a"].manifest["metadata"]["labels"] == {
        "sagemaker.amazonaws.com/sagemaker-managed-queue": "true",
        "sagemaker.amazonaws.com/quota-allocation-id": "id-of-team-a",
        "sagemaker.amazonaws.com/activate-quota": "Enabled",
    }
    door = found["LocalQueue/hyperpod-ns-team-a-localqueue"].manifest
    assert (door["metadata"]["namespace"], door["spec"]["clusterQueue"]) == (
        "hyperpod-ns-team-a",
        "hyperpod-ns-team-a-clusterqueue",
    )
    assert list(found) == [
        "Namespace/hyperpod-ns-team-a",
        "ResourceFlavor/ml.g5.8xlarge",
        "Cohort/hyperpod",
        "ClusterQueue/hyperpod-ns-team-a-clusterqueue",
        "LocalQueue/hyperpod-ns-team-a-localqueue",
    ]


LIMITS = {"cpu": "32", "memory": "128Gi", GPU: "1", EFA: "1", NEURON: "0"}
NONE = dict.fromkeys(LIMITS, "0")


@pytest.mark.parametrize(
    ("sharing", "borrowing", "lending"),
    [
        (None, LIMITS, {}),
        (Sharing("LendAndBorrow"), LIMITS, {}),
        (Sharing("LendAndBorrow", 0), NONE, {}),
        (Sharing("LendAndBorrow", 75), {"cpu": "48", "memory": "192Gi", GPU: "1", EFA: "1", NEURON: "0"}, {}),
        (Sharing("LendAndBorrow", 500), {"cpu": "320", "memory": "1280Gi", GPU: "10", EFA: "10", NEURON: "0"}, {}),
        (
            Sharing("LendAndBorrow", 500, (QuotaEntry("ml.g5.8xlarge", accelerators=1),)),
            {"cpu": "32", "memory": "128Gi", GPU: "1", EFA: "1", NEURON: "0"},
            {},
        ),
        (Sharing("Lend", 50), NONE, {}),
        (Sharing("DontLend"), NONE, NONE),
    ],
)
def test_how_a_team_shares(sharing: Sharing | None, borrowing: dict[str, str], lending: dict[str, str]) -> None:
    """2 × ml.g5.8xlarge: 64 cores, 256Gi, 2 GPUs."""
    queue = spec(Governed((quota("team-a", QuotaEntry("ml.g5.8xlarge", count=2), sharing=sharing),)), "team-a")
    assert {resource: limit for (_, resource), limit in figures(queue, "borrowingLimit").items()} == borrowing
    assert {resource: limit for (_, resource), limit in figures(queue, "lendingLimit").items()} == lending


@pytest.mark.parametrize(
    ("entries", "wanted"),
    [
        (
            [QuotaEntry("ml.trn1.32xlarge", count=1)],
            {NEURON: "16", "cpu": "128", "memory": "512Gi", EFA: "8", GPU: "0"},
        ),
        (
            [QuotaEntry("ml.p5.48xlarge", accelerators=4)],
            {GPU: "4", "cpu": "96", "memory": "1Ti", EFA: "16", NEURON: "0"},
        ),
        ([QuotaEntry("ml.c5.2xlarge", v_cpu=1.5)], {"cpu": "1500m", "memory": "3Gi", GPU: "0", EFA: "0", NEURON: "0"}),
        (
            [
                QuotaEntry("ml.p5.48xlarge", partition=Partition("mig-1g.10gb", 4)),
                QuotaEntry("ml.p5.48xlarge", accelerators=2),
            ],
            {"nvidia.com/mig-1g.10gb": "4", GPU: "2", "cpu": "61", "memory": "658Gi", EFA: "10", NEURON: "0"},
        ),
        (
            [QuotaEntry("ml.new.xlarge", count=2, v_cpu=8.0)],
            {"cpu": "8", "memory": "0", GPU: "0", EFA: "0", NEURON: "0"},
        ),
    ],
    ids=["neuron devices", "a share of an instance", "part of a core", "MIG partitions", "a type that nobody knows"],
)  # fmt: skip
def test_what_an_entry_comes_to(entries: list[QuotaEntry], wanted: dict[str, str]) -> None:
    queue = spec(Governed((quota("team-a", *entries),)), "team-a")
    assert {resource: amount for (_, resource), amount in figures(queue, "nominalQuota").items()} == wanted
    assert queue["resourceGroups"][0]["coveredResources"] == sorted(wanted)


def test_a_disabled_quota_holds_its_queue() -> None:
    found = objects(Governed((quota("team-a", activation="Disabled"),)))
    queue = found["ClusterQueue/hyperpod-ns-team-a-clusterqueue"]
    assert queue.manifest["spec"]["stopPolicy"] == "Hold"
    assert queue.assumes("spec.stopPolicy")
    labels = found["Namespace/hyperpod-ns-team-a"].manifest["metadata"]["labels"]
    assert labels["sagemaker.amazonaws.com/activate-quota"] == "Disabled"


def test_without_fair_share_every_team_weighs_the_same() -> None:
    teams = quota("team-a", fair_share_weight=90), quota("team-b", fair_share_weight=0)
    fair, unfair = policy(fair_share="Enabled"), policy(fair_share="Disabled")
    weights = [
        [spec(Governed(teams, each), team)["fairSharing"]["weight"] for team in ("team-a", "team-b")]
        for each in (fair, None, unfair)
    ]
    assert weights == [["90", "0"], ["90", "0"], ["1", "1"]]


def test_what_no_team_has_is_lent_by_queues_of_its_own() -> None:
    teams = (
        quota("team-a", QuotaEntry("ml.g5.8xlarge", count=3)),
        quota("team-b", QuotaEntry("ml.c5.2xlarge", count=5)),
    )
    nodes = {"ml.g5.8xlarge": 4, "ml.c5.2xlarge": 2, "ml.p5.48xlarge": 1}  # fmt: skip
    sharing = policy(idle_resource_sharing="Enabled")

    found = objects(Governed(teams, sharing, nodes))

    queue = found[f"ClusterQueue/{IDLE_QUEUE}-1"]
    left = figures(dict(queue.manifest["spec"]), "nominalQuota")
    assert {flavor: left[flavor, "cpu"] for flavor, _ in left} == {"ml.g5.8xlarge": "32", "ml.p5.48xlarge": "192"}
    assert left["ml.g5.8xlarge", GPU] == "1"
    assert queue.assumes("spec.resourceGroups[0].flavors[ml.g5.8xlarge]")
    assert "ResourceFlavor/ml.p5.48xlarge" in found
    for nothing in (policy(idle_resource_sharing="Disabled"), None):
        assert f"ClusterQueue/{IDLE_QUEUE}-1" not in objects(Governed(teams, nothing, nodes))
    assert not any(name.startswith(f"ClusterQueue/{IDLE_QUEUE}") for name in objects(Governed(teams, sharing, {})))


def test_many_flavors_take_several_queues() -> None:
    nodes = dict.fromkeys(sorted(hardware().instances)[: ASSUMED.idle_flavors + 1], 1)
    found = objects(Governed((), policy(idle_resource_sharing="Enabled"), nodes))
    assert [name for name in found if name.startswith("ClusterQueue/")] == [
        f"ClusterQueue/{IDLE_QUEUE}-1",
        f"ClusterQueue/{IDLE_QUEUE}-2",
    ]


def test_what_is_assumed_says_so() -> None:
    team = quota("team-a", QuotaEntry("ml.g5.8xlarge", count=2), sharing=Sharing("LendAndBorrow", 50))
    queue = objects(Governed((team,)))["ClusterQueue/hyperpod-ns-team-a-clusterqueue"]
    flavor = "spec.resourceGroups[0].flavors[ml.g5.8xlarge].resources"
    assumed = [
        "spec.cohortName",
        "spec.preemption.reclaimWithinCohort",
        "spec.preemption.borrowWithinCohort.policy",
        "spec.flavorFungibility.whenCanBorrow",
        "spec.namespaceSelector",
        f"{flavor}[{EFA}].nominalQuota",
    ]
    known = [
        "spec.preemption.withinClusterQueue",
        "spec.fairSharing.weight",
        f"{flavor}[{GPU}].nominalQuota",
        f"{flavor}[{GPU}].borrowingLimit",
    ]
    assert [path for path in (*assumed, *known) if queue.assumes(path)] == assumed
    lends = objects(Governed((replace(team, sharing=Sharing("Lend")),)))["ClusterQueue/hyperpod-ns-team-a-clusterqueue"]
    assert lends.assumes(f"{flavor}[{GPU}].borrowingLimit")
    assert not lends.assumes(f"{flavor}[{GPU}].nominalQuota")


ENTRIES = st.builds(
    QuotaEntry,
    instance_type=st.sampled_from(["ml.g5.8xlarge", "ml.g5.12xlarge", "ml.c5.2xlarge", "ml.trn1.32xlarge"]),
    count=st.none() | st.integers(0, 50),
    v_cpu=st.none() | st.integers(1, 800).map(lambda quarters: quarters / 4),
)
SHARINGS = st.builds(Sharing, st.sampled_from(["LendAndBorrow", "Lend", "DontLend"]), st.integers(0, 10_000))


@given(
    st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), st.tuples(st.lists(ENTRIES, max_size=5), SHARINGS)),
    st.dictionaries(st.sampled_from(["x", "y", "z"]), st.integers(0, 100)),
)
def test_everything_has_its_object_and_nothing_is_lost(
    teams: dict[str, tuple[list[QuotaEntry], Sharing]], classes: dict[str, int]
) -> None:
    governed = Governed(
        tuple(quota(team, *entries, sharing=sharing) for team, (entries, sharing) in teams.items()),
        policy(*(PriorityClass(name, weight) for name, weight in classes.items())),
    )
    types = {entry.instance_type for entries, _ in teams.values() for entry in entries}

    found = objects(governed)

    assert len(found) == 3 * len(teams) + len(types) + len(classes) + bool(teams)
    for team, (entries, sharing) in teams.items():
        assert {f"Namespace/{namespace_of(team)}", f"LocalQueue/{local_queue_of(team)}"} <= found.keys()
        queue = spec(governed, team)
        nominal = figures(queue, "nominalQuota")
        cores = sum(_cores(amount) for (_, resource), amount in nominal.items() if resource == "cpu")
        assert cores == sum(_wanted_cores(entry) for entry in entries)
        for key, limit in figures(queue, "borrowingLimit").items():
            if sharing.strategy == "LendAndBorrow" and key[1] in (GPU, NEURON, EFA):
                assert int(limit) == int(nominal[key]) * (sharing.borrow_limit or 0) // 100
            elif sharing.strategy != "LendAndBorrow":
                assert limit == "0"


def _cores(text: str) -> Fraction:
    return Fraction(text.removesuffix("m")) / (1000 if text.endswith("m") else 1)


def _wanted_cores(entry: QuotaEntry) -> Fraction:
    if entry.v_cpu is not None:
        return Fraction(entry.v_cpu)
    return Fraction((entry.count or 0) * hardware().instances[entry.instance_type].vcpus)
