"""The add-on is updated where the file names a version: once per upload, and only by a plain way."""

import msgspec
import pytest

from governor.addon.seen import Addon, Crd, Issue, Node
from governor.addon.versions import ADDON
from governor.errors import ConflictError, TransientError
from governor.records.addons import MOST_CALLS
from governor.records.names import addon_change_key, cluster_id
from tests.support.addons import DEFAULT, NEWEST, OLD, OLDEST, crds
from tests.support.desk import Desk
from tests.support.waiting import INSTALL, asking, fresh, quotas, ready_later, waits
from tests.support.world import two_teams


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


def test_a_damaged_memory_of_the_last_change_is_none() -> None:
    desk = Desk()
    desk.gate_settings = INSTALL
    desk.eks.installed = Addon(OLD, "ACTIVE")
    desk.records.upload(addon_change_key(cluster_id(desk.world.arn)), "{broken")
    assert desk.applied(asking(DEFAULT)).verdict == "Applied"
    assert desk.eks.writes == [("update", "ml-research", DEFAULT, "NONE")]


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
    reason = waits(new, new.applied(asking()))
    assert "held by somebody" in reason
    assert f"aws eks create-addon --cluster-name ml-research --addon-name {ADDON}" in reason
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


@pytest.mark.parametrize("status", ["ROLLING_BACK", ""])
def test_nothing_is_changed_in_a_status_that_this_release_does_not_know(status: str) -> None:
    desk = Desk()
    desk.gate_settings = INSTALL
    desk.eks.installed = Addon(OLD, status)
    waits(desk, desk.applied(asking(DEFAULT)))
    assert desk.eks.writes == []
