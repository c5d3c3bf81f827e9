"""What an estimate is about, in the words of a language: the call told back, and the names of what it names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any

from kilowhat.plugin.wording import Wording, plain_text
from kilowhat.tools import TOOLS, Library
from kilowhat.tools.core.errors import KilowhatError
from kilowhat.tools.core.estimate import Estimate, Result, head_of
from kilowhat.tools.core.reference import Fact
from kilowhat.tools.core.tool import parse_ref
from kilowhat.tools.core.units import EMISSIONS, ENERGY, POWER, VOLUME, Quantity, parse_quantity

_KINDS = {"task": ("tasks",), "model": ("runs", "models"), "service": ("services",), "accelerator": ("hardware",), "device": ("hardware",)}
_COUNTS = ("requests", "count", "accelerator_count")
_VARIANTS = ("model", "service", "region", "words_per_day", "parameters_b", "forecast", "denoiser_parameters_b", "device")

LONGEST_SUM = 200
"""Characters of the calls that a sum is of."""


def about(estimate: Estimate, words: Wording) -> str:
    """Return what was estimated, from the call's own arguments."""
    told = dict(estimate.arguments)
    steps = {step.name: step.value for step in estimate.steps}
    inputs = {entry.name: entry for entry in estimate.inputs}
    counted = {name: steps.get(name, told.get(name)) for name in _COUNTS}
    number = next((float(value) for value in counted.values() if isinstance(value, (int, float))), None)
    slots: dict[str, Any] = {name: words.count(float(value)) for name, value in (told | counted).items() if isinstance(value, (int, float))}
    slots |= {name: plain_text(str(value)) for name, value in told.items() if isinstance(value, str)}
    slots |= _named(told, words)
    if "written_tokens" in inputs:
        written = inputs["written_tokens"].value
        slots["output_tokens"] = words.say("tokens", plural_of=written, count=words.count(written))
    if "power_w" in inputs:
        slots["power"] = words.amount(Quantity(inputs["power_w"].value, inputs["power_w"].unit))
    slots |= {argument: words.amount(Quantity(inputs[name].value, inputs[name].unit)) for argument, name in (("quantity", "amount"), ("energy", "energy_kwh")) if name in inputs and argument in told}
    for name in {"quantity", "energy"} & told.keys() - {name for name, entry in (("quantity", "amount"), ("energy", "energy_kwh")) if entry in inputs}:
        try:
            slots[name] = words.amount(parse_quantity(str(told[name])))
        except KilowhatError:
            continue
    if "task" in told:
        slots["task"] = words.say("tasks", str(told["task"]), plural_of=number, count=words.count(1.0 if number is None else number))
    if "kind" in told:
        slots["kind"] = words.say("kinds", str(told["kind"]), plural_of=number, count=words.count(1.0 if number is None else number))
    if "number" in inputs and "each" in inputs and (kind := fact_or_none(inputs["each"].fact_id or "")) is not None:
        thing = str(kind.scope.get("comparator"))
        amount = inputs["number"].value
        slots["quantity"] = words.thing(thing, amount) or f"{words.count(amount)} {english_thing(thing, amount)}"
    if estimate.tool == "calculate":
        return _sum(str(told.get("expression", "")), words)
    if "forecast" in told:
        slots["forecast"] = _forecast(str(told["forecast"]), words)
    paths = [f"{estimate.tool}.{name}" for name in _VARIANTS if told.get(name) is not None] + [estimate.tool]
    if estimate.tool == "estimate_embodied" and told.get("used_hours") is not None and "device" in slots:
        paths.insert(0, "estimate_embodied.used_hours")
    path = next((path for path in paths if words.get("about", path, own=True) is not None), estimate.tool)
    said = words.say("about", path, plural_of=number, **slots)
    if said and "region" in slots and not path.endswith(".region"):
        said = words.say("in_place", about=said, region=slots["region"])
    return said


def names_compared(estimate: Estimate, words: Wording) -> dict[str, str]:
    """Return what each label of a comparison stands for: what was calculated, with its number, where an estimate is behind it and no other has the name."""
    named = {}
    for item in estimate.arguments["items"]:
        label = " ".join(str(item["label"]).split())
        call = str(item["quantity"]).partition("#")[0]
        try:
            said = about(_run(call), words) if "?" in call else ""
        except KilowhatError:
            said = ""
        named[label] = said or plain_text(label)
    return named if len(set(named.values())) == len(named) else {label: plain_text(label) for label in named}


def things_compared(estimate: Estimate, words: Wording) -> Iterator[tuple[str, Result, Estimate]]:
    """Yield the things of a comparison that estimates are behind: the name of each, the result that is compared, and its estimate."""
    named = names_compared(estimate, words)
    for item in estimate.arguments["items"]:
        call, _, wanted = str(item["quantity"]).partition("#")
        with suppress(KilowhatError, StopIteration):
            behind = _run(call) if "?" in call else None
            if behind is not None:
                yield named[" ".join(str(item["label"]).split())], next(result for result in behind.results if wanted in ("", result.quantity)), behind


@lru_cache(maxsize=64)
def _run(call: str) -> Estimate:
    """Return the estimate of a ref, which an answer asks for more than once."""
    tool, arguments = parse_ref(call, TOOLS)
    return tool(arguments)


_NAMED_BY = (("service", "services"), ("model", "models"), ("run", "runs"), ("hardware", "hardware"), ("provider", "providers"))
_MEASURES = {ENERGY: "energy", EMISSIONS: "emissions", VOLUME: "water", POWER: "power"}
_PER = re.compile(r"\s*(?:/| per ).*")
"""What an amount is told for, behind its unit."""


def described(fact: Fact, words: Wording) -> str:
    """Return what a figure is of, as a language says it: its thing, what is measured, and its year; in English, marked so, where it names no thing."""
    library = Library.load()
    named = [library.named(kind, fact.scope[key]).name for key, kind in _NAMED_BY if key in fact.scope and fact.scope[key] in library.names(kind)]
    if "task" in fact.scope and (task := words.say("tasks", fact.scope["task"], plural_of=1, count=words.count(1))):
        named.append(task)
    if "comparator" in fact.scope and (thing := words.thing(fact.scope["comparator"], 1)):
        named.append(thing)
    if "place" in fact.scope:
        with suppress(KilowhatError):
            named.append(words.place(fact.scope["place"]))
    if sector := words.say("sectors", fact.scope.get("sector", "")):
        named.append(sector)
    if not named:
        said = plain_text(head_of(fact.statement), LONGEST_SAID)
        return said if words.language == "en" else words.say("in_english", statement=said)
    named = [name for name in named if not any(name != other and name in other for other in named)]
    measure = _MEASURES.get(Quantity(1.0, _PER.sub("", fact.unit)).dimension)
    told = [
        *dict.fromkeys(named),
        *([words.say("names", measure)] if measure else []),
        *([words.say("shares", fact.share_of)] if fact.share_of else []),
        *([words.say("lengths", length)] if (length := _length(fact)) else []),
    ]
    return words.say("comma").join([*told, *([fact.as_of[:4]] if fact.as_of else [])])


LONGEST_SAID = 120


def _length(fact: Fact) -> str | None:
    return next((length for length in ("short", "medium", "long") if str(fact.scope.get("case", "")).startswith(length)), None)


def length_of(fact_id: str, words: Wording) -> str:
    """Return how long the answer is that a published figure is of, where it says so, behind a comma."""
    fact = fact_or_none(fact_id)
    length = _length(fact) if fact else None
    return words.say("comma") + words.say("lengths", length) if length else ""


_REF = re.compile(r"[a-z_]+\?[^\s()]+")


def _sum(expression: str, words: Wording) -> str:
    """Return a sum over other calls with each of them told; nothing where it is plain arithmetic, which the derivation shows."""
    if not _REF.search(expression):
        return ""

    def told(match: re.Match[str]) -> str:
        try:
            tool, arguments = parse_ref(match[0].partition("#")[0], TOOLS)
            return about(tool(arguments), words)
        except KilowhatError:
            return ""

    written = _REF.sub(told, re.sub(r"(?<=\d)\.0\b", "", expression))
    return plain_text(re.sub(r"\(([^()]*)\)", r"\1", written).replace("*", "×"), LONGEST_SUM)


def _named(told: dict[str, object], words: Wording) -> dict[str, str]:
    """Return the proper names of what a call names."""
    library = Library.load()
    named: dict[str, str] = {}
    for argument, kinds in _KINDS.items():
        for kind in kinds if told.get(argument) is not None else ():
            try:
                named[argument] = library.name(kind, str(told[argument])).name
            except KilowhatError:
                continue
            break
    if told.get("region") is not None:
        named["region"] = words.place(str(told["region"]))
    return named


def _forecast(name: str, words: Wording) -> str:
    library = Library.load()
    try:
        found = library.name("forecasts", name)
    except KilowhatError:
        return plain_text(name)
    return words.get("forecasts", found.id, own=True) or (found.name if words.language == "en" else "")


def kind_of(result: Result) -> str | None:
    """Return which everyday thing a result counts, by its name in the result's label."""
    name = result.label.rpartition(" of ")[0] if result.label.endswith(" each") else result.unit
    return _kinds().get(name)


@lru_cache(maxsize=1)
def _kinds() -> dict[str, str]:
    """Return the everyday things by what many of them are called."""
    library = Library.load()
    found = {}
    for thing_id in library.names("comparators"):
        thing = library.named("comparators", thing_id)
        forms = thing.get("unit_name")
        found[str(forms["many"]) if isinstance(forms, dict) else thing.name] = thing_id
    return found


def english_thing(kind: str | None, number: float) -> str | None:
    """Return what one or many everyday things are called in the library."""
    if kind is None:
        return None
    forms = Library.load().named("comparators", kind).get("unit_name")
    return str(forms["one" if number == 1 else "many"]) if isinstance(forms, dict) else None


def known_name(name: str, words: Wording) -> str:
    """Return a known name as the language writes it, where it is a place's, an everyday thing's or a forecast's."""
    library = Library.load()
    if words.language != "en":
        for kind in ("comparators", "forecasts"):
            known = next((name_id for name_id in library.names(kind) if library.named(kind, name_id).name == name), None)
            told = (words.thing(known, 1) if kind == "comparators" else words.get("forecasts", known, own=True)) if known else None
            if told:
                return told
    try:
        return words.place(name)
    except KilowhatError:
        return plain_text(name)


def fact_or_none(fact_id: str) -> Fact | None:
    """Return a fact, or None where the id is none."""
    try:
        return Library.load().fact(fact_id)
    except KilowhatError:
        return None
