"""Energy and emissions of a training run: a known one, accelerators × hours, or parameters × tokens.

**Formula**: energy = accelerator-hours × power / 1000 × PUE; accelerator-hours = accelerators × hours, or
operations / (peak × utilisation) / 3600, where operations = 6 × parameters that work on a token × tokens.
With a development share s, the whole is the final run × (1 + s).

**Boundary**: the final run; failed runs, search and development on top only where ``development_share`` is told, and then
listed apart. Host, network and storage are in only where the power counts them.

**Assumptions**: where the power is not told, the rated power (TDP) of the accelerator, which training comes near; where the PUE
is not told, none is applied; where the utilisation is not told, the mean over published runs with their spread. The estimate
says each.

**Facts**: defaults of subjects ``training-energy`` and ``training-emissions`` of a run; ``device-power`` and
``device-peak-compute`` (dense, 16-bit) of an accelerator; ``training-flop-rule``;
``training-utilisation-usual``; ``development-share``.

**Limits**: published runs differ in boundary; each result names its own. The rule of six leaves out attention, which long
contexts make dear, and counts the parameters of a mixture of experts that work on a token, not all.

>>> from kilowhat.tools import call
>>> call("estimate_training", {"accelerator_count": 8, "hours": 10, "power_w": 500, "pue": 1.2}).results[0].value
48.0
>>> run = {"training_flop": 3.6e21, "peak_tflop_per_s": 1000, "utilisation": 0.5, "power_w": 700}
>>> [result.value for result in call("estimate_training", run).results[:2]]
[1400.0, 2000.0]
"""

from __future__ import annotations

from pydantic import Field

from kilowhat.tools.core.boundaries import in_words
from kilowhat.tools.core.catalogue import closed_service
from kilowhat.tools.core.derivation import Derivation
from kilowhat.tools.core.errors import InvalidArguments, MissingInput, NotPublished, UnknownName
from kilowhat.tools.core.estimate import Estimate
from kilowhat.tools.core.expression import Formula
from kilowhat.tools.core.facility import add_power, add_pue
from kilowhat.tools.core.place import PlaceArguments, add_place
from kilowhat.tools.core.reference import Library, Name, fold
from kilowhat.tools.core.tool import Tool
from kilowhat.tools.core.units import format_number, format_quantity

COMPUTE = Formula("training_flop", "flop_per_parameter_token * parameters_b * 1e9 * tokens_b * 1e9", "FLOP")
HOURS_OF_COMPUTE = Formula("accelerator_hours", "training_flop / (peak_tflop_per_s * 1e12 * utilisation) / 3600", "h")
DURATION = Formula("hours", "accelerator_hours / accelerator_count", "h")
DEVICE_HOURS = Formula("accelerator_hours", "accelerator_count * hours", "h")
ENERGY = Formula("energy_kwh", "accelerator_hours * power_w / 1000 * pue", "kWh")
FINAL_RUN = Formula("final_run_kwh", ENERGY.expression, "kWh")
DEVELOPMENT = Formula("development_kwh", "final_run_kwh * development_share", "kWh")
WITH_DEVELOPMENT = Formula("energy_kwh", "final_run_kwh + development_kwh", "kWh")
EMISSIONS_WITH_DEVELOPMENT = Formula("emissions_kg_co2e", "published_emissions_kg_co2e * (1 + development_share)", "kg CO2e")

FINAL_ALONE = "the final run, at the power told; no failed runs, search or development"
WHOLE = "the final run, with failed runs and search on top"
COUNTS_MORE = frozenset({"whole-project", "training-and-use", "search", "development", "life-cycle"})
"""Parts of a published figure that a development share can't come on top of."""


class Input(PlaceArguments):
    """A known run; or accelerators and hours; or parameters, tokens and the accelerator."""

    model: str | None = Field(
        default=None,
        max_length=100,
        description="A run whose energy or hours are published: GPT-3, BLOOM, Llama 3.1 405B, OLMo 2 13B, DeepSeek-V3, GPT-4 …; beside tokens_b only a name, its published figures then stand as alternatives.",
    )
    accelerator: str | None = Field(default=None, max_length=100, description="The accelerator, whose rated power and peak are taken where they are not told: H100, A100, V100, TPU v4 …")
    accelerator_count: float | None = Field(default=None, ge=0, le=1e9, strict=True, description="How many accelerators; zero or more. Beside parameters_b and tokens_b it gives the duration.")
    hours: float | None = Field(default=None, ge=0, le=1e9, strict=True, description="Hours that each accelerator runs; with accelerator_count 1, the accelerator-hours.")
    parameters_b: float | None = Field(default=None, gt=0, le=1e6, strict=True, description="Parameters in billions, all of which work on each token; typical 0.1 to 2000.")
    active_parameters_b: float | None = Field(default=None, gt=0, le=1e6, strict=True, description="Of a mixture of experts: the billions of parameters that work on each token (37 for DeepSeek-V3).")
    tokens_b: float | None = Field(default=None, gt=0, le=1e9, strict=True, description="Training tokens in billions, all epochs; typical 100 to 40000.")
    training_flop: float | None = Field(default=None, gt=0, le=1e32, strict=True, description="Floating-point operations of the run, instead of parameters and tokens; typical 1e21 to 1e26.")
    peak_tflop_per_s: float | None = Field(default=None, gt=0, le=1e6, strict=True, description="Dense peak of one accelerator in TFLOP/s, instead of the published 16-bit one; typical 100 to 2500.")
    utilisation: float | None = Field(default=None, gt=0, le=1, strict=True, description="Share of the peak that the run reaches, 0 to 1; typical 0.2 to 0.5. Left out: the mean over published runs.")
    power_w: float | None = Field(default=None, gt=0, le=1e7, strict=True, description="Mean power of one accelerator in W, with what else it should carry of the server; typical 200 to 1500.")
    development_share: float | None = Field(
        default=None,
        ge=0,
        le=1000,
        strict=True,
        description="Failed runs, search and experiments on top of the final run, as a share of it: 0.5 is half as much again; published 0.5 to 4.6. Left out: not counted.",
    )
    pue: float | None = Field(default=None, ge=1, le=5, strict=True, description="Power usage effectiveness of the facility, 1 or more; typical 1.1 to 1.6. Left out: not applied.")


BY_COMPUTE = ("tokens_b", "parameters_b", "active_parameters_b", "training_flop", "peak_tflop_per_s", "utilisation")
BY_HOURS = ("accelerator", "accelerator_count", "hours", "power_w", "pue")


def estimate_training(arguments: Input, library: Library) -> Estimate:
    """Return energy, emissions and off-site water of a training run.

    Raises:
        UnknownName: for a run, accelerator or region that is not known (``unknown_name``).
        NotPublished: for a run of which nobody published energy or hours, or an accelerator without peak or power (``not_published``).
        MissingInput: where neither a run, accelerators and hours, nor parameters and tokens are told (``missing_input``).
        InvalidArguments: where two ways of telling a run are mixed (``invalid_arguments``).
    """
    if any(getattr(arguments, name) is not None for name in BY_COMPUTE):
        return _by_compute(arguments, library)
    if arguments.model is not None:
        told = [name for name in BY_HOURS if getattr(arguments, name) is not None]
        if told:
            raise InvalidArguments(f"A known run has its own {told[0]}: give either model, or {', '.join(BY_HOURS)}.", field=told[0])
        return _known_run(arguments, library)
    if arguments.accelerator_count is None or arguments.hours is None:
        missing = "accelerator_count" if arguments.accelerator_count is None else "hours"
        raise MissingInput("Give a known run as model; or accelerator_count, hours, and accelerator or power_w; or parameters_b, tokens_b and accelerator.", field=missing)

    derivation = Derivation(library)
    derivation.given("accelerator_count", arguments.accelerator_count, "ratio")
    derivation.given("hours", arguments.hours, "h")
    device = add_power(derivation, arguments.accelerator, arguments.power_w, field="accelerator")
    add_pue(derivation, arguments.pue)
    derivation.step(DEVICE_HOURS)
    _add_energy(derivation, arguments.development_share)
    derivation.result(DEVICE_HOURS.name, "accelerator-hours", "accelerator-hours")
    add_place(derivation, arguments)
    about = f"{format_number(arguments.accelerator_count, 9)} × {device} for {format_number(arguments.hours, 6)} h"
    return derivation.estimate(TOOL.name, arguments, about)


def _by_compute(arguments: Input, library: Library) -> Estimate:
    """Return the estimate of a run told by its parameters and tokens, or by its operations."""
    if arguments.hours is not None:
        raise InvalidArguments("Give either hours, or what they follow from (parameters_b, tokens_b, utilisation); not both.", field="hours")
    run = _find_run(library, arguments.model) if arguments.model is not None else None
    derivation = Derivation(library)
    what = _add_compute(derivation, arguments)
    if arguments.peak_tflop_per_s is not None:
        derivation.given("peak_tflop_per_s", arguments.peak_tflop_per_s, "TFLOP/s")
    elif arguments.accelerator is None:
        raise MissingInput("Give accelerator (H100, A100 …), or peak_tflop_per_s and power_w.", field="accelerator")
    else:
        named = library.name("hardware", arguments.accelerator, field="accelerator")
        derivation.fact("peak_tflop_per_s", library.default("device-peak-compute", field="accelerator", hardware=named.id), "TFLOP/s")
    if arguments.utilisation is not None:
        derivation.given("utilisation", arguments.utilisation, "ratio")
    else:
        usual = library.default("training-utilisation", case="published-runs")
        derivation.fact("utilisation", usual, "ratio", origin="default")
        derivation.assume(f"Utilisation: {format_number(usual.quantity.value, 2)} % of the peak, the mean of published runs.")
    device = add_power(derivation, arguments.accelerator, arguments.power_w, field="accelerator")
    add_pue(derivation, arguments.pue)
    derivation.step(HOURS_OF_COMPUTE)
    _add_energy(derivation, arguments.development_share)
    derivation.result(HOURS_OF_COMPUTE.name, "accelerator-hours", "accelerator-hours")
    if arguments.accelerator_count:
        derivation.given("accelerator_count", arguments.accelerator_count, "ratio")
        derivation.step(DURATION)
    add_place(derivation, arguments)
    for subject, unit in (("training-energy", "kWh"), ("training-hours", "h")) if run is not None else ():
        for fact in library.find(subject, run=run.id)[:2] if run is not None else ():
            derivation.alternative(fact, unit=unit)
    found = derivation.evaluate()
    on = device if DURATION.name not in found else f"{format_number(arguments.accelerator_count or 0, 9)} × {device}, each for {format_number(found[DURATION.name].value, 3)} h"
    return derivation.estimate(TOOL.name, arguments, f"Training {f'{run.name}, ' if run else ''}{what} ({format_number(found[COMPUTE.name].value, 3)} operations), on {on}")


def _add_compute(derivation: Derivation, arguments: Input) -> str:
    """Add ``training_flop`` as told or from parameters and tokens, and return what was told in words."""
    parameters = ("parameters_b", "active_parameters_b", "tokens_b")
    if arguments.training_flop is not None:
        told = [name for name in parameters if getattr(arguments, name) is not None]
        if told:
            raise InvalidArguments("Give either training_flop, or parameters and tokens; not both.", field=told[0])
        derivation.given("training_flop", arguments.training_flop, "FLOP")
        return "told by its operations"
    active, total = arguments.active_parameters_b, arguments.parameters_b
    if active is None and total is None:
        raise MissingInput("Give parameters_b (or active_parameters_b of a mixture of experts) and tokens_b, or training_flop.", field="parameters_b")
    if arguments.tokens_b is None:
        raise MissingInput("Give tokens_b, the training tokens in billions, beside the parameters.", field="tokens_b")
    if active is not None and total is not None and active > total:
        raise InvalidArguments(f"active_parameters_b = {active:g} is more than parameters_b = {total:g}: the active ones are a part of all.", field="active_parameters_b")
    computing = active if active is not None else float(total or 0)
    derivation.given("parameters_b", computing, "billion parameters")
    derivation.given("tokens_b", arguments.tokens_b, "billion tokens")
    derivation.fact("flop_per_parameter_token", derivation.library.default("method-constant", case="training-flop-per-parameter-token"), "FLOP")
    derivation.step(COMPUTE)
    if active is None:
        derivation.assume("All parameters work on every token; of a mixture of experts give active_parameters_b.")
    return f"{format_number(computing)} billion {'active ' if active is not None else ''}parameters and {format_number(arguments.tokens_b, 6)} billion tokens"


def _add_energy(derivation: Derivation, development_share: float | None) -> None:
    """Add the energy from accelerator-hours, power and PUE; with a development share the whole first, then its two parts."""
    if development_share is None:
        derivation.step(ENERGY)
        derivation.result(ENERGY.name, "energy", "electricity of the run", boundary=FINAL_ALONE)
        return
    derivation.step(FINAL_RUN)
    _add_development(derivation, development_share)


def _add_development(derivation: Derivation, share: float, *, boundary: str = WHOLE, as_of: str | None = None) -> None:
    """Add development to ``final_run_kwh``: the whole, the final run and development, and what others published as their share."""
    derivation.given("development_share", share, "ratio")
    derivation.step(DEVELOPMENT)
    derivation.step(WITH_DEVELOPMENT)
    derivation.result(WITH_DEVELOPMENT.name, "energy", "electricity with development", boundary=boundary, as_of=as_of)
    derivation.result(FINAL_RUN.name, "final-run-energy", "of which the final run")
    derivation.result(DEVELOPMENT.name, "development-energy", "of which development")
    final_kwh = derivation.evaluate()[FINAL_RUN.name].value
    for fact in derivation.library.find("development-share")[:3]:
        derivation.alternative(fact, label=f"development at the share of others: {fact.statement.rstrip('.')}", unit="ratio", scale=final_kwh, scaled_unit="kWh")


def _find_run(library: Library, text: str) -> Name:
    """Return the run that a text names.

    Raises:
        UnknownName: with the nearest names.
        NotPublished: for a model of a provider that publishes nothing of its runs.
    """
    try:
        return library.name("runs", text, field="model")
    except UnknownName:
        service = closed_service(library, text)
        if service is None:
            raise
        maker = library.named("services", service).name
        raise NotPublished(
            f"Nobody has published what training {text[:60]!r} took: the provider of {maker} publishes nothing of its runs. Give parameters_b, tokens_b and accelerator to estimate it.",
            field="model",
        ) from None


def _not_published(library: Library, run: Name) -> NotPublished:
    """Return the refusal of a run whose figures are none to calculate with, naming those that there are."""
    held = [fact for subject in ("training-energy", "training-emissions", "training-hours", "training-power", "training-duration") for fact in library.find(subject, run=run.id)]
    how = "Give parameters_b, tokens_b and accelerator, or accelerator_count, hours and accelerator, to estimate it."
    if not held:
        return NotPublished(f"Nobody has published energy, emissions or accelerator-hours of training {run.name}. {how}", field="model")
    told = "; ".join(f"{format_quantity(fact.quantity)} [{fact.id}], {fact.kind} by {library.source(fact.source).authors or library.source(fact.source).producer}" for fact in held[:3])
    return NotPublished(f"No figure of training {run.name} is sound enough to calculate with. Published: {told}. {how}", field="model", nearest=[fact.id for fact in held[:4]])


def _known_run(arguments: Input, library: Library) -> Estimate:
    run = _find_run(library, str(arguments.model))
    energy = next(iter(fact for fact in library.find("training-energy", run=run.id) if fact.default), None)
    emissions = next(iter(fact for fact in library.find("training-emissions", run=run.id) if fact.default), None)
    if energy is None and emissions is None:
        raise _not_published(library, run)
    share = arguments.development_share
    for fact in (energy, emissions) if share is not None else ():
        if fact is not None and fact.scope.get("part") in COUNTS_MORE:
            raise InvalidArguments(f"The published figure of {run.name} counts {in_words(fact)}, so no share of development comes on top.", field="development_share")
    derivation = Derivation(library)
    if fold(str(arguments.model)) in {fold(bare) for bare in run.get("bare") or ()}:
        derivation.assume(f"{arguments.model} without a version is taken as {run.name}.")
    asked_for_place = arguments.region is not None or arguments.carbon_intensity_g_co2e_per_kwh is not None
    if energy is not None and share is not None:
        derivation.fact(FINAL_RUN.name, energy, "kWh")
        _add_development(derivation, share, boundary=f"{in_words(energy) or energy.statement}; and development as a share of it", as_of=energy.as_of)
    elif energy is not None:
        derivation.fact("energy_kwh", energy, "kWh")
        derivation.result("energy_kwh", "energy", "electricity of the run", boundary=in_words(energy) or energy.statement, as_of=energy.as_of)
    if emissions is not None and not asked_for_place:
        derivation.fact("published_emissions_kg_co2e", emissions, "kg CO2e")
        if share is None:
            derivation.result("published_emissions_kg_co2e", "emissions", "emissions as published for the run", boundary=in_words(emissions) or emissions.statement, as_of=emissions.as_of)
        else:
            derivation.given("development_share", share, "ratio")
            derivation.step(EMISSIONS_WITH_DEVELOPMENT)
            derivation.result(EMISSIONS_WITH_DEVELOPMENT.name, "emissions", "emissions as published, and of development at the same carbon intensity", boundary=WHOLE, as_of=emissions.as_of)
    elif energy is not None:
        add_place(derivation, arguments)
    for fact in (energy, emissions):
        if fact is not None and fact.kind in ("derived", "assumed") and any(entry.fact_id == fact.id for entry in derivation.inputs.values()):
            derivation.assume(f"{fact.statement} {fact.note or ''}".strip())
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
    description="Energy, emissions and water of training an AI model: of a known run by name (GPT-3, BLOOM, Llama 3.1 405B, OLMo 2 13B, DeepSeek-V3, GPT-4 …), or of your own from accelerators, hours and power (fine-tuning too), or from parameters and tokens. With development_share also failed runs and experiments.",
    arguments=Input,
    run=estimate_training,
    example={"model": "GPT-3"},
    ways=(
        ("model",),
        ("accelerator_count", "hours", "power_w"),
        ("accelerator_count", "hours", "accelerator"),
        ("parameters_b", "tokens_b", "accelerator"),
        ("active_parameters_b", "tokens_b", "accelerator"),
        ("parameters_b", "tokens_b", "accelerator", "utilisation"),
        ("parameters_b", "tokens_b", "peak_tflop_per_s", "power_w"),
        ("training_flop", "accelerator"),
        ("training_flop", "peak_tflop_per_s", "power_w"),
    ),
    topic="train",
)
