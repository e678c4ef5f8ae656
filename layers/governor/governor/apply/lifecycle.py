"""One step of a plan, from the call until the resource is steady (the life cycle of facts 1e and 4)."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from governor.apply.deadline import Deadline
from governor.apply.outcome import StepResult
from governor.apply.ports import ResourceApi
from governor.errors import ConflictError, GovernorError, NotFoundError, TransientError
from governor.plan import IN_FLIGHT, STEADY, ClusterPolicyRequest, LiveClusterPolicy, Quota, QuotaRequest, Step

FIRST_LOOK, GROWTH, SLOWEST_LOOK = 0.4, 1.25, 5.0
"""Seconds between looks. The tools that work look every 5 to 10 s (facts 4); the first looks come sooner,
since small changes are quick."""
LOOKS_FOR_A_NEW_ONE = 20
"""Looks after a creation that may still say "not found": the service is eventually consistent (facts 4)."""
LOOKS_AT_AN_OLD_FAILURE = 2
"""Looks after a call that may still show the failure which the call is meant to mend."""
TRIES = 4
"""How often a call is made when the service is unwell, beyond the SDK's own retries."""

NOT_FOUND = "not to be found"
GONE = frozenset({"Deleted", NOT_FOUND})
"""How a resource that is no more appears."""

Resource = TypeVar("Resource", Quota, LiveClusterPolicy)
Request = TypeVar("Request", QuotaRequest, ClusterPolicyRequest)
T = TypeVar("T")


class _StoppedError(Exception):
    """The deadline came, or somebody interrupted, while the service was still at it."""


class Lifecycle(Generic[Resource, Request]):
    """Carries out one step on one kind of resource."""

    def __init__(
        self,
        api: ResourceApi[Resource, Request],
        deadline: Deadline,
        interrupted: threading.Event,
        tell: Callable[[str], None],
    ) -> None:
        self._api: ResourceApi[Resource, Request] = api
        self._deadline = deadline
        self._interrupted = interrupted
        self._tell = tell
        self._id = ""
        self._status = ""

    def run(self, step: Step, cluster_arn: str) -> StepResult:
        """The step's result; never raises what the service answers."""
        self._id = step.id
        try:
            return self._run(step, cluster_arn)
        except ConflictError as error:
            return StepResult(step, "conflict", str(error), id=self._id)
        except _StoppedError:
            return StepResult(step, "waiting", f"still {self._status or 'on its way'}", id=self._id)
        except TransientError as error:
            return StepResult(step, "failed", str(error), id=self._id, transient=True)
        except GovernorError as error:
            return StepResult(step, "failed", str(error), id=self._id)

    def _run(self, step: Step, cluster_arn: str) -> StepResult:
        if step.settle_first:
            found = self._until(lambda found, _looks: found is None or found.status not in IN_FLIGHT)
            version = found.version if found is not None else 0
            return StepResult(step, "moved", f"settled as {self._status}", step.id, version, self._status)
        if step.action == "delete":
            return self._delete(step)
        request: Request = step.request  # type: ignore[assignment]
        if step.action == "create":
            self._id = self._call(lambda: self._api.create(cluster_arn, request))
            version = 0
        else:
            try:
                version = self._call(lambda: self._api.update(step.id, step.version, request))
            except NotFoundError as error:
                raise ConflictError(f"{error}: somebody deleted it meanwhile") from error
        return self._await_steady(step, version)

    def _await_steady(self, step: Step, version: int) -> StepResult:
        """``version`` is what the call has made; 0 after a creation, whose answer does not tell."""

        def is_over(found: Resource | None, looks: int) -> bool:
            nonlocal version
            if found is None:
                return step.action == "update" or looks > LOOKS_FOR_A_NEW_ONE
            version = version or found.version
            if found.version < version or found.status in IN_FLIGHT:
                return False
            return found.status in STEADY or looks > LOOKS_AT_AN_OLD_FAILURE

        found = self._until(is_over)
        if found is None:
            raise ConflictError(f"{step.title}: '{step.name}' vanished while it was waited for")
        if found.version > version:
            raise ConflictError(f"{step.title}: somebody updated '{step.name}' right after this {step.action}")
        if found.status in STEADY:
            return StepResult(step, "done", id=found.id, version=found.version, status=found.status)
        return self._failed(step, found)

    def _delete(self, step: Step) -> StepResult:
        try:
            self._call(lambda: self._api.delete(step.id))
        except NotFoundError:
            return StepResult(step, "done", id=step.id, status="Deleted")

        def is_over(found: Resource | None, looks: int) -> bool:
            if found is None or found.status == "Deleted":
                return True
            return found.status in ("DeleteFailed", "DeleteRollbackFailed") and looks > LOOKS_AT_AN_OLD_FAILURE

        found = self._until(is_over)
        if found is None or found.status == "Deleted":
            return StepResult(step, "done", id=step.id, status="Deleted")
        return self._failed(step, found)

    def _failed(self, step: Step, found: Resource) -> StepResult:
        reason = found.failure_reason or "the service gives no reason"
        return StepResult(
            step, "failed", f"{found.status}: {reason}", id=found.id, version=found.version, status=found.status
        )

    def _until(self, is_over: Callable[[Resource | None, int], bool]) -> Resource | None:
        """Look until it is over; None when the resource is not there."""
        pause, looks = FIRST_LOOK, 0
        while True:
            found = self._look()
            looks += 1
            status = found.status if found is not None else NOT_FOUND
            if status != self._status:
                self._status = status
                self._tell(status)
            if is_over(found, looks):
                return found
            if self._deadline.passed or self._interrupted.is_set():
                raise _StoppedError
            self._deadline.sleep(pause)
            pause = min(pause * GROWTH, SLOWEST_LOOK)

    def _look(self) -> Resource | None:
        try:
            found: Resource = self._call(lambda: self._api.describe(self._id))
        except NotFoundError:
            return None
        return found

    def _call(self, call: Callable[[], T]) -> T:
        """Once more after a while when the service is unwell. An answer that got lost shows as a conflict."""
        tries = 1
        while True:
            try:
                return call()
            except TransientError as error:
                if tries >= TRIES or self._deadline.passed or self._interrupted.is_set():
                    raise
                tries += 1
                self._tell(f"the service is unwell, trying again: {error}")
                self._deadline.sleep(error.retry_after)
