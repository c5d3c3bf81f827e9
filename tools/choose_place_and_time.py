"""One job over regions, or over hours: where or when it emits least, and what that saves.

**Formula**: emissions = energy × carbon intensity; saving = highest − lowest, or mean over all starts − best start.

**Boundary**: location-based averages. Every place has its own figure, the one that ``convert_energy_to_emissions`` takes, and never
another's. Where places inside countries (stack emissions) meet countries (life cycle), the two bases are named, and an order across
them is called sure only where their ranges lie apart: the range of a stack figure reaches the life-cycle averages of its place.

**Uncertainty**: a difference adds the deviations of its two ends in quadrature as they are, not as logarithms, and none is below zero;
the ratio of the highest to the lowest is at least one, and the share saved is 1 − 1 / ratio: where the order may turn, nothing is saved.

**Assumptions**: over hours, the job draws the same power all the time, the intensities are known in advance, pausing costs nothing.

**Facts**: those of the places; for a published case, the facts of Dodge et al. 2022 and Wiesner et al. 2021.

**Limits**: averages rank grids; what moving one job changes is a marginal question. Places low in carbon can be high in water.

>>> from kilowhat.tools import call
>>> estimate = call("choose_place_and_time", {"energy": "1500 kWh", "regions": ["600 g CO2e/kWh", "200 g CO2e/kWh"]})
>>> [(result.quantity, round(result.value)) for result in estimate.results]
[('emissions', 300), ('emissions', 900), ('saving', 600), ('saving-share', 67), ('ratio', 3)]
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Annotated

from pydantic import Field

from kilowhat.tools.core.derivation import Derivation
from kilowhat.tools.core.errors import InvalidArguments, MissingInput, UnitMismatch, UnknownName
from kilowhat.tools.core.estimate import Estimate, head_of
from kilowhat.tools.core.estimate import Input as EstimateInput
from kilowhat.tools.core.expression import Formula
from kilowhat.tools.core.place import BOUNDARIES, KG_PER_KWH, Place, add_intensity_fact, agreement_range, basis_in_words, counted_differently, few, find_place
from kilowhat.tools.core.quantities import QUANTITY, Told, read_quantity
from kilowhat.tools.core.reference import Fact, Library, fold
from kilowhat.tools.core.tool import MAXIMUM_REF, Arguments, Tool, ref
from kilowhat.tools.core.units import EMISSIONS, ENERGY, Quantity, combine, format_number, format_quantity, parse_quantity

MOST_REGIONS = 30
SHOWN_REGIONS = 4
HOURS_OF_A_LEAP_YEAR = 8784

LOWEST = Formula("lowest_emissions_kg_co2e", "energy_kwh * lowest_intensity_kg_co2e_per_kwh", "kg CO2e")
BETWEEN = tuple(Formula(f"emissions_{rank}_kg_co2e", f"energy_kwh * intensity_{rank}_kg_co2e_per_kwh", "kg CO2e") for rank in range(2, SHOWN_REGIONS))
HIGHEST = Formula("highest_emissions_kg_co2e", "energy_kwh * highest_intensity_kg_co2e_per_kwh", "kg CO2e")
SAVING = Formula("saving_kg_co2e", "highest_emissions_kg_co2e - lowest_emissions_kg_co2e", "kg CO2e")
SAVED_SHARE = Formula("saving_percent", "(1 - lowest_intensity_kg_co2e_per_kwh / highest_intensity_kg_co2e_per_kwh) * 100", "%")
RATIO = Formula("highest_to_lowest", "highest_intensity_kg_co2e_per_kwh / lowest_intensity_kg_co2e_per_kwh", "ratio")

BEST_START = Formula("best_emissions_kg_co2e", "energy_kwh * best_intensity_g_co2e_per_kwh / 1000", "kg CO2e")
MEAN_START = Formula("mean_emissions_kg_co2e", "energy_kwh * mean_intensity_g_co2e_per_kwh / 1000", "kg CO2e")
WORST_START = Formula("worst_emissions_kg_co2e", "energy_kwh * worst_intensity_g_co2e_per_kwh / 1000", "kg CO2e")
SAVING_ON_MEAN = Formula("saving_kg_co2e", "mean_emissions_kg_co2e - best_emissions_kg_co2e", "kg CO2e")
SHARE_OF_MEAN = Formula("saving_percent", "(1 - best_intensity_g_co2e_per_kwh / mean_intensity_g_co2e_per_kwh) * 100", "%")
SAVING_ON_WORST = Formula("saving_at_most_kg_co2e", "worst_emissions_kg_co2e - best_emissions_kg_co2e", "kg CO2e")
SHARE_OF_WORST = Formula("saving_at_most_percent", "(1 - best_intensity_g_co2e_per_kwh / worst_intensity_g_co2e_per_kwh) * 100", "%")

PUBLISHED_SAVING = Formula("saving_kg_co2e", "highest_emissions_kg_co2e - lowest_emissions_kg_co2e", "kg CO2e")
PUBLISHED_RATIO = Formula("highest_to_lowest", "highest_emissions_kg_co2e / lowest_emissions_kg_co2e", "ratio")


@dataclass(frozen=True, slots=True)
class Case:
    """A published case: what people call it, and the facts that tell it."""

    title: str
    aliases: tuple[str, ...]
    lowest: str | None = None
    highest: str | None = None
    energy: str | None = None
    saving: str | None = None
    label: str = "emissions saved, as published"
    rivals: tuple[str, ...] = ()
    press: str | None = None


CASES = {
    "bert-regions": Case(
        "Pre-training BERT-small in 16 cloud regions",
        ("BERT", "BERT-small", "Dodge", "Dodge 2022", "dodge-bert"),
        lowest="bert-small-emissions-cleanest-region",
        highest="bert-small-emissions-dirtiest-region",
        energy="bert-small-training-energy",
        rivals=("bert-small-emissions-cleanest-region-recomputed", "bert-small-emissions-dirtiest-region-recomputed"),
        press="claim-bert-training-22-to-28-kg",
    ),
    "bert-pause-and-resume": Case("Pausing and resuming the pre-training of BERT-small", ("pause BERT",), saving="pause-and-resume-saving-bert", energy="bert-small-training-energy"),
    "long-training-pause-and-resume": Case("Pausing and resuming an eight-day training", ("pause and resume", "transformer pause and resume"), saving="pause-and-resume-saving-long-job"),
    "long-training-flexible-start": Case("Starting an eight-day training within 24 hours", ("flexible start of a long job",), saving="flexible-start-saving-long-job"),
    "short-job-flexible-start": Case("Starting a short DenseNet job within 24 hours", ("flexible start", "DenseNet"), saving="flexible-start-saving-short-job"),
    "start-time-central-us": Case(
        "Starting at midnight instead of 6:00 in the central United States", ("start time",), saving="start-time-effect-dodge", label="more emitted at the wrong time, as published"
    ),
    "next-workday": Case("Moving machine-learning jobs to the next workday", ("Wiesner", "Wiesner 2021"), saving="shifting-saving-next-workday", rivals=("shifting-saving-half-week",)),
    "half-week": Case("Moving machine-learning jobs within half a week", ("Wiesner half a week",), saving="shifting-saving-half-week", rivals=("shifting-saving-next-workday",)),
}
"""Published cases by name; their numbers are facts."""


class Input(Arguments):
    """An energy with regions, or with hours; or a published case."""

    energy: str | None = Field(default=None, max_length=2000, description=f"The energy of the job, needed unless a case is named: {QUANTITY}.")
    regions: list[Annotated[str, Field(max_length=100)]] | None = Field(
        default=None,
        min_length=2,
        max_length=MOST_REGIONS,
        description="The 2 to 30 places to rank: countries, US states, Chinese regions, cloud regions (us-west-2); or intensities of your own ('600 g CO2e/kWh'), all or none.",
    )
    hourly_intensity_g_co2e_per_kwh: list[Annotated[float, Field(ge=0, le=5000, strict=True)]] | None = Field(
        default=None, min_length=2, max_length=HOURS_OF_A_LEAP_YEAR, description="Carbon intensity of each hour from now in g CO2e per kWh, 2 to 8784 of them; with duration_h. Typical 20 to 900."
    )
    duration_h: float | None = Field(default=None, gt=0, le=HOURS_OF_A_LEAP_YEAR, strict=True, description="How many hours the job runs; at most as many as intensities are told.")
    pausable: bool = Field(default=False, strict=True, description="Whether the job may pause and resume, so that it takes the cleanest hours wherever they lie; default false: one run.")
    case: str | None = Field(default=None, max_length=100, description=f"A published case instead: {', '.join(CASES)}.")


def choose_place_and_time(arguments: Input, library: Library) -> Estimate:
    """Return the best place or time for a job, what the others emit, and the saving.

    Raises:
        UnknownName: for a region or case that is not known (``unknown_name``).
        MissingInput: where neither regions, hours nor a case are told, or no energy (``missing_input``).
        InvalidArguments: where two of them are told, a place is told twice, or the job is longer than the hours (``invalid_arguments``).
    """
    told = [name for name in ("regions", "hourly_intensity_g_co2e_per_kwh", "case") if getattr(arguments, name) is not None]
    if not told:
        raise MissingInput("Give regions to rank, hourly_intensity_g_co2e_per_kwh with duration_h, or a published case.", field="regions")
    if len(told) > 1:
        raise InvalidArguments(f"Give one of regions, hourly_intensity_g_co2e_per_kwh and case, not {' and '.join(told)}.", field=told[1])
    if arguments.case is not None:
        return _published(arguments, library)
    if arguments.energy is None:
        raise MissingInput(f"choose_place_and_time needs energy with {told[0]}: {QUANTITY}.", field="energy")
    energy = read_quantity(library, arguments.energy, dimensions=(ENERGY,), argument="energy")
    if arguments.regions is not None:
        if arguments.duration_h is not None or arguments.pausable:
            raise InvalidArguments("duration_h and pausable belong to hourly intensities; leave them out with regions.", field="duration_h" if arguments.duration_h is not None else "pausable")
        return _over_regions(arguments, library, energy)
    return _over_hours(arguments, library, energy)


# Regions


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place of the ranking: its name, its intensity as a fact or as told, and the ends between which others put it."""

    name: str
    kg_per_kwh: float
    low: float
    high: float
    fact: Fact | None = None
    place: Place | None = None

    def is_as(self, other: Candidate) -> bool:
        """Return whether the same figure answers for both."""
        return self.fact is not None and other.fact is not None and self.fact.id == other.fact.id


def _over_regions(arguments: Input, library: Library, energy: Told) -> Estimate:
    """Return the ranking: up to four places in full; of more, the first and the last ones, and all of them in one sentence."""
    candidates, notes = _candidates(arguments.regions or [], library)
    ranked = sorted(candidates, key=lambda candidate: candidate.kg_per_kwh)
    return _ranking(arguments, library, energy, ranked, min(len(ranked), SHOWN_REGIONS if len(ranked) <= 12 else SHOWN_REGIONS - 1), notes)


def _candidates(regions: Sequence[str], library: Library) -> tuple[list[Candidate], list[tuple[str, str]]]:
    """Return the places with the figure of each, and what must be said about them together as (code, sentence).

    Raises:
        InvalidArguments: where a place is told twice.
    """
    if any(text.strip()[:1].isdigit() for text in regions):
        return [_given(text) for text in regions], []
    places = [find_place(library, text, field="regions") for text in regions]
    twice = next((place.name for position, place in enumerate(places) if place.id in {other.id for other in places[:position]}), None)
    if twice is not None:
        raise InvalidArguments(f"{twice} is told twice; a ranking takes each place once.", field="regions")
    notes: list[tuple[str, str]] = []
    by_boundary: dict[str, list[str]] = {}
    by_fact: dict[str, list[str]] = {}
    for place in places:
        by_boundary.setdefault(place.intensity.scope.get("boundary", ""), []).append(place.name)
        by_fact.setdefault(place.intensity.id, []).append(place.name)
    if (differ := counted_differently(by_boundary)) is not None:
        notes.append(("bases_differ", differ))
    notes += [("same_figure", f"{' and '.join(names)} are answered with the same figure, so nothing is said about which is better.") for names in by_fact.values() if len(names) > 1]
    return [_of_place(place, library) for place in places], notes


def _of_place(place: Place, library: Library) -> Candidate:
    value = place.intensity.in_unit(KG_PER_KWH).value
    low, high = agreement_range(library, place.intensity) or (value, value)
    return Candidate(place.name, value, low, high, place.intensity, place)


def _given(text: str) -> Candidate:
    """Return a place that is told by its intensity alone."""
    if not text.strip()[:1].isdigit():
        raise InvalidArguments(f"{text[:60]!r} is a place among intensities of your own, whose basis is not known: tell all by name, or all by intensity.", field="regions")
    quantity = parse_quantity(text)
    if quantity.dimension != combine(EMISSIONS, ENERGY, -1):
        raise UnitMismatch(f"{text[:60]!r} is no carbon intensity, such as '600 g CO2e/kWh', and no place.", field="regions")
    value = quantity.to("kg CO2e/kWh").value
    if value > 5:
        raise InvalidArguments(f"{text[:60]!r} is above 5000 g CO2e/kWh, beyond any power plant.", field="regions")
    return Candidate(f"{format_number(value * 1000)} g CO2e/kWh", value, value, value)


def _ranking(arguments: Input, library: Library, energy: Told, ranked: Sequence[Candidate], shown: int, notes: Sequence[tuple[str, str]]) -> Estimate:
    """Return the estimate that shows the first ``shown`` − 1 places and the last one."""
    derivation = Derivation(library)
    derivation.quantity("energy_kwh", energy.quantity, "kWh", energy.facts)
    lowest, highest = ranked[0], ranked[-1]
    mixed = any(code == "bases_differ" for code, _ in notes)
    rows = [(1, lowest, "lowest_intensity_kg_co2e_per_kwh", LOWEST)]
    rows += [(rank, ranked[rank - 1], f"intensity_{rank}_kg_co2e_per_kwh", BETWEEN[rank - 2]) for rank in range(2, shown)]
    rows.append((len(ranked), highest, "highest_intensity_kg_co2e_per_kwh", HIGHEST))
    for rank, candidate, name, formula in rows:
        if candidate.fact is not None:
            add_intensity_fact(derivation, name, candidate.fact)
        else:
            derivation.given(name, candidate.kg_per_kwh, "kg CO2e/kWh")
        derivation.step(formula)
        basis = basis_in_words(candidate.fact) if candidate.fact is not None else "at the intensity given"
        label = f"lowest: {candidate.name}" if rank == 1 else f"highest: {candidate.name}" if candidate is highest else f"{rank}. {candidate.name}"
        derivation.result(formula.name, "emissions", label, boundary=basis if rank == 1 or mixed else None, as_of=candidate.fact.as_of if candidate.fact else None)
    _add_savings(derivation, lowest, highest, energy)
    if shown < len(ranked):
        order = "; ".join(f"{rank}. {_with_source(candidate)}" for rank, candidate in enumerate(ranked, 1))
        derivation.assume(f"All by g CO2e/kWh: {order}.")
    for code, sentence in notes:
        derivation.warn(code, sentence)
    _warn_of_order(derivation, ranked)
    _warn_of_water(derivation, lowest, highest)
    for _, candidate, _, _ in rows:
        if candidate.place is not None and candidate.place.note:
            derivation.assume(candidate.place.note if candidate.place.note.startswith(candidate.name) else f"{candidate.name}: {candidate.place.note}")
    if mixed:
        _add_same_basis(derivation, [candidate for _, candidate, _, _ in rows])
    _assume_told(derivation, energy)
    return derivation.estimate(TOOL.name, arguments, f"{format_quantity(energy.quantity.to('kWh'))} in {lowest.name}, the lowest of {len(ranked)}")


def _with_source(candidate: Candidate) -> str:
    """Return a place with its intensity, and the id of the fact that tells it."""
    return f"{candidate.name} {format_number(candidate.kg_per_kwh * 1000, 3)}" + (f" [{candidate.fact.id}]" if candidate.fact else "")


def _add_savings(derivation: Derivation, lowest: Candidate, highest: Candidate, energy: Told) -> None:
    """Add what the lowest place saves against the highest: as a mass, as a share and as a ratio, none beyond what it can be."""
    derivation.step(SAVING)
    derivation.result(SAVING.name, "saving", f"saved in {lowest.name} against {highest.name}")
    if lowest.is_as(highest):
        return
    derivation.bound(SAVING.name, *difference_range(highest, lowest, energy.quantity.to("kWh")))
    if highest.kg_per_kwh > 0:
        derivation.step(SAVED_SHARE)
        derivation.result(SAVED_SHARE.name, "saving-share", "share saved")
    if lowest.kg_per_kwh > 0:
        derivation.step(RATIO)
        ratio = derivation.evaluate({RATIO.name})[RATIO.name]
        derivation.bound(RATIO.name, max(1.0, ratio.low), ratio.high)
        derivation.bound(SAVED_SHARE.name, (1 - 1 / max(1.0, ratio.low)) * 100, (1 - 1 / ratio.high) * 100)
        derivation.result(RATIO.name, "ratio", "highest to lowest")


def difference_range(more: Candidate, less: Candidate, energy: Quantity) -> tuple[float, float]:
    """Return the ends of energy × (more − less), in kg CO2e: never below zero, never above what the larger emits at most.

    The deviations of the two intensities add in quadrature as they are; that of the energy, which both share, as a factor.
    """
    apart = more.kg_per_kwh - less.kg_per_kwh
    low = max(0.0, apart - math.hypot(more.kg_per_kwh - more.low, less.high - less.kg_per_kwh))
    high = apart + math.hypot(more.high - more.kg_per_kwh, less.kg_per_kwh - less.low)
    down, up = (math.log(energy.value / energy.low) if energy.low else 0.0, math.log(energy.high / energy.value) if energy.high and energy.value else 0.0)
    if apart == 0:
        return 0.0, energy.value * math.exp(up) * high
    return (
        energy.value * apart * math.exp(-math.hypot(math.log(apart / low), down)) if low else 0.0,
        energy.value * apart * math.exp(math.hypot(math.log(high / apart), up)),
    )


def _warn_of_order(derivation: Derivation, ranked: Sequence[Candidate]) -> None:
    """Say where another place may be the lowest or the highest, since the ranges of published averages meet."""
    lowest, highest = ranked[0], ranked[-1]
    lower = [other.name for other in ranked[1:] if other.fact is not None and not other.is_as(lowest) and other.low <= lowest.high]
    higher = [other.name for other in ranked[:-1] if other.fact is not None and not other.is_as(highest) and other.high >= highest.low]
    told = []
    if len(ranked) == 2 and lower:
        told.append(f"The order of {lowest.name} and {highest.name} is not sure: published averages of one place lie as far apart as these two.")
    elif lower or higher:
        told += [f"Which is lowest is not sure: {few(lower)} may be below {lowest.name}."] if lower else []
        told += [f"Which is highest is not sure: {few(higher)} may be above {highest.name}."] if higher else []
    if told and derivation.evaluate({SAVING.name})[SAVING.name].low == 0:
        told.append("Nothing may be saved at all: the saving is shown from 0 and the ratio from 1.")
    if told:
        derivation.warn("order_not_sure", " ".join(told))


def _add_same_basis(derivation: Derivation, shown: Sequence[Candidate]) -> None:
    """List, of places whose figure counts something else than that of others, a checked figure that counts the same."""
    boundaries = {candidate.fact.scope.get("boundary") for candidate in shown if candidate.fact is not None}
    energy = derivation.inputs["energy_kwh"].value
    for candidate in shown:
        fact = candidate.fact
        if fact is None:
            continue
        for boundary in boundaries - {fact.scope.get("boundary"), None}:
            known = [
                other
                for other in derivation.library.find("grid-intensity", place=fact.scope["place"], basis="average", boundary=str(boundary))
                if "case" not in other.scope and other.checked.against != "unverified"
            ]
            for other in sorted(known, key=lambda other: other.as_of or "")[-1:]:
                derivation.alternative(other, label=f"{candidate.name}, counting {BOUNDARIES[str(boundary)]}", scale=energy, unit=KG_PER_KWH, scaled_unit="kg CO2e")


def _warn_of_water(derivation: Derivation, lowest: Candidate, highest: Candidate) -> None:
    """Say where the best place takes more water than the worst."""
    waters = [candidate.place.water.quantity.value if candidate.place and candidate.place.water else None for candidate in (lowest, highest)]
    if waters[0] is not None and waters[1] is not None and float(f"{waters[0]:.2g}") > float(f"{waters[1]:.2g}"):
        told = f"{format_number(waters[0], 2)} against {format_number(waters[1], 2)} L/kWh off-site"
        for candidate in (lowest, highest):
            if candidate.place is not None and candidate.place.water is not None:
                derivation.cite(candidate.place.water)
        derivation.warn("more_water", f"Less carbon is not less water: electricity in {lowest.name} takes more than in {highest.name}, {told}.")


# Hours


@dataclass(frozen=True, slots=True)
class Run:
    """When a job runs: its first hour and its last, counted from 0, its mean intensity, and how often it pauses."""

    start: int
    end: int
    mean: float
    pauses: int = 0


def window_means(hourly: Sequence[float], duration_h: float) -> list[float]:
    """Return the mean intensity of a job for each hour at which it could start and still finish.

    Sums are exact, so that equal windows are equal however far they lie from the start.

    >>> window_means([4.0, 2.0, 6.0], 2.0)
    [3.0, 4.0]
    """
    whole = int(duration_h)
    part = duration_h - whole
    sums = list(accumulate(map(Fraction, hourly), initial=Fraction(0)))
    starts = len(hourly) - whole + (0 if part else 1)
    return [(float(sums[start + whole] - sums[start]) + (part * hourly[start + whole] if part else 0.0)) / duration_h for start in range(starts)]


def best_pausing(hourly: Sequence[float], duration_h: float) -> Run:
    """Return the run that takes the cleanest hours wherever they lie.

    >>> best_pausing([5.0, 1.0, 9.0, 3.0], 2.0)
    Run(start=1, end=3, mean=2.0, pauses=1)
    """
    whole = int(duration_h)
    part = duration_h - whole
    order = sorted(range(len(hourly)), key=lambda hour: hourly[hour])
    chosen = sorted(order[: whole + (1 if part else 0)])
    total = math.fsum(hourly[hour] for hour in order[:whole]) + (part * hourly[order[whole]] if part else 0.0)
    return Run(chosen[0], chosen[-1], total / duration_h, sum(1 for before, after in pairwise(chosen) if after > before + 1))


def _over_hours(arguments: Input, library: Library, energy: Told) -> Estimate:
    hourly, duration = arguments.hourly_intensity_g_co2e_per_kwh or [], arguments.duration_h
    if duration is None:
        raise MissingInput("Hourly intensities need duration_h, the hours that the job runs.", field="duration_h")
    if duration > len(hourly):
        raise InvalidArguments(f"The job runs {format_number(duration)} h, longer than the {len(hourly)} hours told.", field="duration_h")
    means = window_means(hourly, duration)
    lowest = min(means)
    start = next(hour for hour, value in enumerate(means) if math.isclose(value, lowest, rel_tol=1e-12))
    best = best_pausing(hourly, duration) if arguments.pausable else Run(start, start + math.ceil(duration) - 1, means[start])
    mean, worst = (best.mean if math.isclose(value, best.mean, rel_tol=1e-12) else value for value in (math.fsum(means) / len(means), max(means)))

    derivation = Derivation(library)
    derivation.quantity("energy_kwh", energy.quantity, "kWh", energy.facts)
    for name, value, unit in (
        ("best_intensity_g_co2e_per_kwh", best.mean, "g CO2e/kWh"),
        ("mean_intensity_g_co2e_per_kwh", mean, "g CO2e/kWh"),
        ("worst_intensity_g_co2e_per_kwh", worst, "g CO2e/kWh"),
        ("start_hour", float(best.start), "h"),
    ):
        derivation.inputs[name] = EstimateInput(name=name, value=value, unit=unit, origin="derived")
    for formula in (BEST_START, MEAN_START, WORST_START, SAVING_ON_MEAN, SAVING_ON_WORST):
        derivation.step(formula)
    when = f"in the cleanest hours from {best.start} to {best.end}" if arguments.pausable else f"started at hour {best.start}"
    derivation.result(BEST_START.name, "emissions", f"emissions, {when}", boundary="the intensities given, hour 0 the first of them")
    derivation.result(MEAN_START.name, "emissions", f"mean over all {len(means)} starts, without pauses")
    derivation.result(WORST_START.name, "emissions", "worst start")
    derivation.result(SAVING_ON_MEAN.name, "saving", "saved against the mean over all starts")
    if mean > 0:
        derivation.step(SHARE_OF_MEAN)
        derivation.result(SHARE_OF_MEAN.name, "saving-share", "share saved against the mean")
    derivation.result(SAVING_ON_WORST.name, "saving-at-most", "saved against the worst start")
    if worst > 0:
        derivation.step(SHARE_OF_WORST)
        derivation.result(SHARE_OF_WORST.name, "saving-share-at-most", "share saved against the worst start")
    derivation.result("start_hour", "start-hour", "start, hours after the first intensity")
    derivation.assume("The job draws the same power all the time, and the intensities are known in advance; forecasts save less.")
    if arguments.pausable:
        derivation.assume(f"Pauses: {best.pauses}; pausing and resuming are taken to cost no energy.")
    _assume_told(derivation, energy)
    return _told_short(derivation, arguments, f"{format_quantity(energy.quantity.to('kWh'))} over {format_number(duration)} of {len(hourly)} hours")


def _told_short(derivation: Derivation, arguments: Input, about: str) -> Estimate:
    """Return the estimate; a list of hours that is too long for a ref stands in it as words."""
    if len(ref(TOOL.name, arguments)) <= MAXIMUM_REF:
        return derivation.estimate(TOOL.name, arguments, about)
    name = "hourly_intensity_g_co2e_per_kwh"
    hourly = arguments.hourly_intensity_g_co2e_per_kwh or []
    derivation.warn("not_repeatable", f"The {len(hourly)} intensities are too many to stand in the ref, so the call can't be repeated from it.")
    words = f"{len(hourly)} values from {format_number(min(hourly))} to {format_number(max(hourly))}"
    estimate = derivation.estimate(TOOL.name, arguments.model_copy(update={name: None}), about)
    return estimate.model_copy(update={"arguments": {**estimate.arguments, name: words}})


# Published cases


def find_case(text: str) -> tuple[str, Case]:
    """Return the published case that a text names.

    Raises:
        UnknownName: with all of them, where there is none.
    """
    key = fold(text)
    for case_id, case in CASES.items():
        if key in {fold(spelling) for spelling in (case_id, case.title, *case.aliases)}:
            return case_id, case
    raise UnknownName(f"{text[:60]!r} is no published case that is known here; they are {', '.join(CASES)}.", field="case", nearest=list(CASES))


def _published(arguments: Input, library: Library) -> Estimate:
    """Return a case as published: its facts, and what follows from them."""
    for name in ("energy", "duration_h"):
        if getattr(arguments, name) is not None:
            raise InvalidArguments(f"A published case has its own energy and hours; leave {name} out.", field=name)
    _, case = find_case(str(arguments.case))
    derivation = Derivation(library)
    if case.saving is not None:
        saving = library.fact(case.saving)
        derivation.fact("saving_percent", saving, "%")
        label = case.label if saving.value is not None else f"{case.label} as a range, its middle (geometric mean)"
        derivation.result("saving_percent", "saving-share", label, boundary=saving.statement.rstrip("."), as_of=saving.as_of)
    if case.lowest is not None and case.highest is not None:
        lowest, highest = library.fact(case.lowest), library.fact(case.highest)
        derivation.fact("lowest_emissions_kg_co2e", lowest, "kg CO2e")
        derivation.fact("highest_emissions_kg_co2e", highest, "kg CO2e")
        derivation.step(PUBLISHED_SAVING)
        derivation.step(PUBLISHED_RATIO)
        derivation.result(
            "lowest_emissions_kg_co2e", "emissions", "in the cleanest region", boundary="electricity of the accelerators, marginal intensity of each region; CO2 alone", as_of=lowest.as_of
        )
        derivation.result("highest_emissions_kg_co2e", "emissions", "in the dirtiest region", as_of=highest.as_of)
        derivation.result(PUBLISHED_SAVING.name, "saving", "saved in the cleanest against the dirtiest region")
        derivation.result(PUBLISHED_RATIO.name, "ratio", "highest to lowest")
        derivation.warn("marginal", "The study counts marginal intensities, what one more kWh causes; they are never mixed with the averages of a ranking by region.")
    if case.energy is not None:
        derivation.fact("energy_kwh", library.fact(case.energy), "kWh")
        derivation.result("energy_kwh", "energy", "electricity of the job")
    if case.press is not None:
        claim = library.claim(case.press)
        derivation.cite(claim)
        derivation.warn("press_figure", f"The press says {format_number(claim.low or 0)} to {format_number(claim.high or 0)} {claim.unit} ({claim.id}). {claim.why}")
    for rival in case.rivals:
        fact = library.fact(rival)
        derivation.alternative(fact, label=head_of(fact.statement))
    return derivation.estimate(TOOL.name, arguments, case.title)


def _assume_told(derivation: Derivation, energy: Told) -> None:
    for sentence in energy.assumptions:
        if not sentence.startswith("No place was told"):
            derivation.assume(sentence)


TOOL = Tool(
    name="choose_place_and_time",
    title="Where or when a job emits least",
    description="Ranks 2 to 30 regions for one job by emissions (best, worst, saving); or finds the best start among hourly carbon intensities for a job of so many hours; or gives a published case (BERT in 16 cloud regions, pausing and resuming).",
    arguments=Input,
    run=choose_place_and_time,
    gives="emissions",
    example={"energy": "1000 kWh", "regions": ["Norway", "Germany", "USA"]},
    ways=(("energy", "regions"), ("energy", "hourly_intensity_g_co2e_per_kwh", "duration_h"), ("case",)),
)
