"""Language models by name: how many parameters they have, and how many of them work on a token.

The catalogue comes with the ``ecologits`` package; its loader drops the sources of each
model, and importing it costs half a second, so the data file is read as it is. Models that it
does not hold have their parameters as facts of ours (subject ``model-parameters``). Closed
models have a range, which is an assumption of the catalogue and is called one. A model of a
provider that publishes no sizes (``closed_models`` of a service) and that nobody lists is refused as
not published, with the nearest published range of a request.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kilowhat.tools.core.errors import NotPublished, UnknownName
from kilowhat.tools.core.reference import Checked, Fact, Library, fold
from kilowhat.tools.core.units import format_number

SOURCE = "ecologits-package"
_CHECKED = Checked(on="2026-11-21", against="data file")
_FORMS = "instruct|chat|it|hf|base|keras|pytorch|cpp|flax|tflite|gguf|awq|onnx|cuda|cpu|directml|web|original|quant|sfp|fp8|int8|4bit"
_TUNED = re.compile(rf"(?:[-_ :](?:{_FORMS}))+$", re.IGNORECASE)
"""Endings that name a tuning or a file form of the same model."""
_EDITION = re.compile(rf"(?:[-_ :](?:{_FORMS}|latest|4k|8k|128k|\d{{4}}|v\d(?:\.\d)?))+$", re.IGNORECASE)
"""Endings that name an edition too; a name without them stands for a model where all editions have the same size."""
_INSIDE = re.compile(r"[-_ ](?:instruct|chat|it|base)(?=[-_ ])", re.IGNORECASE)
_MAKER = re.compile(r"^meta[-_ ]", re.IGNORECASE)

SERVICES = {"openai": "chatgpt", "google_genai": "gemini", "mistralai": "le-chat", "anthropic": "claude"}
"""The service through which a provider's closed models are used, for published figures beside ours."""


_REASONING = re.compile(r"(?:^|[-_ /])(?:o[1-9]|r1|qwq|magistral|gpt[-_ ]oss|gpt[-_ ][5-9](?!.*chat))(?:[-_ .]|$)|thinking|reasoning|deep[-_ ]research", re.IGNORECASE)
"""Names of models that write reasoning before their answer unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Model:
    """A language model with the facts of its parameters, in billions.

    ``active`` is None for a dense model, all of whose parameters work on each token. ``known`` is its id among
    the names of the library, where published figures refer to it.
    """

    name: str
    provider: str | None
    total: Fact
    active: Fact | None
    released: bool
    known: str | None = None
    entry: str = ""

    @property
    def reasons(self) -> bool:
        """Whether the name is that of a model that writes reasoning before its answer."""
        return bool(_REASONING.search(self.name) or _REASONING.search(self.entry))


@lru_cache(maxsize=1)
def _entries() -> list[dict[str, Any]]:
    spec = find_spec("ecologits")
    if spec is None or spec.origin is None:
        raise ImportError("The package ecologits brings the catalogue of models; install it with: pip install ecologits")
    content = json.loads((Path(spec.origin).parent / "data" / "models.json").read_text("utf-8"))
    entries: list[dict[str, Any]] = [entry for entry in content["models"] if entry["type"] == "model"]
    by_name = {(entry["provider"], entry["name"]): entry for entry in entries}
    for alias in content["aliases"]:
        for here, there in ((alias["name"], alias["alias"]), (alias["alias"], alias["name"])):
            found = by_name.get((alias["provider"], there))
            if found is not None and (alias["provider"], here) not in by_name:
                entries.append(found | {"name": here})
    return entries


def names() -> list[str]:
    """Return the names of all models in the catalogue."""
    return [entry["name"] for entry in _entries()]


def spellings_of(name: str) -> set[str]:
    """Return how people write the name of a model: without maker, edition or tuning."""
    short = name.rpartition("/")[2]
    plain = _EDITION.sub("", short)
    return {name, short, plain, _INSIDE.sub("", short), *(_MAKER.sub("", spelling) for spelling in (short, plain))}


@lru_cache(maxsize=1)
def _spellings() -> Mapping[str, dict[str, Any]]:
    """Return every folded spelling with the entry it stands for; one that could mean two different sizes stands for none."""
    exact: dict[str, dict[str, Any]] = {}
    loose: dict[str, list[dict[str, Any]]] = {}
    for entry in _entries():
        exact.setdefault(fold(entry["name"]), entry)
    for entry in _entries():
        exact.setdefault(fold(entry["name"].rpartition("/")[2]), entry)
        for spelling in spellings_of(entry["name"]):
            loose.setdefault(fold(spelling), []).append(entry)
    for key, entries in loose.items():
        if all(_alike(entry["architecture"]["parameters"], entries[0]["architecture"]["parameters"]) for entry in entries):
            exact.setdefault(key, min(entries, key=lambda entry: len(entry["name"])))
    return exact


def _alike(one: Any, other: Any) -> bool:
    """Return whether two entries have the same size, but for how parameters of embeddings are counted."""
    if isinstance(one, dict) or isinstance(other, dict):
        return bool(one == other)
    return abs(float(one) - float(other)) <= 0.03 * float(other)


def find_model(library: Library, text: str, *, field: str = "model") -> Model:
    """Return the model that a text names, however it is spelled.

    Raises:
        UnknownName: with the nearest names; a model is never put in for another one.
        NotPublished: for a model whose parameters nobody has published.
    """
    found = _seen(library, text[:200])
    if isinstance(found, Model):
        return found
    named = library.named("models", found).name if found is not None else None
    service = closed_service(library, named or text)
    nearest = _nearest(library, text[:200], service)
    if named is not None or service is not None:
        hint = f"Models whose size is known or assumed: {', '.join(nearest)}. " if nearest else ""
        raise NotPublished(
            f"The parameters of {named or repr(text[:60])} are not published. {published_requests(library, found, service)} {hint}Or give total_parameters_b and active_parameters_b.",
            field=field,
            nearest=nearest,
        )
    hint = f"Near it: {', '.join(nearest)}." if nearest else "Nothing we know is near it."
    raise UnknownName(f"{text[:60]!r} is no model whose parameters are known here. {hint} Or give total_parameters_b and active_parameters_b.", field=field, nearest=nearest)


def _nearest(library: Library, text: str, service: str | None) -> list[str]:
    """Return the names of up to four models that are spelled nearly so and can be answered, of one service where it is known."""
    from difflib import get_close_matches

    known, spellings, key = library.spellings("models"), _spellings(), fold(text)
    near = get_close_matches(key, [*spellings, *known], n=6, cutoff=0.6)
    if service is not None:
        near += sorted(spelling for spelling in spellings if spelling.startswith(key))
    told = [library.named("models", known[spelling]).name if spelling in known else spellings[spelling]["name"] for spelling in near]
    answered = [name for name in told if isinstance(_seen(library, name), Model) and (service is None or closed_service(library, name) == service)]
    first: dict[str, str] = {}
    for name in answered:
        first.setdefault(fold(name), name)
    return list(first.values())[:4]


def closed_service(library: Library, text: str) -> str | None:
    """Return the service whose provider publishes no sizes and makes the model that a text names, or None."""
    plain = " ".join(re.split(r"[-_\s/:]+", text.strip().casefold()))
    return next((service for service in library.names("services") if (told := library.named("services", service).get("closed_models")) and re.search(rf"^(?:{told})(?: |$)", plain)), None)


def published_requests(library: Library, model: str | None, service: str | None) -> str:
    """Return what is published of the energy of one request to a model, else to models of the same service, else to a large model."""

    def told(facts: Sequence[Fact], whose: str) -> str:
        quantities = [fact.in_unit("Wh") for fact in facts]
        low, high = (pick([end for quantity in quantities for end in (quantity.low, quantity.value, quantity.high) if end is not None]) for pick in (min, max))
        ends = format_number(low, 2) if low == high else f"{format_number(low, 2)} to {format_number(high, 2)}"
        return f"{ends} Wh for {whose} [{facts[0].id}]"

    checked = [fact for fact in library.find("request-energy") if fact.checked.against != "unverified"]
    own = [fact for fact in checked if model is not None and fact.scope.get("model") == model]
    if own:
        return f"Nearest published for one request: {told(own, library.named('models', str(model)).name)}, {own[0].kind}."
    alike = [fact for fact in checked if service is not None and "model" in fact.scope and closed_service(library, library.named("models", fact.scope["model"]).name) == service]
    of_service = [fact for fact in checked if service is not None and fact.scope.get("service") == service]
    of_service = [fact for fact in of_service if fact.default] or of_service
    if alike or of_service:
        whose = f"{'models of ' if alike else ''}{library.named('services', str(service)).name}"
        alike = alike or of_service
        return f"Nearest published for one request: {told(alike, whose)}, {alike[0].kind}."
    usual, reasoning = (library.fact(f"frontier-request-energy{case}") for case in ("", "-reasoning"))
    return f"Nearest published for one request: {told([usual], 'a large model')}, {told([reasoning], 'one that reasons')}."


@lru_cache(maxsize=512)
def _seen(library: Library, text: str) -> Model | str | None:
    """Return the model that a text names, the id of a known name without parameters, or None."""
    key = fold(text)
    known_names = library.spellings("models")
    known = known_names.get(key) or known_names.get(fold(_TUNED.sub("", text.rpartition("/")[2])))
    spellings = _spellings()
    candidates = [text, text.rpartition("/")[2], _TUNED.sub("", text.rpartition("/")[2])]
    if known is not None:
        named = library.named("models", known)
        candidates += [known, named.name, *named.aliases]
        total = library.find("model-parameters", model=known, part="total")
        if total:
            active = library.find("model-parameters", model=known, part="active")
            return Model(named.name, None, total[0], active[0] if active else None, released=True, known=known)
    for candidate in candidates:
        entry = spellings.get(fold(candidate))
        if entry is not None:
            return _model(entry, known or known_names.get(fold(_TUNED.sub("", entry["name"].rpartition("/")[2]))))
    if known is None and (entry := _in_any_order().get(_parts(text))) is not None:
        return _model(entry, None)
    return known


def _parts(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words of a name in alphabetical order, and its numbers in theirs: Claude 4.5 Sonnet is Claude Sonnet 4.5."""
    parts = [part for part in re.split(r"[^\w]+|_", text.strip().casefold()) if part]
    return tuple(sorted(part for part in parts if not part.isdigit())), tuple(part for part in parts if part.isdigit())


@lru_cache(maxsize=1)
def _in_any_order() -> Mapping[tuple[tuple[str, ...], tuple[str, ...]], dict[str, Any]]:
    """Return the closed models of the catalogue by their parts; parts that are those of two models stand for none."""
    found: dict[tuple[tuple[str, ...], tuple[str, ...]], list[dict[str, Any]]] = {}
    for entry in _entries():
        if "model-arch-not-released" in (entry["warnings"] or ()):
            found.setdefault(_parts(entry["name"]), []).append(entry)
    return {parts: entries[0] for parts, entries in found.items() if len({entry["name"] for entry in entries}) == 1}


@lru_cache(maxsize=1)
def _by_fact() -> Mapping[str, tuple[dict[str, Any], str]]:
    found: dict[str, tuple[dict[str, Any], str]] = {}
    for entry in _entries():
        for part in ("total", "active"):
            found.setdefault(f"{_slug(entry)}-{part}-parameters", (entry, part))
    return found


def parameter_fact(fact_id: str) -> Fact | None:
    """Return the number of parameters that a fact id names, or None where the catalogue has none."""
    entry, part = _by_fact().get(fact_id, (None, ""))
    if entry is None:
        return None
    model = _model(entry, None)
    return model.total if part == "total" else model.active


def _slug(entry: Mapping[str, Any]) -> str:
    return re.sub(r"[^a-z0-9]+", "-", entry["name"].rpartition("/")[2].lower()).strip("-")


def _model(entry: Mapping[str, Any], known: str | None) -> Model:
    told = entry["architecture"]["parameters"]
    released = "model-arch-not-released" not in (entry["warnings"] or ())
    sparse = isinstance(told, dict) and "total" in told
    total = _fact(entry, "total", told["total"] if sparse else told, released)
    active = _fact(entry, "active", told["active"], released) if sparse else None
    return Model(entry["name"].rpartition("/")[2], entry["provider"], total, active, released, known, entry["name"])


def _fact(entry: Mapping[str, Any], part: str, told: Any, released: bool) -> Fact:
    """Return the number of parameters as a fact with its place in the data file."""
    low, high = (told["min"], told["max"]) if isinstance(told, dict) else (None, None)
    what = "Parameters" if part == "total" else "Parameters at work on a token"
    link = next((url for url in entry["sources"] or () if isinstance(url, str) and len(url) < 100), None)
    return Fact(
        id=f"{_slug(entry)}-{part}-parameters",
        subject="model-parameters",
        statement=f"{what} of {entry['name']}, in billions" + ("." if released else "; not released, an assumption of EcoLogits."),
        value=None if isinstance(told, dict) else told,
        low=low,
        high=high,
        unit="billion parameters",
        scope={"part": part},
        kind="reported" if released else "assumed",
        source=SOURCE,
        locator=f"models.json, {entry['name']}" + (f"; {link}" if link and released else ""),
        printed=f"{low}-{high} billion parameters" if isinstance(told, dict) else f"{told} billion parameters",
        checked=_CHECKED,
    )


def ecologits_energy(model: Model, written: float) -> tuple[float, float] | None:
    """Return the ends of what ecologits computes for a request of so many tokens, in kWh, or None where it has none."""
    from importlib import import_module

    found = import_module("ecologits.tracers.utils").llm_impacts(provider=str(model.provider), model_name=model.entry, output_token_count=round(written), request_latency=math.inf)
    if found.energy is None:
        return None
    energy = found.energy.value
    low, high = (energy.min, energy.max) if hasattr(energy, "min") else (energy, energy)
    return float(low), float(high)
