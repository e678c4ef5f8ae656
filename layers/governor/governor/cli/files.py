"""Reading policy files for the commands."""

import sys
from pathlib import Path

from governor.checks import PolicyFile
from governor.errors import PermanentError
from governor.policy import Bounds
from governor.policy.wording import printable

STANDARD_INPUT = "-"


def read_file(path: str) -> PolicyFile:
    """The bytes of a file or of standard input ('-'), no more than a policy may have and one."""
    most = Bounds().size + 1
    try:
        if path == STANDARD_INPUT:
            return PolicyFile("<stdin>", sys.stdin.buffer.read(most))
        with Path(path).open("rb") as file:
            return PolicyFile(printable(path), file.read(most))
    except (OSError, ValueError) as error:  # ValueError: NUL in the path
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PermanentError(f"{printable(path)} cannot be read: {reason}") from error
