"""A question understood: normalise → recognise → slots → the tools whose arguments they fill.

No tool is chosen by a word. Each tool is offered all slots; the one whose arguments use
most of them, with none missing, is run. So a new tool is found by the arguments it takes.
What no argument could take is named in the answer, never dropped in silence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from kilowhat.plugin.understanding.arguments import ARGUMENTS
from kilowhat.plugin.understanding.checking import claim_plan
from kilowhat.plugin.understanding.counting import TOKENS
from kilowhat.plugin.understanding.how_many import how_many
from kilowhat.plugin.understanding.plan import Call, Plan, as_quantity, as_ref
from kilowhat.plugin.understanding.published import measured_by, published, water_of_run
from kilowhat.plugin.understanding.recognise import Mention, read
from kilowhat.plugin.understanding.segments import cut
from kilowhat.plugin.understanding.slots import THINGS, Slots, read_slots
from kilowhat.plugin.understanding.timing import PERIOD_HOURS
from kilowhat.plugin.understanding.tools import Tool, known_tools
from kilowhat.tools import TOOLS, KilowhatError, Library
from kilowhat.tools.core.electricity import WORLD, intensity_fact_id
from kilowhat.tools.core.errors import MissingInput
from kilowhat.tools.core.patterns import Late
from kilowhat.tools.core.place import find_place
from kilowhat.tools.core.reference import fold as fold_name
from kilowhat.tools.core.units import EMISSIONS, ENERGY, MASS, format_number, parse_quantity, parse_unit

_MERGED = ("counts", "named", "senses", "ends")
MAXIMUM_TURNS = 12
PAIR = 2
"""Two carbon intensities are now and later; more are the hours to choose among."""

DAYS_OF_A_WEEK = 7

Fitting = tuple[int, int, Tool, dict[str, Any], set[str]]
"""How many slots a tool uses, its place in the list, the tool, its arguments, and the slots."""

TOPICS = {"train": {"act.train"}, "make": {"act.make", "noun.lifetime"}}
"""The senses that put a question on a tool's topic."""


def understand(turns: Sequence[tuple[str, str]], *, region: str | None = None) -> Plan:
    """Return the plan for the last question of a conversation.

    Args:
        turns: (role, text), the last one the user's.
        region: A place to take where the question names none.
    """
    slots, language, follows = Slots(), None, False
    text, mentions = "", list[Mention]()
    for question in [said for role, said in turns if role == "user"][-MAXIMUM_TURNS:]:
        text, language, mentions = read(question, language)
        now = read_slots(text, mentions)
        follows = bool(slots.about_subject) and not _stands_alone(now) and not ("greeting" in now.senses and not now.wanted and not now.named)
        slots = _follow_up(slots, now) if follows else now
    if region is not None and slots.name("place") is None and slots.unknown_place is None:
        slots = replace(slots, named={**slots.named, "place": (region,)})
    language = language or "en"
    sides = _sides(slots, language, text, mentions) if "shape.claim" in slots.senses and not follows else []
    if (checked := claim_plan(slots, language, text, plan, sides)) is not None:
        return checked
    several = None if follows else _several(slots, language, text, mentions)
    planned = several or plan(slots, language, text)
    return replace(planned, unjudged="shape.claim" in slots.senses and planned.outcome == "answered" and slots.wanted != "source")


def _several(slots: Slots, language: str, text: str, mentions: Sequence[Mention]) -> Plan | None:
    """Return the plan for several things: set against each other where the question asks for that, else one after the other."""
    parts = cut(text, mentions) or cut(text, mentions, {"provider"}) or (cut(text, mentions, {"place"}) if not slots.amounts or slots.senses & {"shape.versus", "ask.ratio"} else [])
    calls, labels = [], []
    comparing = bool(slots.senses & {"shape.versus", "ask.ratio", "ask.difference"})
    if comparing:
        parts = [(label, replace(part, counts={"task": 1.0}) if part.things == ["task"] and not part.counts else part) for label, part in parts]
    for label, part in parts:
        still = comparing and "act.make" not in slots.senses and "hardware" in part.named and part.hours is None and part.span_hours is None and part.rate is None
        power = _power_of(replace(part, wanted="power", counts={"device": part.counts.get("device", 1.0)}), language) if still and slots.wanted == "power" else None
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


def _change(slots: Slots, language: str, first: str, second: str) -> Plan:
    """Return the plan for by how many percent the first is more or less than the second."""
    less = f"1 - ({first}) / ({second})", f"1 - ({second}) / ({first})"
    more = f"({first}) / ({second}) - 1", f"({second}) / ({first}) - 1"
    expressions = less if slots.senses & {"mod.less", "ask.save", "ask.less"} else more
    for expression in expressions:
        call = Call("calculate", {"expression": expression, "unit": "%"})
        try:
            TOOLS[call.tool](call.arguments)
        except KilowhatError:
            continue
        break
    return Plan("answered", language, (call,), quantity="ratio")


def _sides(slots: Slots, language: str, text: str, mentions: Sequence[Mention]) -> list[str]:
    """Return the amounts of two things that a claim sets against each other, as quantities; nothing where there are not two."""
    planned = _several(replace(slots, senses=slots.senses | {"shape.versus"} - {"ask.percent", "ask.difference"}), language, text, mentions)
    items = planned.calls[0].arguments.get("items", ()) if planned is not None else ()
    return [item["quantity"] for item in items] if len(items) == PAIR else []


def _size_of(call: Call) -> float:
    """Return the headline of a call, zero where it is refused."""
    try:
        return TOOLS[call.tool](call.arguments).results[0].value
    except KilowhatError:
        return 0.0


def _difference(slots: Slots, language: str, first: str, second: str) -> Plan:
    """Return the plan for how much the larger of two is above the smaller."""
    call = Call("calculate", {"expression": f"({first}) - ({second})"})
    try:
        TOOLS[call.tool](call.arguments)
    except KilowhatError:
        call = Call("calculate", {"expression": f"({second}) - ({first})"})
    return Plan("answered", language, (call,), quantity=slots.wanted, unit=slots.unit)


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


def _stands_alone(slots: Slots) -> bool:
    """Return whether a question names what it is about, and how it is to be counted or measured."""
    return bool(slots.things and (slots.counts or slots.wanted)) or bool(slots.amounts and slots.named)


def _follow_up(before: Slots, now: Slots) -> Slots:
    """Return the earlier slots with those that the new question tells in their place."""
    told: dict[str, Any] = {slot.name: value for slot in fields(Slots) if slot.name not in _MERGED and (value := getattr(now, slot.name))}
    named = {**before.named, **now.named}
    if now.things:
        named = {kind: names for kind, names in named.items() if kind not in THINGS or kind in now.named}
    if now.wanted is not None and now.unit is None:
        told["unit"] = None
    kept = {sense for sense in before.senses if not sense.startswith(("shape.", "ask.")) and not (now.things and sense.startswith("act."))}
    if now.parameters_b is not None and not now.things and (sized := _of_size(before, now.parameters_b)) is not None:
        told["parameters_b"] = None
        named |= sized
    if now.daily_hours is not None or now.weekly_days is not None:
        told |= {"hours": now.hours, "span_hours": now.span_hours or before.span_hours or before.hours}
    period = next((name for name, length in PERIOD_HOURS.items() if length == before.span_hours), None)
    if before.rate is None and period is not None and before.counts and not now.counts and now.span_hours is not None and "rate" not in told:
        told["rate"] = period
    return replace(before, **told, named=named, counts=_counts(before, now), ends=now.ends, senses=now.senses | kept)


_SIZE = Late(r"\d+(?:\.\d+)?B", re.IGNORECASE)


def _of_size(before: Slots, billions: float) -> dict[str, tuple[str, ...]] | None:
    """Return the model or the run of the same family with another number of parameters: Llama 3.1 70B after Llama 3.1 8B."""
    library = Library.load()
    found: dict[str, tuple[str, ...]] = {}
    model, run = before.name("llm"), before.name("run")
    if model is not None and _SIZE.search(model) and (sized := _known_model(library, _SIZE.sub(f"{billions:g}B", model))) is not None:
        found["llm"] = (sized,)
    name = library.named("runs", run).name if run is not None else ""
    if _SIZE.search(name) and (other := library.spellings("runs").get(fold_name(_SIZE.sub(f"{billions:g}B", name)))) is not None:
        found["run"] = (other,)
    return found or None


def _known_model(library: Library, name: str) -> str | None:
    from kilowhat.tools.core.catalogue import find_model

    try:
        return find_model(library, name).name
    except KilowhatError:
        return None


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


def plan(slots: Slots, language: str, text: str) -> Plan:
    """Return the calls that answer the slots, or why there are none."""
    if (slots.daily_hours or 0.0) <= PERIOD_HOURS["day"] and (slots.weekly_days or 0.0) <= DAYS_OF_A_WEEK:
        slots = _scheduled(slots)
    if (quotient := how_many(slots, language, text, plan)) is not None:
        return quotient
    if slots.wanted != "source" and (figure := published(slots)) is not None:
        return Plan("answered", language, (figure,), quantity="energy" if figure.tool == "project_growth" else "source")
    refused = _refusal(slots, language)
    if refused is not None:
        return refused
    if len(slots.spans) > 1:
        plans = [plan(replace(slots, spans=(), span_hours=span), language, text) for span in slots.spans]
        each = plans[0].outcome == "answered" and all(len(planned.calls) == 1 for planned in plans)
        return replace(plans[0], calls=tuple(planned.calls[0] for planned in plans), parallel=True) if each else plan(replace(slots, spans=()), language, text)
    if "ask.grid" in slots.senses and "place" in slots.named and not slots.things and not slots.amounts and not slots.power_w:
        year = {"year": slots.years[0]} if slots.years else {}
        return Plan("answered", language, (Call("convert_energy_to_emissions", {"energy": "1 kWh", "region": slots.named["place"][0], **year}),), quantity="carbon-intensity")
    if slots.wanted == "source":
        return Plan("answered", language, (Call("look_up_references", {"query": _query(slots, text), **_subject(slots)}),), quantity="source")
    if "forecast" in slots.named and not slots.amounts:
        return Plan("answered", language, (Call("project_growth", {"forecast": slots.named["forecast"][-1]}),), quantity="energy")
    if not slots.things and not slots.amounts and slots.senses >= {"noun.request", "about.subject"} and slots.wanted in ("energy", "emissions", "water"):
        slots = replace(slots, named={**slots.named, "service": ("ai-chatbot",)})
    if (feed := _power_of(slots, language)) is not None:
        return feed
    if (part := _part_of(slots, language)) is not None:
        return part
    if (converted := _in_another_unit(slots, language)) is not None:
        return converted
    things = slots.named.get("comparator", ())
    if things and "act.train" in slots.senses and not slots.counts and measured_by(things[0]) == "water" and (water := water_of_run(slots)) is not None:
        return Plan("answered", language, (Call("convert_to_equivalents", {"quantity": water, "equivalents": list(things)}),), quantity="count")
    if len(slots.pues) == PAIR and (change := _change_of_pue(slots, language, text)) is not None:
        return change
    if (energy := _energy_of_emissions(slots, language)) is not None:
        return energy
    if len(slots.ends) == 1 or len(slots.power_w) == 2:
        return _both_ends(slots, language, text)
    fitting = [(score, -order, tool, arguments, used) for order, tool in enumerate(known_tools()) if (fit := _fit(tool, slots)) for score, arguments, used in [fit]]
    fitting = _of_the_act(fitting, slots)
    if not fitting:
        return _without_tool(slots, language, text)
    ranked = sorted(fitting, key=lambda fit: fit[:2], reverse=True)
    _, _, tool, arguments, used = next((fit for fit in ranked if _is_complete(fit[2], fit[3])), ranked[0])
    calls = _chain(tool, arguments, slots)
    if slots.senses & {"ask.save", "ask.difference"} and tool.name == "choose_place_and_time":
        share = "saving-share" if "ask.percent" in slots.senses else "saving"
        two = len(arguments.get("hourly_intensity_g_co2e_per_kwh", ())) == PAIR
        return Plan("answered", language, calls, quantity=f"{share}-at-most" if two else share, unit=slots.unit, unused=_unused(slots, used))
    wanted = "count" if not slots.aside and "comparator" in slots.named and calls[-1].tool == "convert_to_equivalents" and "equivalents" in calls[-1].arguments else slots.wanted
    return Plan("answered", language, calls, quantity=wanted, unit=slots.unit, unused=_unused(slots, used))


def _scheduled(slots: Slots) -> Slots:
    """Return the slots with the hours that a schedule makes of the time asked for: so many hours of each day, days of each week."""
    if slots.daily_hours is None and slots.weekly_days is None:
        return slots
    period = slots.hours if slots.hours is not None and slots.hours >= PERIOD_HOURS["day"] else slots.span_hours
    if period is None:
        period = PERIOD_HOURS["week" if slots.weekly_days is not None else "day"]
    share = (24.0 if slots.daily_hours is None else slots.daily_hours) / 24 * (7.0 if slots.weekly_days is None else slots.weekly_days) / 7
    return replace(slots, hours=period * share, span_hours=None, daily_hours=None, weekly_days=None)


def _is_complete(tool: Tool, arguments: dict[str, Any]) -> bool:
    """Return whether a tool is told all that it needs; any other refusal is an answer, and stays."""
    try:
        TOOLS[tool.name](arguments)
    except MissingInput:
        return False
    except KilowhatError:
        return True
    return True


def _of_the_act(fitting: list[Fitting], slots: Slots) -> list[Fitting]:
    """Return the tools that fit what is done: one that makes where making is asked about, none that serves requests where training is."""
    if "act.make" in slots.senses and len(slots.roles) < PAIR:
        fitting = [fit for fit in fitting if fit[2].topic == "make" or "embodied_kg_co2e" in fit[3]] or fitting
    if slots.energy_wh_each is not None:
        fitting = [fit for fit in fitting if "energy_wh_each" in fit[4]] or fitting
    if "act.train" in slots.senses and not slots.counts.keys() & {"request", "user", "input", "output"}:
        fitting = [fit for fit in fitting if fit[2].name not in ("estimate_llm", "estimate_service")]
    return fitting


def _query(slots: Slots, text: str) -> str:
    """Return what to look for: the names and the quantity in the library's own words where the question names something, else its own words."""
    library = Library.load()
    kinds = {"run": "runs", "task": "tasks", "service": "services", "model": "models", "hardware": "hardware"}
    names = [library.named(kind, slots.named[slot][0]).name for slot, kind in kinds.items() if slot in slots.named]
    if not names:
        return text[:300]
    asked = [word for word in ("emissions", "energy", "water") if f"ask.{word}" in slots.senses]
    training = ["training"] if "run" in slots.named and "service" not in slots.named else []
    return " ".join([*dict.fromkeys(names), *training, *asked, *(amount.replace(".0 ", " ") for amount, _ in slots.amounts)])[:300]


def _subject(slots: Slots) -> dict[str, str]:
    """Return the subject of the figure asked for, where what is named and what is asked tell it."""
    dimensions = {dimension for _, dimension in slots.amounts}
    asked = "emissions" if "ask.emissions" in slots.senses or EMISSIONS in dimensions else "energy" if "ask.energy" in slots.senses or ENERGY in dimensions else None
    if asked is None:
        return {}
    if "run" in slots.named and "service" not in slots.named:
        return {"subject": f"training-{asked}"}
    return {"subject": "task-energy"} if "task" in slots.named and asked == "energy" else {}


def _refusal(slots: Slots, language: str) -> Plan | None:
    """Return the plan for what is not asked clearly, or not ours to answer; None where it is."""
    if slots.unreadable is not None:
        return Plan("needs_input", language, reason="unreadable", slots={"number": slots.unreadable})
    if slots.unknown_wanted is not None and (slots.wanted is None or slots.unit is not None) and "comparator" not in slots.named:
        return Plan("declined", language, reason="off_subject")
    if "ask.money" in slots.senses and slots.senses & {"about.subject", "about.datacentre"} and not slots.things and not slots.unit:
        return Plan("needs_input", language, reason="which_task")
    if "ask.money" in slots.senses and (slots.wanted is None or not slots.things) and not slots.unit and "shape.claim" not in slots.senses:
        return Plan("declined", language, reason="off_subject")
    if "act.inject" in slots.senses and not any(slots.counts.values()) and not slots.amounts:
        return Plan("declined", language, reason="off_subject")
    if "about.appliance" in slots.senses and not slots.things and not slots.senses & {"about.subject", "about.datacentre"} and not slots.named.get("comparator"):
        return Plan("declined", language, reason="off_subject")
    if "act.please" in slots.senses and slots.things == ["task"] and slots.wanted is None and set(slots.counts.values()) <= {1.0}:
        return Plan("declined", language, reason="off_subject")
    if (slots.daily_hours or 0.0) > PERIOD_HOURS["day"] or (slots.weekly_days or 0.0) > DAYS_OF_A_WEEK:
        return Plan("needs_input", language, reason="impossible_time")
    if not slots.about_subject and "comparator" not in slots.counts:
        if "greeting" in slots.senses and not slots.wanted:
            return Plan("declined", language, reason="greeting")
        if slots.wanted == "energy" and "act.run" in slots.senses:
            return Plan("needs_input", language, reason="which_device")
        if slots.wanted in ("energy", "emissions") and "mod.average" in slots.senses and "comparator" in slots.named:
            return None
        if slots.wanted == "energy" and slots.counts and not ("comparator" in slots.named or "place" in slots.named):
            return Plan("needs_input", language, reason="which_task")
        return Plan("declined", language, reason="off_subject")
    if slots.things == ["task"] and not (slots.counts or slots.wanted or "comparator" in slots.named):
        return Plan("needs_input", language, reason="which_task")
    return None


def _power_of(slots: Slots, language: str) -> Plan | None:
    """Return the plan for the power that devices draw together, with the facility's share where a PUE is told."""
    count = slots.counts.get("device", slots.counts.get("server"))
    if slots.wanted != "power" or count is None or slots.hours is not None:
        return None
    device = slots.name("hardware")
    rated = [fact for subject in ("device-power", "server-power") for fact in Library.load().find(subject, hardware=device)] if device is not None else []
    if not slots.power_w and not rated:
        return None
    each = f"{slots.power_w[0]!r} W" if slots.power_w else f"fact:{rated[0].id}"
    pue = f" * {slots.pue!r}" if slots.pue is not None else ""
    return Plan("answered", language, (Call("calculate", {"expression": f"{count!r} * {each}{pue}"}),), quantity="power", unit=slots.unit)


def _part_of(slots: Slots, language: str) -> Plan | None:
    """Return the plan for a share of an amount (3 % of 9.8 TWh), or for the yearly rate of something that grows so many times in years."""
    if slots.things or slots.named.get("comparator"):
        return None
    if slots.factor is not None and slots.hours is not None and slots.hours >= PERIOD_HOURS["year"] and "ask.percent" in slots.senses:
        years = slots.hours / PERIOD_HOURS["year"]
        return Plan("answered", language, (Call("calculate", {"expression": f"{slots.factor[0]!r} ** (1 / {years!r}) - 1", "unit": "%"}),), quantity="ratio")
    if "ask.sum" in slots.senses and len(slots.amounts) > max(1, len(slots.roles)) and len({dimension for _, dimension in slots.amounts}) == 1:
        return Plan("answered", language, (Call("calculate", {"expression": " + ".join(f"({amount})" for amount, _ in slots.amounts)}),), quantity=slots.wanted, unit=slots.unit)
    if len(slots.amounts) == PAIR and slots.amounts[0][1] == slots.amounts[1][1] and "ask.percent" in slots.senses and not slots.years and not slots.hours:
        return _change(replace(slots, senses=slots.senses | {"mod.less"}) if _less(slots) else slots, language, slots.amounts[1][0], slots.amounts[0][0])
    share = slots.percents[0] / 100 if len(slots.percents) == 1 else slots.counts.get("bare", 1.0)
    if (
        len(slots.amounts) != 1
        or not 0 < share < 1
        or slots.hours is not None
        or (slots.wanted not in ("energy", "emissions", "water") and "mod.on_top" not in slots.senses)
        or "ask.save" in slots.senses
    ):
        return None
    part = 1 + share if "mod.on_top" in slots.senses else share
    return Plan("answered", language, (Call("calculate", {"expression": f"{part!r} * ({slots.amounts[0][0]})"}),), quantity=slots.wanted, unit=slots.unit)


def _less(slots: Slots) -> bool:
    """Return whether the second of two amounts is the smaller one."""
    first, second = (parse_quantity(amount) for amount, _ in slots.amounts)
    return second.to(first.unit).value < first.value


def _in_another_unit(slots: Slots, language: str) -> Plan | None:
    """Return the plan that only converts an amount to another unit of the same kind."""
    if len(slots.amounts) != 1 or slots.unit is None or slots.things or slots.named.get("comparator") or slots.intensities_g or slots.wue_l_per_kwh or slots.percents:
        return None
    amount, dimension = slots.amounts[0]
    wanted = f"{slots.unit} CO2e" if dimension == EMISSIONS and parse_unit(slots.unit).dimension == MASS else slots.unit
    if parse_unit(wanted).dimension != dimension or parse_quantity(amount).unit == slots.unit or slots.hours is not None or slots.amount_rate is not None:
        return None
    return Plan("answered", language, (Call("calculate", {"expression": amount, "unit": wanted}),), quantity=slots.wanted, unit=slots.unit)


def _change_of_pue(slots: Slots, language: str, text: str) -> Plan | None:
    """Return the plan for a PUE that changes: what is saved, or by how many percent."""
    before, after = max(slots.pues), min(slots.pues)
    if "ask.percent" in slots.senses:
        return Plan("answered", language, (Call("calculate", {"expression": f"1 - {after!r} / {before!r}", "unit": "%"}),), quantity="ratio")
    if (amount := slots.amount(ENERGY)) is not None and not slots.things:
        return Plan("answered", language, (Call("calculate", {"expression": f"({amount}) * ({before!r} - {after!r})"}),), quantity="energy", unit=slots.unit)
    plans = [plan(replace(slots, pue=pue, pues=()), language, text) for pue in (before, after)]
    if any(planned.outcome != "answered" or "pue" not in planned.calls[0].arguments for planned in plans):
        return None
    wanted = slots.wanted if slots.wanted in ("emissions", "water") else "energy"
    saved = " - ".join(f"{as_ref(planned.calls[0])}#{wanted}" for planned in plans)
    return Plan("answered", language, (Call("calculate", {"expression": saved}),), quantity=wanted, unit=slots.unit)


def _energy_of_emissions(slots: Slots, language: str) -> Plan | None:
    """Return the plan that turns emissions back into the electricity that causes them; a mass that is not said to be of greenhouse gas is asked about."""
    amount = slots.amount(EMISSIONS)
    if amount is None or slots.unit is None or slots.wanted != "energy" or slots.things or slots.amount(ENERGY) or "comparator" in slots.named:
        return None
    if "ask.emissions" not in slots.senses and not slots.as_gas:
        return Plan("needs_input", language, reason="which_task")
    return Plan("answered", language, (Call("calculate", {"expression": f"({amount}) / fact:{_intensity_of(slots)}"}),), quantity="energy", unit=slots.unit)


def _intensity_of(slots: Slots, thing: str = "") -> str:
    """Return the id of the carbon intensity of the place that is named, else of the country that an everyday thing is of, else of the world."""
    library = Library.load()
    country = next((zone for zone, told in library.countries.items() if told["alpha2"] and thing.startswith(f"{told['alpha2'].lower()}-")), None)
    region = slots.name("place") or country
    return find_place(library, region).intensity.id if region is not None else intensity_fact_id(WORLD)


def _both_ends(slots: Slots, language: str, text: str) -> Plan:
    """Return the plan for a range: one call for each of its ends."""
    if len(slots.power_w) == 2:
        each = [replace(slots, ends={}, power_w=(end,)) for end in slots.power_w]
    else:
        ((kind, ends),) = slots.ends.items()
        each = [replace(slots, ends={}, counts={**slots.counts, kind: end}) for end in ends]
    plans = [plan(one, language, text) for one in each]
    if any(planned.outcome != "answered" for planned in plans):
        return plans[0]
    return replace(plans[0], calls=tuple(planned.calls[0] for planned in plans), parallel=True)


def _chain(tool: Tool, arguments: dict[str, Any], slots: Slots) -> tuple[Call, ...]:
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
        energy = Call("calculate", {"expression": f"({mass}) / fact:{_intensity_of(slots, things[0])}"})
        return (energy, Call("convert_to_equivalents", {"quantity": as_ref(energy), "equivalents": list(things)}))
    if amount is not None and measured_by(things[0]) == "emissions":
        first = Call("convert_energy_to_emissions", {"energy": amount, **({"region": slots.named["place"][0]} if "place" in slots.named else {})})
        return (first, Call("convert_to_equivalents", {"quantity": as_ref(first), "equivalents": list(things)}))
    return (call,)


_KEPT = ("hours", "span", "rate")


def _unused(slots: Slots, used: set[str]) -> tuple[str, ...]:
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


def _fit(tool: Tool, slots: Slots) -> tuple[int, dict[str, Any], set[str]] | None:
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


def _without_tool(slots: Slots, language: str, text: str) -> Plan:
    """Return what to ask for, or the published figures where there is a name but no way to calculate."""
    if "hardware" in slots.named or slots.power_w or slots.senses & {"noun.accelerator", "noun.server"}:
        return Plan("needs_input", language, reason="which_hours" if ("hardware" in slots.named or slots.power_w) else "which_device")
    if "act.train" in slots.senses:
        return Plan("needs_input", language, reason="which_run")
    if slots.things or ("about.datacentre" in slots.senses and "place" in slots.named):
        return Plan("answered", language, (Call("look_up_references", {"query": _query(slots, text), **_subject(slots)}),), quantity="source")
    return Plan("needs_input", language, reason="which_task")
