"""governor doctor: whether the functions are let into the Kubernetes APIs of the governed clusters."""

from datetime import timedelta
from typing import Any

import pytest

from governor.addon.report import Report, report_of
from governor.aws.kubernetes.access import AccessEntries
from governor.aws.kubernetes.answers import GROUP
from governor.aws.stack import Resource
from governor.cli import connect
from governor.cli.checks_kubernetes import kubernetes_checks
from governor.cli.checkup import Finding, Patient, examine
from governor.errors import ForbiddenError
from governor.records.documents import AddonSeen
from tests.support.access_entries import Eks
from tests.support.addons import FakeEks
from tests.unit.addon.test_preflight import look
from tests.unit.cli.test_cli_doctor import Healthy

VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSAdminViewPolicy"
RESOURCES = tuple(Resource(name, "AWS::IAM::Role", f"stack-{name}") for name in connect.READERS)


@pytest.fixture
def eks() -> Eks:
    return Eks()


def looked(eks: Eks, /, **changes: Any) -> list[Finding]:
    healthy = Healthy(**{"resources": RESOURCES, "eks": "eks-research", **changes})
    patient: Patient = healthy.patient()
    access, _ = kubernetes_checks(AccessEntries(eks))
    return list(examine(patient, (access,)))


def principals() -> list[str]:
    """The ARNs of the roles as the doctor makes them."""
    healthy = Healthy(resources=RESOURCES)
    return connect.reader_arns({each.logical: each for each in RESOURCES}, healthy.who.arn)


def enter(eks: Eks, **entry: Any) -> None:
    for principal in principals():
        eks.entries[principal] = {"type": "STANDARD", "kubernetesGroups": [GROUP], **entry}


def test_the_doctor_finds_all_well(eks: Eks) -> None:
    enter(eks)
    found = looked(eks)
    assert [each.level for each in found] == ["ok"] * len(connect.READERS)
    assert {each.about for each in found} == {"Kubernetes access: ml-research"}


def test_the_doctor_misses_an_entry_and_says_how_to_make_it(eks: Eks) -> None:
    first, *others = looked(eks)
    assert {each.level for each in (first, *others)} == {"problem"}
    assert "has no access entry for stack-VerifyAddonRole" in first.text
    assert first.remedy == f"governor connect eks-research --make --role {principals()[0]}"


def test_the_doctor_misses_the_group(eks: Eks) -> None:
    enter(eks, kubernetesGroups=["auditors"])
    assert {(each.level, each.text.partition(" on ")[2]) for each in looked(eks)} == {
        ("problem", f"EKS cluster eks-research lacks the group {GROUP}")
    }


@pytest.mark.parametrize(("scope", "level"), [("cluster", "warning"), ("namespace", "problem")])
def test_the_doctor_minds_that_secrets_are_read(eks: Eks, scope: str, level: str) -> None:
    enter(eks, kubernetesGroups=[])
    eks.policies = {each: [{"policyArn": VIEW, "accessScope": {"type": scope}}] for each in principals()}
    found = looked(eks)
    assert {each.level for each in found} == {level}
    assert all("Secrets" in each.text for each in found) == (level == "warning")


def test_the_doctor_sees_that_there_are_no_access_entries(eks: Eks) -> None:
    eks.mode = "CONFIG_MAP"
    (found,) = looked(eks)
    assert (found.level, found.remedy) == (
        "problem",
        "aws eks update-cluster-config --name eks-research --access-config authenticationMode=API_AND_CONFIG_MAP",
    )


@pytest.mark.parametrize("operation", ["DescribeCluster", "DescribeAccessEntry", "ListAssociatedAccessPolicies"])
def test_the_doctor_says_what_it_may_not_see(eks: Eks, operation: str) -> None:
    enter(eks, kubernetesGroups=[])
    eks.denied = operation
    (found,) = looked(eks)
    assert (found.level, found.permission) == ("could not look", f"eks:{operation}")


@pytest.mark.parametrize(
    ("changes", "level", "text"),
    [
        ({"eks": "gone"}, "problem", "EKS cluster gone does not exist"),
        ({"resources": ()}, "warning", f"the stack has no {' and no '.join(connect.READERS)}"),
        (
            {"refused": {"eks_cluster": "sagemaker:DescribeCluster"}},
            "could not look",
            "takes sagemaker:DescribeCluster",
        ),
    ],
)
def test_the_doctor_looks_as_far_as_it_can(eks: Eks, changes: dict[str, Any], level: str, text: str) -> None:
    (found,) = looked(eks, **changes)
    assert (found.level, found.text) == (level, text)


@pytest.mark.parametrize("changes", [{"eks": ""}, {"clusters": ()}])
def test_the_doctor_does_not_say_twice_what_other_checks_say(eks: Eks, changes: dict[str, Any]) -> None:
    assert looked(eks, **changes) == []


def _written(report: Report, patient: Patient) -> list[Finding]:
    assert patient.buckets is not None
    at = patient.now - timedelta(minutes=10)
    seen = AddonSeen(at=at, since=at, state="x", report=report)
    patient.buckets.records.write("clusters/0123456789ab/addon.json", seen, None)
    _, reads = kubernetes_checks(AccessEntries(Eks()))
    return list(examine(patient, (reads,)))


def test_what_verify_addon_could_read_last_shows_whether_the_role_is_in_the_cluster() -> None:
    (found,) = _written(report_of(look(FakeEks())), Healthy().patient())
    assert (found.level, found.about) == ("ok", "Kubernetes reads: ml")
    fake = FakeEks()
    fake.kubernetes.fail(ForbiddenError("may not list nodes (403)", "list", "nodes"))
    (found,) = _written(report_of(look(fake)), Healthy().patient())
    assert found.level == "problem"
    assert "may not list nodes (403)" in found.text
    assert found.remedy.startswith("governor connect ml-eks, apply what it prints")


def test_what_is_wrong_with_the_addon_is_no_matter_of_reading() -> None:
    fake = FakeEks(installed=None)
    fake.kubernetes.fail(ForbiddenError("may not list nodes (403)", "list", "nodes"))
    (found,) = _written(report_of(look(fake)), Healthy().patient())  # not installed, and not healthy, says EKS alone
    assert found.level == "problem"
    fake = FakeEks()
    fake.kubernetes.webhook_ = 0
    (found,) = _written(report_of(look(fake)), Healthy().patient())
    assert found.level == "ok"
