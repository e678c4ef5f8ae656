"""What an AWS error asks the caller to do: permanent, transient or conflict."""

import contextlib
import re
from collections.abc import Iterator

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own name
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)

from governor.errors import AccessError, ConflictError, GovernorError, NotFoundError, PermanentError, TransientError

_THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "SlowDown",
        "Throttled",
        "RequestThrottled",
    }
)
_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "NotAuthorized",
        "AuthorizationError",
        "AuthorizationErrorException",
        "403",  # HeadObject's answer has no body to say more
    }
)
_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z0-9]+)")
_BAD_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "AuthFailure",
    }
)


@contextlib.contextmanager
def mapped(doing: str) -> Iterator[None]:
    """Turn what boto3 raises into this package's errors; ``doing`` says what was tried, for a person."""
    try:
        yield
    except ClientError as error:
        raise _of_answer(error, doing) from error
    except (NoCredentialsError, PartialCredentialsError, TokenRetrievalError) as error:
        raise AccessError(
            f"{doing}: no usable AWS credentials ({error}); sign in, or set AWS_PROFILE or the AWS_* variables"
        ) from error
    except (NoRegionError, ProfileNotFound) as error:
        raise PermanentError(f"{doing}: {error}; set AWS_REGION and AWS_PROFILE to existing ones") from error
    except EndpointConnectionError as error:
        raise TransientError(f"{doing}: {error}; check the network, the Region and AWS_ENDPOINT_URL", 10.0) from error
    except (ConnectionError, HTTPClientError) as error:
        raise TransientError(f"{doing}: the connection failed ({error})") from error
    except BotoCoreError as error:
        raise PermanentError(f"{doing}: {error}") from error


def _of_answer(error: ClientError, doing: str) -> GovernorError:
    answer = error.response.get("Error", {})
    code, message = answer.get("Code", "Unknown"), answer.get("Message") or "no message"
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    request = error.response.get("ResponseMetadata", {}).get("RequestId", "")
    text = f"{doing}: {code}: {message}" + (f" (request {request})" if request else "")
    if code == "ConflictException":
        return ConflictError(text)
    if code in ("ResourceNotFound", "ResourceNotFoundException"):
        return NotFoundError(text)
    if code in _THROTTLED:
        return TransientError(f"{text}; the service throttles, try again in a minute", 20.0)
    if code in _DENIED:
        named = _ACTION.search(message)  # S3 asks about ListBucket in a GetObject, so the operation's name may mislead
        return AccessError(f"{text}; allow {named[1] if named else error.operation_name} to the caller's role")
    if code in _BAD_CREDENTIALS:
        return AccessError(f"{text}; sign in again")
    if code == "ResourceLimitExceeded":
        return PermanentError(f"{text}; ask AWS for a higher limit, or remove what is not needed")
    if status >= 500:
        return TransientError(text)
    return PermanentError(text)
