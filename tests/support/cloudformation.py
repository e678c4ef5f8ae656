"""The template as data: CloudFormation's short forms read as what they stand for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
Json = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """YAML with !Ref, !Sub, !GetAtt and the rest."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> Json:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def template() -> Json:
    """template.yaml."""
    loaded: Json = yaml.load((ROOT / "template.yaml").read_text(), _Loader)
    return loaded


def resources(kind: str) -> dict[str, Json]:
    """The resources of one type, by logical id."""
    return {name: each for name, each in template()["Resources"].items() if each["Type"] == kind}


def properties(kind: str) -> dict[str, Json]:
    """Their properties."""
    return {name: each.get("Properties", {}) for name, each in resources(kind).items()}


def mentions(value: Any, logical_id: str) -> bool:
    """True when a value refers to a resource or a parameter."""
    if isinstance(value, dict):
        if value.get("Ref") == logical_id:
            return True
        got = value.get("Fn::GetAtt")
        if got is not None and (got if isinstance(got, str) else ".".join(got)).split(".")[0] == logical_id:
            return True
        text = value.get("Fn::Sub")
        if isinstance(text, str) and ("${" + logical_id + "}" in text or "${" + logical_id + "." in text):
            return True
        return any(mentions(each, logical_id) for each in value.values())
    return isinstance(value, list) and any(mentions(each, logical_id) for each in value)


def statements(policy: Json) -> list[Json]:
    """The statements of a policy document, with those that a parameter asks for."""
    return [each["Fn::If"][1] if "Fn::If" in each else each for each in policy["Statement"]]


def listed(value: Any) -> list[Any]:
    """One value or several, as several."""
    return value if isinstance(value, list) else [value]


def roles() -> dict[str, list[Json]]:
    """The statements of each role, by logical id, but for those that depend on a parameter."""
    return {
        name: [
            each
            for policy in role["Policies"]
            if "Fn::If" not in policy
            for each in statements(policy["PolicyDocument"])
        ]
        for name, role in properties("AWS::IAM::Role").items()
    }


def in_a_vpc() -> dict[str, list[Json]]:
    """The statements that a role has beside these when the functions are in a VPC."""
    return {
        name: statements(policy["Fn::If"][1]["PolicyDocument"])
        for name, role in properties("AWS::IAM::Role").items()
        for policy in role["Policies"]
        if policy.get("Fn::If", [""])[0] == "InVpc"
    }


def depending_on(condition: str) -> list[Json]:
    """The statements of all roles that are there only under a condition."""
    return [
        each["Fn::If"][1]
        for role in properties("AWS::IAM::Role").values()
        for policy in role["Policies"]
        if "Fn::If" not in policy
        for each in policy["PolicyDocument"]["Statement"]
        if each.get("Fn::If", [""])[0] == condition
    ]


def granted(role: str) -> set[str]:
    """The actions that a role may do."""
    return {action for each in roles()[role] if each["Effect"] == "Allow" for action in listed(each["Action"])}


def resource_policies() -> Iterator[tuple[str, Json]]:
    """Policies on resources, each statement with the logical id of the policy."""
    for kind in ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"):
        for name, each in properties(kind).items():
            for statement in statements(each["PolicyDocument"]):
                yield name, statement
    for name, key in properties("AWS::KMS::Key").items():
        for statement in statements(key["KeyPolicy"]):
            yield name, statement
