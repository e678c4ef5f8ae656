"""The layer of third-party packages: pinned wheels for the target, cut to what the functions use."""

import shutil
import sys
from pathlib import Path

from building import kubernetes_client
from building.target import BuildError, Target, finish, run
from building.trimming import trim

REQUIREMENTS = Path(__file__).parents[1] / "dependencies" / "requirements.txt"
NOT_USED = (
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/utilities/parser",
    "boto3/data",
    "boto3/examples",
)
"""Parts that nothing here imports; a test starts the functions without them."""


def build(directory: Path, target: Target) -> None:
    """Fill a directory."""
    python = directory / "python"
    shutil.rmtree(python, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--implementation", "cp", "--python-version", target.version]
    command += [part for abi in (f"cp{target.version.replace('.', '')}", "abi3", "none") for part in ("--abi", abi)]
    command += [part for platform in target.platforms for part in ("--platform", platform)]
    run([*command, "--requirement", str(REQUIREMENTS), "--target", str(python), "--no-compile"])
    for name in NOT_USED:
        shutil.rmtree(python / name, ignore_errors=True)
    if not list((python / "yaml").glob("_yaml*.so")) or not list((python / "msgspec").glob("_core*.so")):
        raise BuildError(f"the wheels for {target.runtime} on {target.architecture} lack their compiled parts")
    trim(python / "botocore" / "data")
    kubernetes_client.trim(python / "kubernetes")
    finish(directory, "dependencies", target)
