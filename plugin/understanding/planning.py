"""From the slots of one question to the calls that answer it.

No tool is chosen by a word. Each tool is offered all slots; the one whose arguments use
most of them, with none missing, is run. So a new tool is found by the arguments it takes.
What no argument could take is named in the answer, never dropped in silence.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kilowhat.plugin.understanding.calculating import energy_of_emissions, in_another_unit, part_of, power_of, quotient_of
from kilowhat.plugin.understanding.counting import TOKENS
from kilowhat.plugin.understanding.fitting import chain, fit, is_complete, of_the_act, unused
from kilowhat.plugin.understanding.growing import growth
from kilowhat.plugin.understanding.how_many import how_many
from kilowhat.plugin.understanding.plan import Call, Plan, as_ref
from kilowhat.plugin.understanding.published import from_source, measured_by, of_length, of_model, operator_of, published, query_of, subject_of, water_of_run
from kilowhat.plugin.understanding.refusing import refusal, without_tool
from kilowhat.plugin.understanding.slots import THINGS, Slots
from kilowhat.plugin.understanding.timing import DAYS_OF_A_WEEK, PERIOD_HOURS
from kilowhat.plugin.understanding.tools import known_tools
from kilowhat.tools.core.units import ENERGY

_YEARLY = "-year"
"""How the ids of everyday things end that are a year of something; what goes on day by day is set against them for a year."""


def plan(slots: Slots, language: str, text: str) -> Plan:
    """Return the calls that answer the slots, or why there are none."""
    if (slots.daily_hours or 0.0) <= PERIOD_HOURS["day"] and (slots.weekly_days or 0.0) <= DAYS_OF_A_WEEK:
        slots = _scheduled(slots)
    if (quotient := how_many(slots, language, text, plan)) is not None:
        return quotient
    if (divided := quotient_of(slots, language)) is not None:
        return divided
    if "shape.claim" not in slots.senses and slots.wanted != "source" and (grown := growth(slots, language)) is not None:
        return grown
    if slots.wanted != "source" and (figure := from_source(slots, text) or published(slots) or of_length(slots)) is not None:
        return Plan("answered", language, (figure,), quantity="source" if figure.tool == "look_up_references" else "energy", unit=slots.unit)
    refused = refusal(slots, language)
    if refused is not None:
        return refused
    if slots.rate is not None and slots.span_hours is None and slots.hours is None and any(thing.endswith(_YEARLY) for thing in slots.named.get("comparator", ())) and slots.counts:
        slots = replace(slots, span_hours=PERIOD_HOURS["year"])
    if slots.amount_rate is not None and len(slots.spans) > 1:
        slots = replace(slots, spans=tuple(span for span in slots.spans if span != PERIOD_HOURS[slots.amount_rate]))
    if len(slots.spans) > 1:
        plans = [plan(replace(slots, spans=(), span_hours=span), language, text) for span in slots.spans]
        each = plans[0].outcome == "answered" and all(len(planned.calls) == 1 for planned in plans)
        return replace(plans[0], calls=tuple(planned.calls[0] for planned in plans), parallel=True) if each else plan(replace(slots, spans=()), language, text)
    if "ask.grid" in slots.senses and "place" in slots.named and not slots.things and not slots.amounts and not slots.power_w:
        year = {"year": slots.years[0]} if slots.years else {}
        return Plan("answered", language, (Call("convert_energy_to_emissions", {"energy": "1 kWh", "region": slots.named["place"][0], **year}),), quantity="carbon-intensity")
    if slots.wanted == "source":
        return Plan("answered", language, (Call("look_up_references", {"query": query_of(slots, text), **subject_of(slots)}),), quantity="source")
    if "forecast" in slots.named and not slots.amounts:
        return Plan("answered", language, (Call("project_growth", {"forecast": slots.named["forecast"][-1]}),), quantity="energy")
    repeated = "noun.request" in slots.senses and (slots.rate is not None or "user" in slots.counts)
    if not slots.things and not slots.amounts and slots.senses >= {"noun.request", "about.subject"} and (repeated or slots.wanted in ("energy", "emissions", "water")):
        slots = replace(slots, named={**slots.named, "service": ("ai-chatbot",)})
    if (feed := power_of(slots, language)) is not None:
        return feed
    if (part := part_of(slots, language)) is not None:
        return part
    if (converted := in_another_unit(slots, language)) is not None:
        return converted
    things = slots.named.get("comparator", ())
    if things and "act.train" in slots.senses and not slots.counts and measured_by(things[0]) == "water" and (water := water_of_run(slots)) is not None:
        return Plan("answered", language, (Call("convert_to_equivalents", {"quantity": water, "equivalents": list(things)}),), quantity="count")
    if (operator := operator_of(slots)) is not None:
        named = {kind: names for kind, names in slots.named.items() if kind not in THINGS} | {"service": (operator,)}
        return plan(replace(slots, named=named, counts={kind: number for kind, number in slots.counts.items() if kind not in TOKENS}), language, text)
    if len(slots.pues) == 2 and (change := _change_of_pue(slots, language, text)) is not None:
        return change
    if (energy := energy_of_emissions(slots, language)) is not None:
        return energy
    if (both := _whole_life(slots, language, text)) is not None:
        return both
    if len(slots.ends) == 1 or len(slots.power_w) == 2 or slots.hour_ends:
        return _both_ends(slots, language, text)
    fitting = [(score, -order, tool, arguments, used) for order, tool in enumerate(known_tools()) if (fitted := fit(tool, slots)) for score, arguments, used in [fitted]]
    fitting = of_the_act(fitting, slots)
    if not fitting:
        return without_tool(slots, language, text)
    ranked = sorted(fitting, key=lambda fitted: fitted[:2], reverse=True)
    _, _, tool, arguments, used = next((fitted for fitted in ranked if is_complete(fitted[2], fitted[3])), ranked[0])
    if (figure := of_model(tool.name, arguments)) is not None:
        return Plan("answered", language, (figure,), quantity="source")
    calls = chain(tool, arguments, slots)
    if slots.senses & {"ask.save", "ask.difference"} and tool.name == "choose_place_and_time":
        share = "saving-share" if "ask.percent" in slots.senses else "saving"
        two = len(arguments.get("hourly_intensity_g_co2e_per_kwh", ())) == 2
        return Plan("answered", language, calls, quantity=f"{share}-at-most" if two else share, unit=slots.unit, unused=unused(slots, used))
    if slots.wanted == "water" and slots.wue_l_per_kwh is not None and tool.name == "convert_energy_to_water" and "place" not in slots.named:
        return Plan("answered", language, calls, quantity="water-on-site", unit=slots.unit, unused=unused(slots, used))
    wanted = "count" if not slots.aside and "comparator" in slots.named and calls[-1].tool == "convert_to_equivalents" and "equivalents" in calls[-1].arguments else slots.wanted
    if wanted == "water-on-site" and tool.name != "convert_energy_to_water":
        wanted = "water"
    return Plan("answered", language, calls, quantity=wanted, unit=slots.unit, unused=unused(slots, used))


def _whole_life(slots: Slots, language: str, text: str) -> Plan | None:
    """Return the plan for making devices and running them over a time, or None where a question asks for no whole life of devices."""
    if "act.whole_life" not in slots.senses or "hardware" not in slots.named or not (slots.hours or slots.span_hours):
        return None
    each = replace(slots, wanted=None, unit=None, senses=frozenset(sense for sense in slots.senses if not sense.startswith("act.")))
    years = (slots.hours or slots.span_hours or 0.0) / PERIOD_HOURS["year"]
    device: dict[str, Any] = {"device": slots.named["hardware"][0]} | ({"count": slots.counts["device"]} if "device" in slots.counts else {})
    running = plan(each, language, text)
    if running.outcome != "answered" or len(running.calls) != 1 or running.calls[0].tool != "estimate_fleet":
        return None
    making = Call("estimate_embodied", {**device, "lifetime_years": years})
    whole = Call("estimate_lifecycle", {"embodied": f"{as_ref(making)}#emissions", "operation": f"{as_ref(running.calls[0])}#emissions"})
    return Plan("answered", language, (whole,), quantity="emissions", unit=slots.unit, unused=running.unused)


def _scheduled(slots: Slots) -> Slots:
    """Return the slots with the hours that a schedule makes of the time asked for: so many hours of each day, days of each week."""
    if slots.daily_hours is None and slots.weekly_days is None:
        return slots
    period = slots.hours if slots.hours is not None and slots.hours >= PERIOD_HOURS["day"] else slots.span_hours
    if period is None:
        period = PERIOD_HOURS["week" if slots.weekly_days is not None else "day"]
    share = (24.0 if slots.daily_hours is None else slots.daily_hours) / 24 * (7.0 if slots.weekly_days is None else slots.weekly_days) / 7
    return replace(slots, hours=period * share, span_hours=None, daily_hours=None, weekly_days=None)


def _both_ends(slots: Slots, language: str, text: str) -> Plan:
    """Return the plan for a range: one call for each of its ends."""
    if slots.hour_ends:
        each = [replace(slots, hour_ends=(), hours=end) for end in slots.hour_ends]
    elif len(slots.power_w) == 2:
        each = [replace(slots, ends={}, power_w=(end,)) for end in slots.power_w]
    else:
        ((kind, ends),) = slots.ends.items()
        each = [replace(slots, ends={}, counts={**slots.counts, kind: end}) for end in ends]
    plans = [plan(one, language, text) for one in each]
    if any(planned.outcome != "answered" for planned in plans):
        return plans[0]
    return replace(plans[0], calls=tuple(planned.calls[0] for planned in plans), parallel=True)


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
