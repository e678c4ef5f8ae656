"""The writer does nothing to quotas before the add-on is ready."""

import msgspec
import pytest

from governor.addon.seen import Addon, Controller
from governor.apply.addon_change import GateSettings
from governor.errors import AccessError, ForbiddenError, PermanentError, TransientError, UnreachableError
from governor.records.names import cluster_id
from governor.records.queue import look_at_addon
from tests.support.addons import DEFAULT, OLD, READY, STARTING
from tests.support.desk import Desk
from tests.support.waiting import INSTALL, asking, quotas, ready_later, waits
from tests.support.world import World, two_teams

FORBIDDEN = ForbiddenError("may not get deployments; run governor connect", "get", "deployments")


@pytest.mark.parametrize("status", ["CREATING", "UPDATING", "DELETING", "DEGRADED", "CREATE_FAILED", "UPDATE_FAILED"])
def test_nothing_is_done_while_eks_does_not_say_active(status: str) -> None:
    desk = Desk()
    desk.eks.installed = Addon(DEFAULT, status)
    desk.eks.left = 1000
    reason = waits(desk, desk.applied())
    assert f"{DEFAULT} is {status}" in reason
    desk.eks.installed = Addon(DEFAULT, "ACTIVE")
    assert ready_later(desk).verdict == "Applied"


@pytest.mark.parametrize(
    ("controllers", "webhook", "words"),
    [
        ((STARTING,), 1, "kueue-controller-manager is not available (0 of 1): starting"),
        ((READY,), 0, "kueue-webhook-service has no ready endpoint"),
        ((), 1, "the deployment kueue-controller-manager is not in kueue-system"),
    ],
)
@pytest.mark.parametrize("checks", ["WhenReachable", "Required"])
def test_nothing_is_done_while_kubernetes_answers_that_it_is_not_ready(
    controllers: tuple[Controller, ...], webhook: int, words: str, checks: str
) -> None:
    desk = Desk()
    desk.gate_settings = msgspec.convert({"kubernetes_checks": checks}, GateSettings)
    desk.eks.kubernetes.controllers_, desk.eks.kubernetes.webhook_ = controllers, webhook
    assert words in waits(desk, desk.applied())
    desk.eks.kubernetes.controllers_, desk.eks.kubernetes.webhook_ = (READY,), 1
    assert ready_later(desk).verdict == "Applied"


@pytest.mark.parametrize("error", [FORBIDDEN, UnreachableError("it hangs")])
def test_kubernetes_that_cannot_be_asked_is_a_warning_or_a_reason_to_wait(error: PermanentError) -> None:
    desk = Desk()
    desk.eks.kubernetes.fail(error)
    status = desk.applied()
    assert (status.verdict, quotas(desk)) == ("Applied", 2)
    assert status.run is not None
    (warning,) = status.run.warnings
    assert str(error) in warning
    assert warning.split(":")[0] in desk.records.text(f"status/{status.key}.md")

    strict = Desk()
    strict.gate_settings = GateSettings(kubernetes_checks="Required")
    strict.eks.kubernetes.fail(error)
    reason = waits(strict, strict.applied())
    assert "KubernetesChecks=Required" in reason
    assert str(error) in reason


def test_an_empty_plan_asks_kubernetes_nothing() -> None:
    desk = Desk()
    desk.applied()
    desk.eks.kubernetes.asked.clear()
    desk.policies.upload("policies/ml-research.yaml", two_teams(), {})
    desk.receive()
    desk.work()
    assert desk.status().verdict == "Unchanged"
    assert desk.eks.kubernetes.asked == []


def test_eks_that_may_not_be_asked_fails_the_run_with_the_permission() -> None:
    desk = Desk()
    desk.eks.error = AccessError("DescribeAddon: AccessDenied; allow eks:DescribeAddon to the caller's role")
    status = desk.applied()
    assert (status.verdict, quotas(desk)) == ("Failed", 0)
    assert "eks:DescribeAddon" in status.reason


def test_eks_that_throttles_is_asked_again() -> None:
    desk = Desk()
    desk.eks.error = TransientError("DescribeAddon: ThrottlingException", 5)
    desk.drop(two_teams())
    desk.work(most=1)
    assert quotas(desk) == 0
    desk.eks.error = None
    assert ready_later(desk).verdict == "Applied"


def test_what_somebody_else_installs_comes_to_its_end_before_the_file_is_asked() -> None:
    desk = Desk()
    desk.gate_settings = INSTALL
    desk.eks.installed, desk.eks.left = Addon(OLD, "CREATING"), 2
    assert desk.applied(asking(DEFAULT)).verdict == "Applied"
    assert desk.eks.writes == [("update", "ml-research", DEFAULT, "NONE")]


def test_a_bad_answer_counts_although_another_one_is_forbidden() -> None:
    desk = Desk()
    desk.eks.kubernetes.controllers_ = FORBIDDEN
    desk.eks.kubernetes.webhook_ = 0
    assert "kueue-webhook-service has no ready endpoint" in waits(desk, desk.applied())


def test_a_run_of_the_resync_does_not_wait_through_its_slice() -> None:
    desk = Desk()
    desk.eks.installed, desk.eks.left = Addon(DEFAULT, "UPDATING"), 1000
    desk.applied()
    before = desk.world.clock.monotonic()
    ready_later(desk)
    assert desk.world.clock.monotonic() - before < 60


def test_a_warning_of_an_earlier_slice_is_told_with_the_last_one() -> None:
    desk = Desk(World(transition_seconds=100))
    desk.eks.kubernetes.fail(FORBIDDEN)
    desk.drop(two_teams())
    desk.work(seconds=30)
    status = desk.status()
    assert status.verdict == "Applied"
    assert status.run is not None
    assert status.run.slices > 1
    assert len(status.run.warnings) == 1


def test_the_same_trouble_after_it_was_mended_is_news() -> None:
    desk = Desk()
    desk.eks.installed = Addon(DEFAULT, "DEGRADED")
    waits(desk, desk.applied())
    desk.eks.installed = Addon(DEFAULT, "ACTIVE")
    assert ready_later(desk).verdict == "Applied"
    desk.eks.installed = Addon(DEFAULT, "DEGRADED")
    look_at_addon(desk.queue, desk.force(), desk.now())
    desk.work()
    assert desk.status().verdict == "Waiting"
    assert len(desk.told.notifications) == 2


def test_a_file_that_was_deleted_waits_for_the_addon_too() -> None:
    desk = Desk()
    text = two_teams().replace("version: 1", "version: 1\nonDelete: Remove")
    desk.applied(text)
    desk.eks.installed = Addon(DEFAULT, "DEGRADED")
    desk.remove()
    desk.now.advance(minutes=11)
    desk.resync()
    desk.work()
    held = desk.status()
    assert held.verdict == "Held"  # the plan first: whoever approves sees what it is about
    assert held.run is not None
    approval = f'{{"fingerprint": "{held.run.fingerprint}"}}'
    desk.policies.upload(f"approvals/{cluster_id(desk.world.arn)}.json", approval)
    desk.resync()
    desk.work()
    status = desk.status()
    assert (status.verdict, quotas(desk)) == ("Waiting", 2)
    assert "the file was deleted (onDelete: Remove), but the add-on" in status.reason
    desk.eks.installed = None
    assert "delete them by hand" in ready_later(desk).reason
    desk.eks.installed = Addon(DEFAULT, "ACTIVE")
    assert (ready_later(desk).verdict, quotas(desk)) == ("Released", 0)


def test_a_file_that_was_deleted_is_released_without_the_addon_once_somebody_has_deleted_its_quotas() -> None:
    desk = Desk()
    desk.applied(two_teams().replace("version: 1", "version: 1\nonDelete: Remove"))
    desk.eks.installed = None
    desk.remove()
    for quota in desk.world.api.quotas.list(desk.world.arn):
        desk.world.api.quotas.delete(quota.id)
    desk.world.clock.sleep(60)
    desk.now.advance(minutes=11)
    desk.resync()
    desk.work()
    assert desk.status().verdict == "Released"
