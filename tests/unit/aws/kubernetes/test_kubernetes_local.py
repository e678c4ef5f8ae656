"""The connection on the local Kubernetes API: authorization by our own roles, pages, versions, and what goes wrong."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec
import pytest
import yaml

from governor.aws.kubernetes import READS, Kubernetes, roles
from governor.aws.kubernetes.answers import GROUP
from governor.aws.kubernetes.resources import (
    CLUSTER_QUEUES,
    COHORTS,
    CUSTOM_RESOURCE_DEFINITIONS,
    DEPLOYMENTS,
    FLAVORS,
    KUEUE,
    KUEUE_VERSIONS,
    LOCAL_QUEUES,
    NAMESPACES,
    NODES,
    WAITING_WORKLOADS,
    Metadata,
    Resource,
)
from governor.aws.kubernetes.transport import Limits, Target, Transport
from governor.aws.kueue import Installation
from governor.errors import (
    ForbiddenError,
    GovernorError,
    NotFoundError,
    NotInstalledError,
    TransientError,
    UnauthorizedError,
    UnreachableError,
)
from local.kubernetes.cluster import Cluster
from local.kubernetes.server import KubernetesServer
from local.kubernetes.users import User

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
READER, STRANGER = "k8s-aws-v1.reader", "k8s-aws-v1.stranger"
ROLE = "arn:aws:sts::123456789012:assumed-role/VerifyAddonRole/verify"


class Queue(msgspec.Struct, frozen=True):
    metadata: Metadata


QUEUES = Resource(KUEUE, "clusterqueues", Queue, KUEUE_VERSIONS)


def manifest(api: str, kind: str, name: str, namespace: str = "", **members: Any) -> dict[str, Any]:
    where = {"namespace": namespace} if namespace else {}
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, **where}, **members}


def definition(*versions: str, kind: str = "ClusterQueue", scope: str = "Cluster") -> dict[str, Any]:
    listed = [{"name": each, "served": True, "storage": each == versions[0], "schema": {}} for each in versions]
    plural = f"{kind.lower()}s"
    names = {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"}
    spec = {"group": KUEUE, "names": names, "scope": scope, "versions": listed}
    return manifest("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{plural}.{KUEUE}", spec=spec)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with KubernetesServer() as server:
        tokens = {READER: User(ROLE, (GROUP,)), STRANGER: User(ROLE)}
        cluster = server.add_cluster("research", tokens=tokens)
        cluster.load([manifest("v1", "Namespace", "kueue-system")])
        cluster.load([manifest("v1", "Node", f"node-{number}") for number in range(5)])
        yield cluster


def api_of(cluster: Cluster, token: str, limits: Limits = Limits(connect=2.0, read=5.0)) -> Kubernetes:  # noqa: B008
    target = Target("research", cluster.endpoint, cluster.certificate_pem)
    return Kubernetes("research", Transport(target, lambda: token, limits, sleep=lambda _: None))


def _listed(api: Kubernetes, resource: Resource[Any]) -> list[Any]:
    return list(api.pages(resource, at_most=9))


def test_our_roles_allow_every_read_and_each_rule_is_needed(cluster: Cluster) -> None:
    written = [each for each in yaml.safe_load_all(roles()) if each]
    for kind in ("ClusterQueue", "Cohort", "ResourceFlavor"):
        cluster.load([definition("v1beta2", kind=kind)])
    for kind in ("LocalQueue", "Workload"):
        cluster.load([definition("v1beta2", kind=kind, scope="Namespaced")])
    installation = Installation(lambda: api_of(cluster, READER))
    looks: tuple[Callable[[], object], ...] = (
        installation.controllers,
        installation.controller,
        installation.webhook,
        installation.crds,
        installation.nodes,
        *(
            partial(_listed, api_of(cluster, READER), each)
            for each in (NAMESPACES, CLUSTER_QUEUES, LOCAL_QUEUES, COHORTS, FLAVORS, WAITING_WORKLOADS)
        ),
    )

    def refused() -> set[tuple[str, str]]:
        found = set()
        for look in looks:
            try:
                look()
            except ForbiddenError as error:
                found.add((error.verb, error.resource))
        return found

    all_of_them = {(each.verb, each.resource.plural) for each in READS}
    assert refused() == all_of_them
    cluster.load(written)
    assert refused() == set()
    role = written[0]
    for left_out in role["rules"]:
        less = {**role, "rules": [rule for rule in role["rules"] if rule is not left_out]}
        cluster.load([less])
        (missing,) = refused()
        assert missing == (left_out["verbs"][0], left_out["resources"][0])


def test_who_is_in_no_group_of_ours_is_told_what_it_takes(cluster: Cluster) -> None:
    cluster.load([each for each in yaml.safe_load_all(roles()) if each])
    with pytest.raises(ForbiddenError, match=f'{ROLE}\\\\?" cannot list resource \\\\?"nodes') as caught:
        list(api_of(cluster, STRANGER).pages(NODES, at_most=1))
    assert "governor connect research" in str(caught.value)


def test_who_is_not_known_at_all(cluster: Cluster) -> None:
    with pytest.raises(UnauthorizedError, match="needs an access entry"):
        list(api_of(cluster, "k8s-aws-v1.nobody").pages(NODES, at_most=1))


@pytest.fixture
def api(cluster: Cluster) -> Kubernetes:
    return api_of(cluster, cluster.admin_token)


def test_pages_are_turned(cluster: Cluster, api: Kubernetes) -> None:
    cluster.forget_requests()
    names = [node.metadata.name for node in api.pages(NODES, at_most=5, limit=2)]
    assert names == [f"node-{number}" for number in range(5)]
    assert len(cluster.requests()) == 3


def test_a_list_that_expires_is_carried_on(cluster: Cluster, api: Kubernetes) -> None:
    cluster.fault("expired-continue", times=1)
    names = [node.metadata.name for node in api.pages(NODES, at_most=5, limit=2)]
    assert names == [f"node-{number}" for number in range(5)]


@pytest.mark.parametrize(("served", "read"), [(("v1beta1",), "v1beta1"), (("v1beta2", "v1beta1"), "v1beta2")])
def test_the_newest_version_that_is_served_is_read(
    cluster: Cluster, api: Kubernetes, served: tuple[str, ...], read: str
) -> None:
    with pytest.raises(NotInstalledError):
        list(api.pages(QUEUES, at_most=1))
    cluster.load([definition(*served), manifest(f"{KUEUE}/{served[0]}", "ClusterQueue", "a")])
    assert api.version(QUEUES) == read
    assert [each.metadata.name for each in api.pages(QUEUES, at_most=1)] == ["a"]
    (found,) = api.pages(CUSTOM_RESOURCE_DEFINITIONS, at_most=1)
    assert found.status.stored_versions == (served[0],)
    cluster.fault("group-gone", times=1)
    with pytest.raises(NotInstalledError):
        api.get(QUEUES, "a")


def test_one_that_is_not_there_is_no_missing_definition(api: Kubernetes) -> None:
    with pytest.raises(NotFoundError) as caught:
        api.get(DEPLOYMENTS, "kueue-controller-manager", "kueue-system")
    assert type(caught.value) is NotFoundError


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        ({"kind": "status", "code": 500}, TransientError, "500"),
        ({"kind": "status", "code": 429, "retry_after": 30}, TransientError, "429"),
        ({"kind": "not-json"}, TransientError, "a web page"),
        ({"kind": "truncated"}, TransientError, "no JSON, or not all of it"),
        ({"kind": "drop"}, UnreachableError, "the connection broke"),
        ({"kind": "drop", "when": "during"}, UnreachableError, "the connection broke"),
        ({"kind": "hang"}, UnreachableError, "did not answer in time"),
        ({"kind": "self-signed"}, UnreachableError, "its certificate is not the cluster's"),
        ({"kind": "closed"}, UnreachableError, "the connection is refused"),
    ],
)
def test_what_goes_wrong_says_what_it_is(
    cluster: Cluster, fault: dict[str, Any], error: type[GovernorError], says: str
) -> None:
    cluster.fault(**fault)
    api = api_of(cluster, cluster.admin_token, Limits(connect=2.0, read=0.5))
    with pytest.raises(error, match=says) as caught:
        list(api.pages(NODES, at_most=5))
    assert type(caught.value) is error or isinstance(caught.value, UnreachableError)
    cluster.clear_faults()
    assert len(list(api.pages(NODES, at_most=5))) == 5


@pytest.mark.parametrize("fault", [{"kind": "status", "code": 503}, {"kind": "drop"}])
def test_what_passes_at_once_is_not_seen(cluster: Cluster, api: Kubernetes, fault: dict[str, Any]) -> None:
    cluster.fault(**fault, times=1)
    assert len(list(api.pages(NODES, at_most=5))) == 5


def test_the_version_of_the_server(api: Kubernetes) -> None:
    found = api.server_version()
    assert (found.major, found.minor.rstrip("+")) == ("1", "33")
