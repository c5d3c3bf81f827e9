"""``/v1``: the offline model as clients of OpenAI's Chat Completions know models.

A conversation comes whole with every request, and nothing is kept. What a client sends beside it (temperature, tools of
its own, a schema) is let pass and not used. Tokens are not what is counted here: ``usage`` tells four characters as one.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from starlette.responses import StreamingResponse

from kilowhat.plugin.asking import LONGEST_MESSAGE, as_turns, ask, stream_async, text_of
from kilowhat.plugin.failures import fault, safely
from kilowhat.plugin.http.background import answer_task, question_in_context
from kilowhat.plugin.http.errors import Refusal, refuse
from kilowhat.plugin.http.limits import read_json
from kilowhat.plugin.http.questions import STREAM_HEADERS, close
from kilowhat.plugin.http.running import Runner
from kilowhat.plugin.reply import Reply
from kilowhat.tools import KilowhatError
from kilowhat.tools.core.errors import InvalidArguments, MissingInput

MODEL = "kilowhat"
_PATH = "/v1/"


class StreamOptions(BaseModel):
    """What a stream tells beside the text."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """What is read of a request for a completion."""

    model_config = ConfigDict(str_max_length=LONGEST_MESSAGE)

    model: str
    messages: list[dict[str, JsonValue]] = Field(min_length=1, max_length=1000)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = Field(default=1, ge=1, le=1, description="One answer, since every further one would be the same.")


def chat(runner: Runner) -> APIRouter:
    """Return the routes ``/v1/models`` and ``/v1/chat/completions``."""
    router = APIRouter(prefix="/v1", include_in_schema=False)
    card = {"id": MODEL, "object": "model", "created": int(time.time()), "owned_by": "kilowhat"}

    @router.get("/models")
    def models() -> Response:
        """Return the models: ours."""
        return _json({"object": "list", "data": [card]})

    @router.get("/models/{model}")
    def model(model: str) -> Response:
        """Return one model."""
        return _json(card) if model == MODEL else refuse(_no_model(model), path=_PATH)

    @router.post("/chat/completions")
    async def complete(request: Request) -> Response:
        """Answer the last message of a conversation."""
        told = _read(await read_json(request))
        turns = [(role, question_in_context(text) if role == "user" else text) for role, text in as_turns(told.messages)]
        messages = [{"role": role, "content": text} for role, text in turns]
        asked = sum(len(text) for _, text in turns)
        task = await runner.run("background", safely, answer_task, turns[-1][1])
        if told.stream:
            steps = _once(task) if task is not None else stream_async(messages)
            with_usage = told.stream_options is not None and told.stream_options.include_usage
            return StreamingResponse(_chunks(steps, asked, with_usage=with_usage), headers=STREAM_HEADERS, media_type="text/event-stream")
        text = task if task is not None else await runner.run("ask", _text, messages)
        choice = {"index": 0, "message": {"role": "assistant", "content": text, "refusal": None}, "logprobs": None, "finish_reason": "stop"}
        return _json({**_head("chat.completion"), "choices": [choice], "usage": _usage(asked, len(text))})

    return router


def _read(body: Any) -> ChatRequest:
    try:
        told = ChatRequest.model_validate(body)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in problem["loc"])[:60] or None
        raise InvalidArguments(f"{field or 'The body'} is refused: {problem['msg'][:200].lower()}.", field=field) from None
    if told.model != MODEL:
        raise _no_model(told.model)
    for index, message in enumerate(told.messages):
        if not isinstance(message.get("role"), str) or not isinstance(message.get("content"), str | list | None):
            raise InvalidArguments("A message has a role, and as its content a text or a list of parts.", field=f"messages.{index}")
        text_of(message.get("content"))
    try:
        as_turns(told.messages)
    except ValueError as error:
        raise MissingInput(str(error), field="messages") from None
    return told


def _no_model(name: str) -> Refusal:
    return Refusal("model_not_found", f"There is no model {name[:60]!r}; there is {MODEL!r}.", field="model")


def _text(messages: list[dict[str, str]]) -> str:
    return safely(ask, messages).text


async def _once(text: str) -> AsyncIterator[str]:
    yield text


async def _chunks(steps: AsyncIterator[Any], asked: int, *, with_usage: bool) -> AsyncIterator[str]:
    """Yield an answer as the chunks of a completion; when nobody reads on, the steps end too."""
    head = _head("chat.completion.chunk")
    written = 0

    def chunk(delta: dict[str, str], finish: str | None = None) -> str:
        return _event({**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}], **({"usage": None} if with_usage else {})})

    try:
        yield chunk({"role": "assistant", "content": ""})
        async for step in steps:
            if isinstance(step, str):
                written += len(step)
                yield chunk({"content": step})
            elif isinstance(step, Reply) and not written:
                written = len(step.text)
                yield chunk({"content": step.text})
        yield chunk({}, "stop")
        if with_usage:
            yield _event({**head, "choices": [], "usage": _usage(asked, written)})
        yield "data: [DONE]\n\n"
    except KilowhatError as error:
        yield _failed(error)
    except Exception as error:  # noqa: BLE001  (the answer has begun, and its end must be told)
        yield _failed(fault(error))
    finally:
        await close(steps)


def _failed(error: KilowhatError) -> str:
    return f"data: {bytes(refuse(error, path=_PATH).body).decode()}\n\n"


def _head(kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": MODEL, "system_fingerprint": None}


def _usage(asked: int, written: int) -> dict[str, int]:
    told, answered = -(-asked // 4), -(-written // 4)
    return {"prompt_tokens": told, "completion_tokens": answered, "total_tokens": told + answered}


def _event(content: Any) -> str:
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n"


def _json(content: Any) -> Response:
    return Response(json.dumps(content), media_type="application/json")
