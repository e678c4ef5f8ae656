"""What the functions do about the add-on: install, update, read why an update failed, look, ask the writer."""

import json
from collections.abc import Callable
from typing import Any

from governor.addon.versions import ADDON
from local.aws.launcher import wait_for
from local.clusters import ADDON_VERSION
from tests.aws.iam_support import take
from tests.support.place import Place

OLD_VERSION = "v1.5.0-eksbuild.1"
DEFAULT = "addon: {version: default}\n"
EXPLICIT = f"addon: {{version: {ADDON_VERSION}}}\n"
DENIED = "a webhook of somebody denied it"


def addon_installed(place: Place) -> None:
    """A cluster without the add-on, whose file asks for it."""
    uninstall(place)
    assert begun(place.upload(place.policy(DEFAULT), "Applied")) == ["create"]
    addon = place.aws.client("eks").describe_addon(clusterName=place.name, addonName=ADDON)["addon"]
    assert addon["tags"] != {}


def addon_updated(place: Place) -> None:
    """A cluster with an older version than the file names."""
    place.aws.addon_state(place.name, version=OLD_VERSION)
    assert begun(place.upload(place.policy(EXPLICIT), "Applied")) == ["update"]


def addon_update_failed(place: Place) -> None:
    """An update fails, and both functions that look at it read why."""
    fail_update(place)
    assert DENIED in place.upload(place.policy(EXPLICIT), "Waiting")["reason"]
    place.deployment.verify_addons()
    assert (seen(place)["status"], seen(place)["healthy"]) == ("UPDATE_FAILED", False)
    assert DENIED in json.dumps(seen(place))


def addon_came_away(place: Place) -> None:
    """Somebody deletes the add-on: the hourly look asks the writer, which installs it again."""
    place.upload(place.policy(DEFAULT), "Applied")
    uninstall(place)
    place.deployment.verify_addons()  # unless another look has asked already
    wait_for(lambda: place.aws.client("eks").list_addons(clusterName=place.name)["addons"] == [ADDON], 30)


def addon_not_asked_for(place: Place) -> None:
    """A cluster without the add-on, whose file does not ask for it."""
    uninstall(place)
    assert "the file does not ask for it" in place.upload(place.policy(), "Waiting")["reason"]
    assert place.name in place.deployment.verify_addons()["unhealthy"]


def event_that_is_no_look(place: Place) -> None:
    """An invocation of verify_addon fails three times and is told to the failure destination."""
    place.aws.client("lambda").invoke(
        FunctionName=place.deployment.function("VerifyAddonFunction"),
        InvocationType="Event",
        Payload=json.dumps({"verify": place.name}).encode(),
    )
    url = place.deployment.outputs["FailedInvocationsQueueUrl"]
    wait_for(lambda: take(place.deployment, url, place.name), 40, 0.1)


ADDON_SCENARIOS: tuple[Callable[[Place], None], ...] = (
    event_that_is_no_look,  # the longest wait first
    addon_update_failed,
    addon_came_away,
    addon_installed,
    addon_updated,
    addon_not_asked_for,
)


def uninstall(place: Place) -> None:
    """The add-on is deleted, with all that it brought."""
    place.aws.client("eks").delete_addon(clusterName=place.name, addonName=ADDON)


def fail_update(place: Place) -> None:
    """An older version than the newest is installed, and the next update fails."""
    place.aws.addon_state(place.name, version=OLD_VERSION)
    place.aws.addon_next(place.name, "update", "UPDATE_FAILED", [{"code": "AccessDenied", "message": DENIED}])


def begun(status: dict[str, Any]) -> list[str]:
    """What a file's run has begun with the add-on, in any of its slices."""
    return [step["action"] for step in status["run"]["steps"] if step["name"] == ADDON]


def seen(place: Place) -> dict[str, Any]:
    """The report on the add-on, as the last look wrote it down."""
    document = place.deployment.document(f"clusters/{place.arn.rpartition('/')[2]}/addon.json")
    assert document is not None
    report: dict[str, Any] = document["report"]
    return report
