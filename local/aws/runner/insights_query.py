"""The Metrics Insights queries that an alarm may have here: one maximum per group, the highest or lowest first.

SELECT MAX(name) FROM SCHEMA("namespace", key, …) WHERE key = 'value' AND … GROUP BY key, … ORDER BY MAX() DESC

CloudWatch knows more (other functions, FROM without SCHEMA, !=, tags, LIMIT, one series without GROUP BY). A query that
uses it is refused rather than misunderstood. The rules are those of the user guide's "Query components and syntax in
CloudWatch Metrics Insights".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

# Words of the list "Reserved keywords" that a metric or a dimension might be called; they have to be in double quotes.
_RESERVED_WORDS = """
    access account action admin all and any array as asc average avg backup by call capture cardinality change check
    class cluster collection column commit compute condition connection content count current data database date day
    default desc disk domain element enabled end error external file filter first from full function get group
    groups hour in index initial interval key keys label language last level like limit load local lock log map
    match max maximum member method min minimum minute mode monitor month names new next no none not number object
    of old on only operation option or order organization output over parameter part partition path pattern percent
    percentile period plan position prefix primary private public query range rank read release request resource
    result role row rule run running sample schema scope search second section select sequence session set share
    size source space standard start state statement subscriber sum summary system table threshold time timestamp
    title to top trace transaction trigger type unique unknown update usage user value values view wait where window
    with work write year zone
"""
RESERVED = frozenset(_RESERVED_WORDS.split())

_TOKEN = re.compile(
    r"""\s*(?: (?P<word>\w+) | "(?P<quoted>(?:[^"\\]|\\.)*)" | '(?P<text>(?:[^'\\]|\\.)*)' | (?P<sign>[(),=]) )\s*""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_END = ("end", "the end of the query")

Token = tuple[str, str]


class QueryError(ValueError):
    """The expression is no query of the form above. The message quotes it."""


@dataclass(frozen=True, slots=True)
class Query:
    """`unquoted` are the reserved words that stand in it as names without the quotes that AWS asks for."""

    metric: str
    namespace: str
    dimensions: frozenset[str]
    where: Mapping[str, str]
    group_by: tuple[str, ...]
    descending: bool
    unquoted: tuple[str, ...] = ()

    def group_of(self, dimensions: Mapping[str, str]) -> tuple[str, ...] | None:
        """The values of the GROUP BY keys of a metric with exactly these dimensions; None when it does not count."""
        if dimensions.keys() != self.dimensions:
            return None
        if any(dimensions[key] != value for key, value in self.where.items()):
            return None
        return tuple(dimensions[key] for key in self.group_by)


def parse(expression: str) -> Query:
    """Raises QueryError for whatever is not of this one form."""
    try:
        return _Parser(_tokens(expression)).query()
    except QueryError as error:
        raise QueryError(f"Invalid metrics insights query: {error} in the expression: {expression}") from None


def _tokens(expression: str) -> list[Token]:
    tokens, at = [], 0
    while at < len(expression):
        found = _TOKEN.match(expression, at)
        if found is None or found.lastgroup is None:
            raise QueryError(f"nothing is known of {expression[at : at + 20].strip()!r}")
        tokens.append((found.lastgroup, _ESCAPE.sub(r"\1", found[found.lastgroup])))
        at = found.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = iter(tokens)
        self._next = next(self._tokens, _END)
        self._unquoted: list[str] = []

    def query(self) -> Query:
        self._words("SELECT MAX")
        self._sign("(")
        metric = self._name()
        self._sign(")")
        self._words("FROM SCHEMA")
        self._sign("(")
        namespace, *dimensions = self._names()
        self._sign(")")
        where = self._where() if self._at("WHERE") else {}
        self._words("GROUP BY")
        group_by = self._names()
        descending = self._order()
        _check_keys(dimensions, where, group_by)
        unquoted = tuple(dict.fromkeys(self._unquoted))
        return Query(metric, namespace, frozenset(dimensions), where, tuple(group_by), descending, unquoted)

    def _where(self) -> dict[str, str]:
        conditions: dict[str, str] = {}
        self._words("WHERE")
        while True:
            key = self._name()
            self._sign("=")
            value = self._take("text", "a value in single quotes")
            if conditions.setdefault(key, value) != value:
                raise QueryError(f"{key} has two values in WHERE")
            if not self._at("AND"):
                return conditions
            self._words("AND")

    def _order(self) -> bool:
        self._words("ORDER BY MAX")
        self._sign("(")
        self._sign(")")
        descending = self._at("DESC")
        if descending or self._at("ASC"):
            self._take("word", "ASC or DESC")
        self._take("end", "the end of the query")
        return descending

    def _names(self) -> list[str]:
        names = [self._name()]
        while self._next == ("sign", ","):
            self._sign(",")
            names.append(self._name())
        return names

    def _name(self) -> str:
        kind, text = self._next
        if kind not in ("word", "quoted"):
            raise QueryError(f"a name is expected instead of {text!r}")
        if kind == "word" and text.lower() in RESERVED:
            self._unquoted.append(text)
        self._forward()
        return text

    def _words(self, words: str) -> None:
        for word in words.split():
            if not self._at(word):
                raise QueryError(f"{word} is expected instead of {self._next[1]!r}")
            self._forward()

    def _at(self, word: str) -> bool:
        kind, text = self._next
        return kind == "word" and text.upper() == word

    def _sign(self, sign: str) -> None:
        if self._next != ("sign", sign):
            raise QueryError(f"{sign!r} is expected instead of {self._next[1]!r}")
        self._forward()

    def _take(self, kind: str, what: str) -> str:
        found, text = self._next
        if found != kind:
            raise QueryError(f"{what} is expected instead of {text!r}")
        self._forward()
        return text

    def _forward(self) -> None:
        self._next = next(self._tokens, _END)


def _check_keys(dimensions: list[str], where: Mapping[str, str], group_by: list[str]) -> None:
    for names, place in ((dimensions, "SCHEMA"), (group_by, "GROUP BY")):
        if len(set(names)) < len(names):
            raise QueryError(f"a key is named twice in {place}")
    for key in (*where, *group_by):
        if key not in dimensions:
            raise QueryError(f"{key} is not among the keys of SCHEMA")
    for key in dimensions:
        if key not in where and key not in group_by:
            raise QueryError(f"the key {key} of SCHEMA is neither in WHERE nor in GROUP BY")
