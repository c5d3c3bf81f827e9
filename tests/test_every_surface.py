"""One call, every way in: Python, LangChain, MCP without a transport, on stdio and over HTTP, the tool server, the shell. The JSON is equal, citations and refusals included."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, types
from mcp.client.stdio import StdioServerParameters, stdio_client

from kilowhat.tools import TOOLS, KilowhatError, call

Call = tuple[str, dict[str, Any]]

CALLS: dict[str, Call] = {
    **{name: (name, dict(tool.example)) for name, tool in TOOLS.items()},
    **{f"{name}, refused": (name, {**tool.example, "no_such_argument": 1}) for name, tool in TOOLS.items()},
    "unknown tool": ("estimate_tsk", {}),
    "unknown name": ("estimate_task", {"task": "imge-generation", "count": 1}),
    "not told": ("estimate_task", {"task": "image-generation"}),
    "null": ("estimate_task", {"task": "image-generation", "count": 1, "region": None}),
    "negative": ("estimate_task", {"task": "image-generation", "count": -1}),
    "wrong dimension": ("convert_energy_to_water", {"energy": "3 litres"}),
    "Chinese": ("estimate_task", {"task": "image-generation", "count": 1, "region": "法国"}),
}

Answers = dict[str, Any]


def by_python(name: str, arguments: dict[str, Any]) -> Any:
    try:
        return call(name, arguments).model_dump(mode="json")
    except KilowhatError as error:
        return error.as_dict()


def by_langchain(name: str, arguments: dict[str, Any]) -> Any:
    from kilowhat.plugin import Toolkit

    tools = {tool.name: tool for tool in Toolkit().get_tools()}
    if name not in tools:
        return by_python(name, arguments)  # an agent has no tool of that name to call
    message = tools[name].invoke({"type": "tool_call", "id": "1", "name": name, "args": arguments})
    return json.loads(message.content) if message.status == "error" else message.artifact.model_dump(mode="json")


def by_the_shell(name: str, arguments: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> Any:
    from kilowhat.plugin.cli import main

    status = main(["tools", name, json.dumps(arguments), "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert status == (2 if "error" in answer else 0)
    return answer


def over_mcp(*servers: Any) -> list[Answers]:
    """Return the answers of each server to every call."""

    async def all_of(server: Any) -> Answers:
        async with Client(server) as client:
            return {case: answer(await client.call_tool(name, arguments)) for case, (name, arguments) in CALLS.items()}

    def answer(result: types.CallToolResult) -> Any:
        [content] = result.content
        assert isinstance(content, types.TextContent)
        if result.is_error:
            return json.loads(content.text)
        assert content.text == result.structured_content["text"]
        return result.structured_content

    async def run() -> list[Answers]:
        return [await all_of(server) for server in servers]

    return asyncio.run(run())


@pytest.fixture(scope="module")
def mcp_answers(serving: Callable[[Any], AbstractContextManager[str]]) -> dict[str, Answers]:
    from kilowhat.plugin.mcp import http_app
    from kilowhat.plugin.mcp.server import build

    with serving(http_app()) as home:
        stdio = stdio_client(StdioServerParameters(command=str(Path(sys.executable).with_name("kilowhat")), args=["mcp"]))
        in_memory, on_stdio, over_http = over_mcp(build(), stdio, f"{home}/mcp")
    return {"in memory": in_memory, "stdio": on_stdio, "HTTP": over_http}


@pytest.fixture(scope="module")
def tool_server() -> Iterator[Any]:
    from fastapi.testclient import TestClient

    from kilowhat.plugin.http import create_app

    with TestClient(create_app(), base_url="http://127.0.0.1:8787") as client:
        yield client


@pytest.mark.parametrize("case", CALLS)
def test_every_surface_gives_the_same_json(case: str, mcp_answers: dict[str, Answers], tool_server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    name, arguments = CALLS[case]
    expected = by_python(name, arguments)
    assert {transport: answers[case] for transport, answers in mcp_answers.items()} == dict.fromkeys(mcp_answers, expected)
    assert by_langchain(name, arguments) == expected
    assert tool_server.post(f"/tools/{name}", json=arguments).json() == expected
    assert by_the_shell(name, arguments, capsys) == expected
    if "error" in expected:
        assert expected["error"].keys() == {"code", "message", "field", "nearest"}
    else:
        assert expected["citations"] or name == "calculate"
