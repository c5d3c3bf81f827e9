"""What grows at a rate: where it leads, how long it takes to get somewhere, or what the rate is; 12 % a year, doubling every four years."""

from __future__ import annotations

from dataclasses import replace

from kilowhat.plugin.understanding.plan import Call, Plan
from kilowhat.plugin.understanding.published import SECTORS, sector_totals
from kilowhat.plugin.understanding.slots import Slots
from kilowhat.plugin.understanding.timing import PERIOD_HOURS
from kilowhat.tools.core.reference import Fact
from kilowhat.tools.core.units import Quantity, parse_quantity

YEAR = PERIOD_HOURS["year"]


def growth(slots: Slots, language: str) -> Plan | None:
    """Return the plan for something that grows or falls at a rate, or None where a question tells no rate of one."""
    rate = _rate(slots)
    if rate is None or slots.things or slots.roles or slots.efficiency_gain is not None:
        return None
    start = slots.amounts[0][0] if slots.amounts else None
    known = _known(slots)
    if "ask.how_long" in slots.senses and (ends := _ends(slots)) is not None:
        return _answer(language, {"start": ends[0], "end": ends[1], "annual_growth": rate})
    years = _years(slots, known)
    if years is None and slots.factor is not None and not slots.years:
        time = slots.every_hours or slots.hours or YEAR
        return Plan("answered", language, (Call("calculate", {"expression": f"{slots.factor[0]!r} ** (1 / {time / YEAR!r}) - 1", "unit": "%"}),), quantity="ratio")
    if years is None and (start is not None or slots.years):
        return Plan("needs_input", language, reason="which_years")
    if years is None:
        return None
    told = {"start": f"fact:{known.id}"} if known is not None else {"start": start} if start is not None else {}
    return replace(_answer(language, {**told, "annual_growth": rate, "years": years}), unit=slots.unit)


def _answer(language: str, arguments: dict[str, object]) -> Plan:
    return Plan("answered", language, (Call("project_growth", arguments),))


def _factor(slots: Slots) -> float | None:
    """Return how many times as much something becomes."""
    return slots.factor[0] if slots.factor is not None else slots.times or slots.counts.get("thing") or slots.counts.get("bare")


def _rate(slots: Slots) -> float | None:
    """Return the growth a year as a share: of a percentage told for a period, or of a factor told for a time."""
    periods = sorted((name for name in PERIOD_HOURS if f"per.{name}" in slots.senses), key=lambda name: name == slots.amount_rate)
    period = PERIOD_HOURS[periods[0]] if periods else None
    if len(slots.percents) == 1 and period is not None and slots.senses & {"act.grow", "act.shrink", "ask.how_long"}:
        share = slots.percents[0] / 100 * (1 if "act.grow" in slots.senses or "act.shrink" not in slots.senses else -1)
        return (1 + share) ** (YEAR / period) - 1 if period != YEAR and share > -1 else share
    time = slots.every_hours or (slots.hours or period if slots.years or slots.senses & {"ask.how_long", "ask.percent"} else None)
    return slots.factor[0] ** (YEAR / time) - 1 if slots.factor is not None and time and time >= PERIOD_HOURS["month"] and not slots.percents else None


def _ends(slots: Slots) -> tuple[str, str] | None:
    """Return from where to where something grows: two amounts, both ends of one, or one, and so many times that."""
    amounts = [amount for amount, _ in slots.amounts]
    if len(amounts) > 1:
        return amounts[0], amounts[1]
    start = parse_quantity(amounts[0]) if amounts else Quantity(1.0, "")
    if start.low is not None:
        return f"{start.low!r} {start.unit}", f"{start.high!r} {start.unit}"
    if amounts and "act.grow" not in slots.senses and slots.factor is None and slots.senses & SECTORS.keys() and (totals := sector_totals(slots)):
        return f"fact:{totals[0].id}", amounts[0]
    times = _factor(slots) if slots.percents else None
    return None if times is None else (f"{start.value!r} {start.unit}".strip(), f"{start.value * times!r} {start.unit}".strip())


def _known(slots: Slots) -> Fact | None:
    """Return the published total at which the growth starts, where no other year is told for it: of the amount told, else of the sector."""
    if len(slots.years) > 1 or len(slots.amounts) > 1:
        return None
    amount = parse_quantity(slots.amounts[0][0]) if slots.amounts else None
    totals = [fact for fact in sector_totals(slots) if amount is None or (fact.quantity.dimension == amount.dimension and fact.quantity.to(amount.unit).value == amount.value)]
    return totals[0] if totals else None


def _years(slots: Slots, known: Fact | None) -> float | None:
    """Return for how many years something grows: between two that are told, from that of a published total to the one told, or as told."""
    told = [*([int(str(known.as_of)[:4])] if known is not None else []), *slots.years]
    if len(told) > 1:
        return float(max(told) - min(told)) or None
    span = slots.hours or (YEAR if "for.year" in slots.senses else 0.0)
    return span / YEAR if span >= YEAR and (slots.percents or slots.every_hours) else None
