"""Parameters, variables, rules, outputs and the dashboard of the template."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from governor.settings import (
    addon_settings_from,
    function_settings_from,
    notify_settings_from,
    settings_from,
    usage_settings_from,
)
from tests.support.cloudformation import Json, mentions, properties, template
from tests.support.pages import page

TEMPLATE = template()
PARAMETERS = TEMPLATE["Parameters"]
FUNCTIONS, QUEUES = properties("AWS::Serverless::Function"), properties("AWS::SQS::Queue")
DEPLOYMENT_PAGE = page("deployment")


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_is_described_constrained_grouped_used_and_documented(name: str) -> None:
    parameter = PARAMETERS[name]
    assert len(parameter["Description"]) > 15
    assert {"AllowedValues", "AllowedPattern", "MinValue"} & set(parameter)
    if "AllowedPattern" in parameter:
        assert parameter["ConstraintDescription"]
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert [name for group in groups for each in group["Parameters"] if each == name] == [name]
    used = {key: value for key, value in TEMPLATE.items() if key not in ("Parameters", "Metadata")}
    assert mentions(used, name)
    assert f"| `{name}` |" in DEPLOYMENT_PAGE


def test_outputs_are_described() -> None:
    assert all(output["Description"] for output in TEMPLATE["Outputs"].values())


def test_the_template_sets_every_variable_that_the_functions_read_and_no_other() -> None:
    of_the_command_line = {"GOVERNOR_STATE_DIR"}
    every_function_reads = (function_settings_from, settings_from, addon_settings_from)
    assert _told(TEMPLATE["Globals"]["Function"]) == _read_by(*every_function_reads) - of_the_command_line
    for name, function in FUNCTIONS.items():
        own = {"PublishMetricsFunction": (usage_settings_from,), "NotifyUsageFunction": (notify_settings_from,)}
        assert _told(function) == _read_by(*own.get(name, ())), name


def _told(function: Json) -> set[str]:
    return {name for name in function.get("Environment", {}).get("Variables", {}) if name.startswith("GOVERNOR_")}


def _read_by(*readers: Callable[[Mapping[str, str]], object]) -> set[str]:
    """The names of the variables that are asked for."""
    read: set[str] = set()

    class Asked(dict[str, str]):
        def get(self, key: str, default: Any = None) -> Any:
            read.add(key)
            words = {"GOVERNOR_OVERCOMMIT": "error", "GOVERNOR_ADDON_INSTALL": "Install"}
            words |= {"GOVERNOR_ADDON_RESOLVE_CONFLICTS": "NONE", "GOVERNOR_KUBERNETES_CHECKS": "Required"}
            words |= {"GOVERNOR_METRICS_DETAIL": "Flavor"}
            return words.get(key, "1" if "BUCKET" in key or "URL" in key else default or "1")

    for reader in readers:
        reader(Asked())
    return {name for name in read if name.startswith("GOVERNOR_")}


def test_the_dashboard_is_json_and_shows_every_verdict_and_queue() -> None:
    (board,) = properties("AWS::CloudWatch::Dashboard").values()
    text = board["DashboardBody"]["Fn::Sub"]
    shown = json.dumps(json.loads(re.sub(r"\$\{[^}]+\}", "x", text)))
    for verdict in ("Applied", "Unchanged", "InProgress", "Waiting", "Held", "Rejected", "Failed", "Released"):
        assert f'"{verdict}"' in shown
    for queue in QUEUES:
        assert "${" + queue + ".QueueName}" in text


@pytest.mark.parametrize(
    ("given", "refused_by"),
    [
        ({}, set()),
        ({"ReservedConcurrency": "1"}, {"AQueueNeedsAConcurrencyOfTwo"}),
        ({"ReservedConcurrency": "2"}, set()),
        ({"SubnetIds": "subnet-0a"}, {"SubnetsNeedSecurityGroups"}),
        ({"SecurityGroupIds": "sg-0a"}, {"SecurityGroupsNeedSubnets"}),
        ({"SubnetIds": "subnet-0a", "SecurityGroupIds": "sg-0a"}, set()),
    ],
)
def test_parameters_that_do_not_fit_together_are_refused(given: dict[str, str], refused_by: set[str]) -> None:
    values = {name: str(each.get("Default", "")) for name, each in PARAMETERS.items()} | given
    assert {name for name, rule in TEMPLATE["Rules"].items() if not _holds(rule, values)} == refused_by


def _holds(rule: Json, values: Mapping[str, str]) -> bool:
    if "RuleCondition" in rule and not _true(rule["RuleCondition"], values):
        return True
    return all(_true(each["Assert"], values) for each in rule["Assertions"])


def _true(condition: Json, values: Mapping[str, str]) -> bool:
    """The functions that the template's rules are made of."""
    ((function, parts),) = condition.items()
    if function == "Fn::Not":
        return not _true(parts[0], values)
    assert function == "Fn::Equals"
    one, other = (values[part["Ref"]] if isinstance(part, dict) else part for part in parts)
    return bool(one == other)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("MetricsNamespace", ["HyperPod/TaskGovernance", "a", "x" * 255], ["", "AWS/EC2", 'a"b', "a b", "x" * 256]),
        ("SubnetIds", ["", "subnet-0a,subnet-1b"], ["subnet-", "sg-0a", "subnet-0a,"]),
        ("SecurityGroupIds", ["", "sg-0a"], ["subnet-0a", "sg-0a, sg-1b"]),
    ],
)
def test_a_pattern_lets_through_what_it_should_and_nothing_else(name: str, good: list[str], bad: list[str]) -> None:
    pattern = PARAMETERS[name]["AllowedPattern"]
    assert [each for each in good if not re.fullmatch(pattern, each)] == []
    assert [each for each in bad if re.fullmatch(pattern, each)] == []
    assert re.fullmatch(pattern, PARAMETERS[name]["Default"])


def test_without_usage_nothing_is_invoked_every_minute_and_nobody_waits_for_it() -> None:
    assert TEMPLATE["Conditions"]["PublishesUsage"] == {"Fn::Equals": [{"Ref": "PublishUsage"}, "Enabled"]}
    rule = TEMPLATE["Resources"]["PublishMetricsRule"]["Properties"]
    assert rule["State"] == {"Fn::If": ["PublishesUsage", "ENABLED", "DISABLED"]}
    assert TEMPLATE["Resources"]["UsageSilentAlarm"]["Condition"] == "PublishesUsage"
    minutes, datapoints = PARAMETERS["UsageAlarmMinutes"], PARAMETERS["UsageAlarmDatapoints"]
    assert datapoints["Default"] <= minutes["Default"]
    assert minutes["MaxValue"] <= 180  # an alarm on a query sees three hours
