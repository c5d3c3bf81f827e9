"""The interval of a result, held against a Monte Carlo run of the same formula with log-normal inputs."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.tools.core.expression import Formula, evaluate
from kilowhat.tools.core.spread import Z80, Interval, spread

DRAWS = 400_000

EXACT = 0.002
"""Products, quotients and powers of log-normal inputs are log-normal: what is left is the noise of the draws."""

ROUGH = 0.05
"""A sum of log-normal inputs is none; inputs here are known within a factor of two or so."""

WIDE = 0.3
"""Inputs known within a factor of ten, lopsided ones, and one that stands twice: the ends are right within a third."""


def interval(expression: str, values: Mapping[str, float], uncertain: Mapping[str, tuple[float, float]]) -> Interval:
    formula = Formula("y", expression, "")
    return spread(lambda told: {"y": formula.of(told)}, values, uncertain)["y"]


def monte_carlo(expression: str, values: Mapping[str, float], uncertain: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
    """Return the 10 % and 90 % quantiles; an input spreads upwards and downwards by its own deviation."""
    random = np.random.default_rng(20261121)
    drawn = dict(values)
    for name, (low, high) in uncertain.items():
        normal = random.standard_normal(DRAWS)
        up, down = math.log(high / values[name]) / Z80, math.log(values[name] / low) / Z80
        drawn[name] = values[name] * np.exp(np.where(normal > 0, up, down) * normal)
    low, high = np.quantile(Formula("y", expression, "")(**drawn), [0.1, 0.9])
    return float(low), float(high)


@pytest.mark.parametrize(
    ("expression", "values", "uncertain", "tolerance"),
    [
        pytest.param("3 * a", {"a": 2.0}, {"a": (1.0, 4.0)}, EXACT, id="linear"),
        pytest.param("3 * a", {"a": 2.0}, {"a": (1.0, 8.0)}, EXACT, id="linear, wider upwards"),
        pytest.param("a * b * c", {"a": 2.0, "b": 5.0, "c": 7.0}, {"a": (1.0, 4.0), "b": (4.0, 6.25)}, EXACT, id="product with an exact factor"),
        pytest.param("a / b", {"a": 2.0, "b": 5.0}, {"a": (1.0, 4.0), "b": (2.5, 10.0)}, EXACT, id="quotient"),
        pytest.param("a ** 2 * b ** 0.5", {"a": 2.0, "b": 5.0}, {"a": (1.6, 2.5), "b": (2.5, 10.0)}, EXACT, id="powers"),
        pytest.param("a + b", {"a": 2.0, "b": 5.0}, {"a": (1.6, 2.5), "b": (4.0, 6.25)}, ROUGH, id="sum of two like terms"),
        pytest.param("a + b", {"a": 1.0, "b": 1.0}, {"a": (0.5, 2.0), "b": (0.5, 2.0)}, ROUGH, id="sum of two wide terms"),
        pytest.param("10 + a", {"a": 2.0}, {"a": (1.0, 4.0)}, ROUGH, id="sum with a constant"),
        pytest.param("n * (e + i * h) * pue", {"n": 1e6, "e": 2.0, "i": 0.5, "h": 1.0, "pue": 1.2}, {"e": (1.0, 4.0), "h": (0.5, 2.0), "pue": (1.1, 1.31)}, ROUGH, id="as tools write it"),
        pytest.param("a + b", {"a": 1.0, "b": 1.0}, {"a": (0.1, 10.0), "b": (0.1, 10.0)}, WIDE, id="sum of two terms within a factor of ten"),
        pytest.param("a * b", {"a": 2.0, "b": 5.0}, {"a": (1.0, 8.0), "b": (1.0, 6.0)}, WIDE, id="product, lopsided either way"),
        pytest.param("a / (a + b)", {"a": 1.0, "b": 1.0}, {"a": (0.25, 4.0), "b": (0.25, 4.0)}, WIDE, id="share"),
        pytest.param("w * (1 - (1 - share) ** batch)", {"w": 200.0, "share": 0.05, "batch": 8.0}, {"share": (0.03, 0.08), "batch": (4.0, 16.0)}, ROUGH, id="weights that a batch reads"),
    ],
)
def test_the_interval_is_that_of_a_monte_carlo_run(expression: str, values: dict[str, float], uncertain: dict[str, tuple[float, float]], tolerance: float) -> None:
    found = interval(expression, values, uncertain)
    low, high = monte_carlo(expression, values, uncertain)
    assert found.low == pytest.approx(low, rel=tolerance)
    assert found.high == pytest.approx(high, rel=tolerance)


def test_one_uncertain_input_keeps_its_own_ends() -> None:
    assert interval("3 * a", {"a": 2.0}, {"a": (1.0, 8.0)}) == Interval(6.0, pytest.approx(3), pytest.approx(24))


def test_what_is_divided_by_spreads_the_other_way() -> None:
    assert interval("1 / a", {"a": 2.0}, {"a": (1.0, 8.0)}) == Interval(0.5, pytest.approx(0.125), pytest.approx(1))


def test_independent_deviations_add_in_quadrature() -> None:
    found = interval("a * b", {"a": 1.0, "b": 1.0}, {"a": (1 / math.e**3, math.e**3), "b": (1 / math.e**4, math.e**4)})
    assert math.log(found.high) == pytest.approx(5)
    assert math.log(found.low) == pytest.approx(-5)


def test_an_input_that_cancels_out_leaves_no_width() -> None:
    found = interval("a / a * b", {"a": 3.0, "b": 2.0}, {"a": (1.0, 9.0)})
    assert found.low == pytest.approx(found.high, rel=1e-12)


POSITIVE = st.floats(1e-6, 1e6)


@given(POSITIVE, POSITIVE)
def test_exact_inputs_give_no_width_at_all(a: float, b: float) -> None:
    found = interval("a * b + a ** 2", {"a": a, "b": b}, {"b": (b, b)})
    assert found.low == found.value == found.high == evaluate("a * b + a ** 2", {"a": a, "b": b})


@given(
    st.sampled_from(["a * b", "a / b", "a + b", "a ** 2 / (a + b)", "a * (1 - (1 - 1 / (1 + b)) ** 3)"]),
    POSITIVE, POSITIVE, st.floats(1, 100), st.floats(1, 100), st.floats(1, 100), st.floats(1, 100),
)  # fmt: skip
def test_the_interval_holds_the_value(expression: str, a: float, b: float, a_down: float, a_up: float, b_down: float, b_up: float) -> None:
    found = interval(expression, {"a": a, "b": b}, {"a": (a / a_down, a * a_up), "b": (b / b_down, b * b_up)})
    assert 0 < found.low <= found.value <= found.high


@given(POSITIVE, st.floats(1, 10), st.floats(1, 10))
def test_a_wider_input_never_gives_a_narrower_result(a: float, narrow: float, more: float) -> None:
    inner = interval("a + 5", {"a": a}, {"a": (a / narrow, a * narrow)})
    outer = interval("a + 5", {"a": a}, {"a": (a / narrow / more, a * narrow * more)})
    assert outer.low <= inner.low * (1 + 1e-12)
    assert outer.high >= inner.high * (1 - 1e-12)
