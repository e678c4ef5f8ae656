"""Kubernetes quantities, exactly: whole numbers of the finest unit that an API server keeps, a thousand-millionth.

Rules: Kubernetes' documentation, "Quantity" (suffixes, exponents, canonical form, rounding up, the bound of 2^63-1),
and Kueue's ways to count a resource and to show it.
"""

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

NANO = 10**9
LARGEST = 2**63 - 1
"""A larger quantity is cut to it."""
MOST_CHARACTERS = 64
UNLIMITED = "+Inf"

_PATTERN = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?[0-9]{1,3})?")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"": 0, "Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}


class QuantityError(ValueError):
    """A text is no quantity."""


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
        while exponent < 18 and number % 1000 == 0:
            exponent, number = exponent + 3, number // 1000
        if self.form is Form.EXPONENT:
            return f"{number}e{exponent}" if exponent else str(number)
        return f"{number}{_SUFFIXES[exponent]}"


_SUFFIXES = {exponent: suffix for suffix, exponent in _DECIMAL.items()}


def parsed(text: str) -> Quantity:
    """The quantity that a text says. Raises QuantityError."""
    if len(text) > MOST_CHARACTERS:
        raise QuantityError(f"{text[:20]!r}… is no quantity: it has {len(text)} characters")
    return _parsed(text)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Quantity:
    found = _PATTERN.fullmatch(text)
    if found is None or not (found[2] or found[3]):
        raise QuantityError(f"{text!r} is no quantity, such as 4, 1500m or 64Gi")
    sign, whole, fraction, suffix = found[1], found[2], found[3] or "", found[4] or ""
    digits = int(whole + fraction)
    numerator, denominator, form = _scale(suffix)
    nano = _divided(digits * numerator * NANO, denominator * 10 ** len(fraction))
    nano = min(nano, LARGEST * NANO)
    return Quantity(-nano if sign == "-" else nano, form)


def _scale(suffix: str) -> tuple[int, int, Form]:
    if suffix in _BINARY and suffix:
        return 1 << _BINARY[suffix], 1, Form.BINARY
    exponential = suffix not in _DECIMAL
    exponent = int(suffix[1:]) if exponential else _DECIMAL[suffix]
    form = Form.EXPONENT if exponential else Form.DECIMAL
    return (10**exponent, 1, form) if exponent >= 0 else (1, 10**-exponent, form)


def limit(text: str) -> Quantity | None:
    """A limit as metrics write one: None for +Inf, which is no limit. Raises QuantityError."""
    return None if text == UNLIMITED else parsed(text)


def canonical(text: str) -> str:
    """A quantity as an API server would write it. Raises QuantityError."""
    return str(parsed(text))


def amount(resource: str, text: str) -> int:
    """A quantity as Kueue counts the resource: cpu in thousandths of a core, all else in whole units, rounded up.

    Raises QuantityError.
    """
    return parsed(text).whole(1000 if resource == "cpu" else 1)


@lru_cache(maxsize=4096)
def shown(resource: str, counted: int) -> str:
    """What Kueue has counted of a resource, as its statuses and messages write it."""
    if resource == "cpu":
        return str(Quantity(counted * (NANO // 1000)))
    in_bytes = resource in ("memory", "ephemeral-storage") or resource.startswith("hugepages-")
    return str(Quantity(counted * NANO, Form.BINARY if in_bytes else Form.DECIMAL))


def weight(text: str) -> int:
    """A fair-share weight in thousandths, rounded up. Raises QuantityError."""
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
