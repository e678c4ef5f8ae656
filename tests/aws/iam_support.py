"""Who may do what by the template, and roles of the deployed stack that lack something for a while."""

import copy
import functools
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from local.deployment import Deployment
from tests.support.cloudformation import listed, properties

Document = dict[str, Any]
ROLES = (
    "ReceivePolicyRole",
    "ApplyPolicyRole",
    "VerifyAddonRole",
    "PublishMetricsRole",
    "NotifyUsageRole",
    "CheckBuildRole",
)
HOLDING = frozenset({"", "InstallsAddon"})
"""The conditions of the template that are true of the deployment that is tested; "" for what is always there."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One action on one resource, allowed to a role by a statement. ``place`` is the resource as it is written."""

    role: str
    sid: str
    action: str
    place: str
    number: int
    """The position of the resource in the statement: what the deployed statement has there is the same."""
    condition: str = ""
    """The condition of the template under which the role has the statement; "" for always."""

    def __str__(self) -> str:
        return f"{self.role} {self.sid} {self.action} {self.place}"


def grants_of(role: str, said: Iterable[Mapping[str, Any]], condition: str = "") -> Iterator[Grant]:
    """Everything that statements allow, one action on one resource at a time."""
    for statement in said:
        if statement["Effect"] == "Allow":
            for action in listed(statement["Action"]):
                for number, place in enumerate(listed(statement["Resource"])):
                    yield Grant(role, statement["Sid"], action, _words(place), number, condition)


def _words(place: Any) -> str:
    """A resource in few words: `PoliciesBucket.Arn/policies/*`, `compute-quota/*`."""
    if isinstance(place, dict):
        (place,) = place.values()
    return str(place).rpartition("${AWS::AccountId}:")[2].replace("${", "").replace("}", "")


def statements(role: str) -> Iterator[tuple[str, Document]]:
    """The statements of a role of the template, each with the condition under which it is there."""
    for policy in properties("AWS::IAM::Role")[role]["Policies"]:
        around, document = _unless(policy)
        for statement in document["PolicyDocument"]["Statement"]:
            condition, said = _unless(statement)
            assert not (around and condition), f"{said['Sid']} of {role} depends on two conditions"
            yield around or condition, said


def _unless(written: Document) -> tuple[str, Document]:
    """What is written under a condition that leaves nothing otherwise; with "" what is always there."""
    condition, then, otherwise = written.get("Fn::If", ("", written, {"Ref": "AWS::NoValue"}))
    assert otherwise == {"Ref": "AWS::NoValue"}
    return condition, then


def grants() -> list[Grant]:
    """All that the template allows to its roles."""
    return [
        grant for role in ROLES for condition, said in statements(role) for grant in grants_of(role, [said], condition)
    ]


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


class Roles:
    """The roles of the deployed stack, by their names in the template."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment, self._iam = deployment, deployment.aws.client("iam")
        self.names = {role: deployment.aws.physical_id(role, deployment.stack) for role in ROLES}
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

    def assert_whole(self) -> None:
        """Every role has at the moment what it was deployed with."""
        for role, name in self.names.items():
            assert self._read(name) == self.documents[role]

    def document(self, role: str) -> Document:
        """The one policy that a role has."""
        (only,) = self.documents[role].values()
        return copy.deepcopy(only)

    def function(self, role: str) -> str:
        """The function that has the role."""
        return self._deployment.function(f"{role.removesuffix('Role')}Function")

    @contextmanager
    def without(self, role: str, sid: str, action: str) -> Iterator[Callable[[], list[Document]]]:
        """The role really lacks the action in this statement, for as long as the context lasts.

        The context's value tells what was denied so far for this very lack; at the end that must be something. Asked
        again, each such request is allowed under the whole policy and denied under the lesser one: what really happens
        and what is re-evaluated agree.
        """
        aws, name = self._deployment.aws, self.names[role]
        (policy,) = self.documents[role]
        whole = self.document(role)
        lesser = minus(whole, sid, action)

        def refused() -> list[Document]:
            return [each for each in aws.decisions(name) if each["action"] == action and not each["allowed"]]

        before = {each["id"]: each["count"] for each in refused()}

        def denied() -> list[Document]:
            return [each for each in refused() if each["count"] > before.get(each["id"], 0)]

        self._put(role, policy, lesser)
        try:
            yield denied
        finally:
            self._put(role, policy, whole)
        assert denied(), f"{role} did not ask for {action} while it was missing"
        for each in denied():
            assert aws.decide_again(each["id"], [whole]) == "Allow"
            assert aws.decide_again(each["id"], [lesser]) == "ImplicitDeny"

    def lines(self, role: str, *parts: str) -> list[str]:
        """What the function with this role has logged that says all of this."""
        logged = self._deployment.aws.logs(self.function(role)).splitlines()
        return [line for line in logged if all(part in line for part in parts)]

    @contextmanager
    def with_more(self, role: str, statement: Document) -> Iterator[None]:
        """The role has another policy beside its own, for as long as the context lasts."""
        self._put(role, "more", {"Version": "2012-10-17", "Statement": [statement]})
        try:
            yield
        finally:
            self._iam.delete_role_policy(RoleName=self.names[role], PolicyName="more")

    def _put(self, role: str, policy: str, document: Document) -> None:
        self._iam.put_role_policy(RoleName=self.names[role], PolicyName=policy, PolicyDocument=json.dumps(document))


_taking = threading.Lock()


def take(deployment: Deployment, url: str, about: str) -> str | None:
    """The body of a message that says this, which is taken out of the queue; None while there is none."""
    client = deployment.aws.client("sqs")
    with _taking:  # a receipt is good until somebody else receives the message
        answer = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        for message in answer.get("Messages", ()):
            if about in message["Body"]:
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                return str(message["Body"])
    return None


def denied_in(text: str, action: str) -> bool:
    """True when a text says that this action was not allowed."""
    return f"is not authorized to perform: {action} " in f"{text} "


def received(deployment: Deployment, key: str) -> dict[str, Any]:
    """What receive_policy answers to an event about an object; an error as Lambda reports it."""
    event = {"detail": {"bucket": {"name": deployment.policies}, "object": {"key": key}}}
    answer = deployment.aws.client("lambda").invoke(
        FunctionName=deployment.function("ReceivePolicyFunction"), Payload=json.dumps(event).encode()
    )
    payload: dict[str, Any] = json.loads(answer["Payload"].read())
    return payload
