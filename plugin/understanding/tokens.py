"""Tokens: runs of letters, of katakana and of digits, and single Chinese characters and hiragana.

A model's name falls into the same tokens however it is spelled: GPT-4o, gpt 4o and GPT4o are all ``gpt 4 o``.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_PLAIN = re.compile(r"[A-Za-z]+|\d+")
_ANY = r"[\u3400-\u9fff\u3005\u3040-\u309f]|[\u30a0-\u30ff]+|\d+|[^\W\d_\u3040-\u30ff\u3400-\u9fff]+"
"""Compiled where a text needs it: a pattern of so many characters takes longer to compile than a plain text to read."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token with its place in the text; ``folded`` is what phrases are compared by."""

    folded: str
    start: int
    end: int


def tokenise(text: str) -> list[Token]:
    """Return the tokens of a text, in order."""
    plain = unicodedata.normalize("NFKC", text)
    return [Token(fold(match[0]), match.start(), match.end()) for match in re.finditer(_PLAIN if plain.isascii() else _ANY, plain)]


def fold(word: str) -> str:
    """Return a word without case, accents and an English plural.

    >>> fold("Images"), fold("Énergie"), fold("glass")
    ('image', 'energie', 'glass')
    """
    if not word.isascii():
        word = "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
        word = unicodedata.normalize("NFC", word)
    word = word.casefold()
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word
