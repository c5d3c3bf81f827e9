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

from kilowhat.plugin.understanding.tokens import Token, tokenise
from kilowhat.tools.core.errors import BadQuantity
from kilowhat.tools.core.units import MAGNITUDES, NUMBER, Quantity, parse_quantity, parse_unit

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


def recognise(text: str, language: str) -> list[Mention]:
    """Return the mentions of a normalised question, in order, none overlapping another."""
    tokens = tokenise(text)
    found = [*_phrases(text, tokens), *_quantities(text), *_spoken_numbers(text, language)]
    chosen: list[Mention] = []
    for mention in sorted(found, key=lambda mention: mention.weight, reverse=True):
        if all(mention.end <= other.start or mention.start >= other.end for other in chosen):
            chosen.append(mention)
    return sorted(chosen, key=lambda mention: mention.start)


def _phrases(text: str, tokens: list[Token]) -> Iterator[Mention]:
    """Yield a mention for each phrase of the lexicon, with all that the same span may mean."""
    phrases = lexicon()["phrases"]
    for position, token in enumerate(tokens):
        spans: dict[int, tuple[dict[str, str], list[str], list[float]]] = {}
        for words, kind, value, *code in phrases.get(token.folded, ()):
            last = position + len(words)
            if last > len(tokens) or [other.folded for other in tokens[position:last]] != words:
                continue
            end = tokens[last - 1].end
            if code and not _written_as_code(text, token.start, end):
                continue
            names, senses, numbers = spans.setdefault(end, ({}, [], []))
            if kind == "sense":
                senses.append(value)
            elif kind == "number":
                numbers.append(float(value))
            else:
                names.setdefault(kind, value)
        for end, (names, senses, numbers) in spans.items():
            yield Mention(token.start, end, names, tuple(senses), numbers[0] if numbers else None)


_BEFORE_CODE = re.compile(r"(?:\b(?:in|at|region|zone|for|from|vs\.?|and|or|to|between)|[,(/:])\s*$", re.IGNORECASE)


def _written_as_code(text: str, start: int, end: int) -> bool:
    """Return whether a span is written as a code: with its hyphens, or in capitals where a place may stand."""
    span = text[start:end]
    if "-" in span:
        return True
    rest = text[end : end + 1]
    return span.isupper() and span.isalpha() and not rest.isdigit() and (len(text) < 6 or bool(_BEFORE_CODE.search(text[:start])))


_DIGIT = re.compile(r"(?<![\w.])[-−]?\$?(?:\d{1,3}(?:[, ]\d{3})+|\d+)(?:\.\d+)?(?:e[+-]?\d{1,3})?(?!\d)", re.IGNORECASE)
_AFTER = re.compile(r"\s*(?P<word>[^\d\s,.;:!?()，。；：！？、（）=]*(?:\s?(?:CO2e?|二氧化碳)(?:当量|當量)?)?(?:/\s?[^\d\s,.;:!?()，。；：！？、（）]+)?)", re.IGNORECASE)
_TO = re.compile(r"\s*(?:-|–|~|to|至|到)\s*(?=\d)", re.IGNORECASE)


def _quantities(text: str) -> Iterator[Mention]:
    """Yield a mention for each number in digits, with its magnitude word and its unit where one follows."""
    ascii_before = re.compile(r"[A-Za-z]")
    for match in re.finditer(r"(?<![\d.,])[-−]?\$?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:e[+-]?\d{1,3}(?!\d))?", text, re.IGNORECASE):
        if match.start() and ascii_before.match(text[match.start() - 1]) and not match[0].startswith(("-", "$")):
            continue
        start, end = match.start(), match.end()
        if match[0].startswith(("-", "−")) and start and (text[start - 1].isalnum()):
            start += 1
        yield from _longest_quantity(text, start, end)


def _longest_quantity(text: str, start: int, end: int) -> Iterator[Mention]:
    """Yield the longest reading of a number and what follows it: a range, a unit, a magnitude, or the number alone."""
    window = text[start : start + 60]
    stops = sorted({end - start, *(stop.end() for stop in re.finditer(r"[^\W_]+|[\u3400-\u9fff]|[%°³/$-]", window) if stop.end() > end - start)}, reverse=True)
    for stop in stops:
        piece = window[:stop]
        if re.search(r"[,;:!?()，。；：！？、（）]\s*\D|\.\s", piece[end - start :]):
            continue
        try:
            quantity = parse_quantity(piece)
        except BadQuantity:
            continue
        if quantity.unit and _is_thing(quantity.unit):
            continue
        if not quantity.unit or parse_unit(quantity.unit).dimension == NUMBER and quantity.unit not in ("%",):
            yield Mention(start, start + stop, number=quantity.value, quantity=quantity if quantity.low is not None else None)
        else:
            yield Mention(start, start + stop, quantity=quantity)
        return


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


_NUMBER_WORD = re.compile(r"\b(?:[a-z]+(?:-[a-z]+)?\b[\s-]*){1,6}", re.IGNORECASE)


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


def magnitude(word: str) -> float | None:
    """Return the factor of a magnitude word, or None."""
    return MAGNITUDES.get(word.casefold())
