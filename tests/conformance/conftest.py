"""One cluster for all tests: the local one, or the one of GOVERNOR_TEST_KUBECONFIG.

Everything is made under names with a random end, and taken away again.
"""

import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conformance.target import Target, local_target, real_target

Make = Callable[..., dict[str, Any]]
"""Takes a name, labels and what else is in the body."""

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture(scope="session")
def target() -> Iterator[Target]:
    kubeconfig = os.environ.get("GOVERNOR_TEST_KUBECONFIG")
    with real_target(kubeconfig) if kubeconfig else local_target() as target:
        yield target


@pytest.fixture(scope="session")
def mark() -> str:
    """The end of every name."""
    return secrets.token_hex(4)


@pytest.fixture(scope="session")
def namespace(target: Target, mark: str) -> Iterator[str]:
    name = f"governor-conformance-{mark}"
    made = target.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    assert made.status == 201, made
    yield name
    target.call("DELETE", f"/api/v1/namespaces/{name}")


@dataclass(frozen=True, slots=True)
class Widgets:
    """A resource of our own, namespaced, with status and two versions, that no controller looks at."""

    group: str
    namespace: str

    def path(self, version: str = "v1") -> str:
        return f"/apis/{self.group}/{version}/namespaces/{self.namespace}/widgets"

    @property
    def named(self) -> str:
        """How errors name the resource."""
        return f"widgets.{self.group}"


@pytest.fixture(scope="session")
def widgets(target: Target, namespace: str, mark: str) -> Iterator[Widgets]:
    widgets = Widgets(f"c{mark}.conformance.example.com", namespace)
    made = target.call("POST", CRDS, _definition(widgets.group))
    assert made.status == 201, made
    try:
        for version in ("v1beta1", "v1"):
            target.until("GET", widgets.path(version), lambda reply: reply.status == 200)
        yield widgets
    finally:
        target.call("DELETE", f"{CRDS}/{widgets.named}")


@pytest.fixture(autouse=True)
def _no_widgets_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test begins without widgets, those of the last one may have had finalizers."""
    yield
    if "widgets" not in request.fixturenames:
        return
    target: Target = request.getfixturevalue("target")
    path = request.getfixturevalue("widgets").path()
    for item in target.call("GET", path).json["items"]:
        one = f"{path}/{item['metadata']['name']}"
        target.call("PATCH", one, {"metadata": {"finalizers": None}})
        target.call("DELETE", one)
    target.until("GET", path, lambda reply: reply.json["items"] == [])


@pytest.fixture
def make(target: Target, widgets: Widgets) -> Make:
    """Makes a widget in the way of the API, which adds what its version and kind are."""

    def made(name: str, labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
        body = {
            "apiVersion": f"{widgets.group}/v1",
            "kind": "Widget",
            "metadata": {"name": name, "labels": labels or {}},
            **more,
        }
        reply = target.call("POST", widgets.path(), body)
        assert reply.status == 201, reply
        widget: dict[str, Any] = reply.json
        return widget

    return made


def _definition(group: str) -> dict[str, Any]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets", "shortNames": ["wd"]},
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": version == "v1",
                    "schema": {"openAPIV3Schema": schema},
                    "subresources": {"status": {}},
                }
                for version in ("v1beta1", "v1")
            ],
        },
    }
