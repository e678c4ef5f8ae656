"""One call of an operation: what was asked, by whom, when, and under which settings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.hyperpod.settings import Settings

JsonObject = dict[str, Any]

ACCOUNT = "123456789012"
SOMEBODY_ELSE = "somebody-else"

_SCOPE = re.compile(r"Credential=([^/,\s]+)/[0-9]{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed the request, as its credential scope says. Signatures are not verified.

    `principal` is the ARN that the identity service knows, if one was asked and knows the caller.
    """

    access_key: str
    region: str
    principal: str | None = None

    @property
    def arn(self) -> str:
        return self.principal or f"arn:aws:iam::{ACCOUNT}:user/{self.access_key}"


def caller_of(authorization: str | None) -> Caller | None:
    """The caller of a request signed with Signature Version 4, None when it is not signed."""
    scope = _SCOPE.search(authorization or "")
    return Caller(access_key=scope[1], region=scope[2]) if scope else None


@dataclass(frozen=True, slots=True)
class Ending:
    """How the transition that a call starts ends, where a fault decided it: `status` None means never."""

    status: str | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A transition that whoever carries it out will end: in `done`, not before `due`."""

    cluster_arn: str
    resource_id: str
    running: str
    done: str
    since: float
    due: float


@dataclass(frozen=True, slots=True)
class Request:
    """`begun` gathers the transitions that the call has begun and not ended; None has each end by itself."""

    operation: str
    body: Mapping[str, Any]
    caller: Caller
    now: float
    settings: Settings = field(default_factory=Settings)
    ending: Ending | None = None
    begun: list[Begun] | None = None
