"""What an answer rests on: the facts behind a number, the numbered footnotes, and the published figures that say otherwise."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from kilowhat.plugin.phrases.load import phrases
from kilowhat.plugin.reply import NumberedCitation
from kilowhat.plugin.wording import scale_of
from kilowhat.tools import Library
from kilowhat.tools.core.errors import KilowhatError
from kilowhat.tools.core.estimate import Alternative, Estimate, Result, as_quantity, head_of
from kilowhat.tools.core.reference import Source
from kilowhat.tools.core.units import parse_unit

ALIKE = 1.05
"""Figures that differ by no more than this factor say the same."""

LONGEST_SAYING = 160
_NAME = re.compile(r"[a-z_]\w*")
_MARK = re.compile(r"\[(\d+)\]")


def footnotes(citations: Sequence[NumberedCitation], language: str, *, statements: bool = False) -> str:
    """Return the footnotes as lines that can be copied: number, who, year, title, place in the source, what it says, link.

    What it says is the figure as printed, or our statement of it where none is; with ``statements`` both.
    """
    words = phrases(language)
    lines = []
    for citation in citations:
        source = source_of(citation.fact_id)
        by = short_authors(source.authors or source.producer or "") if source else citation.source.authors or ""
        published = (source.published if source else citation.source.published) or ""
        url = source.url if source else citation.source.url
        line = words.say(
            "footnote" if by else "footnote.unsigned",
            number=str(citation.number),
            by=by,
            year=published[:4],
            title=source.title if source else citation.source.title,
            locator=f", {citation.locator}" if citation.locator else "",
            says=(words.say("stated", statement=_cut(citation.statement)) if statements or not citation.printed else "") + (words.say("printed", printed=citation.printed) if citation.printed else ""),
            url=f" {url}" if url else "",
        )
        lines.append(line.replace(" ()", ""))
    return "  \n".join(lines)


def _cut(statement: str) -> str:
    """Return the head of a statement, ended at a word where it is long."""
    head = head_of(statement)
    return head if len(head) <= LONGEST_SAYING else f"{head[:LONGEST_SAYING].rsplit(' ', 1)[0]} …"


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


def short_authors(authors: str) -> str:
    """Return the first author of several, as a citation in a text names them; an organisation keeps its name."""
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
    return text, [citation.model_copy(update={"number": number}) for number, citation in enumerate(ranked, 1)]


def facts_behind(estimate: Estimate, result: Result) -> list[str]:
    """Return the ids of the facts that a result was calculated from."""
    steps = {step.name: step for step in estimate.steps}
    inputs = {entry.name: entry for entry in estimate.inputs}
    original = next((other for other in estimate.results if same(result, other)), result)
    named = [(step.name, step.value, step.unit) for step in estimate.steps] + [(entry.name, entry.value, entry.unit) for entry in estimate.inputs]
    open_names = [name for name, value, unit in named if equals(original, value, unit)][:1]
    found: dict[str, None] = {}
    while open_names:
        name = open_names.pop(0)
        if name in steps:
            open_names += _NAME.findall(steps[name].expression)
        elif name in inputs and inputs[name].fact_id:
            found[str(inputs[name].fact_id)] = None
    return list(found)


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
    for other in home.alternatives:
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
