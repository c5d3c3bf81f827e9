"""The server: questions, tools, references and manifests for programs on this machine.

    GET  /health                     public
    GET  /manifest[/{dialect}]       public; the tools described to machines
    POST /ask                        {"question": …} or {"messages": […]} → the Reply of ``ask``
    GET  /references?query=…         the Estimate of look_up_references
    GET  /references/{id}            a fact or a claim with its source
    POST /tools/{name}               the Estimate of ``call``; /tools/openapi.json describes the tools alone

Bodies and texts are never logged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPBearer
from pydantic import ConfigDict, Field, JsonValue, ValidationError, WithJsonSchema
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from kilowhat.manifest import DIALECTS, load
from kilowhat.manifest.build import input_schema
from kilowhat.plugin.asking import as_turns, ask
from kilowhat.plugin.failures import call_safely, safely
from kilowhat.plugin.http.errors import DOCUMENTED, ErrorBody, add_error_handlers, refuse
from kilowhat.plugin.http.guard import LOOPBACK_ORIGIN, Guard, is_loopback, read_json
from kilowhat.plugin.http.tools import tools_app
from kilowhat.plugin.reply import Reply
from kilowhat.tools import TOOLS, Estimate
from kilowhat.tools.core.errors import InvalidArguments, MissingInput, UnknownName
from kilowhat.tools.core.estimate import METHOD_VERSION
from kilowhat.tools.core.reference import Library
from kilowhat.tools.core.tool import Arguments

MESSAGES = {
    "type": ["array", "null"],
    "description": "Instead of question: the turns, the last one the user's.",
    "items": {"type": "object", "properties": {"role": {"type": "string", "description": "user or assistant"}, "content": {"description": "A text, or a list of parts with text."}}},
}


class Question(Arguments):
    """A question, or a conversation whose last question is answered."""

    model_config = ConfigDict(str_max_length=20_000)

    question: str | None = Field(default=None, description="The question, in plain words.")
    messages: Annotated[list[dict[str, JsonValue]] | None, WithJsonSchema(MESSAGES)] = Field(default=None, max_length=1000)
    region: str | None = Field(default=None, max_length=100, description="A place to take where the question names none.")


NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": ErrorBody, "description": "Nothing has that name; nearest names what is known."}}
LOOK_UP = input_schema(TOOLS["look_up_references"])

public = APIRouter()
locked = APIRouter()


def create_app(*, key: str | None = None) -> FastAPI:
    """Return the server as an ASGI app.

    Args:
        key: The bearer key that callers must send; None or empty serves this machine alone, without one.
    """
    app = FastAPI(
        title="Kilowhat",
        version=METHOD_VERSION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(CORSMiddleware, allow_origin_regex=LOOPBACK_ORIGIN, allow_methods=["GET", "POST"], allow_headers=["Authorization", "Content-Type"]),
            Middleware(Guard, key=key),
        ],
    )
    described = [Depends(HTTPBearer(auto_error=False))] if key else []
    add_error_handlers(app)
    app.include_router(public)
    app.include_router(locked, dependencies=described)
    app.mount("/tools", tools_app(described))
    return app


def serve(host: str = "127.0.0.1", port: int = 8787, key: str | None = None) -> None:
    """Serve until interrupted.

    Raises:
        InvalidArguments: where others could reach the server and no key keeps them out (``invalid_arguments``).
    """
    import uvicorn

    if not key and not is_loopback(host):
        raise InvalidArguments(f"{host[:60]!r} can be reached from other machines: give a key, or serve on 127.0.0.1.", field="key")
    uvicorn.run(create_app(key=key), host=host, port=port, access_log=False, server_header=False, limit_concurrency=64, timeout_keep_alive=5)


@public.get("/health")
def health() -> Mapping[str, str]:
    """Return that the server is up, and the versions that its numbers carry."""
    return {"status": "ok", "method_version": METHOD_VERSION, "data_version": Library.load().version}


@public.get("/manifest")
def manifests() -> Mapping[str, Any]:
    """Return where the tools are described, by dialect."""
    return {"dialects": {dialect: f"/manifest/{dialect}" for dialect in DIALECTS}, "openapi": "/tools/openapi.json"}


@public.get("/manifest/{dialect}", responses=NOT_FOUND, response_model=None)
def manifest(dialect: str) -> Response:
    """Return the tools described in one dialect."""
    try:
        return _json(json.dumps(load(dialect)))
    except UnknownName as error:
        return refuse(error, 404)


@locked.post(
    "/ask",
    response_model=None,
    responses={200: {"model": Reply}, **DOCUMENTED},
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": Question.model_json_schema()}}}},
)
async def answer(request: Request) -> Response:
    """Answer a question with the offline model: the Reply of ``ask``."""
    return _json(await run_in_threadpool(safely, _ask, await read_json(request)))


@locked.get(
    "/references",
    response_model=None,
    responses={200: {"model": Estimate}, 422: DOCUMENTED[422]},
    openapi_extra={"parameters": [{"in": "query", "name": name, "schema": schema, "required": name in LOOK_UP["required"]} for name, schema in LOOK_UP["properties"].items()]},
)
def search(request: Request) -> Response:
    """Return the facts that fit a query, the best first: the Estimate of ``look_up_references``."""
    told: dict[str, Any] = dict(request.query_params)
    if (limit := told.get("limit", "")).isdecimal() and len(limit) < 10:
        told["limit"] = int(limit)
    return _json(call_safely("look_up_references", told).model_dump_json())


@locked.get("/references/{reference_id}", response_model=None, responses=NOT_FOUND)
def reference(reference_id: str) -> Response:
    """Return a fact or a claim with its source."""
    library = Library.load()
    try:
        record = library.claim(reference_id) if reference_id in library.claims else library.fact(reference_id)
    except UnknownName as error:
        return refuse(error, 404)
    kind = type(record).__name__.lower()
    return _json(json.dumps({kind: record.model_dump(mode="json", by_alias=True), "source": library.source(record.source).model_dump(mode="json")}))


def _ask(body: Any) -> str:
    try:
        told = Question.model_validate(body)
    except ValidationError as error:
        raise _explain(error) from None
    if (told.question is None) == (told.messages is None):
        raise MissingInput("ask needs one of question, a text, and messages, the turns of a conversation.", field="question")
    messages = told.question if told.question is not None else told.messages or []
    try:
        as_turns(messages)
    except ValueError as error:
        raise MissingInput(str(error), field="messages") from None
    return ask(messages, region=told.region).model_dump_json()


def _explain(error: ValidationError) -> InvalidArguments:
    problem = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in problem["loc"])[:60] or None
    return InvalidArguments(f"ask takes question or messages, and region, as one JSON object: {field or 'the body'} is refused, {problem['msg'][:200].lower()}.", field=field)


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")
