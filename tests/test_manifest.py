"""The manifests: current, valid, what each dialect allows, and meaning the same as the tools' own arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry

from kilowhat.manifest import DIALECTS, load
from kilowhat.manifest.build import input_schema, main, manifest, responses_form, strict
from kilowhat.tools import TOOLS, call
from kilowhat.tools.core.errors import KilowhatError, UnknownName
from kilowhat.tools.core.tool import Arguments, Tool

Schema = dict[str, Any]

TOOL_NAMES = list(TOOLS)


def validator(schema: Schema) -> Any:
    """Return a validator that fetches nothing."""
    return Draft202012Validator(schema, registry=Registry())


def described(name: str) -> dict[str, Any]:
    return next(tool for tool in load("json-schema")["tools"] if tool["name"] == name)


def openai_function(name: str) -> dict[str, Any]:
    return next(tool["function"] for tool in load("openai") if tool["function"]["name"] == name)


def output_schema() -> Schema:
    estimate: Schema = load("json-schema")["$defs"]["Estimate"]
    return estimate


def nodes(schema: Schema, depth: int = 1) -> Iterator[tuple[Schema, int]]:
    """Yield every schema in a schema, with its depth of nesting in objects."""
    yield schema, depth
    for told in schema.get("properties", {}).values():
        yield from nodes(told, depth + 1)
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *([schema["items"]] if "items" in schema else ())):
        yield from nodes(part, depth)


# Both


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_file_that_ships_is_what_the_tools_give(dialect: str) -> None:
    assert load(dialect) == json.loads(json.dumps(manifest(dialect))), "run python -m kilowhat.manifest.build"


def test_the_check_of_the_command_agrees(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0
    assert capsys.readouterr().err == ""


def test_every_tool_is_in_every_dialect_in_the_order_of_the_catalog() -> None:
    assert [tool["name"] for tool in load("json-schema")["tools"]] == TOOL_NAMES
    assert [tool["function"]["name"] for tool in load("openai")] == TOOL_NAMES


def test_an_unknown_dialect_is_refused_with_those_there_are() -> None:
    for function in (load, manifest):
        with pytest.raises(UnknownName, match="openai and json-schema") as caught:
            function("gemini")
        assert caught.value.field == "dialect"


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
    Draft202012Validator.check_schema(openai_function(name)["parameters"])
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
def test_inputs_are_inlined_closed_and_free_of_noise(name: str) -> None:
    schema = described(name)["input_schema"]
    for node, _ in nodes(schema):
        assert node.keys().isdisjoint({"$ref", "$defs", "title", "discriminator", "allOf", "prefixItems"})
        assert node.get("default", "told") is not None
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert all(told.get("description") for told in node["properties"].values())
    assert list(schema["properties"])[: len(schema.get("required", []))] == [field for field in schema["properties"] if field in schema.get("required", [])]


@pytest.mark.parametrize("name", TOOL_NAMES)
def test_all_that_is_optional_takes_null_or_tells_its_default(name: str) -> None:
    schema = described(name)["input_schema"]
    for field, told in schema["properties"].items():
        if field not in schema.get("required", []):
            assert "default" in told or {"type": "null"} in told["anyOf"], field


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


# OpenAI, strict


STRICT = {
    "type", "description", "properties", "required", "additionalProperties", "items", "anyOf", "enum", "const",
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern", "minItems", "maxItems",
}  # fmt: skip


@pytest.mark.parametrize("name", TOOL_NAMES)
def test_strict_mode_takes_every_node(name: str) -> None:
    function = openai_function(name)
    assert function.keys() == {"name", "description", "strict", "parameters"}
    assert function["strict"] is True
    assert function["parameters"]["type"] == "object"
    assert "anyOf" not in function["parameters"]
    for node, depth in nodes(function["parameters"]):
        assert node.keys() <= STRICT
        assert depth <= 10
        assert isinstance(node.get("type", "x"), str)
        assert ("type" in node) != ("anyOf" in node) or "enum" in node or "const" in node
        assert "(?" not in node.get("pattern", "")
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
        if node.get("type") == "array":
            assert "items" in node


def test_strict_mode_takes_the_whole() -> None:
    functions = [tool["function"] for tool in load("openai")]
    assert sum(len(node.get("properties", {})) for function in functions for node, _ in nodes(function["parameters"])) <= 5000
    assert sum(len(node.get("enum", ())) for function in functions for node, _ in nodes(function["parameters"])) <= 1000
    assert all(len(json.dumps(function["parameters"])) < 120_000 for function in functions)


@pytest.mark.parametrize("name", TOOL_NAMES)
def test_a_default_is_told_in_words(name: str) -> None:
    for field, told in described(name)["input_schema"]["properties"].items():
        strictly = openai_function(name)["parameters"]["properties"][field]
        if "default" in told:
            assert strictly["description"].endswith(f"Null: {json.dumps(told['default'])}.")
            assert {"type": "null"} in strictly["anyOf"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "additionalProperties": {"type": "number"}},
        {"type": "object", "properties": {"sizes": {"type": "object", "additionalProperties": True}}},
        {"type": "array", "prefixItems": [{"type": "number"}]},
        {"allOf": [{"type": "string"}]},
        {"$ref": "#/$defs/Item"},
    ],
)
def test_what_strict_mode_has_no_form_for_is_no_manifest(schema: Schema) -> None:
    with pytest.raises(ValueError, match="no form for"):
        strict(schema)


class Item(Arguments):
    """A thing with a part that has a definition of its own."""

    label: str
    weight: float = 1.0


class Things(Arguments):
    """Arguments with what the tools of today may not use, and those of tomorrow may."""

    items: list[Item]
    title: str | None = None
    spare: Item | None = None


def test_definitions_come_into_their_places_and_a_property_may_be_called_title() -> None:
    tool = Tool(name="weigh", title="Weigh", description="", arguments=Things, run=TOOLS["estimate_task"].run, example={})
    schema = input_schema(tool)
    assert "$" not in json.dumps(schema)
    assert list(schema["properties"]) == ["items", "title", "spare"]
    assert schema["properties"]["items"]["items"]["properties"]["weight"] == {"type": "number", "default": 1.0}
    inner = strict(schema)["properties"]["items"]["items"]
    assert inner["required"] == ["label", "weight"]
    assert inner["properties"]["weight"] == {"anyOf": [{"type": "number"}, {"type": "null"}], "description": "Null: 1.0."}


def test_the_responses_form_has_the_same_functions_one_level_up() -> None:
    for flat, nested in zip(responses_form(load("openai")), load("openai"), strict=True):
        assert flat == {"type": "function", **nested["function"]}


# The same meaning


def values(schema: Schema) -> st.SearchStrategy[Any]:
    """Return a strategy for what a schema of our inputs allows."""
    if "anyOf" in schema:
        return st.one_of([values(part) for part in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum", schema.get("exclusiveMaximum"))
    bounds = {"exclude_min": "exclusiveMinimum" in schema, "exclude_max": "exclusiveMaximum" in schema}
    match schema["type"]:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(None if low is None else int(low), None if high is None else int(high))
        case "number":
            return st.floats(low, high, allow_nan=False, allow_infinity=False, **bounds)
        case "string":
            return st.from_regex(schema["pattern"]) if "pattern" in schema else st.text(min_size=schema.get("minLength", 0), max_size=min(40, schema.get("maxLength", 40)))
        case "array":
            return st.lists(values(schema["items"]), min_size=schema.get("minItems", 0), max_size=min(4, schema.get("maxItems", 4)))
        case "object":
            required = {name: values(told) for name, told in schema["properties"].items() if name in schema.get("required", [])}
            optional = {name: values(told) for name, told in schema["properties"].items() if name not in required}
            return st.fixed_dictionaries(required, optional=optional)
    raise AssertionError(schema)


def with_nulls(schema: Schema, told: Any) -> Any:
    """Return a call as a strict reader writes it: every property there, null where nothing was told."""
    if "anyOf" in schema:
        return next((with_nulls(part, told) for part in schema["anyOf"] if validator(part).is_valid(told)), told)
    if schema.get("type") == "array":
        return [with_nulls(schema["items"], part) for part in told]
    if schema.get("type") == "object":
        return {name: with_nulls(part, told[name]) if name in told else None for name, part in schema["properties"].items()}
    return told


def without_nulls(told: Any) -> Any:
    if isinstance(told, dict):
        return {name: without_nulls(part) for name, part in told.items() if part is not None}
    return [without_nulls(part) for part in told] if isinstance(told, list) else told


@pytest.mark.parametrize("name", TOOL_NAMES)
def test_a_strict_call_means_the_same_as_one_that_leaves_out_what_is_not_told(name: str) -> None:
    schema = described(name)["input_schema"]
    lenient, strictly = validator(schema), validator(openai_function(name)["parameters"])

    @given(values(schema))
    def check(told: dict[str, Any]) -> None:
        lenient.validate(told)
        full = with_nulls(schema, told)
        strictly.validate(full)
        assert TOOLS[name].validate(full) == TOOLS[name].validate(without_nulls(told))

    check()


@pytest.mark.parametrize("name", TOOL_NAMES)
def test_both_dialects_refuse_what_the_tool_refuses(name: str) -> None:
    example = dict(TOOLS[name].example)
    strictly = validator(openai_function(name)["parameters"])
    lenient = validator(described(name)["input_schema"])
    full = with_nulls(described(name)["input_schema"], example)
    assert strictly.is_valid(full)
    for wrong in ({"colour": "red"}, {next(iter(example)): {"a": 1}}):
        assert not lenient.is_valid(example | wrong)
        assert not strictly.is_valid(full | wrong)
        with pytest.raises(KilowhatError, match=r"takes no argument|is not allowed"):
            TOOLS[name].validate(example | wrong)
