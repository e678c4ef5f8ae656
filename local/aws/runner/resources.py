"""The ARNs that requests are judged by, where MiniStack makes up others than AWS does."""

import json
from typing import Any

from ministack.core import iam_actions

from local.aws.runner.eks_arns import resource_of
from local.aws.runner.patching import Function, around
from local.aws.runner.settings import RunnerSettings

IN_STREAMS = ("CreateLogStream", "PutLogEvents", "GetLogEvents", "DescribeLogStreams", "FilterLogEvents")
DEFAULT_BUS = ":rule/default/"


def name_resources_as_aws_does(_: RunnerSettings) -> None:
    """A rule of the default bus carries no bus in its ARN; what is in log streams is judged by the stream's ARN; calls
    about an add-on or an access entry of EKS are judged by its ARN, and those about no cluster by none."""

    @around(iam_actions, "extract_resource_arn")
    def name(extract: Function) -> Function:
        def extracted(service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any) -> str:
            arn: str = extract(service, method, path, headers, body, *rest)
            if service == "events":
                return arn.replace(DEFAULT_BUS, ":rule/")
            if service == "eks":
                return resource_of(path, arn)
            action = headers.get("x-amz-target", "").rpartition(".")[2]
            if service == "logs" and action in IN_STREAMS:
                return f"{arn}:log-stream:{json.loads(body).get('logStreamName', '')}"
            return arn

        return extracted
