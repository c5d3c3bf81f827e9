"""Which slot fills which argument: one line an argument, for all tools.

Arguments have the same name and meaning in every tool, so a new tool needs nothing here
unless it brings a new argument. An entry returns the value and the slots that it
uses, or None where the question does not tell it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kilowhat.plugin.understanding.slots import PERIOD_HOURS, Slots
from kilowhat.tools.core.tool import Tool
from kilowhat.tools.core.units import EMISSIONS, ENERGY, VOLUME

Filled = tuple[Any, tuple[str, ...]] | None
Fill = Callable[[Slots, Tool], Filled]


def _slot(name: str) -> Fill:
    def fill(slots: Slots, _tool: Tool) -> Filled:
        value = getattr(slots, name)
        if isinstance(value, tuple):
            value = value[0] if value else None
        return None if value is None else (value, (name,))

    return fill


def _named(kind: str) -> Fill:
    def fill(slots: Slots, _tool: Tool) -> Filled:
        name = slots.name(kind)
        return None if name is None else (name, (kind,))

    return fill


def _counted(*kinds: str) -> Fill:
    def fill(slots: Slots, _tool: Tool) -> Filled:
        for kind in kinds:
            if kind in slots.counts:
                return slots.counts[kind], (f"count {kind}",)
        return None

    return fill


def _count(slots: Slots, tool: Tool) -> Filled:
    """Runs of a task, or devices of a fleet: what the tool's other arguments say is counted."""
    fields = tool.arguments.model_fields
    if "task" in fields or "steps" in fields:
        found = _counted("task", "thing", "request", "bare")(slots, tool)
        if found is None:
            return None
        per = next((period for period in slots.per if period in PERIOD_HOURS), None)
        return (found[0], (*found[1], "per")) if per else found
    return _counted("device", "server", "thing", "bare")(slots, tool)


def _model(slots: Slots, tool: Tool) -> Filled:
    """A language model where tokens are asked, a run where the tool trains, a measured model where it runs a task."""
    fields = tool.arguments.model_fields
    if "output_tokens" in fields:
        return _named("llm")(slots, tool)
    if "accelerator_count" in fields and "task" not in fields and "steps" not in fields:
        run = slots.name("run")
        if run is not None:
            return run, ("run", "act.train") if "act.train" in slots.senses else ("run",)
        if slots.unknown is not None and "act.train" in slots.senses and slots.name("hardware") is None:
            return slots.unknown, ("unknown", "act.train")
        return None
    return _named("model")(slots, tool)


def _hardware(slots: Slots, tool: Tool) -> Filled:
    device = slots.name("hardware")
    if device is None:
        return None
    on_topic = tool.topic is not None and f"act.{tool.topic}" in slots.senses
    return device, ("hardware", f"act.{tool.topic}") if on_topic else ("hardware",)


def _hours(slots: Slots, _tool: Tool) -> Filled:
    if slots.hours is not None:
        return slots.hours, ("hours", "per")
    for period in slots.per:
        return PERIOD_HOURS[period], ("hours", "per")
    if "always" in slots.senses:
        return PERIOD_HOURS["day"], ("hours",)
    return None


def _days(slots: Slots, _tool: Tool) -> Filled:
    if slots.hours is not None:
        return slots.hours / 24, ("hours",)
    longer = [period for period in slots.per if period in ("week", "month", "year")]
    return (PERIOD_HOURS[longer[0]] / 24, ("per",)) if longer else None


def _requests(slots: Slots, tool: Tool) -> Filled:
    """Requests a day; a number of requests without a period is taken as those of one day."""
    if "user" in slots.counts:
        return None
    found = _counted("request", "thing", "task", "bare")(slots, tool)
    return (found[0], (*found[1], "per")) if found and "day" in slots.per else found


def _requests_of_user(slots: Slots, tool: Tool) -> Filled:
    return _counted("request", "thing")(slots, tool) if "user" in slots.counts and slots.seconds_per_word is None else None


def _words(slots: Slots, _tool: Tool) -> Filled:
    """Words a day: words, times answers, times users, as far as they are told."""
    words = slots.counts.get("word")
    if words is None or slots.seconds_per_word is None:
        return None
    return words * slots.counts.get("request", 1.0) * slots.counts.get("user", 1.0), ("count word", "count request", "count user", "per")


def _users(slots: Slots, tool: Tool) -> Filled:
    return None if slots.seconds_per_word is not None else _counted("user")(slots, tool)


def _energy(slots: Slots, _tool: Tool) -> Filled:
    amount = slots.amount(ENERGY)
    return None if amount is None else (amount, ("amounts",))


def _quantity(slots: Slots, _tool: Tool) -> Filled:
    amount = slots.amount(ENERGY, EMISSIONS, VOLUME)
    if amount is not None:
        return amount, ("amounts",)
    thing = slots.name("comparator")
    if "comparator" in slots.counts and thing is not None and not slots.things:
        return f"{slots.counts['comparator']!r} {thing}", ("count comparator", "comparator")
    return None


def _equivalents(slots: Slots, _tool: Tool) -> Filled:
    things = slots.named.get("comparator", ())
    rest = things if slots.amounts else things[1:]
    return (list(rest), ("comparator",)) if rest else None


def _region(slots: Slots, _tool: Tool) -> Filled:
    place = slots.name("place")
    if place is not None:
        return place, ("place",)
    return None if slots.unknown_place is None else (slots.unknown_place, ("unknown_place",))


def _regions(slots: Slots, _tool: Tool) -> Filled:
    places = slots.named.get("place", ())
    return (list(places), ("place", "more places")) if len(places) > 1 else None


ARGUMENTS: dict[str, Fill] = {
    "task": _named("task"),
    "count": _count,
    "model": _model,
    "service": _named("service"),
    "device": _hardware,
    "accelerator": _hardware,
    "accelerator_count": _counted("device", "server", "thing", "bare"),
    "hours": _hours,
    "days": _days,
    "power_w": _slot("power_w"),
    "pue": _slot("pue"),
    "utilisation": _slot("utilisation"),
    "region": _region,
    "regions": _regions,
    "carbon_intensity_g_co2e_per_kwh": _slot("intensities_g"),
    "energy": _energy,
    "quantity": _quantity,
    "equivalents": _equivalents,
    "energy_wh_per_request": _slot("energy_wh_each"),
    "emissions_g_co2e_per_request": _slot("emissions_g_each"),
    "water_ml_per_request": _slot("water_ml_each"),
    "requests_per_day": _requests,
    "users": _users,
    "requests_per_user_per_day": _requests_of_user,
    "words_per_day": _words,
    "gpu_seconds_per_word": _slot("seconds_per_word"),
    "requests": _counted("request", "thing", "bare"),
    "input_tokens": _counted("input"),
    "output_tokens": _counted("output", "token"),
}
"""For each argument of a tool, what fills it."""
