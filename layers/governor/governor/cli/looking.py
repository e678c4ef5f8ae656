"""A sign of life while a cluster is read: something moves on a terminal, and nothing is printed elsewhere."""

import contextlib
from collections.abc import Iterator

from governor.cli.screen import make_console


@contextlib.contextmanager
def looking(words: str = "reading the cluster") -> Iterator[None]:
    """Shows the words beside the output for as long as it takes; they are gone afterwards, however it ends."""
    console = make_console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(words):
        yield
