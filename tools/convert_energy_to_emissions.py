"""Emissions of an energy in a place.

**Formula**: emissions = energy × carbon intensity.

**Boundary**: what the intensity counts, which the result names. Location-based (the default): the yearly average of the grid
in the place; countries with the life cycle of generation, places inside countries on the basis that their fact names.
Market-based: what the contracts of a provider leave. Marginal: what one more kWh causes. The three are never mixed.

**Assumptions**: the world average where no place is told; the newest average where no year is told.

**Facts**: ``electricity-<zone>-intensity`` of countries; subject ``grid-intensity`` inside them, of other years, and of the
fleets of providers; subject ``grid-intensity-marginal`` by country.

**Limits**: averages say what electricity of a year carries, not what one more kWh causes: marginal emissions differ up to
tenfold. Market-based figures are published for few providers.

>>> from kilowhat.tools import call
>>> call("convert_energy_to_emissions", {"energy": "2 MWh", "carbon_intensity_g_co2e_per_kwh": 400.0}).results[0].value
800.0
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kilowhat.tools.core.derivation import Derivation
from kilowhat.tools.core.errors import InvalidArguments, MissingInput, NotPublished
from kilowhat.tools.core.estimate import Estimate, head_of
from kilowhat.tools.core.place import (
    EMISSIONS,
    INTENSITY_NAME,
    KG_PER_KWH,
    WATER,
    WORLD_AVERAGE,
    Place,
    PlaceArguments,
    add_intensity,
    add_intensity_fact,
    add_place,
    basis_in_words,
    find_place,
    water_in_words,
)
from kilowhat.tools.core.quantities import QUANTITY, read_quantity
from kilowhat.tools.core.reference import Fact, Library
from kilowhat.tools.core.tool import Tool, WholeNumber
from kilowhat.tools.core.units import ENERGY, format_quantity


class Input(PlaceArguments):
    """An energy, where it is used, and how its emissions are to be counted."""

    energy: str = Field(max_length=2000, description=f"The energy: {QUANTITY}.")
    year: WholeNumber | None = Field(default=None, description="Year whose average is wanted, such as 2023. Left out: the newest known.")
    basis: Literal["location", "market"] = Field(
        default="location", description="location: the grid of the place; market: what a provider's contracts for clean power leave, which needs provider or an intensity of your own."
    )
    factor: Literal["average", "marginal"] = Field(
        default="average", description="average: what electricity of a year carries; marginal: what one more kWh causes, by country. The two are never mixed."
    )
    provider: str | None = Field(default=None, max_length=100, description="Operator of data centres whose fleet-wide intensity is published: Google. Instead of a place.")


def convert_energy_to_emissions(arguments: Input, library: Library) -> Estimate:
    """Return the emissions of an energy, and the off-site water of it where the place is told.

    Raises:
        UnitMismatch: where the quantity is no energy (``unit_mismatch``).
        UnknownName: for a region, provider or fact that is not known (``unknown_name``).
        NotPublished: where no intensity of that basis, year or place is published (``not_published``).
        MissingInput: where marginal emissions are asked for without a place (``missing_input``).
        InvalidArguments: where arguments contradict each other (``invalid_arguments``).
    """
    _refuse_contradictions(arguments)
    told = read_quantity(library, arguments.energy, dimensions=(ENERGY,), argument="energy")
    derivation = Derivation(library)
    derivation.quantity("energy_kwh", told.quantity, "kWh", told.facts)
    if arguments.carbon_intensity_g_co2e_per_kwh is not None:
        _add_given(derivation, arguments)
    elif arguments.basis == "market" or arguments.provider is not None:
        _add_provider(derivation, arguments)
    elif arguments.factor == "marginal":
        _add_marginal(derivation, arguments)
    else:
        _add_average(derivation, arguments)
    derivation.result(INTENSITY_NAME, "carbon-intensity", "carbon intensity used")
    derivation.result("energy_kwh", "energy", "energy converted")
    for sentence in told.assumptions:
        if not sentence.startswith("No place was told"):
            derivation.assume(sentence)
    return derivation.estimate(TOOL.name, arguments, f"{format_quantity(told.quantity.to('kWh'))} of electricity")


def _refuse_contradictions(arguments: Input) -> None:
    """Refuse two ways to tell one thing, and bases that exclude each other."""
    if arguments.carbon_intensity_g_co2e_per_kwh is not None:
        for name in ("year", "provider"):
            if getattr(arguments, name) is not None:
                raise InvalidArguments(f"A given carbon intensity is used as it is; leave {name} out, or leave the intensity out.", field=name)
    if arguments.factor == "marginal" and (arguments.basis == "market" or arguments.provider is not None):
        raise InvalidArguments("Marginal emissions are those of the grid, whatever contracts say: take factor marginal with basis location and without provider.", field="factor")
    if arguments.provider is not None and arguments.region is not None:
        raise InvalidArguments("A provider's intensity is that of its whole fleet: give either provider or region.", field="provider")


def _add_given(derivation: Derivation, arguments: Input) -> None:
    """Add emissions at the intensity told, under the name of the basis told."""
    if arguments.basis == "location" and arguments.factor == "average":
        add_place(derivation, arguments, boundary="location-based, at the intensity given")
        return
    derivation.given(INTENSITY_NAME, float(arguments.carbon_intensity_g_co2e_per_kwh or 0) / 1000, KG_PER_KWH)
    called = "market-based" if arguments.basis == "market" else "marginal"
    _add_results(derivation, f"{called} emissions of the electricity", f"{called}, at the intensity given", find_place(derivation.library, arguments.region) if arguments.region else None)


def _add_average(derivation: Derivation, arguments: Input) -> None:
    """Add location-based emissions at a yearly average, with the rival averages of the place."""
    library = derivation.library
    if arguments.region is None:
        place = find_place(library, "WOR")
        derivation.assume("No place was told, so electricity has the world average of carbon and water; a place moves emissions up to 20 times.")
    else:
        place = find_place(library, arguments.region)
    fact = place.intensity if arguments.year is None else _of_year(library, place, arguments.year)
    add_intensity(derivation, place, fact)
    _add_results(derivation, f"location-based emissions of the electricity{f' in {place.name}' if arguments.region else WORLD_AVERAGE}", basis_in_words(fact), place, as_of=fact.as_of)
    energy = derivation.inputs["energy_kwh"].value
    whole = [find_place(library, place.country).intensity] if place.country is not None and place.zone != place.country else []
    rivals = {rival.id: rival for rival in (place.intensity, *_averages(library, place), *whole) if rival.id != fact.id}
    for rival in rivals.values():
        _add_rival(derivation, rival, energy)


def _averages(library: Library, place: Place) -> list[Fact]:
    """Return the yearly averages of a place, those on the basis of its default first, the newest of them first."""
    found = [fact for fact in library.find("grid-intensity", place=place.zone, basis="average") if not fact.scope.get("case", "").startswith("implied")]
    return sorted(found, key=lambda fact: (fact.scope.get("boundary") != place.intensity.scope.get("boundary"), "case" in fact.scope, -int((fact.as_of or "0")[:4])))


def _of_year(library: Library, place: Place, year: int) -> Fact:
    """Return the average of a place in a year.

    Raises:
        NotPublished: with the years that are known, where there is none.
    """
    known = [fact for fact in _averages(library, place) if fact.as_of is not None and "case" not in fact.scope and fact.checked.against != "unverified"]
    for fact in known:
        if str(fact.as_of)[:4] == str(year):
            return fact
    years = sorted({str(fact.as_of)[:4] for fact in known})
    what = f"known years: {', '.join(years)}" if years else "none with a year is known"
    raise NotPublished(f"No yearly average of {place.name} for {year} is known here ({what}). Leave year out for the newest, or give carbon_intensity_g_co2e_per_kwh.", field="year", nearest=years)


def _add_provider(derivation: Derivation, arguments: Input) -> None:
    """Add emissions at the fleet-wide intensity of a provider, or, for market-based accounts without contracts, at the residual mix of a place.

    Raises:
        NotPublished: where there is no such figure, saying what would be needed.
    """
    library = derivation.library
    if arguments.provider is not None:
        provider = library.name("providers", arguments.provider, field="provider")
        known = [fact for fact in library.find("grid-intensity", provider=provider.id, basis=arguments.basis) if fact.default]
        name, place = f"the fleet of {provider.name}", None
        rivals = [fact for fact in library.find("grid-intensity", provider=provider.id) if fact.scope["basis"] != arguments.basis and "case" not in fact.scope]
        field = "provider"
    else:
        place = find_place(library, arguments.region) if arguments.region is not None else None
        known = [fact for fact in library.find("grid-intensity", basis="market", place=place.zone, case="residual-mix") if fact.default] if place else []
        name, rivals, field = place.name if place else "", [], "basis"
    if not known:
        told = f"of {name} is known here" if name else "can be found without a provider"
        fleets = sorted({library.named("providers", fact.scope["provider"]).name for fact in library.find("grid-intensity", basis=arguments.basis) if fact.default and "provider" in fact.scope})
        raise NotPublished(
            f"No {arguments.basis}-based intensity {told}: it needs a provider with a published one ({', '.join(fleets)}), or carbon_intensity_g_co2e_per_kwh from its report"
            + (" or from your supplier, after contracts for clean power." if arguments.basis == "market" else "."),
            field=field,
            nearest=fleets,
        )
    fact = next((fact for fact in known if arguments.year in (None, int(str(fact.as_of)[:4]))), None)
    if fact is None:
        years = sorted({str(fact.as_of)[:4] for fact in known})
        raise NotPublished(f"No {arguments.basis}-based intensity of {name} for {arguments.year} is known here (known years: {', '.join(years)}).", field="year", nearest=years)
    derivation.fact(INTENSITY_NAME, fact, KG_PER_KWH)
    _add_results(derivation, f"{arguments.basis}-based emissions of the electricity, {name}", basis_in_words(fact), place, as_of=fact.as_of)
    if arguments.basis == "market":
        if place is not None:
            derivation.assume("No provider was told, so the figure is that of users without contracts for clean power (residual mix).")
        derivation.warn("market_based", "Market-based emissions count contracts for clean power. They are never compared or added with location-based ones, which say what the grid emits.")
    energy = derivation.inputs["energy_kwh"].value
    for rival in rivals:
        _add_rival(derivation, rival, energy, prefix=f"{rival.scope['basis']}-based, not to be mixed: ")


def _add_marginal(derivation: Derivation, arguments: Input) -> None:
    """Add emissions at the operating margin of the country.

    Raises:
        MissingInput: where no place is told.
        NotPublished: where the country has none, or not of the year.
    """
    library = derivation.library
    if arguments.region is None:
        raise MissingInput("Marginal emissions need a region: the country whose plants follow the change in demand.", field="region")
    place = find_place(library, arguments.region)
    known = [fact for fact in library.find("grid-intensity-marginal", place=place.country or place.zone) if fact.default]
    if not known:
        countries = sorted(str(library.countries[fact.scope["place"]]["name"]) for fact in library.find("grid-intensity-marginal") if fact.default)
        raise NotPublished(f"No marginal intensity of {place.name} is known here; give carbon_intensity_g_co2e_per_kwh. Countries with one: {', '.join(countries)}.", field="region")
    fact = next((fact for fact in known if arguments.year in (None, int(str(fact.as_of)[:4]))), None)
    if fact is None:
        years = sorted({str(fact.as_of)[:4] for fact in known})
        raise NotPublished(f"No marginal intensity of {place.name} for {arguments.year} is known here (known years: {', '.join(years)}).", field="year", nearest=years)
    add_intensity_fact(derivation, INTENSITY_NAME, fact)
    country = str(library.countries[fact.scope["place"]]["name"])
    if place.id != fact.scope["place"]:
        derivation.assume(f"{place.name} is answered with the operating margin of {country}: none is known for a part of it.")
    _add_results(derivation, f"marginal emissions of the electricity in {country}", basis_in_words(fact), place, as_of=fact.as_of)
    derivation.warn(
        "marginal",
        "Marginal emissions answer what one more kWh, or one less, causes. They are never mixed with averages, which say what the electricity of a year carries, and no footprint is made of them.",
    )


def _add_results(derivation: Derivation, label: str, boundary: str, place: Place | None, *, as_of: str | None = None) -> None:
    """Add emissions as the headline and the off-site water of the place."""
    derivation.step(EMISSIONS)
    derivation.result(EMISSIONS.name, "emissions", label, boundary=boundary, as_of=as_of)
    if place is not None and place.water is not None:
        derivation.fact("water_intensity_l_per_kwh", place.water, "L/kWh")
        derivation.step(WATER)
        derivation.result(WATER.name, "water", "water consumed off-site, at the power plants", boundary="off-site; cooling on the site is not in it")
        if (whose := water_in_words(derivation.library, place)) is not None:
            derivation.assume(whose)


def _add_rival(derivation: Derivation, rival: Fact, energy_kwh: float, *, prefix: str = "") -> None:
    derivation.alternative(rival, label=prefix + head_of(rival.statement), scale=energy_kwh, unit=KG_PER_KWH, scaled_unit="kg CO2e")


TOOL = Tool(
    name="convert_energy_to_emissions",
    title="Emissions of an energy in a place",
    description="Carbon (and off-site water) of an amount of electricity in a country, US state, Chinese region or cloud region: location-based average (default), market-based of a provider's fleet, or marginal; of a year if told. Takes the ref of an estimate as energy.",
    arguments=Input,
    run=convert_energy_to_emissions,
    gives="emissions",
    example={"energy": "1000 kWh", "region": "France"},
)
