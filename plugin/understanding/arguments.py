"""Which slot fills which argument: one line an argument, for all tools.

Arguments have the same name and meaning in every tool, so a new tool needs nothing here
unless it brings a new argument. An entry returns the value and the slots that it
uses, or None where the question does not tell it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kilowhat.plugin.understanding.slots import Slots
from kilowhat.plugin.understanding.timing import PERIOD_HOURS
from kilowhat.plugin.understanding.tools import Tool
from kilowhat.tools import Library
from kilowhat.tools.core.electricity import WORLD
from kilowhat.tools.core.units import EMISSIONS, ENERGY, VOLUME, parse_quantity

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
    """Runs of a task, or devices of a fleet: what the tool's other arguments say is counted; one, where a thing is named without a number."""
    fields = tool.arguments
    if "task" in fields or "steps" in fields:
        found = _counted("task", "thing", "request", "bare")(slots, tool)
        if found is None:
            return _counted("user")(slots, tool) if "task" in slots.named else None
        users = slots.counts.get("user", 1.0) if "task" in fields and ("each" in slots.senses or slots.rate is not None) else 1.0
        return found[0] * users * _periods(slots), (*found[1], "count user", "rate", "span", "hours")
    return _devices(slots, tool)


def _periods(slots: Slots) -> float:
    """Return how many of the periods by which things are counted make the time that is asked for."""
    span = slots.span_hours or slots.hours
    return span / PERIOD_HOURS[slots.rate] if span is not None and slots.rate is not None else 1.0


def _devices(slots: Slots, tool: Tool) -> Filled:
    if slots.device_hours is not None:
        return 1.0, ("device hours",)
    if slots.power_w and "ask.sum" in slots.senses and "each" not in slots.senses:
        return 1.0, ("sum",)
    if slots.power_w and "noun.server" in slots.senses and "hardware" in slots.named and "server" not in slots.counts and "each" not in slots.senses and not _is_server(slots):
        return 1.0, ("count device",)
    serves = bool({"output_tokens", "steps"} & tool.arguments.keys())
    found = _counted("device", "server", *(() if serves else ("thing", "bare")))(slots, tool)
    return found if serves else found or ((1.0, ()) if slots.name("hardware") is not None or slots.power_w else None)


def _is_server(slots: Slots) -> bool:
    """Return whether the device that a question names is itself a server."""
    return bool(Library.load().named("hardware", slots.named["hardware"][0]).get("kind") == "server")


def _model(slots: Slots, tool: Tool) -> Filled:
    """A language model where tokens are asked, a run where the tool trains, a measured model where it runs a task."""
    fields = tool.arguments
    if "output_tokens" in fields:
        found = _named("llm")(slots, tool)
        return (found[0], (*found[1], "request")) if found and slots.senses & {"noun.request", "noun.token", "noun.output", "noun.input"} else found
    if "steps" in fields:
        return _named("model")(slots, tool)
    if "task" in fields:
        return _measured(slots)
    run = slots.name("run")
    if run is not None and ("noun.word" not in slots.senses or "act.train" in slots.senses):
        counted = slots.senses & {"noun.request", "noun.token"}
        return run, ("run", "act.train") if "act.train" in slots.senses else ("run",) if counted else ("run", "alone")
    if slots.unknown is not None and "act.train" in slots.senses and slots.name("hardware") is None:
        return slots.unknown, ("unknown", "act.train")
    return None


def _measured(slots: Slots) -> Filled:
    """A model that was measured on the task; a service or a name that nothing knows, so that it is refused and no mean put in its place."""
    task, model = slots.name("task"), slots.name("model")
    if task is not None and model is not None:
        return (model, ("model",)) if any(fact.default for fact in Library.load().find("task-energy", task=task, model=model)) else None
    other = slots.name("service") or slots.unknown_model
    return (other, ("service",)) if other is not None and slots.name("llm") is None else None


USUAL_TOKENS = 500.0
"""Tokens of a usual answer, in which a large number of tokens is counted: nobody writes a million in one."""

MOST_TOKENS = 30_000.0


def _llm_requests(slots: Slots, tool: Tool) -> Filled:
    tokens = _counted("output", "token")(slots, tool)
    if tokens is not None and tokens[0] > MOST_TOKENS and "request" not in slots.counts:
        return tokens[0] / USUAL_TOKENS, ("count request",)
    found = _counted("request", "thing", "bare")(slots, tool)
    if found and "user" in slots.counts:
        found = found[0] * slots.counts["user"], (*found[1], "count user")
    return (found[0] * _periods(slots), (*found[1], "rate", "span", "hours")) if found and slots.rate is not None else found


def _output_tokens(slots: Slots, tool: Tool) -> Filled:
    found = _counted("output", "token")(slots, tool)
    if found is None and "noun.token" in slots.senses and slots.asked is None and not slots.counts:
        return 1.0, ()
    return (USUAL_TOKENS, found[1]) if found is not None and found[0] > MOST_TOKENS and "request" not in slots.counts else found


def _kind(slots: Slots, _tool: Tool) -> Filled:
    kinds = {"image-generation": "image", "video-generation": "video"}
    kind = kinds.get(slots.name("task") or "")
    return (kind, ("task",)) if kind else None


def _lifetime_years(slots: Slots, _tool: Tool) -> Filled:
    if slots.lifetime_hours is not None:
        return slots.lifetime_hours / PERIOD_HOURS["year"], ("lifetime",)
    return (slots.hours / PERIOD_HOURS["year"], ("hours",)) if slots.hours is not None and slots.hours >= PERIOD_HOURS["month"] else None


def _used_hours(slots: Slots, _tool: Tool) -> Filled:
    if slots.lifetime_hours is not None and slots.hours is not None:
        return slots.hours, ("hours",)
    period = slots.rate or next((name for name, length in PERIOD_HOURS.items() if slots.span_hours == length), None)
    if period is not None:
        return PERIOD_HOURS[period], ("rate", "span")
    return (slots.hours, ("hours",)) if slots.hours is not None and slots.hours < PERIOD_HOURS["month"] else None


def _hourly(slots: Slots, _tool: Tool) -> Filled:
    """Carbon intensities of the hours among which to choose, the one at hand first."""
    if len(slots.intensities_g) > 1:
        return list(slots.intensities_g), ("intensities_g", "more intensities", "ask.save")
    grams = [parse_quantity(text).to("g CO2e").value for text, dimension in slots.amounts if dimension == EMISSIONS]
    return (grams, ("amounts", "more intensities", "ask.save")) if len(grams) > 1 and "ask.save" in slots.senses else None


def _duration(slots: Slots, tool: Tool) -> Filled:
    if not _hourly(slots, tool):
        return None
    return (1.0, ()) if slots.hours is None or slots.amount_rate is not None else (min(slots.durations or (slots.hours,)), ("hours",))


def _ends_of_growth(slots: Slots) -> tuple[str, str] | None:
    """Return the two ends of a growth that is told as one range over years: from 20 to 90 TWh in 8 years."""
    low, to, high = slots.amounts[0][0].partition(" to ") if len(slots.amounts) == 1 else ("", "", "")
    if not to or slots.hours is None or slots.hours < PERIOD_HOURS["year"] or "place" in slots.named:
        return None
    return f"{low} {high.partition(' ')[2]}", high


def _start(slots: Slots, _tool: Tool) -> Filled:
    if (ends := _ends_of_growth(slots)) is not None:
        return ends[0], ("amounts",)
    return (slots.amounts[0][0], ("amounts",)) if len(slots.amounts) > 1 or (slots.percents and slots.amounts) else None


def _end(slots: Slots, _tool: Tool) -> Filled:
    if (ends := _ends_of_growth(slots)) is not None:
        return ends[1], ("more amounts",)
    same = len(slots.amounts) > 1 and slots.amounts[0][1] == slots.amounts[1][1]
    return (slots.amounts[1][0], ("more amounts",)) if same else None


def _years(slots: Slots, _tool: Tool) -> Filled:
    if len(slots.years) > 1:
        return float(abs(slots.years[1] - slots.years[0])), ("years",)
    return (slots.hours / PERIOD_HOURS["year"], ("hours",)) if slots.hours is not None and slots.hours >= PERIOD_HOURS["year"] else None


def _embodied(slots: Slots, _tool: Tool) -> Filled:
    if slots.emissions_g_each is not None and slots.senses & {"act.make", "noun.lifetime"}:
        return slots.emissions_g_each / 1000, ("emissions_g_each", "act.make")
    amount = slots.amount(EMISSIONS)
    if amount is None or ("act.make" not in slots.senses and "noun.lifetime" not in slots.senses):
        return None
    return parse_quantity(amount).to("kg CO2e").value, ("amounts", "act.make")


def _literal(value: str, sense: str) -> Fill:
    return lambda slots, _tool: (value, (sense,)) if sense in slots.senses else None


def _hardware(slots: Slots, tool: Tool) -> Filled:
    device = slots.name("hardware")
    if device is None and slots.unknown_device is not None and "output_tokens" not in tool.arguments:
        return slots.unknown_device, ("unknown_device",)
    if device is None:
        return None
    on_topic = tool.topic is not None and f"act.{tool.topic}" in slots.senses
    return device, ("hardware", f"act.{tool.topic}") if on_topic else ("hardware",)


def _hours(slots: Slots, _tool: Tool) -> Filled:
    if slots.device_hours is not None:
        return slots.device_hours, ("device hours",)
    if slots.hours is not None:
        return slots.hours, ("hours", "rate")
    if slots.span_hours is not None:
        return slots.span_hours, ("span",)
    return None if slots.rate is None else (PERIOD_HOURS[slots.rate], ("rate",))


def _days(slots: Slots, _tool: Tool) -> Filled:
    if slots.span_hours is not None or slots.hours is not None:
        return (slots.span_hours or slots.hours or 0.0) / 24, ("span", "hours")
    return None if slots.rate in (None, "day") else (PERIOD_HOURS[slots.rate or "day"] / 24, ("rate",))


def _requests(slots: Slots, tool: Tool) -> Filled:
    """Requests a day: by the period told; a number without a period is that of the time asked for, or of one day."""
    if "user" in slots.counts:
        return None
    found = _counted("request", "thing", "task", "bare")(slots, tool)
    if found is None:
        whole = slots.rate is None and slots.span_hours is None and slots.hours is None
        return (1.0, ()) if whole and "service" in slots.named else None
    period = PERIOD_HOURS[slots.rate] if slots.rate is not None else slots.span_hours or slots.hours or 24.0
    return found[0] * 24 / period, (*found[1], "rate")


def _requests_of_user(slots: Slots, tool: Tool) -> Filled:
    found = _counted("request", "thing")(slots, tool) if "user" in slots.counts and slots.seconds_per_word is None else None
    return (found[0] * PERIOD_HOURS["day"] / PERIOD_HOURS[slots.rate or "day"], (*found[1], "rate")) if found is not None else None


def _words(slots: Slots, _tool: Tool) -> Filled:
    """Words a day: words, times answers, times users, as far as they are told."""
    words = slots.counts.get("word")
    if words is None or slots.seconds_per_word is None:
        return None
    return words * slots.counts.get("request", 1.0) * slots.counts.get("user", 1.0), ("count word", "count request", "count user", "rate")


def _users(slots: Slots, tool: Tool) -> Filled:
    return None if slots.seconds_per_word is not None else _counted("user")(slots, tool)


def _energy(slots: Slots, _tool: Tool) -> Filled:
    """The energy told; one for a period (40 kWh a night) as often as the time asked for holds it."""
    amount = slots.amount(ENERGY)
    if amount is None:
        return None
    span = slots.span_hours or slots.hours
    if slots.amount_rate is None or span is None or " to " in amount:
        return amount, ("amounts",)
    number, _, unit = amount.partition(" ")
    return f"{float(number) * span / PERIOD_HOURS[slots.amount_rate]!r} {unit}", ("amounts", "rate", "span", "hours")


def _role(part: str) -> Fill:
    def fill(slots: Slots, _tool: Tool) -> Filled:
        return (slots.roles[part], ("amounts", f"role {part}")) if part in slots.roles and len(slots.roles) > 1 else None

    return fill


def _quantity(slots: Slots, _tool: Tool) -> Filled:
    amount = slots.amount(ENERGY, EMISSIONS, VOLUME)
    if amount is not None:
        return amount, ("amounts",)
    thing = slots.name("comparator")
    if thing is not None and not slots.things and ("comparator" in slots.counts or "mod.average" in slots.senses):
        return f"{slots.counts.get('comparator', 1.0)!r} {thing}", ("count comparator", "comparator")
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
    if len(places) == 1 and "ask.save" in slots.senses and "act.move" in slots.senses and len(slots.intensities_g) < 2:
        return [WORLD, *places], ("place", "more places")
    return (list(places), ("place", "more places")) if len(places) > 1 else None


def _scaled(kind: str, of: float, sense: str) -> Fill:
    return lambda slots, _tool: (slots.counts[kind] / of, (f"count {kind}",)) if kind in slots.counts and sense in slots.senses else None


ARGUMENTS: dict[str, Fill] = {
    "task": _named("task"),
    "count": _count,
    "model": _model,
    "service": _named("service"),
    "device": _hardware,
    "accelerator": _hardware,
    "accelerator_count": _devices,
    "hours": _hours,
    "days": _days,
    "power_w": _slot("power_w"),
    "steps": _counted("step"),
    "width": lambda slots, _tool: None if slots.size is None else (slots.size[0], ("size",)),
    "height": lambda slots, _tool: None if slots.size is None else (slots.size[1], ("size",)),
    "pue": _slot("pue"),
    "utilisation": _slot("utilisation"),
    "region": _region,
    "regions": _regions,
    "carbon_intensity_g_co2e_per_kwh": _slot("intensities_g"),
    "energy": _energy,
    "embodied": _role("embodied"),
    "training": _role("training"),
    "operation": _role("operation"),
    "wue_l_per_kwh": _slot("wue_l_per_kwh"),
    "concurrent_requests": _counted("concurrent"),
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
    "requests": _llm_requests,
    "input_tokens": _counted("input"),
    "output_tokens": _output_tokens,
    "reasoning_tokens": _counted("reasoning"),
    "parameters_b": lambda slots, tool: _slot("parameters_b")(slots, tool) or _scaled("parameter", 1e9, "noun.parameter")(slots, tool),
    "total_parameters_b": lambda slots, tool: _slot("parameters_b")(slots, tool) or _scaled("parameter", 1e9, "noun.parameter")(slots, tool),
    "tokens_b": _scaled("token", 1e9, "act.train"),
    "weight_bits": _slot("weight_bits"),
    "kind": _kind,
    "embodied_kg_co2e": _embodied,
    "lifetime_years": _lifetime_years,
    "used_hours": _used_hours,
    "provider": _named("provider"),
    "basis": _literal("market", "mod.market"),
    "factor": _literal("marginal", "mod.marginal"),
    "hourly_intensity_g_co2e_per_kwh": _hourly,
    "duration_h": _duration,
    "forecast": _named("forecast"),
    "efficiency_gain": _slot("efficiency_gain"),
    "demand_growth": lambda slots, _tool: None if slots.times is None or slots.efficiency_gain is None else (slots.times, ("times",)),
    "start": _start,
    "end": _end,
    "years": _years,
    "year": lambda slots, _tool: (slots.years[0], ("years",)) if slots.years and not slots.intensities_g else None,
    "annual_growth": lambda slots, _tool: (slots.percents[0] / 100, ("percents",)) if slots.percents else None,
}
"""For each argument of a tool, what fills it."""
