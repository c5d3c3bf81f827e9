"""What ``ask`` returns: the answer as text, and everything it rests on.

The same form on every surface: Python, the shell's ``--json`` and HTTP.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from kilowhat.tools.core.estimate import CitedSource, Estimate, Result, Warning

Outcome = Literal["answered", "needs_input", "declined"]


class ToolCall(BaseModel):
    """A tool that was run for the answer; ``error`` in place of ``estimate`` where it refused."""

    model_config = ConfigDict(frozen=True)

    name: str
    arguments: dict[str, Any]
    estimate: Estimate | None = None
    error: dict[str, Any] | None = None


class NumberedCitation(BaseModel):
    """A footnote of the answer."""

    model_config = ConfigDict(frozen=True)

    number: int
    fact_id: str
    statement: str
    printed: str | None
    locator: str | None
    source: CitedSource


class Reply(BaseModel):
    """The answer to a question.

    ``results`` are in the unit that was asked, the headline first; ``text`` is Markdown
    with footnotes ``[1]`` that ``citations`` number.
    """

    model_config = ConfigDict(frozen=True)

    outcome: Outcome
    language: str
    text: str
    verdict: Literal["true", "mostly true", "misleading", "outdated", "false", "unsupported"] | None = None
    results: list[Result] = []
    tool_calls: list[ToolCall] = []
    citations: list[NumberedCitation] = []
    assumptions: list[str] = []
    warnings: list[Warning] = []


def number_citations(calls: list[ToolCall]) -> list[NumberedCitation]:
    """Return the citations of all calls, numbered from 1 in order of first use, each once."""
    seen: dict[str, NumberedCitation] = {}
    for call in calls:
        for citation in call.estimate.citations if call.estimate else ():
            if citation.fact_id not in seen:
                seen[citation.fact_id] = NumberedCitation(number=len(seen) + 1, **dict(citation))
    return list(seen.values())
