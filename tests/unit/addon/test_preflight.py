"""The preflight: every check passes where all is well, and each fault fails exactly the checks that it concerns."""

from collections.abc import Callable

import pytest

from governor.addon.checks import Check, in_words, standing_in_the_way
from governor.addon.looking import Looker
from governor.addon.preflight import preflight
from governor.addon.seen import Addon, Controller, Crd, Node, Offered, Seen
from governor.errors import ForbiddenError, NotFoundError, TransientError, UnauthorizedError, UnreachableError
from governor.quota import Cluster
from tests.support.addons import DEFAULT, NEWEST, OLD, OLDEST, FakeEks, crds

CLUSTER = Cluster(
    "arn:aws:sagemaker:us-west-2:1:cluster/abcdefghijkl",
    "ml",
    "InService",
    "eks",
    running=4,
    eks_arn="arn:aws:eks:us-west-2:1:cluster/ml-eks",
)
SLURM = Cluster(CLUSTER.arn, "ml", "InService", "slurm", running=4)


class _Clusters:
    def __init__(self, cluster: Cluster | None) -> None:
        self._cluster = cluster

    def describe(self, name: str) -> Cluster:
        if self._cluster is None:
            raise NotFoundError(f"cluster '{name}' does not exist")
        return self._cluster


def look(eks: FakeEks, cluster: Cluster | None = CLUSTER) -> Seen:
    return Looker(_Clusters(cluster), eks, eks.kubernetes).look("ml")


def fresh() -> FakeEks:
    eks = FakeEks(installed=None)
    eks.kubernetes.without_kueue()
    return eks


def bad(seen: Seen, version: str = DEFAULT) -> dict[str, Check]:
    return {check.name: check for check in standing_in_the_way(preflight(seen, version))}


def test_a_fresh_cluster_passes_every_check_and_says_what_was_looked_at() -> None:
    checks = preflight(look(fresh()), DEFAULT)
    assert [(check.name, check.verdict) for check in checks] == [
        ("cluster", "pass"),
        ("authentication mode", "pass"),
        ("Kubernetes version", "pass"),
        ("add-on version", "pass"),
        ("known faults", "pass"),
        ("other Kueue", "pass"),
        ("HyperPod nodes", "pass"),
        ("nodes ready", "pass"),
    ]
    assert all(check.reason and not check.remedy for check in checks)


def _mode(eks: FakeEks) -> None:
    eks.mode = "CONFIG_MAP"


def _old_kubernetes(eks: FakeEks) -> None:
    eks.version = "1.29"


def _strange_kubernetes(eks: FakeEks) -> None:
    eks.version = "latest"


def _not_offered(eks: FakeEks) -> None:
    eks.versions = (Offered("v1.5.0-eksbuild.1", default=True),)


def _nothing_offered(eks: FakeEks) -> None:
    eks.versions = ()


def _deployment(eks: FakeEks) -> None:
    eks.kubernetes.controllers_ = (Controller("batch", ready=True, desired=1, available=1, image="kueue:v0.10.0"),)


def _definitions(eks: FakeEks) -> None:
    eks.kubernetes.crds_ = tuple(Crd(f"{name}.kueue.x-k8s.io", ("v1beta1",)) for name in "abcdefg")


def _not_ready(eks: FakeEks) -> None:
    eks.kubernetes.nodes_ = tuple(
        Node(f"n{number}", ready=number == 1, hyperpod=True, reason="" if number == 1 else "Lost")
        for number in (1, 2, 3)
    )


def _others_nodes(eks: FakeEks) -> None:
    eks.kubernetes.nodes_ = (Node("system", ready=True, hyperpod=False),)


def _no_nodes(eks: FakeEks) -> None:
    eks.kubernetes.nodes_ = ()


def _being_deleted(eks: FakeEks) -> None:
    eks.status = "DELETING"


def _being_created(eks: FakeEks) -> None:
    eks.status = "CREATING"


@pytest.mark.parametrize(
    ("fault", "name", "words", "remedy"),
    [
        (_mode, "authentication mode", "CONFIG_MAP", "authenticationMode=API_AND_CONFIG_MAP"),
        (_old_kubernetes, "Kubernetes version", "1.29, and task governance needs 1.30", "update-cluster-version"),
        (_not_offered, "add-on version", f"does not offer {DEFAULT}", "v1.5.0-eksbuild.1"),
        (_nothing_offered, "add-on version", "no version", "Regions"),
        (_deployment, "other Kueue", "kueue-controller-manager in namespace batch (kueue:v0.10.0)", "uninstall"),
        (_definitions, "other Kueue", "a.kueue.x-k8s.io, b.kueue.x-k8s.io", "and 2 more"),
        (_not_ready, "nodes ready", "2 of 3 nodes not Ready: n2 (Lost), n3 (Lost)", "all nodes Ready"),
        (_others_nodes, "nodes ready", "none of the 1 node", "instance"),
        (_no_nodes, "nodes ready", "none of the 0 nodes", "instance"),
        (_being_deleted, "cluster", "DELETING", "delete its file"),
        (_being_created, "cluster", "CREATING", "wait"),
    ],
)
def test_a_fault_fails_its_check_alone(fault: Callable[[FakeEks], None], name: str, words: str, remedy: str) -> None:
    eks = fresh()
    fault(eks)
    found = bad(look(eks))
    assert list(found) == [name]
    assert found[name].verdict == "fail"
    assert words in found[name].reason
    assert remedy in f"{found[name].reason} {found[name].remedy}"
    assert found[name].remedy


def test_a_version_of_kubernetes_that_is_none_is_unknown_and_no_pass() -> None:
    eks = fresh()
    _strange_kubernetes(eks)
    assert bad(look(eks))["Kubernetes version"].verdict == "unknown"


@pytest.mark.parametrize(
    ("version", "kubernetes", "fails"),
    [
        ("v1.6.0-eksbuild.1", "1.33", True),
        ("v1.6.0-eksbuild.7", "1.33", True),
        ("v1.6.0-eksbuild.1", "1.32", False),
        (DEFAULT, "1.33", False),
        (NEWEST, "1.33", False),
    ],
)
def test_the_version_whose_controller_restarts_for_ever_is_refused(version: str, kubernetes: str, fails: bool) -> None:
    eks = fresh()
    eks.version = kubernetes
    found = bad(look(eks), version)
    assert ("known faults" in found) == fails
    if fails:
        assert "v1.6.1-eksbuild.1" in found["known faults"].remedy


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ForbiddenError("may not list nodes (403); governor connect ml", "list", "nodes"), "403"),
        (UnauthorizedError("no access entry (401)"), "401"),
        (UnreachableError("timed out"), "timed out"),
        (TransientError("500"), "500"),
    ],
)
def test_what_kubernetes_does_not_answer_is_unknown_and_no_pass(error: TransientError, words: str) -> None:
    eks = fresh()
    eks.kubernetes.fail(error)
    found = bad(look(eks))
    assert {name: check.verdict for name, check in found.items()} == {
        "other Kueue": "unknown",
        "nodes ready": "unknown",
    }
    assert all(words in check.reason for check in found.values())
    assert in_words(found.values()).count(words) == 1  # one reason, told once for both


def test_a_server_that_is_not_reached_is_asked_once_and_one_that_forbids_is_asked_for_everything() -> None:
    eks = fresh()
    eks.kubernetes.fail(UnreachableError("timed out"))
    look(eks)
    assert eks.kubernetes.asked == ["controllers"]
    eks.kubernetes.asked.clear()
    eks.kubernetes.fail(ForbiddenError("403", "list", "nodes"))
    look(eks)
    assert eks.kubernetes.asked == ["controllers", "webhook", "crds", "nodes"]


def test_another_kueue_that_is_seen_counts_although_the_rest_is_not() -> None:
    eks = fresh()
    _deployment(eks)
    eks.kubernetes.crds_ = ForbiddenError("403", "list", "nodes")
    assert bad(look(eks))["other Kueue"].verdict == "fail"
    eks.kubernetes.controllers_ = ()
    assert bad(look(eks))["other Kueue"].verdict == "unknown"


def test_the_addons_own_kueue_is_no_other_one() -> None:
    assert "other Kueue" not in {check.name for check in preflight(look(FakeEks()), DEFAULT)}


def test_a_slurm_cluster_is_refused_in_words_that_say_so() -> None:
    found = bad(look(fresh(), SLURM))
    assert "orchestrated by Slurm, and task governance needs EKS" in found["cluster"].reason
    assert found["cluster"].verdict == "fail"


def test_a_cluster_that_does_not_exist_and_an_eks_cluster_that_is_gone() -> None:
    assert "does not exist" in bad(look(fresh(), None))["cluster"].reason
    eks = fresh()
    eks.exists = False
    found = bad(look(eks))
    assert (found["cluster"].verdict, "no EKS cluster" in found["cluster"].reason) == ("fail", True)


def test_a_cluster_without_an_instance_has_no_node_for_the_addon() -> None:
    empty = Cluster(CLUSTER.arn, "ml", "InService", "eks", running=0, eks_arn=CLUSTER.eks_arn)
    assert bad(look(fresh(), empty))["HyperPod nodes"].verdict == "fail"


def test_what_eks_does_not_answer_is_unknown() -> None:
    eks = fresh()
    eks.versions = TransientError("throttled")
    eks.error = TransientError("throttled")
    found = bad(look(eks))
    assert {found["add-on version"].verdict, found["other Kueue"].verdict} == {"unknown"}


@pytest.mark.parametrize(
    ("present", "wanted", "stored", "verdict", "words"),
    [
        (OLD, DEFAULT, ("v1beta1", "v1beta2"), "pass", "plain update"),
        (DEFAULT, NEWEST, ("v1beta2",), "pass", "plain update"),
        (OLDEST, OLD, ("v1alpha1",), "fail", "clusterqueues.kueue.x-k8s.io (stored as v1alpha1)"),
        (OLDEST, DEFAULT, ("v1beta1", "v1alpha1"), "fail", "cohorts.kueue.x-k8s.io (stored as v1beta1, v1alpha1)"),
        (OLDEST, DEFAULT, ("v1beta2",), "fail", "a plain update fails"),
        (OLDEST, "v1.4.0-eksbuild.1", ("v1alpha1",), "fail", "does not know"),
        (OLDEST, "v1.4.0-eksbuild.1", ("v1beta1",), "pass", "knows all"),
        ("v1.4.0-eksbuild.1", DEFAULT, ("v1beta1",), "pass", "knows all"),
        (DEFAULT, OLD, ("v1beta2",), "fail", "older than"),
        (DEFAULT, DEFAULT, ("v1beta2",), "pass", "is installed"),
        ("v1.1.3-eksbuild.1", "v1.3.2-eksbuild.1", ("v1alpha1",), "pass", "keeps"),
        ("strange", DEFAULT, ("v1beta2",), "unknown", "'strange'"),
    ],
)
def test_the_upgrade_path(present: str, wanted: str, stored: tuple[str, ...], verdict: str, words: str) -> None:
    eks = FakeEks(installed=Addon(present, "ACTIVE"))
    eks.kubernetes.crds_ = crds(*stored)
    path = next(check for check in preflight(look(eks), wanted) if check.name == "upgrade path")
    assert path.verdict == verdict
    assert words in path.reason
    assert (path.remedy == "") == (verdict == "pass")


def test_the_way_from_the_oldest_is_refused_also_where_kubernetes_cannot_be_asked() -> None:
    eks = FakeEks(installed=Addon(OLDEST, "ACTIVE"))
    eks.kubernetes.crds_ = ForbiddenError("may not list customresourcedefinitions", "list", "customresourcedefinitions")
    path = bad(look(eks), DEFAULT)["upgrade path"]
    assert path.verdict == "fail"
    assert "cannot be named: may not list customresourcedefinitions" in path.reason
    eks.installed = Addon("v1.4.0-eksbuild.1", "ACTIVE")
    assert bad(look(eks), DEFAULT)["upgrade path"].verdict == "unknown"
