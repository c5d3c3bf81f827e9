"""A quantity as one string: ``3 kWh``, ``fact:us-home-year``, or the ``ref`` of an estimate.

A chain of tools passes refs, so that the interval and the citations of the first
estimate reach the last one. A ref stands for its first result that fits; ``#emissions``
behind it picks another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kilowhat.tools.core.errors import BadQuantity, InvalidArguments, UnitMismatch
from kilowhat.tools.core.estimate import Alternative, as_quantity
from kilowhat.tools.core.reference import Fact, Library
from kilowhat.tools.core.registry import CATALOG
from kilowhat.tools.core.tool import parse_ref
from kilowhat.tools.core.units import Dimension, Quantity, name_dimension, parse_quantity

MAXIMUM_DEPTH = 5
MAXIMUM = 1e30

QUANTITY = "one string: a number with a unit ('3 kWh', '552 t CO2e'), 'fact:' and the id of a fact, or the ref of an estimate ('estimate_task?task=image-generation&count=1000')"


@dataclass(frozen=True, slots=True)
class Told:
    """A quantity with the facts, the assumptions and the other published figures that came with it."""

    quantity: Quantity
    facts: Sequence[Fact] = ()
    assumptions: Sequence[str] = field(default_factory=tuple)
    alternatives: Sequence[Alternative] = ()


def read_quantity(library: Library, text: str, *, dimensions: Sequence[Dimension] = (), argument: str = "quantity") -> Told:
    """Return the quantity that an argument tells.

    Args:
        library: Where facts are looked up.
        text: A number with a unit, ``fact:…``, or a ref.
        dimensions: What the quantity may measure; empty allows all. A ref of an estimate gives its first result of one of them.
        argument: The argument, for the error.

    Raises:
        BadQuantity: where the text is none of the three, or negative or absurdly large.
        UnitMismatch: where it measures something else.
    """
    told = _read(library, text.strip(), dimensions, argument)
    value = told.quantity.value
    if value < 0:
        raise BadQuantity(f"{text[:60]!r} is negative; an energy, a mass or a volume is zero or more.", field=argument)
    if value > MAXIMUM:
        raise BadQuantity(f"{text[:60]!r} is beyond anything physical.", field=argument)
    if dimensions and told.quantity.dimension not in dimensions:
        wanted = " or ".join(name_dimension(dimension) for dimension in dimensions)
        raise UnitMismatch(f"{text[:60]!r} is {name_dimension(told.quantity.dimension)}; {argument} wants {wanted}.", field=argument)
    return told


def is_ref(text: str) -> bool:
    """Return whether a quantity is told as the ref of an estimate."""
    return "?" in text or text in CATALOG


def _read(library: Library, text: str, dimensions: Sequence[Dimension], argument: str) -> Told:
    if text.startswith("fact:"):
        fact = library.fact(text.removeprefix("fact:"), field=argument)
        return Told(fact.quantity, (fact,))
    if is_ref(text):
        if text.count("estimate_") + text.count("convert_") > MAXIMUM_DEPTH:
            raise InvalidArguments(f"A chain of estimates has at most {MAXIMUM_DEPTH} links.", field=argument)
        call, _, wanted = text.partition("#")
        tool, arguments = parse_ref(call, CATALOG)
        estimate = tool(arguments)
        beside = {other.fact_id for other in estimate.alternatives} - {entry.fact_id for entry in estimate.inputs}
        facts = [library.fact(citation.fact_id) for citation in estimate.citations if citation.fact_id not in beside and not citation.fact_id.startswith("claim-")]
        for result in estimate.results:
            quantity = as_quantity(result)
            if (not dimensions or quantity.dimension in dimensions) and wanted in ("", result.quantity):
                return Told(quantity, facts, estimate.assumptions, estimate.alternatives)
        what = f" called {wanted!r}" if wanted else ""
        raise BadQuantity(f"{tool.name} gives no result{what} that {argument} could take.", field=argument)
    try:
        return Told(parse_quantity(text))
    except BadQuantity as error:
        raise BadQuantity(error.message, field=argument) from None
