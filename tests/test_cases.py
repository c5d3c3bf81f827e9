"""Published numbers, hand calculations, bounds and refusals, as cases that name their source."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from kilowhat.tools import KilowhatError, call
from kilowhat.tools.core.estimate import as_quantity
from kilowhat.tools.core.units import Quantity

CASES = [case for path in sorted((Path(__file__).parent / "cases").glob("*.yaml")) for case in YAML(typ="safe", pure=True).load(path.read_text("utf-8"))]


def in_unit(quantity, unit):
    return quantity.to(unit).value if unit else quantity.value


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_case(case):
    told = case["call"]
    arguments = {name: float(value) if isinstance(value, int) and not isinstance(value, bool) else value for name, value in told["arguments"].items()}
    if "refuse" in case:
        with pytest.raises(KilowhatError) as refused:
            call(told["tool"], arguments)
        error, wanted = refused.value, case["refuse"]
        assert (error.code, error.field) == (wanted["code"], wanted["field"])
        assert wanted.get("nearest") is None or wanted["nearest"] in error.nearest
        assert len(error.message) > 20
        return
    assert case.get("source"), "a case names its source"
    estimate = call(told["tool"], arguments)
    for wanted in case.get("expect", ()):
        results = [result for result in estimate.results if result.quantity == wanted["quantity"]]
        assert results, f"no {wanted['quantity']} among {[result.quantity for result in estimate.results]}"
        found = in_unit(as_quantity(results[0]), wanted.get("unit"))
        assert abs(found - wanted["value"]) <= wanted["within"] + 1e-12 * abs(found)
    for wanted in case.get("inputs", ()):
        entry = next(entry for entry in estimate.inputs if entry.name == wanted["name"])
        assert abs(Quantity(entry.value, entry.unit).to(wanted["unit"]).value - wanted["value"]) <= wanted["within"]
    for wanted in case.get("steps", ()):
        assert next(step.value for step in estimate.steps if step.name == wanted["name"]) == wanted["value"]
    for name, wanted in case.get("verdict", {}).items():
        assert getattr(estimate.verdict, name) == wanted, name
    assert set(case.get("cites", ())) <= {citation.fact_id for citation in estimate.citations}
    assert set(case.get("warns", ())) <= {warning.code for warning in estimate.warnings}
    for wanted in case.get("alternatives", ()):
        rivals = [in_unit(Quantity(other.value, other.unit), wanted["unit"]) for other in estimate.alternatives if other.value is not None]
        assert any(abs(rival - wanted["value"]) <= 0.005 * wanted["value"] for rival in rivals), rivals


def test_every_tool_has_a_reproduction_and_a_refusal():
    from kilowhat.tools import TOOLS

    for name in TOOLS:
        own = [case for case in CASES if case["call"]["tool"] == name]
        assert any("refuse" in case for case in own), name
        assert any("expect" in case for case in own), name
