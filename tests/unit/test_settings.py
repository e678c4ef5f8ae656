"""Settings from the environment."""

from pathlib import Path

import pytest

from governor.errors import PermanentError
from governor.settings import Settings, settings_from


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
