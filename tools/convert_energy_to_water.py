"""Water of an energy: consumed on the site for cooling, and off the site at the power plants, kept apart.

**Formula**: on-site water = IT energy × WUE; off-site water = IT energy × PUE × water intensity of the electricity.

**Boundary**: water consumed (evaporated), not withdrawn. The WUE of a data centre is litres per kWh of its computing equipment
(IT energy), before overhead; the water intensity of a grid is litres per kWh generated, evaporation from hydropower
reservoirs included. Water of making hardware is not in it.

**Assumptions**: the energy told is IT energy, unless it is known or told to be that of the facility; the mean of US data centres
where no provider is told; the world average where no region is told; no PUE on IT energy unless told. Who tells a WUE and no place
asks for the site: its water stands first. A place without water of its own has that of the place it lies in, of its country, or the
world average, and the estimate says whose.

**Facts**: defaults of subject ``wue-on-site`` of a provider, and of its sites in a region; ``water-intensity`` of a place;
``pue`` where the energy of a facility has to be taken back to that of its computing equipment.

**Limits**: definitions differ (Google reports what it consumes over all sites, Microsoft over the sites that it owns), and sites of
one operator differ a hundredfold. How reservoir evaporation is shared out decides the off-site figure of hydropower.

>>> from kilowhat.tools import call
>>> estimate = call("convert_energy_to_water", {"energy": "10 kWh", "wue_l_per_kwh": 0.5, "pue": 1.2, "water_intensity_l_per_kwh": 3.0})
>>> [result.value for result in estimate.results]
[41.0, 5.0, 36.0]
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kilowhat.tools.core import electricity
from kilowhat.tools.core.derivation import Derivation
from kilowhat.tools.core.errors import InvalidArguments, NotPublished
from kilowhat.tools.core.estimate import Estimate, head_of
from kilowhat.tools.core.expression import Formula
from kilowhat.tools.core.place import REGION, Place, find_place, water_in_words
from kilowhat.tools.core.quantities import QUANTITY, read_quantity
from kilowhat.tools.core.reference import Fact, Library, Name
from kilowhat.tools.core.registry import CATALOG
from kilowhat.tools.core.tool import Arguments, Tool, parse_ref
from kilowhat.tools.core.units import ENERGY, format_number, format_quantity

IT_ENERGY = Formula("it_energy_kwh", "energy_kwh / pue", "kWh")
FACILITY_ENERGY = Formula("facility_energy_kwh", "it_energy_kwh * pue", "kWh")
ON_SITE = Formula("water_on_site_l", "it_energy_kwh * wue_l_per_kwh", "L")
OFF_SITE = Formula("water_off_site_l", "facility_energy_kwh * water_intensity_l_per_kwh", "L")
WATER = Formula("water_l", "water_on_site_l + water_off_site_l", "L")


ON_SITE_RESULT = ("water-on-site", "water consumed on the site, for cooling")
ON_SITE_BOUNDARY = "on-site; WUE is per kWh of IT energy, before overhead"


class Input(Arguments):
    """An energy, and where and by whom it is used."""

    energy: str = Field(max_length=2000, description=f"The energy: {QUANTITY}.")
    region: str | None = Field(default=None, description=REGION, max_length=100)
    provider: str | None = Field(
        default=None, max_length=100, description="Who runs the data centre, whose published WUE is taken: Google, Microsoft, AWS, Meta. Left out: the mean of US data centres."
    )
    wue_l_per_kwh: float | None = Field(
        default=None, ge=0, le=100, strict=True, description="Water usage effectiveness instead of a published one: litres on site per kWh of IT energy; typical 0 to 2."
    )
    pue: float | None = Field(default=None, ge=1, le=5, strict=True, description="Power usage effectiveness of the facility, 1 or more; typical 1.1 to 1.6. Left out: not applied to IT energy.")
    boundary: Literal["server", "facility"] | None = Field(
        default=None, description="What the energy counts: server (IT energy) or facility (cooling and conversion included). Left out: as the fact or estimate says, else server."
    )
    water_intensity_l_per_kwh: float | None = Field(
        default=None, ge=0, le=100, strict=True, description="Water consumed by power plants, litres per kWh, instead of that of the region; typical 1 to 10."
    )


def convert_energy_to_water(arguments: Input, library: Library) -> Estimate:
    """Return the water of an energy: the sum, on the site, and at the power plants; on the site first where a WUE alone is told.

    Raises:
        UnitMismatch: where the quantity is no energy (``unit_mismatch``).
        UnknownName: for a provider, region or fact that is not known (``unknown_name``).
        NotPublished: for a provider without a published WUE (``not_published``).
        InvalidArguments: where both a WUE and a provider are told (``invalid_arguments``).
    """
    if arguments.provider is not None and arguments.wue_l_per_kwh is not None:
        raise InvalidArguments("Give either provider, whose WUE is looked up, or wue_l_per_kwh.", field="wue_l_per_kwh")
    told = read_quantity(library, arguments.energy, dimensions=(ENERGY,), argument="energy")
    place = find_place(library, arguments.region or electricity.WORLD)
    provider = library.name("providers", arguments.provider, field="provider") if arguments.provider is not None else None
    site = place.id if arguments.region is not None else None
    derivation = Derivation(library)
    of_facility, its_pue = counts_facility(library, arguments.energy)
    if arguments.boundary is not None:
        of_facility = arguments.boundary == "facility"
    derivation.quantity("energy_kwh" if of_facility else "it_energy_kwh", told.quantity, "kWh", told.facts)
    if of_facility:
        _take_back(derivation, arguments.pue, its_pue, provider, site)
    else:
        _add_pue(derivation, arguments, provider)
    _add_wue(derivation, arguments.wue_l_per_kwh, provider, site)
    derivation.step(ON_SITE)
    derivation.step(FACILITY_ENERGY)
    _add_intensity(derivation, arguments, place)
    derivation.step(OFF_SITE)
    derivation.step(WATER)
    on_site_first = arguments.wue_l_per_kwh is not None and arguments.region is None and arguments.water_intensity_l_per_kwh is None
    if on_site_first:
        derivation.result(ON_SITE.name, *ON_SITE_RESULT, boundary=ON_SITE_BOUNDARY)
    derivation.result(WATER.name, "water", "water consumed, on site and at the power plants together", boundary="on site for cooling and off site at the power plants; no water of making hardware")
    if not on_site_first:
        derivation.result(ON_SITE.name, *ON_SITE_RESULT, boundary=ON_SITE_BOUNDARY)
    derivation.result(OFF_SITE.name, "water-off-site", "water consumed off-site, at the power plants", boundary="off-site; per kWh of all electricity of the facility")
    for sentence in told.assumptions:
        if not sentence.startswith("No place was told"):
            derivation.assume(sentence)
    where = f" at {provider.name}" if provider else ""
    return derivation.estimate(TOOL.name, arguments, f"{format_quantity(told.quantity.to('kWh'))} of electricity{where}{f' in {place.name}' if arguments.region else ''}")


def counts_facility(library: Library, energy: str) -> tuple[bool, float | None]:
    """Return whether an energy is known to count the whole facility, by the scope of its fact or by its estimate, and the PUE in the estimate."""
    text = energy.strip()
    if text.startswith("fact:"):
        return library.fact(text.removeprefix("fact:"), field="energy").scope.get("boundary") in ("facility", "accelerators-and-overhead"), None
    if "?" not in text:
        return False, None
    tool, arguments = parse_ref(text.partition("#")[0], CATALOG)
    estimate = tool(arguments)
    boundary = next((result.boundary for result in estimate.results if result.quantity == "energy"), None) or ""
    pue = next((entry.value for entry in estimate.inputs if entry.name == "pue" and entry.value > 1), None)
    return pue is not None or any(words in boundary for words in ("whole facility", "overhead (PUE)")), pue


def _take_back(derivation: Derivation, pue: float | None, its_pue: float | None, provider: Name | None, site: str | None) -> None:
    """Add the PUE by which the energy of a facility is taken back to that of its computing equipment."""
    if pue is not None:
        derivation.given("pue", pue, "ratio")
    elif its_pue is not None:
        derivation.default("pue", its_pue, "ratio", f"The energy counts the whole facility, with the PUE of {format_number(its_pue, 3)} that its estimate applies.")
    else:
        fact = _figure(derivation.library, "pue", provider, site) or derivation.library.default("pue", provider="industry")
        derivation.fact("pue", fact, "ratio", origin="default")
        derivation.assume(f"The energy counts the whole facility; the PUE of {format_number(fact.quantity.value, 3)} that takes it back to IT energy: {fact.statement}")
    derivation.step(IT_ENERGY)


def _add_pue(derivation: Derivation, arguments: Input, provider: Name | None) -> None:
    """Add the PUE of a facility around IT energy: as told, or 1 with the assumption said."""
    if arguments.boundary is None:
        derivation.assume("The energy is taken as that of the computing equipment (IT energy), which a WUE is per.")
    if arguments.pue is not None:
        derivation.given("pue", arguments.pue, "ratio")
        return
    usual = (_figure(derivation.library, "pue", provider, None) if provider else None) or derivation.library.default("pue", provider="industry")
    derivation.default(
        "pue", 1.0, "ratio", f"No PUE was told, so off-site water leaves out the electricity of cooling and conversion; a PUE of {format_number(usual.quantity.value, 3)} would multiply it by that."
    )
    derivation.cite(usual)


def _add_wue(derivation: Derivation, wue: float | None, provider: Name | None, site: str | None) -> None:
    """Add the WUE: as told, that of the provider (of its sites in the region where they have one), or the mean of US data centres.

    Raises:
        NotPublished: where the provider has published none.
    """
    library = derivation.library
    if wue is not None:
        derivation.given("wue_l_per_kwh", wue, "L/kWh")
        return
    if provider is None:
        fact = library.default("wue-on-site", provider="industry")
        derivation.fact("wue_l_per_kwh", fact, "L/kWh", origin="default")
        sites = library.default("method-constant", case="wue-of-a-site").quantity
        derivation.inputs["wue_l_per_kwh"] = derivation.inputs["wue_l_per_kwh"].model_copy(update={"low": sites.low, "high": sites.high})
        derivation.assume(f"No provider was told, so on-site water has the mean of US data centres, {format_number(fact.quantity.value, 3)} L per kWh of IT energy, as wide as single sites lie apart.")
        for rival in library.find("wue-on-site", provider="industry") + [own for name in ("google", "microsoft", "aws") for own in library.find("wue-on-site", provider=name) if own.default][:3]:
            if rival.id != fact.id:
                derivation.alternative(rival, label=f"on-site WUE: {head_of(rival.statement)}", unit="L/kWh")
    else:
        found = _figure(library, "wue-on-site", provider, site)
        if found is None:
            host = provider.get("hosted_by")
            hint = f"{provider.note or ''} Name {library.named('providers', host).name} to take its figure." if host else "Give wue_l_per_kwh to calculate with a figure of your own."
            rivals = [rival.id for rival in library.find("wue-on-site", provider=provider.id)]
            raise NotPublished(
                f"{provider.name} has published no water usage effectiveness that could be checked. {hint}", field="provider", nearest=[library.named("providers", host).name] if host else rivals[:3]
            )
        derivation.fact("wue_l_per_kwh", found, "L/kWh")
        derivation.assume(f"WUE of {format_number(found.quantity.value, 3)} L per kWh: {found.statement}" + (f" {found.note}" if found.note else ""))
        for rival in library.find("wue-on-site", provider=provider.id):
            if rival.id != found.id and ("place" not in rival.scope or rival.scope["place"] == site):
                derivation.alternative(rival, label=f"on-site WUE: {head_of(rival.statement)}", unit="L/kWh")
    of_sites = [fact.quantity.value for fact in library.find("wue-on-site", provider="microsoft") if "place" in fact.scope]
    derivation.warn(
        "wue_definitions",
        f"Operators define WUE differently, and single sites lie far apart ({format_number(min(of_sites))} to {format_number(max(of_sites))} L/kWh at Microsoft): a mean says little about one site.",
    )


def _figure(library: Library, subject: str, provider: Name | None, site: str | None) -> Fact | None:
    """Return the provider's default figure for its sites in a place, else for all of its sites, or None."""
    if provider is None:
        return None
    own = [fact for fact in library.find(subject, provider=provider.id) if fact.default and "case" not in fact.scope]
    at_site = [fact for fact in own if site is not None and fact.scope.get("place") == site]
    return next(iter(at_site + [fact for fact in own if "place" not in fact.scope]), None)


def _add_intensity(derivation: Derivation, arguments: Input, place: Place) -> None:
    """Add the water per kWh generated: as told, that of the place, or that of its country."""
    if arguments.water_intensity_l_per_kwh is not None:
        derivation.given("water_intensity_l_per_kwh", arguments.water_intensity_l_per_kwh, "L/kWh")
        return
    library = derivation.library
    rivals = library.find("water-intensity", place=place.id)
    fact = place.water
    if fact is None:
        raise NotPublished(f"The water of electricity in {place.name} is not known here; name a country, or give water_intensity_l_per_kwh.", field="region")
    derivation.fact("water_intensity_l_per_kwh", fact, "L/kWh")
    if arguments.region is None:
        derivation.assume("No region was told, so off-site water has the world average of electricity; countries differ tenfold, most by hydropower reservoirs.")
    else:
        whose = water_in_words(library, place)
        if whose is not None:
            derivation.assume(whose)
        if place.country is not None and electricity.has_own_water(place.country):
            rivals = [*rivals, library.fact(electricity.water_fact_id(place.country))]
    for rival in rivals:
        if rival.id != fact.id:
            derivation.alternative(rival, label=f"off-site: {head_of(rival.statement)}", unit="L/kWh")


TOOL = Tool(
    name="convert_energy_to_water",
    title="Water of an energy, on site and off site apart",
    description="Water consumed for an amount of electricity in a data centre: on site for cooling (WUE of Google, Microsoft, AWS, Meta or given) and off site at the power plants of a region, apart and together. Takes the ref of an estimate as energy.",
    arguments=Input,
    run=convert_energy_to_water,
    gives="water",
    example={"energy": "1287 MWh", "provider": "Microsoft", "region": "USA", "pue": 1.17},
)
