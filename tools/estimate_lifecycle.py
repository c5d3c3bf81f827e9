"""Emissions (or energy) over a life cycle: manufacture + training + operation, and a request's part of it.

**Formula**: total = embodied + training + operation; share of a part = part / total; per request = total / requests.

**Boundary**: the parts as they are told; a part that is not told is not in it, and the estimate says so.

**Assumptions**: those of the parts, which come with their refs. The parts are independent of one another.

**Facts**: those of the parts.

**Limits**: a sum is no better than its least certain part, and parts of different boundaries still add up to one number.

>>> from kilowhat.tools import call
>>> call("estimate_lifecycle", {"embodied": "10 t CO2e", "training": "50 t CO2e", "operation": "40 t CO2e", "requests": 1e6}).results[0].value
100000.0
"""

from __future__ import annotations

from pydantic import Field

from kilowhat.tools.core.derivation import Derivation
from kilowhat.tools.core.errors import BadQuantity, KilowhatError, MissingInput, UnitMismatch
from kilowhat.tools.core.estimate import Estimate
from kilowhat.tools.core.expression import Formula
from kilowhat.tools.core.quantities import QUANTITY, Told, read_quantity
from kilowhat.tools.core.reference import Library
from kilowhat.tools.core.text import number_of
from kilowhat.tools.core.tool import Arguments, Tool
from kilowhat.tools.core.units import EMISSIONS, ENERGY, MASS, Dimension, canonical_unit, name_dimension

PARTS = {"embodied": "manufacture", "training": "training", "operation": "operation"}
UNITS: dict[Dimension, tuple[str, str]] = {EMISSIONS: ("emissions", "kg_co2e"), ENERGY: ("energy", "kwh")}


class Input(Arguments):
    """The parts of a life cycle, all emissions or all energy."""

    embodied: str | None = Field(default=None, max_length=2000, description=f"Manufacture: {QUANTITY}. All parts are emissions, or all are energy.")
    training: str | None = Field(default=None, max_length=2000, description="Training, as a quantity in the same way ('fact:gpt-3-training-emissions', 'estimate_training?model=GPT-3').")
    operation: str | None = Field(
        default=None, max_length=2000, description="Operation (answering requests), as a quantity in the same way ('estimate_service?service=Gemini&requests_per_day=1000000&days=365')."
    )
    requests: float | None = Field(default=None, gt=0, le=1e18, strict=True, description="Requests over which the total is spread. Left out: not spread.")


def estimate_lifecycle(arguments: Input, library: Library) -> Estimate:
    """Return the sum of the parts with its interval, each part's share, and the total per request if asked.

    Raises:
        MissingInput: where no part is told (``missing_input``).
        UnitMismatch: where a part is neither emissions nor energy, or the parts are not all one of them (``unit_mismatch``).
        BadQuantity: where a text is no quantity (``bad_quantity``).
    """
    texts = {name: text for name in PARTS if (text := getattr(arguments, name)) is not None}
    if not texts:
        raise MissingInput("Give at least one of embodied, training and operation, each as emissions ('552 t CO2e') or each as energy.", field="embodied")
    dimension, told = _read_parts(library, texts)
    quantity, suffix = UNITS[dimension]
    unit = str(canonical_unit(dimension))
    derivation = Derivation(library)
    for name, part in told.items():
        derivation.quantity(f"{name}_{suffix}", part.quantity, unit, part.facts)
    total = Formula(f"total_{suffix}", " + ".join(f"{name}_{suffix}" for name in told), unit)
    derivation.step(total)
    absent = [words for name, words in PARTS.items() if name not in told]
    counted = " + ".join(PARTS[name] for name in told)
    derivation.result(total.name, quantity, f"{counted} together", boundary=counted + (f"; {' and '.join(absent)} not told, and not in it" if absent else ""))
    if arguments.requests is not None:
        per_request = Formula(f"per_request_{suffix}", f"total_{suffix} / requests", unit)
        derivation.given("requests", arguments.requests, "ratio")
        derivation.step(per_request)
        derivation.result(per_request.name, f"{quantity}-per-request", "for one request")
    if derivation.evaluate()[total.name].value > 0:
        for name in told:
            share = Formula(f"{name}_share", f"{name}_{suffix} / total_{suffix} * 100", "%")
            derivation.step(share)
            found = derivation.evaluate({share.name})[share.name]
            derivation.bound(share.name, found.low, min(found.high, 100.0))
            derivation.result(share.name, "share", f"share of {PARTS[name]}")
    for sentence in dict.fromkeys(sentence for part in told.values() for sentence in part.assumptions):
        derivation.assume(sentence)
    about = "Life cycle" + (f" over {number_of(arguments.requests, 'request')}" if arguments.requests is not None else "")
    return derivation.estimate(TOOL.name, arguments, about)


def _read_parts(library: Library, texts: dict[str, str]) -> tuple[Dimension, dict[str, Told]]:
    """Return the dimension that all parts have, emissions before energy, and the parts read in it."""
    found: dict[Dimension, set[str]] = {}
    refused: dict[str, KilowhatError] = {}
    for dimension in UNITS:
        told: dict[str, Told] = {}
        for name, text in texts.items():
            try:
                told[name] = read_quantity(library, text, dimensions=(dimension,), argument=name)
            except (UnitMismatch, BadQuantity) as error:
                refused.setdefault(name, error)
        if len(told) == len(texts):
            return dimension, told
        found[dimension] = set(told)
    for name, refusal in refused.items():
        if not any(name in names for names in found.values()):
            raise _neither(library, name, texts[name], refusal)
    energies, emissions = sorted(found[ENERGY] - found[EMISSIONS]), sorted(found[EMISSIONS] - found[ENERGY])
    raise UnitMismatch(
        f"{' and '.join(energies)} is an energy and {' and '.join(emissions)} a mass of greenhouse gas, which don't add up: turn the energy into emissions with convert_energy_to_emissions, and pass its ref.",
        field=energies[0],
    )


def _neither(library: Library, name: str, text: str, error: KilowhatError) -> KilowhatError:
    """Return why a part is neither emissions nor energy, with what to write instead."""
    if not isinstance(error, UnitMismatch):
        return error
    dimension = read_quantity(library, text, argument=name).quantity.dimension
    hint = f"write '{text.strip()[:40]} CO2e'" if dimension == MASS else "give emissions (t CO2e) or an energy (kWh)"
    return UnitMismatch(f"{text[:60]!r} is {name_dimension(dimension)}; a part of a life cycle is a mass of greenhouse gas or an energy: {hint}.", field=name)


TOOL = Tool(
    name="estimate_lifecycle",
    title="Life cycle: manufacture, training and operation",
    description="Sum of manufacture, training and operation of an AI system with its range, the share of each, and the total per request. Takes texts ('552 t CO2e'), facts and refs of other estimates, all as emissions or all as energy.",
    arguments=Input,
    run=estimate_lifecycle,
    gives="emissions",
    example={"embodied": "fact:bloom-176b-embodied", "training": "fact:bloom-176b-training-emissions", "operation": "fact:bloom-176b-training-emissions-idle"},
    ways=(("embodied",), ("training",), ("operation",)),
)
