"""Usage from jobs to people: metrics that the deployed function printed, the template's alarms, words in a queue."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.aws.launcher import wait_for
from local.deployment import Deployment, deployed
from local.jobs import Jobs
from local.minutes import pass_until
from local.people import People
from tests.support.place import Place

NAMESPACE = "HyperPod/TaskGovernance"
GPU = "nvidia.com/gpu"
SHARING = "sharing: {strategy: LendAndBorrow, borrowLimit: 100}"


def team(name: str, count: int = 2, more: str = "") -> str:
    return f"  - {{name: {name}, quota: [{{instanceType: ml.g5.8xlarge, count: {count}}}], {SHARING}{more}}}\n"


def policy(place: Place, *teams: str, alarm: str = "percent: 50") -> str:
    head = f"version: 1\ncluster: {place.name}\nalarms: {{borrowing: {{{alarm}}}}}\nteams:\n"
    return head + "".join(teams or (team("team-a"), team("team-b")))


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    """A stack of this file's own: each tick reads all clusters that are governed, and other tests leave many behind."""
    with deployed(
        {
            "PublishUsage": "Disabled"
        },  # a test says when; M of N is the template's own, as a busy machine misses minutes
        plane_settings={"transition_seconds": 0.2, "default_page_size": 100},
        seconds_per_minute=2.0,
    ) as running:
        yield running


@pytest.fixture
def people(deployment: Deployment) -> Iterator[People]:
    with People(deployment, f"people-{time.monotonic_ns()}") as listening:
        yield listening


@pytest.fixture
def governed(place: Place) -> Iterator[Place]:
    assert place.upload(policy(place))["verdict"] == "Applied"
    yield place
    place.deployment.delete(place.key)  # so that the tests after this one do not read it every minute


def latest(place: Place, metric: str, team: str = "") -> float | None:
    """The highest value of the last minutes, as CloudWatch answers."""
    dimensions = {"cluster": place.name, "service": place.deployment.stack, **({"team": team} if team else {})}
    now = datetime.now(UTC)
    points: list[Any] = place.aws.client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    return max((each["Maximum"] for each in points), default=None)


def contributors(place: Place, alarm: str) -> set[str]:
    """The teams (or the cluster) of the place that the alarm rings for."""
    name = place.aws.physical_id(alarm, place.deployment.stack)
    answer = place.aws.client("cloudwatch").describe_alarm_contributors(AlarmName=name)
    attributes = [each["ContributorAttributes"] for each in answer["AlarmContributors"]]
    return {each.get("team", "") for each in attributes if each["cluster"] == place.name}


def test_borrowing_rings_is_told_in_words_and_is_over(governed: Place, people: People) -> None:
    deployment = governed.deployment
    with Jobs.of(governed.aws, governed.name) as jobs:
        jobs.submit("team-a", "large", pods=3, requests={GPU: "1"})
        jobs.wait("team-a", "large", "Admitted")
        deployment.publish_metrics()
        deployment.publish_metrics()  # twice does no harm
        seen = {
            name: latest(governed, name, "team-a")
            for name in ("UsedAccelerators", "BorrowedAccelerators", "OverBorrowing")
        }
        assert seen == {"UsedAccelerators": 3, "BorrowedAccelerators": 1, "OverBorrowing": 1}
        assert (latest(governed, "LentAccelerators", "team-b"), latest(governed, "CouldNotRead")) == (1, 0)
        assert contributors(governed, "OverBorrowingAlarm") == set()  # one minute is none
        pass_until(deployment, lambda: contributors(governed, "OverBorrowingAlarm") == {"team-a"}, "the alarm")
        subject, text = people.wait_for(f"team-a lives on borrowed compute on {governed.name}")
        assert "borrows 1 accelerator, 50 % of the 2 accelerators that it is guaranteed" in text
        assert "team-b lends 1 nvidia.com/gpu in ml.g5.8xlarge" in text
        jobs.delete("team-a", "large")
        pass_until(deployment, lambda: not contributors(governed, "OverBorrowingAlarm"), "the end of the alarm")
    people.wait_for(f"Over: team-a lives on borrowed compute on {governed.name}")
    told = [each.partition("lives")[0] for each, _ in people.listen() if governed.name in each]
    begins, ends = "HyperPod Governor: team-a ", "HyperPod Governor: Over: team-a "
    # Once each; on a machine so busy that minutes pass without metrics it may begin, and then end, once more.
    assert told == [begins, ends] * (len(told) // 2)
    assert subject.startswith("HyperPod Governor: ")
    record = deployment.document(f"clusters/{governed.arn.rpartition('/')[2]}/usage.json")
    assert record is not None
    assert {each["name"] for each in record["usage"]["teams"]} == {"team-a", "team-b"}


def test_a_team_that_joins_is_watched_without_a_deploy_and_one_without_an_alarm_is_not(
    governed: Place, people: People
) -> None:
    teams = (team("team-a", 1), team("team-b", 1), team("newcomer", 1), team("quiet", 1, ", alarms: null"))
    assert governed.upload(policy(governed, *teams))["verdict"] == "Applied"
    with Jobs.of(governed.aws, governed.name) as jobs:
        for name in ("newcomer", "quiet"):
            jobs.submit(name, "double", pods=2, requests={GPU: "1"})
            jobs.wait(name, "double", "Admitted")
        pass_until(
            governed.deployment, lambda: contributors(governed, "OverBorrowingAlarm") == {"newcomer"}, "the alarm"
        )
        assert latest(governed, "BorrowedAccelerators", "quiet") == 1
        assert latest(governed, "OverBorrowing", "quiet") is None
        people.wait_for(f"newcomer lives on borrowed compute on {governed.name}")
    record = governed.deployment.document(f"clusters/{governed.arn.rpartition('/')[2]}/usage.json")
    assert record is not None
    assert [each["team"] for each in record["borrowing"]] == ["newcomer", "team-a", "team-b"]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"kind": "closed"}, "the connection is refused"),
        ({"kind": "truncated", "resource": "localqueues"}, "not all of it"),
        ({"kind": "status", "code": 403, "resource": "clusterqueues"}, "403"),
    ],
    ids=["down", "half a list", "forbidden"],
)
def test_a_cluster_that_cannot_be_read_is_told_and_another_is_published(
    deployment: Deployment, governed: Place, people: People, fault: dict[str, Any], says: str
) -> None:
    other = Place(deployment)
    assert other.upload(policy(other))["verdict"] == "Applied"
    governed.aws.kubernetes.cluster(governed.name).fault(**fault)
    unread = deployment.publish_metrics()["unread"]
    assert says in unread[governed.name]
    assert other.name not in unread
    assert latest(governed, "GuaranteedAccelerators", "team-a") is None
    assert latest(other, "GuaranteedAccelerators", "team-a") == 2
    deployment.delete(other.key)
    if says != "403":
        return  # that it rings and ends is seen once
    pass_until(deployment, lambda: contributors(governed, "UsageNotReadAlarm"), "the alarm")
    _, text = people.wait_for(f"usage of {governed.name} cannot be read")
    assert says in text
    governed.aws.kubernetes.cluster(governed.name).clear_faults()
    pass_until(deployment, lambda: not contributors(governed, "UsageNotReadAlarm"), "the end of the alarm")
    assert latest(governed, "GuaranteedAccelerators", "team-a") == 2


def test_a_policy_that_mutes_is_quiet(governed: Place, people: People) -> None:
    muted = policy(governed, alarm="percent: 50, muteUntil: 2100-01-01")
    assert governed.upload(muted)["verdict"] == "Unchanged"
    with Jobs.of(governed.aws, governed.name) as jobs:
        jobs.submit("team-a", "large", pods=3, requests={GPU: "1"})
        jobs.wait("team-a", "large", "Admitted")
        governed.deployment.publish_metrics()
        assert (latest(governed, "BorrowedAccelerators", "team-a"), latest(governed, "OverBorrowing", "team-a")) == (
            1,
            0,
        )
        assert governed.upload(policy(governed))["verdict"] == "Unchanged"
        wait_for(lambda: _over(governed), 20, 0.5)
        pass_until(governed.deployment, lambda: contributors(governed, "OverBorrowingAlarm") == {"team-a"}, "the alarm")
    people.wait_for("team-a lives on borrowed compute")


def _over(place: Place) -> bool:
    place.deployment.publish_metrics()
    return latest(place, "OverBorrowing", "team-a") == 1
