"""How an add-on looks on the screen: the verdict first, every reason with its remedy, nothing that is markup."""

from datetime import UTC, datetime

import pytest

from governor.addon.report import report_of
from governor.addon.seen import Addon, Issue
from governor.cli.screen import make_console
from governor.cli.show_addon import show_addon
from governor.errors import ForbiddenError
from governor.records.documents import AddonSeen
from tests.support.addons import DEFAULT, NEWEST, OLD, OLDEST, FakeEks, crds
from tests.unit.addon.test_preflight import fresh, look

AT = datetime(2026, 11, 24, 9, 12, tzinfo=UTC)


def shown(eks: FakeEks, capsys: pytest.CaptureFixture[str], last: AddonSeen | None = None, unread: str = "") -> str:
    show_addon(make_console(), report_of(look(eks), "default", "ml"), last, unread)
    return capsys.readouterr().out


def test_a_healthy_one(capsys: pytest.CaptureFixture[str]) -> None:
    report = report_of(look(FakeEks()), "default", "ml")
    last = AddonSeen(at=AT, since=AT.replace(hour=7), state="ACTIVE healthy", report=report)
    text = shown(FakeEks(), capsys, last)
    lines = text.splitlines()
    assert lines[0] == "The add-on of ml (EKS cluster ml-eks, Kubernetes 1.33)"
    assert lines[2].startswith("✓ healthy: the add-on")
    assert "→" not in text
    assert f"{DEFAULT} (Kueue 0.19.2)" in text
    assert f"{NEWEST}, one plain update away" in text
    assert lines[-1] == "verify_addon saw at 2026-11-24 09:12 UTC, unchanged since 2026-11-24 07:12 UTC: ACTIVE healthy"


def test_a_broken_one_says_what_each_issue_means_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    issues = (
        Issue("ConfigurationConflict", "a [red]conflict[/red]\x1b[31m", ("deployments.apps x",)),
        Issue("", "odd"),
    )
    text = shown(FakeEks(installed=Addon(OLD, "DEGRADED", issues)), capsys)
    assert "✗ not healthy" in text
    assert "✗ ConfigurationConflict: a [red]conflict[/red]\\x1b[31m (deployments.apps x)" in text
    assert "✗ error: odd" in text
    assert "it means that objects in the cluster have fields that somebody else manages" in text
    assert "→ remove the other Kueue" in text
    assert "\x1b" not in text


def test_what_stands_in_the_way_is_marked_and_has_a_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    eks = fresh()
    eks.mode = "CONFIG_MAP"
    eks.kubernetes.nodes_ = ForbiddenError("may not list nodes", "list", "nodes")
    text = shown(eks, capsys)
    assert "✗ not healthy: the add-on is not installed on ml-eks" in text
    assert "  ✗ authentication mode  CONFIG_MAP" in text
    assert "→ aws eks update-cluster-config --name ml-eks" in text
    assert "  ? nodes ready          could not look: may not list nodes" in text


def test_an_update_that_is_no_plain_one_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    eks = FakeEks(installed=Addon(OLDEST, "ACTIVE"))
    eks.kubernetes.crds_ = crds("v1alpha1")
    text = shown(eks, capsys)
    assert f"{NEWEST}, not one plain update away: from {OLDEST}" in text
    assert "→ upgrade in the console" in text


def test_a_deployment_that_cannot_be_read_is_no_reason_to_show_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(FakeEks(), capsys, unread="no stack\nhyperpod-governor")
    assert "✓ healthy" in text
    assert text.splitlines()[-1] == "What the deployment knows could not be read: no stack\\nhyperpod-governor"
