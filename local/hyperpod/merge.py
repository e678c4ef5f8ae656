"""Changes laid over a request body: members of structures one by one, everything else whole."""

from collections.abc import Mapping
from typing import Any

from local.hyperpod.request import JsonObject


def merged(body: Mapping[str, Any], changes: Mapping[str, Any]) -> JsonObject:
    result = dict(body)
    for name, value in changes.items():
        below = result.get(name)
        if isinstance(below, dict) and isinstance(value, dict):
            result[name] = merged(below, value)
        else:
            result[name] = value
    return result
