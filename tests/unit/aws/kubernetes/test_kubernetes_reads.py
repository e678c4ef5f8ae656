"""The roles in Kubernetes allow what is read and nothing else, and what is read is what the code asks for."""

import ast
from pathlib import Path
from typing import Any

import yaml

import governor
from governor.aws.kubernetes import READS, Read, roles
from governor.aws.kubernetes import resources as module
from governor.aws.kubernetes.answers import GROUP
from governor.aws.kubernetes.resources import NODES, Resource

PACKAGE = Path(governor.__file__).parent
RESOURCES = {name: value for name, value in vars(module).items() if isinstance(value, Resource)}
VERBS = {"get": "get", "pages": "list"}
"""What the methods of Kubernetes do."""
OF_PERSONS = PACKAGE / "aws" / "workloads.py"
"""What ``governor why`` reads, with the credentials of whoever asks: the functions' roles do not allow it."""


def documents() -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(roles()) if each]


def allowed() -> set[tuple[str, str, str]]:
    """Verb, group and resource of everything that the YAML allows to our group."""
    found = set()
    for rule in documents()[0]["rules"]:
        assert set(rule) == {"apiGroups", "resources", "verbs"}
        ((group,), (resource,), (verb,)) = (rule["apiGroups"], rule["resources"], rule["verbs"])
        found.add((verb, group, resource))
    return found


def test_the_role_allows_what_is_read_and_nothing_else() -> None:
    assert allowed() == {(each.verb, each.resource.group, each.resource.plural) for each in READS}
    assert {verb for verb, *_ in allowed()} <= {"get", "list"}
    assert not {resource for _, _, resource in allowed()} & {"secrets", "*"}


def test_the_role_is_bound_to_our_group_and_needs_no_namespace() -> None:
    role, binding = documents()
    assert (role["kind"], binding["kind"]) == ("ClusterRole", "ClusterRoleBinding")
    for each in (role, binding):
        assert each["metadata"] == {"name": GROUP}
        assert each["apiVersion"] == "rbac.authorization.k8s.io/v1"
    assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": GROUP}
    assert binding["subjects"] == [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": GROUP}]


def test_another_read_is_another_rule() -> None:
    more = roles((*READS, Read("get", NODES, "one node")))
    (role,) = [each for each in yaml.safe_load_all(more) if each and each["kind"] == "ClusterRole"]
    assert {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]} in role["rules"]


def _asked() -> set[tuple[str, str]]:
    """Verb and resource of each call of the functions' code whose first argument is a resource."""
    found = set()
    for path in set(PACKAGE.rglob("*.py")) - {OF_PERSONS}:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in VERBS:
                first = node.args[0] if node.args else None
                name = (
                    first.attr if isinstance(first, ast.Attribute) else first.id if isinstance(first, ast.Name) else ""
                )
                if name in RESOURCES:
                    found.add((VERBS[node.func.attr], name))
    return found


def test_what_persons_read_is_nothing_that_functions_run() -> None:
    """Nobody but the command imports it, so that no function needs what it needs."""
    assert OF_PERSONS.exists()
    importing = {
        str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if "aws.workloads import" in path.read_text()
    }
    assert importing == {"cli/why.py"}


def test_the_reads_are_what_the_code_asks_for() -> None:
    names = {id(resource): name for name, resource in RESOURCES.items()}
    assert _asked() == {(each.verb, names[id(each.resource)]) for each in READS}
