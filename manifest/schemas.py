"""From the arguments of a tool to its schema, and from that to the part of JSON Schema that each reader takes.

    input_schema   everything, with no ``$ref``: MCP, OpenAPI 3.1, JSON Schema, Anthropic
    strict         OpenAI's strict mode: every argument required, null means not told
    narrowed       any smaller part: what it has no keyword for is told in words

A smaller part may let a call pass that the tool then refuses, never the other way round; what is optional may be left
out, and the tools read null as left out, so that one call means the same in all of them.
"""

from __future__ import annotations

import json
from typing import Any

from kilowhat.tools import Tool

Schema = dict[str, Any]

NULL = {"type": "null"}

STRUCTURE = frozenset({"type", "description", "enum", "const", "properties", "required", "additionalProperties", "items", "anyOf"})
"""What a schema can't be written without; every reader has it."""

STRICT = STRUCTURE | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern", "minItems", "maxItems"}
"""What OpenAI's strict mode has."""

GEMINI = STRUCTURE - {"const"} | {"minimum", "maximum", "minItems", "maxItems"}
"""What Gemini documents; it answers ``Unknown name "exclusiveMinimum"`` to some of the rest."""

ANTHROPIC_STRICT = STRUCTURE
"""What Anthropic's strict mode has; its SDK moves bounds into the description, so that is where they are."""

_UNTOLD = frozenset({"minLength", "maxLength", "format", "examples"})
"""Left to the tool where a reader has no keyword for it: no call of good will meets it."""

_IN_WORDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "pattern": "matching {}",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
}
_INCLUSIVE = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}


def input_schema(tool: Tool) -> Schema:
    """Return the schema of a tool's arguments: no ``$ref``, required ones first, null where one may be left out."""
    schema = _optional_takes_null(inlined(tool.arguments.model_json_schema()))
    required = schema.get("required", [])
    schema["properties"] = {name: schema["properties"][name] for name in sorted(schema["properties"], key=lambda name: name not in required)}
    return schema


def inlined(schema: Schema) -> Schema:
    """Return a schema with its definitions in their places, without titles and without defaults of null."""
    definitions: Schema = schema.get("$defs", {})

    def walk(node: Any) -> Any:
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            node = {**definitions[node["$ref"].rpartition("/")[2]], **{key: value for key, value in node.items() if key != "$ref"}}
        kept: Schema = {}
        for key, value in node.items():
            if key in ("$defs", "title", "discriminator") or (key == "default" and value is None):
                continue
            if key == "properties":
                kept[key] = {name: walk(property_schema) for name, property_schema in value.items()}
            elif key in ("anyOf", "oneOf", "allOf", "prefixItems"):
                kept[key] = [walk(part) for part in value]
            else:
                kept[key] = walk(value) if key in ("items", "additionalProperties") else value
        return kept

    found: Schema = walk(schema)
    return found


def _optional_takes_null(schema: Schema) -> Schema:
    """Return an inlined schema that says of every argument with a default what holds for it: null means not told."""
    kept = dict(schema)
    if "items" in kept:
        kept["items"] = _optional_takes_null(kept["items"])
    if "anyOf" in kept:
        kept["anyOf"] = [_optional_takes_null(part) for part in kept["anyOf"]]
    if "properties" in kept:
        properties = {name: _optional_takes_null(told) for name, told in kept["properties"].items()}
        kept["properties"] = {name: told if name in kept.get("required", []) else _nullable(told) for name, told in properties.items()}
    return kept


def strict(schema: Schema) -> Schema:
    """Return an inlined schema in the part of JSON Schema that OpenAI's strict mode takes.

    Every property is required, and takes null where it was optional; a default is told in words.

    Raises:
        ValueError: where the schema holds what strict mode has no form for, such as a mapping with free keys.
    """
    _refuse_what_has_no_form(schema)
    kept = {key: value for key, value in schema.items() if key in STRICT - {"required", "additionalProperties"}}
    if "default" in schema:
        kept["description"] = f"{schema.get('description', '')} Null: {json.dumps(schema['default'])}.".strip()
    if "items" in kept:
        kept["items"] = strict(kept["items"])
    if parts := schema.get("anyOf") or schema.get("oneOf"):
        kept["anyOf"] = [strict(part) for part in parts]
    if schema.get("type") == "object":
        required = schema.get("required", [])
        properties = {name: strict(told) for name, told in schema.get("properties", {}).items()}
        kept["properties"] = {name: told if name in required else _nullable(told) for name, told in properties.items()}
        kept |= {"required": list(properties), "additionalProperties": False}
    return kept


def narrowed(schema: Schema, keeps: frozenset[str]) -> Schema:
    """Return an inlined schema with the keywords of a reader alone.

    What is optional is left out, not null, so that no union is needed for it. Bounds and defaults without a keyword stand at
    the end of the description.

    Args:
        schema: Inlined.
        keeps: The keywords of the reader: ``STRUCTURE`` and more.

    Raises:
        ValueError: where the schema holds what no reader has a form for, such as a mapping with free keys.
    """
    _refuse_what_has_no_form(schema)
    parts = [part for part in schema.get("anyOf") or schema.get("oneOf") or () if part != NULL]
    if len(parts) == 1:
        return narrowed(parts[0] | {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf")}, keeps)
    kept = {key: value for key, value in schema.items() if key in keeps}
    if "const" in schema and "const" not in keeps:
        kept["enum"] = [schema["const"]]
    for exclusive, inclusive in _INCLUSIVE.items():
        if exclusive in schema and exclusive not in keeps and inclusive in keeps:
            kept[inclusive] = schema[exclusive]
    if parts:
        kept["anyOf"] = [narrowed(part, keeps) for part in parts]
    if "items" in schema:
        kept["items"] = narrowed(schema["items"], keeps)
    if schema.get("type") == "object":
        kept["properties"] = {name: narrowed(told, keeps) for name, told in schema.get("properties", {}).items()}
    if words := _in_words(schema, keeps):
        kept["description"] = f"{schema.get('description', '')} {words}".strip()
    return kept


def anthropic_strict(schema: Schema) -> Schema:
    """Return an inlined schema as Anthropic's strict mode takes it: what its SDK would make of it, so that the SDK changes nothing."""
    return _without_type_of_enum(narrowed(schema, ANTHROPIC_STRICT))


def gemini(schema: Schema) -> Schema:
    """Return an inlined schema for ``parametersJsonSchema``."""
    return narrowed(schema, GEMINI)


def openapi_3_0(schema: Schema) -> Schema:
    """Return an inlined schema for Gemini's ``parameters``: the ``Schema`` of OpenAPI 3.0, types in capitals.

    Raises:
        ValueError: where an enum holds another thing than text, which ``Schema`` has no form for.
    """
    return _in_capitals(gemini(schema))


def _in_capitals(schema: Schema) -> Schema:
    if not all(isinstance(value, str) for value in schema.get("enum", ())):
        raise ValueError(f"OpenAPI 3.0 as Gemini reads it has no form for the enum {schema['enum']}.")
    kept = {key: value for key, value in schema.items() if key != "additionalProperties"}
    if "type" in kept:
        kept["type"] = kept["type"].upper()
    if "items" in kept:
        kept["items"] = _in_capitals(kept["items"])
    if "anyOf" in kept:
        kept["anyOf"] = [_in_capitals(part) for part in kept["anyOf"]]
    if "properties" in kept:
        required = schema.get("required", [])
        kept["properties"] = {name: _in_capitals(told) | ({} if name in required else {"nullable": True}) for name, told in kept["properties"].items()}
    return kept


def _without_type_of_enum(schema: Schema) -> Schema:
    kept = {key: value for key, value in schema.items() if key != "type" or not schema.keys() & {"enum", "const"}}
    if "items" in kept:
        kept["items"] = _without_type_of_enum(kept["items"])
    if "anyOf" in kept:
        kept["anyOf"] = [_without_type_of_enum(part) for part in kept["anyOf"]]
    if "properties" in kept:
        kept["properties"] = {name: _without_type_of_enum(told) for name, told in kept["properties"].items()}
    return kept


def _refuse_what_has_no_form(schema: Schema) -> None:
    unknown = set(schema) - STRICT - _UNTOLD - {"default", "oneOf"}
    if unknown or schema.get("additionalProperties", False) is not False:
        raise ValueError(f"A narrow dialect has no form for {', '.join(sorted(unknown)) or 'free keys'} in {json.dumps(schema)[:200]}.")


def _nullable(schema: Schema) -> Schema:
    if NULL in schema.get("anyOf", ()):
        return schema
    outside = {key: schema[key] for key in ("description", "default") if key in schema}
    return {"anyOf": [{key: value for key, value in schema.items() if key not in outside}, NULL]} | outside


def _in_words(schema: Schema, keeps: frozenset[str]) -> str:
    bounds = [words.format(_shown(schema[keyword])) for keyword, words in _IN_WORDS.items() if keyword in schema and keyword not in keeps]
    sentence = ", ".join(bounds)
    told = [f"{sentence[0].upper()}{sentence[1:]}."] if sentence else []
    if "default" in schema and "default" not in keeps:
        told.append(f"Left out: {json.dumps(schema['default'])}.")
    return " ".join(told)


def _shown(bound: float | str) -> str:
    return bound if isinstance(bound, str) else f"{bound:g}"
