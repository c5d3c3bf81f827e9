"""A question about several things: each planned by itself, then ranked, compared, added, or told one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kilowhat.plugin.understanding.calculating import power_of
from kilowhat.plugin.understanding.mention import Mention
from kilowhat.plugin.understanding.plan import Call, Plan, as_quantity, as_ref
from kilowhat.plugin.understanding.planning import plan
from kilowhat.plugin.understanding.published import measured_by
from kilowhat.plugin.understanding.segments import cut
from kilowhat.plugin.understanding.slots import Slots
from kilowhat.tools import TOOLS, KilowhatError


def several(slots: Slots, language: str, text: str, mentions: Sequence[Mention]) -> Plan | None:
    """Return the plan for several things: set against each other where the question asks for that, else one after the other."""
    parts = cut(text, mentions) or cut(text, mentions, {"provider"}) or (cut(text, mentions, {"place"}) if not slots.amounts or slots.senses & {"shape.versus", "ask.ratio"} else [])
    calls, labels = [], []
    comparing = bool(slots.senses & {"shape.versus", "ask.ratio", "ask.difference"})
    if comparing:
        parts = [(label, replace(part, counts={"task": 1.0}) if part.things == ["task"] and not part.counts else part) for label, part in parts]
    for label, part in parts:
        still = comparing and "act.make" not in slots.senses and "hardware" in part.named and part.hours is None and part.span_hours is None and part.rate is None
        power = power_of(replace(part, wanted="power", counts={"device": part.counts.get("device", 1.0)}), language) if still and slots.wanted == "power" else None
        planned = power or plan(replace(part, hours=1.0) if still else part, language, text)
        if planned.outcome != "answered" or (planned.calls[-1].tool == "look_up_references" and not (comparing and as_quantity(planned.calls[-1]))):
            return None
        calls.append(planned.calls[-1])
        labels.append(label)
    if not calls or (any(call.tool == "convert_to_equivalents" for call in calls) and not slots.senses & {"shape.versus", "ask.ratio"}):
        return None
    places = "place" in slots.named and len({call.arguments.get("region") for call in calls}) > 1
    if places and "ask.ratio" not in slots.senses and (ranked := _ranked(calls)) is not None:
        difference = "ask.difference" in slots.senses and slots.wanted != "water"
        return Plan("answered", language, (ranked,), quantity="saving" if difference else None if slots.wanted == "energy" else slots.wanted, unit=slots.unit)
    if "ask.rank" in slots.senses and not places:
        return Plan("answered", language, tuple(sorted(calls, key=_size_of, reverse=True)), quantity=slots.wanted, unit=slots.unit, parallel=True)
    if slots.senses & ({"ask.ratio"} if places else {"shape.versus", "ask.ratio", "ask.difference"}) and "compare" in TOOLS:
        by_emissions = any(call.tool == "convert_to_equivalents" and measured_by(part.named["comparator"][0]) == "emissions" for call, (_, part) in zip(calls, parts, strict=True))
        wanted = "#emissions" if by_emissions else f"#{slots.wanted}" if slots.wanted in ("energy", "emissions", "water") else ""
        items = [
            {"label": label, "quantity": as_quantity(call) or as_ref(call) + (wanted if "region" in TOOLS[call.tool].arguments.model_fields else "")} for label, call in zip(labels, calls, strict=True)
        ]
        return Plan("answered", language, (Call("compare", {"items": items}),), quantity="ratio")
    total = _sum(slots, calls)
    if total is not None:
        return Plan("answered", language, (total,), quantity=slots.wanted, unit=slots.unit)
    return Plan("answered", language, tuple(calls), quantity=slots.wanted, unit=slots.unit, parallel=True)


def sides(slots: Slots, language: str, text: str, mentions: Sequence[Mention]) -> list[str]:
    """Return the amounts of two things that a claim sets against each other, as quantities; nothing where there are not two."""
    planned = several(replace(slots, senses=slots.senses | {"shape.versus"} - {"ask.percent", "ask.difference"}), language, text, mentions)
    items = planned.calls[0].arguments.get("items", ()) if planned is not None else ()
    return [item["quantity"] for item in items] if len(items) == 2 else []


def _size_of(call: Call) -> float:
    """Return the headline of a call, zero where it is refused."""
    try:
        return TOOLS[call.tool](call.arguments).results[0].value
    except KilowhatError:
        return 0.0


def _ranked(calls: Sequence[Call]) -> Call | None:
    """Return the call that ranks the places of calls that differ in nothing else."""
    regions = [call.arguments.get("region") for call in calls]
    rest = [Call(call.tool, {name: value for name, value in call.arguments.items() if name != "region"}) for call in calls]
    if None in regions or any(other != rest[0] for other in rest):
        return None
    energy = rest[0].arguments["energy"] if rest[0].tool == "convert_energy_to_emissions" and rest[0].arguments.keys() == {"energy"} else f"{as_ref(rest[0])}#energy"
    ranked = Call("choose_place_and_time", {"energy": energy, "regions": regions})
    try:
        TOOLS[ranked.tool](ranked.arguments)
    except KilowhatError:
        return None
    return ranked


def _sum(slots: Slots, calls: Sequence[Call]) -> Call | None:
    """Return the call that adds the results of several, where their total is asked for."""
    if "ask.sum" not in slots.senses or slots.wanted not in ("energy", "emissions", "water"):
        return None
    return Call("calculate", {"expression": " + ".join(f"{as_ref(call)}#{slots.wanted}" for call in calls)})
