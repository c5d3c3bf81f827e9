"""Errors as HTTP answers: always ``{"error": {"code", "message", "field", "nearest"}}``.

What a tool refuses is 422, and an unknown tool 404, with the code and words that the call has in Python. What never
reaches a tool has a code of its own here. Below ``/v1`` the same code and words have the shape that clients of OpenAI read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from kilowhat.plugin.failures import InternalError
from kilowhat.tools import KilowhatError

STATUSES = {
    "invalid_json": 400,
    "forbidden_host": 400,
    "unauthorized": 401,
    "forbidden_origin": 403,
    "unknown_tool": 404,
    "not_found": 404,
    "model_not_found": 404,
    "method_not_allowed": 405,
    "slow_request": 408,
    "too_large": 413,
    "unsupported_media_type": 415,
    "internal_error": 500,
    "busy": 503,
    "timeout": 504,
}
"""Status by code; any other code is what a tool refused: 422, or 400 below ``/v1``."""


class Refusal(KilowhatError):
    """A request that reaches no tool."""

    def __init__(self, code: str, message: str, *, field: str | None = None) -> None:
        super().__init__(message, field=field)
        self.code = code


class ErrorDetail(BaseModel):
    """What was wrong, what is allowed and what to do."""

    code: str
    message: str
    field: str | None
    nearest: list[str]


class ErrorBody(BaseModel):
    """The body of every error."""

    error: ErrorDetail


DOCUMENTED: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody, "description": description}
    for status, description in {
        400: "The body is no JSON, or too deep.",
        401: "The key is missing or wrong.",
        403: "The request comes from a page of another origin.",
        408: "The body came too slowly.",
        413: "The body is too large.",
        415: "The body is not application/json.",
        422: "The arguments are refused: the code says why, nearest names what is known.",
        500: "A fault of ours.",
        503: "Too many requests at once; try again.",
        504: "It took too long.",
    }.items()
}
"""The errors of a route that takes a body, for its OpenAPI description."""

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": ErrorBody, "description": "Nothing has that name; nearest names what is known."}}
READ: dict[int | str, dict[str, Any]] = {status: DOCUMENTED[status] for status in (401, 422, 500, 503, 504)}
"""The errors of a locked route without a body."""


def refuse(error: KilowhatError, status: int | None = None, headers: Mapping[str, str] | None = None, *, path: str = "") -> Response:
    """Return an error as an answer.

    Args:
        error: What was wrong.
        status: The status, where it does not follow from the code.
        headers: Further headers.
        path: What was asked for; below ``/v1`` the body has OpenAI's shape.
    """
    if path.startswith("/v1/"):
        status = status or STATUSES.get(error.code, 400)
        kind = "server_error" if status >= 500 else "invalid_request_error"
        told: dict[str, Any] = {"error": {"message": error.message, "type": kind, "param": error.field, "code": error.code}}
    else:
        told = error.as_dict()
    return Response(json.dumps(told), status or STATUSES.get(error.code, 422), headers, "application/json")


def no_such_path(request: Request) -> KilowhatError:
    """Return the error for a path that nothing serves."""
    return Refusal("not_found", f"There is nothing at {request.url.path[:80]!r}; see /openapi.json and /tools/openapi.json.")


def add_error_handlers(app: FastAPI, not_found: Callable[[Request], KilowhatError] = no_such_path) -> None:
    """Make an app tell every error in our shape."""

    async def told(request: Request, error: Exception) -> Response:
        assert isinstance(error, KilowhatError)
        return refuse(error, path=request.url.path)

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        path = request.url.path
        if error.status_code == 404:
            return refuse(not_found(request), path=path)
        if error.status_code == 405:
            return refuse(Refusal("method_not_allowed", f"{path[:80]!r} does not take {request.method}."), headers=error.headers, path=path)
        return refuse(Refusal("bad_request", str(error.detail)[:200]), error.status_code, error.headers, path=path)

    async def unexpected(request: Request, __: Exception) -> Response:
        return refuse(InternalError(), path=request.url.path)

    app.add_exception_handler(KilowhatError, told)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(Exception, unexpected)
