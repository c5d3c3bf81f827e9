"""What every tool returns: the same in Python, JSON and every protocol."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from kilowhat.tools.core.reference import Fact, Library
from kilowhat.tools.core.units import Quantity

METHOD_VERSION = "1"
"""Changes when a formula or a default rule changes a number."""


class Part(BaseModel):
    """Base of all parts of an estimate: frozen, and without fields that the contract does not name."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Result(Part):
    """One quantity that a call found, in the canonical unit of its dimension."""

    quantity: str
    label: str
    value: float
    low: float | None
    high: float | None
    unit: str
    interval: str | None
    boundary: str | None
    as_of: str | None


class Input(Part):
    """One number that went in, and where it comes from."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    unit: str
    origin: Literal["given", "default", "fact", "derived"]
    fact_id: str | None = None


class Step(Part):
    """One line of the derivation, which a reader can do again."""

    name: str
    expression: str
    value: float
    unit: str


class Alternative(Part):
    """Another published figure for the same thing."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    boundary: str | None
    as_of: str | None
    fact_id: str


class CitedSource(Part):
    """The publication behind a citation; named in full where it is cited first."""

    title: str
    authors: str | None
    published: str | None
    url: str | None
    licence: str | None


class Citation(Part):
    """A fact that the estimate rests on, and the place in its source."""

    fact_id: str
    statement: str
    printed: str | None
    locator: str | None
    source: CitedSource


class Warning(Part):
    """Something to know before using a number; codes are permanent."""

    code: str
    message: str


class Verdict(Part):
    """What became of a claim."""

    verdict: Literal["true", "mostly true", "misleading", "outdated", "false", "unsupported"]
    claimed: str | None
    recomputed: str | None
    factor: float | None
    slip: str | None


class Estimate(Part):
    """The answer of a tool: results with their ranges, the way to them, and the facts behind."""

    tool: str
    arguments: dict[str, Any]
    ref: str
    text: str
    results: list[Result]
    verdict: Verdict | None
    inputs: list[Input]
    steps: list[Step]
    alternatives: list[Alternative]
    citations: list[Citation]
    assumptions: list[str]
    warnings: list[Warning]
    method_version: str
    data_version: str

    def quantity(self, kind: str | None = None) -> Quantity:
        """Return the headline, or the first result of a kind, as a quantity with its range."""
        result = self.results[0] if kind is None else next(result for result in self.results if result.quantity == kind)
        return as_quantity(result)


def as_quantity(result: Result) -> Quantity:
    """Return a result as a quantity with its range; a number of things is a plain number."""
    return Quantity(result.value, "" if result.quantity == "count" else result.unit, result.low, result.high)


def cite(library: Library, facts: Iterable[Fact]) -> list[Citation]:
    """Return one citation a fact, in order; a source that comes again carries only its title and link."""
    citations: dict[str, Citation] = {}
    told: set[str] = set()
    for fact in facts:
        if fact.id in citations:
            continue
        source = library.source(fact.source)
        first = source.id not in told
        told.add(source.id)
        cited = CitedSource(
            title=source.title,
            authors=source.authors or source.producer if first else None,
            published=source.published if first else None,
            url=source.url,
            licence=source.licence if first else None,
        )
        citations[fact.id] = Citation(fact_id=fact.id, statement=fact.statement, printed=fact.printed, locator=fact.locator, source=cited)
    return list(citations.values())
