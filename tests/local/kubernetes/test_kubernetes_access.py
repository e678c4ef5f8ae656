"""Who may do what: tokens, the webhook behind them, roles and bindings, impersonation, reviews of one's own access."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest

from local.kubernetes.cluster import Cluster
from local.kubernetes.server import KubernetesServer
from local.kubernetes.users import User

RBAC = "/apis/rbac.authorization.k8s.io/v1"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
TOKEN = "reader's token"


@pytest.fixture
def research(server: KubernetesServer) -> Cluster:
    return server.add_cluster("research", tokens={TOKEN: User("reader", ("readers",))})


def _role(rules: list[dict[str, Any]], name: str = "read", namespace: str = "") -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {
        "apiVersion": RBAC[6:],
        "kind": "Role" if namespace else "ClusterRole",
        "metadata": metadata,
        "rules": rules,
    }


def _binding(
    namespace: str = "", kind: str = "ClusterRole", subject: dict[str, str] | None = None, role: str = "read"
) -> dict[str, Any]:
    return {
        "apiVersion": RBAC[6:],
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "metadata": {"name": "readers", **({"namespace": namespace} if namespace else {})},
        "roleRef": {"apiGroup": RBAC[6:-3], "kind": kind, "name": role},
        "subjects": [subject or {"kind": "Group", "name": "readers"}],
    }


def _rule(resources: list[str], verbs: list[str], group: str = "", **more: Any) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs, **more}


def _statuses(cluster: Cluster, *calls: tuple[str, str]) -> list[int]:
    return [cluster.call(method, path, token=TOKEN).status for method, path in calls]


NODES, MAPS, SYSTEM_MAPS = (
    "/api/v1/nodes",
    "/api/v1/namespaces/default/configmaps",
    "/api/v1/namespaces/kube-system/configmaps",
)


def test_a_cluster_role_bound_everywhere(research: Cluster) -> None:
    research.load([_role([_rule(["nodes", "configmaps"], ["list"])]), _binding()])
    calls = (
        ("GET", NODES),
        ("GET", MAPS),
        ("GET", "/api/v1/configmaps"),
        ("GET", "/api/v1/secrets"),
        ("DELETE", NODES),
    )
    assert _statuses(research, *calls) == [200, 200, 200, 403, 403]


def test_a_cluster_role_bound_in_a_namespace(research: Cluster) -> None:
    research.load([_role([_rule(["nodes", "configmaps"], ["list"])]), _binding("default")])
    calls = (("GET", MAPS), ("GET", SYSTEM_MAPS), ("GET", "/api/v1/configmaps"), ("GET", NODES))
    assert _statuses(research, *calls) == [200, 403, 403, 403]


def test_a_role_of_a_namespace(research: Cluster) -> None:
    research.load([_role([_rule(["configmaps"], ["*"])], namespace="default"), _binding("default", "Role")])
    assert _statuses(research, ("GET", MAPS), ("DELETE", MAPS), ("GET", SYSTEM_MAPS)) == [200, 200, 403]


@pytest.mark.parametrize(
    ("subject", "status"),
    [
        ({"kind": "User", "name": "reader"}, 200),
        ({"kind": "User", "name": "readers"}, 403),
        ({"kind": "Group", "name": "system:authenticated"}, 200),
        ({"kind": "Group", "name": "reader"}, 403),
        ({"kind": "ServiceAccount", "name": "reader", "namespace": "default"}, 403),
    ],
)
def test_subjects(research: Cluster, subject: dict[str, str], status: int) -> None:
    research.load([_role([_rule(["nodes"], ["list"])]), _binding(subject=subject)])
    assert _statuses(research, ("GET", NODES)) == [status]


def test_a_service_account_is_a_user_of_its_namespace(server: KubernetesServer) -> None:
    cluster = server.add_cluster("c", tokens={TOKEN: User("system:serviceaccount:default:robot")})
    subject = {"kind": "ServiceAccount", "name": "robot", "namespace": "default"}
    cluster.load([_role([_rule(["nodes"], ["list"])]), _binding(subject=subject)])
    assert _statuses(cluster, ("GET", NODES)) == [200]


def test_single_objects_by_name(research: Cluster) -> None:
    research.load([_role([_rule(["namespaces"], ["get", "list"], resourceNames=["default"])]), _binding()])
    calls = ["/api/v1/namespaces/default", "/api/v1/namespaces/kube-system", "/api/v1/namespaces"]
    only = "/api/v1/namespaces?fieldSelector=metadata.name%3Ddefault"
    assert _statuses(research, *(("GET", path) for path in [*calls, only])) == [200, 403, 403, 200]


def test_a_status_is_a_resource_of_its_own(research: Cluster) -> None:
    research.load([_role([_rule(["deployments"], ["get"], "apps")]), _binding()])
    path = "/apis/apps/v1/namespaces/default/deployments/d"
    assert _statuses(research, ("GET", path), ("GET", f"{path}/status")) == [404, 403]
    research.load([_role([_rule(["deployments/status"], ["get"], "apps")])])
    assert _statuses(research, ("GET", path), ("GET", f"{path}/status")) == [403, 404]
    research.load([_role([_rule(["*/status"], ["get"], "*")])])
    assert _statuses(research, ("GET", path), ("GET", f"{path}/status")) == [403, 404]


def test_paths_that_are_no_resources(research: Cluster) -> None:
    assert _statuses(research, ("GET", "/apis"), ("GET", "/version"), ("GET", "/metrics")) == [200, 200, 403]
    research.load([_role([{"nonResourceURLs": ["/metrics*"], "verbs": ["get"]}]), _binding()])
    assert _statuses(research, ("GET", "/metrics"), ("GET", "/metrics/x"), ("POST", "/metrics")) == [404, 404, 403]


def test_nobody_may_ask_for_health_and_version_alone(research: Cluster) -> None:
    paths = ["/healthz", "/livez", "/readyz", "/version", "/apis", "/api/v1", NODES]
    assert [research.call("GET", path, token="").status for path in paths] == [200, 200, 200, 200, 403, 403, 403]
    refused = research.call("GET", "/apis", token="").json
    assert refused["message"] == 'forbidden: User "system:anonymous" cannot get path "/apis"'


@pytest.mark.parametrize(
    ("method", "path", "subject", "wish", "where"),
    [
        ("GET", f"{MAPS}/c", 'configmaps "c"', ("get", "configmaps", ""), 'in the namespace "default"'),
        (
            "DELETE",
            "/apis/apps/v1/namespaces/x/deployments",
            "deployments.apps",
            ("deletecollection", "deployments", "apps"),
            'in the namespace "x"',
        ),
        (
            "PUT",
            "/apis/apps/v1/namespaces/x/deployments/d/status",
            'deployments.apps "d"',
            ("update", "deployments/status", "apps"),
            'in the namespace "x"',
        ),
        ("GET", "/api/v1/namespaces/x", 'namespaces "x"', ("get", "namespaces", ""), 'in the namespace "x"'),
        ("GET", f"{NODES}?watch=true", "nodes", ("watch", "nodes", ""), "at the cluster scope"),
        ("POST", "/apis/no.such/v1/things", "things.no.such", ("create", "things", "no.such"), "at the cluster scope"),
    ],
)
def test_how_a_refusal_is_worded(
    research: Cluster, method: str, path: str, subject: str, wish: tuple[str, str, str], where: str
) -> None:
    reply = research.call(method, path, token=TOKEN)
    assert (reply.status, reply.json["reason"]) == (403, "Forbidden")
    assert reply.json["message"] == f"{subject} is forbidden: {_cannot(*wish)} {where}"


def _cannot(verb: str, resource: str, group: str) -> str:
    return f'User "reader" cannot {verb} resource "{resource}" in API group "{group}"'


def test_a_binding_to_a_role_that_is_missing_says_so(research: Cluster) -> None:
    research.load([_binding(role="gone")])
    message = research.call("GET", NODES, token=TOKEN).json["message"]
    assert message.endswith('at the cluster scope: RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found')


def _review(cluster: Cluster, token: str | None = TOKEN, **spec: Any) -> dict[str, Any]:
    reply = cluster.call("POST", REVIEWS, {"spec": spec}, token=token)
    assert reply.status == 201
    status: dict[str, Any] = reply.json["status"]
    return status


def test_reviews_of_ones_own_access(research: Cluster) -> None:
    research.load([_role([_rule(["configmaps"], ["list"])]), _binding("default")])
    listing = {"verb": "list", "resource": "configmaps"}
    allowed = _review(research, resourceAttributes={**listing, "namespace": "default"})
    reason = 'RBAC: allowed by RoleBinding "readers/default" of ClusterRole "read" to Group "readers"'
    assert allowed == {"allowed": True, "reason": reason}
    assert _review(research, resourceAttributes=listing) == {"allowed": False}
    assert _review(research, nonResourceAttributes={"verb": "get", "path": "/version"})["allowed"]
    assert _review(research, None, resourceAttributes={"verb": "*", "resource": "*"}) == {"allowed": True}
    assert research.call("POST", REVIEWS, {"spec": {}}, token=TOKEN).status == 400
    assert research.call("GET", REVIEWS).status == 405


def test_acting_for_somebody_else(research: Cluster) -> None:
    research.load([_role([_rule(["nodes"], ["list"])]), _binding()])
    as_reader = {"Impersonate-User": "somebody", "Impersonate-Group": "readers"}
    assert research.call("GET", NODES, headers=as_reader).status == 200
    assert research.call("GET", "/api/v1/pods", headers=as_reader).status == 403
    refused = research.call("GET", NODES, token=TOKEN, headers=as_reader)
    told = f'users "somebody" is forbidden: {_cannot("impersonate", "users", "")} at the cluster scope'
    assert (refused.status, refused.json["message"]) == (403, told)


class _Webhook(BaseHTTPRequestHandler):
    """Knows `good` and answers `broken` with no JSON; remembers what it was asked."""

    asked: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(review)
        token = review["spec"]["token"]
        status: dict[str, Any] = {"authenticated": token == "good"}
        if token == "good":
            status["user"] = {"username": "arn:aws:iam::123456789012:role/r", "groups": ["readers"]}
        body = b"<html>" if token == "broken" else json.dumps({**review, "status": status}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def webhook() -> Iterator[str]:
    _Webhook.asked.clear()
    with HTTPServer(("127.0.0.1", 0), _Webhook) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/review?cluster=c"
        server.shutdown()
        thread.join()


def test_tokens_that_a_webhook_knows(server: KubernetesServer, webhook: str) -> None:
    cluster = server.add_cluster("c", webhook=webhook)
    cluster.load([_role([_rule(["nodes"], ["list"])]), _binding()])
    assert [cluster.call("GET", NODES, token=token).status for token in ("good", "bad", "broken")] == [200, 401, 401]
    assert _Webhook.asked[0] == {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": "good"},
    }
    assert [each["user"] for each in cluster.requests()] == ["arn:aws:iam::123456789012:role/r", "", ""]
    _Webhook.asked.clear()
    assert cluster.call("GET", NODES).status == 200
    assert _Webhook.asked == []


def test_a_webhook_that_is_away_knows_nobody(server: KubernetesServer) -> None:
    cluster = server.add_cluster("c", webhook="http://127.0.0.1:1/")
    assert cluster.call("GET", NODES, token="good").status == 401
