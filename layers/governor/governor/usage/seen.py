"""What was read of a cluster, before anything is made of it."""

from collections.abc import Mapping

import msgspec


class Fund(msgspec.Struct, frozen=True):
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


class Queue(msgspec.Struct, frozen=True):
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


class Lender(msgspec.Struct, frozen=True):
    """A Cohort with what it has itself; ``parent`` is "" for one that stands alone."""

    name: str
    parent: str = ""
    funds: tuple[Fund, ...] = ()


class Doors(msgspec.Struct, frozen=True):
    """``governed``: the id of the quota by namespace. ``local_queues``: namespace, name, ClusterQueue, pending."""

    governed: Mapping[str, str]
    local_queues: tuple[tuple[str, str, str, int], ...]


class Waiting(msgspec.Struct, frozen=True):
    """A workload that waits, in which local queue, since when (seconds since 1970)."""

    namespace: str
    local_queue: str
    since: int


class Machine(msgspec.Struct, frozen=True):
    """A node: what it has, what of it pods may have, and whether pods may go there."""

    name: str
    labels: Mapping[str, str]
    capacity: Mapping[str, int]
    allocatable: Mapping[str, int]
    usable: bool


class Kind(msgspec.Struct, frozen=True):
    """A ResourceFlavor: the nodes that carry these labels."""

    name: str
    labels: Mapping[str, str]


class Seen(msgspec.Struct, frozen=True):
    """One cluster as it was read. ``machines`` None: nodes could not be read, or nobody asked."""

    queues: tuple[Queue, ...]
    doors: Doors
    lenders: tuple[Lender, ...] = ()
    machines: tuple[Machine, ...] | None = None
    kinds: tuple[Kind, ...] = ()
