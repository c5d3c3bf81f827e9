"""``kilowhat mcp``, as an assistant starts it: the real command, over its standard input and output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from kilowhat.plugin.cli import main
from kilowhat.tools import TOOLS, KilowhatError, call

COMMAND = str(Path(sys.executable).with_name("kilowhat"))

HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


def transport(*arguments: str) -> Any:
    return stdio_client(StdioServerParameters(command=COMMAND, args=["mcp", *arguments]))


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_every_tool_gives_the_estimate_that_python_gives(era: Any) -> None:
    async with Client(transport(), mode=era) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == list(TOOLS)
        for tool in TOOLS.values():
            result = await client.call_tool(tool.name, dict(tool.example))
            assert result.structured_content == call(tool.name, tool.example).model_dump(mode="json")
        assert (await client.call_tool("estimate_task", {"task": "x", "count": 1})).is_error


async def test_only_some_tools_can_be_served() -> None:
    async with Client(transport("--only", "calculate", "compare")) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["compare", "calculate"]


def test_a_tool_that_there_is_none_of_exits_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mcp", "--only", "estimate_tsk"]) == 2
    assert capsys.readouterr().err.startswith("unknown_tool: There is no tool 'estimate_tsk'")


# Line by line


class Server:
    """The command with open pipes."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([COMMAND, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def ask(self, line: bytes) -> dict[str, Any]:
        """Return the answer to a line."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def request(self, method: str, params: Any = None) -> dict[str, Any]:
        """Return the answer to a request."""
        return self.ask(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method} | ({} if params is None else {"params": params})).encode())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    assert "result" in server.request("initialize", HELLO)
    yield server
    _, errors = server.process.communicate(timeout=20)
    assert (server.process.returncode, errors) == (0, b"")


BROKEN = [
    pytest.param(b"{", id="half an object"),
    pytest.param(b"\xff\xfe", id="no UTF-8"),
    pytest.param(b"", id="nothing"),
    pytest.param(b"[" * 100_000, id="a hundred thousand brackets"),
    pytest.param(b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001, id="fifty thousand objects"),
    pytest.param(b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"n": ' + b"9" * 5000 + b"}}", id="five thousand digits"),
    pytest.param(b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"s": "\\ud800"}}', id="half a character"),
    pytest.param(b"5", id="a number"),
    pytest.param(b'[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]', id="a batch, which the protocol no longer has"),
]


@pytest.mark.parametrize("line", BROKEN)
def test_a_line_that_can_not_be_read_is_answered_and_the_next_one_too(server: Server, line: bytes) -> None:
    answer = server.ask(line)
    assert (answer["id"], answer["error"]["code"]) == (None, -32700)
    assert server.request("ping")["result"] == {}


def test_a_broken_line_before_the_handshake_does_not_end_it() -> None:
    early = Server()
    assert early.ask(b"{")["error"]["code"] == -32700
    assert early.request("initialize", HELLO)["result"]["serverInfo"]["name"] == "kilowhat"
    early.process.communicate(timeout=20)
    assert early.process.returncode == 0


@pytest.mark.parametrize(
    ("raw", "arguments"),
    [
        (b'{"task": "image-generation", "count": NaN}', {"task": "image-generation", "count": float("nan")}),
        (b'{"task": "image-generation", "count": -Infinity}', {"task": "image-generation", "count": -float("inf")}),
        (b'{"task": "image-generation", "count": 1e400}', {"task": "image-generation", "count": float("inf")}),
        (b'{"task": "' + b"a" * 10_000_000 + b'", "count": 1}', {"task": "a" * 10_000_000, "count": 1}),
        (b'{"task": ' + b"[" * 150 + b"]" * 150 + b', "count": 1}', {"task": json.loads("[" * 150 + "]" * 150), "count": 1}),
        (b'{"task": "image-generation", "count": 1, "region": "\\u202e\\u0000Atlantis"}', {"task": "image-generation", "count": 1, "region": "\u202e\0Atlantis"}),
        (b"null", {}),
    ],
    ids=["nan", "infinity", "overflow", "ten megabytes", "nested", "control characters", "null"],
)
def test_a_hostile_argument_is_refused_in_the_words_of_python(server: Server, raw: bytes, arguments: dict[str, Any]) -> None:
    answer = server.ask(b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "estimate_task", "arguments": ' + raw + b"}}")
    with pytest.raises(KilowhatError) as refused:
        call("estimate_task", arguments)
    assert answer["result"]["isError"] is True
    assert json.loads(answer["result"]["content"][0]["text"]) == refused.value.as_dict()


@pytest.mark.parametrize("arguments", [[1, 2], "x", 5, True])
def test_arguments_that_are_no_object_are_no_request(server: Server, arguments: Any) -> None:
    assert server.request("tools/call", {"name": "estimate_task", "arguments": arguments})["error"]["code"] == -32602


def test_an_unknown_method_is_none(server: Server) -> None:
    assert server.request("estimate/all")["error"]["code"] == -32601


def test_an_assistant_that_goes_away_ends_it_in_silence() -> None:
    server = Server()
    assert server.process.stdin is not None
    assert server.process.stdout is not None
    server.request("initialize", HELLO)
    server.process.stdout.close()
    server.process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode() + b"\n")
    server.process.stdin.close()
    assert server.process.stderr is not None
    with server.process.stderr as errors:
        assert errors.read() == b""
    assert server.process.wait(timeout=20) == 0


# Start


def test_it_starts_without_what_it_does_not_need() -> None:
    code = "import sys, kilowhat.plugin.mcp.server, kilowhat.plugin.mcp.stdio, kilowhat.plugin.mcp.server as s; s.build(); "
    names = ["langchain_core", "langsmith", "fastapi", "numpy", "ecologits", "jsonschema", "babel", "ruamel", "kilowhat.plugin.asking", "kilowhat.tools.estimate_task"]
    finished = subprocess.run([sys.executable, "-c", f"{code}print([name for name in {names} if name in sys.modules])"], capture_output=True, text=True, timeout=60, check=False, env=os.environ)
    assert (finished.stdout.strip(), finished.stderr) == ("[]", "")
