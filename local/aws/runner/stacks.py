"""Where CloudFormation does otherwise than MiniStack."""

from collections.abc import Callable
from typing import Any

from ministack.services import iam, s3
from ministack.services.cloudformation import provisioners

from local.aws.runner.patching import Function
from local.aws.runner.settings import RunnerSettings

Properties = dict[str, Any]


def keep_full_buckets(_: RunnerSettings) -> None:
    """A bucket that holds objects or versions cannot be deleted, and the stack's deletion fails.

    MiniStack takes them with it, so that a stack without DeletionPolicy would look as if it could be removed.
    """

    def careful(delete: Function) -> Function:
        def deleted(name: str, properties: Properties) -> None:
            bucket = s3._buckets.get(name) or {"objects": {}}
            if bucket["objects"] or s3._bucket_has_versions(name):
                raise ValueError(f"The bucket you tried to delete is not empty: {name}")
            delete(name, properties)

        return deleted

    _around_handler("AWS::S3::Bucket", "delete", careful)


def give_functions_strings(_: RunnerSettings) -> None:
    """Variables of a function are strings; MiniStack hands on the number of a Number parameter and starts nothing."""

    def with_strings(handler: Function) -> Function:
        return lambda *arguments: handler(*map(_stringed, arguments))

    for operation in ("create", "update"):
        _around_handler("AWS::Lambda::Function", operation, with_strings)


def set_boundaries(_: RunnerSettings) -> None:
    """A role gets the permissions boundary of its template, which MiniStack leaves out."""

    def bounded(create: Function) -> Function:
        def created(logical_id: str, properties: Properties, *rest: Any) -> Any:
            answer = create(logical_id, properties, *rest)
            _bound(answer[0], properties)
            return answer

        return created

    def rebounded(update: Function) -> Function:
        def updated(name: str, old: Properties, new: Properties, *rest: Any) -> Any:
            answer = update(name, old, new, *rest)
            _bound(answer[0] if isinstance(answer, tuple) else name, new)
            return answer

        return updated

    _around_handler("AWS::IAM::Role", "create", bounded)
    _around_handler("AWS::IAM::Role", "update", rebounded)


def _bound(role: str, properties: Properties) -> None:
    iam._roles[role]["PermissionsBoundary"] = properties.get("PermissionsBoundary")


def _stringed(argument: Any) -> Any:
    if not isinstance(argument, dict) or "Environment" not in argument:
        return argument
    variables = argument["Environment"].get("Variables") or {}
    return {**argument, "Environment": {"Variables": {name: _text(value) for name, value in variables.items()}}}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _around_handler(kind: str, operation: str, make: Callable[[Function], Function]) -> None:
    handlers = provisioners._RESOURCE_HANDLERS[kind]
    handlers[operation] = make(handlers[operation])
