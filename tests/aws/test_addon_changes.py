"""The add-on comes before the quotas: installed, updated, or said why not. This stack may change it (Install)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from governor.addon.issues import STATUSES
from governor.addon.versions import ADDON
from local.aws.launcher import wait_for
from local.aws.runner.addon_versions import KUBERNETES, PRODUCTS
from local.clusters import ADDON_VERSION, install_addon, node
from local.deployment import Deployment
from tests.support.addon_place import TYPE, AddonPlace, definition_of_somebody, kueue_of_somebody

OLD_VERSION, OLDEST_VERSION = "v1.5.0-eksbuild.1", "v1.3.2-eksbuild.1"
BINDING = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/hyperpod-governor"
DEFINITION = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/clusterqueues.kueue.x-k8s.io"
WANTED = {"team-a": 2, "team-b": 2}
DENIED = {"code": "AccessDenied", "message": "a webhook of somebody refuses it", "resourceIds": ["kueue-system"]}
Make = Callable[..., AddonPlace]


@pytest.fixture
def make(deployment: Deployment) -> Iterator[Make]:
    """Clusters of the test's own; their files are deleted afterwards, so that no resync takes them up again."""
    made: list[AddonPlace] = []

    def one(addon: str | None = None, **kind: Any) -> AddonPlace:
        made.append(AddonPlace(deployment, addon, **kind))
        return made[-1]

    yield one
    for place in made:
        deployment.delete(place.key)


def asking(place: AddonPlace, version: str = "default", teams: Mapping[str, int] | None = None) -> str:
    """A policy with an addon block."""
    return place.policy(f"addon: {{version: {version}}}\n", WANTED if teams is None else teams)


def done(status: Mapping[str, Any]) -> list[str]:
    """What was done, in this order."""
    return [step["title"] for step in status["run"]["steps"] if step["state"] == "done"]


@pytest.mark.parametrize(("asked", "came"), [("default", ADDON_VERSION), (OLD_VERSION, OLD_VERSION)])
def test_a_fresh_cluster_gets_the_addon_and_then_the_teams(make: Make, asked: str, came: str) -> None:
    place = make()

    status = place.upload(asking(place, asked))

    assert status["verdict"] == "Applied"
    assert status["run"]["warnings"] == []
    assert done(status)[0] == "add-on"
    assert f"`{ADDON}`: done" in place.deployment.readable(place.key)
    assert place.installed() == (came, "ACTIVE")
    assert place.guaranteed() == WANTED
    tags = place.aws.client("eks").describe_addon(clusterName=place.name, addonName=ADDON)["addon"]["tags"]
    assert tags == {"Application": "HyperPodGovernor", "Stack": place.deployment.stack}


def test_default_is_what_was_the_default_when_it_was_installed(make: Make) -> None:
    place = make(OLD_VERSION)
    assert place.upload(asking(place))["verdict"] == "Applied"
    assert place.installed() == (OLD_VERSION, "ACTIVE")


def test_without_an_addon_block_the_answer_says_what_to_write(make: Make) -> None:
    place = make()

    status = place.upload(place.policy())

    assert status["verdict"] == "Waiting"
    assert "write 'addon: {version: default}' into the file" in status["reason"]
    assert "AddonInstall=Install" in status["reason"]
    assert (place.installed(), place.guaranteed()) == (None, {})
    assert place.upload(asking(place))["verdict"] == "Applied"


def _nothing(_: AddonPlace) -> None:
    pass


def _controller_of_somebody(place: AddonPlace) -> None:
    place.kubernetes.load(kueue_of_somebody("batch"))


def _definition_of_somebody(place: AddonPlace) -> None:
    place.kubernetes.load([definition_of_somebody()])


def _older(place: AddonPlace) -> None:
    place.aws.cluster_state(place.name, version="1.29")


def _deleted(place: AddonPlace) -> None:
    place.aws.cluster_state(place.name, status="DELETING")


def _not_bound(place: AddonPlace) -> None:
    place.kubernetes.call("DELETE", BINDING)


def _of(place: AddonPlace, *, ready: bool = True) -> dict[str, Any]:
    return node(f"hyperpod-{place.name}-g5-8xlarge-1", place.name, TYPE, ready=ready)


def _node_lost(place: AddonPlace) -> None:
    place.kubernetes.load([_of(place, ready=False)])


def _all_nodes_gone(place: AddonPlace) -> None:
    for name in [each["metadata"]["name"] for each in place.kubernetes.call("GET", "/api/v1/nodes").json["items"]]:
        place.kubernetes.call("DELETE", f"/api/v1/nodes/{name}")


@pytest.mark.parametrize(
    ("kind", "break_it", "version", "words"),
    [
        ({}, _nothing, "v1.6.3-eksbuild.1", ["does not offer v1.6.3-eksbuild.1", "did you mean v1.6.1-eksbuild.1?"]),
        ({}, _nothing, "v1.6.0-eksbuild.1", ["restarts for ever on Kubernetes 1.33", "take v1.6.1-eksbuild.1"]),
        ({}, _controller_of_somebody, "default", ["kueue-controller-manager in namespace batch", "helm uninstall"]),
        ({}, _definition_of_somebody, "default", ["clusterqueues.kueue.x-k8s.io", "not the add-on's"]),
        ({"instances": 0}, _nothing, "default", ["no instance of", "target count above 0"]),
        ({}, _all_nodes_gone, "default", ["none of the 0 nodes", "wait until an instance has joined"]),
        ({}, _node_lost, "default", ["1 of 4 nodes not Ready", "g5-8xlarge-1 (Lost)"]),
        ({}, _not_bound, "default", ["could not look", "not allowed (403)", "list nodes", "governor connect"]),
        ({"is_let_in": False}, _nothing, "default", ["could not look", "(401)", "governor connect"]),
        ({}, _older, "default", ["1.29, and task governance needs 1.30 or newer", "update-cluster-version"]),
        ({}, _deleted, "default", ["is DELETING", "delete its file"]),
        (
            {"mode": "CONFIG_MAP", "is_let_in": False},
            _nothing,
            "default",
            ["CONFIG_MAP", "aws eks update-cluster-config", "there is no way back"],
        ),
    ],
    ids=[
        "version",
        "crash",
        "controller",
        "definition",
        "instances",
        "nodes",
        "not-ready",
        "forbidden",
        "unauthorized",
        "kubernetes",
        "deleting",
        "config-map",
    ],
)
def test_what_stands_in_the_way_is_told_and_nothing_is_touched(
    make: Make, kind: Mapping[str, Any], break_it: Callable[[AddonPlace], None], version: str, words: list[str]
) -> None:
    place = make(**kind)
    break_it(place)

    status = place.upload(asking(place, version, {"team-a": 0} if kind.get("instances") == 0 else WANTED))

    assert status["verdict"] == "Waiting"
    assert "the preflight does not pass" in status["reason"]
    assert [each for each in words if each not in status["reason"]] == []
    assert (place.installed(), place.guaranteed()) == (None, {})
    assert done(status) == []


def _let_in_after_all(place: AddonPlace) -> None:
    access = {"authenticationMode": "API_AND_CONFIG_MAP"}
    place.aws.client("eks").update_cluster_config(name=place.name, accessConfig=access)
    place.let_in()


@pytest.mark.parametrize(
    ("kind", "break_it", "mend"),
    [
        ({"mode": "CONFIG_MAP", "is_let_in": False}, _nothing, _let_in_after_all),
        ({}, _node_lost, lambda place: place.kubernetes.load([_of(place)])),
        ({}, _definition_of_somebody, lambda place: place.kubernetes.call("DELETE", DEFINITION)),
    ],
    ids=["config-map", "not-ready", "definition"],
)
def test_once_it_is_mended_the_policy_goes_on_by_itself(
    make: Make,
    kind: Mapping[str, Any],
    break_it: Callable[[AddonPlace], None],
    mend: Callable[[AddonPlace], object],
) -> None:
    place = make(**kind)
    break_it(place)
    place.upload(asking(place), "Waiting")

    mend(place)

    assert done(place.after_resync("Applied"))[0] == "add-on"
    assert place.installed() == (ADDON_VERSION, "ACTIVE")
    assert place.guaranteed() == WANTED


def test_where_eks_offers_nothing_for_this_kubernetes(make: Make) -> None:
    place = make(version="1.32")
    (product,) = [each for each in PRODUCTS if each.name == ADDON]
    without = [each for each in KUBERNETES if each != "1.32"]
    try:
        for offer in product.offers:
            place.aws.addon_catalogue(offer=offer.version, kubernetes=without)
        status = place.upload(asking(place))
    finally:
        for offer in product.offers:
            place.aws.addon_catalogue(offer=offer.version, kubernetes=list(offer.kubernetes))
    assert status["verdict"] == "Waiting"
    assert f"EKS offers no version of {ADDON} for Kubernetes 1.32 in this Region" in status["reason"]
    assert place.installed() is None


def test_an_eks_cluster_that_is_gone(make: Make) -> None:
    place = make()
    place.aws.client("eks").delete_cluster(name=place.name)
    status = place.upload(asking(place))
    assert status["verdict"] == "Waiting"
    assert "the EKS cluster below the HyperPod cluster is gone" in status["reason"]
    assert place.guaranteed() == {}


def test_a_cluster_of_slurm_and_one_of_another_region_are_rejected(make: Make) -> None:
    place = make()
    place.plane.add_cluster(f"{place.name}-slurm", {TYPE: 4}, orchestrator="slurm")
    slurm = place.upload(asking(place).replace(place.name, f"{place.name}-slurm"))
    assert slurm["verdict"] == "Rejected"
    assert "is orchestrated by Slurm; task governance needs Amazon EKS" in slurm["reason"]

    elsewhere = place.upload(asking(place).replace(place.name, place.arn.replace("us-west-2", "eu-west-1")))
    assert elsewhere["verdict"] == "Rejected"
    assert "eu-west-1" in elsewhere["reason"]
    assert place.installed() is None


def test_a_safe_update_comes_before_the_quotas(make: Make) -> None:
    place = make(OLD_VERSION)

    status = place.upload(asking(place, ADDON_VERSION))

    assert status["verdict"] == "Applied"
    assert done(status)[0] == "add-on"
    assert status["run"]["steps"][0]["changes"] == [{"what": "version", "before": OLD_VERSION, "after": ADDON_VERSION}]
    assert place.installed() == (ADDON_VERSION, "ACTIVE")
    assert place.guaranteed() == WANTED


def test_while_an_update_goes_on_the_quotas_wait_and_then_go_on_by_themselves(make: Make) -> None:
    place = make(OLD_VERSION)
    place.aws.addon_hold(place.name)

    waiting = place.upload(asking(place, ADDON_VERSION))
    assert waiting["verdict"] == "Waiting"
    assert "is UPDATING" in waiting["reason"]
    assert place.guaranteed() == {}

    place.aws.addon_release(place.name)
    place.after_resync("Applied")
    assert place.installed() == (ADDON_VERSION, "ACTIVE")
    assert place.updates() == 1
    assert place.guaranteed() == WANTED


def test_an_update_that_stored_versions_forbid_is_refused_before_anything_is_touched(make: Make) -> None:
    place = make(OLDEST_VERSION)

    status = place.upload(asking(place, ADDON_VERSION))

    assert status["verdict"] == "Waiting"
    for name in ("cohorts", "topologies"):
        assert f"{name}.kueue.x-k8s.io (stored as v1alpha1)" in status["reason"]
    assert "clusterqueues" not in status["reason"]
    assert "governance-upgrade.html" in status["reason"]
    assert place.updates() == 0
    assert (place.installed(), place.guaranteed()) == ((OLDEST_VERSION, "ACTIVE"), {})


def test_a_failed_update_is_explained_and_tried_again_only_by_a_new_upload(make: Make) -> None:
    place = make(OLD_VERSION)
    place.aws.addon_next(place.name, "update", "UPDATE_FAILED", [DENIED])

    failed = place.upload(asking(place, ADDON_VERSION))
    assert failed["verdict"] == "Waiting"
    assert "UPDATE_FAILED" in failed["reason"]
    assert "AccessDenied: a webhook of somebody refuses it (kueue-system)" in failed["reason"]

    again = place.after_resync("Waiting")
    assert "upload the file again" in again["reason"]
    assert "AccessDenied: a webhook of somebody refuses it" in again["reason"]
    assert place.updates() == 1
    assert place.guaranteed() == {}

    assert place.upload(asking(place, ADDON_VERSION))["verdict"] == "Applied"
    assert place.updates() == 2
    assert place.installed() == (ADDON_VERSION, "ACTIVE")
    assert place.guaranteed() == WANTED


def test_a_failed_installation_is_explained_and_left_until_somebody_deletes_it(make: Make) -> None:
    place = make()
    place.aws.addon_next(place.name, "create", "CREATE_FAILED", [DENIED])

    failed = place.upload(asking(place))
    assert failed["verdict"] == "Waiting"
    assert "CREATE_FAILED" in failed["reason"]
    assert STATUSES["CREATE_FAILED"].remedy in failed["reason"]
    assert "AccessDenied: a webhook of somebody refuses it" in failed["reason"]
    assert (place.installed(), place.guaranteed()) == ((ADDON_VERSION, "CREATE_FAILED"), {})

    place.aws.client("eks").delete_addon(clusterName=place.name, addonName=ADDON)
    place.after_resync("Applied")
    assert place.installed() == (ADDON_VERSION, "ACTIVE")


def test_somebody_installed_it_at_the_same_moment(make: Make) -> None:
    place = make()
    place.aws.fault("eks", "CreateAddon", code="ResourceInUseException", status=409, resource=place.name)
    version = place.deployment.upload(place.key, asking(place))
    place.deployment.wait(place.key, version, "Waiting")
    install_addon(place.aws, place.name)
    assert place.after_resync("Applied")["run"]["warnings"] == []


def test_what_is_on_its_way_is_waited_for(make: Make) -> None:
    places = {status: make(ADDON_VERSION) for status in ("CREATING", "UPDATING", "DELETING")}
    for status, place in places.items():
        place.aws.addon_state(place.name, status=status)
        place.deployment.upload(place.key, asking(place))
    for status, place in places.items():
        waiting = place.deployment.wait(place.key, verdict="Waiting")
        assert f"the add-on {ADDON_VERSION} is {status}" in waiting["reason"]
        assert place.guaranteed() == {}


def test_an_older_version_that_somebody_is_installing_is_updated_before_the_quotas(make: Make) -> None:
    place = make(OLD_VERSION)
    place.aws.addon_state(place.name, status="CREATING")
    version = place.deployment.upload(place.key, asking(place, ADDON_VERSION))
    wait_for(lambda: [each for each in place.aws.decisions() if _is_look(each, place)])

    place.aws.addon_state(place.name, status="ACTIVE")

    status = place.deployment.wait(place.key, version)
    assert place.installed() == (ADDON_VERSION, "ACTIVE")
    assert done(status)[0] == "add-on"


def _is_look(decision: Mapping[str, Any], place: AddonPlace) -> bool:
    return decision["action"] == "eks:DescribeAddon" and f"/{place.name}/" in decision["resource"]
