"""The build: what is cut away is not missed, and what was built is said truthfully."""

import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType
from typing import Any

import botocore.loaders
import botocore.session
import pytest
from botocore import xform_name
from botocore.model import ServiceModel
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from building import governor, target
from building.dependencies import NOT_USED
from building.kubernetes_client import NOT_SHIPPED
from building.trimming import EXTRA_SHAPES, OPERATIONS, trim, trimmed_model
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
PACKAGE = ROOT / "layers" / "governor"


def _used_by_the_functions() -> set[Path]:
    """The files of the package that governor.functions import, and those that these import, and so on."""
    todo = [f"governor.functions.{path.stem}" for path in (PACKAGE / "governor" / "functions").glob("*.py")]
    found: set[Path] = set()
    while todo:
        place = PACKAGE.joinpath(*todo.pop().split("."))
        path = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        if path in found or not path.is_file():
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("governor"):
                todo += [str(node.module), *(f"{node.module}.{each.name}" for each in node.names)]
    return found


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


@pytest.fixture(scope="module")
def trimmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """botocore's data, cut; of the services that go, one is enough to see that it goes."""
    full, data = Path(botocore.__file__).parent / "data", tmp_path_factory.mktemp("botocore") / "data"
    data.mkdir()
    for path in full.iterdir():
        if path.is_file():
            shutil.copy(path, data)
        elif path.name in (*OPERATIONS, "batch"):
            shutil.copytree(path, data / path.name)
    trim(data)
    return data


def test_the_trimmed_data_hold_nothing_else_and_are_small(trimmed: Path) -> None:
    assert {path.name for path in trimmed.iterdir() if path.is_dir()} == set(OPERATIONS)
    assert sum(path.stat().st_size for path in trimmed.rglob("*") if path.is_file()) < 2_000_000


def test_clients_of_the_trimmed_data_reach_the_same_endpoints_and_turn_the_same_pages(trimmed: Path) -> None:
    cut, full = botocore.session.Session(), botocore.session.Session()
    loader = botocore.loaders.Loader(include_default_search_paths=False, extra_search_paths=[str(trimmed)])
    cut.register_component("data_loader", loader)
    for service, operations in OPERATIONS.items():
        for region in ("us-west-2", "eu-south-2", "us-gov-west-1"):
            mine, its = (
                each.create_client(service, region, aws_access_key_id="none", aws_secret_access_key="none")
                for each in (cut, full)
            )
            assert mine.meta.endpoint_url == its.meta.endpoint_url
        pages = {}
        for each, data in (("cut", loader), ("full", botocore.loaders.create_loader())):
            found = data.load_service_model(service, "paginators-1")["pagination"]
            pages[each] = {name: found[name] for name in operations if name in found}
        assert pages["cut"] == pages["full"]


def test_the_functions_start_without_the_parts_that_are_left_out() -> None:
    left_out = [name.replace("/", ".") for name in NOT_USED if not name.startswith("boto3")]
    assert left_out
    code = f"import sys; sys.modules.update(dict.fromkeys({left_out!r}))\n"
    code += "import governor.functions.applying, governor.functions.receiving, governor.functions.parts as parts\n"
    code += "parts.Parts().warm_up('s3', 'sagemaker'); assert 'rich' not in sys.modules"
    environment = {"AWS_DEFAULT_REGION": "us-west-2", "PATH": os.environ["PATH"], "PYTHONPATH": str(PACKAGE)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


def test_what_is_kept_is_what_the_functions_call() -> None:
    called: set[str] = set()
    adapters = {path for path in _used_by_the_functions() if "aws" in path.relative_to(PACKAGE).parts}
    assert {"sagemaker.py", "ec2.py", "objects.py", "queue.py", "announcer.py"} <= {path.name for path in adapters}
    assert "stack.py" not in {path.name for path in adapters}  # of the command line only
    for path in adapters:
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if isinstance(node.func.value, ast.Name) and node.func.value.id.isupper():
                    continue  # a pattern's search, not SageMaker's
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
    names = {canonicalize_name(line.partition("==")[0]) for line in wanted}
    for name in names:  # pip is told --no-deps: what one of them needs has to be among them
        needed = map(Requirement, distribution(name).requires or ())
        missing = {each.name for each in needed if each.marker is None or each.marker.evaluate({"extra": ""})}
        left_out = NOT_SHIPPED if name == "kubernetes" else ()
        assert {canonicalize_name(each) for each in missing} <= names | set(left_out), name


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


@pytest.mark.parametrize("fits", [True, False])
@pytest.mark.parametrize("request_type", ["Create", "Update", "Delete"])
def test_cloudformation_is_answered_and_the_address_is_kept_secret(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request_type: str,
    fits: bool,
) -> None:
    status = "SUCCESS" if fits or request_type == "Delete" else "FAILED"
    monkeypatch.setattr(sys, "path", [*sys.path, *_record(tmp_path, **({} if fits else {"runtime": "python3.12"}))])
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
    app.handler({**event, "RequestType": request_type}, None)

    (request,) = sent
    assert isinstance(request.data, bytes)
    answer = json.loads(request.data)
    assert (request.full_url, request.get_method()) == (event["ResponseURL"], "PUT")
    assert answer["Status"] == status
    assert answer["Reason"]
    assert len(request.data) < 4096  # what CloudFormation takes
    assert answer["RequestId"] == event["RequestId"]
    assert "signature" not in capsys.readouterr().out
