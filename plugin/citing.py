"""What an answer rests on: the facts behind a number, the numbered footnotes, and the published figures that say otherwise."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from kilowhat.plugin.phrases.load import phrases
from kilowhat.plugin.reply import NumberedCitation
from kilowhat.plugin.wording import scale_of
from kilowhat.tools import TOOLS, Library
from kilowhat.tools.core.errors import KilowhatError
from kilowhat.tools.core.estimate import Alternative, Estimate, Input, Result, as_quantity, head_of
from kilowhat.tools.core.reference import Source
from kilowhat.tools.core.tool import parse_ref
from kilowhat.tools.core.units import ENERGY, POWER, TIME, parse_unit

ALIKE = 1.05
"""Figures that differ by no more than this factor say the same."""

LONGEST_SAYING, LONGEST_TITLE, LONGEST_LOCATOR = 100, 70, 60
"""Characters of a statement, of a title and of a place in a source, in a footnote."""

SHORTEST_TITLE = 16
"""So long is the part of a title that stands for all of it, at least."""

_NAME = re.compile(r"[a-z_]\w*")
_MARK = re.compile(r"\[(\d+)\]")
_MARKS = re.compile(r"(?:\[\d+\]){2,}")


def footnotes(citations: Sequence[NumberedCitation], language: str, *, statements: bool = False, full: bool = False) -> str:
    """Return the footnotes as lines that can be copied: number, who, year, title, place in the source, what it says, link.

    What it says is the figure as printed, or our statement of it where none is; with ``statements`` both. Titles and places
    are cut to what finds them, and a title that was told stands once, unless they are asked for in ``full``.
    """
    words = phrases(language)
    lines = []
    told: set[str] = set()
    for citation in citations:
        source = source_of(citation.fact_id)
        by = short_authors(source.authors or source.producer or "") if source else citation.source.authors or ""
        published = (source.published if source else citation.source.published) or ""
        url = source.url if source else citation.source.url
        title = source.title if source else citation.source.title
        again = bool(by and url and published and citation.locator) and title in told and not full
        told.add(title)
        locator = (citation.locator or "") if full else _cut(citation.locator or "", LONGEST_LOCATOR)
        line = words.say(
            "footnote" if by else "footnote.unsigned",
            number=str(citation.number),
            by=by,
            year=published[:4],
            title=locator if again else title if full else _title(title),
            locator=f", {locator}" if locator and not again else "",
            says=(words.say("stated", statement=_cut(head_of(citation.statement), LONGEST_SAYING)) if statements or not citation.printed else "")
            + (words.say("printed", printed=citation.printed) if citation.printed else ""),
            url=f" {url}" if url else "",
        )
        lines.append(line.replace(" ()", "").replace("（）", "").replace("….", "…").replace("…。", "…"))
    return "  \n".join(lines)


def _title(title: str) -> str:
    """Return a title without what follows its colon, where what stands before says enough to find it."""
    head, _, rest = title.partition(": ")
    return _cut(head if rest and len(head) >= SHORTEST_TITLE else title, LONGEST_TITLE)


def _cut(text: str, longest: int) -> str:
    """Return a text ended at a word where it is long."""
    return text if len(text) <= longest else f"{text[:longest].rsplit(' ', 1)[0].rstrip(',;:')} …"


def source_of(fact_id: str) -> Source | None:
    """Return the source of a fact or a claim, or of the primary figure of a claim (``claim-…#primary``)."""
    library = Library.load()
    record_id, _, primary = fact_id.partition("#")
    try:
        if not record_id.startswith("claim-"):
            return library.source(library.fact(record_id).source)
        claim = library.claim(record_id)
    except KilowhatError:
        return None
    first_hand = claim.primary.source if primary and claim.primary else None
    return library.source(first_hand or claim.source)


def is_published(fact_id: str) -> bool:
    """Return whether a figure has a source that can be found: somebody who said it, or a link."""
    source = source_of(fact_id)
    return source is not None and bool(source.url or source.authors)


def short_authors(authors: str) -> str:
    """Return the first author of several, as a citation in a text names them; an organisation keeps its name."""
    authors = authors.partition(", after ")[0]
    if "(" in authors:
        return authors
    several = re.split(r",\s|;\s|\sand\s", authors)
    return f"{several[0]} et al." if len(several) > 2 or several[-1] == "others" else authors


def renumbered(body: str, citations: Sequence[NumberedCitation]) -> tuple[str, list[NumberedCitation]]:
    """Return the text and the citations numbered in the order in which the text names them; those it does not name come last."""
    order = list(dict.fromkeys(int(number) for number in _MARK.findall(body)))
    ranked = sorted(citations, key=lambda citation: order.index(citation.number) if citation.number in order else len(order) + citation.number)
    renamed = {citation.number: number for number, citation in enumerate(ranked, 1)}
    text = _MARK.sub(lambda match: f"[{renamed.get(int(match[1]), match[1])}]", body)
    text = _MARKS.sub(lambda marks: "".join(f"[{number}]" for number in sorted(map(int, _MARK.findall(marks[0])))), text)
    return text, [citation.model_copy(update={"number": number}) for number, citation in enumerate(ranked, 1)]


def facts_behind(estimate: Estimate, result: Result) -> list[str]:
    """Return the ids of the facts that a result was calculated from, those behind the estimates that it takes amounts of included."""
    found: dict[str, None] = {}
    for entry in _inputs_behind(estimate, result):
        if entry.fact_id:
            found[entry.fact_id] = None
        elif entry.origin == "derived":
            found |= dict.fromkeys(_handed_on(estimate, entry))
    return list(found)


_REF = re.compile(r"[a-z_]+\?[^\s()]+")
_FACT = re.compile(r"fact:([\w.-]+)")
_ITEM = re.compile(r"item_(\d+)")


def _handed_on(estimate: Estimate, taken: Input) -> list[str]:
    """Return the facts behind an amount that other estimates handed on: those of the item that it is, or of all that have as much as a result."""
    item = _ITEM.fullmatch(taken.name)
    told = str(estimate.arguments["items"][int(item[1]) - 1]["quantity"]) if item else " ".join(_texts(estimate.arguments))
    found: dict[str, None] = {}
    for ref in dict.fromkeys(_REF.findall(told)):
        try:
            tool, arguments = parse_ref(ref.partition("#")[0], TOOLS)
            before = tool(arguments)
        except KilowhatError:
            continue
        if (result := next((result for result in before.results if equals(result, taken.value, taken.unit)), None)) is not None:
            found |= dict.fromkeys(facts_behind(before, result))
    return list(found) if _REF.search(told) else _FACT.findall(told)


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in the arguments of a call."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ():
        yield from _texts(inner)


def rests_on_power(estimate: Estimate, result: Result) -> bool:
    """Return whether a result was calculated from the power that is published for a device, and so published by nobody itself."""
    return any(entry.fact_id and parse_unit(entry.unit).dimension == POWER for entry in _inputs_behind(estimate, result))


_KIND_OF_INPUT = (
    (re.compile(r"\w*intensity\w*_kg_co2e_per_kwh"), "grid"),
    (re.compile(r"(?:active|total)_b"), "size"),
    (re.compile(r"batch(?:_size)?"), "batch"),
    (re.compile(r"accelerators"), "accelerators"),
    (re.compile(r"model_error|flop_per_parameter_token"), "formula"),
    (re.compile(r"(?:facility|server)_factor"), "facility"),
    (re.compile(r"energy_per_run_kwh"), "models"),
    (re.compile(r"\w+_per_request"), "published"),
    (re.compile(r"utilisation"), "utilisation"),
    (re.compile(r"\w*kg_co2e"), "making"),
    (re.compile(r"lifetime_years"), "life"),
    (re.compile(r"wue_l_per_kwh"), "water"),
)
"""What an uncertain input of a tool is, by its name."""


MOST_TOLD = 4
"""An end with more digits was calculated, not printed."""


def told_digits(low: float | None, high: float | None) -> int:
    """Return with how many digits, two or three, the ends of a published range are shown: as their source prints them.

    >>> told_digits(325.0, 580.0), told_digits(0.3, 3.0), told_digits(0.756, 11.298675)
    (3, 2, 2)
    """
    if low is None or high is None:
        return 2
    digits = max(len(f"{end:.12g}".partition("e")[0].replace(".", "").strip("0")) for end in (low, high))
    return min(3, max(2, digits)) if digits <= MOST_TOLD else 2


def digits_of_ends(estimate: Estimate, result: Result) -> int:
    """Return how many digits the ends of a result's range have at least: those of the source, where it is as published."""
    if result.interval != "published range":
        return 2
    dimension = as_quantity(result).dimension
    return next((told_digits(entry.low, entry.high) for entry in _inputs_behind(estimate, result) if entry.low != entry.high and parse_unit(entry.unit).dimension == dimension), 2)


def uncertain(estimate: Estimate, result: Result) -> tuple[list[str], bool]:
    """Return what the range of a result holds, by kind, and whether a published figure without a range stands behind it too."""
    held: dict[str, None] = {}
    without = False
    for entry in _inputs_behind(estimate, result):
        if entry.low is not None and entry.high is not None and entry.low < entry.high:
            kind = next((kind for pattern, kind in _KIND_OF_INPUT if pattern.fullmatch(entry.name)), None)
            held |= {kind: None} if kind else {}
        elif entry.origin != "given" and parse_unit(entry.unit).dimension in (ENERGY, POWER, TIME):
            without = True
    return list(held), without


def _inputs_behind(estimate: Estimate, result: Result) -> list[Input]:
    """Return the inputs that a result was calculated from."""
    steps = {step.name: step for step in estimate.steps}
    inputs = {entry.name: entry for entry in estimate.inputs}
    named = [(step.name, step.value, step.unit) for step in estimate.steps] + [(entry.name, entry.value, entry.unit) for entry in estimate.inputs]
    original = next((other for other in estimate.results if same(result, other)), result)
    alike = [name for name, value, unit in named if equals(original, value, unit)]
    before = [other for other in estimate.results if other.quantity == original.quantity and (other.value, other.unit) == (original.value, original.unit)]
    open_names = alike[min(before.index(original), len(alike) - 1) :][:1] if original in before and alike else alike[:1]
    found: dict[str, Input] = {}
    while open_names:
        name = open_names.pop(0)
        if name in steps:
            open_names += _NAME.findall(steps[name].expression)
        elif name in inputs:
            found[name] = inputs[name]
    return list(found.values())


def chained(estimate: Estimate) -> bool:
    """Return whether an estimate takes amounts of others, so that several facts may stand behind one of its inputs."""
    return any(entry.origin == "derived" and entry.fact_id is None for entry in estimate.inputs)


def same(result: Result, other: Result) -> bool:
    """Return whether two results are the same line, perhaps in another unit."""
    return result.label == other.label and result.quantity == other.quantity


def equals(result: Result, value: float, unit: str) -> bool:
    """Return whether a result is a value in some unit."""
    quantity, there = as_quantity(result), parse_unit(unit)
    return there.dimension == quantity.dimension and math.isclose(value * there.factor, quantity.value * parse_unit(quantity.unit).factor, rel_tol=1e-9)


class Rival(NamedTuple):
    """Another published figure beside the answer: for the same thing, for one request of many, or for one everyday thing."""

    figure: Alternative
    each: bool = False
    thing: str | None = None


def rivals(home: Estimate, most: int) -> list[Rival]:
    """Return the published figures that differ from an estimate by more than its range."""
    found = []
    for other in filter(lambda other: is_published(other.fact_id), home.alternatives):
        if other.label.startswith("one request: "):
            measure = next((entry for entry in home.inputs if entry.name.endswith("_per_request") and scale_of(entry.unit, other.unit)), None)
            if measure is not None and home.results[0].quantity == "energy" and measure.name.startswith("energy"):
                found.append(Rival(other, each=True))
        elif home.tool == "convert_to_equivalents":
            found.append(Rival(other, thing=_thing(other)))
        elif differs(other, home):
            found.append(Rival(other))
    return found[:most]


def _thing(other: Alternative) -> str | None:
    try:
        return Library.load().fact(other.fact_id).scope.get("comparator")
    except KilowhatError:
        return None


def differs(other: Alternative, home: Estimate) -> bool:
    """Return whether a published figure lies outside the range of what an estimate found, or beside it where that has none."""
    beside = next((result for result in home.results if result.quantity != "count" and scale_of(other.unit, result.unit)), None)
    if beside is None:
        return False
    scale = scale_of(other.unit, beside.unit)
    value = middle(other) * scale
    if beside.low is not None and beside.high is not None and beside.low < beside.high:
        return not beside.low <= value <= beside.high
    return min(value, beside.value) <= 0 or max(value / beside.value, beside.value / value) > ALIKE


def middle(other: Alternative) -> float:
    """Return the value of a figure, the geometric mean of a range."""
    return other.value if other.value is not None else math.sqrt((other.low or 0.0) * (other.high or 0.0))
