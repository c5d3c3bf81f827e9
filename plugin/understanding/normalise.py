"""The question as plain characters, and the language it is in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

LONGEST = 4000
"""Characters of a question that are read; more is text that was pasted, and its beginning decides."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_MILLIONS = re.compile(r"(?<=\d)\s?M(?![\w²³])")
_HAN = re.compile(r"[\u3400-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")


def normalise(text: str) -> str:
    """Return a question with full-width forms made plain, hidden characters and runs of blanks removed, and its length bounded."""
    plain = unicodedata.normalize("NFKC", text[: 2 * LONGEST])
    return " ".join(_MILLIONS.sub(" million ", _CONTROL.sub(" ", plain)).split())[:LONGEST]


_GROUPED = re.compile(r"(?<![\w.,-])\d{1,3}(?:[. ]\d{3})+(?:,\d+)?(?![\w.,]\d|\w)")
_COMMA = re.compile(r"(?<![\w.,])(\d+),(\d+)(?![\d,])")


def plain_numbers(text: str, decimal: str) -> str:
    """Return a text with its numbers written with a decimal point and without groups.

    >>> plain_numbers("1.000 Bilder, 2,5 kWh", ",")
    '1000 Bilder, 2.5 kWh'

    Args:
        text: The normalised question.
        decimal: The decimal mark of its language; with a point nothing changes.
    """
    if decimal != ",":
        return text
    grouped = _GROUPED.sub(lambda match: re.sub(r"[. ]", "", match[0]), text)
    return _COMMA.sub(r"\1.\2", grouped)


def detect_language(text: str, marks: Mapping[str, list[str]]) -> str:
    """Return the language of a question: by its script, then by the words that mark a language.

    Args:
        text: The normalised question.
        marks: For each language, characters (Chinese scripts) or words that mark it.
    """
    if _KANA.search(text):
        return "ja"
    if _HAN.search(text):
        scores = {language: sum(text.count(mark) for mark in marks[language]) for language in marks if language.startswith("zh")}
        return max(scores, key=lambda language: (scores[language], language == "zh-Hans"))
    words = re.findall(r"[^\W\d_]+", text.casefold())
    scores = {language: sum(word in marks[language] for word in words) for language in marks if not language.startswith("zh")}
    return max(scores, key=lambda language: (scores[language], language == "en")) if scores else "en"
