"""The server: questions, tools, references and manifests for programs on this machine.

    GET  /                           a page with a question to ask; for a program, these routes
    GET  /health                     public
    GET  /manifest[/{dialect}]       public; the tools described to machines
    POST /tools/{name}               the Estimate of ``call``; /tools/openapi.json describes the tools alone
    POST /brief/{name}               the same call, and of its Estimate what a language model needs; /brief/openapi.json
    GET  /ref/{ref}                  the Estimate that a ref names, as JSON or as a page
    POST /ask                        {"question": …} or {"messages": […]} → the Reply of ``ask``, whole or streamed
    GET  /references?query=…         the Estimate of look_up_references
    GET  /references/{id}            a fact or a claim with its source, as JSON or as a page
    GET  /v1/models, POST /v1/chat/completions     the offline model, as OpenAI's clients know models

Every request passes ``Guard`` (who may ask) and ``Bounds`` (how much), mounted apps included. Bodies and texts are
never logged.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Response
from fastapi.security import HTTPBearer
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from kilowhat.manifest import DIALECTS, load
from kilowhat.plugin.http.chat import chat
from kilowhat.plugin.http.errors import NOT_FOUND, add_error_handlers, refuse
from kilowhat.plugin.http.guard import LOOPBACK_ORIGIN, Guard
from kilowhat.plugin.http.home import home
from kilowhat.plugin.http.lifespan import lifespan_of
from kilowhat.plugin.http.limits import Bounds, Limits
from kilowhat.plugin.http.links import links
from kilowhat.plugin.http.questions import questions
from kilowhat.plugin.http.references import references
from kilowhat.plugin.http.running import Runner
from kilowhat.plugin.http.tools import Brief, ToolServer, brief_json, unknown_tool, whole_json
from kilowhat.tools import TOOLS, Estimate
from kilowhat.tools.core.errors import UnknownName
from kilowhat.tools.core.estimate import METHOD_VERSION
from kilowhat.tools.core.reference import Library

CORS_HEADERS = ("Authorization", "Content-Type", "Last-Event-ID", "MCP-Protocol-Version", "MCP-Session-Id", "Mcp-Method", "Mcp-Name")


def create_app(
    *,
    key: str | None = None,
    hosts: Sequence[str] = (),
    origins: Sequence[str] = (),
    only: Sequence[str] | None = None,
    mounts: Mapping[str, ASGIApp] | None = None,
    limits: Limits | None = None,
) -> ASGIApp:
    """Return the server as an ASGI app.

    Args:
        key: The bearer key that callers must send; None or empty serves this machine alone, without one.
        hosts: Names beside this machine's own under which the server answers; with a key and no names, under any.
        origins: Origins of pages, beside those on this machine, that may post and read.
        only: The tools to serve; None for all.
        mounts: Apps by path, such as ``{"/mcp": app}``, behind the same guard and limits. Each sees the path as it was
            asked for, and its lifespan is run with ours.
        limits: What a request may take.

    Raises:
        UnknownTool: where ``only`` names what is no tool (``unknown_tool``).
    """
    names = tuple(TOOLS) if only is None else tuple(dict.fromkeys(only))
    for name in names:
        if name not in TOOLS:
            raise unknown_tool(name, tuple(TOOLS))
    mounted = dict(mounts or {})
    runner = Runner()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(runner.close)
            for app in mounted.values():
                await stack.enter_async_context(lifespan_of(app))
            yield

    described = [Depends(HTTPBearer(auto_error=False))] if key else []
    own = FastAPI(title="Kilowhat", version=METHOD_VERSION, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan)
    add_error_handlers(own)
    own.include_router(_public())
    for router in (home(runner), questions(runner), links(runner, names), references(runner), chat(runner)):
        own.include_router(router, dependencies=described)
    surfaces: dict[str, ASGIApp] = {
        "/tools": _below("/tools", ToolServer("/tools", names, whole_json, Estimate, runner, described)),
        "/brief": _below("/brief", ToolServer("/brief", names, brief_json, Brief, runner, described)),
        **mounted,
    }
    guarded = Guard(Bounds(_by_path(surfaces, own), limits or Limits()), key, hosts, origins)
    for_pages = CORSMiddleware(
        guarded,
        allow_origins=[origin.rstrip("/") for origin in origins],
        allow_origin_regex=LOOPBACK_ORIGIN,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=CORS_HEADERS,
        expose_headers=["MCP-Session-Id"],
        allow_private_network=True,
    )

    async def server(scope: Scope, receive: Receive, send: Send) -> None:
        from_page = scope["type"] == "http" and any(name == b"origin" for name, _ in scope["headers"])
        await (for_pages if from_page else guarded)(scope, receive, send)

    return server


def _by_path(surfaces: Mapping[str, ASGIApp], rest: ASGIApp) -> ASGIApp:
    """Return an app that hands a request to the surface whose path its own begins with, and any other to the rest."""

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        app = rest
        if scope["type"] == "http":
            first = "/" + scope["path"][1:].partition("/")[0]
            app = surfaces.get(first, rest)
        await app(scope, receive, send)

    return dispatch


def _below(path: str, app: ASGIApp) -> ASGIApp:
    """Return an app that is told which part of a path was spent on finding it."""

    async def below(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "root_path": scope.get("root_path", "") + path}, receive, send)

    return below


def _public() -> APIRouter:
    router = APIRouter()

    @router.get("/health")
    def health() -> Mapping[str, str]:
        """Return that the server is up, and the versions that its numbers carry."""
        return {"status": "ok", "method_version": METHOD_VERSION, "data_version": Library.load().version}

    @router.get("/manifest")
    def manifests() -> Mapping[str, Any]:
        """Return where the tools are described, by dialect."""
        return {"dialects": {dialect: f"/manifest/{dialect}" for dialect in DIALECTS}, "openapi": "/tools/openapi.json"}

    @router.get("/manifest/{dialect}", responses=NOT_FOUND, response_model=None)
    def manifest(dialect: str) -> Response:
        """Return the tools described in one dialect."""
        try:
            return _json(json.dumps(load(dialect)))
        except UnknownName as error:
            return refuse(error, 404)

    return router


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")
