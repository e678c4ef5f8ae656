"""What a person sees when a role really lacks an action on EKS: its own about the add-on, or SageMaker's in its name.

As in test_permissions_removed.py: the action is taken out of the deployed role, missed, and given back.
"""

from collections.abc import Iterator

import pytest

from local.aws.launcher import wait_for
from local.deployment import Deployment
from tests.aws.iam_addon_scenarios import DEFAULT, EXPLICIT, begun, fail_update, seen, uninstall
from tests.aws.iam_scenarios import TWO
from tests.aws.iam_support import Roles, denied_in
from tests.support.place import Place

APPLY, VERIFY = "ApplyPolicyRole", "VerifyAddonRole"


@pytest.fixture(scope="module")
def roles(deployment: Deployment) -> Roles:
    """The deployed roles."""
    return Roles.of(deployment)


@pytest.fixture(autouse=True)
def given_back(roles: Roles) -> Iterator[None]:
    """No test leaves a role without something."""
    yield
    roles.assert_whole()


# ── apply_policy, SageMaker and EKS ─────────────────────────────────────────────────────────────────────────────────
def test_apply_without_what_sagemaker_asks_of_eks_in_its_name_makes_no_quota(roles: Roles, place: Place) -> None:
    with roles.without(APPLY, "SageMakerOnOurBehalf", "eks:AssociateAccessPolicy"):
        status = place.upload(place.policy())
        assert status["verdict"] == "Failed"
        assert denied_in(status["reason"], "eks:AssociateAccessPolicy")
        assert place.guaranteed() == {}
    assert place.upload(place.policy())["verdict"] == "Applied"


def test_apply_without_disassociating_policies_deletes_no_quota(roles: Roles, place: Place) -> None:
    place.upload(place.policy(teams=TWO))
    held = place.upload(place.policy(teams={"team-a": 1}), "Held")
    with roles.without(APPLY, "SageMakerOnOurBehalf", "eks:DisassociateAccessPolicy"):
        status = place.upload(place.policy(teams={"team-a": 1}), governor_approve=held["run"]["fingerprint"])
        assert status["verdict"] == "Failed"
        assert denied_in(status["reason"], "eks:DisassociateAccessPolicy")
        assert place.guaranteed() == TWO


# ── apply_policy and the add-on ─────────────────────────────────────────────────────────────────────────────────────
def test_apply_without_looking_at_the_addon_fails_and_says_why(roles: Roles, place: Place) -> None:
    with roles.without(APPLY, "ReadAddon", "eks:DescribeAddon"):
        status = place.upload(place.policy())
        assert status["verdict"] == "Failed"
        assert denied_in(status["reason"], "eks:DescribeAddon")
        assert place.guaranteed() == {}
    assert place.upload(place.policy())["verdict"] == "Applied"


@pytest.mark.parametrize(("sid", "action"), [("InstallAddon", "eks:CreateAddon"), ("ChangeAddon", "eks:TagResource")])
def test_apply_without_installing_fails_and_says_why(roles: Roles, place: Place, sid: str, action: str) -> None:
    uninstall(place)
    with roles.without(APPLY, sid, action):
        status = place.upload(place.policy(DEFAULT))
        assert status["verdict"] == "Failed"
        assert denied_in(status["reason"], action)
        assert place.aws.client("eks").list_addons(clusterName=place.name)["addons"] == []
    assert begun(place.upload(place.policy(DEFAULT), "Applied")) == ["create"]


@pytest.mark.parametrize(
    ("sid", "action"),
    [("ReadEks", "eks:DescribeCluster"), ("ReadAddonVersions", "eks:DescribeAddonVersions")],
)
def test_apply_that_cannot_check_what_comes_before_an_installation_waits_and_installs_when_it_can(
    deployment: Deployment, roles: Roles, place: Place, sid: str, action: str
) -> None:
    uninstall(place)
    with roles.without(APPLY, sid, action):
        status = place.upload(place.policy(DEFAULT))
        assert status["verdict"] == "Waiting"
        assert "the preflight does not pass" in status["reason"]
        assert denied_in(status["reason"], action)
        assert place.aws.client("eks").list_addons(clusterName=place.name)["addons"] == []
    deployment.resync()
    assert begun(deployment.wait(place.key, verdict="Applied")) == ["create"]


def test_apply_without_describing_the_eks_cluster_makes_no_quota_as_sagemaker_asks_for_it_too(
    roles: Roles, place: Place
) -> None:
    with roles.without(APPLY, "ReadEks", "eks:DescribeCluster"):
        status = place.upload(place.policy())
        assert status["verdict"] == "Failed"
        assert denied_in(status["reason"], "eks:DescribeCluster")
        assert any(denied_in(warning, "eks:DescribeCluster") for warning in status["run"]["warnings"])
    assert place.upload(place.policy())["run"].get("warnings", []) == []


def test_apply_without_reading_updates_says_that_one_failed_and_not_why(roles: Roles, place: Place) -> None:
    fail_update(place)
    with roles.without(APPLY, "ReadEks", "eks:DescribeUpdate"):
        status = place.upload(place.policy(EXPLICIT))
        assert status["verdict"] == "Waiting"
        assert "UPDATE_FAILED" in status["reason"]
        assert "its errors cannot be read" in status["reason"]
        assert denied_in(status["reason"], "eks:DescribeUpdate")


# ── verify_addon ────────────────────────────────────────────────────────────────────────────────────────────────────
def test_verify_without_looking_says_that_nobody_could(deployment: Deployment, roles: Roles, place: Place) -> None:
    place.upload(place.policy(), "Applied")
    with roles.without(VERIFY, "ReadAddon", "eks:DescribeAddon"):
        assert place.name in deployment.verify_addons()["unseen"]
        assert seen(place)["healthy"] is None
        assert denied_in(seen(place)["summary"], "eks:DescribeAddon")
    assert place.name not in deployment.verify_addons()["unseen"]
    assert seen(place)["healthy"] is True


def test_verify_without_putting_events_has_written_it_down_and_tells_it_when_it_may(
    deployment: Deployment, roles: Roles, place: Place
) -> None:
    place.upload(place.policy(), "Applied")
    with roles.without(VERIFY, "TellEvents", "events:PutEvents"):
        assert place.arn.rpartition("/")[2] in deployment.verify_addons()["failed"]
        lines = wait_for(lambda: roles.lines(VERIFY, "verify:", place.arn.rpartition("/")[2]), 15)
        assert any(denied_in(line, "events:PutEvents") for line in lines)
        assert seen(place)["healthy"] is True
    assert place.name in deployment.verify_addons()["changed"]


def test_verify_without_sending_messages_cannot_ask_the_writer(
    deployment: Deployment, roles: Roles, place: Place
) -> None:
    place.upload(place.policy(DEFAULT), "Applied")
    uninstall(place)
    with roles.without(VERIFY, "AskForRuns", "sqs:SendMessage"):
        assert place.arn.rpartition("/")[2] in deployment.verify_addons()["failed"]
        assert seen(place)["installed"] is False
    assert place.name in deployment.verify_addons()["asked"]
