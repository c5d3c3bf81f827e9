"""MCP over streamable HTTP, from outside: a server on a socket, the SDK's client and bare requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http.client import HTTPConnection
from typing import Any

import httpx2
import pytest
from mcp import Client

from kilowhat.plugin.mcp import http_app
from kilowhat.plugin.mcp.http import MAXIMUM_BODY
from kilowhat.tools import TOOLS, KilowhatError, call
from kilowhat.tools.core.errors import UnknownTool

HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
LEGACY = {**HEADERS, "MCP-Protocol-Version": "2025-11-25"}
EXAMPLE = {"name": "estimate_task", "arguments": {"task": "image-generation", "count": 1000}}


Serving = Callable[[Any], AbstractContextManager[str]]


@pytest.fixture(scope="module")
def home(serving: Serving) -> Iterator[str]:
    with serving(http_app()) as home:
        yield home


def modern(method: str, params: dict[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return headers and body of a request in the revision of 2026-07-28."""
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
    headers = {**HEADERS, "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method}
    if "name" in params:
        headers["Mcp-Name"] = params["name"]
    return headers, {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}


def legacy(method: str, params: dict[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return headers and body of a request in the revision of 2025-11-25, without a handshake before it."""
    return LEGACY, {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


ERAS = pytest.mark.parametrize("era", [modern, legacy])


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_every_tool_gives_the_estimate_that_python_gives(home: str, mode: Any) -> None:
    async with Client(f"{home}/mcp", mode=mode) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == list(TOOLS)
        for tool in TOOLS.values():
            result = await client.call_tool(tool.name, dict(tool.example))
            assert result.structured_content == call(tool.name, tool.example).model_dump(mode="json")


@ERAS
def test_one_post_is_answered_by_itself_in_json(home: str, era: Any) -> None:
    headers, body = era("tools/call", EXAMPLE)
    answer = httpx2.post(f"{home}/mcp", headers=headers, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert "mcp-session-id" not in answer.headers
    assert answer.json()["result"]["structuredContent"] == call(EXAMPLE["name"], EXAMPLE["arguments"]).model_dump(mode="json")


@ERAS
def test_two_workers_share_nothing(serving: Serving, home: str, era: Any) -> None:
    """A handshake with one, a call to the other."""
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    with serving(http_app()) as other:
        assert httpx2.post(f"{home}/mcp", headers=HEADERS, json={"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}).status_code == 200
        headers, body = era("tools/call", EXAMPLE)
        assert httpx2.post(f"{other}/mcp", headers=headers, json=body).json()["result"]["isError"] is False


@pytest.mark.parametrize("path", ["/", "/mcp", "/mcp/", "/deep/er"])
def test_it_answers_wherever_it_is_mounted(home: str, path: str) -> None:
    headers, body = modern("tools/call", EXAMPLE)
    assert httpx2.post(home + path, headers=headers, json=body).status_code == 200


async def test_a_hundred_at_once_are_answered_each_with_its_own(home: str) -> None:
    headers, _ = modern("tools/call", EXAMPLE)
    bodies = [modern("tools/call", {"name": "estimate_task", "arguments": {"task": "image-generation", "count": count}})[1] for count in range(100)]
    async with httpx2.AsyncClient(timeout=60) as client:
        answers = await asyncio.gather(*(client.post(f"{home}/mcp", headers=headers, json=body) for body in bodies))
    assert [answer.json()["result"]["structuredContent"]["arguments"]["count"] for answer in answers] == list(range(100))


# Refusals


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("headers", [{}, LEGACY, {**HEADERS, "MCP-Protocol-Version": "2026-07-28"}], ids=["bare", "2025-11-25", "2026-07-28"])
def test_there_is_no_stream_to_get_and_no_session_to_delete(home: str, method: str, headers: dict[str, str]) -> None:
    answer = httpx2.request(method, f"{home}/mcp", headers=headers)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    if method != "HEAD":
        assert answer.json()["error"]["code"] == "method_not_allowed"


@ERAS
@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"Host": "evil.example.com"}, 421),
        ({"Host": "127.0.0.1.evil.example.com"}, 421),
        ({"Origin": "https://evil.example.com"}, 403),
        ({"Origin": "http://localhost.evil.example.com"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 400),
        ({"Accept": "text/html"}, 406),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Origin": "https://127.0.0.1"}, 200),
        ({"Host": "localhost"}, 200),
        ({"Host": "[::1]:8787"}, 200),
    ],
)
def test_others_are_kept_out(home: str, era: Any, more: dict[str, str], status: int) -> None:
    headers, body = era("tools/call", EXAMPLE)
    assert httpx2.post(f"{home}/mcp", headers={**headers, **more}, content=json.dumps(body)).status_code == status


def test_what_is_guarded_already_is_not_asked_twice(serving: Serving) -> None:
    headers, body = modern("tools/call", EXAMPLE)
    with serving(http_app(guarded=True)) as home:
        for more in ({"Host": "tools.example.com"}, {"Origin": "https://chat.example.com"}):
            assert httpx2.post(f"{home}/mcp", headers={**headers, **more}, json=body).status_code == 200


@ERAS
@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, -32700),
        (b"{", 400, -32700),
        (b"\xff\xfe", 400, -32700),
        (b"[" * 100_000, 400, -32700),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"n": ' + b"9" * 5000 + b"}}", 400, -32700),
        (b"5", 400, -32600),
        (b'[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"s": "' + b"a" * MAXIMUM_BODY + b'"}}', 413, None),
    ],
    ids=["nothing", "half", "no UTF-8", "brackets", "digits", "a number", "a batch", "a megabyte"],
)
def test_a_broken_body_is_refused(home: str, era: Any, content: bytes, status: int, code: int | None) -> None:
    headers, _ = era("ping", {})
    answer = httpx2.post(f"{home}/mcp", headers=headers, content=content)
    assert answer.status_code == status
    if code is not None:
        assert answer.json()["error"]["code"] in {code, -32602} if era is legacy else answer.json()["error"]["code"] == code


def test_a_chunked_body_has_a_limit_too(home: str) -> None:
    headers, _ = modern("ping", {})
    answer = httpx2.post(f"{home}/mcp", headers=headers, content=(b"a" * 10_000 for _ in range(1 + MAXIMUM_BODY // 10_000)))
    assert answer.status_code == 413


@ERAS
@pytest.mark.parametrize(
    ("raw", "arguments"),
    [
        ('{"task": "image-generation", "count": NaN}', {"task": "image-generation", "count": float("nan")}),
        ('{"task": "image-generation", "count": 1e400}', {"task": "image-generation", "count": float("inf")}),
        ('{"task": "imge-generation", "count": 1}', {"task": "imge-generation", "count": 1}),
        ('{"task": "image-generation", "count": 1, "region": "\\u0000\\u202eAtlantis"}', {"task": "image-generation", "count": 1, "region": "\0\u202eAtlantis"}),
        ('{"task": "image-generation", "count": 1, "colour": "blue"}', {"task": "image-generation", "count": 1, "colour": "blue"}),
    ],
    ids=["nan", "overflow", "unknown name", "control characters", "extra"],
)
def test_a_refusal_has_the_words_of_python(home: str, era: Any, raw: str, arguments: dict[str, Any]) -> None:
    headers, body = era("tools/call", {"name": "estimate_task", "arguments": "ARGUMENTS"})
    answer = httpx2.post(f"{home}/mcp", headers=headers, content=json.dumps(body).replace('"ARGUMENTS"', raw))
    with pytest.raises(KilowhatError) as refused:
        call("estimate_task", arguments)
    result = answer.json()["result"]
    assert result["isError"] is True
    assert json.loads(result["content"][0]["text"]) == refused.value.as_dict()


@ERAS
def test_half_a_character_is_refused_and_the_next_request_answered(home: str, era: Any) -> None:
    headers, body = era("tools/call", {"name": "estimate_task", "arguments": {"task": "image-generation", "count": 1, "region": "\ud800", "x\ud800": 1}})
    answer = httpx2.post(f"{home}/mcp", headers=headers, content=json.dumps(body))
    assert answer.status_code in (200, 400)
    assert "error" in answer.text
    assert httpx2.post(f"{home}/mcp", headers=headers, json=era("tools/call", EXAMPLE)[1]).json()["result"]["isError"] is False


def test_an_unknown_version_is_told_which_there_are(home: str) -> None:
    headers, body = modern("tools/list", {})
    body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2031-01-01"
    answer = httpx2.post(f"{home}/mcp", headers={**headers, "MCP-Protocol-Version": "2031-01-01"}, json=body)
    assert answer.status_code == 400
    assert "2026-07-28" in answer.json()["error"]["data"]["supported"]


async def test_a_client_that_hangs_up_leaves_the_others_alone(home: str) -> None:
    host, _, port = home.removeprefix("http://").partition(":")
    for _ in range(20):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    async with Client(f"{home}/mcp") as client:
        assert not (await client.call_tool(EXAMPLE["name"], EXAMPLE["arguments"])).is_error


def test_only_some_tools_can_be_served(serving: Serving) -> None:
    with pytest.raises(UnknownTool):
        http_app(["estimate_tsk"])
    headers, body = modern("tools/list", {})
    with serving(http_app(["calculate"])) as home:
        assert [tool["name"] for tool in httpx2.post(f"{home}/mcp", headers=headers, json=body).json()["result"]["tools"]] == ["calculate"]


def test_blanks_around_a_header_are_no_part_of_it(home: str) -> None:
    headers, body = modern("tools/call", EXAMPLE)
    connection = HTTPConnection(home.removeprefix("http://"))
    content = json.dumps(body).encode()
    connection.putrequest("POST", "/mcp")
    for name, value in {**headers, "Mcp-Name": f"  {EXAMPLE['name']} \t", "Content-Length": str(len(content))}.items():
        connection.putheader(name, value)
    connection.endheaders(content)
    assert connection.getresponse().status == 200
    connection.close()
