"""What is told of an add-on: the truth in each of its states."""

import botocore.session
import pytest

from governor.addon.issues import CODES, MOVING, STATUSES
from governor.addon.report import Report, report_of
from governor.addon.seen import Addon, Controller, Issue
from governor.addon.versions import kueue_of, version_of
from governor.errors import ForbiddenError, TransientError
from tests.support.addons import DEFAULT, NEWEST, OLD, OLDEST, STARTING, VERSIONS, FakeEks, crds
from tests.unit.addon.test_preflight import SLURM, fresh, look


def told(eks: FakeEks, wanted: str = "") -> Report:
    return report_of(look(eks), wanted, "ml")


def test_the_codes_and_the_statuses_are_those_of_the_service() -> None:
    model = botocore.session.get_session().get_service_model("eks")
    assert set(model.shape_for("AddonIssueCode").metadata["enum"]) == set(CODES)
    assert set(model.shape_for("AddonStatus").metadata["enum"]) == set(STATUSES)
    assert set(STATUSES) > MOVING
    assert all(meaning.means and meaning.remedy for meaning in CODES.values())
    assert [name for name, meaning in STATUSES.items() if not meaning.remedy] == ["ACTIVE"]


def test_a_healthy_one() -> None:
    report = told(FakeEks())
    assert (report.installed, report.healthy, report.remedy) == (True, True, "")
    assert (report.status, report.version, report.kueue_version) == ("ACTIVE", DEFAULT, "0.19.2")
    assert (report.kubernetes_version, report.eks_cluster) == ("1.33", "ml-eks")
    assert (report.default_version, report.newest_version) == (DEFAULT, NEWEST)
    assert report.upgrade is not None
    assert report.upgrade.verdict == "pass"
    assert (report.controller, report.webhook) == ("1 of 1 available", "1 ready")
    assert {check.verdict for check in report.checks} == {"pass"}


def test_a_missing_one_says_how_to_install_it() -> None:
    report = told(fresh())
    assert (report.installed, report.healthy) == (False, False)
    assert "aws eks create-addon" in report.remedy
    assert "--cluster-name ml-eks" in report.remedy
    assert (report.upgrade, report.controller, report.webhook) == (None, "", "")


@pytest.mark.parametrize("status", sorted(set(STATUSES) - {"ACTIVE"}))
def test_every_other_status_is_not_healthy_and_says_what_to_do(status: str) -> None:
    report = told(FakeEks(installed=Addon(DEFAULT, status), left=10))
    assert (report.installed, report.healthy, report.status) == (True, False, status)
    assert f"is {status}: it {STATUSES[status].means}" in report.summary
    assert report.remedy.startswith(STATUSES[status].remedy)
    assert ("aws eks " in report.remedy) == status.endswith("_FAILED")
    assert "aws eks" not in report.remedy or "--cluster-name ml-eks" in report.remedy


@pytest.mark.parametrize("code", sorted(CODES))
@pytest.mark.parametrize("status", ["DEGRADED", "ACTIVE"])
def test_every_code_is_explained(code: str, status: str) -> None:
    report = told(FakeEks(installed=Addon(DEFAULT, status, (Issue(code, "what EKS says", ("a", "b")),))))
    assert report.healthy is False
    (issue,) = report.issues
    assert (issue.code, issue.message, issue.resources) == (code, "what EKS says", ("a", "b"))
    assert (issue.means, issue.remedy) == (CODES[code].means, CODES[code].remedy)
    assert code in report.summary
    assert code in report.state


def test_a_code_of_tomorrow_is_shown_as_it_is() -> None:
    report = told(FakeEks(installed=Addon(DEFAULT, "DEGRADED", (Issue("Tomorrow", "news"),))))
    assert (report.issues[0].code, report.issues[0].means) == ("Tomorrow", "")
    assert (report.issues[0].message, "Tomorrow" in report.summary) == ("news", True)


def test_errors_of_an_update_are_told_with_the_issues_and_none_twice() -> None:
    one, other = Issue("ConfigurationConflict", "x"), Issue("Unknown", "storedVersions")
    report = told(FakeEks(installed=Addon(DEFAULT, "UPDATE_FAILED", (one,), (one, other))))
    assert [issue.code for issue in report.issues] == ["ConfigurationConflict", "Unknown"]
    assert "(ConfigurationConflict, Unknown)" in report.summary
    assert report.issues[1].message == "storedVersions"


@pytest.mark.parametrize(
    ("controllers", "webhook", "words"),
    [
        ((STARTING,), 1, "not available (0 of 1): starting"),
        ((), 1, "not in kueue-system"),
        ((Controller("batch", ready=True, desired=1, available=1),), 1, "not in kueue-system"),
        (None, 0, "no ready endpoint"),
    ],
)
def test_active_is_not_enough(controllers: tuple[Controller, ...] | None, webhook: int, words: str) -> None:
    eks = FakeEks()
    eks.kubernetes.webhook_ = webhook
    if controllers is not None:
        eks.kubernetes.controllers_ = controllers
    report = told(eks)
    assert report.healthy is False
    assert words in report.summary
    assert "kubectl" in report.remedy


def test_what_cannot_be_seen_is_neither_healthy_nor_not() -> None:
    eks = FakeEks()
    eks.kubernetes.fail(ForbiddenError("may not get deployments", "get", "deployments"))
    report = told(eks)
    assert (report.installed, report.healthy) == (True, None)
    assert "ACTIVE, says EKS; could not look inside: may not get deployments" in report.summary
    assert (report.controller, report.webhook) == ("not seen", "not seen")

    eks.error = TransientError("DescribeAddon: throttled")
    report = told(eks)
    assert (report.installed, report.healthy) == (None, None)
    assert "throttled" in report.summary
    assert report.state == "unknown not seen"


def test_a_slurm_cluster_and_one_that_does_not_exist() -> None:
    report = report_of(look(FakeEks(), SLURM), "", "ml")
    assert (report.installed, report.healthy) == (False, False)
    assert "Slurm" in report.summary
    report = report_of(look(FakeEks(), None), "", "mll")
    assert (report.cluster, report.installed, report.healthy) == ("mll", False, False)
    assert "does not exist" in report.summary


def test_the_newest_version_may_not_be_one_update_away() -> None:
    eks = FakeEks(installed=Addon(OLDEST, "ACTIVE"))
    eks.kubernetes.crds_ = crds("v1alpha1")
    report = told(eks)
    assert report.upgrade is not None
    assert report.upgrade.verdict == "fail"
    assert "cohorts.kueue.x-k8s.io" in report.upgrade.reason
    assert report.drifted


def test_the_checks_are_those_of_what_the_policy_asks_for() -> None:
    eks = FakeEks(installed=Addon(OLDEST, "ACTIVE"))
    named = {check.name: check for check in told(eks, DEFAULT).checks}
    assert named["upgrade path"].verdict == "fail"
    named = {check.name: check for check in told(eks, "default").checks}
    assert named["upgrade path"].reason == f"{OLDEST} is installed"
    named = {check.name: check for check in told(fresh(), OLD).checks}
    assert named["add-on version"].reason == f"{OLD} is offered for Kubernetes 1.33"


def test_versions_are_compared_as_numbers() -> None:
    ordered = ["v1.3.2-eksbuild.1", "v1.3.10-eksbuild.1", "v1.10.0-eksbuild.2", "v1.10.0-eksbuild.11"]
    assert sorted(ordered, key=lambda each: version_of(each) or ordered) == ordered
    assert [str(version_of(each)) for each in ordered] == ordered
    assert version_of("v1.6") is None
    assert version_of("v1.6.1-eksbuild.1\n") is None


def test_kueue_of_every_documented_version_and_of_no_other() -> None:
    assert [kueue_of(each) for each in VERSIONS] == ["0.19.2", "0.19.2", "0.19.2", "0.18.0", "0.14.0", "0.12.0"]
    assert kueue_of("v9.9.9-eksbuild.1") == ""
    assert kueue_of("nonsense") == ""
