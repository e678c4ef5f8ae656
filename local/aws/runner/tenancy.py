"""MiniStack keeps account and region in the context of a request; what runs outside one has to say them."""

from collections.abc import Iterator
from contextlib import contextmanager

from ministack.core.responses import _request_account_id, _request_region

from local.aws.runner.settings import ACCOUNT, REGION


@contextmanager
def our_account() -> Iterator[None]:
    account, region = _request_account_id.set(ACCOUNT), _request_region.set(REGION)
    try:
        yield
    finally:
        _request_account_id.reset(account)
        _request_region.reset(region)
