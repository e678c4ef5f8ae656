"""Looks at the add-on of every governed cluster, hourly, and asks the writer to act where that is wanted."""

from typing import TYPE_CHECKING, Any

from governor.functions.parts import Parts
from governor.functions.verifying import verify
from governor.observability import logger, metrics

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

PARTS = Parts()
PARTS.warm_up("s3", "sqs", "sagemaker", "events", "eks")


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """What was seen; a cluster that cannot be looked at is told by a metric, not by an error."""
    return verify(PARTS, event, lambda: context.get_remaining_time_in_millis() / 1000)
