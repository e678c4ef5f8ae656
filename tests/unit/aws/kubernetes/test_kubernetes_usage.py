"""Usage read from the local Kubernetes API that holds what a real one has answered."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from governor.aws import usage as reading_of_usage
from governor.aws.kubernetes import Kubernetes, roles
from governor.aws.kubernetes.transport import Limits, Target, Transport
from governor.aws.usage import UsageReader
from governor.errors import ForbiddenError, GovernorError, NotInstalledError, UnreachableError
from governor.usage import ClusterUsage, usage_of
from governor.usage.seen import Kind
from local.kubernetes.cluster import Cluster
from local.kubernetes.server import KubernetesServer
from local.kubernetes.users import User
from tests.support.recorded_usage import DATA, G5, GPU, of

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
GROUP, READER = "kueue.x-k8s.io", "k8s-aws-v1.reader"
KINDS = {
    "clusterqueues": "ClusterQueue",
    "localqueues": "LocalQueue",
    "cohorts": "Cohort",
    "resourceflavors": "ResourceFlavor",
    "workloads": "Workload",
}
QUICK = Limits(connect=2.0, read=0.5)


def definition(plural: str, *versions: str) -> dict[str, Any]:
    kind = KINDS[plural]
    names = {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"}
    scope = "Namespaced" if plural in ("localqueues", "workloads") else "Cluster"
    listed = [
        {"name": each, "served": True, "storage": each == versions[0], "schema": {}, "subresources": {}}
        for each in versions
    ]
    spec = {"group": GROUP, "names": names, "scope": scope, "versions": listed}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": spec,
    }


def node(name: str, *, ready: bool = True, cordoned: bool = False, gpus: int = 4) -> dict[str, Any]:
    labels = {"sagemaker.amazonaws.com/cluster-name": "ml", "node.kubernetes.io/instance-type": G5}
    status = {
        "capacity": {GPU: str(gpus), "cpu": "128"},
        "allocatable": {GPU: str(gpus), "cpu": "127500m"},
        "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
    }
    metadata = {"name": name, "labels": labels}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata,
        "spec": {"unschedulable": cordoned},
        "status": status,
    }


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with KubernetesServer() as server:
        yield server.add_cluster("research", tokens={READER: User("reader", ("hyperpod-governor",))})


def load(cluster: Cluster, release: str, version: str, stage: str = "1-borrow") -> None:
    cohorts = "v1alpha1" if release == "0.12.10" else version
    for plural in KINDS:
        served = cohorts if plural == "cohorts" else version
        cluster.load([definition(plural, served)])
    for namespace in ("team-a", "team-b"):
        labels = {
            "sagemaker.amazonaws.com/sagemaker-managed-queue": "true",
            "sagemaker.amazonaws.com/quota-allocation-id": f"id-{namespace}",
        }
        metadata = {"name": f"hyperpod-ns-{namespace}", "labels": labels}
        cluster.load([{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}])
    for plural in KINDS:
        served = cohorts if plural == "cohorts" else version
        path = DATA / release / f"{stage}.{version}.{plural}.list.json"
        for item in json.loads(path.read_bytes())["items"]:
            cluster.load([item | {"apiVersion": f"{GROUP}/{served}"}])
    cluster.load([node("one"), node("two"), node("three", cordoned=True), node("four", ready=False)])


def api(cluster: Cluster, token: str = "", limits: Limits = QUICK) -> Kubernetes:
    target = Target("research", cluster.endpoint, cluster.certificate_pem)
    return Kubernetes("research", Transport(target, lambda: token or cluster.admin_token, limits, sleep=lambda _: None))


def made_of(kubernetes: Kubernetes) -> ClusterUsage:
    found = UsageReader(kubernetes).read()
    return usage_of(found.seen, "research", 0, {"id-team-a": "vision"}, found.waiting)


@pytest.mark.parametrize(("release", "version"), [("0.19.2", "v1beta2"), ("0.19.2", "v1beta1"), ("0.12.10", "v1beta1")])
def test_what_is_read_of_a_cluster(cluster: Cluster, release: str, version: str) -> None:
    load(cluster, release, version)
    found = made_of(api(cluster))
    gpus = of(found, "vision", G5, GPU)
    assert (gpus.guaranteed, gpus.used, gpus.borrowed, of(found, "team-b", G5, GPU).lent) == (4, 6, 2, 2)
    assert [each.name for each in found.cohorts] == ["hyperpod"]
    assert found.teams[-1].oldest_waiting is not None
    (row,) = [each for each in found.capacity or () if (each.flavor, each.resource) == (G5, GPU)]
    assert (row.promised, row.present, row.allocatable, row.idle, row.above) == (8, 16, 8, 2, 0)


def test_workloads_are_listed_only_where_some_wait_and_then_only_there(cluster: Cluster) -> None:
    load(cluster, "0.19.2", "v1beta2")
    cluster.forget_requests()
    made_of(api(cluster))
    asked = [each["path"] for each in cluster.requests() if "/workloads" in each["path"]]
    assert asked == [f"/apis/{GROUP}/v1beta2/namespaces/hyperpod-ns-team-a/workloads?limit=200"]


def test_nobody_waits_and_no_workload_is_listed(cluster: Cluster) -> None:
    load(cluster, "0.19.2", "v1beta2", "0-idle")
    cluster.forget_requests()
    made_of(api(cluster))
    assert not [each["path"] for each in cluster.requests() if "/workloads" in each["path"]]


def test_too_many_workloads_leave_the_oldest_untold(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    load(cluster, "0.19.2", "v1beta2")
    monkeypatch.setattr(reading_of_usage, "MOST_WORKLOADS", 1)
    found = made_of(api(cluster))
    assert (found.oldest_known, found.teams[-1].pending, found.teams[-1].oldest_waiting) == (False, 1, None)


def test_who_may_not_list_nodes_is_told_the_rest(cluster: Cluster) -> None:
    load(cluster, "0.19.2", "v1beta2")
    role, binding = [each for each in yaml.safe_load_all(roles()) if each]
    rules = [each for each in role["rules"] if each["resources"] != ["nodes"]]
    cluster.load([{**role, "rules": rules}, binding])
    found = UsageReader(api(cluster, READER)).read()
    assert (found.seen.machines, len(found.seen.queues)) == (None, 2)
    assert "cannot list resource" in found.unread
    assert "nodes" in found.unread


@pytest.mark.parametrize("missing", ["namespaces", "clusterqueues", "localqueues", "cohorts", "workloads"])
def test_what_may_not_be_read_is_no_empty_list(cluster: Cluster, missing: str) -> None:
    load(cluster, "0.19.2", "v1beta2")
    role, binding = [each for each in yaml.safe_load_all(roles()) if each]
    cluster.load([{**role, "rules": [each for each in role["rules"] if each["resources"] != [missing]]}, binding])
    with pytest.raises(ForbiddenError) as caught:
        UsageReader(api(cluster, READER)).read()
    assert caught.value.resource == missing


@pytest.mark.parametrize("resource", ["clusterqueues", "localqueues", "namespaces", "cohorts", "workloads"])
@pytest.mark.parametrize("kind", ["truncated", "drop", "not-json", "hang"])
def test_half_a_list_is_an_error(cluster: Cluster, resource: str, kind: str) -> None:
    load(cluster, "0.19.2", "v1beta2")
    cluster.fault(kind, resource=resource)
    with pytest.raises(GovernorError):
        UsageReader(api(cluster, limits=Limits(connect=1.0, read=0.2))).read()


@pytest.mark.parametrize("kind", ["truncated", "drop", "hang"])
def test_nodes_that_cannot_be_read_keep_nothing_else_back(cluster: Cluster, kind: str) -> None:
    load(cluster, "0.19.2", "v1beta2")
    cluster.fault(kind, resource="nodes")
    found = UsageReader(api(cluster, limits=Limits(connect=1.0, read=0.2))).read()
    assert (found.seen.machines, len(found.seen.queues)) == (None, 2)
    assert found.unread.startswith("nodes are left out: ")


def test_without_kueue_it_is_said_that_it_is_not_installed(cluster: Cluster) -> None:
    with pytest.raises(NotInstalledError):
        UsageReader(api(cluster)).read()


def test_without_time_left_no_further_list_is_begun(cluster: Cluster) -> None:
    load(cluster, "0.19.2", "v1beta2")
    cluster.forget_requests()
    with pytest.raises(UnreachableError, match="not all lists came in time"):
        UsageReader(api(cluster)).read(time_left=lambda: 0.0)
    assert [each["path"].rpartition("/")[2] for each in cluster.requests()] == [GROUP, "clusterqueues?limit=500"]


def test_nodes_need_not_be_looked_at(cluster: Cluster) -> None:
    load(cluster, "0.19.2", "v1beta2")
    cluster.forget_requests()
    assert UsageReader(api(cluster)).read(nodes=False).seen.machines is None
    assert not [each for each in cluster.requests() if "/nodes" in each["path"]]


def test_flavors_name_the_labels_of_their_nodes(cluster: Cluster) -> None:
    load(cluster, "0.19.2", "v1beta2")
    kinds = {each.name: each for each in UsageReader(api(cluster)).read().seen.kinds}
    assert kinds[G5] == Kind(G5, {"node.kubernetes.io/instance-type": G5})
