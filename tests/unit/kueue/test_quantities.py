"""Quantities are read exactly, written as an API server writes them, and counted as Kueue counts them."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governor.kueue.quantities import (
    LARGEST,
    NANO,
    Form,
    Quantity,
    QuantityError,
    amount,
    canonical,
    limit,
    parsed,
    shown,
    weight,
)

UNITS = {
    **{
        suffix: Fraction(10) ** power
        for suffix, power in zip("numkMGTPE", (-9, -6, -3, 3, 6, 9, 12, 15, 18), strict=True)
    },
    **{f"{suffix}i": Fraction(1024) ** (1 + power) for power, suffix in enumerate("KMGTPE")},
    **{
        f"{letter}{power}": Fraction(10) ** int(power)
        for letter in "eE"
        for power in ("0", "3", "+5", "-2", "21", "-11")
    },
    "": Fraction(1),
}
SUFFIXES = st.sampled_from(sorted(UNITS))
DIGITS = st.text("0123456789", max_size=12)


@st.composite
def written(draw: st.DrawFn) -> tuple[str, Fraction]:
    """A text and what it says."""
    whole, fraction = draw(DIGITS.filter(bool)), draw(st.none() | DIGITS)
    sign, suffix = draw(st.sampled_from(["", "+", "-"])), draw(SUFFIXES)
    digits = whole if fraction is None else f"{whole}.{fraction}"
    value = Fraction(f"{whole}.{fraction or 0}") * UNITS[suffix]
    if suffix.endswith("i"):
        value = min(value, Fraction(LARGEST))
    return f"{sign}{digits}{suffix}", -value if sign == "-" else value


def away_from_zero(value: Fraction) -> int:
    rounded = -(-abs(value).numerator // value.denominator)
    return rounded if value >= 0 else -rounded


@given(written())
def test_a_quantity_is_what_it_says_rounded_away_from_zero_in_its_ninth_place(case: tuple[str, Fraction]) -> None:
    text, value = case
    assert parsed(text).nano == away_from_zero(value * NANO)


@given(written())
def test_what_is_written_says_the_same(case: tuple[str, Fraction]) -> None:
    quantity = parsed(case[0])
    for text in (str(quantity), canonical(case[0])):
        assert parsed(text).nano == quantity.nano
    assert canonical(str(quantity)) == str(parsed(str(quantity))) == str(quantity)


@given(written())
def test_the_canonical_form_has_no_fraction_and_the_largest_suffix(case: tuple[str, Fraction]) -> None:
    text = str(parsed(case[0]))
    found = re.fullmatch(r"(0|-?[1-9][0-9]*)([A-Za-z]*|e-?[0-9]+)", text)
    assert found is not None
    if found[2] in ("Ki", "Mi", "Gi", "Ti", "Pi"):
        assert int(found[1]) % 1024 != 0
    elif found[2] not in ("E", "Ei") and parsed(case[0]).form is not Form.BINARY and found[1] != "0":
        assert int(found[1]) % 1000 != 0


@given(st.sampled_from(["cpu", "memory", "nvidia.com/gpu"]), written())
def test_what_is_counted_is_rounded_up_once_and_shown_as_much(resource: str, case: tuple[str, Fraction]) -> None:
    text, value = case
    exact = away_from_zero(value * NANO)
    expected = away_from_zero(Fraction(exact, NANO) * (1000 if resource == "cpu" else 1))
    counted = amount(resource, text)
    assert counted == max(-LARGEST - 1, min(LARGEST, expected))
    if abs(counted) <= LARGEST:
        assert amount(resource, shown(resource, counted)) == counted


@pytest.mark.parametrize(
    ("text", "answered"),
    [
        ("0", "0"),
        ("00", "0"),
        ("-0", "0"),
        ("0Gi", "0"),
        ("1500m", "1500m"),
        ("1000m", "1"),
        ("1.5", "1500m"),
        (".5", "500m"),
        ("128", "128"),
        ("1000", "1k"),
        ("1000000", "1M"),
        ("0.1k", "100"),
        ("-1000m", "-1"),
        ("1024Mi", "1Gi"),
        ("0.5Gi", "512Mi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Ki", "512"),
        ("1.1Ki", "1126400m"),
        (".001Ki", "1024m"),
        ("1025Ki", "1025Ki"),
        ("1e3", "1e3"),
        ("12e4", "120e3"),
        ("1e21", "1e21"),
        ("100m", "100m"),
        ("0.1n", "1n"),
        ("-3.001n", "-4n"),
        ("1.1E-9", "2e-9"),
        ("12E", "12E"),
        ("1000E", "1000E"),
        ("9Ei", "9223372036854775807"),
        ("-8Ei", "-9223372036854775807"),
    ],
)
def test_the_canonical_form(text: str, answered: str) -> None:
    assert canonical(text) == answered


@pytest.mark.parametrize("text", ["+5", "5.", "1E3", "1e03", "100e0", "1.500", "01025Ki", "-1.500"])
def test_a_text_whose_digits_fit_is_kept_though_it_is_not_canonical(text: str) -> None:
    assert canonical(text) == text != str(parsed(text))


@pytest.mark.parametrize("text", ["+1000", "5.0", "1E4", "1.5", "0.5", "1024Ki", "1.0Ki", "+" + "1" * 19])
def test_a_text_whose_digits_do_not_fit_is_not_kept(text: str) -> None:
    assert canonical(text) == str(parsed(text)) != text


def test_a_whole_number_of_json_is_a_quantity() -> None:
    assert parsed(1500) == parsed("1500")
    assert canonical(1000) == "1k"
    assert amount("cpu", 2) == 2000


NO_QUANTITIES: tuple[object, ...] = (
    *("", " ", "1 ", "1\n", ".", "+", "-.", "m", "1mm", "1ki", "1K", "1e", "1e+", "1e3.5", "e3", "1.2.3", "0x10"),
    *("1_000", "\u0663", "1Gi1", "NaN", "Inf", "+Inf", "1" * 65, "1e1000", True, None, 1.5, [], {}, 10**64),
)


@pytest.mark.parametrize("text", NO_QUANTITIES)
def test_what_is_no_quantity_is_refused(text: object) -> None:
    with pytest.raises(QuantityError) as refused:
        parsed(text)  # type: ignore[arg-type]
    assert len(str(refused.value)) < 120


@given(st.text(max_size=70) | st.text("0123456789.eEinumkKMGTP+-", max_size=70))
def test_any_text_is_a_quantity_or_refused_as_none(text: str) -> None:
    try:
        quantity = parsed(text)
    except QuantityError:
        return
    assert parsed(str(quantity)).nano == quantity.nano


def test_no_limit_is_said_apart_from_quantities() -> None:
    assert limit("+Inf") is None
    assert limit("2k") == Quantity(2000 * NANO)
    with pytest.raises(QuantityError):
        limit("Inf")


@pytest.mark.parametrize(
    ("resource", "text", "counted"),
    [
        ("cpu", "16", 16_000),
        ("cpu", "1500m", 1500),
        ("cpu", "0.1m", 1),
        ("memory", "64Gi", 64 * 1024**3),
        ("memory", "1500m", 2),
        ("nvidia.com/gpu", "4", 4),
        ("nvidia.com/gpu", "1k", 1000),
        ("ephemeral-storage", "1M", 10**6),
        ("cpu", "1E", LARGEST),
        ("memory", "100E", LARGEST),
        ("memory", "-100E", -LARGEST - 1),
    ],
)
def test_what_kueue_counts(resource: str, text: str, counted: int) -> None:
    assert amount(resource, text) == counted


@pytest.mark.parametrize(
    ("resource", "counted", "text"),
    [
        ("memory", 137438953472, "128Gi"),
        ("memory", 1000, "1k"),
        ("memory", 1536 * 1024**2, "1536Mi"),
        ("memory", 2**20 + 1, "1048577"),
        ("cpu", 1500, "1500m"),
        ("cpu", 64000, "64"),
        ("cpu", 1_000_000, "1k"),
        ("nvidia.com/gpu", 1024, "1024"),
        ("nvidia.com/gpu", 0, "0"),
        ("ephemeral-storage", 2048, "2Ki"),
        ("hugepages-2Mi", 4 * 2**20, "4Mi"),
        ("vpc.amazonaws.com/efa", 2000, "2k"),
    ],
)
def test_what_kueue_shows(resource: str, counted: int, text: str) -> None:
    assert shown(resource, counted) == text


@pytest.mark.parametrize(("text", "thousandths"), [("1", 1000), ("0", 0), ("100", 100_000), ("0.5", 500), ("1n", 1)])
def test_a_weight_is_in_thousandths_and_the_smallest_is_not_nothing(text: str, thousandths: int) -> None:
    assert weight(text) == thousandths
