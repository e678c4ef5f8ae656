"""Errors, split by what the caller should do next.

GovernorError
├── PermanentError             tell the person; trying again changes nothing
│   ├── NotFoundError          what was named does not exist
│   └── AccessError            credentials missing, expired or not allowed
├── TransientError             try again after ``retry_after`` seconds
└── ConflictError              somebody else moved: read again, plan again
"""


class GovernorError(Exception):
    """Anything this package raises on purpose. The message is for a person."""


class PermanentError(GovernorError):
    """Trying again changes nothing until somebody changes the input or the account."""


class NotFoundError(PermanentError):
    """What was named does not exist (any more)."""


class AccessError(PermanentError):
    """The caller has no valid credentials, or is not allowed to do this."""


class TransientError(GovernorError):
    """Nothing is wrong with the input: try again after ``retry_after`` seconds."""

    def __init__(self, message: str, retry_after: float = 5.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ConflictError(GovernorError):
    """The resource is not as it was when it was read."""
