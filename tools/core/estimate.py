"""What every tool returns, and how a tool builds it.

A tool collects its inputs in a ``Derivation`` (given by the caller, defaults, facts),
adds its formulas as steps, and names the steps that are results. The derivation
evaluates the steps, spreads the uncertainty of the inputs through them, and keeps
for each number where it comes from. The result is an ``Estimate``: the same in
Python, JSON and every protocol.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from kilowhat.tools.core.expression import Formula
from kilowhat.tools.core.reference import Fact, Library
from kilowhat.tools.core.spread import Interval, spread
from kilowhat.tools.core.tool import Arguments, filled, ref
from kilowhat.tools.core.units import NUMBER, Quantity, canonical_unit, conversion_factor, format_number, format_quantity, format_range, parse_unit, readable

METHOD_VERSION = "1"
"""Changes when a formula or a default rule changes a number."""

MAXIMUM_TEXT = 1200
MAXIMUM_ALTERNATIVES = 5


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


class Derivation:
    """The inputs and steps of one estimate, in the order in which a reader meets them."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.inputs: dict[str, Input] = {}
        self.formulas: dict[str, Formula] = {}
        self.facts: list[Fact] = []
        self.assumptions: list[str] = []
        self.warnings: list[Warning] = []
        self.alternatives: list[Alternative] = []
        self.results: list[dict[str, Any]] = []
        self.verdict: Verdict | None = None
        self._published_ranges: list[str] = []

    def given(self, name: str, value: float, unit: str, *, low: float | None = None, high: float | None = None) -> None:
        """Add an input that the caller told."""
        self.inputs[name] = Input(name=name, value=value, low=low, high=high, unit=unit, origin="given")

    def default(self, name: str, value: float, unit: str, assumption: str | None = None) -> None:
        """Add an input that the caller left out, with the sentence that says what was assumed."""
        self.inputs[name] = Input(name=name, value=value, unit=unit, origin="default")
        if assumption:
            self.assumptions.append(assumption)

    def fact(self, name: str, fact: Fact, unit: str, *, origin: Literal["default", "fact"] = "fact") -> None:
        """Add an input that a published figure gives, and cite it."""
        quantity = fact.in_unit(unit)
        ranged = quantity.low is not None and quantity.high is not None and 0 < quantity.low <= quantity.value <= quantity.high
        self.inputs[name] = Input(name=name, value=quantity.value, low=quantity.low if ranged else None, high=quantity.high if ranged else None, unit=unit, origin=origin, fact_id=fact.id)
        if ranged:
            self._published_ranges.append(name)
        self.cite(fact)

    def quantity(self, name: str, quantity: Quantity, unit: str, facts: Sequence[Fact] = ()) -> None:
        """Add an input that comes as a quantity: a text, a fact or another estimate."""
        moved = quantity.to(unit)
        self.inputs[name] = Input(name=name, value=moved.value, low=moved.low, high=moved.high, unit=unit, origin="derived" if facts else "given", fact_id=facts[0].id if len(facts) == 1 else None)
        for fact in facts:
            self.cite(fact)

    def cite(self, fact: Fact) -> None:
        """Cite a fact without calculating from it."""
        if all(known.id != fact.id for known in self.facts):
            self.facts.append(fact)

    def step(self, formula: Formula) -> None:
        """Add a formula over the inputs and steps so far."""
        self.formulas[formula.name] = formula

    def assume(self, sentence: str) -> None:
        """Say what was assumed."""
        self.assumptions.append(sentence)

    def warn(self, code: str, message: str) -> None:
        """Say what a reader must know before using the number."""
        self.warnings.append(Warning(code=code, message=message))

    def alternative(self, fact: Fact, *, label: str | None = None, scale: float = 1.0, unit: str | None = None) -> None:
        """List another published figure, scaled to the call, and cite it; the first five are kept."""
        if len(self.alternatives) >= MAXIMUM_ALTERNATIVES:
            return
        self.cite(fact)
        shown = fact.quantity if unit is None else fact.in_unit(unit)
        self.alternatives.append(
            Alternative(
                label=label or fact.statement,
                value=None if fact.value is None else shown.value * scale,
                low=None if shown.low is None else shown.low * scale,
                high=None if shown.high is None else shown.high * scale,
                unit=unit or fact.unit,
                boundary=fact.scope.get("boundary"),
                as_of=fact.as_of,
                fact_id=fact.id,
            )
        )

    def result(self, name: str, quantity: str, label: str, *, boundary: str | None = None, as_of: str | None = None, interval: str | None = None, unit: str | None = None) -> None:
        """Name a step or an input as a result; the first one is the headline.

        A number of things has the things as ``unit`` (phone charges) and ``count`` as quantity.
        """
        self.results.append({"name": name, "quantity": quantity, "label": label, "boundary": boundary, "as_of": as_of, "interval": interval, "unit": unit})

    def evaluate(self) -> dict[str, Interval]:
        """Return every input and step with its 80 % interval."""
        formulas = list(self.formulas.values())

        def chain(values: Mapping[str, float]) -> Mapping[str, float]:
            found = dict(values)
            for formula in formulas:
                found[formula.name] = formula.of(found)
            return found

        values = {name: entry.value for name, entry in self.inputs.items()}
        uncertain = {name: (entry.low, entry.high) for name, entry in self.inputs.items() if entry.low is not None and entry.high is not None and entry.low < entry.high}
        return spread(chain, values, uncertain)

    def _interval(self, name: str, *, exact: bool) -> str:
        """Return what the ends of a result are, from the inputs that it depends on."""
        needed, open_names = set[str](), [name]
        while open_names:
            current = open_names.pop()
            if current in self.formulas:
                open_names += self.formulas[current].inputs
            else:
                needed.add(current)
        entries = [self.inputs[needed_name] for needed_name in needed]
        if exact:
            return "as published, without a range" if any(entry.fact_id for entry in entries) else "exact for the given inputs"
        uncertain = [entry.name for entry in entries if entry.low is not None and entry.low != entry.high]
        return "published range" if len(uncertain) == 1 and uncertain[0] in self._published_ranges else "80%"

    def estimate(self, tool: str, arguments: Arguments, about: str) -> Estimate:
        """Return the finished estimate.

        Args:
            tool: Name of the tool.
            arguments: The call as validated.
            about: What was estimated, in a few words: the text starts with it.
        """
        found = self.evaluate()
        units = {name: entry.unit for name, entry in self.inputs.items()} | {name: formula.unit for name, formula in self.formulas.items()}
        results = []
        for told in self.results:
            interval, unit = found[told["name"]], units[told["name"]]
            canonical = canonical_unit(parse_unit(unit).dimension) or unit
            if parse_unit(unit).dimension == NUMBER:
                canonical = unit
            scale = conversion_factor(unit, canonical)
            exact = interval.low == interval.value == interval.high
            results.append(
                Result(
                    quantity=told["quantity"],
                    label=told["label"],
                    value=_clean(interval.value * scale),
                    low=_clean(interval.low * scale),
                    high=_clean(interval.high * scale),
                    unit=told["unit"] or canonical,
                    interval=told["interval"] or self._interval(told["name"], exact=exact),
                    boundary=told["boundary"],
                    as_of=told["as_of"],
                )
            )
        steps = [Step(name=formula.name, expression=formula.expression, value=_clean(found[formula.name].value), unit=formula.unit) for formula in self.formulas.values()]
        citations = cite(self.library, self.facts)
        return Estimate(
            tool=tool,
            arguments=filled(arguments),
            ref=ref(tool, arguments),
            text=write_text(about, results, self.assumptions, self.warnings, self.alternatives, citations, self.verdict),
            results=results,
            verdict=self.verdict,
            inputs=list(self.inputs.values()),
            steps=steps,
            alternatives=self.alternatives,
            citations=citations,
            assumptions=self.assumptions,
            warnings=self.warnings,
            method_version=METHOD_VERSION,
            data_version=self.library.version,
        )


def _clean(value: float) -> float:
    """Return a number without the dust that binary fractions leave behind its twelfth digit."""
    return float(f"{value:.12g}")


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
