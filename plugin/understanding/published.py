"""Published figures by what a question names: the electricity of data centres by place and year, a PUE, a share, a company's total.

A fact fits where its scope holds every name that the question tells, and its unit measures what is asked. So a new fact is
found by its scope, and needs no words here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from kilowhat.plugin.understanding.counting import TOKENS
from kilowhat.plugin.understanding.plan import Call
from kilowhat.plugin.understanding.slots import Slots
from kilowhat.tools import TOOLS, KilowhatError, Library
from kilowhat.tools.core.errors import NotPublished
from kilowhat.tools.core.lengths import SHORT, length_of
from kilowhat.tools.core.naming import sources_named
from kilowhat.tools.core.place import place_name
from kilowhat.tools.core.reference import Fact
from kilowhat.tools.core.units import EMISSIONS, ENERGY, POWER, TIME, VOLUME, combine, parse_unit

WORLD = "WOR"
INDUSTRY = "industry"
"""The provider whose figures are those of data centres in general."""

_SUBJECTS = {
    "energy": ("electricity-total", "forecast"),
    "emissions": ("emissions-total",),
    "water": ("water-total",),
    "percent": ("share", "electricity-total", "forecast"),
    "pue": ("pue",),
    "wue": ("wue-on-site",),
}
_DIMENSIONS = {"energy": {ENERGY, combine(ENERGY, TIME, -1)}, "emissions": {EMISSIONS}, "water": {VOLUME, combine(VOLUME, TIME, -1)}, "power": {POWER}}
_PARTS = {"ai": "data-centres", "ai-data-centres": "data-centres"}
"""The sector that one is a part of."""
_NAMED = {"provider": "provider", "place": "place", "hardware": "hardware"}


def published(slots: Slots) -> Call | None:
    """Return the call that gives the published figure on what a question names as a whole, or None where it asks for a calculation."""
    asked = _asked(slots)
    if {kind for kind, number in slots.counts.items() if (kind, number) not in (("device", 1.0), ("thing", 1.0))} - {"bare"} or slots.amounts or slots.power_w or slots.hours is not None:
        return None
    if (of_thing := _of_a_thing(slots)) is not None:
        return of_thing
    if asked is None:
        return None
    scope = _scope(slots, asked)
    if scope is None:
        return None
    facts = [fact for subject in _SUBJECTS[asked] for fact in _fitting(subject, scope, asked, slots)]
    if not facts:
        return (_of_the_whole(slots, scope) if asked == "percent" else None) or _elsewhere(scope, asked)
    best = min(facts, key=lambda fact: _order(fact, slots))
    library = Library.load()
    forecast = next((name for name in library.names("forecasts") if library.named("forecasts", name).get("end") == best.id), None)
    if forecast is not None and asked == "energy":
        return Call("project_growth", {"forecast": forecast})
    return Call("look_up_references", {"query": best.id})


_OF_A_RUN = {"token": ("training-tokens",), "parameter": ("training-parameters",), "device": ("training-accelerators",), "device hour": ("training-hours",)}
"""What is published of a training run, by what its number is asked of."""


def _of_a_thing(slots: Slots) -> Call | None:
    """Return the call for what is published of a device or a training run, and no tool calculates: rated power, memory, tokens, water."""
    hardware, run = slots.name("hardware"), slots.name("run")
    subjects: tuple[str, ...] = ()
    if hardware is not None and slots.span_hours is None and slots.rate is None:
        subjects = ("device-power", "server-power") if "ask.power" in slots.senses or slots.wanted == "power" else ("device-memory",) if "ask.memory" in slots.senses else ()
    elif run is not None and slots.asked in _OF_A_RUN:
        subjects = _OF_A_RUN[slots.asked]
    elif run is not None and slots.wanted in ("water", "water-on-site") and "act.train" in slots.senses and "place" not in slots.named:
        subjects = ("training-water",)
    scope = {"hardware": hardware} if hardware is not None else {"run": run or ""}
    found = _first(slots, [fact for subject in subjects for fact in Library.load().find(subject, **scope)])
    return Call("look_up_references", {"query": found.id}) if found is not None else None


def water_of_run(slots: Slots) -> str | None:
    """Return the published water of the training run that a question names, as a quantity, or None."""
    run = slots.name("run")
    found = _first(slots, Library.load().find("training-water", run=run) if run is not None else [])
    return f"fact:{found.id}" if found else None


def _first(slots: Slots, facts: Sequence[Fact]) -> Fact | None:
    """Return the first fact, or the first of the site alone where that is asked for."""
    on_site = (fact for fact in facts if "mod.on_site" in slots.senses and fact.scope.get("boundary") == "on-site")
    return next(on_site, facts[0] if facts else None)


def operator_of(slots: Slots) -> str | None:
    """Return the service whose operator published what is asked of a reply of the model that a question names, for replies of about as many tokens, or None."""
    model, subject = slots.name("model"), f"request-{slots.wanted}"
    if model is None or slots.things not in (["llm"], ["llm", "model"], ["model"], ["run", "model"], ["llm", "run", "model"]) or slots.senses & {"act.train", "act.make"}:
        return None
    library = Library.load()
    service = next((fact.scope["service"] for fact in library.find(subject, model=model) if fact.default is not None and "service" in fact.scope), None)
    usual = library.named("services", service).get("reply_tokens") if service is not None else None
    told = next((slots.counts[kind] for kind in ("output", "token") if kind in slots.counts), usual)
    return service if usual is not None and told is not None and abs(told / usual - 1) < SAME_LENGTH else None


SAME_LENGTH = 0.25
"""How far the length of a reply may be from that of which an operator published a figure."""


def _of_the_whole(slots: Slots, scope: dict[str, str]) -> Call | None:
    """Return the call that tells the share of the whole of which a sector is a part, and the part's share of that, where its own share is published nowhere."""
    whole = _PARTS.get(scope.get("sector", ""))
    if whole is None:
        return None
    told = [_fitting(subject, {**scope, "sector": whole}, "percent", slots) for subject in _SUBJECTS["percent"]]
    of_it = [
        fact for subject in _SUBJECTS["percent"] for fact in Library.load().find(subject, sector=scope["sector"], of=whole) if not slots.years or str(fact.as_of or "")[:4] in map(str, slots.years)
    ]
    ids = [fact.id for facts in (*told, of_it) for fact in facts[:1]]
    return Call("look_up_references", {"query": ", ".join(ids)}) if any(told) else None


def _elsewhere(scope: dict[str, str], asked: str) -> Call | None:
    """Return the call for the figure of a place of which none is published: the tool says so, and gives that of no other place."""
    place, sector = scope.get("place", WORLD), scope.get("sector")
    if place == WORLD or sector not in _WORDS or asked not in _SUBJECTS:
        return None
    library = Library.load()
    return Call("look_up_references", {"query": f"{_WORDS[sector]}, {place_name(library, place)}", "subject": _SUBJECTS[asked][0]})


_WORDS = {"data-centres": "data centres", "ai-data-centres": "AI data centres"}


def from_source(slots: Slots, text: str) -> Call | None:
    """Return the call for the figure that a named source gives of what a question names, or None: "according to Li et al."."""
    library = Library.load()
    if slots.amounts or slots.power_w or (slots.hours is not None and slots.things) or any(number != 1 for kind, number in slots.counts.items() if kind not in TOKENS):
        return None
    sources = sources_named(library, text)
    if not sources:
        return None
    best = _of_source(library, slots, sources) if slots.wanted is None or slots.wanted in _DIMENSIONS else None
    if best is None and (slots.senses & _ASKING or slots.wanted in _DIMENSIONS):
        told = library.search(f"{text[:300]} {_length(slots) or ''}".strip(), limit=SEARCHED)
        best = next((fact for fact in told if isinstance(fact, Fact) and fact.source in sources), None)
    return Call("look_up_references", {"query": best.id}) if best is not None else None


_ASKING = {"ask.what", "ask.how_many", "ask.ratio", "mod.cited", "mod.average"}
SEARCHED = 8
"""How many of the facts that fit a question are looked at for one of the source that it names."""


def _of_source(library: Library, slots: Slots, sources: Set[str]) -> Fact | None:
    """Return the figure of the sources for the thing, the place and the year that a question names, or None."""
    things = {slots.named[kind][0] for kind in ("run", "model", "service", "task", "hardware") if kind in slots.named}
    needed = {key: name for key, name in {"place": _place(slots), "provider": slots.name("provider"), "sector": None if things else _sector(slots)}.items() if name is not None}
    if not (things or needed) or _length(slots) is not None:
        return None
    years = {str(year) for year in slots.years}
    subjects = ("training-",) if "act.train" in slots.senses else ("request-", "task-") if {"noun.request", "task"} & (slots.senses | slots.named.keys()) else ()
    found = [
        fact
        for source in sorted(sources)
        for fact in library.from_source(source)
        if (slots.wanted is None or fact.quantity.dimension in _DIMENSIONS[slots.wanted])
        and (not things or things & set(fact.scope.values()))
        and all(fact.scope.get(key) == name for key, name in needed.items())
        and (not subjects or fact.subject.startswith(subjects))
        and (not years or str(fact.as_of or "")[:4] in years)
        and ("place" in needed or fact.scope.get("place", WORLD) == WORLD or (things and fact.default is not None))
    ]
    return min(found, key=lambda fact: _order(fact, slots), default=None)


def _told_length(slots: Slots) -> str | None:
    """Return how long a question says that requests are, or None."""
    return next((word for word in ("short", "medium", "long") if f"mod.{word}" in slots.senses), None)


def _length(slots: Slots) -> str | None:
    """Return how long the requests are that a question tells, in words or by their tokens, in the words of those who publish by length, or None."""
    written, read = slots.counts.get("output"), slots.counts.get("input", 0.0)
    if written is not None:
        return length_of(read, written)
    return length_of(read, read) if read > SHORT else _told_length(slots)


def of_length(slots: Slots) -> Call | None:
    """Return the call for what is published of a model's requests of a length told in words, for as many as are told; None where that is not published."""
    model, length = slots.name("model"), _told_length(slots)
    if model is None or length is None or slots.wanted not in (None, "energy") or set(slots.counts) - {"request", "bare", "thing"} or slots.named.keys() & {"hardware", "task", "comparator", "place"}:
        return None
    figure = next((fact for fact in Library.load().find("request-energy", model=model) if fact.scope.get("case", "").startswith(length)), None)
    if figure is None:
        return None
    requests = next(iter(slots.counts.values()), 1.0)
    return Call("look_up_references", {"query": figure.id}) if requests == 1 else Call("calculate", {"expression": f"{requests!r} * fact:{figure.id}"})


def of_model(tool: str, arguments: Mapping[str, Any]) -> Call | None:
    """Return the call for what is published of a model that a tool can't calculate, or None where it can, or nothing is."""
    model = arguments.get("model")
    facts = [fact for fact in Library.load().find("task-energy", model=model) if fact.quantity.dimension == ENERGY] if isinstance(model, str) and "task" not in arguments else []
    if not facts:
        return None
    try:
        TOOLS[tool](dict(arguments))
    except NotPublished:
        return Call("look_up_references", {"query": facts[0].id})
    except KilowhatError:
        return None
    return None


def _place(slots: Slots) -> str | None:
    """Return the place that a question names, by itself or as that of all electricity of a country."""
    if "place" in slots.named:
        return slots.named["place"][0]
    library = Library.load()
    totals = [fact for thing in slots.named.get("comparator", ()) for fact in library.find("electricity-total", comparator=thing)]
    return next((fact.scope["place"] for fact in totals if "place" in fact.scope), None)


def _asked(slots: Slots) -> str | None:
    """Return what kind of figure is asked for."""
    if "mod.pue" in slots.senses and slots.pue is None:
        return "pue"
    if "mod.wue" in slots.senses:
        return "wue"
    if "ask.percent" in slots.senses or slots.percents:
        return "percent"
    return "energy" if slots.wanted is None and "about.datacentre" in slots.senses and slots.years else slots.wanted if slots.wanted in _SUBJECTS else None


def _scope(slots: Slots, asked: str) -> dict[str, str] | None:
    """Return what the scope of a fact must hold; None where a question is not about a whole sector or company."""
    if slots.things:
        return None
    scope = {key: slots.named[kind][0] for kind, key in _NAMED.items() if kind in slots.named and kind != "hardware"}
    if asked in ("pue", "wue"):
        return {key: name for key, name in scope.items() if name != WORLD} or {"provider": INDUSTRY}
    place, sector = _place(slots) if asked == "percent" else slots.name("place"), _sector(slots)
    if "provider" in scope:
        return scope
    of_ai = sector == "ai" and (slots.years or place is not None or (asked == "percent" and slots.wanted == "energy"))
    if not (sector is not None and (sector != "ai" or of_ai)):
        return None
    if asked == "percent" and sector == "data-centres" and "about.subject" in slots.senses and place is None:
        return {"sector": "ai", "of": sector, "place": WORLD}
    return {**scope, "sector": sector, "place": place or WORLD}


def _sector(slots: Slots) -> str | None:
    """Return the sector that a question is about."""
    return next((sector for sense, sector in (("about.ai_datacentre", "ai-data-centres"), ("about.datacentre", "data-centres"), ("about.subject", "ai")) if sense in slots.senses), None)


SECTORS = {"about.mining": "bitcoin", "about.ai_datacentre": "ai-data-centres", "about.datacentre": "data-centres", "about.subject": "ai-data-centres"}
"""The sector of which a sense tells; the electricity of AI is that of the data centres that run it."""


def of_sector(sense: str, wanted: str | None) -> str | None:
    """Return the published yearly total of the sector that a sense tells, as a quantity: its electricity, or its emissions where these are wanted."""
    subject = "emissions-total" if wanted == "emissions" else "electricity-total"
    found = Library.load().find(subject, sector=SECTORS[sense], place=WORLD) if sense in SECTORS else []
    best = min(found, key=lambda fact: (fact.default is None, -int(str(fact.as_of or "0")[:4])), default=None)
    return f"fact:{best.id}" if best is not None else None


def of_country(name: str) -> str | None:
    """Return the published yearly electricity of a whole country, or of the world, as a quantity."""
    found = [fact for key in ("comparator", "place") for fact in Library.load().find("electricity-total", **{key: name}) if "sector" not in fact.scope and "provider" not in fact.scope]
    return f"fact:{found[0].id}" if found else None


def sector_totals(slots: Slots) -> list[Fact]:
    """Return the published yearly electricity of the sector that a question is about, of the world where it is about none, the one taken by default first, then the newest."""
    sector = next((SECTORS[sense] for sense in SECTORS if sense in slots.senses), None)
    scope = {"sector": sector} if sector is not None else {}
    found = Library.load().find("electricity-total", place=slots.name("place") or WORLD, **scope) if sector is not None or slots.amounts else []
    return sorted(found, key=lambda fact: (fact.default is None, -int(str(fact.as_of or "0")[:4])))


def _fitting(subject: str, scope: dict[str, str], asked: str, slots: Slots) -> list[Fact]:
    found = Library.load().find(subject, **scope)
    if asked in ("energy", "emissions", "water"):
        found = [fact for fact in found if parse_unit(fact.unit).dimension in _DIMENSIONS[asked]]
    elif asked == "percent":
        found = [fact for fact in found if fact.unit in ("percent", "%") and fact.scope.get("of") == scope.get("of") and fact.share_of in (None, slots.wanted or fact.share_of)]
    years = {str(year) for year in slots.years}
    return [fact for fact in found if not years or str(fact.as_of or "")[:4] in years]


def _order(fact: Fact, slots: Slots) -> tuple[bool, int, int]:
    """Return the order in which facts are taken: defaults first, the fewest special cases, the newest."""
    asked_first = slots.years and str(slots.years[0]) == str(fact.as_of or "")[:4]
    return (not asked_first, fact.default is None, len(fact.scope) * 10000 - int(str(fact.as_of or "0")[:4] or 0))


def measured_by(thing: str) -> str | None:
    """Return what an everyday thing is counted by: its energy where that is known, else its emissions or its water."""
    library = Library.load()
    known = {fact.quantity.dimension for fact in library.find("comparator", comparator=thing) + library.find("electricity-total", comparator=thing)}
    return next((quantity for quantity, dimension in (("energy", ENERGY), ("emissions", EMISSIONS), ("water", VOLUME)) if dimension in known), None)


def query_of(slots: Slots, text: str) -> str:
    """Return what to look for: the names and the quantity in the library's own words where the question names something, else its own words."""
    library = Library.load()
    kinds = {"run": "runs", "task": "tasks", "service": "services", "model": "models", "hardware": "hardware"}
    names = [library.named(kind, slots.named[slot][0]).name for slot, kind in kinds.items() if slot in slots.named]
    if not names:
        return text[:300]
    asked = [word for word in ("emissions", "energy", "water") if f"ask.{word}" in slots.senses]
    length = [told] if (told := _length(slots)) is not None else []
    training = ["training"] if "run" in slots.named and "service" not in slots.named else []
    each = [f"{value:g} {unit}" for value, unit in ((slots.energy_wh_each, "Wh"), (slots.emissions_g_each, "g CO2e"), (slots.water_ml_each, "mL")) if value is not None]
    return " ".join([*dict.fromkeys(names), *length, *training, *asked, *(amount.replace(".0 ", " ") for amount, _ in slots.amounts), *each])[:300]


def subject_of(slots: Slots) -> dict[str, str]:
    """Return the subject of the figure asked for, where what is named and what is asked tell it."""
    dimensions = {dimension for _, dimension in slots.amounts}
    asked = "emissions" if "ask.emissions" in slots.senses or EMISSIONS in dimensions else "energy" if "ask.energy" in slots.senses or ENERGY in dimensions else None
    if asked is None:
        return {}
    if "run" in slots.named and "service" not in slots.named:
        return {"subject": f"training-{asked}"}
    return {"subject": "task-energy"} if "task" in slots.named and asked == "energy" else {}
