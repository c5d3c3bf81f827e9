"""Slips of units that explain why two figures differ by a round factor.

A slip is only named where it fits the factor within 3 %. It is what would explain the difference, not proof that it does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from kilowhat.tools.core.units import EMISSIONS, ENERGY, MASS, NUMBER, POWER, Dimension, Quantity, combine, conversion_factor

TOLERANCE = 0.03

_ANY: tuple[Dimension, ...] = ()
_MASSES = (MASS, EMISSIONS)
_MONEY: Dimension = (("money", 1),)


@dataclass(frozen=True, slots=True)
class Slip:
    """A factor, what it says where the stated figure is too large or too small, and the dimensions it may stand in."""

    factor: float
    too_large: str
    too_small: str
    dimensions: tuple[Dimension, ...] = _ANY
    period: bool = False
    """Whether it takes one period for another, which only a rate can."""


SLIPS = (
    Slip(1000, "Wh taken for kWh (or kWh for MWh)", "kWh taken for Wh (or MWh for kWh)", (ENERGY,)),
    Slip(1000, "W taken for kW (or kW for MW)", "kW taken for W (or MW for kW)", (POWER,)),
    Slip(1000, "kg taken for t (or g for kg, t for kt)", "t taken for kg (or kg for g, kt for t)", _MASSES),
    Slip(1000, "million taken for billion, or Wh for kWh on one side", "billion taken for million, or kWh for Wh on one side", (NUMBER,)),
    Slip(1000, "a prefix too large (kilo, mega, giga)", "a prefix too small (kilo, mega, giga)"),
    Slip(1e6, "Wh taken for MWh (or kWh for GWh)", "MWh taken for Wh (or GWh for kWh)", (ENERGY,)),
    Slip(1e6, "million taken for a single one", "the million left out", (NUMBER,)),
    Slip(2204.622622, "lb taken for t", "t taken for lb", _MASSES),
    Slip(2.204622622, "lb taken for kg", "kg taken for lb", _MASSES),
    Slip(1e4, "万 taken for 亿 (10,000)", "亿 taken for 万 (10,000)"),
    Slip(3.6, "MJ taken for kWh", "kWh taken for MJ", (ENERGY,)),
    Slip(3600, "kJ taken for kWh", "kWh taken for kJ", (ENERGY,)),
    Slip(24, "a figure per day taken for one per hour", "a figure per hour taken for one per day", period=True),
    Slip(365 / 12, "a figure per month taken for one per day", "a figure per day taken for one per month", period=True),
    Slip(365, "a figure per year taken for one per day", "a figure per day taken for one per year", period=True),
    Slip(12, "a figure per year taken for one per month", "a figure per month taken for one per year", period=True),
)


def find_slip(stated: Quantity, found: Quantity, *, periods: bool = True) -> str | None:
    """Return the slip that would explain why two figures of one dimension differ, or None; of periods only where they are asked for.

    >>> find_slip(Quantity(626000, "t"), Quantity(284, "t"))
    'lb taken for t'
    """
    if stated.value <= 0 or found.value <= 0:
        return None
    off = math.log(stated.value * conversion_factor(stated.unit, found.unit) / found.value)
    fitting = [slip for slip in SLIPS if (periods or not slip.period) and abs(abs(off) - math.log(slip.factor)) <= TOLERANCE and (not slip.dimensions or found.dimension in slip.dimensions)]
    if not fitting:
        return None
    best = min(fitting, key=lambda slip: (round(abs(abs(off) - math.log(slip.factor)), 6), not slip.dimensions))
    return best.too_large if off > 0 else best.too_small


def find_slip_of_kind(stated: Quantity, found: Quantity) -> str | None:
    """Return the slip that would explain why two figures measure different things, or None.

    >>> find_slip_of_kind(Quantity(86, "MW"), Quantity(85.7, "MWh"))
    'MWh printed as MW'
    """
    kinds = (stated.dimension, found.dimension)
    if stated.value <= 0 or found.value <= 0:
        return None
    if kinds in ((POWER, ENERGY), (ENERGY, POWER)):
        units = ("kW", "kWh") if kinds[0] == POWER else ("kWh", "kW")
        off = math.log(stated.to(units[0]).value / found.to(units[1]).value)
        if abs(off) <= TOLERANCE:
            return "MWh printed as MW" if kinds[0] == POWER else "MW printed as MWh"
        for hours, period in ((24.0, "day"), (730.0, "month"), (8760.0, "year")):
            if abs(abs(off) - math.log(hours)) <= TOLERANCE and (off > 0) == (kinds[0] == ENERGY):
                return f"the energy of a {period} set beside a power" if kinds[0] == ENERGY else f"a power set beside the energy of a {period}"
    if kinds[0] == combine(POWER, (("time", 1),), -1) and kinds[1] in (POWER, ENERGY) and abs(math.log(stated.to("kW/h").value / found.to("kW" if kinds[1] == POWER else "kWh").value)) <= TOLERANCE:
        return "MW per hour for MW or for MWh"
    if _MONEY in kinds and NUMBER in kinds:
        numbers = sorted((stated.to("USD" if kinds[0] == _MONEY else "ratio").value, found.to("USD" if kinds[1] == _MONEY else "ratio").value))
        if math.log(numbers[1] / numbers[0]) <= TOLERANCE:
            return "things that were counted (pages) printed as US dollars" if kinds[0] == _MONEY else "US dollars printed as things that are counted"
    return None
