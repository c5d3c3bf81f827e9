"""Comparisons and projections: what holds for any amounts."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.tools import KilowhatError, Library, call
from kilowhat.tools.compare import probability_of_more
from kilowhat.tools.core.units import Quantity

amounts = st.floats(1e-3, 1e6)
spreads = st.floats(1.0, 10)


def compared(*items):
    return call("compare", {"items": [{"label": label, "quantity": quantity} for label, quantity in items]})


@given(amounts, amounts, spreads, spreads)
def test_the_ratio_is_larger_over_smaller_with_both_spreads(one, other, left, right):
    estimate = compared(("A", f"{one / left!r} to {one * left!r} kWh"), ("B", f"{other / right!r} to {other * right!r} kWh"))
    ratio, probability = estimate.results[0], estimate.results[1]
    assert math.isclose(ratio.value, max(one / other, other / one), rel_tol=1e-6)
    assert math.isclose(math.log(ratio.high / ratio.value), math.hypot(math.log(left), math.log(right)), rel_tol=1e-6, abs_tol=1e-9)
    assert (probability.quantity == "probability" and 0.5 <= probability.value <= 1) or left == right == 1


@given(amounts, amounts, st.floats(1.001, 10))
def test_the_order_of_the_items_changes_nothing_of_the_ratio(one, other, width):
    items = ("A", f"{one!r} kWh"), ("B", f"{other / width!r} to {other * width!r} kWh")
    forth, back = compared(*items), compared(*reversed(items))
    assert [(result.value, result.low, result.high) for result in forth.results[:1]] == [(result.value, result.low, result.high) for result in back.results[:1]]
    assert math.isclose(forth.results[1].value, back.results[1].value)


@given(amounts, amounts, spreads)
def test_what_has_no_range_is_never_called_certain(one, other, width):
    exact = compared(("A", f"{one!r} kWh"), ("B", f"{other!r} kWh"))
    assert not [result for result in exact.results if result.quantity == "probability"]
    half = compared(("A", f"{one!r} kWh"), ("B", f"{other / (1 + width)!r} to {other * (1 + width)!r} kWh"))
    for estimate in (exact, half):
        assert "no_range" in {warning.code for warning in estimate.warnings}


def test_two_published_figures_without_a_range_leave_the_order_open():
    """A statement on a blog of 2025 and one of 2009, 13 % apart."""
    estimate = compared(("ChatGPT", "fact:chatgpt-request-energy-openai"), ("search", "fact:google-search-energy"))
    assert [result.quantity for result in estimate.results][:2] == ["ratio", "energy"]
    assert "can't be said" in next(warning.message for warning in estimate.warnings if warning.code == "no_range")


def test_the_probability_is_that_of_a_draw():
    """Against 200,000 pairs drawn from the two distributions."""
    numpy = pytest.importorskip("numpy")
    larger, smaller = Quantity(2.0, "kWh", 1.2, 2 * 2 / 1.2), Quantity(1.0, "kWh", 0.5, 2.0)
    draw = numpy.random.default_rng(7)
    left = numpy.exp(draw.normal(math.log(2), math.log(2 / 1.2) / 1.28155, 200_000))
    right = numpy.exp(draw.normal(0, math.log(2) / 1.28155, 200_000))
    assert abs(probability_of_more(larger, smaller) - (left > right).mean()) < 0.005


@pytest.mark.parametrize("number", [2, 8, 20])
@pytest.mark.parametrize("kind", ["exact", "ranges", "facts"])
def test_twenty_items_fit_in_one_estimate(number, kind):
    facts = [fact.id for fact in Library.load() if fact.subject == "training-energy" and fact.quantity.unit.endswith("Wh")][:20]
    items = [
        (f"number {count}, with a label of its own", f"fact:{facts[count]}" if kind == "facts" else f"{count + 1} to {count + 3} kWh" if kind == "ranges" else f"{count + 1} kWh")
        for count in range(number)
    ]
    try:
        estimate = compared(*items)
    except KilowhatError as error:
        assert kind == "facts" and number == 20 and "fewer" in error.message
    else:
        assert len(estimate.model_dump_json().encode()) <= 8192
        assert len(estimate.inputs) >= number and estimate.results[0].quantity == "ratio"


def test_a_chain_is_compared_with_its_citations():
    estimate = compared(("images", "estimate_task?task=image-generation&count=10"), ("phone", "fact:phone-charge-energy-epa"))
    cited = {citation.fact_id for citation in estimate.citations}
    assert {"image-generation-energy", "phone-charge-energy-epa"} <= cited
    assert json.loads(estimate.model_dump_json())["ref"].startswith("compare?items=")


@given(start=amounts, growth=st.floats(-0.5, 3), years=st.floats(0.5, 15))
def test_growing_ahead_and_looking_back_give_the_same_rate(start, growth, years):
    end = next(result for result in call("project_growth", {"start": f"{start!r} kWh", "annual_growth": growth, "years": years}).results if result.quantity == "energy").value
    back = call("project_growth", {"start": f"{start!r} kWh", "end": f"{end!r} kWh", "years": years}).results[0]
    assert math.isclose(back.value if back.quantity == "annual-growth" else -back.value, growth * 100, rel_tol=1e-6, abs_tol=1e-6)


@given(start=amounts, growth=st.floats(0.01, 3), years=st.floats(0.5, 15))
def test_the_years_to_an_end_are_those_that_lead_there(start, growth, years):
    end = start * (1 + growth) ** years
    result = call("project_growth", {"start": f"{start!r} kWh", "end": f"{end!r} kWh", "annual_growth": growth}).results[0]
    assert (result.quantity, result.unit) == ("time", "year")
    assert math.isclose(result.value, years, rel_tol=1e-6)


@pytest.mark.parametrize("growth", [0.0, -0.1])
def test_an_end_that_is_never_reached_is_refused(growth):
    with pytest.raises(KilowhatError, match="never reached"):
        call("project_growth", {"start": "1 kWh", "end": "2 kWh", "annual_growth": growth})


@given(demand=st.floats(0.01, 1e4), gain=st.floats(0.1, 1e4))
def test_the_total_grows_where_demand_outgrows_efficiency(demand, gain):
    results = call("project_growth", {"demand_growth": demand, "efficiency_gain": gain}).results
    assert math.isclose(results[0].value, demand / gain, rel_tol=1e-9)
    rebound = [result.value for result in results if result.quantity == "rebound"]
    assert not rebound or (rebound[0] > 1) == (demand > gain) or math.isclose(demand, gain)


@pytest.mark.parametrize("forecast", Library.load().names("forecasts"))
def test_every_forecast_is_cited_and_grows(forecast):
    estimate = call("project_growth", {"forecast": forecast})
    assert estimate.results[0].as_of and estimate.citations[0].printed
    growth = [result for result in estimate.results if result.quantity == "annual-growth"]
    assert not growth or 0 < growth[0].value < 100
    assert all(result.low <= result.value <= result.high for result in estimate.results)


def test_a_forecast_resolves_however_it_is_spelled():
    refs = {call("project_growth", {"forecast": spelling}).results[0].value for spelling in ("IEA 2030", "iea-2030", "Data Centers 2030", "数据中心2030", "iea-2025-data-centres-2030")}
    assert refs == {945e9}


def test_one_thing_in_two_places_is_said_to_share_its_uncertainty():
    def compared(*refs):
        estimate = call("compare", {"items": [{"label": str(number), "quantity": ref} for number, ref in enumerate(refs)]})
        return "shared_input" in [warning.code for warning in estimate.warnings]

    task = "estimate_task?task=video-generation&count=70"
    assert compared(f"{task}&region=POL#emissions", f"{task}&region=ISL#emissions")
    assert not compared(f"{task}&region=POL#emissions", "estimate_task?task=video-generation&count=80&region=ISL#emissions")
    assert not compared("2 kWh", "1 kWh")
