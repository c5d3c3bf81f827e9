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
from kilowhat.tools.core.units import ENERGY

Filled = tuple[Any, tuple[str, ...]] | None


def _slot(name: str) -> Callable[[Slots, Tool], Filled]:
    def fill(slots: Slots, _tool: Tool) -> Filled:
        value = getattr(slots, name)
        return None if value is None else (value, (name,))

    return fill


def _counted(*kinds: str) -> Callable[[Slots, Tool], Filled]:
    def fill(slots: Slots, _tool: Tool) -> Filled:
        for kind in kinds:
            if kind in slots.counts:
                return slots.counts[kind], (f"count {kind}",)
        return None

    return fill


def _count(slots: Slots, tool: Tool) -> Filled:
    """Runs of a task, or devices of a fleet: what the tool's other arguments say is counted."""
    if "task" in tool.arguments.model_fields:
        found = _counted("task", "thing", "request", "bare")(slots, tool)
        if found is None:
            return None
        per = next((period for period in slots.per if period in PERIOD_HOURS), None)
        return (found[0], (*found[1], "per")) if per else found
    return _counted("device", "server", "thing", "bare")(slots, tool)


def _model(slots: Slots, tool: Tool) -> Filled:
    """A training run where the tool trains; a measured model where the tool runs a task."""
    if "accelerator_count" in tool.arguments.model_fields:
        if slots.run is not None:
            return slots.run, ("run", "act.train") if "act.train" in slots.senses else ("run",)
        if slots.unknown is not None and "act.train" in slots.senses and not slots.hardware:
            return slots.unknown, ("unknown", "act.train")
        return None
    return _slot("model")(slots, tool)


def _hardware(slots: Slots, tool: Tool) -> Filled:
    if slots.hardware is None:
        return None
    used = ("hardware", "act.train") if tool.name == "estimate_training" and "act.train" in slots.senses else ("hardware",)
    return slots.hardware, used


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


def _amount(slots: Slots, _tool: Tool) -> Filled:
    return None if slots.amount is None else (slots.amount, ("amount",))


def _energy(slots: Slots, tool: Tool) -> Filled:
    return _amount(slots, tool) if slots.amount_dimension == ENERGY else None


def _quantity(slots: Slots, tool: Tool) -> Filled:
    if slots.amount is not None:
        return _amount(slots, tool)
    if "comparator" in slots.counts and slots.comparators and not slots.things:
        return f"{slots.counts['comparator']!r} {slots.comparators[0]}", ("count comparator", "comparators")
    return None


def _equivalents(slots: Slots, _tool: Tool) -> Filled:
    rest = slots.comparators if slots.amount is not None else slots.comparators[1:]
    return (list(rest), ("comparators",)) if rest else None


def _region(slots: Slots, _tool: Tool) -> Filled:
    if slots.place is not None:
        return slots.place, ("place",)
    return None if slots.unknown_place is None else (slots.unknown_place, ("unknown_place",))


ARGUMENTS: dict[str, Callable[[Slots, Tool], Filled]] = {
    "task": _slot("task"),
    "count": _count,
    "model": _model,
    "service": _slot("service"),
    "device": _hardware,
    "accelerator": _hardware,
    "accelerator_count": _counted("device", "server", "thing", "bare"),
    "hours": _hours,
    "days": _days,
    "power_w": _slot("power_w"),
    "pue": _slot("pue"),
    "utilisation": _slot("utilisation"),
    "region": _region,
    "carbon_intensity_g_co2e_per_kwh": _slot("intensity_g"),
    "energy": _energy,
    "quantity": _quantity,
    "equivalents": _equivalents,
    "energy_wh_per_request": _slot("energy_wh_each"),
    "requests_per_day": _requests,
    "users": _users,
    "requests_per_user_per_day": _requests_of_user,
    "words_per_day": _words,
    "gpu_seconds_per_word": _slot("seconds_per_word"),
}
"""For each argument of a tool, what fills it."""
