"""The tools as machines read them: one generated file per dialect of JSON Schema.

>>> from kilowhat.manifest import load
>>> load("openai")[0]["function"]["name"]
'estimate_task'
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DIALECTS = ("openai", "json-schema")
"""``openai``: tools of Chat Completions, strict. ``json-schema``: draft 2020-12, with output schema, example and annotations."""


def path(dialect: str) -> Path:
    """Return where a dialect's generated file is.

    Raises:
        UnknownName: where there is no such dialect (``unknown_name``).
    """
    if dialect not in DIALECTS:
        from kilowhat.tools.core.errors import UnknownName

        raise UnknownName(f"There is no manifest {str(dialect)[:60]!r}; there are {' and '.join(DIALECTS)}.", field="dialect", nearest=DIALECTS)
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
