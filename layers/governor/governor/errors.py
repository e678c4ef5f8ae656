"""Errors, split by what the caller should do next.

GovernorError
├── PermanentError             tell the person; trying again changes nothing
│   ├── TooManyError           a list has more items than anything real has
│   ├── NotFoundError          what was named does not exist
│   │   └── NotInstalledError  a Kubernetes API that is not there at all: its definitions are not installed
│   └── AccessError            credentials missing, expired or not allowed
│       ├── UnauthorizedError  a Kubernetes API does not know the caller
│       └── ForbiddenError     a Kubernetes API knows the caller, who may not do this
├── TransientError             try again after ``retry_after`` seconds
│   └── UnreachableError       a Kubernetes API did not answer: name, network, time or TLS
└── ConflictError              somebody else moved: read again, plan again
"""


class GovernorError(Exception):
    """Anything this package raises on purpose. The message is for a person."""


class PermanentError(GovernorError):
    """Trying again changes nothing until somebody changes the input or the account."""


class NotFoundError(PermanentError):
    """What was named does not exist (any more)."""


class NotInstalledError(NotFoundError):
    """A Kubernetes API serves no such group or resource: what defines it is not installed."""


class TooManyError(PermanentError):
    """A list has more items than a caller takes."""


class AccessError(PermanentError):
    """The caller has no valid credentials, or is not allowed to do this."""


class UnauthorizedError(AccessError):
    """A Kubernetes API does not know the caller: no access entry, expired credentials, or a wrong clock."""


class ForbiddenError(AccessError):
    """A Kubernetes API knows the caller, who may not do this; ``namespace`` is "" for the whole cluster."""

    def __init__(self, message: str, verb: str, resource: str, group: str = "", namespace: str = "") -> None:
        super().__init__(message)
        self.verb, self.resource, self.group, self.namespace = verb, resource, group, namespace


class TransientError(GovernorError):
    """Nothing is wrong with the input: try again after ``retry_after`` seconds."""

    def __init__(self, message: str, retry_after: float = 5.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnreachableError(TransientError):
    """A Kubernetes API did not answer: its name, the network, time or TLS."""


class ConflictError(GovernorError):
    """The resource is not as it was when it was read."""
