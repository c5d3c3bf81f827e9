"""What holds for every tool: linear in what is counted, never less with a higher PUE, the interval holds the value, every step recomputes."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.tools import TOOLS, KilowhatError, Library, call
from kilowhat.tools.core.expression import evaluate
from kilowhat.tools.core.tool import parse_ref
from kilowhat.tools.core.units import parse_unit

COUNTED = {
    "estimate_task": ("count", {"task": "image-generation", "region": "FR"}),
    "estimate_llm": ("requests", {"model": "llama 3.1 70b", "output_tokens": 400.0}),
    "estimate_media": ("count", {"kind": "image", "model": "SDXL", "region": "FR"}),
    "estimate_fleet": ("count", {"device": "H100", "hours": 24.0, "pue": 1.2}),
    "estimate_training": ("accelerator_count", {"accelerator": "A100", "hours": 10.0}),
    "estimate_service": ("requests_per_day", {"service": "Gemini"}),
}
counts = st.floats(min_value=1e-3, max_value=1e5)
EXAMPLES = [(name, dict(tool.example)) for name, tool in TOOLS.items()] + [(name, {**rest, argument: 3.0}) for name, (argument, rest) in COUNTED.items()]


@pytest.mark.parametrize("name", COUNTED)
@given(count=counts, factor=st.floats(min_value=1e-3, max_value=1e3))
def test_twice_as_many_take_twice_as_much(name, count, factor):
    argument, rest = COUNTED[name]
    one, many = (call(name, {**rest, argument: number}) for number in (count, count * factor))
    for left, right in zip(one.results, many.results, strict=True):
        for end in ("value", "low", "high"):
            assert math.isclose(getattr(left, end) * factor, getattr(right, end), rel_tol=1e-9)


@pytest.mark.parametrize("name", COUNTED)
def test_zero_is_zero(name):
    argument, rest = COUNTED[name]
    for result in call(name, {**rest, argument: 0.0}).results:
        assert (result.value, result.low, result.high) == (0, 0, 0)


@pytest.mark.parametrize("name", ["estimate_llm", "estimate_media", "estimate_fleet", "estimate_training"])
@given(low=st.floats(min_value=1, max_value=5), high=st.floats(min_value=1, max_value=5))
def test_a_higher_pue_never_takes_less(name, low, high):
    argument, rest = COUNTED[name]
    low, high = sorted((low, high))
    cheap, dear = (call(name, {**rest, argument: 8.0, "pue": pue}).results[0].value for pue in (low, high))
    assert cheap <= dear


@pytest.mark.parametrize(("name", "arguments"), EXAMPLES, ids=[f"{name}-{number}" for number, (name, _) in enumerate(EXAMPLES)])
class TestEveryEstimate:
    def test_the_interval_holds_the_value(self, name, arguments):
        for result in call(name, arguments).results:
            assert result.low <= result.value <= result.high
            assert all(math.isfinite(end) and end >= 0 for end in (result.low, result.value, result.high))
            assert result.interval

    def test_every_step_can_be_done_again(self, name, arguments):
        estimate = call(name, arguments)
        values = {entry.name: entry.value for entry in estimate.inputs}
        for step in estimate.steps:
            values[step.name] = evaluate(step.expression, values)
            assert math.isclose(values[step.name], step.value, rel_tol=1e-9)

    def test_the_ref_gives_the_same_estimate(self, name, arguments):
        estimate = call(name, arguments)
        tool, again = parse_ref(estimate.ref, TOOLS)
        assert tool(again) == estimate

    def test_it_is_small_and_plain(self, name, arguments):
        estimate = call(name, arguments)
        wire = estimate.model_dump_json()
        assert len(wire.encode()) <= 8192
        assert len(estimate.text) <= 1200
        assert "NaN" not in wire and "Infinity" not in wire
        assert json.loads(wire) == estimate.model_dump(mode="json")

    def test_every_number_that_is_not_given_has_a_fact_or_an_assumption(self, name, arguments):
        estimate = call(name, arguments)
        cited = {citation.fact_id for citation in estimate.citations}
        for entry in estimate.inputs:
            assert entry.origin != "fact" or entry.fact_id in cited
            assert entry.origin != "default" or estimate.assumptions
        assert all(other.fact_id in cited for other in estimate.alternatives)
        assert all(parse_unit(entry.unit) for entry in estimate.inputs)

    def test_it_says_what_made_it(self, name, arguments):
        estimate = call(name, arguments)
        assert estimate.tool == name
        assert estimate.data_version == Library.load().version
        assert estimate.arguments.items() >= {key: value for key, value in arguments.items() if key != "limit"}.items()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("choose_place_and_time", {"energy": "1 kWh", "regions": ["France", "Poland"]}),
        ("choose_place_and_time", {"case": "pause and resume"}),
        ("estimate_lifecycle", {"embodied": "10 kg CO2e", "operation": "3-300 kg CO2e"}),
        ("project_growth", {"forecast": "AI share 2030"}),
        ("calculate", {"expression": "1 / 8", "unit": "percent"}),
        ("compare", {"items": [{"label": "a", "quantity": "5 percent"}, {"label": "b", "quantity": "2 %"}]}),
    ],
)
def test_a_percentage_is_spelled_one_way(name, arguments):
    estimate = call(name, arguments)
    spelled = [entry.unit for part in (estimate.results, estimate.inputs, estimate.steps, estimate.alternatives) for entry in part]
    assert "percent" not in spelled
    assert all(result.high <= 100 for result in estimate.results if result.quantity in ("share", "saving-share"))


texts = st.text(max_size=60)
values = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts, st.lists(texts, max_size=3), st.dictionaries(texts, texts, max_size=2))


@pytest.mark.parametrize("name", TOOLS)
@given(data=st.data())
def test_any_arguments_give_a_sound_estimate_or_a_refusal(name, data):
    fields = list(TOOLS[name].arguments.model_fields)
    told = data.draw(st.dictionaries(st.one_of(st.sampled_from(fields), texts), values, max_size=5))
    arguments = {**TOOLS[name].example, **told} if data.draw(st.booleans()) else told
    try:
        estimate = call(name, arguments)
    except KilowhatError as error:
        assert error.code and error.message
        assert json.loads(json.dumps(error.as_dict()))["error"]["code"] == error.code
    else:
        assert all(math.isfinite(result.value) and result.value >= 0 for result in estimate.results)


def test_every_known_run_task_service_and_device_gives_an_estimate_or_says_why_not():
    library = Library.load()
    calls = [("estimate_task", {"task": task, "count": 1.0}) for task in library.names("tasks")]
    calls += [("estimate_training", {"model": run}) for run in library.names("runs")]
    calls += [("estimate_service", {"service": service, "requests_per_day": 1.0}) for service in library.names("services")]
    calls += [("estimate_fleet", {"device": device, "count": 1.0, "hours": 1.0}) for device in library.names("hardware")]
    answered = 0
    for name, arguments in calls:
        try:
            estimate = call(name, arguments)
        except KilowhatError as error:
            assert error.code == "not_published", (name, arguments, error.message)
        else:
            answered += 1
            assert len(estimate.model_dump_json().encode()) <= 8192, (name, arguments)
            assert all(result.low <= result.value <= result.high for result in estimate.results)
    assert answered > 0.7 * len(calls)


def test_every_place_has_its_electricity():
    library = Library.load()
    for place in [*library.names("places"), *library.countries]:
        estimate = call("convert_energy_to_emissions", {"energy": "1 kWh", "region": place})
        assert 0 <= estimate.results[0].value < 2, place
