"""A question that follows another one: what it tells takes the place of what was told before, and the rest stays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from kilowhat.plugin.understanding.families import of_size, of_variant
from kilowhat.plugin.understanding.plan import Call, Plan, as_quantity, as_ref
from kilowhat.plugin.understanding.slots import THINGS, Slots, classification_of
from kilowhat.plugin.understanding.tables import lexicon
from kilowhat.plugin.understanding.timing import PERIOD_HOURS
from kilowhat.tools import TOOLS, KilowhatError

_MERGED = ("counts", "named", "senses", "ends")


def stands_alone(slots: Slots) -> bool:
    """Return whether a question names what it is about, and how it is to be counted or measured."""
    trained = "run" in slots.named and "act.train" in slots.senses
    return trained or bool(slots.things and (slots.counts or slots.wanted)) or bool(slots.amounts and slots.named)


def opens(text: str, language: str) -> bool:
    """Return whether a question begins with a word that goes on from the one before: and, what about, 那."""
    words = "|".join(re.escape(word) for word in sorted(lexicon()["languages"][language]["openers"], key=len, reverse=True))
    return bool(re.match(rf"(?:{words})(?![a-zß-ÿ])", text, re.IGNORECASE))


def carried(before: Slots, now: Slots) -> Slots:
    """Return the slots of a question that stands alone and goes on, with the place, the period and the quantity asked for of the one before."""
    place = {kind: before.named[kind] for kind in ("place",) if kind in before.named and kind not in now.named}
    timed = now.rate is not None or now.span_hours is not None or now.hours is not None
    return replace(
        now,
        named={**place, **now.named},
        wanted=now.wanted or before.wanted,
        unit=now.unit or (before.unit if now.wanted is None else None),
        rate=now.rate if timed else before.rate,
        span_hours=now.span_hours if timed else before.span_hours,
        senses=now.senses | {sense for sense in before.senses if sense.startswith("ask.") and now.wanted is None},
    )


_IDLE = ("senses", "asked", "aside")
"""Slots that say how something is asked, and nothing that could be calculated with."""


def tells_nothing(slots: Slots) -> bool:
    """Return whether a turn holds nothing that could change an answer: no name, number, amount or period, and no quantity that is asked for."""
    return not any(getattr(slots, slot.name) for slot in fields(Slots) if slot.name not in _IDLE)


def follow_up(before: Slots, now: Slots) -> Slots:
    """Return the earlier slots with those that the new question tells in their place."""
    if now.unit is not None and "comparator" not in now.named and (before.things or before.amounts):
        before = without_everyday(before)
    if before.counts and not now.things:
        now = _as_count(before, now)
    told: dict[str, Any] = {slot.name: value for slot in fields(Slots) if slot.name not in _MERGED and (value := getattr(now, slot.name))}
    named = {**before.named, **now.named}
    if "act.classify" in now.senses and not now.things and (task := before.name("task")) is not None:
        named["task"] = (classification_of(task),)
    if now.things:
        named = {kind: names for kind, names in named.items() if kind not in THINGS or kind in now.named}
    if now.wanted is not None and now.unit is None:
        told["unit"] = None
    asks_again = {"ask.save", "ask.difference"} if "ask.percent" in now.senses and not now.named else set[str]()
    kept = {sense for sense in before.senses if sense in asks_again or (not sense.startswith(("shape.", "ask.")) and not (now.things and sense.startswith("act.")))}
    if now.parameters_b is not None and not now.things and (sized := of_size({kind: names[0] for kind, names in before.named.items()}, now.parameters_b)):
        told["parameters_b"] = None
        named |= {kind: (name,) for kind, name in sized.items()}
    if now.unknown is not None and not now.things and (variant := of_variant({kind: names[0] for kind, names in before.named.items()}, now.unknown)):
        told["unknown"] = None
        named = {kind: names for kind, names in named.items() if kind not in ("llm", "model")} | {kind: (name,) for kind, name in variant.items()}
    if now.daily_hours is not None or now.weekly_days is not None:
        told |= {"hours": now.hours, "span_hours": now.span_hours or before.span_hours or before.hours}
    period = next((name for name, length in PERIOD_HOURS.items() if length == before.span_hours), None)
    if before.rate is None and period is not None and before.counts and now.span_hours is not None and "rate" not in told:
        told["rate"] = period
    told.setdefault("unknown_wanted", None)
    return replace(before, **told, named=named, counts=_counts(before, now), ends=now.ends, senses=now.senses | kept)


def without_everyday(slots: Slots) -> Slots:
    """Return slots without the everyday thing that an amount was to be told in."""
    if "comparator" not in slots.named:
        return slots
    named = {kind: names for kind, names in slots.named.items() if kind != "comparator"}
    counts = {kind: number for kind, number in slots.counts.items() if kind != "comparator"}
    return replace(slots, named=named, counts=counts, asked=None, senses=slots.senses - {"ask.how_many"})


_AGAINST = ("compare", "choose_place_and_time")
"""Tools that set things against each other already."""


def of_both(plans: Sequence[Plan], language: str) -> Plan:
    """Return the plan that sets the answers of several plans against each other, by what the last one asks for; what was told, where they can't be."""
    if plans and plans[-1].calls[-1].tool in _AGAINST:
        return replace(plans[-1], language=language)
    wanted = plans[-1].quantity if plans and plans[-1].quantity in ("energy", "emissions", "water") else "energy"
    calls = list({as_ref(call): call for planned in plans for call in (planned.calls if planned.parallel else planned.calls[-1:])}.values())
    items = [{"label": f"{number}. {call.tool}", "quantity": as_quantity(call) or f"{as_ref(call)}#{wanted}"} for number, call in enumerate(calls, 1)]
    try:
        TOOLS["compare"]({"items": items})
    except KilowhatError:
        return Plan("needs_input", language, reason="not_understood")
    return Plan("answered", language, (Call("compare", {"items": items}),), quantity="ratio")


def _as_count(before: Slots, now: Slots) -> Slots:
    """Return the slots of a question after one that counted, where a number that looks like a year, and a ratio, are of that count: "and 2000?", "20 times as many"."""
    if now.times is not None and now.factor is None:
        return replace(now, times=None, factor=(now.times, "bare"))
    if len(now.years) == 1 and not (now.counts or before.years or before.senses & {"about.datacentre", "ask.grid"}):
        return replace(now, years=(), counts={"bare": float(now.years[0])})
    return now


def _counts(before: Slots, now: Slots) -> dict[str, float]:
    """Return the counts of a follow-up; a bare number takes the place of the one that was counted before."""
    counts = dict(before.counts)
    for kind, number in now.counts.items():
        first = "request" if "each" in now.senses and {"request", "user"} <= counts.keys() else next(iter(counts), kind)
        counts[first if kind in ("bare", "thing") else kind] = number
    if now.factor is not None:
        times, kind = now.factor
        changed = kind if kind in counts else next(iter(counts), None)
        counts |= {changed: counts[changed] * times} if changed is not None else {}
    if now.things and before.things and not set(now.things) & set(before.things) and counts and not now.counts:
        counts = {"bare": next(iter(counts.values()))}
    return counts
