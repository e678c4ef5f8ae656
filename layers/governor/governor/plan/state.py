"""The live state of a cluster's governance, as the SageMaker API reports it."""

import msgspec

from governor.policy import PriorityClass, Sharing
from governor.quota import Catalogue, Cluster, QuotaEntry

IN_FLIGHT = frozenset({"Creating", "Updating", "Deleting"})
STEADY = frozenset({"Created", "Updated"})
NEVER_CREATED = frozenset({"CreateFailed", "CreateRollbackFailed"})
"""Nothing works behind these: deleted and created again (AWS, troubleshooting; facts 0.8)."""
BEYOND_REPAIR = frozenset({"UpdateRollbackFailed", "DeleteFailed", "DeleteRollbackFailed"})
"""Can only be deleted; for a team that is still declared that means replacing its quota."""


class Quota(msgspec.Struct, frozen=True):
    """A compute quota. Description, failure reason and last modifier are None where nobody asked Describe."""

    id: str
    name: str
    team: str
    status: str
    version: int
    entries: tuple[QuotaEntry, ...] = ()
    sharing: Sharing | None = None
    preempt_team_tasks: str | None = None
    fair_share_weight: int | None = None
    activation: str | None = None
    description: str | None = None
    failure_reason: str | None = None
    modified_by: str | None = None


class LiveClusterPolicy(msgspec.Struct, frozen=True):
    """A cluster policy. Its content is None where nobody asked Describe: the list does not tell it."""

    id: str
    name: str
    status: str
    version: int
    priority_classes: tuple[PriorityClass, ...] | None = None
    fair_share: str | None = None
    idle_resource_sharing: str | None = None
    failure_reason: str | None = None
    modified_by: str | None = None


class Live(msgspec.Struct, frozen=True):
    """Everything a plan looks at. ``instances`` holds the types whose resources somebody knows."""

    cluster: Cluster
    quotas: tuple[Quota, ...]
    cluster_policies: tuple[LiveClusterPolicy, ...]
    instances: Catalogue
