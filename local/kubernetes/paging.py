"""Continue tokens: where a list goes on, and which state of the cluster it shows.

A token looks like one of the real server, so that a test can take it apart.
"""

import base64
import json
import re
from dataclasses import dataclass

from local.kubernetes.errors import BadRequestError, ExpiredError

ENCODING = "meta.k8s.io/v1"
NOW = -1
"""In place of a version: go on in the state as it is now."""
_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class Continuation:
    """The version that the list began with and the key after which it goes on."""

    version: int
    after: str

    def token(self) -> str:
        text = json.dumps({"v": ENCODING, "rv": self.version, "start": f"{self.after}\0"}, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def continuation(token: str) -> Continuation:
    """What a token stands for. Raises BadRequestError for one that this server cannot have given."""
    try:
        held = json.loads(_decoded(token))
        version, start = held["rv"], held["start"]
        known = held["v"] == ENCODING and isinstance(version, int) and isinstance(start, str)
    except (ValueError, KeyError, TypeError) as error:
        raise _bad(f"{error}") from error
    if not known or version == 0:
        raise _bad("server does not recognize this encoded version")
    return Continuation(version, start.removesuffix("\0"))


def expired(continued: Continuation) -> ExpiredError:
    """The answer to a token whose state is no longer known; it carries one for going on in the present state."""
    told = (
        "The provided continue parameter is too old to display a consistent list result. You can start a new list"
        " without the continue parameter, or use the continue token in this response to retrieve the remainder of the"
        " results. Continuing with the provided token results in an inconsistent list - objects that were created,"
        " modified, or deleted between the time the first chunk was returned and now may show up in the list."
    )
    return ExpiredError(told, metadata={"continue": Continuation(NOW, continued.after).token()})


def _decoded(token: str) -> bytes:
    illegal = _ILLEGAL.search(token)
    place = illegal.start() if illegal else len(token) - 1
    if illegal or len(token) % 4 == 1:
        raise _bad(f"illegal base64 data at input byte {place}")
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


def _bad(why: str) -> BadRequestError:
    return BadRequestError(f"invalid continue token: continue key is not valid: {why}")
