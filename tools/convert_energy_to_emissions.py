"""Emissions of an energy in a place.

**Formula**: emissions = energy × carbon intensity.

**Boundary**: location-based, yearly average of the place. Countries: life cycle of generation; places inside countries on
the basis that their fact names.

**Assumptions**: the world average where no place is told.

**Facts**: ``electricity-<zone>-intensity`` of countries; defaults of subject ``grid-intensity`` inside them.

**Limits**: averages say what electricity of a year carries, not what one more kWh causes: marginal emissions differ up to
tenfold, and contracts (market-based) are not in it.

>>> from kilowhat.tools import call
>>> call("convert_energy_to_emissions", {"energy": "2 MWh", "carbon_intensity_g_co2e_per_kwh": 400.0}).results[0].value
800.0
"""

from __future__ import annotations

from pydantic import Field

from kilowhat.tools.core.derivation import Derivation
from kilowhat.tools.core.estimate import Estimate
from kilowhat.tools.core.place import PlaceArguments, add_place
from kilowhat.tools.core.quantities import QUANTITY, read_quantity
from kilowhat.tools.core.reference import Library
from kilowhat.tools.core.tool import Tool
from kilowhat.tools.core.units import ENERGY, format_quantity


class Input(PlaceArguments):
    """An energy, and where it is used."""

    energy: str = Field(max_length=2000, description=f"The energy: {QUANTITY}.")


def convert_energy_to_emissions(arguments: Input, library: Library) -> Estimate:
    """Return the emissions of an energy, and the water of it.

    Raises:
        UnitMismatch: where the quantity is no energy (``unit_mismatch``).
        UnknownName: for a region or fact that is not known (``unknown_name``).
    """
    told = read_quantity(library, arguments.energy, dimensions=(ENERGY,), argument="energy")
    derivation = Derivation(library)
    derivation.quantity("energy_kwh", told.quantity, "kWh", told.facts)
    add_place(derivation, arguments)
    derivation.result("carbon_intensity_kg_co2e_per_kwh", "carbon-intensity", "carbon intensity used")
    derivation.result("energy_kwh", "energy", "energy converted")
    for sentence in told.assumptions:
        if not sentence.startswith("No place was told"):
            derivation.assume(sentence)
    return derivation.estimate(TOOL.name, arguments, f"{format_quantity(told.quantity.to('kWh'))} of electricity")


TOOL = Tool(
    name="convert_energy_to_emissions",
    title="Emissions of an energy in a place",
    description="Carbon (and off-site water) of an amount of electricity in a country, US state, Chinese region or cloud region, location-based yearly average. Takes the ref of an estimate as energy.",
    arguments=Input,
    run=convert_energy_to_emissions,
    example={"energy": "1000 kWh", "region": "France"},
)
