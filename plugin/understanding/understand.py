"""A question understood: normalise → recognise → slots → the tools whose arguments they fill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kilowhat.plugin.understanding.checking import claim_plan
from kilowhat.plugin.understanding.counting import meant
from kilowhat.plugin.understanding.follow_up import carried, follow_up, opens, stands_alone
from kilowhat.plugin.understanding.how_many import how_many
from kilowhat.plugin.understanding.mention import Mention
from kilowhat.plugin.understanding.plan import Plan
from kilowhat.plugin.understanding.planning import plan
from kilowhat.plugin.understanding.recognise import read
from kilowhat.plugin.understanding.several import set_against, several, sides
from kilowhat.plugin.understanding.slots import THINGS, Slots, read_slots

MAXIMUM_TURNS = 12


def understand(turns: Sequence[tuple[str, str]], *, region: str | None = None) -> Plan:
    """Return the plan for the last question of a conversation.

    Args:
        turns: (role, text), the last one the user's.
        region: A place to take where the question names none.
    """
    slots, language, follows, earlier = Slots(), None, False, None
    text, before, mentions, now = "", "", list[Mention](), Slots()
    for question in [said for role, said in turns if role == "user"][-MAXIMUM_TURNS:]:
        text, language, mentions = read(question, language)
        now = read_slots(text, mentions)
        goes_on = bool(slots.about_subject) and not ("greeting" in now.senses and not now.wanted and not now.named)
        earlier = (slots, before) if goes_on else None
        follows = goes_on and not stands_alone(now)
        slots = follow_up(slots, now) if follows else carried(slots, now) if goes_on and opens(text, language) else now
        before = next((text[mention.start : mention.end] for mention in mentions if set(meant(mention)) & {*THINGS, "comparator"}), before)
    if region is not None and slots.name("place") is None and slots.unknown_place is None:
        slots = replace(slots, named={**slots.named, "place": (region,)})
    language = language or "en"
    against = sides(slots, language, text, mentions) if "shape.claim" in slots.senses and not follows else []
    if (checked := claim_plan(slots, language, text, plan, against)) is not None:
        return checked
    compared = set_against(*earlier, now, language, text, mentions) if earlier is not None else None
    planned = compared or how_many(slots, language, text, plan) or (None if follows else several(slots, language, text, mentions)) or plan(slots, language, text)
    return replace(planned, unjudged="shape.claim" in slots.senses and planned.outcome == "answered" and slots.wanted != "source")
