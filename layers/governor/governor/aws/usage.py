"""What usage is made of, read from one cluster's own Kubernetes API."""

from collections import defaultdict
from collections.abc import Callable, Iterable

import msgspec

from governor.aws.kubernetes import Kubernetes
from governor.aws.kubernetes import resources as kinds
from governor.aws.kubernetes.client import LIST_SECONDS
from governor.aws.kueue import MOST_NODES, is_hyperpod, is_ready
from governor.errors import GovernorError, NotFoundError, PermanentError, TooManyError, UnreachableError
from governor.kueue.quantities import QuantityError
from governor.kueue.reading import resource_flavor
from governor.usage.seen import Kind, Lender, Machine, Seen, Waiting
from governor.usage.wire import LocalQueueShape, counted, doors_of, lender_of, queue_of, waiting_of

MOST_QUEUES, MOST_NAMESPACES, MOST_COHORTS, MOST_FLAVORS = 10_000, 20_000, 5_000, 5_000
"""More than a cluster has: what is beyond is no answer of a real one."""
MOST_WORKLOADS = 50_000
"""Of which the oldest that waits is looked for; beyond that it is not told."""
WORKLOADS_AT_ONCE = 200
"""A workload may be as large as an object of Kubernetes can be, and several clusters are read side by side."""
FEW_NAMESPACES = 3
"""So many that workloads are listed in each of them, rather than in all."""


class Reading(msgspec.Struct, frozen=True):
    """What was read. ``waiting`` is None where there were too many workloads to list; ``unread`` says what else was
    left out, and why."""

    seen: Seen
    waiting: tuple[Waiting, ...] | None
    unread: str = ""


class UsageReader:
    """Reads one cluster. Every method raises the package's errors; nothing is made of a list that is not whole."""

    def __init__(self, kubernetes: Kubernetes) -> None:
        self._kubernetes = kubernetes

    def read(self, *, nodes: bool = True, time_left: Callable[[], float] = lambda: LIST_SECONDS) -> Reading:
        """Queues, cohorts and namespaces, and the workloads that wait where any do.

        Nodes are looked at if asked for; where they cannot be read the rest is told, and why they are missing. No
        further list is begun without ``time_left`` in seconds: UnreachableError, as if a list had no end.
        """
        api = self._kubernetes
        queues = tuple(queue_of(each) for each in api.pages(kinds.CLUSTER_QUEUES, at_most=MOST_QUEUES))
        self._hurry(time_left)
        local_queues = tuple(api.pages(kinds.LOCAL_QUEUES, at_most=MOST_QUEUES))
        self._hurry(time_left)
        namespaces = api.pages(kinds.NAMESPACES, labels=kinds.GOVERNED, at_most=MOST_NAMESPACES)
        doors = doors_of(namespaces, local_queues)
        self._hurry(time_left)
        lenders = self._lenders()
        self._hurry(time_left)
        waiting = self._waiting(local_queues)
        self._hurry(time_left)
        machines, flavors, unread = self._hardware() if nodes else (None, (), "")
        return Reading(Seen(queues, doors, lenders, machines, flavors), waiting, unread)

    def _hurry(self, time_left: Callable[[], float]) -> None:
        if time_left() <= 0:
            raise UnreachableError(
                f"{self._kubernetes.cluster}: its API answers too slowly: not all lists came in time"
            )

    def _lenders(self) -> tuple[Lender, ...]:
        """Cohorts. Kueue up to 0.13 serves them in an older version than its other objects."""
        api = self._kubernetes
        try:
            return tuple(lender_of(each) for each in api.pages(kinds.COHORTS, at_most=MOST_COHORTS))
        except NotFoundError:
            pass
        try:
            return tuple(lender_of(each) for each in api.pages(kinds.ALPHA_COHORTS, at_most=MOST_COHORTS))
        except NotFoundError:
            return ()  # queues name their cohort, there need not be an object of it

    def _waiting(self, local_queues: Iterable[LocalQueueShape]) -> tuple[Waiting, ...] | None:
        """The oldest of every local queue in which workloads wait; they are listed only then."""
        pending: defaultdict[str, int] = defaultdict(int)
        for each in local_queues:
            pending[each.metadata.namespace] += each.pending
        where = [namespace for namespace, count in pending.items() if count]
        if not where:
            return ()
        oldest: dict[tuple[str, str], Waiting] = {}
        left = MOST_WORKLOADS
        try:
            for namespace in where if len(where) <= FEW_NAMESPACES else ("",):
                for shape in self._kubernetes.pages(
                    kinds.WAITING_WORKLOADS, namespace, at_most=left, limit=WORKLOADS_AT_ONCE
                ):
                    left -= 1
                    found = waiting_of(shape)
                    if found is not None:
                        key = (found.namespace, found.local_queue)
                        oldest[key] = oldest[key].with_another(found) if key in oldest else found
        except TooManyError:
            return None
        return tuple(oldest.values())

    def _hardware(self) -> tuple[tuple[Machine, ...] | None, tuple[Kind, ...], str]:
        try:
            flavors = tuple(
                Kind(flavor.name, dict(flavor.node_labels))
                for flavor in map(resource_flavor, self._kubernetes.pages(kinds.FLAVORS, at_most=MOST_FLAVORS))
            )
            labels = {key for flavor in flavors for key in flavor.labels}
            return self._machines(labels), flavors, ""
        except GovernorError as error:
            return None, (), f"nodes are left out: {error}"

    def _machines(self, labels: set[str]) -> tuple[Machine, ...]:
        """The cluster's instances, each with the labels that flavors ask for."""
        nodes = self._kubernetes.pages(kinds.NODES, at_most=MOST_NODES)
        return tuple(_machine(each, labels) for each in nodes if is_hyperpod(each))


def _machine(node: kinds.Node, labels: set[str]) -> Machine:
    status = node.status
    try:
        return Machine(
            node.metadata.name,
            {key: value for key, value in node.metadata.labels.items() if key in labels},
            {resource: counted(resource, text) for resource, text in status.capacity.items()},
            {resource: counted(resource, text) for resource, text in status.allocatable.items()},
            is_ready(node) and not node.spec.unschedulable,
        )
    except QuantityError as error:
        raise PermanentError(f"Node {node.metadata.name} cannot be read: {error}") from None
