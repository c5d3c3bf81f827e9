"""An estimate as at most 1,200 characters for a model or a person to read."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from kilowhat.tools.core.estimate import Alternative, Citation, Result, Verdict, Warning, as_quantity
from kilowhat.tools.core.units import NUMBER, Quantity, format_number, readable, shown_digits

MAXIMUM_TEXT = 1200


def describe(result: Result, *, of_grid: bool = False) -> str:
    """Return a result as words: the value in a readable unit, and its range, which may be that of the grid alone.

    A plain count keeps its own unit; energy, emissions, water and power are scaled.
    """
    quantity = as_quantity(result)
    scaled = quantity.dimension != NUMBER
    quantity = readable(quantity) if scaled else quantity
    digits = shown_digits(quantity)
    value = f"{format_number(quantity.value, digits[0])} {quantity.unit}".strip() if scaled else f"{format_number(result.value)} {result.unit}".replace(" ratio", "").strip()
    if result.low == result.value == result.high or quantity.low is None or quantity.high is None:
        return value
    low, high = format_number(quantity.low, digits[1]), format_number(quantity.high, digits[1])
    within = f"{low} to {high} {quantity.unit if scaled else ''}".strip() if low != high else ""
    kind = "published range" if result.interval == "published range" else "80 % range of the grid alone" if of_grid else "80 % range"
    return f"{value} ({kind} {within})" if within else value


def number_of(number: float, thing: str, digits: int = 9) -> str:
    """Return a number of things, one of which is one.

    >>> number_of(1, "request"), number_of(2500, "request")
    ('1 request', '2,500 requests')
    """
    return f"{format_number(number, digits)} {thing}{'' if number == 1 else 's'}"


def ends_of(low: float, high: float) -> tuple[str, str]:
    """Return the ends of a range with two digits, or with as many, up to four, as tell them apart.

    >>> ends_of(0.756, 11.49), ends_of(14.13, 14.37)
    (('0.76', '11'), ('14.1', '14.4'))
    """
    for digits in (2, 3):
        if (ends := (format_number(low, digits), format_number(high, digits)))[0] != ends[1]:
            return ends
    return format_number(low, 4), format_number(high, 4)


def describe_alternative(other: Alternative) -> str:
    """Return another published figure as words, in a readable unit."""
    shown = readable(Quantity(other.value if other.value is not None else other.low or 0.0, other.unit, other.low, other.high))
    if other.value is not None:
        return f"{format_number(shown.value, 3)} {shown.unit}"
    return f"{' to '.join(ends_of(shown.low or 0, shown.high or 0))} {shown.unit}"


def describe_results(about: str, results: Sequence[Result], verdict: Verdict | None, of_grid: Collection[int] = ()) -> list[str]:
    """Return the lines that say what was found: verdict, headline with its range, other results, boundary.

    Args:
        about: What was estimated, in a few words.
        results: What was found, the headline first.
        verdict: What became of a claim.
        of_grid: The positions of results whose range is that of the grid alone.
    """
    lines = []
    if verdict:
        off = f", off by a factor of {format_number(verdict.factor)}" if verdict.factor is not None and verdict.factor > 1.005 else ""
        lines.append(f"Verdict: {verdict.verdict}{off}." + (f" What would explain it: {verdict.slip}." if verdict.slip else ""))
    if results:
        head = results[0]
        lines.append(f"{about}: {describe(head, of_grid=0 in of_grid)}" + (f", {head.label}" if head.label else "") + ".")
        lines += [f"{other.label[:1].upper()}{other.label[1:]}: {describe(other, of_grid=position in of_grid)}." for position, other in enumerate(results[1:6], 1)]
        if head.boundary:
            lines.append(f"Boundary: {head.boundary}.")
    else:
        lines.append(f"{about}.")
    return lines


def write_text(
    lines: Sequence[str],
    assumptions: Sequence[str],
    warnings: Sequence[Warning],
    alternatives: Sequence[Alternative],
    citations: Sequence[Citation],
    maximum: int = MAXIMUM_TEXT,
) -> str:
    """Return the estimate as at most 1,200 characters, or fewer: what was found, assumptions, other figures, footnote ids."""
    sources = "Sources: " + " ".join(f"[{citation.fact_id}]" for citation in citations) if citations else ""
    room = maximum - len(sources) - 1
    assumed = [f"Assumed: {sentence}" for sentence in assumptions]
    others = [f"Other figure: {describe_alternative(other)} ({other.label.rstrip('.')}) [{other.fact_id}]." for other in alternatives]
    optional = [*assumed[:1], *others[:1], *[f"Note: {warning.message}" for warning in warnings], *assumed[1:], *others[1:]]
    text = lines[0][: MAXIMUM_TEXT - len(sources) - 1]
    for line in [*lines[1:], *optional]:
        if len(text) + 1 + len(line) <= room:
            text += "\n" + line
    return f"{text}\n{sources}".strip()
