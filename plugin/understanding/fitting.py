"""Which tool the slots fit: the one whose arguments use most of them, with none missing; and what no argument could take."""

from __future__ import annotations

from typing import Any

from kilowhat.plugin.understanding.arguments import ARGUMENTS
from kilowhat.plugin.understanding.calculating import intensity_of
from kilowhat.plugin.understanding.counting import TOKENS
from kilowhat.plugin.understanding.plan import Call, as_ref
from kilowhat.plugin.understanding.published import measured_by
from kilowhat.plugin.understanding.slots import Slots
from kilowhat.plugin.understanding.tools import Tool
from kilowhat.tools import TOOLS, KilowhatError, Library
from kilowhat.tools.core.errors import MissingInput
from kilowhat.tools.core.reference import fold as fold_name
from kilowhat.tools.core.units import EMISSIONS, ENERGY, format_number

Fitting = tuple[int, int, Tool, dict[str, Any], set[str]]
"""How many slots a tool uses, its place in the list, the tool, its arguments, and the slots."""


TOPICS = {"train": {"act.train"}, "make": {"act.make", "noun.lifetime"}}
"""The senses that put a question on a tool's topic."""


_KEPT = ("hours", "span", "rate")


def fit(tool: Tool, slots: Slots) -> tuple[int, dict[str, Any], set[str]] | None:
    """Return how many slots a tool uses, its arguments, and the slots; None where one that it needs is not told.

    A count that is not told is one, where the thing counted is told.
    """
    arguments: dict[str, Any] = {}
    used: set[str] = set()
    for name, required in tool.arguments.items():
        fill = ARGUMENTS.get(name)
        found = fill(slots, tool) if fill else None
        if found is not None:
            arguments[name], names = found
            used |= {slot for slot in names if slot not in _KEPT or _told(slots, slot)}
        elif name == "count" and "task" in arguments:
            arguments[name] = 1.0
        elif required:
            return None
    way = _way(tool, arguments)
    if way is None or not _on_topic(tool, way, slots):
        return None
    told_otherwise = {name for other in tool.ways for name in other} - set(way)
    return len(used) + ((slots.wanted or "").removesuffix("-on-site") == tool.gives), {name: value for name, value in arguments.items() if name not in told_otherwise or _joins(tool, way, name)}, used


def of_the_act(fitting: list[Fitting], slots: Slots) -> list[Fitting]:
    """Return the tools that fit what is done: one that makes where making is asked about, none that serves requests where training is."""
    if "act.make" in slots.senses and len(slots.roles) < 2:
        fitting = [fit for fit in fitting if fit[2].topic == "make" or "embodied_kg_co2e" in fit[3]] or fitting
    if slots.energy_wh_each is not None:
        fitting = [fit for fit in fitting if "energy_wh_each" in fit[4]] or fitting
    if "act.train" in slots.senses and not slots.counts.keys() & {"request", "user", "input", "output"}:
        fitting = [fit for fit in fitting if fit[2].name not in ("estimate_llm", "estimate_service")]
    return fitting


def is_complete(tool: Tool, arguments: dict[str, Any]) -> bool:
    """Return whether a tool is told all that it needs; any other refusal is an answer, and stays."""
    try:
        TOOLS[tool.name](arguments)
    except MissingInput:
        return False
    except KilowhatError:
        return True
    return True


def _told(slots: Slots, slot: str) -> bool:
    return {"hours": slots.hours, "span": slots.span_hours, "rate": slots.rate}[slot] is not None


def _way(tool: Tool, arguments: dict[str, Any]) -> tuple[str, ...] | None:
    """Return the fullest of the tool's ways that is told, the empty one where it has none, or None."""
    told = [way for way in tool.ways or ((),) if all(name in arguments for name in way)]
    return max(told, key=len, default=None)


def _joins(tool: Tool, way: tuple[str, ...], name: str) -> bool:
    """Return whether an argument of another way may stand beside this one: two ways that differ in it alone are one with both."""
    return any(set(other) - {name} <= set(way) and len(other) == len(way) for other in tool.ways if name in other)


def _on_topic(tool: Tool, way: tuple[str, ...], slots: Slots) -> bool:
    """Return whether a question is about the tool's topic: by a word for it, or by a run that it names without counting requests."""
    if tool.topic is None or TOPICS[tool.topic] & slots.senses:
        return True
    return tool.topic == "train" and way == ("model",) and "act.serve" not in slots.senses and not slots.counts.keys() & {"token", "output", "input", "request"}


def chain(tool: Tool, arguments: dict[str, Any], slots: Slots) -> tuple[Call, ...]:
    """Return the call of a tool, and where everyday things are asked for, the call that turns its result into them."""
    call = Call(tool.name, arguments)
    things = slots.named.get("comparator", ())
    if not things or ("quantity" in tool.arguments and "equivalents" not in arguments):
        return (call,)
    if "quantity" not in tool.arguments:
        return (call, Call("convert_to_equivalents", {"quantity": as_ref(call), "equivalents": list(things)}))
    amount = slots.amount(ENERGY)
    mass = slots.amount(EMISSIONS)
    if mass is not None and measured_by(things[0]) == "energy" and "quantity" in tool.arguments:
        energy = Call("calculate", {"expression": f"({mass}) / fact:{intensity_of(slots, things[0])}"})
        return (energy, Call("convert_to_equivalents", {"quantity": as_ref(energy), "equivalents": list(things)}))
    if amount is not None and measured_by(things[0]) == "emissions":
        first = Call("convert_energy_to_emissions", {"energy": amount, **({"region": slots.named["place"][0]} if "place" in slots.named else {})})
        return (first, Call("convert_to_equivalents", {"quantity": as_ref(first), "equivalents": list(things)}))
    return (call,)


def unused(slots: Slots, used: set[str]) -> tuple[str, ...]:
    """Return what was told and no argument took, in words."""
    told: dict[str, str] = {}
    library = Library.load()
    kinds = {"hardware": "hardware", "service": "services", "place": "places", "llm": "models"}
    for kind, names in kinds.items():
        if kind in slots.named and kind not in used and not (kind == "llm" and used & {"run", "model", "service"}):
            first = slots.named[kind][0]
            told[kind] = library.named(names, first).name if first in library.names(names) else str(library.countries[first]["name"]) if first in library.countries else first
    if "llm" in used and len(slots.named.get("model", ())) > 1:
        taken = fold_name(str(slots.named["llm"][0]))
        others = [name for model in slots.named["model"] if fold_name(name := library.named("models", model).name) != taken]
        told["other models"] = ", ".join(others)
    for kind in ("request", "user", "word", *TOKENS):
        if kind in slots.counts and f"count {kind}" not in used:
            told[f"count {kind}"] = f"{format_number(slots.counts[kind], 9)} {'tokens' if kind in TOKENS else f'{kind}s'}"
    if slots.percents and "percents" not in used:
        told["percents"] = ", ".join(f"{percent:g} %" for percent in slots.percents)
    if "elsewhere" in slots.named:
        told["elsewhere"] = ", ".join(slots.named["elsewhere"])
    if slots.spare:
        told["spare"] = ", ".join(slots.spare)
    if slots.times is not None:
        told["times"] = f"{slots.times:g} ×"
    if slots.pue is not None and "pue" not in used:
        told["pue"] = f"PUE {slots.pue:g}"
    if slots.intensities_g and "intensities_g" not in used:
        told["intensity"] = f"{slots.intensities_g[0]:g} g CO2e/kWh"
    if slots.size is not None and "size" not in used:
        told["size"] = f"{slots.size[0]:g}×{slots.size[1]:g}"
    if slots.hours is not None and not used & {"hours"}:
        told["hours"] = f"{slots.hours:g} h" if slots.hours >= 1 else f"{slots.hours * 3600:g} s"
    if slots.unknown_place is not None and "unknown_place" not in used:
        told["unknown_place"] = slots.unknown_place
    return tuple(told.values())
