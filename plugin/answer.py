"""From estimates to an answer in the asker's language: number first, range, the way to it, assumptions, footnotes.

The words are in ``phrases``, one file a language; how a language writes numbers and names is in ``wording``, what an answer
rests on in ``citing``. Nothing here knows a tool by name except through the phrases that describe a call, and the four that
have a form of their own: a claim, a comparison, a ranking of places and a list of sources.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, NamedTuple
from unicodedata import east_asian_width

from kilowhat.plugin.citing import (
    Rival,
    chained,
    digits_of_ends,
    equals,
    facts_behind,
    footnotes,
    is_published,
    middle,
    renumbered,
    rests_on_power,
    rivals,
    same,
    short_authors,
    source_of,
    told_digits,
    uncertain,
)
from kilowhat.plugin.describing import about, described, english_thing, fact_or_none, kind_of, known_name, length_of, names_compared, things_compared
from kilowhat.plugin.reply import NumberedCitation, Reply, ToolCall, number_citations
from kilowhat.plugin.understanding.plan import Plan
from kilowhat.plugin.wording import Wording, plain_text, wording
from kilowhat.tools import Library
from kilowhat.tools.core.boundaries import BOUNDARIES
from kilowhat.tools.core.estimate import Estimate, Result, Verdict, Warning, as_quantity, cite, head_of
from kilowhat.tools.core.place import find_place
from kilowhat.tools.core.units import MASS, NUMBER, Quantity, parse_unit, shown_digits

__all__ = ["compose", "footnotes", "label_of", "value_of"]

MOST_LINES, COLUMNS = 24, 44
"""A screen of a phone: so many lines of so many columns has an answer without its footnotes. What can best be missed goes first."""

LONGEST_BODY = 1200
KEPT_ASSUMPTIONS = 3
"""So many assumptions, the first ones, stand in an answer that would be too long with all; the reply holds them all."""

SHOWN_ALTERNATIVES = 2
SHOWN_RESULTS = 4
SHOWN_REFERENCES = 4
MOST_OF_BRIEF = 3
MOST_NOTES = 4
"""Footnotes of a number whose facts no step tells apart."""

LONGEST_MESSAGE = 300
_STOPS = {"missing_input", "unknown_name"}
_NAME = re.compile(r"[a-z_]\w*")
_TWO_STOPS = re.compile(r"(?<!\.)\.\.(?!\.)")
_STATED = ("as stated", "as claimed")
_FACTORS = ("as stated over recomputed", "recomputed over as stated", "as stated over published", "published over as stated", "times too much", "times too little")
TOLD_AGAIN = ("energy converted", "electricity of the job")
"""Results that only repeat what the question told."""

NEEDED = {"bases_differ", "order_not_sure"}
"""The codes of warnings without which an answer misleads."""

MISJUDGED = 1.05
"""The factor from which a claim is said to be too large or too small."""


@dataclass
class Lines:
    """The lines of an answer, each with how easily it can be missed: 0 never."""

    words: Wording
    told: list[tuple[int, str]] = field(default_factory=list)
    shorter: dict[str, str] = field(default_factory=dict)

    def add(self, line: str, spare: int = 0, *, shorter: str = "") -> None:
        """Add a line, where there is one, and what stands in its place where there is no room for all of it."""
        if line := self._set(line):
            self.told.append((spare, line))
            self.shorter |= {line: self._set(shorter)} if shorter else {}

    def _set(self, line: str) -> str:
        return self.words.spaced(_TWO_STOPS.sub(".", line.replace(" .", ".").strip()))

    def text(self) -> str:
        """Return the lines, without those that can best be missed where they are too many for a phone."""
        kept = list(self.told)
        while _is_long(kept) and any(spare > ALMOST_NEEDED for spare, _ in kept):
            most = max(spare for spare, _ in kept)
            kept.remove(next(entry for entry in reversed(kept) if entry[0] == most))
        if _is_long(kept):
            kept = [(spare, self.shorter.get(line, line)) for spare, line in kept]
        while _is_long(kept) and any(spare for spare, _ in kept):
            most = max(spare for spare, _ in kept)
            kept.remove(next(entry for entry in reversed(kept) if entry[0] == most))
        return "\n".join(line for _, line in kept)


ALMOST_NEEDED = 3
"""Lines that are not so easily missed go only where shorter assumptions do not make room: the derivation, and the first further results."""


def _is_long(lines: Sequence[tuple[int, str]]) -> bool:
    """Return whether lines are more than a phone shows at once."""
    text = "\n".join(line for _, line in lines)
    return len(text) > LONGEST_BODY or phone_lines(text) > MOST_LINES


def phone_lines(text: str) -> int:
    """Return how many lines a text takes on a phone; a Chinese or Japanese sign takes two columns."""
    plain = _NOT_SHOWN.sub("", text)
    widths = [sum(2 if sign > "\u2e7f" and east_asian_width(sign) in "WF" else 1 for sign in line) for line in plain.splitlines()]
    return sum(max(1, -(-width // COLUMNS)) for width in widths)


_NOT_SHOWN = re.compile(r"\*\*|^\| ---.*\n", re.MULTILINE)


@dataclass(frozen=True)
class Answering:
    """What an answer is made of."""

    plan: Plan
    words: Wording
    estimates: list[Estimate]
    total: Estimate | None
    aside: Estimate | None
    results: list[Result]
    numbers: dict[str, int]

    def asked(self, result: Result) -> bool:
        """Return whether a result is in the unit that was asked for."""
        return self.plan.unit is not None and result.unit in (self.plan.unit, f"{self.plan.unit} CO2e")

    def home(self, result: Result) -> Estimate:
        """Return the estimate that a result is of: of several that find such a thing, the one that finds as much."""
        alike = [(estimate, other) for estimate in self.estimates for other in estimate.results if same(result, other)]
        return next((estimate for estimate, other in alike if equals(result, other.value, as_quantity(other).unit)), alike[0][0] if alike else self.estimates[-1])

    def marks(self, result: Result, *, without: Iterable[int] = ()) -> list[int]:
        """Return the footnotes of a result; of its whole estimate, at most four, where no step tells its facts apart."""
        home = self.home(result)
        found = sorted(self.numbers[fact_id] for fact_id in facts_behind(home, result) if fact_id in self.numbers)
        found += [number for fact_id in facts_behind(home, result) for number in self._primary(fact_id) if number not in found and not result.label.startswith(_STATED)]
        if chained(home) and not found:
            behind = [self.numbers[citation.fact_id] for citation in home.citations if citation.fact_id in self.numbers]
            found = sorted({*found, *[number for number in behind if number not in found][: max(0, MOST_NOTES - len(found))]})
        return [number for number in found if number not in set(without)][: self._room()] or found[:1]

    def _room(self) -> int | None:
        """Return how many footnotes the headline of a brief answer has, beside that of an everyday thing and of a figure that differs; None where all have room."""
        if not self.plan.brief:
            return None
        return MOST_OF_BRIEF - (self.aside is not None) - bool(_rivals(self))

    def _primary(self, fact_id: str) -> list[int]:
        """Return the first footnote of the primary source of a claim, beside that of the article that makes it."""
        claim = Library.load().claim(fact_id) if fact_id.startswith("claim-") else None
        primary = claim.primary.source if claim and claim.primary else None
        return [number for cited, number in self.numbers.items() if primary and (source := source_of(cited)) and source.id == primary][:1]

    def ends(self, result: Result, *, bare: bool = False) -> tuple[str, str] | None:
        """Return the ends of the range of a result, as published where they are, or None where it has none."""
        return self.words.ends(as_quantity(result), asked=self.asked(result), bare=bare, least=digits_of_ends(self.home(result), result))

    def notes(self, result: Result, *, without: Iterable[int] = ()) -> str:
        """Return the footnotes of a result as text."""
        return "".join(f"[{number}]" for number in self.marks(result, without=without))


def compose(plan: Plan, calls: list[ToolCall]) -> Reply:
    """Return the reply for a plan whose calls have been run."""
    words = wording(plan.language)
    if plan.outcome != "answered":
        slots: dict[str, Any] = {name: plain_text(text) for name, text in plan.slots.items()}
        return Reply(outcome=plan.outcome, language=words.language, text=words.say("reasons", plan.reason or "off_subject", **slots), tool_calls=calls)
    refused = [call for call in calls if call.error is not None]
    if refused:
        telling = next((call for call in refused if call.error and call.error.get("code") == "not_published"), refused[0])
        return _refusal(telling, calls, words)
    estimates = [call.estimate for call in calls[: len(plan.calls)] if call.estimate is not None]
    total, aside = (next((call.estimate for planned, call in zip(plan.all_calls, calls, strict=False) if planned is wanted), None) for wanted in (plan.total, plan.aside))
    citations = _with_left_out(number_citations(calls), [*estimates, *([total] if total else [])])
    answering = Answering(
        plan=plan,
        words=words,
        estimates=estimates,
        total=total,
        aside=aside,
        results=_ordered(estimates, plan),
        numbers={citation.fact_id: citation.number for citation in citations},
    )
    body, citations = renumbered(_body(answering), citations)
    shown = [citation for citation in citations if f"[{citation.number}]" in body]
    return Reply(
        outcome="answered",
        language=words.language,
        text=f"{body}\n\n{footnotes(shown or citations, words.language, statements=plan.quantity == 'source')}".strip(),
        verdict=min((estimate.verdict.verdict for estimate in estimates if estimate.verdict), key=_GRAVEST.index, default=None),
        results=[*_told(answering), *(result for beside in (total, aside) if beside for result in beside.results)],
        tool_calls=calls,
        citations=citations,
        assumptions=list(dict.fromkeys(sentence for estimate in estimates for sentence in estimate.assumptions)),
        warnings=[warning for estimate in estimates for warning in estimate.warnings],
    )


def _with_left_out(citations: list[NumberedCitation], estimates: Sequence[Estimate]) -> list[NumberedCitation]:
    """Return the citations with those that an estimate of several others had no room for."""
    known = {citation.fact_id for citation in citations}
    behind = [fact_id for estimate in estimates if chained(estimate) for result in estimate.results for fact_id in facts_behind(estimate, result)]
    facts = [fact for fact_id in dict.fromkeys(behind) if fact_id not in known and (fact := fact_or_none(fact_id)) is not None]
    return [*citations, *(NumberedCitation(number=number, **dict(citation)) for number, citation in enumerate(cite(Library.load(), facts), len(citations) + 1))]


def _told(answering: Answering) -> list[Result]:
    """Return the results of a reply: of one that says more of an answer, the headline alone, or the energy that has a price."""
    if answering.plan.focus is None:
        return answering.results
    wanted = [result for result in answering.results if answering.plan.focus != "money" or result.quantity == "energy"]
    return wanted[:1]


# Refusals


def _refusal(call: ToolCall, calls: list[ToolCall], words: Wording) -> Reply:
    """Return the reply where a tool refused: what was wrong or is missing, the nearest known names, and figures that come near."""
    error = call.error or {}
    code, message = str(error.get("code", "")), str(error.get("message", ""))
    nearest = [str(name) for name in error.get("nearest") or ()]
    near = [fact for name in nearest if (fact := fact_or_none(name)) is not None and is_published(fact.id)][:SHOWN_ALTERNATIVES]
    field_name = words.get("fields", str(error.get("field")), own=True) or words.say("fields", "other")
    told = words.told(message, **({} if words.language == "en" else {"field": field_name}))
    if told is not None and _IDENTIFIER.search(told):
        told = " ".join(sentence for sentence in _SENTENCE.split(told) if not _IDENTIFIER.search(sentence)) or None
    if told is None or (words.language != "en" and told == message.rstrip(".")):
        phrase = words.get("errors", code, own=True)
        told = plain_text(message.rstrip("."), LONGEST_MESSAGE) if phrase is None else phrase.format(field=field_name)
    elif told == message.rstrip("."):
        told = plain_text(told, LONGEST_MESSAGE)
    text = words.say("refused", message=told.rstrip(".。"))
    names = [known_name(name, words) for name in nearest if fact_or_none(name) is None]
    if names and not all(name in told for name in names):
        text += words.say("nearest", nearest=words.listed(names))
    citations = [NumberedCitation(number=number, **dict(citation)) for number, citation in enumerate(cite(Library.load(), near), 1)]
    if near:
        lines = [words.say("reference.short", thing=described(fact, words), source=_who(fact.id), notes=f"[{number}]", **_figure(fact.quantity, words)) for number, fact in enumerate(near, 1)]
        text = "\n".join([text, words.say("near_figures"), *lines, "", footnotes(citations, words.language)])
    return Reply(outcome="needs_input" if code in _STOPS else "declined", language=words.language, text=text, tool_calls=calls, citations=citations)


_IDENTIFIER = re.compile(r"[a-z]+_[a-z_]+")
"""A name of a tool or an argument, which says nothing to a person: a sentence with one is for a model alone."""
_SENTENCE = re.compile(r"(?<=[.;!?]) (?=[A-Z])")


# The order and the units of the results


def _ordered(estimates: Sequence[Estimate], plan: Plan) -> list[Result]:
    """Return all results, those of the quantity asked first, in the unit asked where it measures the same."""
    ordered = estimates if plan.parallel else list(reversed(estimates))
    results = [result for estimate in ordered for result in estimate.results]
    results.sort(key=lambda result: (plan.quantity is not None and result.quantity != plan.quantity, _unpictured(result) if plan.quantity in (None, "count") else 0.0))
    return [_in_unit(result, plan.unit) for result in results]


PICTURED = 0.5
"""From this on a number of everyday things says something."""


def _unpictured(result: Result) -> float:
    """Return by how many orders of magnitude a number of everyday things is too small to be pictured; of anything else 0."""
    if result.quantity != "count" or kind_of(result) is None or result.value <= 0:
        return 0.0
    return max(0.0, math.log10(PICTURED / result.value))


def _in_unit(result: Result, unit: str | None) -> Result:
    if unit is None or result.quantity == "count":
        return result
    asked = parse_unit(unit).dimension
    if asked == MASS and result.quantity == "emissions":
        unit = f"{unit} CO2e"
    elif as_quantity(result).dimension != asked:
        return result
    moved = as_quantity(result).to(unit)
    return result.model_copy(update={"value": moved.value, "low": moved.low, "high": moved.high, "unit": unit})


# The body


def _body(answering: Answering) -> str:
    """Return the answer without its footnotes, in the form that its kind has."""
    plan, words, estimates = answering.plan, answering.words, answering.estimates
    lines = Lines(words)
    if plan.focus is not None and answering.results:
        return _on_answer(lines, answering)
    if plan.quantity == "source":
        return _references(answering)
    if plan.unjudged:
        lines.add(words.say("unjudged"))
    if plan.unpublished:
        lines.add(words.say("unpublished", list=words.listed(plan.unpublished)))
    if (
        plan.quantity in ("energy", "emissions", "water")
        and answering.results
        and estimates[-1].tool != "choose_place_and_time"
        and not any(result.quantity == plan.quantity for result in answering.results)
    ):
        lines.add(words.say("not_found", quantity=words.say("names", plan.quantity)))
    if any(estimate.verdict for estimate in estimates):
        _claims(lines, answering)
    elif not answering.results:
        lines.add(words.told(head_of(estimates[0].text.splitlines()[0])) or "")
    elif estimates[0].tool == "compare":
        _comparison(lines, answering)
    elif plan.parallel:
        _side_by_side(lines, answering)
    else:
        _plain(lines, answering)
    _around(lines, answering, derived=not plan.parallel)
    return lines.text()


def _plain(lines: Lines, answering: Answering) -> None:
    """Add the headline, an everyday thing as much as it, and the other results; several of one kind as a table."""
    words, results = answering.words, answering.results
    head = results[0]
    lines.add(_headline(head, answering))
    marks = answering.marks(head)
    _familiar(lines, answering)
    others = [result for result in results[1:] if (not answering.plan.brief or result.quantity == answering.plan.quantity) and result.label not in TOLD_AGAIN and head.quantity != "carbon-intensity"]
    alike = [result for result in results if result.quantity == head.quantity and result.quantity == "emissions"]
    if answering.estimates[-1].tool == "choose_place_and_time" and len(alike) > 1 and answering.estimates[-1].arguments.get("regions"):
        lines.add(_table([Row(label_of(result, words), result, answering.estimates[-1]) for result in alike], answering))
        others = [result for result in others if result not in alike]
    market = any(result.label.startswith("market-based") for result in results)
    for position, result in enumerate(others[: SHOWN_RESULTS - 1]):
        by_grid = market and result.label.startswith("location-based")
        lines.add(
            words.say(
                "other",
                label=words.say("names", "emissions.location") if by_grid else label_of(result, words),
                value=_value(result, answering),
                range=_range(result, answering, brief=True),
                notes=answering.notes(result, without=marks),
            ),
            2 + position,
        )


def _familiar(lines: Lines, answering: Answering) -> None:
    """Add an everyday thing as much as the answer, where there is one."""
    if (aside := answering.aside) is not None and aside.results:
        thing = aside.results[0]
        each = [number for fact_id in facts_behind(aside, thing)[-1:] if (number := answering.numbers.get(fact_id))]
        lines.add(answering.words.say("familiar", value=_value(thing, answering), notes=f"[{each[0]}]" if each else ""))


def _headline(head: Result, answering: Answering) -> str:
    """Return the line that says the number, what it is for, and its range."""
    words = answering.words
    thing = about(answering.estimates[0], words)
    if head.quantity == "carbon-intensity" and (region := answering.estimates[0].arguments.get("region")):
        thing = words.place(str(region))
    labelled = not thing or head.quantity not in ("energy", "emissions", "water", "count") or head.label.startswith("market-based")
    if labelled:
        label = label_of(head, words)
        thing = words.say("labelled", label=label, about=thing) if thing and label else thing or label
    slots: dict[str, Any] = {"value": _value(head, answering), "what": words.say("what", head.quantity), "about": thing, "range": _range(head, answering), "notes": answering.notes(head)}
    return words.say("headline.bare" if not thing else "headline.plain" if labelled else "headline", **slots)


def _comparison(lines: Lines, answering: Answering) -> None:
    """Add which is more and by how much, how sure that is, and the amounts as a table."""
    words, estimate = answering.words, answering.estimates[0]
    ratio = next(result for result in estimate.results if result.quantity == "ratio")
    labels = [str(item["label"]) for item in estimate.arguments["items"]]
    most, _, least = ratio.label.partition(" over ")
    named = names_compared(estimate, words)
    shown = [result for result in estimate.results if result.label in labels and result.quantity not in ("ratio", "probability")]
    kind = words.say("as_much", shown[0].quantity if shown else "other") or words.say("as_much", "other")
    slots: dict[str, Any] = {"most": named.get(most, ""), "least": named.get(least, ""), "kind": kind, "range": _range(ratio, answering)}
    slots["notes"] = "" if len(shown) > 1 else answering.notes(ratio)
    lines.add(words.say("compared" if least else "compared_equal", value=words.number(ratio.value, _digits(ratio)), **slots))
    if len(shown) > 1:
        lines.add(_table([Row(named[result.label], result, estimate) for result in sorted(shown, key=lambda result: -result.value)], answering))
    sure = next((result.value for result in estimate.results if result.quantity == "probability"), None)
    if sure is not None and least and (ratio.low, ratio.high) != (ratio.value, ratio.value):
        level = "certain" if sure >= 0.99 else "likely" if sure >= 0.8 else "unsure"
        lines.add(words.say("sure", level, most=slots["most"], percent=words.number(min(sure, 0.999) * 100, 3 if sure >= 0.99 else 2)))


class Row(NamedTuple):
    """One thing of several: what it is called, how much it takes, and the estimate that says so."""

    label: str
    result: Result
    estimate: Estimate


def _side_by_side(lines: Lines, answering: Answering) -> None:
    """Add one row for each thing that was asked about, and their total where the plan has one, with an everyday thing as much as it."""
    rows = _rows(answering)
    if answering.total is not None:
        rows.append(Row(answering.words.say("total"), _ordered([answering.total], answering.plan)[0], answering.total))
    lines.add(_table(rows, answering))
    if answering.total is not None:
        _familiar(lines, answering)


def _rows(answering: Answering) -> list[Row]:
    """Return one row for each thing that was asked about."""
    heads = [(estimate, _ordered([estimate], answering.plan)[0]) for estimate in answering.estimates]
    return [Row(about(estimate, answering.words) or label_of(head, answering.words), head, estimate) for estimate, head in heads]


def _table(rows: Sequence[Row], answering: Answering) -> str:
    """Return amounts as a table: what, how much with its footnotes, and the range where one has one."""
    words = answering.words
    ranges = [answering.ends(row.result, bare=True) for row in rows]
    ranged = any(ranges)
    quantity = rows[0].result.quantity
    alike = all(row.result.quantity == quantity for row in rows)
    head = ["", words.say("names", quantity) if alike else "", *([words.say("table_range")] if ranged else [])]
    behind = [[fact_id for fact_id in facts_behind(row.estimate, row.result) if fact_id in answering.numbers] for row in rows]
    body = []
    for row, ends, facts in zip(rows, ranges, behind, strict=True):
        within = [words.say("range.cell", low=ends[0], high=ends[1]) if ends else "–"] if ranged else []
        own = "".join(f"[{number}]" for number in _notes_of_row(facts, behind, answering.numbers))
        body.append([row.label, f"**{_value(row.result, answering)}** {own}".strip(), *within])
    ruler = ["---", "---:", *(["---"] if ranged else [])]
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |") for cells in (head, ruler, *body))


def _notes_of_row(facts: Sequence[str], behind: Sequence[Sequence[str]], numbers: Mapping[str, int]) -> list[int]:
    """Return the footnotes of a row of a table, as many as a cell has room for: of what it rests on alone before what other rows share."""
    own_first = sorted(facts, key=lambda fact_id: (sum(fact_id in others for others in behind), numbers[fact_id]))
    return sorted(numbers[fact_id] for fact_id in own_first[:MOST_NOTES])


_GRAVEST = ("false", "misleading", "outdated", "unsupported", "mostly true", "true")
"""The verdicts in the order in which that on a part of a claim is that on all of it."""


def _claims(lines: Lines, answering: Answering) -> None:
    """Add the verdict on a claim, or that on each of its parts."""
    judged = [(estimate, estimate.verdict) for estimate in answering.estimates if estimate.verdict]
    for estimate, verdict in judged:
        _claim(lines, replace(answering, estimates=[estimate], results=estimate.results) if len(judged) > 1 else answering, verdict)


def _claim(lines: Lines, answering: Answering, verdict: Verdict) -> None:
    """Add the verdict with the factor, what was claimed, the right figure, and the slip that would explain it."""
    words = answering.words
    results = answering.results
    stated = next((result for result in results if result.label.startswith(_STATED) and result.label not in _FACTORS), None)
    right = [result for result in results if result is not stated and result.label not in _FACTORS]
    said = words.say("verdicts", verdict.verdict) or verdict.verdict
    factor = verdict.factor if verdict.verdict not in ("true", "mostly true") else None
    if factor is not None and factor >= MISJUDGED and stated is not None and right and _measured_alike(stated, right[0]):
        large = as_quantity(stated).value >= as_quantity(right[0]).to(stated.unit if stated.quantity != "count" else "").value
        lines.add(words.say("verdict", "too_large" if large else "too_small", verdict=said, factor=words.number(factor, 3, words=True)))
    else:
        lines.add(words.say("verdict", "plain", verdict=said))
    if stated is not None:
        value, within = _told_as(stated, answering).values()
        sign = verdict.claimed[:1] if verdict.claimed and verdict.claimed[0] in "<>≠" else ""
        bound = words.say("bound", f"{'1' if stated.unit == 'times' and stated.value == 1 else ''}{sign}", value=value)
        lines.add(words.say("claimed", value=bound or value, range=within))
    elif verdict.claimed and words.language == "en" and verdict.claimed.isascii():
        lines.add(words.say("claimed", value=plain_text(verdict.claimed, 120), range=""))
    said_of: list[str] = []
    for result in right[:2]:
        label, source = _stands_for(result, answering)
        said_of.append(label if label not in said_of else label_of(result, words))
        slots: dict[str, Any] = {"label": said_of[-1], "notes": answering.notes(result), **_told_as(result, answering)}
        lines.add(words.say("right.by" if source else "right", source=source, **slots))
    if verdict.slip and (slip := words.told(verdict.slip)):
        lines.add(words.say("slip", slip=slip))
    if why := _why(answering):
        lines.add(why, 3)


def _told_as(result: Result, answering: Answering) -> dict[str, str]:
    """Return the value and the range of a figure; of one that is told by its ends alone, these as its value."""
    alone = result.low and result.high and math.isclose(result.value, math.sqrt(result.low * result.high), rel_tol=1e-6)
    ends = answering.words.ends(as_quantity(result), bare=True) if alone and result.interval in ("as claimed", "published range") else None
    if ends is None:
        return {"value": _value(result, answering), "range": _range(result, answering, brief=True)}
    return {"value": f"{ends[0]}–{_value(result.model_copy(update={'value': result.high, 'low': None, 'high': None}), answering)}", "range": ""}


def _stands_for(result: Result, answering: Answering) -> tuple[str, str]:
    """Return what a right figure is of, and where no English statement says it, who published it and when."""
    words = answering.words
    behind = next(iter(facts_behind(answering.home(result), result)), None)
    fact = fact_or_none(behind) if behind else None
    label = words.told(result.label) or (described(fact, words) if fact else None) or words.say("says", "recomputed")
    if words.language == "en" or behind is None or result.quantity == "ratio":
        return label, ""
    as_of = fact.as_of if fact else Library.load().claim(behind).as_of if behind.startswith("claim-") else None
    return label[:1].upper() + label[1:], _who(behind if fact else f"{behind}#primary", as_of, words)


def _measured_alike(one: Result, other: Result) -> bool:
    """Return whether two figures can be set against each other: the same dimension, and the same thing where they count."""
    dimension = as_quantity(one).dimension
    return dimension == as_quantity(other).dimension and (dimension != NUMBER or one.unit == other.unit) and other.value > 0


def _why(answering: Answering) -> str:
    """Return why the library judges a claim as it does, cut to its first sentences; nothing in a language that has no words for it."""
    words = answering.words
    for citation in answering.estimates[0].citations:
        if citation.fact_id.startswith("claim-") and "#" not in citation.fact_id:
            why = Library.load().claim(citation.fact_id).why if words.language == "en" else words.get("whys", citation.fact_id, own=True) or ""
            return why if len(why) <= LONGEST_MESSAGE else why[:LONGEST_MESSAGE].rpartition(". ")[0] + "."
    return ""


def _references(answering: Answering) -> str:
    """Return facts and claims as a list, each with its figure and footnote."""
    words, estimate = answering.words, answering.estimates[0]
    lines = Lines(words)
    pairs = list(zip(estimate.results, estimate.citations, strict=False))[:SHOWN_REFERENCES]
    if answering.plan.unjudged:
        lines.add(words.say("unjudged"))
    if pairs and answering.plan.unjudged:
        lines.add(words.say("near_figures"))
    elif pairs:
        lines.add(words.say("references", number=words.say("reference_count", plural_of=len(pairs), number=words.number(len(pairs)))))
    for position, (found, citation) in enumerate(pairs):
        result = _in_unit(found, answering.plan.unit)
        quantity = as_quantity(result)
        told = told_digits(quantity.low, quantity.high)
        slots: dict[str, Any] = {
            "value": value_of(result, words, asked=answering.asked(result), ends=told),
            "range": _within(quantity, words, told),
            "notes": f"[{answering.numbers[citation.fact_id]}]",
        }
        checked = Library.load().fact(citation.fact_id).checked
        fact = Library.load().fact(citation.fact_id)
        statement = head_of(citation.statement) if words.language == "en" else described(fact, words)
        lines.add(
            words.say("reference", **slots, statement=statement, source=_who(citation.fact_id), checked=words.say("checked_on", on=checked.on) if checked else ""), 2 + position if position else 0
        )
    for position, warning in enumerate(warning for warning in estimate.warnings if warning.code == "press_claim"):
        claim_id = warning.message.partition(" ")[0]
        claim = Library.load().claim(claim_id)
        said = words.say("verdicts", claim.verdict) or claim.verdict
        if words.language == "en" or not pairs:
            number = answering.numbers.get(claim_id)
            lines.add(words.say("press_claim", verdict=said.lower(), statement=claim.statement if words.language == "en" else _who(claim_id), notes=f"[{number}]" if number else ""), 6 + position)
    return lines.text()


# What is asked of an answer that was given


def _on_answer(lines: Lines, answering: Answering) -> str:
    """Return the part of an answer that a remark asks for: the way to it, how sure it is, everyday things as much as it, or its price."""
    words, focus = answering.words, answering.plan.focus
    if focus == "money":
        energy = next((result for result in answering.results if result.quantity == "energy"), None)
        if energy is None:
            return words.say("reasons", "money")
        lines.add(_headline(energy, answering))
        lines.add(words.say("focus", "money"))
        return lines.text()
    _opening(lines, answering)
    if focus == "much":
        _much(lines, answering)
    elif focus == "sure":
        _sure(lines, answering)
    else:
        _around(lines, answering, derived=True)
    return lines.text()


def _opening(lines: Lines, answering: Answering) -> None:
    """Add what was found: the verdict with its figures, which is more, or the number."""
    estimates = answering.estimates
    if any(estimate.verdict for estimate in estimates):
        _claims(lines, answering)
    elif estimates[0].tool == "compare":
        _comparison(lines, answering)
    elif answering.plan.parallel:
        _side_by_side(lines, answering)
    else:
        lines.add(_headline(answering.results[0], answering))


def _much(lines: Lines, answering: Answering) -> None:
    """Add everyday things as much as the headline."""
    words, aside = answering.words, answering.aside
    if aside is None:
        lines.add(words.say("focus", "much.none"))
        return
    lines.add(words.say("focus", "much"))
    for thing in aside.results:
        each = [number for fact_id in facts_behind(aside, thing)[-1:] if (number := answering.numbers.get(fact_id))]
        lines.add(words.say("focus", "much.item", value=_value(thing, answering), notes=f"[{each[0]}]" if each else ""))


def _sure(lines: Lines, answering: Answering) -> None:
    """Add what the range of the headline means, what it holds and what not, and the figures that differ."""
    words, head = answering.words, answering.results[0]
    ends = answering.ends(head)
    held, without = uncertain(answering.home(head), head)
    partly = held == ["grid"] and without
    if answering.estimates[0].tool == "compare":
        held = []
    elif ends is None:
        lines.add(words.say("focus", "sure.none" if (head.interval or "").startswith("as published") or without else "sure.exact"))
    elif not partly:
        lines.add(words.say("focus", "sure.published" if head.interval == "published range" else "sure.80%", low=ends[0], high=ends[1]))
    if held and ends is not None:
        lines.add(words.say("focus", "holds", list=words.listed([words.say("uncertain", kind) for kind in held])))
    outside = ["energy"] if partly else ["deployment"] if {"models", "published"} & set(held) else []
    if outside and ends is not None:
        lines.add(words.say("focus", "outside", list=words.listed([words.say("uncertain", kind) for kind in outside])))
    notes = [note for estimate in answering.estimates for warning in estimate.warnings if (note := _warning(warning, estimate, words))]
    for note in dict.fromkeys(notes[:2]):
        lines.add(note, 5)
    _others(lines, answering)


# What stands around every answer


def _around(lines: Lines, answering: Answering, *, derived: bool) -> None:
    """Add the derivation, what is counted, what was assumed and left out, what to know, and the figures that differ."""
    words, plan, estimates = answering.words, answering.plan, answering.estimates
    if derived and (steps := _derivation(answering)):
        lines.add(words.say("how", steps=words.listed(steps)), 1)
    if (boundary := _boundary(answering)) is not None:
        differ = any(warning.code == "bases_differ" for estimate in estimates for warning in estimate.warnings)
        lines.add("" if plan.brief else words.say("boundary", boundary=boundary), 1 if differ else 4)
    if assumed := list(dict.fromkeys(said for estimate in estimates for sentence in estimate.assumptions if (said := words.told(sentence)))):
        lines.add(words.say("assumed", list=words.sentences(assumed)), shorter=words.say("assumed", list=words.sentences(assumed[:KEPT_ASSUMPTIONS])))
    if plan.unused:
        lines.add(words.say("unused", list=words.listed([plain_text(told) for told in plan.unused])))
    told = {"published_outside"} if _rivals(answering) else set()
    notes = {note: warning.code in NEEDED for estimate in estimates for warning in estimate.warnings if warning.code not in told and (note := _warning(warning, estimate, words))}
    for position, note in enumerate(sorted(notes, key=lambda note: not notes[note])):
        lines.add(note, 5 + position if position and not notes[note] else 1)
    _others(lines, answering)


def _others(lines: Lines, answering: Answering) -> None:
    """Add the published figures that differ by more than the range."""
    if others := _rivals(answering):
        lines.add("\n".join([answering.words.say("alternatives"), *(_rival(other, label, home, answering) for label, other, home in others)]))


def _rivals(answering: Answering) -> list[tuple[str, Rival, Estimate]]:
    """Return the published figures that differ, each with its estimate; where several things stand beside each other, one of each with its name."""
    home = answering.estimates[-1]
    if answering.plan.parallel:
        return [(row.label, other, row.estimate) for row in _rows(answering) for other in rivals(row.estimate, 1)][:SHOWN_ALTERNATIVES]
    if home.tool != "compare":
        found = [("", other, home) for other in rivals(home, SHOWN_ALTERNATIVES)]
        return [told for told in found if parse_unit(told[1].figure.unit).dimension == as_quantity(answering.results[0]).dimension][:1] if answering.plan.brief else found
    named = names_compared(home, answering.words).items()
    return [(name, Rival(other), home) for other in home.alternatives if is_published(other.fact_id) for label, name in named if other.label.startswith(f"{label}: ")][:SHOWN_ALTERNATIVES]


def _renamed(sentence: str, estimate: Estimate, words: Wording) -> str:
    """Return what a comparison says with its things named as the answer names them."""
    for label, name in names_compared(estimate, words).items() if estimate.tool == "compare" else ():
        sentence = sentence.replace(label, name)
    return sentence


def _warning(warning: Warning, estimate: Estimate, words: Wording) -> str:
    """Return a warning in the answer's language; nothing for one that it has no words for."""
    message = _renamed(warning.message, estimate, words)
    told = words.told(message) or words.sentences([part for sentence in _SENTENCE.split(message) if (part := words.told(sentence))])
    return words.say("note", message=told) if told else ""


def _rival(rival: Rival, label: str, home: Estimate, answering: Answering) -> str:
    """Return another published figure with what it is of, its range, whose it is, its year and its footnote."""
    words, other = answering.words, rival.figure
    quantity = Quantity(middle(other), other.unit, other.low, other.high)
    fact = fact_or_none(other.fact_id)
    told = told_digits(fact.low, fact.high) if fact else 2
    number = answering.numbers.get(other.fact_id)
    thing = words.thing(rival.thing, 1) or f"1 {english_thing(rival.thing, 1)}" if rival.thing else None
    each = rival.each and not any(step.name == "requests" and step.value == 1 for step in home.steps)
    key = f"alternative.each{'_of' if label else ''}" if each else "alternative.thing" if thing else "alternative.of" if label else "alternative"
    return words.say(
        key,
        value=words.amount(quantity, ends=told) if words.ends(quantity) else words.amount(quantity, digits=3),
        range=_within(quantity, words, told),
        source=f"{_elsewhere(other.fact_id, home, words)}{_who(other.fact_id, other.as_of, words)}{length_of(other.fact_id, words)}",
        thing=thing or label,
        notes=f"[{number}]" if number else "",
    )


def _elsewhere(fact_id: str, home: Estimate, words: Wording) -> str:
    """Return the place that a figure is of, where it is another than the one asked about, before a comma."""
    fact, asked = fact_or_none(fact_id), home.arguments.get("region")
    place = fact.scope.get("place") if fact else None
    if place is None or asked is None or find_place(Library.load(), str(asked)).id == place:
        return ""
    return words.place(place) + words.say("comma")


def _who(fact_id: str, as_of: str | None = None, words: Wording | None = None) -> str:
    """Return who published a figure and when, and the year that it is for where that is another."""
    source = source_of(fact_id)
    if source is None:
        return ""
    by = short_authors(source.authors) if source.authors else source.producer or source.title
    year = (source.published or "")[:4]
    of = words.say("for_year", year=as_of[:4]) if words and as_of and year and as_of[:4] != year else ""
    return f"{by} {year}{of}".strip()


def _figure(quantity: Quantity, words: Wording) -> dict[str, Any]:
    """Return a published figure and its range, with the digits of its source."""
    told = told_digits(quantity.low, quantity.high)
    return {"value": words.amount(quantity, ends=told), "range": _within(quantity, words, told)}


def _within(quantity: Quantity, words: Wording, least: int = 2) -> str:
    """Return a range in brackets without its kind, its ends with so many digits at least."""
    ends = words.ends(quantity, bare=True, least=least)
    return words.say("range.short", low=ends[0], high=ends[1]) if ends else ""


# A result in words


def _value(result: Result, answering: Answering) -> str:
    """Return a result's value with its unit: the one asked for, or a readable one."""
    return value_of(result, answering.words, asked=answering.asked(result), ends=digits_of_ends(answering.home(result), result))


def value_of(result: Result, words: Wording, *, asked: bool = False, ends: int = 2) -> str:
    """Return a result's value with its unit in a language: in a readable one, or in its own where that was asked for."""
    quantity = as_quantity(result)
    if result.quantity == "count":
        digits = _digits(result)
        kind = kind_of(result)
        thing = words.thing(kind, result.value, digits) if kind else None
        return thing or f"{words.number(result.value, digits, words=True)} {english_thing(kind, result.value) or plain_text(words.unit(result.unit, of=result.value))}".strip()
    if quantity.dimension == NUMBER:
        number = words.number(result.value, _digits(result), words=True)
        key = "percent" if result.unit in ("percent", "%") else "times" if result.unit in ("ratio", "times") and result.quantity == "ratio" and result.label != "the result" else None
        return words.say(key, plural_of=result.value, value=number) if key else f"{number} {words.unit(result.unit, of=result.value)}".strip()
    return words.amount(quantity, asked=asked, ends=ends)


def _digits(result: Result) -> int:
    """Return how many digits a count, a ratio or a share is shown with: as its range allows, else three, or four of a share."""
    ranged = result.low is not None and result.high is not None and result.low < result.high
    return shown_digits(as_quantity(result))[0] if ranged else 3 if result.quantity in ("count", "ratio") else 4


def label_of(result: Result, words: Wording) -> str:
    """Return what a result is, in the language: as the tool says it, else the name of its quantity."""
    told = words.told(result.label)
    if told is not None:
        return plain_text(told, 160) if words.language == "en" and told == result.label else told
    name = words.get("names", result.quantity, own=True) or words.say("names", "other")
    return name + words.say("for_year", year=result.as_of[:4]) if result.as_of else name


def _range(result: Result, answering: Answering, *, brief: bool = False) -> str:
    """Return the interval of a result in brackets; that a published figure has none; or nothing where it is exact."""
    words = answering.words
    if result.interval == "as published, without a range" and result.quantity in ("energy", "emissions", "water") and not brief:
        return words.say("range.rated" if rests_on_power(answering.home(result), result) else "range.none")
    ends = answering.ends(result, bare=brief)
    if ends is None:
        return ""
    kind = "range.short" if brief else {"published range": "range.published", "80%": "range.80%"}.get(result.interval or "", "range.short")
    if result.quantity == "emissions" and uncertain(answering.home(result), result) == (["grid"], True):
        kind = "range.grid"
    return words.say(kind, low=ends[0], high=ends[1])


# The way to the number


def _derivation(answering: Answering) -> list[str]:
    """Return the steps that give the headline, with their numbers put in: the headline's own, and the energy it starts from."""
    head = answering.results[0] if answering.results else None
    if head is None or head.quantity == "carbon-intensity":
        return []
    home = answering.home(head)
    first = answering.estimates[0]
    taken = next((entry for entry in home.inputs if entry.name == "amount"), None)
    before = [result for result in first.results if not same(result, head) and (result is first.results[0] or (taken is not None and equals(result, taken.value, taken.unit)))]
    steps = [_step(result, first, answering) for result in before if result.quantity in ("energy", "emissions", "water")]
    return list(dict.fromkeys(step for step in (*steps, _step(head, home, answering)) if step))


def _step(result: Result, home: Estimate, answering: Answering) -> str:
    """Return the step that gives a result with its numbers put in, without factors of one."""
    words = answering.words
    original = next((other for other in home.results if same(result, other)), result)
    step = next((step for step in home.steps if equals(original, step.value, step.unit)), None)
    if step is None or step.expression.isidentifier():
        return ""
    named = {entry.name: (entry.value, entry.unit) for entry in home.inputs} | {other.name: (other.value, other.unit) for other in home.steps}
    expression = _with_products(step.expression, home, {name: value for name, (value, _) in named.items()})
    for name, (value, unit) in named.items():
        if value == 1.0 and unit in ("ratio", "days"):
            expression = re.sub(rf"(?<=\w) \* {name}\b(?! \*\*)|\b{name} \* (?=\w)", "", expression)
    if expression.isidentifier():
        return ""
    filled = re.sub(
        rf"{_NAME.pattern}|(?<![\w.])\d+(?:\.\d+)?(?:e[+-]?\d+)?",
        lambda match: _factor(match[0], named[match[0]], answering) if match[0] in named else _constant(match[0], words) if match[0][0].isdigit() else match[0],
        expression,
    )
    return f"{filled.replace('**', '^').replace('*', '×')} = {words.exactly(step.value, step.unit, asked=step.unit == answering.plan.unit)}"


def _factor(name: str, told: tuple[float, str], answering: Answering) -> str:
    """Return a number of a derivation with its unit, or with what it is where it has none and its value does not say it."""
    words = answering.words
    written = words.exactly(*told, asked=told[1] == answering.plan.unit)
    named = words.say("factors", name)
    return words.say("factor", value=written, named=named) if named else written


def _with_products(expression: str, home: Estimate, values: Mapping[str, float]) -> str:
    """Return an expression with each number of things in it that is itself a product, such as so many a day for so many days, told as one."""
    for step in home.steps:
        if step.unit == "ratio" and _PRODUCT.fullmatch(step.expression) and 1.0 not in map(values.get, _NAME.findall(step.expression)):
            expression = re.sub(rf"(?<![/*] )\b{step.name}\b(?! \*\*)", step.expression, expression)
    return expression


_PRODUCT = re.compile(r"[a-z_]+(?: \* [a-z_]+)+")
_UNITS_OF_CONSTANTS = {"3600000": "J/kWh"}


def _constant(digits: str, words: Wording) -> str:
    """Return a number that stands in a formula, with what it is where it turns one unit into another."""
    number = words.number(float(digits), 9)
    return words.say("factor", value=number, named=_UNITS_OF_CONSTANTS[digits]) if digits in _UNITS_OF_CONSTANTS else number


def _boundary(answering: Answering) -> str | None:
    """Return what is counted, in the language: of the headline, or of each thing where they count different things; None where nothing says it."""
    words = answering.words
    parts = {row.label: BOUNDARIES.get(row.result.boundary, row.result.boundary).split("; ") for row in _told_apart(answering) if row.result.boundary}
    shared = {part for part in chain.from_iterable(parts.values()) if len(parts) > 1 and all(part in others for others in parts.values())}
    counted = {thing: told for thing, told_of in parts.items() if (told := _counted("; ".join(part for part in told_of if part not in shared), words))}
    if counted and len(parts) > 1:
        return words.listed([words.say("boundary_of", thing=thing, boundary=told) for thing, told in counted.items()])
    candidates = [*(result.boundary for result in answering.results[:1]), *(estimate.results[0].boundary for estimate in answering.estimates if estimate.results)]
    return _counted(next((told for told in candidates if told), None), words) or _counted("; ".join(next(iter(parts.values()), ())), words)


def _told_apart(answering: Answering) -> list[Row]:
    """Return the things that an answer sets beside each other, each with the result that says what it counts."""
    words, estimate = answering.words, answering.estimates[0]
    if answering.plan.parallel:
        return _rows(answering)
    if estimate.tool == "compare":
        return [Row(name, result, home) for name, result, home in things_compared(estimate, words)]
    if estimate.tool == "choose_place_and_time":
        return [Row(label_of(result, words), result, estimate) for result in answering.results if result.quantity == "emissions"]
    return []


def _counted(boundary: str | None, words: Wording) -> str | None:
    """Return a boundary in the language; None where there is none, or no words for it."""
    if not boundary:
        return None
    boundary = BOUNDARIES.get(boundary, boundary)
    if (told := words.told(boundary)) is not None:
        return told
    parts = [words.told(part) for part in boundary.split("; ")]
    return words.listed([part for part in parts if part]) if all(parts) else None
