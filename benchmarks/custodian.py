"""Cloud Custodian's function, the peer of publish_metrics: what it does at a cold start before it looks at an event."""

import json
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

from benchmarks.processes import ROOT

NAME = "c7n: its handler, one policy, a SageMaker client"
_PLACE = ROOT / "build" / "tools" / "custodian"
_REQUIREMENTS = ROOT / "benchmarks" / "custodian.txt"
_INSTALLED = _PLACE / "installed"
_POLICY = {
    "execution-options": {"account_id": "123456789012"},  # as deployed by its command line; else it would ask STS
    "policies": [
        {"name": "clusters", "resource": "aws.sagemaker-cluster", "filters": [{"ClusterStatus": "InService"}]},
    ],
}
# The lines of c7n.handler.dispatch_event up to where a policy is run.
_START = f"""
import json, boto3
from c7n import handler
data = json.loads({json.dumps(json.dumps(_POLICY))})
config = handler.init_config(data)
handler.load_resources(handler.StructureParser().get_resource_types(data))
for policy in handler.PolicyCollection.from_data(data, config):
    policy.validate()
boto3.client("sagemaker")
"""


def is_installed() -> bool:
    """True when its environment is there, made of the requirements as they are now."""
    return _INSTALLED.is_file() and _INSTALLED.read_text() == _wanted()


def install() -> None:
    """Make its environment, once; RuntimeError with what pip says where it cannot be made."""
    if is_installed():
        return
    print("Installing Cloud Custodian …", file=sys.stderr)
    shutil.rmtree(_PLACE, ignore_errors=True)
    venv.create(_PLACE, with_pip=True)
    command: list[str | Path] = [_PLACE / "bin" / "python", "-m", "pip", "install", "--quiet"]
    command += ["--disable-pip-version-check", "--requirement", _REQUIREMENTS]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pip could not install {_REQUIREMENTS.name}:\n{done.stdout}")
    _INSTALLED.write_text(_wanted())


def start(environment: Mapping[str, str]) -> tuple[list[str], Mapping[str, str]]:
    """The command of a cold start and its environment: on the path is nothing but its own packages, as with ours."""
    packages = _PLACE / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    return [sys.executable, "-S", "-c", _START], {**environment, "PYTHONPATH": str(packages)}


def _wanted() -> str:
    return f"{sys.version}\n{_REQUIREMENTS.read_text()}"
