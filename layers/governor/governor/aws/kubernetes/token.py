"""The bearer token of an EKS cluster: a signed call of STS, which only the cluster's control plane ever makes."""

import base64
import functools
import re
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.loaders
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import NoCredentialsError

from governor.aws.failures import mapped

PREFIX = "k8s-aws-v1."
KEPT = timedelta(minutes=10)
"""STS takes the call for fifteen minutes after it was signed; the rest is for clocks that differ."""
_BEFORE_EXPIRY = timedelta(seconds=30)
"""How long before its credentials end a token is not used any more."""
_EXPIRES = 60
"""Seconds that the URL says it is good for, as EKS demands."""


class Token:
    """A token; nothing but ``value`` shows it."""

    __slots__ = ("_credentials", "_ends", "_signed", "value")

    def __init__(self, value: str, credentials: ReadOnlyCredentials, signed: datetime, ends: datetime) -> None:
        self.value = value
        self._credentials, self._signed, self._ends = credentials, signed, ends

    def __repr__(self) -> str:
        return f"{PREFIX}…"

    def is_good(self, credentials: ReadOnlyCredentials, now: datetime) -> bool:
        """True while neither its time nor its credentials have ended. A clock that was set back ends it too."""
        return self._credentials == credentials and self._signed <= now < self._ends


def _now() -> datetime:
    return datetime.now(UTC)


class Tokens:
    """The tokens of a session, by cluster. Signing takes no call; refreshing the session's credentials may."""

    def __init__(self, session: boto3.Session, region: str, now: Callable[[], datetime] = _now) -> None:
        self._session, self._region, self._now = session, region, now
        self._kept: dict[str, Token] = {}
        self._lock = threading.Lock()

    def token(self, cluster: str) -> Token:
        """A token for an EKS cluster by its name; AccessError without credentials."""
        with self._lock, mapped("reading the AWS credentials"):
            credentials = self._session.get_credentials()
            if credentials is None:
                raise NoCredentialsError
            frozen, now = credentials.get_frozen_credentials(), self._now()
            kept = self._kept.get(cluster)
            if kept is None or not kept.is_good(frozen, now):
                kept = self._kept[cluster] = self._signed(cluster, frozen, now, _expiry(credentials))
            return kept

    def forget(self, cluster: str) -> None:
        """Sign anew the next time."""
        with self._lock:
            self._kept.pop(cluster, None)

    def _signed(self, cluster: str, credentials: ReadOnlyCredentials, now: datetime, expiry: datetime | None) -> Token:
        url = presigned(cluster, self._region, credentials)
        text = PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
        ends = now + KEPT if expiry is None else min(now + KEPT, expiry - _BEFORE_EXPIRY)
        return Token(text, credentials, now, ends)


def _expiry(credentials: Any) -> datetime | None:
    """When credentials end, as far as they know; the SDK has no public name for it."""
    found = getattr(credentials, "_expiry_time", None)
    return found if isinstance(found, datetime) else None


def presigned(cluster: str, region: str, credentials: ReadOnlyCredentials) -> str:
    """GetCallerIdentity at the Region's own STS, signed for one cluster.

    Neither AWS_ENDPOINT_URL nor a FIPS or global endpoint plays a part: the control plane takes regional hosts only.
    """
    url = f"https://{sts_host(region)}/?Action=GetCallerIdentity&Version=2011-06-15"
    request = AWSRequest(method="GET", url=url, headers={"x-k8s-aws-id": cluster})
    SigV4QueryAuth(credentials, "sts", region, expires=_EXPIRES).add_auth(request)
    return str(request.url)


def sts_host(region: str) -> str:
    """The Region's own host of STS: its end differs by partition."""
    for partition in _partitions():
        if region in partition["regions"] or re.match(partition["regionRegex"], region):
            return f"sts.{region}.{partition['outputs']['dnsSuffix']}"
    return f"sts.{region}.amazonaws.com"


@functools.cache
def _partitions() -> Iterable[dict[str, Any]]:
    return tuple(botocore.loaders.create_loader().load_data("partitions")["partitions"])
