"""Which flavors a workload gets its quota from, and whether somebody must go for it.

Rules: Kueue's documentation, "ClusterQueue" (flavors and resources, FlavorFungibility), KEP-582; the messages are those
of the conditions that Kueue writes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

from governor.kueue.admission.jobs import Scan, Waiting
from governor.kueue.admission.matching import mismatch
from governor.kueue.admission.supply import FlavorResource, Needs, Queue
from governor.kueue.objects import FlavorFungibility, PodSet, ResourceFlavor, ResourceGroup
from governor.kueue.quantities import shown


class Mode(IntEnum):
    """How a flavor can be had, the worst first."""

    NO_FIT = 0
    NO_CANDIDATES = 1
    """There would be room if somebody went, and nobody may be made to go."""
    PREEMPT = 2
    RECLAIM = 3
    FIT = 4


Grade = tuple[Mode, int]
"""A mode, and how far away the quota is: 0 the queue's own, 1 borrowed."""


class Oracle(Protocol):
    """Says whether preemption would make room for an amount in one flavor and resource, and whether it borrows then."""

    def __call__(self, queue: Queue, waiting: Waiting, place: FlavorResource, amount: int, /) -> Grade: ...


@dataclass(slots=True)
class PodSetFlavors:
    """What was found for a pod set: by resource the flavor and how it can be had; nothing where none was."""

    pod_set: PodSet
    requests: Mapping[str, int]
    flavors: dict[str, tuple[str, Mode]] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()

    @property
    def mode(self) -> Mode:
        if not self.reasons:
            return Mode.FIT
        if not self.flavors:
            return Mode.NO_FIT
        return min(mode for _, mode in self.flavors.values())


@dataclass(slots=True)
class Assignment:
    """What was found for a workload. ``borrows`` is the farthest quota among its pod sets."""

    pod_sets: list[PodSetFlavors]
    needs: dict[FlavorResource, int]
    borrows: int
    scan: Scan

    @property
    def mode(self) -> Mode:
        return min((each.mode for each in self.pod_sets), default=Mode.NO_FIT)

    @property
    def contested(self) -> frozenset[FlavorResource]:
        """Where somebody must go."""
        return frozenset(
            (flavor, resource)
            for each in self.pod_sets
            for resource, (flavor, mode) in each.flavors.items()
            if mode is not Mode.FIT
        )

    @property
    def message(self) -> str:
        """Why it does not fit, in Kueue's words."""
        return "; ".join(
            f"couldn't assign flavors to pod set {each.pod_set.name}: {', '.join(sorted(each.reasons))}"
            for each in self.pod_sets
            if each.reasons
        )


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds flavors in one scheduling cycle."""

    flavors: Mapping[str, ResourceFlavor]
    fair: bool
    oracle: Oracle
    cycle: int

    def assign(self, queue: Queue, waiting: Waiting) -> Assignment:
        """The best flavors for all pod sets of a workload, one pod set after the other."""
        found = Assignment([], {}, 0, Scan(self.cycle, queue.freed, []))
        for position, pod_set in enumerate(waiting.workload.pod_sets):
            requests = {resource: amount * pod_set.count for resource, amount in pod_set.requests.items()}
            if _group_of(queue, "pods") is not None:
                requests["pods"] = pod_set.count
            result, borrows, tried = self._pod_set(queue, waiting, position, PodSetFlavors(pod_set, requests), found)
            found.pod_sets.append(result)
            found.scan.tried.append(tried)
            found.borrows = max(found.borrows, borrows)
            for resource, (flavor, _) in result.flavors.items():
                place = flavor, resource
                found.needs[place] = found.needs.get(place, 0) + requests[resource]
            if result.reasons and not result.flavors:
                break
        return found

    def _pod_set(
        self, queue: Queue, waiting: Waiting, position: int, result: PodSetFlavors, before: Assignment
    ) -> tuple[PodSetFlavors, int, dict[str, int]]:
        farthest, tried = 0, dict[str, int]()
        for resource, amount in sorted(result.requests.items()):
            if resource in result.flavors:
                continue
            group = _group_of(queue, resource)
            if group is None:
                if amount == 0:
                    continue
                return _none(result, [f"resource {resource} unavailable in ClusterQueue"])
            search = _Search(self, queue, waiting, result, group, before.needs)
            search.run(_start(waiting.scan, position, resource))
            if not search.best:
                return _none(result, search.reasons)
            result.flavors.update({name: (flavor, mode) for name, (flavor, mode, _) in search.best.items()})
            farthest = max(farthest, *(borrows for _, _, borrows in search.best.values()))
            tried.update(dict.fromkeys(search.best, search.last))
            if search.grade[0] is not Mode.FIT:
                result.reasons += tuple(search.reasons)
        return result, farthest, tried


class _Search:
    """The search for one flavor that covers all resources of a group that a pod set asks for."""

    def __init__(
        self,
        finder: Finder,
        queue: Queue,
        waiting: Waiting,
        result: PodSetFlavors,
        group: ResourceGroup,
        before: Needs,
    ) -> None:
        self.finder, self.queue, self.waiting, self.group, self.before = finder, queue, waiting, group, before
        self.pod_set = result.pod_set
        self.requests = {each: amount for each, amount in result.requests.items() if each in group.covered}
        self.best: dict[str, tuple[str, Mode, int]] = {}
        self.grade: Grade = (Mode.NO_FIT, 0)
        self.reasons: list[str] = []
        self.last = -1

    def run(self, start: int) -> None:
        """Try the flavors from one on; ``last`` is the one it ended with, -1 after all of them."""
        names = [flavor.name for flavor in self.group.flavors]
        fungibility = self.queue.spec.fungibility
        index = -1
        for index in range(start, len(names)):
            unfit = mismatch(self.pod_set, names[index], self.finder.flavors.get(names[index]))
            if unfit:
                self.reasons.append(unfit)
                continue
            grade, found = self._try(names[index])
            if _is_final(grade, fungibility):
                self.best, self.grade = found, grade
                break
            if _is_better(grade, self.grade, fungibility):
                self.best, self.grade = found, grade
        self.last = -1 if index == len(names) - 1 else index

    def _try(self, flavor: str) -> tuple[Grade, dict[str, tuple[str, Mode, int]]]:
        worst: Grade = (Mode.FIT, 0)
        found = {}
        for resource, amount in sorted(self.requests.items()):
            grade = self._grade((flavor, resource), amount)
            if _is_better(worst, grade, self.queue.spec.fungibility):
                worst = grade
            if worst[0] is not Mode.NO_FIT:
                found[resource] = flavor, grade[0], grade[1]
        return worst, found

    def _grade(self, place: FlavorResource, request: int) -> Grade:
        queue, (flavor, resource) = self.queue, place
        before = self.before.get(place, 0)
        amount = before + request
        most = queue.capacity(place)
        if amount > most:
            self.reasons.append(
                f"insufficient quota for {resource} in flavor {flavor}, previously considered podsets requests "
                f"({shown(resource, before)}) + current podset request ({shown(resource, request)}) > "
                f"maximum capacity ({shown(resource, most)})"
            )
            return Mode.NO_FIT, 0
        borrows = int(bool(queue.spec.cohort) and queue.borrows_with(place, amount))
        available = queue.available(place)
        if amount <= available:
            return Mode.FIT, borrows
        self.reasons.append(
            f"insufficient unused quota for {resource} in flavor {flavor}, "
            f"{shown(resource, amount - available)} more needed"
        )
        within = bool(queue.spec.cohort) and not borrows
        if queue.nominal(place) >= amount or within or self._may_preempt_and_borrow():
            return self.finder.oracle(queue, self.waiting, place, amount)
        return Mode.NO_FIT, borrows

    def _may_preempt_and_borrow(self) -> bool:
        preemption = self.queue.spec.preemption
        return preemption.borrow_within_cohort != "Never" or (
            self.finder.fair and preemption.reclaim_within_cohort != "Never"
        )


def _none(result: PodSetFlavors, reasons: Sequence[str]) -> tuple[PodSetFlavors, int, dict[str, int]]:
    result.flavors = {}
    result.reasons = tuple(reasons) or ("no flavor is left to try",)
    return result, 0, {}


def _group_of(queue: Queue, resource: str) -> ResourceGroup | None:
    return next((group for group in queue.spec.resource_groups if resource in group.covered), None)


def _start(scan: Scan | None, position: int, resource: str) -> int:
    if scan is None or position >= len(scan.tried):
        return 0
    return scan.tried[position].get(resource, -1) + 1


def _is_better(one: Grade, other: Grade, fungibility: FlavorFungibility) -> bool:
    (mode, borrows), (other_mode, other_borrows) = one, other
    if mode is Mode.NO_FIT:
        return False
    if other_mode is Mode.NO_FIT:
        return True
    if (mode is Mode.NO_CANDIDATES) != (other_mode is Mode.NO_CANDIDATES):
        return mode is not Mode.NO_CANDIDATES
    if fungibility.preference == "PreemptionOverBorrowing":
        return (-borrows, mode) > (-other_borrows, other_mode)
    return (mode, -borrows) > (other_mode, -other_borrows)


def _is_final(grade: Grade, fungibility: FlavorFungibility) -> bool:
    """Whether no other flavor is looked at."""
    mode, borrows = grade
    if mode in (Mode.NO_FIT, Mode.NO_CANDIDATES):
        return False
    if mode is not Mode.FIT and fungibility.when_can_preempt == "TryNextFlavor":
        return False
    return not (borrows and fungibility.when_can_borrow == "TryNextFlavor")
