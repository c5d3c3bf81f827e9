"""Adjectives of countries that are names of languages too: Japanese data centres, translated into Japanese."""

from __future__ import annotations

import re

_TONGUE = re.compile(r"\b(?:(?P<surely>into|to|auf|ins|aus dem|en|au|al)|in|from|du|del)\s+$", re.IGNORECASE)
_GOES_ON = re.compile(r"\s+(?!(?:with|for|using|by|and|or|on|at|of|to|from|please|how|language|text|texts)\b)[^\W\d_]")


def is_tongue(text: str, start: int, end: int) -> bool:
    """Return whether an adjective of a country stands for its language: translated into Japanese, and not in Japanese data centres.

    >>> is_tongue("translated into Japanese", 16, 24), is_tongue("in Irish data centres", 3, 8)
    (True, False)
    """
    before = _TONGUE.search(text[:start])
    return before is not None and (before["surely"] is not None or not _GOES_ON.match(text, end))
