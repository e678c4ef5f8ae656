"""The cut client of the layer reads a cluster, with nothing but what the layer ships."""

import json
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import kubernetes
import pytest
import trustme
from packaging.utils import canonicalize_name

from building import kubernetes_client
from building.dependencies import REQUIREMENTS
from building.target import BuildError
from tests.unit.aws.kubernetes.conftest import Server, pem, says

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
HERE = Path(kubernetes.__file__).parent
READS = """
import json, sys
sys.path.insert(0, sys.argv[1])
sys.modules.update(dict.fromkeys(sys.argv[4:]))  # None: as if they were not installed
from governor.aws.kubernetes.client import Kubernetes
from governor.aws.kubernetes.resources import NODES
from governor.aws.kubernetes.transport import Target, Transport
transport = Transport(Target("research", sys.argv[2], sys.argv[3]), lambda: "token")
names = [node.metadata.name for node in Kubernetes("research", transport).pages(NODES, at_most=1)]
print(json.dumps([names, sys.modules["kubernetes"].__file__,
    sorted({name.partition(".")[0] for name, module in sys.modules.items() if module})]))
"""


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    """The installed client, cut; its largest parts are not worth copying."""
    package = tmp_path / "kubernetes"
    shutil.copytree(HERE, package, ignore=shutil.ignore_patterns("aio", "api", "models", "__pycache__"))
    kubernetes_client.trim(package)
    return tmp_path


def test_a_cluster_is_read_with_nothing_but_what_the_layer_ships(
    cut: Path, server: Server, authority: trustme.CA
) -> None:
    server.answers = [says({"items": [{"metadata": {"name": "a"}}]})]
    command = [sys.executable, "-c", READS, str(cut), server.url, pem(authority)]
    command += [name.replace("-", "_") for name in kubernetes_client.NOT_SHIPPED]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    names, where, modules = json.loads(done.stdout)

    assert names == ["a"]
    assert Path(where).is_relative_to(cut)
    lines = REQUIREMENTS.read_text().splitlines()
    shipped = {canonicalize_name(line.partition("==")[0]) for line in lines if not line.startswith("#")}
    distributions = packages_distributions()
    used = {canonicalize_name(each) for name in modules for each in distributions.get(name, ())}
    assert "kubernetes" in used
    assert used - shipped <= {"hyperpod-governor", "setuptools"}  # the second by the editable installation


def test_little_is_left_of_it(cut: Path) -> None:
    files = [path for path in cut.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 80_000
    assert (cut / "kubernetes/client/rest.py").read_bytes() == (HERE / "client/rest.py").read_bytes()
    for path in files:
        changed = path.read_bytes() != (HERE / path.relative_to(cut / "kubernetes")).read_bytes()
        assert changed == ("Emptied for HyperPod Governor" in path.read_text())


def test_another_client_fails_the_build_and_not_the_function(tmp_path: Path) -> None:
    (tmp_path / "client").mkdir()
    (tmp_path / "client/rest.py").touch()
    with pytest.raises(BuildError, match=r"kubernetes has no client/configuration\.py, .*another version"):
        kubernetes_client.trim(tmp_path)
