"""Arithmetic with units over numbers, facts and estimates.

**Formula**: the expression itself, in which every number keeps its unit, range and source.

**Boundary**: what the numbers count; a sum of things with different boundaries is nobody's boundary.

**Assumptions**: ranges are 80 % ranges of independent numbers; a year has 8,760 hours and a month a twelfth of them.

**Facts**: those that the expression names, each cited.

**Limits**: 400 characters, 26 numbers; + - * / ** ( ) min max sqrt; an amount below zero is refused.

>>> from kilowhat.tools import call
>>> call("calculate", {"expression": "500000 kWh / 200 million", "unit": "Wh"}).results[0].value
2.5
"""

from __future__ import annotations

from pydantic import Field

from kilowhat.tools.core.arithmetic import EXPRESSION, read_expression, result_unit, written
from kilowhat.tools.core.derivation import Derivation
from kilowhat.tools.core.errors import BadQuantity
from kilowhat.tools.core.estimate import Estimate
from kilowhat.tools.core.expression import MAXIMUM_LENGTH
from kilowhat.tools.core.kinds import KINDS
from kilowhat.tools.core.reference import Library
from kilowhat.tools.core.tool import Arguments, Tool
from kilowhat.tools.core.units import Quantity, readable


class Input(Arguments):
    """An expression, and the unit of its result."""

    expression: str = Field(min_length=1, max_length=MAXIMUM_LENGTH, description=f"What to calculate: {EXPRESSION}.")
    unit: str | None = Field(
        default=None, min_length=1, max_length=80, description="The unit of the result, such as MWh, t CO2e, g CO2e/kWh or %; left out: kWh, kg CO2e, L, W, h, km or a plain number."
    )


def calculate(arguments: Input, library: Library) -> Estimate:
    """Return the value of an expression with its interval.

    Raises:
        InvalidArguments: where it is no expression, or divides by zero (``invalid_arguments``).
        UnitMismatch: where units don't fit each other or the unit wanted (``unit_mismatch``).
        BadQuantity: for a unit that is not known, or a result below zero (``bad_quantity``).
        UnknownName: for a fact that is not known (``unknown_name``).
    """
    expression = read_expression(library, arguments.expression)
    unit = result_unit(expression, arguments.unit)
    found = expression.quantity().to(unit)
    if found.value < 0:
        raise BadQuantity(f"{arguments.expression[:60]!r} is {written(found, unit)}, and an amount is zero or more; subtract the other way round for the difference.", field="expression")
    derivation = Derivation(library)
    expression.add_to(derivation, "result", unit)
    interval = derivation.evaluate()["result"]
    if any(operand.told.quantity.low != operand.told.quantity.high for operand in expression.operands) and (found.value == 0 or interval.low == 0):
        derivation.warn("difference_within_range", "The numbers subtracted lie within each other's ranges: the difference may be zero, or go the other way.")
    kind = KINDS.get(expression.dimension, "quantity")
    shown = Quantity(found.value, unit)
    label = f"{written(shown, unit)} in the unit asked" if readable(shown).unit != unit and arguments.unit else "the result"
    derivation.result("result", kind, label, keep_unit=arguments.unit is not None)
    return derivation.estimate(TOOL.name, arguments, arguments.expression.strip())


TOOL = Tool(
    name="calculate",
    title="Arithmetic with units and facts",
    description="Unit-aware arithmetic over numbers with units, ranges, fact ids and refs of estimates: '500000 kWh / 200 million', 'fact:us-home-year-energy-eia / 12', '15.3 million * 750 W * 240 h'. Checks the units, carries ranges and citations. Not for converting one energy into homes or emissions: other tools do that.",
    arguments=Input,
    run=calculate,
    example={"expression": "500000 kWh / 200 million", "unit": "Wh"},
)
