"""Answers the HyperPod control plane, which is a process of its own, whether a caller may do what it asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.iam_actions import identity_denial_message
from ministack.core.responses import set_request_account_id, set_request_region

from local.aws.runner.decisions import record, watched
from local.aws.runner.faults import Subject, faults, kills, role_and_function
from local.aws.runner.settings import ACCOUNT, ADMIN_KEY
from local.aws.runner.workers import kill_workers

ISSUED_BY_AWS = ("ASIA", "AKIA")


@dataclass(frozen=True, slots=True)
class Question:
    """`context` has condition keys with their values, such as `aws:ViaAWSService`: "true"."""

    access_key: str
    action: str
    resource: str
    region: str
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`principal` is the caller's ARN; None for a key that the caller made up."""

    allowed: bool
    principal: str | None
    reason: str = ""


def authorize(question: Question) -> Verdict:
    """The verdict of the caller's role. A key that looks like none of AWS's is a person, who may do everything.

    So tests and the demo can have a console user `alice` without making her an IAM user first.
    """
    set_request_account_id(ACCOUNT)
    set_request_region(question.region)
    if question.access_key == ADMIN_KEY or not question.access_key.startswith(ISSUED_BY_AWS):
        return Verdict(allowed=True, principal=None)
    principal = iam_evaluator.resolve_principal(question.access_key, ACCOUNT)
    if isinstance(principal, iam_evaluator.AuthError):
        return Verdict(allowed=False, principal=None, reason=principal.message)
    if principal.policies is None:
        return Verdict(allowed=True, principal=principal.arn)
    context = iam_evaluator.EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=principal.account,
        action=question.action,
        resource_arn=question.resource,
        region=question.region,
        source_ip="127.0.0.1",
        secure_transport=True,
        service_context=_context_of(question),
        principal_keys=principal.keys,
    )
    with watched() as seen:
        result = iam_evaluator.evaluate(context, principal.policies, *principal.limits)
    allowed = result.decision == "Allow"
    record.add(context, allowed, seen.keys)
    denial = identity_denial_message(question.action, principal.arn, question.resource, result.decision == "Deny")
    return Verdict(allowed=allowed, principal=principal.arn, reason="" if allowed else denial)


def authorize_call(question: Question) -> Verdict:
    """The verdict on a call to the control plane, and the end of the worker that makes it, if a fault says so.

    What SageMaker does in EKS in the worker's name is no call of the worker: faults pass it by.
    """
    verdict = authorize(question)
    if question.action.startswith("eks:"):
        return verdict
    role, function = role_and_function(verdict.principal or "")
    operation = question.action.partition(":")[2]
    rules = faults.take(Subject("sagemaker", operation, question.resource, role, function))
    if kills(rules, "before"):
        kill_workers(function)
    return verdict


def _context_of(question: Question) -> dict[str, Any]:
    given = {name.lower(): value for name, value in question.context.items()}
    return {"aws:viaawsservice": "false", "aws:tagkeys": None, **given}
