"""Who may do what by the template, and roles of the deployed stack that lack something for a while."""

import copy
import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Self

import yaml

from local.deployment import Deployment
from local.hyperpod.client import ROOT

Document = dict[str, Any]
_ROLES = ("ReceivePolicyRole", "ApplyPolicyRole", "CheckBuildRole")


@dataclass(frozen=True, slots=True)
class Grant:
    """One action on one resource, allowed to a role by a statement; ``place`` is the resource as the template has it."""

    role: str
    sid: str
    action: str
    place: str
    number: int
    """The position of the resource in the statement: what the deployed statement has there is the same."""

    def __str__(self) -> str:
        return f"{self.role} {self.sid} {self.action} {self.place}"


class _Loader(yaml.SafeLoader):
    """CloudFormation's short forms as text: `!GetAtt A.Arn` is `${A.Arn}`."""

    def short(self, name: str, node: yaml.Node) -> Any:
        if isinstance(node, yaml.SequenceNode):
            return self.construct_sequence(node, deep=True)
        if isinstance(node, yaml.MappingNode):
            return self.construct_mapping(node, deep=True)
        assert isinstance(node, yaml.ScalarNode)
        return f"${{{node.value}}}" if name in ("Ref", "GetAtt") else node.value


_Loader.add_multi_constructor("!", _Loader.short)


@functools.cache
def template() -> Document:
    """The template that is deployed, with short forms as text."""
    read: Document = yaml.load((ROOT / "template.yaml").read_text(), _Loader)  # noqa: S506 - a SafeLoader
    return read


def grants_of(role: str, statements: Iterable[Mapping[str, Any]]) -> Iterator[Grant]:
    """Everything that statements allow, one action on one resource at a time."""
    for statement in statements:
        if statement["Effect"] == "Allow":
            for action in listed(statement["Action"]):
                for number, place in enumerate(listed(statement["Resource"])):
                    short = place.rpartition("${AWS::AccountId}:")[2].replace("${", "").replace("}", "")
                    yield Grant(role, statement["Sid"], action, short, number)


def roles_of_template() -> dict[str, list[Document]]:
    """The statements of every role of the template."""
    return {
        name: [
            statement
            for policy in resource["Properties"].get("Policies", ())
            for statement in policy["PolicyDocument"]["Statement"]
        ]
        for name, resource in template()["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
    }


def grants() -> list[Grant]:
    """All that the template's roles are allowed."""
    return [grant for role, statements in roles_of_template().items() for grant in grants_of(role, statements)]


def listed(value: Any) -> list[Any]:
    """One or several, as a list."""
    return list(value) if isinstance(value, list) else [value]


def minus(document: Document, sid: str, action: str, number: int | None = None) -> Document:
    """A policy without an action in a statement; with ``number``, without it on this one of the resources."""
    kept: list[Document] = []
    for statement in document["Statement"]:
        if statement.get("Sid") != sid:
            kept.append(statement)
            continue
        actions, places = listed(statement["Action"]), listed(statement["Resource"])
        assert action in actions
        others = [each for each in actions if each != action]
        elsewhere = [] if number is None else [place for at, place in enumerate(places) if at != number]
        if others:
            kept.append({**statement, "Action": others})
        if elsewhere:
            kept.append({**statement, "Sid": f"{sid}Elsewhere", "Action": action, "Resource": elsewhere})
    return {**document, "Statement": kept}


def matches(decision: Mapping[str, Any], action: str, pattern: str) -> bool:
    """True for a request of this action on a resource that the pattern of a statement names."""
    return decision["action"] == action and fnmatchcase(decision["resource"], pattern.replace("[", "[[]"))


class Roles:
    """The roles of the deployed stack, by their names in the template."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment, self._iam = deployment, deployment.aws.client("iam")
        self.names = {role: deployment.aws.physical_id(role, deployment.stack) for role in _ROLES}
        self.documents = {role: self._read(name) for role, name in self.names.items()}

    @classmethod
    @functools.cache
    def of(cls, deployment: Deployment) -> Self:
        """As they were deployed: read once, because the roles lack something at times."""
        return cls(deployment)

    def _read(self, name: str) -> dict[str, Document]:
        """Every inline policy of a role; there is no other kind."""
        assert self._iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
        policies = self._iam.list_role_policies(RoleName=name)["PolicyNames"]
        return {
            policy: self._iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in policies
        }

    def statement(self, role: str, sid: str) -> Document:
        """A deployed statement."""
        (found,) = [
            statement
            for document in self.documents[role].values()
            for statement in document["Statement"]
            if statement["Sid"] == sid
        ]
        return dict(found)

    def document(self, role: str) -> Document:
        """The one policy that a role has."""
        (only,) = self.documents[role].values()
        return copy.deepcopy(only)

    def function(self, role: str) -> str:
        """The function that has the role."""
        return self._deployment.function(f"{role.removesuffix('Role')}Function")

    @contextmanager
    def without(self, role: str, sid: str, action: str) -> Iterator[None]:
        """The role really lacks the action in this statement, for as long as the context lasts."""
        (policy,) = self.documents[role]
        self._put(role, policy, minus(self.document(role), sid, action))
        try:
            yield
        finally:
            self._put(role, policy, self.document(role))

    @contextmanager
    def with_more(self, role: str, statement: Document) -> Iterator[None]:
        """The role has another policy beside its own, for as long as the context lasts."""
        self._put(role, "more", {"Version": "2012-10-17", "Statement": [statement]})
        try:
            yield
        finally:
            self._iam.delete_role_policy(RoleName=self.names[role], PolicyName="more")

    def _put(self, role: str, policy: str, document: Document) -> None:
        self._iam.put_role_policy(
            RoleName=self.names[role], PolicyName=policy, PolicyDocument=json.dumps(document)
        )


def messages(deployment: Deployment, output: str) -> list[dict[str, Any]]:
    """The messages of a queue, looked at without taking them."""
    answer = deployment.aws.client("sqs").receive_message(
        QueueUrl=deployment.outputs[output], MaxNumberOfMessages=10, VisibilityTimeout=0
    )
    found: list[dict[str, Any]] = answer.get("Messages", [])
    return found


def take(deployment: Deployment, output: str, about: str) -> str | None:
    """The body of a message that says this, which is taken out of the queue; None while there is none."""
    for message in messages(deployment, output):
        if about in message["Body"]:
            deployment.aws.client("sqs").delete_message(
                QueueUrl=deployment.outputs[output], ReceiptHandle=message["ReceiptHandle"]
            )
            return str(message["Body"])
    return None


def received(deployment: Deployment, key: str) -> dict[str, Any]:
    """What receive_policy answers to an event about an object; an error as Lambda reports it."""
    event = {"detail": {"bucket": {"name": deployment.policies}, "object": {"key": key}}}
    answer = deployment.aws.client("lambda").invoke(
        FunctionName=deployment.function("ReceivePolicyFunction"), Payload=json.dumps(event).encode()
    )
    payload: dict[str, Any] = json.loads(answer["Payload"].read())
    return payload
