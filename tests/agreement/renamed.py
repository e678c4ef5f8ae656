"""A copy of a scenario in which everything has another name: whatever the model does must not hang on names.

Only the order of UIDs, which scenarios give as ranks, stays: Kueue breaks ties by it.
"""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from tests.agreement.recorded import Scenario

_CLASSES = {"inference": "urgent", "training": "usual", "experimentation": "someday"}


def renamed(scenario: Scenario) -> Scenario:
    """The copy. Teams, jobs, flavors and priority classes get names that sort the other way round."""
    names = {
        **_backwards("crew", [team.name for team in scenario.teams]),
        **_backwards("task", list(scenario.jobs)),
        **_backwards("kind", list(scenario.flavors)),
        **_CLASSES,
        **{f"{name}-priority": f"{new}-priority" for name, new in _CLASSES.items()},
    }
    plain = msgspec.to_builtins(scenario)
    return msgspec.convert(_with(plain, names) | {"id": scenario.id}, Scenario)


def _backwards(prefix: str, names: list[str]) -> Mapping[str, str]:
    return {name: f"{prefix}-{len(names) - place:04d}" for place, name in enumerate(names)}


def _with(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(key, key): _with(each, names) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with(each, names) for each in value]
    return names.get(value, value) if isinstance(value, str) else value


def as_line(scenario: Scenario) -> str:
    """The scenario as a line of a file."""
    return json.dumps(msgspec.to_builtins(scenario))
