"""The add-on is installed where both want it and every check passes, and never for ever."""

from governor.addon.seen import Addon, Controller, Issue, Offered
from governor.apply.addon_change import GateSettings
from governor.errors import PermanentError, TransientError, UnreachableError
from governor.records.addons import MOST_INSTALLATIONS
from governor.records.documents import AddonChange
from governor.records.names import addon_change_key, cluster_id
from tests.support.addons import DEFAULT, NEWEST
from tests.support.waiting import INSTALL, asking, fresh, quotas, ready_later, waits
from tests.support.world import two_teams


def test_a_fresh_cluster_gets_the_addon_and_then_its_quotas_in_one_run() -> None:
    desk = fresh()
    status = desk.applied(asking())
    assert status.verdict == "Applied"
    assert desk.eks.writes == [("create", "ml-research", DEFAULT, "NONE")]
    assert desk.eks.tags == INSTALL.tags
    assert quotas(desk) == 2
    assert status.run is not None
    first = status.run.steps[0]
    assert (first.title, first.action, first.state, first.changes[0].after) == ("add-on", "create", "done", DEFAULT)


def test_a_controller_that_was_just_installed_has_time_to_start() -> None:
    desk = fresh()
    desk.eks.kubernetes.starting = 5
    status = desk.applied(asking())
    assert (status.verdict, quotas(desk)) == ("Applied", 2)
    assert desk.eks.kubernetes.starting == 0


def test_a_controller_that_never_starts_is_not_waited_for_through_the_slice() -> None:
    desk = fresh()
    desk.eks.kubernetes.starting = 10_000
    before = desk.world.clock.monotonic()
    assert "starting" in waits(desk, desk.applied(asking()))
    assert desk.world.clock.monotonic() - before < 150
    again = desk.world.clock.monotonic()
    assert "starting" in waits(desk, ready_later(desk))  # it was ready once for all we know: no more waiting
    assert desk.world.clock.monotonic() - again < 10


def test_an_explicit_version_is_installed_as_it_is() -> None:
    desk = fresh()
    assert desk.applied(asking(NEWEST)).verdict == "Applied"
    assert desk.eks.writes == [("create", "ml-research", NEWEST, "NONE")]


def test_without_the_owner_of_the_stack_nothing_is_installed() -> None:
    desk = fresh(GateSettings())
    reason = waits(desk, desk.applied(asking()))
    assert "AddonInstall=VerifyOnly" in reason
    assert "aws eks create-addon --cluster-name ml-research" in reason
    assert desk.eks.writes == []


def test_without_the_author_of_the_policy_nothing_is_installed() -> None:
    desk = fresh()
    reason = waits(desk, desk.applied(two_teams()))
    assert "addon: {version: default}" in reason
    assert desk.eks.writes == []


def test_what_the_preflight_finds_stands_in_the_verdict_and_nothing_is_touched() -> None:
    desk = fresh()
    desk.eks.kubernetes.controllers_ = (Controller("batch", ready=True, desired=1, available=1),)
    desk.eks.mode = "CONFIG_MAP"
    reason = waits(desk, desk.applied(asking()))
    assert "deployment kueue-controller-manager in namespace batch" in reason
    assert "authentication mode: CONFIG_MAP" in reason
    assert desk.eks.writes == []
    desk.eks.kubernetes.without_kueue()
    desk.eks.mode = "API"
    assert ready_later(desk).verdict == "Applied"


def test_a_check_that_nobody_can_make_is_no_pass() -> None:
    desk = fresh()
    desk.eks.kubernetes.fail(UnreachableError("the endpoint is private"))
    reason = waits(desk, desk.applied(asking()))
    assert "could not look: the endpoint is private" in reason
    assert desk.eks.writes == []


def test_an_installation_that_takes_long_waits_no_longer_than_its_slice_and_goes_on_with_the_resync() -> None:
    desk = fresh()
    desk.eks.looks = 100
    desk.drop(asking())
    began = desk.world.clock.monotonic()
    desk.work(seconds=60)
    assert desk.world.clock.monotonic() - began < 75
    assert "CREATING" in waits(desk, desk.status())
    desk.eks.looks = desk.eks.left = 0
    status = ready_later(desk)
    assert (status.verdict, quotas(desk)) == ("Applied", 2)
    assert len(desk.eks.writes) == 1


def test_an_installation_that_fails_is_explained_and_not_tried_again() -> None:
    desk = fresh()
    desk.eks.ends_in = "CREATE_FAILED"
    desk.eks.issues = (Issue("ConfigurationConflict", "conflicts found", ("deployments.apps x",)),)
    reason = waits(desk, desk.applied(asking()))
    assert "CREATE_FAILED" in reason
    assert "ConfigurationConflict: conflicts found (deployments.apps x)" in reason
    assert "another Kueue" in reason
    assert "then delete the add-on" in reason
    assert "update-addon" not in reason
    ready_later(desk)
    assert len(desk.eks.writes) == 1
    desk.eks.installed, desk.eks.ends_in = None, "ACTIVE"  # somebody deleted it, as the reason says
    assert ready_later(desk).verdict == "Applied"


def test_a_creation_that_eks_refuses_fails_the_run_and_is_not_repeated() -> None:
    desk = fresh()
    desk.eks.refusal = PermanentError("CreateAddon: InvalidParameterException")
    status = desk.applied(asking())
    assert (status.verdict, quotas(desk)) == ("Failed", 0)
    ready_later(desk)
    assert len(desk.eks.writes) == 1


def test_a_creation_that_is_throttled_comes_again() -> None:
    desk = fresh()
    desk.eks.refusal = TransientError("throttled", 5)
    desk.drop(asking())
    desk.work()
    assert len(desk.eks.writes) == desk.max_receives
    desk.eks.refusal = None
    assert ready_later(desk).verdict == "Applied"


def test_people_are_told_once_of_what_lasts() -> None:
    desk = fresh()
    numbers = iter(range(100))

    def refused(version: str) -> tuple[Offered, ...]:
        raise PermanentError(f"DescribeAddonVersions: odd (request 5f3c-{next(numbers)})")

    desk.eks.offered = refused  # type: ignore[assignment,method-assign]
    waits(desk, desk.applied(asking()))
    for _ in range(3):
        waits(desk, ready_later(desk))
    assert len(desk.told.notifications) == 1


def test_an_eks_cluster_that_is_gone_is_not_taken_for_one_without_the_addon() -> None:
    desk = fresh(GateSettings())
    desk.eks.exists = False
    assert "the EKS cluster ml-research below ml-research does not exist" in waits(desk, desk.applied(asking()))


def test_what_was_begun_is_written_down() -> None:
    desk = fresh()
    desk.applied(asking())
    kept = desk.documents.load(addon_change_key(cluster_id(desk.world.arn)), AddonChange)
    assert kept is not None
    change = kept.document
    assert (change.action, change.version, change.begun, change.tries) == ("install", DEFAULT, True, 1)
    assert change.origin.version == desk.force().origin.version


def test_an_installation_that_vanishes_again_and_again_is_left_to_somebody() -> None:
    desk = fresh()
    create = desk.eks.create

    def gone(*arguments: object) -> None:
        create(*arguments)  # type: ignore[arg-type]
        desk.eks.installed = None

    desk.eks.create = gone  # type: ignore[assignment,method-assign]
    desk.drop(asking())
    desk.work()
    for _ in range(6):
        waits(desk, ready_later(desk))
    assert len(desk.eks.writes) == MOST_INSTALLATIONS


def test_another_trouble_is_news() -> None:
    desk = fresh()
    desk.eks.kubernetes.controllers_ = (Controller("batch1", ready=True, desired=1, available=1),)
    waits(desk, desk.applied(asking()))
    desk.eks.kubernetes.controllers_ = (Controller("ml2", ready=True, desired=1, available=1),)
    waits(desk, ready_later(desk))
    assert len(desk.told.notifications) == 2


def test_somebody_else_who_installs_at_the_same_moment_is_no_error() -> None:
    desk = fresh()
    create = desk.eks.create

    def sooner(*arguments: object) -> None:
        desk.eks.installed = Addon(DEFAULT, "CREATING")
        create(*arguments)  # type: ignore[arg-type]

    desk.eks.create = sooner  # type: ignore[assignment,method-assign]
    assert desk.applied(asking()).verdict == "Applied"
