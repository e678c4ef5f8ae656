"""Pages of a sorted list, with tokens that stay good while items come and go.

A token holds the position of the last item shown and a digest of the question, so that it continues behind
that item and answers no other question.
"""

import base64
import binascii
import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from local.hyperpod.errors import validation
from local.hyperpod.request import Request

T = TypeVar("T")

Position = tuple[Any, int]
"""Sort key and a number that decides between equal keys."""

DESCENDING = "Descending"


def page(
    items: Sequence[T], position: Callable[[T], Position], order: str, request: Request
) -> tuple[list[T], str | None]:
    """The page that MaxResults and NextToken of the request ask for, and the token of the next one.

    Raises ValidationException for a token that this question did not get.
    """
    ranked = sorted(((position(item), item) for item in items), key=lambda pair: pair[0])
    places = [place for place, _ in ranked]
    size = request.body.get("MaxResults", request.settings.default_page_size)
    question = _question(request)
    last = _position(request.body.get("NextToken"), question)
    if order == DESCENDING:
        end = len(places) if last is None else bisect_left(places, last)
        chosen, more = ranked[max(0, end - size) : end][::-1], end > size
    else:
        start = 0 if last is None else bisect_right(places, last)
        chosen, more = ranked[start : start + size], start + size < len(ranked)
    token = _token(question, chosen[-1][0]) if more else None
    return [item for _, item in chosen], token


def _question(request: Request) -> str:
    asked = {key: value for key, value in request.body.items() if key not in {"NextToken", "MaxResults"}}
    text = json.dumps([request.operation, request.caller.region, asked], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _token(question: str, place: Position) -> str:
    return base64.urlsafe_b64encode(json.dumps([question, *place]).encode()).decode()


def _position(token: str | None, question: str) -> Position | None:
    if token is None:
        return None
    try:
        asked, key, number = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError, TypeError):
        raise validation("Invalid NextToken.") from None
    if asked != question:
        raise validation("NextToken belongs to a request with other parameters.")
    return key, number
