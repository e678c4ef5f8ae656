"""Checks across teams and against the cluster, beyond what one value can tell."""

from governor.checks.capacity import Overcommit, check_capacity, check_cluster, excess_of
from governor.checks.policy_file import PolicyFile, placed
from governor.checks.sharing import check_policy

__all__ = ["Overcommit", "PolicyFile", "check_capacity", "check_cluster", "check_policy", "excess_of", "placed"]
