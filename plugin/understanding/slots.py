"""From mentions to slots: who is asked about, how many, how long, where, and what is wanted.

A number belongs to the thing it counts: the next thing after it, or the one just before
(画图一千次). What is left over keeps its place as a name that nothing here knows, so
that a tool refuses it with the nearest names and no default slips in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kilowhat.plugin.understanding.recognise import Mention
from kilowhat.tools import Library
from kilowhat.tools.core.units import EMISSIONS, ENERGY, LENGTH, MASS, POWER, TIME, VOLUME, Dimension, Quantity, combine, parse_unit

PERIOD_HOURS = {"second": 1 / 3600, "hour": 1.0, "day": 24.0, "week": 168.0, "month": 730.0, "year": 8760.0}
SPANS = {**PERIOD_HOURS, "half_year": PERIOD_HOURS["year"] / 2}
THINGS = ("task", "llm", "run", "model", "service", "hardware")
TOKENS = ("token", "input", "output", "reasoning")
"""Kinds of tokens that are counted."""

INTENSITY = combine(EMISSIONS, ENERGY, -1)
_MASS_INTENSITY = combine(MASS, ENERGY, -1)
_DATA: Dimension = (("data", 1),)
_REACH = 3
"""How many mentions a number may be away from what it counts."""


@dataclass(frozen=True, slots=True)
class Slots:
    """What a question tells.

    ``named`` holds the ids of each kind of name in order; ``counts`` a number for each kind of thing
    counted (task, device, server, request, user, word, token, input, output, reasoning, comparator, thing, and
    bare where nothing is counted), ``ends`` both ends where a range is told; ``amounts`` the quantities
    with their dimension. ``rate`` is the period by which things are counted (a day), ``hours`` how long
    something runs, ``span_hours`` the period over which the answer is wanted.
    ``daily_hours`` and ``weekly_days`` say how much of a day and of a week it runs; ``spans`` the periods where several are asked for.
    ``times`` is a ratio that is stated (10 times more than); ``spare`` the numbers that count what another one counts;
    ``asked`` the kind of thing whose number is asked for (how many images); ``bound`` is > or < before a stated amount.
    """

    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    counts: Mapping[str, float] = field(default_factory=dict)
    amounts: tuple[tuple[str, Dimension], ...] = ()
    ends: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    hours: float | None = None
    device_hours: float | None = None
    rate: str | None = None
    span_hours: float | None = None
    spans: tuple[float, ...] = ()
    daily_hours: float | None = None
    weekly_days: float | None = None
    asked: str | None = None
    bound: str | None = None
    times: float | None = None
    spare: tuple[str, ...] = ()
    size: tuple[float, float] | None = None
    power_w: tuple[float, ...] = ()
    energy_wh_each: float | None = None
    emissions_g_each: float | None = None
    water_ml_each: float | None = None
    seconds_per_word: float | None = None
    parameters_b: float | None = None
    weight_bits: float | None = None
    pue: float | None = None
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
        told = self.things or self.amounts or self.power_w or self.energy_wh_each or "forecast" in self.named or self.intensities_g or self.parameters_b
        return bool(told or self.senses & {"about.subject", "about.datacentre", "act.train", "noun.accelerator", "noun.server", "ask.grid"})


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
        if mention.number is not None:
            _count(text, mentions, position, counts, told)
        elif mention.quantity is not None:
            if mention.quantity.unit in ("%", "percent") and _beside_utilisation(mentions, position):
                told.setdefault("utilisation", mention.quantity.value / 100)
                continue
            if not _scheduled(mentions, position, told):
                _measure(mention, mention.quantity, told, text)
            if mention.quantity.dimension in (ENERGY, EMISSIONS, VOLUME, MASS) and (bound := _bound(mentions, position)):
                told.setdefault("bound", bound)
        if mention.unit is not None:
            told.setdefault("unit", mention.unit)
    for sense, schedule in _SCHEDULES.items():
        if sense in senses:
            told = {**schedule, **told}
    told.update(_time(mentions, senses, told))
    told["asked"] = _asked(mentions)
    if bits := _BITS.search(text):
        told["weight_bits"] = float(next(group for group in bits.groups() if group))
    if unreadable := _unreadable(text, mentions):
        told["unreadable"] = unreadable
    told["wanted"] = _wanted(mentions, senses, told.get("unit"))
    _share_units(told, counts, senses)
    told.pop("intensity_scale", None)
    _travelled(named.get("comparator", []), counts, told.pop("distance_km", None))
    told.update({name: tuple(value) for name, value in told.items() if isinstance(value, list)})
    told.update(_unknown(text, mentions, "place" in named))
    return replace(Slots(), named={kind: tuple(names) for kind, names in named.items()}, counts=counts, senses=senses, **told)


_SCHEDULES: dict[str, dict[str, float]] = {
    "time.weekdays": {"weekly_days": 5.0},
    "time.weekend": {"weekly_days": 2.0},
    "time.office": {"daily_hours": 8.0, "weekly_days": 5.0},
}
"""What words say of the hours in which something runs."""


def _scheduled(mentions: Sequence[Mention], position: int, told: dict[str, Any]) -> bool:
    """Return whether a time is so many hours of each day, or days of each week, and keep it as that."""
    quantity, after = mentions[position].quantity, mentions[position + 1] if position + 1 < len(mentions) else None
    if quantity is None or quantity.dimension != TIME or _PER_THING.search(quantity.unit):
        return False
    hours = quantity.to("h").value
    if "clock" in mentions[position].senses or (after is not None and "per.day" in after.senses[:1] and hours <= 24):
        told.setdefault("daily_hours", hours)
        return True
    if after is not None and "per.week" in after.senses[:1] and hours <= 168 and quantity.unit.startswith("d"):
        told.setdefault("weekly_days", hours / 24)
        return True
    return False


def _bound(mentions: Sequence[Mention], position: int) -> str | None:
    """Return > or < where an amount is told as a bound: more than before it, 以上 behind."""
    around = [mentions[near] for near in (position - 1, position + 1) if 0 <= near < len(mentions)]
    told = [sense for mention in around for sense in mention.senses if sense in ("mod.more", "mod.less")]
    return {"mod.more": ">", "mod.less": "<"}[told[0]] if told else None


def _asked(mentions: Sequence[Mention]) -> str | None:
    """Return the kind of thing that "how many" asks for: the next one that is counted, if no number and no unit comes before it."""
    start = next((position for position, mention in enumerate(mentions) if "ask.how_many" in mention.senses), None)
    found = None
    for mention in mentions[start + 1 : start + 1 + _REACH] if start is not None else ():
        if mention.number is not None or mention.quantity is not None or mention.unit is not None:
            break
        kind = "run" if "act.train" in mention.senses else "request" if {"service", "llm"} & mention.names.keys() else _class(mention)
        found = kind if kind is not None and (found is None or found == "thing") else found
    return found


_BITS = re.compile(r"\b(?:(\d{1,2})[\s-]?bits?|(?:fp|int|bf|q)(4|8|16|32))\b", re.IGNORECASE)


def meant(mention: Mention) -> dict[str, str]:
    """Return the names of a mention that stand: a country is a place before it is something to compare with, a service before a run."""
    names = dict(mention.names)
    if "place" in names or any(sense.startswith("act.") for sense in mention.senses):
        names.pop("comparator", None)
    if "service" in names:
        names.pop("run", None)
    return names


_COUNTED = {
    "noun.reasoning": "reasoning", "noun.input": "input", "noun.output": "output", "noun.token": "token", "noun.request": "request", "noun.user": "user", "noun.accelerator": "device",
    "noun.server": "server", "noun.word": "word", "noun.parameter": "parameter", "noun.thing": "thing",
}  # fmt: skip


def _class(mention: Mention) -> str | None:
    """Return the kind of thing that a mention counts, or None."""
    if "task" in mention.names:
        return "task"
    if "hardware" in mention.names:
        return "device"
    if "comparator" in meant(mention):
        return "comparator"
    return next((counted for sense, counted in _COUNTED.items() if sense in mention.senses), None)


def _count(text: str, mentions: Sequence[Mention], position: int, counts: dict[str, float], told: dict[str, Any]) -> None:
    """Give a number to what it counts, or to the factor or the year that it tells."""
    mention = mentions[position]
    number = mention.number
    before = mentions[position - 1] if position else None
    if number is None:
        return
    if mention.size is not None:
        told.setdefault("size", mention.size)
        return
    if before is not None and "mod.pue" in before.senses:
        told.setdefault("pue", number)
        return
    if before is not None and "mod.utilisation" in before.senses and 0 <= number <= 1:
        told.setdefault("utilisation", number)
        return
    if _TIMES.match(text, mention.end) or (text[mention.end - 1] in "x×" and _MORE.match(text, mention.end)):
        told.setdefault("times", number)
        return
    counted = "bare"
    for after in mentions[position + 1 : position + 1 + _REACH]:
        if after.number is not None or after.quantity is not None or "place" in after.names:
            break
        found = _class(after)
        if found == "input" and text[: after.end].endswith(" in") and not _ENDS_THERE.match(text, after.end):
            found = "token"
        if found == "thing" and counted == "bare":
            counted = "thing"
            continue
        if found == "comparator" and counted == "thing":
            break
        if found is not None:
            counted = found
            break
    if before is not None and "hardware" in before.names and text[mention.start - 1 : mention.start] in ("(", "（"):
        return
    written = text[mention.start : mention.end]
    if re.fullmatch(r"(?:19|20)\d\d\s?年?", written) and (counted == "bare" or written.endswith("年")):
        told.setdefault("years", []).append(int(number))
        return
    if counted == "bare" and before is not None:
        counted = _class(before) or "bare"
    if counted == "device" and _DEVICE_HOURS.match(text, mentions[position + 1].end if position + 1 < len(mentions) else mention.end):
        told.setdefault("device_hours", number)
        return
    if mention.quantity is not None and mention.quantity.low is not None and mention.quantity.high is not None:
        told.setdefault("ends", {}).setdefault(counted, (mention.quantity.low, mention.quantity.high))
    if counts.setdefault(counted, number) != number and counted != "bare":
        told.setdefault("spare", []).append(text[mention.start : mention.end].strip())


_ENDS_THERE = re.compile(r"\s*(?:$|[,;.?!/+&)]|and\b|plus\b|\d)")
"""What may stand behind "400 tokens in" where it counts what is read, and is not followed by a place."""

_MORE = re.compile(r"\s*(?:的|as |the |more|less|so |mehr|weniger|más|menos|plus|moins|energy|electricity|power)", re.IGNORECASE)
_TIMES = re.compile(rf"\s*-?\s*(?:(?:times|x|mal|fach|veces|fois)\b{_MORE.pattern}|倍)", re.IGNORECASE)
"""What makes of a number a ratio that is stated, and not a count."""

_DEVICE_HOURS = re.compile(r"[\s-]*(?:gpu[\s-]*)?(?:hours?\b|卡时|卡時|小时|小時)", re.IGNORECASE)
_EACH = re.compile(r"\s*(?:each|apiece|a piece|per\b|/|每)")
_EACH_BEFORE = re.compile(r"(?:每一?[次个個条條张張则則回]|(?:あたり|当たり)|\beach(?: one)?(?: (?:is|takes|uses|needs|of|at))?|\bje(?:weils)?|\bchacune?(?: de)?|\bcada una?(?: de)?)[\s,:是约約]*$")
_PER_THING = re.compile(r"/|\bper\b|每")
_EACH_SLOTS: dict[Dimension, tuple[str, str]] = {ENERGY: ("energy_wh_each", "Wh"), EMISSIONS: ("emissions_g_each", "g CO2e"), MASS: ("emissions_g_each", "g"), VOLUME: ("water_ml_each", "mL")}


def _measure(mention: Mention, quantity: Quantity, told: dict[str, Any], text: str) -> None:
    """Put a quantity where its dimension belongs."""
    dimension = quantity.dimension
    per_thing = bool(_PER_THING.search(quantity.unit))
    if dimension == TIME and per_thing:
        told.setdefault("seconds_per_word", quantity.to("s").value)
    elif dimension == TIME and re.search(r"gpu|tpu|accelerator|device|卡", quantity.unit, re.IGNORECASE):
        told.setdefault("device_hours", quantity.to("h").value)
    elif dimension == TIME:
        told["hours"] = told.get("hours", 0.0) + quantity.to("h").value
    elif dimension == POWER:
        ends = (quantity.low, quantity.high) if quantity.low is not None else (quantity.value,)
        told.setdefault("power_w", []).extend(Quantity(end, quantity.unit).to("W").value for end in ends if end is not None)
    elif dimension in (INTENSITY, _MASS_INTENSITY):
        scale = parse_unit(quantity.unit).factor * 1000
        told.setdefault("intensity_scale", scale)
        told.setdefault("intensities_g", []).append(quantity.value * scale)
    elif dimension in _EACH_SLOTS and (per_thing or _EACH.match(text, mention.end) or _EACH_BEFORE.search(text[: mention.start])):
        slot, unit = _EACH_SLOTS[dimension]
        told.setdefault(slot, quantity.to(unit).value)
    elif dimension in (ENERGY, EMISSIONS, VOLUME):
        told.setdefault("amounts", []).append((_as_text(quantity), dimension))
    elif dimension == MASS:
        told.setdefault("amounts", []).append((f"{quantity.to('kg').value!r} kg CO2e", EMISSIONS))
    elif dimension == _DATA and quantity.unit == "B":
        told.setdefault("parameters_b", quantity.value)
    elif dimension == LENGTH:
        told.setdefault("distance_km", quantity.to("km").value)
    elif quantity.unit == "倍":
        told.setdefault("times", quantity.value)
    elif quantity.unit in ("%", "percent"):
        told.setdefault("percents", []).append(quantity.value)


def _beside_utilisation(mentions: Sequence[Mention], position: int) -> bool:
    """Return whether a percentage tells a utilisation: the word stands before it, a preposition between, or right behind."""
    before = next((mention for mention in reversed(mentions[:position]) if "prep" not in mention.senses), None)
    after = mentions[position + 1] if position + 1 < len(mentions) else None
    return any(mention is not None and "mod.utilisation" in mention.senses for mention in (before, after))


def _as_text(quantity: Quantity) -> str:
    if quantity.low is not None and quantity.high is not None:
        return f"{quantity.low!r} to {quantity.high!r} {quantity.unit}"
    return f"{quantity.value!r} {quantity.unit}"


def _time(mentions: Sequence[Mention], senses: frozenset[str], told: Mapping[str, Any]) -> dict[str, Any]:
    """Return by which period things are counted, how long something runs, and over which period the answer is wanted.

    A period beside a number is a rate (100 a day, 每天100次); any other one is the time that is asked for.
    """
    periods = [(position, sense.partition(".")[2]) for position, mention in enumerate(mentions) for sense in mention.senses[:1] if sense.startswith("per.")]
    rate = next((period for position, period in periods if _beside_number(mentions, position)), None)
    rest = list(dict.fromkeys(period for _, period in periods if period != rate))
    span = next((length for name, length in SPANS.items() if f"for.{name}" in senses), None)
    found: dict[str, Any] = {"rate": rate}
    hours = told.get("hours")
    if hours is not None and hours <= 24 and "daily_hours" not in told and "day" in (rate, *rest) and (span or set(rest) - {"day"} or rate not in (None, "day")):
        found |= {"daily_hours": hours, "hours": None}
        hours = None
    scheduled = {"day"} if "daily_hours" in {**told, **found} else set()
    scheduled |= {"week"} if "weekly_days" in told else set()
    rest = [period for period in rest if period not in scheduled] or [period for period in rest if period not in scheduled or period == "week"][:1]
    if span is None and rest:
        span = PERIOD_HOURS[max(rest, key=PERIOD_HOURS.__getitem__)]
        found["spans"] = tuple(PERIOD_HOURS[period] for period in rest) if len(rest) > 1 and hours is None else ()
    if span is None and scheduled and rate is not None and rate not in scheduled:
        span = PERIOD_HOURS[rate]
    return {**found, **({"span_hours": span} if span is not None else {})}


def _beside_number(mentions: Sequence[Mention], position: int) -> bool:
    """Return whether a period stands right behind what a number counts, or right before a number."""
    if position + 1 < len(mentions) and (mentions[position + 1].number is not None):
        return True
    for before in reversed(mentions[max(0, position - 3) : position]):
        if before.number is not None or (before.quantity is not None and before.quantity.dimension != TIME):
            return True
        if any(sense.startswith(("per.", "ask.")) for sense in before.senses) and not before.names:
            return False
    return False


_ANY_NUMBER = re.compile(r"\d+(?:[.,]\d+)*(?:e[+-]?\d+)?", re.IGNORECASE)


def _unreadable(text: str, mentions: Sequence[Mention]) -> str | None:
    """Return a number in the text that no mention covers, or None: it is asked about, not dropped."""
    for match in _ANY_NUMBER.finditer(text):
        attached = re.search(r"[^\W\d]-?$", text[: match.start()]) or re.match(r"[\s-]?bits?\b", text[match.end() :])
        if not attached and not any(mention.start < match.end() and match.start() < mention.end for mention in mentions):
            return match[0][:40]
    return None


def _share_units(told: dict[str, Any], counts: dict[str, float], senses: frozenset[str]) -> None:
    """Give a bare number the unit of the figure that it is told beside: 415 TWh to 945 by 2030, 0.6 kg/kWh and 0.2."""
    bare = counts.get("bare")
    amounts, intensities = told.get("amounts", []), told.get("intensities_g", [])
    if bare is None:
        return
    if len(amounts) == 1 and len(told.get("years", [])) > 1:
        amounts.append((f"{bare!r} {amounts[0][0].partition(' ')[2]}", amounts[0][1]))
        del counts["bare"]
    elif len(intensities) == 1 and "ask.save" in senses:
        intensities.append(bare * told["intensity_scale"])
        del counts["bare"]


def _travelled(comparators: Sequence[str], counts: dict[str, float], distance_km: float | None) -> None:
    """Count an everyday thing that is measured by distance: 10 km by car."""
    measures = [Library.load().named("comparators", thing).get("measure") for thing in comparators]
    measure = next((measure for measure in measures if measure in ("km", "miles")), None)
    if distance_km is not None and measure is not None:
        counts.setdefault("comparator", Quantity(distance_km, "km").to(measure).value)


def _wanted(mentions: Sequence[Mention], senses: frozenset[str], unit: str | None) -> str | None:
    """Return the quantity that is asked for: by the unit wanted, else by the first word for one."""
    if "ask.source" in senses:
        return "source"
    if unit is not None:
        by_unit = {ENERGY: "energy", EMISSIONS: "emissions", VOLUME: "water", MASS: "emissions", POWER: "power"}.get(parse_unit(unit).dimension)
        if by_unit is not None:
            return by_unit
    asked = (sense.partition(".")[2] for mention in mentions for sense in mention.senses if sense in ("ask.emissions", "ask.water", "ask.energy"))
    return next(asked, None)


_UNKNOWN = re.compile(r"\b[A-Z][\w.-]*(?:\s+[A-Z0-9][\w.-]*)*|\b[a-z]+[-.]?\d[\w.-]*")
_ASKED_THING = re.compile(r"\s+(?P<name>[a-z]{3,})", re.IGNORECASE)
_USED = re.compile(r"(?:\b(?:with|by|using|via|mit|avec|con|par)|用)\s*$", re.IGNORECASE)
_AFTER_PREP = re.compile(r"\s*(?:the\s+)?(?P<name>[A-Za-zÀ-ÿ][\w'-]*(?:\s+[A-Z][\w'-]*)*)")


def _unknown(text: str, mentions: Sequence[Mention], has_place: bool) -> dict[str, str]:
    """Return a name that nothing recognised: as a place where it stands after 'in', as what is asked after 'how many', else as a thing."""
    covered = [(mention.start, mention.end) for mention in mentions]

    def free(start: int, end: int) -> bool:
        return all(end <= left or start >= right for left, right in covered)

    found: dict[str, str] = {}
    for mention in mentions:
        if "prep" in mention.senses and not has_place:
            after = _AFTER_PREP.match(text, mention.end)
            ends_there = after is not None and after.end() >= len(text.rstrip("?.! ")) - 1 and text[mention.start : mention.end].casefold() in ("in", "region")
            if after and free(*after.span("name")) and (after["name"][0].isupper() or ends_there):
                found["unknown_place"] = after["name"]
        asked = _ASKED_THING.match(text, mention.end) if "ask.how_many" in mention.senses else None
        if asked and free(*asked.span("name")):
            found["unknown_wanted"] = asked["name"]
    for match in _UNKNOWN.finditer(text):
        if match.start() == 0 and "-" not in match[0] and not re.search(r"\d", match[0]):
            continue
        if free(*match.span()) and match[0] not in found.get("unknown_place", "") and len(match[0]) > 1:
            found.setdefault("unknown_model" if _USED.search(text[: match.start()]) else "unknown", match[0])
    return found
