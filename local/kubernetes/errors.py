"""The errors of the API, worded and detailed as kube-apiserver words them; each becomes a Status on the wire."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

JsonObject = dict[str, Any]

REASONS: Mapping[int, str] = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Expired",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


class ApiError(Exception):
    """A refusal; `details` is left out of the Status when it is None."""

    code: int = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(
        self, message: str, details: JsonObject | None = None, *, reason: str = "", metadata: JsonObject | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.reason = reason or REASONS[self.code]
        self.metadata = metadata or {}

    def status(self) -> JsonObject:
        """The body of the answer."""
        details = {} if self.details is None else {"details": self.details}
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            **details,
            "code": int(self.code),
        }


class BadRequestError(ApiError):
    code = HTTPStatus.BAD_REQUEST


class UnauthorizedError(ApiError):
    code = HTTPStatus.UNAUTHORIZED

    def __init__(self) -> None:
        super().__init__("Unauthorized")


class ForbiddenError(ApiError):
    code = HTTPStatus.FORBIDDEN


class NotFoundError(ApiError):
    """An object, or a resource of a built-in group, that is not there."""

    code = HTTPStatus.NOT_FOUND


class UnknownPathError(Exception):
    """What no part of the API answers: plain text, no Status."""


class MethodNotAllowedError(ApiError):
    code = HTTPStatus.METHOD_NOT_ALLOWED


class NotAcceptableError(ApiError):
    code = HTTPStatus.NOT_ACCEPTABLE


class ConflictError(ApiError):
    code = HTTPStatus.CONFLICT


class ExpiredError(ApiError):
    code = HTTPStatus.GONE


class TooLargeError(ApiError):
    code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedMediaTypeError(ApiError):
    code = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class InvalidError(ApiError):
    code = HTTPStatus.UNPROCESSABLE_ENTITY


class TooLargeVersionError(ApiError):
    code = HTTPStatus.GATEWAY_TIMEOUT


@dataclass(frozen=True, slots=True)
class GroupResource:
    """A resource as errors name it: `clusterqueues.kueue.x-k8s.io`, or `pods` in the core group."""

    group: str
    plural: str

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def details(self, name: str = "") -> JsonObject:
        """Those parts that are not empty, in the server's order."""
        parts = {"name": name, "group": self.group, "kind": self.plural}
        return {key: value for key, value in parts.items() if value}


def not_found(resource: GroupResource, name: str) -> NotFoundError:
    return NotFoundError(f'{resource} "{name}" not found', resource.details(name))


def unknown_resource() -> NotFoundError:
    """A path below a built-in group that stands for nothing."""
    return NotFoundError("the server could not find the requested resource", {})


def already_exists(resource: GroupResource, name: str) -> ConflictError:
    return ConflictError(f'{resource} "{name}" already exists', resource.details(name), reason="AlreadyExists")


def conflict(resource: GroupResource, name: str, why: str = "") -> ConflictError:
    told = why or "the object has been modified; please apply your changes to the latest version and try again"
    return ConflictError(f'Operation cannot be fulfilled on {resource} "{name}": {told}', resource.details(name))


def forbidden(resource: GroupResource, name: str, why: str) -> ForbiddenError:
    quoted = f' "{name}"' if name else ""
    return ForbiddenError(f"{resource}{quoted} is forbidden: {why}", resource.details(name))


def method_not_supported(resource: GroupResource, verb: str) -> MethodNotAllowedError:
    told = f'{verb} is not supported on resources of kind "{resource}"'
    return MethodNotAllowedError(told, {"group": resource.group, "kind": resource.plural})


@dataclass(frozen=True, slots=True)
class Cause:
    """One field that is not valid."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"


def invalid(group: str, kind: str, name: str, causes: Iterable[Cause]) -> InvalidError:
    listed = [{"reason": each.reason, "message": each.message, "field": each.field} for each in causes]
    told = [f"{each['field']}: {each['message']}" for each in listed]
    text = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
    details = {**GroupResource(group, kind).details(name), "causes": listed}
    return InvalidError(f'{GroupResource(group, kind)} "{name}" is invalid: {text}', details)


def too_large_version(asked: int, current: int) -> TooLargeVersionError:
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    details = {"causes": [cause], "retryAfterSeconds": 1}
    return TooLargeVersionError(f"Timeout: Too large resource version: {asked}, current: {current}", details)
