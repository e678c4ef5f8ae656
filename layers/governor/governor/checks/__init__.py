"""Checks across teams and against the cluster, beyond what one value can tell."""

from governor.checks.capacity import check_capacity, check_cluster
from governor.checks.sharing import check_policy

__all__ = ["check_capacity", "check_cluster", "check_policy"]
