"""The workshop from the policy file to the jobs: uploaded, applied, and then borrowed, reclaimed and preempted.

After each step the usage that is read, and the figures that are published of it, are those of the jobs submitted. With
GOVERNOR_TEST_KUBECONFIG the queues are kept in that cluster, and its Kueue decides.
"""

from functools import partial

import pytest

from governor.usage import ClusterUsage
from governor.usage.figures import batches
from local.deployment import Deployment
from local.hyperpod.client import ROOT
from local.jobs import Jobs
from local.walkthrough import FOUR_GPUS, GPU, ONE_GPU, Step, Walk, play
from tests.support.usage_read import of, usage_in


@pytest.mark.parametrize(
    ("file", "cluster", "count", "walk"),
    [("workshop.yaml", "ml-research", 4, ONE_GPU), ("workshop-four-gpus.yaml", "ml-large", 2, FOUR_GPUS)],
    ids=["one GPU an instance", "four GPUs an instance"],
)
def test_the_workshop_as_it_says(stage: Deployment, file: str, cluster: str, count: int, walk: Walk) -> None:
    arn = stage.add_cluster(cluster, {walk.flavor: count})
    text = (ROOT / "policies" / file).read_text()
    assert f"cluster: {cluster}\n" in text
    key = f"policies/walk-{cluster}.yaml"
    status = stage.wait(key, stage.upload(key, text))
    assert status["verdict"] == "Applied", status["reason"]

    seen: list[tuple[str, bool]] = []
    with Jobs.of(stage.aws, cluster) as jobs:
        after = partial(_usage_is_that_of_the_jobs, stage, cluster, arn, walk)
        play(jobs, walk, lambda what, holds: seen.append((what, holds)), print, after=after)
    assert [what for what, holds in seen if not holds] == []
    assert len(seen) == 6


def _usage_is_that_of_the_jobs(stage: Deployment, cluster: str, arn: str, walk: Walk, step: Step) -> None:
    found = usage_in(stage, cluster)
    borrower = {"borrow": "team-a", "reclaim": "", "preempt": "team-b"}[step]
    pending = {"borrow": (0, 0), "reclaim": (1, 0), "preempt": (1, 1)}[step]
    user, totals = {
        "borrow": ("team-a", walk.borrowed),
        "reclaim": ("team-b", walk.reclaimed),
        "preempt": ("team-b", walk.preempted),
    }[step]
    used, borrowed = (int(each) for each in totals[GPU])
    gpus = of(found, user, walk.flavor, GPU)
    assert (gpus.used, gpus.borrowed, gpus.over_quota) == (used, borrowed, 0)
    assert {team.name: team.pending for team in found.teams} == {"team-a": pending[0], "team-b": pending[1]}
    assert all((team.oldest_waiting is not None) == bool(team.pending) for team in found.teams)
    lender = "team-b" if user == "team-a" else "team-a"
    assert of(found, lender, walk.flavor, GPU).lent == (borrowed if borrower == user else 0)
    told = _published(found, user)
    assert (told["UsedAccelerators"], told["BorrowedAccelerators"]) == (used, borrowed)
    # The functions look behind EKS, where the cluster of a kubeconfig is not.
    if step == "borrow" and stage.aws.kubeconfig is None:
        _is_what_the_function_read(stage, arn, found)


def _published(found: ClusterUsage, team: str) -> dict[str, float]:
    return {
        each.name: each.value
        for batch in batches(found, (), "Team")
        if batch.dimensions.get("team") == team
        for each in batch.figures
    }


def _is_what_the_function_read(stage: Deployment, arn: str, found: ClusterUsage) -> None:
    stage.publish_metrics()
    record = stage.document(f"clusters/{arn.rpartition('/')[2]}/usage.json")
    assert record is not None
    kept = {team["name"]: [row["used"] for row in team["resources"]] for team in record["usage"]["teams"]}
    assert kept == {team.name: [row.used for row in team.resources] for team in found.teams}
