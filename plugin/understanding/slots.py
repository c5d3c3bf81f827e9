"""From mentions to slots: who is asked about, how many, how long, where, and what is wanted.

A number belongs to the thing it counts: the next thing after it, or the one just before
(画图一千次). What is left over keeps its place as a name that nothing here knows, so
that a tool refuses it with the nearest names and no default slips in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from kilowhat.plugin.understanding.recognise import Mention
from kilowhat.tools.core.units import EMISSIONS, ENERGY, MASS, POWER, TIME, VOLUME, Quantity, combine

PERIOD_HOURS = {"second": 1 / 3600, "hour": 1.0, "day": 24.0, "week": 168.0, "month": 730.0, "year": 8760.0}
NAMED_THINGS = ("task", "run", "model", "service", "hardware")

_INTENSITY = combine(EMISSIONS, ENERGY, -1)
_REACH = 3
"""How many mentions a number may be away from what it counts."""


@dataclass(frozen=True, slots=True)
class Slots:
    """What a question tells.

    ``counts`` holds a number for each kind of thing counted (task, device, server, request, user, word, token,
    comparator, thing, and bare where nothing is counted).
    """

    task: str | None = None
    run: str | None = None
    model: str | None = None
    service: str | None = None
    hardware: str | None = None
    place: str | None = None
    comparators: tuple[str, ...] = ()
    counts: Mapping[str, float] = field(default_factory=dict)
    hours: float | None = None
    per: tuple[str, ...] = ()
    power_w: float | None = None
    amount: str | None = None
    amount_dimension: tuple[tuple[str, int], ...] = ()
    energy_wh_each: float | None = None
    seconds_per_word: float | None = None
    pue: float | None = None
    utilisation: float | None = None
    intensity_g: float | None = None
    wanted: str | None = None
    unit: str | None = None
    senses: frozenset[str] = frozenset()
    unknown: str | None = None
    unknown_place: str | None = None
    unknown_wanted: str | None = None

    @property
    def things(self) -> list[str]:
        """The kinds of named things that the question is about."""
        return [kind for kind in NAMED_THINGS if getattr(self, kind) is not None]

    @property
    def about_subject(self) -> bool:
        """Whether anything ties the question to AI and its energy."""
        trains = "act.train" in self.senses and self.unknown is not None
        told = self.things or self.amount or self.power_w or self.energy_wh_each or trains
        return bool(told or self.senses & {"about.subject", "noun.accelerator", "noun.server"})


def read_slots(text: str, mentions: Sequence[Mention]) -> Slots:
    """Return the slots that the mentions of a question fill."""
    told: dict[str, object] = {}
    counts: dict[str, float] = {}
    senses = frozenset(sense for mention in mentions for sense in mention.senses)
    comparators: list[str] = []
    for position, mention in enumerate(mentions):
        for kind, name in _meant(mention).items():
            if kind == "comparator":
                if name not in comparators:
                    comparators.append(name)
            else:
                told.setdefault(kind, name)
        if mention.number is not None:
            _count(mentions, position, counts, told)
        elif mention.quantity is not None:
            _measure(mention, told, text)
        if mention.unit is not None:
            told.setdefault("unit", mention.unit)
    told.update(_time(mentions, senses, told))
    told["wanted"] = _wanted(senses, told.get("unit"))
    return replace(Slots(), counts=counts, comparators=tuple(comparators), senses=senses, **told, **_unknown(text, mentions, told))  # type: ignore[arg-type]


def _meant(mention: Mention) -> dict[str, str]:
    """Return the names of a mention; a country is a place before it is something to compare with."""
    names = dict(mention.names)
    if "place" in names or any(sense.startswith("act.") for sense in mention.senses):
        names.pop("comparator", None)
    if "service" in names and "run" in names:
        names.pop("run")
    return names


_COUNTED = {"noun.request": "request", "noun.user": "user", "noun.accelerator": "device", "noun.server": "server", "noun.word": "word", "noun.token": "token", "noun.thing": "thing"}


def _class(mention: Mention) -> str | None:
    """Return the kind of thing that a mention counts, or None."""
    if "task" in mention.names:
        return "task"
    if "hardware" in mention.names:
        return "device"
    if "comparator" in mention.names and "place" not in mention.names:
        return "comparator"
    return next((_COUNTED[sense] for sense in mention.senses if sense in _COUNTED), None)


def _count(mentions: Sequence[Mention], position: int, counts: dict[str, float], told: dict[str, object]) -> None:
    """Give a number to what it counts, or to the factor that it tells."""
    number = mentions[position].number
    before = mentions[position - 1] if position else None
    if number is None:
        return
    if before is not None and "mod.pue" in before.senses:
        told.setdefault("pue", number)
        return
    if before is not None and "mod.utilisation" in before.senses and 0 <= number <= 1:
        told.setdefault("utilisation", number)
        return
    counted = "bare"
    for after in mentions[position + 1 : position + 1 + _REACH]:
        if after.number is not None or after.quantity is not None or "prep" in after.senses:
            break
        found = _class(after)
        if found == "thing" and counted == "bare":
            counted = "thing"
            continue
        if found is not None:
            counted = found
            break
    if counted == "bare" and before is not None:
        counted = _class(before) or "bare"
    counts.setdefault(counted, number)


def _measure(mention: Mention, told: dict[str, object], text: str) -> None:
    """Put a quantity where its dimension belongs."""
    quantity = mention.quantity
    if quantity is None:
        return
    dimension = quantity.dimension
    per_thing = re.search(r"/|\bper\b|每", quantity.unit)
    if dimension == TIME and per_thing and re.search(r"word|字|词|詞", quantity.unit):
        told.setdefault("seconds_per_word", quantity.to("s").value)
    elif dimension == TIME:
        told.setdefault("hours", quantity.to("h").value)
    elif dimension == POWER:
        told.setdefault("power_w", quantity.to("W").value)
    elif dimension == _INTENSITY:
        told.setdefault("intensity_g", quantity.to("g CO2e/kWh").value)
    elif dimension == ENERGY and (per_thing or re.match(r"\s*(?:each|apiece|a piece|per\b|每)", text[mention.end :])):
        told.setdefault("energy_wh_each", quantity.to("Wh").value)
    elif dimension in (ENERGY, EMISSIONS, VOLUME):
        told.setdefault("amount", _as_text(quantity))
        told.setdefault("amount_dimension", dimension)
    elif dimension == MASS:
        told.setdefault("amount", _as_text(Quantity(quantity.to("kg").value, "kg CO2e", None, None)))
        told.setdefault("amount_dimension", EMISSIONS)
    elif quantity.unit == "%":
        told.setdefault("utilisation", quantity.value / 100)


def _as_text(quantity: Quantity) -> str:
    if quantity.low is not None and quantity.high is not None:
        return f"{quantity.low!r} to {quantity.high!r} {quantity.unit}"
    return f"{quantity.value!r} {quantity.unit}"


def _time(mentions: Sequence[Mention], senses: frozenset[str], told: Mapping[str, object]) -> dict[str, object]:
    """Return how long something runs and by which period it is counted."""
    per = tuple(sense.partition(".")[2] for mention in mentions for sense in mention.senses if sense.startswith("per."))
    hours = told.get("hours")
    for period, length in PERIOD_HOURS.items():
        if f"for.{period}" in senses and hours is None:
            hours = length
    if isinstance(hours, float) and hours <= 24 and "day" in per and (longer := [period for period in per if period in ("week", "month", "year")]):
        hours = hours * PERIOD_HOURS[longer[0]] / 24
    return {"per": per, **({"hours": hours} if hours is not None else {})}


def _wanted(senses: frozenset[str], unit: object) -> str | None:
    """Return the quantity that is asked for: by the unit wanted, else by the words."""
    from kilowhat.tools.core.units import parse_unit

    if isinstance(unit, str):
        dimension = parse_unit(unit).dimension
        by_unit = {ENERGY: "energy", EMISSIONS: "emissions", VOLUME: "water", MASS: "emissions", POWER: "power"}.get(dimension)
        if by_unit is not None:
            return by_unit
    for sense in ("ask.source", "ask.emissions", "ask.water", "ask.energy"):
        if sense in senses:
            return sense.partition(".")[2]
    return None


_UNKNOWN = re.compile(r"\b[A-Z][\w.-]*(?:\s+[A-Z0-9][\w.-]*)*|\b[a-z]+[-.]?\d[\w.-]*")
_ASKED_THING = re.compile(r"\s+(?P<name>[a-z]{3,})", re.IGNORECASE)
_AFTER_PREP = re.compile(r"\s*(?:the\s+)?(?P<name>[A-Za-zÀ-ÿ][\w'-]*(?:\s+[A-Z][\w'-]*)*)")


def _unknown(text: str, mentions: Sequence[Mention], told: Mapping[str, object]) -> dict[str, str]:
    """Return a name that nothing recognised: as a place where it stands after 'in', else as a thing."""
    covered = [(mention.start, mention.end) for mention in mentions]

    def free(start: int, end: int) -> bool:
        return all(end <= left or start >= right for left, right in covered)

    found: dict[str, str] = {}
    for mention in mentions:
        if "prep" in mention.senses and "place" not in told and text[mention.start : mention.end].casefold() in ("in", "region"):
            after = _AFTER_PREP.match(text, mention.end)
            if after and free(*after.span("name")) and (after["name"][0].isupper() or after.end() >= len(text.rstrip("?.! ")) - 1):
                found["unknown_place"] = after["name"]
    for mention in mentions:
        asked = _ASKED_THING.match(text, mention.end) if "ask.how_many" in mention.senses else None
        if asked and free(*asked.span("name")):
            found["unknown_wanted"] = asked["name"]
    for match in _UNKNOWN.finditer(text):
        if match.start() == 0 and "-" not in match[0] and not re.search(r"\d", match[0]):
            continue
        if free(*match.span()) and match[0] not in found.get("unknown_place", "") and len(match[0]) > 1:
            found.setdefault("unknown", match[0])
    return found
