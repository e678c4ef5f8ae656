"""Unit tests run without sockets: what needs one belongs into tests/local or tests/integration."""

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def no_socket() -> Iterator[None]:
    """Opening a socket fails the test."""
    disable_socket()
    yield
    enable_socket()
