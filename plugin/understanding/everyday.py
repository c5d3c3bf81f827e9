"""Everyday things told in several parts: the homes of a country, a flight by its two ends, a drive by its length, television by its hours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from kilowhat.plugin.understanding.counting import SENTENCE_END
from kilowhat.plugin.understanding.mention import Mention
from kilowhat.plugin.understanding.timing import PERIOD_HOURS
from kilowhat.tools import Library
from kilowhat.tools.core.patterns import Late
from kilowhat.tools.core.units import EMISSIONS, MASS, TIME, VOLUME, Quantity

HOME = "us-home-"
"""How the ids of homes begin where no country is named."""

USUAL_FLIGHT, FLIGHT_BY_LENGTH = "flight-ny-sf", "flight-km"
"""The flight that is meant where no ends are told, and the one for ends that no published figure has."""

MOST_BETWEEN_ENDS, MOST_TO_END = 12, 30
"""Characters between the two ends of a flight, and between the word for it and its one end."""

MOST_BEFORE_A_COUNTRY = 8
"""Characters between "as much as" and the country that is set against."""

MOST_BEFORE_A_THING = 4
"""Characters between a period and the everyday thing that it is told of: an hour of television."""


def everyday(text: str, mentions: Sequence[Mention]) -> list[Mention]:
    """Return the mentions with homes of a country and flights between places as one everyday thing each, so that no place in them is where something runs."""
    return _flights(text, _set_against(text, _homes(text, _lives(mentions))))


_CAR, _CAR_FOR_LIFE = "car-year", "car-lifetime"


def _lives(mentions: Sequence[Mention]) -> list[Mention]:
    """Return the mentions with cars that are counted beside a training, and no year told, as cars over their lives: so they are set against each other."""
    timed = any((mention.quantity is not None and mention.quantity.dimension == TIME) or any("year" in sense for sense in mention.senses) for mention in mentions)
    if timed or not any("act.train" in mention.senses for mention in mentions):
        return list(mentions)
    counted = {id(thing) for number, thing in pairwise(mentions) if number.number is not None and thing.names.get("comparator") == _CAR}
    return [replace(mention, names={"comparator": _CAR_FOR_LIFE}) if id(mention) in counted else mention for mention in mentions]


_AGAINST = {"mod.more", "mod.less", "mod.same", "shape.versus"}
COUNTRY = "-electricity-year"
"""How the ids of the electricity of countries end."""
NOT_ELECTRIC = {"ask.water", "ask.emissions"}
"""What is set against nothing of a country that the library holds."""
_WHERE = re.compile(r"[,;.!?，。；！？、]|\b(?:in|en|au|aux|à|im|bei|with|mit|avec|con)\b|で|在", re.IGNORECASE)
"""What says that a country is a place, and not set against anything; or ends the part of a sentence."""
_AS = Late(r"[^,;.!?]{0,30}?\b(?:as|wie|que|como|als|than)\s+(?:all of |the whole of |the |ganz |tout le |toute la |le |la |l['’]|les |todo |toda )?", re.IGNORECASE)


def _set_against(text: str, mentions: Sequence[Mention]) -> list[Mention]:
    """Return the mentions with the one country that something is set against as the electricity of it: as much as Japan, more than Portugal generates."""
    places = [position for position, mention in enumerate(mentions) if "place" in mention.names]
    if len(places) != 1 or not mentions[places[0]].names.get("comparator", "").endswith(COUNTRY):
        return list(mentions)
    if any(NOT_ELECTRIC & set(mention.senses) or (mention.quantity is not None and mention.quantity.dimension in (EMISSIONS, MASS, VOLUME)) for mention in mentions):
        return list(mentions)
    position, place = places[0], mentions[places[0]]
    before = next((mention for mention in reversed(mentions[:position]) if _AGAINST & set(mention.senses)), None)
    behind = next((mention for mention in mentions[position + 1 : position + 4] if _AGAINST & set(mention.senses)), None)
    near = before is not None and not _WHERE.search(text, before.end, place.start) and (place.start - before.end <= MOST_BEFORE_A_COUNTRY or _AS.fullmatch(text, before.end, place.start))
    after = behind is not None and text[place.end - 1] > "\u2e7f" and not _WHERE.search(text, place.end, behind.start) and behind.start - place.end <= MOST_BETWEEN_ENDS
    if not (near or after):
        return list(mentions)
    return [replace(mention, names={"comparator": mention.names["comparator"]}) if mention is place else mention for mention in mentions]


def _homes(text: str, mentions: Sequence[Mention]) -> list[Mention]:
    """Return the mentions with a place right beside homes as the homes of that place; where no figure for them is known, it is kept as what was told."""
    read: list[Mention] = []
    for mention in mentions:
        last = read[-1] if read else None
        before = read[-2] if len(read) > 1 and last is not None and "prep" in last.senses and not last.names else last
        pair = (before, mention) if before is not None else None
        if pair is None or pair[1].start - pair[0].end > (4 if before is not last else 1) or {_role(one, comes_after_prep=before is not last and one is mention) for one in pair} != {"home", "place"}:
            read.append(mention)
            continue
        homes, place = (pair[0], pair[1]) if _role(pair[0]) == "home" else (pair[1], pair[0])
        written = text[pair[0].start : pair[1].end]
        known = _homes_of(place.names["place"], homes.names["comparator"])
        del read[-1 if before is last else -2 :]
        read.append(Mention(pair[0].start, pair[1].end, {"comparator": known} if known is not None else {"comparator": homes.names["comparator"], "elsewhere": written}))
    return read


def _role(mention: Mention, *, comes_after_prep: bool = False) -> str | None:
    """Return whether a mention is of homes without a country, or of a place; behind a preposition only a place is."""
    if "place" in mention.names:
        return "place"
    return "home" if mention.names.get("comparator", "").startswith(HOME) and not comes_after_prep else None


def _homes_of(place: str, home: str) -> str | None:
    """Return the homes of a place, for the same time as those told, or None where no figure for them is known."""
    library = Library.load()
    country = library.raw("places").get(place, {}).get("country", place)
    thing = next((name for name, told in library.raw("comparators").items() if country in told.get("homes_of", ())), None)
    same_time = f"{thing.removesuffix('-year').removesuffix('-day')}-{home.rpartition('-')[2]}" if thing is not None else None
    return same_time if same_time in library.raw("comparators") else thing


def _flights(text: str, mentions: Sequence[Mention]) -> list[Mention]:
    """Return the mentions with the ends of a flight as that flight."""
    told = next((mention for mention in mentions if mention.names.get("comparator", "").startswith("flight-")), None)
    word = told or next((mention for mention in mentions if {"noun.flight", "mod.return"} & set(mention.senses)), None)
    if word is None:
        return list(mentions)
    places = [mention for mention in mentions if "place" in mention.names and not SENTENCE_END.search(text, *sorted((mention.start, word.start)))]
    ends = min(((first, second) for first, second in pairwise(places) if second.start - first.end <= MOST_BETWEEN_ENDS), key=lambda pair: abs(pair[0].start - word.start), default=None)
    one = next((place for place in places if _leads_to(text, mentions, word, place) or 0 <= word.start - place.end <= 1), None)
    if ends is None and (told is not None or "noun.flight" not in word.senses):
        return list(mentions)
    if ends is None and one is None:
        return [replace(mention, names={"comparator": USUAL_FLIGHT}) if mention is word else mention for mention in mentions]
    first, last = ends or (one, one)
    if first is None or last is None:
        return list(mentions)
    if ends is None and first.start > word.end:
        first = replace(first, start=word.end + len(text[word.end : first.start]) - len(text[word.end : first.start].lstrip()))
    known = _flight_between(
        first.names["place"], last.names["place"], there_and_back=any("mod.return" in mention.senses or mention.names.get("comparator", "").endswith("-return") for mention in mentions)
    )
    flight = Mention(first.start, last.end, {"comparator": known} if known is not None else {"comparator": FLIGHT_BY_LENGTH, "elsewhere": text[first.start : last.end]})
    mentions = [mention for mention in mentions if mention is not told]
    return sorted([*(mention for mention in mentions if mention.end <= first.start or mention.start >= last.end), flight], key=lambda mention: mention.start)


def _leads_to(text: str, mentions: Sequence[Mention], word: Mention, place: Mention) -> bool:
    """Return whether a place stands behind the word for a flight as its end, with nothing that is known between: flights from Rome to Madrid."""
    between = [mention for mention in mentions if word.end <= mention.start and mention.end <= place.start]
    return 0 <= place.start - word.end <= MOST_TO_END and "," not in text[word.end : place.start] and all("prep" in mention.senses for mention in between)


def _flight_between(start: str, end: str, *, there_and_back: bool) -> str | None:
    """Return the flight whose published figure is for these two ends, or None."""
    flights = [(name, told) for name, told in Library.load().raw("comparators").items() if (route := told.get("route")) and any(start in route[side] and end in route[1 - side] for side in (0, 1))]
    return next((name for name, told in sorted(flights, key=lambda flight: bool(flight[1].get("return")) != there_and_back)), None)


def hours_beside(mentions: Sequence[Mention]) -> float | None:
    """Return the hours of a period that is told right before an everyday thing and is no rate: an hour of microwave; or None."""
    for period, thing in pairwise(mentions):
        if period.senses[:1] in (("per.hour",), ("per.minute",)) and "comparator" in thing.names and thing.start - period.end <= MOST_BEFORE_A_THING:
            return PERIOD_HOURS[period.senses[0].removeprefix("per.")]
    return None


def years_behind(text: str, mentions: Sequence[Mention]) -> float | None:
    """Return the years that are told right behind everyday things counted for a year: 1,000 homes for five years; or None."""
    for thing, period in pairwise(mention for mention in mentions if mention.senses != ("prep",)):
        yearly = thing.names.get("comparator", "").endswith("-year") and period.quantity is not None and period.quantity.dimension == TIME
        if yearly and period.quantity is not None and period.quantity.to("yr").value > 1 and not SENTENCE_END.search(text, thing.end, period.start) and period.start - thing.end <= MOST_BETWEEN_ENDS:
            return period.quantity.to("yr").value
    return None


def count_everyday(comparators: Sequence[str], counts: dict[str, float], told: dict[str, Any], *, alone: bool, beside: float | None) -> None:
    """Count an everyday thing that is measured by a distance or a time: 10 km by car, nine seconds of television.

    Args:
        comparators: The everyday things that are named.
        counts: What is counted.
        told: The slots so far, with the distance and the hours.
        alone: Whether no device runs for the time that is told.
        beside: The hours of a period right before the thing.
    """
    distance_km, hours = told.pop("distance_km", None), told.get("hours") or beside
    for thing in comparators:
        measured = Library.load().named("comparators", thing).get("measure")
        if distance_km is not None and measured in ("km", "miles"):
            counts["comparator"] = counts.get("comparator", 1.0) * Quantity(distance_km, "km").to(measured).value
        elif hours is not None and alone and measured in ("hours", "minutes") and "comparator" not in counts:
            counts["comparator"] = Quantity(hours, "h").to(measured).value
            told |= {"hours": None} if told.get("hours") else {"span_hours": None, "rate": None}
