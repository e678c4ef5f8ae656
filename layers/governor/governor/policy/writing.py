"""A policy as the text of a file, as a person would write it."""

from collections.abc import Iterable
from typing import Any

import msgspec
import yaml

from governor.kueue.times import in_utc
from governor.policy.model import Alarms, Policy
from governor.policy.source import plain_value


def policy_text(policy: Policy, comments: Iterable[str] = ()) -> str:
    """YAML that reads back as the same policy; comments come first."""
    lines = [f"# {' '.join(comment.split())}" for comment in comments]
    lines += ["version: 1", f"cluster: {_scalar(policy.cluster)}"]
    if policy.on_delete != "Retain":
        lines.append(f"onDelete: {policy.on_delete}")
    if policy.addon is not None:
        lines.append(f"addon: {_flow(msgspec.to_builtins(policy.addon))}")
    if policy.cluster_policy is not None:
        content = msgspec.to_builtins(policy.cluster_policy)
        lines.append("clusterPolicy:" if content else "clusterPolicy: {}")
        lines += _fields(content, "  ")
    if policy.alarms is not None:
        lines.append(f"alarms: {_flow(_alarms(policy.alarms))}")
    lines.append("teams:" if policy.teams else "teams: []")
    for team in policy.teams:
        content = {"name": team.name, "quota": [], **msgspec.to_builtins(team)}
        if isinstance(team.alarms, Alarms):
            content["alarms"] = _alarms(team.alarms)
        name, *rest = _fields(content, "    ")
        lines += [f"  - {name.lstrip()}", *rest]
    return "\n".join(lines) + "\n"


def _alarms(alarms: Alarms) -> dict[str, Any]:
    """Times as a person writes them."""
    content: dict[str, Any] = msgspec.to_builtins(alarms)
    if alarms.borrowing is not None and alarms.borrowing.mute_until is not None:
        content["borrowing"]["muteUntil"] = in_utc(alarms.borrowing.mute_until)
    return content


def _fields(content: dict[str, Any], indent: str) -> list[str]:
    lines = []
    for key, value in content.items():
        if isinstance(value, list | tuple) and value:
            lines.append(f"{indent}{key}:")
            lines += [f"{indent}  - {_flow(item)}" for item in value]
        else:
            lines.append(f"{indent}{key}: {_flow(value)}")
    return lines


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """One scalar on one line, quoted where it would read as something else, such as a team named 1e3."""
    if isinstance(value, str):
        if not value.isprintable():
            return '"' + "".join(_escaped(char) for char in value) + '"'
        if plain_value(value) != value:
            return f"'{value}'"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1 << 30)
    return text.removesuffix("\n").removesuffix("\n...")


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    return char if char.isprintable() else f"\\U{ord(char):08X}"
