"""Plans and outcomes as JSON documents, for programs."""

from typing import Any

import msgspec

from governor.apply import Outcome
from governor.plan import Plan, Step
from governor.policy import Diagnostic


def plan_document(plan: Plan, path: str, diagnostics: tuple[Diagnostic, ...]) -> dict[str, Any]:
    """A plan with everything that plan prints as text."""
    return {
        "cluster": plan.cluster_name,
        "clusterArn": plan.cluster_arn,
        "fingerprint": plan.fingerprint,
        "changes": bool(plan.steps),
        "refused": bool(plan.refusals),
        "held": list(plan.held),
        "steps": [step_document(step) for step in plan.steps],
        "unchanged": plan.unchanged,
        "adopted": list(plan.adopted),
        "blocked": [{"title": item.title, "reason": item.reason} for item in plan.blocked],
        "unmanaged": [msgspec.to_builtins(item) for item in plan.unmanaged],
        "messages": messages_document(path, diagnostics),
    }


def step_document(step: Step) -> dict[str, Any]:
    """One step."""
    document: dict[str, Any] = {
        "key": step.key,
        "action": step.action,
        "resource": step.resource,
        "name": step.name,
        "changes": [{"what": change.what, "before": change.before, "after": change.after} for change in step.changes],
    }
    optional = {
        "team": step.team,
        "id": step.id,
        "version": step.version,
        "reason": step.reason,
        "after": list(step.needs),
        "settleFirst": step.settle_first,
        "held": step.held,
        "changedBySomebodyElse": step.drifted,
    }
    return {**document, **{key: value for key, value in optional.items() if value}}


def outcome_document(outcome: Outcome, path: str, diagnostics: tuple[Diagnostic, ...]) -> dict[str, Any]:
    """An outcome with its plan and the result of every step."""
    return {
        "verdict": outcome.verdict,
        "reason": outcome.reason,
        "retryAfterSeconds": outcome.retry_after,
        "results": [
            {
                "key": result.step.key,
                "action": result.step.action,
                "state": result.state,
                "detail": result.detail,
                "id": result.id,
                "version": result.version,
            }
            for result in outcome.results
        ],
        "changedBySomebodyElse": [
            {"title": change.title, "by": change.by, "changes": [msgspec.to_builtins(item) for item in change.changes]}
            for change in outcome.foreign
        ],
        "plan": plan_document(outcome.plan, path, diagnostics),
        "messages": messages_document(path, diagnostics),
    }


def rejected_document(path: str, diagnostics: tuple[Diagnostic, ...]) -> dict[str, Any]:
    """An outcome of a file with errors: the keys of every outcome, and no plan."""
    return {
        "verdict": "Rejected",
        "reason": "the file has errors",
        "retryAfterSeconds": None,
        "results": [],
        "changedBySomebodyElse": [],
        "plan": None,
        "messages": messages_document(path, diagnostics),
    }


def refused_document(path: str, diagnostics: tuple[Diagnostic, ...]) -> dict[str, Any]:
    """A plan of a file with errors."""
    return {"changes": False, "refused": True, "steps": [], "messages": messages_document(path, diagnostics)}


def messages_document(path: str, diagnostics: tuple[Diagnostic, ...]) -> list[dict[str, Any]]:
    """Messages with their places."""
    return [{"path": path, **msgspec.to_builtins(item)} for item in diagnostics]
