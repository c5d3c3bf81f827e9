"""What a text is about: the things, places and topics that it names, its years and figures, and the words that are left over.

The longest name stands, in any spelling that the library knows and never inside a longer word: an L40S is no L40. Names of
things come before topics, and topics (``names/topics.yaml``) are the words for what is asked of a thing: its training, its
emissions, per query. A text is read the same way for a search and for a claim.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any

from kilowhat.tools.core.arithmetic import longest_quantity
from kilowhat.tools.core.errors import BadQuantity
from kilowhat.tools.core.halves import with_halves
from kilowhat.tools.core.patterns import Late
from kilowhat.tools.core.reference import SCOPE_KINDS, Library, fold
from kilowhat.tools.core.tongues import is_tongue
from kilowhat.tools.core.units import Quantity, plain

LONGEST_NAME = 12
"""Tokens of the longest name; a Chinese character is a token, and letters and digits of one word are two."""

FILLER = "filler"
SHORTEST_START, SHORTEST_PART = 5, 6
"""Letters from which on a topic's spelling may be the beginning of a longer word, or stand inside it."""

_TOKEN = re.compile(r"[\u3400-\u9fff]|[\u3041-\u309f]+|[\u30a0-\u30ff]+|\d+|[^\W\d_\u3041-\u30ff\u3400-\u9fff]+")
_CODES_IN_SMALL_LETTERS = frozenset({"us", "uk", "eu", "usa", "uae"})
_NUMBER = re.compile(r"(?<![\w.,])(?:(?<![\d.,])\d{1,3}(?:(?:,\d{3})+(?!\d)|(?:[\u2009\u202f ]\d{3})+(?!\d|[bB]\b))(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)|(?<=[\u3041-\u9fff])\d+(?:,\d{3})*(?:\.\d+)?")
_YEAR = re.compile(r"(?<![\d.,])(?:19[5-9]\d|20[0-5]\d)(?![\d.,]*\d)")
_MEASURED = re.compile(r"\s*(?:[kMGT]?W|[kMGT]?J\b|[Mk]?t\b|tonn|kg|g\b|m?L\b|l\b|%|[x×*]|million|billion|[万萬亿億度吨噸升瓦])")
"""What makes a figure of a number that looks like a year, though it may be a year all the same: data centres 2024 TWh."""
_DECIMAL_COMMA = Late(r"(?<![\d,])(\d{1,3}),(\d{1,2}|\d{4,})(?![\d,])|(?<![\d,])0,(\d+)(?![\d,])", needs=(",",))
_DOTS = Late(r"(?<![\d.])\d{1,3}(?:\.\d{3}){2,}(?![\d.])", needs=(".",))
_MAGNITUDES = ((Late(r"(?<=\d)\s+(?:Millionen|millones|millions|Mio\.?)\s+(?:de\s+|d['’]\s*|of\s+)?", re.IGNORECASE, needs=("millio", "millones", "mio")), " million "),
               (Late(r"(?<=\d)\s+(?:Milliarden|milliards?|mil millones|Mrd\.?)\s+(?:de\s+|d['’]\s*)?", re.IGNORECASE, needs=("milliard", "mil millones", "mrd")), " billion "),
               (Late(r"(?<=\d)\s+(?:Tausend|mille|mil)\s+(?:de\s+|d['’]\s*)?", re.IGNORECASE, needs=("tausend", "mil")), " thousand "))  # fmt: skip
_DENIES = re.compile(r"な[いくか]|ません|ず$|なし|しずく|たり")
_SECONDS = Late(r"(?<=\d)(?:[- ]?(?:seconds?|Sekunden?|secondes?|segundos?)(?![\w])|秒(?:钟|鐘)?)", re.IGNORECASE, needs=("second", "sekunde", "segundo", "秒"))
"""Seconds, as the units write them."""
_ONE_SIGN = re.compile(r"(?<![〇零一二三四五六七八九十百千万亿萬億两兩半])[一二两兩三四五六七八九](?=(?:公)?升|毫升|度[電电]|瓦[時时]|千瓦[時时]|公斤|公噸|[吨噸])")
_TENTHS = re.compile(r"([一二两兩三四五六七八九])成(半)?(?![本为為功立长長果员員就交分])")
"""Tenths, as Chinese tells shares: 三成 is 30 %."""
_SIGNS = {sign: str(number) for number, signs in enumerate(("一", "二两兩", "三", "四", "五", "六", "七", "八", "九"), 1) for sign in signs}
_VERSION = re.compile(r"\.\d")
"""What makes another name of a name: GPT-3.5 is no GPT-3."""
_APART = {ord("("): ";", ord(")"): ";"} | dict.fromkeys((*range(0x3041, 0x30A0), ord("的"), ord("了")), " ")
"""What ends a unit: brackets, and the particles of Japanese and Chinese."""

_DEVICE_HOURS = Late(r"(?<=[\w ])\b([GT]PU)[ -]?(?:hours?|小时|小時|時間)(?![a-z])", re.IGNORECASE, needs=("gpu", "tpu"))
_OF_THE_GAS = Late(r"\b(?P<unit>(?:kg|g|t|kt|Mt|Gt|[Tt]onnen?|tonnes?|toneladas|tons|lbs?|[Kk]ilogramm|kilogrammes|kilogramos))\s+(?:of|de|d['’])?\s*(?P<gas>CO2(?:e|eq)?)\b", needs=("co2",))


@dataclass(frozen=True, slots=True)
class Token:
    """A word, or a part of one, with where it stands."""

    text: str
    start: int
    end: int


@dataclass(slots=True)
class Reading:
    """What a text names."""

    text: str
    things: dict[str, set[str]] = field(default_factory=dict)
    """By scope key, the ids of the things and places that are named."""
    spans: list[set[tuple[str, str]]] = field(default_factory=list)
    """For each name in the text, all that it may stand for; ``within`` is the place whose electricity answers for it."""
    written: list[str] = field(default_factory=list)
    """The names as they stand in the text."""
    topics: set[str] = field(default_factory=set)
    within: set[str] = field(default_factory=set)
    """Topics that a name or a unit holds: the prompt of a Gemini prompt, or of 3 Wh per prompt."""
    figures: list[Quantity] = field(default_factory=list)
    years: set[int] = field(default_factory=set)
    rest: list[str] = field(default_factory=list)
    """Words that name nothing known, folded."""


def read(library: Library, text: str) -> Reading:
    """Return what a text names.

    >>> reading = read(Library.load(), "BLOOM training emissions, 24.7 t in 2022")
    >>> sorted(reading.things), sorted(reading.topics), reading.figures[0].value, reading.years
    (['model', 'run'], ['emissions', 'training'], 24.7, {2022})
    """
    normal = uniform(text)
    tokens = [Token(fold(match[0]), match.start(), match.end()) for match in _TOKEN.finditer(normal)]
    reading = Reading(normal)
    free = [True] * len(tokens)
    for first, last, meanings in _names(library, normal, tokens):
        reading.spans.append(meanings)
        reading.written.append(normal[tokens[first].start : tokens[last - 1].end])
        inside = Reading("")
        _topics(library, inside, tokens[first:last])
        reading.within |= inside.topics
        for key, name in meanings:
            reading.things.setdefault(key, set()).add(name)
        free[first:last] = [False] * (last - first)
    bare = list(normal)
    for token, kept in zip(tokens, free, strict=True):
        if not kept:
            bare[token.start : token.end] = " " * (token.end - token.start)
    left = "".join(bare)
    for match in _YEAR.finditer(left):
        reading.years.add(int(match[0]))
        if not _MEASURED.match(left, match.end()):
            left = _blank(left, match.start(), match.end())
    for quantity, start, end in figures_in(left.translate(_APART)):
        reading.figures.append(quantity)
        inside = Reading("")
        _topics(library, inside, [token for token in tokens if start <= token.start and token.end <= end])
        reading.within |= inside.topics
        left = _blank(left, start, end)
    _topics(library, reading, [token for token in tokens if left[token.start : token.end].strip()])
    return reading


def sectors_of(library: Library, reading: Reading) -> frozenset[str]:
    """Return the sectors that a text names: AI, data centres, bitcoin."""
    told = (library.raw("topics")[topic].get("scope") or {} for topic in reading.topics)
    return frozenset(scope["sector"] for scope in told if "sector" in scope)


def _blank(text: str, start: int, end: int) -> str:
    return text[:start] + " " * (end - start) + text[end:]


def uniform(text: str) -> str:
    """Return a text in one way of writing: compatibility form, decimal points, English magnitudes, gases behind their mass.

    >>> uniform("5,4 Millionen Liter"), uniform("1.287.000 kWh"), uniform("552 tonnes of CO₂"), uniform("un demi-litre")
    ('5.4 million Liter', '1287000 kWh', '552 tonnes CO2', '0.5 litre')
    """
    normal = _SECONDS.sub(" s", with_halves(_DECIMAL_COMMA.sub(lambda match: match[0].replace(",", "."), plain(text))))
    normal = _ONE_SIGN.sub(lambda match: _SIGNS[match[0]], normal)
    normal = _TENTHS.sub(lambda match: f"{_SIGNS[match[1]]}{5 if match[2] else 0}%", normal)
    normal = _DOTS.sub(lambda match: match[0].replace(".", ""), normal)
    for pattern, magnitude in _MAGNITUDES:
        normal = pattern.sub(magnitude, normal)
    return _DEVICE_HOURS.sub(r"\1-hours", _OF_THE_GAS.sub(r"\g<unit> \g<gas>", normal))


def figures_in(text: str) -> Iterator[tuple[Quantity, int, int]]:
    """Yield the quantities of a text in one way of writing, each with where it stands."""
    position = 0
    while match := _NUMBER.search(text, position):
        position = match.end()
        try:
            quantity, position = longest_quantity(text, match.start(), match.end())
        except BadQuantity:
            continue
        yield quantity, match.start(), position


def _names(library: Library, text: str, tokens: list[Token]) -> Iterator[tuple[int, int, set[tuple[str, str]]]]:
    """Yield the names of a text, the longest first at each place, each with all that it may stand for."""
    known, topics, position = _spellings(library), library.spellings("topics"), 0
    adjectives = _adjectives(library)
    while position < len(tokens):
        for length in range(min(LONGEST_NAME, len(tokens) - position), 0, -1):
            stop = position + length
            meanings = known.get("".join(token.text for token in tokens[position:stop]))
            if meanings and _stands_alone(text, tokens, position, stop):
                written = text[tokens[position].start : tokens[stop - 1].end]
                meant = {(key, name) for key, name, code in meanings if not code or (length == 1 and _as_code(written) and tokens[position].text not in topics)}
                if length == 1 and tokens[position].text in topics and text[: tokens[position].start].endswith("to "):
                    meant = set()
                if not meant - adjectives.get(fold(written), set()) and is_tongue(text, tokens[position].start, tokens[stop - 1].end):
                    meant = set()
                if meant:
                    yield position, stop, meant
                    position = stop - 1
                    break
        position += 1


def _stands_alone(text: str, tokens: list[Token], first: int, last: int) -> bool:
    """Return whether a run of tokens is no part of a longer word; a plural's s may follow."""
    start, end = tokens[first].start, tokens[last - 1].end
    longer = _VERSION.match(text, end)
    glued = longer or (last < len(tokens) and tokens[last].start == end and _joins(text[end - 1], text[end]) and tokens[last].text != "s")
    before = start > 0 and _joins(text[start - 1], text[start])
    lone = last - first == 1 and end - start == 1 and "\u3400" <= text[start] <= "\u9fff"
    return not (glued or before) and not (lone and any("\u3041" <= neighbour <= "\u9fff" for neighbour in text[max(0, start - 1) : start] + text[end : end + 1]))


def _joins(left: str, right: str) -> bool:
    """Return whether two neighbours are of one word: letters and digits, but no Chinese or Japanese."""
    return left.isalnum() and right.isalnum() and left < "\u3041" and right < "\u3041"


def _as_code(written: str) -> bool:
    return written.isupper() or written.casefold() in _CODES_IN_SMALL_LETTERS


@lru_cache(maxsize=4)
def _spellings(library: Library) -> Mapping[str, list[tuple[str, str, bool]]]:
    """Return by folded spelling the scope key and the id of all that it names, and whether it must be written in capitals."""
    known: dict[str, list[tuple[str, str, bool]]] = {}
    places = {raw["scope"]["comparator"]: raw["scope"]["place"] for raw in library.raw("facts").values() if {"comparator", "place"} <= raw.get("scope", {}).keys()}
    for key, kind in (*SCOPE_KINDS.items(), ("place", "places")):
        for spelling, name in library.spellings(kind).items():
            if not spelling.isdigit():
                code = key == "place" and len(spelling) <= 3 and spelling.isascii()
                known.setdefault(spelling, []).append((key, name, code))
                if key == "place" and (answering := _answering(library, name)) is not None:
                    known[spelling].append(("within", answering, code))
                if key == "comparator" and name in places:
                    known[spelling].append(("place", places[name], False))
    for zone, told in library.countries.items():
        for spelling in (zone, told["alpha2"], told["name"], *told["spellings"], *told["adjectives"]):
            if spelling and not (spelling in (zone, told["alpha2"]) and spelling in ("AI", "IA", "KI", "IT")):
                entry = ("place", zone, len(spelling) <= 3 and spelling.isascii())
                listed = known.setdefault(fold(spelling), [])
                if entry not in listed:
                    listed.append(entry)
    return known


@lru_cache(maxsize=4)
def _adjectives(library: Library) -> Mapping[str, set[tuple[str, str]]]:
    """Return the places that words name which are languages too: Irish, japonais; Suisse is a name besides."""
    found: dict[str, set[tuple[str, str]]] = {}
    for zone, told in library.countries.items():
        names = {fold(name) for name in (told["name"], *told["spellings"])}
        for spelling in told["adjectives"]:
            if fold(spelling) not in names:
                found.setdefault(fold(spelling), set()).add(("place", zone))
    return found


def _answering(library: Library, place: str) -> str | None:
    """Return the place whose electricity answers for a place inside a country."""
    told = library.raw("places")[place]
    fact: Mapping[str, Any] = library.raw("facts").get(told.get("intensity") or "", {})
    answering = fact.get("scope", {}).get("place") or told.get("country")
    return str(answering) if answering else None


def _topics(library: Library, reading: Reading, tokens: list[Token]) -> None:
    """Add the topics that tokens name, the longest spelling first, and the words that name none."""
    exact, starts = _topic_spellings(library)
    position = 0
    while position < len(tokens):
        for length in range(min(LONGEST_NAME, len(tokens) - position), 0, -1):
            run = tokens[position : position + length]
            topic = exact.get("".join(token.text for token in run))
            if topic is not None and (length == 1 or all(right.start - left.end <= 2 for left, right in pairwise(run))):
                reading.topics.add(topic)
                position += length - 1
                break
        else:
            word = tokens[position].text
            inside = {topic for spelling, topic in starts if word.startswith(spelling) or (len(spelling) >= SHORTEST_PART and spelling in word)} if len(word) > SHORTEST_START else set()
            reading.topics |= inside
            if not inside and not (word.isdigit() and len(word) == 1) and not _says_nothing(word):
                reading.rest.append(word)
        position += 1
    reading.topics.discard(FILLER)


def _says_nothing(word: str) -> bool:
    """Return whether a word is an ending or a particle of Japanese, written without a character of its own; one that denies says something."""
    return all("\u3041" <= sign <= "\u309f" for sign in word) and not _DENIES.search(word)


@lru_cache(maxsize=4)
def _topic_spellings(library: Library) -> tuple[Mapping[str, str], list[tuple[str, str]]]:
    """Return the topic of every folded spelling, and the spellings that may be a part of a longer word."""
    exact = library.spellings("topics")
    return exact, [(spelling, topic) for spelling, topic in exact.items() if len(spelling) >= SHORTEST_START and topic != FILLER and spelling.isalpha() and spelling.isascii()]
