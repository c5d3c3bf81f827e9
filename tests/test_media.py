"""Images and videos: more of anything never takes less, columns give what floats give, and the counted constants count right."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.tools import KilowhatError, Library, call
from kilowhat.tools import estimate_media as media

LIBRARY = Library.load()
MODELS = {model: LIBRARY.named("models", model).get("media") for model in LIBRARY.names("models") if LIBRARY.named("models", model).get("media")}

GROWING = {
    "count": (0, 1e12),
    "steps": (1, 1000),
    "guidance_passes": (1, 4),
    "width": (16, 16384),
    "height": (16, 16384),
    "denoiser_parameters_b": (0.01, 1000),
    "accelerator_count": (1, 1024),
    "weight_bits": (2, 64),
    "pue": (1, 5),
    "carbon_intensity_g_co2e_per_kwh": (0, 5000),
}
"""Arguments of which more never takes less, with their bounds."""

STARTS = [
    {"kind": "image", "denoiser_parameters_b": 2.6, "backbone": "unet"},
    {"kind": "image", "model": "FLUX.1 dev"},
    {"kind": "video", "model": "SVD"},
    {"kind": "video", "denoiser_parameters_b": 5.0},
]


def two(start, name, ends, **also):
    return (call("estimate_media", {**start, name: end, **also}) for end in sorted(ends))


@pytest.mark.parametrize("start", STARTS, ids=str)
@pytest.mark.parametrize("name", GROWING)
@given(data=st.data())
def test_more_never_takes_less(start, name, data):
    ends = data.draw(st.tuples(*[st.floats(*GROWING[name])] * 2))
    less, more = two(start, name, ends)
    for left, right in zip(less.results, more.results, strict=True):
        assert left.value <= right.value * (1 + 1e-9)


@pytest.mark.parametrize("start", STARTS[2:], ids=str)
@given(ends=st.tuples(st.floats(1, 20000), st.floats(1, 20000)))
def test_more_frames_never_take_less(start, ends):
    less, more = two(start, "frames", ends)
    assert less.results[0].value <= more.results[0].value * (1 + 1e-9)


@pytest.mark.parametrize("start", STARTS, ids=str)
@given(ends=st.tuples(st.floats(1, 4096), st.floats(1, 4096)), accelerators=st.floats(1, 64))
def test_a_bigger_batch_never_takes_more_for_one(start, ends, accelerators):
    small, big = two(start, "batch_size", ends, accelerator_count=accelerators)
    assert big.results[0].value <= small.results[0].value * (1 + 1e-9)


@given(count=st.floats(1e-3, 1e9), factor=st.floats(1e-3, 1e3))
def test_twice_as_many_take_twice_as_much(count, factor):
    one, many = (call("estimate_media", {"kind": "image", "model": "SDXL", "count": number, "region": "FR"}) for number in (count, count * factor))
    for left, right in zip(one.results, many.results, strict=True):
        assert all(math.isclose(getattr(left, end) * factor, getattr(right, end), rel_tol=1e-9) for end in ("low", "value", "high"))


@pytest.mark.parametrize("boundaries", [("accelerators", "server"), ("server", "facility")])
def test_a_wider_boundary_takes_more(boundaries):
    inner, outer = (call("estimate_media", {"kind": "image", "model": "SDXL", "boundary": boundary}).results[0].value for boundary in boundaries)
    assert inner < outer


@pytest.mark.parametrize("model", MODELS)
def test_every_model_of_the_catalogue_is_estimated_from_a_published_size(model):
    estimate = call("estimate_media", {"kind": MODELS[model]["kind"], "model": model})
    size = next(entry for entry in estimate.inputs if entry.name == "denoiser_parameters_b")
    fact = LIBRARY.fact(size.fact_id)
    assert fact.scope == {"model": model}
    assert any(warning.code == "unverified_parameters" for warning in estimate.warnings) == (fact.checked.against == "unverified")
    assert 0 < estimate.results[0].low < estimate.results[0].value < estimate.results[0].high < 100
    assert len(estimate.model_dump_json().encode()) <= 8192
    assert "usual settings" in " ".join(estimate.assumptions)


@given(data=st.data())
def test_whatever_is_told_the_estimate_is_finite_and_small(data):
    bounds = {**GROWING, "batch_size": (1, 4096), "frames": (1, 20000), "frames_per_token": (1, 64), "pixels_per_token": (1, 64), "token_share": (0.02, 1)}
    told = {name: data.draw(st.floats(*bounds[name])) for name in data.draw(st.sets(st.sampled_from(sorted(bounds))))}
    names = {"accelerator": ["A100", "H100", "B200", "RTX 4090", "TPU v4"], "boundary": ["accelerators", "server", "facility"], "region": ["FR", "us-west-2", "加州"], "backbone": ["unet", "dit"]}
    told |= {name: data.draw(st.sampled_from(names[name])) for name in data.draw(st.sets(st.sampled_from(sorted(names))))}
    told |= data.draw(st.sampled_from([{}, *({"model": model} for model in MODELS)]))
    try:
        estimate = call("estimate_media", {"kind": data.draw(st.sampled_from(["image", "video"])), **told})
    except KilowhatError as error:
        assert error.code in ("invalid_arguments", "missing_input")
        return
    assert all(math.isfinite(end) for result in estimate.results for end in (result.low, result.value, result.high))
    assert all(result.low <= result.value <= result.high for result in estimate.results)
    assert len(estimate.model_dump_json().encode()) <= 8192


@pytest.mark.parametrize("start", STARTS, ids=str)
def test_the_formulas_give_on_columns_what_they_give_on_floats(start):
    widths, steps = np.array([512.0, 1024.0, 2048.0]), np.array([20.0, 28.0, 50.0])
    estimates = [call("estimate_media", {**start, "width": float(width), "steps": float(count), "accelerator_count": 2.0}) for width, count in zip(widths, steps, strict=True)]
    formulas = {formula.expression: formula for formula in vars(media).values() if isinstance(formula, media.Formula)}
    told = {entry.name: entry.value for entry in estimates[0].inputs} | {"width": widths, "steps": steps}
    for step in estimates[0].steps:
        if step.expression in formulas:
            formula = formulas[step.expression]
            told[step.name] = formula(**{name: told[name] for name in formula.inputs})
    for name in ("tokens", "tflop", "output_j", "energy_kwh"):
        assert np.allclose(told[name], [next(step.value for step in estimate.steps if step.name == name) for estimate in estimates], rtol=1e-11, atol=0)


def test_a_tflop_never_takes_less_than_the_rated_power_over_the_peak():
    for generation, device in {"a100": "nvidia-a100-sxm-80gb", "h100": "nvidia-h100-sxm", "b200": "nvidia-b200"}.items():
        power, peak = (LIBRARY.default(subject, hardware=device).in_unit(unit).value for subject, unit in (("device-power", "W"), ("device-peak-compute", "TFLOP/s")))
        assert LIBRARY.fact(f"media-joules-per-tflop-{generation}").low > power / peak


def test_the_shares_of_a_token_are_counted_from_the_layers():
    attention, feed_forward, modulation = 4, 8, 6
    stream = attention + feed_forward + modulation
    shared = attention + feed_forward + 3
    assert LIBRARY.fact("media-token-share-double").value == pytest.approx((attention + feed_forward) / (2 * stream), abs=0.02)
    for double, single in ((19, 38), (20, 40)):
        passed = (double + single) * (attention + feed_forward)
        assert LIBRARY.fact("media-token-share-mixed").value == pytest.approx(passed / (2 * double * stream + single * shared), abs=0.001)


def test_estimate_task_points_here_for_a_model_that_nobody_measured():
    for model in ("FLUX.1 dev", "no such model"):
        with pytest.raises(KilowhatError, match="estimate_media"):
            call("estimate_task", {"task": "image-generation", "count": 1.0, "model": model})
