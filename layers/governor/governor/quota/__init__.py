"""Compute quota arithmetic: what an entry of a compute allocation amounts to, in exact numbers."""

from governor.quota.amounts import Amounts, Dimension, add, amounts_of, exact, total
from governor.quota.cluster import Capacity, Cluster, InstanceGroup, capacity_of
from governor.quota.entry import Partition, QuotaEntry
from governor.quota.fill_in import fill_in
from governor.quota.instances import Catalogue, Instance, bundled_instances

__all__ = [
    "Amounts",
    "Capacity",
    "Catalogue",
    "Cluster",
    "Dimension",
    "Instance",
    "InstanceGroup",
    "Partition",
    "QuotaEntry",
    "add",
    "amounts_of",
    "bundled_instances",
    "capacity_of",
    "exact",
    "fill_in",
    "total",
]
