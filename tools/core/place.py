"""Where electricity is used: from the name of a place to carbon and water per kWh.

**Formula**: emissions = energy × carbon intensity; off-site water = energy × water intensity.

**Boundary**: location-based yearly averages. Countries carry life-cycle emissions of one series; places inside
countries (US subregions and states, Chinese regions, cloud regions) are facts on their own
basis, which the estimate names. Water is what power plants consume; cooling on the site is not in it.

**Assumptions**: without a place, the world average, said as an assumption. A carbon intensity is as uncertain as
published figures for one place lie apart: nations, places inside them and operating margins each have their own
measure (facts of subject ``method-constant``, cases ``grid-intensity``, ``-regional`` and ``-marginal``). That of a nation or a
margin is a factor. Inside countries figures count the stack alone and others the life cycle, so the measure is a factor on odds:
low / (G − low) = r₁₀ · g / (G − g) and (high + a) / (G − high) = r₉₀ · (g + a) / (G − g), where g is the figure, G the dirtiest national
average of the series (``electricity-tkm-intensity``), which no end reaches, and a the life cycle of hydropower
(``generation-intensity-hydro-ipcc-2014``), which a clean grid has above its stacks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pydantic import Field

from kilowhat.tools.core import electricity
from kilowhat.tools.core.derivation import Derivation
from kilowhat.tools.core.errors import UnknownName
from kilowhat.tools.core.expression import Formula
from kilowhat.tools.core.reference import Fact, Library, fold
from kilowhat.tools.core.tool import Arguments

EMISSIONS = Formula("emissions_kg_co2e", "energy_kwh * carbon_intensity_kg_co2e_per_kwh", "kg CO2e")
INTENSITY_NAME = "carbon_intensity_kg_co2e_per_kwh"
KG_PER_KWH = "kg CO2e/kWh"
DIRTIEST, CLEANEST = "electricity-tkm-intensity", "generation-intensity-hydro-ipcc-2014"
"""The figures between which an average inside a country is taken to lie."""
WATER = Formula("water_off_site_l", "energy_kwh * water_intensity_l_per_kwh", "L")

WORLD_AVERAGE = ", world average (no place told)"
"""What a label says of emissions where no place was told."""

REGION = "Where the electricity is used: a country (FR, France, 法国), a US state or subregion, a Chinese region, or a cloud region (us-west-2). Left out: the world average, said as an assumption."
INTENSITY = "Carbon intensity to use instead of a looked-up one, in g CO2e per kWh; typical 20 to 900."


class PlaceArguments(Arguments):
    """Arguments of every tool that turns an energy into emissions and water."""

    region: str | None = Field(default=None, description=REGION, max_length=100)
    carbon_intensity_g_co2e_per_kwh: float | None = Field(default=None, ge=0, le=5000, strict=True, description=INTENSITY)


@dataclass(frozen=True, slots=True)
class Place:
    """A place with the facts that say how its electricity is made."""

    id: str
    name: str
    country: str | None
    intensity: Fact
    water: Fact | None
    note: str | None = None

    @property
    def zone(self) -> str:
        """The place whose electricity answers for this one: itself, its subregion or its country."""
        return self.intensity.scope["place"]


def find_place(library: Library, text: str, *, field: str = "region") -> Place:
    """Return the place that a text names.

    Places inside countries are looked up first, then countries by code or by name in any language we know.

    Raises:
        UnknownName: with the nearest names. No place is ever put in for another one.
    """
    place_id = library.place_codes.get(text.strip().casefold())
    if place_id is None and text in library.countries:
        return _zone(library, text)
    key = fold(text)
    place_id = place_id or library.spellings("places").get(key)
    if place_id is not None:
        named = library.named("places", place_id)
        country = named.get("country")
        intensity = named.get("intensity")
        fact = library.fact(intensity or electricity.intensity_fact_id(country))
        note = named.note if intensity else f"{named.name} is answered with the average of {library.countries[country]['name']}."
        return Place(place_id, named.name, country, fact, _water(library, place_id, country, named.get("water_of")), note)
    zone = _zones(library).get(key)
    if zone is not None:
        return _zone(library, zone)
    from difflib import get_close_matches

    spellings = {**_zones(library), **library.spellings("places")}
    found = get_close_matches(key, spellings, n=4, cutoff=0.6)
    nearest = list(dict.fromkeys(place_name(library, spellings[near]) for near in found))
    hint = f"Near it: {', '.join(nearest)}." if nearest else "Give a country, a US state, a Chinese region or a cloud region, or the carbon intensity itself."
    raise UnknownName(f"{text[:60]!r} is no place whose electricity is known here. {hint}", field=field, nearest=nearest)


def _zone(library: Library, zone: str) -> Place:
    return Place(zone, str(library.countries[zone]["name"]), zone, library.fact(electricity.intensity_fact_id(zone)), _water(library, zone, zone))


def place_name(library: Library, place_id: str) -> str:
    """Return what a place is called."""
    if place_id in library.countries:
        return str(library.countries[place_id]["name"])
    return library.named("places", place_id).name if place_id in library.names("places") else place_id.replace("-", " ")


def _water(library: Library, place_id: str, country: str | None, around: str | None = None) -> Fact | None:
    """Return the water per kWh of a place itself where it is published, else that of the place it lies in, else that of its country."""
    for known in (place_id, around):
        own = next((fact for fact in library.find("water-intensity", place=known) if fact.default), None) if known else None
        if own is not None:
            return own
    return library.fact(electricity.water_fact_id(country)) if country else None


def water_in_words(library: Library, place: Place) -> str | None:
    """Return whose water per kWh answers for a place, where it is not its own; None where it is."""
    if place.water is None or place.id == electricity.WORLD:
        return None
    whose = place.water.scope["place"]
    if whose in library.countries and not electricity.has_own_water(whose):
        return f"The series holds no water for {library.countries[whose]['name']}: off-site water has the world average."
    if whose == place.id:
        return None
    told = f"of {library.countries[whose]['name']}" if whose in library.countries else f"in {library.named('places', whose).name}"
    return f"Off-site water is that of the average kWh {told}."


@lru_cache(maxsize=4)
def _zones(library: Library) -> dict[str, str]:
    """Return the zone of each spelling of a country; built once a library, for it takes two milliseconds."""
    zones: dict[str, str] = {}
    for zone, told in library.countries.items():
        for spelling in (zone, told["alpha2"], told["name"], *told["spellings"]):
            if spelling:
                zones.setdefault(fold(spelling), zone)
    return zones


def add_place(derivation: Derivation, arguments: PlaceArguments, *, boundary: str | None = None) -> None:
    """Add emissions and off-site water to a derivation that has ``energy_kwh``.

    A given carbon intensity is used as it is; water still needs a region.

    Raises:
        UnknownName: where the region is not known.
    """
    library = derivation.library
    given = arguments.carbon_intensity_g_co2e_per_kwh
    place = find_place(library, arguments.region or electricity.WORLD) if arguments.region or given is None else None
    if given is not None:
        derivation.given("carbon_intensity_kg_co2e_per_kwh", given / 1000, "kg CO2e/kWh")
    elif place is not None:
        add_intensity(derivation, place)
        if arguments.region is None:
            derivation.assume("No place was told, so electricity has the world average of carbon and water; a place moves emissions up to 20 times.")
    derivation.step(EMISSIONS)
    where = "" if place is None or given is not None else f" in {place.name}" if arguments.region else WORLD_AVERAGE
    derivation.result(EMISSIONS.name, "emissions", f"location-based emissions of the electricity{where}", boundary=boundary)
    if place is not None and place.water is not None:
        derivation.fact("water_intensity_l_per_kwh", place.water, "L/kWh")
        derivation.step(WATER)
        derivation.result(WATER.name, "water", "water consumed off-site, at the power plants", boundary="off-site; cooling on the site is not in it")
        if arguments.region is not None and (whose := water_in_words(library, place)) is not None:
            derivation.assume(whose)


def add_intensity(derivation: Derivation, place: Place, intensity: Fact | None = None) -> None:
    """Add a carbon intensity as an input, as wide as published ones for one place lie apart: the place's own, or another fact of it."""
    fact = intensity or place.intensity
    add_intensity_fact(derivation, INTENSITY_NAME, fact)
    if place.note:
        derivation.assume(place.note)
    boundary = fact.scope.get("boundary")
    if boundary and boundary != "life-cycle" and fact.scope["basis"] == "average":
        derivation.warn("other_basis", f"The carbon intensity of {place.name} counts {boundary} emissions, not the life cycle that country averages count.")


def add_intensity_fact(derivation: Derivation, name: str, fact: Fact) -> None:
    """Add a grid intensity as an input in kg CO2e per kWh, with the spread of published figures where it has no range of its own."""
    derivation.fact(name, fact, "kg CO2e/kWh", origin="fact")
    told = derivation.inputs[name]
    if told.low is None and (ends := agreement_range(derivation.library, fact)) is not None:
        derivation.widen(name, *ends)


def agreement_range(library: Library, fact: Fact) -> tuple[float, float] | None:
    """Return how far other published figures for the same place lie, middle 80 %, in kg CO2e per kWh; None where there is no measure."""
    case = agreement_case(library, fact)
    if case is None:
        return None
    agreement = library.default("method-constant", case=case).quantity
    low, high, value = float(agreement.low or 1), float(agreement.high or 1), fact.in_unit(KG_PER_KWH).value
    if case != "grid-intensity-regional":
        return value * low, value * high
    ceiling, floor = (library.fact(fact_id).in_unit(KG_PER_KWH).value for fact_id in (DIRTIEST, CLEANEST))
    below, above = low * value / (ceiling - value), high * (value + floor) / (ceiling - value)
    return ceiling * below / (1 + below), (ceiling * above - floor) / (1 + above)


def agreement_case(library: Library, fact: Fact) -> str | None:
    """Return which measure of agreement holds for a grid intensity; a market-based one is an account and has none."""
    if fact.scope.get("basis") == "marginal":
        return "grid-intensity-marginal"
    place = fact.scope.get("place")
    if fact.scope.get("basis") != "average" or place is None:
        return None
    return "grid-intensity" if place in library.countries or place == "eu" else "grid-intensity-regional"


_BASES = {
    "average": "location-based, average of a year",
    "location": "location-based, average of a year over the sites of the operator",
    "market": "market-based, after contracts for clean power",
    "marginal": "marginal, the plants that follow a change in demand (operating margin)",
}
_COUNTED = {"life-cycle": "life cycle of generation", "direct": "stack emissions of the power plants alone"}


def basis_in_words(fact: Fact) -> str:
    """Return what a grid intensity counts: its basis, its boundary, and the gas where that is CO2 alone."""
    told = [_BASES[fact.scope["basis"]], _COUNTED.get(fact.scope.get("boundary", ""), "boundary not told by the source")]
    if fact.scope.get("gas") == "co2":
        told.append("CO2 alone")
    return "; ".join(told)


BOUNDARIES = {"life-cycle": "the life cycle of generation", "direct": "stack emissions alone"}


def few(names: Sequence[str]) -> str:
    """Return a few names, and how many more there are."""
    return " and ".join(names) if len(names) <= 3 else f"{', '.join(names[:2])} and {len(names) - 2} more"


def counted_differently(names: Mapping[str, Sequence[str]]) -> str | None:
    """Return the sentence that warns of grid intensities with different boundaries, or None where they have one.

    Args:
        names: What is set beside each other, by the boundary of its intensity.
    """
    if len(names) < 2:
        return None
    told = "; ".join(f"{few(alike)}: {BOUNDARIES.get(boundary, 'not told by the source')}" for boundary, alike in sorted(names.items()))
    return f"Each place has its own figure, and they count different things ({told}). Across these the order is sure only where the ranges lie apart."
