"""Everyday things as much as an energy, an emission or a water volume: homes, phone charges, trees, and back.

**Formula**: number = quantity / quantity of one thing; back: quantity = number × quantity of one thing.

**Boundary**: a comparison, not a footprint: the thing's own figure has its own boundary, which its fact names.

**Facts**: defaults of subject ``comparator``; rivals (Netflix 0.8 against 0.077 kWh an hour) are listed beside.

**Limits**: comparators differ by country and by year; the value assumed is always shown. A car is a US car, by the kilometre as by
the mile, unless a European one is named.

>>> from kilowhat.tools import call
>>> call("convert_to_equivalents", {"quantity": "10.791 MWh", "equivalents": ["us-home-year"]}).results[0].value
1.0
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from kilowhat.tools.core.derivation import Derivation
from kilowhat.tools.core.errors import BadQuantity, KilowhatError, NotPublished, UnitMismatch
from kilowhat.tools.core.estimate import Estimate, head_of
from kilowhat.tools.core.expression import Formula
from kilowhat.tools.core.quantities import QUANTITY, Told, is_ref, read_quantity
from kilowhat.tools.core.reference import Fact, Library, Name
from kilowhat.tools.core.tool import Arguments, Tool
from kilowhat.tools.core.units import EMISSIONS, ENERGY, NUMBER, VOLUME, Dimension, Quantity, canonical_unit, format_number, format_quantity, name_dimension, parse_number

USUAL: dict[Dimension, tuple[str, ...]] = {
    ENERGY: ("us-home-year", "phone-charge", "streaming-hour"),
    EMISSIONS: ("car-mile", "tree-year", "person-year-world"),
    VOLUME: ("bottle-of-water",),
}
"""What an amount is compared with where nothing is asked for."""

MAXIMUM = 12


class Input(Arguments):
    """An amount, and what to compare it with."""

    quantity: str = Field(max_length=2000, description=f"The amount of energy, emissions or water: {QUANTITY}; or a number of everyday things to turn back ('17241 us-home-day').")
    equivalents: list[Annotated[str, Field(max_length=100)]] | None = Field(
        default=None,
        min_length=1,
        max_length=MAXIMUM,
        description="The things: us-home-year, phone-charge, streaming-hour, tree-year, car-mile, person-year-us, three-gorges-year …, or 'fact:' and the id of another figure for one; left out: the usual ones.",
    )


def convert_to_equivalents(arguments: Input, library: Library) -> Estimate:
    """Return how many of each thing the amount equals.

    Raises:
        UnknownName: for a thing that is not known (``unknown_name``).
        UnitMismatch: where a thing has no figure of the amount's dimension (``unit_mismatch``).
        NotPublished: where its only figures could not be checked (``not_published``).
    """
    derivation = Derivation(library)
    told, back = _read(arguments.quantity, library, _dimensions(arguments.equivalents or (), library))
    dimension = told.quantity.dimension
    unit = canonical_unit(dimension) or told.quantity.unit
    if back is not None:
        thing, number, fact = back
        derivation.given("number", number, "ratio")
        derivation.fact("each", fact, unit)
        derivation.step(Formula("amount", "number * each", unit))
        derivation.result("amount", _QUANTITIES[dimension], f"as {format_number(number)} × {thing.name}")
        rivals_of = [(thing, fact)]
    else:
        derivation.quantity("amount", told.quantity, unit, told.facts)
        rivals_of = []
    wanted = arguments.equivalents if arguments.equivalents is not None else [] if back is not None else list(USUAL.get(dimension, ()))
    if not wanted and back is None:
        raise UnitMismatch(f"{arguments.quantity[:60]!r} is {name_dimension(dimension)}; there are comparisons for an energy, a mass of greenhouse gas and a volume of water.", field="quantity")
    for position, text in enumerate(wanted):
        thing, fact = _comparator(library, text, dimension)
        each, number_name = f"{_identifier(thing.id)}_each", f"{_identifier(thing.id)}_number"
        if number_name in derivation.formulas:
            continue
        derivation.fact(each, fact, unit)
        derivation.step(Formula(number_name, f"amount / {each}", "ratio"))
        derivation.result(number_name, "count", f"{_plural(thing)} of {format_quantity(fact.in_unit(unit))} each", as_of=fact.as_of, unit=thing.get("measure") or _plural(thing))
        if position < 4:
            rivals_of.append((thing, fact))
    for thing, fact in rivals_of:
        for rival in _figures(library, thing.id, dimension):
            if rival.id != fact.id:
                derivation.alternative(rival, label=f"{thing.name}: {head_of(rival.statement)}", unit=unit)
    for sentence in told.assumptions:
        derivation.assume(sentence)
    shown = derivation.evaluate()["amount"]
    return derivation.estimate(TOOL.name, arguments, f"{format_quantity(Quantity(shown.value, unit))}" if back is None else f"{format_number(back[1])} × {back[0].name}")


_QUANTITIES = {ENERGY: "energy", EMISSIONS: "emissions", VOLUME: "water"}


def _dimensions(equivalents: Sequence[str], library: Library) -> tuple[Dimension, ...]:
    """Return what all of the things can be compared by: a chain then takes the emissions of an estimate for trees, its energy for phones."""
    shared = list(_QUANTITIES)
    for text in equivalents:
        try:
            things = [library.named("comparators", library.fact(text.removeprefix("fact:")).scope["comparator"])] if text.startswith("fact:") else [library.name("comparators", text)]
        except (KilowhatError, KeyError):
            continue
        shared = [dimension for dimension in shared if any(fact.default for thing in things for fact in _figures(library, thing.id, dimension))] or shared
    return tuple(shared)


def _read(text: str, library: Library, dimensions: tuple[Dimension, ...]) -> tuple[Told, tuple[Name, float, Fact] | None]:
    """Return the amount; and, where the text counts everyday things, the thing, its number and its fact."""
    try:
        told = read_quantity(library, text, dimensions=dimensions if is_ref(text) else (), argument="quantity")
    except BadQuantity as error:
        counted = _counted(text, library)
        if counted is None:
            raise error from None
        return counted
    if told.quantity.dimension in _QUANTITIES:
        return told, None
    if (counted := _counted(text, library)) is not None:
        return counted
    if told.quantity.dimension != NUMBER:
        return told, None
    raise BadQuantity("A plain number is no amount; give it a unit (kWh, t CO2e, L) or a thing (us-home-year).", field="quantity")


def _counted(text: str, library: Library) -> tuple[Told, tuple[Name, float, Fact]] | None:
    number, _, thing_text = text.strip().partition(" ")
    try:
        value = parse_number(number)
        thing = library.name("comparators", thing_text)
    except KilowhatError:
        return None
    fact = next((fact for dimension in _QUANTITIES for fact in _figures(library, thing.id, dimension) if fact.default), None)
    if fact is None:
        raise NotPublished(f"No checked figure is known for {thing.name}.", field="quantity")
    if value < 0:
        raise BadQuantity(f"{text[:60]!r} is negative.", field="quantity")
    return Told(Quantity(value * fact.quantity.value, fact.unit)), (thing, value, fact)


def _comparator(library: Library, text: str, dimension: Dimension) -> tuple[Name, Fact]:
    """Return a thing with its default figure of a dimension, or with the one that ``fact:…`` names."""
    if text.startswith("fact:"):
        fact = library.fact(text.removeprefix("fact:"), field="equivalents")
        if "comparator" not in fact.scope or fact.quantity.dimension != dimension:
            raise UnitMismatch(f"{fact.id} is no everyday thing with a figure that is {name_dimension(dimension)}.", field="equivalents")
        return library.named("comparators", fact.scope["comparator"]), fact
    thing = library.name("comparators", text, field="equivalents")
    figures = _figures(library, thing.id, dimension)
    if not figures:
        raise UnitMismatch(
            f"There is no figure for {thing.name} that is {name_dimension(dimension)}; give its {' or '.join(kind for kind, figures in ((kind, _figures(library, thing.id, other)) for other, kind in _QUANTITIES.items()) if figures) or 'amount'} instead.",
            field="equivalents",
        )
    if figures[0].default is None:
        raise NotPublished(f"No checked figure is known for {thing.name}.", field="equivalents", nearest=[fact.id for fact in figures])
    return thing, figures[0]


def _figures(library: Library, thing: str, dimension: Dimension) -> list[Fact]:
    """Return the figures of one thing in a dimension."""
    found = library.find("comparator", comparator=thing) + library.find("electricity-total", comparator=thing)
    return [fact for fact in found if fact.quantity.dimension == dimension]


def _plural(thing: Name) -> str:
    told = thing.get("unit_name")
    return str(told["many"]) if isinstance(told, dict) and "many" in told else thing.name


def _identifier(thing_id: str) -> str:
    return thing_id.replace("-", "_").replace(".", "_")


TOOL = Tool(
    name="convert_to_equivalents",
    title="Everyday things as much as an amount",
    description="How many homes, phone charges, streaming hours, car miles, trees, people, dams or countries an amount of energy, emissions or water equals; or how much energy N of these things take. Takes the ref of an estimate as quantity.",
    arguments=Input,
    run=convert_to_equivalents,
    gives="count",
    example={"quantity": "1287 MWh", "equivalents": ["us-home-year", "streaming-hour"]},
)
