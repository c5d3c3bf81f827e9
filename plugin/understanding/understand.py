"""A question understood: normalise → recognise → slots → the tools whose arguments they fill.

No tool is chosen by a word. Each tool is offered all slots; the one whose arguments use
most of them, with none missing, is run. So a new tool is found by the arguments it takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from kilowhat.plugin.understanding.arguments import ARGUMENTS
from kilowhat.plugin.understanding.plan import Call, Plan
from kilowhat.plugin.understanding.recognise import Mention, read
from kilowhat.plugin.understanding.segments import cut
from kilowhat.plugin.understanding.slots import THINGS, Slots, read_slots
from kilowhat.tools import TOOLS
from kilowhat.tools.core.tool import Tool

_KEEPS = ("per", "counts", "named", "senses")


def understand(turns: Sequence[tuple[str, str]], *, region: str | None = None) -> Plan:
    """Return the plan for the last question of a conversation.

    Args:
        turns: (role, text), the last one the user's.
        region: A place to take where the question names none.
    """
    text, language, mentions = read(turns[-1][1])
    slots = read_slots(text, mentions)
    earlier = [question for role, question in turns[:-1] if role == "user"]
    if earlier and not _stands_alone(slots):
        before, _, its_mentions = read(earlier[-1])
        slots = _follow_up(read_slots(before, its_mentions), slots)
    if region is not None and slots.name("place") is None and slots.unknown_place is None:
        slots = replace(slots, named={**slots.named, "place": (region,)})
    return _comparison(slots, language, text, mentions) or plan(slots, language, text)


def _comparison(slots: Slots, language: str, text: str, mentions: Sequence[Mention]) -> Plan | None:
    """Return the plan that sets things against each other, where a question asks for that and each of them can be calculated."""
    if not slots.senses & {"shape.versus", "ask.ratio"} or "compare" not in TOOLS:
        return None
    parts = cut(text, mentions) or cut(text, mentions, places=True)
    items = []
    for label, part in parts:
        planned = plan(part, language, text)
        if planned.outcome != "answered" or planned.calls[-1].tool == "look_up_references":
            return None
        last = planned.calls[-1]
        wanted = slots.wanted if slots.wanted in ("energy", "emissions", "water") else None
        items.append({"label": label, "quantity": _ref(TOOLS[last.tool], last.arguments) + (f"#{wanted}" if wanted else "")})
    return Plan("answered", language, (Call("compare", {"items": items}),), quantity="ratio") if items else None


def _stands_alone(slots: Slots) -> bool:
    """Return whether a question names what it is about, and how it is to be counted or measured."""
    return bool(slots.things and (slots.counts or slots.wanted)) or bool(slots.amounts and slots.named)


def _follow_up(before: Slots, now: Slots) -> Slots:
    """Return the earlier slots with those that the new question tells in their place."""
    told: dict[str, Any] = {}
    for slot in fields(Slots):
        value = getattr(now, slot.name)
        if slot.name not in _KEEPS and value:
            told[slot.name] = value
    told["per"] = now.per or before.per
    told["named"] = {**before.named, **now.named}
    told["senses"] = before.senses | now.senses
    told["counts"] = _counts(before, now)
    if now.things:
        told["named"] = {kind: names for kind, names in told["named"].items() if kind not in THINGS or kind in now.named}
        told["senses"] = now.senses | {sense for sense in before.senses if sense.startswith("per.")}
    if now.wanted is not None and now.unit is None:
        told["unit"] = None
    return replace(before, **told)


def _counts(before: Slots, now: Slots) -> dict[str, float]:
    """Return the counts of a follow-up; a bare number takes the place of the one that was counted before."""
    counts = dict(before.counts)
    for kind, number in now.counts.items():
        replaced = next(iter(counts), kind) if kind in ("bare", "thing") else kind
        counts[replaced] = number
    if now.things and counts and not now.counts:
        counts = {"bare": next(iter(counts.values()))}
    return counts


def plan(slots: Slots, language: str, text: str) -> Plan:
    """Return the calls that answer the slots, or why there are none."""
    if slots.unknown_wanted is not None and slots.wanted is None and "comparator" not in slots.named:
        return Plan("declined", language, reason="off_subject")
    if not slots.about_subject and "comparator" not in slots.counts:
        if slots.senses & {"greeting"} and not slots.wanted:
            return Plan("declined", language, reason="greeting")
        if slots.wanted == "energy" and slots.counts and not ("comparator" in slots.named or "place" in slots.named):
            return Plan("needs_input", language, reason="which_task")
        return Plan("declined", language, reason="off_subject")
    if slots.things == ["task"] and not (slots.counts or slots.wanted or "comparator" in slots.named):
        return Plan("needs_input", language, reason="which_task")
    if slots.wanted == "source":
        return Plan("answered", language, (Call("look_up_references", {"query": text[:300]}),), quantity="source")
    fitting = sorted(
        ((score, -order, tool, arguments) for order, tool in enumerate(TOOLS.values()) if (fit := _fit(tool, slots)) for score, arguments in [fit]), key=lambda item: item[:2], reverse=True
    )
    if not fitting:
        return _without_tool(slots, language, text)
    _, _, tool, arguments = fitting[0]
    calls = [Call(tool.name, arguments)]
    if "comparator" in slots.named and "quantity" not in tool.arguments.model_fields:
        calls.append(Call("convert_to_equivalents", {"quantity": _ref(tool, arguments), "equivalents": list(slots.named["comparator"])}))
    wanted = "count" if "comparator" in slots.named and (len(calls) > 1 or tool.name == "convert_to_equivalents") else slots.wanted
    return Plan("answered", language, tuple(calls), quantity=wanted, unit=slots.unit)


def _fit(tool: Tool, slots: Slots) -> tuple[int, dict[str, Any]] | None:
    """Return how many slots a tool uses, and its arguments; None where one that it needs is not told.

    A count that is not told is one, where the thing counted is told.
    """
    arguments: dict[str, Any] = {}
    used: set[str] = set()
    for name, field in tool.arguments.model_fields.items():
        fill = ARGUMENTS.get(name)
        found = fill(slots, tool) if fill else None
        if found is not None:
            arguments[name], names = found
            used |= set(names)
        elif name == "count" and "task" in arguments:
            arguments[name] = 1.0
        elif field.is_required():
            return None
    way = _way(tool, arguments)
    if way is None or not _on_topic(tool, way, slots):
        return None
    told_otherwise = {name for other in tool.ways for name in other} - set(way)
    return len(used), {name: value for name, value in arguments.items() if name not in told_otherwise or _joins(tool, way, name)}


def _way(tool: Tool, arguments: dict[str, Any]) -> tuple[str, ...] | None:
    """Return the fullest of the tool's ways that is told, the empty one where it has none, or None."""
    told = [way for way in tool.ways or ((),) if all(name in arguments for name in way)]
    return max(told, key=len, default=None)


def _joins(tool: Tool, way: tuple[str, ...], name: str) -> bool:
    """Return whether an argument of another way may stand beside this one: two ways that differ in it alone are one with both."""
    return any(set(other) - {name} <= set(way) and len(other) == len(way) for other in tool.ways if name in other)


def _on_topic(tool: Tool, way: tuple[str, ...], slots: Slots) -> bool:
    """Return whether a question is about the tool's topic: by a word for it, or by a run that it names without counting requests."""
    if tool.topic is None or f"act.{tool.topic}" in slots.senses:
        return True
    return way == ("model",) and not slots.counts.keys() & {"token", "request"}


def _ref(tool: Tool, arguments: dict[str, Any]) -> str:
    from kilowhat.tools import KilowhatError
    from kilowhat.tools.core.tool import ref

    try:
        return ref(tool.name, tool.validate(arguments))
    except KilowhatError:
        return tool.name


def _without_tool(slots: Slots, language: str, text: str) -> Plan:
    """Return what to ask for, or the published figures where there is a name but no way to calculate."""
    if "hardware" in slots.named or slots.power_w or slots.senses & {"noun.accelerator", "noun.server"}:
        return Plan("needs_input", language, reason="which_hours" if ("hardware" in slots.named or slots.power_w) else "which_device")
    if "act.train" in slots.senses:
        return Plan("needs_input", language, reason="which_run")
    if slots.things:
        return Plan("answered", language, (Call("look_up_references", {"query": text[:300]}),), quantity="source")
    return Plan("needs_input", language, reason="which_task")
