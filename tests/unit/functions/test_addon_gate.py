"""The writer does nothing to quotas before the add-on is ready, and changes the add-on only where both want it."""

import msgspec
import pytest

from governor.addon.seen import Addon, Controller, Crd, Issue, Node, Offered
from governor.apply.addon_change import GateSettings
from governor.errors import AccessError, ConflictError, ForbiddenError, PermanentError, TransientError, UnreachableError
from governor.records.addons import MOST_CALLS, MOST_INSTALLATIONS
from governor.records.documents import AddonChange, Status
from governor.records.names import addon_change_key, cluster_id
from governor.records.queue import look_at_addon
from tests.support.addons import DEFAULT, NEWEST, OLD, OLDEST, READY, STARTING, crds
from tests.support.desk import Desk
from tests.support.world import World, two_teams

INSTALL = GateSettings(may_change=True, tags={"Application": "HyperPodGovernor"})
FORBIDDEN = ForbiddenError("may not get deployments; run governor connect", "get", "deployments")


def asking(version: str = "default") -> str:
    """The teams, and the add-on in a version."""
    return two_teams(cluster_policy=f"addon: {{version: {version}}}")


def fresh(settings: GateSettings = INSTALL) -> Desk:
    """A cluster without the add-on."""
    desk = Desk()
    desk.gate_settings = settings
    desk.eks.installed = None
    desk.eks.kubernetes.without_kueue()
    return desk


def quotas(desk: Desk) -> int:
    return len(desk.world.api.quotas.list(desk.world.arn))


def waits(desk: Desk, status: Status) -> str:
    """The reason of a file that waits, with nothing done to quotas."""
    assert (status.verdict, quotas(desk)) == ("Waiting", 0)
    assert status.run is not None
    assert status.run.resting
    assert not desk.queue.messages
    return status.reason


def ready_later(desk: Desk) -> Status:
    """The pass of five minutes later, and the work that comes of it."""
    desk.now.advance(minutes=6)
    desk.resync()
    desk.work()
    return desk.status()


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


def test_default_never_updates() -> None:
    desk = Desk()
    desk.gate_settings = INSTALL
    desk.eks.installed = Addon(OLD, "ACTIVE")
    assert desk.applied(asking()).verdict == "Applied"
    assert desk.eks.writes == []


def test_an_explicit_version_updates_before_the_quotas_are_touched() -> None:
    desk = Desk()
    desk.gate_settings = msgspec.structs.replace(INSTALL, resolve_conflicts="OVERWRITE")
    desk.eks.installed = Addon(OLD, "ACTIVE")
    status = desk.applied(asking(DEFAULT))
    assert status.verdict == "Applied"
    assert desk.eks.writes == [("update", "ml-research", DEFAULT, "OVERWRITE")]
    assert status.run is not None
    assert status.run.steps[0].changes[0] == msgspec.structs.replace(
        status.run.steps[0].changes[0], before=OLD, after=DEFAULT
    )


def test_what_somebody_else_installs_comes_to_its_end_before_the_file_is_asked() -> None:
    desk = Desk()
    desk.gate_settings = INSTALL
    desk.eks.installed, desk.eks.left = Addon(OLD, "CREATING"), 2
    assert desk.applied(asking(DEFAULT)).verdict == "Applied"
    assert desk.eks.writes == [("update", "ml-research", DEFAULT, "NONE")]


def test_an_update_alone_is_applied_too() -> None:
    desk = Desk()
    desk.gate_settings = INSTALL
    desk.eks.installed = Addon(OLD, "ACTIVE")
    desk.applied(asking())
    assert desk.applied(asking(DEFAULT)).verdict == "Applied"
    assert desk.applied(asking(DEFAULT) + "# again\n").verdict == "Unchanged"
    assert len(desk.eks.writes) == 1


def test_an_update_that_the_stack_does_not_allow_is_a_warning() -> None:
    desk = Desk()
    desk.eks.installed = Addon(OLD, "ACTIVE")
    status = desk.applied(asking(DEFAULT))
    assert status.verdict == "Applied"
    assert status.run is not None
    assert f"asks for the add-on {DEFAULT}, {OLD} is installed" in status.run.warnings[0]


def test_the_way_from_the_oldest_line_is_refused_with_the_definitions_in_the_way() -> None:
    desk = Desk()
    desk.gate_settings = INSTALL
    desk.eks.installed = Addon(OLDEST, "ACTIVE")
    desk.eks.kubernetes.crds_ = (*crds("v1beta1"), Crd("topologies.kueue.x-k8s.io", ("v1alpha1",)))
    reason = waits(desk, desk.applied(asking(DEFAULT)))
    assert "topologies.kueue.x-k8s.io (stored as v1alpha1)" in reason
    assert "clusterqueues" not in reason
    assert "governance-upgrade.html" in reason
    assert desk.eks.writes == []


def test_an_update_that_fails_is_noticed_explained_and_tried_once_per_version_of_the_file() -> None:
    desk = Desk()
    desk.gate_settings = INSTALL
    desk.eks.installed = Addon(OLD, "ACTIVE")
    desk.eks.ends_in = "UPDATE_FAILED"
    desk.eks.issues = (Issue("AdmissionRequestDenied", "denied by policy"),)
    reason = waits(desk, desk.applied(asking(DEFAULT)))
    assert "UPDATE_FAILED" in reason
    assert "AdmissionRequestDenied: denied by policy" in reason
    desk.eks.installed = Addon(OLD, "UPDATE_FAILED", desk.eks.issues)  # as EKS may show the version from before
    assert "upload the file again" in waits(desk, ready_later(desk))
    assert len(desk.eks.writes) == 1
    desk.eks.ends_in = "ACTIVE"
    desk.drop(asking(DEFAULT) + "# once more\n")
    desk.work()
    assert desk.status().verdict == "Applied"
    assert len(desk.eks.writes) == 2


def test_an_answer_from_before_the_update_is_not_taken_for_its_end() -> None:
    desk = Desk()
    desk.gate_settings = INSTALL
    desk.eks.installed = Addon(OLD, "ACTIVE")
    now, stale = desk.eks.addon, [Addon(OLD, "ACTIVE"), Addon(OLD, "ACTIVE")]

    def behind(cluster: str) -> Addon | None:
        return stale.pop() if desk.eks.writes and stale else now(cluster)

    desk.eks.addon = behind  # type: ignore[method-assign]
    status = desk.applied(asking(DEFAULT))
    assert status.verdict == "Applied"
    assert not stale
    assert f"the add-on was updated ({DEFAULT})" in status.reason
    assert status.run is not None
    assert status.run.warnings == ()


def test_an_update_that_eks_takes_back_is_said_and_not_tried_for_ever() -> None:
    desk = Desk()
    desk.gate_settings = INSTALL
    desk.eks.installed = Addon(OLD, "ACTIVE")
    update = desk.eks.update

    def taken_back(*arguments: object) -> None:
        update(*arguments)  # type: ignore[arg-type]
        desk.eks.installed = Addon(OLD, "ACTIVE")

    desk.eks.update = taken_back  # type: ignore[assignment,method-assign]
    status = desk.applied(asking(DEFAULT))
    assert (status.verdict, quotas(desk)) == ("Applied", 2)
    assert "updated" not in status.reason
    assert status.run is not None
    assert f"shows {OLD}" in status.run.warnings[0]
    assert status.run.steps[0].state == "failed"
    again = desk.applied(asking(DEFAULT).replace("fairShareWeight: 10", "fairShareWeight: 20"))
    assert again.verdict == "Applied"
    assert len(desk.eks.writes) == 2  # another upload is another try


def test_a_failed_update_has_its_next_try_with_the_next_upload_whatever_version_eks_tells() -> None:
    desk = Desk()
    desk.gate_settings = INSTALL
    desk.eks.installed = Addon(DEFAULT, "UPDATE_FAILED")  # the one that it failed to reach
    assert desk.applied(asking(DEFAULT)).verdict == "Applied"
    assert desk.eks.writes == [("update", "ml-research", DEFAULT, "NONE")]


def test_a_failed_update_that_nobody_asks_for_tells_the_command() -> None:
    desk = Desk()
    desk.gate_settings = INSTALL
    desk.eks.installed = Addon(DEFAULT, "UPDATE_FAILED")
    assert "update it again" in waits(desk, desk.applied(asking()))
    assert desk.eks.writes == []


@pytest.mark.parametrize("wanted", [NEWEST, OLD])
def test_an_update_that_has_time_does_not_hold_up_the_quotas(wanted: str) -> None:
    desk = Desk()
    desk.gate_settings = INSTALL
    lost = Node("n1", ready=False, hyperpod=True, reason="Lost")
    desk.eks.kubernetes.nodes_ = (lost, Node("n2", ready=True, hyperpod=True))
    status = desk.applied(asking(wanted))
    assert (status.verdict, quotas(desk), desk.eks.writes) == ("Applied", 2, [])
    assert status.run is not None
    assert "n1 (Lost)" in status.run.warnings[0]


@pytest.mark.parametrize("wanted", ["v1.6.0-eksbuild.1", "v1.9.9-eksbuild.1"])
def test_what_a_file_may_not_ask_for_is_refused(wanted: str) -> None:
    desk = Desk()
    desk.gate_settings = INSTALL
    desk.eks.installed = Addon(OLD, "ACTIVE")
    reason = waits(desk, desk.applied(asking(wanted)))
    assert wanted in reason
    assert desk.eks.writes == []


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


def test_a_damaged_memory_of_the_last_change_is_none() -> None:
    desk = Desk()
    desk.gate_settings = INSTALL
    desk.eks.installed = Addon(OLD, "ACTIVE")
    desk.records.upload(addon_change_key(cluster_id(desk.world.arn)), "{broken")
    assert desk.applied(asking(DEFAULT)).verdict == "Applied"
    assert desk.eks.writes == [("update", "ml-research", DEFAULT, "NONE")]


def test_what_was_begun_is_written_down() -> None:
    desk = fresh()
    desk.applied(asking())
    kept = desk.documents.load(addon_change_key(cluster_id(desk.world.arn)), AddonChange)
    assert kept is not None
    change = kept.document
    assert (change.action, change.version, change.begun, change.tries) == ("install", DEFAULT, True, 1)
    assert change.origin.version == desk.force().origin.version


def test_an_approval_is_no_other_upload() -> None:
    desk = Desk()
    desk.gate_settings = INSTALL
    desk.eks.installed = Addon(OLD, "ACTIVE")
    desk.eks.ends_in = "UPDATE_FAILED"
    waits(desk, desk.applied(asking(DEFAULT)))
    for number in range(3):
        approval = f'{{"fingerprint": "{number}"}}'
        desk.policies.upload(f"approvals/{cluster_id(desk.world.arn)}.json", approval)
        desk.resync()
        desk.work()
    assert desk.force().generation > 1
    assert len(desk.eks.writes) == 1


def test_a_conflict_that_lasts_is_told_and_ends() -> None:
    desk = Desk()
    desk.gate_settings = INSTALL
    desk.eks.installed = Addon(OLD, "ACTIVE")
    desk.eks.refusal = ConflictError("another update is in progress")
    status = desk.applied(asking(DEFAULT))
    assert (status.verdict, quotas(desk)) == ("Applied", 2)
    assert status.run is not None
    assert "another update is in progress" in status.run.warnings[0]
    new = fresh()
    new.eks.refusal = ConflictError("held by somebody")
    assert "held by somebody" in waits(new, new.applied(asking()))
    waits(new, ready_later(new))
    assert len(new.eks.writes) == 1


def test_a_run_that_is_cut_short_between_the_call_and_its_record_does_not_call_for_ever() -> None:
    desk = Desk()
    desk.gate_settings = INSTALL
    desk.eks.installed = Addon(OLD, "ACTIVE")
    update = desk.eks.update

    def lost(*arguments: object) -> None:
        update(*arguments)  # type: ignore[arg-type]
        desk.eks.installed = Addon(OLD, "ACTIVE")
        raise TransientError("the answer got lost", 1)

    desk.eks.update = lost  # type: ignore[assignment,method-assign]
    desk.drop(asking(DEFAULT))
    desk.work()
    for _ in range(12):
        ready_later(desk)
    assert len(desk.eks.writes) <= MOST_CALLS
    assert desk.status().verdict in ("Applied", "Unchanged")


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


def test_a_transition_over_two_slices_is_told_to_its_end() -> None:
    desk = Desk()
    desk.gate_settings = INSTALL
    desk.eks.installed = Addon(OLD, "ACTIVE")
    desk.applied(two_teams())
    desk.eks.looks = 1000
    desk.drop(asking(DEFAULT))
    desk.work(seconds=60)
    assert desk.status().verdict == "Waiting"
    desk.eks.left = 0
    status = ready_later(desk)
    assert status.verdict == "Applied"
    assert status.run is not None
    (step,) = status.run.steps
    assert (step.state, step.detail) == ("done", "updated")


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


@pytest.mark.parametrize("status", ["ROLLING_BACK", ""])
def test_nothing_is_changed_in_a_status_that_this_release_does_not_know(status: str) -> None:
    desk = Desk()
    desk.gate_settings = INSTALL
    desk.eks.installed = Addon(OLD, status)
    waits(desk, desk.applied(asking(DEFAULT)))
    assert desk.eks.writes == []


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
