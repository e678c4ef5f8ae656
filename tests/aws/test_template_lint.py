"""What the linters say of the template."""

import subprocess

from local.aws.sam import Sam
from local.deployment import Deployment
from local.hyperpod.client import ROOT


def test_cfn_lint_is_content(deployment: Deployment) -> None:
    linter = deployment.aws.sam.command.with_name("cfn-lint")
    done = subprocess.run([linter, "template.yaml"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)


def test_sam_validate_is_content(deployment: Deployment) -> None:
    sam: Sam = deployment.aws.sam
    said = sam.validate(ROOT)
    assert "is a valid SAM Template" in said
