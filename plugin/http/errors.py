"""Errors as HTTP answers: always ``{"error": {"code", "message", "field", "nearest"}}``.

What a tool refuses is 422, and an unknown tool 404, with the code and words that the call has in Python. What never
reaches a tool has a code of its own here.
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
    "method_not_allowed": 405,
    "too_large": 413,
    "unsupported_media_type": 415,
    "internal_error": 500,
}
"""Status by code; any other code is what a tool refused: 422."""


class Refusal(KilowhatError):
    """A request that reaches no tool."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
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
        400: "The body is no JSON.",
        401: "The key is missing or wrong.",
        403: "The request comes from a page of another origin.",
        413: "The body is too large.",
        415: "The body is not application/json.",
        422: "The arguments are refused: the code says why, nearest names what is known.",
        500: "A fault of ours.",
    }.items()
}
"""The errors of a route that takes a body, for its OpenAPI description."""


def refuse(error: KilowhatError, status: int | None = None, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error as an answer."""
    return Response(json.dumps(error.as_dict()), status or STATUSES.get(error.code, 422), headers, "application/json")


def no_such_path(request: Request) -> KilowhatError:
    """Return the error for a path that nothing serves."""
    return Refusal("not_found", f"There is nothing at {request.url.path[:80]!r}; see /openapi.json and /tools/openapi.json.")


def add_error_handlers(app: FastAPI, not_found: Callable[[Request], KilowhatError] = no_such_path) -> None:
    """Make an app tell every error in our shape."""

    async def told(_: Request, error: Exception) -> Response:
        assert isinstance(error, KilowhatError)
        return refuse(error)

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            return refuse(not_found(request))
        if error.status_code == 405:
            return refuse(Refusal("method_not_allowed", f"{request.url.path[:80]!r} does not take {request.method}."), headers=error.headers)
        return refuse(Refusal("bad_request", str(error.detail)[:200]), error.status_code, error.headers)

    async def unexpected(_: Request, __: Exception) -> Response:
        return refuse(InternalError())

    app.add_exception_handler(KilowhatError, told)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(Exception, unexpected)
