"""Kubernetes quantities, exactly: whole numbers of the finest unit that an API server keeps, a thousand-millionth.

Rules: Kubernetes' documentation, "Quantity" (suffixes, exponents, canonical form, rounding up), as apimachinery carries
them out; and Kueue's ways to count a resource and to show it. ``+Inf`` is no quantity: see ``limit``.
"""

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

NANO = 10**9
LARGEST = 2**63 - 1
"""The most that Kueue counts of anything; as a quota it is no limit at all. A larger binary quantity is cut to it."""
MOST_CHARACTERS = 64
UNLIMITED = "+Inf"

_PATTERN = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?[0-9]{1,3})?")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"": 0, "Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_SUFFIXES = {exponent: suffix for suffix, exponent in _DECIMAL.items()}


class QuantityError(ValueError):
    """Something is no quantity."""


class Form(Enum):
    """How a quantity is written: 1500m and 1k, 1Ki, or 1e3."""

    DECIMAL = "DecimalSI"
    BINARY = "BinarySI"
    EXPONENT = "DecimalExponent"


@dataclass(frozen=True, slots=True)
class Quantity:
    """So many thousand-millionths, and the form in which they are written."""

    nano: int
    form: Form = Form.DECIMAL

    def whole(self, per_unit: int = 1) -> int:
        """In whole units, or in whole parts of which so many make a unit; rounded away from zero, as Kueue counts."""
        return _divided(self.nano * per_unit, NANO)

    def __str__(self) -> str:
        """The canonical form: no fraction, the largest suffix that leaves none, and no precision lost."""
        if self.nano == 0:
            return "0"
        if self.form is Form.BINARY and abs(self.nano) >= 1024 * NANO and self.nano % NANO == 0:
            return _binary(self.nano // NANO)
        exponent, number = -9, self.nano
        while number % 1000 == 0 and (exponent < 18 or self.form is Form.EXPONENT):
            exponent, number = exponent + 3, number // 1000
        if self.form is Form.EXPONENT:
            return f"{number}e{exponent}" if exponent else str(number)
        return f"{number}{_SUFFIXES[exponent]}"


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a text is made of: digits without the zeros before them, the fraction's among them, and the suffix."""

    sign: str
    whole: str
    fraction: str
    suffix: str

    @property
    def form(self) -> Form:
        if self.suffix in _DECIMAL:
            return Form.DECIMAL
        return Form.BINARY if self.suffix in _BINARY else Form.EXPONENT

    @property
    def exponent(self) -> int:
        """Of two in the binary form, of ten in the others."""
        match self.form:
            case Form.DECIMAL:
                return _DECIMAL[self.suffix]
            case Form.BINARY:
                return _BINARY[self.suffix]
            case Form.EXPONENT:
                return int(self.suffix[1:])


def parsed(text: str | int) -> Quantity:
    """The quantity that a text says, or a whole number of JSON. Raises QuantityError."""
    if isinstance(text, int) and not isinstance(text, bool) and abs(text) < 10**MOST_CHARACTERS:
        return Quantity(text * NANO)
    if not isinstance(text, str):
        raise QuantityError(f"expected a quantity, got {type(text).__name__}")
    if len(text) > MOST_CHARACTERS:
        raise QuantityError(f"{text[:20]!r}… is no quantity: it has {len(text)} characters")
    return _parsed(text)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Quantity:
    parts = _parts(text)
    nano = _nano(parts)
    if parts.form is Form.BINARY:
        nano = min(nano, LARGEST * NANO)
    return Quantity(-nano if parts.sign == "-" else nano, parts.form)


def _parts(text: str) -> _Parts:
    found = _PATTERN.fullmatch(text)
    if found is None or not (found[2] or found[3]):
        raise QuantityError(f"{text!r} is no quantity, such as 4, 1500m or 64Gi")
    return _Parts(found[1], found[2].lstrip("0"), found[3] or "", found[4] or "")


def _nano(parts: _Parts) -> int:
    digits, exponent = int(parts.whole + parts.fraction or "0") * NANO, parts.exponent
    if parts.form is Form.BINARY:
        return _divided(digits << exponent, 10 ** len(parts.fraction))
    exponent -= len(parts.fraction)
    return digits * 10**exponent if exponent >= 0 else _divided(digits, 10**-exponent)


def limit(text: str | int) -> Quantity | None:
    """A limit as metrics write one: None for +Inf, which is no limit. Raises QuantityError.

    Apart from ``parsed``, so that an unlimited amount cannot slip into a sum.
    """
    return None if text == UNLIMITED else parsed(text)


def canonical(text: str | int) -> str:
    """A quantity as an API server answers with it. Raises QuantityError.

    That is its canonical form, but for one that is written without need, such as ``+5``, ``1E3`` or ``1.500``: the
    server keeps the text where the digits fit the suffix as they stand.
    """
    quantity = parsed(text)
    return text if isinstance(text, str) and _is_kept(_parts(text)) else str(quantity)


def _is_kept(parts: _Parts) -> bool:
    digits = len(parts.whole or "0") + len(parts.fraction)
    if parts.form is Form.BINARY:
        fits = not parts.fraction and digits + parts.exponent * 3 // 10 < 15
        return fits and int(parts.whole or "0") % 8 != 0
    exponent = parts.exponent - len(parts.fraction)
    fits = digits <= 18 and exponent >= -9 and exponent % 3 == 0
    return fits and bool(parts.whole) and not (parts.whole + parts.fraction).endswith("000")


def amount(resource: str, text: str | int) -> int:
    """A quantity as Kueue counts the resource: cpu in thousandths of a core, all else in whole units, rounded up.

    Raises QuantityError.
    """
    return counted(resource, parsed(text))


def counted(resource: str, quantity: Quantity) -> int:
    """A quantity as Kueue counts the resource, see ``amount``. What 64 bits do not hold is cut to what they hold."""
    number = quantity.whole(1000 if resource == "cpu" else 1)
    return max(-LARGEST - 1, min(LARGEST, number))


@lru_cache(maxsize=4096)
def shown(resource: str, counted: int) -> str:
    """What Kueue has counted of a resource, as its statuses and messages write it."""
    if resource == "cpu":
        return str(Quantity(counted * (NANO // 1000)))
    in_bytes = resource in ("memory", "ephemeral-storage") or resource.startswith("hugepages-")
    return str(Quantity(counted * NANO, Form.BINARY if in_bytes else Form.DECIMAL))


def weight(text: str | int) -> int:
    """A fair-share weight in thousandths, rounded up, so that the smallest is not 0. Raises QuantityError.

    Kueue divides by the weight as it is; only weights of more than three decimals differ.
    """
    return parsed(text).whole(1000)


def _binary(whole: int) -> str:
    suffix = ""
    for each, bits in _BINARY.items():
        if whole % (1 << bits) == 0:
            suffix = each
    return f"{whole >> _BINARY[suffix]}{suffix}"


def _divided(number: int, by: int) -> int:
    """Rounded away from zero."""
    rounded = -(-abs(number) // by)
    return rounded if number >= 0 else -rounded
