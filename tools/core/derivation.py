"""How a tool builds its estimate: inputs with their origin, formulas as steps, results.

A tool collects its inputs (given by the caller, defaults, facts), adds its formulas as steps,
and names the steps that are results. The derivation evaluates the steps, spreads the
uncertainty of the inputs through them, and keeps for each number where it comes from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from kilowhat.tools.core.estimate import METHOD_VERSION, Alternative, Estimate, Input, Result, Step, Verdict, Warning, cite
from kilowhat.tools.core.expression import Formula
from kilowhat.tools.core.reference import Fact, Library
from kilowhat.tools.core.spread import Interval, spread
from kilowhat.tools.core.text import write_text
from kilowhat.tools.core.tool import Arguments, filled, ref
from kilowhat.tools.core.units import NUMBER, Quantity, canonical_unit, conversion_factor, parse_unit

MAXIMUM_BYTES = 8192
"""An estimate as JSON is at most so long; alternatives that would exceed it are left out, the last first."""

MAXIMUM_ALTERNATIVES = 5


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
                label=label or head_of(fact.statement),
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
        estimate = self._finished(tool, arguments, about, results, steps)
        while self.alternatives and len(estimate.model_dump_json().encode()) > MAXIMUM_BYTES:
            left_out = self.alternatives.pop()
            needed = {entry.fact_id for entry in self.inputs.values()}
            self.facts = [fact for fact in self.facts if fact.id != left_out.fact_id or fact.id in needed]
            estimate = self._finished(tool, arguments, about, results, steps)
        return estimate

    def _finished(self, tool: str, arguments: Arguments, about: str, results: list[Result], steps: list[Step]) -> Estimate:
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
            alternatives=list(self.alternatives),
            citations=citations,
            assumptions=self.assumptions,
            warnings=self.warnings,
            method_version=METHOD_VERSION,
            data_version=self.library.version,
        )


def head_of(statement: str) -> str:
    """Return the first part of a statement: what was found, without the conditions behind a colon or semicolon."""
    for mark in ("; ", ": "):
        head, _, rest = statement.partition(mark)
        if rest and len(head) >= 30:
            return head
    return statement.rstrip(".")


def _clean(value: float) -> float:
    """Return a number without the dust that binary fractions leave behind its twelfth digit."""
    return float(f"{value:.12g}")
