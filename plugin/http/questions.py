"""``/ask``: a question or a conversation, answered whole or as it comes about."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict, Field, JsonValue, ValidationError, WithJsonSchema
from starlette.responses import StreamingResponse

from kilowhat.plugin.asking import LONGEST_MESSAGE, Messages, as_turns, ask, stream_async
from kilowhat.plugin.failures import fault, safely
from kilowhat.plugin.http.errors import DOCUMENTED
from kilowhat.plugin.http.limits import read_json
from kilowhat.plugin.http.running import Runner
from kilowhat.plugin.reply import Reply, ToolCall
from kilowhat.tools import KilowhatError
from kilowhat.tools.core.errors import InvalidArguments, MissingInput
from kilowhat.tools.core.tool import Arguments

MESSAGES = {
    "type": ["array", "null"],
    "description": "Instead of question: the turns, the last one the user's.",
    "items": {"type": "object", "properties": {"role": {"type": "string", "description": "user or assistant"}, "content": {"description": "A text, or a list of parts with text."}}},
}
STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""What keeps a stream from being gathered up on its way."""


class Question(Arguments):
    """A question, or a conversation whose last question is answered."""

    model_config = ConfigDict(str_max_length=LONGEST_MESSAGE)

    question: str | None = Field(default=None, description="The question, in plain words.")
    messages: Annotated[list[dict[str, JsonValue]] | None, WithJsonSchema(MESSAGES)] = Field(default=None, max_length=1000)
    region: str | None = Field(default=None, max_length=100, description="A place to take where the question names none.")
    stream: bool = Field(default=False, strict=True, description="Whether to send the answer as it comes about, as server-sent events: tool, text, and at last reply.")


def questions(runner: Runner) -> APIRouter:
    """Return the route ``POST /ask``."""
    router = APIRouter()
    described: dict[int | str, dict[str, Any]] = {200: {"model": Reply, "content": {"text/event-stream": {"schema": {"type": "string"}}}}, **DOCUMENTED}

    @router.post("/ask", response_model=None, responses=described, openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": Question.model_json_schema()}}}})
    async def answer(request: Request) -> Response:
        """Answer a question with the offline model: the Reply of ``ask``, or the events that lead to it."""
        told, messages = read(await read_json(request))
        if told.stream:
            return StreamingResponse(events(stream_async(messages, region=told.region)), headers=STREAM_HEADERS, media_type="text/event-stream")
        return Response(await runner.run("ask", _answer, messages, told.region), media_type="application/json")

    return router


def read(body: Any) -> tuple[Question, Messages]:
    """Return a question as it was told, and what ``ask`` takes of it.

    Raises:
        InvalidArguments: where it is no question (``invalid_arguments``).
        MissingInput: where it asks nothing (``missing_input``).
    """
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
    return told, messages


async def events(steps: AsyncIterator[ToolCall | str | Reply]) -> AsyncIterator[str]:
    """Yield the steps of an answer as server-sent events; when nobody reads on, the steps end too."""
    try:
        async for step in steps:
            if isinstance(step, str):
                yield event("text", json.dumps({"text": step}, ensure_ascii=False))
            else:
                yield event("tool" if isinstance(step, ToolCall) else "reply", step.model_dump_json())
    except KilowhatError as error:
        yield event("error", json.dumps(error.as_dict()))
    except Exception as error:  # noqa: BLE001  (the answer has begun, and its end must be told)
        yield event("error", json.dumps(fault(error).as_dict()))
    finally:
        await close(steps)


async def close(steps: AsyncIterator[Any]) -> None:
    """End steps that nobody waits for any more."""
    ending = getattr(steps, "aclose", None)
    if ending is not None:
        await ending()


def event(name: str, data: str) -> str:
    """Return one server-sent event."""
    return f"event: {name}\ndata: {data}\n\n"


def _answer(messages: Messages, region: str | None) -> str:
    return safely(ask, messages, region=region).model_dump_json()


def _explain(error: ValidationError) -> InvalidArguments:
    problem = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in problem["loc"])[:60] or None
    return InvalidArguments(f"ask takes question or messages, region and stream, as one JSON object: {field or 'the body'} is refused, {problem['msg'][:200].lower()}.", field=field)
