"""The phrases of a language, from one compiled file; a phrase that a language lacks is taken from English."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

COMPILED = Path(__file__).parent / "phrases.json"


class Phrases:
    """What an answer says in one language."""

    def __init__(self, language: str, told: dict[str, Any], english: dict[str, Any]) -> None:
        self.language = language
        self._told = told
        self._english = english

    def get(self, *path: str) -> str | None:
        """Return the phrase at a path such as ``about``, ``estimate_task``, or None."""
        for phrases in (self._told, self._english):
            found: Any = phrases
            for key in path:
                found = found.get(key) if isinstance(found, dict) else None
            if isinstance(found, str):
                return found
        return None

    def say(self, *path: str, **slots: str) -> str:
        """Return the phrase at a path with its slots filled."""
        return (self.get(*path) or "").format(**slots)


@lru_cache(maxsize=16)
def phrases(language: str) -> Phrases:
    """Return the phrases of a language; of English where there is no file for it."""
    everything = _everything()
    return Phrases(language if language in everything else "en", everything.get(language, {}), everything["en"])


@lru_cache(maxsize=1)
def _everything() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(COMPILED.read_text("utf-8"))
    return content
