"""What a number counts: the next thing after it, or the one just before (画图一千次); or the factor or year that it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from kilowhat.plugin.understanding.mention import Mention
from kilowhat.tools.core.patterns import Late

REACH = 3
"""How many mentions a number may be away from what it counts."""

TOKENS = ("token", "input", "output", "reasoning")
"""Kinds of tokens that are counted."""

_COUNTED = {
    "noun.device_hour": "device hour", "noun.reasoning": "reasoning", "noun.input": "input", "noun.output": "output", "noun.token": "token", "noun.request": "request", "noun.user": "user", "noun.accelerator": "device",
    "noun.server": "server", "noun.word": "word", "noun.parameter": "parameter", "noun.step": "step", "noun.thing": "thing",
}  # fmt: skip

_ENDS_THERE = Late(r"\s*(?:$|[,;.?!/+&)]|and\b|plus\b|\d)")
"""What may stand behind "400 tokens in" where it counts what is read, and is not followed by a place."""

_MORE = Late(
    r"\s*(?:的|as |the |more|less|so |mehr|weniger|más|menos|plus|moins|energy|electricity|power|that of |what |than |wie |als |celle |ce que |lo que |la de |"
    r"(?:an?|eine[rs]?|une?|d['’]une?|una?) (?!(?:day|week|month|year|hour|minute|night|second|Tag|Woche|Monat|Jahr|Stunde|Minute|jour|semaine|mois|an|heure|minute|día|semana|mes|año|hora|minuto)\b))",
    re.IGNORECASE,
)
_TIMES = Late(rf"\s*-?\s*(?:(?:times|x|mal|fach|veces|fois)\b{_MORE.pattern}|-?fold\b|倍)", re.IGNORECASE, needs=("times", "x", "mal", "fach", "veces", "fois", "fold", "倍"))
"""What makes of a number a ratio that is stated, and not a count."""

_DEVICE_HOURS = Late(r"[\s-]*(?:gpu[\s-]*)?(?:hours?\b|卡时|卡時|小时|小時)", re.IGNORECASE, needs=("hour", "卡时", "卡時", "小时", "小時"))
SENTENCE_END = Late(r"[.;!?]\s|[。；！？]")
JOINT = Late(r"\b(?:and|or|und|oder|et|ou|y|o)\b|[和與与跟と、，；;]|,(?=\s)", re.IGNORECASE)
"""A word between two things: what stands before it belongs to the first."""
_PART_END = Late(r"[,;.!?]\s|[、，；。！？]")


def meant(mention: Mention) -> dict[str, str]:
    """Return the names of a mention that stand: a country is a place before it is something to compare with, a service before a run, but an everyday thing (a Google search) before a service."""
    names = dict(mention.names)
    if "place" in names or any(sense.startswith("act.") for sense in mention.senses):
        names.pop("comparator", None)
    if "service" in names:
        names.pop("run", None)
    if "comparator" in names:
        names.pop("service", None)
    return names


def class_of(mention: Mention) -> str | None:
    """Return the kind of thing that a mention counts, or None."""
    if "task" in mention.names:
        return "task"
    if "hardware" in mention.names:
        return "device"
    if "comparator" in meant(mention):
        return "comparator"
    return next((counted for sense, counted in _COUNTED.items() if sense in mention.senses), None)


def count(text: str, mentions: Sequence[Mention], position: int, counts: dict[str, float], told: dict[str, Any]) -> None:
    """Give a number to what it counts, or to the factor or the year that it tells."""
    mention = mentions[position]
    before = mentions[position - 1] if position else None
    if mention.number is None:
        return
    if mention.size is not None:
        told.setdefault("size", mention.size)
        return
    if _is_factor(text, mention, next((other for other in reversed(mentions[:position]) if not {"prep", "shape.yes_no"} & set(other.senses)), None), mentions[position + 1 : position + 3], told):
        return
    counted = _counted(text, mentions, position)
    if before is not None and "hardware" in before.names and text[mention.start - 1 : mention.start] in ("(", "（"):
        return
    written = text[mention.start : mention.end]
    if _YEAR.fullmatch(text, mention.start, mention.end) and (counted == "bare" or written.endswith("年")):
        told.setdefault("years", []).append(int(mention.number))
        return
    if counted == "bare" and before is not None and mention.start - before.end <= FAR and not SENTENCE_END.search(text, before.end, mention.start):
        counted = "concurrent" if "mod.concurrent" in before.senses else class_of(before) or "bare"
    if counted == "task" and mention.number in SIDES and counts.keys() & {"task", "thing"}:
        told.setdefault("size", (mention.number, mention.number))
        return
    if counted == "device hour":
        told.setdefault("device_hours", mention.number)
        return
    if counted == "device" and _DEVICE_HOURS.match(text, mentions[position + 1].end if position + 1 < len(mentions) else mention.end):
        told.setdefault("device_hours", mention.number)
        return
    if mention.quantity is not None and mention.quantity.low is not None and mention.quantity.high is not None:
        told.setdefault("ends", {}).setdefault(counted, (mention.quantity.low, mention.quantity.high))
    if counts.get(counted) == 1 and mention.number > 1:
        counts[counted] = mention.number
    elif counts.setdefault(counted, mention.number) != mention.number and counted != "bare":
        told.setdefault("spare", []).append(written.strip())


FAR = 15
"""How many characters a number may stand behind what it counts."""

_YEAR = Late(r"(?:19|20)\d\d\s?年?")
MOST_KG_PER_KWH = 2.0
"""A number behind a word for a grid's factor that is no larger tells it in kg per kWh."""

SIDES = frozenset({256.0, 384.0, 512.0, 768.0, 1024.0, 1280.0, 1536.0, 2048.0})
"""Sides of images in pixels, where another number counts the images."""

MOST_PUE = 3.0
"""A number right behind a PUE that is no larger is another PUE: from 1.6 to 1.1."""


def _is_factor(text: str, mention: Mention, before: Mention | None, mentions_after: Sequence[Mention], told: dict[str, Any]) -> bool:
    """Return whether a number is a PUE, a WUE, a utilisation or a stated ratio, and keep it as that."""
    number = mention.number
    if before is not None and "ask.grid" in before.senses and 0 < (number or 0) < MOST_KG_PER_KWH:
        told.setdefault("intensities_g", []).append((number or 0) * 1000)
        told.setdefault("intensity_scale", 1000.0)
        return True
    for sense, slot in (("mod.pue", "pue"), ("mod.wue", "wue_l_per_kwh"), ("mod.utilisation", "utilisation")):
        if before is not None and sense in before.senses and not _YEAR.fullmatch(text, mention.start, mention.end) and (slot != "utilisation" or 0 <= (number or 0) <= 1):
            told.setdefault(slot, number)
            if slot == "pue":
                told.setdefault("pues", []).append(number)
            return True
    if "pues" in told and "utilisation" not in told and 1 <= (number or 0) < MOST_PUE and (number != int(number or 0) or (before is not None and before.number == told["pues"][-1])):
        told["pues"].append(number)
        return True
    if _TIMES.match(text, mention.end) or (text[mention.end - 1] in "x×" and _MORE.match(text, mention.end)):
        ahead = [sense for after in mentions_after for sense in after.senses]
        told.setdefault("efficiency_gain" if "mod.efficient" in ahead else "times", number)
        return True
    return False


def counts_nothing(text: str, mentions: Sequence[Mention], position: int) -> bool:
    """Return whether a number in a question counts none of what stands beside it; a number by itself is no question."""
    before = mentions[position - 1] if position else None
    beside = before is not None and class_of(before) not in (None, "thing") and mentions[position].start - before.end <= FAR
    return len(mentions) > 1 and not beside and _counted(text, mentions, position) == "bare"


def _counted(text: str, mentions: Sequence[Mention], position: int) -> str:
    """Return what a number counts among the mentions after it; bare where it counts none of them.

    A number right behind a thing belongs to that one where a comma follows (文字生成一萬次、…); none reaches beyond its sentence.
    """
    mention = mentions[position]
    before = mentions[position - 1] if position else None
    behind = before is not None and class_of(before) is not None and before.number is None and mention.start - before.end <= 1
    counted, concurrent = "bare", False
    if not behind and text[mention.end : mention.end + 1] in (",", "、", ";"):
        return counted
    for after in mentions[position + 1 : position + 1 + REACH]:
        gone = (_PART_END if behind else SENTENCE_END).search(text, mention.end, after.start)
        if gone or after.number is not None or after.quantity is not None or "place" in after.names or "ask.how_many" in after.senses:
            break
        concurrent = concurrent or "mod.concurrent" in after.senses
        found = class_of(after)
        if found == "input" and text[: after.end].endswith(" in") and not _ENDS_THERE.match(text, after.end):
            found = "token"
        if found == "thing" and counted == "bare":
            counted = "thing"
            continue
        if found is None and "service" in after.names and counted == "bare":
            counted = "request"
            continue
        if found == "comparator" and counted == "thing":
            break
        if found is not None:
            counted = found
            break
        if counted == "request":
            break
    if behind and counted == "thing" and before is not None:
        counted = class_of(before) or counted
    return "concurrent" if concurrent and counted in ("request", "user", "thing") else counted
