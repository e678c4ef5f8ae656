"""The token is what EKS wants, signed as AWS's rules say, and not kept a moment too long."""

import base64
import hashlib
import hmac
import logging
import urllib.parse
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.auth
import botocore.session
import pytest
from botocore.credentials import Credentials, ReadOnlyCredentials, RefreshableCredentials
from hypothesis import given
from hypothesis import strategies as st

from governor.aws.kubernetes.token import KEPT, PREFIX, Tokens, presigned, sts_host
from governor.errors import AccessError

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
ACCESS_KEY, SECRET_KEY = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


class Clock:
    """The time of the package and of botocore's signer."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self, remove_tzinfo: bool = False) -> datetime:
        return self.now.replace(tzinfo=None) if remove_tzinfo else self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(botocore.auth, "get_current_datetime", clock)
    return clock


class Session(boto3.Session):
    """A session with these credentials."""

    def __init__(self, credentials: Any) -> None:
        super().__init__(region_name="us-west-2")
        self.credentials = credentials

    def get_credentials(self) -> Any:
        return self.credentials


def url_of(token: str) -> str:
    text = token.removeprefix(PREFIX)
    assert "=" not in text
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()


def signature(query: dict[str, str], host: str, cluster: str, secret: str) -> str:
    """AWS Signature Version 4 of a presigned GET, from its description."""

    def keyed(key: bytes, text: str) -> bytes:
        return hmac.new(key, text.encode(), hashlib.sha256).digest()

    date, region, service, end = query["X-Amz-Credential"].split("/")[1:]
    signed = {name: value for name, value in query.items() if name != "X-Amz-Signature"}
    pairs = sorted(
        (urllib.parse.quote(name, safe="-_.~"), urllib.parse.quote(value, safe="-_.~"))
        for name, value in signed.items()
    )
    canonical = "\n".join(
        [
            "GET",
            "/",
            "&".join(f"{name}={value}" for name, value in pairs),
            f"host:{host}",
            f"x-k8s-aws-id:{cluster}",
            "",
            "host;x-k8s-aws-id",
            hashlib.sha256(b"").hexdigest(),
        ]
    )
    scope = f"{date}/{region}/{service}/{end}"
    text = "\n".join(["AWS4-HMAC-SHA256", query["X-Amz-Date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, end):
        key = keyed(key, part)
    return keyed(key, text).hex()


@given(
    cluster=st.from_regex(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}", fullmatch=True),
    region=st.sampled_from(["us-west-2", "eu-south-2", "cn-north-1", "us-gov-west-1"]),
    session_token=st.none() | st.text("ABCdef012/+=", min_size=1, max_size=200),
)
def test_it_is_signed_as_the_rules_say(cluster: str, region: str, session_token: str | None) -> None:
    credentials = ReadOnlyCredentials(ACCESS_KEY, SECRET_KEY, session_token)
    url = urllib.parse.urlsplit(presigned(cluster, region, credentials))
    query = dict(urllib.parse.parse_qsl(url.query, strict_parsing=True))

    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    assert (url.scheme, url.netloc, url.path) == ("https", f"sts.{region}.{suffix}", "/")
    assert query["X-Amz-Signature"] == signature(query, url.netloc, cluster, SECRET_KEY)
    assert query["X-Amz-Credential"].endswith(f"/{region}/sts/aws4_request")
    told = {name: query[name] for name in ("Action", "Version", "X-Amz-Expires", "X-Amz-SignedHeaders")}
    assert told == {
        "Action": "GetCallerIdentity",
        "Version": "2011-06-15",
        "X-Amz-Expires": "60",
        "X-Amz-SignedHeaders": "host;x-k8s-aws-id",
    }
    assert query.get("X-Amz-Security-Token") == session_token


def test_an_endpoint_of_the_environment_plays_no_part(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"):
        monkeypatch.setenv(name, "http://127.0.0.1:4566")
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    token = Tokens(Session(Credentials(ACCESS_KEY, SECRET_KEY)), "us-east-1", clock).token("research")
    assert url_of(token.value).startswith("https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&")


def test_a_region_that_is_newer_than_the_sdk_is_matched_by_its_name() -> None:
    assert sts_host("us-west-99") == "sts.us-west-99.amazonaws.com"
    assert sts_host("cn-east-9") == "sts.cn-east-9.amazonaws.com.cn"
    assert sts_host("elsewhere") == "sts.elsewhere.amazonaws.com"


def test_it_is_kept_for_ten_minutes_per_cluster(clock: Clock) -> None:
    tokens = Tokens(Session(Credentials(ACCESS_KEY, SECRET_KEY)), "us-west-2", clock)
    first = tokens.token("research")
    clock.now += KEPT - timedelta(seconds=1)
    assert tokens.token("research") is first
    assert tokens.token("vision").value != first.value
    clock.now += timedelta(seconds=1)
    second = tokens.token("research")
    assert "X-Amz-Date=20261124T121000Z" in url_of(second.value)
    tokens.forget("research")
    assert tokens.token("research") is not second


def test_a_clock_that_is_set_back_ends_it(clock: Clock) -> None:
    tokens = Tokens(Session(Credentials(ACCESS_KEY, SECRET_KEY)), "us-west-2", clock)
    first = tokens.token("research")
    clock.now -= timedelta(seconds=1)
    assert tokens.token("research") is not first


def test_it_ends_with_the_credentials_that_it_was_signed_with(clock: Clock) -> None:
    session = Session(Credentials(ACCESS_KEY, SECRET_KEY))
    tokens = Tokens(session, "us-west-2", clock)
    first = tokens.token("research")
    session.credentials = Credentials("AKIDOTHER", "secret", "session")
    assert "AKIDOTHER" in url_of(tokens.token("research").value)
    assert tokens.token("research") is not first


def test_it_ends_before_credentials_that_know_their_end(clock: Clock) -> None:
    def refreshed() -> dict[str, str]:
        ends = (NOW + timedelta(minutes=5)).isoformat()
        return {"access_key": "AKID", "secret_key": "secret", "token": "session", "expiry_time": ends}

    # For the SDK these five minutes would do until the very end: it would keep the keys that it got.
    credentials: Any = RefreshableCredentials.create_from_metadata(
        refreshed(),
        refreshed,
        "test",
        advisory_timeout=0,
        mandatory_timeout=0,
    )
    credentials._time_fetcher = clock
    tokens = Tokens(Session(credentials), "us-west-2", clock)
    first = tokens.token("research")
    clock.now += timedelta(minutes=4, seconds=29)
    assert tokens.token("research") is first
    clock.now += timedelta(seconds=1)
    assert tokens.token("research") is not first


def test_without_credentials_it_says_so(clock: Clock) -> None:
    with pytest.raises(AccessError, match="no usable AWS credentials"):
        Tokens(Session(None), "us-west-2", clock).token("research")


def test_nothing_shows_it(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("botocore").setLevel(logging.INFO)  # at DEBUG botocore itself logs what it signs
    tokens = Tokens(Session(Credentials(ACCESS_KEY, SECRET_KEY)), "us-west-2", clock)
    token = tokens.token("research")
    assert repr(token) == str(token) == f"{token!r}" == "k8s-aws-v1.…"
    assert token.value not in caplog.text
    assert token.value not in repr(vars(tokens))
