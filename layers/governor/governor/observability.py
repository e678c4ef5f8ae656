"""The logger and the metrics of the functions: made once per process, named after the stack."""

import warnings

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger()
metrics = Metrics()
warnings.filterwarnings("ignore", "No application metrics to publish")  # most invocations come to no verdict


def count_verdict(verdict: str) -> None:
    """One more of this verdict, in the namespace and with the service name of the environment."""
    metrics.add_metric(name=verdict, unit=MetricUnit.Count, value=1)
