"""Facts and sources on a subject, the best first.

**Formula**: none. Words of the query are matched with statements, scopes, sources and printed figures, weighted by how rare
they are.

**Limits**: it finds what the library holds, and says so where it holds nothing.

>>> from kilowhat.tools import call
>>> call("look_up_references", {"query": "image generation Luccioni mean"}).citations[0].source.title[:23]
'Power Hungry Processing'
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field

from kilowhat.tools.core.derivation import Derivation
from kilowhat.tools.core.errors import UnknownName
from kilowhat.tools.core.estimate import Estimate
from kilowhat.tools.core.reference import Claim, Fact, Library
from kilowhat.tools.core.tool import Arguments, Tool, WholeNumber


class Input(Arguments):
    """What to look for."""

    query: str = Field(min_length=1, max_length=500, description="Words, names or a printed figure: 'GPT-3 training energy', 'phone charge', '2.907 kWh'; or the id of a fact.")
    subject: str | None = Field(
        default=None, max_length=60, description="Only facts on this subject: task-energy, training-energy, request-energy, device-power, pue, grid-intensity, comparator, forecast …"
    )
    limit: WholeNumber = Field(default=5, ge=1, le=20, description="How many facts at most, 1 to 20.")


def look_up_references(arguments: Input, library: Library) -> Estimate:
    """Return the facts that fit, as results with citations; the best fact is the first result.

    Raises:
        UnknownName: where nothing fits (``unknown_name``).
    """
    found = _exact(arguments.query, library) or library.search(arguments.query, subject=arguments.subject, limit=arguments.limit)
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
        derivation.warn("press_claim", f"{claim.id} ({claim.verdict}): {claim.statement} {claim.why}")
    if not derivation.results:
        derivation.assume("Only claims of the press fit; no tool calculates from them.")
    return derivation.estimate(TOOL.name, arguments, f"{len(found)} references for {arguments.query[:80]!r}" if len(found) > 1 else "Reference")


def _own_unit(fact: Fact) -> dict[str, Any]:
    """Return how a figure keeps its unit where that counts many things: 2.907 kWh for 1,000 images is not shown as 2.9 Wh."""
    return {"keep_unit": True, "unit": fact.unit.replace(" per ", "/")} if re.search(r"per \d", fact.unit) else {}


def _exact(query: str, library: Library) -> list[Fact | Claim]:
    try:
        return [library.fact(query.removeprefix("fact:").strip())]
    except UnknownName:
        return []


TOOL = Tool(
    name="look_up_references",
    title="Facts and their sources",
    description="Find published figures on the energy, carbon and water of AI with source, place in the source and the figure as printed: who said it, what was measured, what rivals say. The best fact is results[0].",
    arguments=Input,
    run=look_up_references,
    example={"query": "GPT-3 training energy"},
)
