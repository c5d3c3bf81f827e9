"""Arithmetic written as text: parsed once, never given to ``eval`` unchecked.

A formula is one expression over named inputs with ``+ - * / **`` and brackets,
and nothing else. So the same text is what a step of an estimate shows, what a
test evaluates again, and what runs on a float, a NumPy array or a column of a
data frame.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from kilowhat.tools.core.errors import InvalidArguments

MAXIMUM_LENGTH = 400
MAXIMUM_NODES = 120

_ALLOWED = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.Name, ast.Load, ast.Constant, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.USub, ast.UAdd)
_TOKENS = re.compile(r"(?:[\s()+*/-]|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?![\w.])|[^\W\d]\w*(?!\w))*", re.IGNORECASE)


def parse(expression: str) -> tuple[ast.Expression, tuple[str, ...]]:
    """Return the checked syntax tree of an expression and the names in it, in order of appearance.

    Raises:
        InvalidArguments: where it is longer than 400 characters or holds anything but numbers, names and ``+ - * / **``.

    Numbers in the tree are floats: a power of them overflows at once, where one of integers would be computed for hours.
    """
    if len(expression) > MAXIMUM_LENGTH:
        raise InvalidArguments(f"An expression has at most {MAXIMUM_LENGTH} characters.")
    refused = InvalidArguments(f"{expression[:80]!r} may hold numbers, names, brackets and + - * / ** only.")
    if not _TOKENS.fullmatch(expression):
        raise refused
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InvalidArguments(f"{expression[:80]!r} is no arithmetic expression.") from None
    names: dict[str, None] = {}
    for count, node in enumerate(ast.walk(tree)):
        if count > MAXIMUM_NODES or not isinstance(node, _ALLOWED):
            raise refused
        if isinstance(node, ast.Constant):
            if type(node.value) not in (int, float):
                raise refused
            node.value = _finite(node.value, expression)
        if isinstance(node, ast.Name):
            if node.id.startswith("__"):
                raise refused
            names[node.id] = None
    return tree, tuple(names)


def _finite(number: Any, expression: str) -> float:
    try:
        return float(number)
    except OverflowError:
        raise InvalidArguments(f"{expression[:80]!r} holds a number that is too large.") from None


class Formula:
    """A named quantity as one expression over inputs and earlier quantities.

    >>> energy = Formula("energy_kwh", "count * energy_per_run_kwh", "kWh")
    >>> energy(count=1000.0, energy_per_run_kwh=0.002)
    2.0

    It is parsed when it is first used: one answer needs a few of the formulas of all tools.

    Args:
        name: The quantity that it gives, with its unit as suffix.
        expression: Numbers, names and ``+ - * / **``.
        unit: The unit of the result.
    """

    __slots__ = ("expression", "name", "unit")

    def __init__(self, name: str, expression: str, unit: str) -> None:
        self.name = name
        self.expression = expression
        self.unit = unit

    def __call__(self, **inputs: Any) -> Any:
        """Return the quantity for inputs of any type that knows the five operators."""
        return _compiled(self.expression)[0](**inputs)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names in the expression, in order of appearance."""
        return _compiled(self.expression)[1]

    def of(self, values: Mapping[str, float]) -> float:
        """Return the quantity with its inputs taken from a mapping that may hold others too."""
        function, names = _compiled(self.expression)
        return float(function(*[values[name] for name in names]))


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> tuple[Callable[..., Any], tuple[str, ...]]:
    tree, names = parse(expression)
    arguments = ast.arguments(posonlyargs=[], args=[ast.arg(name) for name in names], kwonlyargs=[], kw_defaults=[], defaults=[])
    function = ast.fix_missing_locations(ast.Expression(ast.Lambda(arguments, tree.body)))
    return eval(compile(function, f"<{expression}>", "eval"), {"__builtins__": {}}), names  # noqa: S307  (five operators, names and numbers only)


def chain(formulas: Iterable[Formula]) -> Chain:
    """Return formulas that build on one another as one function, compiled once for each sequence of them."""
    return _chained(tuple((formula.name, formula.expression) for formula in formulas))


class Chain(NamedTuple):
    """Formulas in order as one function: from the values of ``inputs``, in this order, to those of ``results``."""

    function: Callable[..., tuple[Any, ...]]
    inputs: tuple[str, ...]
    results: tuple[str, ...]
    origins: Mapping[str, frozenset[str]]
    """By result, the inputs that it depends on."""

    def of(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the results, by name, with the inputs taken from a mapping that may hold others too."""
        return dict(zip(self.results, self.function(*[values[name] for name in self.inputs]), strict=True))


@lru_cache(maxsize=512)
def _chained(formulas: tuple[tuple[str, str], ...]) -> Chain:
    steps: list[ast.stmt] = []
    inputs: dict[str, None] = {}
    origins: dict[str, frozenset[str]] = {}
    results = tuple(name for name, _ in formulas)
    for place, (name, expression) in enumerate(formulas):
        tree, needed = parse(expression)
        inputs.update(dict.fromkeys(other for other in needed if other not in results[:place]))
        origins[name] = frozenset().union(*(origins.get(other, (other,)) for other in needed))
        steps.append(ast.Assign([ast.Name(name, ast.Store())], tree.body))
    arguments = ast.arguments(posonlyargs=[], args=[ast.arg(name) for name in inputs], kwonlyargs=[], kw_defaults=[], defaults=[])
    steps.append(ast.Return(ast.Tuple([ast.Name(name, ast.Load()) for name in results], ast.Load())))
    module = ast.fix_missing_locations(ast.Module([ast.FunctionDef(name="chained", args=arguments, body=steps, decorator_list=[])], []))
    found: dict[str, Any] = {"__builtins__": {}}
    exec(compile(module, "<formulas>", "exec"), found)  # noqa: S102  (five operators, names and numbers only)
    return Chain(found["chained"], tuple(inputs), results, origins)


def evaluate(expression: str, values: Mapping[str, float]) -> float:
    """Return the value of an expression.

    >>> evaluate("servers * power_kw * 24", {"servers": 2.0, "power_kw": 6.5})
    312.0

    Raises:
        InvalidArguments: where the expression is not plain arithmetic, a name has no value, or the result is no finite number.
    """
    function, names = _compiled(expression)
    missing = [name for name in names if name not in values]
    if missing:
        raise InvalidArguments(f"{missing[0]!r} has no value here.", field=missing[0])
    try:
        result = function(*[float(values[name]) for name in names])
    except (ZeroDivisionError, OverflowError):
        result = float("nan")
    if isinstance(result, complex) or not math.isfinite(result):
        raise InvalidArguments(f"{expression[:80]!r} has no finite value.")
    return float(result)
