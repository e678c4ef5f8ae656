"""What a server said, made fit for messages and logs: short, printable, and nothing in it lets anybody in."""

import re

from governor.policy.wording import printable

_MOST = 200
_SECRETS = (
    re.compile(r"k8s-aws-v1\.[-\w]+"),
    re.compile(r"(?i)(?<=bearer )[-\w.~+/=]+"),
    re.compile(r"(?i)(?<=x-amz-signature=)\w+"),
    re.compile(r"(?i)(?<=x-amz-security-token=)[^&\s\"']+"),
)


def quoted(said: str | bytes, most: int = _MOST) -> str:
    """The first characters of it, with … for a token, for a signature, and for what is left out."""
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    text = text[: 16 * most]  # a token is long: it may not be cut before it is recognised
    for pattern in _SECRETS:
        text = pattern.sub("…", text)
    text = " ".join(text.split())
    return printable(text if len(text) <= most else f"{text[:most]}…")
