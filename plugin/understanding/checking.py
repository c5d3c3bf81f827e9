"""A claim put forward: the figure it states, and what the rest of the question gives instead.

The rest is planned like any question; its result is the recomputation. A claim in the library's words
and figures is judged by the library, any other one by arithmetic. A bound ("more than 2 litres") is
judged as a bound; a denial ("not 2 litres") gets its figure and no verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from kilowhat.plugin.understanding.plan import Call, Plan, as_quantity, as_ref
from kilowhat.plugin.understanding.published import published
from kilowhat.plugin.understanding.slots import Slots
from kilowhat.plugin.understanding.timing import PERIOD_HOURS
from kilowhat.tools import TOOLS, KilowhatError, Library
from kilowhat.tools.core.units import EMISSIONS, ENERGY, VOLUME

_SECTORS = {"about.datacentre", "about.ai_datacentre"}
_SIGNS = {"mod.more": "> ", "mod.less": "< ", "mod.same": ""}
_ASKING = {"ask.what", "ask.how_many"}
Planner = Callable[[Slots, str, str], Plan]
_QUANTITIES = {ENERGY: "energy", EMISSIONS: "emissions", VOLUME: "water"}
_EACH = (("energy_wh_each", "Wh", ENERGY), ("emissions_g_each", "g CO2e", EMISSIONS), ("water_ml_each", "mL", VOLUME))
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
    told = slots.amounts or slots.times or slots.percents or "comparator" in slots.counts
    share = slots.percents and slots.senses & _SECTORS and not slots.senses & _ASKING
    asserts = "shape.claim" in slots.senses or share or ("shape.yes_no" in slots.senses and told) or _adds_up(slots) is not None or _states(slots, text)
    if slots.wanted == "source" or "mod.not" in slots.senses:
        return None
    if not asserts:
        return Plan("answered", language, (Call("check_claim", {"claim": text[:400]}),), quantity="claim") if _repeats(slots, text) else None
    for arguments in chain(_tries(slots, language, text, planner), _of_sides(slots, sides)):
        try:
            TOOLS["check_claim"](arguments)
        except KilowhatError:
            continue
        return Plan("answered", language, (Call("check_claim", arguments),), quantity="claim")
    return None


def _repeats(slots: Slots, text: str) -> bool:
    """Return whether a sentence that asks nothing repeats a claim that the library holds, of a thing beside an everyday one."""
    if "comparator" not in slots.named or not (slots.things or "about.subject" in slots.senses) or text.rstrip().endswith("?") or "ask.how_many" in slots.senses:
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
    elif len(signs := slots.senses & _SIGNS.keys()) == 1:
        yield {"stated": f"{_SIGNS[min(signs)]}1 times", "recompute": f"({first}) / ({second})"}


def _states(slots: Slots, text: str) -> bool:
    """Return whether a question asks nothing, and states a figure of something, or a ratio to something: a claim without a word for one."""
    if slots.times is not None and slots.things and "comparator" in slots.named and not text.rstrip().endswith("?") and not slots.senses & _ASKING:
        return True
    if slots.senses & {"ask.what", "ask.how_many", "ask.sum", "ask.save", "ask.ratio", "ask.percent", "shape.versus"} or slots.unit is not None or "place" in slots.named:
        return False
    if "comparator" in slots.named and "comparator" not in slots.counts:
        return False
    return bool((slots.amounts or slots.times) and (slots.things or slots.power_w or "comparator" in slots.named))


def _tries(slots: Slots, language: str, text: str, planner: Planner) -> Iterator[dict[str, Any]]:
    """Yield what the claim may be checked by, the surest first."""
    bound = slots.bound or ""
    if (sum_of_each := _adds_up(slots)) is not None:
        yield sum_of_each
    times = slots.times or slots.counts.get("thing", slots.counts.get("bare"))
    if len(slots.amounts) == 2 and slots.amounts[0][1] == slots.amounts[1][1] and times is not None and times > 1:
        yield {"stated": f"{bound}{times:g} times", "recompute": f"{slots.amounts[0][0]} / {slots.amounts[1][0]}"}
    if bound != "<":
        yield {"claim": " ".join([text[:400], *(_without_exponent(amount) for amount, _ in slots.amounts[:3])])}
        yield from _in_own_words(slots)
    yield from _of_percent(slots)
    yield from _of_power(slots)
    if not slots.things and not slots.power_w and ("noun.request" in slots.senses or slots.energy_wh_each is not None):
        slots = replace(slots, named={**slots.named, "service": ("ai-chatbot",)})
        yield from _in_own_words(slots)
    yield from _of_a_figure(slots)
    told = slots.things or slots.power_w or len({dimension for _, dimension in slots.amounts}) > 1
    bare = replace(slots, counts={kind: number for kind, number in slots.counts.items() if number and kind != "bare"}, times=None, senses=slots.senses - _CLAIMING, wanted=None, unit=None, bound=None)
    alone = replace(bare, named=_without(bare.named, "comparator"), counts=_without(bare.counts, "comparator")) if slots.things else bare
    energy, emissions = slots.amount(ENERGY), slots.amount(EMISSIONS)
    if slots.intensities_g and energy is not None and emissions is not None:
        yield {"stated": f"{bound}{slots.intensities_g[0]!r} g CO2e/kWh", "recompute": f"({emissions}) / ({energy})"}
    for stated, dimension in _stated(slots) if told else ():
        rest = planner(replace(alone, amounts=tuple(amount for amount in slots.amounts if amount[0] != stated)), language, text)
        if _calculates(rest):
            yield {"stated": f"{bound}{stated}", "recompute": f"{as_ref(rest.calls[-1])}#{_QUANTITIES.get(dimension, 'energy')}"}
    thing = slots.name("comparator")
    if not slots.amounts and thing is not None and told:
        one = Call("convert_to_equivalents", {"quantity": f"{slots.times or slots.counts.get('comparator', 1.0)!r} {thing}"})
        rest = planner(replace(bare, named=_without(bare.named, "comparator"), counts=_without(bare.counts, "comparator")), language, text)
        if _calculates(rest):
            yield from ({"stated": f"{bound}{as_ref(one)}", "recompute": f"{as_ref(rest.calls[-1])}#{quantity}"} for quantity in ("energy", "water", "emissions"))
    if len(slots.amounts) == 1 and thing is not None and set(slots.named.get("service", ())) <= {thing} and set(slots.things) <= {"service"}:
        one = Call("convert_to_equivalents", {"quantity": f"{slots.counts.get('comparator', 1.0)!r} {thing}"})
        yield {"stated": f"{bound}{slots.amounts[0][0]}", "recompute": as_ref(one)}


_TOLD_OTHERWISE = (
    "times", "power_w", "hours", "device_hours", "span_hours", "factor", "size", "pue", "utilisation", "intensities_g", "parameters_b", "weight_bits", "roles", "unknown", "unknown_model", "unknown_place",
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
    if len(figures) != 1 or set(counts) - {"request"} or any(getattr(slots, name) for name in _TOLD_OTHERWISE):
        return
    kinds = {"run": "runs", "model": "models", "service": "services", "hardware": "hardware", "provider": "providers", "task": "tasks"}
    names = [library.named(kinds[kind], named[0]).name for kind, named in slots.named.items() if kind in kinds and named[0] in library.names(kinds[kind])]
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
    """Return the check of a total against what is told for each and how many, or for how long, where a question tells all of it."""
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
    if not slots.percents:
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
    """Yield a power against the rated power of the device that draws it."""
    device = slots.name("hardware")
    if device is None or not slots.power_w or slots.amount(ENERGY) is not None or slots.hours is not None or slots.span_hours is not None:
        return
    for subject in ("device-power", "server-power"):
        for fact in Library.load().find(subject, hardware=device)[:1]:
            yield {"stated": f"{slots.bound or ''}{slots.power_w[0]!r} W", "recompute": f"fact:{fact.id}"}


def _calculates(plan: Plan) -> bool:
    return plan.outcome == "answered" and plan.calls[-1].tool != "look_up_references"


def _without(told: Any, kind: str) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name != kind}
