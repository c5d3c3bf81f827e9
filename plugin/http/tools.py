"""The tools as an app of its own: what imports an OpenAPI description finds one operation per tool, and nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.params import Depends

from kilowhat.manifest.build import input_schema
from kilowhat.plugin.failures import call_safely
from kilowhat.plugin.http.errors import DOCUMENTED, add_error_handlers
from kilowhat.plugin.http.guard import read_json
from kilowhat.tools import TOOLS, Estimate, KilowhatError, Tool, call
from kilowhat.tools.core.errors import UnknownTool
from kilowhat.tools.core.estimate import METHOD_VERSION


def tools_app(dependencies: Sequence[Depends] = ()) -> FastAPI:
    """Return the app with ``POST /<tool>`` for every tool.

    Args:
        dependencies: What every operation is described as wanting: the key, where there is one.
    """
    app = FastAPI(
        title="Kilowhat",
        version=METHOD_VERSION,
        description="What AI costs in energy, carbon and water: estimates with range, derivation and citations.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=dependencies,
    )
    add_error_handlers(app, not_found=_no_such_tool)
    for tool in TOOLS.values():
        app.add_api_route(
            f"/{tool.name}",
            _endpoint(tool.name),
            methods=["POST"],
            operation_id=tool.name,
            summary=tool.title,
            description=tool.description,
            response_model=None,
            responses={200: {"model": Estimate, "description": "The estimate."}, **DOCUMENTED},
            openapi_extra={"requestBody": _body(tool)},
        )
    return app


def _endpoint(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def run(request: Request) -> Response:
        arguments = await read_json(request)
        return Response(await run_in_threadpool(_run, name, arguments), media_type="application/json")

    return run


def _run(name: str, arguments: Any) -> str:
    return call_safely(name, arguments).model_dump_json()


def _body(tool: Tool) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": input_schema(tool), "example": dict(tool.example)}}}


def _no_such_tool(request: Request) -> KilowhatError:
    path: str = request.scope["path"]
    try:
        call(path.removeprefix(request.scope["root_path"]).removeprefix("/"), {})
    except KilowhatError as error:
        return error
    return UnknownTool("There is no such tool.")
