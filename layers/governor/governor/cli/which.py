"""Which cluster is meant: the one that is named, or the only one on EKS that there is."""

from governor.aws.account import Account
from governor.errors import NotFoundError, PermanentError
from governor.policy.names import in_another_region
from governor.policy.wording import listed
from governor.quota import Cluster
from governor.records.parallel import side_by_side

MAX_NAMED = 10
"""Clusters that an error names."""
MOST_ASKED = 50
"""Clusters that are looked at to find the one that EKS orchestrates."""


def the_cluster(account: Account, given: str | None, say: str = "--cluster ") -> Cluster:
    """The cluster that is meant; ``say`` is what stands before its name on the command line.

    PermanentError where none is given and there is not exactly one on EKS, or where the given one is not on EKS.
    """
    clusters = account.governance.clusters
    if given:
        if elsewhere := in_another_region(given, account.region):
            raise PermanentError(elsewhere)
        found = clusters.describe(given)
        if not found.eks_name:
            raise PermanentError(f"cluster {found.name} is not orchestrated by EKS: there is no Kueue in it")
        return found
    names = sorted(clusters.names())
    if len(names) > MOST_ASKED:
        raise PermanentError(f"which of {len(names)} clusters? say {say}{', '.join(names[:MAX_NAMED])} or another")
    on_eks = [each for _, each in side_by_side(names, clusters.describe) if each.eks_name]
    if len(on_eks) == 1:
        return on_eks[0]
    if on_eks:
        raise PermanentError(f"which cluster? say {say}{listed(_some([each.name for each in on_eks]))}")
    raise NotFoundError(f"there is no HyperPod cluster on EKS in Region {account.region}")


def _some(names: list[str]) -> list[str]:
    return [*names[:MAX_NAMED], f"{len(names) - MAX_NAMED} more"] if len(names) > MAX_NAMED else names
