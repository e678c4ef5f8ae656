"""Objects come typed, lists by pages, in the version that is served; every refusal is the error that it asks for."""

import json
import urllib.parse
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governor.aws.kubernetes.client import Kubernetes
from governor.aws.kubernetes.quoting import quoted
from governor.aws.kubernetes.resources import (
    CUSTOM_RESOURCE_DEFINITIONS,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    KUEUE,
    KUEUE_VERSIONS,
    NODES,
    Metadata,
    Resource,
    condition,
)
from governor.aws.kubernetes.transport import Answer
from governor.errors import (
    ConflictError,
    ForbiddenError,
    GovernorError,
    NotFoundError,
    NotInstalledError,
    PermanentError,
    TransientError,
    UnauthorizedError,
    UnreachableError,
)

SYSTEM = "kueue-system"
MANAGER = "kueue-controller-manager"


class Queue(msgspec.Struct, frozen=True):
    metadata: Metadata


QUEUES = Resource(KUEUE, "clusterqueues", Queue, KUEUE_VERSIONS)


def answer(body: object, status: int = 200, kind: str = "application/json", retry_after: float | None = None) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, kind, data, retry_after)


def refuses(code: int, reason: str, message: str, **more: Any) -> Answer:
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return answer({**status, "message": message, "reason": reason, "code": code, **more}, code)


class Server:
    """What is answered to a path; a list of answers is given one after the other."""

    def __init__(self, answers: Mapping[str, Answer | list[Answer | GovernorError]]) -> None:
        self.answers, self.asked = dict(answers), list[str]()
        self.lost = 0

    def get(self, path: str) -> Answer:
        self.asked.append(path)
        found = self.answers.get(path.partition("?")[0], answer(b"404 page not found\n", 404, "text/plain"))
        if isinstance(found, list):
            found = found.pop(0)  # type: ignore[assignment]
        if isinstance(found, GovernorError):
            raise found
        assert isinstance(found, Answer)
        return found

    def is_lost(self) -> None:
        self.lost += 1

    def query(self, position: int) -> dict[str, str]:
        return dict(urllib.parse.parse_qsl(self.asked[position].partition("?")[2]))


def connect(server: Server) -> Kubernetes:
    return Kubernetes("eks-research", server, server.is_lost)


def named(*names: str, after: str = "") -> dict[str, Any]:
    return {"metadata": {"continue": after}, "items": [{"metadata": {"name": name}} for name in names]}


DEPLOYMENT = {
    "metadata": {"name": MANAGER, "namespace": SYSTEM, "generation": 3, "labels": {"a": "b"}},
    "spec": {
        "replicas": 2,
        "template": {"spec": {"containers": [{"name": "manager", "image": "registry/kueue:v0.19.2", "args": ["x"]}]}},
    },
    "status": {
        "observedGeneration": 3,
        "replicas": 2,
        "availableReplicas": 1,
        "updatedReplicas": 2,
        "conditions": [
            {"type": "Progressing", "status": "True", "lastUpdateTime": "2026-11-24T12:00:00Z"},
            {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable", "message": "no"},
        ],
    },
}


def test_a_deployment_is_typed() -> None:
    server = Server({f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/{MANAGER}": answer(DEPLOYMENT)})
    found = connect(server).get(DEPLOYMENTS, MANAGER, SYSTEM)

    assert (found.metadata.generation, found.metadata.labels) == (3, {"a": "b"})
    assert (found.spec.replicas, found.images) == (2, ("registry/kueue:v0.19.2",))
    status = found.status
    assert (status.observed_generation, status.replicas, status.available_replicas, status.updated_replicas) == (
        3,
        2,
        1,
        2,
    )
    available = condition(status.conditions, "Available")
    assert available is not None
    assert (available.status, available.reason, available.message) == ("False", "MinimumReplicasUnavailable", "no")
    assert condition(status.conditions, "ReplicaFailure") is None


def test_a_deployment_that_is_new_says_little() -> None:
    server = Server({"/apis/apps/v1/namespaces/a/deployments/b": answer({"metadata": {"name": "b"}, "status": {}})})
    found = connect(server).get(DEPLOYMENTS, "b", "a")
    assert (found.spec.replicas, found.images, found.status.available_replicas) == (1, (), 0)


def test_endpoint_slices_may_be_empty_and_an_unknown_endpoint_is_ready() -> None:
    items = [
        {"metadata": {"name": "none"}, "endpoints": None, "ports": None},
        {
            "metadata": {"name": "some", "labels": {"kubernetes.io/service-name": "kueue-webhook-service"}},
            "endpoints": [
                {"addresses": ["10.0.0.1"], "conditions": {"ready": True}},
                {"addresses": ["10.0.0.2"], "conditions": {"ready": False}},
                {"addresses": ["10.0.0.3"], "conditions": {}},
            ],
        },
    ]
    path = f"/apis/discovery.k8s.io/v1/namespaces/{SYSTEM}/endpointslices"
    server = Server({path: answer({"items": items, "metadata": {}})})
    labels = "kubernetes.io/service-name=kueue-webhook-service"
    empty, some = connect(server).pages(ENDPOINT_SLICES, SYSTEM, labels, at_most=10)

    assert empty.endpoints == ()
    assert [each.is_ready for each in some.endpoints] == [True, False, True]
    assert [len(each.addresses) for each in some.endpoints] == [1, 1, 1]
    assert server.query(0) == {"limit": "500", "labelSelector": labels}


def test_nodes_and_definitions_are_typed() -> None:
    node = {
        "metadata": {"name": "hyperpod-i-1", "labels": {"sagemaker.amazonaws.com/node-health-status": "Schedulable"}},
        "spec": {"unschedulable": True, "taints": [{"key": "a", "effect": "NoSchedule"}]},
        "status": {
            "capacity": {"cpu": "32"},
            "allocatable": {"cpu": "31850m"},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }
    definition = {
        "metadata": {"name": "cohorts.kueue.x-k8s.io"},
        "spec": {
            "group": KUEUE,
            "names": {"plural": "cohorts", "kind": "Cohort"},
            "scope": "Cluster",
            "versions": [{"name": "v1beta2", "served": True, "storage": True, "schema": {}}],
        },
        "status": {"storedVersions": ["v1alpha1", "v1beta2"], "conditions": None},
    }
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    server = Server({"/api/v1/nodes": answer({"items": [node]}), definitions: answer({"items": [definition]})})
    api = connect(server)
    (one,) = api.pages(NODES, at_most=10)
    (cohorts,) = api.pages(CUSTOM_RESOURCE_DEFINITIONS, at_most=10)

    assert one.spec.unschedulable
    assert one.spec.taints[0].effect == "NoSchedule"
    assert (one.status.capacity, one.status.allocatable) == ({"cpu": "32"}, {"cpu": "31850m"})
    assert cohorts.spec.versions[0].storage
    assert cohorts.status.stored_versions == ("v1alpha1", "v1beta2")
    assert cohorts.status.conditions == ()


def groups(*versions: str) -> Answer:
    listed = [{"groupVersion": f"{KUEUE}/{version}", "version": version} for version in versions]
    return answer({"kind": "APIGroup", "name": KUEUE, "versions": listed})


@pytest.mark.parametrize(
    ("served", "read"),
    [
        (("v1beta1",), "v1beta1"),
        (("v1beta2", "v1beta1"), "v1beta2"),
        (("v1", "v1beta1", "v1beta2"), "v1beta2"),
    ],
)
def test_the_version_is_discovered_once(served: tuple[str, ...], read: str) -> None:
    server = Server(
        {
            f"/apis/{KUEUE}": groups(*served),
            f"/apis/{KUEUE}/{read}/clusterqueues/a": answer({"metadata": {"name": "a"}}),
        }
    )
    api = connect(server)
    assert api.get(QUEUES, "a") == api.get(QUEUES, "a")
    assert server.asked.count(f"/apis/{KUEUE}") == 1


def test_versions_that_nobody_here_can_read() -> None:
    server = Server({f"/apis/{KUEUE}": groups("v1alpha1")})
    with pytest.raises(NotInstalledError, match=r"in v1alpha1 only; clusterqueues are read in v1beta2 or v1beta1"):
        connect(server).get(QUEUES, "a")


def test_definitions_that_come_and_go_are_discovered_anew() -> None:
    path = f"/apis/{KUEUE}/v1beta2/clusterqueues"
    server = Server({f"/apis/{KUEUE}": groups("v1beta2", "v1beta1"), path: answer(named("a"))})
    api = connect(server)
    assert len(list(api.pages(QUEUES, at_most=1))) == 1
    del server.answers[path]
    with pytest.raises(NotInstalledError, match=r"does not serve clusterqueues\.kueue"):
        list(api.pages(QUEUES, at_most=1))
    server.answers |= {f"/apis/{KUEUE}": groups("v1beta1"), path.replace("v1beta2", "v1beta1"): answer(named("a"))}
    assert len(list(api.pages(QUEUES, at_most=1))) == 1


def test_a_group_that_is_not_there() -> None:
    with pytest.raises(NotInstalledError, match=r"does not serve kueue\.x-k8s\.io") as error:
        connect(Server({})).get(QUEUES, "a")
    assert (
        "comes with the add-on amazon-sagemaker-hyperpod-taskgovernance: 'governor addon CLUSTER'" in f"{error.value}"
    )
    with pytest.raises(NotInstalledError, match=r"what defines it is not installed$"):
        connect(Server({})).get(DEPLOYMENTS, "a", "b")


NODES_PATH = "/api/v1/nodes"
EXPIRED = refuses(410, "Expired", "too old", metadata={"continue": "carry-on"})


def test_pages_are_turned_until_the_last() -> None:
    server = Server({NODES_PATH: [answer(named("a", "b", after="1+/=&")), answer(named("c"))]})
    assert [node.metadata.name for node in connect(server).pages(NODES, at_most=3, limit=2)] == ["a", "b", "c"]
    assert server.query(1) == {"limit": "2", "continue": "1+/=&"}


def test_fields_are_selected_too() -> None:
    server = Server({NODES_PATH: answer(named("a"))})
    list(connect(server).pages(NODES, fields="metadata.name=a", at_most=1))
    assert server.query(0) == {"limit": "500", "fieldSelector": "metadata.name=a"}


def test_pages_are_read_one_at_a_time() -> None:
    server = Server({NODES_PATH: [answer(named("a", after="1")), answer(named("b"))]})
    pages = connect(server).pages(NODES, at_most=2)
    next(pages)
    assert len(server.asked) == 1


def test_more_than_the_caller_can_take_is_an_error_and_not_a_part() -> None:
    server = Server({NODES_PATH: [answer(named("a", "b", after="1")), answer(named("c"))]})
    with pytest.raises(PermanentError, match="there are more than 2"):
        list(connect(server).pages(NODES, at_most=2))


def test_a_list_that_expires_is_carried_on_where_it_was() -> None:
    server = Server({NODES_PATH: [answer(named("a", after="1")), EXPIRED, answer(named("b"))]})
    assert [node.metadata.name for node in connect(server).pages(NODES, at_most=9)] == ["a", "b"]
    assert [server.query(each).get("continue") for each in range(3)] == [None, "1", "carry-on"]


def test_and_that_once() -> None:
    server = Server({NODES_PATH: [answer(named("a", after="1")), EXPIRED, EXPIRED]})
    with pytest.raises(TransientError, match="changed faster than it was read"):
        list(connect(server).pages(NODES, at_most=9))


def test_a_list_that_cannot_be_carried_on() -> None:
    server = Server({NODES_PATH: [answer(named("a", after="1")), refuses(410, "Expired", "too old")]})
    with pytest.raises(TransientError, match="changed faster"):
        list(connect(server).pages(NODES, at_most=9))


def test_the_version_of_the_server() -> None:
    server = Server(
        {"/version": answer({"major": "1", "minor": "33+", "gitVersion": "v1.33.5-eks-1", "platform": "l"})}
    )
    found = connect(server).server_version()
    assert (found.major, found.minor, found.git_version) == ("1", "33+", "v1.33.5-eks-1")


@pytest.mark.parametrize(
    ("refused", "error", "says"),
    [
        (refuses(409, "Conflict", "the object has been modified"), ConflictError, "409 Conflict: the object has"),
        (refuses(429, "TooManyRequests", "slow down"), TransientError, "429 TooManyRequests: slow down"),
        (refuses(500, "InternalError", "etcd"), TransientError, "500 InternalError: etcd"),
        (refuses(504, "Timeout", "later"), TransientError, "504 Timeout: later"),
        (refuses(400, "BadRequest", "invalid continue token"), PermanentError, "400 BadRequest: invalid continue"),
        (refuses(401, "Unauthorized", "Unauthorized"), UnauthorizedError, "'governor connect eks-research' prints"),
        (
            refuses(401, "Unauthorized", "Unauthorized"),
            UnauthorizedError,
            "role or user .401.*with --role for a role of",
        ),
        (answer(b"", 502, ""), TransientError, "an empty answer"),
        (answer(b"<html>login</html>", 403, "text/html"), PermanentError, "a web page and no answer of Kubernetes"),
        (answer(b"<html>login</html>", 401, "text/html"), PermanentError, "as from a proxy in between"),
        (answer(b"go there", 302, "text/plain"), PermanentError, "302"),
    ],
)
def test_a_refusal_is_the_error_that_it_asks_for(refused: Answer, error: type[GovernorError], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        connect(Server({NODES_PATH + "/a": refused})).get(NODES, "a")
    assert type(caught.value) is error
    assert "eks-research: get nodes a: " in str(caught.value)


def test_how_long_to_wait_is_taken_from_the_server_within_reason() -> None:
    for told, waited in ((7.0, 7.0), (99999.0, 300.0), (None, 10.0)):
        server = Server({NODES_PATH + "/a": answer({}, 503, retry_after=told)})
        with pytest.raises(TransientError) as caught:
            connect(server).get(NODES, "a")
        assert caught.value.retry_after == waited


def test_forbidden_is_not_missing_and_says_what_it_takes() -> None:
    said = 'deployments.apps is forbidden: User "arn:aws:sts::111122223333:assumed-role/r/s" cannot list resource'
    path = f"/apis/apps/v1/namespaces/{SYSTEM}/deployments"
    details = {"group": "apps", "kind": "deployments"}
    with pytest.raises(ForbiddenError) as caught:
        list(
            connect(Server({path: refuses(403, "Forbidden", said, details=details)})).pages(
                DEPLOYMENTS, SYSTEM, at_most=1
            )
        )
    error = caught.value
    assert (error.verb, error.resource, error.group, error.namespace) == ("list", "deployments", "apps", SYSTEM)
    for part in (said, "group 'hyperpod-governor'", "ClusterRole 'hyperpod-governor'", "governor connect eks-research"):
        assert part in str(error)
    assert str(error).endswith(
        "You yourself need no more than a role of Kubernetes that lets you list deployments.apps"
    )


def test_a_missing_object_is_told_from_a_missing_resource() -> None:
    missing = refuses(404, "NotFound", 'nodes "a" not found', details={"name": "a", "kind": "nodes"})
    unserved = refuses(404, "NotFound", "the server could not find the requested resource", details={})
    with pytest.raises(NotFoundError) as caught:
        connect(Server({NODES_PATH + "/a": missing})).get(NODES, "a")
    assert type(caught.value) is NotFoundError
    for other in (unserved, answer(b"404 page not found\n", 404, "text/plain")):
        with pytest.raises(NotInstalledError):
            connect(Server({NODES_PATH + "/a": other})).get(NODES, "a")


@pytest.mark.parametrize(
    ("body", "kind", "error", "says"),
    [
        (b"<!DOCTYPE html><title>Sign in</title>", "text/html", TransientError, "a web page"),
        (b'{"items": [{"metadata"', "application/json", TransientError, "no JSON, or not all of it"),
        (b"\xff\xfe", "application/json", TransientError, "no JSON"),
        (b"", "application/json", TransientError, "an empty answer"),
        (b"[]", "application/json", PermanentError, "not of the form"),
        (b'{"items": [{"metadata": {"name": 7}}]}', "application/json", PermanentError, r"\$.items\[0\].metadata.name"),
        (b'{"metadata": {}}', "application/json", PermanentError, "missing required field `items`"),
    ],
)
def test_what_is_no_list_of_objects(body: bytes, kind: str, error: type[GovernorError], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        list(connect(Server({NODES_PATH: answer(body, kind=kind)})).pages(NODES, at_most=1))
    assert type(caught.value) is error


def test_a_lost_connection_is_told() -> None:
    unknown = refuses(401, "Unauthorized", "Unauthorized")
    server = Server({NODES_PATH: [UnreachableError("gone"), unknown, answer(named("a"))]})
    api = connect(server)
    with pytest.raises(UnreachableError):
        list(api.pages(NODES, at_most=1))
    with pytest.raises(UnauthorizedError):
        list(api.pages(NODES, at_most=1))
    assert server.lost == 2
    list(api.pages(NODES, at_most=1))
    assert server.lost == 2


@pytest.mark.parametrize("name", ["", "../secrets/x", "a/b", "a?b", "A", "a" * 254, "a\n"])
def test_a_name_never_leads_to_another_path(name: str) -> None:
    server = Server({})
    with pytest.raises(PermanentError, match="is no name of Kubernetes"):
        connect(server).get(NODES, name)
    if name:
        with pytest.raises(PermanentError, match="cannot be read in"):
            connect(server).get(DEPLOYMENTS, "a", name)
    assert server.asked == []


def test_a_namespace_is_neither_left_out_nor_given_in_vain() -> None:
    with pytest.raises(PermanentError, match="which namespace"):
        connect(Server({})).get(DEPLOYMENTS, "a")
    with pytest.raises(PermanentError, match="nodes cannot be read in 'a'"):
        connect(Server({})).get(NODES, "a", "a")


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_whatever_is_said_is_shown_short_and_printable(said: bytes | str) -> None:
    shown = quoted(said, 50)
    assert shown.isprintable()
    assert len(shown) <= 51 * 10  # an escaped character is up to ten long


@pytest.mark.parametrize("before", ["", "x" * 190, "x" * 199])
@pytest.mark.parametrize(
    "secret",
    [
        "k8s-aws-v1." + "aHR0cHM6Ly9zdHMudXMtd2VzdC0yLmFtYXpvbmF3cy5jb20v" * 40,
        "Bearer " + "aHR0cHM6Ly9zdHMu.A-_~+/=" * 20,
        "X-Amz-Signature=" + "5ba18a26d8d23269" * 4,
        "X-Amz-Security-Token=" + "IQoJb3JpZ2luX2VjE%2B" * 30,
    ],
)
def test_no_secret_is_shown(secret: str, before: str) -> None:
    start = secret.replace("k8s-aws-v1.", " ").replace("=", " ", 1).split(" ")[1][:12]
    assert start not in quoted(f"{before} {secret} after")
