"""kubectl, where there is one, applies manifests and reads them."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from local.kubernetes.cluster import Cluster

MANIFEST = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: readers}
rules: [{apiGroups: [""], resources: [%s], verbs: [list]}]
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: ResourceFlavor
metadata: {name: gpu}
spec: {nodeLabels: {instance: %s}}
"""


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_applying_a_manifest_again_and_again(kueue: Cluster, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(kueue.kubeconfig()))

    def kubectl(*arguments: str, manifest: str = "") -> list[str]:
        result = subprocess.run(
            ["kubectl", *arguments],
            input=manifest,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "KUBECONFIG": str(config)},
        )
        assert result.returncode == 0, result.stderr
        return [line.rpartition(" ")[2] for line in result.stdout.splitlines()]

    assert kubectl("apply", "-f", "-", manifest=MANIFEST % ("nodes", "a")) == ["created", "created"]
    assert kubectl("apply", "-f", "-", manifest=MANIFEST % ("nodes", "a")) == ["unchanged", "unchanged"]
    assert kubectl("apply", "-f", "-", manifest=MANIFEST % ("pods", "b")) == ["configured", "configured"]
    assert kubectl("get", "clusterrole", "readers", "-o", "jsonpath={.rules[0].resources}") == ['["pods"]']
    assert kubectl("get", "resourceflavors", "-o", "jsonpath={.items[*].spec.nodeLabels.instance}") == ["b"]
