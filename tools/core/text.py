"""An estimate as at most 1,200 characters for a model or a person to read."""

from __future__ import annotations

from collections.abc import Sequence

from kilowhat.tools.core.estimate import Alternative, Citation, Result, Verdict, Warning, as_quantity
from kilowhat.tools.core.units import NUMBER, Quantity, format_number, format_quantity, format_range, readable

MAXIMUM_TEXT = 1200


def describe(result: Result) -> str:
    """Return a result as words: the value in a readable unit, and its range.

    A plain count keeps its own unit; energy, emissions, water and power are scaled.
    """
    quantity = as_quantity(result)
    scaled = quantity.dimension != NUMBER
    value = format_quantity(quantity) if scaled else f"{format_number(result.value)} {result.unit}".replace(" ratio", "").strip()
    if result.low == result.value == result.high:
        return value
    within = format_range(quantity) if scaled else f"{format_number(result.low or 0, 2)} to {format_number(result.high or 0, 2)}"
    kind = "published range" if result.interval == "published range" else "80 % range"
    return f"{value} ({kind} {within})" if within else value


def describe_alternative(other: Alternative) -> str:
    """Return another published figure as words, in a readable unit."""
    shown = readable(Quantity(other.value if other.value is not None else other.low or 0.0, other.unit, other.low, other.high))
    if other.value is not None:
        return f"{format_number(shown.value, 3)} {shown.unit}"
    return f"{format_number(shown.low or 0, 2)} to {format_number(shown.high or 0, 2)} {shown.unit}"


def write_text(
    about: str,
    results: Sequence[Result],
    assumptions: Sequence[str],
    warnings: Sequence[Warning],
    alternatives: Sequence[Alternative],
    citations: Sequence[Citation],
    verdict: Verdict | None,
) -> str:
    """Return the estimate as at most 1,200 characters: headline, range, boundary, assumptions, footnote ids."""
    lines = []
    if verdict:
        lines.append(f"Verdict: {verdict.verdict}.")
    if results:
        head = results[0]
        lines.append(f"{about}: {describe(head)}" + (f", {head.label}" if head.label else "") + ".")
        lines += [f"{other.label[:1].upper()}{other.label[1:]}: {describe(other)}." for other in results[1:6]]
        if head.boundary:
            lines.append(f"Boundary: {head.boundary}.")
    else:
        lines.append(f"{about}.")
    sources = "Sources: " + " ".join(f"[{citation.fact_id}]" for citation in citations) if citations else ""
    room = MAXIMUM_TEXT - len(sources) - 1
    assumed = [f"Assumed: {sentence}" for sentence in assumptions]
    others = [f"Other figure: {describe_alternative(other)} ({other.label.rstrip('.')}) [{other.fact_id}]." for other in alternatives]
    optional = [*assumed[:1], *others[:1], *[f"Note: {warning.message}" for warning in warnings], *assumed[1:], *others[1:]]
    text = "\n".join(lines)[:room]
    for line in optional:
        if len(text) + 1 + len(line) <= room:
            text += "\n" + line
    return f"{text}\n{sources}".strip()
