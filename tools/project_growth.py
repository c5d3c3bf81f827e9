"""Forecasts, growth between two points, and efficiency against demand.

**Formula**: growth a year = (end / start)^(1 / years) - 1; end = start × (1 + growth a year)^years; years = log(end / start) / log(1 + growth a year);
net change = demand / efficiency gain, and demand breaks even where it grows by the efficiency gain;
rebound = (demand - 1) / (efficiency gain - 1), the share of the saving that more demand takes back.

**Boundary**: what the two figures count; a forecast grows from the count of its own publisher.

**Assumptions**: the same rate in every year; a published range is that of its cases, which are no probabilities.

**Facts**: those of the forecast: subjects ``forecast``, ``electricity-total`` and ``share``.

**Limits**: a rate between two points says nothing of the years between or after them.

>>> from kilowhat.tools import call
>>> call("project_growth", {"start": "100 TWh", "end": "400 TWh", "years": 2}).results[0].value
100.0
"""

from __future__ import annotations

import math

from pydantic import Field

from kilowhat.tools.core.derivation import Derivation
from kilowhat.tools.core.errors import BadQuantity, InvalidArguments, MissingInput, UnitMismatch
from kilowhat.tools.core.estimate import Estimate, head_of
from kilowhat.tools.core.expression import Formula
from kilowhat.tools.core.kinds import KINDS, base_unit
from kilowhat.tools.core.quantities import MAXIMUM, QUANTITY, Told, read_quantity
from kilowhat.tools.core.reference import Fact, Library, Name
from kilowhat.tools.core.text import number_of
from kilowhat.tools.core.tool import Arguments, Tool
from kilowhat.tools.core.units import NUMBER, Dimension, Quantity, canonical_unit, format_number, format_quantity, name_dimension, parse_unit

GROWTH = Formula("annual_growth", "((end / start) ** (1 / years) - 1) * 100", "%")
DECLINE = Formula("annual_decline", "(1 - (end / start) ** (1 / years)) * 100", "%")
TIMES = Formula("growth", "end / start", "ratio")
TIMES_BY_RATE = Formula("growth", "(1 + annual_growth) ** years", "ratio")
NET = Formula("net_change", "growth / efficiency_gain", "ratio")
BREAK_EVEN = Formula("break_even_annual_growth", "(efficiency_gain ** (1 / years) - 1) * 100", "%")
REBOUND = Formula("rebound", "(growth - 1) / (efficiency_gain - 1)", "ratio")

CASES = "published range"


class Input(Arguments):
    """A known forecast, two points, or a point and a rate; and what efficiency does against it."""

    forecast: str | None = Field(
        default=None,
        max_length=100,
        description="A published forecast: 'IEA 2030' (data centres of the world), 'IEA 2026 edition', 'AI 2030', 'LBNL US 2030', 'China data centres 2030', 'de Vries 2027', 'AI share 2030' …",
    )
    start: str | None = Field(default=None, max_length=1000, description=f"Where it starts: {QUANTITY}.")
    end: str | None = Field(default=None, max_length=1000, description="Where it ends, in the same kind of unit; with years it gives the growth a year.")
    years: float | None = Field(default=None, ge=0.01, le=200, strict=True, description="Years from start to end, 0.01 to 200.")
    annual_growth: float | None = Field(
        default=None, ge=-0.9, le=10, strict=True, description="Growth a year as a share: 0.15 is 15 % a year, -0.1 a decline of 10 %; with start and end, and no years, it gives the years."
    )
    demand_growth: float | None = Field(default=None, gt=0, le=1e12, strict=True, description="How many times the demand (the amount of work) grows over the whole time: 12 is twelve times.")
    efficiency_gain: float | None = Field(
        default=None, gt=0, le=1e12, strict=True, description="The factor by which the energy of a unit of work falls over the whole time: 10 is a tenth of the energy."
    )


def project_growth(arguments: Input, library: Library) -> Estimate:
    """Return a forecast, the growth between two points or the point that a growth leads to, and what efficiency leaves of it.

    Raises:
        UnknownName: for a forecast that is not known (``unknown_name``).
        MissingInput: where neither a forecast, two points, nor a rate is told (``missing_input``).
        InvalidArguments: where two ways are mixed, or the growth leaves what is physical (``invalid_arguments``).
        UnitMismatch: where start and end measure different things (``unit_mismatch``).
        BadQuantity: where a point is no quantity, or zero (``bad_quantity``).
    """
    derivation = Derivation(library)
    _refuse_mixtures(arguments)
    if arguments.forecast is not None:
        about = _known(arguments, derivation)
    elif arguments.demand_growth is not None:
        derivation.given("growth", arguments.demand_growth, "ratio")
        if arguments.years is not None:
            derivation.given("years", arguments.years, "year")
        about = f"Demand grows {format_number(arguments.demand_growth)} times"
        if arguments.start is not None:
            about = f"From {_add_start(arguments.start, derivation)}: demand grows {format_number(arguments.demand_growth)} times"
    elif arguments.start is not None and arguments.end is not None:
        about = _between(arguments, derivation)
    elif arguments.annual_growth is not None and arguments.years is not None:
        about = _ahead(arguments, derivation)
    elif arguments.efficiency_gain is not None and arguments.start is None and arguments.end is None and arguments.annual_growth is None:
        if arguments.years is not None:
            derivation.given("years", arguments.years, "year")
        about = "Efficiency against demand"
    else:
        missing = "end" if arguments.start is not None and arguments.annual_growth is None else "years" if arguments.annual_growth is not None else "start"
        raise MissingInput(
            "Give a forecast ('IEA 2030'), or start, end and years (or annual_growth), or start, annual_growth and years, or an efficiency_gain with the growth of demand.", field=missing
        )
    if arguments.efficiency_gain is not None:
        about = _with_efficiency(arguments.efficiency_gain, derivation, about)
    return derivation.estimate(TOOL.name, arguments, about)


def _refuse_mixtures(arguments: Input) -> None:
    told = arguments.model_dump(exclude_none=True)
    if arguments.forecast is not None and (mixed := [name for name in told if name not in ("forecast", "efficiency_gain")]):
        raise InvalidArguments(f"A known forecast brings its own start, end and years; leave out {', '.join(mixed)}.", field=mixed[0])
    if arguments.demand_growth is not None and (mixed := [name for name in told if name in ("end", "annual_growth")]):
        raise InvalidArguments(f"demand_growth tells the growth already; leave out {', '.join(mixed)}.", field="demand_growth")
    if arguments.demand_growth is not None and arguments.efficiency_gain is None:
        raise MissingInput("demand_growth stands against an efficiency_gain: the factor by which the energy of a unit of work falls.", field="efficiency_gain")
    if arguments.end is not None and arguments.annual_growth is not None and arguments.years is not None:
        raise InvalidArguments("end and annual_growth tell the same thing beside years; give two of the three.", field="annual_growth")


def _point(library: Library, text: str, argument: str, dimension: Dimension | None = None) -> Told:
    told = read_quantity(library, text, argument=argument)
    if told.quantity.value == 0:
        raise BadQuantity(f"{text[:60]!r} is zero, and nothing grows from or to zero at a rate.", field=argument)
    if dimension is not None and told.quantity.dimension != dimension:
        raise UnitMismatch(f"start is {name_dimension(dimension)} and end is {name_dimension(told.quantity.dimension)}; give both in units of one kind.", field=argument)
    return told


def _add_start(text: str, derivation: Derivation) -> str:
    """Add the amount that demand and efficiency change, and return it in words."""
    start = _point(derivation.library, text, "start")
    if start.quantity.dimension == NUMBER:
        raise UnitMismatch(f"{text[:60]!r} is a plain number; beside demand_growth give start as the energy, emissions or water of today.", field="start")
    derivation.quantity("start", start.quantity, _unit(start.quantity.dimension), start.facts)
    return _shown(start.quantity)


def _between(arguments: Input, derivation: Derivation) -> str:
    """Add start and end, and the growth between them."""
    start = _point(derivation.library, str(arguments.start), "start")
    end = _point(derivation.library, str(arguments.end), "end", start.quantity.dimension)
    if arguments.years is None and arguments.annual_growth is None and arguments.efficiency_gain is None:
        raise MissingInput("Give the years from start to end, or the annual_growth.", field="years")
    unit = _unit(start.quantity.dimension)
    for name, told in (("start", start), ("end", end)):
        derivation.quantity(name, told.quantity, unit, told.facts)
    if arguments.annual_growth is not None:
        _add_years(arguments.annual_growth, derivation)
        return f"From {_shown(start.quantity)} to {_shown(end.quantity)} at {format_number(arguments.annual_growth * 100)} % a year"
    if arguments.years is not None:
        derivation.given("years", arguments.years, "year")
    _add_growth(derivation)
    return f"From {_shown(start.quantity)} to {_shown(end.quantity)}" + (f" in {number_of(arguments.years, 'year', 4)}" if arguments.years is not None else "")


def _add_years(growth: float, derivation: Derivation) -> None:
    """Add the years in which a rate leads from start to end, and the growth over them, which proves them."""
    start, end = derivation.inputs["start"], derivation.inputs["end"]
    rate = math.log1p(growth)
    if rate == 0 or (years := math.log(end.value / start.value) / rate) < 0:
        raise InvalidArguments(f"At {format_number(growth * 100)} % a year the end is never reached.", field="annual_growth")
    ends = [math.log((end.low or end.value) / (start.high or start.value)) / rate, math.log((end.high or end.value) / (start.low or start.value)) / rate]
    derivation.given("annual_growth", growth, "ratio")
    derivation.default("years", years, "year", low=max(0.0, min(ends)), high=max(ends))
    derivation.step(TIMES_BY_RATE)
    derivation.result("years", "time", "years until then", unit="year", keep_unit=True)
    derivation.result("growth", "growth-factor", "end over start")


def _ahead(arguments: Input, derivation: Derivation) -> str:
    """Add the point that a rate leads to, or the factor alone where no start is told."""
    growth, years = float(arguments.annual_growth or 0.0), float(arguments.years or 0.0)
    times = math.exp(years * math.log1p(growth))
    start = _point(derivation.library, arguments.start, "start") if arguments.start is not None else None
    if not times * (start.quantity.value if start else 1.0) <= MAXIMUM:
        raise InvalidArguments(f"{format_number(growth * 100)} % a year over {format_number(years)} years leaves anything physical.", field="annual_growth")
    derivation.given("annual_growth", growth, "ratio")
    derivation.given("years", years, "year")
    derivation.step(TIMES_BY_RATE)
    rate = f"{format_number(growth * 100)} % a year over {number_of(years, 'year', 4)}"
    if start is not None:
        dimension = start.quantity.dimension
        derivation.quantity("start", start.quantity, _unit(dimension), start.facts)
        derivation.step(Formula("end", "start * growth", _unit(dimension)))
        derivation.result("end", _kind(dimension), "after 1 year" if years == 1 else f"after {format_number(years)} years", unit=_thing(start.quantity))
        rate = f"{_shown(start.quantity)} at {rate}"
    derivation.result("growth", "growth-factor", "end over start")
    return rate


def _known(arguments: Input, derivation: Derivation) -> str:
    """Add a published forecast with its cases, its start and the growth to it."""
    library = derivation.library
    forecast = library.name("forecasts", str(arguments.forecast), field="forecast")
    end = library.fact(forecast.get("end"))
    cases = [library.fact(fact_id) for fact_id in forecast.get("cases") or ()]
    unit = end.unit
    derivation.fact("end", end, unit)
    if cases:
        values = [case.in_unit(unit).value for case in (end, *cases)]
        derivation.inputs["end"] = derivation.inputs["end"].model_copy(update={"low": min(values), "high": max(values)})
    dimension = end.quantity.dimension
    as_published = CASES if derivation.inputs["end"].low is not None else None
    derivation.result(
        "end",
        "share" if dimension == NUMBER else _kind(dimension),
        head_of(end.statement),
        boundary=f"{end.kind}; {end.note.rstrip('.')}" if end.note else end.kind,
        as_of=end.as_of,
        interval=as_published,
    )
    if forecast.get("start") is not None:
        start = library.fact(forecast.get("start"))
        derivation.fact("start", start, unit)
        years = float(str(end.as_of)[:4]) - float(str(start.as_of)[:4])
        derivation.default("years", years, "year", f"Years from {start.as_of} to {end.as_of}.")
        _add_growth(derivation, interval=as_published)
        derivation.result("start", "share" if dimension == NUMBER else _kind(dimension), head_of(start.statement), as_of=start.as_of)
    elif arguments.efficiency_gain is not None:
        raise MissingInput(f"{forecast.name} grows from no count of its own; give start, end and years to set efficiency against it.", field="forecast")
    if arguments.efficiency_gain is not None:
        derivation.warn("efficiency_in_forecast", "A forecast has gains of efficiency in it already; this one comes on top of them.")
    for case in (*_rivals(library, forecast, end), *cases):
        derivation.alternative(case, unit=unit)
    if forecast.note:
        derivation.assume(forecast.note)
    return f"Forecast for {end.as_of}" + (f", printed as {end.printed}" if end.printed else "")


def _rivals(library: Library, forecast: Name, end: Fact) -> list[Fact]:
    """Return forecasts of other publications for the same year, sector and place."""
    same = {key: end.scope[key] for key in ("sector", "place") if key in end.scope}
    own = {end.id, *(forecast.get("cases") or ())}
    return [
        fact
        for fact in library.find("forecast", **same)
        if fact.as_of == end.as_of
        and fact.id not in own
        and fact.source != end.source
        and fact.quantity.dimension == end.quantity.dimension
        and ("statistic" in fact.scope) == ("statistic" in end.scope)
    ]


def _add_growth(derivation: Derivation, *, interval: str | None = None) -> None:
    """Add the growth from start to end: a year, where years are told, and in all."""
    derivation.step(TIMES)
    start, end = derivation.inputs["start"].value, derivation.inputs["end"].value
    if not 1 / MAXIMUM <= end / start <= MAXIMUM:
        raise InvalidArguments("The growth from start to end leaves anything physical.", field="end")
    if "years" in derivation.inputs:
        rate, label, kind = (GROWTH, "compound growth a year", "annual-growth") if end >= start else (DECLINE, "compound decline a year", "annual-decline")
        widest = math.log((derivation.inputs["end"].high or end) / (derivation.inputs["start"].low or start))
        if widest / derivation.inputs["years"].value > math.log(MAXIMUM):
            raise InvalidArguments("The growth a year leaves anything physical.", field="years")
        derivation.step(rate)
        derivation.result(rate.name, kind, label, interval=interval)
        if derivation.evaluate()[rate.name].low == 0 and end != start:
            derivation.warn("growth_may_be_none", "Within the ranges told it may not change at all, or go the other way.")
    derivation.result("growth", "growth-factor", "end over start", interval=interval)


def _with_efficiency(gain: float, derivation: Derivation, about: str) -> str:
    """Put what efficiency leaves of the growth in front of the other results, and what demand breaks even."""
    derivation.given("efficiency_gain", gain, "ratio")
    before, derivation.results = derivation.results, []
    if "growth" in derivation.formulas or "growth" in derivation.inputs:
        derivation.step(NET)
        derivation.result(NET.name, "ratio", "times today's total energy, after demand and efficiency")
        if "start" in derivation.inputs and (derivation.inputs["start"].unit != "ratio"):
            start = derivation.inputs["start"]
            derivation.step(Formula("end_after_efficiency", "start * net_change", start.unit))
            derivation.result("end_after_efficiency", _kind(parse_unit(start.unit).dimension), "the end after the efficiency gain")
    derivation.result("efficiency_gain", "break-even", "times the demand, at which the total stays as it is")
    if "years" in derivation.inputs and gain >= 1:
        derivation.step(BREAK_EVEN)
        derivation.result(BREAK_EVEN.name, "break-even-growth", "growth of demand a year at which the total stays as it is")
    growth = derivation.evaluate()["growth"].value if NET.name in derivation.formulas else 0.0
    if growth >= 1 and gain > 1:
        derivation.step(REBOUND)
        derivation.result(REBOUND.name, "rebound", "of the saving is taken back by more demand; above 1 it backfires")
    derivation.results += before
    derivation.assume("The energy of a unit of work falls by the gain for all of the work, and demand counts work at today's efficiency.")
    if NET.name not in derivation.formulas:
        return f"A gain of {format_number(gain)} times"
    net = growth / gain
    return f"{about}, efficiency {format_number(gain)} times: the total {'grows' if net > 1 else 'falls' if net < 1 else 'stays as it is'}"


def _unit(dimension: Dimension) -> str:
    return canonical_unit(dimension) or base_unit(dimension)


def _kind(dimension: Dimension) -> str:
    return "count" if dimension == NUMBER else KINDS.get(dimension, "quantity")


def _thing(quantity: Quantity) -> str | None:
    return quantity.unit if quantity.dimension == NUMBER else None


def _shown(quantity: Quantity) -> str:
    return format_quantity(quantity) if quantity.dimension != NUMBER else f"{format_number(quantity.value)} {quantity.unit}".strip()


TOOL = Tool(
    name="project_growth",
    title="Forecasts, growth, and efficiency against demand",
    description="A published forecast of AI or data-centre electricity (IEA, LBNL, de Vries) with its cases; the compound growth a year between two amounts; where a growth leads; or what a gain of efficiency leaves when demand grows too (rebound, break-even).",
    arguments=Input,
    run=project_growth,
    example={"forecast": "IEA 2030"},
    ways=(
        ("forecast",),
        ("start", "end", "years"),
        ("annual_growth", "years"),
        ("start", "annual_growth", "years"),
        ("start", "end", "annual_growth"),
        ("demand_growth", "efficiency_gain"),
        ("start", "demand_growth", "efficiency_gain"),
        ("efficiency_gain",),
    ),
)
