"""``make local``: the local AWS with the product on it until Ctrl-C, and the environment to use it from a shell."""

import json
import shlex
import signal
import sys
import threading

from local.deployment import deployed
from local.environment import forget_aws_accounts

CLUSTER = "ml-research"


def main() -> int:
    """Start, deploy, print the environment on standard output, wait; the exit status."""
    forget_aws_accounts()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with deployed({"DeletionGraceSeconds": "60"}, progress=_progress) as deployment:
        deployment.add_cluster(CLUSTER, {"ml.g5.8xlarge": 4})
        for name, value in {**deployment.aws.env(), "GOVERNOR_STACK": deployment.stack}.items():
            print(f"export {name}={shlex.quote(value)}")
        print(f"# Deployed, with a HyperPod cluster {CLUSTER} of 4 × ml.g5.8xlarge. In another shell, after that:")
        print(f"#   aws s3 cp policies/workshop.yaml s3://{deployment.policies}/policies/")
        print(f"#   aws s3 cp s3://{deployment.records}/status/policies/workshop.yaml.md -")
        print("#   governor status; governor addon ml-research; governor usage ml-research; governor doctor")
        kubeconfig = deployment.aws.directory / "kubeconfig"
        kubeconfig.write_text(json.dumps(deployment.aws.kubernetes.cluster(CLUSTER).kubeconfig()))
        print(f"export KUBECONFIG={kubeconfig}  # the cluster's Kubernetes API, as its administrator")
        print("# Until Ctrl-C.", flush=True)
        ended.wait()
    return 0


def _progress(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
