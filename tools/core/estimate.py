"""What every tool returns: the same in Python, JSON and every protocol."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from kilowhat.tools.core.reference import Claim, Fact, Library
from kilowhat.tools.core.units import Quantity

METHOD_VERSION = "2"
"""Changes when a formula or a default rule changes a number."""


_new = object.__new__
_set_values, _set_fields, _set_extra, _set_private = (BaseModel.__dict__[slot].__set__ for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__"))
_FIELDS: dict[type, set[str]] = {}


class Part(BaseModel):
    """Base of all parts of an estimate: frozen, and without fields that the contract does not name."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Return a part whose values are known to be of the right types, without validating them again: a tenth of the time.

        Args:
            values: Every field of the part, in the order of its declaration.
        """
        part = _new(cls)
        _set_values(part, values)
        _set_fields(part, _FIELDS.get(cls) or _FIELDS.setdefault(cls, set(cls.model_fields)))
        _set_extra(part, None)
        _set_private(part, None)
        return part


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


def as_json(part: BaseModel) -> bytes:
    """Return an estimate, or a part of one, as JSON in UTF-8: what ``model_dump_json`` gives, without the way over a text."""
    return part.__pydantic_serializer__.to_json(part)


def json_size(part: Part) -> int:
    """Return how many bytes a part of an estimate takes as JSON."""
    return len(as_json(part))


def citation_size(library: Library, citation: Citation) -> int:
    """Return how many bytes a citation takes as JSON; citations are the library's own, and measured once."""
    return library.citation_sizes.get(id(citation)) or library.citation_sizes.setdefault(id(citation), json_size(citation))


@lru_cache(maxsize=4096)
def head_of(statement: str) -> str:
    """Return the first part of a statement: what was found, without the conditions behind a colon or semicolon."""
    for mark in ("; ", ": "):
        head, _, rest = statement.partition(mark)
        if rest and len(head) >= 30:
            return head
    return statement.rstrip(".")


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 2].rsplit(' ', 1)[0].rstrip(',;')} …"


BRIEF, BRIEFER, BRIEFEST = 1, 2, 3
_LENGTHS = {BRIEF: (70, 200, 200), BRIEFER: (40, 60, 60), BRIEFEST: (30, 40, 50)}
"""By how brief a citation is, the characters of its statement, of its locator and of the title of its source."""


def cite(library: Library, records: Iterable[Fact | Claim], *, brief: int = 0) -> list[Citation]:
    """Return one citation a fact or claim, in order; a source that comes again carries only its title and link.

    Brief ones have the head of the statement, at most 70 characters of it, and a source without authors and licence; one
    that comes again has its title alone. Briefer ones have 40 characters of it and 60 of locator and title. The briefest have 30
    characters of it, 40 of the locator and 50 of the title, and no link.
    A claim is cited with the article that makes it, and with its primary source where no fact of that source is cited.
    """
    citations: dict[str, Citation] = {}
    told: set[str] = set()

    def add(cited_id: str, statement: str, printed: str | None, locator: str | None, source_id: str) -> None:
        first = source_id not in told
        told.add(source_id)
        if (known := library.citations.get((cited_id, first, brief))) is not None:
            citations[cited_id] = known
            return
        source = library.source(source_id)
        cited = CitedSource(
            title=_short(source.title, _LENGTHS[brief][2]) if brief else source.title,
            authors=source.authors or source.producer if first and not brief else None,
            published=source.published if first else None,
            url=source.url if not brief or (first and brief < BRIEFEST) else None,
            licence=source.licence if first and not brief else None,
        )
        citations[cited_id] = library.citations[(cited_id, first, brief)] = Citation(
            fact_id=cited_id,
            statement=_short(head_of(statement), _LENGTHS[brief][0]) if brief else statement,
            printed=printed,
            locator=_short(locator, _LENGTHS[brief][1]) if brief and locator else locator,
            source=cited,
        )

    listed = list(records)
    remembered = library.citations
    for record in listed:
        cited_id, source_id = record.id, record.source
        if cited_id in citations:
            continue
        if (known := remembered.get((cited_id, source_id not in told, brief))) is not None:
            citations[cited_id] = known
            told.add(source_id)
        else:
            add(cited_id, record.statement, record.printed, record.locator, source_id)
    for claim in listed:
        if isinstance(claim, Claim) and claim.primary and claim.primary.source and claim.primary.source not in told:
            add(f"{claim.id}#primary", claim.primary.figure or "The primary source of this claim.", claim.primary.figure, claim.primary.locator, claim.primary.source)
    return list(citations.values())
