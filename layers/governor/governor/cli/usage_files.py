"""Usage for programs and browsers: JSON, comma-separated values, and a page in a file that is never half written."""

import secrets
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from governor.cli import usage_csv
from governor.cli.files import STANDARD_INPUT as STANDARD_OUTPUT
from governor.cli.usage_page import page
from governor.cli.usage_rows import Picture
from governor.cli.usage_watch import Failing
from governor.errors import PermanentError
from governor.policy.wording import printable


class Written:
    """Pictures made to text. What fails goes to standard error, so that the text stays what it is."""

    def __init__(self, text_of: Callable[[Picture], str], write: Callable[[str], None]) -> None:
        self._text_of, self._write = text_of, write

    def show(self, picture: Picture) -> None:
        """As text."""
        self._write(self._text_of(picture))

    def failed(self, failing: Failing, now: int) -> None:
        """Said elsewhere."""
        print(f"governor: {failing.words(now)}", file=sys.stderr, flush=True)


def json_document() -> Written:
    """Usage as one JSON document that a person can read."""
    return Written(lambda picture: f"{msgspec.json.format(_encoded(picture), indent=2).decode()}\n", print_out)


def json_lines() -> Written:
    """A JSON document a line, one after the other."""
    return Written(lambda picture: f"{_encoded(picture).decode()}\n", print_out)


def csv_lines() -> Written:
    """Comma-separated values, one moment after the other; columns are named once."""
    print_out(usage_csv.heading())
    return Written(lambda picture: usage_csv.lines(picture.usage), print_out)


def html_page(path: str, refresh: int = 0) -> Written:
    """A page; ``refresh`` are the seconds after which a browser looks again, 0 for never."""
    return Written(lambda picture: page(picture, refresh), lambda text: write_page(path, text))


def _encoded(picture: Picture) -> bytes:
    return msgspec.json.encode(picture.usage)


def print_out(text: str) -> None:
    """To standard output, now, with the ends of lines as they are."""
    sys.stdout.write(text)
    sys.stdout.flush()


def write_page(path: str, text: str) -> None:
    """In one go: whoever opens the file sees the old page or the new one. Raises PermanentError."""
    if path == STANDARD_OUTPUT:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
        return
    try:
        target = Path(path)
        if target.exists() and not target.is_file():
            raise PermanentError(f"{printable(path)} is no file")
        _replace(target.resolve(), text)
    except (OSError, ValueError) as error:  # ValueError: NUL in the path
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PermanentError(f"{printable(path)} cannot be written: {reason}") from error


def _replace(target: Path, text: str) -> None:
    beside = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}")
    try:
        with beside.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
