"""Each dialect is what its reader takes, by the strictest reader there is offline, and a call means the same in all of them.

The readers: the types and transforms of the vendors' own SDKs, ``openapi-spec-validator``, the classes of ``mcp``, and
``jsonschema`` with an empty registry, which fetches nothing. The MCP inspector's lint is in ``test_mcp_suites.py``.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry

from kilowhat.manifest import DIALECTS, load
from kilowhat.manifest.build import input_schema, responses_form
from kilowhat.manifest.schemas import GEMINI, STRUCTURE, anthropic_strict, gemini, narrowed, openapi_3_0, strict
from kilowhat.tools import TOOLS, KilowhatError
from kilowhat.tools.core.tool import Arguments, Tool

Schema = dict[str, Any]

TOOL_NAMES = list(TOOLS)

NARROW = ("openai", "openai-responses", "anthropic-strict", "gemini", "gemini-openapi")
"""Dialects that lack a part of JSON Schema; the others have all of it."""


def entries(dialect: str) -> list[dict[str, Any]]:
    """Return the tools of a manifest as they stand there; the operations of OpenAPI."""
    manifest = load(dialect)
    if dialect == "openapi":
        return [path["post"] | {"name": path["post"]["operationId"]} for path in manifest["paths"].values()]
    if isinstance(manifest, dict):
        manifest = manifest.get("tools") or manifest["functionDeclarations"]
    return [tool.get("function", tool) for tool in manifest]


def schema_in(entry: dict[str, Any]) -> Schema:
    """Return the schema of the arguments as it stands in an entry."""
    if "requestBody" in entry:
        found: Schema = entry["requestBody"]["content"]["application/json"]["schema"]
        return found
    key = next(key for key in ("parameters", "parametersJsonSchema", "input_schema", "inputSchema") if key in entry)
    return dict(entry[key])


def read_by_google(parameters: Schema) -> Schema:
    """Return a schema of OpenAPI 3.0 in JSON Schema, as Google's SDK reads it."""
    from google.genai import types

    read: Schema = types.Schema.model_validate(parameters).json_schema.model_dump(mode="json", exclude_none=True, by_alias=True)
    return read


@cache
def schemas(dialect: str) -> dict[str, Schema]:
    """Return by tool what a dialect allows, as JSON Schema."""
    found = {entry["name"]: schema_in(entry) for entry in entries(dialect)}
    return {name: read_by_google(schema) for name, schema in found.items()} if dialect == "gemini-openapi" else found


@cache
def validator(dialect: str, name: str) -> Any:
    """Return a validator that fetches nothing."""
    return Draft202012Validator(schemas(dialect)[name], registry=Registry())


def nodes(schema: Schema, depth: int = 1) -> Iterator[tuple[Schema, int]]:
    """Yield every schema in a schema, with its depth of nesting in objects."""
    yield schema, depth
    for told in schema.get("properties", {}).values():
        yield from nodes(told, depth + 1)
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *([schema["items"]] if "items" in schema else ())):
        yield from nodes(part, depth)


# All


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", TOOL_NAMES)
def test_a_schema_is_draft_2020_12_and_refers_to_nothing(dialect: str, name: str) -> None:
    schema = schemas(dialect)[name]
    Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    assert "$ref" not in json.dumps(schema)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_tool_is_described_as_the_catalog_does(dialect: str) -> None:
    for entry in entries(dialect):
        assert entry["description"] == TOOLS[entry["name"]].description


@pytest.mark.parametrize("dialect", ["anthropic", "mcp", "openapi", "json-schema"])
def test_where_all_of_json_schema_is_taken_it_is_the_same(dialect: str) -> None:
    assert schemas(dialect) == schemas("json-schema")


@pytest.mark.parametrize("name", TOOL_NAMES)
def test_inputs_are_inlined_closed_and_free_of_noise(name: str) -> None:
    schema = schemas("json-schema")[name]
    for node, _ in nodes(schema):
        assert node.keys().isdisjoint({"$ref", "$defs", "title", "discriminator", "allOf", "prefixItems"})
        assert node.get("default", "told") is not None
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert all(told.get("description") for told in node["properties"].values())
    assert list(schema["properties"])[: len(schema.get("required", []))] == [field for field in schema["properties"] if field in schema.get("required", [])]


# OpenAI, strict


def openai_function(name: str) -> dict[str, Any]:
    return next(tool for tool in entries("openai") if tool["name"] == name)


OPENAI_STRICT = {
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
        assert node.keys() <= OPENAI_STRICT
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
    functions = entries("openai")
    assert sum(len(node.get("properties", {})) for function in functions for node, _ in nodes(function["parameters"])) <= 5000
    assert sum(len(node.get("enum", ())) for function in functions for node, _ in nodes(function["parameters"])) <= 1000
    assert all(len(json.dumps(function["parameters"])) < 120_000 for function in functions)


@pytest.mark.parametrize("name", TOOL_NAMES)
def test_a_default_is_told_in_words(name: str) -> None:
    for field, told in schemas("json-schema")[name]["properties"].items():
        if "default" not in told:
            continue
        default = json.dumps(told["default"])
        strictly = schemas("openai")[name]["properties"][field]
        assert strictly["description"].endswith(f"Null: {default}.")
        assert {"type": "null"} in strictly["anyOf"]
        for dialect in ("anthropic-strict", "gemini", "gemini-openapi"):
            assert schemas(dialect)[name]["properties"][field]["description"].endswith(f"Left out: {default}.")


@pytest.mark.parametrize("name", TOOL_NAMES)
def test_the_transform_of_the_openai_sdk_changes_nothing(name: str) -> None:
    from openai.lib._pydantic import _ensure_strict_json_schema

    parameters = openai_function(name)["parameters"]
    theirs = copy.deepcopy(parameters)
    assert _ensure_strict_json_schema(theirs, path=(), root=theirs) == parameters


def test_the_types_of_the_openai_sdk_take_both_forms() -> None:
    from openai.types.chat import ChatCompletionFunctionToolParam
    from openai.types.responses import FunctionToolParam
    from pydantic import TypeAdapter

    for chat, response in zip(load("openai"), load("openai-responses"), strict=True):
        assert TypeAdapter(ChatCompletionFunctionToolParam).validate_python(chat) == chat
        assert TypeAdapter(FunctionToolParam).validate_python(response) == response


def test_the_responses_form_has_the_same_functions_one_level_up() -> None:
    assert load("openai-responses") == responses_form(load("openai"))
    for flat, nested in zip(load("openai-responses"), load("openai"), strict=True):
        assert flat == {"type": "function", **nested["function"]}


# Anthropic


def test_the_types_of_the_anthropic_sdk_take_both_forms() -> None:
    from anthropic.types import ToolParam
    from pydantic import TypeAdapter

    for dialect in ("anthropic", "anthropic-strict"):
        for tool in load(dialect):
            assert TypeAdapter(ToolParam).validate_python(tool) == tool
    assert [tool["strict"] for tool in load("anthropic-strict")] == [True] * len(TOOLS)


@pytest.mark.parametrize("name", TOOL_NAMES)
def test_the_transform_of_the_anthropic_sdk_changes_nothing(name: str) -> None:
    from anthropic import transform_schema

    schema = schemas("anthropic-strict")[name]
    assert transform_schema(copy.deepcopy(schema)) == schema


@pytest.mark.parametrize("name", TOOL_NAMES)
def test_each_tool_is_within_what_one_strict_request_takes(name: str) -> None:
    schema = schemas("anthropic-strict")[name]
    found = [node for node, _ in nodes(schema)]
    assert sum(len(node.get("properties", {})) - len(node.get("required", ())) for node in found) <= 24
    assert sum("anyOf" in node for node in found) == 0


# Gemini


def test_the_types_of_the_google_sdk_take_both_forms() -> None:
    from google.genai import types

    for dialect, key in (("gemini", "parameters_json_schema"), ("gemini-openapi", "parameters")):
        declared = types.Tool.model_validate(load(dialect)).function_declarations or []
        assert [declaration.name for declaration in declared] == TOOL_NAMES
        assert all(getattr(declaration, key) is not None for declaration in declared)


@pytest.mark.parametrize("name", TOOL_NAMES)
def test_gemini_gets_only_keywords_that_it_documents(name: str) -> None:
    documented = {"type", "description", "enum", "properties", "required", "additionalProperties", "items", "anyOf", "minimum", "maximum", "minItems", "maxItems"}
    for node, _ in nodes(schemas("gemini")[name]):
        assert node.keys() <= documented
    for node, _ in nodes(next(schema_in(entry) for entry in entries("gemini-openapi") if entry["name"] == name)):
        assert node.keys() <= documented - {"additionalProperties"} | {"nullable"}
        assert node["type"] in {"STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT"}
        assert "anyOf" not in node  # beside it no other field is taken


# MCP


def test_the_types_of_mcp_take_the_list_of_tools() -> None:
    from mcp.types import ListToolsResult

    manifest = load("mcp")
    listed = ListToolsResult.model_validate(manifest)
    assert listed.model_dump(mode="json", by_alias=True, exclude_unset=True) == manifest
    for tool in listed.tools:
        assert tool.title == TOOLS[tool.name].title
        assert tool.annotations is not None
        assert (tool.annotations.read_only_hint, tool.annotations.destructive_hint) == (True, False)
        assert (tool.annotations.idempotent_hint, tool.annotations.open_world_hint) == (True, False)
        assert tool.output_schema == load("json-schema")["$defs"]["Estimate"]
        assert re.fullmatch(r"[A-Za-z0-9_.-]{1,128}", tool.name)


# OpenAPI


def test_the_document_is_openapi_3_1() -> None:
    from openapi_spec_validator import OpenAPIV31SpecValidator

    document = load("openapi")
    OpenAPIV31SpecValidator(document).validate()
    broken = copy.deepcopy(document)
    broken["paths"]["/tools/estimate_task"]["post"]["responses"] = {"fine": {}}
    assert not OpenAPIV31SpecValidator(broken).is_valid()


def test_an_estimate_and_a_refusal_are_what_the_document_says() -> None:
    components = load("openapi")["components"]["schemas"]
    told = Draft202012Validator(components["Estimate"], registry=Registry())
    refused = Draft202012Validator(components["Error"], registry=Registry())
    for tool in TOOLS.values():
        told.validate(tool(tool.example).model_dump(mode="json"))
        with pytest.raises(KilowhatError) as caught:
            tool({**tool.example, "colour": "blue"})
        refused.validate(caught.value.as_dict())


def test_the_server_answers_where_the_document_says() -> None:
    from fastapi.testclient import TestClient

    from kilowhat.plugin.http import create_app

    document = load("openapi")
    with TestClient(create_app(), base_url=document["servers"][0]["url"]) as client:
        for path, described in document["paths"].items():
            body = described["post"]["requestBody"]["content"]["application/json"]
            assert client.post(path, json=body["example"]).json()["tool"] == described["post"]["operationId"]
        live = client.get("/tools/openapi.json").json()
    for operation in (path["post"] for path in document["paths"].values()):
        served = live["paths"][f"/{operation['operationId']}"]["post"]
        assert served["requestBody"]["content"]["application/json"]["schema"] == schema_in(operation)


# What no dialect has a form for


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
def test_what_has_no_form_is_no_manifest(schema: Schema) -> None:
    for narrow in (strict, anthropic_strict, gemini, openapi_3_0):
        with pytest.raises(ValueError, match="no form for"):
            narrow(schema)


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
    assert schema["properties"]["items"]["items"]["properties"]["weight"] == {"anyOf": [{"type": "number"}, {"type": "null"}], "default": 1.0}
    inner = strict(schema)["properties"]["items"]["items"]
    assert inner["required"] == ["label", "weight"]
    assert inner["properties"]["weight"] == {"anyOf": [{"type": "number"}, {"type": "null"}], "description": "Null: 1.0."}
    assert gemini(schema)["properties"]["items"]["items"]["properties"]["weight"] == {"type": "number", "description": "Left out: 1.0."}
    assert openapi_3_0(schema)["properties"]["spare"]["nullable"] is True


def test_a_bound_without_a_keyword_is_told_in_words() -> None:
    schema = {"anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": 8784}, {"type": "null"}], "description": "Hours.", "default": 2}
    assert narrowed(schema, STRUCTURE) == {"type": "number", "description": "Hours. More than 0, at most 8784. Left out: 2."}
    assert narrowed(schema, GEMINI) == {"type": "number", "minimum": 0, "maximum": 8784, "description": "Hours. More than 0. Left out: 2."}


def test_a_union_that_is_more_than_null_stays_one() -> None:
    schema = {"anyOf": [{"type": "number"}, {"type": "string", "maxLength": 9}, {"type": "null"}]}
    assert gemini(schema) == {"anyOf": [{"type": "number"}, {"type": "string"}]}
    assert gemini({"const": "kWh", "type": "string"}) == {"enum": ["kWh"], "type": "string"}
    with pytest.raises(ValueError, match="no form for the enum"):
        openapi_3_0({"enum": [1, 2]})


# The same meaning


def values(schema: Schema) -> st.SearchStrategy[Any]:
    """Return a strategy for what a schema of our inputs allows."""
    if "anyOf" in schema:
        return st.one_of([values(part) for part in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    if isinstance(schema["type"], list):
        return st.one_of([values({**schema, "type": one}) for one in schema["type"]])
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
        return next((with_nulls(part, told) for part in schema["anyOf"] if Draft202012Validator(part, registry=Registry()).is_valid(told)), told)
    if schema.get("type") == "array":
        return [with_nulls(schema["items"], part) for part in told]
    if schema.get("type") == "object":
        return {name: with_nulls(part, told[name]) if name in told else None for name, part in schema["properties"].items()}
    return told


def without_nulls(told: Any) -> Any:
    """Return a call with what was told alone."""
    if isinstance(told, dict):
        return {name: without_nulls(part) for name, part in told.items() if part is not None}
    return [without_nulls(part) for part in told] if isinstance(told, list) else told


def written(dialect: str, name: str, told: dict[str, Any]) -> dict[str, Any]:
    """Return a call as the reader of a dialect writes it."""
    strictly: dict[str, Any] = with_nulls(schemas("json-schema")[name], told) if dialect.startswith("openai") else told
    return strictly


def outcome(name: str, told: dict[str, Any]) -> Any:
    """Return what a tool makes of arguments: the call as validated, or the refusal."""
    try:
        return TOOLS[name].validate(told)
    except KilowhatError as error:
        return error.as_dict()


@pytest.mark.parametrize("name", TOOL_NAMES)
def test_a_valid_call_is_valid_in_every_dialect_and_means_the_same(name: str) -> None:
    @settings(max_examples=150)
    @given(values(schemas("json-schema")[name]))
    def check(drawn: dict[str, Any]) -> None:
        told = without_nulls(drawn)
        meant = outcome(name, told)
        assert isinstance(meant, Arguments) or meant["error"]["field"]
        for dialect in DIALECTS:
            call = written(dialect, name, told)
            validator(dialect, name).validate(call)
            assert outcome(name, call) == meant
        validator("json-schema", name).validate(written("openai", name, told))
        assert outcome(name, drawn) == meant

    check()


LOST = {
    "openai": {"minLength", "maxLength"},
    "openai-responses": {"minLength", "maxLength"},
    "anthropic-strict": {"minimum", "maximum", "exclusiveMinimum", "minItems", "maxItems", "minLength", "maxLength"},
    "gemini": {"exclusiveMinimum", "minLength", "maxLength"},
    "gemini-openapi": {"exclusiveMinimum", "minLength", "maxLength"},
}
"""What a dialect lets pass that the tool refuses, by the keyword that it has no form for."""


def broken_keywords(errors: Any) -> Iterator[str]:
    """Yield the keywords that a call breaks; that it is not null is no fault."""
    for error in errors:
        if error.context:
            yield from broken_keywords(error.context)
        elif error.validator_value != "null":
            yield error.validator


@pytest.mark.parametrize("name", TOOL_NAMES)
@pytest.mark.parametrize("dialect", NARROW)
def test_a_call_of_a_narrow_dialect_breaks_only_what_it_has_no_form_for(dialect: str, name: str) -> None:
    @settings(max_examples=60)
    @given(values(schemas(dialect)[name]))
    def check(drawn: dict[str, Any]) -> None:
        validator(dialect, name).validate(drawn)
        told = without_nulls(drawn)
        assert set(broken_keywords(validator("json-schema", name).iter_errors(told))) <= LOST[dialect]
        assert outcome(name, drawn) == outcome(name, told)

    check()


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", TOOL_NAMES)
def test_every_dialect_refuses_what_the_tool_refuses(dialect: str, name: str) -> None:
    example = dict(TOOLS[name].example)
    validator(dialect, name).validate(written(dialect, name, example))
    for wrong in ({"colour": "red"}, {next(iter(example)): {"a": 1}}):
        call = written(dialect, name, example) | wrong
        assert not validator(dialect, name).is_valid(call) or (dialect, *wrong) == ("gemini-openapi", "colour")
        with pytest.raises(KilowhatError, match=r"takes no argument|is not allowed"):
            TOOLS[name].validate(call)
