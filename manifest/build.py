"""The descriptions of all tools, in each dialect.

    python -m kilowhat.manifest.build            # write the files
    python -m kilowhat.manifest.build --check    # fail where they are not current

The arguments of a tool are a pydantic model, and its schema is the source of every dialect (``schemas.py``). What the
package is called where servers are listed and installed is written beside them (``bundle.py``).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kilowhat.manifest import DIALECTS, load, path
from kilowhat.manifest.bundle import listings
from kilowhat.manifest.schemas import Schema, anthropic_strict, gemini, inlined, input_schema, openapi_3_0, strict
from kilowhat.tools import TOOLS, Estimate, Tool
from kilowhat.tools.core.estimate import METHOD_VERSION

ANNOTATIONS = {"read_only": True, "destructive": False, "idempotent": True, "open_world": False}
"""What holds for every tool: it reads the library, changes nothing, and gives the same answer again."""

_HINTS = {"readOnlyHint": "read_only", "destructiveHint": "destructive", "idempotentHint": "idempotent", "openWorldHint": "open_world"}

_REFUSALS = {
    "422": "The arguments are refused: the code says why, nearest names what is known.",
    "default": "Any other refusal, in the same shape: a body that is no JSON, a missing key, a busy server.",
}


def manifest(dialect: str) -> Any:
    """Return the description of all tools in a dialect.

    Args:
        dialect: One of ``DIALECTS``.

    Raises:
        UnknownName: where there is no such dialect (``unknown_name``).
    """
    path(dialect)
    return _BUILDERS[dialect]()


def responses_form(tools: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return tools of Chat Completions as the Responses API takes them: without the level ``function``."""
    return [{"type": "function", **tool["function"]} for tool in tools]


def output_schema() -> Schema:
    """Return the schema of what every tool gives: the Estimate."""
    return inlined(Estimate.model_json_schema(mode="serialization"))


def _openai() -> list[Schema]:
    return [{"type": "function", "function": _openai_function(tool)} for tool in TOOLS.values()]


def _openai_function(tool: Tool) -> Schema:
    parameters = strict(input_schema(tool))
    parameters["description"] += " Null means not told."
    return {"name": tool.name, "description": tool.description, "strict": True, "parameters": parameters}


def _anthropic() -> list[Schema]:
    return [{"name": tool.name, "description": tool.description, "input_schema": input_schema(tool)} for tool in TOOLS.values()]


def _anthropic_strict() -> list[Schema]:
    return [tool | {"strict": True, "input_schema": anthropic_strict(tool["input_schema"])} for tool in _anthropic()]


def _gemini() -> Schema:
    return {"functionDeclarations": [_declared(tool, parametersJsonSchema=gemini(input_schema(tool))) for tool in TOOLS.values()]}


def _gemini_openapi() -> Schema:
    return {"functionDeclarations": [_declared(tool, parameters=openapi_3_0(input_schema(tool))) for tool in TOOLS.values()]}


def _declared(tool: Tool, **parameters: Schema) -> Schema:
    return {"name": tool.name, "description": tool.description, **parameters}


def _mcp() -> Schema:
    output = output_schema()
    hints = {hint: ANNOTATIONS[name] for hint, name in _HINTS.items()}
    return {
        "tools": [
            {
                "name": tool.name,
                "title": tool.title,
                "description": tool.description,
                "inputSchema": input_schema(tool),
                "outputSchema": output,
                "annotations": {"title": tool.title, **hints},
            }
            for tool in TOOLS.values()
        ]
    }


def _json_schema() -> Schema:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Kilowhat tools",
        "version": METHOD_VERSION,
        "tools": [_described(tool) for tool in TOOLS.values()],
        "$defs": {"Estimate": output_schema()},
    }


def _described(tool: Tool) -> Schema:
    return {
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "input_schema": input_schema(tool),
        "output_schema": {"$ref": "#/$defs/Estimate"},
        "example": dict(tool.example),
        "annotations": ANNOTATIONS,
    }


def _openapi() -> Schema:
    nearest = {"type": "array", "items": {"type": "string"}, "description": "Known names close to the one told, best first."}
    error = {"code": {"type": "string"}, "message": {"type": "string"}, "field": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "nearest": nearest}
    closed = {"type": "object", "additionalProperties": False}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Kilowhat",
            "version": METHOD_VERSION,
            "description": "What AI costs in energy, carbon and water: estimates with range, derivation and citations.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "http://127.0.0.1:8787", "description": "kilowhat serve"}],
        "security": [{}, {"key": []}],
        "paths": {f"/tools/{tool.name}": {"post": _operation(tool)} for tool in TOOLS.values()},
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "Where the server was given a key."}},
            "schemas": {
                "Estimate": output_schema(),
                "Error": closed | {"properties": {"error": closed | {"properties": error, "required": list(error)}}, "required": ["error"]},
            },
        },
    }


def _operation(tool: Tool) -> Schema:
    def body(schema: Schema, **more: Any) -> Schema:
        return {"content": {"application/json": {"schema": schema, **more}}}

    refusals = {status: {"description": description, **body({"$ref": "#/components/schemas/Error"})} for status, description in _REFUSALS.items()}
    return {
        "operationId": tool.name,
        "summary": tool.title,
        "description": tool.description,
        "requestBody": {"required": True, **body(input_schema(tool), example=dict(tool.example))},
        "responses": {"200": {"description": "The estimate.", **body({"$ref": "#/components/schemas/Estimate"})}, **refusals},
    }


_BUILDERS: dict[str, Callable[[], Any]] = {
    "openai": _openai,
    "openai-responses": lambda: responses_form(_openai()),
    "anthropic": _anthropic,
    "anthropic-strict": _anthropic_strict,
    "gemini": _gemini,
    "gemini-openapi": _gemini_openapi,
    "mcp": _mcp,
    "json-schema": _json_schema,
    "openapi": _openapi,
}


def files() -> dict[Path, str]:
    """Return every generated file of this folder with what it should hold."""
    return {path(dialect): text(manifest(dialect)) for dialect in DIALECTS} | {place: text(content) for place, content in listings().items()}


def text(content: Any) -> str:
    """Return a manifest as it is committed."""
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or with ``--check`` say whether they are current."""
    parser = argparse.ArgumentParser(description="Describe the tools to machines.")
    parser.add_argument("--check", action="store_true", help="fail where a file is not current")
    options = parser.parse_args(arguments)
    built = files()
    if not options.check:
        for place, content in built.items():
            place.write_text(content, "utf-8")
        return 0
    stale = [place.stem for place, content in built.items() if not place.exists() or place.read_text("utf-8") != content]
    if stale:
        sys.stderr.write(f"not current: {', '.join(stale)}; run python -m kilowhat.manifest.build\n")
    return 1 if stale else 0


__all__ = ["DIALECTS", "input_schema", "load", "manifest", "responses_form", "strict"]

if __name__ == "__main__":
    sys.exit(main())
