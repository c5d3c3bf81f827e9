"""How long a request to a language model is, in the words of those who publish by length."""

from __future__ import annotations

from typing import Literal

LONG_INPUT = 32768.0
"""Input tokens beyond which the attention that the formula of a request leaves out is no longer small."""

SHORT, MEDIUM = 500.0, 1250.0
"""Tokens up to which an answer is short, and medium; Jegham and others publish for 300, 1,000 and 1,500 of them."""


def length_of(read: float, written: float) -> Literal["short", "medium", "long"]:
    """Return the length of a request that reads and writes so many tokens.

    >>> length_of(100, 300), length_of(1000, 1000), length_of(10000, 1500)
    ('short', 'medium', 'long')
    """
    if written <= SHORT and read <= SHORT:
        return "short"
    return "medium" if written <= MEDIUM and read <= LONG_INPUT / 8 else "long"
