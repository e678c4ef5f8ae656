"""What the admission model knows of a cluster at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from governor.kueue.admission.decisions import Decision
from governor.kueue.admission.events import FAIR_SHARING
from governor.kueue.admission.jobs import Shape
from governor.kueue.objects import ClusterQueue, Cohort, LocalQueue, ResourceFlavor, Workload, WorkloadKey

if TYPE_CHECKING:
    from governor.kueue.admission.world import World


@dataclass(frozen=True, slots=True)
class State:
    """Objects by name, namespaced ones by namespace and name; a namespace's value are its labels.

    Workloads carry what was decided: ``admission`` and ``conditions``. ``strategies`` are those of fair sharing, () is
    classical preemption. ``now`` is when it came to rest: nothing happens before. ``not_followed`` says of which
    workloads the model does not know what Kueue would do, and why.

    Who observes a cluster leaves out the rest: ``parked`` are the shapes of workloads, by ClusterQueue, that are not
    tried again before something changes for them, ``first`` who is tried before all others.
    """

    strategies: tuple[str, ...] = FAIR_SHARING
    flavors: Mapping[str, ResourceFlavor] = field(default_factory=dict)
    cohorts: Mapping[str, Cohort] = field(default_factory=dict)
    cluster_queues: Mapping[str, ClusterQueue] = field(default_factory=dict)
    local_queues: Mapping[tuple[str, str], LocalQueue] = field(default_factory=dict)
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    workloads: Mapping[WorkloadKey, Workload] = field(default_factory=dict)
    now: int = 0
    not_followed: Mapping[WorkloadKey, str] = field(default_factory=dict)
    parked: Mapping[str, frozenset[Shape]] = field(default_factory=dict)
    first: Mapping[str, WorkloadKey] = field(default_factory=dict)
    _world: "list[World]" = field(default_factory=list, compare=False, repr=False)
    """The world that this is a picture of, for one who goes on from here: building it anew takes time."""

    def take_world(self) -> "World | None":
        """The world, which the caller then owns; None if somebody has gone on from here already."""
        try:
            return self._world.pop()
        except IndexError:
            return None

    def world(self) -> "World | None":
        """The world to look at, if nobody has gone on from here."""
        return self._world[0] if self._world else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The next state, and what was decided on the way to it, in order. ``at`` is when it came to rest."""

    state: State
    decisions: tuple[Decision, ...]
    at: int
