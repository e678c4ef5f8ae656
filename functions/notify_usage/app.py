"""Tells people in words what an alarm of usage says: once when it begins, once when it is over."""

from typing import TYPE_CHECKING, Any

from governor.functions.notifying import notify
from governor.functions.parts import Parts
from governor.observability import logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

PARTS = Parts()
PARTS.warm_up("s3", "sns")


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001
    """What came of the event."""
    return notify(PARTS, event)
