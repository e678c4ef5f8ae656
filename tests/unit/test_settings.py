"""Settings from the environment."""

from pathlib import Path

import pytest

from governor.errors import PermanentError
from governor.settings import AddonSettings, Settings, addon_settings_from, function_settings_from, settings_from


def test_defaults_and_what_the_environment_says() -> None:
    assert settings_from({"HOME": "/home/x"}) == Settings(0, "error", 2, Path("/home/x/.local/state/hyperpod-governor"))
    assert settings_from({"XDG_STATE_HOME": "/s", "HOME": "/h"}).state_dir == Path("/s/hyperpod-governor")
    assert settings_from(
        {
            "GOVERNOR_MAX_TEAMS_REMOVED": "3",
            "GOVERNOR_OVERCOMMIT": "warning",
            "GOVERNOR_CONCURRENCY": "16",
            "GOVERNOR_STATE_DIR": "/here",
        }
    ) == Settings(3, "warning", 16, Path("/here"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GOVERNOR_OVERCOMMIT", "yes"),
        ("GOVERNOR_CONCURRENCY", "33"),
        ("GOVERNOR_CONCURRENCY", "²"),
        ("GOVERNOR_MAX_TEAMS_REMOVED", "-1"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    with pytest.raises(PermanentError, match=f"{name} is '{value}'; write"):
        settings_from({name: value, "HOME": "/h"})


TEMPLATE = {
    "GOVERNOR_POLICIES_BUCKET": "policies",
    "GOVERNOR_RECORDS_BUCKET": "records",
    "GOVERNOR_QUEUE_URL": "queue",
    "GOVERNOR_TOPIC_ARN": "topic",
}


def test_what_the_template_does_not_say_is_as_documented() -> None:
    settings = function_settings_from(TEMPLATE)
    assert (settings.grace_seconds, settings.slice_seconds, settings.max_receives) == (600, 210, 5)


@pytest.mark.parametrize("name", TEMPLATE)
def test_a_variable_that_the_template_should_have_set_is_named(name: str) -> None:
    with pytest.raises(PermanentError, match=f"{name} is not set; the template sets it: deploy the stack again"):
        function_settings_from({**TEMPLATE, name: " "})


def test_a_wrong_number_of_a_function_is_refused() -> None:
    with pytest.raises(PermanentError, match="GOVERNOR_SLICE_SECONDS is '0'; write a whole number from 1 to 840"):
        function_settings_from({**TEMPLATE, "GOVERNOR_SLICE_SECONDS": "0"})


def test_the_settings_of_the_add_on_and_what_is_none() -> None:
    assert addon_settings_from({}) == AddonSettings()
    given = {
        "GOVERNOR_ADDON_INSTALL": "Install",
        "GOVERNOR_ADDON_RESOLVE_CONFLICTS": "OVERWRITE",
        "GOVERNOR_KUBERNETES_CHECKS": "Required",
        "GOVERNOR_STACK": "governor",
    }
    found = addon_settings_from(given)
    assert (found.may_change, found.resolve_conflicts, found.kubernetes_checks) == (True, "OVERWRITE", "Required")
    assert found.stack == "governor"
    for name in given.keys() - {"GOVERNOR_STACK"}:
        with pytest.raises(PermanentError, match=f"{name} is 'yes'; write "):
            addon_settings_from({name: "yes"})
