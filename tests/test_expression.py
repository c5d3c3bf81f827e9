"""Arithmetic as text: five operators, names and numbers, and nothing else."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.tools.core.errors import InvalidArguments
from kilowhat.tools.core.expression import MAXIMUM_LENGTH, Formula, evaluate, parse


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 + 3 * 4", 14), ("(2 + 3) * 4", 20), ("2 ** 3 ** 2", 512), ("-2 ** 2", -4), ("2 ** -1", 0.5), ("7 / 2", 3.5), ("+1.5e3", 1500), (".5 + 1.", 1.5), ("8 * 6.5 * 24", 1248),
    ],
)  # fmt: skip
def test_arithmetic_by_hand(expression: str, value: float) -> None:
    assert evaluate(expression, {}) == value


def test_names_take_the_values_given() -> None:
    assert evaluate("servers * power_kw * 24", {"servers": 2, "power_kw": 6.5, "more": 1}) == 312


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os')", "open", "f(2)", "2(3)", "a.b", "a[0]", "[1]", "{1}", "(1, 2)", "1 if 2 else 3", "5if 3 else 2", "lambda: 1", "a := 3", "a = 3", "a; b", "1 < 2", "1 is 2", "not 1",
        "1 and 2", "'a' * 9", "b'a'", "f'{1}'", "1j", "True", "None", "...", "2 // 3", "2 % 3", "2 @ 3", "2 | 3", "2 << 3", "~2", "0x10", "1_000", "1 # a", "__debug__", "__builtins__", "*a", "a b",
        "2 3", "1 +", "(", "()", "", " ", "\0", "\ud800", "1\n+ 1", "nan", "yield", "await a", "(a for a in b)", "1,287", "3 kWh", "٣",
    ],
)  # fmt: skip
def test_anything_else_is_refused(expression: str) -> None:
    with pytest.raises(InvalidArguments) as caught:
        evaluate(expression, {})
    assert caught.value.code == "invalid_arguments"


@pytest.mark.parametrize(
    "expression", ["9**9**9**9", "9**999999999", "(-9)**9**9**9", "0 * 9**9**9", "2 ** 0.5 ** -9999", "1e999", "1 / 0", "0 ** -1", "(-1) ** 0.5", "1e308 * 10", "1e999 - 1e999", "1" + "0" * 390]
)
def test_what_has_no_finite_value_is_refused_at_once(expression: str) -> None:
    start = time.perf_counter()
    with pytest.raises(InvalidArguments):
        evaluate(expression, {})
    assert time.perf_counter() - start < 0.1


@pytest.mark.parametrize("expression", ["1+" * 199 + "1", "-" * 300 + "1", "(" * 250 + "1" + ")" * 100, "1" * (MAXIMUM_LENGTH + 1), "a" * 5000])
def test_long_and_deep_texts_are_refused(expression: str) -> None:
    with pytest.raises(InvalidArguments):
        parse(expression)


def test_a_missing_value_is_named() -> None:
    with pytest.raises(InvalidArguments, match="'hours' has no value") as caught:
        evaluate("power_kw * hours", {"power_kw": 1.0})
    assert caught.value.field == "hours"


def test_the_names_stand_in_order_of_appearance() -> None:
    formula = Formula("energy_kwh", "count * power_kw * (hours + count)", "kWh")
    assert formula.inputs == ("count", "power_kw", "hours")
    assert formula.of({"hours": 3.0, "count": 2.0, "power_kw": 0.5, "other": 9.0}) == 5.0


def test_a_formula_takes_a_float_and_an_array() -> None:
    formula = Formula("read_gb", "w * total * (1 - (1 - active / total) ** batch)", "GB")
    one = formula(w=2.0, total=100.0, active=10.0, batch=1.0)
    many = formula(w=2.0, total=100.0, active=10.0, batch=np.array([1.0, 2.0, 1000.0]))
    assert one == pytest.approx(20)
    assert many == pytest.approx([20, 38, 200])


NUMBERS = st.floats(0, 1e6).map(repr)
EXPRESSIONS = st.recursive(NUMBERS, lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda parts: f"({' '.join(parts)})"), max_leaves=8)


@given(EXPRESSIONS)
def test_plain_arithmetic_is_that_of_python(expression: str) -> None:
    try:
        expected = eval(expression)
    except ZeroDivisionError:
        expected = math.inf
    if math.isfinite(expected):
        assert evaluate(expression, {}) == expected
    else:
        with pytest.raises(InvalidArguments, match="no finite value"):
            evaluate(expression, {})


@given(st.one_of(st.text(max_size=MAXIMUM_LENGTH + 10), st.text(alphabet="0123456789ae.+-*/() _,j", max_size=60)))
def test_any_text_is_a_finite_number_or_refused(expression: str) -> None:
    try:
        value = evaluate(expression, {"a": 2.0, "e": -3.0})
    except InvalidArguments as error:
        assert error.message
    else:
        assert math.isfinite(value)
