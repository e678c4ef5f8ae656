"""The build: what is cut away is not missed, and what was built is said truthfully."""

import ast
import importlib.util
import json
import sys
import urllib.request
from pathlib import Path
from types import ModuleType
from typing import Any

import botocore.loaders
import pytest
from botocore import xform_name
from botocore.model import ServiceModel

from building import governor, target
from building.trimming import EXTRA_SHAPES, OPERATIONS, trimmed_model
from governor.aws.service_model import service_limits
from governor.policy import SHAPES
from tests.support.cloudformation import ROOT

HERE = f"python3.{sys.version_info.minor}"


def _handler() -> ModuleType:
    """The handler's module; three of them are called app."""
    spec = importlib.util.spec_from_file_location("check_build", ROOT / "functions" / "check_build" / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


app = _handler()
ADAPTERS = ("sagemaker", "ec2", "objects", "queue", "announcer")
"""The modules of governor.aws that the functions use."""


def _full(service: str) -> dict[str, Any]:
    model: dict[str, Any] = botocore.loaders.create_loader().load_service_model(service, "service-2")
    return model


@pytest.mark.parametrize("service", OPERATIONS)
def test_a_trimmed_model_says_the_same_of_what_is_called(service: str) -> None:
    operations = OPERATIONS[service]
    cut = ServiceModel(trimmed_model(_full(service), operations, EXTRA_SHAPES.get(service, ())), service)
    full = ServiceModel(_full(service), service)

    def told(shape: Any, seen: tuple[str, ...] = ()) -> Any:
        if shape is None or shape.name in seen:
            return shape and shape.name
        parts: dict[str, Any] = {
            "type": shape.type_name,
            "metadata": shape.metadata,
            "serialization": shape.serialization,
        }
        if shape.type_name == "structure":
            parts["members"] = {name: told(each, (*seen, shape.name)) for name, each in shape.members.items()}
        if shape.type_name == "list":
            parts["member"] = told(shape.member, (*seen, shape.name))
        if shape.type_name == "map":
            parts["map"] = [told(each, (*seen, shape.name)) for each in (shape.key, shape.value)]
        return parts

    assert cut.metadata == full.metadata
    for name in operations:
        mine, its = cut.operation_model(name), full.operation_model(name)
        assert mine.http == its.http
        assert told(mine.input_shape) == told(its.input_shape)
        assert told(mine.output_shape) == told(its.output_shape)
        assert [told(each) for each in mine.error_shapes] == [told(each) for each in its.error_shapes]
    assert len(cut.operation_names) == len(operations)


def test_the_limits_of_policies_are_the_same_in_the_trimmed_model() -> None:
    cut = ServiceModel(
        trimmed_model(_full("sagemaker"), OPERATIONS["sagemaker"], EXTRA_SHAPES["sagemaker"]), "sagemaker"
    )
    for name in SHAPES:
        metadata, limit = cut.shape_for(name).metadata, service_limits()[name]
        assert (metadata.get("min"), metadata.get("max"), tuple(metadata.get("enum", ()))) == (
            limit.minimum,
            limit.maximum,
            limit.values,
        )


def test_what_is_kept_is_what_the_functions_call() -> None:
    called: set[str] = set()
    for name in ADAPTERS:
        tree = ast.parse((ROOT / "layers/governor/governor/aws" / f"{name}.py").read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called.add(node.func.attr)
                if node.func.attr == "get_paginator" and isinstance(node.args[0], ast.Constant):
                    called.add(str(node.args[0].value))
    known = {xform_name(name) for names in OPERATIONS.values() for name in names}
    all_names = {xform_name(name) for service in OPERATIONS for name in _full(service)["operations"]}
    assert (called & all_names) | {"head_bucket"} == known  # head_bucket: botocore itself, for a bucket that moved


def test_requirements_are_the_pins_that_everything_else_is_tested_with() -> None:
    pinned = set((ROOT / "constraints.txt").read_text().split())
    wanted = [
        line
        for line in (ROOT / "layers/dependencies/requirements.txt").read_text().splitlines()
        if not line.startswith("#")
    ]
    assert len(wanted) >= 10
    assert set(wanted) <= pinned


def test_the_same_sources_give_the_same_layer(tmp_path: Path) -> None:
    built = target.Target(HERE, "x86_64")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        governor.build(tmp_path / name, built)

    def content(name: str) -> list[tuple[str, bytes, float]]:
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        return [(str(path.relative_to(tmp_path / name)), path.read_bytes(), path.stat().st_mtime) for path in files]

    assert content("one") == content("two")
    names = [name for name, _, _ in content("one")]
    assert any(name.endswith(".pyc") for name in names)
    assert not any("/cli/" in name for name in names)
    record = json.loads((tmp_path / "one/python/governor-build.json").read_text())
    assert record == {"layer": "governor", "runtime": HERE, "architecture": "x86_64", "bytecode": True}


def test_without_an_interpreter_of_the_runtime_the_build_says_loudly_that_it_ships_no_compiled_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(target.Target, "interpreter", lambda _: None)
    governor.build(tmp_path, target.Target("python3.13", "arm64"))

    assert "WARNING: no Python 3.13 on this machine" in capsys.readouterr().out  # where SAM shows it
    assert not list(tmp_path.rglob("*.pyc"))
    assert json.loads((tmp_path / "python/governor-build.json").read_text())["bytecode"] is False


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("GOVERNOR_RUNTIME", "python2.7", "write one of python3.11"),
        ("GOVERNOR_ARCHITECTURE", "mips", "arm64 or x86_64"),
    ],
)
def test_a_target_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(target.BuildError, match=says):
        target.target_from_environment()


def test_the_default_is_the_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.cloudformation import template

    for name in ("GOVERNOR_RUNTIME", "GOVERNOR_ARCHITECTURE"):
        monkeypatch.delenv(name, raising=False)
    parameters = template()["Parameters"]
    built = target.target_from_environment()
    assert (built.runtime, built.architecture) == (
        parameters["Runtime"]["Default"],
        parameters["Architecture"]["Default"],
    )
    assert list(target.RUNTIMES) == parameters["Runtime"]["AllowedValues"]
    assert set(target.MACHINES) == set(parameters["Architecture"]["AllowedValues"])


def test_a_runtime_gets_wheels_that_its_c_library_can_load() -> None:
    assert "manylinux_2_34_aarch64" in target.Target("python3.13", "arm64").platforms
    older = target.Target("python3.11", "x86_64").platforms
    assert "manylinux_2_26_x86_64" in older
    assert "manylinux_2_28_x86_64" not in older


def _record(directory: Path, **changes: str) -> list[str]:
    for name in app.NAMES:
        record = {"layer": name, "runtime": "python3.13", "architecture": "arm64", **changes}
        (directory / f"{name}-build.json").write_text(json.dumps(record))
    return ["/nowhere", str(directory)]


WANTED = {"Runtime": "python3.13", "Architecture": "arm64"}


def test_what_was_built_may_be_deployed(tmp_path: Path) -> None:
    assert app.wrong(WANTED, _record(tmp_path)) == ""


@pytest.mark.parametrize("changes", [{"runtime": "python3.12"}, {"architecture": "x86_64"}])
def test_another_build_may_not_and_both_ways_out_are_told(tmp_path: Path, changes: dict[str, str]) -> None:
    reason = app.wrong(WANTED, _record(tmp_path, **changes))
    assert "GOVERNOR_RUNTIME=python3.13 GOVERNOR_ARCHITECTURE=arm64 sam build" in reason
    assert "or deploy with Runtime=" in reason


@pytest.mark.parametrize("content", [None, "", "[]", "{"])
def test_a_layer_without_a_record_may_not(tmp_path: Path, content: str | None) -> None:
    path = _record(tmp_path)
    record = tmp_path / "governor-build.json"
    record.unlink()
    if content is not None:
        record.write_text(content)
    assert "The layer governor has no record of its build" in app.wrong(WANTED, path)


@pytest.mark.parametrize(
    ("request_type", "status"), [("Create", "FAILED"), ("Update", "FAILED"), ("Delete", "SUCCESS")]
)
def test_cloudformation_is_answered_and_the_address_is_kept_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], request_type: str, status: str
) -> None:
    event = json.loads((ROOT / "events" / "build-check.json").read_text())
    sent: list[urllib.request.Request] = []

    class Answer:
        def __enter__(self) -> None: ...
        def __exit__(self, *_: object) -> None: ...

    def opened(request: urllib.request.Request, timeout: float) -> Answer:
        assert timeout <= 30
        sent.append(request)
        return Answer()

    monkeypatch.setattr("urllib.request.urlopen", opened)
    app.handler({**event, "RequestType": request_type}, None)  # no layers here: nothing fits

    (request,) = sent
    assert isinstance(request.data, bytes)
    answer = json.loads(request.data)
    assert (request.full_url, request.get_method()) == (event["ResponseURL"], "PUT")
    assert answer["Status"] == status
    assert answer["RequestId"] == event["RequestId"]
    assert "signature" not in capsys.readouterr().out
