"""Receives policy files: on every upload and deletion, and as a resync every few minutes."""

from typing import TYPE_CHECKING, Any

from governor.functions.parts import Parts
from governor.functions.receiving import receive
from governor.observability import logger, metrics

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

PARTS = Parts()
PARTS.warm_up("s3", "sqs", "sagemaker", "events")


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """An error ends the invocation: Lambda tries again, and then tells the failure destination."""
    done = receive(PARTS, event, lambda: context.get_remaining_time_in_millis() / 1000, context.aws_request_id)
    logger.info("received", extra=done)
    return done
