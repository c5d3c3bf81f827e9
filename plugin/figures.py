"""The figures that stand in prose: every number of an answer, with its unit and the digits that it shows.

Numbers, units and names are those that the understanding of questions recognises; here they are read in an answer: Markdown,
formulas and tables are made plain, digits of every script become ours, and what is no figure is left out (a list's numbering,
the number in GPT-4o or H100, a date's day). Nothing that has a digit is overlooked: what no rule explains is a figure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import unescape
from itertools import pairwise
from typing import Literal

from kilowhat.plugin.understanding.mention import Mention
from kilowhat.plugin.understanding.normalise import detect_language
from kilowhat.plugin.understanding.numbers import plain_numbers, plain_words, spell_fractions
from kilowhat.plugin.understanding.recognise import recognise
from kilowhat.plugin.understanding.tables import lexicon, marks
from kilowhat.tools.core.arithmetic import longest_quantity
from kilowhat.tools.core.errors import KilowhatError
from kilowhat.tools.core.units import EMISSIONS, ENERGY, LENGTH, MAGNITUDES, MASS, NUMBER, POWER, TIME, VOLUME, Dimension, Quantity, combine, parse_unit, plain

PHYSICAL = (ENERGY, EMISSIONS, VOLUME, POWER, MASS, LENGTH, combine(EMISSIONS, ENERGY, -1), combine(VOLUME, ENERGY, -1))

Kind = Literal["amount", "count", "bare", "percent", "times", "year"]
Rate = Literal["told", "near", "either"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as an answer shows it.

    Args:
        text: The number and its unit as they stand there.
        line: The line of the answer, from 0.
        clause: The part of the line between two commas, from 0.
        value: The number, magnitudes (thousand, 万) multiplied in.
        half: Half a unit of the last digit shown.
        zeros: Whether it is a whole number that ends in zeros, so that its last digit shown is not sure.
        unit: The unit, or nothing.
        kind: An amount with a physical unit, a count of things, a percentage, a ratio (14 times), a year, or a bare number.
        rate: ``told`` where the amount is said to be of one thing (per image), ``near`` where its clause says each or every; ``either`` for a factor of a product, or so much a day.
        words: Whether it is written in words.
    """

    text: str
    line: int
    clause: int
    value: float
    half: float
    zeros: bool
    unit: str
    kind: Kind
    rate: Rate | None = None
    words: bool = False

    @property
    def dimension(self) -> Dimension:
        """What the figure measures; the empty dimension for a bare number."""
        return parse_unit(self.unit).dimension


@dataclass(frozen=True, slots=True)
class _Found:
    figure: Figure
    start: int
    end: int


_HIDDEN = re.compile(
    r"\x1b\[[\d;?]*[A-Za-z]|[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20f0\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
_MARKUP = re.compile(r"\*\*|__|`|(?<![\d\s])\*|\*(?![\d\s])|<[^<>]{1,20}>|~~")
_FORMULA = ((re.compile(r"\\(?:text|mathrm|mathbf|operatorname)\s?\{([^{}]*)\}"), r"\1"), (re.compile(r"\\(?:times|cdot)(?![a-z])"), "×"), (re.compile(r"\\approx|\\sim"), "≈"), (re.compile(r"\\[,;:! ]"), " "), (re.compile(r"\\%"), "%"), (re.compile(r"\^\{([^{}]*)\}"), r"^\1"), (re.compile(r"\\[()\[\]]|(?<!US)\$(?!\d)|\$(?=[^$\n]*\$)"), " "))  # fmt: skip
_SUPERSCRIPT_NOTE = re.compile(r"(?<![\dmM⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹])[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_HUNDREDTHS = re.compile(r"百分之\s?([\d.]+|[〇零一二三四五六七八九十百点點]+)")
_HALF_OF = re.compile(r"\bhalf an? (?=(?:million|billion|trillion|thousand|[kMGT]?Wh|kilowatt|litre|liter|gallon|tonne|ton|kilogram|gram)\b)", re.IGNORECASE)
_DIVIDED = re.compile(r"\s/\s(?=[\d(])")
"""A division in a derivation, which is no part of the unit before it."""

_FROM_A_TO = re.compile(r"(?<=\d)\s+a\s+(?=\d)")
_PER_WORDS = (
    (re.compile(r"\b(?:par|pro|por|je|al) (?:an\b|année|Jahr|año)", re.IGNORECASE), "per year"),
    (re.compile(r"\b(?:par|pro|por|je|al) (?:mois|Monat|mes\b)", re.IGNORECASE), "per month"),
    (re.compile(r"\b(?:par|pro|por|je|al) (?:jour|Tag|día)", re.IGNORECASE), "per day"),
    (re.compile(r"\b(?:par|pro|por|je) (?:heure|Stunde|hora)", re.IGNORECASE), "per hour"),
    (re.compile(r"\b(?:je|por) (?=[kMG]?Wh\b)"), "per "),
    (re.compile(r"每(?:千瓦[时時]|度[电電]?)([^\d,;。]{0,6})(\d[\d.,]*)\s?(克|公斤|千克|升|k?g\b|L\b)"), r"\1\2 \3/kWh"),
)
"""So much a year, a month, a kilowatt hour, in the words that units know."""

_RULE = re.compile(r"^[\s|:–-]*-{2,}[\s|:-]*$")
_CELL = re.compile(r"^\s*(?:[~≈<>]\s*)?[\d.,]+(?:\s?(?:–|-|to|至)\s?[\d.,]+)?\s*$")
_LISTED = re.compile(r"^[\s>#*+-]*(?:\(?\d{1,2}[.)、）:](?!\d)|#{1,6}\s|第\s?\d{1,2}\b)\s*")
_LETTER = r"[^\W\d_\u3040-\u30ff\u3400-\u9fff]"
_IDENTIFIER = re.compile(rf"{_LETTER}+[-_]?\d[\da-zA-Z_]*(?:[.-][\da-zA-Z_]+)*")
_RUN = re.compile(r"\d[\d,]*(?:\.\d+)?(?:e[+-]?\d{1,3}(?!\d))?|\.\d+", re.IGNORECASE)
_WRITTEN = re.compile(
    r"10\s*(?:\^|\*\*)\s*[-−+]?\d{1,3}|(?:\d{1,3}(?:[, ]\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d{1,3}(?!\d)|\s*[x×*]\s*10\s*(?:\^|\*\*)\s*[-−+]?\d{1,3})?", re.IGNORECASE
)
_DATE = re.compile(
    r"(?<!\d)(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])(?:[-/.](?:0?[1-9]|[12]\d|3[01]))?(?!\d)|\d{1,2}(?:st|nd|rd|th|\.)?\s(?:of\s)?(?=(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|M[äa]r|Mai|Juni|Juli|Okt|Dez|janv|févr|mars|avril|juin|juil|août|déc|enero|feb|abril|mayo|agosto|dic)[a-zé]*\.?\s(?:19|20)\d\d)|(?<=年)\s?\d{1,2}\s?月(?:\s?\d{1,2}\s?日)?"
)
_ORDINAL = re.compile(r"(?<![\d.,])(?:[1-9]|1\d|2[01])(?:st|nd|rd|th|er|ère|e|ème|º|ª)(?![a-z])|第\s?(?:\d{1,2}|[一二三四五六七八九十])(?![\d年])")
_LABEL = re.compile(r"\b(?:scope|tier|phase|level|option|step|stage|case|edition|version|generation|gen|Q|H|top)\s?-?\d{1,2}(?!\d|[.,]\d|\s?%|\s?[kKMGT]?Wh?\b)", re.IGNORECASE)
_STARTS_AS_NUMBER = re.compile(r"[-+$~≈]?\s?[\d.]")
_TIMES = re.compile(r"^\s*-?\s*(?:times\b|fold\b|[x×](?![\w])(?!\s*(?:\d|\.\d|\())|倍|mal\b|-?fach|fois\b|veces\b)", re.IGNORECASE)
_TIMES_BEFORE = re.compile(r"(?:[x×]|\bfactor of|\bFaktor(?: von)?|\bfacteur(?: de)?|\bfactor de)\s*$", re.IGNORECASE)
_TIMES_WORDS = re.compile(
    r"\b(?:(twice|double[sd]?|doppelt|doublet?|doble)|(thrice|triple[sd]?|dreifach)|(half (?:of|as|the|that|what)|la moitié|die Hälfte|la mitad)|(quadruple[sd]?))\b(?!-)|(一半)|(?<![\d\w])([二两兩三四五六七八九十百千]+)倍|(?<![\d./])1/(\d{1,3})(?![\d/.])",
    re.IGNORECASE,
)
_WORD_TIMES = (2.0, 3.0, 0.5, 4.0, 0.5)
_EACH_BEHIND = re.compile(r"^\s*(?:of (?:electricity|energy|water|CO2e?)\s)?(?:/|\bper\b|\bpro\b|\bpar\b|\bpor\b|\bje\b|\beach\b|\bapiece\b|/)", re.IGNORECASE)
_FACTOR_BEHIND = re.compile(r"^\s*[×*]\s*\d")
_PERIOD_BEHIND = re.compile(
    r"^\s*(?:(?:an?|each|every|per) (?:hour|day|week|month|year)\b|am Tag\b|im (?:Jahr|Monat)\b|al (?:día|año|mes)\b|par (?:jour|an|mois)\b|(?:pro|por|je) (?:Tag|Jahr|Monat|Stunde|día|año|mes|hora)\b)",
    re.IGNORECASE,
)
_FACTOR_BEFORE = re.compile(r"\d\s*[×*∕]\s*$")
_EACH_NEAR = re.compile(
    r"\b(?:each|every|single|apiece|individual|one (?:image|request|query|prompt|text|video|answer|message|run|generation)|an? (?:\w+ )?(?:image|picture|request|query|prompt|text|video|clip|answer|response|message|inference)|chaque|jede[rsnm]?|cada)\b|每|单[张张次个]|單[張次個]|一[张張次个個条條](?!千|万|百)|1枚|あたり|つき",
    re.IGNORECASE,
)
_EACH_FIRST = re.compile(
    r"^\W*(?:(?:per|each|every|pro|je|par|por|one|for (?:one|each|every)) (?!hour|day|week|month|year|Stunde|Tag|Jahr|Monat|heure|jour|an\b|mois|hora|día|año|mes\b)[^\W\d]\w*|每|单|單)[^.;:。]{0,20}",
    re.IGNORECASE,
)
"""A line that starts with what its first sentence is of: per image: …"""

_SENTENCE = re.compile(r"\.\s|[。(（]")
_PERIOD = re.compile(r"\s*(?:/|\bper\b|\bpro\b|\bpar\b|每|\ba\b)\s*(?:\d+\s)?(?:hour|day|week|month|year|h|d|yr|a|天|日|月|年|小时|小時)s?$", re.IGNORECASE)
_PER_IN_UNIT = re.compile(r"/|÷|\bper\b|\bpro\b|\bpar\b|每", re.IGNORECASE)
_CLAUSE = re.compile(r"[,;|](?!\d)|[。、()]|\.\s")
_RANGE_OPENS = re.compile(r"^[^()（）\d]{0,30}[(（][^()（）\d]{0,24}(?:80\s?%\s?[^()（）\d]{0,20})?$")
_RANGE_ENDS = re.compile(r"^\s*[)）,;，；]")
"""A range in brackets right behind an amount has that amount's unit: 190 Wh (36 to 1,400)."""

_JOINED = re.compile(r"^\s*(?:,|and|or|to|und|oder|bis|et|ou|à|y|o|a|和|与|與|或|至|到|[~–—-])\s*$", re.IGNORECASE)
SMALL = 12
"""Words for numbers up to this are language, not figures, in an answer: two studies, one of them, ten years."""

_PIECE = re.compile(r".{1,500}(?:[\s。；]|$)|.{1,1500}")
"""So much of a line is read at a time, cut between words: reading takes longer than in proportion."""


def make_plain(text: str) -> str:
    """Return a text without hidden characters: bidi and zero-width marks, tags, terminal codes and controls other than the end of a line."""
    return _HIDDEN.sub("", text.replace("\r\n", "\n").replace("\u2028", "\n"))


def language_of(text: str, before: str) -> str:
    """Return the language of an answer; that of its question where nothing tells."""
    return detect_language(unicodedata.normalize("NFKC", text), marks(), before)


def decimals(language: str) -> tuple[str, ...]:
    """Return the decimal marks with which a language is read: its own, and the point, which tools write everywhere."""
    own = str(lexicon()["languages"].get(language, lexicon()["languages"]["en"])["decimal"])
    return (own,) if own == "." else (own, ".")


def read_figures(text: str, language: str, decimal: str = ".", *, small_words: bool = False) -> list[Figure]:
    """Return the figures of a text, in order.

    >>> [(figure.value, figure.unit) for figure in read_figures("GPT-4o: about **2.9 kWh**, i.e. 0.76–11 kWh [1]", "en") if figure.unit]
    [(2.9, 'kWh'), (0.76, 'kWh'), (11.0, 'kWh')]

    Args:
        text: The answer, without its citations.
        language: Its language.
        decimal: The decimal mark with which 1.000 and 1,000 are read.
        small_words: Whether one to twelve in words are figures too: in a question (eight H100) they are.
    """
    found: list[Figure] = []
    for number, line in enumerate(_with_units_of_tables(make_plain(text).splitlines())):
        for piece in _PIECE.findall(line):
            found += _figures_of(piece, number, language, decimal)
    return [figure for figure in found if small_words or not (figure.words and figure.value <= SMALL and (figure.kind in ("bare", "count") or figure.dimension == TIME))]


def _with_units_of_tables(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines with each bare number of a table followed by the unit that the head of its column names."""
    heads: list[str] = []
    for line, after in zip(lines, [*lines[1:], ""], strict=False):
        if "|" not in line:
            heads = []
        elif _RULE.match(after) and "|" in after:
            heads = [_unit_named(cell) for cell in line.split("|")]
        elif heads and not _RULE.match(line):
            cells = line.split("|")
            yield "|".join(f"{cell.rstrip()} {unit} " if unit and _CELL.match(_MARKUP.sub("", cell)) else cell for cell, unit in zip(cells, [*heads, *[""] * len(cells)], strict=False))
            continue
        yield line


def _unit_named(cell: str) -> str:
    """Return the unit that the head of a column names in brackets or behind a comma, or nothing."""
    told = re.search(r"[(\[,/]\s*([^()\[\],]{1,20}?)\s*[)\]]?\s*$", plain(cell))
    try:
        return told[1] if told and (parse_unit(told[1]).dimension != NUMBER or told[1] == "%") else ""
    except KilowhatError:
        return ""


def _prepared(line: str, language: str, decimal: str) -> str:
    """Return a line as plain words and numbers, in the digits and the decimal mark that units know."""
    line = unescape(line)
    for pattern, put in _FORMULA:
        line = pattern.sub(put, line)
    line = plain(_SUPERSCRIPT_NOTE.sub(" ", spell_fractions(_MARKUP.sub("", line))))
    line = "".join(str(unicodedata.decimal(char)) if char.isdecimal() and not char.isascii() else char for char in line)
    line = line.replace("٫", ".").replace("٬", ",").replace("−", "-").replace("‑", "-")
    line = _DIVIDED.sub(" ∕ ", _HALF_OF.sub("0.5 ", line))
    line = _FROM_A_TO.sub("–", line) if language == "es" else line
    line = _HUNDREDTHS.sub(lambda match: match[0] if (share := _float(match[1]) or _han(match[1])) is None else f"{share:.15g}%", line)
    for pattern, put in _PER_WORDS:
        line = pattern.sub(put, line)
    told = lexicon()["languages"].get(language, lexicon()["languages"]["en"])
    return plain_words(plain_numbers(line, decimal), {word: known for word, known in told["after_digits"].items() if len(word) > 1})


def _han(digits: str) -> float | None:
    """Return the number that Chinese numerals write, or None."""
    import cn2an

    if digits in MAGNITUDES:
        return MAGNITUDES[digits]
    try:
        return float(cn2an.cn2an(digits.replace("點", "点").replace("兩", "两"), "smart"))
    except (ValueError, OverflowError, KeyError):
        return None


def _figures_of(line: str, number: int, language: str, decimal: str) -> list[Figure]:
    """Return the figures of a line; what a question may mean by 3 to 6 (so many hours of a day) an answer does not."""
    text = _prepared(line, language, decimal)
    mentions = [mention for mention in recognise(text, language) if not ("clock" in mention.senses and mention.quantity is not None)]
    free = [(match.start(), match.end()) for pattern in (_DATE, _ORDINAL, _LABEL) for match in pattern.finditer(text)]
    if listed := _LISTED.match(text):
        free.append((0, listed.end()))
    free += [(mention.start, mention.end) for mention in mentions if mention.number is None and mention.quantity is None and mention.size is None]
    free += [(match.start(), match.end()) for match in _IDENTIFIER.finditer(text) if not _unit_behind(text, match.end())]
    free = [(start, end) for start, end in free if not (text[start:end][-1:].isdigit() and _unit_behind(text, end))]
    found: list[_Found] = []
    for mention in mentions:
        if (mention.number is not None or mention.quantity is not None) and not _inside(mention.start, free):
            found += _of_mention(text, mention, number)
    for match in _TIMES_WORDS.finditer(text):
        value = _times_in_words(match)
        if value is None:
            continue
        found = [one for one in found if one.end <= match.start() or one.start >= match.end()]
        found.append(_Found(Figure(match[0], number, 0, value, *_shown_half(value, ""), "", "times", words=True), match.start(), match.end()))
    for run in _RUN.finditer(text):
        if not _inside(run.start(), free) and not any(one.start < run.end() and run.start() < one.end for one in found):
            found += _uncovered(text, run, number)
    found.sort(key=lambda one: one.start)
    return [_placed(text, one, found) for one in _joined(text, found)]


def _times_in_words(match: re.Match[str]) -> float | None:
    """Return the ratio of a word, of Chinese numerals, or of a fraction such as 1/15."""
    *words, han, part = match.groups()
    if han:
        return _han(han)
    return float(part) or None if part else next(worth for worth, word in zip(_WORD_TIMES, words, strict=True) if word)


def _inside(position: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= position < end for start, end in spans)


def _unit_behind(text: str, end: int) -> bool:
    """Return whether a physical unit stands right behind a place, so that the digits before it are a figure after all."""
    word = re.match(r"\s?([kMGTPm]?(?:Wh|J)|[kMGT]?W|[mk]?[gtL]\s?CO2e?q?|kg|mL|L|度|千瓦[时時]|升|公斤|吨|噸)(?![\w/])", text[end:])
    return word is not None


def _of_mention(text: str, mention: Mention, line: int) -> list[_Found]:
    """Return the figures of a mention: one, or the two ends of a range or of a size in pixels; none where a word was read as part of a number (unos 790)."""
    span = text[mention.start : mention.end]
    if not _STARTS_AS_NUMBER.match(span) and _RUN.search(span):
        return []
    written = [match[0] for match in _WRITTEN.finditer(span)]
    if mention.size is not None:
        return [_Found(Figure(span, line, 0, side, *_shown_half(side, f"{side:.0f}"), "", "bare"), mention.start, mention.end) for side in mention.size]
    quantity = mention.quantity or Quantity(mention.number or 0.0, "")
    if quantity.unit == "" and (more := _longer(text, mention)) is not None:
        quantity, mention = more
        span = text[mention.start : mention.end]
    ends = [(quantity.low, written[0]), (quantity.high, written[1])] if quantity.low is not None and len(written) > 1 else [(quantity.value, written[0] if written else "")]
    return [_Found(_figure(text, span, line, abs(value or 0.0), shown, quantity.unit, mention.start, mention.end), mention.start, mention.end) for value, shown in ends]


def _longer(text: str, mention: Mention) -> tuple[Quantity, Mention] | None:
    """Return a number with what follows it, where questions recognise the two apart: 1,000 images, half a million kilowatt-hours."""
    run = _RUN.match(text, mention.start)
    if mention.quantity is not None or mention.number is None:
        return None
    shown = run[0] if run else f"{mention.number:.15g} "
    behind = run.end() if run else mention.end
    try:
        quantity, end = longest_quantity(shown + text[behind : behind + 60], 0, len(shown.rstrip()))
    except KilowhatError:
        return None
    end += behind - len(shown)
    return (quantity, replace(mention, end=end)) if end > mention.end else None


def _uncovered(text: str, run: re.Match[str], line: int) -> list[_Found]:
    """Return the figure of digits that nothing else explains."""
    try:
        quantity, end = longest_quantity(text, run.start(), run.end())
    except KilowhatError:
        quantity, end = Quantity(_float(run[0]), ""), run.end()
    return [_Found(_figure(text, text[run.start() : end], line, abs(quantity.value), run[0], quantity.unit, run.start(), end), run.start(), end)]


def _float(digits: str) -> float:
    try:
        return float(digits.replace(",", "").rstrip("."))
    except ValueError:
        return 0.0


def _figure(text: str, span: str, line: int, value: float, written: str, unit: str, start: int, end: int) -> Figure:
    half, zeros = _shown_half(value, written)
    dimension = parse_unit(unit).dimension
    if unit == "B":
        unit, dimension = "", NUMBER
    factor = _FACTOR_BEHIND.match(text[end:]) or _FACTOR_BEFORE.search(text[:start])
    rate: Rate | None = "either" if factor or _PERIOD_BEHIND.match(text[end:]) else "told" if _EACH_BEHIND.match(text[end:]) or (_PER_IN_UNIT.search(unit) and len(dimension) == 1) else None
    kind: Kind = "amount"
    if unit in ("%", "percent", "per cent", "pct"):
        kind = "percent"
    elif dimension == NUMBER and (_TIMES.match(text[end:]) or unit in ("x", "×", "times", "倍", "fold") or _TIMES_BEFORE.search(text[:start]) or span.rstrip().endswith(("倍", "x", "×"))):
        kind, unit = "times", ""
    elif dimension == NUMBER and unit:
        kind = "count"
    elif dimension == NUMBER:
        kind = "year" if re.fullmatch(r"(?:19|20)\d\d", written) and value == _float(written) else "bare"
    return Figure(span.strip(), line, 0, value, half, zeros, unit, kind, rate, words=not written)


def _shown_half(value: float, written: str) -> tuple[float, bool]:
    """Return half a unit of the last digit that a number shows, and whether that digit is one of the zeros at the end of a whole number."""
    if not written and value % 1 == 0.5:
        return 0.25, False
    digits = re.split(r"e|[x×*]", written.replace(",", "").replace(" ", "").lower())[0] or f"{value:.15g}"
    if "^" in digits or "e" in digits:
        return value * 0.05, True
    whole, _, rest = digits.partition(".")
    number = _float(digits)
    scale = value / number if number else 1.0
    zeros = 0 if rest else len(whole) - len(whole.rstrip("0"))
    size = 10.0 ** (-len(rest) if rest else zeros)
    return 0.5 * size * abs(scale), zeros > 0


def _joined(text: str, found: Sequence[_Found]) -> list[_Found]:
    """Return the figures with the unit of the next one where the two are joined: between 0.76 and 11 kWh."""
    joined = list(found)
    for index in range(len(joined) - 2, -1, -1):
        here, after = joined[index], joined[index + 1]
        if here.figure.kind in ("bare", "count") and not here.figure.unit and after.figure.kind in ("amount", "percent") and _JOINED.match(text[here.end : after.start]):
            joined[index] = replace(here, figure=replace(here.figure, unit=after.figure.unit, kind=after.figure.kind, rate=after.figure.rate))
    for index in range(1, len(joined)):
        before, here = joined[index - 1], joined[index]
        same = before.start == here.start
        ranges = same or (_RANGE_OPENS.match(text[before.end : here.start]) and _RANGE_ENDS.match(text[here.end :]))
        if ranges and here.figure.kind in ("bare", "count") and not here.figure.unit and before.figure.kind in ("amount", "percent"):
            joined[index] = replace(here, figure=replace(here.figure, unit=before.figure.unit, kind=before.figure.kind, rate=before.figure.rate))
    return joined


def _placed(text: str, one: _Found, found: Sequence[_Found]) -> Figure:
    """Return a figure with its clause, and with whether each or every stands in that clause and no other amount does."""
    breaks = [0, *(match.end() for match in _CLAUSE.finditer(text)), len(text)]
    clause = next(index for index, (_, end) in enumerate(pairwise(breaks)) if one.start < end)
    start, end = breaks[clause], breaks[clause + 1]
    figure = one.figure
    alone = sum(other.figure.kind == "amount" and start <= other.start < end for other in found) < 2
    stop = _SENTENCE.search(text)
    first = _EACH_FIRST.match(text) is not None and one.start < (stop.start() if stop else len(text))
    near = figure.rate is None and figure.kind == "amount" and (first or (alone and _EACH_NEAR.search(text[start:end])))
    return replace(figure, clause=clause, rate="near" if near else figure.rate)


def without_period(unit: str) -> str | None:
    """Return a unit without the period that it is told for (TWh per year), or None where it has none."""
    shorter = _PERIOD.sub("", unit)
    return shorter if shorter != unit else None
