"""The logger and the metrics of the functions: made once per process, named after the stack."""

import warnings
from collections.abc import Iterable, Mapping

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

logger = Logger()
metrics = Metrics()
warnings.filterwarnings("ignore", "No application metrics to publish")  # most invocations come to no verdict


def count_verdict(verdict: str) -> None:
    """One more of this verdict, in the namespace and with the service name of the environment."""
    metrics.add_metric(name=verdict, unit=MetricUnit.Count, value=1)


def publish(
    namespace: str, dimensions: Mapping[str, str], figures: Iterable[tuple[str, float, str]], reason: str
) -> None:
    """One line of metrics in a namespace of their own; ``reason`` is beside them, to be read in the log."""
    one = EphemeralMetrics(namespace=namespace)
    for name, value in dimensions.items():
        one.add_dimension(name=name, value=value)
    for name, figure, unit in figures:
        one.add_metric(name=name, unit=unit, value=figure)
    if reason:
        one.add_metadata(key="reason", value=reason)
    one.flush_metrics()


def count_addon(cluster: str, *, installed: bool | None, healthy: bool | None, drifted: bool | None) -> None:
    """1 or 0 for one cluster's add-on, under the dimension ``cluster``; what nobody could see has no value."""
    values = (("AddonInstalled", installed), ("AddonHealthy", healthy), ("AddonVersionDrift", drifted))
    seen = [(name, value) for name, value in values if value is not None]
    if not seen:
        return
    one = EphemeralMetrics()
    one.add_dimension(name="cluster", value=cluster)
    for name, value in seen:
        one.add_metric(name=name, unit=MetricUnit.Count, value=int(value))
    one.flush_metrics()


def count_addons(unhealthy: int, unseen: int) -> None:
    """Of all clusters of the stack: add-ons that are not healthy, and those that nobody could look at."""
    metrics.add_metric(name="AddonsUnhealthy", unit=MetricUnit.Count, value=unhealthy)
    metrics.add_metric(name="AddonsNotSeen", unit=MetricUnit.Count, value=unseen)
