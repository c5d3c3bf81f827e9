"""Use of a service: requests a day, for some days.

**Formula**: energy = requests per day × energy per request × days; or, where a service is told by its words,
energy = words per day × GPU-seconds per word / 3600 × power / 1000 × days.

**Boundary**: what the figure per request counts; published ones range from accelerators alone to the whole facility.

**Assumptions**: one day unless ``days`` says more; every request costs the published average or median.

**Uncertainty**: where several figures are published for a typical request to a service, the range spans them; a single figure has
none, which its ``interval`` says.

**Facts**: ``typical`` of a service, which the range spans; defaults of subjects ``request-energy``, ``request-emissions``, ``request-water`` and ``service-volume`` of a service.

**Limits**: the providers' own figures are averages of short texts; reasoning, long inputs and images cost far more.

>>> from kilowhat.tools import call
>>> call("estimate_service", {"energy_wh_per_request": 2.5, "requests_per_day": 200_000_000}).results[0].value
500000.0
"""

from __future__ import annotations

from pydantic import Field

from kilowhat.tools.core.boundaries import in_words
from kilowhat.tools.core.derivation import Derivation
from kilowhat.tools.core.errors import InvalidArguments, MissingInput, NotPublished
from kilowhat.tools.core.estimate import Estimate, head_of
from kilowhat.tools.core.expression import Formula
from kilowhat.tools.core.facility import add_power
from kilowhat.tools.core.place import PlaceArguments, add_place
from kilowhat.tools.core.reference import Fact, Library, Name
from kilowhat.tools.core.text import number_of
from kilowhat.tools.core.tool import Tool
from kilowhat.tools.core.units import format_number

REQUESTS_OF_USERS = Formula("requests_per_day", "users * requests_per_user_per_day", "requests/day")
REQUESTS = Formula("requests", "requests_per_day * days", "ratio")
ENERGY = Formula("energy_kwh", "requests * energy_wh_per_request / 1000", "kWh")
EMISSIONS = Formula("request_emissions_kg_co2e", "requests * emissions_g_co2e_per_request / 1000", "kg CO2e")
WATER = Formula("request_water_l", "requests * water_ml_per_request / 1000", "L")
GPU_HOURS = Formula("gpu_hours", "words_per_day * gpu_seconds_per_word / 3600 * days", "h")
ENERGY_OF_WORDS = Formula("energy_kwh", "gpu_hours * power_w / 1000", "kWh")

_SUBJECTS = {
    "energy_wh_per_request": ("request-energy", "Wh"),
    "emissions_g_co2e_per_request": ("request-emissions", "g CO2e"),
    "water_ml_per_request": ("request-water", "mL"),
}


class Input(PlaceArguments):
    """A service by name or by its figures per request, and how much it is used."""

    service: str | None = Field(default=None, max_length=100, description="A service with published figures per request: Gemini, ChatGPT, Le Chat, Google search …")
    energy_wh_per_request: float | None = Field(default=None, ge=0, le=1e6, strict=True, description="Energy of one request in Wh, instead of the published one; typical 0.1 to 5.")
    water_ml_per_request: float | None = Field(default=None, ge=0, le=1e9, strict=True, description="Water of one request in mL; typical 0.2 to 50.")
    emissions_g_co2e_per_request: float | None = Field(default=None, ge=0, le=1e9, strict=True, description="Emissions of one request in g CO2e; typical 0.03 to 5.")
    requests_per_day: float | None = Field(default=None, ge=0, le=1e15, strict=True, description="Requests a day, over all users; zero or more.")
    users: float | None = Field(default=None, ge=0, le=1e11, strict=True, description="Users, together with requests_per_user_per_day.")
    requests_per_user_per_day: float | None = Field(default=None, ge=0, le=1e7, strict=True, description="Requests of one user a day.")
    days: float = Field(default=1, ge=0, le=1e6, strict=True, description="How many days; default 1, a year is 365.")
    words_per_day: float | None = Field(default=None, ge=0, le=1e18, strict=True, description="Words written a day, together with gpu_seconds_per_word and accelerator or power_w.")
    gpu_seconds_per_word: float | None = Field(default=None, ge=0, le=1e6, strict=True, description="Seconds of one accelerator for a word.")
    accelerator: str | None = Field(default=None, max_length=100, description="The accelerator that writes the words; its rated power is taken.")
    power_w: float | None = Field(default=None, gt=0, le=1e7, strict=True, description="Power of that accelerator in W, instead of its name.")


def estimate_service(arguments: Input, library: Library) -> Estimate:
    """Return energy, emissions and water of a service's use.

    Raises:
        UnknownName: for a service, accelerator or region that is not known (``unknown_name``).
        NotPublished: for a service of which nothing is published (``not_published``).
        MissingInput: where the use or the figure per request is not told (``missing_input``).
        InvalidArguments: where two ways to tell the same thing are mixed (``invalid_arguments``).
    """
    derivation = Derivation(library)
    if arguments.words_per_day is not None or arguments.gpu_seconds_per_word is not None:
        return _by_words(arguments, derivation)
    service = library.name("services", arguments.service, field="service") if arguments.service is not None else None
    per_request = _figures_per_request(arguments, library, service.id if service else None)
    requests = _add_requests(arguments, derivation, service.id if service else None)
    derivation.given("days", arguments.days, "days")
    derivation.step(REQUESTS)

    about = number_of(requests * arguments.days, "request") + (f" to {service.name}" if service else "")
    for name, figure in per_request.items():
        if isinstance(figure, Fact):
            derivation.fact(name, figure, _SUBJECTS[name][1])
            if service is not None:
                _add_range(derivation, name, service, figure)
        else:
            derivation.given(name, figure, _SUBJECTS[name][1])
    if "energy_wh_per_request" in per_request:
        derivation.step(ENERGY)
        figure = per_request["energy_wh_per_request"]
        derivation.result(ENERGY.name, "energy", "electricity", boundary=_boundary(figure), as_of=figure.as_of if isinstance(figure, Fact) else None)
    if "emissions_g_co2e_per_request" in per_request:
        derivation.step(EMISSIONS)
        figure = per_request["emissions_g_co2e_per_request"]
        derivation.result(EMISSIONS.name, "emissions", _published_emissions(figure) if isinstance(figure, Fact) else "emissions", boundary=_boundary(figure))
    if "water_ml_per_request" in per_request:
        derivation.step(WATER)
        figure = per_request["water_ml_per_request"]
        derivation.result(WATER.name, "water", "water, as published per request" if isinstance(figure, Fact) else "water", boundary=_boundary(figure))
    if "energy_wh_per_request" in per_request:
        add_place(derivation, arguments)
    elif arguments.region is not None or arguments.carbon_intensity_g_co2e_per_kwh is not None:
        raise NotPublished("The electricity of a request is not published for this service, so its emissions can't be moved to another place.", field="region")
    if service is not None:
        _add_rivals(derivation, service, per_request)
    return derivation.estimate(TOOL.name, arguments, about)


def _figures_per_request(arguments: Input, library: Library, service: str | None) -> dict[str, Fact | float]:
    """Return energy, emissions and water of one request: as told, else as published for the service."""
    told: dict[str, Fact | float] = {name: value for name in _SUBJECTS if (value := getattr(arguments, name)) is not None}
    if service is None:
        if not told:
            raise MissingInput("Give a service with published figures, or energy_wh_per_request, water_ml_per_request or emissions_g_co2e_per_request.", field="service")
        return told
    if told:
        return told
    published = {name: facts[0] for name, (subject, _) in _SUBJECTS.items() if (facts := library.find(subject, service=service)) and facts[0].default is not None}
    if not published:
        named = library.named("services", service)
        nearest = [fact.id for subject, _ in _SUBJECTS.values() for fact in library.find(subject, service=service)]
        raise NotPublished(f"Nobody has published what a request to {named.name} takes. Give energy_wh_per_request to calculate with a figure of your own.", field="service", nearest=nearest[:5])
    return dict(published)


def _add_requests(arguments: Input, derivation: Derivation, service: str | None) -> float:
    """Add ``requests_per_day`` as an input or a step, and return it."""
    by_users = arguments.users is not None or arguments.requests_per_user_per_day is not None
    if by_users and arguments.requests_per_day is not None:
        raise InvalidArguments("Give either requests_per_day, or users and requests_per_user_per_day.", field="requests_per_day")
    if arguments.requests_per_day is not None:
        derivation.given("requests_per_day", arguments.requests_per_day, "requests/day")
        return arguments.requests_per_day
    if by_users:
        if arguments.users is None or arguments.requests_per_user_per_day is None:
            missing = "users" if arguments.users is None else "requests_per_user_per_day"
            raise MissingInput("users and requests_per_user_per_day come together.", field=missing)
        derivation.given("users", arguments.users, "ratio")
        derivation.given("requests_per_user_per_day", arguments.requests_per_user_per_day, "requests/day")
        derivation.step(REQUESTS_OF_USERS)
        return arguments.users * arguments.requests_per_user_per_day
    volume = next((fact for fact in derivation.library.find("service-volume", service=service or "") if fact.default), None)
    if volume is None:
        raise MissingInput("Give requests_per_day, or users and requests_per_user_per_day.", field="requests_per_day")
    derivation.fact("requests_per_day", volume, "requests/day", origin="default")
    derivation.assume(f"Requests a day: {volume.statement}")
    return derivation.inputs["requests_per_day"].value


def _by_words(arguments: Input, derivation: Derivation) -> Estimate:
    """Return the estimate of a service told by its words."""
    for name in ("words_per_day", "gpu_seconds_per_word"):
        if getattr(arguments, name) is None:
            raise MissingInput("words_per_day and gpu_seconds_per_word come together.", field=name)
    if arguments.requests_per_day is not None or arguments.energy_wh_per_request is not None or arguments.service is not None:
        raise InvalidArguments("Give either words_per_day and gpu_seconds_per_word, or requests; not both.", field="words_per_day")
    words, seconds = float(arguments.words_per_day or 0), float(arguments.gpu_seconds_per_word or 0)
    derivation.given("words_per_day", words, "ratio")
    derivation.given("gpu_seconds_per_word", seconds, "s")
    derivation.given("days", arguments.days, "ratio")
    device = add_power(derivation, arguments.accelerator, arguments.power_w, field="accelerator")
    derivation.step(GPU_HOURS)
    derivation.step(ENERGY_OF_WORDS)
    derivation.result(ENERGY_OF_WORDS.name, "energy", "electricity", boundary="the accelerator at the power told; no host, cooling or idle time")
    derivation.result(GPU_HOURS.name, "accelerator-hours", "accelerator-hours")
    add_place(derivation, arguments)
    return derivation.estimate(TOOL.name, arguments, f"{number_of(words * arguments.days, 'word')} at {format_number(seconds)} s of one {device}")


def _typical(library: Library, service: Name, subject: str) -> list[Fact]:
    """Return the figures of several publications for a typical request to a service."""
    return [fact for fact_id in service.get("typical") or () if (fact := library.fact(fact_id)).subject == subject]


def _add_range(derivation: Derivation, name: str, service: Name, figure: Fact) -> None:
    """Give a figure per request the range of what is published for a typical request, and say what lies beyond it."""
    subject, unit = _SUBJECTS[name]
    typical = _typical(derivation.library, service, subject)
    if figure not in typical:
        return
    ends = [end for fact in typical for quantity in [fact.in_unit(unit)] for end in (quantity.low, quantity.value, quantity.high) if end is not None]
    derivation.widen(name, min(ends), max(ends), published=True)
    others = [fact.in_unit(unit).value for fact in derivation.library.find(subject, service=service.id) if fact.in_unit(unit).value > max(ends) and (fact.as_of or "") >= (figure.as_of or "")[:4]]
    beyond = f" Long inputs and reasoning lie beyond it, at up to {format_number(max(others), 2)} {unit}." if others else ""
    derivation.assume(f"The range is that of {len(typical)} published figures for a short request to {service.name} or a model like its own.{beyond}")


def _add_rivals(derivation: Derivation, service: Name, taken: dict[str, Fact | float]) -> None:
    """List other published figures per request: those of a typical one first, then the newest."""
    for name, (subject, unit) in _SUBJECTS.items():
        typical = _typical(derivation.library, service, subject)
        others = [fact for fact in derivation.library.find(subject, service=service.id) if fact not in typical]
        for rival in (*typical, *sorted(others, key=lambda fact: fact.as_of or "", reverse=True)):
            if rival is not taken.get(name):
                derivation.alternative(rival, label=f"one request: {head_of(rival.statement)}", unit=unit)


def _published_emissions(figure: Fact) -> str:
    """Return what emissions as published are, with their basis where the source tells it: contracts for clean power, or the grid."""
    basis = figure.scope.get("basis")
    return f"{basis}-based emissions, as published per request" if basis in ("market", "location") else "emissions, as published per request"


def _boundary(figure: Fact | float) -> str:
    return (in_words(figure) or figure.statement) if isinstance(figure, Fact) else "as the given figure"


TOOL = Tool(
    name="estimate_service",
    title="Energy of a service's use",
    description="Energy, emissions and water of using a service (Gemini, ChatGPT, Le Chat …) so many times a day, from the provider's published figure per request or one you give; or of writing so many words a day at so many GPU-seconds a word.",
    arguments=Input,
    run=estimate_service,
    example={"energy_wh_per_request": 2.5, "requests_per_day": 200000000},
    ways=(
        ("service",),
        ("service", "requests_per_day"),
        ("service", "users", "requests_per_user_per_day"),
        ("energy_wh_per_request", "requests_per_day"),
        ("energy_wh_per_request", "users", "requests_per_user_per_day"),
        ("water_ml_per_request", "requests_per_day"),
        ("water_ml_per_request", "users", "requests_per_user_per_day"),
        ("emissions_g_co2e_per_request", "requests_per_day"),
        ("emissions_g_co2e_per_request", "users", "requests_per_user_per_day"),
        ("words_per_day", "gpu_seconds_per_word", "accelerator"),
        ("words_per_day", "gpu_seconds_per_word", "power_w"),
    ),
)
