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
from governor.cli.usage_words import clock, unknown_words
from governor.errors import PermanentError
from governor.policy.wording import printable

_PERMISSIONS = 0o777


class Written:
    """Pictures made to text on standard output. What else is to be said goes to standard error, so that the text stays
    what it is."""

    def __init__(self, text_of: Callable[[Picture], str]) -> None:
        self._text_of = text_of
        self._told: tuple[str, ...] = ()

    def show(self, picture: Picture) -> None:
        """As text; what could not be told of it is said, but not again each round."""
        print_out(self._text_of(picture))
        unknown = tuple(unknown_words(picture))
        for sentence in unknown:
            if sentence not in self._told:
                _tell(sentence)
        self._told = unknown

    def failed(self, failing: Failing, now: int) -> None:
        """Said elsewhere."""
        _tell(failing.words(now))

    def ended(self, now: int) -> None:
        """What was written is whole."""


class Page:
    """A page in a file, which says itself how old it is: whoever looks at it does not see standard error."""

    def __init__(self, path: str, refresh: int = 0) -> None:
        self._path, self._refresh = path, refresh
        self._last: Picture | None = None
        self._failing: Failing | None = None

    def show(self, picture: Picture) -> None:
        """In place of the old one. Raises PermanentError."""
        self._last = picture
        write_page(self._path, page(picture, self._refresh))
        self._failing = None

    def failed(self, failing: Failing, now: int) -> None:
        """Said, and the last picture once more under what fails."""
        _tell(failing.words(now))
        self._failing = failing
        if failing.what == "read" and self._last is not None:
            self._again(self._last, failing.remark(self._last.usage.at), self._refresh)

    def ended(self, now: int) -> None:
        """The last picture once more: no browser waits for another."""
        if self._last is None:
            return
        remark = f"no longer refreshed since {clock(now)}"
        if self._failing is not None and self._failing.what == "read":
            remark = f"{remark}; {self._failing.remark(self._last.usage.at)}"
        self._again(self._last, remark, 0)

    def _again(self, picture: Picture, remark: str, refresh: int) -> None:
        try:
            write_page(self._path, page(picture, refresh, remark))
        except PermanentError as error:
            _tell(str(error))


def json_document() -> Written:
    """Usage as one JSON document that a person can read."""
    return Written(lambda picture: f"{msgspec.json.format(_encoded(picture), indent=2).decode()}\n")


def json_lines() -> Written:
    """A JSON document a line, one after the other."""
    return Written(lambda picture: f"{_encoded(picture).decode()}\n")


def csv_lines() -> Written:
    """Comma-separated values, one moment after the other; columns are named once."""
    print_out(usage_csv.heading())
    return Written(lambda picture: usage_csv.lines(picture.usage))


def _encoded(picture: Picture) -> bytes:
    return msgspec.json.encode({**msgspec.to_builtins(picture.usage), "notes": picture.notes})


def _tell(text: str) -> None:
    print(f"governor: {text}", file=sys.stderr, flush=True)


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
            if target.exists():  # who may read it is somebody's choice, and holds before there is anything to read
                beside.chmod(target.stat().st_mode & _PERMISSIONS)
            file.write(text)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
