"""What a description of a tool names is taken by the tool: a model, a device, a service, a place, an expression."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kilowhat.manifest.build import input_schema
from kilowhat.tools import TOOLS, call

LISTED = re.compile(r"[(:] ?((?:[^:;().]|\.(?=\S))+) …")
"""Names with commas between that end in an ellipsis, behind a bracket or a colon."""

BASE: dict[str, dict[str, Any]] = {
    "estimate_llm.model": {},
    "estimate_llm.accelerator": {"model": "GPT-4o"},
    "estimate_media.model": {"kind": "image"},
    "estimate_media.accelerator": {"kind": "image", "model": "SDXL"},
    "estimate_training.model": {},
    "estimate_training.accelerator": {"accelerator_count": 8, "hours": 24},
    "estimate_fleet.device": {"count": 8, "hours": 24},
    "estimate_service.service": {"requests_per_day": 1000},
    "estimate_embodied.device": {},
    "convert_to_equivalents.equivalents": {"quantity": "552 t CO2e"},
    "look_up_references.subject": {"query": "H100 GPT-3 Gemini image phone charge France pue 2030 IEA"},
}
"""What else a call tells that takes the names of an argument's description."""

IN_THE_TOOL = {
    "estimate_llm": "model",
    "estimate_media": "model",
    "estimate_training": "model",
    "estimate_service": "service",
    "estimate_embodied": "device",
}
"""The argument that the names in a tool's own description are for."""

MOVING = ("HunyuanVideo", "CogVideoX 5B", "Wan2.1 14B", "Mochi 1")
ENERGIES = ("us-home-year", "phone-charge", "streaming-hour", "three-gorges-year")


def named() -> list[tuple[str, str, str]]:
    """Return tool, argument and name for every name that a description lists."""
    found = []
    for tool in TOOLS.values():
        told = {argument: schema["description"] for argument, schema in input_schema(tool)["properties"].items()}
        places = [(argument, words) for argument, words in told.items() if f"{tool.name}.{argument}" in BASE]
        if tool.name in IN_THE_TOOL:
            places.append((IN_THE_TOOL[tool.name], tool.description))
        found += [(tool.name, argument, name) for argument, words in places for names in LISTED.findall(words) for name in names.split(", ")]
    return list(dict.fromkeys(found))


def test_every_list_of_names_is_found() -> None:
    assert len(named()) > 60
    assert {f"{tool}.{argument}" for tool, argument, _ in named()} == set(BASE)


@pytest.mark.parametrize(("tool", "argument", "name"), named(), ids=lambda part: part)
def test_a_name_in_a_description_is_taken(tool: str, argument: str, name: str) -> None:
    arguments = {**BASE[f"{tool}.{argument}"], argument: [name] if argument == "equivalents" else name}
    if name in MOVING:
        arguments["kind"] = "video"
    if name in ENERGIES:
        arguments["quantity"] = "3 MWh"
    assert call(tool, arguments).results


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_what_a_description_quotes_is_taken(tool: Any) -> None:
    """Every quoted quantity is one, every quoted fact and ref is there, every quoted expression can be calculated."""
    texts = [tool.description, *(str(schema["description"]) for schema in input_schema(tool)["properties"].values())]
    for quoted in {quoted for text in texts for quoted in re.findall(r"(?:(?<= )|(?<=\())'([^']+)'", text)}:
        if quoted.endswith(":") or quoted in ("with", "without", "to"):
            continue
        if quoted.startswith(("AI share", "IEA", "AI 2", "LBNL", "China data", "de Vries")):
            assert call("project_growth", {"forecast": quoted}).results
        elif tool.name == "look_up_references":
            assert call(tool.name, {"query": quoted}).results
        elif quoted == "ten days of ChatGPT use 84 TWh":
            assert call("check_claim", {"claim": quoted}).verdict is not None
        elif "us-home-day" in quoted:
            assert call("convert_to_equivalents", {"quantity": quoted}).results
        elif tool.name == "check_claim" and not re.search(r"[*/]|fact:|TWh|kWh$|CO2e$|\?", quoted):
            assert call("check_claim", {"stated": quoted, "recompute": "3 * 1" if "times" in quoted else "3 L"}).verdict is not None
        elif tool.name != "compare" or "=" in quoted:
            assert call("calculate", {"expression": quoted}).results
