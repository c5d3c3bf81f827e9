"""What holds for any request to a language model, and for the catalogue of models."""

from __future__ import annotations

import math
from importlib.metadata import version

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.tools import KilowhatError, Library, call
from kilowhat.tools.core.catalogue import find_model, names
from kilowhat.tools.core.derivation import MAXIMUM_BYTES
from kilowhat.tools.estimate_llm import ARITHMETIC, ARITHMETIC_16_BIT, CONSTANTS, REQUEST, REQUEST_WITHOUT_INPUT, STEP, STEP_16_BIT

sizes = st.floats(min_value=1e-3, max_value=1e5)
tokens = st.floats(min_value=0, max_value=1e7)
written = st.floats(min_value=1e-3, max_value=1e6)
batches = st.floats(min_value=1, max_value=1e6)
TOLD = {
    "total_parameters_b": 70.0,
    "active_parameters_b": 20.0,
    "output_tokens": 400.0,
    "input_tokens": 300.0,
    "accelerator": "H100",
    "accelerator_count": 4.0,
    "concurrent_requests": 64.0,
    "boundary": "accelerators",
}


def energy(**told):
    return call("estimate_llm", TOLD | told).results[0]


@given(low=tokens, high=tokens)
def test_more_output_never_takes_less(low, high):
    low, high = sorted((low, high))
    assert energy(output_tokens=low).value <= energy(output_tokens=high).value * (1 + 1e-12)


@given(low=batches, high=batches, active=st.floats(min_value=0.1, max_value=70))
def test_more_requests_at_once_never_take_more_each(low, high, active):
    low, high = sorted((low, high))
    assert energy(concurrent_requests=low, active_parameters_b=active).value >= energy(concurrent_requests=high, active_parameters_b=active).value * (1 - 1e-9)


@given(low=st.floats(min_value=4, max_value=32), high=st.floats(min_value=4, max_value=32))
def test_wider_weights_never_take_less(low, high):
    low, high = sorted((low, high))
    assert energy(weight_bits=low).value <= energy(weight_bits=high).value * (1 + 1e-12)


@given(total=sizes, share=st.floats(min_value=1e-3, max_value=1), output=written, read=tokens, bits=st.floats(min_value=4, max_value=32), batch=batches, count=st.floats(min_value=0.5, max_value=1e4))
def test_any_model_and_deployment_has_a_finite_positive_energy(total, share, output, read, bits, batch, count):
    found = energy(total_parameters_b=total, active_parameters_b=total * share, output_tokens=output, input_tokens=read, weight_bits=bits, concurrent_requests=batch, accelerator_count=count)
    assert 0 < found.low <= found.value <= found.high < math.inf


@given(requests=st.floats(min_value=1e-3, max_value=1e9))
def test_it_is_linear_in_requests(requests):
    assert math.isclose(energy(requests=requests).value, requests * energy().value, rel_tol=1e-9)


@given(read=st.floats(min_value=1, max_value=1e6), cached=st.floats(min_value=0, max_value=1))
def test_a_cache_never_takes_more(read, cached):
    assert energy(input_tokens=read, cached_input_tokens=read * cached).value <= energy(input_tokens=read).value * (1 + 1e-12)


@given(total=sizes, share=st.floats(min_value=1e-3, max_value=1), batch=batches, output=written)
def test_the_short_formulas_are_the_long_ones_at_16_bits_and_without_a_prompt(total, share, batch, output):
    library = Library.load()
    values = {
        "total_b": total,
        "active_b": total * share,
        "batch": batch,
        "accelerators": 2.0,
        "power_w": 700.0,
        "arithmetic_j": 0.0018,
        "precision": 1.0,
        "written_tokens": output,
        "read_tokens": 0.0,
        "fresh_tokens": 0.0,
    }
    values |= {name: library.fact(fact_id).in_unit(unit).value for name, (fact_id, unit) in CONSTANTS.items()}
    for long, short in ((STEP, STEP_16_BIT), (ARITHMETIC, ARITHMETIC_16_BIT), (REQUEST, REQUEST_WITHOUT_INPUT)):
        values[long.name] = long.of(values)
        assert math.isclose(short.of(values), values[long.name], rel_tol=1e-12)


def test_means_of_tokens_and_requests_are_taken_as_they_are():
    assert energy(output_tokens=437.5, concurrent_requests=31.92).value > 0


def test_what_is_not_told_widens_the_interval():
    def width(told):
        found = call("estimate_llm", {"output_tokens": 400.0, **told}).results[0]
        return found.high / found.low

    deployed = {"accelerator": "H100", "accelerator_count": 4.0, "concurrent_requests": 64.0}
    assert width({"total_parameters_b": 70.0, **deployed}) < width({"total_parameters_b": 70.0}) < width({"model": "gpt-4o"})
    assert width({"total_parameters_b": 70.0, **deployed}) < width({"total_parameters_b": 70.0, **deployed, "accelerator": "L40S"})


def test_what_is_assumed_is_said():
    estimate = call("estimate_llm", {"model": "gpt-4o"})
    said = " ".join(estimate.assumptions)
    for part in ("H100", "64 (32 to 256) requests at once", "16-bit", "PUE 1.17", "500", "not released", "prompt is not counted", "world average"):
        assert part in said, part
    assert estimate.text.count("Interactive serving") == 1


def test_the_boundaries_hold_one_another():
    boards, server, facility = (energy(boundary=boundary).value for boundary in ("accelerators", "server", "facility"))
    assert boards < server < facility


@pytest.mark.parametrize("device", ["H100", "A100", "H200", "B200", "MI300X", "L40S", "TPU v4", "Gaudi 3", "H20"])
def test_accelerators_that_were_not_measured_have_an_estimate_too(device):
    found = energy(accelerator=device)
    assert 0.2 < found.value / energy().value < 5


def test_embodied_carbon_is_a_small_share_beside_a_usual_grid():
    results = {result.quantity: result.value for result in call("estimate_llm", {"model": "llama 3.1 70b", "output_tokens": 400.0, "include_embodied": True}).results}
    assert 0 < results["embodied"] < 0.1 * results["emissions"]


@pytest.mark.parametrize("device", ["L4", "MI300X"])
def test_manufacturing_that_nobody_published_is_no_number(device):
    with pytest.raises(KilowhatError) as refused:
        call("estimate_llm", {"model": "llama 3.1 8b", "output_tokens": 400.0, "include_embodied": True, "accelerator": device})
    assert (refused.value.code, refused.value.field) == ("not_published", "include_embodied")


@pytest.mark.filterwarnings("ignore")
def test_ecologits_stands_beside_on_request_alone():
    estimate = call("estimate_llm", {"model": "gpt-4o", "output_tokens": 400.0, "compare_with_ecologits": True})
    assert estimate.alternatives[0].label.startswith("ecologits")
    assert estimate.alternatives[0].low < estimate.alternatives[0].value < estimate.alternatives[0].high
    own = call("estimate_llm", {"total_parameters_b": 7.0, "output_tokens": 400.0, "compare_with_ecologits": True})
    assert [warning.code for warning in own.warnings] == ["no_ecologits_model"]


def test_a_long_prompt_is_warned_of():
    assert [warning.code for warning in call("estimate_llm", {"model": "gpt-4o", "output_tokens": 400.0, "input_tokens": 100000.0}).warnings] == ["long_input"]


def test_everything_told_still_fits():
    told = {
        "model": "gpt-4o",
        "requests": 123456.0,
        "input_tokens": 12345.678,
        "cached_input_tokens": 1234.5678,
        "output_tokens": 437.5,
        "reasoning_tokens": 4321.1,
        "weight_bits": 8.25,
        "accelerator": "A100 40GB",
    }
    told |= {"accelerator_count": 16.0, "concurrent_requests": 123.4, "include_embodied": True, "compare_with_ecologits": None, "pue": 1.123}
    for region in ("us-west-2", "France", "台湾", "texas", "europe-north1", "CN", "California", "内蒙古"):
        estimate = call("estimate_llm", told | {"region": region})
        assert len(estimate.model_dump_json().encode()) <= MAXIMUM_BYTES, region
        assert len(estimate.results) == 4


SAME = [
    ("gpt-4o", ["GPT-4o", "GPT 4o", "gpt4o", "ChatGPT-4o"]),
    ("gpt-4o-mini", ["GPT-4o mini", "gpt4o mini", "4o mini"]),
    ("Meta-Llama-3.1-70B", ["llama-3.1-70b", "Llama 3.1 70B", "llama3.1:70b", "meta llama 3.1 70b", "ＬＬＡＭＡ３．１　７０Ｂ"]),
    ("Mixtral-8x7B-v0.1", ["mixtral 8x7b", "Mixtral-8x7B"]),
    ("gemma-2b", ["gemma 2b", "google/gemma-2b"]),
    ("gemma-2-2b", ["gemma 2 2b"]),
    ("Qwen3 235B-A22B", ["qwen3-235b-a22b", "Qwen/Qwen3-235B-A22B-Instruct-2507"]),
    ("DeepSeek-V3", ["deepseek v3", "DeepSeek-V3"]),
    ("claude-opus-4-5", ["Claude Opus 4.5"]),
]


@pytest.mark.parametrize(("model", "spelling"), [(model, spelling) for model, spellings in SAME for spelling in spellings])
def test_a_model_is_found_however_it_is_spelled(model, spelling):
    assert find_model(Library.load(), spelling).name == model


def test_every_model_of_the_catalogue_is_found_by_its_own_name_and_size():
    library = Library.load()
    assert version("ecologits").startswith("0.11.")
    assert len(names()) == 351
    for name in names():
        model = find_model(library, name)
        assert model.name.casefold().replace(".", "-") == name.rpartition("/")[2].casefold().replace(".", "-").replace("gpt-35", "gpt-3-5"), name
        assert model.total.quantity.value > 0
        assert model.active is None or model.active.quantity.value <= model.total.quantity.value
        assert library.fact(model.total.id).unit == "billion parameters"


def test_another_edition_is_another_model():
    library = Library.load()
    assert find_model(library, "mistral-large-2512").known is None
    assert find_model(library, "gpt-4").total.value != find_model(library, "gpt-4-turbo").total.value
