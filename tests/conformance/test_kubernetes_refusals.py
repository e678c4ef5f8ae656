"""How a Kubernetes API server refuses what cannot be and what is not allowed: the local one as well as a real one."""

import pytest

from tests.conformance.conftest import Make, Widgets
from tests.conformance.target import Target

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
REVIEW = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
RBAC = "/apis/rbac.authorization.k8s.io/v1"
STRANGER = {"Impersonate-User": "conformance-stranger"}


@pytest.fixture
def impersonating(target: Target) -> None:
    """Skips where we may not act for somebody else, who is needed to be refused something."""
    wish = {"verb": "impersonate", "resource": "users", "name": STRANGER["Impersonate-User"]}
    if not target.call("POST", REVIEWS, {**REVIEW, "spec": {"resourceAttributes": wish}}).json["status"]["allowed"]:
        pytest.skip("there is no second identity: the user of the kubeconfig may not impersonate users")


# Refusals


def test_an_object_that_is_not_there(target: Target, widgets: Widgets) -> None:
    reply = target.call("GET", f"{widgets.path()}/nope")
    assert reply.status == 404
    assert reply.json == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f'{widgets.named} "nope" not found',
        "reason": "NotFound",
        "details": {"name": "nope", "group": widgets.group, "kind": "widgets"},
        "code": 404,
    }


@pytest.mark.parametrize("path", ["/apis/no.such.group", "/apis/no.such.group/v1/things", "/nothing"])
def test_a_path_of_nothing(target: Target, path: str) -> None:
    reply = target.call("GET", path)
    assert (reply.status, reply.text.strip()) == (404, "404 page not found")


def test_a_version_that_is_not_served(target: Target, widgets: Widgets) -> None:
    reply = target.call("GET", widgets.path("v7"))
    assert (reply.status, reply.text.strip()) == (404, "404 page not found")


def test_a_resource_that_is_not_built_in(target: Target) -> None:
    reply = target.call("GET", "/api/v1/nopes")
    told = "the server could not find the requested resource"
    assert (reply.status, reply.json["message"], reply.json["details"]) == (404, told, {})


def test_an_object_that_is_there(target: Target, widgets: Widgets, make: Make) -> None:
    made = make("a")
    reply = target.call(
        "POST", widgets.path(), {"apiVersion": made["apiVersion"], "kind": "Widget", "metadata": {"name": "a"}}
    )
    assert (reply.status, reply.json["reason"]) == (409, "AlreadyExists")
    assert reply.json["message"] == f'{widgets.named} "a" already exists'


def test_a_namespace_that_is_missing(target: Target, mark: str) -> None:
    path = f"/api/v1/namespaces/missing-{mark}/configmaps"
    reply = target.call("POST", path, {"metadata": {"name": "c"}})
    assert (reply.status, reply.json["message"]) == (404, f'namespaces "missing-{mark}" not found')
    assert reply.json["details"] == {"name": f"missing-{mark}", "kind": "namespaces"}
    assert target.call("GET", path).json["items"] == []


def test_a_name_that_is_none(target: Target, widgets: Widgets) -> None:
    body = {"apiVersion": f"{widgets.group}/v1", "kind": "Widget", "metadata": {"name": "BAD_name"}}
    reply = target.call("POST", widgets.path(), body)
    assert (reply.status, reply.json["reason"]) == (422, "Invalid")
    assert reply.json["message"].startswith(
        f'Widget.{widgets.group} "BAD_name" is invalid: metadata.name: Invalid value:'
    )


def test_a_body_of_another_version(target: Target, widgets: Widgets) -> None:
    body = {"apiVersion": f"{widgets.group}/v1beta1", "kind": "Widget", "metadata": {"name": "a"}}
    reply = target.call("POST", widgets.path(), body)
    assert (reply.status, reply.json["reason"]) == (400, "BadRequest")
    assert "does not match the expected API version" in reply.json["message"]


def test_a_body_that_is_no_object(target: Target, widgets: Widgets) -> None:
    assert target.call("POST", widgets.path(), "{").status == 400


def test_a_version_of_the_future(target: Target, widgets: Widgets) -> None:
    now = int(target.call("GET", widgets.path()).json["metadata"]["resourceVersion"])
    reply = target.call("GET", f"{widgets.path()}?resourceVersion={now + 1_000_000}")
    assert (reply.status, reply.json["reason"]) == (504, "Timeout")
    assert reply.json["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


def test_a_method_that_is_none(target: Target, widgets: Widgets) -> None:
    assert target.call("PUT", widgets.path(), {}).status == 400
    reply = target.call("PUT", "/api/v1/nodes", {})
    assert (reply.status, reply.json["reason"]) == (405, "MethodNotAllowed")


def test_a_token_that_is_none(target: Target) -> None:
    reply = target.call_as_nobody("GET", "/api/v1/namespaces", {"Authorization": "Bearer nobody's"})
    assert reply.status == 401
    assert reply.json == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "Unauthorized",
        "reason": "Unauthorized",
        "code": 401,
    }


# Permissions


def test_somebody_without_a_role(target: Target, widgets: Widgets, impersonating: None) -> None:
    reply = target.call("GET", f"{widgets.path()}/a", headers=STRANGER)
    assert (reply.status, reply.json["reason"]) == (403, "Forbidden")
    assert reply.json["message"] == (
        f'{widgets.named} "a" is forbidden: User "conformance-stranger" cannot get resource "widgets" in API group'
        f' "{widgets.group}" in the namespace "{widgets.namespace}"'
    )
    assert reply.json["details"] == {"name": "a", "group": widgets.group, "kind": "widgets"}
    reply = target.call("GET", "/api/v1/nodes", headers=STRANGER)
    told = 'User "conformance-stranger" cannot list resource "nodes" in API group "" at the cluster scope'
    assert reply.json["message"] == f"nodes is forbidden: {told}"
    assert reply.json["details"] == {"kind": "nodes"}


def test_a_group_that_nobody_knows_is_forbidden_too(target: Target, impersonating: None) -> None:
    reply = target.call("GET", "/apis/no.such.group/v1/things", headers=STRANGER)
    assert (reply.status, reply.json["details"]) == (403, {"group": "no.such.group", "kind": "things"})


def test_everybody_may_discover(target: Target, impersonating: None) -> None:
    paths = ["/version", "/api", "/apis", "/apis/apps/v1"]
    assert [target.call("GET", path, headers=STRANGER).status for path in paths] == [200] * 4
    reply = target.call("GET", "/metrics", headers=STRANGER)
    assert reply.json["message"] == 'forbidden: User "conformance-stranger" cannot get path "/metrics"'


def test_a_role_in_a_namespace(target: Target, widgets: Widgets, impersonating: None) -> None:
    place = f"{RBAC}/namespaces/{widgets.namespace}"
    rule = {"apiGroups": [widgets.group], "resources": ["widgets"], "verbs": ["list"]}
    target.call("POST", f"{place}/roles", {"metadata": {"name": "read"}, "rules": [rule]})
    binding = {
        "metadata": {"name": "read"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "read"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "conformance-readers"}],
    }
    target.call("POST", f"{place}/rolebindings", binding)
    reader = {**STRANGER, "Impersonate-Group": "conformance-readers"}
    target.until("GET", widgets.path(), lambda reply: reply.status == 200, headers=reader)
    assert target.call("GET", f"{widgets.path()}/a", headers=reader).status == 403
    assert target.call("GET", f"/apis/{widgets.group}/v1/widgets", headers=reader).status == 403


def test_a_review_of_ones_own_access(target: Target, widgets: Widgets, impersonating: None) -> None:
    wish = {"group": widgets.group, "resource": "widgets", "verb": "delete", "namespace": widgets.namespace}
    body = {**REVIEW, "spec": {"resourceAttributes": wish}}
    mine, its = target.call("POST", REVIEWS, body), target.call("POST", REVIEWS, body, headers=STRANGER)
    assert (mine.status, mine.json["status"]["allowed"]) == (201, True)
    assert (its.status, its.json["status"]["allowed"], its.json["spec"]) == (201, False, body["spec"])
