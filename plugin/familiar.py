"""Beside an energy, a mass or a volume, the everyday thing that makes it easy to picture."""

from __future__ import annotations

import re

from kilowhat.plugin.understanding.plan import Call
from kilowhat.tools import KilowhatError, Library, call
from kilowhat.tools.core.place import find_place

SCALES = {
    "energy": ("led-hour", "phone-charge", "ev-km", "{home}-day", "{home}-year"),
    "emissions": ("car-km", "flight-ny-sf", "person-year-world"),
    "water": ("bottle-of-water", "us-person-day", "olympic-pool"),
}
"""For each quantity, things from small to large."""

SMALLEST = ("google-search",)
"""What a small amount is set beside where everyday things are asked for."""

MOST = 300
"""A larger number of one thing says less than a smaller number of the next."""

ALMOST = 0.9
"""So much of one thing counts as one; less is told in more of a smaller thing."""

HOMES = {
    "us-home": "USA",
    "uk-home": "GBR",
    "dk-home": "DNK",
    "cn-person-home": "CHN",
    "eu-home": "AUT BEL BGR HRV CYP CZE EST FIN FRA DEU GRC HUN IRL ITA LVA LTU LUX MLT NLD POL PRT ROU SVK SVN ESP SWE eu",
}
"""The homes whose electricity is known, and the countries that they stand for."""

USUAL_HOME = "us-home"
COUNTRIES = {"de": "DEU", "fr": "FRA", "es": "ESP", "zh-Hans": "CHN"}
"""Where those who ask in a language most likely live; a place that they name counts more."""


def familiar(planned: Call, quantity: str | None, language: str = "en", *, several: int = 1) -> Call | None:
    """Return the call that turns the result of a planned call into everyday things, or None where there is nothing to turn.

    Args:
        planned: The call whose result is asked for.
        quantity: What is asked for: energy, emissions or water; the headline where it is None.
        language: The language of the answer, which says whose homes are meant where no place is named.
        several: How many things, the best one first.
    """
    try:
        estimate = call(planned.tool, planned.arguments)
    except KilowhatError:
        return None
    result = next((result for result in estimate.results if quantity in (None, result.quantity)), None)
    if result is None or result.quantity not in SCALES or result.value <= 0:
        return None
    library = Library.load()
    home = home_of(str(planned.arguments.get("region") or COUNTRIES.get(language, "")))
    things = [thing for told in ((*SMALLEST, *SCALES[result.quantity]) if several > 1 else SCALES[result.quantity]) if (thing := told.format(home=home)) in library.names("comparators")]
    known = [(thing, fact) for thing in things if (fact := next((fact for fact in library.find("comparator", comparator=thing, basis=result.quantity) if fact.default), None))]
    things, each = [thing for thing, _ in known], [fact.in_unit(result.unit).value for _, fact in known]
    enough = [thing for thing, one in zip(things, each, strict=True) if result.value >= ALMOST * one]
    if not enough:
        return None
    fitting = next((thing for thing, one in zip(things, each, strict=True) if result.value / one < MOST and thing in enough), enough[-1])
    near = sorted(enough, key=lambda thing: abs(things.index(thing) - things.index(fitting)))
    return Call("convert_to_equivalents", {"quantity": f"{estimate.ref}#{result.quantity}", "equivalents": near[:several]})


_AMERICAN = re.compile(r"\bU\.?S\b|\bEE\.? ?UU|ameri[ck]|[ée]tats-unis|estados unidos|vereinigte[nr]? staaten", re.IGNORECASE)


def with_homes_of_the_reader(planned: Call, language: str, question: str) -> Call:
    """Return a call whose homes are those of where its question's language is spoken, unless the question names American ones.

    >>> with_homes_of_the_reader(Call("convert_to_equivalents", {"quantity": "3 MWh", "equivalents": ["us-home-year"]}), "de", "Wie viele Haushalte?").arguments["equivalents"]
    ['eu-home-year']
    """
    things = planned.arguments.get("equivalents")
    home = home_of(COUNTRIES.get(language, ""))
    if planned.tool != "convert_to_equivalents" or not things or _AMERICAN.search(question):
        return planned
    known = Library.load().names("comparators")
    here = [here if (here := thing.replace(USUAL_HOME, home, 1)) in known else thing for thing in things]
    return planned if here == things or not home.endswith("-home") or "person" in home else Call(planned.tool, {**planned.arguments, "equivalents": here})


def home_of(place: str) -> str:
    """Return whose homes an energy is set beside: those of the country that a place lies in, where they are known.

    >>> home_of("FR"), home_of("us-ca"), home_of("Japan"), home_of("nowhere")
    ('eu-home', 'us-home', 'us-home', 'us-home')
    """
    if not place:
        return USUAL_HOME
    try:
        found = find_place(Library.load(), place)
    except KilowhatError:
        return USUAL_HOME
    return next((home for home, countries in HOMES.items() if {found.country, found.id} & set(countries.split())), USUAL_HOME)
