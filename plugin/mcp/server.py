"""The MCP server: the tools as the manifest lists them, run by ``kilowhat.tools.call``.

A model gets the text of an estimate, the program beside it the Estimate; a refusal is a result with ``isError`` and the JSON
that every surface gives, so that a model can correct itself. Arguments are never logged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib.metadata import version
from typing import Any

from anyio import to_thread
from mcp import types
from mcp.server.caching import CacheHint
from mcp.server.lowlevel import Server

from kilowhat.manifest import load
from kilowhat.plugin.failures import call_safely
from kilowhat.plugin.mcp import prompts, resources
from kilowhat.plugin.mcp.pages import page
from kilowhat.tools import KilowhatError
from kilowhat.tools.core.errors import UnknownTool

INSTRUCTIONS = (
    "Kilowhat answers what AI costs in energy, carbon and water, from published figures. Every result has a range and names what is counted; "
    "its footnotes are facts with their sources, readable as kilowhat://fact/{id}. Give the range beside the number, and the source. "
    "A quantity is one text: '3 kWh', 'fact:' and an id, or the ref of an estimate, which brings range and sources along. "
    "A refusal says what is missing or which names are near: call again with that."
)

HOUR_MS = 3_600_000
CACHED = CacheHint(ttl_ms=HOUR_MS, scope="public")
"""What is listed changes with the version of the package alone, and is the same for everybody."""


def build(only: Sequence[str] | None = None) -> Server[Any]:
    """Return the server, for any transport.

    Args:
        only: Names of the tools to serve; None serves all of them.

    Raises:
        UnknownTool: where there is no such tool (``unknown_tool``).
    """
    tools = served(only)
    asked = prompts.about(tools)

    async def list_tools(_: Any, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        listed, cursor = page([types.Tool.model_validate(tool) for tool in tools.values()], params)
        return types.ListToolsResult(tools=listed, next_cursor=cursor)

    async def call_tool(_: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        return await to_thread.run_sync(run, tools, params.name, params.arguments or {})

    async def list_prompts(_: Any, params: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
        listed, cursor = page([prompt.listed() for prompt in asked.values()], params)
        return types.ListPromptsResult(prompts=listed, next_cursor=cursor)

    async def get_prompt(_: Any, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        return prompts.get(asked, params.name, params.arguments or {})

    async def complete(_: Any, params: types.CompleteRequestParams) -> types.CompleteResult:
        return await to_thread.run_sync(completed, asked, params)

    return Server(
        "kilowhat",
        version=version("kilowhat"),
        title="Kilowhat",
        description="What AI costs in energy, carbon and water: cited estimates.",
        instructions=INSTRUCTIONS,
        cache_hints=dict.fromkeys(("server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list", "resources/read"), CACHED),
        get_tool_input_schema=lambda name: tools.get(name, {}).get("inputSchema"),
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=resources.list_resources,
        on_list_resource_templates=resources.list_templates,
        on_read_resource=resources.read_resource,
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
        on_completion=complete,
    )


def served(only: Sequence[str] | None) -> Mapping[str, dict[str, Any]]:
    """Return the tools that are served, by name, as ``tools/list`` describes them.

    Raises:
        UnknownTool: where one of the names is no tool's (``unknown_tool``).
    """
    tools = {tool["name"]: tool for tool in load("mcp")["tools"]}
    if only is None:
        return tools
    for name in only:
        if name not in tools:
            raise unknown(name, tools)
    return {name: tool for name, tool in tools.items() if name in only}


def unknown(name: str, tools: Mapping[str, Any]) -> UnknownTool:
    """Return the error for a name that no tool has, in the words of ``kilowhat.tools.call``."""
    return UnknownTool(f"There is no tool {name[:60]!r}; the tools are {', '.join(tools)}.", nearest=get_close_matches(name[:80], tools, n=3, cutoff=0.4))


def run(tools: Mapping[str, Any], name: str, arguments: Mapping[str, Any]) -> types.CallToolResult:
    """Return the estimate of a call, or why there is none."""
    try:
        if name not in tools:
            raise unknown(name, tools)
        estimate = call_safely(name, arguments)
    except KilowhatError as error:
        return types.CallToolResult(content=[types.TextContent(type="text", text=as_json(error))], is_error=True)
    return types.CallToolResult(content=[types.TextContent(type="text", text=estimate.text)], structured_content=estimate.model_dump(mode="json"))


def as_json(error: KilowhatError) -> str:
    """Return an error as JSON; half a character, which no transport can carry, is escaped as JSON escapes it."""
    return json.dumps(error.as_dict(), ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def completed(asked: Mapping[str, prompts.Prompt], params: types.CompleteRequestParams) -> types.CompleteResult:
    """Return the known names that a beginning may mean, for an argument of a prompt or of a template."""
    if isinstance(params.ref, types.PromptReference):
        return prompts.complete(asked, params.ref.name, params.argument)
    return resources.complete(params.ref.uri, params.argument)
