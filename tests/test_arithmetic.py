"""The grammar of expressions: the value of arithmetic, units through every operation, ranges, and nothing that runs or hangs."""

import ast
import math
import operator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kilowhat.tools import KilowhatError, Library, call
from kilowhat.tools.core.arithmetic import base_unit, longest_quantity, quantities_in, read_expression
from kilowhat.tools.core.errors import BadQuantity, InvalidArguments, UnitMismatch
from kilowhat.tools.core.expression import evaluate
from kilowhat.tools.core.units import ENERGY, NUMBER, combine, parse_unit

LIBRARY = Library.load()
_OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: operator.pow}

numbers = st.integers(1, 9).map(str)
expressions = st.recursive(
    numbers,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", " - ", " * ", " / "]), inner).map("".join),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"(-({text}))"),
        inner.map(lambda text: f"({text}) ** 2"),
    ),
    max_leaves=12,
)


def value_of(node):
    """Return what Python makes of a tree of plain arithmetic."""
    if isinstance(node, ast.Constant):
        return float(node.value)
    if isinstance(node, ast.UnaryOp):
        return -value_of(node.operand)
    return _OPERATORS[type(node.op)](value_of(node.left), value_of(node.right))


def value(text):
    return read_expression(LIBRARY, text).value


@given(expressions)
def test_plain_arithmetic_has_the_value_that_python_gives(text):
    try:
        wanted = value_of(ast.parse(text, mode="eval").body)
    except (ZeroDivisionError, OverflowError):
        with pytest.raises(KilowhatError):
            read_expression(LIBRARY, text)
        return
    assume(abs(wanted) < 1e20 and text.count("(") < 25 and len(text) <= 400)
    try:
        found = value(text)
    except InvalidArguments as error:
        assume("beyond" not in error.message and "at most" not in error.message)
        raise
    assert math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-9)


@given(expressions)
def test_the_formula_gives_the_value_again(text):
    try:
        expression = read_expression(LIBRARY, text)
    except KilowhatError:
        return
    values = {operand.name: operand.told.quantity.value for operand in expression.operands}
    assert math.isclose(evaluate(expression.formula, values), expression.value, rel_tol=1e-9, abs_tol=1e-12)


@given(st.text(max_size=80))
def test_any_text_is_an_expression_or_is_refused(text):
    try:
        expression = read_expression(LIBRARY, text)
    except KilowhatError as error:
        assert error.message and error.field == "expression"
    else:
        assert math.isfinite(expression.value) and abs(expression.value) <= 1e30


pieces = st.lists(
    st.sampled_from(
        [
            "3 kWh",
            "2",
            "5 kg",
            "1 to 3 h",
            "fact:gpt-3-training-energy",
            "(",
            ")",
            "+",
            "-",
            "*",
            "/",
            "**",
            "^",
            "of",
            "per",
            "min(",
            "max(",
            "sqrt(",
            ",",
            "%",
            "to",
            "kWh",
            "200 million",
            "万",
            "1e9",
            "x",
            ".",
        ]
    ),
    max_size=14,
)


@given(pieces)
def test_pieces_in_any_order_are_an_expression_or_are_refused(parts):
    try:
        estimate = call("calculate", {"expression": " ".join(parts) or " "})
    except KilowhatError as error:
        assert error.message
    else:
        assert all(math.isfinite(end) and end >= 0 for result in estimate.results for end in (result.low, result.value, result.high))
        assert all(result.low <= result.value <= result.high for result in estimate.results)


@pytest.mark.parametrize(
    ("text", "unit", "wanted"),
    [
        ("3 kWh * 365", "kWh", 1095),
        ("500000 kWh / 200 million", "Wh", 2.5),
        ("500000 kWh per 200 million requests", "Wh", 2.5),
        ("15 % of 945 TWh", "TWh", 141.75),
        ("12 kWh / 3 g CO2e/kWh", "kWh·kWh/g CO2e", 4),
        ("500 km / 100 km/h", "h", 5),
        ("840亿kW*h / 10 天", "GW", 350),
        ("10^6 kWh / 10⁵", "kWh", 10),
        ("1,287 MWh", "kWh", 1287000),
        ("500 000 kWh * 2", "kWh", 1000000),
        ("$100 million / 25,000 GPU", "USD", 4000),
        ("3 x 5 kWh", "kWh", 15),
        ("2 x fact:us-home-year-energy-eia", "kWh", 21582),
        ("30.5x", "", 30.5),
        ("2 ** 3 ** 2", "", 512),
        ("-2 ** 2 + 5", "", 1),
        ("sqrt(9 kWh * 4 kWh)", "kWh", 6),
        ("min(3 kWh, 2000 Wh)", "kWh", 2),
        ("3 kWh/day * 365 days", "kWh", 1095),
        ("6 kW × 2 h ÷ 3", "kWh", 4),
        ("６ｋＷｈ＊２", "kWh", 12),
        ("2 min + 60 s", "min", 3),
        ("3 kWh / 2 / 3", "kWh", 0.5),
        ("6 / 3 * 10 ^ 2", "", 200),
        ("6 * 175e9 * 300e9 FLOP / (125 TFLOP/s * 25 %)", "h", 2800000),
    ],
)
def test_units_and_numbers_as_people_write_them(text, unit, wanted):
    expression = read_expression(LIBRARY, text)
    assert math.isclose(expression.quantity().to(unit).value, wanted, rel_tol=1e-9)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("3 kWh + 2 kg", UnitMismatch, "an energy and .* a mass"),
        ("3 kg + 2 kg CO2e", UnitMismatch, "kg CO2e where"),
        ("3 kW + 2 kWh", UnitMismatch, "by its hours"),
        ("3 + 2 kWh", UnitMismatch, "both numbers a unit"),
        ("85-134 TWh", UnitMismatch, "written with 'to'"),
        ("2 ** 3 h", UnitMismatch, "plain number"),
        ("(2 kWh) ** 0.5", UnitMismatch, "whole ones"),
        ("2 kWh ** (1 to 2)", UnitMismatch, "whole ones"),
        ("max(3 kWh, 2 kg)", UnitMismatch, "compared"),
        ("1 / 0", InvalidArguments, "divided by zero"),
        ("0 ** -1", InvalidArguments, "divided by zero"),
        ("(2 - 5) ** 0.5", InvalidArguments, "no such root"),
        ("sqrt(3 kWh)", InvalidArguments, "no root"),
        ("sqrt(2 - 5)", InvalidArguments, "no root"),
        ("9 ** 99", InvalidArguments, "beyond"),
        ("1e20 * 1e20", InvalidArguments, "beyond"),
        ("2 ** 101", InvalidArguments, "exponent"),
        ("3 *", InvalidArguments, "ends where"),
        ("(3 * 2", InvalidArguments, "not closed"),
        ("3 * 2)", InvalidArguments, "not understood"),
        ("min(1,200)", InvalidArguments, "space behind each comma"),
        ("kWh * 3", InvalidArguments, "is no number"),
        ("3 furlongs", BadQuantity, "no unit or operator"),
        ("5 to 3 kWh", BadQuantity, "no unit or operator"),
        ("open('x')", InvalidArguments, "is no number"),
        ("a.b", InvalidArguments, "is no number"),
        ("", InvalidArguments, "empty"),
        ("(" * 40 + "1" + ")" * 40, InvalidArguments, "brackets"),
        ("1+" * 30 + "1", InvalidArguments, "26 numbers"),
        ("1" * 401, InvalidArguments, "400 characters"),
        ("1 / (1 to 3 - 2)", BadQuantity, "no bounds|divides by zero"),
        ("(1 to 4 - 1.5) ** 0.5", BadQuantity, "no bounds"),
    ],
)
def test_what_is_wrong_is_said(text, error, words):
    with pytest.raises(error, match=words) as caught:
        read_expression(LIBRARY, text)
    assert caught.value.field == "expression"


def test_every_number_is_an_input_as_written_and_every_fact_is_cited():
    estimate = call("calculate", {"expression": "fact:gpt-3-training-energy * 429 g CO2e/kWh / 2", "unit": "t CO2e"})
    assert [(entry.value, entry.unit, entry.origin) for entry in estimate.inputs] == [(1287.0, "MWh", "fact"), (429.0, "g CO2e/kWh", "given"), (2.0, "ratio", "given")]
    assert [citation.fact_id for citation in estimate.citations] == ["gpt-3-training-energy"]
    assert estimate.results[0].unit == "t CO2e"


@given(low=st.floats(1e-3, 1e3), width=st.floats(1.01, 10), factor=st.floats(1e-3, 1e3))
def test_a_product_keeps_the_width_of_its_range(low, width, factor):
    result = call("calculate", {"expression": f"{low!r} to {low * width!r} kWh * {factor!r}"}).results[0]
    assert math.isclose(result.high / result.low, width, rel_tol=1e-6)
    assert math.isclose(result.low, low * factor, rel_tol=1e-6)


def test_independent_ranges_add_in_quadrature():
    result = call("calculate", {"expression": "1 to 4 kWh * 1 to 4"}).results[0]
    assert math.isclose(result.high / result.value, 2 ** math.sqrt(2), rel_tol=1e-6)


def test_a_difference_that_may_vanish_reaches_down_to_zero():
    estimate = call("calculate", {"expression": "10 to 20 kWh - 8 to 15 kWh"})
    assert estimate.results[0].low == 0 and estimate.results[0].high > estimate.results[0].value
    assert [warning.code for warning in estimate.warnings] == ["difference_within_range"]


@given(st.dictionaries(st.sampled_from(["energy", "emissions", "volume", "time", "length", "mass", "money"]), st.integers(-2, 2).filter(bool), max_size=3))
def test_a_base_unit_has_factor_one_and_its_dimension(exponents):
    dimension = tuple(sorted(exponents.items()))
    unit = parse_unit(base_unit(dimension))
    assert (unit.dimension, unit.factor) == (dimension, 1.0)


def test_the_longest_unit_is_read():
    assert longest_quantity("3 kWh per 1000 images and more", 0, 1)[0].unit == "kWh per 1000 images"
    assert parse_unit(longest_quantity("3 kWh per day / 2", 0, 1)[0].unit).dimension == combine(ENERGY, (("time", 1),), -1)
    assert longest_quantity("3 / 2", 0, 1)[0].dimension == NUMBER


def test_quantities_are_found_in_words():
    found = quantities_in("GPT-4 on 25,000 A100 for 85.4 to 134 TWh, $100 million, 62.6万吨 and 3.4 %.")
    assert [(round(quantity.value, 3), quantity.unit) for quantity in found] == [(25000, ""), (106.975, "TWh"), (1e8, "USD"), (626000, "吨"), (3.4, "%")]
