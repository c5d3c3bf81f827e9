"""From mentions to slots: who is asked about, how many, how long, where, and what is wanted.

Numbers go where ``counting`` says, quantities where ``measures`` does, periods where ``timing`` does. What is left over keeps
its place as a name that nothing here knows, so that a tool refuses it with the nearest names and no default slips in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kilowhat.plugin.understanding.counting import JOINT, REACH, SENTENCE_END, class_of, count, meant
from kilowhat.plugin.understanding.everyday import count_everyday, hours_beside, years_behind
from kilowhat.plugin.understanding.measures import as_text, bound, measure, share_units
from kilowhat.plugin.understanding.mention import Mention
from kilowhat.plugin.understanding.timing import PERIOD_HOURS, read_times, scheduled, working_days
from kilowhat.plugin.understanding.unknown import unknown, unreadable
from kilowhat.tools import Library
from kilowhat.tools.core.patterns import Late
from kilowhat.tools.core.units import EMISSIONS, ENERGY, MASS, POWER, TIME, VOLUME, Dimension, parse_unit

THINGS = ("task", "llm", "run", "model", "service", "hardware")


@dataclass(frozen=True, slots=True)
class Slots:
    """What a question tells.

    ``named`` holds the ids of each kind of name in order; ``counts`` a number for each kind of thing
    counted (task, device, server, request, concurrent, user, word, token, input, output, reasoning, step, comparator,
    thing, and bare where nothing is counted), ``ends`` both ends where a range is told; ``amounts`` the quantities
    with their dimension. ``rate`` is the period by which things are counted (a day), ``hours`` how long
    something runs, ``span_hours`` the period over which the answer is wanted.
    ``hour_ends`` holds both ends of such a time where it is a range.
    ``every_hours`` is the time after which something comes again, or grows by a factor.
    ``daily_hours`` and ``weekly_days`` say how much of a day and of a week it runs; ``spans`` the periods where several are asked for.
    ``amount_rate`` is the period that an amount is told for, ``roles`` the amounts by part of a life cycle,
    ``as_gas`` whether a mass is said to be one of greenhouse gas.
    ``quotient`` holds two amounts or numbers, the first of which is to be divided by the second.
    ``comparator_each`` is the energy told for one of an everyday thing (19 Wh per charge).
    ``factor`` says by how much the number of a thing changes (double the cards).
    ``times`` is a ratio that is stated (10 times more than); ``spare`` the numbers that count what another one counts;
    ``asked`` the kind of thing whose number is asked for (how many images); ``aside`` whether an
    everyday thing is only mentioned beside the question; ``bound`` is >, < or ≠ before a stated amount.
    """

    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    counts: Mapping[str, float] = field(default_factory=dict)
    amounts: tuple[tuple[str, Dimension], ...] = ()
    ends: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    hours: float | None = None
    durations: tuple[float, ...] = ()
    hour_ends: tuple[float, ...] = ()
    device_hours: float | None = None
    rate: str | None = None
    lifetime_hours: float | None = None
    span_hours: float | None = None
    spans: tuple[float, ...] = ()
    every_hours: float | None = None
    daily_hours: float | None = None
    weekly_days: float | None = None
    asked: str | None = None
    aside: bool = False
    bound: str | None = None
    times: float | None = None
    efficiency_gain: float | None = None
    spare: tuple[str, ...] = ()
    size: tuple[float, float] | None = None
    power_w: tuple[float, ...] = ()
    energy_wh_each: float | None = None
    comparator_each: str | None = None
    emissions_g_each: float | None = None
    water_ml_each: float | None = None
    as_gas: bool = False
    amount_rate: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    wue_l_per_kwh: float | None = None
    factor: tuple[float, str] | None = None
    quotient: tuple[str, ...] = ()
    seconds_per_word: float | None = None
    parameters_b: float | None = None
    weight_bits: float | None = None
    pue: float | None = None
    pues: tuple[float, ...] = ()
    utilisation: float | None = None
    percents: tuple[float, ...] = ()
    intensities_g: tuple[float, ...] = ()
    years: tuple[int, ...] = ()
    wanted: str | None = None
    unit: str | None = None
    senses: frozenset[str] = frozenset()
    unknown: str | None = None
    unknown_model: str | None = None
    unknown_place: str | None = None
    unknown_device: str | None = None
    unknown_project: str | None = None
    unknown_wanted: str | None = None
    unreadable: str | None = None

    def name(self, kind: str) -> str | None:
        """Return the first name of a kind, or None."""
        names = self.named.get(kind, ())
        return names[0] if names else None

    @property
    def things(self) -> list[str]:
        """The kinds of named things that the question is about."""
        return [kind for kind in THINGS if kind in self.named]

    def amount(self, *dimensions: Dimension) -> str | None:
        """Return the first quantity of one of the dimensions as text, or None."""
        return next((text for text, dimension in self.amounts if dimension in dimensions), None)

    @property
    def about_subject(self) -> bool:
        """Whether anything ties the question to AI and its energy."""
        energy = any(dimension == ENERGY for _, dimension in self.amounts)
        told = (
            self.things
            or energy
            or (self.amounts and (self.as_gas or self.senses & {"ask.emissions", "ask.water"} or "comparator" in self.named))
            or self.power_w
            or self.energy_wh_each
            or self.water_ml_each
            or self.emissions_g_each
            or "forecast" in self.named
            or self.intensities_g
            or self.parameters_b
        )
        return bool(told or self.senses & {"about.subject", "about.datacentre", "about.ai_datacentre", "act.train", "noun.accelerator", "noun.server", "ask.grid", "mod.pue", "mod.wue"})


def read_slots(text: str, mentions: Sequence[Mention]) -> Slots:
    """Return the slots that the mentions of a question fill."""
    told: dict[str, Any] = {}
    named: dict[str, list[str]] = {}
    counts: dict[str, float] = {}
    senses = frozenset(sense for mention in mentions for sense in mention.senses if sense != "shape.yes_no" or mention.start == 0)
    for position, mention in enumerate(mentions):
        for kind, name in meant(mention).items():
            if name not in named.setdefault(kind, []):
                named[kind].append(name)
        if mention.number is not None and not working_days(mentions, position, told):
            count(text, mentions, position, counts, told)
        elif mention.quantity is not None and not scheduled(mentions, position, told):
            measure(text, mentions, position, told)
            if mention.quantity.dimension in (ENERGY, EMISSIONS, VOLUME, MASS, POWER) and (sign := bound(mentions, position)):
                told.setdefault("bound", sign)
        if mention.unit is not None:
            told.setdefault("unit", mention.unit)
    durations = told.get("durations", [])
    if len(durations) == 2 and "act.make" in senses and "lifetime_hours" not in told:
        told |= {"lifetime_hours": max(durations), "hours": min(durations)}
    told.update(read_times(text, mentions, senses, told, counts))
    told["asked"] = _asked(mentions)
    told["aside"] = _aside(text, mentions)
    told["factor"] = _factor(mentions)
    told["quotient"] = _quotient(text, mentions)
    if bits := _BITS.search(text):
        told["weight_bits"] = float(next(group for group in bits.groups() if group))
    if lost := unreadable(text, mentions):
        told["unreadable"] = lost
    told["wanted"] = _wanted(mentions, senses, told.get("unit"))
    if told["wanted"] == "energy" and "ask.power" in senses and told.get("unit") is None and not any(told.get(time) for time in ("hours", "span_hours", "rate", "daily_hours")):
        told["wanted"] = "power"
    share_units(told, counts, senses)
    told.pop("intensity_scale", None)
    _repeat(named, counts, told)
    if counts.get("comparator") and (years := years_behind(text, mentions)) is not None:
        counts["comparator"] *= years
        told = {name: value for name, value in told.items() if name not in ("hours", "durations", "span_hours")}
    count_everyday(named.get("comparator", []), counts, told, alone="hardware" not in named and not told.get("power_w"), beside=hours_beside(mentions))
    if (load := next((sense for sense in senses if sense.startswith("load.")), None)) is not None and load != "load.1":
        told.setdefault("utilisation", float(load.removeprefix("load.")))
    if "run" in named and _is_no_training(named, senses, told):
        del named["run"]
    _without_zones_own(named)
    if "hardware" in named and "device_hours" in told and not counts.keys() & {"request", "token", "output", "input", "task"}:
        named = {kind: names for kind, names in named.items() if kind not in ("llm", "model")}
    _composed(named, counts, senses)
    if "noun.request" not in senses and _does(text, mentions):
        named["undisclosed"] = named.pop("service")
    if _is_training(counts, told):
        senses |= {"act.train"}
    _per_piece(text, mentions, counts)
    if "each" in senses and "bare" in counts and "request" in counts and "user" not in counts:
        counts["user"] = counts.pop("bare")
    servers = "server" if "server" in counts else "bare" if "noun.server" in senses else ""
    if 1 < counts.get("device", 0.0) <= MOST_OF_A_SERVER and counts.get(servers, 0.0) > 1 and list(counts).index(servers) < list(counts).index("device"):
        counts["device"] *= counts.pop(servers)
    if counts.get("request") == 1 and counts.get("bare", 0) > 1 and "energy_wh_each" in told:
        counts["request"] = counts.pop("bare")
    if counts.get("task") == 1 and counts.get("thing", 0) > 1:
        counts["task"] = counts.pop("thing")
    homes = [thing for thing in named.get("comparator", []) if thing.endswith("-home-year")]
    if len(homes) > 1 and "us-home-year" in homes and not re.search(r"\bU\.?S|americ|美", text, re.IGNORECASE):
        named["comparator"].remove("us-home-year")
    if (own := _of_everyday_thing(mentions, named)) is not None:
        told["comparator_each"] = own
        told.pop("energy_wh_each", None)
    told.update({name: tuple(value) for name, value in told.items() if isinstance(value, list)})
    if told.get("energy_wh_each") is not None and "each" in senses and not counts and not set(named) & set(THINGS) and len(named.get("place", ())) > 1:
        told["amounts"] = (*told.get("amounts", ()), (f"{told.pop('energy_wh_each')!r} Wh", ENERGY))
    told.update(unknown(text, mentions, "place" in named))
    return replace(Slots(), named={kind: tuple(names) for kind, names in named.items()}, counts=counts, senses=senses, **told)


def _is_no_training(named: Mapping[str, list[str]], senses: frozenset[str], told: Mapping[str, Any]) -> bool:
    """Return whether a model that is named is not asked for its training: it does a task, or the question tells accelerators and their hours itself."""
    does = "task" in named or senses & {"act.classify", *_DONE}
    return bool(does and "act.train" not in senses) or ("hardware" in named and "device_hours" in told)


_FOR_ONE = re.compile(r"(?P<amount>[^/]+?)(?:\s*/\s*|\s+per\s+)(?P<thing>.+)")


def _of_everyday_thing(mentions: Sequence[Mention], named: Mapping[str, list[str]]) -> str | None:
    """Return the energy that a question itself tells for one of an everyday thing, or None: 19 Wh per charge, 0.18 kWh per km."""
    if "comparator" not in named:
        return None
    told = Library.load().named("comparators", named["comparator"][0])
    words = {word.rstrip("s") for spelling in (told.name, told.get("measure") or "", *told.aliases) for word in re.findall(r"\w+", spelling.casefold())}
    for quantity in (mention.quantity for mention in mentions if mention.quantity is not None):
        one = _FOR_ONE.fullmatch(quantity.unit)
        if one and parse_unit(one["amount"]).dimension == ENERGY and one["thing"].casefold().rstrip("s") in words:
            return f"{quantity.value!r} {one['amount']}"
    return None


def _without_zones_own(named: dict[str, list[str]]) -> None:
    """Take away the provider whose cloud zone is named: AWS, beside us-east-1."""
    if "provider" not in named or "place" not in named:
        return
    zones = {Library.load().raw("places").get(place, {}).get("provider") for place in named["place"]}
    named["provider"] = [provider for provider in named["provider"] if provider not in zones]
    if not named["provider"]:
        del named["provider"]


def _does(text: str, mentions: Sequence[Mention]) -> bool:
    """Return whether a service is said to make pictures, rather than named beside them."""
    service = next((mention for mention in mentions if "service" in meant(mention)), None)
    task = next((mention for mention in mentions if meant(mention).get("task") in PICTURED), None)
    if service is None or task is None:
        return False
    first, last = sorted((service, task), key=lambda mention: mention.start)
    return not JOINT.search(text, first.end, last.start) and not any("shape.versus" in mention.senses for mention in mentions if first.end <= mention.start < last.start)


PICTURED = ("image-generation", "video-generation")
"""Tasks of which no service has published a figure: one that does them has that of the task in general."""


def _is_training(counts: Mapping[str, float], told: Mapping[str, Any]) -> bool:
    """Return whether parameters and tokens are those of a training run: more tokens than parameters, and no period or request in which they are read or written."""
    parameters = told.get("parameters_b", counts.get("parameter", 0.0) / 1e9) * 1e9
    return 0 < parameters <= counts.get("token", 0.0) and not told.get("rate") and not counts.keys() & {"request", "user", "input", "output"}


def classification_of(task: str) -> str:
    """Return the task that sorts what another task makes or reads."""
    return "image-classification" if task.startswith("image") else "text-classification"


_DONE = {"act.write": "text-generation", "act.draw": "image-generation"}
"""The task that AI does where nothing but the doing is named: have AI write 200 blurbs."""


def _takes_images(task: str) -> bool:
    """Return whether a task takes an image, so that one named beside it is not made."""
    return bool(Library.load().named("tasks", task).get("takes") == "image")


def _composed(named: dict[str, list[str]], counts: dict[str, float], senses: frozenset[str]) -> None:
    """Name the task that AI is said to do, and count what it makes."""
    if "act.classify" in senses and named.get("task") == ["image-generation"]:
        named["task"] = ["image-classification"]
    if (
        "image-generation" in named.get("task", ())
        and len(named["task"]) > 1
        and any(map(_takes_images, named["task"]))
        and len(counts) < len(named["task"])
        and not senses & {"act.draw", "shape.versus", "ask.ratio"}
    ):
        named["task"] = [task for task in named["task"] if task != "image-generation"]
    if "llm" in named and named.get("task") == ["extractive-qa"]:
        del named["task"]
    done = next((task for act, task in _DONE.items() if act in senses), None)
    kind = next((kind for kind in ("thing", "bare") if kind in counts), None)
    if "act.classify" in senses and kind is not None and not set(named) & set(THINGS):
        named["task"] = ["text-classification"]
        counts["task"] = counts.pop(kind)
    if done is None or kind is None or "about.subject" not in senses or set(named) & set(THINGS):
        return
    named["task"] = [done]
    counts["task"] = counts.pop(kind)


def _repeat(named: Mapping[str, list[str]], counts: dict[str, float], told: dict[str, Any]) -> None:
    """Count what is done several times a period as often as it comes: two prompts twice an hour, an image every five minutes; where nothing is done, the time is how long something runs."""
    often, hours = told.pop("often", None), told.get("every_hours")
    kind = next((kind for kind in ("task", "request") if kind in counts or (kind in named)), "request" if {"service", "llm"} & named.keys() else None)
    if often is None:
        return
    if kind is None:
        if "hours" not in told and hours is not None and hours < PERIOD_HOURS["year"]:
            told["hours"] = hours
        return
    if counts.get("thing") == often:
        del counts["thing"]
    told["spare"] = [number for number in told.get("spare", ()) if number != f"{often:g}"]
    counts[kind] = counts.get(kind, 1.0) * often


MOST_OF_A_SERVER = 16.0
"""Devices that are told behind a number of servers, and no more than this, are those of each server."""

_PIECE = Late(r"\b(?:per|each|every|pro|par|por)\s+(?P<piece>[^\W\d_]{3,}?)s?\b", re.IGNORECASE, needs=("per", "each", "every", "pro", "par", "por"))


def _per_piece(text: str, mentions: Sequence[Mention], counts: dict[str, float]) -> None:
    """Multiply a count per piece by the pieces: 40 calls per ticket, 600 tickets a week."""
    counted = next((kind for kind in ("request", "task") if kind in counts), None)
    if counted is None or "bare" not in counts:
        return
    for match in _PIECE.finditer(text):
        pieces = re.compile(rf"\s+(?:\w+\s)?{re.escape(match['piece'])}s?\b", re.IGNORECASE)
        if any(mention.number == counts["bare"] and pieces.match(text, mention.end) for mention in mentions):
            counts[counted] *= counts.pop("bare")
            return


_BITS = Late(r"\b(?:(\d{1,2})[\s-]?bits?|(?:fp|int|bf|q)(4|8|16|32))\b", re.IGNORECASE, needs=("bit", "fp", "int", "bf", "q"))


_ASKED = frozenset({"ask.energy", "ask.emissions", "ask.water"})


def _asked(mentions: Sequence[Mention]) -> str | None:
    """Return the kind of thing that "how many" asks for: the next one that is counted, if no number and no unit comes before it."""
    start = next((position for position, mention in enumerate(mentions) if "ask.how_many" in mention.senses), None)
    found = None
    for mention in mentions[start + 1 : start + 1 + REACH] if start is not None else ():
        if mention.number is not None or mention.quantity is not None or mention.unit is not None or any(sense in _ASKED for sense in mention.senses):
            break
        kind = "run" if "act.train" in mention.senses else "request" if {"service", "llm"} & mention.names.keys() and "comparator" not in mention.names else class_of(mention)
        found = kind if kind is not None and (found is None or found == "thing") else found
    return found


def _aside(text: str, mentions: Sequence[Mention]) -> bool:
    """Return whether everyday things come only behind what is asked: in a sentence of their own, or after a unit that is asked first."""
    units = [position for position, mention in enumerate(mentions) if mention.unit is not None]
    if units and any("ask.how_many" in mention.senses for mention in mentions[units[0] + 1 :]):
        return True
    asked = [mention.end for mention in mentions if any(sense in _ASKED for sense in mention.senses)]
    things = [mention.start for mention in mentions if "comparator" in meant(mention)]
    return bool(asked and things) and SENTENCE_END.search(text, asked[0], min(things)) is not None and asked[0] < min(things)


def _factor(mentions: Sequence[Mention]) -> tuple[float, str] | None:
    """Return by how much a number changes, and of what: double the cards, half as many images."""
    for position, mention in enumerate(mentions):
        told = next((sense for sense in mention.senses if sense.startswith("factor.")), None)
        if told is not None:
            kind = next((found for after in mentions[position + 1 : position + 1 + REACH] if (found := class_of(after)) is not None), "bare")
            return float(told.removeprefix("factor.")), kind
    return None


_OVER = Late(r"\s*[/÷]\s*", needs=("/", "÷"))


def _quotient(text: str, mentions: Sequence[Mention]) -> tuple[str, ...]:
    """Return an amount or a number and what it is divided by: 500 kWh divided by 20, 10 kWh / 0."""
    numeric = [mention for mention in mentions if mention.number is not None or mention.quantity is not None]
    if len(numeric) != 2:
        return ()
    first, last = numeric
    divided = any("act.divide" in mention.senses for mention in mentions if first.end <= mention.start) or _OVER.fullmatch(text, first.end, last.start)
    return tuple(as_text(mention.quantity) if mention.quantity is not None else f"{mention.number!r}" for mention in numeric) if divided else ()


_QUANTITIES = {ENERGY: "energy", EMISSIONS: "emissions", VOLUME: "water", MASS: "emissions", POWER: "power"}


def _wanted(mentions: Sequence[Mention], senses: frozenset[str], unit: str | None) -> str | None:
    """Return the quantity that is asked for: by the unit wanted, else by the first word for one."""
    if "ask.source" in senses:
        return "source"
    wanted = _QUANTITIES.get(parse_unit(unit).dimension) if unit is not None else None
    if wanted is None:
        wanted = next((sense.partition(".")[2] for mention in mentions for sense in mention.senses if sense in _ASKED), None)
    if wanted is None and "ask.power" in senses:
        return "power"
    if (
        wanted is None
        and "noun.power" in senses
        and any("hardware" in mention.names for mention in mentions)
        and not any(mention.quantity is not None and mention.quantity.dimension == TIME for mention in mentions)
    ):
        return "power"
    given = {mention.quantity.dimension for mention in mentions if mention.quantity is not None}
    if wanted == "energy" and unit is None and ENERGY in given and "ask.emissions" in senses:
        return "emissions"
    return "water-on-site" if wanted in (None, "water") and "mod.on_site" in senses else wanted
