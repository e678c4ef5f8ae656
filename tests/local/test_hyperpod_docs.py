"""docs/control-plane.md names everything that can be called, set and broken."""

import json
import re
from typing import get_args

import msgspec
import pytest

from local.hyperpod.client import ROOT, ControlPlane
from local.hyperpod.faults import AnyRule
from local.hyperpod.settings import Settings
from local.hyperpod.state import State

PAGE = (ROOT / "docs" / "control-plane.md").read_text("utf-8")


@pytest.mark.parametrize("operation", State().operations)
def test_operations(operation: str) -> None:
    assert operation in PAGE


@pytest.mark.parametrize("field", msgspec.structs.fields(Settings), ids=lambda field: field.name)
def test_settings_and_their_defaults(field: msgspec.structs.FieldInfo) -> None:
    default = {} if field.default is msgspec.NODEFAULT else field.default
    row = re.search(rf"^\| `{field.name}` \| `?([^|`]+)`? \|", PAGE, re.MULTILINE)
    assert row is not None
    assert json.loads(row[1]) == default


@pytest.mark.parametrize("rule", get_args(AnyRule), ids=lambda rule: rule.__struct_config__.tag)
def test_faults_and_what_they_take(rule: type[msgspec.Struct]) -> None:
    common = {"operation", "match", "times", "after"}
    row = re.search(rf"^\| `{rule.__struct_config__.tag}` \|.*$", PAGE, re.MULTILINE)
    assert row is not None
    for field in msgspec.structs.fields(rule):
        assert field.name in common or f"`{field.name}`" in row[0]


def test_the_examples_work(plane: ControlPlane) -> None:
    """Every curl line with a body, in the order of the page; the status of an invented id excepted."""
    shown = re.findall(r"curl -s (?:-X (\w+) )?\$PLANE/_admin/(\S+)(?: -d '(.*?)')?$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(shown) == 10
    for method, path, body in shown:
        if not path.startswith("resources/"):
            plane.admin(method or ("POST" if body else "GET"), path, json.loads(body) if body else None)
    assert plane.boto3_client().list_clusters()["ClusterSummaries"] == []
