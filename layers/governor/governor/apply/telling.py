"""What a run did, in the form in which it is written down."""

import msgspec

from governor.addon.versions import ADDON
from governor.apply.addon_gate import Passage
from governor.apply.outcome import Outcome, StepResult
from governor.plan import Plan, Step
from governor.records.documents import StepDone

MAX_STEPS_KEPT = 2000
"""Steps of a run that are written down: a document stays readable."""
MAX_REQUESTS_KEPT = 50


def what_was_removed(outcome: Outcome) -> str:
    """How much of what a file owned was deleted."""
    deleted = sum(result.state == "done" and result.step.action == "delete" for result in outcome.results)
    return f"{deleted} resources deleted" if deleted else "nothing of it is left"


def did_move(result: StepResult) -> bool:
    """True where a step changed something, rather than wait for it."""
    return result.state == "done" and result.step.action != "wait"


def with_addon(reason: str, passage: Passage) -> str:
    """What became of the add-on in this slice, before what became of the rest."""
    done = [f"the add-on was {step.detail} ({step.changes[0].after})" for step in passage.steps if is_addon_done(step)]
    return "; ".join([*done, reason])


def brought_to_its_end(step: StepDone, passage: Passage | None) -> StepDone:
    """What an earlier slice had begun with the add-on, and this one sees done."""
    is_open = step.name == ADDON and step.state == "waiting"
    if not is_open or passage is None or step.changes[0].after != passage.version:
        return step
    return msgspec.structs.replace(step, state="done", detail="installed" if step.action == "create" else "updated")


def is_addon_done(step: StepDone) -> bool:
    """True for an installation or an update of the add-on that came to its end."""
    return step.name == ADDON and step.state == "done"


def did_something(step: StepDone) -> bool:
    """What an earlier slice only looked at, or had no time for, is told again by the later one."""
    return step.action != "wait" and step.state not in ("not started", "skipped")


def with_request(requests: tuple[str, ...], request: str) -> tuple[str, ...]:
    """The ids of a run's invocations, one more and none twice."""
    if not request or request in requests:
        return requests
    return (*requests, request)[-MAX_REQUESTS_KEPT:]


def step_done(result: StepResult) -> StepDone:
    """A step as it ended."""
    return _step(result.step, result.state, result.detail, result.id, result.version)


def _step(step: Step, state: str, detail: str, made: str = "", version: int = 0) -> StepDone:
    return StepDone(
        title=step.title,
        name=step.name,
        action=step.action,
        state=state,
        detail=detail,
        id=made or step.id,
        version=version or step.version,
        changes=step.changes,
    )


def of_plan(plan: Plan) -> dict[str, object]:
    """The members of a run that a plan tells."""
    return {
        "fingerprint": plan.fingerprint,
        "held": plan.held,
        "planned": tuple(_step(step, "", step.held or step.reason) for step in plan.steps[:MAX_STEPS_KEPT]),
        "unmanaged": tuple(item.name for item in plan.unmanaged),
    }
