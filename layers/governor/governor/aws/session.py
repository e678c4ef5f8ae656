"""One session per process, few clients, each made when first used."""

import functools
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from governor.aws.failures import mapped

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_sagemaker import SageMakerClient

_RETRIES = Config(
    # Adaptive: the SDK slows itself down when the service throttles. Eight attempts outlast a short storm;
    # what lasts longer is a TransientError, and the caller decides.
    retries={"mode": "adaptive", "total_max_attempts": 8},
    connect_timeout=5,
    read_timeout=30,
    max_pool_connections=32,
    user_agent_extra="hyperpod-governor",
)
_QUICK = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=3, read_timeout=10)


class Aws:
    """The AWS of the SDK's standard environment: credentials, Region, endpoints, proxies."""

    def __init__(self, session: boto3.Session | None = None) -> None:
        with mapped("reading the AWS configuration"):
            self.session = session or boto3.Session()

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
