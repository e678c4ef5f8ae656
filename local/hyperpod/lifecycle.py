"""The life of a governed resource: statuses and versions on a timeline that time alone moves along.

A transition writes its end into the timeline when it starts, so that the status at any moment, past ones
included, is a look-up and nothing runs in the background.
"""

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from local.hyperpod.errors import conflict, not_found
from local.hyperpod.request import Begun, Request

C = TypeVar("C")

IN_FLIGHT = frozenset({"Creating", "Updating", "Deleting"})
UPDATABLE = frozenset({"Created", "Updated", "UpdateFailed"})
DELETED = "Deleted"


@dataclass(frozen=True, slots=True)
class Kind:
    """What distinguishes compute quotas from cluster policies: the ARN's segment and the name in messages."""

    segment: str
    noun: str


@dataclass(frozen=True, slots=True)
class Transition:
    running: str
    done: str


CREATE = Transition("Creating", "Created")
UPDATE = Transition("Updating", "Updated")
DELETE = Transition("Deleting", "Deleted")


@dataclass(frozen=True, slots=True)
class Phase:
    """From `at` on the status is this one, until a later phase begins."""

    at: float
    status: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Revision(Generic[C]):
    """One accepted version of what the resource holds."""

    version: int
    at: float
    by: str
    content: C


@dataclass(frozen=True, slots=True)
class Resource(Generic[C]):
    """`serial` tells resources created within one tick of the clock apart."""

    kind: Kind
    id: str
    arn: str
    cluster_arn: str
    region: str
    name: str
    serial: int
    created_at: float
    phases: tuple[Phase, ...]
    revisions: tuple[Revision[C], ...]

    @property
    def content(self) -> C:
        return self.revisions[-1].content

    @property
    def created_by(self) -> str:
        return self.revisions[0].by

    def phase_at(self, moment: float) -> Phase | None:
        """The phase of that moment, None before the resource was created."""
        for phase in reversed(self.phases):
            if phase.at <= moment:
                return phase
        return None

    def revision_at(self, moment: float) -> Revision[C]:
        return next((each for each in reversed(self.revisions) if each.at <= moment), self.revisions[0])

    def settled_at(self, moment: float) -> Revision[C] | None:
        """The revision of the last creation or update that had succeeded by then; None before the first."""
        done = [each for each in self.phases if each.status in (CREATE.done, UPDATE.done) and each.at <= moment]
        return self.revision_at(done[-1].at) if done else None

    def status_at(self, moment: float) -> str:
        phase = self.phase_at(moment)
        return phase.status if phase else DELETED


def phases_of(transition: Transition, request: Request) -> tuple[Phase, ...]:
    """The phases that a call begins: the running one and, unless a fault keeps it from ending, its end."""
    running = Phase(request.now, transition.running)
    ending, done_at = request.ending, request.now + request.settings.transition(request.operation)
    if ending is None and request.begun is not None:
        return (running,)
    if ending is None:
        return running, Phase(done_at, transition.done)
    if ending.status is None:
        return (running,)
    return running, Phase(done_at, ending.status, ending.reason)


def begun(transition: Transition, resource: Resource[C], request: Request) -> None:
    """Note what the call has begun, if somebody is to end it."""
    if request.ending is None and request.begun is not None:
        due = request.now + request.settings.transition(request.operation)
        request.begun.append(
            Begun(resource.cluster_arn, resource.id, transition.running, transition.done, request.now, due)
        )


def forced(resource: Resource[C], phase: Phase) -> Resource[C]:
    """The resource with this phase from now on; a transition in flight is forgotten."""
    past = tuple(each for each in resource.phases if each.at <= phase.at)
    return replace(resource, phases=(*past, phase))


def check_not_gone(resource: Resource[C], now: float) -> None:
    if resource.status_at(now) == DELETED:
        raise not_found(f"{resource.kind.noun} {resource.id} does not exist.")


def check_update(resource: Resource[C], now: float, target_version: int) -> None:
    """May this update begin? The version is asked first: a caller with a stale one must read again anyway."""
    check_not_gone(resource, now)
    current = resource.revisions[-1].version
    if target_version != current:
        raise conflict(
            f"{resource.kind.noun} {resource.id} has version {current}, the request targets {target_version}."
        )
    _check_at_rest(resource, now)
    status = resource.status_at(now)
    if status not in UPDATABLE:
        raise conflict(
            f"{resource.kind.noun} {resource.id} is {status} and cannot be updated. Delete it"
            f"{'' if status.startswith('Delete') else ' and create it again'}."
        )


def check_delete(resource: Resource[C], now: float) -> None:
    check_not_gone(resource, now)
    _check_at_rest(resource, now)


def _check_at_rest(resource: Resource[C], now: float) -> None:
    status = resource.status_at(now)
    if status in IN_FLIGHT:
        raise conflict(f"{resource.kind.noun} {resource.id} is {status}. Try again when that has ended.")
