"""The numbers that a model passes to a tool come from the question, a fact or an earlier result, like those of its answer.

An amount, a factor or a number of a calculation without an origin is refused, and the model can mend its call. How many, how long
and how large it may choose by itself, as a tool needs it; what it chose is named in the answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from kilowhat.plugin.figures import Figure
from kilowhat.plugin.grounding import agrees, is_amount, is_known, is_ratio, unmatched
from kilowhat.plugin.known import LONGEST_TURN, Known, figures_in
from kilowhat.tools import KilowhatError, Library
from kilowhat.tools.core.arithmetic import read_expression
from kilowhat.tools.core.quantities import is_ref
from kilowhat.tools.core.registry import CATALOG
from kilowhat.tools.core.tool import parse_ref
from kilowhat.tools.core.units import NUMBER, Quantity, format_number, parse_quantity, parse_unit

_CONSTANTS = frozenset({1, 2, 4, 7, 8, 12, 24, 30, 31, 52, 60, 100, 168, 360, 365, 366, 720, 730, 744, 1440, 3600, 8760, 86400, *(10**power for power in range(13))})
"""Numbers of the calendar and of units, which a calculation may hold without an origin."""

_USUAL = frozenset({0, 1, 7, 12, 24, 30, 31, 52, 168, 365, 720, 730, 8760})
"""Numbers of things or hours that need no mention: one, and those of the calendar."""

_MEASURED = re.compile(r"(?:_kwh|_w|_per_request|_co2e|_b|_flop|_per_s|_share|_growth|_gain|_per_word)$|^(?:pue|utilisation)$|intensity|^wue_")
"""Arguments that are physical figures or shares; other numbers say how much of a thing is asked for, and a model may choose them."""

_UNITS = {"_wh_per_request": "Wh", "_ml_per_request": "mL", "_g_co2e_per_request": "g CO2e", "_g_co2e_per_kwh": "g CO2e/kWh", "_l_per_kwh": "L/kWh", "_kg_co2e": "kg CO2e", "_w": "W"}  # fmt: skip
_QUANTITIES = ("energy", "quantity", "start", "end", "stated", "embodied", "training", "operation")
_REF = re.compile(r"[a-z]+(?:_[a-z]+)+\?[\w.~%=&+-]*")
_EXPRESSIONS = ("expression", "recompute")


class Ungrounded(KilowhatError):
    """A number that a model passes to a tool, and that nobody told it."""

    code = "ungrounded_number"


def check_arguments(name: str, arguments: Mapping[str, Any], known: Known) -> list[str]:
    """Return the arguments of a call that a model chose by itself, though nobody told them: how many, how long, how large.

    Args:
        name: The tool.
        arguments: As the model passes them.
        known: The question, and the results of earlier rounds.

    Raises:
        Ungrounded: where an amount, a factor or a number of a calculation has no origin (``ungrounded_number``).
    """
    chosen: list[str] = []
    for field_name, value in arguments.items():
        if field_name in _EXPRESSIONS and isinstance(value, str):
            _check_expression(value, field_name, known)
        elif field_name in _QUANTITIES and isinstance(value, str):
            chosen += _check_quantity(value, field_name, known)
        elif field_name == "items" and isinstance(value, list):
            for item in value:
                if isinstance(item, Mapping) and isinstance(item.get("quantity"), str):
                    chosen += _check_quantity(item["quantity"], field_name, known)
        elif field_name == "claim" and isinstance(value, str):
            missing = [figure for figure in unmatched(figures_in(value[:LONGEST_TURN]), known) if figure.kind in ("amount", "percent")]
            if missing and value not in Library.load().claims:
                raise _ungrounded(missing[0].text, field_name)
        elif field_name not in ("year", "limit"):
            chosen += _check_number(field_name, value, known)
    return chosen if name != "look_up_references" else []


def _check_number(field_name: str, value: Any, known: Known) -> list[str]:
    """Return a number that a model chose by itself, as text; refuse one that is a physical figure."""
    if isinstance(value, list):
        return [told for part in value for told in _check_number(field_name, part, known)] if all(isinstance(part, (int, float)) for part in value) else []
    if not isinstance(value, (int, float)) or isinstance(value, bool) or value in _USUAL:
        return []
    unit = next((unit for ending, unit in _UNITS.items() if field_name.endswith(ending)), None)
    told = abs(float(value))
    scaled = [told, told * 1e9] if field_name.endswith("_b") else [told]
    if any(agrees(number, 0.0, true) for number in scaled for true in (*known.numbers, *known.ratios, *known.shown)):
        return []
    if unit and any(agrees(told * parse_unit(unit).factor, 0.0, amount.value) for amount in known.amounts.get(parse_unit(unit).dimension, ())):
        return []
    if _MEASURED.search(field_name):
        raise _ungrounded(f"{value:g}", field_name)
    return [f"{field_name} = {format_number(float(value), 9)}"]


def _check_quantity(text: str, field_name: str, known: Known) -> list[str]:
    """Return what a model chose by itself within a quantity; refuse one without an origin."""
    if text.startswith("fact:"):
        return []
    if is_ref(text):
        try:
            tool, arguments = parse_ref(text.partition("#")[0], CATALOG)
        except KilowhatError:
            return []
        return check_arguments(tool.name, arguments, known)
    try:
        _check_told(parse_quantity(text), text, field_name, known)
    except Ungrounded:
        raise
    except KilowhatError:
        return []
    return []


def _check_expression(text: str, field_name: str, known: Known) -> None:
    try:
        operands = read_expression(Library.load(), text).operands
    except KilowhatError:
        return
    for ref in _REF.findall(text):
        _check_quantity(ref, field_name, known)
    for operand in operands:
        if operand.kind not in ("fact", "ref"):
            quantity = operand.told.quantity
            _check_told(quantity, f"{format_number(quantity.value, 9)} {quantity.unit}".strip(), field_name, known)


def _check_told(quantity: Quantity, text: str, field_name: str, known: Known) -> None:
    """Refuse a quantity of which no end is told in the question, a fact or an earlier result."""
    for value in [quantity.value] if quantity.low is None else [quantity.low, quantity.high or 0.0]:
        if quantity.unit in ("", "ratio") and value in _CONSTANTS:
            continue
        shown = f"{value:.15g}"
        digits = shown.partition("e")[0].replace(".", "").strip("0")
        dimension = parse_unit(quantity.unit).dimension
        half = 0.5 * value / max(1.0, float(digits or 1)) if dimension != NUMBER else 0.0
        kind: Literal["amount", "bare", "percent"] = "amount" if dimension != NUMBER else "percent" if quantity.unit in ("%", "percent") else "bare"
        figure = Figure(text, 0, 0, value, half, zeros=True, unit=quantity.unit, kind=kind)
        told = is_ratio(figure, known, ()) if kind == "percent" else is_known(figure, known) or (kind == "amount" and is_amount(figure, quantity.unit, known, of_period=True))
        if not told:
            raise _ungrounded(text, field_name)


def _ungrounded(text: str, field_name: str) -> Ungrounded:
    return Ungrounded(
        f"{text[:60]} comes neither from the question, nor from a fact, nor from an earlier result. Pass the ref of an estimate or fact:ID (look_up_references finds it), leave it out, or ask the person.",
        field=field_name,
    )
