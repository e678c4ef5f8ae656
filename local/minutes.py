"""The minutes of the local AWS: the tick of each publishes usage, and the alarms look at it."""

import time
from collections.abc import Callable
from typing import TypeVar

from local.deployment import Deployment

T = TypeVar("T")
MOST = 40
"""Minutes, after which something does not come any more."""


def pass_until(deployment: Deployment, look: Callable[[], T | None], what: str) -> tuple[T, int]:
    """Let minutes pass, publish_metrics run at the beginning of each, until ``look`` sees something; how many passed.

    Raises TimeoutError.
    """
    for minute in range(1, MOST + 1):
        began = time.monotonic()
        deployment.publish_metrics()
        while time.monotonic() - began < deployment.aws.seconds_per_minute:
            found = look()
            if found:
                return found, minute
            time.sleep(0.05)
    raise TimeoutError(f"{what}: not seen in {MOST} minutes\n{deployment.logs()}")


def pass_minutes(deployment: Deployment, count: int) -> None:
    """So many."""
    for _ in range(count):
        began = time.monotonic()
        deployment.publish_metrics()
        time.sleep(max(0.0, deployment.aws.seconds_per_minute - (time.monotonic() - began)))
