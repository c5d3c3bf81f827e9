"""How a tool builds its estimate: inputs with their origin, formulas as steps, results.

A tool collects its inputs (given by the caller, defaults, facts), adds its formulas as steps,
and names the steps that are results. The derivation evaluates the steps, spreads the
uncertainty of the inputs through them, and keeps for each number where it comes from.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from itertools import repeat
from math import isfinite
from typing import Any, Literal

from kilowhat.tools.core.errors import InvalidArguments
from kilowhat.tools.core.estimate import BRIEFER, BRIEFEST, METHOD_VERSION, Alternative, Citation, Estimate, Input, Result, Step, Verdict, Warning, citation_size, cite, head_of, json_size
from kilowhat.tools.core.expression import Formula, chain
from kilowhat.tools.core.reference import MAXIMUM_REMEMBERED, Claim, Fact, Library
from kilowhat.tools.core.spread import Interval, spread_steps
from kilowhat.tools.core.text import MAXIMUM_TEXT, describe_results, write_text
from kilowhat.tools.core.tool import Arguments, filled, ref_of
from kilowhat.tools.core.units import NUMBER, Quantity, canonical_unit, conversion_factor, parse_unit, spelled

MAXIMUM_BYTES = 8192
"""An estimate as JSON is at most so long; what would exceed it is left out, alternatives first."""

MAXIMUM_ALTERNATIVES = 5
Origin = Literal["given", "default", "fact", "derived"]
KEPT_ALTERNATIVES = 2
SHORT_TEXT = 480
TEXT_WITHOUT_SOURCES = 300


class Derivation:
    """The inputs and steps of one estimate, in the order in which a reader meets them."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.inputs: dict[str, Input] = {}
        self.formulas: dict[str, Formula] = {}
        self.facts: list[Fact | Claim] = []
        self.assumptions: list[str] = []
        self.warnings: list[Warning] = []
        self.alternatives: list[Alternative] = []
        self.results: list[dict[str, Any]] = []
        self.verdict: Verdict | None = None
        self._published_ranges: list[str] = []
        self._left_out = 0
        self._bounds: dict[str, tuple[float, float]] = {}
        self._evaluated: tuple[tuple[object, ...], dict[str, Interval]] | None = None
        self.text_room = MAXIMUM_TEXT
        self.brief = 0

    def _add(self, name: str, value: float, low: float | None, high: float | None, unit: str, origin: Origin, fact_id: str | None) -> None:
        self.inputs[name] = Input.of(
            {
                "name": name,
                "value": float(value),
                "low": None if low is None else float(low),
                "high": None if high is None else float(high),
                "unit": spelled(unit),
                "origin": origin,
                "fact_id": fact_id,
            }
        )

    def widen(self, name: str, low: float, high: float, *, published: bool = False) -> None:
        """Give an input the ends of its 80 % interval, or of a published range."""
        entry = self.inputs[name]
        if published:
            self._published_ranges.append(name)
        self._add(name, entry.value, low, high, entry.unit, entry.origin, entry.fact_id)

    def given(self, name: str, value: float, unit: str, *, low: float | None = None, high: float | None = None) -> None:
        """Add an input that the caller told."""
        self._add(name, value, low, high, unit, "given", None)

    def default(self, name: str, value: float, unit: str, assumption: str | None = None, *, low: float | None = None, high: float | None = None, fact: Fact | None = None) -> None:
        """Add an input that the caller left out, with the sentence that says what was assumed, and the fact of ours it is."""
        self._add(name, value, low, high, unit, "default", fact.id if fact else None)
        if assumption:
            self.assumptions.append(assumption)

    def fact(self, name: str, fact: Fact, unit: str, *, origin: Literal["default", "fact"] = "fact") -> None:
        """Add an input that a published figure gives, and cite it."""
        entry = self.inputs[name] = self.library.inputs.get((name, fact.id, unit, origin)) or self._published(name, fact, unit, origin)
        if entry.low is not None:
            self._published_ranges.append(name)
        self.cite(fact)

    def _published(self, name: str, fact: Fact, unit: str, origin: Origin) -> Input:
        """Return a published figure as an input, with its range where that is one, and remember it: it is the same in every estimate."""
        quantity = fact.in_unit(unit)
        ranged = origin != "derived" and quantity.low is not None and quantity.high is not None and 0 < quantity.low <= quantity.value <= quantity.high
        self._add(name, quantity.value, quantity.low if ranged else None, quantity.high if ranged else None, unit, origin, fact.id)
        if len(self.library.inputs) < MAXIMUM_REMEMBERED:
            self.library.inputs[(name, fact.id, unit, origin)] = self.inputs[name]
        return self.inputs[name]

    def constant(self, name: str, fact: Fact, unit: str) -> None:
        """Add a constant of ours whose spread is in the error of the whole formula, which is cited for all of them."""
        self.inputs[name] = self.library.inputs.get((name, fact.id, unit, "derived")) or self._published(name, fact, unit, "derived")

    def quantity(self, name: str, quantity: Quantity, unit: str, facts: Sequence[Fact] = ()) -> None:
        """Add an input that comes as a quantity: a text, a fact or another estimate."""
        moved = quantity.to(unit)
        self._add(name, moved.value, moved.low, moved.high, unit, "derived" if facts else "given", facts[0].id if len(facts) == 1 else None)
        for fact in facts:
            self.cite(fact)

    def cite(self, fact: Fact | Claim) -> None:
        """Cite a fact or a claim without calculating from it."""
        for known in self.facts:
            if known.id == fact.id:
                return
        self.facts.append(fact)

    def step(self, formula: Formula) -> None:
        """Add a formula over the inputs and steps so far."""
        self.formulas[formula.name] = formula

    def bound(self, name: str, low: float, high: float) -> None:
        """Give a step the ends of its 80 % interval, where effects added in log space would leave what it can be: a difference, a share."""
        self._bounds[name] = (low, high)

    def assume(self, sentence: str) -> None:
        """Say what was assumed."""
        self.assumptions.append(sentence)

    def warn(self, code: str, message: str) -> None:
        """Say what a reader must know before using the number."""
        self.warnings.append(Warning(code=code, message=message))

    def alternative(self, fact: Fact, *, label: str | None = None, scale: float = 1.0, unit: str | None = None, scaled_unit: str | None = None) -> None:
        """List another published figure, scaled to the call, and cite it; the first five are kept.

        ``scaled_unit`` names the unit after scaling where the scale has one: an intensity times an energy is emissions.
        """
        if len(self.alternatives) >= MAXIMUM_ALTERNATIVES:
            return
        self.cite(fact)
        shown = fact.quantity if unit is None else fact.in_unit(unit)
        self.alternatives.append(
            Alternative.of(
                {
                    "label": label or head_of(fact.statement),
                    "value": None if fact.value is None else shown.value * scale,
                    "low": None if shown.low is None else shown.low * scale,
                    "high": None if shown.high is None else shown.high * scale,
                    "unit": spelled(scaled_unit or unit or fact.unit),
                    "boundary": fact.scope.get("boundary"),
                    "as_of": fact.as_of,
                    "fact_id": fact.id,
                }
            )
        )

    def result(
        self, name: str, quantity: str, label: str, *, boundary: str | None = None, as_of: str | None = None, interval: str | None = None, unit: str | None = None, keep_unit: bool = False
    ) -> None:
        """Name a step or an input as a result; the first one is the headline.

        A number of things has the things as ``unit`` (phone charges) and ``count`` as quantity.
        ``keep_unit`` leaves the result in the step's own unit, where the caller asked for that one.
        """
        self.results.append({"name": name, "quantity": quantity, "label": label, "boundary": boundary, "as_of": as_of, "interval": interval, "unit": unit, "keep_unit": keep_unit})

    def evaluate(self, wanted: Collection[str] | None = None) -> dict[str, Interval]:
        """Return every input and step with its 80 % interval, or with that of the wanted ones alone."""
        steps = chain(self.formulas.values())
        values = {name: entry.value for name, entry in self.inputs.items()}
        uncertain = {name: (entry.low, entry.high) for name, entry in self.inputs.items() if entry.low is not None and entry.high is not None and entry.low < entry.high}
        found = spread_steps(steps, values, uncertain, steps.results if wanted is None else wanted)
        for name, value in values.items():
            if (wanted is None or name in wanted) and name not in found:
                low, high = uncertain.get(name, (value, value))
                found[name] = Interval(value, low, high) if 0 < low <= value <= high else Interval(value, value, value)
        for name, (low, high) in self._bounds.items():
            if name in found:
                found[name] = Interval(found[name].value, min(low, found[name].value), max(high, found[name].value))
        return found

    def evaluate_results(self) -> dict[str, Interval]:
        """Return the results with their 80 % intervals; evaluated once as long as no input, step, bound or result is added."""
        state = (*self.inputs.values(), *self.formulas.values(), *self._bounds.values(), *(told["name"] for told in self.results))
        if self._evaluated is None or len(state) != len(self._evaluated[0]) or any(one is not other for one, other in zip(state, self._evaluated[0], strict=True)):
            self._evaluated = (state, self.evaluate({told["name"] for told in self.results}))
        return self._evaluated[1]

    def _interval(self, name: str, origins: Mapping[str, Collection[str]], *, exact: bool) -> str:
        """Return what the ends of a result are, from the inputs that it depends on."""
        entries = [self.inputs[needed] for needed in origins.get(name, (name,))]
        if exact:
            return "as published, without a range" if any(entry.fact_id for entry in entries) else "exact for the given inputs"
        uncertain = [entry.name for entry in entries if entry.low is not None and entry.low != entry.high]
        return "published range" if len(uncertain) == 1 and uncertain[0] in self._published_ranges else "80%"

    def _is_of_grid(self, name: str, origins: Mapping[str, Collection[str]]) -> bool:
        """Return whether the range of a result is that of carbon intensities alone, while it rests on other figures too."""
        entries = [self.inputs[needed] for needed in origins.get(name, (name,))]
        ranged = [entry for entry in entries if entry.low != entry.high]
        return 0 < len(ranged) < len(entries) and all(entry.unit == "kg CO2e/kWh" for entry in ranged)

    def estimate(self, tool: str, arguments: Arguments, about: str) -> Estimate:
        """Return the finished estimate.

        Args:
            tool: Name of the tool.
            arguments: The call as validated.
            about: What was estimated, in a few words: the text starts with it.
        """
        found = self.evaluate_results()
        origins = chain(self.formulas.values()).origins
        units = {name: entry.unit for name, entry in self.inputs.items()} | {name: formula.unit for name, formula in self.formulas.items()}
        results = []
        for told in self.results:
            interval, unit = found[told["name"]], units[told["name"]]
            canonical = canonical_unit(parse_unit(unit).dimension) or unit
            if told["keep_unit"] or parse_unit(unit).dimension == NUMBER:
                canonical = unit
            scale = conversion_factor(unit, canonical)
            exact = interval.low == interval.value == interval.high
            results.append(
                Result.of(
                    {
                        "quantity": told["quantity"],
                        "label": told["label"],
                        "value": _clean(interval.value * scale),
                        "low": _clean(interval.low * scale),
                        "high": _clean(interval.high * scale),
                        "unit": spelled(told["unit"] or canonical),
                        "interval": told["interval"] or self._interval(told["name"], origins, exact=exact),
                        "boundary": told["boundary"],
                        "as_of": told["as_of"],
                    }
                )
            )
        steps = [Step.of({"name": formula.name, "expression": formula.expression, "value": _clean(found[formula.name].value), "unit": spelled(formula.unit)}) for formula in self.formulas.values()]
        validated = filled(arguments)
        fixed: dict[str, Any] = {
            "tool": tool,
            "arguments": validated,
            "ref": ref_of(tool, arguments, validated),
            "text": "",
            "results": results,
            "verdict": self.verdict,
            "inputs": list(self.inputs.values()),
            "steps": steps,
            "alternatives": [],
            "citations": [],
            "assumptions": list(self.assumptions),
            "warnings": [],
            "method_version": METHOD_VERSION,
            "data_version": self.library.version,
        }
        lines = describe_results(about, results, self.verdict, [position for position, told in enumerate(self.results) if told["quantity"] == "emissions" and self._is_of_grid(told["name"], origins)])
        bare = Estimate.of(fixed)
        citations, text = self._fitted(lines, MAXIMUM_BYTES - json_size(bare))
        return Estimate.of(fixed | {"text": text, "alternatives": list(self.alternatives), "citations": citations, "warnings": list(self.warnings)})

    def _fitted(self, lines: Sequence[str], room: int) -> tuple[list[Citation], str]:
        """Return the citations and the text that fit into so many bytes, with alternatives and warnings."""
        alternatives = [*map(json_size, self.alternatives)]  # left out from the end
        while True:
            citations = cite(self.library, self.facts, brief=self.brief)
            sizes = [*map(citation_size, repeat(self.library), citations), *alternatives[: len(self.alternatives)], *map(json_size, self.warnings)]
            left = room - len(sizes) - sum(sizes)
            if left >= min(SHORT_TEXT, self.text_room) or (left >= TEXT_WITHOUT_SOURCES and self.brief and not self.alternatives) or not self._leave_out():
                break
        maximum = min(self.text_room, left)
        while True:
            named = citations if maximum > TEXT_WITHOUT_SOURCES else ()
            text = write_text(lines, self.assumptions, self.warnings, self.alternatives, named, maximum=maximum)
            excess = len(json.dumps(text, ensure_ascii=False).encode()) - 2 - left
            if excess <= 0 or maximum < 0:
                return citations, text
            maximum -= excess

    def _leave_out(self) -> bool:
        """Leave out what an estimate that is too long can best do without, and return whether there was anything.

        First alternatives beyond the second; then the last citation that no input takes alone (a mention, or one of several
        behind a chained quantity), which a warning counts; then the ends of statements, of locators and titles, authors and licences;
        then the other alternatives; then links, and most of statements and locators, which the fact itself holds. Lines of the text that stand in their own fields too go as there is need.
        """
        needed = {entry.fact_id for entry in self.inputs.values()}
        if len(self.alternatives) > KEPT_ALTERNATIVES:
            return self._leave_out_alternative(needed)
        rivals = {other.fact_id for other in self.alternatives}
        spare = [fact for fact in self.facts if fact.id not in needed and fact.id not in rivals]
        if spare:
            self.facts.remove(spare[-1])
            self._left_out += 1
            self.warnings = [warning for warning in self.warnings if warning.code != "citations_left_out"]
            self.warn("citations_left_out", f"{self._left_out} more facts are behind this, left out for length.")
            return True
        if self.brief < BRIEFER:
            self.brief += 1
            return True
        if self.alternatives:
            return self._leave_out_alternative(needed)
        self.brief, before = BRIEFEST, self.brief
        return before < BRIEFEST

    def _leave_out_alternative(self, needed: Collection[str | None]) -> bool:
        left_out = self.alternatives.pop()
        self.facts = [fact for fact in self.facts if fact.id != left_out.fact_id or fact.id in needed]
        return True


def _clean(value: float) -> float:
    """Return a number without the dust that binary fractions leave behind its twelfth digit.

    Raises:
        InvalidArguments: where it is none (``invalid_arguments``): the inputs are so large or small that a step has no value.
    """
    if not isfinite(value):
        raise InvalidArguments("These numbers are too large or too small to calculate with: a step of the derivation has no finite value.")
    return float(f"{value:.12g}")
