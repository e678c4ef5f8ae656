"""A policy as typed data: what the file declares, and None for what it leaves to others."""

from typing import Literal

import msgspec

from governor.quota import QuotaEntry

FairShare = Literal["Enabled", "Disabled"]
OnDelete = Literal["Retain", "Remove"]
Strategy = Literal["DontLend", "Lend", "LendAndBorrow"]


class PriorityClass(msgspec.Struct, frozen=True):
    """A class of tasks and its rank: weight 0 to 100, the highest first."""

    name: str
    weight: int


class ClusterPolicy(
    msgspec.Struct,
    frozen=True,
    omit_defaults=True,
    rename={
        "priority_classes": "priorityClasses",
        "fair_share": "fairShare",
        "idle_resource_sharing": "idleResourceSharing",
    },
):
    """The cluster policy. No priority classes means first come, first served."""

    priority_classes: tuple[PriorityClass, ...] = ()
    fair_share: FairShare | None = None
    idle_resource_sharing: Literal["Enabled", "Disabled"] | None = None
    name: str | None = None


class Sharing(
    msgspec.Struct,
    frozen=True,
    omit_defaults=True,
    rename={"borrow_limit": "borrowLimit", "absolute_borrow_limits": "absoluteBorrowLimits"},
):
    """How a team lends and borrows; ``borrow_limit`` in percent of the team's guaranteed quota."""

    strategy: Strategy
    borrow_limit: int | None = None
    absolute_borrow_limits: tuple[QuotaEntry, ...] | None = None


class Addon(msgspec.Struct, frozen=True):
    """The task governance add-on: ``version`` is "default", the one at installation time, or ``vX.Y.Z-eksbuild.N``."""

    version: str


class BorrowingAlarm(msgspec.Struct, frozen=True, omit_defaults=True, rename={"mute_until": "muteUntil"}):
    """An alarm on borrowing from so many percent of the guarantee on; ``mute_until`` in seconds since 1970."""

    percent: int
    mute_until: int | None = None


class Alarms(msgspec.Struct, frozen=True):
    """The alarms on a team. ``borrowing`` None means that this one is off."""

    borrowing: BorrowingAlarm | None


class Team(
    msgspec.Struct,
    frozen=True,
    omit_defaults=True,
    rename={
        "quota_name": "quotaName",
        "fair_share_weight": "fairShareWeight",
        "preempt_team_tasks": "preemptTeamTasks",
    },
):
    """A team's compute allocation. ``alarms`` UNSET means those of the file, None none."""

    name: str
    quota: tuple[QuotaEntry, ...]
    quota_name: str | None = None
    description: str | None = None
    fair_share_weight: int | None = None
    sharing: Sharing | None = None
    preempt_team_tasks: Literal["Never", "LowerPriority"] | None = None
    activation: Literal["Enabled", "Disabled"] | None = None
    alarms: Alarms | msgspec.UnsetType | None = msgspec.UNSET

    @property
    def effective_quota_name(self) -> str:
        """The name of the team's compute quota in SageMaker."""
        return self.quota_name or f"{self.name}-quota"


class Policy(
    msgspec.Struct,
    frozen=True,
    omit_defaults=True,
    rename={"cluster_policy": "clusterPolicy", "on_delete": "onDelete"},
):
    """One file: everything declared for one cluster. ``alarms`` are those of a team that says nothing of its own."""

    cluster: str
    teams: tuple[Team, ...]
    cluster_policy: ClusterPolicy | None = None
    version: int = 1
    on_delete: OnDelete = "Retain"
    addon: Addon | None = None
    alarms: Alarms | None = None


DEFAULT_CLUSTER_POLICY_NAME = "cluster-policy"
