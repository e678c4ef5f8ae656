"""Walks the steps of a plan: prerequisites first, independent ones side by side."""

import concurrent.futures
import threading

import msgspec

from governor.apply.deadline import Deadline
from governor.apply.lifecycle import Lifecycle
from governor.apply.outcome import Event, Progress, StepResult
from governor.apply.ports import Clock, GovernanceApi
from governor.plan import Plan, Step


class Executor:
    """Carries out plans of one run. Decides nothing: whatever is not as planned ends the step."""

    def __init__(
        self, api: GovernanceApi, clock: Clock, deadline: Deadline, concurrency: int, progress: Progress
    ) -> None:
        self._api, self._clock, self._deadline = api, clock, deadline
        self._concurrency = concurrency
        self._progress = progress
        self._interrupted = threading.Event()

    def walk(self, plan: Plan) -> list[StepResult]:
        """Results in the order the steps ended; steps that never began come last.

        After a conflict no further step begins: the world is not as planned. After a failure only the
        steps that depend on it do not begin.
        """
        pending = {step.key: step for step in plan.steps}
        succeeded: set[str] = set()
        versions: dict[str, int] = {}  # made by steps of this walk: the other half of a split step needs its own
        results: list[StepResult] = []
        running: dict[concurrent.futures.Future[StepResult], Step] = {}
        conflict = False
        with concurrent.futures.ThreadPoolExecutor(self._concurrency, "governor-step") as pool:
            try:
                while True:
                    if not conflict and not self._deadline.passed:
                        for step in self._ready(pending, succeeded, self._concurrency - len(running)):
                            del pending[step.key]
                            current = msgspec.structs.replace(step, version=versions.get(step.id, step.version))
                            running[pool.submit(self._run, current, plan.cluster_arn)] = step
                    if not running:
                        break
                    done, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                    for future in done:
                        del running[future]
                        result = future.result()
                        results.append(result)
                        conflict = conflict or result.state == "conflict"
                        if result.state == "done":
                            succeeded.add(result.step.key)
                            versions[result.id] = result.version
            except BaseException:
                self._interrupted.set()  # running steps stop at their next look
                raise
        lost = {result.step.key for result in results if result.state == "failed"}
        return results + [_left_over(step, lost) for step in pending.values()]

    @staticmethod
    def _ready(pending: dict[str, Step], succeeded: set[str], places: int) -> list[Step]:
        ready: list[Step] = []
        for step in pending.values():
            if len(ready) >= places:
                break
            if all(need in succeeded for need in step.needs):
                ready.append(step)
        return ready

    def _run(self, step: Step, cluster_arn: str) -> StepResult:
        began = self._clock.monotonic()

        def tell(status: str) -> None:
            self._progress(Event("status", step.title, status, step, seconds=self._clock.monotonic() - began))

        self._progress(Event("started", step.title, step.action, step))
        if step.resource == "compute quota":
            result = Lifecycle(self._api.quotas, self._deadline, self._interrupted, tell).run(step, cluster_arn)
        else:
            policies = self._api.cluster_policies
            result = Lifecycle(policies, self._deadline, self._interrupted, tell).run(step, cluster_arn)
        seconds = self._clock.monotonic() - began
        self._progress(Event("ended", step.title, result.detail, step, seconds=seconds, state=result.state))
        return result


def _left_over(step: Step, lost: set[str]) -> StepResult:
    missing = [need for need in step.needs if need in lost]
    if missing:
        lost.add(step.key)
        return StepResult(step, "skipped", f"not begun, because '{missing[0]}' failed")
    return StepResult(step, "not started")
