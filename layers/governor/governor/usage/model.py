"""Who uses, borrows, lends and waits: what is said of one cluster at one moment.

Amounts are whole numbers in the unit that Kueue counts a resource in: thousandths of a core for ``cpu``, bytes for
``memory``, devices or partitions for accelerators; ``kueue.quantities.shown`` writes them. Times are whole seconds
since 1970. Of every resource ``used = guaranteed_used + borrowed + over_quota``, and in a cohort that has no parent the
sum of what is borrowed of a flavor and resource is the sum of what is lent.
"""

from typing import Literal

import msgspec

State = Literal["active", "stopped", "inactive"]


class Part(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A document's part: names as in Python here, in camelCase there. A tree without cycles: nothing to collect."""


class ResourceUsage(Part, frozen=True):
    """One resource in one flavor.

    ``reserved`` is what workloads hold, be they admitted or about to be; ``used`` what admitted ones hold.
    ``borrowed`` is used above the guarantee and covered by what others leave idle; ``over_quota`` is used above it and
    covered by nobody: the quota, or the borrow limit, was cut while the work ran. ``lent`` is what others use of this
    guarantee; where several lend, each lends in proportion to what it leaves idle, since Kueue keeps no such account.
    ``borrow_limit`` None is no limit. ``headroom`` is what could be taken now without preempting anybody.
    """

    flavor: str
    resource: str
    guaranteed: int
    used: int
    reserved: int
    borrowed: int = 0
    over_quota: int = 0
    lent: int = 0
    borrow_limit: int | None = None
    headroom: int = 0

    @property
    def guaranteed_used(self) -> int:
        """What of the guarantee its owner uses."""
        return min(self.used, self.guaranteed)

    @property
    def idle(self) -> int:
        """What of the guarantee nobody uses."""
        return max(0, self.guaranteed - self.guaranteed_used - self.lent)


class QueueUsage(Part, frozen=True):
    """One ClusterQueue; ``weight`` in thousandths.

    ``weighted_share`` is None where Kueue shares by no weights, and where it is unlimited (``share_unlimited``): a
    queue of weight 0 that borrows has an enormous one, which is no figure.
    """

    cluster_queue: str
    cohort: str
    state: State
    reason: str
    pending: int
    admitted: int
    resources: tuple[ResourceUsage, ...]
    oldest_waiting: int | None = None
    weight: int = 1000
    weighted_share: int | None = None
    share_unlimited: bool = False


def declared_name(team: str) -> str:
    """A team's name as a policy has it: without what tells two queues of one team apart."""
    return team.partition(" (")[0]


class TeamUsage(QueueUsage, frozen=True, kw_only=True):
    """A team: a ClusterQueue that governed namespaces lead to. ``quota_id`` is the compute quota's, "" if unknown.

    Two queues of one team are told apart by their own names, in brackets behind the team's.
    """

    name: str
    namespaces: tuple[str, ...]
    quota_id: str = ""

    @property
    def declared(self) -> str:
        """The name that a policy has for it."""
        return declared_name(self.name)


class CohortUsage(Part, frozen=True):
    """What a cohort has of its own and lends. With a ``parent`` it may also borrow from there, of which Kueue's
    ClusterQueues say nothing: then more may be borrowed than anybody here lends."""

    name: str
    parent: str
    resources: tuple[ResourceUsage, ...]


class Reclaimable(Part, frozen=True):
    """A team has workloads waiting and less than its guarantee, and cannot take what it lacks without somebody who
    borrows: ``amount`` of the resource could be taken back from that one. Whether and when is Kueue's to decide."""

    team: str
    borrower: str
    flavor: str
    resource: str
    amount: int


class Capacity(Part, frozen=True):
    """A resource of a flavor: what quotas promise of it, and what the nodes have.

    ``present`` is what all nodes have, ``allocatable`` what pods may have on those that are ready and not cordoned.
    ``idle`` is what of it no admitted workload holds. ``above`` is by how much the promise is above what counts: for
    accelerators what is allocatable, for vCPU what usable nodes have (a quota says nominal vCPU, of which the system's
    part is never allocatable), nothing for memory, whose nominal size no node has.
    """

    flavor: str
    resource: str
    promised: int
    present: int
    allocatable: int
    idle: int
    above: int


class ClusterUsage(Part, frozen=True):
    """One cluster. ``pool`` are the queues of idle resource sharing, ``others`` those that no governed namespace leads
    to, ``deleting`` the names of queues on their way out, whose figures Kueue keeps no longer, ``lost`` the governed
    namespaces whose queue is not there.

    ``capacity`` is None where nodes were not read. ``oldest_known`` is False where there were too many workloads to
    list.
    """

    cluster: str
    at: int
    teams: tuple[TeamUsage, ...]
    pool: tuple[QueueUsage, ...] = ()
    others: tuple[QueueUsage, ...] = ()
    cohorts: tuple[CohortUsage, ...] = ()
    deleting: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    reclaimable: tuple[Reclaimable, ...] = ()
    capacity: tuple[Capacity, ...] | None = None
    oldest_known: bool = True

    @property
    def queues(self) -> tuple[QueueUsage, ...]:
        """All of them."""
        return (*self.teams, *self.pool, *self.others)

    def starved(self, team: str) -> bool:
        """Whether the team waits below its guarantee while another borrows."""
        return any(each.team == team for each in self.reclaimable)
