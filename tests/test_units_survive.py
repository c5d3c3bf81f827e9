"""The dimensions of every formula: what its inputs measure gives what it says that it measures, over all cases."""

import ast
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from kilowhat.tools import TOOLS, call
from kilowhat.tools.core.units import NUMBER, combine, parse_unit

CASES = [(tool.name, dict(tool.example)) for tool in TOOLS.values()]
for path in sorted((Path(__file__).parent / "cases").glob("*.yaml")):
    for case in YAML(typ="safe", pure=True).load(path.read_text("utf-8")):
        if "refuse" not in case:
            told = case["call"]
            CASES.append((told["tool"], {name: float(value) if type(value) is int else value for name, value in told["arguments"].items()}))

PLAIN = {
    ("check_claim", "recomputed"): "an article's own arithmetic is carried over as it writes it, in plain numbers",
    ("estimate_media", "tflop"): "a parameter costs 2 operations a token: the number stands for them",
}
"""Steps whose numbers carry a unit of their own, and why."""


def dimension(node, known):
    if isinstance(node, ast.Expression):
        return dimension(node.body, known)
    if isinstance(node, ast.Constant):
        return NUMBER
    if isinstance(node, ast.Name):
        return known[node.id]
    if isinstance(node, ast.UnaryOp):
        return dimension(node.operand, known)
    left, right = dimension(node.left, known), dimension(node.right, known)
    match node.op:
        case ast.Mult():
            return combine(left, right)
        case ast.Div():
            return combine(left, right, -1)
        case ast.Pow():
            if left == NUMBER:
                return NUMBER
            assert right == NUMBER
            return tuple((base, int(exponent * ast.literal_eval(node.right))) for base, exponent in left)
    assert left == right or isinstance(node.left, ast.Constant) or isinstance(node.right, ast.Constant), f"{left} and {right} are added"
    return left or right


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=[f"{number}-{name}" for number, (name, _) in enumerate(CASES)])
def test_units_survive_every_step(name, arguments):
    estimate = call(name, arguments)
    known = {entry.name: parse_unit(entry.unit).dimension for entry in estimate.inputs}
    for step in estimate.steps:
        stated = parse_unit(step.unit).dimension
        if (name, step.name) not in PLAIN:
            assert dimension(ast.parse(step.expression, mode="eval"), known) == stated, step
        known[step.name] = stated
