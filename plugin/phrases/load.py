"""The phrases of a language, from one compiled file; a phrase that a language lacks is taken from English.

A phrase is a text, or its forms by number: ``{one: "{count} image", other: "{count} images"}``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

COMPILED = Path(__file__).parent / "phrases.json"
PLACES = Path(__file__).parent / "places.json"


class Phrases:
    """What an answer says in one language."""

    def __init__(self, language: str, told: dict[str, Any], english: dict[str, Any]) -> None:
        self.language = language
        self._told = told
        self._english = english

    def get(self, *path: str, plural_of: float | None = None, own: bool = False) -> str | None:
        """Return the phrase at a path such as ``about``, ``estimate_task``, or None.

        Args:
            path: Keys from the root of the phrase file.
            plural_of: The number by which the form is chosen, where the phrase has forms.
            own: Whether the phrase of this language alone will do, and none of English.
        """
        for phrases in (self._told,) if own else (self._told, self._english):
            found: Any = phrases
            for key in path:
                found = found.get(key) if isinstance(found, dict) else None
            if isinstance(found, dict) and "other" in found:
                found = found.get(self._form(plural_of), found["other"])
            if isinstance(found, str):
                return found
        return None

    def table(self, key: str) -> Mapping[str, Any]:
        """Return a group of phrases of this language; empty where it has none."""
        found: Mapping[str, Any] = self._told.get(key, {})
        return found

    def _form(self, number: float | None) -> str:
        """Return which form a number takes; French counts everything below two as one."""
        if number is None:
            return "other"
        singular = abs(number) < 2 if self._told.get("plural") == "from two" else number == 1
        return "one" if singular else "other"

    def say(self, *path: str, plural_of: float | None = None, **slots: str) -> str:
        """Return the phrase at a path with its slots filled; one that is not told is left blank."""
        return (self.get(*path, plural_of=plural_of) or "").format_map(Slots(slots))


class Slots(dict[str, str]):
    """Slots of a phrase; one that is not told is left blank."""

    def __missing__(self, key: str) -> str:
        return ""


@lru_cache(maxsize=16)
def phrases(language: str) -> Phrases:
    """Return the phrases of a language; of English where there is no file for it."""
    everything = _everything()
    return Phrases(language if language in everything else "en", everything.get(language, everything["en"]), everything["en"])


@lru_cache(maxsize=1)
def _everything() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(COMPILED.read_bytes())
    return content


@lru_cache(maxsize=1)
def places() -> dict[str, dict[str, str]]:
    """Return the names of countries by language and zone, as the Unicode CLDR has them."""
    content: dict[str, dict[str, str]] = json.loads(PLACES.read_text("utf-8"))
    return content
