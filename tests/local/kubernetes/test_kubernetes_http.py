"""The API over HTTP: forms of refusals, bodies, answers to deletions, documents of discovery, the official client."""

import http.client
import json
import ssl
from typing import Any

import pytest

from local.kubernetes.bodies import MOST_BYTES
from local.kubernetes.cluster import Cluster

STRATEGIC = "application/strategic-merge-patch+json"
QUEUES = "/apis/kueue.x-k8s.io/v1beta2/clusterqueues"
NOT_ALLOWED = "the server does not allow this method on the requested resource"
MAPS = "/api/v1/namespaces/default/configmaps"


def _named(name: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, **more}


def test_the_server_is_known_by_its_own_authority_alone(cluster: Cluster) -> None:
    address = cluster.endpoint.removeprefix("https://")
    for host in ("127.0.0.1", "localhost"):
        trusting = ssl.create_default_context(cadata=cluster.certificate_pem)
        connection = http.client.HTTPSConnection(f"{host}:{address.partition(':')[2]}", context=trusting)
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b"ok"
        connection.close()
    connection = http.client.HTTPSConnection(address, context=ssl.create_default_context())
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.request("GET", "/healthz")
    connection.close()


def test_no_tls_older_than_1_2(cluster: Cluster) -> None:
    old = ssl.create_default_context(cadata=cluster.certificate_pem)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    connection = http.client.HTTPSConnection(cluster.endpoint.removeprefix("https://"), context=old)
    with pytest.raises(ssl.SSLError):
        connection.request("GET", "/healthz")
    connection.close()


@pytest.mark.parametrize(
    "path", ["/nope", "/apis/no.such", "/apis/no.such/v1", "/apis/kueue.x-k8s.io/v1/clusterqueues"]
)
def test_paths_of_nothing_are_plain_text(kueue: Cluster, path: str) -> None:
    reply = kueue.call("GET", path)
    assert (reply.status, reply.text) == (404, "404 page not found\n")
    assert reply.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("path", ["/api/v1/nopes", "/apis/apps/v1/nopes", "/api/v1/nodes/n/nope"])
def test_paths_of_nothing_below_a_built_in_group_are_a_status(cluster: Cluster, path: str) -> None:
    reply = cluster.call("GET", path)
    told = "the server could not find the requested resource"
    assert (reply.status, reply.json["message"], reply.json["details"]) == (404, told, {})


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("POST", f"{QUEUES}/q/status", 'create is not supported on resources of kind "clusterqueues.kueue.x-k8s.io"'),
        ("PUT", "/api/v1/nodes", NOT_ALLOWED),
        ("POST", "/api/v1/nodes/n", "the server does not allow this method on the requested resource"),
        ("DELETE", "/api/v1/namespaces", "the server does not allow this method on the requested resource"),
        (
            "DELETE",
            "/api/v1/namespaces/default/status",
            "the server does not allow this method on the requested resource",
        ),
        ("POST", "/version", "the server does not allow this method on the requested resource"),
    ],
)
def test_methods_that_are_not_allowed(kueue: Cluster, method: str, path: str, message: str) -> None:
    reply = kueue.call(method, path, {})
    assert (reply.status, reply.json["reason"], reply.json["message"]) == (405, "MethodNotAllowed", message)


def test_a_path_needs_a_name_to_change_something_there(kueue: Cluster) -> None:
    for method in ("PUT", "PATCH"):
        reply = kueue.call(method, QUEUES, {})
        assert (reply.status, reply.json["message"]) == (400, "name must be provided")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"text"', b'{"metadata": []}', b'{"metadata": {"labels": {"a": 1}}}', b"\xff"]
)
def test_bodies_that_are_no_objects(kueue: Cluster, body: bytes) -> None:
    reply = kueue.call("POST", QUEUES, body)
    assert (reply.status, reply.json["reason"]) == (400, "BadRequest")


def test_a_body_may_not_be_too_large(cluster: Cluster) -> None:
    reply = cluster.call("POST", MAPS, b" " * (MOST_BYTES + 1))
    assert (reply.status, reply.json["reason"]) == (413, "RequestEntityTooLarge")
    fits = json.dumps(_named("large", data={"text": "x" * 100_000})).encode()
    assert cluster.call("POST", MAPS, fits + b" " * (MOST_BYTES - len(fits))).status == 201


def test_only_merge_patches(cluster: Cluster) -> None:
    deployments = "/apis/apps/v1/namespaces/default/deployments"
    cluster.call("POST", deployments, _named("d", spec={}))
    for kind in ("application/json-patch+json", STRATEGIC, "application/apply-patch+yaml", "text/plain"):
        reply = cluster.call("PATCH", f"{deployments}/d", {}, headers={"Content-Type": kind})
        assert (reply.status, reply.json["reason"]) == (415, "UnsupportedMediaType")
    assert cluster.call("PATCH", f"{deployments}/d", {"spec": {"replicas": 2}}).json["spec"] == {"replicas": 2}


def test_strategic_patches_where_they_are_merge_patches(cluster: Cluster) -> None:
    cluster.call("POST", MAPS, _named("c", data={"a": "1", "b": "2"}))
    as_strategic = {"Content-Type": STRATEGIC}
    patched = cluster.call("PATCH", f"{MAPS}/c", {"data": {"a": None, "c": "3"}}, headers=as_strategic)
    assert patched.json["data"] == {"b": "2", "c": "3"}
    directive = {"data": {"$patch": "replace"}}
    assert cluster.call("PATCH", f"{MAPS}/c", directive, headers=as_strategic).status == 415


def test_only_json(cluster: Cluster) -> None:
    body = b"k8s\x00\x0a\x0f"
    reply = cluster.call("POST", MAPS, body, headers={"Content-Type": "application/vnd.kubernetes.protobuf"})
    assert (reply.status, reply.json["reason"]) == (415, "UnsupportedMediaType")


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("*/*", 200),
        ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", 200),
        ("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json", 200),
        ("application/vnd.kubernetes.protobuf", 406),
        ("text/html", 406),
    ],
)
def test_what_a_reader_accepts(cluster: Cluster, accept: str, status: int) -> None:
    assert cluster.call("GET", "/apis", headers={"Accept": accept}).status == status


def test_a_replacement_has_the_name_of_its_path(cluster: Cluster) -> None:
    cluster.call("POST", MAPS, _named("c"))
    reply = cluster.call("PUT", f"{MAPS}/c", _named("d"))
    told = "the name of the object (d) does not match the name on the URL (c)"
    assert (reply.status, reply.json["message"]) == (400, told)
    assert cluster.call("PUT", f"{MAPS}/c", {"data": {"a": "b"}}).json["data"] == {"a": "b"}


def test_parameters_that_cannot_be(cluster: Cluster) -> None:
    for query in ("limit=x", "limit=-1", "resourceVersion=x", "fieldSelector=spec.x%3D1", "labelSelector=a%3D%3D%3Db"):
        assert cluster.call("GET", f"{MAPS}?{query}").status == 400
    assert cluster.call("POST", f"{MAPS}?dryRun=All", _named("c")).status == 400
    assert cluster.call("GET", MAPS).json["items"] == []


def test_answers_to_deletions(kueue: Cluster) -> None:
    uid = kueue.call("POST", QUEUES, _named("q")).json["metadata"]["uid"]
    details = {"name": "q", "group": "kueue.x-k8s.io", "kind": "clusterqueues", "uid": uid}
    assert kueue.call("DELETE", f"{QUEUES}/q").json == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details,
    }
    kueue.call("POST", QUEUES, {"metadata": {"name": "q", "finalizers": ["example.com/held"]}})
    held = kueue.call("DELETE", f"{QUEUES}/q")
    assert (held.status, held.json["kind"], "deletionTimestamp" in held.json["metadata"]) == (200, "ClusterQueue", True)
    stale = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"resourceVersion": "1"}}
    assert kueue.call("DELETE", f"{QUEUES}/q", stale).status == 409
    kueue.call("POST", "/api/v1/namespaces", _named("team-a"))
    assert kueue.call("DELETE", "/api/v1/namespaces/team-a").json["kind"] == "Namespace"


def test_a_collection_is_deleted_by_a_selector(cluster: Cluster) -> None:
    for name in ("a", "b"):
        cluster.call("POST", MAPS, {"metadata": {"name": name, "labels": {"name": name}}})
    went = cluster.call("DELETE", f"{MAPS}?labelSelector=name%3Da").json
    assert (went["kind"], [item["metadata"]["name"] for item in went["items"]]) == ("ConfigMapList", ["a"])
    assert [item["metadata"]["name"] for item in cluster.call("GET", MAPS).json["items"]] == ["b"]


def test_status_by_http(kueue: Cluster) -> None:
    kueue.call("POST", QUEUES, _named("q", spec={}))
    assert kueue.call("PATCH", f"{QUEUES}/q/status", {"status": {"n": 1}}).json["status"] == {"n": 1}
    held = kueue.call("GET", f"{QUEUES}/q/status").json
    assert kueue.call("PUT", f"{QUEUES}/q/status", {**held, "status": {"n": 2}}).json["status"] == {"n": 2}
    assert kueue.call("PUT", f"{QUEUES}/q/status", {**held, "status": {"n": 3}}).status == 409
    flavors = "/apis/kueue.x-k8s.io/v1beta2/resourceflavors"
    kueue.call("POST", flavors, _named("f"))
    assert kueue.call("GET", f"{flavors}/f/status").json["message"] == 'resourceflavors.kueue.x-k8s.io "f" not found'


def test_documents_of_discovery(kueue: Cluster) -> None:
    assert kueue.call("GET", "/api").json["versions"] == ["v1"]
    groups = {group["name"]: group for group in kueue.call("GET", "/apis").json["groups"]}
    assert set(groups) == {
        "apps",
        "batch",
        "discovery.k8s.io",
        "coordination.k8s.io",
        "rbac.authorization.k8s.io",
        "apiextensions.k8s.io",
        "authorization.k8s.io",
        "kueue.x-k8s.io",
    }
    one = kueue.call("GET", "/apis/kueue.x-k8s.io").json
    assert one == {"kind": "APIGroup", "apiVersion": "v1", **groups["kueue.x-k8s.io"]}
    assert [each["version"] for each in one["versions"]] == ["v1beta2", "v1beta1"]
    assert one["preferredVersion"]["version"] == "v1beta2"
    core = {entry["name"]: entry for entry in kueue.call("GET", "/api/v1").json["resources"]}
    assert core["nodes"]["verbs"] == ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
    assert core["namespaces/status"]["verbs"] == ["get", "patch", "update"]
    assert kueue.call("GET", "/version").json["minor"] == "33"


def test_openapi_says_that_the_server_validates(kueue: Cluster) -> None:
    places = kueue.call("GET", "/openapi/v3").json["paths"]
    assert {"api/v1", "apis/apps/v1", "apis/kueue.x-k8s.io/v1beta2"} <= set(places)
    patches = kueue.call("GET", places["apis/kueue.x-k8s.io/v1beta2"]["serverRelativeURL"]).json["paths"]
    patch = patches["/apis/kueue.x-k8s.io/v1beta2/namespaces/{namespace}/localqueues/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"]["kind"] == "LocalQueue"
    assert [parameter["name"] for parameter in patch["parameters"]] == ["fieldValidation"]
    assert kueue.call("GET", "/openapi/v3/apis/no.such/v1").status == 404


def test_a_group_is_there_as_long_as_a_definition_serves_it(cluster: Cluster, kueue: Cluster) -> None:
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert cluster.call("GET", "/apis/kueue.x-k8s.io").status == 404
    for definition in kueue.call("GET", crds).json["items"]:
        kueue.call("DELETE", f"{crds}/{definition['metadata']['name']}")
    assert kueue.call("GET", "/apis/kueue.x-k8s.io").status == 404
    assert kueue.call("GET", QUEUES).text == "404 page not found\n"


def test_requests_are_remembered(cluster: Cluster) -> None:
    cluster.call("GET", "/api/v1/namespaces/default/pods?limit=5")
    cluster.call("GET", "/apis/apps/v1/namespaces/default/deployments/d/status", token="")
    cluster.call("GET", "/version", token="nobody's")
    shown = [
        {name: each[name] for name in ("verb", "path", "resource", "namespace", "name", "user", "status")}
        for each in cluster.requests()
    ]
    assert [tuple(each.values()) for each in shown] == [
        ("list", "/api/v1/namespaces/default/pods?limit=5", "pods", "default", "", "kubernetes-admin", 200),
        (
            "get",
            "/apis/apps/v1/namespaces/default/deployments/d/status",
            "deployments/status",
            "default",
            "d",
            "system:anonymous",
            403,
        ),
        ("get", "/version", "", "", "", "", 401),
    ]
    cluster.forget_requests()
    assert cluster.requests() == []


def test_the_official_client_reads_it(kueue: Cluster, tmp_path: Any) -> None:
    from kubernetes import client

    authority = tmp_path / "ca.pem"
    authority.write_text(kueue.certificate_pem)
    configuration = client.Configuration(host=kueue.endpoint)
    configuration.ssl_ca_cert = str(authority)
    configuration.api_key = {"authorization": f"Bearer {kueue.admin_token}"}
    with client.ApiClient(configuration) as api:
        namespaces = client.CoreV1Api(api).list_namespace().items
        queues = client.CustomObjectsApi(api)
        made: Any = queues.create_cluster_custom_object("kueue.x-k8s.io", "v1beta2", "clusterqueues", _queue())
        listed: Any = queues.list_cluster_custom_object("kueue.x-k8s.io", "v1beta2", "clusterqueues")
    names = [item.metadata.name for item in namespaces if item.metadata]
    assert names == ["default", "kube-node-lease", "kube-public", "kube-system"]
    assert listed["items"] == [made]


def _queue() -> dict[str, Any]:
    return {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "ClusterQueue", "metadata": {"name": "q"}, "spec": {}}


def test_one_connection_for_many_requests(cluster: Cluster) -> None:
    trusting = ssl.create_default_context(cadata=cluster.certificate_pem)
    connection = http.client.HTTPSConnection(cluster.endpoint.removeprefix("https://"), context=trusting)
    connection.connect()
    sock = connection.sock
    for _ in range(3):
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b"ok"
        assert connection.sock is sock
    connection.close()
