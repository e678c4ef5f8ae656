"""Publishes who uses, borrows, lends and waits in every governed cluster, each minute."""

from typing import TYPE_CHECKING, Any

from governor.functions.parts import Parts
from governor.functions.publishing import UsageOfClusters, publish_usage
from governor.observability import logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

PARTS = Parts()
PARTS.warm_up("s3", "sagemaker", "eks")
CLUSTERS = UsageOfClusters(PARTS)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """What was published; a cluster that cannot be read is told by a metric, not by an error."""
    return publish_usage(PARTS, CLUSTERS, event, lambda: context.get_remaining_time_in_millis() / 1000)
