"""What stands in a question: numbers, quantities, units, names and words that carry a sense.

Every mention keeps its place in the text. Where two overlap, the longer one stands; a name
beats the number inside it (H100, GPT-4), a quantity beats its number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from kilowhat.plugin.understanding.normalise import detect_language, normalise, plain_numbers
from kilowhat.plugin.understanding.tokens import Token, tokenise
from kilowhat.tools.core.errors import BadQuantity
from kilowhat.tools.core.units import NUMBER, Quantity, parse_quantity, parse_unit

_LEXICON = Path(__file__).parent / "lexicon" / "lexicon.json"

NAMES = ("task", "model", "run", "service", "hardware", "comparator", "place")


@dataclass(frozen=True, slots=True)
class Mention:
    """A part of the text and what it may mean: ids by kind of name, senses, a number, a quantity or a unit."""

    start: int
    end: int
    names: Mapping[str, str] = field(default_factory=dict)
    senses: tuple[str, ...] = ()
    number: float | None = None
    quantity: Quantity | None = None
    unit: str | None = None

    @property
    def weight(self) -> tuple[int, int]:
        """Longer first; at equal length a name, then a quantity, then a number, then a sense, then a bare unit."""
        rank = 4 if self.names else 3 if self.quantity else 2 if self.number is not None else 1 if self.senses else 0
        return self.end - self.start, rank


@lru_cache(maxsize=1)
def lexicon() -> dict[str, Any]:
    """Return the compiled lexicon; read once a process."""
    content: dict[str, Any] = json.loads(_LEXICON.read_text("utf-8"))
    return content


def marks() -> dict[str, list[str]]:
    """Return, for each language, the words or characters that mark it."""
    return {language: told["marks"] for language, told in lexicon()["languages"].items()}


def read(question: str) -> tuple[str, str, list[Mention]]:
    """Return a question as plain text, its language, and what stands in it."""
    text = normalise(question)
    language = detect_language(text, marks())
    text = plain_numbers(text, lexicon()["languages"].get(language, {}).get("decimal", "."))
    return text, language, recognise(text, language)


def recognise(text: str, language: str) -> list[Mention]:
    """Return the mentions of a normalised question, in order, none overlapping another."""
    tokens = tokenise(text)
    found = [*_phrases(text, tokens), *_quantities(text), *_spoken_numbers(text, language), *_units(text)]
    chosen: list[Mention] = []
    for mention in sorted(found, key=lambda mention: mention.weight, reverse=True):
        if all(mention.end <= other.start or mention.start >= other.end for other in chosen):
            chosen.append(mention)
    return sorted(chosen, key=lambda mention: mention.start)


def _phrases(text: str, tokens: list[Token]) -> Iterator[Mention]:
    """Yield a mention for each phrase of the lexicon, with all that the same span may mean."""
    phrases = lexicon()["phrases"]
    for position, token in enumerate(tokens):
        spans: dict[int, tuple[dict[str, str], list[str], list[float], list[str]]] = {}
        for words, kind, value, *code in phrases.get(token.folded, ()):
            last = position + len(words)
            if last > len(tokens) or [other.folded for other in tokens[position:last]] != words:
                continue
            end = tokens[last - 1].end
            if code and not _written_as_code(text, token.start, end):
                continue
            names, senses, numbers, units = spans.setdefault(end, ({}, [], [], []))
            if kind == "sense":
                senses.append(value)
            elif kind == "unit":
                units.append(value)
            elif kind == "number":
                numbers.append(float(value))
            else:
                names.setdefault(kind, value)
        for end, (names, senses, numbers, units) in spans.items():
            yield Mention(token.start, end, names, tuple(senses), numbers[0] if numbers else None, unit=units[0] if units else None)


_BEFORE_CODE = re.compile(r"(?:\b(?:in|at|region|zone|for|from|vs\.?|and|or|to|between)|[,(/:])\s*$", re.IGNORECASE)


def _written_as_code(text: str, start: int, end: int) -> bool:
    """Return whether a span is written as a code: with its hyphens, or in capitals where a place may stand."""
    span = text[start:end]
    if "-" in span:
        return True
    rest = text[end : end + 1]
    return span.isupper() and span.isalpha() and not rest.isdigit() and (len(text) < 6 or bool(_BEFORE_CODE.search(text[:start])))


_DIGITS = re.compile(r"(?<![\d.,])[-−]?\$?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:e[+-]?\d{1,3}(?!\d))?", re.IGNORECASE)
_STOP = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+|[%°³/$-]")
_BREAK = re.compile(r"[,;:!?()，。；：！？、（）]\s*\D|\.\s")


def _quantities(text: str) -> Iterator[Mention]:
    """Yield a mention for each number in digits, with its magnitude word and its unit where one follows."""
    for match in _DIGITS.finditer(text):
        start = match.start()
        before = text[start - 1 : start]
        signed = match[0][0] in "-−$"
        if before.isascii() and before.isalpha():
            continue
        if signed and before.isalnum():
            start += 1
        mention = _longest_quantity(text, start, match.end())
        if mention is not None:
            yield mention


def _longest_quantity(text: str, start: int, end: int) -> Mention | None:
    """Return the longest reading of a number and what follows it: a range, a unit, a magnitude, or the number alone."""
    window = text[start : start + 60]
    stops = sorted({end - start, *(stop.end() for stop in _STOP.finditer(window) if stop.end() > end - start)}, reverse=True)
    for stop in stops:
        if _BREAK.search(window[end - start : stop]):
            continue
        try:
            quantity = parse_quantity(window[:stop])
        except BadQuantity:
            continue
        if quantity.unit and _is_thing(quantity.unit):
            continue
        if quantity.unit in ("", "x", "×"):
            return Mention(start, start + stop, number=quantity.value)
        return Mention(start, start + stop, quantity=quantity)
    return None


def _is_thing(unit: str) -> bool:
    """Return whether a unit is a counted thing, which the lexicon and the names recognise by themselves."""
    return parse_unit(unit).dimension == NUMBER and unit not in ("%", "percent", "x", "×", "倍")


_HAN_NUMBER = re.compile(r"[〇零一二三四五六七八九十百千万亿两半壹贰叁肆伍陆柒捌玖拾佰仟萬億兩]+")
_ALONE = frozenset("一半百千万亿萬億两兩十零")


def _spoken_numbers(text: str, language: str) -> Iterator[Mention]:
    """Yield a mention for each number in words."""
    if language.startswith("zh") or language == "ja":
        for match in _HAN_NUMBER.finditer(text):
            value = _chinese_number(match[0])
            if value is not None:
                yield Mention(match.start(), match.end(), number=value)
        return
    spoken = lexicon()["languages"].get(language, {}).get("spoken")
    if spoken is None:
        return
    yield from _number_words(text, spoken)


def _chinese_number(digits: str) -> float | None:
    if digits == "一":
        return 1.0
    if digits in ("两", "兩"):
        return 2.0
    if digits in _ALONE or "半" in digits:
        return None
    import cn2an

    try:
        return float(cn2an.cn2an(digits.replace("萬", "万").replace("億", "亿").replace("兩", "两"), "smart"))
    except ValueError:
        return None


def _number_words(text: str, language: str) -> Iterator[Mention]:
    """Yield numbers that English and its neighbours write in words, as the library text2num reads them."""
    from text_to_num import text2num

    words = list(re.finditer(r"[^\W\d_]+(?:-[^\W\d_]+)*", text))
    position = 0
    while position < len(words):
        for last in range(min(len(words), position + 7), position, -1):
            piece = text[words[position].start() : words[last - 1].end()]
            try:
                value = text2num(piece.casefold(), language)
            except ValueError:
                continue
            if len(piece) > 3 or last - position > 1:
                yield Mention(words[position].start(), words[last - 1].end(), number=float(value))
            position = last - 1
            break
        position += 1


_UNIT_WORD = re.compile(r"(?<![\w'’.])(?:[A-Za-z]{2,12})(?:\s?CO2e?q?)?(?:/kWh)?(?![\w'’])")
_ASKED = (
    "Wh",
    "kWh",
    "MWh",
    "GWh",
    "TWh",
    "J",
    "kJ",
    "MJ",
    "GJ",
    "W",
    "kW",
    "MW",
    "GW",
    "mL",
    "L",
    "m³",
    "gallon",
    "g CO2e",
    "kg CO2e",
    "t CO2e",
    "kt CO2e",
    "Mt CO2e",
    "lb CO2e",
    "kg",
    "g",
    "t",
    "lb",
)


def _units(text: str) -> Iterator[Mention]:
    """Yield a mention for each unit that stands without a number: the one in which an answer is wanted."""
    for match in _UNIT_WORD.finditer(text):
        try:
            unit = parse_unit(match[0])
        except BadQuantity:
            continue
        asked = next((known for known in _ASKED if (parse_unit(known).factor, parse_unit(known).dimension) == (unit.factor, unit.dimension)), None)
        if asked is not None:
            yield Mention(match.start(), match.end(), unit=asked)
