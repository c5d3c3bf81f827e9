"""The tools as machines read them: one generated file per dialect of JSON Schema.

>>> from kilowhat.manifest import load
>>> load("openai")[0]["function"]["name"]
'estimate_task'
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DIALECTS = ("openai", "openai-responses", "anthropic", "anthropic-strict", "gemini", "gemini-openapi", "mcp", "json-schema", "openapi")
"""What each file holds, every tool in the order of the catalog:

``openai`` and ``openai-responses``
    ``tools`` of Chat Completions and of Responses, strict: every argument is told, null means not told.
``anthropic``
    ``tools`` of Messages, with the whole schema.
``anthropic-strict``
    The same for ``strict``. A request takes at most 24 optional arguments over all of its strict tools: pick a few.
``gemini`` and ``gemini-openapi``
    A ``Tool`` with ``parametersJsonSchema``, or with ``parameters`` in the OpenAPI 3.0 form.
``mcp``
    The result of ``tools/list``: input and output schema, title, annotations.
``json-schema``
    Draft 2020-12, with output schema, example and annotations.
``openapi``
    OpenAPI 3.1 of ``POST /tools/{name}`` as ``kilowhat serve`` answers it.
"""


def path(dialect: str) -> Path:
    """Return where a dialect's generated file is.

    Raises:
        UnknownName: where there is no such dialect (``unknown_name``).
    """
    if dialect not in DIALECTS:
        from difflib import get_close_matches

        from kilowhat.tools.core.errors import UnknownName

        known = f"{', '.join(DIALECTS[:-1])} and {DIALECTS[-1]}"
        raise UnknownName(f"There is no manifest {str(dialect)[:60]!r}; there are {known}.", field="dialect", nearest=get_close_matches(str(dialect)[:60], DIALECTS, n=3, cutoff=0.4))
    return Path(__file__).parent / f"{dialect}.json"


def load(dialect: str) -> Any:
    """Return the manifest that ships with the package, without importing a tool.

    Args:
        dialect: One of ``DIALECTS``.

    Raises:
        UnknownName: where there is no such dialect (``unknown_name``).
    """
    return json.loads(path(dialect).read_text("utf-8"))


__all__ = ["DIALECTS", "load", "path"]
