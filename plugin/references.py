"""Facts, claims and sources as JSON, the same on every surface that shows them by id."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from kilowhat.tools import Library
from kilowhat.tools.core.errors import UnknownName
from kilowhat.tools.core.reference import Claim, Fact


def cited(fact_id: str) -> dict[str, Any]:
    """Return what a footnote names, with its source: a fact; or a claim, which also tells its primary source.

    Args:
        fact_id: As a citation has it: the id of a fact or claim, or a claim's with ``#primary``.

    Raises:
        UnknownName: with the nearest ids, where there is none (``unknown_name``).
    """
    library = Library.load()
    claim_id = fact_id.removesuffix("#primary")
    return claim(claim_id) if claim_id in library.claims else _with_source("fact", library.fact(fact_id))


def claim(claim_id: str) -> dict[str, Any]:
    """Return a claim of the press with our verdict and its source.

    Raises:
        UnknownName: with the nearest ids, where there is none (``unknown_name``).
    """
    return _with_source("claim", Library.load().claim(claim_id))


def source(source_id: str) -> dict[str, Any]:
    """Return a source with what was taken from it, each fact and claim by its id and statement.

    Raises:
        UnknownName: with the nearest ids, where there is none (``unknown_name``).
    """
    library = Library.load()
    if source_id not in library.sources:
        nearest = get_close_matches(source_id[:80], library.sources, n=3, cutoff=0.4)
        raise UnknownName(f"There is no source {source_id[:80]!r}.", field="id", nearest=nearest)
    facts = {fact.id: fact.statement for fact in library.from_source(source_id)}
    claims = {claim.id: claim.statement for claim in map(library.claim, library.claims) if claim.source == source_id}
    return {"source": library.source(source_id).model_dump(mode="json"), "facts": facts, "claims": claims}


def _with_source(kind: str, record: Fact | Claim) -> dict[str, Any]:
    return {kind: record.model_dump(mode="json", by_alias=True), "source": Library.load().source(record.source).model_dump(mode="json")}
