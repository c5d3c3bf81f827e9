"""``kilowhat serve`` has MCP at ``/mcp``, behind the guard and the limits of the other routes."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from fastapi.testclient import TestClient
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from kilowhat.plugin.cli import _server
from kilowhat.plugin.mcp import serve_stdio
from kilowhat.tools import TOOLS, KilowhatError, call

Serving = Callable[[Any], AbstractContextManager[str]]

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "calculate", "arguments": {"expression": "2 * 3 kWh"}}}
HEADERS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}


@pytest.fixture(scope="module")
def home(serving: Serving) -> Iterator[str]:
    with serving(_server(None, (), (), None)) as home:
        yield home


@pytest.fixture(scope="module")
def locked(serving: Serving) -> Iterator[str]:
    with serving(_server("open sesame", ("box.lan",), (), ["calculate", "compare"])) as home:
        yield home


def refused(answer: Any, status: int, code: str) -> bool:
    return bool(answer.status_code == status and answer.json()["error"]["code"] == code)


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_the_address_that_the_readme_gives_open_webui_answers(home: str, era: Any) -> None:
    [block] = [json.loads(body) for body in re.findall(r"^```json\n(.*?)^```$", README, re.MULTILINE | re.DOTALL) if body.startswith("[")]
    [connection] = block
    assert (connection["type"], connection["auth_type"]) == ("mcp", "none")
    async with Client(home + urlsplit(connection["url"]).path, mode=era) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == list(TOOLS)
        example = dict(TOOLS["estimate_task"].example)
        assert (await client.call_tool("estimate_task", example)).structured_content == call("estimate_task", example).model_dump(mode="json")


async def test_the_key_opens_it_and_only_the_tools_that_were_told_are_served(locked: str) -> None:
    assert refused(httpx2.post(f"{locked}/mcp", json=CALL, headers=HEADERS), 401, "unauthorized")
    async with httpx2.AsyncClient(headers={"Authorization": "Bearer open sesame", "Host": "box.lan"}) as http, Client(streamable_http_client(f"{locked}/mcp", http_client=http)) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["compare", "calculate"]
        assert not (await client.call_tool("calculate", {"expression": "2 * 3 kWh"})).is_error


def test_what_is_refused_elsewhere_is_refused_here_in_the_same_words(home: str) -> None:
    assert refused(httpx2.post(f"{home}/mcp", json=CALL, headers={**HEADERS, "Host": "evil.example"}), 400, "forbidden_host")
    assert refused(httpx2.post(f"{home}/mcp", json=CALL, headers={**HEADERS, "Origin": "https://evil.example"}), 403, "forbidden_origin")
    assert refused(httpx2.post(f"{home}/mcp", content=b"a" * 1_100_000, headers={**HEADERS, "Content-Type": "application/json"}), 413, "too_large")
    assert refused(httpx2.get(f"{home}/mcp", headers=HEADERS), 405, "method_not_allowed")


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    with TestClient(_server(None, (), (), None), base_url="http://127.0.0.1:8787") as client:
        answer = client.post("/mcp", json=CALL, headers=HEADERS)
        assert client.get("/health").status_code == 200
    with pytest.raises(KilowhatError) as told:
        serve_stdio()
    assert (answer.status_code, answer.json()) == (422, told.value.as_dict())
    assert "pip install 'kilowhat[mcp]'" in told.value.message
