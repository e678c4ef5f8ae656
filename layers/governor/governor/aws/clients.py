"""The clients that only a person's commands need: they look at a deployment, the functions never do."""

import functools
import threading
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from governor.aws.failures import mapped
from governor.aws.session import Aws

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_sts import STSClient

_PATIENT = Config(
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=5,
    read_timeout=20,
    max_pool_connections=16,
    user_agent_extra="hyperpod-governor",
)


class Clients:
    """Each made when first used, by one thread at a time: a session is not made for more."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self._one_at_a_time = threading.Lock()

    def _make(self, service: str) -> Any:
        with self._one_at_a_time, mapped(f"making the client of {service}"):
            return self.aws.session.client(service, config=_PATIENT)

    @functools.cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """Stacks."""
        client: CloudFormationClient = self._make("cloudformation")
        return client

    @functools.cached_property
    def functions(self) -> "LambdaClient":
        """Functions."""
        client: LambdaClient = self._make("lambda")
        return client

    @functools.cached_property
    def sts(self) -> "STSClient":
        """Who the caller is."""
        client: STSClient = self._make("sts")
        return client

    # Of these three few members are read, all of them checked by botocore's model in the tests: no stubs are installed.

    @functools.cached_property
    def logs(self) -> Any:
        """Log groups."""
        return self._make("logs")

    @functools.cached_property
    def cloudwatch(self) -> Any:
        """Alarms."""
        return self._make("cloudwatch")

    @functools.cached_property
    def eks(self) -> Any:
        """Add-ons."""
        return self._make("eks")
