"""Beside an energy, a mass or a volume, the everyday thing that makes it easy to picture."""

from __future__ import annotations

from kilowhat.plugin.understanding.plan import Call
from kilowhat.tools import KilowhatError, Library, call

SCALES = {
    "energy": ("led-hour", "phone-charge", "us-home-day", "us-home-year"),
    "emissions": ("car-km", "flight-ny-sf", "person-year-world"),
    "water": ("bottle-of-water", "olympic-pool"),
}
"""For each quantity, things from small to large."""

MOST = 1000
"""A larger number of one thing says less than a smaller number of the next."""

ALMOST = 0.9
"""So much of one thing counts as one; less is told in more of a smaller thing."""


def familiar(planned: Call, quantity: str | None) -> Call | None:
    """Return the call that turns the result of a planned call into everyday things, or None where there is nothing to turn.

    Args:
        planned: The call whose result is asked for.
        quantity: What is asked for: energy, emissions or water; the headline where it is None.
    """
    try:
        estimate = call(planned.tool, planned.arguments)
    except KilowhatError:
        return None
    result = next((result for result in estimate.results if quantity in (None, result.quantity)), None)
    if result is None or result.quantity not in SCALES or result.value <= 0:
        return None
    library = Library.load()
    things = SCALES[result.quantity]
    each = [library.default("comparator", comparator=thing, basis=result.quantity).in_unit(result.unit).value for thing in things]
    if result.value < each[0]:
        return None
    enough = [thing for thing, one in zip(things, each, strict=True) if result.value >= ALMOST * one]
    fitting = next((thing for thing, one in zip(things, each, strict=True) if result.value / one < MOST and thing in enough), enough[-1])
    return Call("convert_to_equivalents", {"quantity": f"{estimate.ref}#{result.quantity}", "equivalents": [fitting]})
