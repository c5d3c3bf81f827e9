"""The server from outside, over a socket: who is turned away, at which limit, and with which words."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from kilowhat.plugin.http import create_app
from kilowhat.plugin.http.limits import Limits, depth
from kilowhat.plugin.http.server import Patience
from kilowhat.tools import KilowhatError, call

CALL = {"task": "image-generation", "count": 1000}
KEY = "open sesame"
Serving = Callable[[Any], AbstractContextManager[str]]


@pytest.fixture(scope="module")
def locked(serving: Serving) -> Iterator[httpx2.Client]:
    with serving(create_app(key=KEY, hosts=["box.lan"], origins=["https://chat.example.org"])) as url, httpx2.Client(base_url=url, timeout=20) as client:
        yield client


@pytest.fixture(scope="module")
def client(serving: Serving) -> Iterator[httpx2.Client]:
    with serving(create_app()) as url, httpx2.Client(base_url=url, timeout=20) as client:
        yield client


def is_error(answer: httpx2.Response, status: int, code: str) -> bool:
    error = answer.json()["error"]
    return (answer.status_code, error["code"]) == (status, code) and answer.headers["content-type"] == "application/json" and bool(error["message"])


def exchange(url: str, *pieces: bytes) -> bytes:
    """Send bytes as they are, and return all that comes back until the server closes the connection."""
    with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
        found = b""
        while received := connection.recv(65536):
            found += received
        return found


def raw(path: str, *headers: str, method: str = "POST") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]).encode()


@pytest.mark.parametrize("path", ["/tools/estimate_task", "/brief/estimate_task", "/ask", "/v1/chat/completions"])
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        pytest.param(b"{", 400, "invalid_json", id="half an object"),
        pytest.param(b'{"count": NaN}', 400, "invalid_json", id="nan"),
        pytest.param(b"[" * 100_000, 400, "invalid_json", id="a hundred thousand brackets"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400, "invalid_json", id="a hundred thousand objects"),
        pytest.param(b'{"a": "' + b"x" * 10_000_000 + b'"}', 413, "too_large", id="ten megabytes"),
    ],
)
def test_a_broken_or_heavy_body_is_refused_on_every_surface(client: httpx2.Client, path: str, body: bytes, status: int, code: str) -> None:
    assert is_error(client.post(path, content=body, headers={"content-type": "application/json"}), status, code)
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize("path", ["/tools/estimate_task", "/ask", "/v1/chat/completions"])
def test_a_body_without_a_told_size_is_measured_as_it_comes(client: httpx2.Client, path: str) -> None:
    pieces = (b" " * 100_000 for _ in range(100))
    assert is_error(client.post(path, content=pieces, headers={"content-type": "application/json"}), 413, "too_large")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("estimate_task", {**CALL, "count": -1}),
        ("estimate_task", {**CALL, "count": "1000"}),
        ("estimate_task", {**CALL, "colour": "green"}),
        ("estimate_task", {**CALL, "task": "image-generatoin"}),
        ("estimate_task", []),
        ("estimate_tsk", CALL),
    ],
)
@pytest.mark.parametrize("surface", ["/tools", "/brief"])
def test_a_refused_call_has_the_code_and_words_of_python(client: httpx2.Client, surface: str, name: str, arguments: Any) -> None:
    with pytest.raises(KilowhatError) as refused:
        call(name, arguments)
    answer = client.post(f"{surface}/{name}", json=arguments)
    assert (answer.status_code, answer.json()) == (404 if refused.value.code == "unknown_tool" else 422, refused.value.as_dict())


@pytest.mark.parametrize("told", [None, "Bearer", "Bearer open sesam", "Basic b3BlbiBzZXNhbWU=", "Bearer open sesame2"])
@pytest.mark.parametrize("path", ["/tools/estimate_task", "/brief/estimate_task", "/ask", "/v1/chat/completions"])
def test_one_key_opens_every_surface_and_no_other(locked: httpx2.Client, path: str, told: str | None) -> None:
    headers = {"authorization": told} if told else {}
    answer = locked.post(path, json=CALL, headers=headers)
    assert is_error(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert locked.post(path, json=CALL, headers={"authorization": f"Bearer {KEY}"}).status_code != 401


@pytest.mark.parametrize(("host", "served"), [("box.lan:8787", True), ("localhost:1", True), ("evil.example", False), ("box.lan.evil.example", False), ("box.lan@evil.example", False)])
def test_the_server_answers_under_the_names_that_it_was_given(locked: httpx2.Client, host: str, served: bool) -> None:
    answer = locked.get("/health", headers={"host": host})
    assert answer.status_code == 200 if served else is_error(answer, 400, "forbidden_host")


def test_two_names_at_once_are_none(client: httpx2.Client) -> None:
    answer = exchange(str(client.base_url), raw("/health", "Host: evil.example", "Connection: close", method="GET"))
    assert answer.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(("origin", "served"), [("https://chat.example.org", True), ("http://localhost:3000", True), ("https://evil.example", False), ("http://chat.example.org", False)])
def test_a_page_may_post_from_the_origins_that_were_told(locked: httpx2.Client, origin: str, served: bool) -> None:
    asked = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    preflight = locked.options("/tools/estimate_task", headers=asked)
    assert (preflight.status_code, preflight.headers.get("access-control-allow-origin")) == ((200, origin) if served else (400, None))
    answer = locked.post("/tools/estimate_task", json=CALL, headers={"origin": origin, "authorization": f"Bearer {KEY}"})
    assert answer.headers.get("access-control-allow-origin") == (origin if served else None)
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.status_code == 200 if served else is_error(answer, 403, "forbidden_origin")


def test_a_caller_who_hangs_up_in_the_middle_is_forgotten(client: httpx2.Client, caplog: pytest.LogCaptureFixture) -> None:
    where = (urlsplit(str(client.base_url)).hostname, urlsplit(str(client.base_url)).port)
    with caplog.at_level(logging.WARNING):
        for _ in range(20):
            with socket.create_connection(where, timeout=20) as connection:
                connection.sendall(raw("/tools/estimate_task", "Content-Type: application/json", "Content-Length: 50") + b'{"task": ')
        assert client.post("/tools/estimate_task", json=CALL).status_code == 200
    assert caplog.text == ""


def test_a_body_that_comes_too_slowly_is_refused(serving: Serving) -> None:
    with serving(create_app(limits=Limits(body_seconds=0.05))) as url:
        answer = exchange(url, raw("/ask", "Content-Type: application/json", "Content-Length: 50") + b'{"question')
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408")
    assert b"connection: close" in head.lower()
    assert json.loads(body)["error"]["code"] == "slow_request"


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        pytest.param(b"", b"", id="nothing at all"),
        pytest.param(b"POST /ask HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ", b"HTTP/1.1 408", id="half a header"),
        pytest.param(raw("/health", method="GET") + b"GET /health HTTP/1.1\r\nHo", b"HTTP/1.1 200", id="half a second request"),
    ],
)
def test_a_request_that_comes_too_slowly_is_refused(serving: Serving, monkeypatch: pytest.MonkeyPatch, sent: bytes, answered: bytes) -> None:
    monkeypatch.setattr(Patience, "seconds", 0.1)
    with serving(create_app()) as url:
        answer = exchange(url, sent)
    assert answer.startswith(answered)
    assert bool(answer) == bool(answered)
    if answered != b"HTTP/1.1 200":
        assert not answer or json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "slow_request"
    else:
        assert answer.count(b"slow_request") == 1


def test_a_body_without_an_end_is_cut_off(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Patience, "seconds", 0.3)
    with serving(create_app(limits=Limits(body_bytes=1000))) as url:
        answer = exchange(url, raw("/ask", "Content-Type: application/json", "Transfer-Encoding: chunked") + b"7d0\r\n" + b" " * 2000 + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 413")
    assert answer.count(b"HTTP/1.1") == 1


class Slow:
    """A small app that answers when it is told to, to be mounted."""

    def __init__(self) -> None:
        self.arrived = threading.Semaphore(0)
        self.go: asyncio.Event | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.alive = False
        self.ended = threading.Event()
        self.app = Starlette(routes=[Route("/slow/{how}", self.answer, methods=["GET", "POST"])], lifespan=self.lifespan)

    def lifespan(self, _: Starlette) -> Any:
        from contextlib import asynccontextmanager

        @asynccontextmanager
        async def life() -> AsyncIterator[None]:
            self.go, self.loop, self.alive = asyncio.Event(), asyncio.get_running_loop(), True
            yield
            self.alive = False

        return life()

    def release(self) -> None:
        assert self.loop is not None and self.go is not None
        self.loop.call_soon_threadsafe(self.go.set)

    async def answer(self, request: Request) -> Any:
        how = request.path_params["how"]
        if how == "wait":
            self.arrived.release()
            assert self.go is not None
            await self.go.wait()
        if how == "fail":
            raise ZeroDivisionError("Rumpelstiltskin")
        if how == "stream":
            return StreamingResponse(self.pieces(), media_type="text/plain")
        return JSONResponse({"path": request.url.path, "alive": self.alive, "size": len(await request.body())})

    async def pieces(self) -> AsyncIterator[str]:
        try:
            while True:
                yield "a piece\n"
                await asyncio.sleep(0)
        finally:
            self.ended.set()


def test_a_mounted_app_is_served_with_its_lifespan_behind_the_same_guard(serving: Serving) -> None:
    slow = Slow()
    with serving(create_app(key=KEY, mounts={"/slow": slow.app}, limits=Limits(body_bytes=1000))) as url, httpx2.Client(base_url=url, timeout=20) as client:
        assert is_error(client.post("/slow/now", content=b"abc"), 401, "unauthorized")
        client.headers["authorization"] = f"Bearer {KEY}"
        assert client.post("/slow/now", content=b"abc").json() == {"path": "/slow/now", "alive": True, "size": 3}
        assert is_error(client.post("/slow/now", content=b"a" * 1001), 413, "too_large")
        assert is_error(client.post("/slow/now", content=b"[" * 100, headers={"content-type": "application/json"}), 400, "invalid_json")
        assert is_error(client.post("/slow/now", content=b"abc", headers={"origin": "https://evil.example"}), 403, "forbidden_origin")
        assert is_error(client.get("/slower"), 404, "not_found")
    assert not slow.alive


def test_a_mounted_app_without_a_lifespan_is_served_too(serving: Serving) -> None:
    async def bare(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await JSONResponse({"path": scope["path"]})(scope, receive, send)

    with serving(create_app(mounts={"/bare": bare})) as url:
        assert httpx2.get(f"{url}/bare/of/all").json() == {"path": "/bare/of/all"}


def test_a_fault_behind_the_guard_is_told_and_logged_without_internals(serving: Serving, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), serving(create_app(mounts={"/slow": Slow().app})) as url:
        answer = httpx2.get(f"{url}/slow/fail")
    assert answer.status_code == 500
    assert "ZeroDivisionError in answer" in caplog.text
    assert "Rumpelstiltskin" not in answer.text + caplog.text


def test_too_many_at_once_are_told_to_come_again(serving: Serving) -> None:
    slow = Slow()
    with serving(create_app(mounts={"/slow": slow.app}, limits=Limits(concurrent=2))) as url:
        waiting = [threading.Thread(target=httpx2.get, args=(f"{url}/slow/wait",), kwargs={"timeout": 20}) for _ in range(2)]
        for thread in waiting:
            thread.start()
        assert all(slow.arrived.acquire(timeout=20) for _ in waiting)
        answer = httpx2.post(f"{url}/tools/estimate_task", json=CALL)
        assert is_error(answer, 503, "busy")
        assert answer.headers["retry-after"] == "1"
        slow.release()
        for thread in waiting:
            thread.join()
        assert httpx2.post(f"{url}/tools/estimate_task", json=CALL).status_code == 200


def test_too_many_connections_are_told_to_come_again(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Patience, "most", 2)
    with serving(create_app()) as url, ExitStack() as open_connections:
        clients = [open_connections.enter_context(httpx2.Client(base_url=url)) for _ in range(3)]
        assert [client.get("/health").status_code for client in clients] == [200, 200, 503]
        assert is_error(clients[2].get("/health"), 503, "busy")
        clients[0].close()
        assert clients[1].get("/health").status_code == 200


def test_what_takes_too_long_is_stopped_and_told(serving: Serving) -> None:
    slow = Slow()
    with serving(create_app(mounts={"/slow": slow.app}, limits=Limits(seconds=0.05, concurrent=1))) as url:
        assert is_error(httpx2.get(f"{url}/slow/wait", timeout=20), 504, "timeout")
        assert httpx2.get(f"{url}/health").status_code == 200


def test_a_stream_without_an_end_is_ended(serving: Serving) -> None:
    slow = Slow()
    with serving(create_app(mounts={"/slow": slow.app}, limits=Limits(stream_seconds=0.1))) as url, pytest.raises(httpx2.RemoteProtocolError):
        httpx2.get(f"{url}/slow/stream", timeout=20)
    assert slow.ended.wait(20)


def test_a_stream_that_nobody_reads_ends(serving: Serving) -> None:
    slow = Slow()
    with serving(create_app(mounts={"/slow": slow.app})) as url:
        with httpx2.stream("GET", f"{url}/slow/stream", timeout=20) as answer:
            assert next(answer.iter_text()).startswith("a piece")
        assert slow.ended.wait(20)


def test_no_argument_and_no_question_is_logged(serving: Serving, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), serving(create_app()) as url:
        httpx2.post(f"{url}/tools/estimate_task", json={**CALL, "region": "Rumpelstiltskin"})
        httpx2.post(f"{url}/ask", json={"question": "the energy of 1000 images in Rumpelstiltskin"})
        httpx2.post(f"{url}/v1/chat/completions", json={"model": "kilowhat", "messages": [{"role": "user", "content": "Rumpelstiltskin"}]})
        httpx2.get(f"{url}/ref/estimate_task?task=Rumpelstiltskin")
        exchange(url, b"Rumpelstiltskin\r\n\r\n")
    server = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert server
    assert "Rumpelstiltskin" not in "".join(server)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"", 0),
        (b"1", 0),
        (b'{"a": [[1], [2]]}', 3),
        (b'{"[[[[[": "[[[[["}', 1),
        (rb'["\"[[[[", "\\", [1]]', 2),
        (b'["never closed [[[[[', 1),
        (b'["' + b'\\"' * 400_000, 1),
        (b'["' + b'\\"' * 400_000 + b"\\", 1),
        (b"[],{}," * 100_000, 1),
        (b"[" * 1_000_000, 11),
    ],
)
def test_depth_counts_brackets_that_are_no_text_and_stops_where_it_is_enough(text: bytes, found: int) -> None:
    assert depth(text, 10) == found
