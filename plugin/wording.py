"""How a language writes what an answer says: numbers, amounts, ranges, names of places and things, and the tools' own sentences.

Tools speak English. What one of them says (a label, an assumption, a warning, an error) is found among the patterns under
``told`` in the English phrase file, and said by the phrase of the same name under ``says`` in the answer's language.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from kilowhat.plugin.phrases.load import Phrases, Slots, phrases, places
from kilowhat.tools import Library
from kilowhat.tools.core.errors import KilowhatError
from kilowhat.tools.core.patterns import Late
from kilowhat.tools.core.place import find_place
from kilowhat.tools.core.units import EMISSIONS, ENERGY, MOST_DIGITS, NUMBER, VOLUME, Quantity, conversion_factor, format_number, parse_unit, readable, shown_digits

LONGEST_NAME = 60
"""Characters of a name or a text of the question that an answer repeats."""

LONGEST_SLOT = 400
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?")
_NUMERIC = re.compile(rf"(?P<value>{_NUMBER.pattern})(?: \((?P<low>{_NUMBER.pattern}) to (?P<high>{_NUMBER.pattern})\))?")
_AMOUNT = re.compile(rf"(?P<value>{_NUMBER.pattern})(?P<unit> [^\d\s][^\d]{{0,20}})")
_FACT_ID = re.compile(r" \[[a-z][\w-]+\]")
_FIGURE = r"[\d,]+(?:\.\d+)?"
_FIGURES = frozenset({"rank", "number", "years", "starts", "hour", "year", "pue", "usual", "wue", "held", "share", "limit"})
"""The slots of patterns that hold a number and nothing else."""

_PLACES = frozenset({"place", "country", "low", "high", "first", "second"})
"""The slots of patterns that hold the name of a place, where they hold no number."""

_SLOT = re.compile(r"\\{(\w+)\\}")
_HAN = Late(r"[\u3400-\u9fff]+")
_KANA = Late(r"[\u3040-\u30ff]")
_EAST = "\u3040-\u30ff\u3400-\u9fff"
_THEN_LATIN = Late(rf"([{_EAST}])([A-Za-z0-9])")
_LATIN_THEN = Late(rf"([A-Za-z0-9%³])([{_EAST}])")
_WITHIN = Late(rf"(?<=[{_EAST}]) (?=[{_EAST}])")
_AT_MARKS = Late(r" *([（）：；，。、～]) *")
_BEFORE_VOWEL = Late(r"(?<=illions |lliards )de (?=[aeiouyhéèêâîôœ])", re.IGNORECASE)
_MAGNITUDE_SPACE = Late(rf"(?<=\d )([万亿萬億兆]) (?=[{_EAST}])")
_MARKUP = re.compile(r"([\\`*_\[\]<>|#~])")
_SHOWN_AS = {ENERGY: "energy", EMISSIONS: "emissions", VOLUME: "water"}


def plain_text(text: str, longest: int = LONGEST_NAME) -> str:
    """Return a text from outside as one line that Markdown and a terminal leave alone: no control or direction marks, markup escaped, bounded."""
    kept = " ".join("".join(" " if unicodedata.category(sign) in ("Cc", "Zl", "Zp") else sign for sign in text if unicodedata.category(sign) not in ("Cf", "Cs", "Co", "Cn")).split())
    kept = kept if len(kept) <= longest else f"{kept[: longest - 1].rstrip()}…"
    return _MARKUP.sub(r"\\\1", kept)


class Wording:
    """What one language writes."""

    def __init__(self, language: str) -> None:
        self.phrases: Phrases = phrases(language)
        self.language = self.phrases.language
        self.say = self.phrases.say
        self.get = self.phrases.get

    def listed(self, parts: Sequence[str]) -> str:
        """Return parts as one list."""
        return self.say("list_separator").join(parts)

    def sentences(self, parts: Sequence[str]) -> str:
        """Return what was assumed as one list, or as sentences where the language has them so."""
        separator = self.say("sentence_separator")
        return separator.join(f"{part[:1].upper()}{part[1:]}" if separator.startswith(".") else part for part in parts)

    def spaced(self, line: str) -> str:
        """Return a line set as the language sets it.

        Chinese and Japanese have a space between their signs and Latin ones, none within their own and none at their marks;
        French joins "millions de" to a vowel.
        """
        if elided := self.say("elision"):
            line = _BEFORE_VOWEL.sub(elided, line)
        between = self.say("between_scripts")
        if not between:
            return line
        line = _LATIN_THEN.sub(rf"\1{between}\2", _THEN_LATIN.sub(rf"\1{between}\2", _MAGNITUDE_SPACE.sub(r"\1", line)))
        return _AT_MARKS.sub(r"\1", _WITHIN.sub("", line))

    # Numbers

    def number(self, value: float, digits: int = MOST_DIGITS, *, words: bool = False) -> str:
        """Return a number with so many significant digits, as the language writes it.

        Args:
            value: The number.
            digits: Significant digits.
            words: Whether large numbers take a word: 2.5 billion, 6 万.
        """
        if words:
            for size, word in sorted(((float(size), str(word)) for size, word in self.phrases.table("magnitudes").items()), reverse=True):
                if abs(value) >= size and float(format_number(value, digits).replace(",", "")) >= size:
                    return self._written(format_number(value / size, digits)) + word
        return self._written(format_number(value, digits))

    def count(self, value: float) -> str:
        """Return how many things there are: a whole number in full, or with a word where it is round and large."""
        whole = round(value)
        if abs(value - whole) > 1e-9 * max(1.0, abs(value)):
            return self.number(value, words=True)
        round_enough = float(f"{value:.{MOST_DIGITS - 1}e}") == value or abs(value) >= 1e9
        return self.number(value, MOST_DIGITS if round_enough else 9, words=round_enough)

    def _written(self, text: str) -> str:
        """Return a number that stands with a point and commas, with the signs of the language."""
        decimal, group = self.say("decimal"), self.say("group")
        return text.translate({ord("."): decimal, ord(","): group})

    def in_text(self, text: str) -> str:
        """Return a text of a tool with its number as the language writes it, where it is one, with its unit or its range; else as it is."""
        match = _NUMERIC.fullmatch(text)
        if match is None:
            amount = _AMOUNT.fullmatch(text)
            return self._written(amount["value"]) + amount["unit"] if amount else text
        value = self._written(match["value"])
        return value if match["low"] is None else value + self.say("range.short", low=self._written(match["low"]), high=self._written(match["high"]))

    # Amounts

    def readable(self, quantity: Quantity) -> Quantity:
        """Return a quantity in the unit of its dimension that is read most easily; a language may prefer another (``instead``)."""
        shown = quantity.to("g CO2e/kWh") if quantity.unit == "kg CO2e/kWh" else readable(quantity)
        instead = self.phrases.table("instead").get(shown.unit)
        return shown if instead is None else shown.to(instead)

    def unit(self, unit: str, *, asked: bool = False, of: float | None = None) -> str:
        """Return a unit as the language writes it behind a number; one that was asked for may have the name by which people ask."""
        if unit in ("ratio", ""):
            return ""
        told = (self.get("asked", unit, own=True) if asked else None) or self.get("units", unit, plural_of=of, own=True)
        if told is not None:
            return told
        head, mark, per = next(((head, mark, per) for mark in ("/", " per ") for head, found, per in [unit.partition(mark)] if found), (unit, "", ""))
        if mark:
            number, _, thing = per.rpartition(" ")
            return f"{self.unit(head)}/{self.in_text(number)} {self.unit(thing)}" if number.isdigit() else f"{self.unit(head)}/{self.unit(per)}"
        return unit

    def amount(self, quantity: Quantity, *, asked: bool = False, digits: int | None = None, ends: int = 2) -> str:
        """Return a value with its unit: in a readable one, or in the one it is in where that was asked for."""
        shown = quantity if asked else self.readable(quantity)
        return self._joined(self.number(shown.value, digits or shown_digits(shown, ends)[0], words=True), shown.unit, asked=asked, of=shown.value)

    def exactly(self, value: float, unit: str, *, asked: bool = False) -> str:
        """Return a number of a derivation with its unit: six digits, in the unit it is calculated in."""
        return self._joined(self.number(value, 6), unit, asked=asked, of=value)

    def _joined(self, number: str, unit: str, *, asked: bool = False, of: float | None = None) -> str:
        written = self.unit(unit, asked=asked, of=of)
        return f"{number}{self.say('before_unit') if written else ''}{written}"

    def ends(self, quantity: Quantity, *, asked: bool = False, bare: bool = False, least: int = 2) -> tuple[str, str] | None:
        """Return the ends of a range, the second with the unit unless bare; None where there is none, or where both are written alike."""
        if quantity.low is None or quantity.high is None or quantity.low == quantity.high:
            return None
        shown = quantity if asked or quantity.dimension == NUMBER else self.readable(quantity)
        digits = shown_digits(shown, least)[1]
        low, high = (self.number(end or 0.0, digits, words=True) for end in (shown.low, shown.high))
        if low == high:
            return None
        joint = self.say("magnitude_joint")
        low = low.removesuffix(joint) if joint else low
        return low, high.removesuffix(joint) if bare else self._joined(high, shown.unit, asked=asked)

    # Names

    def place(self, region: str) -> str:
        """Return the name of a place in the language, or its own where there is none."""
        library = Library.load()
        place = find_place(library, region)
        zone = place.country if place.country and place.name == library.countries.get(place.country, {}).get("name") else None
        spelt: list[str] = []
        name_id = zone or region
        if zone is None:
            try:
                name = library.name("places", region)
                name_id, spelt = name.id, list(name.aliases)
            except KilowhatError:
                pass
        told = self.get("places", name_id, own=True) or places().get(self.language, {}).get(name_id)
        return told or next((spelling for spelling in spelt if self._reads(spelling)), place.name)

    def _reads(self, spelling: str) -> bool:
        """Return whether a spelling is in the script of the language; Latin ones have the English name."""
        if self.language == "ja":
            return bool(_KANA.search(spelling))
        codec = {"zh-Hans": "gb2312", "zh-Hant": "big5"}.get(self.language)
        if codec is None or not _HAN.fullmatch(spelling):
            return False
        try:
            spelling.encode(codec)
        except UnicodeEncodeError:
            return False
        return True

    def thing(self, kind: str, number: float, digits: int = MOST_DIGITS) -> str | None:
        """Return a number of everyday things of a kind, or None where the language has no word for it."""
        written = self.number(number, digits, words=True)
        told = self.get("things", kind, plural_of=number, own=True)
        if told is not None:
            return told.format_map(Slots(number=written))
        zone = kind.removesuffix("-electricity-year").upper()
        if zone not in (*Library.load().countries, "WORLD") or self.get("says", "year_of_a_country", own=True) is None:
            return None
        return self.say("says", "year_of_a_country", plural_of=number, number=written, place=self.say("places", "WOR") if zone == "WORLD" else self.place(zone))

    # Sentences of the tools

    def told(self, sentence: str, **known: str) -> str | None:
        """Return a sentence of a tool in the language; in English itself where no shorter one is known, else None.

        Args:
            sentence: As the tool says it.
            known: Slots of the phrase in the answer's own words, in place of what the sentence fills them with.
        """
        sentence = _FACT_ID.sub("", sentence)
        for name, found in _readings(sentence.rstrip(".")):
            phrase = self.get("says", name, own=True)
            if phrase is not None:
                slots = {key: self._place_in(text) if key in _PLACES else self.in_text(self.inner(plain_text(text, LONGEST_SLOT))) for key, text in found.items()} | known
                return phrase.format_map(Slots(slots))
        return sentence.rstrip(".") if self.language == "en" else None

    def _place_in(self, text: str) -> str:
        """Return a place that a tool names, in the language; as it is where it is none."""
        try:
            return self.place(text)
        except KilowhatError:
            return self.in_text(plain_text(text))

    def inner(self, text: str) -> str:
        """Return what stands in a slot: itself a saying of a tool, a place, or a name that stays."""
        for name, found in _readings(text):
            phrase = self.get("says", name, own=True)
            if phrase is not None and not found:
                return phrase
        if " or " in text and (parts := [self.inner(part) for part in text.split(" or ")]) != text.split(" or "):
            return " / ".join(parts)
        zone = _zones_by_name().get(text)
        return text if zone is None or self.language == "en" else self.place(zone)


@lru_cache(maxsize=16)
def wording(language: str) -> Wording:
    """Return the wording of a language; of English where there is no phrase file for it."""
    return Wording(language)


@lru_cache(maxsize=1)
def _zones_by_name() -> Mapping[str, str]:
    """Return the zone of every English name of a country."""
    return {told["name"]: zone for zone, told in Library.load().countries.items()}


@lru_cache(maxsize=1)
def _patterns() -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    """Return the sentences of the tools without slots by name, and those with slots by the text before their first slot."""
    fixed: dict[str, str] = {}
    open_ones: list[tuple[str, str, str]] = []
    for name, told in phrases("en").table("told").items():
        for pattern in [told] if isinstance(told, str) else told:
            before, slot, _ = pattern.partition("{")
            if slot:
                open_ones.append((before, pattern, name))
            else:
                fixed[pattern.rstrip(".")] = name
    return fixed, sorted(open_ones, key=lambda entry: -len(re.sub(r"{\w+}", "", entry[1])))


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_SLOT.sub(lambda slot: rf"(?P<{slot[1]}>{_FIGURE if slot[1] in _FIGURES else '.+?'})", re.escape(pattern.rstrip("."))), re.DOTALL)


def _readings(sentence: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the names of the patterns that a sentence follows, with what fills their slots, the most exact first."""
    fixed, open_ones = _patterns()
    if sentence in fixed:
        yield fixed[sentence], {}
    for before, pattern, name in open_ones:
        if sentence.startswith(before) and (match := _compiled(pattern).fullmatch(sentence)):
            yield name, match.groupdict()


def scale_of(unit: str, other: str) -> float:
    """Return the factor between two units, or 0 where they measure different things."""
    return conversion_factor(unit, other) if parse_unit(unit).dimension == parse_unit(other).dimension else 0.0
