"""May an AWS service, which has no role, do this? Its principal has to stand in the resource's own policy."""

from typing import Any

from ministack.core import iam_evaluator
from ministack.services import kms

from local.aws.runner.settings import ACCOUNT, REGION

KEY_USE = ("kms:GenerateDataKey", "kms:Decrypt")


def lets_in(policy: Any, service: str, action: str, resource: str, source: str) -> bool:
    """Does a resource policy allow a service, `events.amazonaws.com`, acting for the resource of the ARN `source`?"""
    context = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=resource,
        region=REGION,
        secure_transport=True,
        service_context={"aws:sourcearn": source, "aws:sourceaccount": ACCOUNT, "aws:sourceowner": ACCOUNT},
    )
    return bool(iam_evaluator.evaluate_resource_policy(policy, context, service=service).decision == "Allow")


def key_lets_in(key: str | None, service: str, source: str) -> bool:
    """May the service use the key that something is encrypted with? Without a key there is nothing to ask.

    The keys that AWS manages let no service in, and their policies cannot be changed.
    """
    if not key:
        return True
    if key.startswith("alias/aws/"):
        return False
    found = kms.key_policy_for_arn(key)
    return found is not None and all(lets_in(found[0], service, action, "*", source) for action in KEY_USE)
