"""From uncertain inputs and a formula to an 80 % interval.

**Formula**: ln(high/value)² = Σ (z·ln(f(xᵢ·e^σᵢ)/f(x)))², and likewise downwards, where σᵢ is the
log-deviation of input i (ln(highᵢ/xᵢ)/z upwards, ln(xᵢ/lowᵢ)/z downwards) and z = 1.2816 the 90 % quantile
of the normal distribution.

**Assumptions**: inputs are positive, independent and roughly log-normal; their ``low`` and ``high`` are 10 %
and 90 % quantiles. A published range is taken as one, which the result's ``interval`` says.

**Limits**: effects are added in quadrature, so two inputs that amplify each other strongly are understated;
a test holds it against a Monte Carlo run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Z80 = 1.2815515655446004
"""The 90 % quantile of the normal distribution: an 80 % interval lies within ± Z80 deviations."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with the ends of its 80 % interval."""

    value: float
    low: float
    high: float


def spread(
    formula: Callable[[Mapping[str, float]], Mapping[str, float]],
    values: Mapping[str, float],
    uncertain: Mapping[str, tuple[float, float]],
) -> dict[str, Interval]:
    """Return every result of a formula with its 80 % interval.

    Args:
        formula: From the values of all inputs to the values of all results.
        values: The central value of each input.
        uncertain: For the inputs that are uncertain, ``(low, high)`` around the value; all positive.

    Example:
        >>> round(spread(lambda x: {"y": 3 * x["a"]}, {"a": 2.0}, {"a": (1.0, 8.0)})["y"].high, 6)
        24.0
    """
    central = formula(values)
    upward = dict.fromkeys(central, 0.0)
    downward = dict.fromkeys(central, 0.0)
    for name, (low, high) in uncertain.items():
        value = values[name]
        if value <= 0 or low <= 0 or high < value or low > value:
            continue
        for limit in (low, high):
            deviation = math.log(limit / value) / Z80
            if deviation == 0:
                continue
            moved = formula({**values, name: value * math.exp(deviation)})
            for result, centre in central.items():
                if centre > 0 and moved[result] > 0:
                    effect = Z80 * math.log(moved[result] / centre)
                    side = upward if effect > 0 else downward
                    side[result] += effect * effect
    return {name: Interval(value, value * math.exp(-math.sqrt(downward[name])), value * math.exp(math.sqrt(upward[name]))) for name, value in central.items()}
