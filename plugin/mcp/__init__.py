"""The tools, the references and the common questions over MCP: on stdio, and as an app for HTTP.

Both serve the revision of 2026-07-28 and the ones with a handshake before it. The SDK is imported when a server is made,
so that whoever composes surfaces can ask for what there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from kilowhat.tools.core.errors import MissingInput

if TYPE_CHECKING:
    from kilowhat.plugin.mcp.http import StreamableHttp


def available() -> bool:
    """Return whether the package ``mcp`` is installed."""
    return find_spec("mcp") is not None


def http_app(only: Sequence[str] | None = None, *, guarded: bool = False) -> StreamableHttp:
    """Return an ASGI app that serves MCP over streamable HTTP, with no session and nothing to share between workers.

    It answers whatever path it is mounted at, ``/mcp`` by custom, and speaks ASGI's lifespan protocol: whoever mounts it must
    run its lifespan, once. An app serves one lifespan; make a new one for each server.

    Args:
        only: Names of the tools to serve; None serves all of them.
        guarded: Whether what it is mounted in has checked host, origin and key already. Otherwise it answers under
            the names of this machine alone, and to no page of another origin.

    Raises:
        MissingInput: where the package ``mcp`` is not installed (``missing_input``).
        UnknownTool: where there is no such tool (``unknown_tool``).
    """
    _need_the_sdk()
    from kilowhat.plugin.mcp.http import StreamableHttp
    from kilowhat.plugin.mcp.server import build

    return StreamableHttp(build(only), guarded=guarded)


def serve_stdio(only: Sequence[str] | None = None) -> None:
    """Serve MCP on standard input and output until the input ends.

    Args:
        only: Names of the tools to serve; None serves all of them.

    Raises:
        MissingInput: where the package ``mcp`` is not installed (``missing_input``).
        UnknownTool: where there is no such tool (``unknown_tool``).
    """
    _need_the_sdk()
    from kilowhat.plugin.mcp.server import build
    from kilowhat.plugin.mcp.stdio import serve

    serve(build(only))


async def not_installed(*_asked: object) -> None:
    """Refuse whatever is asked, as an ASGI app that stands where ``http_app`` can't.

    Raises:
        MissingInput: with what to install (``missing_input``).
    """
    _need_the_sdk()


def _need_the_sdk() -> None:
    if not available():
        raise MissingInput("MCP needs the package mcp: pip install 'kilowhat[mcp]'.")


__all__ = ["available", "http_app", "not_installed", "serve_stdio"]
