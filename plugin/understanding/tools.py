"""The tools as a plan sees them: what each takes and gives, from the compiled lexicon, so that planning imports none of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from kilowhat.plugin.understanding.tables import lexicon


class Tool(NamedTuple):
    """A tool by its arguments, each with whether it is required; the rest is told in ``kilowhat.tools.core.tool.Tool``."""

    name: str
    arguments: Mapping[str, bool]
    ways: tuple[tuple[str, ...], ...]
    topic: str | None
    gives: str


@lru_cache(maxsize=1)
def known_tools() -> tuple[Tool, ...]:
    """Return all tools, in the order of the catalog."""
    return tuple(Tool(name, told["arguments"], tuple(map(tuple, told["ways"])), told["topic"], told["gives"]) for name, told in lexicon()["tools"].items())
