"""A claim checked: recomputed from its inputs, off by which factor, by which slip of units, and what the source says.

**Formula**: factor = larger / smaller of the stated and the recomputed or published figure; true within 5 %, mostly true within 20 % or
inside the range of the recomputed figure, else false. A bound (> 2 L) is true where the whole range of the recomputed
figure keeps it, mostly true where the figure itself does, unsupported where only a part of the range does, else false. A denial
(≠ 2 L) is true where the figure is false, and false where it is true.

**Boundary**: arithmetic and units of what is told; for a claim of the library also its primary source; for words that no claim
of the library fits, the published figures for the same thing. Misleading is said only of claims that the library holds: it
takes a reader, not a calculation. Outdated is also what an older published figure says where the newest one differs.

**Assumptions**: the inputs of a recomputation are taken as told.

**Facts**: the claim with its article, its primary source, and facts on the same thing.

**Limits**: a slip of units is what would explain the factor, not proof of it. Words find a claim only where they share its
thing and its figure, or name all it is about; they are set beside a fact only where nothing that they name is another's.

>>> from kilowhat.tools import call
>>> call("check_claim", {"stated": "84 TWh", "recompute": "15.3 million * 750 W * 240 h"}).verdict.factor
30.5
"""

from __future__ import annotations

import math
import re
from typing import Literal

from pydantic import Field

from kilowhat.tools.core.arithmetic import EXPRESSION, Expression, quantities_in, read_expression, written
from kilowhat.tools.core.claims import (
    as_quantity_of,
    as_quantity_of_claim,
    as_told,
    claimed_in_words,
    figure_apart,
    find_claims,
    is_count,
    names_one_of_several,
    related_facts,
    right_figure,
    things_of,
)
from kilowhat.tools.core.derivation import Derivation
from kilowhat.tools.core.errors import BadQuantity, MissingInput, UnitMismatch
from kilowhat.tools.core.estimate import Estimate, Verdict
from kilowhat.tools.core.estimate import Input as Entry
from kilowhat.tools.core.expression import MAXIMUM_LENGTH, Formula
from kilowhat.tools.core.kinds import KINDS
from kilowhat.tools.core.quantities import QUANTITY, Told, read_quantity
from kilowhat.tools.core.reading import read
from kilowhat.tools.core.reference import Claim, Fact, Library
from kilowhat.tools.core.slips import find_slip, find_slip_of_kind
from kilowhat.tools.core.stated import AS_GOOD, MOSTLY_TRUE, ROUGH, TRUE, Judged, is_estimate, judge_beside_facts
from kilowhat.tools.core.tool import Arguments, Tool
from kilowhat.tools.core.units import EMISSIONS, MASS, NUMBER, VOLUME, Dimension, Quantity, format_number, format_quantity, name_dimension, parse_unit

_PERIOD = re.compile(r"(?<![a-z_])(?:hour|day|month|week|year|(?:h|d|yr|mo)\b)", re.IGNORECASE)
_BOUND = re.compile(r"\s*(?P<sign>[<>≠])=?\s*(?=\S)")

WATER_BOUNDARIES = 10.0
"""How many times apart figures of water lie that count the site alone, or the power plants too: 7.8 for training GPT-3."""

TOO_LARGE = Formula("factor", "stated / recomputed", "ratio")
TOO_SMALL = Formula("factor", "recomputed / stated", "ratio")


class Input(Arguments):
    """A claim in words or by id, the figure it states, and the calculation behind it."""

    claim: str | None = Field(
        default=None, min_length=1, max_length=500, description="The claim in words, with its figure ('ten days of ChatGPT use 84 TWh'), or the id of a known one (claim-netflix-hour-0.8-kwh)."
    )
    stated: str | None = Field(
        default=None, min_length=1, max_length=1000, description=f"The figure that the claim states, as {QUANTITY}. '800 times' for a ratio; '> 2 L' or '< 2 L' for a bound, '≠ 2 L' for a denial."
    )
    recompute: str | None = Field(default=None, min_length=1, max_length=MAXIMUM_LENGTH, description=f"The calculation that should give it, from the claim's own inputs or from facts: {EXPRESSION}.")


def check_claim(arguments: Input, library: Library) -> Estimate:
    """Return the verdict on a claim, with the right figure first.

    Raises:
        MissingInput: where no known claim fits and the figure or its calculation is not told (``missing_input``).
        UnknownName: for an id of a claim, or a fact, that is not known (``unknown_name``).
        UnitMismatch: where the stated figure and the calculation measure different things, and no slip explains it (``unit_mismatch``).
        InvalidArguments: where the calculation is none (``invalid_arguments``).
        BadQuantity: where the stated figure is none, or the calculation gives less than zero (``bad_quantity``).
    """
    known, near = _known(arguments, library)
    derivation = Derivation(library)
    expression = read_expression(library, arguments.recompute, argument="recompute") if arguments.recompute is not None else None
    if expression is not None and expression.value < 0:
        raise BadQuantity("The calculation gives less than zero, and an amount is zero or more; subtract the other way round.", field="recompute")
    if known is not None and expression is None and (judged := _nearer_fact(arguments, library, known)) is not None:
        return derivation.estimate(TOOL.name, arguments, _from_fact(derivation, judged))
    if known is not None:
        about = _from_library(derivation, known)
        if expression is not None:
            _beside_library(derivation, arguments, known, expression)
        return derivation.estimate(TOOL.name, arguments, about)
    nearest = [claim.id for claim in near[:3]]
    bound, arguments = _bound_of(arguments)
    if expression is None:
        judged = _beside_facts(arguments, library) if not bound else None
        if judged is not None:
            return derivation.estimate(TOOL.name, arguments, _from_fact(derivation, judged))
        if arguments.claim is None:
            raise MissingInput("Give a claim in words or by id, or the figure stated and the calculation to recompute it.", field="recompute" if arguments.stated is not None else "claim")
        raise MissingInput(
            "No known claim shares both the thing and the figure of these words, and no fact is clearly about the same thing. Give the figure as stated and its calculation as recompute, or the id of a claim.",
            field="recompute",
            nearest=nearest,
        )
    stated = _stated(arguments, library, expression, nearest)
    about = _by_arithmetic(derivation, stated, expression, bound)
    return derivation.estimate(TOOL.name, arguments.model_copy(update={"stated": f"{bound} {arguments.stated}"}) if bound else arguments, about)


def _bound_of(arguments: Input) -> tuple[str, Input]:
    """Return the sign of a stated bound, or nothing, and the arguments without it."""
    found = _BOUND.match(arguments.stated or "")
    if found is None:
        return "", arguments
    return found["sign"], arguments.model_copy(update={"stated": (arguments.stated or "")[found.end() :]})


def _known(arguments: Input, library: Library) -> tuple[Claim | None, list[Claim]]:
    """Return the claim that an id or words mean, or None, and the ones near it."""
    if arguments.claim is None:
        return None, []
    text = arguments.claim.strip()
    if text.startswith("claim-") and " " not in text:
        return library.claim(text, field="claim"), []
    found, near = find_claims(library, f"{text} {arguments.stated or ''}".strip())
    return (found[0] if found else None), near


def _beside_facts(arguments: Input, library: Library) -> Judged | None:
    """Return the verdict on the claim's words by the published figures for the same thing, or None where these are not clear."""
    if arguments.claim is None:
        return None
    stated = read_quantity(library, arguments.stated, argument="stated").quantity if arguments.stated is not None else None
    return judge_beside_facts(library, arguments.claim, stated)


def _nearer_fact(arguments: Input, library: Library, claim: Claim) -> Judged | None:
    """Return the verdict by a fact that says just what is stated, where a claim says only nearly that (400 W is not the claim of 407 W), or says it of several things."""
    text = arguments.claim or ""
    if text.startswith("claim-"):
        return None
    reading = read(library, text)
    if names_one_of_several(library, claim, reading):
        return _beside_facts(arguments, library)
    if figure_apart(claim, f"{text} {arguments.stated or ''}", reading) <= AS_GOOD:
        return None
    judged = _beside_facts(arguments, library)
    return judged if judged is not None and judged.factor is not None and math.log(judged.factor) <= AS_GOOD else None


def _from_fact(derivation: Derivation, judged: Judged) -> str:
    """Add a published figure and the stated one beside it; return what to say of them."""
    fact, figure, stated = judged.beside.fact, judged.beside.figure, judged.stated
    if stated.dimension == MASS and parse_unit(fact.unit).dimension == EMISSIONS:
        figure, stated = _as_gas(figure), _as_gas(stated)
    kind = fact.subject if fact.subject == "pue" else _kind(figure)
    derivation.cite(fact)
    derivation.inputs["published"] = Entry(name="published", value=figure.value, low=figure.low, high=figure.high, unit=figure.unit or "ratio", origin="fact", fact_id=fact.id)
    interval = "published range" if fact.low is not None else "as published"
    derivation.result("published", kind, fact.statement.rstrip("."), boundary=fact.scope.get("boundary"), as_of=fact.as_of, interval=interval, unit=_things(figure))
    derivation.quantity("stated", stated, stated.unit or "ratio")
    derivation.result("stated", kind if kind == "pue" else _kind(stated), "as stated", interval="as stated", unit=_things(stated))
    if judged.factor is not None and stated.unit == figure.unit:
        derivation.step(Formula("factor", "stated / published" if stated.value >= figure.value else "published / stated", "ratio"))
        if judged.factor > TRUE:
            derivation.result("factor", "ratio", "as stated over published" if stated.value >= figure.value else "published over as stated")
    derivation.verdict = Verdict(verdict=judged.verdict, claimed=as_told(stated), recomputed=_in_words(figure), factor=None if judged.factor is None else _digits(judged.factor), slip=judged.slip)
    if judged.note:
        derivation.warn("other_figures", judged.note)
    for other in judged.others:
        derivation.alternative(other.fact)
    derivation.assume("No known claim fits, so the stated figure is set beside the published one for the same thing; its boundary and year may be another than was meant.")
    return f"{as_told(stated)} was stated; published is"


def _from_library(derivation: Derivation, claim: Claim) -> str:
    """Add a known claim: the right figure, the claimed one, the factor between them, its sources; return what to say of it."""
    derivation.cite(claim)
    figure = right_figure(claim)
    right = as_quantity_of(figure) if figure is not None else None
    claimed = as_quantity_of_claim(claim)
    again = claim.recomputed
    if again is not None and again.from_ is not None:
        derivation.step(Formula("recomputed", again.from_, again.unit))
    from_inputs = again is not None and right is not None and again.value is not None and again.unit == right.unit and math.isclose(again.value, right.value, rel_tol=0.005)
    if right is not None and from_inputs and again is not None and again.from_ is not None:
        derivation.result("recomputed", _kind(right), "what the claim's own inputs give", unit=_things(right), interval="from the claim's own inputs")
    elif right is not None:
        _take(derivation, "right", right, claim)
        label = "what the claim's source says" if claim.right is not None else "what the claim's own inputs give" if again is not None and again.value == right.value else "as claimed, and it holds"
        derivation.result("right", _kind(right), label, as_of=claim.as_of, interval="published range" if right.low is not None else "as published", unit=_things(right))
        if again is not None and again.from_ is not None and again.value is not None:
            derivation.result(
                "recomputed", _kind(Quantity(again.value, again.unit)), "what the claim's own inputs give", interval="from the claim's own inputs", unit=_things(Quantity(again.value, again.unit))
            )
    if claimed is not None:
        _take(derivation, "claimed", claimed, claim)
        if claim.verdict not in ("true", "mostly true") or right is None or not math.isclose(right.value, claimed.value, rel_tol=1e-9):
            derivation.result("claimed", _kind(claimed), "as claimed" if right is not None else f"as claimed: {claim.verdict}", as_of=claim.as_of, interval="as claimed", unit=_things(claimed))
    factor = _factor_of_claim(derivation, claim, claimed, right, "recomputed" if from_inputs and "recomputed" in derivation.formulas else "right")
    derivation.verdict = Verdict(verdict=claim.verdict, claimed=claimed_in_words(claim), recomputed=_in_words(right), factor=factor, slip=claim.slip)
    if claim.primary is not None and claim.primary.figure and claim.primary.source:
        source = derivation.library.source(claim.primary.source)
        where = ", ".join(part for part in (source.title, claim.primary.locator) if part)
        derivation.warn("primary_source", f"The primary source prints: {claim.primary.figure} ({where}).")
    for fact in related_facts(derivation.library, claim):
        derivation.alternative(fact)
    said = f"{claim.statement.rstrip('.')}. {claim.why.rstrip('.')}"
    return f"{said}. Right" if right is not None else said


def _take(derivation: Derivation, name: str, quantity: Quantity, claim: Claim) -> None:
    """Add a figure of a claim as an input that its entry gives."""
    derivation.inputs[name] = Entry(name=name, value=quantity.value, low=quantity.low, high=quantity.high, unit=quantity.unit or "ratio", origin="fact", fact_id=claim.id)


def _factor_of_claim(derivation: Derivation, claim: Claim, claimed: Quantity | None, right: Quantity | None, name: str) -> float | None:
    """Return by which factor a known claim is off, and add it as a result where it can be redone; two ranges that overlap are not off by one."""
    if claimed is None or right is None or claimed.dimension != right.dimension or min(claimed.value, right.value) <= 0:
        return claim.factor
    there = right.to(claimed.unit)
    if claim.factor is None and claimed.low is not None and claimed.high is not None and there.low is not None and there.high is not None and claimed.low <= there.high and there.low <= claimed.high:
        return None
    ratio = claimed.value / there.value
    factor = max(ratio, 1 / ratio)
    if claim.factor is not None and abs(math.log(factor / claim.factor)) > 0.03:
        return claim.factor
    moved = "" if claimed.unit == right.unit else f" * {right.to(claimed.unit).value / right.value:.15g}"
    derivation.step(Formula("factor", (f"claimed / ({name}{moved})" if moved else f"claimed / {name}") if ratio >= 1 else f"{name}{moved} / claimed", "ratio"))
    if factor > 1.005:
        derivation.result("factor", "ratio", "times too much" if ratio > 1 else "times too little", interval="from the figures as printed")
    return claim.factor or _digits(factor)


def _beside_library(derivation: Derivation, arguments: Input, claim: Claim, expression: Expression) -> None:
    """Add a recomputation of one's own beside what the library says of a known claim, and say where they differ."""
    stated = read_quantity(derivation.library, arguments.stated, argument="stated").quantity if arguments.stated is not None else as_quantity_of_claim(claim)
    fits = stated is not None and stated.dimension == expression.dimension
    unit = stated.unit or "ratio" if stated is not None and fits else expression.quantity().unit
    expression.add_to(derivation, "from_inputs_told", unit)
    found = expression.quantity().to(unit)
    derivation.result("from_inputs_told", _kind(found), "recomputed from the inputs told", unit=_things(found))
    if stated is not None and fits and derivation.verdict is not None:
        verdict = _judge(stated, found, None)
        if verdict != derivation.verdict.verdict:
            derivation.warn("arithmetic", f"By the inputs told alone, {written(stated, stated.unit)} against {written(found, unit)}, it would be {verdict}.")


def _stated(arguments: Input, library: Library, expression: Expression, nearest: list[str]) -> Told:
    """Return the stated figure: as told, or the only one in the claim's words that measures what the calculation gives."""
    if arguments.stated is not None:
        return read_quantity(library, arguments.stated, argument="stated")
    fitting = [quantity for quantity in quantities_in(arguments.claim or "") if _comparable(quantity, expression.dimension)]
    if len(fitting) != 1:
        raise MissingInput("Give the figure that the claim states, with its unit, to set beside the recomputed one.", field="stated", nearest=nearest)
    return Told(fitting[0])


def _comparable(quantity: Quantity, dimension: Dimension) -> bool:
    return quantity.dimension == dimension or {quantity.dimension, dimension} == {MASS, EMISSIONS}


def _by_arithmetic(derivation: Derivation, told: Told, expression: Expression, bound: str) -> str:
    """Add the stated and the recomputed figure and what lies between them; return what to say of it."""
    stated = told.quantity
    if _comparable(stated, expression.dimension) and stated.dimension != expression.dimension:
        stated = _as_gas(stated) if expression.dimension == EMISSIONS else stated
        derivation.assume("A mass is taken as one of greenhouse gas.")
    same = stated.dimension == expression.dimension or _comparable(stated, expression.dimension)
    unit = stated.unit or "ratio" if stated.dimension == expression.dimension else expression.quantity().unit
    expression.add_to(derivation, "recomputed", unit)
    interval = derivation.evaluate()["recomputed"]
    found = Quantity(interval.value, unit, interval.low, interval.high)
    derivation.result("recomputed", _kind(found), "recomputed", unit=_things(found))
    derivation.quantity("stated", stated, stated.unit or "ratio", told.facts)
    derivation.result("stated", _kind(stated), "as stated", interval="as stated", unit=_things(stated))
    factor, slip = None, None
    if not same:
        slip = find_slip_of_kind(stated, found)
        if slip is None:
            raise UnitMismatch(
                f"The stated figure is {name_dimension(stated.dimension)} and the calculation gives {name_dimension(expression.dimension)}: tell both in one kind of unit, with the hours or the period where they are missing.",
                field="stated",
            )
    elif stated.dimension != expression.dimension:
        found = _as_gas(found)
    if same and stated.value > 0 and found.value > 0:
        ratio = stated.value / found.to(stated.unit).value
        factor = _digits(max(ratio, 1 / ratio))
        if stated.unit == found.unit or unit == "ratio":
            derivation.step(TOO_LARGE if ratio >= 1 else TOO_SMALL)
            derivation.result("factor", "ratio", "as stated over recomputed" if ratio >= 1 else "recomputed over as stated")
        periods = len(expression.operands) > 1 or _PERIOD.search(f"{stated.unit} {expression.text}") is not None
        slip = find_slip(Quantity(stated.value, stated.unit or "ratio"), found, periods=periods) if factor > MOSTLY_TRUE and not told.facts else None
    verdict: Literal["true", "mostly true", "false", "unsupported"] = (_keeps(bound, stated, found) if bound else _judge(stated, found, slip)) if same else "false"
    if verdict == "false" and not bound and factor is not None and factor < WATER_BOUNDARIES and (loose := _without_boundary(derivation, found)) is not None:
        verdict, slip = "unsupported", None
        derivation.warn(
            "boundary", f"It is not shown false: the figure beside it rests on one that tells no boundary or counts a part alone, and a boundary moves water up to ten times. {loose.statement}"
        )
    if verdict == "false" and not bound and slip is None and factor is not None and factor <= ROUGH and (rough := _rough(derivation, told)) is not None:
        verdict, factor = "unsupported", None
        derivation.warn("estimate", f"It is not shown false: the figure beside it is itself an estimate. {rough.statement}")
    if bound and verdict != "false":
        factor, slip = None, None
    derivation.verdict = Verdict(verdict=verdict, claimed=f"{bound} {_in_words(stated)}".strip(), recomputed=_in_words(Quantity(found.value, found.unit)), factor=factor, slip=slip)
    derivation.assume("The inputs are taken as told; only the arithmetic and the units are checked.")
    more = {">": "more than ", "<": "less than ", "≠": "not ", "": ""}[bound]
    return f"{more}{written(stated, stated.unit or 'ratio')} was stated; the calculation gives"


def _rough(derivation: Derivation, told: Told) -> Fact | None:
    """Return the estimate that what was recomputed rests on first, or None."""
    behind = [fact for fact in derivation.facts if isinstance(fact, Fact) and fact not in told.facts]
    return behind[0] if behind and is_estimate(derivation.library, behind[0]) else None


def _without_boundary(derivation: Derivation, found: Quantity) -> Fact | None:
    """Return the fact behind an amount of water that says not what it counts, or counts the site alone, or None."""
    if found.dimension != VOLUME:
        return None
    return next((fact for fact in derivation.facts if isinstance(fact, Fact) and "water" in fact.subject and fact.scope.get("boundary") in (None, "on-site") and "comparator" not in fact.scope), None)


def _as_gas(quantity: Quantity) -> Quantity:
    """Return a mass as one of greenhouse gas, in the same unit."""
    if quantity.dimension == EMISSIONS:
        return quantity
    moved = quantity.to("t")
    return Quantity(moved.value, "t CO2e", moved.low, moved.high)


def _judge(stated: Quantity, found: Quantity, slip: str | None) -> Literal["true", "mostly true", "false"]:
    """Return the verdict of the arithmetic alone."""
    there = found.to(stated.unit or "ratio")
    if stated.value == there.value:
        return "true"
    if stated.value <= 0 or there.value <= 0:
        return "false"
    factor = max(stated.value / there.value, there.value / stated.value)
    inside = there.low is not None and there.high is not None and there.low < there.high and there.low <= stated.value <= there.high
    return "true" if factor <= TRUE else "mostly true" if factor <= MOSTLY_TRUE or (inside and slip is None) else "false"


def _keeps(bound: str, stated: Quantity, found: Quantity) -> Literal["true", "mostly true", "false", "unsupported"]:
    """Return whether a figure is more (>) or less (<) than stated, or another (≠); mostly true where most of its range is, unsupported where little of it is."""
    there = found.to(stated.unit or "ratio")
    if bound == "≠":
        held = _judge(stated, found, None)
        return "false" if held == "true" else "true" if held == "false" else "unsupported"
    ends = (there.low if there.low is not None else there.value, there.high if there.high is not None else there.value)
    kept = [end > stated.value if bound == ">" else end < stated.value for end in (there.value, *ends)]
    return "true" if all(kept) else "mostly true" if kept[0] else "unsupported" if any(kept) else "false"


def _digits(factor: float) -> float:
    """Return a factor with four digits."""
    return float(f"{factor:.4g}")


def _kind(quantity: Quantity) -> str:
    if quantity.dimension == NUMBER:
        return "count" if is_count(quantity.unit) else "share" if quantity.unit in ("percent", "%") else "ratio"
    return KINDS.get(quantity.dimension, "quantity")


def _things(quantity: Quantity) -> str | None:
    return things_of(quantity.unit) if quantity.dimension == NUMBER and is_count(quantity.unit) else None


def _in_words(quantity: Quantity | None) -> str | None:
    if quantity is None:
        return None
    if quantity.low is not None and quantity.high is not None:
        return f"{format_number(quantity.low)} to {format_number(quantity.high)} {'' if quantity.unit == 'ratio' else quantity.unit}".strip()
    if quantity.dimension != NUMBER:
        return format_quantity(quantity)
    return f"{format_number(quantity.value)} {_things(quantity) or ('' if quantity.unit == 'ratio' else quantity.unit)}".strip()


TOOL = Tool(
    name="check_claim",
    title="Check a claim",
    description="Check a quantitative claim on AI's energy, carbon or water: by its words or id against known press claims and their primary sources, or by recomputing it (stated figure and the calculation that should give it). Returns the right figure, a verdict, the factor it is off, and the slip of units (lb for t, MW for MWh, 万 for 亿, day for year …) that would explain it.",
    arguments=Input,
    run=check_claim,
    example={"claim": "Ten days of ChatGPT use 84 TWh", "stated": "84 TWh", "recompute": "15.3 million * 750 W * 240 h"},
    ways=(("claim",), ("stated", "recompute"), ("claim", "recompute"), ("claim", "stated", "recompute")),
)
