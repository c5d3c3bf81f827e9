"""The vendors' own clients send a manifest as it stands, and what a model calls with it is a call of the tool.

The model is a stub on a socket of this machine: it answers every request with a call of the tool that the test names, and
keeps what the client sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import pytest

from kilowhat.manifest import load
from kilowhat.tools import TOOLS, call

USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 1, "input_tokens": 1, "output_tokens": 1}


class Stub:
    """An ASGI app that calls one tool, in the form of whoever asks."""

    def __init__(self) -> None:
        self.sent: dict[str, Any] = {}
        self.name = ""
        self.arguments: dict[str, Any] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for event in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{event}.complete"})
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.sent = json.loads(body)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": json.dumps(self.answer(scope["path"])).encode()})

    def answer(self, path: str) -> dict[str, Any]:
        """Return the answer of the service at a path."""
        told = json.dumps(self.arguments)
        if path.endswith("/chat/completions"):
            message = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": {"name": self.name, "arguments": told}}]}
            return {"id": "1", "object": "chat.completion", "created": 1, "model": "stub", "choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}], "usage": USAGE}
        if path.endswith("/responses"):
            output = [{"type": "function_call", "id": "1", "call_id": "1", "name": self.name, "arguments": told, "status": "completed"}]
            return {"id": "1", "object": "response", "created_at": 1, "model": "stub", "output": output, "status": "completed", "parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
        if path.endswith("/messages"):
            content = [{"type": "tool_use", "id": "1", "name": self.name, "input": self.arguments}]
            return {"id": "1", "type": "message", "role": "assistant", "model": "stub", "content": content, "stop_reason": "tool_use", "stop_sequence": None, "usage": USAGE}
        parts = [{"functionCall": {"name": self.name, "args": self.arguments}}]
        return {"candidates": [{"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": parts}}]}


@pytest.fixture(scope="module")
def stub() -> Stub:
    return Stub()


@pytest.fixture(scope="module")
def home(stub: Stub, serving: Callable[[Any], AbstractContextManager[str]]) -> Iterator[str]:
    with serving(stub) as home:
        yield home


def by_openai(home: str, dialect: str) -> tuple[str, dict[str, Any]]:
    from openai import OpenAI

    with OpenAI(base_url=f"{home}/v1", api_key="none", max_retries=0) as client:
        if dialect == "openai":
            message = client.chat.completions.create(model="stub", messages=[{"role": "user", "content": "?"}], tools=load(dialect)).choices[0].message
            assert message.tool_calls is not None
            function = message.tool_calls[0].function
            return function.name, json.loads(function.arguments)
        [item] = client.responses.create(model="stub", input="?", tools=load(dialect)).output
        return item.name, json.loads(item.arguments)


def by_anthropic(home: str, dialect: str) -> tuple[str, dict[str, Any]]:
    from anthropic import Anthropic

    with Anthropic(base_url=home, api_key="none", max_retries=0) as client:
        [block] = client.messages.create(model="stub", max_tokens=10, messages=[{"role": "user", "content": "?"}], tools=load(dialect)).content
        return block.name, dict(block.input)


@cache
def google_tool(dialect: str) -> Any:
    from google.genai import types

    return types.Tool.model_validate(load(dialect))


def by_google(home: str, dialect: str) -> tuple[str, dict[str, Any]]:
    from google.genai import Client, types

    with Client(api_key="none", http_options=types.HttpOptions(base_url=home)) as client:
        config = types.GenerateContentConfig(tools=[google_tool(dialect)])
        [found] = client.models.generate_content(model="stub", contents="?", config=config).function_calls or []
        return str(found.name), dict(found.args or {})


CLIENTS = {
    "openai": by_openai,
    "openai-responses": by_openai,
    "anthropic": by_anthropic,
    "anthropic-strict": by_anthropic,
    "gemini": by_google,
    "gemini-openapi": by_google,
}


def tools_in(dialect: str, sent: dict[str, Any]) -> Any:
    """Return the tools that a client sent; Google's may write keys and whole numbers its own way, so its own type reads them."""
    if not dialect.startswith("gemini"):
        return sent["tools"]
    from google.genai import types

    [tool] = sent["tools"]
    return types.Tool.model_validate(tool)


@pytest.mark.parametrize("dialect", CLIENTS)
def test_the_client_sends_the_manifest_as_it_stands(stub: Stub, home: str, dialect: str) -> None:
    stub.name, stub.arguments = "estimate_task", dict(TOOLS["estimate_task"].example)
    CLIENTS[dialect](home, dialect)
    assert tools_in(dialect, stub.sent) == tools_in(dialect, {"tools": [load(dialect)] if dialect.startswith("gemini") else load(dialect)})


@pytest.mark.parametrize("dialect", CLIENTS)
def test_what_a_model_calls_is_a_call_of_the_tool(stub: Stub, home: str, dialect: str) -> None:
    for tool in TOOLS.values():
        told = dict(tool.example)
        stub.name = tool.name
        stub.arguments = {name: told.get(name) for name in tool.arguments.model_fields} if dialect.startswith("openai") else told
        name, arguments = CLIENTS[dialect](home, dialect)
        assert call(name, arguments) == call(tool.name, told)
