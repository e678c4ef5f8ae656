"""From the bytes of a policy file to a tree of nodes: safely, in bounded time and memory.

Only libyaml's event stream is used: no tag is resolved, no object is constructed, nothing recurses. Plain
scalars follow the YAML 1.2 core schema, so that ``no``, ``on`` and ``12:30`` stay text. JSON is a subset.
"""

import re
from typing import Any

import msgspec
import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]

from governor.policy.diagnostics import Diagnostics, Position
from governor.policy.nodes import Mapping, Node, Scalar, Sequence, Value
from governor.policy.wording import clipped, counted, shown


class Bounds(msgspec.Struct, frozen=True):
    """How large a policy file may be, so that a hostile one is refused before it costs anything."""

    size: int = 1 << 20
    depth: int = 32
    nodes: int = 250_000


_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_UNSEEN_BREAK = re.compile("[\x85\u2028\u2029]")
"""Line breaks to YAML 1.1 and to libyaml, and to no editor: past one, every line number would be wrong."""
_TAG_DIRECTIVE = re.compile("(?<![^\r\n])%TAG")
"""Useless where tags are refused, and libyaml compares each one with all before it."""
_JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_SURROGATE_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_NUMBER = re.compile(
    r"(?P<whole>[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)"
    r"|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
)
_LONGEST_NUMBER = 64
"""Digits of an honest number. A longer one is infinite: still a number, out of any range, made at no cost."""
_WORDS: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_FIRST_OF_NUMBER = frozenset("0123456789+-.")


class _RefusedSourceError(Exception):
    def __init__(self, code: str, at: Position, text: str) -> None:
        super().__init__(text)
        self.code, self.at, self.text = code, at, text


def read_source(data: bytes, found: Diagnostics, *, json: bool = False, bounds: Bounds | None = None) -> Node | None:
    """The file as a tree, or None with the reason in ``found``. Never raises on any input."""
    try:
        text = _decoded(data, bounds or Bounds())
        if json and _SURROGATE_PAIR.search(text):
            text = _JSON_TEXT.sub(_without_pairs, text)
        return _compose(text, bounds or Bounds())
    except _RefusedSourceError as refused:
        found.error(refused.code, refused.at, refused.text)
    except yaml.YAMLError as error:
        found.error("not-yaml", _place_of(error), _reason_of(error))
    return None


def _decoded(data: bytes, bounds: Bounds) -> str:
    start = Position(1, 1)
    if len(data) > bounds.size:
        raise _RefusedSourceError(
            "too-large",
            start,
            f"the file has more than {bounds.size:,} bytes, the most a policy may have: "
            "write one policy per cluster, without generated or commented-out blocks",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        at = _position(before, len(before))
        encoding = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "not UTF-8"
        raise _RefusedSourceError(
            "not-utf-8",
            at,
            f"the file is {encoding} (byte 0x{data[error.start]:02x} at offset {error.start}); save it as UTF-8",
        ) from None
    control = _CONTROL.search(text)
    if control:
        at = _position(text, control.start())
        raise _RefusedSourceError(
            "control-character",
            at,
            f"a control character (U+{ord(control.group()):04X}) stands here; "
            + ("save the file as UTF-8, not as UTF-16" if "\0" in text[:2] else "remove it"),
        )
    unseen = _UNSEEN_BREAK.search(text)
    if unseen:
        code = ord(unseen.group())
        raise _RefusedSourceError(
            "unseen-line-break",
            _position(text, unseen.start()),
            f"a line break that editors do not show (U+{code:04X}) stands here; remove it",
        )
    directive = _TAG_DIRECTIVE.search(text)
    if directive:
        raise _RefusedSourceError(
            "yaml-tag",
            _position(text, directive.start()),
            "YAML tags, and so the directive '%TAG', are not allowed in a policy; remove the line",
        )
    return text


def _position(text: str, offset: int) -> Position:
    before = text[:offset].replace("\r\n", "\n").replace("\r", "\n")
    return Position(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _without_pairs(found: re.Match[str]) -> str:
    """A JSON text without surrogate pairs; spaces behind it keep the columns of what follows."""
    text, pairs = _SURROGATE_PAIR.subn(_joined, found.group())
    return text + " " * (2 * pairs)


def _joined(pair: re.Match[str]) -> str:
    """JSON writes a character beyond U+FFFF as two escapes, which YAML does not know."""
    high, low = int(pair[2], 16), int(pair[3], 16)
    return f"{pair[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08X}"


def plain_value(text: str) -> Value:
    """A plain scalar's value by the YAML 1.2 core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _FIRST_OF_NUMBER:
        number = _NUMBER.fullmatch(text)
        if number:
            if len(text) > _LONGEST_NUMBER:
                return float("inf")
            return int(text, 0 if text[:2] in ("0o", "0x") else 10) if number["whole"] else float(text)
    return text


class _Open:
    """A list or mapping whose end has not been read."""

    __slots__ = ("anchor", "entries", "height", "items", "key", "node", "size")

    def __init__(self, node: Sequence | Mapping, anchor: str | None) -> None:
        self.node = node
        self.items = node.items if isinstance(node, Sequence) else None
        self.entries = node.entries if isinstance(node, Mapping) else None
        self.anchor = anchor
        self.key: Node | None = None
        self.size = 1
        self.height = 1


def _compose(text: str, bounds: Bounds) -> Node:
    """Builds the tree from events with a stack of its own, so that depth is a number and not a crash."""
    parser: Any = CParser(text)  # typed more narrowly than its events are
    stack: list[_Open] = []
    anchors: dict[str, tuple[Node, int, int]] = {}
    root: Node | None = None
    nodes = 0
    while (event := parser.get_event()) is not None:
        kind = type(event)
        size = height = 1
        node: Node
        if kind is yaml.ScalarEvent:
            mark = event.start_mark
            at = Position(mark.line + 1, mark.column + 1)
            if event.tag is not None:
                _refuse_tag(event.tag, at)
            value = event.value
            plain = event.implicit[0]
            node = Scalar(plain_value(value) if plain else value, value, plain, at)
            if event.anchor is not None:
                anchors[event.anchor] = (node, 1, 1)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            mark = event.start_mark
            at = Position(mark.line + 1, mark.column + 1)
            if event.tag is not None:
                _refuse_tag(event.tag, at)
            if len(stack) >= bounds.depth:
                _refuse_depth(at, bounds)
            if event.anchor is not None:
                anchors.pop(event.anchor, None)
            opened = Mapping([], at) if kind is yaml.MappingStartEvent else Sequence([], at)
            stack.append(_Open(opened, event.anchor))
            continue
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            closed = stack.pop()
            node, size, height = closed.node, closed.size, closed.height
            at = node.at
            if closed.anchor is not None:
                anchors[closed.anchor] = (node, size, height)
        elif kind is yaml.AliasEvent:
            mark = event.start_mark
            at = Position(mark.line + 1, mark.column + 1)
            if event.anchor not in anchors:
                raise _RefusedSourceError(
                    "bad-alias",
                    at,
                    f"alias {shown('*' + event.anchor)} refers to nothing above it; write the value out",
                )
            node, size, height = anchors[event.anchor]
            if len(stack) + height > bounds.depth:
                _refuse_depth(at, bounds)
            nodes += size - 1
        elif kind is yaml.DocumentStartEvent:
            mark = event.start_mark
            if root is not None:
                raise _RefusedSourceError(
                    "several-documents",
                    Position(mark.line + 1, mark.column + 1),
                    "a second YAML document starts here; a policy file holds exactly one: "
                    "put it into a file of its own",
                )
            continue
        else:
            continue
        nodes += 1
        if nodes > bounds.nodes:
            raise _RefusedSourceError(
                "too-many-values",
                at,
                f"the file holds more than {bounds.nodes:,} values (an alias counts as often as it is used), the most "
                "a policy may have; remove what a policy does not need",
            )
        if not stack:
            root = node
            continue
        parent = stack[-1]
        parent.size += size
        if height >= parent.height:
            parent.height = height + 1
        if parent.items is not None:
            parent.items.append(node)
        elif parent.key is None:
            parent.key = node
        else:
            assert parent.entries is not None
            parent.entries.append((parent.key, node))
            parent.key = None
    if root is None or (isinstance(root, Scalar) and root.value is None):
        raise _RefusedSourceError(
            "empty-file",
            Position(1, 1) if root is None else root.at,
            "the file holds nothing but white space or comments; write a policy, which starts with 'version: 1' and "
            "'cluster: NAME'",
        )
    return root


def _refuse_tag(tag: str, at: Position) -> None:
    raise _RefusedSourceError(
        "yaml-tag", at, f"the YAML tag {shown(tag)} is not allowed in a policy; write the plain value"
    )


def _refuse_depth(at: Position, bounds: Bounds) -> None:
    raise _RefusedSourceError(
        "too-deep",
        at,
        f"the file is nested deeper than {counted(bounds.depth, 'level')}; remove brackets or indentation: "
        "a policy needs seven",
    )


def _place_of(error: yaml.YAMLError) -> Position:
    """Where libyaml noticed it, or where it began when what was begun is the mistake."""
    marks = [getattr(error, "problem_mark", None), getattr(error, "context_mark", None)]
    if getattr(error, "problem", None) in _WRONG_FROM_THE_START:
        marks.reverse()
    mark = marks[0] or marks[1]
    return Position(mark.line + 1, mark.column + 1) if mark is not None else Position(1, 1)


def _reason_of(error: yaml.YAMLError) -> str:
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "the text cannot be read")
    context = getattr(error, "context", None)
    mark = getattr(error, "context_mark", None)
    since = "" if mark is None or problem in _WRONG_FROM_THE_START else f" that starts at line {mark.line + 1}"
    where = f" ({context}{since})" if context and context != "while scanning for the next token" else ""
    hint = _HINTS.get(problem, "; compare this line and the one above with an example, or check their quotes")
    return f"not valid YAML: {clipped(problem)}{where}{hint}"


_WRONG_FROM_THE_START = frozenset(("found unexpected end of stream", "could not find expected ':'"))

_HINTS = {
    "found character that cannot start any token": (
        "; YAML is indented with spaces, never with tabs, and a value that starts with one of @ ` % needs quotes"
    ),
    "found a tab character that violates indentation": "; YAML is indented with spaces, never with tabs",
    "found a tab character where an indentation space is expected": "; YAML is indented with spaces, never with tabs",
    "mapping values are not allowed in this context": (
        "; indent this line like its neighbours, and put text that contains ': ' in quotes"
    ),
    "mapping keys are not allowed in this context": "; write each line of a mapping as 'key: value'",
    "block sequence entries are not allowed in this context": "; write the items of a list below its key, one a line",
    "could not find expected ':'": "; each line of a mapping is 'key: value', indented like its neighbours",
    "did not find expected key": "; keys of one mapping must start in the same column, and quoted text ends its value",
    "did not find expected '-' indicator": "; the items of one list must start in the same column, each with '- '",
    "did not find expected ',' or ']'": "; a comma is missing here, or the list is not closed with ']'",
    "did not find expected ',' or '}'": "; a comma is missing here, or the mapping is not closed with '}'",
    "did not find expected node content": "; a value is missing here: write it, or remove the comma or bracket",
    "did not find expected <document start>": "; the file goes on after its only value: indent or remove what follows",
    "did not find expected comment or line break": "; put text that starts with '|' or '>' in quotes",
    "did not find expected alphabetic or numeric character": "; put text that starts with '*' or '&' in quotes",
    "found unexpected end of stream": "; the quoted text that starts here is not closed: add the other quote",
    "found unexpected document indicator": "; the quoted text above is not closed, or '---' is indented too little",
    "found unknown escape character": "; write '\\\\' for a backslash, or use single quotes",
    "did not find expected hexdecimal number": "; '\\x' takes 2, '\\u' 4 and '\\U' 8 hexadecimal digits",
    "found invalid Unicode character escape code": "; write the character itself",
    **dict.fromkeys(
        (
            "found undefined tag handle",
            "did not find expected tag URI",
            "did not find expected '!'",
            "did not find the expected '>'",
            "did not find URI escaped octet",
            "did not find expected whitespace or line break",
        ),
        "; text that starts with '!' is a YAML tag: put it in quotes",
    ),
    "found incompatible YAML document": "; remove the '%YAML' line",
    "found duplicate %YAML directive": "; remove the '%YAML' line",
    "found unknown directive name": "; remove the line, or put text that starts with '%' in quotes",
}
