"""A question that follows another one: what it tells takes the place of what was told before, and the rest stays."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from kilowhat.plugin.understanding.families import of_size
from kilowhat.plugin.understanding.slots import THINGS, Slots
from kilowhat.plugin.understanding.timing import PERIOD_HOURS

_MERGED = ("counts", "named", "senses", "ends")


def stands_alone(slots: Slots) -> bool:
    """Return whether a question names what it is about, and how it is to be counted or measured."""
    return bool(slots.things and (slots.counts or slots.wanted)) or bool(slots.amounts and slots.named)


def follow_up(before: Slots, now: Slots) -> Slots:
    """Return the earlier slots with those that the new question tells in their place."""
    told: dict[str, Any] = {slot.name: value for slot in fields(Slots) if slot.name not in _MERGED and (value := getattr(now, slot.name))}
    named = {**before.named, **now.named}
    if now.things:
        named = {kind: names for kind, names in named.items() if kind not in THINGS or kind in now.named}
    if now.wanted is not None and now.unit is None:
        told["unit"] = None
    kept = {sense for sense in before.senses if not sense.startswith(("shape.", "ask.")) and not (now.things and sense.startswith("act."))}
    if now.parameters_b is not None and not now.things and (sized := of_size({kind: names[0] for kind, names in before.named.items()}, now.parameters_b)):
        told["parameters_b"] = None
        named |= {kind: (name,) for kind, name in sized.items()}
    if now.daily_hours is not None or now.weekly_days is not None:
        told |= {"hours": now.hours, "span_hours": now.span_hours or before.span_hours or before.hours}
    period = next((name for name, length in PERIOD_HOURS.items() if length == before.span_hours), None)
    if before.rate is None and period is not None and before.counts and not now.counts and now.span_hours is not None and "rate" not in told:
        told["rate"] = period
    return replace(before, **told, named=named, counts=_counts(before, now), ends=now.ends, senses=now.senses | kept)


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
