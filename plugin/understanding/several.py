"""A question about several things: each planned by itself, then ranked, compared, added, or told one after the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from kilowhat.plugin.understanding.calculating import change, power_of
from kilowhat.plugin.understanding.counting import meant
from kilowhat.plugin.understanding.follow_up import without_everyday
from kilowhat.plugin.understanding.mention import Mention
from kilowhat.plugin.understanding.plan import Call, Plan, as_quantity, as_ref
from kilowhat.plugin.understanding.planning import plan
from kilowhat.plugin.understanding.published import SECTORS, measured_by, of_country, of_sector
from kilowhat.plugin.understanding.segments import cut
from kilowhat.plugin.understanding.slots import THINGS, Slots
from kilowhat.tools import TOOLS, KilowhatError, Library
from kilowhat.tools.core.patterns import Late


def several(slots: Slots, language: str, text: str, mentions: Sequence[Mention]) -> Plan | None:
    """Return the plan for several things: set against each other where the question asks for that, else one after the other."""
    if len(slots.pues) == 2 and slots.amounts:
        return None
    parts = cut(text, mentions) or cut(text, mentions, {"provider"}) or (cut(text, mentions, {"place"}) if not slots.amounts or slots.senses & {"shape.versus", "ask.ratio", "each"} else [])
    comparing = _compares(slots)
    if not comparing and (_serves_on(text, mentions, [part for _, part in parts]) or ("service" not in slots.named and any("service" in part.named for _, part in parts))):
        return None
    if comparing and len(parts) < 2 and slots.unknown is not None and slots.named.keys() & {"llm", "service"} and any(sign.isdigit() for sign in slots.unknown):
        return Plan("answered", language, (Call("estimate_llm", {"model": slots.unknown}),), quantity=slots.wanted, unit=slots.unit)
    if comparing and not slots.things and not slots.years and (sectors := _sectors(slots, text, mentions)) is not None:
        return Plan("answered", language, (Call("compare", {"items": sectors}),), quantity="ratio")
    return _together(parts, slots, language, text)


def _compares(slots: Slots) -> bool:
    """Return whether a question sets things against each other."""
    return bool(slots.senses & {"shape.versus", "ask.ratio", "ask.difference"}) or ("ask.percent" in slots.senses and bool(slots.senses & {"mod.more", "mod.less"}))


def _sectors(slots: Slots, text: str, mentions: Sequence[Mention]) -> list[dict[str, str]] | None:
    """Return two sectors, or a sector and a country, that are set against each other, each with its yearly total, or None: AI and Bitcoin, data centres and France."""
    told = {text[mention.start : mention.end]: of_sector(sense, slots.wanted) for mention in mentions for sense in mention.senses if sense in SECTORS}
    for before, mention in zip([None, *mentions], mentions, strict=False):
        country = mention.names.get("comparator") or (mention.names.get("place") if before is None or "prep" not in before.senses else None)
        if country is not None and len(slots.named.get("place", ())) <= 1 and slots.wanted != "emissions":
            told[text[mention.start : mention.end]] = of_country(country)
    totals = {label: total for label, total in told.items() if total is not None}
    return [{"label": label, "quantity": total} for label, total in totals.items()] if len(totals) == len(set(totals.values())) == 2 else None


def set_against(earlier: Slots, label: str, now: Slots, language: str, text: str, mentions: Sequence[Mention]) -> Plan | None:
    """Return the plan that sets one thing against what was asked before: "compare that with a video"; None where a question does not."""
    earlier = without_everyday(earlier)
    first = next((mention for mention in mentions if mention.names or mention.number is not None), None)
    versus = [mention for mention in mentions if "ask.ratio" in mention.senses or ("shape.versus" in mention.senses and mention.start > 0)]
    if not (earlier.things and now.named.keys() & {*THINGS, "comparator"}) or first is None or cut(text, mentions) or not any(mention.start < first.start for mention in versus):
        return None
    if any(earlier.named.get(kind) == now.named.get(kind) for kind in THINGS if kind in now.named):
        return None
    thing = next((mention for mention in mentions if meant(mention).keys() & {*THINGS, "comparator"}), None)
    if thing is None:
        return None
    shared = {kind: names for kind, names in earlier.named.items() if kind == "place" and kind not in now.named}
    wanted = now.wanted or earlier.wanted
    comparator = {"comparator": 1.0} if "comparator" in now.named and not now.counts else {}
    other = replace(now, named={**shared, **now.named}, counts={**now.counts, **comparator}, wanted=wanted)
    senses = frozenset({"shape.versus", "ask.ratio"})
    parts = [(label, replace(earlier, wanted=wanted, unit=None)), (text[thing.start : thing.end], other)]
    return _together(parts, Slots(wanted=wanted, senses=senses), language, text)


def _together(parts: Sequence[tuple[str, Slots]], slots: Slots, language: str, text: str) -> Plan | None:
    """Return the plan for the parts, each with its label: ranked, compared, added, or one after the other, as the whole question asks."""
    calls, labels = list[Call](), list[str]()
    comparing = _compares(slots)
    if comparing:
        parts = [
            (label, replace(part, named={kind: names for kind, names in part.named.items() if kind != "comparator"}) if part.power_w and (part.hours or part.rate) and not part.things else part)
            for label, part in parts
        ]
        parts = [(label, replace(part, counts={"task": 1.0}) if part.things == ["task"] and not part.counts else part) for label, part in parts]
    for label, part in parts:
        still = comparing and "act.make" not in slots.senses and "hardware" in part.named and part.hours is None and part.span_hours is None and part.rate is None
        power = power_of(replace(part, wanted="power", counts={"device": part.counts.get("device", 1.0)}), language) if still and slots.wanted == "power" else None
        planned = power or plan(replace(part, hours=1.0) if still else part, language, text)
        if comparing and part.things == ["model"] and planned.calls[-1:] and planned.calls[-1].tool == "look_up_references":
            return Plan("answered", language, (Call("estimate_llm", {"model": part.named["model"][0]}),), quantity=slots.wanted, unit=slots.unit)
        if planned.outcome != "answered" or (planned.calls[-1].tool == "look_up_references" and not (comparing and as_quantity(planned.calls[-1]))):
            return None
        calls.append(planned.calls[-1])
        labels.append(label)
    facts = [Library.load().fact(figure.removeprefix("fact:")).subject for call in calls if (figure := as_quantity(call)) is not None]
    if (len(calls) > 1 and all(call == calls[0] for call in calls)) or (len(facts) == len(calls) > 1 and len(set(facts)) > 1):
        return None
    if {call.tool for call in calls} == {"estimate_task", "estimate_media"}:
        calls = [_by_size(call) for call in calls]
    if not calls or (any(call.tool == "convert_to_equivalents" for call in calls) and not slots.senses & {"shape.versus", "ask.ratio"}):
        return None
    places = "place" in slots.named and len({call.arguments.get("region") for call in calls}) > 1
    if places and "ask.ratio" not in slots.senses and (ranked := _ranked(calls)) is not None:
        difference = "ask.difference" in slots.senses and slots.wanted != "water"
        return Plan("answered", language, (ranked,), quantity="saving" if difference else None if slots.wanted == "energy" else slots.wanted, unit=slots.unit)
    if "ask.rank" in slots.senses and not places:
        return Plan("answered", language, tuple(sorted(calls, key=_size_of, reverse=True)), quantity=slots.wanted, unit=slots.unit, parallel=True)
    if "ask.percent" in slots.senses and len(calls) == 2 and not places:
        first, second = (_as_amount(slots, call) for call in calls)
        return change(slots, language, first, second)
    if "ask.difference" in slots.senses and len(calls) == 2 and not places and (slots.unit is not None or "ask.ratio" not in slots.senses):
        return _difference(slots, language, calls)
    if slots.senses & ({"ask.ratio"} if places else {"shape.versus", "ask.ratio", "ask.difference"}) and "compare" in TOOLS:
        things = [measured_by(part.named["comparator"][0]) if call.tool == "convert_to_equivalents" and "comparator" in part.named else None for call, (_, part) in zip(calls, parts, strict=True)]
        of_grids = all(call.tool == "convert_energy_to_emissions" for call in calls)
        wanted = "emissions" if "emissions" in things or of_grids else slots.wanted if slots.wanted in ("energy", "emissions", "water") else ""
        items = [{"label": label, "quantity": _as_item(call, thing, wanted)} for label, call, thing in zip(labels, calls, things, strict=True)]
        return Plan("answered", language, (Call("compare", {"items": items}),), quantity="ratio")
    total = _sum(slots, calls)
    if total is not None:
        return Plan("answered", language, (total,), quantity=slots.wanted, unit=slots.unit)
    return Plan("answered", language, tuple(calls), quantity=slots.wanted, unit=slots.unit, total=_total(calls, slots.wanted), parallel=True)


_ON = Late(r"\b(?:on|with|using|auf|mit|sur|avec|en|con|sobre)\s+(?:a |an |the )?$|[在用]\s*$", re.IGNORECASE)


def _serves_on(text: str, mentions: Sequence[Mention], parts: Sequence[Slots]) -> bool:
    """Return whether the second of two things is only the hardware on which the first one runs: a model on 8 H100."""
    first = next((mention for mention in mentions if "hardware" in mention.names), None)
    if len(parts) == 2 and "run" in parts[0].named and "hardware" in parts[1].named and parts[1].device_hours is not None:
        return True
    if len(parts) != 2 or first is None or "hardware" not in parts[1].named or parts[1].hours is not None or not parts[0].named.keys() & {"llm", "model", "task"}:
        return False
    before = next((mention for mention in reversed(mentions) if mention.end <= first.start and mention.number is not None and first.start - mention.end <= 2), first)
    return bool(_ON.search(text[: before.start]))


def _difference(slots: Slots, language: str, calls: Sequence[Call]) -> Plan:
    """Return the plan for how much the larger of two is above the smaller."""
    first, second = (_as_amount(slots, call) for call in sorted(calls, key=_size_of, reverse=True))
    return Plan("answered", language, (Call("calculate", {"expression": f"{first} - {second}"}),), quantity=slots.wanted, unit=slots.unit)


def _as_amount(slots: Slots, call: Call) -> str:
    """Return the result of a call that is wanted, as a part of an expression."""
    wanted = f"#{slots.wanted}" if slots.wanted in ("energy", "emissions", "water") else ""
    return f"({call.arguments['expression']})" if call.tool == "calculate" else as_quantity(call) or as_ref(call) + wanted


_KINDS = {"image-generation": "image", "video-generation": "video"}


def _by_size(call: Call) -> Call:
    """Return the call that finds a measured model's images by its size instead, where it can, so that two models are set against each other on one basis."""
    if call.tool != "estimate_task" or "model" not in call.arguments or call.arguments["task"] not in _KINDS:
        return call
    other = Call("estimate_media", {"kind": _KINDS[call.arguments["task"]], **{name: value for name, value in call.arguments.items() if name != "task"}})
    try:
        TOOLS[other.tool](other.arguments)
    except KilowhatError:
        return call
    return other


_OF_ENERGY = {"emissions": "convert_energy_to_emissions", "water": "convert_energy_to_water"}


def _as_item(call: Call, measured: str | None, wanted: str) -> str:
    """Return the result of a call as one side of a comparison, in the quantity that is wanted.

    Args:
        call: The call.
        measured: What an everyday thing is counted by, where the call is of one.
        wanted: The quantity to compare, or nothing where each call's headline is.
    """
    if measured == "energy" and wanted in _OF_ENERGY:
        return f"{as_ref(Call(_OF_ENERGY[wanted], {'energy': f'{as_ref(call)}#energy'}))}#{wanted}"
    return as_quantity(call) or as_ref(call) + (f"#{wanted}" if wanted and "region" in TOOLS[call.tool].arguments.model_fields else "")


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
    return _added(calls, slots.wanted)


def _added(calls: Sequence[Call], quantity: str) -> Call:
    return Call("calculate", {"expression": " + ".join(f"{as_ref(call)}#{quantity}" for call in calls)})


_AMOUNTS = ("hours", "count", "requests", "requests_per_day", "users")
"""Arguments by which a call is of an amount of work: of one request or one training run there is nothing to add up."""


def _total(calls: Sequence[Call], wanted: str | None) -> Call | None:
    """Return the call that adds up amounts of work that stand beside each other, or None where one is none, or the sum has no meaning."""
    if wanted not in (None, "energy", "emissions", "water") or any(all(call.arguments.get(name, 1) == 1 for name in _AMOUNTS) for call in calls):
        return None
    total = _added(calls, wanted or "energy")
    try:
        TOOLS[total.tool](total.arguments)
    except KilowhatError:
        return None
    return total
