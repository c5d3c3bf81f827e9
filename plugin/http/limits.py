"""How much one may ask: bytes, depth, time, and how many at once; each with a refusal that says so.

The body is read here in full, so that what lies behind gets a body of known size and shape, in one piece: our own
routes and a mounted app alike.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kilowhat.plugin.failures import InvalidJson, fault
from kilowhat.plugin.http.errors import Refusal, refuse
from kilowhat.tools import KilowhatError


@dataclass(frozen=True)
class Limits:
    """What a request may take.

    Args:
        body_bytes: Size of a body.
        body_seconds: Time for a body to come in.
        depth: Brackets within brackets in a JSON body.
        seconds: Time until an answer begins.
        stream_seconds: Time until an answer that has begun is complete.
        concurrent: Requests being answered at once.
    """

    body_bytes: int = 1_000_000
    body_seconds: float = 10.0
    depth: int = 64
    seconds: float = 30.0
    stream_seconds: float = 600.0
    concurrent: int = 64


class Bounds:
    """ASGI middleware that keeps requests within limits, and tells a fault of what lies behind without its internals."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self._limits = limits
        self._answering = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        deadline = asyncio.timeout(self._limits.body_seconds)
        answer = _Answer(send, deadline, self._limits)
        told: Receive | None = None
        try:
            async with deadline:
                told = await self._body(scope, receive)
                await self._answer(scope, told, answer)
            return
        except KilowhatError as error:
            problem = error
        except _HungUp:
            return
        except Exception as error:  # noqa: BLE001  (the last line before a caller who must not see internals)
            problem = self._too_late(answering=told is not None) if deadline.expired() else fault(error)
        if not answer.begun:
            headers = {"busy": {"Retry-After": "1"}, "slow_request": {"Connection": "close"}}.get(problem.code)
            await refuse(problem, headers=headers, path=scope["path"])(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        if self._answering >= self._limits.concurrent:
            raise Refusal("busy", f"The server is answering {self._limits.concurrent} requests already; try again in a second.")
        self._answering += 1
        try:
            answer.allow(self._limits.seconds)
            await self.app(scope, receive, answer.send)
        finally:
            self._answering -= 1

    async def _body(self, scope: Scope, receive: Receive) -> Receive:
        """Return the request's body as what an app receives.

        Raises:
            Refusal: where it is too large (``too_large``).
            InvalidJson: where it is nested too deeply (``invalid_json``).
            _HungUp: where the caller did not wait for an answer.
        """
        length: bytes | None = None if scope["method"] in ("GET", "HEAD", "OPTIONS") else b""
        is_json = False
        for name, value in scope["headers"]:
            if name == b"content-length":
                length = value
            elif name == b"transfer-encoding":
                length = length or b""
            elif name == b"content-type":
                is_json = b"json" in value.lower()
        if length is None:
            return receive
        if length.isdigit() and int(length[:20]) > self._limits.body_bytes:
            raise self._too_large()
        body = await self._read(receive)
        if is_json and body.count(b"[") + body.count(b"{") > self._limits.depth and await asyncio.to_thread(depth, body, self._limits.depth) > self._limits.depth:
            raise InvalidJson(f"The body is nested too deeply: at most {self._limits.depth} brackets lie within one another.")
        return _again(body, receive)

    async def _read(self, receive: Receive) -> bytes:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _HungUp
            body += message.get("body", b"")
            if len(body) > self._limits.body_bytes:
                raise self._too_large()
            if not message.get("more_body"):
                return bytes(body)

    def _too_large(self) -> Refusal:
        return Refusal("too_large", f"A body has at most {self._limits.body_bytes:,} bytes.")

    def _too_late(self, *, answering: bool) -> Refusal:
        if answering:
            return Refusal("timeout", f"This took longer than {self._limits.seconds:g} seconds, and was stopped. A smaller question may be answered.")
        return Refusal("slow_request", f"The body did not come in within {self._limits.body_seconds:g} seconds.")


class _HungUp(Exception):
    """The caller is gone."""


class _Answer:
    """An answer on its way, and how long it may take."""

    def __init__(self, send: Send, deadline: asyncio.Timeout, limits: Limits) -> None:
        self._send = send
        self._deadline = deadline
        self._limits = limits
        self._streaming = False
        self.begun = False

    def allow(self, seconds: float) -> None:
        """Set the time until when it may take."""
        self._deadline.reschedule(asyncio.get_running_loop().time() + seconds)

    async def send(self, message: Message) -> None:
        """Send a part; from the first of several on there is the time that a stream has."""
        self.begun = True
        if not self._streaming and message.get("more_body"):
            self._streaming = True
            self.allow(self._limits.stream_seconds)
        await self._send(message)


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a receive that gives a body which was read, and then what comes after it."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?+\Z)', re.DOTALL)
_DEEPER, _SHALLOWER = b"[{", b"]}"


def depth(body: bytes, enough: int) -> int:
    """Return how many brackets of a JSON text lie within one another, counted no further than just beyond ``enough``.

    >>> depth(b'{"a": [1, "[[["]}', 64)
    2
    """
    deepest = now = 0
    for byte in _STRING.sub(b"", body):
        if byte in _DEEPER:
            now += 1
            if now > deepest:
                deepest = now
                if deepest > enough:
                    break
        elif byte in _SHALLOWER:
            now -= 1
    return deepest


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def parse_json(content_type: str, body: bytes) -> Any:
    """Return what a body says.

    Raises:
        Refusal: where it is not told as application/json (``unsupported_media_type``).
        InvalidJson: where it does not parse; NaN and infinities are no JSON (``invalid_json``).
    """
    if content_type != "application/json" and content_type.partition(";")[0].strip().lower() != "application/json":
        raise Refusal("unsupported_media_type", "Send the body as application/json.")
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except RecursionError:
        raise InvalidJson("The body is nested too deeply.") from None
    except ValueError as error:
        raise InvalidJson(f"The body is no JSON: {str(error)[:120]}.") from None


async def read_json(request: Request) -> Any:
    """Return what the body of a request says; errors are those of ``parse_json``."""
    return parse_json(request.headers.get("content-type", ""), await request.body())
