"""Who may ask, and how much they may send.

Without a key only this machine is served, under its own names, so that no page can reach it through a name of its own;
pages of other origins may not post. With a key, everything but ``/health`` and ``/manifest`` wants it.
"""

from __future__ import annotations

import hmac
import json
from ipaddress import ip_address
from typing import Any, NoReturn
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from kilowhat.plugin.failures import InvalidJson
from kilowhat.plugin.http.errors import Refusal, refuse

MAXIMUM_BODY = 1_000_000
LOOPBACK_ORIGIN = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"


def is_loopback(host: str | None) -> bool:
    """Return whether a host name or address is this machine's own."""
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


class Guard:
    """ASGI middleware that checks host, origin and key before anything else is read."""

    def __init__(self, app: ASGIApp, key: str | None) -> None:
        self.app = app
        self.key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        problem = self._problem(scope) if scope["type"] == "http" else None
        if problem is None:
            await self.app(scope, receive, send)
        else:
            await refuse(problem, headers={"WWW-Authenticate": "Bearer"} if problem.code == "unauthorized" else None)(scope, receive, send)

    def _problem(self, scope: Scope) -> Refusal | None:
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if not self.key and not is_loopback(_hostname(f"//{headers.get('host', '')}")):
            return Refusal("forbidden_host", "Without a key this server answers under the names of this machine alone: localhost, 127.0.0.1 or [::1].")
        if origin is not None and scope["method"] not in ("GET", "HEAD", "OPTIONS") and not is_loopback(_hostname(origin)):
            return Refusal("forbidden_origin", "Pages of another origin may not post here.")
        if self.key and not _is_public(scope["path"]) and not _holds(headers.get("authorization", ""), self.key):
            return Refusal("unauthorized", "This server wants its key: send the header 'Authorization: Bearer' and the key.")
        return None


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _is_public(path: str) -> bool:
    return path in ("/health", "/manifest") or path.startswith("/manifest/")


def _holds(authorization: str, key: str) -> bool:
    scheme, _, told = authorization.partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(told.strip().encode("latin-1"), key.encode())


async def read_json(request: Request) -> Any:
    """Return the body of a request.

    Raises:
        Refusal: where it is not application/json (``unsupported_media_type``) or too large (``too_large``).
        InvalidJson: where it does not parse; NaN and infinities are no JSON (``invalid_json``).
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal("unsupported_media_type", "Send the body as application/json.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAXIMUM_BODY:
            raise Refusal("too_large", f"A body has at most {MAXIMUM_BODY:,} bytes.")
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except RecursionError:
        raise InvalidJson("The body is nested too deeply.") from None
    except ValueError as error:
        raise InvalidJson(f"The body is no JSON: {str(error)[:120]}.") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
