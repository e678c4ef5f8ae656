"""Which cluster is meant by a command that needs one, and what is said where that cannot be told."""

from typing import Any

import pytest

from governor.cli.which import the_cluster
from governor.errors import PermanentError
from tests.unit.cli.accounts import Account


def chosen(given: str | None = None, **clusters: bool) -> str:
    account: Any = Account(**clusters)
    return the_cluster(account, given).eks_name


def test_the_only_cluster_on_eks_is_meant() -> None:
    assert chosen(batch=False, research=True) == "research-eks"
    assert chosen("other", other=True, research=True) == "other-eks"


@pytest.mark.parametrize(
    ("given", "clusters", "said"),
    [
        (None, {"b": True, "a": True, "c": False}, "which cluster? say --cluster a or b"),
        (None, {f"c{number:02}": True for number in range(12)}, "c08, c09 or 2 more"),
        (None, {f"c{number:02}": True for number in range(51)}, "which of 51 clusters? say --cluster c00, c01"),
        (None, {"c": False}, "there is no HyperPod cluster on EKS in Region us-west-2"),
        (None, {}, "there is no HyperPod cluster on EKS in Region us-west-2"),
        ("c", {"c": False}, "cluster c is not orchestrated by EKS"),
        ("arn:aws:sagemaker:eu-west-1:123456789012:cluster/abcdefghijkl", {}, "set AWS_REGION=eu-west-1"),
    ],
)
def test_a_cluster_that_cannot_be_told(given: str | None, clusters: dict[str, bool], said: str) -> None:
    with pytest.raises(PermanentError) as error:
        chosen(given, **clusters)
    assert said in str(error.value)


def test_a_command_that_takes_the_name_alone_says_so() -> None:
    account: Any = Account(a=True, b=True)
    with pytest.raises(PermanentError, match=r"^which cluster\? say a or b$"):
        the_cluster(account, None, say="")
