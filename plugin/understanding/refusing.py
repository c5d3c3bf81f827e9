"""What is not asked clearly, or not ours to answer, and what to ask for where no tool fits."""

from __future__ import annotations

from kilowhat.plugin.understanding.everyday import FLIGHT_BY_LENGTH
from kilowhat.plugin.understanding.plan import Call, Plan
from kilowhat.plugin.understanding.published import query_of, subject_of
from kilowhat.plugin.understanding.slots import Slots
from kilowhat.plugin.understanding.timing import DAYS_OF_A_WEEK, PERIOD_HOURS


def refusal(slots: Slots, language: str) -> Plan | None:
    """Return the plan for what is not asked clearly, or not ours to answer; None where it is."""
    if slots.unreadable is not None:
        return Plan("needs_input", language, reason="unreadable", slots={"number": slots.unreadable})
    if slots.unknown_wanted is not None and (slots.wanted is None or slots.unit is not None) and "comparator" not in slots.named:
        known = slots.about_subject and not slots.senses & {"about.appliance"}
        return Plan("declined", language, reason="not_known", slots={"thing": slots.unknown_wanted}) if known else Plan("declined", language, reason="off_subject")
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
    if slots.unknown_project is not None and slots.things == ["service"] and not slots.senses & {"noun.request", "shape.claim"} and not slots.counts:
        return Plan("declined", language, reason="not_known", slots={"thing": slots.unknown_project})
    if slots.unknown is not None and slots.senses >= {"ask.ratio", "shape.versus"} and len([*slots.things, *slots.named.get("comparator", ())]) == 1:
        return Plan("declined", language, reason="not_known", slots={"thing": slots.unknown})
    if FLIGHT_BY_LENGTH in slots.named.get("comparator", ()) and "elsewhere" in slots.named and "comparator" in slots.counts:
        return Plan("declined", language, reason="not_known", slots={"thing": slots.named["elsewhere"][0]})
    if "ask.when" in slots.senses and not slots.intensities_g and (slots.amounts or slots.things) and "time.named" not in slots.senses:
        return Plan("needs_input", language, reason="which_intensities")
    if slots.things == ["task"] and not (slots.counts or slots.wanted or "comparator" in slots.named):
        return Plan("needs_input", language, reason="which_task")
    return None


def without_tool(slots: Slots, language: str, text: str) -> Plan:
    """Return what to ask for, or the published figures where there is a name but no way to calculate."""
    if "hardware" in slots.named or slots.power_w or slots.senses & {"noun.accelerator", "noun.server"}:
        return Plan("needs_input", language, reason="which_hours" if ("hardware" in slots.named or slots.power_w) else "which_device")
    if "act.train" in slots.senses:
        return Plan("needs_input", language, reason="which_run")
    if slots.things or (slots.senses & {"about.datacentre", "about.ai_datacentre"} and ("place" in slots.named or slots.years)):
        return Plan("answered", language, (Call("look_up_references", {"query": query_of(slots, text), **subject_of(slots)}),), quantity="source")
    return Plan("needs_input", language, reason="which_task")
