"""MCP on standard input and output."""

from __future__ import annotations

from typing import Any

import anyio
from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage

UNREADABLE = SessionMessage(types.JSONRPCError(jsonrpc="2.0", id=None, error=types.ErrorData(code=types.PARSE_ERROR, message="Parse error: a line is one JSON-RPC message.")))


def serve(server: Server[Any]) -> None:
    """Serve until the input ends, or nobody reads the answers any more."""
    try:
        anyio.run(_serve, server)
    except* BrokenPipeError:
        pass  # the client is gone, and there is nobody to tell


async def _serve(server: Server[Any]) -> None:
    """Run the server behind a relay that answers a line it can't read, which the SDK drops without a word."""
    async with stdio_server() as (lines, replies), anyio.create_task_group() as tasks:
        readable, messages = anyio.create_memory_object_stream[SessionMessage | Exception]()

        async def relay() -> None:
            async with readable:
                async for line in lines:
                    if isinstance(line, Exception):
                        await replies.send(UNREADABLE)
                    else:
                        await readable.send(line)

        tasks.start_soon(relay)
        await server.run(messages, replies, server.create_initialization_options())
        tasks.cancel_scope.cancel()
