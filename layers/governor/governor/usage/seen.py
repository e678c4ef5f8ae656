"""What was read of a cluster, before anything is made of it. Trees without cycles: nothing for the collector."""

from collections.abc import Mapping

import msgspec


class Fund(msgspec.Struct, frozen=True, gc=False):
    """What a queue has of a resource in a flavor, and what is taken of it. Amounts as Kueue counts them.

    ``borrowing_limit`` and ``lending_limit`` of None are no limit. ``reserved`` counts quota reserved, ``used`` that of
    admitted workloads.
    """

    flavor: str
    resource: str
    nominal: int
    used: int
    reserved: int
    borrowing_limit: int | None = None
    lending_limit: int | None = None


class Queue(msgspec.Struct, frozen=True, gc=False):
    """A ClusterQueue. ``state`` is active, stopped or inactive; ``weight`` in thousandths."""

    name: str
    cohort: str
    funds: tuple[Fund, ...]
    state: str = "active"
    reason: str = ""
    pending: int = 0
    admitted: int = 0
    weight: int = 1000
    weighted_share: int | None = None
    deleting: bool = False


class Lender(msgspec.Struct, frozen=True, gc=False):
    """A Cohort with what it has itself; ``parent`` is "" for one that stands alone."""

    name: str
    parent: str = ""
    funds: tuple[Fund, ...] = ()


class Doors(msgspec.Struct, frozen=True, gc=False):
    """``governed``: the id of the quota by namespace. ``local_queues``: namespace, name, ClusterQueue, pending."""

    governed: Mapping[str, str]
    local_queues: tuple[tuple[str, str, str, int], ...]


Selector = tuple[tuple[str, str], ...]
"""The labels that pods ask of their nodes; () of any."""
MOST_SELECTORS = 16


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """A workload that waits, or several of one local queue: since when the first does (seconds since 1970), and which
    nodes they ask for; () is among them where any will do, or there are too many to tell."""

    namespace: str
    local_queue: str
    since: int
    selectors: frozenset[Selector] = frozenset({()})

    def with_another(self, other: "Waiting") -> "Waiting":
        """Both together."""
        selectors = self.selectors | other.selectors
        if len(selectors) > MOST_SELECTORS:
            selectors = frozenset({()})
        return Waiting(self.namespace, self.local_queue, min(self.since, other.since), selectors)


class Machine(msgspec.Struct, frozen=True, gc=False):
    """A node: what it has, what of it pods may have, and whether pods may go there."""

    name: str
    labels: Mapping[str, str]
    capacity: Mapping[str, int]
    allocatable: Mapping[str, int]
    usable: bool


class Kind(msgspec.Struct, frozen=True, gc=False):
    """A ResourceFlavor: the nodes that carry these labels."""

    name: str
    labels: Mapping[str, str]


class Seen(msgspec.Struct, frozen=True, gc=False):
    """One cluster as it was read. ``machines`` None: nodes could not be read, or nobody asked."""

    queues: tuple[Queue, ...]
    doors: Doors
    lenders: tuple[Lender, ...] = ()
    machines: tuple[Machine, ...] | None = None
    kinds: tuple[Kind, ...] = ()
