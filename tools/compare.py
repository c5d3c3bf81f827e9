"""Which of several amounts is more, by which factor, and how sure the order is.

**Formula**: ratio = largest / smallest; probability = Φ(ln ratio / √(σ₁² + σ₂²)), where σ₁ is how far the largest may lie
lower and σ₂ how far the smallest may lie higher, as log-deviations.

**Boundary**: what each amount counts; amounts with different boundaries are compared as they are told.

**Assumptions**: amounts are log-normal and independent, and their ranges are 80 % ranges. Of amounts that have no range the ratio is
told and no probability: without a range is not without an error.

**Facts**: those that the amounts name.

**Limits**: estimates that share an input (the same grid, the same model) are surer in their order than this says.

>>> from kilowhat.tools import call
>>> call("compare", {"items": [{"label": "A", "quantity": "1 kWh"}, {"label": "B", "quantity": "500 Wh"}]}).results[0].value
2.0
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from pydantic import Field

from kilowhat.tools.core.derivation import MAXIMUM_ALTERNATIVES, MAXIMUM_BYTES, Derivation
from kilowhat.tools.core.errors import BadQuantity, InvalidArguments, UnitMismatch
from kilowhat.tools.core.estimate import Alternative, Estimate
from kilowhat.tools.core.expression import Formula
from kilowhat.tools.core.kinds import KINDS, base_unit
from kilowhat.tools.core.place import counted_differently
from kilowhat.tools.core.quantities import QUANTITY, Told, read_quantity
from kilowhat.tools.core.reference import Library
from kilowhat.tools.core.spread import Z80
from kilowhat.tools.core.tool import Arguments, Tool
from kilowhat.tools.core.units import EMISSIONS, NUMBER, Quantity, canonical_unit, format_number, format_quantity, name_dimension, parse_unit

_REGION = re.compile(r"(?<=[?&])region=[^&#]*")
"""The place in a ref."""

SURE = 0.9
"""Below this probability the order is said to be open."""


class Item(Arguments):
    """One amount and what it is."""

    label: str = Field(min_length=1, max_length=60, description="What it is, in a few words: 'Gemini', 'one Google search'.")
    quantity: str = Field(min_length=1, max_length=1000, description=f"How much it is: {QUANTITY}; all items measure the same thing.")


class Input(Arguments):
    """What to compare."""

    items: list[Item] = Field(
        min_length=2, max_length=20, description="Two to twenty amounts of one kind (all energies, all emissions …), each with a label. A ref of an estimate brings its range along."
    )


def compare(arguments: Input, library: Library) -> Estimate:
    """Return the ratio of the largest to the smallest amount, how sure their order is, and each amount beside the first.

    Raises:
        UnitMismatch: where the amounts measure different things (``unit_mismatch``).
        BadQuantity: where an amount is none, or zero (``bad_quantity``).
        InvalidArguments: where two items have one label, or so many amounts with their sources fit in no estimate (``invalid_arguments``).
    """
    labels = [" ".join(item.label.split()) for item in arguments.items]
    if len({label.casefold() for label in labels}) < len(labels):
        raise InvalidArguments("Two items have the same label; give each its own.", field="items")
    told = _amounts(arguments.items, library)
    for shown, with_ratios, each_cited in ((len(told), True, True), (len(told), False, True), (4, False, True), (0, False, True), (0, False, False)):
        estimate = _estimate(arguments, library, labels, told, shown, with_ratios=with_ratios, each_cited=each_cited)
        if len(estimate.model_dump_json().encode()) <= MAXIMUM_BYTES:
            return estimate
    raise InvalidArguments(f"{len(told)} amounts with their sources are too many for one estimate; compare fewer at a time.", field="items")


def _amounts(items: Sequence[Item], library: Library) -> list[Told]:
    """Return the amounts of all items; a ref gives its first result of the kind that the first item measures."""
    first = read_quantity(library, items[0].quantity, argument="items")
    dimension = first.quantity.dimension
    told = [first]
    for item in items[1:]:
        try:
            told.append(read_quantity(library, item.quantity, dimensions=(dimension,), argument="items"))
        except UnitMismatch as error:
            hint = f"All items measure the same as the first, {name_dimension(dimension)}; '#emissions' behind a ref picks another result, and convert_energy_to_emissions or calculate bring amounts to one kind."
            raise UnitMismatch(f"{item.label}: {error.message} {hint}", field="items") from None
    for item, amount in zip(items, told, strict=True):
        if amount.quantity.value == 0:
            raise BadQuantity(f"{item.label} is zero, and nothing is a number of times more than zero.", field="items")
    return told


def _estimate(arguments: Input, library: Library, labels: Sequence[str], told: Sequence[Told], shown: int, *, with_ratios: bool, each_cited: bool) -> Estimate:
    """Return the estimate with so many of the amounts as results of their own, and with their ratios to the first.

    Where not each is cited, citations may be left out for length: the arguments name the facts.
    """
    derivation = Derivation(library)
    dimension = told[0].quantity.dimension
    unit = canonical_unit(dimension) or base_unit(dimension)
    for number, amount in enumerate(told, 1):
        derivation.quantity(f"item_{number}", amount.quantity, unit, amount.facts)
        if not each_cited:
            derivation.inputs[f"item_{number}"] = derivation.inputs[f"item_{number}"].model_copy(update={"fact_id": None})
    amounts = [amount.quantity.to(unit) for amount in told]
    order = sorted(range(len(amounts)), key=lambda position: -amounts[position].value)
    most, least = order[0], order[-1]
    derivation.step(Formula("ratio", f"item_{most + 1} / item_{least + 1}", "ratio"))
    derivation.result("ratio", "ratio", f"{labels[most]} over {labels[least]}" if amounts[most].value > amounts[least].value else "as much the one as the other")
    sure = probability_of_more(amounts[most], amounts[least])
    if sure is not None:
        derivation.quantity("probability", Quantity(sure, "ratio"), "ratio")
        derivation.result("probability", "probability", f"probability that {labels[most]} is more than {labels[least]}", interval="from the overlap of the ranges")
    next_sure = probability_of_more(amounts[most], amounts[order[1]])
    if len(amounts) > 2 and next_sure is not None:
        derivation.quantity("probability_of_the_largest", Quantity(next_sure, "ratio"), "ratio")
        derivation.result("probability_of_the_largest", "probability", f"probability that {labels[most]} is more than the next, {labels[order[1]]}", interval="from the overlap of the ranges")
    kind = "count" if dimension == NUMBER else KINDS.get(dimension, "quantity")
    for position in range(shown):
        derivation.result(f"item_{position + 1}", kind, labels[position], unit=_things(told[position].quantity))
    for position in range(1, shown) if with_ratios else ():
        derivation.step(Formula(f"ratio_{position + 1}", f"item_{position + 1} / item_1", "ratio"))
        derivation.result(f"ratio_{position + 1}", "ratio", f"{labels[position]} over {labels[0]}")
    without = [labels[position] for position in order if not _has_range(amounts[position])]
    if len(without) < len(amounts):
        derivation.assume("The amounts are independent and log-normal, with their ranges as 80 % ranges.")
    if without:
        _warn_of_no_range(derivation, without, len(amounts))
    if next_sure is not None and next_sure < SURE and next_sure != 0.5:
        derivation.warn("order_uncertain", f"Their ranges overlap: that {labels[most]} is more than {labels[order[1]]} has a probability of {format_number(next_sure, 2)}.")
    if all(_REGION.search(item.quantity) for item in arguments.items) and len({_REGION.sub("", item.quantity) for item in arguments.items}) == 1:
        derivation.warn(
            "shared_input", "The same thing is compared in several places: what is uncertain of the thing itself cancels in the ratio, so its range here is too wide and the order surer than said."
        )
    for label, amount in zip(labels, told, strict=True):
        if (other := _outside(amount)) is not None and len(derivation.alternatives) < MAXIMUM_ALTERNATIVES:
            derivation.cite(library.fact(other.fact_id))
            derivation.alternatives.append(other.model_copy(update={"label": f"{label}: {other.label}"}))
    if dimension == EMISSIONS and (differ := _counted_differently(labels, told)) is not None:
        derivation.warn("bases_differ", differ)
    for amount in told:
        for sentence in amount.assumptions:
            if sentence not in derivation.assumptions:
                derivation.assume(sentence)
    return derivation.estimate("compare", arguments, _which_is_more(labels, amounts, order))


def _counted_differently(labels: Sequence[str], told: Sequence[Told]) -> str | None:
    """Return that the emissions compared rest on grid intensities with different boundaries, or None."""
    by_boundary: dict[str, list[str]] = {}
    for label, amount in zip(labels, told, strict=True):
        for boundary in dict.fromkeys(fact.scope.get("boundary", "") for fact in amount.facts if fact.subject == "grid-intensity"):
            by_boundary.setdefault(boundary, []).append(label)
    return counted_differently(by_boundary)


ALIKE = 1.05
"""Beside an amount without a range, a figure that differs by no more than this factor says the same."""


def _outside(told: Told) -> Alternative | None:
    """Return the first published figure for the same thing that lies outside the range of an amount, or None."""
    amount = told.quantity
    low, high = (amount.low or 0.0, amount.high or 0.0) if _has_range(amount) else (amount.value / ALIKE, amount.value * ALIKE)
    for other in told.alternatives:
        value = other.value if other.value is not None else math.sqrt((other.low or 0.0) * (other.high or 0.0))
        if parse_unit(other.unit).dimension == amount.dimension and not other.label.startswith("one request: ") and not low <= Quantity(value, other.unit).to(amount.unit).value <= high:
            return other
    return None


def _has_range(amount: Quantity) -> bool:
    return amount.low is not None and amount.high is not None and amount.low < amount.high


def _warn_of_no_range(derivation: Derivation, without: Sequence[str], number: int) -> None:
    """Say that figures without a range are not certain, and what the probability leaves out."""
    if len(without) == number:
        derivation.warn("no_range", "None of these amounts has a range, so how sure the order is can't be said: published figures for one thing often differ more than these may.")
        return
    several = " and ".join(without[:2]) if len(without) <= 2 else f"{len(without)} of {number}"
    derivation.warn("no_range", f"No range is known for {several}, so the probability counts the other ranges alone and is too high.")


def probability_of_more(larger: Quantity, smaller: Quantity) -> float | None:
    """Return the probability that the larger of two amounts is really more; None where neither has a range, which says nothing of it."""
    apart = math.log(larger.value / smaller.value)
    down = math.log(larger.value / larger.low) / Z80 if larger.low else 0.0
    up = math.log(smaller.high / smaller.value) / Z80 if smaller.high else 0.0
    spread = math.hypot(down, up)
    if spread == 0:
        return None
    return 0.5 * (1 + math.erf(apart / spread / math.sqrt(2)))


def _which_is_more(labels: Sequence[str], amounts: Sequence[Quantity], order: Sequence[int]) -> str:
    """Return which amount is the most and which the least, in words."""
    most, least = order[0], order[-1]
    if amounts[most].value == amounts[least].value:
        return f"{labels[most]} and {labels[least]} are the same ({_shown(amounts[most])})" if len(order) == 2 else f"All {len(order)} are the same ({_shown(amounts[most])})"
    what = f"{labels[most]} ({_shown(amounts[most])}) is more than {labels[least]} ({_shown(amounts[least])})"
    return what if len(order) == 2 else f"Of {len(order)}, {labels[most]} ({_shown(amounts[most])}) is the most and {labels[least]} ({_shown(amounts[least])}) the least"


def _things(amount: Quantity) -> str | None:
    """Return what a plain number counts, where it counts something one by one."""
    return amount.unit if amount.dimension == NUMBER and parse_unit(amount.unit).factor == 1 else None


def _shown(amount: Quantity) -> str:
    return format_quantity(amount) if amount.dimension != NUMBER else format_number(amount.value)


TOOL = Tool(
    name="compare",
    title="Which is more, and how sure",
    description="Compare 2 to 20 amounts of one kind (energies, emissions, water, powers, counts), each a text, a fact or the ref of an estimate: which is more, the ratio of the largest to the smallest with its 80 % range, and the probability that the order holds.",
    arguments=Input,
    run=compare,
    gives="ratio",
    example={"items": [{"label": "a Gemini prompt", "quantity": "fact:gemini-prompt-energy"}, {"label": "a Google search", "quantity": "0.3 Wh"}]},
)
