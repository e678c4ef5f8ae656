"""The workshop from the policy file to the jobs: uploaded, applied, and then borrowed, reclaimed and preempted.

With GOVERNOR_TEST_KUBECONFIG the queues are kept in that cluster, and its Kueue decides.
"""

import os
from collections.abc import Iterator

import pytest

from local.deployment import Deployment, deployed
from local.hyperpod.client import ROOT
from local.jobs import Jobs
from local.walkthrough import FOUR_GPUS, ONE_GPU, Walk, play

KUBECONFIG = os.environ.get("GOVERNOR_TEST_KUBECONFIG")


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """The stack of all tests, or one of its own, whose queues a real Kueue has and loses with it."""
    if KUBECONFIG is None:
        yield request.getfixturevalue("deployment")
        return
    with deployed({"AddonInstall": "Install"}, kubeconfig=KUBECONFIG) as running:
        yield running


@pytest.mark.parametrize(
    ("file", "cluster", "count", "walk"),
    [("workshop.yaml", "ml-research", 4, ONE_GPU), ("workshop-four-gpus.yaml", "ml-large", 2, FOUR_GPUS)],
    ids=["one GPU an instance", "four GPUs an instance"],
)
def test_the_workshop_as_it_says(stage: Deployment, file: str, cluster: str, count: int, walk: Walk) -> None:
    stage.add_cluster(cluster, {walk.flavor: count})
    text = (ROOT / "policies" / file).read_text()
    assert f"cluster: {cluster}\n" in text
    key = f"policies/walk-{cluster}.yaml"
    status = stage.wait(key, stage.upload(key, text))
    assert status["verdict"] == "Applied", status["reason"]

    seen: list[tuple[str, bool]] = []
    with Jobs.of(stage.aws, cluster) as jobs:
        play(jobs, walk, lambda what, holds: seen.append((what, holds)), print)
    assert [what for what, holds in seen if not holds] == []
    assert len(seen) == 6
