"""Who waits in a queue, and who is tried next.

Workloads of one shape stand in one row, the first of them stands for all: where it cannot be admitted, none of them
can (KEP-9694). A parked row is not tried again before something changes for it.
"""

import heapq
from collections.abc import Iterator

from governor.kueue.admission.jobs import Shape, Waiting
from governor.kueue.objects import WorkloadKey

_Order = tuple[int, int, str, WorkloadKey]


class Line:
    """The waiting workloads of one ClusterQueue. ``first`` is tried before all others: it waits for its victims.

    In a strict line nobody is tried while the one at the top is parked, and nobody is put before it.
    """

    __slots__ = ("_heads", "_rows", "_waiting", "first", "is_strict", "parked")

    def __init__(self) -> None:
        self._waiting: dict[WorkloadKey, Waiting] = {}
        self._rows: dict[Shape, list[_Order]] = {}
        self._heads: list[tuple[_Order, Shape]] = []
        self.parked: set[Shape] = set()
        self.first: WorkloadKey | None = None
        self.is_strict = False

    def __iter__(self) -> Iterator[Waiting]:
        return iter(self._waiting.values())

    def add(self, waiting: Waiting) -> None:
        """Put it where it belongs; in a parked row it is not tried for now."""
        self._waiting[waiting.key] = waiting
        row = self._rows.setdefault(waiting.shape, [])
        heapq.heappush(row, waiting.order)
        if waiting.shape not in self.parked and row[0] == waiting.order:
            heapq.heappush(self._heads, (waiting.order, waiting.shape))

    def remove(self, key: WorkloadKey) -> Waiting | None:
        """Take it out, if it is there."""
        if self.first == key:
            self.first = None
        found = self._waiting.pop(key, None)
        if found is not None and found.shape not in self.parked:
            self._offer(found.shape)
        return found

    def head(self) -> Waiting | None:
        """The next to be tried; None where nobody is to be tried."""
        if self.is_strict:
            top = min(self._waiting.values(), key=lambda waiting: waiting.order, default=None)
            return top if top is not None and top.shape not in self.parked else None
        first = self._waiting.get(self.first) if self.first is not None else None
        if first is not None and first.shape not in self.parked:
            return first
        while self._heads:
            order, shape = self._heads[0]
            found = self._waiting.get(order[3])
            if found is not None and found.shape == shape and found.order == order and shape not in self.parked:
                return found
            heapq.heappop(self._heads)
        return None

    def park(self, shape: Shape) -> None:
        """Do not try workloads of this shape until `unpark`."""
        self.parked.add(shape)

    def unpark(self) -> None:
        """Have all tried again."""
        parked, self.parked = self.parked, set()
        for shape in parked:
            self._offer(shape)

    def _offer(self, shape: Shape) -> None:
        """Have the first of a row among the heads."""
        row = self._rows.get(shape, [])
        while row and not self._stands(row[0], shape):
            heapq.heappop(row)
        if row:
            heapq.heappush(self._heads, (row[0], shape))
        else:
            self._rows.pop(shape, None)

    def _stands(self, order: _Order, shape: Shape) -> bool:
        found = self._waiting.get(order[3])
        return found is not None and found.shape == shape and found.order == order
