"""Arithmetic over numbers with units, facts and estimates, written as text: ``3 kWh * 365``.

    sum      = product { (+ | -) product }
    product  = signed { (* | / | of | per) signed }
    signed   = { + | - } power
    power    = operand [ (** | ^) signed ]
    operand  = ( sum ) | (min | max | sqrt) ( sum { , sum } ) | fact:id | ref of an estimate | number [unit] | number to number [unit]

A unit belongs to the number before it and reaches as far as it can be read: ``3 g CO2e/kWh`` is one number.
Units are checked through every operation. What comes out is a ``Formula`` over the numbers, each of which
stays an input with its own unit, its range and its fact. No text of a caller is ever evaluated as code.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from string import ascii_lowercase

from kilowhat.tools.core.derivation import Derivation
from kilowhat.tools.core.errors import BadQuantity, InvalidArguments, KilowhatError, UnitMismatch
from kilowhat.tools.core.expression import MAXIMUM_LENGTH, Formula, evaluate
from kilowhat.tools.core.kinds import base_unit
from kilowhat.tools.core.quantities import MAXIMUM, Told, read_quantity
from kilowhat.tools.core.reference import Library
from kilowhat.tools.core.spread import Z80
from kilowhat.tools.core.units import (
    EMISSIONS,
    ENERGY,
    MASS,
    NUMBER,
    POWER,
    Dimension,
    Quantity,
    canonical_unit,
    combine,
    conversion_factor,
    format_number,
    name_dimension,
    parse_quantity,
    parse_unit,
    plain,
)

MAXIMUM_DEPTH = 30
MAXIMUM_EXPONENT = 100

EXPRESSION = (
    "numbers with units, 'fact:' and the id of a fact, and refs of estimates, joined by + - * / ** and brackets: '3 kWh * 365', 'fact:us-home-year-energy-eia / 12', "
    "'500000 kWh / 200 million', '1.5 million * 6.5 to 10.2 kW * 8760 h'; min, max and sqrt; a range is written with 'to'"
)

_DIGITS = r"(?:\d{1,3}(?:(?:,\d{3})+(?!\d)|(?:[\u2009\u202f ]\d{3})+(?!\d|[bB]\b))(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d{1,3}(?!\d))?"
_NUMBER = re.compile(rf"\$?\s*(?:10\s*(?:\^|\*\*)\s*[-−]?\d{{1,3}}(?!\d)(?!\s*(?:\^|\*\*))|{_DIGITS})", re.IGNORECASE)
_BEHIND_NUMBER = re.compile(
    rf"\s*(?:(?:\bto\b|\bbis\b|[–—~至到])\s*{_DIGITS}|(?<=per )[\d,]+(?:\.\d+)?|%|(?<=W)\*h\b|[/·⋅]\s*[^\W\d_][\w²³]*|(?![x]\s*(?:[\d(.]|fact:))[^\W\d_](?:[\w²³]|['’](?=\w))*(?:[-·⋅][^\W\d_][\w²³]*)*)",
    re.IGNORECASE,
)
"""What may follow a number and still belong to it: the other end of a range, a magnitude, words and parts of a unit."""
_OPEN_END = re.compile(r"(?:\bper|\bpro|\bpar|\bof|每)\s*$", re.IGNORECASE)
_LONGEST_UNIT = 80

_FACT = re.compile(r"fact:\s*(?P<id>[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*)")
_REF = re.compile(r"[a-z]+(?:_[a-z]+)+\?[\w.~%=&+-]*(?:#[\w-]+)?")
_FUNCTION = re.compile(r"(?P<name>min|max|sqrt)\s*\(", re.IGNORECASE)
_PLUS_MINUS = re.compile(r"[+\-−]")
_TIMES_OVER = re.compile(r"\*(?!\*)|[×·⋅/÷]|x(?=\s*(?:[\d(.]|fact:))|of\b|per\b", re.IGNORECASE)
_POWER_SIGN = re.compile(r"\*\*|\^")


@dataclass(frozen=True, slots=True)
class Operand:
    """A number of an expression, with the letter it has in the formula."""

    name: str
    told: Told
    kind: str

    def add_to(self, derivation: Derivation) -> None:
        """Add the number as an input, with its unit as written, and cite its facts."""
        quantity = self.told.quantity
        unit = quantity.unit or "ratio"
        if self.kind == "fact":
            derivation.fact(self.name, self.told.facts[0], unit)
        elif self.kind == "ref":
            derivation.quantity(self.name, quantity, unit, self.told.facts)
        else:
            derivation.given(self.name, quantity.value, unit, low=quantity.low, high=quantity.high)


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression: a formula in base units over its operands, with its dimension and value."""

    text: str
    formula: str
    rank: int
    dimension: Dimension
    value: float
    operands: tuple[Operand, ...]
    choices: tuple[str, ...]

    def quantity(self) -> Quantity:
        """Return the value in its base unit, without its range."""
        return Quantity(self.value, base_unit(self.dimension))

    def add_to(self, derivation: Derivation, name: str, unit: str) -> None:
        """Add the operands as inputs and the formula as a step in a unit of its dimension."""
        for operand in self.operands:
            operand.add_to(derivation)
            for sentence in operand.told.assumptions:
                if sentence not in derivation.assumptions:
                    derivation.assume(sentence)
        for sentence in self.choices:
            derivation.assume(sentence)
        factor = _scaled("", parse_unit(unit).factor, inverse=True)
        undone = _scaled("", parse_unit(unit).factor)
        if not factor or self.rank < _PRODUCT:
            formula = f"({self.formula}){factor}" if factor else self.formula
        else:
            formula = self.formula.removesuffix(undone) if self.formula.endswith(undone) else f"{self.formula}{factor}"
        try:
            derivation.step(Formula(name, formula, unit))
        except InvalidArguments:
            raise InvalidArguments("The expression has too many numbers and brackets; split it into two.") from None


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the expression: what stands there, its formula with the rank of its last operator, dimension and value."""

    source: str
    formula: str
    rank: int
    dimension: Dimension
    value: float
    literal: bool = False

    def inside(self, rank: int) -> str:
        """Return the formula as it stands inside an operator of a rank: in brackets where it binds less."""
        return self.formula if self.rank >= rank else f"({self.formula})"


_SUM, _PRODUCT, _RAISED, _ATOM = 1, 2, 3, 4


def read_expression(library: Library, text: str, *, argument: str = "expression") -> Expression:
    """Return the checked expression that a text writes.

    Args:
        library: Where facts are looked up.
        text: At most 400 characters, see the grammar above.
        argument: The argument that holds it, for errors.

    Raises:
        InvalidArguments: where it is no expression, divides by zero, or leaves what is physical.
        UnitMismatch: where things of different kinds are added, subtracted or used as exponents.
        BadQuantity: where a unit is not known, or a range reaches a division by zero.
        UnknownName: for a fact that the library does not hold.
    """
    if len(text) > MAXIMUM_LENGTH:
        raise InvalidArguments(f"An expression has at most {MAXIMUM_LENGTH} characters.", field=argument)
    reader = _Reader(library, plain(text).strip(), argument)
    try:
        part = reader.whole()
        expression = Expression(text, part.formula, part.rank, part.dimension, part.value, tuple(reader.operands), tuple(reader.choices))
        _check_ranges(expression, reader.guards)
    except KilowhatError as error:
        error.field = error.field or argument
        raise
    return expression


@dataclass(slots=True)
class _Reader:
    """The descent through one text."""

    library: Library
    text: str
    argument: str
    position: int = 0
    depth: int = 0
    operands: list[Operand] = field(default_factory=list)
    guards: list[tuple[str, bool]] = field(default_factory=list)
    choices: list[str] = field(default_factory=list)

    def whole(self) -> _Part:
        if not self.text:
            raise InvalidArguments("The expression is empty; write for example '3 kWh * 365'.")
        part = self.sum()
        if self.position < len(self.text):
            raise self.unexpected()
        return part

    def unexpected(self) -> KilowhatError:
        rest = self.text[self.position :].strip()
        word = re.match(r"[^\W\d_]\w*", rest)
        if not rest:
            return InvalidArguments("The expression ends where a number is wanted.")
        if word and self.position and self.operands:
            return BadQuantity(f"{word[0][:40]!r} is no unit or operator that is known here; a unit stands behind its number, and * or / between two numbers.")
        if word:
            return InvalidArguments(f"{word[0][:40]!r} is no number; write a number with its unit (1 kWh), or 'fact:' and the id of a fact.")
        return InvalidArguments(f"{rest[:20]!r} is not understood; an expression has numbers with units, facts, brackets, + - * / ** , min, max and sqrt, and a range is written with 'to'.")

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        while self.text[self.position : self.position + 1].isspace():
            self.position += 1
        match = pattern.match(self.text, self.position)
        if match:
            self.position = match.end()
        return match

    def deeper(self, read: Callable[[], _Part]) -> _Part:
        self.depth += 1
        if self.depth > MAXIMUM_DEPTH:
            raise InvalidArguments(f"An expression has at most {MAXIMUM_DEPTH} brackets or powers within each other.")
        part = read()
        self.depth -= 1
        return part

    def sum(self) -> _Part:
        start = self.position
        left = self.product()
        while sign := self.take(_PLUS_MINUS):
            right = self.product()
            minus = sign[0] != "+"
            if left.dimension != right.dimension:
                raise self.mixed(left, right, "subtracted" if minus else "added")
            value = left.value - right.value if minus else left.value + right.value
            formula = f"{left.formula} - {right.inside(_PRODUCT)}" if minus else f"{left.formula} + {right.formula}"
            left = self.part(start, formula, _SUM, left.dimension, value)
        return left

    def mixed(self, left: _Part, right: _Part, verb: str) -> UnitMismatch:
        kinds = {left.dimension, right.dimension}
        hint = "Give both numbers a unit" if NUMBER in kinds else "Only things of one kind can be added or subtracted"
        if kinds == {MASS, EMISSIONS}:
            hint = "Write kg CO2e where a mass of greenhouse gas is meant"
        elif kinds == {POWER, ENERGY}:
            hint = "Multiply the power by its hours"
        elif verb == "subtracted" and left.literal and left.dimension == NUMBER:
            hint = f"Give both numbers a unit; a range is written with 'to' ({left.source} to {right.source})"
        return UnitMismatch(f"{left.source!r} is {name_dimension(left.dimension)} and {right.source!r} is {name_dimension(right.dimension)}, so they can't be {verb}. {hint}.")

    def product(self) -> _Part:
        start = self.position
        left = self.signed()
        while sign := self.take(_TIMES_OVER):
            right = self.signed()
            if sign[0].casefold() in ("/", "÷", "per"):
                if right.value == 0:
                    raise InvalidArguments(f"{right.source!r} is zero, and nothing can be divided by zero.")
                self.guards.append((right.formula, False))
                left = self.part(start, f"{left.inside(_PRODUCT)} / {right.inside(_RAISED)}", _PRODUCT, combine(left.dimension, right.dimension, -1), left.value / right.value)
            else:
                left = self.part(
                    start, f"{left.inside(_PRODUCT)} * {right.inside(_RAISED if '/' in right.formula else _PRODUCT)}", _PRODUCT, combine(left.dimension, right.dimension), left.value * right.value
                )
        return left

    def signed(self) -> _Part:
        start, negative = self.position, False
        while sign := self.take(_PLUS_MINUS):
            negative ^= sign[0] != "+"
        part = self.power()
        return self.part(start, f"(-{part.inside(_ATOM)})", _ATOM, part.dimension, -part.value) if negative else part

    def power(self) -> _Part:
        start = self.position
        base = self.operand()
        if not self.take(_POWER_SIGN):
            return base
        exponent = self.deeper(self.signed)
        if exponent.dimension != NUMBER:
            raise UnitMismatch(f"The exponent {exponent.source!r} is {name_dimension(exponent.dimension)}; an exponent is a plain number.")
        if abs(exponent.value) > MAXIMUM_EXPONENT:
            raise InvalidArguments(f"The exponent {exponent.source!r} is beyond {MAXIMUM_EXPONENT}.")
        whole = float(exponent.value).is_integer()
        if base.dimension != NUMBER and not (whole and abs(exponent.value) <= 4 and self.exact(exponent)):
            raise UnitMismatch(f"{base.source!r} is {name_dimension(base.dimension)}: only a plain number takes any exponent, a number with a unit takes whole ones up to 4.")
        if base.value == 0 and exponent.value < 0:
            raise InvalidArguments(f"{base.source!r} is zero, and nothing can be divided by zero.")
        if base.value < 0 and not whole:
            raise InvalidArguments(f"{base.source!r} is negative and has no such root.")
        self.guards.append((base.formula, exponent.value > 0))
        dimension = tuple((name, size * round(exponent.value)) for name, size in base.dimension if exponent.value) if base.dimension else NUMBER
        try:
            value = base.value**exponent.value
        except OverflowError:
            value = math.inf
        return self.part(start, f"{base.inside(_ATOM)} ** {exponent.inside(_ATOM)}", _RAISED, dimension, value)

    def exact(self, part: _Part) -> bool:
        """Return whether no number of a part has a range."""
        names = set(re.findall(r"\b[a-z]\b", part.formula))
        return all(operand.told.quantity.low == operand.told.quantity.high for operand in self.operands if operand.name in names)

    def operand(self) -> _Part:
        if self.take(_BRACKET):
            part = self.deeper(self.sum)
            self.close()
            return part
        if function := self.take(_FUNCTION):
            return self.called(function["name"].casefold(), function.start())
        for kind, pattern in (("fact", _FACT), ("ref", _REF)):
            if found := self.take(pattern):
                text = f"fact:{found['id']}" if kind == "fact" else found[0]
                return self.number(found.start(), read_quantity(self.library, text, argument=self.argument), kind)
        if found := self.take(_NUMBER):
            quantity, self.position = longest_quantity(self.text, found.start(), found.end())
            return self.number(found.start(), Told(quantity), "literal")
        raise self.unexpected()

    def close(self) -> None:
        if not self.take(_CLOSING):
            raise InvalidArguments("A bracket is not closed.") if self.position >= len(self.text) else self.unexpected()

    def called(self, name: str, start: int) -> _Part:
        parts = [self.deeper(self.sum)]
        while self.take(_COMMA):
            parts.append(self.deeper(self.sum))
        self.close()
        if name == "sqrt":
            return self.root(parts, start)
        if len(parts) < 2:
            raise InvalidArguments(f"{name} chooses among two or more; put a space behind each comma ({name}(3 kWh, 5 kWh)).")
        for other in parts[1:]:
            if other.dimension != parts[0].dimension:
                raise self.mixed(parts[0], other, "compared")
        chosen = (min if name == "min" else max)(parts, key=lambda part: part.value)
        self.choices.append(f"{self.text[start : self.position]} is {chosen.source}.")
        return chosen

    def root(self, parts: Sequence[_Part], start: int) -> _Part:
        inner = parts[0]
        if len(parts) != 1 or inner.value < 0 or any(size % 2 for _, size in inner.dimension):
            raise InvalidArguments(f"{self.text[start : self.position]!r} has no root: sqrt takes one number that is zero or more, and whose unit is a square.")
        self.guards.append((inner.formula, True))
        return self.part(start, f"{inner.inside(_ATOM)} ** (1 / 2)", _RAISED, tuple((name, size // 2) for name, size in inner.dimension), math.sqrt(inner.value))

    def number(self, start: int, told: Told, kind: str) -> _Part:
        if len(self.operands) == len(ascii_lowercase):
            raise InvalidArguments(f"An expression has at most {len(ascii_lowercase)} numbers.")
        name = ascii_lowercase[len(self.operands)]
        self.operands.append(Operand(name, told, kind))
        unit = parse_unit(told.quantity.unit)
        factor = _scaled(name, unit.factor)
        return self.part(start, factor, _ATOM if factor == name else _PRODUCT, unit.dimension, told.quantity.value * unit.factor, literal=kind == "literal")

    def part(self, start: int, formula: str, rank: int, dimension: Dimension, value: float, *, literal: bool = False) -> _Part:
        source = self.text[start : self.position].strip()
        if not abs(value) <= MAXIMUM:
            raise InvalidArguments(f"{source[:60]!r} is beyond anything physical.")
        return _Part(source[:60], formula, rank, dimension, value, literal)


_BRACKET, _CLOSING, _COMMA = re.compile(r"\("), re.compile(r"\)"), re.compile(r",")


def longest_quantity(text: str, start: int, end: int) -> tuple[Quantity, int]:
    """Return the number at a place of a text with the longest unit behind it that can be read, and where it ends; in Chinese and Japanese no space ends it.

    >>> longest_quantity("3 g CO2e/kWh * 2", 0, 1)
    (Quantity(value=3.0, unit='g CO2e/kWh', low=None, high=None), 12)
    >>> longest_quantity("70万升水", 0, 2)
    (Quantity(value=700000.0, unit='升', low=None, high=None), 4)

    Raises:
        BadQuantity: where the number itself is none.
    """
    ends = []
    stop = end
    while (more := _BEHIND_NUMBER.match(text, stop)) and more.end() - start <= _LONGEST_UNIT:
        ends += [place + 1 for place in range(stop, more.end() - 1) if "\u3041" <= text[place] <= "\u9fff"]
        stop = more.end()
        ends.append(stop)
    for stop in reversed(ends):
        if _OPEN_END.search(text[start:stop]) or re.match(r"\s*\(", text[stop:]):
            continue
        try:
            return parse_quantity(text[start:stop]), stop
        except KilowhatError:
            continue
    return parse_quantity(text[start:end]), end


def quantities_in(text: str) -> list[Quantity]:
    """Return the quantities that stand in words, each with its unit where one can be read.

    >>> [f"{quantity.value:g} {quantity.unit}" for quantity in quantities_in("GPT-3 took 1,287 MWh and 552 t CO2e")]
    ['1287 MWh', '552 t CO2e']
    """
    text, position, found = plain(text), 0, list[Quantity]()
    while match := _NUMBER.search(text, position):
        start, position = match.end() - len(match[0].lstrip()), match.end()
        if re.search(r"(?:[A-Za-z]-?|[\d.])$", text[:start]):
            continue
        try:
            quantity, position = longest_quantity(text, start, match.end())
        except BadQuantity:
            continue
        found.append(quantity)
    return found


def _check_ranges(expression: Expression, guards: Sequence[tuple[str, bool]]) -> None:
    """Refuse an expression whose numbers, within their ranges, reach a division by zero or a root of less than zero.

    Each number is moved to the ends of its range and, as the spread moves it, by one deviation.

    Raises:
        BadQuantity: where one does.
    """
    values = {operand.name: operand.told.quantity.value for operand in expression.operands}
    central = {formula: evaluate(formula, values) for formula, _ in guards}
    for operand in expression.operands:
        value, low, high = operand.told.quantity.value, operand.told.quantity.low, operand.told.quantity.high
        if low is None or high is None or not 0 < low <= value <= high or low == high:
            continue
        for end in (low, high, value * (low / value) ** (1 / Z80), value * (high / value) ** (1 / Z80)):
            moved = {**values, operand.name: end}
            for formula, zero_is_fine in guards:
                now = evaluate(formula, moved)
                if now * central[formula] < 0 or (now == 0 and not zero_is_fine):
                    raise BadQuantity("Within the ranges told, this divides by zero or takes the root of less than zero, so the result has no bounds.")
            evaluate(expression.formula, moved)


def result_unit(expression: Expression, wanted: str | None, *, argument: str = "unit") -> str:
    """Return the unit of a result: the one wanted, else the canonical one.

    Raises:
        BadQuantity: where the unit wanted is none.
        UnitMismatch: where it measures something else.
    """
    if wanted is None:
        return canonical_unit(expression.dimension) or base_unit(expression.dimension)
    try:
        target = parse_unit(wanted)
    except BadQuantity as error:
        raise BadQuantity(error.message, field=argument) from None
    if target.dimension != expression.dimension:
        raise UnitMismatch(
            f"The expression gives {name_dimension(expression.dimension)}, and {wanted!r} is {name_dimension(target.dimension)}.{_hint(expression.dimension, target.dimension)}", field=argument
        )
    return wanted


def _hint(found: Dimension, wanted: Dimension) -> str:
    if (found, wanted) == (POWER, ENERGY):
        return " Multiply the power by its hours."
    if (found, wanted) == (ENERGY, POWER):
        return " Divide the energy by its hours."
    if {found, wanted} == {MASS, EMISSIONS}:
        return " Write CO2e behind a mass of greenhouse gas (3 kg CO2e)."
    return " Give the numbers their units." if found == NUMBER else ""


def _scaled(name: str, factor: float, *, inverse: bool = False) -> str:
    """Return a name times an exact unit factor, or divided by it, in the shorter way of writing."""
    factor = 1 / factor if inverse else factor
    if math.isclose(factor, 1, rel_tol=1e-14):
        return name
    times, over = (re.sub(r"^10{6,}$", lambda match: f"1e{len(match[0]) - 1}", f"{size:.15g}") for size in (factor, 1 / factor))
    return f"{name} / {over}" if factor < 1 and len(over) <= len(times) else f"{name} * {times}"


def written(quantity: Quantity, unit: str) -> str:
    """Return a quantity as words in one unit, unscaled."""
    return f"{format_number(quantity.value * conversion_factor(quantity.unit, unit), 6)} {'' if unit == 'ratio' else unit}".strip()
