"""The errors an operation can answer with, by the exact codes of the service.

Modelled by SageMaker: ConflictException, ResourceLimitExceeded, ResourceNotFound. Common to all AWS JSON
services: ValidationException, ThrottlingException, AccessDeniedException and the failures of the service.
"""

from http import HTTPStatus


class ApiError(Exception):
    """An error answer: code, message and HTTP status as they go over the wire."""

    def __init__(self, code: str, message: str, http_status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.http_status = int(http_status)


def conflict(message: str) -> ApiError:
    return ApiError("ConflictException", message)


def not_found(message: str) -> ApiError:
    return ApiError("ResourceNotFound", message)


def limit_exceeded(message: str) -> ApiError:
    return ApiError("ResourceLimitExceeded", message)


def validation(message: str) -> ApiError:
    return ApiError("ValidationException", message)


def throttled() -> ApiError:
    return ApiError("ThrottlingException", "Rate exceeded")


def access_denied(message: str) -> ApiError:
    return ApiError("AccessDeniedException", message)


def unauthorized_operation(message: str) -> ApiError:
    """EC2's name for it."""
    return ApiError("UnauthorizedOperation", message, HTTPStatus.FORBIDDEN)


def contract_violation(message: str) -> ApiError:
    """Not an AWS code: a request or an answer that the service model does not allow."""
    return ApiError("ContractViolation", message, HTTPStatus.INTERNAL_SERVER_ERROR)
