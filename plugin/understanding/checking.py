"""A claim put forward: the figure it states, and what the rest of the question gives instead.

The rest is planned like any question; its result is the recomputation. A claim in the library's words
and figures is judged by the library, any other one by arithmetic. A bound ("more than 2 litres") is
judged as a bound, a denial ("not 2 litres") as the bound that the figure is another one. What a claim tells in several parts
(an energy and a water) is judged part by part.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from kilowhat.plugin.understanding.everyday import COUNTRY, NOT_ELECTRIC
from kilowhat.plugin.understanding.plan import Call, Plan, as_quantity, as_ref
from kilowhat.plugin.understanding.published import SECTORS, of_sector, published
from kilowhat.plugin.understanding.slots import Slots
from kilowhat.plugin.understanding.timing import PERIOD_HOURS
from kilowhat.tools import TOOLS, KilowhatError, Library
from kilowhat.tools.core.units import EMISSIONS, ENERGY, VOLUME

_SECTORS = {"about.datacentre", "about.ai_datacentre"}
_SIGNS = {"mod.more": "> ", "mod.less": "< ", "mod.same": ""}
NOT = "≠"
"""What stands before a figure that is denied."""
_ASKING = {"ask.what", "ask.how_many", "ask.how_long"}
Planner = Callable[[Slots, str, str], Plan]
_QUANTITIES = {ENERGY: "energy", EMISSIONS: "emissions", VOLUME: "water"}
_EACH = (("energy_wh_each", "Wh", ENERGY), ("emissions_g_each", "g CO2e", EMISSIONS), ("water_ml_each", "mL", VOLUME))
_CHANGES = {"act.grow", "act.shrink"}
_DEVICES = {"device", "server"}
_STATED_POWER = re.compile(
    r"(?<![^\W\d_])(?!(?:at|of|with|and|x|mit|zu|je|von|und|de|avec|et|con|y|por|par|à|@)\b)[^\W\d_]{3,}(?:\s+(?:about|around|some|only|just|etwa|rund|nur|environ|seulement|unos|solo))?\s+[\d.,]+\s?[kMG]?W\b"
)
"""A power behind a word that is no preposition: devices that draw it, and not of it."""
_CLAIMING = {"shape.claim", "shape.yes_no", "shape.versus", "ask.ratio", "ask.how_many"}


def claim_plan(slots: Slots, language: str, text: str, planner: Planner, sides: Sequence[str]) -> Plan | None:
    """Return the plan that checks a claim, or None where the question puts none forward or nothing can judge it.

    Args:
        slots: What the question tells.
        language: Its language.
        text: The normalised question.
        planner: What plans the rest of the question.
        sides: The amounts of two things that are set against each other, as quantities.
    """
    told = slots.amounts or slots.times or slots.percents or slots.power_w or "comparator" in slots.counts
    share = slots.percents and (slots.senses & (_SECTORS | {"about.subject"}) or "provider" in slots.named) and not slots.senses & (_ASKING | {"ask.save"})
    asserts = "shape.claim" in slots.senses or share or ("shape.yes_no" in slots.senses and told) or _adds_up(slots) is not None or _states(slots, text)
    if slots.wanted == "source":
        return None
    if not asserts:
        return Plan("answered", language, (Call("check_claim", {"claim": text[:400]}),), quantity="claim") if _repeats(slots, text) else None
    if "mod.not" in slots.senses:
        slots = _denied(slots)
    parts = _parts(slots)
    judged = [(part, checked) for part in parts if (checked := _first(chain(_in_own_words(part), _tries(part, language, "", planner)))) is not None]
    if judged:
        others = tuple(_figure_of(part) for part in parts if all(part is not other for other, _ in judged))
        return Plan("answered", language, tuple(Call("check_claim", checked) for _, checked in judged), quantity="claim", parallel=len(judged) > 1, unused=others)
    of_electricity = not slots.things and any("electricity" in side for side in sides)
    tries = chain(_tries(slots, language, text, planner), _of_sides(slots, () if of_electricity and NOT_ELECTRIC & slots.senses else sides))
    checked = _first(tries)
    if checked is not None:
        checked = (_first(tries, holds=True) if _by_a_fact_false(checked) else None) or checked
        left = (f"{slots.times:g} ×",) if slots.times and "comparator" not in slots.named and " times" not in checked.get("stated", "") else ()
        return Plan("answered", language, (Call("check_claim", checked),), quantity="claim", unused=left)
    if _states_of_one(slots, text):
        return Plan("declined", language, reason="no_figure")
    if not share or "ask.source" in slots.senses:
        return None
    nearest = published(replace(slots, wanted=None, senses=slots.senses | {"ask.percent"})) if not slots.senses & _CHANGES else None
    if nearest is not None and nearest.tool == "look_up_references":
        return Plan("answered", language, (nearest,), quantity="source", unjudged=True)
    return Plan("declined", language, reason="no_figure")


def _denied(slots: Slots) -> Slots:
    """Return the slots of a claim that is denied: not more is less, and not as much is another figure."""
    flipped = {"mod.more": "mod.less", "mod.less": "mod.more"}
    senses = frozenset(flipped.get(sense, sense) for sense in slots.senses)
    return replace(slots, bound={">": "<", "<": ">"}.get(slots.bound or "", NOT), senses=senses)


def _first(tries: Iterator[dict[str, Any]], *, holds: bool = False) -> dict[str, Any] | None:
    """Return the first arguments by which a claim can be judged, or by which it holds, or None."""
    for arguments in tries:
        try:
            verdict = TOOLS["check_claim"](arguments).verdict
        except KilowhatError:
            continue
        if not holds or (verdict is not None and verdict.verdict in ("true", "mostly true") and "recompute" in arguments):
            return arguments
    return None


def _by_a_fact_false(checked: dict[str, Any]) -> bool:
    """Return whether a published figure alone says that a claim is false or unsupported, so that an estimate of ours may still hold it."""
    estimate = TOOLS["check_claim"](checked)
    by_claim = any(citation.fact_id.startswith("claim-") for citation in estimate.citations[:1])
    return "recompute" not in checked and not by_claim and estimate.verdict is not None and estimate.verdict.verdict in ("false", "unsupported") and estimate.verdict.slip is None


def _parts(slots: Slots) -> list[Slots]:
    """Return the parts of a claim that tells several figures of one thing, each with a single figure; nothing where it tells one, or one of another."""
    if (
        not slots.named.keys() & {"service", "run", "task", "llm"}
        or (slots.senses & _ASKING and "shape.claim" not in slots.senses)
        or slots.bound == NOT
        or any(number > 1 for kind, number in slots.counts.items() if kind != "comparator")
    ):
        return []
    slots = _with_each_as_amount(slots)
    if len({dimension for _, dimension in slots.amounts}) < len(slots.amounts) or slots.intensities_g or slots.roles:
        return []
    without = replace(slots, amounts=(), times=None, named=_without(slots.named, "comparator"), counts=_without(slots.counts, "comparator"))
    figures = [replace(without, amounts=(amount,)) for amount in slots.amounts]
    ratio = [replace(slots, amounts=())] if slots.times is not None and "comparator" in slots.named else []
    return [*figures, *ratio] if len(figures) + len(ratio) > 1 else []


def _figure_of(part: Slots) -> str:
    """Return the one figure that a part of a claim tells, in words."""
    return part.amounts[0][0] if part.amounts else f"{part.times:g} ×"


def _with_each_as_amount(slots: Slots) -> Slots:
    """Return the slots with what is told for one of something as an amount of one."""
    told = tuple((f"{value!r} {unit}", dimension) for name, unit, dimension in _EACH if (value := getattr(slots, name)) is not None)
    return replace(slots, amounts=(*slots.amounts, *told), energy_wh_each=None, emissions_g_each=None, water_ml_each=None) if told else slots


def _repeats(slots: Slots, text: str) -> bool:
    """Return whether a sentence that asks nothing repeats a claim that the library holds, of a thing beside an everyday one."""
    if ("comparator" not in slots.named and slots.times is None) or not (slots.things or "about.subject" in slots.senses):
        return False
    if slots.senses & (_ASKING | {"ask.how_many", "ask.ratio", "ask.save", "shape.versus"}) and text.rstrip().endswith("?"):
        return False
    from kilowhat.tools.core.claims import find_claims

    return any(claim.keys for claim in find_claims(Library.load(), text)[0][:1])


def _of_sides(slots: Slots, sides: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield a ratio that is stated of two things, or that the first is more or less than the second, or as much."""
    if len(sides) != 2 or slots.amounts:
        return
    first, second = sides
    if slots.times is not None:
        yield {"stated": f"{slots.bound or ''}{slots.times:g} times", "recompute": f"({first}) / ({second})"}
    elif (sign := _sign(slots)) is not None:
        yield {"stated": f"{sign}1 times", "recompute": f"({first}) / ({second})"}


_OF_ENERGY = re.compile(r"\b(?:energy|electricity|power|Strom|Energie|énergie|électricité|energía|electricidad)\b|[电電]|エネルギー")


def _measured(slots: Slots, text: str) -> tuple[str, ...]:
    """Return the quantities in which a thing may be set against an everyday one: the one that is told, or any."""
    told = slots.wanted or ("energy" if _OF_ENERGY.search(text) else None)
    return (told,) if told in ("energy", "emissions", "water") else ("energy", "water", "emissions")


_FLIPPED = {"> ": "< ", "< ": "> "}
_AS_WRITTEN = ("en", "de", "fr", "es")
"""Languages in which what is set against something comes behind it."""


def _comes_first(slots: Slots, language: str) -> bool:
    """Return whether an everyday thing is said to be more or less than something, and not the other way round: an hour of television than a prompt."""
    kinds = [kind for kind in slots.named if kind == "comparator" or kind in slots.things]
    return language in _AS_WRITTEN and kinds[:1] == ["comparator"] and len(kinds) > 1


def _of_the_sector(slots: Slots) -> str | None:
    """Return the published electricity of the sector that a claim is of, as a quantity: in the year that it tells, or the newest."""
    total = published(replace(slots, wanted="energy", hours=None, span_hours=None))
    if total is not None:
        return as_quantity(total) or f"{as_ref(total)}#energy"
    return next((of_sector(sense, "energy") for sense in SECTORS if sense in slots.senses), None) if not slots.years else None


def _states_of_one(slots: Slots, text: str) -> bool:
    """Return whether a question does nothing but state what one request of a service takes."""
    told = [name for name, _, _ in _EACH if getattr(slots, name) is not None]
    counted = any(number != 1 for number in slots.counts.values()) or slots.rate is not None or slots.span_hours is not None or slots.hours is not None or "place" in slots.named
    return (
        slots.things == ["service"] and bool(told) and not counted and "comparator" not in slots.named and text.rstrip().endswith("?") and not slots.senses & (_ASKING | {"ask.ratio", "shape.versus"})
    )


def _sign(slots: Slots) -> str | None:
    """Return what stands before a figure where one thing is said to be more or less than another; nothing where as much; None where neither is said."""
    signs = slots.senses & _SIGNS.keys()
    return _SIGNS[min(signs)] if len(signs) == 1 else None


def _states(slots: Slots, text: str) -> bool:
    """Return whether a question asks nothing, and states a figure of something, or a ratio to something: a claim without a word for one."""
    if slots.times is not None and slots.things and "comparator" in slots.named and not slots.senses & _ASKING:
        return True
    of_a_whole = not slots.things and slots.senses & SECTORS.keys() and (slots.named["comparator"][0].endswith(COUNTRY) if "comparator" in slots.named else False)
    if "comparator" in slots.named and _sign(slots) is not None and not slots.senses & (_ASKING | {"ask.save"}) and (of_a_whole or (slots.things and "shape.yes_no" not in slots.senses)):
        return True
    if _states_of_one(slots, text):
        return True
    figures = slots.amounts or slots.power_w or any(getattr(slots, name) is not None for name, _, _ in _EACH)
    if slots.bound is not None and figures and slots.things and not slots.senses & (_ASKING | {"ask.what", "ask.save", "ask.percent"}):
        return True
    if slots.power_w and slots.things == ["service"] and "comparator" not in slots.named and slots.hours is None and slots.span_hours is None and not slots.senses & _ASKING:
        return True
    if slots.power_w and "hardware" in slots.named and _STATED_POWER.search(text) and slots.hours is None and slots.span_hours is None and not slots.senses & _ASKING:
        return True
    if slots.senses & {"ask.what", "ask.how_many", "ask.how_long", "ask.sum", "ask.save", "ask.ratio", "ask.percent", "shape.versus"} or slots.unit is not None or "place" in slots.named:
        return False
    if "comparator" in slots.named and "comparator" not in slots.counts:
        return False
    return bool((slots.amounts or slots.times) and (slots.things or slots.power_w or "comparator" in slots.named))


def _tries(slots: Slots, language: str, text: str, planner: Planner) -> Iterator[dict[str, Any]]:
    """Yield what the claim may be checked by, the surest first."""
    bound, sign = slots.bound or "", _sign(slots) or ""
    if (sum_of_each := _adds_up(slots)) is not None:
        yield sum_of_each
    times = slots.times or slots.counts.get("thing", slots.counts.get("bare"))
    if len(slots.amounts) == 2 and slots.amounts[0][1] == slots.amounts[1][1] and times is not None and times > 1:
        yield {"stated": f"{bound}{times:g} times", "recompute": f"{slots.amounts[0][0]} / {slots.amounts[1][0]}"}
    several = max((number for kind, number in slots.counts.items() if kind in _DEVICES), default=1.0) > 1
    yield from _of_power(slots) if several else ()
    if text and bound not in ("<", NOT) and sign != _SIGNS["mod.less"]:
        yield {"claim": " ".join([text[:400], *(_without_exponent(amount) for amount, _ in slots.amounts[:3])])}
    yield from _in_own_words(slots)
    yield from _of_percent(slots)
    yield from () if several else _of_power(slots)
    if not slots.things and not slots.power_w and ("noun.request" in slots.senses or slots.energy_wh_each is not None):
        slots = replace(slots, named={**slots.named, "service": ("ai-chatbot",)})
        yield from _in_own_words(slots)
    yield from _of_a_figure(slots)
    if max(slots.counts.values(), default=1.0) <= 1:
        slots = _with_each_as_amount(slots)
    if "service" in slots.named and slots.power_w and not slots.amounts and slots.hours is None:
        daily = (f"{slots.power_w[0] * PERIOD_HOURS['day'] / 1000!r} kWh", ENERGY)
        slots = replace(slots, power_w=(), amounts=(daily,), amount_rate="day", rate="day")
    if "service" in slots.named and not slots.counts and slots.rate is None:
        yield from _in_own_words(replace(slots, senses=slots.senses | {"noun.request"}))
    yield from _by_a_plan(slots, language, text, planner)


def _by_a_plan(slots: Slots, language: str, text: str, planner: Planner) -> Iterator[dict[str, Any]]:
    """Yield what a claim states, in figures or as everyday things, against what the rest of it gives when it is planned like a question."""
    bound, thing = slots.bound or "", slots.name("comparator")
    told = slots.things or slots.power_w or len({dimension for _, dimension in slots.amounts}) > 1
    counts = {kind: number for kind, number in slots.counts.items() if number and kind != "bare"} or ({"task": 1.0} if slots.things == ["task"] else {})
    bare = replace(slots, counts=counts, times=None, senses=slots.senses - _CLAIMING, wanted=None, unit=None, bound=None, percents=())
    alone = replace(bare, named=_without(bare.named, "comparator"), counts=_without(counts, "comparator"))
    energy, emissions = slots.amount(ENERGY), slots.amount(EMISSIONS)
    if slots.intensities_g and energy is not None and emissions is not None:
        yield {"stated": f"{bound}{slots.intensities_g[0]!r} g CO2e/kWh", "recompute": f"({emissions}) / ({energy})"}
    for stated, dimension in _stated(slots) if told else ():
        rest = planner(replace(alone if slots.things else bare, amounts=tuple(amount for amount in slots.amounts if amount[0] != stated)), language, text)
        if _calculates(rest):
            yield {"stated": f"{bound}{stated}", "recompute": f"{as_ref(rest.calls[-1])}#{_QUANTITIES.get(dimension, 'energy')}"}
    if thing is None:
        return
    daily = f"{thing.removesuffix('-year')}-day"
    thing = daily if slots.rate == "day" and daily in Library.load().names("comparators") else thing
    one = as_ref(Call("convert_to_equivalents", {"quantity": f"{slots.times or slots.counts.get('comparator', 1.0)!r} {thing}"}))
    sign = _sign(slots) or ""
    beside = bound or (_FLIPPED.get(sign, sign) if _comes_first(slots, language) else sign)
    if thing.endswith(COUNTRY) and slots.wanted in (None, "energy") and not (slots.amounts or slots.percents or slots.things) and (whole := _of_the_sector(alone)) is not None:
        yield {"stated": f"{beside}{one}", "recompute": whole}
    if not slots.amounts and told:
        all_year = thing.endswith(COUNTRY) and "service" in slots.named and not slots.counts and "noun.request" not in slots.senses
        rest = planner(replace(alone, span_hours=PERIOD_HOURS["year"]) if all_year else alone, language, text)
        if _calculates(rest):
            yield from ({"stated": f"{beside}{one}", "recompute": f"{as_ref(rest.calls[-1])}#{quantity}"} for quantity in _measured(slots, text))
    if len(slots.amounts) == 1 and set(slots.named.get("service", ())) <= {thing} and set(slots.things) <= {"service"}:
        yield {"stated": f"{bound}{slots.amounts[0][0]}", "recompute": one}


_TOLD_OTHERWISE = (
    "power_w", "hours", "device_hours", "span_hours", "factor", "size", "pue", "utilisation", "intensities_g", "parameters_b", "weight_bits", "roles", "unknown", "unknown_model", "unknown_place",
    "unreadable", "percents", "bound",
)  # fmt: skip
"""What a claim in the library's own words can't hold."""
_SENSES_IN_WORDS = {"act.train": "training", "noun.request": "request", "about.ai_datacentre": "AI data centres", "about.datacentre": "data centres", "mod.pue": "PUE"}


def _without_exponent(amount: str) -> str:
    """Return an amount as people write it: 0.000085 gallons."""
    number, _, unit = amount.partition(" ")
    return f"{float(number):.15f}".rstrip("0").rstrip(".") + f" {unit}" if "e-" in number else amount


def _in_own_words(slots: Slots) -> Iterator[dict[str, Any]]:
    """Yield a claim in the library's own words, where all that a question tells can be said in them: words that name nothing are left out."""
    library = Library.load()
    figures = [_without_exponent(amount) for amount, _ in slots.amounts] + [f"{value!r} {unit} per request" for name, unit, _ in _EACH if (value := getattr(slots, name)) is not None]
    counts = {kind: number for kind, number in slots.counts.items() if number != 1}
    if slots.times is not None and "comparator" in slots.named:
        figures.append(f"{slots.times:g} times")
    if len(figures) != 1 or set(counts) - {"request"} or any(getattr(slots, name) for name in _TOLD_OTHERWISE):
        return
    kinds = {"run": "runs", "model": "models", "service": "services", "hardware": "hardware", "provider": "providers", "task": "tasks"}
    names = [library.named(kinds[kind], named[0]).name for kind, named in slots.named.items() if kind in kinds and named[0] in library.names(kinds[kind])]
    if slots.times is not None and "comparator" in slots.named:
        names += [library.named("comparators", slots.named["comparator"][0]).name]
    names += [str(library.countries[place]["name"] if place in library.countries else place) for place in slots.named.get("place", ())]
    senses = [word for sense, word in _SENSES_IN_WORDS.items() if sense in slots.senses]
    if not names and not senses:
        return
    quantity = [_QUANTITIES[dimension] for _, dimension in slots.amounts if dimension in _QUANTITIES]
    rate = [f"per {slots.rate}"] if slots.rate is not None else []
    yield {"claim": " ".join([*dict.fromkeys([*names, *senses]), *quantity, *figures, *rate, *(f"{number:g} requests" for number in counts.values()), *(str(year) for year in slots.years)])}


def _stated(slots: Slots) -> tuple[tuple[str, Any], ...]:
    """Return the amounts that a claim states; nothing at all is one, where it says of what."""
    if slots.amounts or 0 not in slots.counts.values():
        return slots.amounts
    nothing = {"energy": ("0 kWh", ENERGY), "emissions": ("0 kg CO2e", EMISSIONS), "water": ("0 L", VOLUME)}
    return (nothing[slots.wanted],) if slots.wanted in nothing else ()


def _adds_up(slots: Slots) -> dict[str, Any] | None:
    """Return the check of a total against what is told for each and how many, or for how long, where a question tells all of it and asks for no other."""
    if "shape.claim" not in slots.senses and (slots.unit is not None or slots.senses & {"ask.sum", "ask.how_many"}):
        return None
    count = max(slots.counts.values(), default=0.0)
    for name, unit, dimension in _EACH:
        each, total = getattr(slots, name), slots.amount(dimension)
        if total is None and dimension == ENERGY and slots.power_w and slots.rate is not None:
            total = f"{slots.power_w[0] * PERIOD_HOURS[slots.rate] / 1000!r} kWh"
        if each is not None and total is not None and count > 1:
            return {"stated": total, "recompute": f"{count!r} * {each!r} {unit}"}
    if slots.power_w and slots.hours and count > 1 and (total := slots.amount(ENERGY)) is not None:
        return {"stated": total, "recompute": f"{count!r} * {slots.power_w[0]!r} W * {slots.hours!r} h"}
    return None


def _of_percent(slots: Slots) -> Iterator[dict[str, Any]]:
    """Yield a percentage against the published share, or against what one place saves on another."""
    if not slots.percents or slots.unknown is not None or slots.senses & _CHANGES:
        return
    stated = f"{slots.bound or ''}{slots.percents[0]!r} %"
    share = published(replace(slots, senses=slots.senses | {"ask.percent"}))
    if share is not None and (figure := as_quantity(share)) is not None:
        yield {"stated": stated, "recompute": figure}
    places = slots.named.get("place", ())
    if len(places) == 2 and slots.senses & {"ask.save", "mod.less"}:
        one, other = (as_ref(Call("convert_energy_to_emissions", {"energy": "1 kWh", "region": place})) for place in (places if "ask.save" in slots.senses else places[::-1]))
        yield from ({"stated": stated, "recompute": f"1 - {after}#emissions / {before}#emissions"} for before, after in ((one, other), (other, one)))


def _of_a_figure(slots: Slots) -> Iterator[dict[str, Any]]:
    """Yield an amount against the figure that is published for the whole of what a question names."""
    for stated, dimension in slots.amounts[:1]:
        figure = published(replace(slots, amounts=(), percents=(), wanted=_QUANTITIES.get(dimension)))
        if figure is not None:
            yield {"stated": f"{slots.bound or ''}{stated}", "recompute": as_quantity(figure) or f"{as_ref(figure)}#{_QUANTITIES.get(dimension, 'energy')}"}


def _of_power(slots: Slots) -> Iterator[dict[str, Any]]:
    """Yield a power against the rated power of the devices that draw it."""
    device = slots.name("hardware")
    if device is None or not slots.power_w or slots.amount(ENERGY) is not None or slots.hours is not None or slots.span_hours is not None:
        return
    count = math.prod(number for kind, number in slots.counts.items() if kind in _DEVICES or len(slots.counts) == 1)
    for subject in ("device-power", "server-power"):
        for fact in Library.load().find(subject, hardware=device)[:1]:
            if subject == "device-power" and "noun.server" in slots.senses:
                continue
            yield {"stated": f"{slots.bound or ''}{slots.power_w[0]!r} W", "recompute": f"{count!r} * fact:{fact.id}" if count != 1 else f"fact:{fact.id}"}


def _calculates(plan: Plan) -> bool:
    return plan.outcome == "answered" and plan.calls[-1].tool != "look_up_references"


def _without(told: Any, kind: str) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name != kind}
