"""The question as plain characters, and the language it is in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from types import MappingProxyType

from kilowhat.plugin.understanding.numbers import spell_fractions
from kilowhat.tools.core.patterns import Late

LONGEST = 2000
"""Characters of a question that are read; more is text that was pasted, and its beginning decides."""

_CONTROL = re.compile(r"[¿¡\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_WIDE_MARK = re.compile(r"([，；！？])(?=[^\d\s]|[0-9]{1,2}(?![0-9])|[0-9]{4})")
"""A full-width mark that ends a part of a sentence; before three digits it may group them."""
_NARROW_MARK = Late(r"(?<=[\u3040-\u9fff])([,;!?])(?=[^\d\s])", needs=(",", ";", "!", "?"))
"""Marks that hold their blank themselves; made plain, they need one behind them to end a clause."""

_ENDLESS = re.compile(r"(\d{30})\d+")
_KANA = re.compile(r"[\u3040-\u30ff]")


def normalise(text: str) -> str:
    """Return a question with full-width forms made plain, hidden characters, ¿, ¡ and runs of blanks removed, and its length bounded."""
    plain = unicodedata.normalize("NFKC", _WIDE_MARK.sub(r"\1 ", spell_fractions(text[: 2 * LONGEST])))
    plain = plain if plain.isascii() else _NARROW_MARK.sub(r"\1 ", plain)
    return " ".join(_ENDLESS.sub(r"\1", _CONTROL.sub(" ", plain)).split())[:LONGEST]


def _script_counts(text: str) -> tuple[int, int]:
    """Return how many characters are of the simplified script alone, and of the traditional one alone: each has a standard of its own."""
    simplified = sum(_in(char, "gb2312") and not _in(char, "big5") for char in text if _is_han(char))
    traditional = sum(_in(char, "big5") and not _in(char, "gb2312") for char in text if _is_han(char))
    return simplified, traditional


def _is_han(char: str) -> bool:
    """Return whether a character is a Chinese one; a pattern of so many takes a millisecond to compile."""
    return "\u3400" <= char <= "\u9fff"


def _in(char: str, standard: str) -> bool:
    try:
        char.encode(standard)
    except UnicodeEncodeError:
        return False
    return True


def detect_language(
    text: str, marks: Mapping[str, list[str]], before: str | None = None, knows: Callable[[str, str], bool] | None = None, letters: Mapping[str, frozenset[str]] = MappingProxyType({})
) -> str:
    """Return the language of a question: by its script, then by the words that mark a language.

    Args:
        text: The normalised question.
        marks: For each language, the words that mark it; Chinese scripts are told by their characters.
        before: The language of the turn before, which decides where nothing marks one.
        knows: Whether a language has a word in its lexicon, which counts as a mark.
        letters: For each language, letters that only it has among these; a word with one counts as a mark.
    """
    if _KANA.search(text):
        return "ja"
    if any(map(_is_han, text)):
        simplified, traditional = _script_counts(text)
        return "zh-Hant" if traditional > simplified else "zh-Hans" if simplified > traditional or before not in ("zh-Hant", "ja") else before
    words = re.findall(r"[^\W\d_]+", text.casefold())
    scores = {
        language: sum((word in marks[language]) + (knows is not None and knows(language, word)) + bool(letters.get(language, frozenset()) & set(word)) for word in words)
        for language in marks
        if not language.startswith("zh")
    }
    return max(scores, key=lambda language: (scores[language], language == before, language == "en")) if scores else "en"
