"""publish_metrics: usage of all governed clusters, each minute."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from governor.aws.service_model import service_limits
from governor.aws.usage import Reading, UsageReader
from governor.errors import PermanentError, TransientError
from governor.functions.parts import Parts, now
from governor.observability import logger, publish
from governor.policy.wording import counted
from governor.publish import Declarations, Publisher
from governor.settings import UsageSettings
from governor.usage.figures import Batch

MARGIN = 5.0
"""Seconds before the function's end in which what was not read is given up, and told."""
KEPT = 600.0
"""Seconds that an EKS cluster is believed to be the one below a HyperPod cluster."""
_DECLARATIONS = Declarations(service_limits)


class _Publishing:
    def __init__(self, settings: UsageSettings) -> None:
        self._namespace = settings.namespace

    def publish(self, batch: Batch, reason: str = "") -> None:
        figures = ((each.name, each.value, each.unit) for each in batch.figures)
        publish(self._namespace, batch.dimensions, figures, reason)


class UsageOfClusters:
    """Usage by the ARN of a HyperPod cluster."""

    def __init__(self, parts: Parts, clock: Callable[[], float] = time.monotonic) -> None:
        self._parts, self._clock = parts, clock
        self._kept: dict[str, tuple[str, float]] = {}

    def read(self, cluster_arn: str, time_left: Callable[[], float]) -> Reading:
        """What is read of its Kueue, or the package's errors."""
        if time_left() <= 0:
            raise TransientError("no time was left to read it")
        eks = self._eks(cluster_arn)
        return UsageReader(self._parts.kubernetes.connect(eks)).read(time_left=time_left)

    def _eks(self, cluster_arn: str) -> str:
        kept = self._kept.get(cluster_arn)
        if kept is None or self._clock() - kept[1] > KEPT:
            cluster = self._parts.account.governance.clusters.describe(cluster_arn)
            if not cluster.eks_name:
                raise PermanentError(f"{cluster.name} is not orchestrated by EKS: it has no Kueue")
            kept = self._kept[cluster_arn] = (cluster.eks_name, self._clock())
        return kept[0]


def publish_usage(
    parts: Parts, clusters: UsageOfClusters, event: Mapping[str, Any], seconds_left: Callable[[], float]
) -> dict[str, Any]:
    """Publish all; what was done, for the log. PermanentError for an event that is none of ours."""
    if event.get("publish") is not True:
        raise PermanentError("an event that does not ask for metrics")
    done = Publisher(
        parts.documents,
        clusters,
        _Publishing(parts.usage),
        _DECLARATIONS.of,
        logger,
        now,
        lambda: seconds_left() - MARGIN,
        parts.usage.detail,
    ).run()
    logger.info("published usage of %s", counted(len(done.clusters), "cluster"), extra={"published": done.unread})
    return {"published": msgspec.to_builtins(done)}
