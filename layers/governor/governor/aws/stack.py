"""CloudFormation stacks: what a deployment is made of."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import ClientError

from governor.aws.failures import mapped
from governor.errors import NotFoundError

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import StackTypeDef


class Stack(msgspec.Struct, frozen=True):
    """A stack; ``reason`` says why its status is what it is."""

    name: str
    status: str
    reason: str = ""
    outputs: Mapping[str, str] = {}
    parameters: Mapping[str, str] = {}
    created: datetime | None = None


class Resource(msgspec.Struct, frozen=True):
    """One resource of a stack: its name in the template, its type, its name in the account."""

    logical: str
    kind: str
    physical: str
    status: str = ""


class Stacks:
    """The stacks of the account and Region."""

    def __init__(self, client: "CloudFormationClient") -> None:
        self._client = client

    def describe(self, name: str) -> Stack:
        """One stack; NotFoundError when there is none of this name."""
        with mapped(f"DescribeStacks '{name}'"):
            try:
                answer = self._client.describe_stacks(StackName=name)
            except ClientError as error:
                said = error.response.get("Error", {})
                if said.get("Code") == "ValidationError" and "does not exist" in said.get("Message", ""):
                    raise NotFoundError(f"there is no stack '{name}' in Region {self.region}") from error
                raise
        return _stack(answer["Stacks"][0])

    def all(self) -> list[Stack]:
        """All stacks that are not deleted."""
        with mapped("DescribeStacks"):
            pages = self._client.get_paginator("describe_stacks").paginate()
            return [_stack(item) for page in pages for item in page["Stacks"]]

    def resources(self, name: str) -> tuple[Resource, ...]:
        """What the stack is made of."""
        with mapped(f"ListStackResources '{name}'"):
            pages = self._client.get_paginator("list_stack_resources").paginate(StackName=name)
            return tuple(
                Resource(
                    item["LogicalResourceId"],
                    item["ResourceType"],
                    item.get("PhysicalResourceId", ""),
                    item.get("ResourceStatus", ""),
                )
                for page in pages
                for item in page["StackResourceSummaries"]
            )

    @property
    def region(self) -> str:
        """The Region that is asked."""
        return self._client.meta.region_name


def _stack(item: "StackTypeDef") -> Stack:
    return Stack(
        name=item["StackName"],
        status=item["StackStatus"],
        reason=item.get("StackStatusReason", ""),
        outputs={each.get("OutputKey", ""): each.get("OutputValue", "") for each in item.get("Outputs", ())},
        parameters={
            each.get("ParameterKey", ""): each.get("ParameterValue", "") for each in item.get("Parameters", ())
        },
        created=item["CreationTime"],
    )
