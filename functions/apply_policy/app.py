"""Brings one cluster to the policy in force: one message, one slice of work."""

from typing import TYPE_CHECKING, Any

from governor.functions.applying import apply
from governor.functions.parts import Parts
from governor.observability import logger, metrics

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

PARTS = Parts()
PARTS.warm_up("s3", "sqs", "sagemaker", "events", "eks")


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, list[dict[str, str]]]:
    """The messages that have to come again are told one by one; an error of the whole never happens on purpose."""
    return apply(PARTS, event, lambda: context.get_remaining_time_in_millis() / 1000, context.aws_request_id)
