"""The compiled lexicon: the words of each language, the names of the library, and what each tool takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

_LEXICON = Path(__file__).parent / "lexicon" / "lexicon.json"


@lru_cache(maxsize=1)
def lexicon() -> dict[str, Any]:
    """Return the compiled lexicon; read once a process."""
    content: dict[str, Any] = json.loads(_LEXICON.read_bytes())
    return content


def marks() -> dict[str, list[str]]:
    """Return, for each language, the words or characters that mark it."""
    return {language: told["marks"] for language, told in lexicon()["languages"].items()}


def tables_of(language: str) -> list[Mapping[str, list[list[Any]]]]:
    """Return the phrases that count in a language: names, its own words, and those of the languages whose words stand in it too."""
    languages = lexicon()["languages"]
    return [lexicon()["names"], *(languages[name]["phrases"] for name in (language, *languages[language]["also"]))]
