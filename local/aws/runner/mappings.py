"""Event source mappings of FIFO queues: message groups side by side."""

import time
from typing import Any

from ministack.core.concurrency import esm_wake
from ministack.services import lambda_svc, sqs

from local.aws.runner.patching import Function, around
from local.aws.runner.settings import RunnerSettings
from local.aws.runner.tenancy import our_account


def let_groups_run_in_parallel(_: RunnerSettings) -> None:
    """On AWS one message group never waits for another; MiniStack handles one batch of a FIFO queue at a time.

    With a batch size of one, a batch is of one group, and MiniStack gives out no second message of a group in flight:
    several at once then keep every group's order. Larger batches stay one at a time.
    """

    @around(lambda_svc, "_sqs_esm_concurrency")
    def parallel(concurrency: Function) -> Function:
        def limited(mapping: dict[str, Any], function: Any, config: Any, queue: Any = None) -> int:
            single = mapping.get("BatchSize", 10) == 1
            limit: int = concurrency(mapping, function, config, None if single else queue)
            return limit

        return limited


def let_failures_hold_up_nobody(_: RunnerSettings) -> None:
    """MiniStack stops a whole mapping for a second after a failure; on AWS the other groups go on."""
    lambda_svc._ESM_BACKOFF_SECONDS = 0.0


def release_messages(queue_url: str) -> int:
    """Make every message in flight visible, as if its visibility timeout had ended; how many there were."""
    with our_account(), sqs._queues_lock:
        now = time.time()
        held = [message for message in sqs._get_q(queue_url)["messages"] if message["visible_at"] > now]
        for message in held:
            message["visible_at"] = now
    esm_wake.set()
    return len(held)
