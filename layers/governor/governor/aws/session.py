"""One session per process, few clients, each made when first used."""

import functools
from collections import Counter
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from governor.aws.failures import mapped

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_events import EventBridgeClient
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient

_RETRIES = Config(
    # Adaptive: the SDK slows itself down when the service throttles. Eight attempts outlast a short storm;
    # what lasts longer is a TransientError, and the caller decides.
    retries={"mode": "adaptive", "total_max_attempts": 8},
    connect_timeout=5,
    read_timeout=30,
    max_pool_connections=32,
    user_agent_extra="hyperpod-governor",
)
_STANDARD = Config(
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=5,
    read_timeout=20,
    max_pool_connections=16,
    user_agent_extra="hyperpod-governor",
)
_PROMPT = Config(
    # Three answers of EKS are waited for in turn, for several clusters within one function's time.
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=3,
    read_timeout=8,
    max_pool_connections=16,
    user_agent_extra="hyperpod-governor",
)
_QUICK = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=3, read_timeout=10)


class Aws:
    """The AWS of the SDK's standard environment: credentials, Region, endpoints, proxies.

    ``calls`` counts the calls so far by service and operation; a call that was retried counts once.
    """

    def __init__(self, session: boto3.Session | None = None) -> None:
        self.calls: Counter[str] = Counter()
        with mapped("reading the AWS configuration"):
            self.session = session or boto3.Session()
        self.session.events.register("before-call", self._count)

    def _count(self, event_name: str, **_: object) -> None:
        self.calls[event_name.removeprefix("before-call.").replace(".", ":")] += 1

    @functools.cached_property
    def sagemaker(self) -> "SageMakerClient":
        """The client for everything about HyperPod."""
        with mapped("making the SageMaker client"):
            client: SageMakerClient = self.session.client("sagemaker", config=_RETRIES)
        return client

    @functools.cached_property
    def ec2(self) -> "EC2Client":
        """The client for instance types that the bundled table lacks; not worth a long wait."""
        with mapped("making the EC2 client"):
            client: EC2Client = self.session.client("ec2", config=_QUICK)
        return client

    @functools.cached_property
    def s3(self) -> "S3Client":
        """The client for policies and records."""
        with mapped("making the S3 client"):
            client: S3Client = self.session.client("s3", config=_STANDARD)
        return client

    @functools.cached_property
    def sqs(self) -> "SQSClient":
        """The client for the queue of changes."""
        with mapped("making the SQS client"):
            client: SQSClient = self.session.client("sqs", config=_STANDARD)
        return client

    @functools.cached_property
    def sns(self) -> "SNSClient":
        """The client for notifications."""
        with mapped("making the SNS client"):
            client: SNSClient = self.session.client("sns", config=_STANDARD)
        return client

    @functools.cached_property
    def events(self) -> "EventBridgeClient":
        """The client for the events about verdicts."""
        with mapped("making the EventBridge client"):
            client: EventBridgeClient = self.session.client("events", config=_STANDARD)
        return client

    @functools.cached_property
    def eks(self) -> Any:
        """The client for EKS clusters and their add-on. No stubs are installed: few members are read."""
        with mapped("making the EKS client"):
            return self.session.client("eks", config=_PROMPT)
