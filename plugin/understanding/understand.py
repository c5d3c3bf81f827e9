"""A question understood: normalise → recognise → slots → the tools whose arguments they fill.

A turn that only remarks on the last answer (why, how sure, in German) gets that answer's plan again, with what to say of it; one that
tells nothing gets no answer at all, least of all the last one again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kilowhat.plugin.understanding.checking import claim_plan
from kilowhat.plugin.understanding.counting import meant
from kilowhat.plugin.understanding.follow_up import carried, follow_up, of_both, opens, stands_alone, tells_nothing
from kilowhat.plugin.understanding.growing import growth
from kilowhat.plugin.understanding.how_many import how_many
from kilowhat.plugin.understanding.mention import Mention
from kilowhat.plugin.understanding.plan import Focus, Plan
from kilowhat.plugin.understanding.planning import plan
from kilowhat.plugin.understanding.recognise import read
from kilowhat.plugin.understanding.remark import ABOUT_US, Remark, read_remark
from kilowhat.plugin.understanding.several import set_against, several, sides
from kilowhat.plugin.understanding.slots import THINGS, Slots, read_slots
from kilowhat.tools import Library

MAXIMUM_TURNS = 12


def understand(turns: Sequence[tuple[str, str]], *, region: str | None = None) -> Plan:
    """Return the plan for the last question of a conversation.

    Args:
        turns: (role, text), the last one the user's.
        region: A place to take where the question names none.
    """
    said = [turn for role, turn in turns if role == "user"][-MAXIMUM_TURNS:]
    questions: list[str] = []
    remark, before = None, None
    for turn in said:
        before = read(questions[-1], before)[1] if questions and remark is None else before
        remark = read_remark(turn, before)
        before = (remark.tongue or remark.language) if remark else before
        questions += [turn] if remark is None else []
    if remark is None:
        return _planned(questions, None, region, before)
    if remark.kind in ABOUT_US:
        return Plan("declined", remark.language, reason=remark.kind)
    if remark.kind == "sure" and questions and (checked := _planned([*questions, said[-1]], None, region)).calls and checked.calls[0].tool == "check_claim":
        return checked
    if remark.kind == "which":
        return of_both(_last_two(questions, remark.language, region), remark.language)
    planned = _of_both_before(said, questions, remark, region)
    while questions and (planned is None or planned.reason == "not_understood"):
        planned = _planned(questions, remark.tongue or remark.language, region)
        questions.pop()
    return _remarked(remark, planned)


def _of_both_before(said: Sequence[str], questions: Sequence[str], remark: Remark, region: str | None) -> Plan | None:
    """Return the plan of the answer before a remark, where that set the last two against each other."""
    earlier = next((before for turn in reversed(said[:-1]) if (before := read_remark(turn)) is None or before.kind not in ABOUT_US), None)
    return of_both(_last_two(questions, remark.tongue or remark.language, region), remark.tongue or remark.language) if earlier is not None and earlier.kind == "which" else None


def _last_two(questions: Sequence[str], language: str, region: str | None) -> list[Plan]:
    """Return the plans of the last two questions whose answers can be set against each other; of the last one alone, where it has several answers."""
    found: list[Plan] = []
    for end in range(len(questions), 0, -1):
        planned = _planned(questions[:end], language, region)
        if planned.outcome == "answered" and not planned.calls[-1].tool.startswith(("convert_to_", "check_", "look_up_")) and planned not in found:
            found.insert(0, planned)
        if len(found) == 2 or (found and (found[0].parallel or found[0].calls[-1].tool == "compare")):
            break
    return found


def _remarked(remark: Remark, planned: Plan | None) -> Plan:
    """Return the plan of the last answer with what a remark asks of it; where there was none, what can be asked."""
    language = remark.tongue or remark.language
    if planned is None or (planned.outcome != "answered" and remark.kind != "tongue"):
        return Plan("declined", language, reason="money" if remark.kind == "money" else "help")
    return replace(planned, language=language, focus=remark.kind if remark.kind in FOCUSED else None)


FOCUSED: tuple[Focus, ...] = ("why", "sure", "much", "money")
"""The remarks that ask for a part of the last answer."""


def _planned(questions: Sequence[str], spoken: str | None, region: str | None, before_last: str | None = None) -> Plan:
    """Return the plan for the last of several questions, the earlier ones being what it may follow; in ``spoken`` where that is told.

    ``before_last`` is the language of the turn before the last question, where that turn was a remark.
    """
    slots, language, follows, earlier = Slots(), None, False, None
    text, before, mentions, now, last = "", "", list[Mention](), Slots(), Slots()
    for number, question in enumerate(questions, 1):
        text, language, mentions = read(question, before_last or language if number == len(questions) else language)
        now, last = read_slots(text, mentions), slots
        goes_on = bool(slots.about_subject) and not ("greeting" in now.senses and not now.wanted and not now.named)
        earlier = (slots, before) if goes_on else None
        follows = goes_on and not stands_alone(now)
        slots = follow_up(slots, now) if follows else carried(slots, now) if goes_on and opens(text, language) else now
        before = next((text[mention.start : mention.end] for mention in mentions if set(meant(mention)) & {*THINGS, "comparator"}), before)
    language = spoken or language or "en"
    compared = set_against(*earlier, now, language, text, mentions) if earlier is not None else None
    planned = _plan(_placed(slots, region), language, text, mentions, follows=follows, compared=compared)
    if follows and tells_nothing(now) and planned.outcome == "answered" and planned == _plan(_placed(last, region), language, text, mentions, follows=True):
        return Plan("needs_input", language, reason="not_understood")
    return planned


def _in_digits(text: str, mentions: Sequence[Mention]) -> str:
    """Return a text with the quantities that it tells in words as digits and unit: eighteen months."""
    for mention in reversed(mentions):
        if mention.quantity is not None and mention.quantity.value > MOST_IN_WORDS and mention.quantity.low is None and text[mention.start : mention.start + 2].isalpha():
            text = f"{text[: mention.start]}{mention.quantity.value:g} {mention.quantity.unit}{text[mention.end :]}"
    return text


MOST_IN_WORDS = 12.0
"""A number up to which the words of claims hold it in words."""


def _placed(slots: Slots, region: str | None) -> Slots:
    """Return the slots with a place to take where the question names none."""
    if region is None or slots.name("place") is not None or slots.unknown_place is not None:
        return slots
    return replace(slots, named={**slots.named, "place": (region,)})


def _plan(slots: Slots, language: str, text: str, mentions: Sequence[Mention], *, follows: bool, compared: Plan | None = None) -> Plan:
    """Return the plan for slots: a claim checked, what is set against the thing before, several things beside each other, or one thing."""
    against = sides(slots, language, text, mentions) if "shape.claim" in slots.senses and not follows else []
    lasts = growth(slots, language) if "ask.how_long" in slots.senses and "shape.claim" not in slots.senses else None
    if lasts is not None:
        return lasts
    if (checked := claim_plan(slots, language, _in_digits(text, mentions), plan, against)) is not None:
        return checked
    planned = compared or how_many(slots, language, text, plan) or (None if follows else several(slots, language, text, mentions)) or plan(slots, language, text)
    if "ask.money" in slots.senses and slots.about_subject and planned.reason in ("off_subject", "which_task"):
        energy = plan(replace(slots, senses=slots.senses - {"ask.money"}, wanted="energy"), language, text)
        return replace(energy, focus="money") if energy.outcome == "answered" and energy.quantity == "energy" else Plan("declined", language, reason="money")
    return replace(planned, unpublished=_unpublished(slots, planned), unjudged="shape.claim" in slots.senses and planned.outcome == "answered" and slots.wanted != "source")


def _unpublished(slots: Slots, planned: Plan) -> tuple[str, ...]:
    """Return the names of services in whose place a plan takes the task that they do, for they have published no figure."""
    taken = any(call.tool == "estimate_task" or "estimate_task?" in str(call.arguments) for call in planned.calls)
    return tuple(Library.load().named("services", name).name for name in slots.named.get("undisclosed", ()) if taken)
