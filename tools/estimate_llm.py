"""Energy of requests to a large language model, from what serving it physically takes.

**Formula**, per request, on the accelerator boards:
E = T·(S/B + A + K·√Pa·(I + T/2)/1000 + G·P·τ) + (I − C)·A, with
S = G·P·σ·(Pa·Pt)^¼ + ω·Pt·(1 − (1 − Pa/Pt)^B)·q (one decoding step of the whole batch: its fixed time, and the weights it reads) and
A = 2·√(Pa·Pt)·P/(F·η)·q (arithmetic of one token; ``arithmetic_j`` is 2·P/(F·η) of the accelerator).
T tokens written (answer and reasoning), I tokens read, C of them cached, B requests served at once, Pa and Pt active and
total parameters in billions, G accelerators of rated power P in W and dense 16-bit peak F in TFLOP/s, q = (bits/16)^ε for the precision, with another ε below 6 bits.
Times requests, times the server's share, times PUE.

**Boundary**: the facility unless told: boards, host and fans, cooling and power conversion. ``accelerators`` counts the
boards alone, ``server`` the wall of the server. Idle reserve, network, training and the user's device are not in.

**Assumptions**: a server kept busy by one engine of today (vLLM 0.11); what is not told of the deployment is an
interactive serving, said as an assumption and spread in the interval. Cached input costs no arithmetic and is still read.

**Facts**: ``llm-*`` (six fitted constants, their error, defaults), parameters of the model, rated power and peak of the accelerator.

**Limits**: fitted on dense and mixture-of-experts models of 2.5 to 480 billion parameters at 8 to 4,090 requests at once.
Attention to very long prompts (its square) is not in; nor are speculative decoding and engines tuned for one benchmark, which take several times less.

>>> from kilowhat.tools import call
>>> estimate = call("estimate_llm", {"model": "llama-3.1-70b", "output_tokens": 400, "region": "FR"})
>>> [result.quantity for result in estimate.results], estimate.results[0].boundary[:12]
(['energy', 'emissions', 'water'], 'the facility')
>>> call("estimate_llm", {"model": "llama-3.1-70b", "output_tokens": 0}).results[0].value
0.0
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from pydantic import Field

from kilowhat.tools.core.catalogue import SERVICES, Model, find_model
from kilowhat.tools.core.derivation import KEPT_ALTERNATIVES, Derivation
from kilowhat.tools.core.errors import InvalidArguments, MissingInput, NotPublished
from kilowhat.tools.core.estimate import BRIEF, Alternative, Estimate
from kilowhat.tools.core.expression import Formula
from kilowhat.tools.core.lengths import LONG_INPUT, length_of
from kilowhat.tools.core.place import PlaceArguments, add_place
from kilowhat.tools.core.reference import Fact, Library
from kilowhat.tools.core.text import number_of
from kilowhat.tools.core.tool import Tool
from kilowhat.tools.core.units import format_number

_STEP = "accelerators * power_w * step_s * ((active_b * total_b) ** (1 / 2)) ** (1 / 2) + weight_j{precision} * total_b * (1 - (1 - active_b / total_b) ** batch)"
_ARITHMETIC = "arithmetic_j{precision} * (active_b * total_b) ** (1 / 2)"
_WRITTEN = "written_tokens * (step_j / batch + token_j + cache_j * active_b ** (1 / 2) * ({input}written_tokens / 2) / 1000 + accelerators * power_w * token_s)"
_ON_BOARDS = "requests * request_j * model_error / 3600000"

STEP = Formula("step_j", _STEP.format(precision=" * precision"), "J")
"""One decoding step of the whole batch: its fixed time at rated power, and the weights it reads."""
ARITHMETIC = Formula("token_j", _ARITHMETIC.format(precision=" * precision"), "J")
"""The arithmetic of one token, read or written."""
REQUEST = Formula("request_j", _WRITTEN.format(input="read_tokens + ") + " + fresh_tokens * token_j", "J")
"""One request on the boards."""
STEP_16_BIT = Formula("step_j", _STEP.format(precision=""), "J")
ARITHMETIC_16_BIT = Formula("token_j", _ARITHMETIC.format(precision=""), "J")
REQUEST_WITHOUT_INPUT = Formula("request_j", _WRITTEN.format(input=""), "J")

PRECISION = Formula("precision", "(weight_bits / 8 / 2) ** precision_exponent", "ratio")
DENSE = Formula("total_b", "active_b", "billion parameters")
BOARDS = Formula("energy_kwh", _ON_BOARDS, "kWh")
SERVER = Formula("energy_kwh", f"{_ON_BOARDS} * server_factor", "kWh")
FACILITY = Formula("energy_kwh", f"{_ON_BOARDS} * facility_factor", "kWh")
FACILITY_OF_PUE = Formula("energy_kwh", f"{_ON_BOARDS} * server_factor * pue", "kWh")
EMBODIED = Formula("embodied_kg_co2e", f"{_ON_BOARDS} * embodied_kg_co2e_per_kwh", "kg CO2e")

CONSTANTS = {"step_s": ("llm-step-time", "s"), "weight_j": ("llm-weight-read", "J"), "cache_j": ("llm-cache-read", "J"), "token_s": ("llm-token-time", "s")}
"""The fitted constants: the name in the formulas, the fact, and the unit; the utilisation is in ``arithmetic_j`` of each accelerator."""

MEASURED = frozenset(("nvidia-h100-sxm", "nvidia-b200", "nvidia-a100-sxm-40gb"))
"""The accelerators that the calibration has rows of."""

MANY_ACCELERATORS = 72.0
"""Accelerators of the largest systems that serve one copy of a model over one fast network."""

NARROW_BITS = 6.0
"""Bits per weight below which the exponent on precision is that of engines for 4-bit weights."""

COMPARABLE = 2000.0
"""Tokens written, or an eighth of those read, beyond which no published figure for a request is of such a length."""


class Input(PlaceArguments):
    """A model, what it reads and writes, and how it is served."""

    model: str | None = Field(default=None, max_length=200, description="The model by name (GPT-4o, Llama 3.1 70B, Mixtral 8x7B, Claude Sonnet 4.5 …); spelling is free. Or give total_parameters_b.")
    total_parameters_b: float | None = Field(default=None, gt=0, le=1e5, strict=True, description="All parameters, in billions, instead of a model name; typical 1 to 1000.")
    active_parameters_b: float | None = Field(default=None, gt=0, le=1e5, strict=True, description="Parameters at work on each token, in billions; left out: all of them (a dense model).")
    requests: float = Field(default=1.0, ge=0, le=1e15, strict=True, description="How many requests.")
    input_tokens: float | None = Field(
        default=None, ge=0, le=1e8, strict=True, description="Tokens that the model reads per request, cached ones included; typical 50 to 10000. Left out: the prompt is not counted."
    )
    cached_input_tokens: float | None = Field(default=None, ge=0, le=1e8, strict=True, description="Of the input tokens, those that a prefix cache holds: no arithmetic for them.")
    output_tokens: float | None = Field(
        default=None, ge=0, le=1e8, strict=True, description="Tokens of the answer per request, means as 437.5 too; typical 100 to 2000. Left out: a typical chat answer, said as an assumption."
    )
    reasoning_tokens: float | None = Field(default=None, ge=0, le=1e8, strict=True, description="Hidden reasoning tokens per request, which are written too; typical 0 to 20000.")
    weight_bits: float | None = Field(default=None, ge=4, le=32, strict=True, description="Bits per weight, 4 to 32, fractions allowed. Left out: 16.")
    accelerator: str | None = Field(default=None, max_length=100, description="The accelerator that serves it: H100, B200, A100, MI300X … Left out: H100, said as an assumption.")
    accelerator_count: float | None = Field(
        default=None, gt=0, le=1e5, strict=True, description="Accelerators that hold one copy of the model; typical 1 to 16. Left out: as many as its weights need."
    )
    concurrent_requests: float | None = Field(
        default=None, ge=1, le=1e6, strict=True, description="Requests that one copy serves at once (mean batch); typical 8 to 512. What matters most; left out, the interval spans it."
    )
    boundary: Literal["accelerators", "server", "facility"] = Field(default="facility", description="What is counted: the accelerator boards, the whole server, or the facility around it.")
    pue: float | None = Field(default=None, ge=1, le=5, strict=True, description="Power usage effectiveness of the facility, 1 or more; typical 1.08 to 1.6.")
    include_embodied: bool | None = Field(default=None, description="Add the accelerators' share of manufacturing emissions.")
    compare_with_ecologits: bool | None = Field(default=None, description="List what the ecologits package computes for the same model and tokens beside it.")


def estimate_llm(arguments: Input, library: Library) -> Estimate:
    """Return energy, emissions and off-site water of so many requests.

    Raises:
        UnknownName: for a model, accelerator or region that is not known (``unknown_name``).
        NotPublished: for a model without known parameters, an accelerator without rated power or peak (``not_published``).
        MissingInput: where neither a model nor its parameters are told (``missing_input``).
        InvalidArguments: where parameters, tokens, boundary and PUE contradict each other (``invalid_arguments``).
    """
    derivation = Derivation(library)
    derivation.text_room, derivation.brief = 720, BRIEF
    derivation.given("requests", arguments.requests, "ratio")
    model, name = _add_model(derivation, arguments)
    written, read = _add_tokens(derivation, arguments)
    device = _add_deployment(derivation, arguments)
    for constant, (fact_id, unit) in CONSTANTS.items():
        derivation.constant(constant, library.fact(fact_id), unit)
    derivation.fact("model_error", library.fact("llm-model-error" if device in MEASURED and (arguments.weight_bits or NARROW_BITS) >= NARROW_BITS else "llm-model-error-unmeasured"), "ratio")
    derivation.step(STEP if arguments.weight_bits is not None else STEP_16_BIT)
    derivation.step(ARITHMETIC if arguments.weight_bits is not None else ARITHMETIC_16_BIT)
    derivation.step(REQUEST if read else REQUEST_WITHOUT_INPUT)
    boundary = _add_boundary(derivation, arguments)
    derivation.result("energy_kwh", "energy", "electricity", boundary=boundary)
    add_place(derivation, arguments)
    if arguments.include_embodied:
        _add_embodied(derivation, device)
    if arguments.compare_with_ecologits:
        _add_ecologits(derivation, arguments, model, written)
    if model is not None:
        _add_published(derivation, arguments, model, written)
        _warn_of_reasoning(derivation, arguments, model)
    if read > LONG_INPUT:
        derivation.warn("long_input", "Attention to a prompt this long takes more than the formula counts: it grows with the square of the length.")
    each = "" if arguments.requests == 1 else " each"
    about = f"{number_of(arguments.requests, 'request')} to {name}, {number_of(written, 'token', 6)} written{each}"
    return derivation.estimate(TOOL.name, arguments, about)


def _add_model(derivation: Derivation, arguments: Input) -> tuple[Model | None, str]:
    """Add total and active parameters; return the model and what to call it."""
    total, active = arguments.total_parameters_b, arguments.active_parameters_b
    if arguments.model is None:
        if total is None and active is None:
            raise MissingInput("Give the model by name, or total_parameters_b (and active_parameters_b for a mixture of experts).", field="model")
        total = total if total is not None else active
        if active is not None and total is not None and active > total:
            raise InvalidArguments(f"active_parameters_b = {active:g} is more than total_parameters_b = {total:g}.", field="active_parameters_b")
        derivation.given("active_b", float(active if active is not None else total or 0), _BILLION)
        if active is None or active == total:
            derivation.step(DENSE)
            return None, f"a dense model of {format_number(total or 0, 4)} billion parameters"
        derivation.given("total_b", float(total or 0), _BILLION)
        return None, f"a model of {format_number(total or 0, 4)} billion parameters, {format_number(active, 4)} active"
    if total is not None or active is not None:
        raise InvalidArguments("Give either model or its parameters; not both.", field="total_parameters_b" if total is not None else "active_parameters_b")
    model = find_model(derivation.library, arguments.model)
    derivation.fact("active_b", model.active or model.total, _BILLION)
    if model.active is None:
        derivation.step(DENSE)
    else:
        derivation.constant("total_b", model.total, _BILLION)
    if not model.released:
        derivation.assume(f"The size of {model.name} is not released; EcoLogits assumes a range.")
    return model, model.name


_BILLION = "billion parameters"


def _add_tokens(derivation: Derivation, arguments: Input) -> tuple[float, float]:
    """Add the tokens written and read; return both."""
    told, reasoning = arguments.output_tokens, arguments.reasoning_tokens
    if told is None and reasoning is None:
        answer = derivation.library.fact("chat-answer-tokens")
        derivation.fact("written_tokens", answer, "tokens", origin="default")
        derivation.assume("No output tokens were told: a typical chat answer of 500.")
        written = answer.quantity.value
    else:
        written = (told or 0.0) + (reasoning or 0.0)
        derivation.given("written_tokens", written, "tokens")
    read, cached = arguments.input_tokens, arguments.cached_input_tokens or 0.0
    if cached > (read if read is not None else cached):
        raise InvalidArguments(f"cached_input_tokens = {cached:g} is more than input_tokens = {read:g}, of which they are a part.", field="cached_input_tokens")
    read = cached if read is None else read
    if read:
        derivation.given("read_tokens", read, "tokens")
        derivation.given("fresh_tokens", read - cached, "tokens")
    elif arguments.input_tokens is None:
        derivation.assume("No input tokens were told; the prompt is not counted.")
    return written, read


def _add_deployment(derivation: Derivation, arguments: Input) -> str:
    """Add accelerators, concurrency and precision, as told or as an interactive serving; return the accelerator's id."""
    library = derivation.library
    device = library.name("hardware", arguments.accelerator, field="accelerator") if arguments.accelerator is not None else library.named("hardware", "nvidia-h100-sxm")
    derivation.fact("power_w", library.default("device-power", field="accelerator", hardware=device.id), "W")
    arithmetic = library.find("arithmetic-energy", hardware=device.id)
    if not arithmetic:
        raise NotPublished(f"The peak of {device.name} is not published as a dense 16-bit figure, which the estimate needs.", field="accelerator")
    derivation.constant("arithmetic_j", arithmetic[0], "J")
    bits = arguments.weight_bits if arguments.weight_bits is not None else 16.0
    assumed = [] if arguments.accelerator is not None else [device.name]
    if arguments.accelerator_count is not None:
        derivation.given("accelerators", arguments.accelerator_count, "ratio")
        if arguments.concurrent_requests is None and arguments.accelerator_count > MANY_ACCELERATORS:
            derivation.warn(
                "many_accelerators",
                f"{format_number(arguments.accelerator_count, 6)} accelerators are taken to serve one batch together; give concurrent_requests, or the accelerators of one copy of the model.",
            )
    else:
        count = _copy_size(derivation, device.id, bits)
        derivation.default("accelerators", count, "ratio", low=count, high=2 * count)
        assumed = [f"{format_number(count, 6)} × {device.name}, which hold the weights"]
    if arguments.concurrent_requests is not None:
        derivation.given("batch", arguments.concurrent_requests, "requests")
    else:
        batch = library.fact("llm-concurrency")
        derivation.default("batch", batch.quantity.value, "requests", low=batch.low, high=batch.high, fact=batch)
        assumed.append(f"{format_number(batch.quantity.value)} ({format_number(batch.low or 0)} to {format_number(batch.high or 0)}) requests at once")
    if arguments.weight_bits is None:
        assumed.append("16-bit weights")
    if assumed:
        derivation.assumptions.insert(0, f"Interactive serving: {'; '.join(assumed)}.")
    if arguments.weight_bits is not None:
        derivation.given("weight_bits", bits, "ratio")
        derivation.constant("precision_exponent", library.fact("llm-precision-exponent" if bits >= NARROW_BITS else "llm-precision-exponent-narrow"), "ratio")
        derivation.step(PRECISION)
    return device.id


def _copy_size(derivation: Derivation, device: str, bits: float) -> float:
    """Return how many accelerators hold the weights: a power of two, with a share of memory left for the cache."""
    library = derivation.library
    memory = library.default("device-memory", field="accelerator_count", hardware=device).in_unit("GB").value
    share = library.fact("llm-weight-share-of-memory").quantity.value
    total = derivation.inputs.get("total_b") or derivation.inputs["active_b"]
    copies = total.value * bits / 8 / (memory * share)
    return float(2 ** max(0, math.ceil(math.log2(copies)))) if copies > 1 else 1.0


def _add_boundary(derivation: Derivation, arguments: Input) -> str:
    """Add what surrounds the boards; return the boundary in words."""
    if arguments.boundary != "facility" and arguments.pue is not None:
        raise InvalidArguments(f"A PUE belongs to the facility; boundary {arguments.boundary!r} leaves it out.", field="pue")
    if arguments.boundary == "accelerators":
        derivation.step(BOARDS)
        return "the accelerator boards alone; no host, cooling or idle reserve"
    library = derivation.library
    if arguments.boundary == "facility" and arguments.pue is None:
        derivation.fact("facility_factor", library.fact("llm-facility-factor"), "ratio", origin="default")
        usual = library.fact("pue-microsoft-2025").quantity.value
        derivation.assume(f"PUE {format_number(usual, 3)}, as in large cloud data centres.")
        derivation.step(FACILITY)
    else:
        derivation.fact("server_factor", library.fact("llm-server-factor"), "ratio")
        derivation.step(SERVER if arguments.pue is None else FACILITY_OF_PUE)
    if arguments.boundary == "server":
        return "the server at the wall; no cooling or idle reserve"
    if arguments.pue is not None:
        derivation.given("pue", arguments.pue, "ratio")
    return "the facility: boards, host, cooling; no idle reserve or network"


def _add_embodied(derivation: Derivation, device: str) -> None:
    share = derivation.library.find("embodied-energy-share", hardware=device)
    if not share:
        raise NotPublished("Nobody has published what manufacturing this accelerator emits, so its share can't be told.", field="include_embodied")
    derivation.fact("embodied_kg_co2e_per_kwh", share[0], "kg CO2e/kWh")
    derivation.step(EMBODIED)
    derivation.result(EMBODIED.name, "embodied", "manufacturing, share of the accelerators", boundary="cradle to gate; no host")


@dataclass(frozen=True, slots=True)
class Published:
    """A published figure for one request: what follows the number of requests in its label, and whether it is of this model or its provider, and of such a length."""

    fact: Fact
    label: str
    comparable: bool


@lru_cache(maxsize=512)
def _published(library: Library, known: str | None, service: str | None, length: str) -> tuple[Published, ...]:
    """Return what others published for a request to a model, its own figures of such a length first, then what its provider disclosed, then its own of a longer answer."""
    of_model = library.find("request-energy", model=known) if known else []
    own = [fact for fact in of_model if fact.default or length in fact.scope.get("case", length)]
    own.sort(key=lambda fact: (fact.default is None, len(fact.scope.get("case", ""))))
    if service is not None:
        own += [fact for fact in library.find("request-energy", service=service) if "model" not in fact.scope and (fact.as_of or "") >= "2025"]
    usual = library.find("request-energy", service="ai-chatbot", statistic="median")[:1] if service is not None else []
    found = []
    longer = [fact for fact in of_model if fact not in own and "medium" in fact.scope.get("case", "") and fact.scope.get("statistic") != "max"] if length == "short" else []
    for fact in [*(own or usual)[:KEPT_ALTERNATIVES], *longer[:1]]:
        source, of_length = library.source(fact.source), length in fact.scope.get("case", "")
        label = f"{f' of {length} prompt and answer' if of_length else ''} by the figure of {source.authors or source.producer}"
        found.append(Published(fact, label, fact in own and (of_length or (length != "long" and not {"case", "model"} <= set(fact.scope)))))
    return tuple(found)


def _add_published(derivation: Derivation, arguments: Input, model: Model, written: float) -> None:
    """List what others published for a request to this model, first what lies outside the range found, and warn of that."""
    read = arguments.input_tokens or 0
    length = length_of(read, written)
    energy = derivation.evaluate_results()["energy_kwh"]
    beyond = energy.value == 0 or max(read / 8, written) > COMPARABLE
    outside = []
    found = _published(derivation.library, model.known, None if model.released else SERVICES.get(model.provider or ""), length)

    def lies_outside(fact: Fact) -> bool:
        each = fact.in_unit("kWh")
        return (each.low or each.value) * arguments.requests > energy.high or (each.high or each.value) * arguments.requests < energy.low

    for published in sorted(found, key=lambda published: not lies_outside(published.fact))[:KEPT_ALTERNATIVES]:
        fact = published.fact
        derivation.alternative(fact, label=f"{format_number(arguments.requests, 9)} request{'' if arguments.requests == 1 else 's'}{published.label}", scale=arguments.requests, unit="kWh")
        if beyond or not published.comparable or fact.scope.get("boundary", arguments.boundary) != arguments.boundary:
            continue
        if lies_outside(fact):
            outside.append(f"{format_number(fact.in_unit('Wh').value, 3)} Wh [{fact.id}]")
    if outside:
        derivation.warn("published_outside", f"Published per request, outside this range: {', '.join(outside)}.")


def _warn_of_reasoning(derivation: Derivation, arguments: Input, model: Model) -> None:
    """Say that a model that reasons writes more than its answer, where no reasoning was told."""
    if not model.reasons or arguments.reasoning_tokens is not None:
        return
    derivation.assumptions.insert(0, f"No reasoning_tokens were told: 0 are counted, though {model.name} reasons.")
    ratio = derivation.library.fact("reasoning-to-chat-ratio")
    derivation.warn("reasoning_not_counted", f"With reasoning an answer takes some {format_number(ratio.quantity.value)} times a chat reply [{ratio.id}]; tell reasoning_tokens.")


def _add_ecologits(derivation: Derivation, arguments: Input, model: Model | None, written: float) -> None:
    """List what the ecologits package computes; warn where it can't."""
    if model is None or model.provider is None:
        derivation.warn("no_ecologits_model", "ecologits computes for models of its own catalogue alone, so there is nothing to compare with.")
        return
    from kilowhat.tools.core.catalogue import ecologits_energy

    found = ecologits_energy(model, written)
    if found is None:
        derivation.warn("no_ecologits_model", f"ecologits has no energy for {model.name}.")
        return
    fact = derivation.library.fact("ecologits-energy-per-parameter")
    derivation.cite(fact)
    low, high = (end * arguments.requests for end in found)
    derivation.alternatives.insert(
        0,
        Alternative(
            label="ecologits, its own server and PUE", value=math.sqrt(low * high), low=low, high=high, unit="kWh", boundary="facility", as_of="2026", fact_id=fact.id,
        ),
    )  # fmt: skip


TOOL = Tool(
    name="estimate_llm",
    title="Energy of requests to a language model",
    description="Energy, emissions and water of requests to a language model, physically, from its size, tokens, precision, accelerators and batch: a named model (GPT-4o, Llama 3.1 70B, Claude Sonnet 4.5, Mixtral 8x7B …) or parameters of your own. Use it when a model or a token count is named; estimate_service for a service's published figure per request.",
    arguments=Input,
    run=estimate_llm,
    example={"model": "GPT-4o", "output_tokens": 400, "region": "FR"},
    ways=(("model",), ("total_parameters_b",)),
)
