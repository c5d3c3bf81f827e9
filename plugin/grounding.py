"""Every figure of an answer comes from a tool, a cited fact or the question; every citation is one that a tool returned.

A figure agrees with what is known where it is that number rounded to the digits shown, in any unit of the same kind: 2.9 kWh,
2,900 Wh and 2.907 kWh all show 2.907 kWh; 2.9 Wh does not, and neither does 2.90 kWh. Known are the results, inputs, steps,
alternatives and verdicts of the tools that were run, the figures of the facts that they cite, and the figures of the
conversation. What a source says in words is material, not a figure: an amount in a statement counts only where the answer cites it.

A percentage or a ratio (93 % less, 14 times) may also be that of two amounts, where each is a headline result or stands
in the same line: of all pairs of numbers in a large result, some pair gives nearly any ratio. An amount of one thing (2.9 Wh per
image) is told apart from the total of a thousand, which has the same digits.

What this does not see: whether a true figure stands beside the right words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import permutations, product
from typing import Any, Literal

from kilowhat.plugin.figures import PHYSICAL, Figure, decimals, language_of, make_plain, read_figures, without_period
from kilowhat.plugin.reply import NumberedCitation, ToolCall
from kilowhat.tools import KilowhatError, Library
from kilowhat.tools.core.arithmetic import read_expression
from kilowhat.tools.core.estimate import Citation, Estimate, Result
from kilowhat.tools.core.quantities import is_ref
from kilowhat.tools.core.reference import Claim
from kilowhat.tools.core.registry import CATALOG
from kilowhat.tools.core.tool import parse_ref
from kilowhat.tools.core.units import EMISSIONS, ENERGY, MASS, NUMBER, TIME, VOLUME, Dimension, Quantity, format_number, parse_quantity, parse_unit, readable, significant_digits

LOOSEST = 0.25
"""However few digits a figure shows, it lies within this share of the number that it stands for."""

LOOSEST_ZEROS = 0.05
"""The same where a whole number ends in zeros, which may be digits or not: 1,000 does not stand for 1,129."""

HEADLINES = 4
"""Of each estimate, so many results of the headline's kind make ratios with others."""

Side = Literal["total", "one", "rate", "any"]
"""An amount is a total of many, that of one of them, a rate as a source or the question tells it (Wh per request), or any of these."""

_COUNTED = ("count", "requests", "users", "days", "hours", "years", "requests_per_day", "words_per_day")
"""Inputs and steps by which a total may be divided: so much for each."""

_OTHERS_WORDS = ("compare", "look_up_references")
"""Tools whose labels are words of a model or of a source."""

_CALENDAR = tuple(hours * scale for hours in (1.0, 24.0, 168.0, 720.0, 730.0, 744.0, 8760.0) for scale in (1.0, 1 / 3600, 1 / 60))
_CONSTANTS = frozenset({1, 2, 4, 7, 8, 12, 24, 30, 31, 52, 60, 100, 168, 360, 365, 366, 720, 730, 744, 1440, 3600, 8760, 86400, *(10**power for power in range(13))})
"""Numbers of the calendar and of units, which a calculation may hold without an origin."""


class Ungrounded(KilowhatError):
    """A number that a model passes to a tool, and that nobody told it."""

    code = "ungrounded_number"


@dataclass(frozen=True, slots=True)
class Amount:
    """A known amount in the base unit of its kind, what it is of, and whether its unit names a period."""

    value: float
    side: Side = "any"
    of_period: bool = False


@dataclass(slots=True)
class Known:
    """What an answer may take figures from; it grows with each call."""

    amounts: dict[Dimension, list[Amount]] = field(default_factory=dict)
    numbers: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    headlines: list[tuple[Dimension, float]] = field(default_factory=list)
    spreads: list[float] = field(default_factory=list)
    years: set[str] = field(default_factory=set)
    quoted: dict[str, list[Figure]] = field(default_factory=dict)
    citations: dict[str, Citation] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, turns: Sequence[tuple[str, str]], calls: Iterable[ToolCall] = ()) -> Known:
        """Return what a conversation and the calls so far make known."""
        known = cls()
        for role, text in turns[-MOST_TURNS:]:
            if role in ("user", "assistant"):
                known.add_turn(text)
        for call in calls:
            if call.estimate is not None:
                known.add_estimate(call.estimate)
        return known

    def add_turn(self, text: str) -> None:
        """Add what a turn of the conversation tells: its figures, and every number in it, be it part of a name."""
        told = make_plain(text)[:LONGEST_TURN]
        self.words.append(told)
        for decimal in decimals(language := language_of(told, "en")):
            self._add_figures(read_figures(told, language, decimal, small_words=True))
        self.numbers += [float(digits.replace(",", "")) for digits in _NUMBER.findall(told)]

    def add_estimate(self, estimate: Estimate) -> None:
        """Add the figures of an estimate, and of the facts that it cites."""
        named = [(entry.name, entry.value) for entry in estimate.inputs] + [(step.name, step.value) for step in estimate.steps]
        counted = [(name, value) for name, value in named if name in _COUNTED]
        counts = list(dict.fromkeys(value for value in [*(value for _, value in counted), *(value / 24 for name, value in counted if name == "hours")] if value not in (0.0, 1.0)))
        for result in estimate.results:
            self._add_quantity(Quantity(result.value, "" if result.quantity == "count" else result.unit, result.low, result.high), "total" if counts else "any", counts)
            if result.quantity == "count":
                self._add_things(result)
            self._add_words(result.label if estimate.tool not in _OTHERS_WORDS else "", result.boundary, result.as_of)
        heads = [result for result in estimate.results if result.quantity == estimate.results[0].quantity and result.quantity != "count"]
        self.headlines += [(parse_unit(head.unit).dimension, head.value * parse_unit(head.unit).factor) for head in (*heads[: HEADLINES - 1], *heads[HEADLINES - 1 :][-1:])]
        self.spreads += [head.high / head.low for head in heads[:1] if head.low and head.high]
        for entry in estimate.inputs:
            one = "_per_" in entry.name and parse_unit(entry.unit).dimension in (ENERGY, EMISSIONS, VOLUME)
            self._add_quantity(Quantity(entry.value, entry.unit, entry.low, entry.high), "rate" if one else "total" if self._is_total(entry.value, entry.unit) else "any")
        for step in estimate.steps:
            total = any(_close(step.value * parse_unit(step.unit).factor, other.value * parse_unit(other.unit).factor) for other in estimate.results if other.quantity != "count")
            self._add_quantity(Quantity(step.value, step.unit), "total" if total and counts else "any")
            self.numbers += [float(digits) for digits in _NUMBER.findall(step.expression)]
        for other in estimate.alternatives:
            ends = [end for end in (other.value, other.low, other.high) if end is not None]
            self._add_quantity(Quantity(ends[0], other.unit, other.low, other.high))
            self._add_words(other.label, other.boundary, other.as_of)
        if estimate.verdict:
            self._add_words(estimate.verdict.claimed, estimate.verdict.recomputed, estimate.verdict.slip)
            self.ratios += [estimate.verdict.factor] if estimate.verdict.factor else []
        self._add_words(*estimate.assumptions, *(warning.message for warning in estimate.warnings))
        self.numbers += list(_numbers_in(estimate.arguments))
        self._add_words(*(told for name in ("claim", "stated") if isinstance(told := estimate.arguments.get(name), str)))
        for hours in (value for name, value in estimate.arguments.items() if name.startswith("hourly_")):
            self._add_quantity(Quantity(float(len(hours)), "h"))
        for citation in estimate.citations:
            self._add_citation(citation)

    def _is_total(self, value: float, unit: str) -> bool:
        """Return whether an amount is the total of an earlier estimate, handed on."""
        measured = parse_unit(unit)
        return any(amount.side == "total" and _close(amount.value, value * measured.factor) for amount in self.amounts.get(measured.dimension, ()))

    def _add_things(self, result: Result) -> None:
        """Add a number of everyday things as the time or the way that they are: lamp hours, kilometres by car."""
        for word in result.unit.split():
            if word.rstrip("s") in ("hour", "day", "year", "mile", "kilometre", "km"):
                self._add_quantity(Quantity(result.value, word, result.low, result.high))

    def _add_citation(self, citation: Citation) -> None:
        """Add a citation, with the figures that the library holds of its fact or claim."""
        if citation.fact_id in self.citations:
            return
        self.citations[citation.fact_id] = citation
        source = citation.source
        self.words += [part for part in (source.title, source.authors, source.url, source.published, citation.locator, citation.statement) if part]
        self.years |= set(_YEAR.findall(" ".join((source.published or "", source.title, citation.locator or "", citation.printed or ""))))
        record = _record(citation.fact_id)
        self.words += record.words
        self.years |= set(_YEAR.findall(record.years))
        for quantity in record.quantities:
            self._add_quantity(quantity)
        self._add_figures(figure for figure in record.said if not _is_physical(figure))
        self.quoted[citation.fact_id] = [figure for figure in record.said if _is_physical(figure)]

    def _add_words(self, *texts: str | None) -> None:
        """Add the figures in words of ours: an assumption, a warning, the label of a published figure."""
        for text in texts:
            if text:
                self.words.append(text)
                self._add_figures(_figures_in(text))

    def _add_figures(self, figures: Iterable[Figure]) -> None:
        for figure in figures:
            if figure.kind == "percent":
                self.numbers += [figure.value, figure.value / 100]
            elif figure.kind == "year":
                self.years.add(f"{figure.value:.0f}")
            elif figure.kind == "times":
                self.ratios.append(figure.value)
            else:
                self._add_quantity(Quantity(figure.value, figure.unit))

    def _add_quantity(self, quantity: Quantity, side: Side = "any", counts: Sequence[float] = ()) -> None:
        """Add a quantity with its range, as it is and as texts show it; and what it makes of one thing."""
        unit = parse_unit(quantity.unit)
        values = [quantity.value, *(end for end in (quantity.low, quantity.high) if end is not None)]
        values += [_rounded(quantity.value, significant_digits(quantity)), *(_rounded(value, 2) for value in values[1:])]
        values = list(dict.fromkeys(values))
        if quantity.low != quantity.high:
            self.numbers += [0.8, 80.0]
        if unit.dimension == NUMBER:
            self.numbers += [value * unit.factor for value in values] + ([*values] if unit.factor != 1 else [])
            self.ratios += [values[0] * unit.factor] if quantity.unit in ("ratio", "times", "x", "倍", "%", "percent") else []
            return
        if side == "any" and _PER.search(quantity.unit) and len(unit.dimension) == 1:
            side = "rate"
        self._add_amounts(unit.dimension, [value * unit.factor for value in values], side)
        for count in counts:
            self._add_amounts(unit.dimension, [value * unit.factor / count for value in values], "one")
        if (shorter := without_period(quantity.unit)) is not None:
            whole = parse_unit(shorter)
            self._add_amounts(whole.dimension, [value * whole.factor for value in values], side, of_period=True)
        self.shown += values + [readable(Quantity(value, quantity.unit)).value for value in values]
        if unit.dimension == TIME:
            self.shown += [value * unit.factor / hours for value in values for hours in (1.0, 24.0, 8760.0)]

    def _add_amounts(self, dimension: Dimension, values: Iterable[float], side: Side, *, of_period: bool = False) -> None:
        self.amounts.setdefault(dimension, []).extend(Amount(value, side, of_period) for value in values)


LONGEST_TURN = 2000
"""Characters of a turn whose figures are known, the first ones: as many as the understanding of a question reads."""

MOST_TURNS = 20
MOST_FIGURES = 300
_DIGITS = re.compile(r"\d+")
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,15}(?:\.\d{1,15})?", re.ASCII)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_PER = re.compile(r"/|÷|\bper\b|每")


@dataclass(frozen=True, slots=True)
class _Record:
    """What the library holds of a fact or a claim: its quantities, the figures in its words, its years, and words that may be quoted."""

    quantities: tuple[Quantity, ...] = ()
    said: tuple[Figure, ...] = ()
    years: str = ""
    words: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def _record(fact_id: str) -> _Record:
    """Return what the library holds of a fact or a claim; nothing for an id that it does not know."""
    library, name = Library.load(), fact_id.partition("#")[0]
    if name in library.claims:
        return _of_claim(library, library.claim(name))
    try:
        fact = library.fact(name)
    except KilowhatError:
        return _Record()
    held = [end * parse_unit(fact.unit).factor for end in (fact.value, fact.low, fact.high) if end is not None]
    printed = [Quantity(figure.value, figure.unit) for figure in _figures_in(fact.printed or "") if figure.kind == "amount"]
    printed = [told for told in printed if not any(_close(told.value * parse_unit(told.unit).factor, end) for end in held)]
    said = _figures_in(" \n".join((fact.statement, fact.printed or "", fact.locator or "", fact.note or "")))
    return _Record((fact.quantity, *printed), said, f"{fact.as_of or ''} {fact.statement} {library.source(fact.source).published or ''}", _names_of(library, fact.source))


def _of_claim(library: Library, claim: Claim) -> _Record:
    """Return what is held of a claim: its figure, the right one, and those of the reason for its verdict, which is in our words."""
    ends = [Quantity(end, told.unit or "") for told in (claim, claim.recomputed, claim.right) if told for end in (told.value, told.low, told.high) if end is not None]
    said = _figures_in(" \n".join(part for part in (claim.statement, claim.printed, claim.why, claim.slip, claim.primary.figure if claim.primary else None) if part))
    amounts = [Quantity(figure.value, figure.unit or claim.unit or "") for figure in said if figure.kind in ("amount", "bare")]
    factor = [Quantity(claim.factor, "ratio")] if claim.factor else []
    words = (*_names_of(library, claim.source, claim.primary.source if claim.primary else None), *(part for part in (claim.attributed_to, claim.why) if part))
    return _Record((*ends, *amounts, *factor), said, claim.as_of or "", words)


def _is_physical(figure: Figure) -> bool:
    """Return whether a figure is an amount of energy, emissions, water and the like: of which the words of a source may hold any."""
    return figure.kind == "amount" and figure.dimension in PHYSICAL


def _names_of(library: Library, *sources: str | None) -> tuple[str, ...]:
    """Return the authors, producers and titles of sources."""
    records = [library.source(source_id) for source_id in sources if source_id]
    return tuple(part for source in records for part in (source.authors, source.producer, source.title) if part)


@lru_cache(maxsize=2048)
def _figures_in(text: str) -> tuple[Figure, ...]:
    return tuple(read_figures(text, language_of(text, "en")))


def _numbers_in(value: Any) -> Iterator[float]:
    """Yield the numbers of a JSON value, and how long its lists are."""
    if isinstance(value, (list, tuple)):
        yield float(len(value))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield float(value)
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ():
        yield from _numbers_in(inner)


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{max(1, digits) - 1}e}")


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-9 * max(abs(one), abs(other))


def agrees(shown: float, half: float, true: float, *, zeros: bool = False) -> bool:
    """Return whether a figure shows a number, rounded to its digits.

    >>> agrees(2.9, 0.05, 2.907), agrees(2.90, 0.005, 2.907), agrees(3000, 500, 2907, zeros=True), agrees(1000, 500, 1129, zeros=True)
    (True, False, True, False)

    Args:
        shown: The figure.
        half: Half a unit of its last digit.
        true: What it should stand for.
        zeros: Whether the figure is a whole number that ends in zeros.
    """
    limit = min(half * (1 + 1e-9), (LOOSEST_ZEROS if zeros else LOOSEST) * abs(true))
    return abs(shown - true) <= max(limit, 1e-6 * abs(true))


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with an answer: figures without an origin, and citations that no tool returned."""

    figures: tuple[str, ...] = ()
    citations: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.figures or self.citations)

    def told(self) -> str:
        """Return it as the message that goes back to the model."""
        parts = ["Your answer can't be given as it stands."]
        if self.figures:
            parts.append(f"No tool result, cited fact or question holds: {'; '.join(self.figures[:12])}.")
            parts.append("Take the figure from a tool's result, rounded to the digits you show and in its unit; have calculate or compare work out what is not there; or leave it out.")
        if self.citations:
            parts.append(f"No tool returned: {'; '.join(told if told[0] in '[(' else f'“{told}”' for told in self.citations[:12])}.")
            parts.append("Cite only ids that tools printed, each as [fact-id], without numbers, links or sources of your own.")
        return " ".join([*parts, "Write the whole answer again."])


def check(text: str, known: Known, language: str = "en") -> Finding:
    """Return what is wrong with an answer.

    Args:
        text: The answer, with citations as ``[fact-id]``.
        known: What it may take figures from.
        language: The language of the question, taken where the answer's own can't be told.
    """
    prose, cited, wrong = _without_citations(make_plain(text), known)
    if len(_DIGITS.findall(prose)) > MOST_FIGURES:
        return Finding((f"more than {MOST_FIGURES} numbers; show those that answer the question",))
    language = language_of(prose, language)
    known_here = _with_quotes(known, cited)
    missing: dict[int, list[Figure]] | None = None
    for decimal in decimals(language):
        found = _unmatched(read_figures(prose, language, decimal), known_here)
        lines = {line: [figure for figure in found if figure.line == line] for line in {figure.line for figure in found}}
        missing = lines if missing is None else {line: figures for line, figures in missing.items() if line in lines}
    return Finding(tuple(dict.fromkeys(f"'{figure.text}'" for line in sorted(missing or {}) for figure in (missing or {})[line])), tuple(dict.fromkeys(wrong)))


def _with_quotes(known: Known, cited: set[str]) -> Known:
    """Return what is known, with the amounts in the words of the facts that an answer cites."""
    told = [figure for fact_id in cited for figure in known.quoted.get(fact_id, ())]
    if not told:
        return known
    wider = Known(
        amounts={dimension: list(amounts) for dimension, amounts in known.amounts.items()},
        numbers=list(known.numbers),
        ratios=list(known.ratios),
        shown=list(known.shown),
        headlines=known.headlines,
        spreads=known.spreads,
        years=known.years,
    )
    for figure in told:
        wider._add_quantity(Quantity(figure.value, figure.unit))
    return wider


def _unmatched(figures: Sequence[Figure], known: Known) -> list[Figure]:
    """Return the figures that stand for nothing known; ratios last, since they may rest on the others of their line."""
    missing: list[Figure] = []
    matched: dict[int, list[tuple[Dimension, float]]] = {}
    for figure in figures:
        if figure.kind in ("percent", "times"):
            continue
        if not _is_known(figure, known):
            missing.append(figure)
        elif figure.kind == "amount" and not any(other is not figure and other.line == figure.line and other.text == figure.text for other in figures):
            matched.setdefault(figure.line, []).append((EMISSIONS if figure.dimension == MASS else figure.dimension, figure.value * parse_unit(figure.unit).factor))
    for figure in figures:
        if figure.kind in ("percent", "times") and not _is_ratio(figure, known, matched.get(figure.line, [])):
            missing.append(figure)
    return sorted(missing, key=lambda figure: figure.line)


def _is_known(figure: Figure, known: Known) -> bool:
    """Return whether a figure stands for an amount, a count or a year that is known."""
    if figure.words and figure.value == 1:
        return True
    if figure.kind == "year":
        return f"{figure.value:.0f}" in known.years or figure.value in known.numbers
    if figure.kind in ("bare", "count"):
        beside = () if figure.kind == "count" else (*known.shown, *known.ratios)
        return figure.value == 1 or any(_shows(figure, true) for true in (*known.numbers, *beside))
    return any(_is_amount(figure, unit, known, of_period=shorter) for unit, shorter in ((figure.unit, False), (without_period(figure.unit), True)) if unit is not None)


def _shows(figure: Figure, true: float, factor: float = 1.0) -> bool:
    return agrees(figure.value * factor, figure.half * factor, true, zeros=figure.zeros)


def _is_amount(figure: Figure, unit: str, known: Known, *, of_period: bool) -> bool:
    """Return whether an amount is known, in a unit that is its own or that without the period."""
    measured = parse_unit(unit)
    candidates = list(known.amounts.get(measured.dimension, ()))
    if ("mass", 1) in measured.dimension:
        candidates += known.amounts.get(tuple(sorted(("emissions", size) if base == "mass" else (base, size) for base, size in measured.dimension)), ())
    if measured.dimension == TIME and any(_close(figure.value * measured.factor, hours) for hours in _CALENDAR):
        return True
    totals = [amount.value for amount in candidates if amount.side == "total"]
    fitting = [amount for amount in candidates if _shows(figure, amount.value, measured.factor) and not (of_period and amount.of_period)]
    return any(of_period or figure.rate == "either" or _is_of(figure, amount, totals) for amount in fitting)


def _is_of(figure: Figure, amount: Amount, totals: Sequence[float]) -> bool:
    """Return whether a figure is said of what an amount is of: one thing, or all of them.

    A rate may stand without the word each, but not where it has the digits of a total: 2.9 Wh of one image for 2.9 kWh of a thousand.
    """
    if figure.rate:
        return amount.side != "total"
    if amount.side == "rate":
        return not any(0 < amount.value < total and _is_power_of_ten(total / amount.value) for total in totals)
    return amount.side != "one"


def _is_power_of_ten(ratio: float) -> bool:
    return abs(math.log10(ratio) - round(math.log10(ratio))) < 1e-6


def _is_ratio(figure: Figure, known: Known, beside: Sequence[tuple[Dimension, float]]) -> bool:
    """Return whether a percentage or a ratio is known, or is that of two headline results or of two amounts in its line."""
    percent = figure.kind == "percent"
    factor = 0.01 if percent else 1.0
    if percent and figure.value == 100:
        return True
    ratios = [ratio for ratio in known.ratios if ratio > 0]
    if any(_shows(figure, true, factor) for true in (*known.numbers, *ratios)):
        return True
    amounts = [*permutations(known.headlines, 2), *permutations(beside, 2), *product(known.headlines, beside), *product(beside, known.headlines)]
    pairs = [one / other for (kind, one), (same, other) in amounts if kind == same and one > 0 and other > 0]
    if not percent:
        return any(_shows(figure, true) for true in (*(1 / ratio for ratio in ratios), *known.spreads, *pairs))
    return any(_shows(figure, true, factor) for ratio in ratios for true in (abs(ratio - 1), abs(1 - 1 / ratio))) or any(
        _shows(figure, true, factor) for pair in pairs for true in (pair, abs(pair - 1))
    )


_BRACKETS = re.compile(r"[\[【]([^\[\]【】\n]{1,300})[\]】](?!\()")
_ID = re.compile(r"[a-z0-9]+(?:[.#_-]+[a-z0-9]+)+|\^?\d{1,3}|[A-Za-z.-]+[-_ ]?(?:19|20)\d\d[a-z]?")
_LINK = re.compile(r"\[([^\[\]\n]*)\]\((https?://[^\s)]+)[^)]*\)")
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\"'）)\]】，。]+|\b(?:arXiv:\s?|doi:\s?|10\.\d{4,9}/)[^\s<>\"'）)\]】，。]+", re.IGNORECASE)
_AUTHOR = re.compile(
    r"\b([A-ZÀ-Þ][\w'’-]+)\s?(?:et al\b\.?|and (?:others|colleagues|co-?workers)\b|und andere\b|等人?(?=[\s,，（(的在]))|\(([A-ZÀ-Þ][\w'’-]+)(?:[\s&]+(?:and |und |et )?[A-ZÀ-Þ][\w'’.-]+)*,?\s(?:19|20)\d\d[a-z]?\)|\b([A-ZÀ-Þ][\w'’-]+)(?:\s(?:and|&|und|et)\s[A-ZÀ-Þ][\w'’-]+)?\s\((?:19|20)\d\d[a-z]?\)"
)
_AUTHOR_HAN = re.compile(r"([\u4e00-\u9fff]{2,3})等人")
_TITLE = re.compile(r"《([^《》\n]{4,200})》|[“\"„]([^“”\"„\n]{20,200})[”\"“]")
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]{3,}")
_LOCATED = re.compile(
    r"\b(?:table|figure|fig\.|section|sec\.|appendix|chapter|page|p\.|pp\.|row|tabelle|abbildung|seite|tableau|tabla|cuadro|página)\s?[A-Z]?\d+(?:\.\d+)*[a-z]?|(?:(?<![\u4e00-\u9fff])|(?<=[见見如]))[表图圖]\s?\d+(?![\d.,])|第\s?\d+\s?[页頁章]",
    re.IGNORECASE,
)


def _parts(bracket: str) -> list[str]:
    """Return what stands in a pair of brackets, cut at commas."""
    return [part for part in re.split(r"\s*[,;，；、]\s*", bracket.strip()) if part]


def _without_citations(text: str, known: Known) -> tuple[str, set[str], list[str]]:
    """Return an answer without its citations, the ids that it cites, and the citations that no tool returned."""
    cited: set[str] = set()
    wrong: list[str] = []
    said = "\n".join(known.words)
    folded = said.casefold()

    def address(told: str) -> str:
        key = re.sub(r"^(?:https?://)?(?:www\.)?|^(?:arxiv|doi):\s?", "", told.rstrip(".,;:!?*_").casefold()).rstrip("/")
        if key not in folded:
            wrong.append(told)
        return " "

    def bracket(match: re.Match[str]) -> str:
        parts = _parts(match[1])
        if not parts or not all(part in known.citations or _ID.fullmatch(part) for part in parts):
            return match[0]
        for part in parts:
            if part in known.citations:
                cited.add(part)
            else:
                wrong.append(f"[{part}]")
        return " "

    text = _LINK.sub(lambda match: f"{match[1]} {address(match[2])}", text)
    text = _ADDRESS.sub(lambda match: address(match[0]), text)
    text = _BRACKETS.sub(bracket, text)
    for citation in known.citations.values():
        for part in (citation.source.title, citation.locator, citation.source.authors):
            if part and len(part) > 5 and part in text:
                text = text.replace(part, " ")
    wrong += [match[0] for match in _AUTHOR.finditer(text) if (match[1] or match[2] or match[3]).casefold() not in folded]
    wrong += [f"{match[1][-2:]}等人" for match in _AUTHOR_HAN.finditer(text) if match[1][-2:] not in folded]
    for match in _TITLE.finditer(text):
        title = set(_WORD.findall((match[1] or match[2]).casefold()))
        if title and not any(len(title & set(_WORD.findall(words.casefold()))) >= 0.6 * len(title) for words in known.words):
            wrong.append(match[0])
    wrong += [match[0] for match in _LOCATED.finditer(text) if match[0].casefold() not in folded]
    return _LOCATED.sub(" ", text), cited, wrong


def numbered(text: str, citations: Sequence[NumberedCitation]) -> tuple[str, list[NumberedCitation]]:
    """Return an answer whose [fact-id] are numbers in the order in which it names them, and the citations with these numbers."""
    named = [part for match in _BRACKETS.finditer(text) for part in _parts(match[1])]
    ranked = sorted(citations, key=lambda citation: named.index(citation.fact_id) if citation.fact_id in named else len(named) + citation.number)
    numbers = {citation.fact_id: number for number, citation in enumerate(ranked, 1)}

    def bracket(match: re.Match[str]) -> str:
        parts = _parts(match[1])
        return "".join(f"[{numbers[part]}]" for part in dict.fromkeys(parts)) if parts and all(part in numbers for part in parts) else match[0]

    return _BRACKETS.sub(bracket, text), [citation.model_copy(update={"number": numbers[citation.fact_id]}) for citation in ranked]


def shown_first(text: str, estimates: Sequence[Estimate], language: str) -> list[Result]:
    """Return the results of the estimate that an answer leads with, the one it shows first in front; of the last estimate where it shows none."""
    for figure in read_figures(text, language_of(text, language)):
        for estimate in reversed(estimates):
            for result in estimate.results:
                unit = parse_unit("" if result.quantity == "count" else result.unit)
                if unit.dimension == figure.dimension and figure.kind != "year" and _shows(figure, result.value * unit.factor, parse_unit(figure.unit).factor):
                    return [result, *(other for other in estimate.results if other is not result)]
    return list(estimates[-1].results) if estimates else []


_MEASURED = re.compile(r"(?:_kwh|_w|_per_request|_co2e|_b|_flop|_per_s|_share|_growth|_gain|_per_word)$|^(?:pue|utilisation)$|intensity|^wue_")
"""Arguments that are physical figures or shares; other numbers say how much of a thing is asked for, and a model may choose them."""

_UNITS = {"_wh_per_request": "Wh", "_ml_per_request": "mL", "_g_co2e_per_request": "g CO2e", "_g_co2e_per_kwh": "g CO2e/kWh", "_l_per_kwh": "L/kWh", "_kg_co2e": "kg CO2e", "_w": "W"}  # fmt: skip
_QUANTITIES = ("energy", "quantity", "start", "end", "stated", "embodied", "training", "operation")
_EXPRESSIONS = ("expression", "recompute")


def check_arguments(name: str, arguments: Mapping[str, Any], known: Known) -> list[str]:
    """Return the arguments of a call that a model chose by itself, though nobody told them: how many, how long, how large.

    Args:
        name: The tool.
        arguments: As the model passes them.
        known: The question, and the results of earlier rounds.

    Raises:
        Ungrounded: where an amount, a factor or a number of a calculation has no origin (``ungrounded_number``).
    """
    chosen: list[str] = []
    for field_name, value in arguments.items():
        if field_name in _EXPRESSIONS and isinstance(value, str):
            _check_expression(value, field_name, known)
        elif field_name in _QUANTITIES and isinstance(value, str):
            chosen += _check_quantity(value, field_name, known)
        elif field_name == "items" and isinstance(value, list):
            for item in value:
                if isinstance(item, Mapping) and isinstance(item.get("quantity"), str):
                    chosen += _check_quantity(item["quantity"], field_name, known)
        elif field_name == "claim" and isinstance(value, str):
            missing = [figure for figure in _unmatched(_figures_in(value[:LONGEST_TURN]), known) if figure.kind in ("amount", "percent")]
            if missing and value not in Library.load().claims:
                raise _ungrounded(missing[0].text, field_name)
        elif field_name not in ("year", "limit"):
            chosen += _check_number(field_name, value, known)
    return chosen if name != "look_up_references" else []


def _check_number(field_name: str, value: Any, known: Known) -> list[str]:
    """Return a number that a model chose by itself, as text; refuse one that is a physical figure."""
    if isinstance(value, list):
        return [told for part in value for told in _check_number(field_name, part, known)] if all(isinstance(part, (int, float)) for part in value) else []
    if not isinstance(value, (int, float)) or isinstance(value, bool) or value in _CONSTANTS & {0, 1, 7, 12, 24, 30, 31, 52, 168, 365, 720, 730, 8760}:
        return []
    unit = next((unit for ending, unit in _UNITS.items() if field_name.endswith(ending)), None)
    told = abs(float(value))
    scaled = [told, told * 1e9] if field_name.endswith("_b") else [told]
    if any(agrees(number, 0.0, true) for number in scaled for true in (*known.numbers, *known.ratios, *known.shown)):
        return []
    if unit and any(agrees(told * parse_unit(unit).factor, 0.0, amount.value) for amount in known.amounts.get(parse_unit(unit).dimension, ())):
        return []
    if _MEASURED.search(field_name):
        raise _ungrounded(f"{value:g}", field_name)
    return [f"{field_name} = {format_number(float(value), 9)}"]


def _check_quantity(text: str, field_name: str, known: Known) -> list[str]:
    """Return what a model chose by itself within a quantity; refuse one without an origin."""
    if text.startswith("fact:"):
        return []
    if is_ref(text):
        try:
            tool, arguments = parse_ref(text.partition("#")[0], CATALOG)
        except KilowhatError:
            return []
        return check_arguments(tool.name, arguments, known)
    try:
        _check_told(parse_quantity(text), text, field_name, known)
    except Ungrounded:
        raise
    except KilowhatError:
        return []
    return []


def _check_expression(text: str, field_name: str, known: Known) -> None:
    try:
        operands = read_expression(Library.load(), text).operands
    except KilowhatError:
        return
    for operand in operands:
        if operand.kind not in ("fact", "ref"):
            quantity = operand.told.quantity
            _check_told(quantity, f"{format_number(quantity.value, 9)} {quantity.unit}".strip(), field_name, known)


def _check_told(quantity: Quantity, text: str, field_name: str, known: Known) -> None:
    """Refuse a quantity of which no end is told in the question, a fact or an earlier result."""
    for value in [quantity.value] if quantity.low is None else [quantity.low, quantity.high or 0.0]:
        if quantity.unit in ("", "ratio") and value in _CONSTANTS:
            continue
        shown = f"{value:.15g}"
        digits = shown.partition("e")[0].replace(".", "").strip("0")
        dimension = parse_unit(quantity.unit).dimension
        half = 0.5 * value / max(1.0, float(digits or 1)) if dimension != NUMBER else 0.0
        kind: Literal["amount", "bare", "percent"] = "amount" if dimension != NUMBER else "percent" if quantity.unit in ("%", "percent") else "bare"
        figure = Figure(text, 0, 0, value, half, zeros=True, unit=quantity.unit, kind=kind)
        if not (_is_ratio(figure, known, ()) if kind == "percent" else _is_known(figure, known) or any(_is_amount(figure, quantity.unit, known, of_period=True) for _ in (1,) if kind == "amount")):
            raise _ungrounded(text, field_name)


def _ungrounded(text: str, field_name: str) -> Ungrounded:
    return Ungrounded(
        f"{text[:60]} comes neither from the question, nor from a fact, nor from an earlier result. Pass the ref of an estimate or fact:ID (look_up_references finds it), leave it out, or ask the person.",
        field=field_name,
    )
