"""The public workshop's way: a shell loop that calls awscli once for each team."""

import os
import sys
from pathlib import Path

from benchmarks.account import Account
from benchmarks.processes import Cost, run

AWS = Path(sys.executable).parent / "aws"
_LOOP = """
for team in $(seq -f 'research-%05.0f' "$FIRST" "$LAST"); do
  aws sagemaker create-compute-quota --name "$team-quota" --cluster-arn "$CLUSTER_ARN" \
    --compute-quota-config "ComputeQuotaResources=[{InstanceType=ml.g5.8xlarge,Count=2},\
{InstanceType=ml.p5.48xlarge,Accelerators=2,VCpu=24,MemoryInGiB=256}],\
ResourceSharingConfig={Strategy=LendAndBorrow,BorrowLimit=50},PreemptTeamTasks=LowerPriority" \
    --compute-quota-target "TeamName=$team,FairShareWeight=50" --activation-state Enabled || exit 1
done
"""


def is_installed() -> bool:
    """True when this environment has awscli; `make bench` installs it."""
    return AWS.exists()


def loop(account: Account, first: int, last: int) -> Cost:
    """Create the quotas of teams `first` to `last`, one after the other, without waiting for any to be steady."""
    environment = {
        **os.environ,
        "PATH": f"{AWS.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "CLUSTER_ARN": account.cluster_arn,
        "FIRST": str(first),
        "LAST": str(last),
        "AWS_PAGER": "",
    }
    return run(["sh", "-c", _LOOP], environment)
