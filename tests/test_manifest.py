"""The manifests: current, in the order of the catalog, and the JSON Schema that the other dialects come from (``test_dialects.py``)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator
from referencing import Registry

from kilowhat.manifest import DIALECTS, load
from kilowhat.manifest.build import main, manifest
from kilowhat.plugin.cli import main as shell
from kilowhat.plugin.http import create_app
from kilowhat.tools import TOOLS, call
from kilowhat.tools.core.errors import UnknownName

Schema = dict[str, Any]

TOOL_NAMES = list(TOOLS)


def validator(schema: Schema) -> Any:
    """Return a validator that fetches nothing."""
    return Draft202012Validator(schema, registry=Registry())


def described(name: str) -> dict[str, Any]:
    return next(tool for tool in load("json-schema")["tools"] if tool["name"] == name)


def names(manifest: Any) -> list[str]:
    """Return the names of the tools, wherever a dialect has them."""
    if isinstance(manifest, dict):
        return [path.rpartition("/")[2] for path in manifest["paths"]] if "paths" in manifest else names(manifest.get("tools", manifest.get("functionDeclarations")))
    return [tool.get("function", tool)["name"] for tool in manifest]


def output_schema() -> Schema:
    estimate: Schema = load("json-schema")["$defs"]["Estimate"]
    return estimate


# Every dialect


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_file_that_ships_is_what_the_tools_give(dialect: str) -> None:
    assert load(dialect) == json.loads(json.dumps(manifest(dialect))), "run python -m kilowhat.manifest.build"


def test_the_check_of_the_command_agrees(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0
    assert capsys.readouterr().err == ""


def test_every_tool_is_in_every_dialect_in_the_order_of_the_catalog() -> None:
    for dialect in DIALECTS:
        assert names(load(dialect)) == TOOL_NAMES, dialect


def test_an_unknown_dialect_is_refused_with_those_there_are() -> None:
    for function in (load, manifest):
        with pytest.raises(UnknownName, match="there are openai, openai-responses") as caught:
            function("gemni")
        assert caught.value.field == "dialect"
        assert caught.value.nearest[0] == "gemini"


def test_a_path_is_no_dialect() -> None:
    for hostile in ("../tools/reference/library", "/etc/passwd", "server", "mcpb", "", "openai\x00"):
        with pytest.raises(UnknownName):
            load(hostile)


@pytest.mark.parametrize("name", TOOL_NAMES)
def test_names_and_descriptions_suit_every_reader(name: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,47}", name)
    assert 40 <= len(TOOLS[name].description) <= 1024
    assert not re.search(r"[\x00-\x1f\u200b-\u200f\u202a-\u202e<>]", TOOLS[name].description)


# JSON Schema


@pytest.mark.parametrize("name", TOOL_NAMES)
def test_the_schemas_are_draft_2020_12(name: str) -> None:
    assert load("json-schema")["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(described(name)["input_schema"])
    Draft202012Validator.check_schema(output_schema())


@pytest.mark.parametrize("name", TOOL_NAMES)
def test_the_example_is_valid_and_its_estimate_too(name: str) -> None:
    told = described(name)
    validator(told["input_schema"]).validate(told["example"])
    estimate = call(name, told["example"]).model_dump(mode="json")
    validator(output_schema()).validate(estimate)
    assert told["output_schema"] == {"$ref": "#/$defs/Estimate"}


@pytest.mark.parametrize("name", TOOL_NAMES)
def test_an_estimate_that_is_none_is_refused(name: str) -> None:
    estimate = call(name, TOOLS[name].example).model_dump(mode="json")
    for wrong in (estimate | {"colour": "red"}, {key: value for key, value in estimate.items() if key != "citations"}, estimate | {"text": None}):
        assert not validator(output_schema()).is_valid(wrong)


@pytest.mark.parametrize("name", TOOL_NAMES)
def test_all_that_is_optional_takes_null(name: str) -> None:
    schema = described(name)["input_schema"]
    for field, told in schema["properties"].items():
        if field not in schema.get("required", []):
            assert {"type": "null"} in told["anyOf"], field
        else:
            assert {"type": "null"} not in told.get("anyOf", ()), field


UNITS = {
    "_wh": "Wh", "_kwh": "kWh", "_w": "W", "_g_co2e": "g CO2e", "_kg_co2e": "kg CO2e", "_ml": "mL", "_l": "L", "_b": "billion", "_gb": "GB", "_years": "year", "_h": "hour",
    "hours": "hour", "days": "day",
}  # fmt: skip


@pytest.mark.parametrize("name", TOOL_NAMES)
def test_a_number_with_a_unit_in_its_name_has_it_in_its_description(name: str) -> None:
    for field, told in described(name)["input_schema"]["properties"].items():
        measured, _, _ = field.partition("_per_")
        for suffix, unit in UNITS.items():
            if measured.endswith(suffix):
                assert unit.casefold() in told["description"].casefold(), field


def test_every_tool_reads_only() -> None:
    for tool in load("json-schema")["tools"]:
        assert tool["annotations"] == {"read_only": True, "destructive": False, "idempotent": True, "open_world": False}


# The shell and the server


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_is_printed_and_served(dialect: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell(["manifest", dialect]) == 0
    assert json.loads(capsys.readouterr().out) == load(dialect)
    with TestClient(create_app(), base_url="http://127.0.0.1:8787") as client:
        assert client.get(f"/manifest/{dialect}").json() == load(dialect)
        assert dialect in client.get("/manifest").json()["dialects"]


def test_an_unknown_dialect_has_one_code_and_the_same_words_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnknownName) as refused:
        load("antropic")
    assert shell(["manifest", "antropic"]) == 2
    assert capsys.readouterr().err.startswith(f"unknown_name: {refused.value.message}")
    with TestClient(create_app(), base_url="http://127.0.0.1:8787") as client:
        answer = client.get("/manifest/antropic")
    assert (answer.status_code, answer.json()) == (404, refused.value.as_dict())
