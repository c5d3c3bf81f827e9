"""A chat model by name: what it needs is told before it is asked, and what its provider answers is told in our words.

The provider is a stub of the OpenAI chat protocol on loopback, reached through LangChain's own ``init_chat_model`` and the openai client.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from kilowhat.plugin import ask
from kilowhat.plugin import providers as providers_module
from kilowhat.plugin.providers import PROVIDERS, ModelFailed, explain, load_model
from kilowhat.tools import KilowhatError, call

KEY = "sk-Rumpelstiltskin-0123456789"
QUESTION = "How much energy do 1000 image generations use?"
IMAGES = {"task": "image-generation", "count": 1000}


class Stub(ThreadingHTTPServer):
    """Says its lines one by one to whoever posts, and keeps what it was sent."""

    daemon_threads = True

    def __init__(self, *lines: tuple[int, dict[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.lines = list(lines)
        self.heard: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.hold: threading.Event | None = None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that hung up."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Answering(BaseHTTPRequestHandler):
    """One request to the stub."""

    server: Stub

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.heard.append(sent)
        self.server.keys.append(str(self.headers["authorization"]))
        if self.server.hold is not None:
            self.server.hold.wait(20)
        status, said = self.server.lines[min(len(self.server.heard), len(self.server.lines)) - 1]
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def says(text: str = "", *calls: tuple[str, str]) -> tuple[int, dict[str, Any]]:
    """Return a message of the OpenAI protocol: a text, or tool calls with their arguments as the text of a JSON object."""
    tool_calls = [{"id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": arguments}} for index, (name, arguments) in enumerate(calls)]
    message = {"role": "assistant", "content": text or None, **({"tool_calls": tool_calls} if calls else {})}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
    return 200, {"id": "1", "object": "chat.completion", "created": 0, "model": "stub", "choices": [choice], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}


def fails(status: int) -> tuple[int, dict[str, Any]]:
    return status, {"error": {"message": f"Incorrect API key provided: {KEY}, at /srv/internal/path", "type": "trouble", "code": "trouble"}}


@pytest.fixture
def serve() -> Iterator[Callable[..., Stub]]:
    started: list[Stub] = []

    def start(*lines: tuple[int, dict[str, Any]]) -> Stub:
        stub = Stub(*lines)
        started.append(stub)
        threading.Thread(target=stub.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return stub

    yield start
    for stub in started:
        if stub.hold is not None:
            stub.hold.set()
        stub.shutdown()
        stub.server_close()


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "OPENAI_API_BASE",
        "OPENAI_ADMIN_KEY",
        "ANTHROPIC_API_KEY",
        "GOOGLE_API_KEY",
        "GEMINI_API_KEY",
        "KILOWHAT_MODEL_KEY",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_any_address_that_speaks_the_openai_protocol_answers_with_our_tools(serve: Callable[..., Stub], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    stub = serve(says("", ("estimate_task", json.dumps(IMAGES))), says("About 2.9 kWh [image-generation-energy]."))
    reply = ask(QUESTION, f"openai:qwen3@{stub.address}")
    assert reply.text.startswith("About 2.9 kWh [1].\n\n[1] A. S. Luccioni")
    assert reply.results == call("estimate_task", IMAGES).results
    first, second = stub.heard
    assert first["model"] == "qwen3"
    assert len(first["tools"]) == 17
    assert second["messages"][-1]["role"] == "tool"
    assert second["messages"][-1]["content"].startswith("1,000 × image generation: 2.9 kWh")
    assert KEY not in "".join(stub.keys), "the key of OpenAI goes to no other address"


def test_an_address_of_ones_own_has_a_key_of_its_own(serve: Callable[..., Stub], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KILOWHAT_MODEL_KEY", "own-key")
    stub = serve(says("I can't say."))
    ask(QUESTION, f"openai:qwen3@{stub.address}")
    assert stub.keys == ["Bearer own-key"]


@pytest.mark.parametrize(("key", "sent"), [(KEY, f"Bearer {KEY}"), (None, "Bearer none")])
def test_openai_base_url_moves_openai_with_its_key(key: str | None, sent: str, serve: Callable[..., Stub], monkeypatch: pytest.MonkeyPatch) -> None:
    stub = serve(says("I can't say."))
    monkeypatch.setenv("OPENAI_BASE_URL", stub.address)
    if key:
        monkeypatch.setenv("OPENAI_API_KEY", key)
    assert ask(QUESTION, "openai:gpt-x").text == "I can't say."
    assert stub.keys == [sent]


def test_broken_json_goes_back_to_the_model_which_mends_it(serve: Callable[..., Stub]) -> None:
    stub = serve(says("", ("estimate_task", '{"task": "image-gen')), says("", ("estimate_task", "[1, 2]")), says("", ("estimate_task", json.dumps(IMAGES))), says("2.9 kWh."))
    reply = ask(QUESTION, f"openai:qwen3@{stub.address}")
    assert [run.error["code"] if run.error else None for run in reply.tool_calls] == ["invalid_json", None]
    assert json.loads(stub.heard[1]["messages"][-1]["content"])["error"]["code"] == "invalid_json"
    assert "one JSON object" in stub.heard[2]["messages"][-1]["content"]
    assert reply.text.startswith("2.9 kWh.")


def test_an_invented_figure_goes_back_and_is_replaced(serve: Callable[..., Stub]) -> None:
    stub = serve(says("", ("estimate_task", json.dumps(IMAGES))), says("About 7.7 kWh."), says("Indeed 7.7 kWh."))
    reply = ask(QUESTION, f"openai:qwen3@{stub.address}")
    assert stub.heard[2]["messages"][-1]["role"] == "user"
    assert "'7.7 kWh'" in stub.heard[2]["messages"][-1]["content"]
    assert reply.warnings[0].code == "answer_replaced"
    assert reply.text.startswith("**2.9 kWh**")
    assert len(stub.heard) == 3


@pytest.mark.parametrize(
    ("status", "code", "says_what"),
    [
        (401, "model_unauthorised", "KILOWHAT_MODEL_KEY"),
        (403, "model_unauthorised", "KILOWHAT_MODEL_KEY"),
        (404, "model_not_found", "Check the name"),
        (400, "model_failed", "400"),
        (429, "model_rate_limited", "Wait"),
        (500, "model_failed", "500"),
    ],
)
def test_an_error_of_the_provider_has_a_code_and_no_internals(status: int, code: str, says_what: str, serve: Callable[..., Stub], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KILOWHAT_MODEL_KEY", KEY)
    stub = serve(fails(status))
    with pytest.raises(ModelFailed) as refused:
        ask(QUESTION, f"openai:qwen3@{stub.address}")
    error = refused.value
    assert (error.code, error.field) == (code, "model")
    assert says_what in error.message
    for secret in (KEY, "internal", "127.0.0.1", str(stub.server_port)):
        assert secret not in json.dumps(error.as_dict())
    assert error.__suppress_context__


def test_nobody_at_the_address_is_told(serve: Callable[..., Stub]) -> None:
    stub = serve(says("never"))
    address = stub.address
    stub.shutdown()
    stub.server_close()
    with pytest.raises(ModelFailed, match="can't be reached") as refused:
        ask(QUESTION, f"openai:qwen3@{address}")
    assert refused.value.code == "model_unreachable"
    assert "127.0.0.1" not in refused.value.message


def test_a_provider_that_does_not_answer_in_time_is_told(serve: Callable[..., Stub], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers_module, "REQUEST_SECONDS", 0.2)
    stub = serve(says("late"))
    stub.hold = threading.Event()
    with pytest.raises(ModelFailed, match="in time") as refused:
        ask(QUESTION, f"openai:qwen3@{stub.address}")
    assert refused.value.code == "model_timeout"


@pytest.mark.parametrize(
    ("name", "code", "says_what"),
    [
        ("openai:gpt-x", "missing_input", "set OPENAI_API_KEY (or OPENAI_BASE_URL, for a server of your own)"),
        ("gpt-4o", "invalid_arguments", "Write provider:model"),
        ("openai:", "invalid_arguments", "Write provider:model"),
        ("", "invalid_arguments", "Write provider:model"),
        ("nobody:x", "invalid_arguments", "no provider that LangChain knows"),
        ("mistralai:mistral-small", "missing_input", "pip install langchain-mistralai"),
        ("azure_openai:gpt-x", "missing_input", "AZURE_OPENAI_API_KEY"),
        ("anthropic:claude@http://localhost:1/v1", "invalid_arguments", "openai:claude@…, not anthropic"),
        ("openai:x@http://user:secret@localhost:1/v1", "invalid_arguments", "KILOWHAT_MODEL_KEY"),
        ("openai:x@http://:99999/v1", "invalid_arguments", "http://host:port/v1"),
    ],
)
def test_what_a_name_lacks_is_told(name: str, code: str, says_what: str) -> None:
    with pytest.raises(KilowhatError) as refused:
        ask(QUESTION, name)
    assert (refused.value.code, refused.value.field) == (code, "model")
    assert says_what in refused.value.message
    assert "secret" not in refused.value.message


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("absent", [("langchain",), ("provider",), ("langchain", "provider")], ids="+".join)
def test_missing_packages_are_named(provider: str, absent: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of what is installed is given; the words that follow from it are ours."""
    package = PROVIDERS[provider].package
    missing = [package if name == "provider" else name for name in absent]
    monkeypatch.setattr(providers_module, "find_spec", lambda name: None if name.replace("_", "-") in missing else object())
    with pytest.raises(KilowhatError) as refused:
        load_model(f"{provider}:x")
    assert refused.value.code == "missing_input"
    assert refused.value.message.endswith(f"pip install {' '.join(missing)}")


@pytest.mark.parametrize(("provider", "keys"), [(name, told.keys) for name, told in PROVIDERS.items() if told.keys])
def test_missing_keys_are_named(provider: str, keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers_module, "find_spec", lambda _: object())
    with pytest.raises(KilowhatError) as refused:
        load_model(f"{provider}:x")
    assert refused.value.code == "missing_input"
    assert f"set {' or '.join(keys)}" in refused.value.message


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_readme_says_what_each_needs(provider: str) -> None:
    text = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    row = next(line for line in text.splitlines() if line.startswith(f"| `{provider}:NAME` |"))
    assert all(f"`{needed}`" in row for needed in (PROVIDERS[provider].package, *PROVIDERS[provider].keys))


class ResponseError(Exception):
    """As the ollama client raises it."""

    def __init__(self, status_code: int) -> None:
        super().__init__("model 'x' not found")
        self.status_code = status_code


class ConnectError(Exception):
    """As httpx raises it."""


class ReadTimeout(Exception):
    """As httpx raises it."""


def caused(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    ("error", "name", "code", "says_what"),
    [
        (ResponseError(404), "ollama:qwen3", "model_not_found", "ollama pull"),
        (ConnectError(), "ollama:qwen3", "model_unreachable", "ollama serve"),
        (ReadTimeout(), "anthropic:claude", "model_timeout", "in time"),
        (ResponseError(401), "anthropic:claude", "model_unauthorised", "Check ANTHROPIC_API_KEY."),
        (ResponseError(429), "google_genai:gemini", "model_rate_limited", "google_genai:gemini"),
        (caused(RuntimeError("wrapped"), ConnectError()), "openai:x", "model_unreachable", "network"),
        (TimeoutError(), None, "model_timeout", "The provider of the model"),
        (ConnectionRefusedError(), None, "model_unreachable", "network"),
        (RuntimeError(KEY), "xai:grok", "model_failed", "tool calls"),
    ],
)
def test_the_errors_of_other_clients_mean_the_same(error: Exception, name: str | None, code: str, says_what: str) -> None:
    told = explain(error, name)
    assert told.code == code
    assert says_what in told.message
    assert KEY not in told.message
