"""Facts and sources on a subject, the best first.

**Formula**: none. What a query tells (figures with their units, names in any spelling, the subject, places, years, and words
weighted by how rare they are) is set against what each fact and claim holds; see ``tools.core.search``. Ids find what they name.

**Limits**: it finds what the library holds, and says so where it holds nothing. A claim of the press is told with its
verdict, behind the facts, and is no result: nothing calculates from it.

>>> from kilowhat.tools import call
>>> call("look_up_references", {"query": "image generation Luccioni mean"}).citations[0].source.title[:23]
'Power Hungry Processing'
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field

from kilowhat.tools.core.claims import claimed_in_words
from kilowhat.tools.core.derivation import Derivation
from kilowhat.tools.core.errors import NotPublished, UnknownName
from kilowhat.tools.core.estimate import Estimate, Verdict
from kilowhat.tools.core.place import place_name
from kilowhat.tools.core.reading import read, sectors_of
from kilowhat.tools.core.reference import Claim, Fact, Library
from kilowhat.tools.core.tool import Arguments, Tool, WholeNumber

_BETWEEN = re.compile(r"[,;、，；\n]")
"""What stands between the ids of a query."""


class Input(Arguments):
    """What to look for."""

    query: str = Field(
        min_length=1, max_length=500, description="Words, names or a printed figure: 'GPT-3 training energy', 'phone charge', '2.907 kWh'; or the ids of facts and claims, with commas between."
    )
    subject: str | None = Field(
        default=None, max_length=60, description="Only facts on this subject: task-energy, training-energy, request-energy, device-power, pue, grid-intensity, comparator, forecast …"
    )
    limit: WholeNumber = Field(default=5, ge=1, le=20, description="How many facts at most, 1 to 20.")


def look_up_references(arguments: Input, library: Library) -> Estimate:
    """Return the facts that fit, as results with citations; the best fact is the first result.

    Raises:
        UnknownName: where nothing fits, or one of several ids is none (``unknown_name``).
        NotPublished: where a subject is asked for of a place, and the library holds it of other places alone (``not_published``).
    """
    found = _by_ids(arguments, library) or library.search(arguments.query, subject=arguments.subject, limit=arguments.limit)
    if arguments.subject is not None:
        found = _of_places_named(library, arguments, found)
    if not found:
        raise UnknownName("The library holds no fact that fits these words; try a name (GPT-3, H100, Gemini), a task or a subject.", field="query")
    derivation = Derivation(library)
    claims = [record for record in found if isinstance(record, Claim)]
    for fact in [record for record in found if isinstance(record, Fact)]:
        name = fact.id.replace("-", "_").replace(".", "_")
        derivation.fact(name, fact, fact.unit)
        derivation.result(
            name,
            fact.subject,
            fact.statement.rstrip("."),
            boundary=fact.scope.get("boundary"),
            as_of=fact.as_of,
            interval="published range" if fact.low is not None else "as published",
            **_own_unit(fact),
        )
    for claim in claims:
        derivation.cite(claim)
        derivation.warn("press_claim", f"{claim.id} ({claim.verdict}): {claim.statement} {claim.why}")
    if len(found) == len(claims) == 1:
        derivation.verdict = Verdict(verdict=claims[0].verdict, claimed=claimed_in_words(claims[0]), recomputed=None, factor=claims[0].factor, slip=claims[0].slip)
    if not derivation.results:
        derivation.assume("Only claims of the press fit; no tool calculates from them.")
    return derivation.estimate(TOOL.name, arguments, f"{len(found)} references for {arguments.query[:80]!r}" if len(found) > 1 else "Reference")


def _own_unit(fact: Fact) -> dict[str, Any]:
    """Return how a figure keeps its unit where that counts many things or days: 2.907 kWh for 1,000 images is not shown as 2.9 Wh, nor the kWh of a day as W."""
    return {"keep_unit": True, "unit": fact.unit.replace(" per ", "/")} if re.search(r"per \d|/(?:day|year)$", fact.unit) else {}


MOST_PLACES = 8
"""So many of the places for which a figure is known are named where it is not known for the one asked."""


def _of_places_named(library: Library, arguments: Input, found: list[Fact | Claim]) -> list[Fact | Claim]:
    """Return what is not of other places than those that a query names, nor of all where it names a sector; all of it where it names more."""
    reading = read(library, arguments.query)
    things, sectors = reading.things, sectors_of(library, reading)
    if "place" not in things or set(things) - ({"place", "comparator"} if sectors else {"place"}):
        return found
    kept = [one for one in found if one.scope.get("place") in (None, *things["place"]) and (not sectors or one.scope.get("sector") in sectors)]
    if found and not kept:
        alike = [fact for sector in sorted(sectors) for fact in library.find(arguments.subject or "", sector=sector) if "place" in fact.scope] or [one for one in found if isinstance(one, Fact)]
        others = ", ".join(list(dict.fromkeys(place_name(library, one.scope["place"]) for one in alike))[:MOST_PLACES])
        raise NotPublished(f"No {arguments.subject} for {arguments.query[:60]} is in the library, only for other places: {others}.", field="query", nearest=[fact.id for fact in alike[:2]])
    return kept


def _by_ids(arguments: Input, library: Library) -> list[Fact | Claim]:
    """Return the facts and claims of a query that is nothing but ids, each once and as many as are wanted, or none."""
    ids = list(dict.fromkeys(part.strip().removeprefix("fact:").strip() for part in _BETWEEN.split(arguments.query) if part.strip()))
    if not ids or any(" " in one for one in ids):
        return []
    found: list[Fact | Claim] = []
    for one in ids[: int(arguments.limit) if len(ids) > 1 else 1]:
        try:
            found.append(library.claim(one, field="query") if one.startswith("claim-") else library.fact(one, field="query"))
        except UnknownName:
            if len(ids) > 1 and found:
                raise
            return []
    return found


TOOL = Tool(
    name="look_up_references",
    title="Facts and their sources",
    description="Find published figures on the energy, carbon and water of AI with source, place in the source and the figure as printed: who said it, what was measured, what rivals say. The best fact is results[0].",
    arguments=Input,
    run=look_up_references,
    example={"query": "GPT-3 training energy"},
)
