"""What is seen of an add-on is the same for the writer, for verify_addon and for ``governor addon``.

A stack of its own, which only looks (VerifyOnly): hours of alarms pass in a second, and a slice outlasts an endpoint
that hangs.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from governor.addon.issues import CODES, STATUSES
from local.aws.launcher import wait_for
from local.clusters import ADDON_VERSION
from local.deployment import Deployment, deployed
from tests.support.addon_place import TYPE, AddonPlace, ended

OLD_VERSION = "v1.5.0-eksbuild.1"
WANTED = {"team-a": 2, "team-b": 2}
TOO_FEW: Mapping[str, Any] = {
    "code": "InsufficientNumberOfReplicas",
    "message": "The add-on is unhealthy because it doesn't have the desired number of replicas.",
    "resourceIds": ["kueue-controller-manager"],
}
UNSEEN = "whether the add-on's controller and webhook are ready could not be seen"
Make = Callable[..., AddonPlace]


@pytest.fixture(scope="module")
def looking() -> Iterator[Deployment]:
    """The stack."""
    with deployed(
        {"SliceSeconds": "15"},
        plane_settings={"transition_seconds": 0.1, "default_page_size": 100},
        seconds_per_minute=0.02,
        concurrency=2,
    ) as running:
        yield running
        assert running.aws.plane.violations() == []


@pytest.fixture
def make(looking: Deployment) -> Iterator[Make]:
    """Clusters with the add-on; no later look takes part in them."""
    made: list[AddonPlace] = []

    def one(addon: str | None = ADDON_VERSION, **kind: Any) -> AddonPlace:
        made.append(AddonPlace(looking, addon, **kind))
        return made[-1]

    yield one
    looking.aws.clear_faults()
    for place in made:
        place.forget()


def test_a_healthy_addon(make: Make) -> None:
    place = make()
    assert place.upload(place.policy())["run"]["warnings"] == []

    looked = place.deployment.verify_addons()

    assert (looked["clusters"], looked["unhealthy"], looked["unseen"], looked["failed"]) == (1, [], [], [])
    report = place.agreed()
    assert (report["installed"], report["healthy"], report["drifted"]) == (True, True, False)
    assert (report["status"], report["version"], report["kueueVersion"]) == ("ACTIVE", ADDON_VERSION, "0.19.2")
    assert {check["verdict"] for check in report["checks"]} == {"pass"}
    shown = place.show()
    assert shown.status == 0
    assert "✓ healthy: the add-on v1.6.1-eksbuild.1 is ACTIVE" in shown.text
    assert f"verify_addon saw at {place.seen()['at'][:10]}" in shown.text
    assert shown.text.endswith(f"{place.seen()['state']}\n")


def test_a_broken_addon_keeps_the_writer_from_the_quotas(make: Make) -> None:
    places = {status: make() for status in ("CREATE_FAILED", "UPDATE_FAILED", "DEGRADED", "DELETE_FAILED")}
    for status, place in places.items():
        place.aws.addon_state(place.name, status=status, issues=[TOO_FEW])
        place.accept(place.policy())
    waiting = {status: place.deployment.wait(place.key, verdict="Waiting") for status, place in places.items()}
    looked = places["DEGRADED"].deployment.verify_addons()

    assert set(looked["unhealthy"]) == {place.name for place in places.values()}
    for status, place in places.items():
        words = f"the add-on {ADDON_VERSION} is {status}: it {STATUSES[status].means}"
        assert words in waiting[status]["reason"]
        assert TOO_FEW["message"] in waiting[status]["reason"]
        assert place.guaranteed() == {}
        report = place.agreed()
        assert (report["installed"], report["healthy"], report["status"]) == (True, False, status)
        assert report["summary"].startswith(words)
        assert report["remedy"].startswith(STATUSES[status].remedy)
        assert report["remedy"] in waiting[status]["reason"]
        assert [issue["code"] for issue in report["issues"]] == [TOO_FEW["code"]]


def test_what_is_on_its_way_is_unhealthy_only_when_it_does_not_end(make: Make, looking: Deployment) -> None:
    places = {status: make() for status in ("CREATING", "UPDATING", "DELETING")}
    for place in places.values():
        place.accept(place.policy())
    for status, place in places.items():
        place.deployment.wait(place.key, verdict="Applied")
        place.aws.addon_state(place.name, status=status)

    assert looking.verify_addons()["unhealthy"] == []
    assert set(looking.verify_addons()["unhealthy"]) == {place.name for place in places.values()}
    for status, place in places.items():
        report = place.agreed()
        assert (report["healthy"], report["status"], report["remedy"]) == (False, status, "wait")


def test_an_addon_that_is_not_installed(make: Make) -> None:
    place = make(addon=None)
    place.accept(place.policy())
    assert place.deployment.verify_addons()["unhealthy"] == [place.name]
    report = place.agreed()
    assert (report["installed"], report["healthy"], report["version"]) == (False, False, "")
    assert "aws eks create-addon" in report["remedy"]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"available": False}, "kueue-controller-manager is not available (0 of 1)"),
        ({"webhook": False}, "kueue-webhook-service has no ready endpoint"),
    ],
    ids=["controller", "webhook"],
)
def test_active_and_not_ready(make: Make, broken: Mapping[str, bool], words: str) -> None:
    place = make()
    place.aws.addon_controller(place.name, **broken)

    waiting = place.upload(place.policy(), "Waiting")
    looked = place.deployment.verify_addons()

    assert words in waiting["reason"]
    assert place.guaranteed() == {}
    assert looked["unhealthy"] == [place.name]
    report = place.agreed()
    assert (report["healthy"], report["status"]) == (False, "ACTIVE")
    assert words in report["summary"]

    place.aws.addon_controller(place.name)
    place.after_resync("Applied")
    assert place.guaranteed() == WANTED
    assert place.report()[0] == 0


def test_every_code_of_a_health_issue_is_explained(make: Make) -> None:
    place = make()
    issues = [{"code": code, "message": f"told of {code}"} for code in CODES]
    place.aws.addon_state(place.name, status="DEGRADED", issues=issues)

    reason = place.upload(place.policy(), "Waiting")["reason"]
    place.deployment.verify_addons()

    report, shown = place.agreed(), place.show()
    assert shown.status == 1
    for told in report["issues"]:
        meaning = CODES[told["code"]]
        assert (told["means"], told["remedy"]) == (meaning.means, meaning.remedy)
        assert f"told of {told['code']}; it means that {meaning.means}: {meaning.remedy}" in reason
        for words in (f"✗ {told['code']}: told of {told['code']}", meaning.means, f"→ {meaning.remedy}"):
            assert words in shown.text
    assert {told["code"] for told in report["issues"]} == set(CODES)
    assert set(place.seen()["state"].split()[-1].split(",")) == set(CODES)


def test_active_with_a_health_issue_is_unhealthy_and_no_reason_to_wait(make: Make) -> None:
    place = make()
    place.aws.addon_state(place.name, issues=[TOO_FEW])
    assert place.upload(place.policy())["verdict"] == "Applied"
    assert place.deployment.verify_addons()["unhealthy"] == [place.name]
    report = place.agreed()
    assert (report["healthy"], report["status"]) == (False, "ACTIVE")
    assert TOO_FEW["code"] in report["summary"]


HANGS = "hangs"
FAULTS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "self-signed": ({"kind": "self-signed"}, "cannot be trusted: its certificate is not the cluster's"),
    "closed": ({"kind": "closed"}, "cannot be reached: the connection is refused"),
    HANGS: ({"kind": "hang"}, "did not answer in time"),
    "hangs-up": ({"kind": "drop", "when": "during"}, "the connection broke before the answer was whole"),
    "not-json": ({"kind": "not-json"}, "a web page and no answer of Kubernetes"),
    "truncated": ({"kind": "truncated"}, "no JSON, or not all of it"),
    "expired": ({"kind": "status", "code": 401}, "the credentials have expired"),
    "forbidden": ({"kind": "status", "code": 403}, "not allowed (403)"),
    "not-served": ({"kind": "status", "code": 404}, "(404)"),
    "too-many": ({"kind": "status", "code": 429, "retry_after": 60}, "429 TooManyRequests"),
    "broken": ({"kind": "status", "code": 500}, "500 InternalError"),
}


@dataclass(frozen=True)
class Met:
    """What came of a fault: the file's status, what the looks found, and what the command said."""

    status: Mapping[str, Any]
    readable: str
    guaranteed: Mapping[str, int]
    verified: Mapping[str, Any]
    exit_status: int
    shown: Mapping[str, Any]


@pytest.fixture(scope="module")
def met(looking: Deployment) -> Mapping[str, Met]:
    """Every fault, on a cluster of its own, met by all three at the same time: endpoints that hang take their time."""
    places = {fault: AddonPlace(looking, ADDON_VERSION) for fault in FAULTS}
    for fault, place in places.items():
        place.kubernetes.fault(**FAULTS[fault][0])
    try:
        for place in places.values():
            place.accept(place.policy())
        with ThreadPoolExecutor(1) as pool:
            verifying = pool.submit(looking.verify_addons)
            hanging = places[HANGS].begin_show("--json")
            shown = {fault: place.report() for fault, place in places.items() if fault != HANGS}
            hung = ended(hanging)
            shown[HANGS] = (hung.status, json.loads(hung.text))
            verified = verifying.result()
        found = {
            fault: Met(
                looking.wait(place.key),
                looking.readable(place.key),
                place.guaranteed(),
                place.seen()["report"],
                *shown[fault],
            )
            for fault, place in places.items()
        }
    finally:
        for place in places.values():
            place.kubernetes.clear_faults()
            place.forget()
    assert set(verified["unseen"]) == {place.name for place in places.values()}
    assert (verified["unhealthy"], verified["failed"]) == ([], [])
    return found


@pytest.mark.parametrize("fault", FAULTS)
def test_where_kubernetes_cannot_be_asked_quotas_go_on_and_everybody_is_told(
    met: Mapping[str, Met], fault: str
) -> None:
    found, words = met[fault], FAULTS[fault][1]

    assert (found.status["verdict"], found.guaranteed) == ("Applied", WANTED)
    (warning,) = found.status["run"]["warnings"]
    assert warning.startswith(UNSEEN)
    assert words in warning
    assert f"⚠ {UNSEEN}" in found.readable

    assert found.exit_status == 1
    for report in (found.verified, found.shown):
        assert report["healthy"] is None
        assert words in report["summary"]
        assert (report["status"], report["controller"], report["webhook"]) == ("ACTIVE", "not seen", "not seen")


def test_a_group_that_is_gone_though_discovery_tells_of_it_is_not_what_readiness_depends_on(make: Make) -> None:
    place = make()
    place.kubernetes.fault("group-gone")
    assert place.upload(place.policy())["run"]["warnings"] == []
    assert place.report()[0] == 0


def test_an_eks_that_throttles_is_told_and_waited_for(make: Make, looking: Deployment) -> None:
    place = make()
    looking.aws.fault("eks", "DescribeAddon", code="ThrottlingException", status=429, times=None, resource=place.name)
    place.accept(place.policy())
    with ThreadPoolExecutor(1) as pool:
        seeing = pool.submit(looking.verify_addons)
        shown = ended(place.begin_show())
        looked = seeing.result()
    assert looked["unseen"] == [place.name]
    assert "ThrottlingException" in place.seen()["report"]["summary"]
    assert shown.status == 1
    assert re.search(r"\? not seen: could not look: DescribeAddon .*ThrottlingException", shown.text)

    def told() -> bool:
        status = looking.status(place.key) or {}
        return status.get("verdict") == "InProgress" and "ThrottlingException" in status["reason"]

    wait_for(told, 20)
    assert place.guaranteed() == {}
    looking.aws.clear_faults()
    looking.aws.release_messages(looking.outputs["PolicyChangesQueueUrl"])
    looking.wait(place.key, verdict="Applied")


def test_a_cluster_that_is_gone_while_its_policy_is_in_force(make: Make) -> None:
    place = make()
    place.upload(place.policy(), "Applied")

    place.aws.client("eks").delete_cluster(name=place.name)
    assert place.deployment.verify_addons()["unhealthy"] == [place.name]
    assert place.agreed()["remedy"] == "the EKS cluster below the HyperPod cluster is gone: make both anew"

    place.plane.remove_cluster(place.name)
    assert place.deployment.verify_addons()["unhealthy"] == [place.name]
    report = place.seen()["report"]
    assert (report["installed"], report["healthy"], report["cluster"]) == (False, False, place.name)


def test_clusters_that_cannot_have_an_addon(make: Make) -> None:
    place = make()
    place.plane.add_cluster(f"{place.name}-slurm", {TYPE: 4}, orchestrator="slurm")
    asked = {
        f"{place.name}-slurm": "is orchestrated by Slurm",
        f"{place.name}-missing": f"{place.name}-missing",
    }
    for cluster, words in asked.items():
        status, report = place.report(cluster)
        assert (status, bool(report["healthy"])) == (1, False)
        assert words in report["summary"]
    status, refusal = place.report(place.arn.replace("us-west-2", "eu-west-1"))
    assert (status, refusal["refused"]) == (1, True)
    assert "set AWS_REGION=eu-west-1" in refusal["reason"]


def test_a_stack_that_only_looks_installs_and_updates_nothing(make: Make) -> None:
    fresh, old = make(addon=None), make(OLD_VERSION)

    refused = fresh.upload(fresh.policy("addon: {version: default}\n"))
    warned = old.upload(old.policy(f"addon: {{version: {ADDON_VERSION}}}\n"))
    looked = fresh.deployment.verify_addons()

    assert refused["verdict"] == "Waiting"
    assert "this stack only looks (AddonInstall=VerifyOnly)" in refused["reason"]
    assert "aws eks create-addon" in refused["reason"]
    assert (fresh.installed(), fresh.guaranteed()) == (None, {})
    (warning,) = warned["run"]["warnings"]
    assert ADDON_VERSION in warning
    assert (warned["verdict"], old.installed(), old.updates()) == ("Applied", (OLD_VERSION, "ACTIVE"), 0)
    assert looked["asked"] == []
    report = old.agreed()
    assert (report["wanted"], report["drifted"], report["healthy"]) == (ADDON_VERSION, True, True)


def _alarm(deployment: Deployment, logical_id: str) -> str:
    deployment.aws.evaluate_alarms()
    name = deployment.aws.physical_id(logical_id)
    (alarm,) = deployment.aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    state: str = alarm["StateValue"]
    return state


def test_alarms_go_off_and_come_back(make: Make, looking: Deployment) -> None:
    unhealthy, unseen = make(), make()
    unhealthy.accept(unhealthy.policy())
    unseen.accept(unseen.policy())
    alarms = ("AddonUnhealthyAlarm", "AddonNotSeenAlarm")

    def states() -> tuple[str, ...]:
        looking.verify_addons()
        return tuple(_alarm(looking, each) for each in alarms)

    wait_for(lambda: states() == ("OK", "OK"), 20)
    unhealthy.aws.addon_state(unhealthy.name, status="DEGRADED", issues=[TOO_FEW])
    wait_for(lambda: states() == ("ALARM", "OK"), 20)
    unseen.kubernetes.fault("closed")
    wait_for(lambda: states() == ("ALARM", "ALARM"), 20)
    unhealthy.aws.addon_state(unhealthy.name, status="ACTIVE", issues=[])
    unseen.kubernetes.clear_faults()
    wait_for(lambda: states() == ("OK", "OK"), 20)


def test_an_event_for_every_change_of_state_and_for_nothing_else(make: Make, looking: Deployment) -> None:
    place = make()
    place.accept(place.policy())
    heard = place.listener()

    def look(**state: Any) -> None:
        place.aws.addon_state(place.name, **state)
        for _ in range(2):
            looking.verify_addons()

    look()
    look(status="DEGRADED", issues=[TOO_FEW])
    look(status="ACTIVE", issues=[])

    wait_for(lambda: len(heard()) == 3, 15)
    healthy, degraded = f"ACTIVE {ADDON_VERSION} healthy", f"DEGRADED {ADDON_VERSION} not healthy {TOO_FEW['code']}"
    told = [(each["before"], each["state"], each["healthy"]) for each in heard()]
    assert sorted(told) == sorted([("", healthy, True), (healthy, degraded, False), (degraded, healthy, True)])
    (bad,) = [each for each in heard() if not each["healthy"]]
    assert bad["issues"][0]["means"] == CODES[TOO_FEW["code"]].means
    assert bad["document"] == f"clusters/{place.id}/addon.json"


def test_a_metric_for_each_cluster(make: Make, looking: Deployment) -> None:
    places = {"healthy": make(), "older": make(OLD_VERSION), "fresh": make(addon=None), "unseen": make()}
    places["unseen"].kubernetes.fault("closed")
    for place in places.values():
        place.accept(place.policy())

    looking.verify_addons()

    def told() -> dict[str, tuple[float | None, ...]]:
        names = ("AddonInstalled", "AddonHealthy", "AddonVersionDrift")
        return {which: tuple(place.metric(name) for name in names) for which, place in places.items()}

    expected = {"healthy": (1, 1, 0), "older": (1, 1, 1), "fresh": (0, 0, None), "unseen": (1, None, 0)}
    wait_for(lambda: told() == expected, 15)
