"""What an answer may take figures from: the tools that were run, the facts that they cite, and the conversation.

It grows with each call. What a source says in words is material, not a figure: an amount in a statement is kept apart, for
answers that cite it. Labels that a model wrote, and facts that the library does not hold, are no origin.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from kilowhat.plugin.figures import PHYSICAL, Figure, decimals, language_of, make_plain, read_figures, without_period
from kilowhat.plugin.reply import ToolCall
from kilowhat.tools import KilowhatError, Library
from kilowhat.tools.core.estimate import Citation, Estimate, Result
from kilowhat.tools.core.reference import Claim
from kilowhat.tools.core.units import EMISSIONS, ENERGY, NUMBER, TIME, VOLUME, Dimension, Quantity, parse_unit, readable, shown_digits

HEADLINES = 4
"""Of each estimate, so many results of the headline's kind make ratios with others."""

LONGEST_TURN = 2000
"""Characters of a turn whose figures are known, the first ones: as many as the understanding of a question reads."""

MOST_TURNS = 20

Side = Literal["total", "one", "rate", "any"]
"""An amount is a total of many, that of one of them, a rate as a source or the question tells it (Wh per request), or any of these."""

_COUNTED = ("count", "requests", "users", "days", "hours", "years", "requests_per_day", "words_per_day")
"""Inputs and steps by which a total may be divided: so much for each."""

_OTHERS_WORDS = ("compare", "look_up_references")
"""Tools whose labels are words of a model or of a source."""

_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,15}(?:\.\d{1,15})?", re.ASCII)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_PER = re.compile(r"/|÷|\bper\b|每")


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
    addresses: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, turns: Sequence[tuple[str, str]], calls: Iterable[ToolCall] = ()) -> Known:
        """Return what a conversation and the calls so far make known."""
        known = cls()
        for _, text in turns[-MOST_TURNS:]:
            known.add_turn(text)
        for call in calls:
            if call.estimate is not None:
                known.add_estimate(call.estimate)
        return known

    def add_turn(self, text: str) -> None:
        """Add what a turn of the conversation tells: its figures, and every number in it, be it part of a name."""
        told = make_plain(text)[:LONGEST_TURN]
        self.words.append(told)
        self.addresses.append(told)
        for decimal in decimals(language := language_of(told, "en")):
            self._add_figures(read_figures(told, language, decimal, small_words=True))
        self.numbers += [float(digits.replace(",", "")) for digits in _NUMBER.findall(told)]

    def add_estimate(self, estimate: Estimate) -> None:
        """Add the figures of an estimate, and of the facts that it cites."""
        named = [(entry.name, entry.value) for entry in estimate.inputs] + [(step.name, step.value) for step in estimate.steps]
        counted = [(name, value) for name, value in named if name in _COUNTED]
        counts = list(dict.fromkeys(value for value in [*(value for _, value in counted), *(value / 24 for name, value in counted if name == "hours")] if value not in (0.0, 1.0)))
        for result in estimate.results:
            self.add_quantity(Quantity(result.value, "" if result.quantity == "count" else result.unit, result.low, result.high), "total" if counts else "any", counts)
            if result.quantity == "count":
                self._add_things(result)
            self._add_words(result.label if estimate.tool not in _OTHERS_WORDS else "", result.boundary, result.as_of)
        heads = [result for result in estimate.results if result.quantity == estimate.results[0].quantity and result.quantity != "count"]
        self.headlines += [(parse_unit(head.unit).dimension, head.value * parse_unit(head.unit).factor) for head in (*heads[: HEADLINES - 1], *heads[HEADLINES - 1 :][-1:])]
        self.spreads += [head.high / head.low for head in heads[:1] if head.low and head.high]
        for entry in estimate.inputs:
            one = "_per_" in entry.name and parse_unit(entry.unit).dimension in (ENERGY, EMISSIONS, VOLUME)
            self.add_quantity(Quantity(entry.value, entry.unit, entry.low, entry.high), "rate" if one else "total" if self._is_total(entry.value, entry.unit) else "any")
        for step in estimate.steps:
            total = any(close(step.value * parse_unit(step.unit).factor, other.value * parse_unit(other.unit).factor) for other in estimate.results if other.quantity != "count")
            self.add_quantity(Quantity(step.value, step.unit), "total" if total and counts else "any")
            self.numbers += [float(digits) for digits in _NUMBER.findall(step.expression)]
        for other in estimate.alternatives:
            ends = [end for end in (other.value, other.low, other.high) if end is not None]
            self.add_quantity(Quantity(ends[0], other.unit, other.low, other.high))
            self._add_words(other.label, other.boundary, other.as_of)
        if estimate.verdict:
            self._add_words(estimate.verdict.claimed, estimate.verdict.recomputed, estimate.verdict.slip)
            self.ratios += [estimate.verdict.factor] if estimate.verdict.factor else []
        self._add_words(*estimate.assumptions, *(warning.message for warning in estimate.warnings))
        self.numbers += list(_numbers_in(estimate.arguments))
        self._add_words(*(told for name in ("claim", "stated") if isinstance(told := estimate.arguments.get(name), str)))
        for hours in (value for name, value in estimate.arguments.items() if name.startswith("hourly_")):
            self.add_quantity(Quantity(float(len(hours)), "h"))
        for citation in estimate.citations:
            self._add_citation(citation)

    def _is_total(self, value: float, unit: str) -> bool:
        """Return whether an amount is the total of an earlier estimate, handed on."""
        measured = parse_unit(unit)
        return any(amount.side == "total" and close(amount.value, value * measured.factor) for amount in self.amounts.get(measured.dimension, ()))

    def _add_things(self, result: Result) -> None:
        """Add a number of everyday things as the time or the way that they are: lamp hours, kilometres by car."""
        for word in result.unit.split():
            if word.rstrip("s") in ("hour", "day", "year", "mile", "kilometre", "km"):
                self.add_quantity(Quantity(result.value, word, result.low, result.high))

    def _add_citation(self, citation: Citation) -> None:
        """Add a citation, with the figures that the library holds of its fact or claim."""
        if citation.fact_id in self.citations:
            return
        self.citations[citation.fact_id] = citation
        source = citation.source
        self.words += [part for part in (source.title, source.authors, source.published, citation.locator, citation.statement) if part]
        self.years |= set(_YEAR.findall(" ".join((source.published or "", source.title, citation.locator or "", citation.printed or ""))))
        record = _record(citation.fact_id)
        self.addresses += record.addresses
        self.words += record.words
        self.years |= set(_YEAR.findall(record.years))
        for quantity in record.quantities:
            self.add_quantity(quantity)
        self._add_figures(figure for figure in record.said if not _is_physical(figure))
        self.quoted[citation.fact_id] = [figure for figure in record.said if _is_physical(figure)]

    def _add_words(self, *texts: str | None) -> None:
        """Add the figures in words of ours: an assumption, a warning, the label of a published figure."""
        for text in texts:
            if text:
                self.words.append(text)
                self._add_figures(figures_in(text))

    def _add_figures(self, figures: Iterable[Figure]) -> None:
        for figure in figures:
            if figure.kind == "percent":
                self.numbers += [figure.value, figure.value / 100]
            elif figure.kind == "year":
                self.years.add(f"{figure.value:.0f}")
            elif figure.kind == "times":
                self.ratios.append(figure.value)
            else:
                self.add_quantity(Quantity(figure.value, figure.unit))

    def add_quantity(self, quantity: Quantity, side: Side = "any", counts: Sequence[float] = ()) -> None:
        """Add a quantity with its range, as it is and as texts show it; and what it makes of one thing."""
        unit = parse_unit(quantity.unit)
        values = [quantity.value, *(end for end in (quantity.low, quantity.high) if end is not None)]
        of_value, of_ends = shown_digits(quantity)
        values += [_rounded(quantity.value, of_value), *(_rounded(value, digits) for value in values[1:] for digits in {2, 3, of_ends})]
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
            self._add_amounts(whole.dimension, [value * whole.factor for value in values], "any", of_period=True)
        self.shown += values + [readable(Quantity(value, quantity.unit)).value for value in values]
        if unit.dimension == TIME:
            self.shown += [value * unit.factor / hours for value in values for hours in (1.0, 24.0, 8760.0)]

    def _add_amounts(self, dimension: Dimension, values: Iterable[float], side: Side, *, of_period: bool = False) -> None:
        self.amounts.setdefault(dimension, []).extend(Amount(value, side, of_period) for value in values)


@dataclass(frozen=True, slots=True)
class _Record:
    """What the library holds of a fact or a claim: its quantities, the figures in its words, its years, and words that may be quoted."""

    quantities: tuple[Quantity, ...] = ()
    said: tuple[Figure, ...] = ()
    years: str = ""
    words: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


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
    printed = [Quantity(figure.value, figure.unit) for figure in figures_in(fact.printed or "") if figure.kind == "amount"]
    printed = [told for told in printed if not any(close(told.value * parse_unit(told.unit).factor, end) for end in held)]
    said = figures_in(" \n".join((fact.statement, fact.printed or "", fact.locator or "", fact.note or "")))
    years = f"{fact.as_of or ''} {fact.statement} {library.source(fact.source).published or ''}"
    return _Record((fact.quantity, *printed), said, years, *_named(library, fact.source))


def _of_claim(library: Library, claim: Claim) -> _Record:
    """Return what is held of a claim: its figure, the right one, and those of the reason for its verdict, which is in our words."""
    ends = [Quantity(end, told.unit or "") for told in (claim, claim.recomputed, claim.right) if told for end in (told.value, told.low, told.high) if end is not None]
    said = figures_in(" \n".join(part for part in (claim.statement, claim.printed, claim.why, claim.slip, claim.primary.figure if claim.primary else None) if part))
    amounts = [Quantity(figure.value, figure.unit or claim.unit or "") for figure in said if figure.kind in ("amount", "bare")]
    factor = [Quantity(claim.factor, "ratio")] if claim.factor else []
    words, addresses = _named(library, claim.source, claim.primary.source if claim.primary else None)
    return _Record((*ends, *amounts, *factor), said, claim.as_of or "", (*words, *(part for part in (claim.attributed_to, claim.why) if part)), addresses)


def _is_physical(figure: Figure) -> bool:
    """Return whether a figure is an amount of energy, emissions, water and the like: of which the words of a source may hold any."""
    return figure.kind == "amount" and figure.dimension in PHYSICAL


def _named(library: Library, *sources: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the authors, producers and titles of sources, and their addresses."""
    records = [library.source(source_id) for source_id in sources if source_id]
    names = tuple(part for source in records for part in (source.authors, source.producer, source.title) if part)
    return names, tuple(source.url for source in records if source.url)


@lru_cache(maxsize=2048)
def figures_in(text: str) -> tuple[Figure, ...]:
    """Return the figures of a text of the library, in its own language."""
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


def close(one: float, other: float) -> bool:
    """Return whether two numbers are the same but for the arithmetic."""
    return abs(one - other) <= 1e-9 * max(abs(one), abs(other))
