"""What a quantity measures: an amount, one for each thing, a power, a time, an intensity, a size; each goes to its slot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from kilowhat.plugin.understanding.counting import REACH, class_of
from kilowhat.plugin.understanding.mention import Mention
from kilowhat.tools.core.patterns import Late
from kilowhat.tools.core.units import EMISSIONS, ENERGY, LENGTH, MASS, POWER, TIME, VOLUME, Dimension, Quantity, combine, parse_unit

INTENSITY = combine(EMISSIONS, ENERGY, -1)
_MASS_INTENSITY = combine(MASS, ENERGY, -1)
_WATER_INTENSITY = combine(VOLUME, ENERGY, -1)
_DATA: Dimension = (("data", 1),)

PER_THING = Late(r"/|\bper\b|每")
_EACH = Late(r"\s*(?:each|apiece|a piece|per\b|/|每(?![年月天日周週小晚])|chacun|pièce|la pièce|je(?:weils)?\b|pro\b|cada un|ずつ)", re.IGNORECASE)
_EACH_BEFORE = Late(
    r"(?:每一?[次个個条條张張则則回题題篇份段幅台]|[一单單][次条條张張则則回题題篇份](?:[算用耗要]|大[约約概])?|(?:あたり|当たり)|\beach(?: one)?(?: (?:is|takes|uses|needs|of|at))?|\bje(?:weils)?|\bchacune?(?: de)?|\bcada una?(?: de)?)[\s,:是约約]*$"
)
_OF_ONE = Late(r"\s*(?:an?|per|pro|par|por|je|/|的?每)\s*(?:single |one )?", re.IGNORECASE)
"""What stands between an amount and the thing that it is for one of: 1.8 Wh a prompt."""

_TIMES_MANY = Late(r"\s*(?:times|x|×|\*|mal|fois|por|veces|乘以?|かける)\s*", re.IGNORECASE, needs=("times", "x", "×", "*", "mal", "fois", "por", "veces", "乘", "かける"))
"""What stands between an amount for one and how many there are: 0.3 Wh times a billion."""

_IN_USE = Late(
    r"\s*(?:in )?(?:use|usage|used|duty|of the time|of (?:that|its|the|their)?\s?(?:rated|peak|nameplate|maximum|max|full|tdp|capacity|power)?(?=\s*(?:power|load|,|\.|;|$|on average))|der Zeit|du temps|del tiempo|genutzt)\b|\s*(?:的时间|的時間|使用率|稼働)",
    re.IGNORECASE,
)
"""What stands behind a percentage that tells how far a device is used."""

_CLAUSE_END = Late(r"[,;.!?，。；！？]\s|[，。；！？]")
_AT = Late(r"\s*(?:at|of|with|à|zu|zu je|mit|von|avec|con|@|x|×|\*|times|de)\s*", re.IGNORECASE)
"""What stands between things and an amount for each: a million answers at 45 mL."""

_OF = ("of", "von", "de")
"""Those of them that tell an amount for each only where the things are counted: 200 prompts of 2 Wh, but runs of 2 Wh."""

_EACH_SLOTS: dict[Dimension, tuple[str, str]] = {
    ENERGY: ("energy_wh_each", "Wh"),
    EMISSIONS: ("emissions_g_each", "g CO2e"),
    MASS: ("emissions_g_each", "g"),
    VOLUME: ("water_ml_each", "mL"),
}
_ROLES = {"act.make": "embodied", "role.embodied": "embodied", "act.train": "training", "act.run": "operation", "act.serve": "operation"}


def measure(text: str, mentions: Sequence[Mention], position: int, told: dict[str, Any]) -> None:
    """Put a quantity where its dimension belongs."""
    mention = mentions[position]
    quantity = mention.quantity
    if quantity is None:
        return
    dimension = quantity.dimension
    if dimension == TIME and PER_THING.search(quantity.unit):
        told.setdefault("seconds_per_word", quantity.to("s").value)
    elif dimension == TIME and re.search(r"gpu|tpu|accelerator|device|卡", quantity.unit, re.IGNORECASE):
        told.setdefault("device_hours", quantity.to("h").value)
    elif dimension == TIME and _beside(text, mentions, position, "noun.lifetime"):
        told.setdefault("lifetime_hours", quantity.to("h").value)
    elif dimension == TIME:
        if quantity.low is not None and quantity.high is not None:
            told["hour_ends"] = (quantity.to("h").low, quantity.to("h").high)
        told["hours"] = told.get("hours", 0.0) + quantity.to("h").value
        told.setdefault("durations", []).append(quantity.to("h").value)
    elif dimension == POWER:
        ends = (quantity.low, quantity.high) if quantity.low is not None else (quantity.value,)
        told.setdefault("power_w", []).extend(Quantity(end, quantity.unit).to("W").value for end in ends if end is not None)
    elif dimension in (INTENSITY, _MASS_INTENSITY):
        scale = parse_unit(quantity.unit).factor * 1000
        told.setdefault("intensity_scale", scale)
        told.setdefault("intensities_g", []).append(quantity.value * scale)
    elif dimension == _WATER_INTENSITY:
        told.setdefault("wue_l_per_kwh", quantity.to("L/kWh").value)
    elif dimension in _EACH_SLOTS and _EACH_SLOTS[dimension][0] not in told and _is_each(text, mentions, position):
        slot, unit = _EACH_SLOTS[dimension]
        told[slot] = quantity.to(unit).value
    elif dimension in (ENERGY, EMISSIONS, VOLUME, MASS):
        _amount(text, mentions, position, quantity, told)
    elif dimension == _DATA and quantity.unit == "B":
        told.setdefault("parameters_b", quantity.value)
    elif dimension == LENGTH:
        told.setdefault("distance_km", quantity.to("km").value)
    elif quantity.unit == "倍":
        told.setdefault("times", quantity.value)
    elif quantity.unit in ("%", "percent") and beside_utilisation(text, mentions, position):
        told.setdefault("utilisation", quantity.value / 100)
    elif quantity.unit in ("%", "percent"):
        told.setdefault("percents", []).append(quantity.value)


def _beside(text: str, mentions: Sequence[Mention], position: int, sense: str) -> bool:
    """Return whether a sense stands right before or behind a mention, in the same clause."""
    here = mentions[position]
    before = mentions[position - 1] if position else None
    after = mentions[position + 1] if position + 1 < len(mentions) else None
    told_before = before is not None and sense in before.senses and not _CLAUSE_END.search(text, before.end, here.start)
    return told_before or (after is not None and sense in after.senses and not _CLAUSE_END.search(text, here.end, after.start))


def _is_each(text: str, mentions: Sequence[Mention], position: int) -> bool:
    """Return whether an amount is for each of the things counted."""
    mention = mentions[position]
    if mention.quantity is not None and PER_THING.search(mention.quantity.unit):
        return True
    if _TIMES_MANY.match(text, mention.end) and any(other.number is not None for other in mentions[position + 1 : position + 3]):
        return True
    if _EACH.match(text, mention.end) or _EACH_BEFORE.search(text[: mention.start]):
        return True
    if _told_of_one(text, mentions, position):
        return True
    for near in reversed(mentions[max(0, position - REACH) : position]):
        if near.number is not None or near.quantity is not None:
            break
        if "each" in near.senses and not _CLAUSE_END.search(text, near.end, mention.start):
            return True
    after = mentions[position + 1] if position + 1 < len(mentions) else None
    if after is not None and class_of(after) not in (None, "comparator") and _OF_ONE.fullmatch(text, mention.end, after.start):
        return True
    before = next((other for other in reversed(mentions[:position]) if "prep" not in other.senses), None)
    counts = before is not None and (class_of(before) in ("task", "request", "thing", "word") or any(sense.startswith(("per.", "time.")) for sense in before.senses))
    joint = _AT.fullmatch(text, before.end, mention.start) if counts and before is not None else None
    return joint is not None and (joint[0].strip() not in _OF or any((other.number or 0.0) > 1 for other in mentions[max(0, position - REACH) : position]))


def _amount(text: str, mentions: Sequence[Mention], position: int, quantity: Quantity, told: dict[str, Any]) -> None:
    """Keep an amount, the period that it is told for, and the part of a life cycle that a word beside it names."""
    if quantity.dimension == MASS:
        written, dimension = f"{quantity.to('kg').value!r} kg CO2e", EMISSIONS
    else:
        written, dimension = as_text(quantity), quantity.dimension
    told.setdefault("amounts", []).append((written, dimension))
    if quantity.dimension == MASS and quantity.unit == "g":
        told.setdefault("grams", []).append((written, dimension))
    if quantity.dimension == EMISSIONS:
        told["as_gas"] = True
    if not told.get("amount_rate") and (period := _period_of(mentions, position)) is not None:
        told["amount_rate"] = period
    for near in (position - 1, position + 1):
        beside = mentions[near] if 0 <= near < len(mentions) else None
        behind_mark = beside is not None and near > position and _CLAUSE_END.search(text, mentions[position].end, beside.start)
        senses = beside.senses if beside is not None and not behind_mark else ()
        role = next((_ROLES[sense] for sense in senses if sense in _ROLES), None)
        if role is not None:
            told.setdefault("roles", {}).setdefault(role, written)
            return


_FOR_ALL = re.compile(r"\b(?:for|every|pour|chaque|für|por|cada)\s*$", re.IGNORECASE)
"""What stands before the number of things that an amount is for together: half a litre for 20 questions."""

MOST_BETWEEN = 25
"""Characters between one request and the amount that it takes: "if a query used some 3 Wh"."""


def _told_of_one(text: str, mentions: Sequence[Mention], position: int) -> bool:
    """Return whether an amount is told of a single request, while another number counts them: if a query used 3 Wh, and there are a billion a day."""
    here, before = mentions[position], mentions[position - 1] if position else None
    if before is None or not (class_of(before) == "request" or before.names.keys() & {"service", "llm"}) or here.start - before.end > MOST_BETWEEN or _CLAUSE_END.search(text, before.end, here.start):
        return False
    after = next((other for other in mentions[position + 1 :] if (other.number or 0.0) > 1), None)
    if after is not None and _FOR_ALL.search(text, here.end, after.start):
        return False
    one = all(other.number in (None, 1.0) for other in mentions[max(0, position - REACH) : position])
    counted = any((other.number or 0.0) > 1 for other in mentions[position + 1 :])
    return one and counted and not any("shape.claim" in other.senses for other in mentions)


def _period_of(mentions: Sequence[Mention], position: int) -> str | None:
    """Return the period that an amount is told for: before it (每月 8,000 度, a nightly run that takes 40 kWh), else right behind it."""
    here = mentions[position]
    before = mentions[position - 1] if position else None
    after = mentions[position + 1] if position + 1 < len(mentions) else None
    beside = (before if before is not None and here.start - before.end <= MOST_BETWEEN else None, after)
    return next((near.senses[0].partition(".")[2] for near in beside if near is not None and near.senses and near.senses[0].startswith("per.")), None)


def as_text(quantity: Quantity) -> str:
    """Return a quantity as a tool takes it."""
    if quantity.low is not None and quantity.high is not None:
        return f"{quantity.low!r} to {quantity.high!r} {quantity.unit}"
    return f"{quantity.value!r} {quantity.unit}"


def beside_utilisation(text: str, mentions: Sequence[Mention], position: int) -> bool:
    """Return whether a percentage tells a utilisation: the word stands before it, a preposition between, or right behind."""
    before = next((mention for mention in reversed(mentions[:position]) if "prep" not in mention.senses), None)
    after = mentions[position + 1] if position + 1 < len(mentions) else None
    return bool(_IN_USE.match(text, mentions[position].end)) or any(mention is not None and "mod.utilisation" in mention.senses for mention in (before, after))


def bound(mentions: Sequence[Mention], position: int) -> str | None:
    """Return > or < where a quantity is told as a bound: more than before it, 以上 behind."""
    before = position - 2 if position > 1 and mentions[position - 1].senses == ("shape.versus",) else position - 1
    around = [mentions[near] for near in (before, position + 1) if 0 <= near < len(mentions)]
    told = [sense for mention in around for sense in mention.senses if sense in ("mod.more", "mod.less")]
    return {"mod.more": ">", "mod.less": "<"}[told[0]] if told else None


def share_units(told: dict[str, Any], counts: dict[str, float], senses: frozenset[str]) -> None:
    """Give a bare number the unit of the figure that it is told beside: 415 TWh to 945 by 2030, 520 g/kWh at six and 180 g at three."""
    bare = counts.get("bare")
    amounts, intensities, grams = told.get("amounts", []), told.get("intensities_g", []), told.pop("grams", [])
    if len(grams) == 1 and bare is not None and senses & {"ask.save", "ask.difference"} and any(dimension == ENERGY for _, dimension in amounts):
        grams.append((f"{bare / 1000!r} kg CO2e", EMISSIONS))
        del counts["bare"]
    if len(grams) > 1 and not intensities and senses & {"ask.save", "ask.difference"} and any(dimension == ENERGY for _, dimension in amounts):
        told["intensities_g"] = [float(text.partition(" ")[0]) * 1000 for text, _ in grams]
        told["amounts"] = [pair for pair in amounts if pair[1] == ENERGY]
    elif len(intensities) == 1 and "ask.save" in senses:
        masses = [pair for pair in amounts if pair[1] == EMISSIONS]
        if masses and len(amounts) > len(masses):
            intensities.extend(float(text.partition(" ")[0]) * parse_unit(text.partition(" ")[2]).factor * 1000 for text, _ in masses)
            told["amounts"] = [pair for pair in amounts if pair[1] != EMISSIONS]
        elif bare is not None:
            intensities.append(bare * told["intensity_scale"])
            del counts["bare"]
    elif bare is not None and len(amounts) == 1 and len(told.get("years", [])) > 1:
        amounts.append((f"{bare!r} {amounts[0][0].partition(' ')[2]}", amounts[0][1]))
        del counts["bare"]
