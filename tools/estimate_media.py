"""Energy of generated images and videos, physically: from model, size, steps and hardware.

**Formula**: E = count · (TFLOP · j + o · √P · steps · accelerators / batch + x · passes · tokens · √P · (accelerators - 1))
· server factor · PUE, in J. passes = steps · guidance passes; tokens = width · height / pixels per token² · ((frames - 1) / frames
per token + 1); TFLOP = (passes + 1) · tokens · (2 · s · P / 1000 + a · tokens · √P) in a diffusion transformer, (passes + 1) ·
tokens · u · √P in a U-Net; the decoder counts as one more pass. P: parameters of the denoiser in billions; s: the share of them
that an image token passes; j: J per TFLOP; o: J per step that a larger batch shares; x: J for exchanging a token; a, u: TFLOP of
attention and of a U-Net's position.

**Boundary**: the facility by default (accelerator boards × server factor × PUE); the server or the boards alone if asked. No
idle time, network, text encoder, prompt rewriting or upscaling.

**Assumptions**: a named model runs at its usual settings; one H100, a small batch and 16-bit weights, unless told.

**Facts**: ``denoiser-parameters`` of the model; ``method-constant``, cases ``media-…``, fitted to 666 measured configurations,
with how far estimates lie off (``media-model-error``); ``llm-server-factor`` and ``llm-facility-factor``.

**Limits**: diffusion models on a busy server; not models that write images token by token. Fewer than ten steps, U-Nets on
several accelerators and weights below 16 bits are extrapolated; servers tuned for MLPerf in 8 bits took less than half of it. ``tests/calibration/fit_media.py`` prints how wrong it is.

>>> from kilowhat.tools import call
>>> call("estimate_media", {"kind": "video", "model": "HunyuanVideo"}).steps[0].value  # 1280 / 16 * 720 / 16 * (128 / 4 + 1)
118800.0
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from kilowhat.tools.core.derivation import Derivation
from kilowhat.tools.core.errors import InvalidArguments, MissingInput, NotPublished, UnknownName
from kilowhat.tools.core.estimate import Estimate
from kilowhat.tools.core.expression import Formula
from kilowhat.tools.core.facility import add_surroundings
from kilowhat.tools.core.place import PlaceArguments, add_place
from kilowhat.tools.core.reference import Library, Name, fold
from kilowhat.tools.core.tool import Tool
from kilowhat.tools.core.units import format_number, format_range

TOKENS = Formula("tokens", "width / pixels_per_token * height / pixels_per_token", "tokens")
TOKENS_OF_VIDEO = Formula("tokens", "width / pixels_per_token * height / pixels_per_token * ((frames - 1) / frames_per_token + 1)", "tokens")
DIT = Formula("tflop", "(steps * guidance_passes + 1) * tokens * (2 * token_share * denoiser_parameters_b / 1000 + attention_tflop * tokens * denoiser_parameters_b ** (1 / 2))", "TFLOP")
UNET = Formula("tflop", "(steps * guidance_passes + 1) * tokens * unet_tflop * denoiser_parameters_b ** (1 / 2)", "TFLOP")
UNET_OF_VIDEO = Formula("tflop", "(steps * guidance_passes + 1) * tokens * unet_tflop * video_unet_ratio * denoiser_parameters_b ** (1 / 2)", "TFLOP")
PRECISION = Formula("joules_per_tflop", "joules_per_16_bit_tflop * (weight_bits / 8 / 2) ** precision_exponent", "J/TFLOP")
OUTPUT = Formula("output_j", "tflop * joules_per_tflop + step_j * steps / batch_size * denoiser_parameters_b ** (1 / 2)", "J")
OUTPUT_OF_SEVERAL = Formula(
    "output_j",
    "tflop * joules_per_tflop + (step_j * accelerator_count / batch_size + exchange_j * guidance_passes * tokens * (accelerator_count - 1)) * steps * denoiser_parameters_b ** (1 / 2)",
    "J",
)

BOARDS = Formula("energy_kwh", "count * output_j * model_error / 3600000", "kWh")
SERVER = Formula("energy_kwh", "count * output_j * model_error / 3600000 * server_factor", "kWh")
FACILITY = Formula("energy_kwh", "count * output_j * model_error / 3600000 * facility_factor", "kWh")
FACILITY_OF_PUE = Formula("energy_kwh", "count * output_j * model_error / 3600000 * server_factor * pue", "kWh")

TASKS = {"image": "image-generation", "video": "video-generation"}
OPEN_MODELS = {"image": "image-generation-energy-one-gpu-pooled", "video": "video-generation-energy-one-gpu"}
"""The published range over open models, for models of which nothing is published."""

UNNAMED: Mapping[str, Mapping[str, float]] = {
    "image": {"width": 1024, "height": 1024, "guidance_passes": 2},
    "video": {"width": 832, "height": 480, "guidance_passes": 2, "frames": 81},
}
"""What open models usually make, for a model that is told by its size alone."""

SETTINGS = {"width": "pixels", "height": "pixels", "frames": "frames", "steps": "steps", "guidance_passes": "ratio", "pixels_per_token": "pixels", "frames_per_token": "frames"}
USUAL_BATCH = {"image": (4.0, 16.0), "video": (1.0, 4.0)}
"""Outputs made at a time where nobody says: the middle, and the most; the least is one."""

GENERATIONS = {"nvidia-a100": "a100", "nvidia-h100": "h100", "nvidia-h200": "h100", "nvidia-gh200": "h100", "nvidia-b200": "b200", "nvidia-gb200": "b200"}
"""Accelerators of the three generations that were measured, by the start of their id."""

UNKNOWN_SHARE = "media-token-share-unknown"
FEW_STEPS = 10
MEASURED_BITS = 16


class Input(PlaceArguments):
    """What is generated, by which model, on which hardware."""

    kind: Literal["image", "video"] = Field(description="What is generated: image or video.")
    model: str | None = Field(
        default=None, max_length=100, description="An open diffusion model by name: Stable Diffusion 1.5, SDXL, SDXL Turbo, FLUX.1 dev, PixArt-Sigma, HunyuanVideo, CogVideoX 5B, Wan2.1 14B, Mochi 1 …"
    )
    denoiser_parameters_b: float | None = Field(
        default=None,
        gt=0.001,
        le=1000,
        strict=True,
        description="Parameters of the denoiser (U-Net or transformer, without text encoder and decoder) in billions; typical 0.6 to 20. Instead of a model's own.",
    )
    count: float = Field(default=1.0, ge=0, le=1e15, strict=True, description="How many images or videos; zero or more.")
    width: float | None = Field(default=None, ge=16, le=16384, strict=True, description="Width in pixels; typical 512 to 2048.")
    height: float | None = Field(default=None, ge=16, le=16384, strict=True, description="Height in pixels; typical 512 to 2048.")
    steps: float | None = Field(default=None, ge=1, le=1000, strict=True, description="Denoising steps; typical 20 to 50, 1 to 8 for turbo models.")
    guidance_passes: float | None = Field(default=None, ge=1, le=4, strict=True, description="Passes of the denoiser a step: 2 with classifier-free guidance, 1 without or where it is distilled.")
    backbone: Literal["unet", "dit"] | None = Field(default=None, description="Kind of denoiser: unet (Stable Diffusion 1, 2, XL) or dit, a diffusion transformer (most since 2024).")
    token_share: float | None = Field(
        default=None, gt=0.01, le=1, strict=True, description="Share of a transformer's parameters that an image token passes: 0.9 where text shares the layers, 0.35 to 0.55 where it has its own."
    )
    pixels_per_token: float | None = Field(default=None, ge=1, le=64, strict=True, description="Side in pixels of what one token or latent position covers; typical 8 for a unet, 16 for a dit.")
    frames: float | None = Field(default=None, ge=1, le=20000, strict=True, description="Frames of a video: seconds times frames a second; typical 14 to 129.")
    frames_per_token: float | None = Field(default=None, ge=1, le=64, strict=True, description="Frames that one latent frame covers; typical 1 for a unet, 4 for a dit.")
    weight_bits: float | None = Field(default=None, ge=2, le=64, strict=True, description="Bits of a weight: 16 usually, 32 in old software, 8 or 4 where quantised.")
    batch_size: float | None = Field(default=None, ge=1, le=4096, strict=True, description="Outputs that one run makes together; typical 1 to 16.")
    accelerator: str | None = Field(default=None, max_length=100, description="The accelerator: A100, H100, B200 …; others are extrapolated.")
    accelerator_count: float | None = Field(default=None, ge=1, le=1024, strict=True, description="Accelerators that work on one batch together; typical 1 to 8.")
    boundary: Literal["accelerators", "server", "facility"] = Field(
        default="facility", description="What is counted: the accelerator boards, the server, or the facility with its cooling (the default)."
    )
    pue: float | None = Field(default=None, ge=1, le=5, strict=True, description="Power usage effectiveness of the facility, 1 or more; typical 1.08 to 1.6.")


def estimate_media(arguments: Input, library: Library) -> Estimate:
    """Return energy, emissions and off-site water of so many images or videos.

    Raises:
        UnknownName: for a model, accelerator or region that is not known (``unknown_name``).
        NotPublished: for a closed model, whose size nobody has published (``not_published``).
        MissingInput: where neither a model nor the size of its denoiser is told (``missing_input``).
        InvalidArguments: where arguments contradict the model, the kind or each other (``invalid_arguments``).
    """
    model = _find_model(arguments, library)
    card: Mapping[str, Any] = model.get("media") if model is not None else {}
    backbone = _backbone(arguments, model, card)
    derivation = Derivation(library)
    derivation.given("count", arguments.count, "ratio")
    _add_parameters(derivation, arguments, model)
    _add_settings(derivation, arguments, model, {**card, "backbone": backbone})
    _add_work(derivation, arguments, backbone, card.get("streams"))
    device = _add_hardware(derivation, arguments)
    _add_error(derivation, arguments, backbone, device)
    boundary = add_surroundings(derivation, arguments.boundary, arguments.pue)
    derivation.step({"accelerators": BOARDS, "server": SERVER}.get(arguments.boundary, FACILITY if arguments.pue is None else FACILITY_OF_PUE))
    derivation.result("energy_kwh", "energy", "electricity", boundary=boundary)
    add_place(derivation, arguments)
    measured = library.find("task-energy", task=TASKS[arguments.kind], model=model.id) if model is not None else []
    for fact in sorted(measured, key=lambda fact: fact.as_of or "", reverse=True)[:1]:
        derivation.alternative(fact, scale=arguments.count, unit="kWh")
    return derivation.estimate(TOOL.name, arguments, _about(derivation, arguments, model))


def _find_model(arguments: Input, library: Library) -> Name | None:
    """Return the open model that is named, or None where only the size of a denoiser is told."""
    if arguments.model is None:
        if arguments.denoiser_parameters_b is None:
            raise MissingInput("Give an open model (SDXL, FLUX.1 dev, HunyuanVideo …), or denoiser_parameters_b, the billions of parameters of its denoiser.", field="model")
        return None
    closed = library.spellings("services").get(fold(arguments.model))
    if closed is not None and fold(arguments.model) not in library.spellings("models"):
        named = library.named("services", closed)
    else:
        named = _named(library, arguments.model)
        if named.get("media") is not None:
            if named.get("media")["kind"] != arguments.kind:
                raise InvalidArguments(f"{named.name} makes {named.get('media')['kind']}s; kind says {arguments.kind}.", field="kind")
            return named
    if arguments.denoiser_parameters_b is not None:
        return None
    raise _not_published(library, named, arguments.kind)


def _named(library: Library, text: str) -> Name:
    try:
        return library.name("models", text, field="model")
    except UnknownName as unknown:
        raise UnknownName(f"{unknown.message} For a model that is not listed, give denoiser_parameters_b and its size.", field="model", nearest=unknown.nearest) from None


def _not_published(library: Library, named: Name, kind: str) -> NotPublished:
    """Return the refusal of a model without published size, with the nearest published ranges."""
    inferred = [fact for fact in library.find("task-energy", task=TASKS[kind]) if fact.scope.get("model", "").startswith(named.id)]
    others = library.fact(OPEN_MODELS[kind])
    said = f" Outsiders infer {format_number(inferred[0].quantity.value, 3)} {inferred[0].unit} [{inferred[0].id}]." if inferred else ""
    return NotPublished(
        f"How large {named.name} is, and what one {kind} of it takes, is not published.{said} Open models took {format_range(others.quantity)} on one modern GPU [{others.id}]. "
        "Give denoiser_parameters_b to calculate with a size of your own, or an open model.",
        field="model",
        nearest=[fact.id for fact in (*inferred[:3], others)],
    )


def _backbone(arguments: Input, model: Name | None, card: Mapping[str, Any]) -> str:
    if model is not None and arguments.backbone not in (None, card["backbone"]):
        raise InvalidArguments(f"{model.name} is a {card['backbone']}; leave backbone out, or give denoiser_parameters_b without a model.", field="backbone")
    return str(arguments.backbone or card.get("backbone", "dit"))


def _add_parameters(derivation: Derivation, arguments: Input, model: Name | None) -> None:
    """Add the size of the denoiser: as told, or as published for the model."""
    if arguments.denoiser_parameters_b is not None:
        derivation.given("denoiser_parameters_b", arguments.denoiser_parameters_b, "billion parameters")
    elif model is not None:
        published = derivation.library.find("denoiser-parameters", model=model.id)[0]
        derivation.fact("denoiser_parameters_b", published, "billion parameters")
        if published.checked.against == "unverified":
            derivation.warn("unverified_parameters", f"The size of {model.name} could not be checked against its makers' figure.")


def _add_settings(derivation: Derivation, arguments: Input, model: Name | None, card: Mapping[str, Any]) -> None:
    """Add size, steps and tokens: as told, as the model is usually run, or as open models usually have them."""
    if arguments.kind == "image" and arguments.frames not in (None, 1):
        raise InvalidArguments("An image has one frame; for more, kind is video.", field="frames")
    usual = {"pixels_per_token": 8 if card["backbone"] == "unet" else 16, "frames_per_token": 1 if card["backbone"] == "unet" else 4, **UNNAMED[arguments.kind], **card}
    assumed = []
    for name, unit in SETTINGS.items():
        told = getattr(arguments, name)
        if arguments.kind == "image" and name in ("frames", "frames_per_token"):
            continue
        if told is not None:
            derivation.given(name, told, unit)
        elif name in usual:
            derivation.default(name, float(usual[name]), unit)
            assumed += [_WORDS[name].format(format_number(float(usual[name]), 6))] if name in _WORDS else []
        else:
            steps = derivation.library.fact(f"media-usual-steps-{arguments.kind}")
            derivation.fact(name, steps, unit, origin="default")
            assumed.append(f"{format_number(steps.quantity.value)} steps ({format_number(steps.low or 0)} to {format_number(steps.high or 0)})")
    if assumed:
        derivation.assume(f"{f'{model.name} at its usual settings' if model is not None else 'As open models usually run'}: {', '.join(assumed)}.")


_WORDS = {
    "width": "{} pixels wide",
    "height": "{} high",
    "frames": "{} frames",
    "steps": "{} steps",
    "guidance_passes": "guidance passes {}",
}


def _add_work(derivation: Derivation, arguments: Input, backbone: str, streams: str | None) -> None:
    """Add the operations of one output."""
    video = arguments.kind == "video"
    derivation.step(TOKENS_OF_VIDEO if video else TOKENS)
    if backbone == "unet":
        if arguments.token_share is not None:
            raise InvalidArguments("A U-Net has no token_share; it belongs to a transformer.", field="token_share")
        _constant(derivation, "unet_tflop", "media-unet-tflop", "TFLOP")
        if video:
            _constant(derivation, "video_unet_ratio", "media-video-unet-ratio", "ratio")
        derivation.step(UNET_OF_VIDEO if video else UNET)
        return
    if arguments.token_share is not None:
        derivation.given("token_share", arguments.token_share, "ratio")
    else:
        _constant(derivation, "token_share", f"media-token-share-{streams}" if streams else UNKNOWN_SHARE, "ratio")
    _constant(derivation, "attention_tflop", "media-attention-tflop", "TFLOP")
    derivation.step(DIT)


def _add_hardware(derivation: Derivation, arguments: Input) -> Name:
    """Add precision, accelerators and batch; return the accelerator."""
    library = derivation.library
    device = library.name("hardware", arguments.accelerator or "H100", field="accelerator")
    device = library.named("hardware", device.get("accelerator")) if device.get("accelerator") else device
    if device.get("kind") != "accelerator":
        raise InvalidArguments(f"{device.name} is no accelerator; name one such as A100, H100 or B200.", field="accelerator")
    assumed = [] if arguments.accelerator is not None else [f"one {device.name}" if arguments.accelerator_count is None else device.name]
    _add_precision(derivation, arguments, f"media-joules-per-tflop-{_generation(device) or 'h100'}")
    _constant(derivation, "step_j", "media-step-joules", "J")
    if arguments.weight_bits is None:
        assumed.append("16-bit weights")
    if arguments.batch_size is not None:
        derivation.given("batch_size", arguments.batch_size, "ratio")
    else:
        usual, most = USUAL_BATCH[arguments.kind]
        derivation.default("batch_size", usual, "ratio", low=1.0, high=most)
        assumed.append(f"{format_number(usual)} made together (1 to {format_number(most)})")
    if arguments.accelerator_count is None:
        derivation.step(OUTPUT)
    else:
        derivation.given("accelerator_count", arguments.accelerator_count, "ratio")
        _constant(derivation, "exchange_j", "media-exchange-joules", "J")
        derivation.step(OUTPUT_OF_SEVERAL)
    if assumed:
        derivation.assume(f"Not told and so assumed: {', '.join(assumed)}.")
    return device


def _generation(device: Name) -> str | None:
    """Return the measured generation that an accelerator belongs to, or None."""
    return next((found for start, found in GENERATIONS.items() if device.id.startswith(start)), None)


def _add_error(derivation: Derivation, arguments: Input, backbone: str, device: Name) -> None:
    """Add how far estimates of this sort lie off, and say what was never measured."""
    share = derivation.inputs.get("token_share")
    far = [f"the {device.name} (an H100 stands for it)"] if _generation(device) is None else []
    far += ["a U-Net on several accelerators"] if backbone == "unet" and (arguments.accelerator_count or 1) > 1 else []
    near = ["fewer than ten steps"] if derivation.inputs["steps"].value < FEW_STEPS else []
    near += ["fewer than 16 bits"] if (arguments.weight_bits or MEASURED_BITS) < MEASURED_BITS else []
    if far or near:
        derivation.warn("extrapolated", f"Not measured, and so with a wider range: {', '.join(far + near)}.")
    untold = bool(near) or (share is not None and share.fact_id == UNKNOWN_SHARE)
    error = derivation.library.fact("media-model-error-unmeasured" if far else "media-model-error-untold" if untold else "media-model-error")
    derivation.quantity("model_error", error.in_unit("ratio"), "ratio", [error])


def _add_precision(derivation: Derivation, arguments: Input, fact_id: str) -> None:
    """Add the energy of a TFLOP: as measured in 16 bits, or moved to the bits told."""
    bits = arguments.weight_bits
    if bits is not None:
        derivation.given("weight_bits", bits, "ratio")
    if bits is None or bits == MEASURED_BITS:
        _constant(derivation, "joules_per_tflop", fact_id, "J/TFLOP")
        return
    _constant(derivation, "joules_per_16_bit_tflop", fact_id, "J/TFLOP")
    _constant(derivation, "precision_exponent", f"media-precision-exponent-{'above' if bits > MEASURED_BITS else 'below'}-16", "ratio")
    derivation.step(PRECISION)


def _constant(derivation: Derivation, name: str, fact_id: str, unit: str) -> None:
    derivation.constant(name, derivation.library.fact(fact_id), unit)


def _about(derivation: Derivation, arguments: Input, model: Name | None) -> str:
    width, height = (format_number(derivation.inputs[name].value, 6) for name in ("width", "height"))
    frames = f", {format_number(derivation.inputs['frames'].value, 6)} frames" if arguments.kind == "video" else ""
    size = format_number(derivation.inputs["denoiser_parameters_b"].value, 4)
    by = model.name if model is not None else f"a denoiser of {size} billion parameters"
    return f"{format_number(arguments.count, 12)} × {arguments.kind} of {width} x {height} pixels{frames} by {by}"


TOOL = Tool(
    name="estimate_media",
    title="Energy of generated images and videos",
    description="Energy, emissions and water of images or videos by an open diffusion model (SDXL, FLUX.1 dev, HunyuanVideo, Wan2.1 14B …) or one of a given size, from resolution, steps, frames, batch and accelerator. Use it when a model, a size or hardware is named; estimate_task for images or videos in general.",
    arguments=Input,
    run=estimate_media,
    example={"kind": "image", "model": "SDXL", "count": 1000},
    ways=(("model",), ("denoiser_parameters_b",)),
)
