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


CHAT = {"output_tokens": 300.0, "input_tokens": 100.0}


@pytest.mark.parametrize(
    ("model", "fact"),
    [
        ("GPT-4o mini", "gpt-4o-mini-request-energy-short"),
        ("GPT-5", "gpt-5-reply-energy-uri"),
        ("DeepSeek-R1", "deepseek-r1-request-energy-short-own-servers"),
        ("Gemini 2.5 Flash", "gemini-prompt-energy"),
    ],
)
@pytest.mark.parametrize("region", [None, "France"])
def test_what_others_published_for_the_same_model_stands_beside_scaled_to_the_requests(model, fact, region):
    place = {"region": region} if region else {}
    estimate = call("estimate_llm", {"model": model, "requests": 1000.0, **CHAT, **place})
    beside = next(other for other in estimate.alternatives if other.fact_id == fact)
    assert beside.unit == "kWh"
    assert math.isclose(beside.value, 1000 * Library.load().fact(fact).in_unit("kWh").value)


@pytest.mark.parametrize(("model", "warned"), [("GPT-4o mini", True), ("o1", True), ("GPT-4o", False), ("Gemini 2.5 Flash", False)])
def test_a_range_that_excludes_what_is_published_says_so(model, warned):
    estimate = call("estimate_llm", {"model": model, **CHAT})
    assert ("published_outside" in {warning.code for warning in estimate.warnings}) is warned
    ours = estimate.results[0]
    apart = [other for other in estimate.alternatives if (other.low or other.value) > ours.high or (other.high or other.value) < ours.low]
    assert bool([other for other in apart if other.boundary == "facility"]) is warned


CLOSED = ["o3", "Grok 4", "Grok 3", "Claude Sonnet 4", "Claude Opus 4", "Claude 3.7 Sonnet", "Claude 3", "Claude", "Gemini", "Gemini 3 Pro", "GPT-4.5", "gpt 7", "Sonnet 4"]


@pytest.mark.parametrize("model", CLOSED)
def test_a_closed_model_is_refused_as_not_published_with_what_is_published(model):
    with pytest.raises(KilowhatError) as refused:
        call("estimate_llm", {"model": model, **CHAT})
    assert (refused.value.code, refused.value.field) == ("not_published", "model")
    assert "Nearest published for one request: " in refused.value.message
    named = refused.value.message.partition("[")[2].partition("]")[0]
    assert Library.load().fact(named).subject == "request-energy"
    for name in refused.value.nearest:
        assert find_model(Library.load(), name).total.quantity.value > 0


@pytest.mark.parametrize("model", ["xyz foo", "Phi-4", "Grok 1", "GPT-J", "gpt-2-nano", "GPT4All", "o-ring"])
def test_a_name_of_no_closed_provider_stays_unknown(model):
    with pytest.raises(KilowhatError) as refused:
        call("estimate_llm", {"model": model, **CHAT})
    assert refused.value.code == "unknown_name"


@pytest.mark.parametrize(("model", "spelling"), [("claude-sonnet-4-5", "Claude 4.5 Sonnet"), ("claude-opus-4-5", "Claude 4.5 Opus"), ("claude-haiku-4-5", "Claude 4.5 Haiku")])
def test_the_order_of_words_in_a_name_is_free_and_that_of_its_numbers_is_not(model, spelling):
    assert find_model(Library.load(), spelling).name == model
    with pytest.raises(KilowhatError):
        find_model(Library.load(), spelling.replace("4.5", "5.4"))


@pytest.mark.parametrize(
    ("model", "reasons"), [("DeepSeek-R1", True), ("o1", True), ("o3-mini", True), ("GPT-5", True), ("gpt-oss 120B", True), ("GPT-4o", False), ("Llama 3.1 70B", False), ("gpt-5-chat-latest", False)]
)
def test_reasoning_that_was_not_told_is_said_to_be_left_out(model, reasons):
    silent, told = call("estimate_llm", {"model": model, **CHAT}), call("estimate_llm", {"model": model, **CHAT, "reasoning_tokens": 0.0})
    assert ("reasoning_not_counted" in {warning.code for warning in silent.warnings}) is reasons
    assert any("0 are counted" in sentence for sentence in silent.assumptions) is reasons
    assert "reasoning_not_counted" not in {warning.code for warning in told.warnings}
    assert silent.results[0].value == told.results[0].value


def test_the_size_of_gpt_3_is_the_published_one():
    estimate = call("estimate_llm", {"model": "GPT-3", **CHAT})
    assert next(entry for entry in estimate.inputs if entry.name == "active_b").value == 175
