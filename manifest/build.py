"""From the tools' arguments to the schemas that machines read.

    python -m kilowhat.manifest.build            # write the files
    python -m kilowhat.manifest.build --check    # fail where they are not current

The arguments of a tool are a pydantic model, and its schema is the source of both dialects. Inputs are inlined, for
many readers follow no ``$ref``. A reader of the OpenAI dialect in strict mode must tell every argument, so what is
optional takes null there, which the tools read as 'not told'.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from kilowhat.manifest import DIALECTS, load, path
from kilowhat.tools import TOOLS, Estimate, Tool
from kilowhat.tools.core.estimate import METHOD_VERSION

Schema = dict[str, Any]

ANNOTATIONS = {"read_only": True, "destructive": False, "idempotent": True, "open_world": False}
"""What holds for every tool: it reads the library, changes nothing, and gives the same answer again."""

_STRICT_KEEPS = {"type", "description", "enum", "const", "properties", "items", "anyOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern", "minItems", "maxItems"}
_STRICT_DROPS = {"default", "minLength", "maxLength", "format", "examples", "required", "additionalProperties", "oneOf"}


def manifest(dialect: str) -> Any:
    """Return the description of all tools in a dialect.

    Args:
        dialect: One of ``DIALECTS``.

    Raises:
        UnknownName: where there is no such dialect (``unknown_name``).
    """
    path(dialect)
    if dialect == "openai":
        return [{"type": "function", "function": _openai_function(tool)} for tool in TOOLS.values()]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Kilowhat tools",
        "version": METHOD_VERSION,
        "tools": [_described(tool) for tool in TOOLS.values()],
        "$defs": {"Estimate": _inlined(Estimate.model_json_schema(mode="serialization"))},
    }


def responses_form(tools: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return tools of Chat Completions as the Responses API takes them: without the level ``function``."""
    return [{"type": "function", **tool["function"]} for tool in tools]


def input_schema(tool: Tool) -> Schema:
    """Return the schema of a tool's arguments: no ``$ref``, required ones first."""
    schema = _inlined(tool.arguments.model_json_schema())
    required = schema.get("required", [])
    schema["properties"] = {name: schema["properties"][name] for name in sorted(schema["properties"], key=lambda name: name not in required)}
    return schema


def _described(tool: Tool) -> dict[str, Any]:
    return {
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "input_schema": input_schema(tool),
        "output_schema": {"$ref": "#/$defs/Estimate"},
        "example": dict(tool.example),
        "annotations": ANNOTATIONS,
    }


def _openai_function(tool: Tool) -> dict[str, Any]:
    parameters = strict(input_schema(tool))
    parameters["description"] += " Null means not told."
    return {"name": tool.name, "description": tool.description, "strict": True, "parameters": parameters}


def _inlined(schema: Schema) -> Schema:
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

    inlined: Schema = walk(schema)
    return inlined


def strict(schema: Schema) -> Schema:
    """Return an inlined schema in the part of JSON Schema that OpenAI's strict mode takes.

    Every property is required, and takes null where it was optional; a default is told in words.

    Raises:
        ValueError: where the schema holds what strict mode has no form for, such as a mapping with free keys.
    """
    unknown = set(schema) - _STRICT_KEEPS - _STRICT_DROPS
    if unknown or schema.get("additionalProperties", False) is not False:
        raise ValueError(f"Strict mode has no form for {', '.join(sorted(unknown)) or 'free keys'} in {json.dumps(schema)[:200]}.")
    kept = {key: value for key, value in schema.items() if key in _STRICT_KEEPS}
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


def _nullable(schema: Schema) -> Schema:
    if {"type": "null"} in schema.get("anyOf", ()):
        return schema
    described = {"description": schema["description"]} if "description" in schema else {}
    return {"anyOf": [{key: value for key, value in schema.items() if key != "description"}, {"type": "null"}]} | described


def text(content: Any) -> str:
    """Return a manifest as it is committed."""
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or with ``--check`` say whether they are current."""
    parser = argparse.ArgumentParser(description="Describe the tools to machines.")
    parser.add_argument("--check", action="store_true", help="fail where a file is not current")
    options = parser.parse_args(arguments)
    built = {dialect: text(manifest(dialect)) for dialect in DIALECTS}
    if not options.check:
        for dialect, content in built.items():
            path(dialect).write_text(content, "utf-8")
        return 0
    stale = [dialect for dialect, content in built.items() if not path(dialect).exists() or path(dialect).read_text("utf-8") != content]
    if stale:
        sys.stderr.write(f"not current: {', '.join(stale)}; run python -m kilowhat.manifest.build\n")
    return 1 if stale else 0


__all__ = ["DIALECTS", "load", "manifest", "responses_form"]

if __name__ == "__main__":
    sys.exit(main())
