"""EKS with one cluster, as far as access entries go; what the real service does not know is refused."""

from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore.exceptions import ClientError

MODEL = botocore.session.Session().get_service_model("eks")


def error(operation: str, code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class Eks:
    """EKS with one cluster, as the calls here see it; parameters that the real one does not know are refused."""

    def __init__(self) -> None:
        self.mode = "API_AND_CONFIG_MAP"
        self.entries: dict[str, dict[str, Any]] = {}
        self.policies: dict[str, list[dict[str, Any]]] = {}
        self.denied = ""
        self.changes: list[str] = []

    def _call(self, operation: str, cluster: str, parameters: dict[str, Any]) -> None:
        shape: Any = MODEL.operation_model(operation).input_shape
        assert set(parameters) <= set(shape.members)
        if operation == self.denied:
            raise error(operation, "AccessDeniedException")
        if cluster != "eks-research":
            raise error(operation, "ResourceNotFoundException", f"No cluster found for name: {cluster}.")
        if operation.startswith(("Create", "Update")):
            self.changes.append(operation)

    def describe_cluster(self, **given: Any) -> dict[str, Any]:
        self._call("DescribeCluster", given["name"], given)
        return {"cluster": {"name": given["name"], "accessConfig": {"authenticationMode": self.mode}}}

    def describe_access_entry(self, **given: Any) -> dict[str, Any]:
        self._call("DescribeAccessEntry", given["clusterName"], given)
        if given["principalArn"] not in self.entries:
            raise error(
                "DescribeAccessEntry", "ResourceNotFoundException", "The specified principalArn could not be found"
            )
        return {"accessEntry": self.entries[given["principalArn"]]}

    def create_access_entry(self, **given: Any) -> None:
        self._call("CreateAccessEntry", given["clusterName"], given)
        self.entries[given["principalArn"]] = {"type": given["type"], "kubernetesGroups": given["kubernetesGroups"]}

    def update_access_entry(self, **given: Any) -> None:
        self._call("UpdateAccessEntry", given["clusterName"], given)
        self.entries[given["principalArn"]]["kubernetesGroups"] = given["kubernetesGroups"]

    def get_paginator(self, name: str) -> "Eks":
        assert name == "list_associated_access_policies"
        return self

    def paginate(self, **given: Any) -> Iterator[dict[str, Any]]:
        self._call("ListAssociatedAccessPolicies", given["clusterName"], given)
        yield {"associatedAccessPolicies": self.policies.get(given["principalArn"], [])}
