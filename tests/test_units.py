"""Quantities as people and tables write them, in every script, and what is refused."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kilowhat.tools.core.errors import BadQuantity, KilowhatError, UnitMismatch
from kilowhat.tools.core.units import (
    COUNT_NOUNS,
    MAGNITUDES,
    Quantity,
    canonical_unit,
    conversion_factor,
    format_number,
    format_quantity,
    format_range,
    name_dimension,
    parse_number,
    parse_quantity,
    parse_unit,
    readable,
    shown_digits,
    significant_digits,
)

CONVERSIONS = [
    ("1 kWh", "Wh", 1000),
    ("1 kWh", "MJ", 3.6),
    ("1 TWh", "kWh", 1e9),
    ("1 EJ", "TWh", 1000 / 3.6),
    ("1287 MWh", "kWh", 1_287_000),
    ("3.6 MJ", "kWh", 1),
    ("1 kcal", "J", 4184),
    ("400 W", "kW", 0.4),
    ("6.5 kW", "kWh/year", 56_940),
    ("1 kWh/day", "W", 1000 / 24),
    ("1 t CO2e", "kg CO2e", 1000),
    ("626,155 lb CO2e", "t CO2e", 284.019),
    ("2 MtCO2e", "t CO2e", 2e6),
    ("1 short ton CO2", "kg CO2e", 907.18474),
    ("1 kg of CO2 equivalent", "g CO2e", 1000),
    ("436 g CO2e/kWh", "kg CO2e/kWh", 0.436),
    ("0.436 t CO2/MWh", "g CO2e/kWh", 436),
    ("1 gallon", "L", 3.785411784),
    ("500 mL", "L", 0.5),
    ("1 m³", "L", 1000),
    ("1.8 L/kWh", "m3/MWh", 1.8),
    ("1 mile", "km", 1.609344),
    ("1 year", "h", 8760),
    ("1 month", "day", 365 / 12),
    ("90 min", "h", 1.5),
    ("34,320 GPU-hours", "h", 34_320),
    ("2.907 kWh per 1000 images", "Wh/image", 2.907),
    ("2.907 kWh per 1,000 images", "kWh", 0.002907),
    ("0.5 g CO2e per request", "mg CO2e/request", 500),
    ("312 TFLOP/s", "FLOP/s", 312e12),
    ("15 percent", "ratio", 0.15),
    ("15%", "percent", 15),
    ("4 x", "ratio", 4),
    ("3 Stunden", "h", 3),
    ("5 Tonnen CO2e", "kg CO2e", 5000),
    ("2 heures", "min", 120),
    ("3 queries", "request", 3),
    ("$0.10/kWh", "USD/MWh", 100),
]


@pytest.mark.parametrize(("text", "unit", "value"), CONVERSIONS)
def test_a_quantity_converts_to(text: str, unit: str, value: float) -> None:
    assert parse_quantity(text).to(unit).value == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("３．５ｋＷｈ", "kWh", 3.5),
        ("1，287 MWh", "kWh", 1_287_000),
        ("1.7萬度", "kWh", 17_000),
        ("2億度", "kWh", 2e8),
        ("3千瓦时", "kWh", 3),
        ("3千度", "kWh", 3000),
        ("5百万千瓦时", "kWh", 5e6),
        ("5兆瓦时", "kWh", 5000),
        ("3个千瓦时", "kWh", 3),
        ("100瓦", "W", 100),
        ("62.6萬磅二氧化碳當量", "lb CO2e", 626_000),
        ("552公吨二氧化碳", "t CO2e", 552),
        ("500毫升", "L", 0.5),
        ("3个小时", "h", 3),
        ("2个星期", "day", 14),
        ("6年", "h", 6 * 8760),
        ("10 公里", "km", 10),
        ("50キロワット時", "kWh", 50),
        ("5 ﾜｯﾄ時", "Wh", 5),
        ("2.9千瓦时每1000张", "Wh", 2.9),
        ("3 吨二氧化碳/年", "t CO2e/year", 3),
        ("1.7萬個美國家庭", "ratio", 17_000),
        ("20万台服务器", "ratio", 200_000),
    ],
)
def test_units_of_other_scripts(text: str, unit: str, value: float) -> None:
    assert parse_quantity(text).to(unit).value == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,287", 1287),
        ("1 234 567", 1_234_567),
        ("1e6", 1e6),
        ("3.14E+23", 3.14e23),
        ("3.14×10²³", 3.14e23),
        ("3.14 x 10^23", 3.14e23),
        ("10⁵", 1e5),
        ("10⁻³", 1e-3),
        ("10**5", 1e5),
        (".5", 0.5),
        ("5k", 5000),
        ("1.5 million", 1.5e6),
        ("3 hundred", 300),
        ("3 mn", 3e6),
        ("3 bn", 3e9),
        ("3 tn", 3e12),
        ("1.7萬", 17_000),
        ("1.2万亿", 1.2e12),
        ("−4", -4),
        ("≈ 4", 4),
        ("+4", 4),
    ],
)
def test_a_number_as_it_is_written(text: str, value: float) -> None:
    assert parse_number(text) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "low", "high", "unit"),
    [
        ("85.4-134 TWh", 85.4, 134, "TWh"),
        ("85.4–134.0 TWh", 85.4, 134, "TWh"),
        ("85.4 to 134 TWh", 85.4, 134, "TWh"),
        ("85.4 TWh to 134 TWh", 85.4, 134, "TWh"),
        ("500 Wh - 2 kWh", 0.5, 2, "kWh"),
        ("3-5 million kWh", 3e6, 5e6, "kWh"),
        ("3 million to 5 million kWh", 3e6, 5e6, "kWh"),
        ("2至5万度", 20_000, 50_000, "度"),
        ("10~20%", 10, 20, "%"),
        ("3 bis 5 kWh", 3, 5, "kWh"),
        ("$5-10 million", 5e6, 10e6, "USD"),
    ],
)
def test_a_range_has_its_ends_and_their_geometric_mean(text: str, low: float, high: float, unit: str) -> None:
    assert parse_quantity(text) == Quantity(pytest.approx(math.sqrt(low * high)), unit, pytest.approx(low), pytest.approx(high))


REFUSED = [
    "", " ", "kWh", "GPT-3", "about 3 kWh", "nan kWh", "inf kWh", "1e400 kWh", "1e308 trillion kWh", "1e200-2e200 kWh", "--3 kWh", "+-3 kWh",
    "3 foo", "3 kWh kWh", "3 kWh 5 kWh", "3 kWh per foo", "3 kWh per 0 images", "3 kWh per 1.2.3 images", "3 kWh per 1e999 images", "3 kWh per 1e300 images",
    "1,5 kWh", "1,5 images", "1.000.000 kWh", "1.000.000 images", "1'000 images", "½ kWh", "½ images", "3² kWh", "3² images", "2 x 1000 images", "2 x 1000 kWh",
    "3 ± 1 images", "5M tokens", "175B parameters", "5 M", "5 n", "5 es", "5 ts", "5 kWh images", "$5 kWh", "3 CO2", "3 carbon", "8 80-GB GPUs",
    "5-3 kWh", "0-5 kWh", "-5-10 kWh", "3 kWh to 5 kg", "2024-06-01", "3 <b>kWh</b>", "3 k\u200bWh", "3" * 201,
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(BadQuantity) as caught:
        parse_quantity(text)
    assert caught.value.code == "bad_quantity"
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("text", ["3 kWh", "3-5", "5%"])
def test_a_quantity_is_no_plain_number(text: str) -> None:
    with pytest.raises(BadQuantity, match="no plain number"):
        parse_number(text)


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("kg", "kg CO2e", "a mass, and a mass of greenhouse gas"),
        ("kWh", "kW", "an energy, and a power"),
        ("kWh/year", "kWh", "a power, and an energy"),
        ("L/kWh", "g CO2e/kWh", "a water intensity, and a carbon intensity"),
        ("", "kWh", "a plain number"),
        ("USD/kWh", "kWh", r"energy\^-1·money"),
    ],
)
def test_no_unit_turns_into_one_of_another_dimension(source: str, target: str, words: str) -> None:
    with pytest.raises(UnitMismatch, match=words):
        conversion_factor(source, target)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("kwh", "kWh"),
        ("KWH", "kWh"),
        ("MWH", "MWh"),
        ("mwh", "MWh"),
        ("gw", "GW"),
        ("tCO2eq", "t CO2e"),
        ("kgCO2e", "kg CO2e"),
        ("W·h", "Wh"),
        ("watt-hours", "Wh"),
        ("Kilowattstunden", "kWh"),
        ("L", "l"),
    ],
)
def test_spellings_of_one_unit(text: str, same: str) -> None:
    assert conversion_factor(text, same) == pytest.approx(1, rel=1e-15)


def test_case_matters_where_it_changes_the_meaning() -> None:
    assert conversion_factor("MWh", "mWh") == pytest.approx(1e9)
    assert conversion_factor("MW", "mW") == pytest.approx(1e9)


def test_magnitudes_and_counted_things_have_no_dimension() -> None:
    for word in MAGNITUDES:
        assert parse_quantity(f"2 {word}") == Quantity(2 * MAGNITUDES[word], "")
    for noun in COUNT_NOUNS:
        assert parse_unit(noun).dimension == ()


def test_a_unit_of_more_than_80_characters_is_refused() -> None:
    with pytest.raises(BadQuantity, match="at most 80 characters"):
        parse_unit("kWh" + "/kWh" * 20)


def test_every_dimension_with_a_canonical_unit_is_named() -> None:
    for unit in ("Wh", "t CO2e", "m3", "GW", "day", "mile", "lb", "percent"):
        dimension = parse_unit(unit).dimension
        assert parse_unit(canonical_unit(dimension) or "").dimension == dimension
        assert name_dimension(dimension).startswith("a")
    assert canonical_unit(parse_unit("USD").dimension) is None


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (1287.4, 4, "1,287"),
        (0.00012345, 2, "0.00012"),
        (2754000, 2, "2,800,000"),
        (999.96, 4, "1,000"),
        (0, 4, "0"),
        (-12.5, 2, "-12"),
        (1.23e18, 3, "1.23e+18"),
        (4.5e-12, 2, "4.5e-12"),
        (math.inf, 3, "unknown"),
    ],
)
def test_a_number_shows_so_many_digits(value: float, digits: int, shown: str) -> None:
    assert format_number(value, digits) == shown


@pytest.mark.parametrize(
    ("quantity", "shown", "within"),
    [
        (Quantity(2907.0, "Wh"), "2.907 kWh", None),
        (Quantity(1.287, "GWh", 1.1, 1.5), "1.3 GWh", "1.1 to 1.5 GWh"),
        (Quantity(0.0000024, "kWh"), "0.0024 Wh", None),
        (Quantity(552.0, "t CO2e", 552.0, 552.0), "552 t CO2e", None),
        (Quantity(100.0, "W", 99.5, 100.5), "100 W", "99.5 to 100 W"),
        (Quantity(0.0, "kWh"), "0 kWh", None),
        (Quantity(3.0, "homes"), "3 homes", None),
        (Quantity(3.0, ""), "3", None),
    ],
)
def test_a_quantity_shows_in_a_readable_unit_with_the_digits_its_interval_allows(quantity: Quantity, shown: str, within: str | None) -> None:
    assert format_quantity(quantity) == shown
    assert format_range(quantity) == within


@pytest.mark.parametrize(("low", "high", "digits"), [(50.0, 200.0, 2), (95.0, 105.0, 3), (99.5, 100.5, 4), (None, None, 4)])
def test_digits_follow_the_width_of_the_interval(low: float | None, high: float | None, digits: int) -> None:
    assert significant_digits(Quantity(100.0, "W", low, high)) == digits


@given(st.floats(1e-6, 1e15), st.sampled_from(["Wh", "J", "g CO2e", "mL", "W"]))
def test_a_readable_quantity_is_the_same_quantity(value: float, unit: str) -> None:
    quantity = Quantity(value, unit)
    assert readable(quantity).to(unit).value == pytest.approx(value, rel=1e-12)


@given(st.floats(1e-9, 1e12), st.sampled_from(CONVERSIONS))
def test_a_conversion_there_and_back_changes_nothing(value: float, case: tuple[str, str, float]) -> None:
    text, unit, _ = case
    source = parse_quantity(text).unit
    assert Quantity(value, source).to(unit).to(source).value == pytest.approx(value, rel=1e-12)


PIECES = st.sampled_from(
    [*"0123456789.,-–~ /·÷$%×x*^e+−²⁵½()MkKtn", "1e", "10^", "e-", "per", "每", "to", "至", "of", "CO2e", "kWh", "Wh", "W", "g", "L", "m3", "images", "个", "張", "萬", "million", "bn", "度", "二氧化碳", "\u200b", "\u3000", "٣", "0", "1e-320"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=220), st.lists(PIECES, max_size=40).map("".join), st.lists(PIECES, max_size=20).map(" ".join), st.floats().map(lambda number: f"{number} kWh")))
def test_any_text_is_a_finite_quantity_or_refused(text: str) -> None:
    try:
        quantity = parse_quantity(text)
    except KilowhatError as error:
        assert error.message
        return
    assert math.isfinite(quantity.value)
    assert 0 < parse_unit(quantity.unit).factor < math.inf
    if quantity.low is not None and quantity.high is not None:
        assert 0 < quantity.low <= quantity.high < math.inf
        assert quantity.value == pytest.approx(math.sqrt(quantity.low * quantity.high))
    assert format_quantity(quantity)


@pytest.mark.parametrize("filler", [" ", "1", "1,", "1 ", "1-", "1 - ", "-", "$", "x 10^", "萬", "k ", "(", "of ", "co2", "e", "個", "/", "·", "s", "1e1"])
def test_the_longest_text_is_read_in_a_moment(filler: str) -> None:
    start = time.perf_counter()
    for text in (filler * 200, "3 " + filler * 200, "3 kWh" + filler * 200, "3 g" + filler * 200):
        try:
            parse_quantity(text[:200])
            parse_unit(text[:80])
        except BadQuantity:
            continue
    assert time.perf_counter() - start < 0.25


@given(st.floats(1e-6, 1e9), st.floats(1.0, 50.0), st.floats(1.0, 50.0), st.sampled_from(["kWh", "kg CO2e", "L", "%", ""]), st.integers(2, 3))
def test_a_value_lies_in_its_range_as_both_are_shown(value: float, below: float, above: float, unit: str, least: int) -> None:
    assume(value / below < value * above)
    quantity = Quantity(value, unit, value / below, value * above)
    of_value, of_ends = shown_digits(quantity, least)
    low, middle, high = (float(format_number(number, digits).replace(",", "")) for number, digits in ((value / below, of_ends), (value, of_value), (value * above, of_ends)))
    assert low <= middle <= high
    assert least <= of_ends <= 4 and (middle < 100 or value >= 100 or unit != "%" or value >= 99.995)
