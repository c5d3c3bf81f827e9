"""Range bars: honest about where low, value and high lie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.plugin.range_bar import ASCII_LINES, LINES, Axis, axis_for, bar
from kilowhat.tools.core.units import Quantity

numbers = st.floats(1e-9, 1e12)


def quantity(low, value, high):
    return Quantity(value, "kWh", low, high)


intervals = st.tuples(numbers, numbers, numbers).map(sorted).map(lambda told: quantity(*told))


@given(st.lists(intervals, min_size=1, max_size=6), st.integers(8, 60))
def test_every_interval_fits_the_axis_in_order(quantities, width):
    axis = axis_for(quantities)
    for one in quantities:
        line = bar(one, axis, width, "·<─●>")
        assert len(line) == width
        assert line.count("●") == 1
        ends = line.strip("·")
        assert set(ends[1:-1]) <= {"─", "●"}
        places = [axis.place(number) for number in (one.low, one.value, one.high)]
        assert places == sorted(places)
        assert places[0] >= -1e-9
        assert places[2] <= 1 + 1e-9
        assert line.index("●") == round(places[1] * (width - 1))


@given(intervals)
def test_an_axis_starts_at_zero_or_says_that_it_is_logarithmic(one):
    axis = axis_for([one])
    assert axis.low == 0 or (axis.logarithmic and axis.told().endswith(", log"))
    assert axis.logarithmic == (one.high / one.low >= 20)


@pytest.mark.parametrize("numbers", [(-3.0, 1.0, 2.0), (0.0, 0.0, 0.0), (1.0, 2.0, float("inf")), (float("nan"), 1.0, 2.0)])
def test_what_has_no_place_on_an_axis_has_no_bar(numbers):
    assert axis_for([quantity(*numbers)]) is None


def test_units_are_brought_together():
    axis = axis_for([Quantity(2.9, "kWh", 0.76, 11), Quantity(47, "Wh", 15, 95)])
    assert axis == Axis(0.01, 100, True, "kWh")
    assert bar(Quantity(100, "Wh"), axis, 5) == "·●···"


def test_a_value_without_range_is_a_mark_alone():
    assert bar(Quantity(5, "kWh"), Axis(0, 10, False, "kWh"), 11) == "·····●·····"


def test_the_signs_of_a_plain_terminal_are_as_many():
    assert len(ASCII_LINES) == len(LINES) == 5
    assert ASCII_LINES.isascii()
