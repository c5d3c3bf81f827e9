"""Training from operations, manufacture by hours used, and their sum: what holds beyond single cases."""

import math

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.tools import KilowhatError, Library, call
from kilowhat.tools.core.derivation import MAXIMUM_BYTES

RUNS = {fact.scope["run"]: fact for fact in Library.load().find("training-utilisation") if fact.derivation is not None and "run" in fact.scope}
"""The published runs behind the usual utilisation: each fact derives from parameters, tokens, hours and peak."""

T90 = {6: 1.440, 17: 1.333, 18: 1.330}
"""The 90 % quantile of Student's t by degrees of freedom."""

amounts = st.floats(min_value=1e-3, max_value=1e6)
shares = st.floats(min_value=0.01, max_value=1)


def hours_by_tool(fact):
    """Return published hours of a run, and those that the tool gives for its parameters and tokens."""
    library = Library.load()
    inputs = {name: library.fact(fact_id) for name, fact_id in fact.derivation.inputs.items()}
    told = {"active_parameters_b": inputs["parameters"].value / 1e9, "tokens_b": inputs["tokens"].value / 1e9, "accelerator": inputs["peak"].scope["hardware"]}
    return inputs["hours"].value, told


# The usual utilisation


def prediction(logs):
    """Return the mean of logarithms, and how far from it another one lies with 80 percent (Student's t)."""
    return numpy.mean(logs), T90[len(logs) - 1] * numpy.std(logs, ddof=1) * math.sqrt(1 + 1 / len(logs))


def test_the_usual_utilisation_is_the_mean_of_the_published_runs_and_its_range_that_of_another_run():
    usual = Library.load().fact("training-utilisation-usual")
    assert set(usual.derivation.inputs.values()) == {fact.id for fact in RUNS.values()}
    mean, half = prediction([math.log(fact.value) for fact in RUNS.values()])
    assert (usual.low, usual.value, usual.high) == pytest.approx((math.exp(mean - half), math.exp(mean), math.exp(mean + half)), rel=0.002)


@pytest.mark.parametrize("left_out", ["run", "developer"])
def test_a_range_made_without_a_run_or_its_developer_holds_it(left_out):
    held = 0
    for run, fact in RUNS.items():
        group = "llama" if left_out == "developer" and "llama" in run else run
        mean, half = prediction([math.log(other.value) for name, other in RUNS.items() if not name.startswith(group)])
        held += abs(math.log(fact.value) - mean) <= half
    assert 0.75 <= held / len(RUNS) <= 0.9


@pytest.mark.parametrize("run", RUNS)
def test_the_share_of_a_run_gives_its_published_hours_again(run):
    hours, told = hours_by_tool(RUNS[run])
    found = call("estimate_training", {**told, "utilisation": RUNS[run].value / 100})
    assert next(result.value for result in found.results if result.quantity == "accelerator-hours") == pytest.approx(hours, rel=0.005)


def test_the_default_holds_most_runs_within_its_interval_and_nearly_all_within_a_factor_of_two():
    within, near = 0, 0
    for fact in RUNS.values():
        hours, told = hours_by_tool(fact)
        result = next(result for result in call("estimate_training", told).results if result.quantity == "accelerator-hours")
        within += result.low <= hours <= result.high
        near += 0.5 <= result.value / hours <= 2
    assert within >= 0.75 * len(RUNS)
    assert near >= 0.9 * len(RUNS)


def test_the_operations_of_published_runs_follow_from_the_rule_of_six():
    library = Library.load()
    for run, parameters, tokens in (("gpt-3", 174.6, 300.0), ("llama-3-1-405b", 405.0, 15600.0)):
        estimate = call("estimate_training", {"parameters_b": parameters, "tokens_b": tokens, "accelerator": "H100"})
        printed = library.fact(f"{run}-training-compute")
        operations = next(step.value for step in estimate.steps if step.name == "training_flop")
        assert float(f"{operations:.3g}" if run == "gpt-3" else f"{operations:.2g}") == printed.value


def test_the_reported_rate_of_a_run_lies_above_its_share_over_all_hours():
    library = Library.load()
    for fact_id in ("llama-3-1-405b-training-mfu", "deepseek-v3-training-mfu", "palm-540b-training-mfu"):
        fact = library.fact(fact_id)
        assert fact.quantity.value > RUNS[fact.scope["run"]].value


# Development


@given(share=st.floats(min_value=0, max_value=100), hours=amounts)
def test_development_comes_on_top_of_the_final_run(share, hours):
    arguments = {"accelerator_count": 4.0, "hours": hours, "power_w": 500.0, "region": "FR"}
    alone = call("estimate_training", arguments)
    found = {result.quantity: result.value for result in call("estimate_training", {**arguments, "development_share": share}).results}
    assert found["final-run-energy"] == pytest.approx(alone.results[0].value)
    assert found["energy"] == pytest.approx(found["final-run-energy"] + found["development-energy"])
    assert found["emissions"] == pytest.approx((1 + share) * next(result.value for result in alone.results if result.quantity == "emissions"))


def test_development_stands_beside_what_others_published_as_theirs():
    estimate = call("estimate_training", {"model": "GPT-3", "development_share": 0.5})
    olmo = next(other for other in estimate.alternatives if other.fact_id == "olmo-development-share")
    assert (olmo.value, olmo.unit) == (pytest.approx(0.503 * 1287000), "kWh")


def test_where_it_is_not_told_the_boundary_says_that_it_is_left_out():
    assert "no failed runs" in call("estimate_training", {"parameters_b": 7.0, "tokens_b": 2000.0, "accelerator": "A100"}).results[0].boundary


# Laws


@given(parameters=st.floats(min_value=1e-3, max_value=1e4), tokens=amounts, factor=st.floats(min_value=0.01, max_value=100))
def test_hours_are_linear_in_parameters_and_in_tokens(parameters, tokens, factor):
    def hours(parameters_b, tokens_b):
        return next(result for result in call("estimate_training", {"parameters_b": parameters_b, "tokens_b": tokens_b, "accelerator": "H100"}).results if result.quantity == "accelerator-hours")

    one = hours(parameters, tokens)
    for many in (hours(parameters * factor, tokens), hours(parameters, tokens * factor)):
        for end in ("value", "low", "high"):
            assert math.isclose(getattr(one, end) * factor, getattr(many, end), rel_tol=1e-9)


@given(low=shares, high=shares, pue=st.floats(min_value=1, max_value=5))
def test_a_higher_utilisation_never_takes_more_and_a_higher_pue_never_less(low, high, pue):
    low, high = sorted((low, high))

    def energy(utilisation, pue):
        return call("estimate_training", {"parameters_b": 7.0, "tokens_b": 2000.0, "accelerator": "A100", "utilisation": utilisation, "pue": pue}).results[0].value

    assert energy(high, 1.0) <= energy(low, 1.0) <= energy(low, pue) * (1 + 1e-12)


@given(count=amounts, factor=st.floats(min_value=1e-3, max_value=1e3))
def test_manufacture_is_linear_in_count_and_in_hours(count, factor):
    arguments = {"device": "H100", "host": "with", "used_hours": 10.0, "count": count}
    one = call("estimate_embodied", arguments)
    many = call("estimate_embodied", {**arguments, "count": count * factor})
    for left, right in zip(one.results, many.results, strict=True):
        for end in ("value", "low", "high"):
            assert math.isclose(getattr(left, end) * factor, getattr(right, end), rel_tol=1e-9)
    longer = call("estimate_embodied", {**arguments, "used_hours": 20.0})
    assert longer.results[0].value == pytest.approx(2 * one.results[0].value)


@given(years=st.floats(min_value=0.1, max_value=50), utilisation=shares)
def test_a_whole_life_carries_the_whole_manufacture(years, utilisation):
    life = years * 8760 * utilisation * (1 - 1e-12)
    told = {"device": "H100", "count": 3.0, "lifetime_years": years, "utilisation": utilisation, "used_hours": life}
    assert call("estimate_embodied", told).results[0].value == pytest.approx(3 * 164)


@given(parts=st.lists(st.floats(min_value=0, max_value=1e12), min_size=1, max_size=3), unit=st.sampled_from(["kWh", "t CO2e"]))
def test_a_life_cycle_is_the_sum_of_its_parts_and_the_shares_are_the_whole(parts, unit):
    told = {name: f"{value!r} {unit}" for name, value in zip(("embodied", "training", "operation"), parts, strict=False)}
    estimate = call("estimate_lifecycle", told)
    assert estimate.results[0].value == pytest.approx(sum(parts) * (1000 if unit == "t CO2e" else 1))
    if sum(parts) > 0:
        assert sum(result.value for result in estimate.results if result.quantity == "share") == pytest.approx(100)


# Chains


def test_a_life_cycle_of_refs_keeps_intervals_and_citations():
    embodied = call("estimate_embodied", {"device": "A100", "count": 384.0, "used_hours": 2820.0, "lifetime_years": 6.0, "utilisation": 0.85, "host": "HPE ProLiant DL345"})
    estimate = call("estimate_lifecycle", {"embodied": embodied.ref, "training": "fact:bloom-176b-training-emissions", "operation": "1 t CO2e"})
    first = estimate.inputs[0]
    assert (first.low, first.value, first.high) == pytest.approx((embodied.results[0].low, embodied.results[0].value, embodied.results[0].high))
    cited = {citation.fact_id for citation in estimate.citations}
    assert {"nvidia-a100-embodied-bloom", "hpe-dl345-embodied", "bloom-176b-training-emissions"} <= cited
    assert "nvidia-a100-embodied-chien" not in cited
    assert estimate.results[0].low < estimate.results[0].value < estimate.results[0].high
    assert estimate.results[0].interval == "80%"


def test_emissions_are_taken_where_a_ref_gives_both():
    estimate = call("estimate_lifecycle", {"embodied": "10 t CO2e", "training": "estimate_training?model=GPT-3"})
    assert estimate.results[0].value == pytest.approx(562100)


def test_a_mismatch_says_what_to_write():
    with pytest.raises(KilowhatError) as mass:
        call("estimate_lifecycle", {"embodied": "33.41 t", "training": "552 t CO2e"})
    assert "33.41 t CO2e" in mass.value.message
    with pytest.raises(KilowhatError) as mixed:
        call("estimate_lifecycle", {"embodied": "11.2 t CO2e", "training": "433 MWh"})
    assert "convert_energy_to_emissions" in mixed.value.message


# Size


def test_an_estimate_told_in_full_stays_small_and_keeps_what_it_rests_on():
    library = Library.load()
    for device in library.names("hardware"):
        told = {
            "model": "Megatron-Turing NLG 530B",
            "parameters_b": 671.0,
            "active_parameters_b": 37.12345,
            "tokens_b": 14800.0,
            "accelerator": device,
            "accelerator_count": 16384.0,
            "development_share": 1.0,
        }
        try:
            estimate = call("estimate_training", {**told, "region": "Inner Mongolia"})
        except KilowhatError as error:
            assert error.code == "not_published"
            continue
        assert len(estimate.model_dump_json().encode()) <= MAXIMUM_BYTES, device
        assert {entry.fact_id for entry in estimate.inputs if entry.fact_id} <= {citation.fact_id for citation in estimate.citations}


def test_a_chain_of_long_estimates_stays_small_and_says_what_it_leaves_out():
    operation = "estimate_service?service=Gemini&requests_per_day=1000000&days=365&region=Inner%20Mongolia"
    training = "estimate_training?parameters_b=405&tokens_b=15600&accelerator=H100&region=us-west-2"
    estimate = call("estimate_lifecycle", {"embodied": "estimate_embodied?device=A100&host=with&used_hours=100", "training": training, "operation": operation, "requests": 3.65e8})
    assert len(estimate.model_dump_json().encode()) <= MAXIMUM_BYTES
    assert any(warning.code == "citations_left_out" for warning in estimate.warnings)


@pytest.mark.parametrize("device", Library.load().names("hardware"))
def test_every_device_is_answered_or_refused_with_a_reason(device):
    for more in ({}, {"host": "with"}, {"used_hours": 10.0}):
        try:
            estimate = call("estimate_embodied", {"device": device, **more})
        except KilowhatError as error:
            assert error.code in ("not_published", "invalid_arguments", "missing_input")
        else:
            head = estimate.results[0]
            assert 0 < head.low <= head.value <= head.high


# Published figures for one part


def test_the_spread_of_manufacture_is_that_of_the_two_figures_for_the_h100():
    library = Library.load()
    told = library.fact("embodied-agreement")
    ratio = library.fact("nvidia-h100-embodied-ecologits").value / library.fact("nvidia-h100-embodied").value
    assert (told.low, told.high) == (pytest.approx(1 / ratio, rel=0.005), pytest.approx(ratio, rel=0.005))


def test_a_refused_run_names_what_is_published_and_denies_nothing_that_the_library_holds():
    library = Library.load()
    subjects = ("training-energy", "training-emissions", "training-hours", "training-power", "training-duration")
    refused = 0
    for run in library.names("runs"):
        try:
            call("estimate_training", {"model": run})
        except KilowhatError as error:
            refused += 1
            held = [fact.id for subject in subjects for fact in library.find(subject, run=run)]
            assert error.code == "not_published"
            assert error.message.startswith("Nobody has published") is not held
            assert all(f"[{fact_id}]" in error.message for fact_id in held[:3])
    assert refused > 5


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("Falcon-180B", "falcon-180b-training-hours"),
        ("Grok 4", "310 GWh [grok-4-training-energy]"),
        ("Claude 3", "the provider of Claude"),
        ("GPT-4o", "the provider of ChatGPT"),
        ("Gemini 2.5 Pro", "the provider of Gemini"),
    ],
)
def test_a_closed_or_unsound_run_is_not_published(model, words):
    with pytest.raises(KilowhatError) as refused:
        call("estimate_training", {"model": model})
    assert refused.value.code == "not_published"
    assert words in refused.value.message


@pytest.mark.parametrize(("model", "run"), [("BERT", "BERT base"), ("Stable Diffusion", "Stable Diffusion v1")])
def test_a_name_without_a_version_says_which_run_it_is_taken_for(model, run):
    assert f"{model} without a version is taken as {run}." in call("estimate_training", {"model": model}).assumptions
    assert not any("without a version" in sentence for sentence in call("estimate_training", {"model": run}).assumptions)


def test_a_rack_has_the_range_of_its_published_power():
    energy = call("estimate_fleet", {"device": "GB200 NVL72", "count": 10.0, "hours": 24.0}).results[0]
    assert (energy.value, energy.low) == (28800, 28800)
    assert energy.high == pytest.approx(31680)


def test_figures_of_two_sources_are_said_to_be_of_two():
    def warned(**told):
        return {warning.code: warning.message for warning in call("estimate_embodied", told).warnings}

    assert set(warned(device="H100", count=8.0, host="with")) == {"sources_differ"}
    assert "164 kg CO2e by NVIDIA" in warned(device="H200", count=8.0)["other_scale"]
    assert "sources_differ" not in warned(device="H200", host="with")
    assert not warned(device="A100")


def test_a_device_with_its_host_is_not_called_the_part_alone():
    for host, words in (("with", "the share of the host"), ("without", "the part alone")):
        boundary = call("estimate_embodied", {"device": "H100", "count": 8.0, "host": host}).results[0].boundary
        assert words in boundary
        assert ("the part alone" in boundary) is (host == "without")


def test_a_request_to_chatgpt_has_the_range_of_what_is_published_for_a_short_one():
    estimate = call("estimate_service", {"service": "ChatGPT", "requests_per_day": 1000.0})
    energy = estimate.results[0]
    assert (energy.low, energy.value, energy.high) == pytest.approx((0.16, 0.3, 0.6))
    assert energy.interval == "published range"
    typical = [Library.load().fact(fact_id).in_unit("Wh") for fact_id in Library.load().named("services", "chatgpt").get("typical")]
    assert all(energy.low <= (quantity.low or quantity.value) and (quantity.high or quantity.value) <= energy.high for quantity in typical)
    assert any("Long inputs and reasoning lie beyond it" in sentence for sentence in estimate.assumptions)
    assert next(result for result in estimate.results if result.label == "water, as published per request").boundary.endswith("without method or boundary.")


def test_what_has_one_published_figure_alone_says_that_it_has_no_range():
    for service in ("Gemini", "Google search"):
        energy = call("estimate_service", {"service": service, "requests_per_day": 1000.0}).results[0]
        assert energy.low == energy.high
        assert energy.interval == "as published, without a range"
