"""What every list of the protocol has in common: pages, known names by their beginning, and errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from mcp import MCPError, types

from kilowhat.plugin.failures import InternalError
from kilowhat.tools import KilowhatError
from kilowhat.tools.core.errors import InvalidArguments
from kilowhat.tools.core.reference import fold

T = TypeVar("T")

PAGE = 100
"""How many entries a page has, and the protocol's limit on completions."""


def page(entries: Sequence[T], params: types.PaginatedRequestParams | None) -> tuple[list[T], str | None]:
    """Return the page that a cursor asks for, and the cursor of the next one.

    Raises:
        MCPError: where the cursor is none that was given out.
    """
    cursor = params.cursor if params else None
    start = 0 if cursor is None else int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 10 else -1
    if cursor is not None and not 0 < start < len(entries):
        raise refused(InvalidArguments(f"{cursor[:40]!r} is no cursor of this list; begin again without one.", field="cursor"))
    end = start + PAGE
    return list(entries[start:end]), str(end) if end < len(entries) else None


def matching(names: Iterable[str], typed: str) -> types.CompleteResult:
    """Return the names that hold what was typed, however they are spelled, the nearer to their beginning the earlier."""
    wanted = fold(typed[:200])
    found = sorted((place, name) for name in set(names) if (place := fold(name).find(wanted)) >= 0)
    return types.CompleteResult(completion=types.Completion(values=[name for _, name in found[:PAGE]], total=len(found), has_more=len(found) > PAGE))


def refused(error: KilowhatError, **more: str) -> MCPError:
    """Return an error of the protocol with our words, for what is no call of a tool."""
    code = types.INTERNAL_ERROR if isinstance(error, InternalError) else types.INVALID_PARAMS
    return MCPError(code=code, message=error.message, data={**error.as_dict(), **more})
