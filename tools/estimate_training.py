"""Energy and emissions of a training run: a known one, or accelerators × hours.

**Formula**: energy = accelerators × hours × power / 1000 × PUE.

**Boundary**: the final run. Failed runs, search and development come on top (see ``development-share`` facts: half as much
again for OLMo, 4.6 times as much for Olmo 3). Host, network and storage are in only where the power counts them.

**Assumptions**: where the power is not told, the rated power (TDP) of the accelerator, which training comes near; where the PUE
is not told, none is applied, and the estimate says so.

**Facts**: defaults of subjects ``training-energy`` and ``training-emissions`` of a run; ``device-power`` of an accelerator.

**Limits**: published runs differ in boundary; each result names its own.

>>> from kilowhat.tools import call
>>> call("estimate_training", {"accelerator_count": 8, "hours": 10, "power_w": 500, "pue": 1.2}).results[0].value
48.0
"""

from __future__ import annotations

from pydantic import Field

from kilowhat.tools.core.boundaries import in_words
from kilowhat.tools.core.derivation import Derivation
from kilowhat.tools.core.errors import InvalidArguments, MissingInput, NotPublished
from kilowhat.tools.core.estimate import Estimate
from kilowhat.tools.core.expression import Formula
from kilowhat.tools.core.facility import add_power, add_pue
from kilowhat.tools.core.place import PlaceArguments, add_place
from kilowhat.tools.core.reference import Library
from kilowhat.tools.core.tool import Tool
from kilowhat.tools.core.units import format_number

ENERGY = Formula("energy_kwh", "accelerator_count * hours * power_w / 1000 * pue", "kWh")
DEVICE_HOURS = Formula("accelerator_hours", "accelerator_count * hours", "h")


class Input(PlaceArguments):
    """A known run, or its accelerators, hours and power."""

    model: str | None = Field(default=None, max_length=100, description="A run whose energy or hours are published: GPT-3, BLOOM, Llama 3.1 405B, OLMo 2 13B, DeepSeek-V3, GPT-4 …")
    accelerator: str | None = Field(default=None, max_length=100, description="The accelerator, whose rated power is taken where power_w is not told: H100, A100, V100, TPU v4 …")
    accelerator_count: float | None = Field(default=None, ge=0, le=1e9, strict=True, description="How many accelerators; zero or more.")
    hours: float | None = Field(default=None, ge=0, le=1e9, strict=True, description="Hours that each accelerator runs; with accelerator_count 1, the accelerator-hours.")
    power_w: float | None = Field(default=None, gt=0, le=1e7, strict=True, description="Mean power of one accelerator in W, with what else it should carry of the server; typical 200 to 1500.")
    pue: float | None = Field(default=None, ge=1, le=5, strict=True, description="Power usage effectiveness of the facility, 1 or more; typical 1.1 to 1.6. Left out: not applied.")


def estimate_training(arguments: Input, library: Library) -> Estimate:
    """Return energy, emissions and off-site water of a training run.

    Raises:
        UnknownName: for a run, accelerator or region that is not known (``unknown_name``).
        NotPublished: for a run of which nobody published energy or hours (``not_published``).
        MissingInput: where neither a run nor accelerators and hours are told (``missing_input``).
        InvalidArguments: where a known run is given together with accelerators, hours, power or PUE (``invalid_arguments``).
    """
    own = {name: getattr(arguments, name) for name in ("accelerator", "accelerator_count", "hours", "power_w", "pue")}
    if arguments.model is not None:
        told = [name for name, value in own.items() if value is not None]
        if told:
            raise InvalidArguments(f"A known run has its own {told[0]}: give either model, or {', '.join(own)}.", field=told[0])
        return _known_run(arguments, library)
    if arguments.accelerator_count is None or arguments.hours is None:
        missing = "accelerator_count" if arguments.accelerator_count is None else "hours"
        raise MissingInput("Give a known run as model, or accelerator_count, hours, and accelerator or power_w.", field=missing)

    derivation = Derivation(library)
    derivation.given("accelerator_count", arguments.accelerator_count, "ratio")
    derivation.given("hours", arguments.hours, "h")
    device = add_power(derivation, arguments.accelerator, arguments.power_w, field="accelerator")
    add_pue(derivation, arguments.pue)
    derivation.step(DEVICE_HOURS)
    derivation.step(ENERGY)
    derivation.result(ENERGY.name, "energy", "electricity of the run", boundary="the final run, at the power told; no failed runs, search or development")
    derivation.result(DEVICE_HOURS.name, "accelerator-hours", "accelerator-hours")
    add_place(derivation, arguments)
    about = f"{format_number(arguments.accelerator_count, 9)} × {device} for {format_number(arguments.hours, 6)} h"
    return derivation.estimate(TOOL.name, arguments, about)


def _known_run(arguments: Input, library: Library) -> Estimate:
    run = library.name("runs", str(arguments.model), field="model")
    energy = next(iter(fact for fact in library.find("training-energy", run=run.id) if fact.default), None)
    emissions = next(iter(fact for fact in library.find("training-emissions", run=run.id) if fact.default), None)
    if energy is None and emissions is None:
        raise NotPublished(
            f"Nobody has published energy, emissions or accelerator-hours of training {run.name} that could be checked.",
            field="model",
            nearest=[fact.id for fact in library.find("training-energy", run=run.id) + library.find("training-emissions", run=run.id)],
        )
    derivation = Derivation(library)
    asked_for_place = arguments.region is not None or arguments.carbon_intensity_g_co2e_per_kwh is not None
    if energy is not None:
        derivation.fact("energy_kwh", energy, "kWh")
        derivation.result("energy_kwh", "energy", "electricity of the run", boundary=in_words(energy) or energy.statement, as_of=energy.as_of)
    if emissions is not None and not asked_for_place:
        derivation.fact("published_emissions_kg_co2e", emissions, "kg CO2e")
        derivation.result("published_emissions_kg_co2e", "emissions", "emissions as published for the run", boundary=in_words(emissions) or emissions.statement, as_of=emissions.as_of)
    elif energy is not None:
        add_place(derivation, arguments)
    if energy is None:
        derivation.warn("no_energy", f"The electricity of training {run.name} is not published; only its emissions are.")
        if asked_for_place:
            raise NotPublished(f"The electricity of training {run.name} is not published, so its emissions can't be moved to another place.", field="region")
    for subject, unit in (("training-energy", "kWh"), ("training-emissions", "kg CO2e")):
        for rival in library.find(subject, run=run.id):
            if rival.id not in {energy.id if energy else None, emissions.id if emissions else None}:
                derivation.alternative(rival, unit=unit)
    for fact in library.find("training-hours", run=run.id)[:1]:
        derivation.cite(fact)
    return derivation.estimate(TOOL.name, arguments, f"Training {run.name}")


TOOL = Tool(
    name="estimate_training",
    title="Energy and emissions of a training run",
    description="Energy, emissions and water of training an AI model: of a known run by name (GPT-3, BLOOM, Llama, OLMo, DeepSeek, GPT-4 …), or of your own from accelerators, hours and power (fine-tuning too).",
    arguments=Input,
    run=estimate_training,
    example={"model": "GPT-3"},
    ways=(("model",), ("accelerator_count", "hours", "power_w"), ("accelerator_count", "hours", "accelerator")),
    topic="train",
)
