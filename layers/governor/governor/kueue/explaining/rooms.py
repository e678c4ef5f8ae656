"""Why there is no room in a flavor for a workload, in figures: what its queue has of it, and who has taken that."""

from collections.abc import Iterable
from dataclasses import dataclass

from governor.kueue.explaining.messages import Obstacle
from governor.kueue.explaining.seen import Brief, Phase, Subject, requested, team_of
from governor.kueue.explaining.standings import reserved
from governor.kueue.objects import ClusterQueue, Quota
from governor.kueue.quantities import QuantityError, amount, shown


@dataclass(frozen=True, slots=True)
class Scene:
    """A workload, its ClusterQueue (None where it could not be read), and those that hold quota of that queue.

    ``doors`` are the LocalQueues of its namespace, None where they could not be read.
    """

    subject: Subject
    queue: ClusterQueue | None
    holding: tuple[Brief, ...] = ()
    doors: tuple[str, ...] | None = None

    @property
    def who(self) -> str:
        """Whose quota it is."""
        return team_of(self.subject.workload.namespace) or "its queue"


@dataclass(frozen=True, slots=True)
class Room:
    """What a queue has of a resource in a flavor, and has taken of it. ``least`` and ``most`` are bounds of what the
    workload asks for there: its pod set alone, and with all pod sets that Kueue has counted before it. ``missing`` is
    what Kueue says that it lacks."""

    resource: str
    flavor: str
    quota: Quota
    alone: bool
    used: int
    least: int
    most: int
    missing: int | None = None

    @property
    def limit(self) -> int | None:
        """The most that the queue can ever have; None for no limit of its own."""
        if self.alone:
            return self.quota.nominal
        return None if self.quota.borrowing_limit is None else self.quota.nominal + self.quota.borrowing_limit

    @property
    def is_own_limit(self) -> bool:
        """Whether it is the queue's own jobs that leave no room, whatever others do."""
        return self.limit is not None and self.used + self.least > self.limit

    def left(self) -> str:
        """What the queue's own jobs leave of the most that it can ever have; "" for nothing, or without a limit."""
        left = 0 if self.limit is None else self.limit - self.used
        return f"{self._shown(left)} of the {self._shown(self.limit or 0)} {self.resource}" if left > 0 else ""

    @property
    def is_others(self) -> bool:
        """Whether the queue may have as much, and others hold it."""
        return self.limit is None or self.used + self.most <= self.limit

    @property
    def is_own_quota(self) -> bool:
        """Whether all of it is within the queue's nominal quota."""
        return self.used + self.most <= self.quota.nominal

    def told(self, who: str) -> str:
        """In words."""
        own = f"{who} has {self._shown(self.quota.nominal)} {self.resource} of its own there"
        return f"{own}{self._borrows()}; its jobs hold {self._shown(self.used)} now"

    def free(self) -> str:
        """What there was when Kueue tried last; "" for nothing, or where that cannot be told."""
        left = 0 if self.missing is None or self.least != self.most else self.most - self.missing
        return f"{self._shown(left)} {self.resource}" if left > 0 else ""

    def free_of_own(self) -> str:
        """What is left of the nominal quota; "" for nothing."""
        left = self.quota.nominal - self.used
        return f"{self._shown(left)} {self.resource}" if left > 0 else ""

    def _borrows(self) -> str:
        if self.alone:
            return ""
        if self.quota.borrowing_limit is None:
            return " and may borrow without limit"
        if self.quota.borrowing_limit == 0:
            return " and may not borrow"
        return f" and may borrow {self._shown(self.quota.borrowing_limit)} more"

    def _shown(self, amount: int) -> str:
        return shown(self.resource, amount)


def room(scene: Scene, obstacle: Obstacle) -> Room | None:
    """The room that a pod set lacks; None where the queue is not known, or has no such quota."""
    queue, flavor, resource = scene.queue, obstacle.flavor, obstacle.resource
    if queue is None:
        return None
    quota = next((found for each in _flavors(queue) if (found := each.get((flavor, resource)))), None)
    if quota is None:
        return None
    usage = reserved(queue).get(flavor, {}).get(resource)
    used = usage.total if usage is not None else 0
    least, most = _request(scene.subject, obstacle.pod_set, resource)
    return Room(resource, flavor, quota, not queue.cohort, used, least, most, _missing(obstacle))


def _missing(obstacle: Obstacle) -> int | None:
    try:
        return amount(obstacle.resource, obstacle.amount)
    except QuantityError:
        return None


def weaker_than(scene: Scene) -> int | None:
    """The lowest priority among the jobs of its queue that only a more important one may preempt; None for none."""
    queue, own = scene.queue, scene.subject.workload.priority
    if queue is None or queue.preemption.within_cluster_queue == "Never":
        return None
    holding = (each.priority for each in scene.holding if each.phase is Phase.HOLDING and each.priority >= own)
    return min(holding, default=None)


def _flavors(queue: ClusterQueue) -> Iterable[dict[tuple[str, str], Quota]]:
    for group in queue.resource_groups:
        for flavor in group.flavors:
            yield {(flavor.name, resource): quota for resource, quota in flavor.resources.items()}


def _request(subject: Subject, pod_set: str, resource: str) -> tuple[int, int]:
    before = 0
    for name, amounts in requested(subject.workload):
        asked = amounts.get(resource, 0)
        if name == pod_set:
            return asked, before + asked
        before += asked
    return 0, before
