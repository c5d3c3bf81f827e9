"""A stated figure beside the published figures of the same thing.

A fact is only set beside a text where the text leaves nothing open: every thing, place, topic and year that it names is one of
the fact's, every thing of the fact is named, what is asked of it (training, per query) is told, and no word is left over
that neither the fact nor its source uses. Anything else is another thing, or may be, and gets no verdict.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from kilowhat.tools.core.boundaries import in_words
from kilowhat.tools.core.claims import NUMBERS_IN_WORDS, is_count
from kilowhat.tools.core.naming import other_words, sources_named
from kilowhat.tools.core.reading import Reading, read, sectors_of
from kilowhat.tools.core.reference import MEASURES, SCOPE_KINDS, Fact, Library, fold, words_of
from kilowhat.tools.core.search import WHOLE, Told, index_of
from kilowhat.tools.core.slips import find_slip, find_slip_of_kind
from kilowhat.tools.core.units import ENERGY, HOURS_PER_YEAR, NUMBER, TIME, Dimension, Quantity, combine, format_number, parse_unit

TRUE, MOSTLY_TRUE = 1.05, 1.2
"""The factors up to which a figure is true, or mostly true."""

AS_GOOD = 0.004
"""Figures that lie so much nearer to the stated one, as a logarithm, are the ones that were meant: one edition of a forecast and not another."""

BEYOND = 20000.0
"""A factor that no slip explains and that says another thing is meant."""

CHANCE = 900.0
"""A factor from which a slip is also looked for beside other figures than the best one: of several figures, some small factor fits by chance."""

_BY_NAME = ("comparator", "electricity-total", "task-energy", "task-emissions", "emissions-total", "water-total")
"""Subjects that the name of a thing tells, without a word for what is asked of it."""
_TOTALS = ("electricity-total", "emissions-total", "water-total", "forecast")
"""Subjects whose facts tell a year as a whole, unless their unit is one a day."""

_THINGS = (*SCOPE_KINDS, "place", "sector")
_BEHIND = {"service": ("model",), "provider": ("model", "run", "service"), "model": ("run",)}
"""What needs no mention where a thing that belongs to it is named: the service of a model."""
_ALL_SO_FAR = "training-and-use"
"""The part of which a figure is that tells no training from use, and answers for a thing without a word for either."""
_OF_ALL = ("place", "provider", "sector")
_REQUESTS = {"request", "prompt", "question", "query", "querie", "message", "response", "answer", "call", "reply", "replie"}
"""What is counted of a chatbot, in one word or another."""
_PARTS = {"ai": "data-centres", "ai-data-centres": "data-centres"}
"""The sector that one is a part of."""
_SHARED = {"energy", "power"}
"""Topics that are no measure where a share is told, but what it is a share of."""
_PERCENT = ("percent", "%")
_SAID_BY = ("statement-of-", "repeated-by-")
"""How a case begins that says who told a figure, and not what it is of."""
ROUGH = 1.5
"""The factor up to which a figure that is itself an estimate shows none false."""
_ESTIMATES = ("modelled", "assumed")
OTHER_CASE = 3.0
"""A factor from which a figure that was published for another case is no support for one that names none."""
_BOUNDED = ("request-energy", "request-water", "request-emissions", "training-water", "water-total")
"""Subjects of which a figure says little without what it counts."""
_YEARLY = combine(ENERGY, TIME, -1)
_EACH_PERIOD = re.compile(r"\s*(?:/|\bper\b|\ba\b|\bpro\b|\bpar\b|每)\s*(?:hour|day|month|year|h|d|yr|Stunde|Tag|Monat|Jahr|heure|jour|mois|an|天|日|月|年|小时|小時)$", re.IGNORECASE)
_RATES = {"/day": 24.0, "/year": HOURS_PER_YEAR}


Verdict = Literal["true", "mostly true", "outdated", "unsupported", "false"]


@dataclass(frozen=True, slots=True)
class Beside:
    """A published figure for the thing of a text, in the stated unit where it can be: what to compare with."""

    fact: Fact
    figure: Quantity


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict on a stated figure, the published one that it rests on, and the others for the same thing."""

    verdict: Verdict
    stated: Quantity
    beside: Beside
    others: tuple[Beside, ...]
    factor: float | None
    slip: str | None
    note: str | None


def judge_beside_facts(library: Library, text: str, stated: Quantity | None) -> Judged | None:
    """Return the verdict on a stated figure by the published figures for the same thing, or None where the thing is not clearly named.

    Args:
        library: Where facts are looked up.
        text: The claim in words.
        stated: Its figure, where it was told apart; else the only one with a unit in the words.

    >>> found = judge_beside_facts(Library.load(), "Training GPT-3 used 1287 GWh", None)
    >>> found.verdict, found.slip
    ('false', 'Wh taken for kWh (or kWh for MWh)')
    """
    reading = _with_durations_as_words(read(library, text))
    told = _figure(reading, stated)
    if told is None:
        return None
    figure, count = told
    sources = sources_named(library, text)
    found = list(_published(library, reading, figure, count, sources))
    found = [beside for beside in found if beside.fact.source in sources] or found
    return _judge(library, figure, found) if found else _beside_the_whole(library, reading, figure)


def _with_durations_as_words(reading: Reading) -> Reading:
    """Return a reading with the durations that stand beside an amount as words, which a fact for so long must hold: the water of 18 months."""
    durations = [figure for figure in reading.figures if parse_unit(figure.unit).dimension == TIME]
    others = [figure for figure in reading.figures if figure not in durations]
    if not any(parse_unit(figure.unit).dimension != NUMBER for figure in others):
        return reading
    return replace(reading, figures=others, rest=[*reading.rest, *(f"{figure.value:g}" for figure in durations)])


def _figure(reading: Reading, stated: Quantity | None) -> tuple[Quantity, float] | None:
    """Return the figure that a text states and how many things it is told for; None where it tells more than that."""
    measured = [figure for figure in reading.figures if parse_unit(figure.unit).dimension != NUMBER or figure.unit in _PERCENT]
    counts = [figure.value for figure in reading.figures if figure not in measured and figure.value != 1]
    if stated is None and "pue" in reading.topics and not measured and len(counts) == 1:
        return Quantity(counts[0], ""), 1.0
    things = [figure for figure in reading.figures if is_count(figure.unit) and figure.value > 1]
    if stated is None and not measured and len(things) == len(set(counts)) == 1:
        return things[0], 1.0
    measured = [_without_period(figure) for figure in measured]
    figures = [_without_period(stated)] if stated is not None else measured
    if not figures or len(set(counts)) > 1 or any(not _equal(figure, figures[0]) for figure in measured):
        return None
    return (figures[0], counts[0] if counts else 1.0) if figures[0].value > 0 else None


def _equal(one: Quantity, other: Quantity) -> bool:
    """Return whether two figures of a text are one, told twice."""
    sizes = (one.value * parse_unit(one.unit).factor, other.value * parse_unit(other.unit).factor)
    return _kind(one.unit) == _kind(other.unit) and math.isclose(*sizes, rel_tol=1e-6)


def _without_period(figure: Quantity) -> Quantity:
    """Return a figure without the day, month or year that it is told for; the reading holds that as a topic."""
    return Quantity(figure.value, _EACH_PERIOD.sub("", figure.unit), figure.low, figure.high)


def _published(library: Library, reading: Reading, figure: Quantity, count: float, sources: frozenset[str]) -> Iterable[Beside]:
    """Yield the published figures of what a text is about, the one that tools take first; a source that is named stands for the thing that it wrote on."""
    index = index_of(library)
    if figure.unit in _PERCENT:
        reading = replace(reading, topics=reading.topics - _SHARED | {"share"})
    without = Reading(reading.text, reading.things, reading.spans, reading.written, reading.topics, reading.within, [], reading.years, reading.rest)
    if not sources and not reading.spans and not any(library.raw("topics")[topic].get("scope") for topic in reading.topics):
        return
    for hit in index.find(without):
        record = hit.told
        if record.claim:
            continue
        fact = library.fact(record.id)
        if not _same_thing(library, record, reading, cited=fact.source in sources) or (fact.unit in _PERCENT and not _same_whole(library, record, reading)):
            continue
        published = _in_unit_of(fact, figure, count, _period(library, reading))
        if published is not None:
            yield Beside(fact, published)


def _same_thing(library: Library, record: Told, reading: Reading, *, cited: bool) -> bool:
    """Return whether a text names a record's thing, or its source, and nothing else."""
    words = _words_of(library, record.id) | (_first_names(library, record.id, reading) if cited else frozenset())
    for span, written in zip(reading.spans, reading.written, strict=True):
        if not any(record.scope.get(key) == name for key, name in span) and not words_of(written) <= words:
            return False
    if not (cited and not reading.spans) and not _things_are_named(library, record, reading):
        return False
    if not all(_topic_fits(library, topic, record, words) for topic in reading.topics | {topic for topic in reading.within if "hours" in library.raw("topics")[topic]}):
        return False
    if not _told_what_of(library, record, reading):
        return False
    if any(year != record.year and str(year) not in words for year in reading.years) or (record.subject == "forecast" and record.year not in reading.years):
        return False
    return all(words_of(word) <= words or not words_of(word) for word in reading.rest)


def _same_whole(library: Library, record: Told, reading: Reading) -> bool:
    """Return whether a share is one of the quantity and of the whole that a text names: of data centres, or, where none is named, of all electricity."""
    measured = library.fact(record.id).share_of
    if measured is not None and (asked := reading.topics & MEASURES.keys()) and measured not in asked:
        return False
    own = {record.scope[key] for key in ("sector", "of") if key in record.scope}
    return own == sectors_of(library, reading) if own else True


def _first_names(library: Library, record_id: str, reading: Reading) -> frozenset[str]:
    """Return the words of a text that name a fact's source and don't stand in it: Sam, before Altman, and other names of those who publish."""
    known = {(initials[:1].casefold(), fold(family)) for initials, _, family in (name.strip().rpartition(" ") for name in (library.source(library.fact(record_id).source).authors or "").split(","))}
    return frozenset(word for before, behind in pairwise(reading.rest) if (before[:1], behind) in known for word in words_of(before)) | other_words(library)


def _beside_the_whole(library: Library, reading: Reading, figure: Quantity) -> Judged | None:
    """Return the verdict on a share by the share of the whole that it is a part of, where its own is not published: AI's by that of all data centres."""
    part = next(iter(sectors_of(library, reading) & _PARTS.keys()), None)
    if part is None or figure.unit not in _PERCENT:
        return None
    whole = _PARTS[part]
    topics = {topic for topic in reading.topics if (library.raw("topics")[topic].get("scope") or {}).get("sector") != part} | {whole}
    found = [beside for beside in _published(library, replace(reading, topics=topics), figure, 1.0, frozenset()) if beside.fact.scope.get("sector") == whole and "of" not in beside.fact.scope]
    if not found:
        return None
    more = figure.value > MOSTLY_TRUE * max(_ends(found))
    said = (
        f"No share of {library.named('topics', part).name} in this is published. All {library.named('topics', whole).name} together, {library.named('topics', part).name} and all else, have this share"
    )
    return Judged("false" if more else "unsupported", figure, found[0], tuple(found[1:]), None, None, f"{said}{', and a part is no larger than its whole' if more else ''}.")


def _things_are_named(library: Library, record: Told, reading: Reading) -> bool:
    """Return whether all things of a record are named; a default stands for what belongs to a thing that is: the model behind a service."""
    scopes = {pair for topic in reading.topics for pair in (library.raw("topics")[topic].get("scope") or {}).items()}
    named = {meaning for span in reading.spans for meaning in span} | scopes
    own = [pair for pair in record.scope.items() if pair[0] in _THINGS]
    told = [pair for pair in own if pair in named]
    if not told:
        return False
    for key, value in own:
        if (key, value) in named:
            continue
        whole = key in _OF_ALL and value == WHOLE.get(key)
        same = key == "place" and record.scope.get("comparator") is not None
        behind = key in _BEHIND and any(kind in _BEHIND[key] for kind, _ in told)
        if not (whole or same or behind or (key in ("model", "place") and (record.default or _part_of_default(library, record)))):
            return False
    return True


def _part_of_default(library: Library, record: Told) -> bool:
    """Return whether a record is the figure that tools take by default, with another boundary."""
    rest = {key: value for key, value in record.scope.items() if key != "boundary"}
    return any(fact.default is not None and len(fact.scope) == len(record.scope) for fact in library.find(record.subject, **rest))


def _topic_fits(library: Library, topic: str, record: Told, words: frozenset[str]) -> bool:
    """Return whether a topic that a text names is one of a record's."""
    told = library.raw("topics")[topic]
    units = {parse_unit(unit).dimension for unit in (told.get("unit"), told.get("less")) if unit}
    measures = record.dimension is not None and any(dimension == record.dimension or {dimension, record.dimension} == {ENERGY, _YEARLY} for dimension in units)
    scope = told.get("scope") or {}
    spelled = any(words_of(spelling) and words_of(spelling) <= words for spelling in (told["name"], *told["aliases"]))
    period = "hours" in told and (record.subject in _TOTALS or record.subject == "service-volume")
    coming = topic == "forecast" and "scenario" in record.scope
    return period or coming or record.subject in (told.get("subjects") or ()) or measures or (bool(scope) and all(record.scope.get(key) == value for key, value in scope.items())) or spelled


def _period(library: Library, reading: Reading) -> float | None:
    """Return the hours of the one period that a text tells, or None."""
    told = {float(library.raw("topics")[topic]["hours"]) for topic in reading.topics | reading.within if "hours" in library.raw("topics")[topic]}
    return told.pop() if len(told) == 1 else None


def _told_what_of(library: Library, record: Told, reading: Reading) -> bool:
    """Return whether a text tells what of a thing is meant, where its unit does not: training or a request; a part only if it is told."""
    if record.subject == "forecast" and record.year in reading.years:
        return True
    if record.scope.get("part") == _ALL_SO_FAR:
        return True
    asked = _activities(library).get(record.subject)
    if asked is None:
        return record.subject in _BY_NAME
    return not asked or bool(asked & (reading.topics | reading.within)) or bool({"task", "comparator"} & record.scope.keys())


@lru_cache(maxsize=4)
def _activities(library: Library) -> dict[str, frozenset[str]]:
    """Return by subject the topics of which one must be told: those that have no unit of their own. Subjects that no topic tells are left out."""
    found: dict[str, set[str]] = {}
    for topic, told in library.raw("topics").items():
        for subject in told.get("subjects") or ():
            found.setdefault(subject, set()).update(() if told.get("unit") else (topic,))
    return {subject: frozenset(topics) for subject, topics in found.items()}


@lru_cache(maxsize=8192)
def _words_of(library: Library, record_id: str) -> frozenset[str]:
    """Return the words of a fact and of its source."""
    fact = library.fact(record_id)
    source = library.source(fact.source)
    spelled = [spelling for key, value in fact.scope.items() for spelling in library.spelled(key, value)]
    told = [fact.id.replace("-", " "), fact.statement, *fact.scope.values(), source.title, source.authors or "", source.producer or "", source.published or "", *spelled]
    words = words_of(" ".join(told).replace("-", " ")) | words_of(source.id.replace("-", " "))
    return frozenset(words | {NUMBERS_IN_WORDS[word] for word in words & NUMBERS_IN_WORDS.keys()})


def _in_unit_of(fact: Fact, figure: Quantity, count: float, period: float | None) -> Quantity | None:
    """Return a fact for so many things or hours in the unit of a stated figure, or as it is where a slip explains that the units measure different things."""
    there, here = _scaled(fact, count, period), figure.unit
    if there is None:
        return None
    kinds = (_kind(here), _kind(there.unit))
    if kinds[0] == NUMBER == kinds[1]:
        return there if (here in _PERCENT) == (there.unit in _PERCENT) and (not is_count(here) or _counted(here) == _counted(there.unit)) else None
    if kinds[0] == combine(kinds[1], TIME, -1) and fact.subject in _TOTALS:
        there, kinds = Quantity(there.value, f"{there.unit}/year", there.low, there.high), (kinds[0], kinds[0])
    if kinds[0] == kinds[1]:
        scale = parse_unit(there.unit).factor / parse_unit(here).factor
        return Quantity(there.value * scale, here, None if there.low is None else there.low * scale, None if there.high is None else there.high * scale)
    return there if find_slip_of_kind(figure, there) is not None else None


def _counted(unit: str) -> str:
    """Return what a unit counts: prompts and questions are requests."""
    one = unit.casefold().removesuffix("s") if not unit.isupper() else unit
    return "request" if one in _REQUESTS else one


def _scaled(fact: Fact, count: float, period: float | None) -> Quantity | None:
    """Return a fact for so many of what it counts, over a period where it tells a rate or a year; None where it counts nothing."""
    there = fact.quantity
    factor, unit = 1.0, there.unit
    if count != 1:
        if " per " not in unit:
            return None
        factor = count
    for rate, hours in _RATES.items():
        if unit.endswith(rate) and period is not None:
            factor, unit = period / hours, unit.removesuffix(rate)
            break
    else:
        if period is not None and fact.subject in _TOTALS:
            factor = period / HOURS_PER_YEAR
    return Quantity(there.value * factor, unit, None if there.low is None else there.low * factor, None if there.high is None else there.high * factor)


def _kind(unit: str) -> Dimension:
    """Return what a unit measures, a mass as one of greenhouse gas."""
    return tuple(sorted(("emissions" if base == "mass" else base, exponent) for base, exponent in parse_unit(unit).dimension))


def _judge(library: Library, figure: Quantity, found: list[Beside]) -> Judged | None:
    """Return the verdict: by the figure that tools take, by another published one, by a slip, or by how far all are off."""
    slipped = _slip(figure, found) is not None
    found = [beside for beside in found if slipped or not _only_at_least(beside, figure)]
    if not found:
        return None
    same = [beside for beside in found if beside.figure.unit == figure.unit or parse_unit(beside.figure.unit).dimension == parse_unit(figure.unit).dimension]
    if not same:
        return Judged("false", figure, found[0], tuple(found[1:]), None, find_slip_of_kind(figure, found[0].figure), None)
    first = next((beside for place, beside in enumerate(same) if _leads(same, place) and _factor(figure, beside.figure) <= TRUE), same[0])
    all_of_it, same = same, [beside for beside in same if beside.fact.subject == first.fact.subject]
    best = same[0]
    factor = _factor(figure, best.figure)
    if factor <= TRUE:
        agreeing = [beside for beside in same if _factor(figure, beside.figure) <= TRUE]
        nearest = min(agreeing, key=lambda beside: round(math.log(_factor(figure, beside.figure)) / AS_GOOD))
        return Judged("true", figure, nearest, _others(found, nearest), _factor(figure, nearest.figure), None, _caveat(nearest, same))
    repeated = [beside for beside in same[1:] if _factor(figure, beside.figure) <= TRUE]
    other = next((beside for beside in repeated if _as_good(library, beside, best)), repeated[0] if repeated else None)
    if other is not None and (best.fact.default is None or _as_good(library, other, best)):
        note = _caveat(other, same) or f"It is one of several published figures: {other.fact.statement}"
        return Judged("true", figure, other, _others(found, other), _factor(figure, other.figure), None, note)
    slip = _slip(figure, same)
    if factor <= MOSTLY_TRUE or (other is None and slip is None and _inside(figure, best.figure)):
        return Judged("mostly true", figure, best, _others(found, best), factor, None, None)
    if other is not None:
        older = (other.fact.as_of or "9999")[:4] < (best.fact.as_of or "0")[:4]
        note = f"It was published for {'an earlier year' if older else 'another case'}: {other.fact.statement}"
        verdict: Verdict = "outdated" if older else "unsupported" if factor > OTHER_CASE else "mostly true"
        return Judged(verdict, figure, best, _others(found, best), factor if older else None, None, note)
    if slip is not None:
        beside, named = slip
        return Judged("false", figure, beside, _others(found, beside), _factor(figure, beside.figure), named, None)
    if factor > BEYOND:
        return None
    if not _outside(figure, all_of_it):
        ends = _ends(all_of_it)
        note = f"Published figures for it reach from {format_number(min(ends))} to {format_number(max(ends))} {figure.unit}, and none of them says this."
        return Judged("unsupported", figure, best, _others(found, best), None, None, note)
    if factor <= ROUGH and is_estimate(library, best.fact):
        return Judged("unsupported", figure, best, _others(found, best), None, None, "The published figure is itself an estimate, and too rough to show this one false.")
    return Judged("false", figure, best, _others(found, best), factor, None, None)


def is_estimate(library: Library, fact: Fact) -> bool:
    """Return whether a figure is modelled or assumed, or derived from such a one."""
    behind = fact.derivation.inputs.values() if fact.derivation else ()
    return fact.kind in _ESTIMATES or any(is_estimate(library, library.fact(name)) for name in behind)


def _only_at_least(beside: Beside, figure: Quantity) -> bool:
    """Return whether a published figure is only the least that it may be, and the stated one is larger."""
    return beside.fact.scope.get("statistic") == "min" and beside.figure.unit == figure.unit and figure.value > beside.figure.value * MOSTLY_TRUE


def _as_good(library: Library, other: Beside, best: Beside) -> bool:
    """Return whether a figure is published for the same thing as the one that tools take, no older: with another boundary, or by somebody else."""
    if (other.fact.as_of or "0")[:4] < (best.fact.as_of or "0")[:4] or other.fact.subject == "forecast":
        return False
    apart = {key for key in other.fact.scope.keys() | best.fact.scope.keys() if key != "statistic" and other.fact.scope.get(key) != best.fact.scope.get(key)}
    if apart == {"boundary"}:
        return True
    case = other.fact.scope.get("case", "")
    source = library.source(other.fact.source)
    who = words_of(" ".join(part for part in (source.authors, source.producer, source.id.replace("-", " ")) if part))
    return apart <= {"boundary", "model", "case"} and (case.startswith(_SAID_BY) or any(word in who for word in case.split("-") if not word.isdigit()))


def _caveat(held: Beside, same: list[Beside]) -> str | None:
    """Return what must be said beside a figure that counts only a part of what another published one does, or more, or tells no boundary."""
    boundary = held.fact.scope.get("boundary")
    rival = next((beside for beside in same if beside is not held and beside.fact.scope.get("boundary") not in (None, boundary) and beside.fact.as_of == held.fact.as_of), None)
    if boundary is not None and rival is not None and _factor(held.figure, rival.figure) > MOSTLY_TRUE:
        return f"It counts {in_words(held.fact)}. Another boundary gives another figure: {rival.fact.statement.rstrip('.')}, {format_number(rival.figure.value)} {rival.figure.unit}."
    if boundary is None and held.fact.subject in _BOUNDED:
        return f"It is as published, with no boundary told: {held.fact.statement}"
    return None


def _leads(found: list[Beside], place: int) -> bool:
    """Return whether a figure is the first one of its subject: hours of accelerators are no days of training."""
    return all(beside.fact.subject != found[place].fact.subject for beside in found[:place])


def _others(found: list[Beside], best: Beside) -> tuple[Beside, ...]:
    return tuple(beside for beside in found if beside is not best)


def _factor(figure: Quantity, held: Quantity) -> float:
    """Return how many times larger the larger of two figures in one unit is."""
    return max(figure.value / held.value, held.value / figure.value) if held.value > 0 else math.inf


def _inside(figure: Quantity, held: Quantity) -> bool:
    return held.low is not None and held.high is not None and held.low <= figure.value <= held.high


def _outside(figure: Quantity, found: list[Beside]) -> bool:
    """Return whether a figure lies well below or above all published ones."""
    ends = _ends(found)
    return bool(ends) and (figure.value * MOSTLY_TRUE < min(ends) or figure.value > max(ends) * MOSTLY_TRUE)


def _ends(found: list[Beside]) -> list[float]:
    return [end for beside in found for end in (beside.figure.value, beside.figure.low, beside.figure.high) if end]


def _slip(figure: Quantity, found: list[Beside]) -> tuple[Beside, str] | None:
    """Return the published figure that a slip of units would turn into the stated one, and the slip."""
    for place, beside in enumerate(found):
        rate = beside.fact.subject in _TOTALS or beside.fact.unit.endswith(tuple(_RATES))
        for end in (beside.figure.value, beside.figure.low, beside.figure.high):
            if not end:
                continue
            sure = (place == 0 and end == beside.figure.value) or _factor(figure, Quantity(end, figure.unit)) > CHANCE
            slip = find_slip(_as_ratio(figure), _as_ratio(Quantity(end, beside.figure.unit)), periods=rate) if sure else None
            if slip is not None:
                return beside, slip
    return None


def _as_ratio(figure: Quantity) -> Quantity:
    return Quantity(figure.value, figure.unit or "ratio")
