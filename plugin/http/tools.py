"""The tools as apps of their own: what imports an OpenAPI description finds one operation per tool, and nothing else.

``/tools`` gives the whole estimate. ``/brief`` takes the same calls and gives what a language model needs of it, for
clients that hand the whole body to one. A call goes past FastAPI, which here describes and tells errors: routing and
dependencies would take as long as the estimate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.params import Depends
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from kilowhat.manifest.build import input_schema
from kilowhat.plugin.failures import call_safely
from kilowhat.plugin.http.errors import DOCUMENTED, add_error_handlers, refuse
from kilowhat.plugin.http.limits import parse_json
from kilowhat.plugin.http.running import Runner
from kilowhat.tools import TOOLS, Estimate, KilowhatError, Tool
from kilowhat.tools.core.errors import UnknownTool
from kilowhat.tools.core.estimate import METHOD_VERSION, Result, Verdict, as_json


class Brief(BaseModel):
    """An estimate for a reader with little room; its ``ref`` gives the whole again."""

    text: str
    headline: Result | None
    verdict: Verdict | None
    citations: list[str]
    ref: str


def brief(estimate: Estimate) -> Brief:
    """Return the text of an estimate, its first result, its verdict and the ids of what it cites."""
    headline = estimate.results[0] if estimate.results else None
    return Brief.model_construct(text=estimate.text, headline=headline, verdict=estimate.verdict, citations=[citation.fact_id for citation in estimate.citations], ref=estimate.ref)


def whole_json(name: str, arguments: Any) -> bytes:
    """Return the estimate of a call as JSON."""
    return as_json(call_safely(name, arguments))


def brief_json(name: str, arguments: Any) -> bytes:
    """Return what ``brief`` makes of a call's estimate, as JSON."""
    return as_json(brief(call_safely(name, arguments)))


class ToolServer:
    """ASGI app with ``POST /<tool>`` for every tool that is served, and ``/openapi.json``.

    Args:
        path: Where it is mounted.
        names: The tools to serve.
        answer: What makes the body from a name and arguments.
        model: What the body is, for the description.
        runner: What runs the calls.
        dependencies: What every operation is described as wanting: the key, where there is one.
    """

    def __init__(self, path: str, names: Sequence[str], answer: Callable[[str, Any], bytes], model: type[BaseModel], runner: Runner, dependencies: Sequence[Depends] = ()) -> None:
        self._tools = {f"{path}/{name}": name for name in names}
        self._answer = answer
        self._runner = runner
        self._described = _description(path, names, model, dependencies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run a call, or let the description answer."""
        name = self._tools.get(scope["path"])
        if name is None or scope["method"] != "POST":
            await self._described(scope, receive, send)
            return
        try:
            told = parse_json(_content_type(scope), (await receive())["body"])
            body = await self._runner.run(name, self._answer, name, told)
        except KilowhatError as error:
            await refuse(error)(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})


def _content_type(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"content-type":
            found: str = value.decode("latin-1")
            return found
    return ""


def _description(path: str, names: Sequence[str], model: type[BaseModel], dependencies: Sequence[Depends]) -> FastAPI:
    app = FastAPI(
        title="Kilowhat",
        version=METHOD_VERSION,
        description="What AI costs in energy, carbon and water: estimates with range, derivation and citations.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=dependencies,
    )

    def unknown(request: Request) -> KilowhatError:
        return unknown_tool(request.scope["path"].removeprefix(path).removeprefix("/"), names)

    add_error_handlers(app, not_found=unknown)
    for tool in (TOOLS[name] for name in names):
        app.add_api_route(
            f"/{tool.name}",
            _elsewhere,
            methods=["POST"],
            operation_id=tool.name,
            summary=tool.title,
            description=tool.description,
            response_model=None,
            responses={200: {"model": model, "description": "The estimate."}, **DOCUMENTED},
            openapi_extra={"requestBody": _body(tool)},
        )
    return app


async def _elsewhere() -> None:
    """Stand for a call in the description; ``ToolServer`` answers it."""
    raise NotImplementedError


def unknown_tool(name: str, names: Sequence[str]) -> UnknownTool:
    """Return the error for a tool that is not served, with the nearest that are."""
    from difflib import get_close_matches

    return UnknownTool(f"There is no tool {name[:60]!r}; the tools are {', '.join(names)}.", nearest=get_close_matches(name[:80], names, n=3, cutoff=0.4))


def _body(tool: Tool) -> dict[str, Any]:
    """Return the body of a call as it is described: null in place of an argument that may be left out means the same."""
    schema = input_schema(tool)
    properties = {name: told if name in schema.get("required", ()) else _or_null(told) for name, told in schema["properties"].items()}
    return {"required": True, "content": {"application/json": {"schema": {**schema, "properties": properties}, "example": dict(tool.example)}}}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    beside = {key: value for key, value in schema.items() if key in ("description", "default")}
    parts = schema.get("anyOf") or [{key: value for key, value in schema.items() if key not in beside}]
    return schema if {"type": "null"} in parts else {"anyOf": [*parts, {"type": "null"}], **beside}
