"""What a person sees when the roles of publish_metrics and notify_usage really lack an action."""

from collections.abc import Iterator

import pytest

from local.deployment import Deployment
from tests.aws.iam_support import Roles
from tests.aws.iam_usage_scenarios import change, incident, tell
from tests.support.place import Place

PUBLISH, NOTIFY = "PublishMetricsRole", "NotifyUsageRole"


@pytest.fixture(scope="module")
def roles(deployment: Deployment) -> Roles:
    """The deployed roles."""
    return Roles.of(deployment)


@pytest.fixture(autouse=True)
def given_back(roles: Roles) -> Iterator[None]:
    """No test leaves a role without something."""
    yield
    roles.assert_whole()


def test_publish_without_describing_clusters_tells_the_cluster_and_the_action(
    deployment: Deployment, roles: Roles, place: Place
) -> None:
    place.upload(place.policy())
    with roles.without(PUBLISH, "ReadEks", "eks:DescribeCluster"):
        assert "eks:DescribeCluster" in deployment.publish_metrics()["unread"][place.name]
    assert place.name not in deployment.publish_metrics()["unread"]


def test_publish_without_writing_tags_publishes_all_the_same(
    deployment: Deployment, roles: Roles, place: Place
) -> None:
    place.upload(place.policy())
    with roles.without(PUBLISH, "WriteUsage", "s3:PutObjectTagging"):
        assert place.name in deployment.publish_metrics()["clusters"]
        assert "s3:PutObjectTagging" in place.aws.logs(deployment.function("PublishMetricsFunction"))
        assert deployment.document(f"clusters/{place.arn.rpartition('/')[2]}/usage.json") is None


def test_notify_without_publishing_fails_and_the_next_event_is_told(roles: Roles, place: Place) -> None:
    place.upload(place.policy())
    with roles.without(NOTIFY, "TellPeople", "sns:Publish"), pytest.raises(RuntimeError, match="sns:Publish"):
        tell(place, change(place))
    assert tell(place, change(place))["outcome"] == "told"
    assert tell(place, change(place))["outcome"] == "repeated"


def test_notify_without_writing_incidents_tells_again_and_is_heard_of(roles: Roles, place: Place) -> None:
    place.upload(place.policy())
    with roles.without(NOTIFY, "WriteIncidents", "s3:PutObject"), pytest.raises(RuntimeError, match="s3:PutObject"):
        tell(place, change(place))
    assert tell(place, change(place))["outcome"] == "told"
    assert incident(place) is not None


def test_notify_without_reading_records_fails_rather_than_to_take_them_for_missing(roles: Roles, place: Place) -> None:
    place.upload(place.policy())
    with roles.without(NOTIFY, "ReadRecords", "s3:GetObject"), pytest.raises(RuntimeError, match="s3:GetObject"):
        tell(place, change(place))
    assert incident(place) is None
