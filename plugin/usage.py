"""What a tool takes, as a page for people, from the schema that machines read."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from kilowhat.manifest import load
from kilowhat.plugin.terminal import wrapped
from kilowhat.tools import TOOLS, call

Schema = Mapping[str, Any]


def usage(name: str, width: int = 80) -> str:
    """Return the page of a tool: what it answers, its arguments with kind, range and meaning, what it needs, and an example.

    Raises:
        UnknownTool: where there is no tool of that name (``unknown_tool``).
    """
    if name not in TOOLS:
        call(name, {})
    tool = next(tool for tool in load("json-schema")["tools"] if tool["name"] == name)
    schema = tool["input_schema"]
    lines = [*wrapped(f"usage: kilowhat tools {name} NAME=VALUE … [--json]", width), "", *wrapped(tool["title"], width), "", *wrapped(tool["description"], width), "", "Arguments"]
    for argument, told in schema["properties"].items():
        lines += wrapped(f"  {argument}: {kind(told)}{'; needed' if argument in schema.get('required', ()) else ''}", width)
        lines += wrapped(f"      {told.get('description', '')}", width)
    if ways := TOOLS[name].ways:
        lines += ["", "One of these is needed:", *(line for way in ways for line in wrapped(f"  {', '.join(way)}", width))]
    return "\n".join([*lines, "", "Example", f"  {example(name, tool['example'])}"])


def needs(name: str) -> str:
    """Return what a tool that was called without arguments needs, in a line, and where to read on."""
    tool = next(tool for tool in load("json-schema")["tools"] if tool["name"] == name)
    required = tool["input_schema"].get("required", [])
    ways = [", ".join([*required, *way]) for way in TOOLS[name].ways]
    one = "\n  ".join([f"{name} needs one of these:", *ways])
    told = f"{one}\n" if len(ways) > 1 else f"{name} needs {_listed(required or ways)}.\n" if required or ways else ""
    return f"{told}Example: {example(name, tool['example'])}\nAll arguments: kilowhat tools {name} --help"


def example(name: str, arguments: Mapping[str, Any]) -> str:
    """Return a call as one line of the shell."""
    words = (f"{argument}={_written(value)}" for argument, value in arguments.items())
    return shlex.join(["kilowhat", "tools", name, *words])


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and not any(isinstance(item, dict) or (isinstance(item, str) and "," in item) for item in value):
        return ",".join(map(_written, value))
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value, ensure_ascii=False)


def kind(schema: Schema) -> str:
    """Return what a value may be: its type, with its range or the values that are allowed, and its default.

    >>> kind({"type": "number", "minimum": 0, "maximum": 5000})
    'number, 0 to 5,000'
    >>> kind({"anyOf": [{"enum": ["unet", "dit"], "type": "string"}, {"type": "null"}]})
    'unet or dit'
    """
    choices = [choice for choice in schema.get("anyOf", [schema]) if choice.get("type") != "null"]
    told = " or ".join(_one(choice) for choice in choices)
    default = schema.get("default")
    return f"{told}; {json.dumps(default, ensure_ascii=False) if not isinstance(default, str) else default} where it is left out" if default is not None else told


def _one(schema: Schema) -> str:
    if "enum" in schema or "const" in schema:
        return " or ".join(str(value) for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        form = "as JSON" if schema["items"].get("type") == "object" else "with commas between, or as JSON"
        return f"list{_range(schema, 'minItems', 'maxItems', ' of ')}, {form}: {_one(schema['items'])} each"
    if schema.get("type") == "object":
        return f"object with {_listed(list(schema.get('properties', {})))}"
    names = {"number": "number", "integer": "whole number", "boolean": "true or false", "string": "text"}
    return f"{names.get(schema.get('type', ''), 'any value')}{_range(schema, 'minimum', 'maximum', ', ')}"


def _range(schema: Schema, lowest: str, highest: str, before: str) -> str:
    """Return the range of a number, or of the length of a list."""
    above = schema.get(f"exclusive{lowest.capitalize()}")
    low, high = schema.get(lowest, above), schema.get(highest, schema.get(f"exclusive{highest.capitalize()}"))
    if low is None and high is None:
        return ""
    start = "above " if above is not None else ""
    if high is None:
        return f"{before}{start or 'at least '}{_number(low)}"
    return f"{before}{start}{_number(low)} to {_number(high)}" if low is not None else f"{before}at most {_number(high)}"


def _number(value: float) -> str:
    return f"{value:,.9g}" if abs(value) < 1e9 else f"{value:g}".replace("e+0", "e").replace("e+", "e")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else "".join(names)
