"""What an amount of a dimension is called, and the unit of factor 1 in which a formula gives it."""

from __future__ import annotations

from kilowhat.tools.core.units import EMISSIONS, ENERGY, LENGTH, MASS, NUMBER, POWER, TIME, VOLUME, Dimension, combine

KINDS: dict[Dimension, str] = {
    ENERGY: "energy", EMISSIONS: "emissions", VOLUME: "water", POWER: "power", TIME: "time", LENGTH: "distance", MASS: "mass", NUMBER: "ratio",
    (("money", 1),): "cost", (("data", 1),): "data", (("compute", 1),): "compute", combine(EMISSIONS, ENERGY, -1): "carbon-intensity", combine(VOLUME, ENERGY, -1): "water-intensity",
}  # fmt: skip
"""What a result of a dimension is called."""

_BASES = {"energy": "kWh", "emissions": "kg CO2e", "volume": "L", "time": "h", "length": "km", "mass": "kg", "compute": "FLOP", "data": "B", "money": "USD", "temperature": "K"}
"""The units of factor 1, in which a formula is evaluated."""


def base_unit(dimension: Dimension) -> str:
    """Return the unit in which a formula gives a dimension: of factor 1.

    >>> base_unit((("emissions", 1), ("energy", -1)))
    'kg CO2e/kWh'
    """
    if dimension in (NUMBER, POWER):
        return "ratio" if dimension == NUMBER else "kW"
    above = "·".join(_BASES[base] for base, size in dimension for _ in range(size))
    below = "·".join(_BASES[base] for base, size in dimension for _ in range(-size))
    return f"{above or '1'}/{below}" if below else above
