"""MCP over streamable HTTP as an ASGI app, for mounting."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAXIMUM_BODY = 1_000_000

OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")


class StreamableHttp:
    """The app: each POST is answered by itself, in JSON; there is no session, hence no stream to GET and nothing to DELETE.

    Args:
        server: What is served.
        guarded: Whether host and origin are checked already.
    """

    def __init__(self, server: Server[Any], *, guarded: bool = False) -> None:
        origins = [f"{scheme}://{name}" for scheme in ("http", "https") for name in OWN_NAMES]
        security = TransportSecuritySettings(
            enable_dns_rebinding_protection=not guarded,
            allowed_hosts=[allowed for name in OWN_NAMES for allowed in (name, f"{name}:*")],
            allowed_origins=[allowed for origin in origins for allowed in (origin, f"{origin}:*")],
        )
        self._manager = StreamableHTTPSessionManager(server, json_response=True, stateless=True, security_settings=security, max_request_body_size=MAXIMUM_BODY)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request, or run the lifespan. Blanks around a header's value are no part of it, and not every parser takes them off."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and scope["method"] != "POST":
            await _refuse_method(scope["method"], send)
        else:
            headers = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
            await self._manager.handle_request({**scope, "headers": headers}, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self._manager.run():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


async def _refuse_method(method: str, send: Send) -> None:
    error = {"code": "method_not_allowed", "message": f"MCP is spoken by POST here, not by {method[:20]}: there is no session.", "field": None, "nearest": ["POST"]}
    headers = [(b"allow", b"POST"), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 405, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"error": error}).encode()})
