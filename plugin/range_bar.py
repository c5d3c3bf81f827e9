"""A value in its interval, as a line of characters: low, value and high at their places on an axis that is told.

The axis starts at zero, or is logarithmic where the numbers lie far apart; figures of one kind share it, so that
bars under each other can be compared. Without colour the bar says all that it says with it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from kilowhat.tools.core.units import Quantity, format_number

FAR_APART = 20
"""From this ratio of the largest number to the smallest on, an axis is logarithmic."""

_STEPS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
LINES = "·├─●┤"
ASCII_LINES = ".|-o|"


class Axis(NamedTuple):
    """The numbers at both ends, in one unit, and whether powers of ten are equally far apart between them."""

    low: float
    high: float
    logarithmic: bool
    unit: str

    def place(self, number: float) -> float:
        """Return where a number lies between the ends: 0 to 1."""
        if self.logarithmic:
            return (math.log10(number) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return (number - self.low) / (self.high - self.low)

    def told(self) -> str:
        """Return the axis in words.

        >>> Axis(0.1, 100, True, "kWh").told()
        '0.1 to 100 kWh, log'
        """
        return f"{format_number(self.low, 3)} to {format_number(self.high, 3)} {'' if self.unit == 'ratio' else self.unit}".strip() + (", log" if self.logarithmic else "")


def axis_for(quantities: Sequence[Quantity]) -> Axis | None:
    """Return the axis that holds all of these, in the unit of the first, or None where there is nothing to show.

    >>> axis_for([Quantity(2.9, "kWh", 0.76, 11)])
    Axis(low=0.0, high=12.0, logarithmic=False, unit='kWh')
    """
    unit = quantities[0].unit
    numbers = [number for quantity in quantities for number in numbers_of(quantity.to(unit))]
    if not all(map(math.isfinite, numbers)) or max(numbers) <= 0 or min(numbers) < 0:
        return None
    smallest, largest = min(numbers), max(numbers)
    if smallest > 0 and largest / smallest >= FAR_APART:
        return Axis(10.0 ** math.floor(math.log10(smallest)), 10.0 ** math.ceil(math.log10(largest)), True, unit)
    return Axis(0.0, _round_up(largest), False, unit)


def numbers_of(quantity: Quantity) -> list[float]:
    """Return low, value and high of a quantity, as far as it has them."""
    return [number for number in (quantity.low, quantity.value, quantity.high) if number is not None]


def bar(quantity: Quantity, axis: Axis, width: int, signs: str = LINES) -> str:
    """Return a quantity as a line of so many characters on an axis.

    >>> bar(Quantity(6, "kWh", 3, 9), Axis(0, 12, False, "kWh"), 13)
    '···├──●──┤···'
    >>> bar(Quantity(10, "kWh", 1, 100), Axis(1, 100, True, "kWh"), 5, ASCII_LINES)
    '|-o-|'

    Args:
        quantity: A value, perhaps with its interval.
        axis: An axis that holds it.
        width: How many characters.
        signs: The characters for outside, low, between, value and high.
    """
    outside, low_end, between, mark, high_end = tuple(signs)
    places = [round(axis.place(number) * (width - 1)) for number in numbers_of(quantity.to(axis.unit))]
    first, last, middle = places[0], places[-1], places[1] if len(places) == 3 else places[0]
    line = [outside] * width
    line[first : last + 1] = between * (last + 1 - first)
    line[first], line[last] = low_end, high_end
    line[middle] = mark
    return "".join(line)


def _round_up(number: float) -> float:
    """Return the next round number above a positive one."""
    power = 10.0 ** math.floor(math.log10(number))
    return next(step for step in _STEPS if step * power >= number * (1 - 1e-12)) * power
