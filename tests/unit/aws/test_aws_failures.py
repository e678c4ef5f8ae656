"""Every error of the SDK asks the caller to do one of three things."""

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    ProfileNotFound,
    ReadTimeoutError,
)

from governor.aws.failures import mapped
from governor.aws.service_model import service_limits
from governor.errors import AccessError, ConflictError, GovernorError, NotFoundError, PermanentError, TransientError
from governor.policy import SHAPES


def answer(code: str, status: int = 400, message: str = "because") -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "RequestId": "r-1",
                "HostId": "",
                "HTTPHeaders": {},
                "RetryAttempts": 0,
            },
        },
        "UpdateComputeQuota",
    )


@pytest.mark.parametrize(
    ("error", "expected", "said"),
    [
        (answer("ConflictException"), ConflictError, "ConflictException: because (request r-1)"),
        (answer("ResourceNotFound"), NotFoundError, "because"),
        (answer("ThrottlingException"), TransientError, "the service throttles"),
        (answer("InternalFailure", 500), TransientError, "InternalFailure"),
        (answer("ServiceUnavailable", 503), TransientError, "ServiceUnavailable"),
        (answer("AccessDeniedException"), AccessError, "allow UpdateComputeQuota to the caller's role"),
        (answer("AuthorizationError", 403), AccessError, "allow UpdateComputeQuota"),
        (answer("403", 403), AccessError, "allow UpdateComputeQuota"),
        (
            answer("AccessDenied", 403, "User: x is not authorized to perform: s3:ListBucket on resource: y"),
            AccessError,
            "allow s3:ListBucket to the caller's role",
        ),
        (answer("SlowDown", 503), TransientError, "the service throttles"),
        (answer("ExpiredTokenException"), AccessError, "sign in again"),
        (answer("ResourceLimitExceeded"), PermanentError, "higher limit"),
        (answer("ValidationException"), PermanentError, "ValidationException: because"),
        (NoCredentialsError(), AccessError, "no usable AWS credentials"),
        (NoRegionError(), PermanentError, "set AWS_REGION"),
        (ProfileNotFound(profile="x"), PermanentError, "x"),
        (EndpointConnectionError(endpoint_url="http://x"), TransientError, "check the network"),
        (ConnectTimeoutError(endpoint_url="http://x"), TransientError, "the connection failed"),
        (ReadTimeoutError(endpoint_url="http://x"), TransientError, "the connection failed"),
        (ParamValidationError(report="bad"), PermanentError, "bad"),
    ],
)
def test_errors_become_what_the_caller_does_next(error: Exception, expected: type[GovernorError], said: str) -> None:
    with pytest.raises(GovernorError) as caught, mapped("UpdateComputeQuota 'vision-quota'"):
        raise error

    assert type(caught.value) is expected
    assert str(caught.value).startswith("UpdateComputeQuota 'vision-quota': ")
    assert said in str(caught.value)


def test_what_is_no_error_of_the_sdk_passes() -> None:
    with pytest.raises(ZeroDivisionError), mapped("anything"):
        raise ZeroDivisionError


def test_every_limit_is_in_botocores_model() -> None:
    limits = service_limits()

    assert set(limits) == set(SHAPES)
    assert len(limits["ClusterInstanceType"].values) >= 209
    assert (limits["BorrowLimit"].minimum, limits["BorrowLimit"].maximum) == (0, 10000)
    assert limits["ComputeQuotaResourceConfigList"].maximum == 15
