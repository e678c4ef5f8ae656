"""A cluster whose ARN is of another Region than the credentials are used in is refused before anything is asked."""

import pytest

from governor.cli.main import main
from governor.policy.names import in_another_region

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:cluster/abcdefghijkl"
ENVIRONMENT = {
    "AWS_REGION": "us-west-2",
    "AWS_DEFAULT_REGION": "us-west-2",
    "AWS_ACCESS_KEY_ID": "a",
    "AWS_SECRET_ACCESS_KEY": "b",
}


@pytest.mark.parametrize("command", [("addon", ARN), ("usage", ARN), ("why", "train", "--cluster", ARN)])
def test_every_command_says_which_region_to_set(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    assert main([*command]) == 1
    assert (
        "the cluster is in Region eu-west-1, the credentials are used in us-west-2; set AWS_REGION=eu-west-1"
        in capsys.readouterr().err.replace("\n", " ")
    )


@pytest.mark.parametrize(
    ("cluster", "region", "wrong"),
    [
        (ARN, "us-west-2", True),
        (ARN, "eu-west-1", False),
        ("ml-research", "us-west-2", False),  # a name is looked up where the credentials are used
        ("arn:aws:eks:eu-west-1:123456789012:cluster/a", "us-west-2", False),  # of no HyperPod cluster
    ],
)
def test_only_an_arn_says_where_a_cluster_is(cluster: str, region: str, wrong: bool) -> None:
    assert bool(in_another_region(cluster, region)) == wrong
