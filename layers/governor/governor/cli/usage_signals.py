"""The end of a watch from outside: SIGTERM and SIGHUP unwind it, so that a terminal is put back as it was."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))  # not all on Windows


class Ended(BaseException):
    """Somebody wants the program to end; like KeyboardInterrupt it is no error. ``status`` is what a shell expects."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


@contextlib.contextmanager
def unwinding() -> Iterator[None]:
    """For the time being, the first of the signals raises Ended, and further ones do nothing.

    A signal that is ignored stays so: whoever started the program with nohup wants it to outlive the terminal.
    """
    before = {number: handler for number in SIGNALS if (handler := signal.getsignal(number)) is not signal.SIG_IGN}

    def end(number: int, _frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)  # what puts the terminal back is not interrupted
        raise Ended(number)

    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
